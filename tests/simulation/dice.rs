//! Numbers that look random and are the same for the same seed.

/// SplitMix64: small, fast, and good enough to draw schedules from.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.roll() % (high.saturating_sub(low) + 1)
    }

    /// One of `0..count`.
    pub fn below(&mut self, count: u32) -> u32 {
        u32::try_from(self.roll() % u64::from(count.max(1))).unwrap_or(0)
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.roll().is_multiple_of(count.max(1))
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.roll()).unwrap_or(0) % choices.len()]
    }
}
