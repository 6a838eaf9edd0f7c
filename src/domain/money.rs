//! US dollars, exactly: decimal numbers, rounded to the cent only where they are shown.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use rust_decimal::prelude::ToPrimitive as _;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer};

use super::quantity::Quantity;

/// Hours in a month, as cloud price lists count them.
const HOURS_PER_MONTH: u32 = 730;
/// No single price is larger: what is, was mistyped.
const LARGEST_PRICE: u32 = 1_000_000;

/// An amount of US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(Decimal);

/// Why a text is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    #[error("is not a number: write dollars with a decimal point, 1.008")]
    NotANumber,
    #[error("is negative: a price is more than 0")]
    Negative,
    #[error("is no price: leave out the line of what is not known")]
    Zero,
    #[error("is more than {LARGEST_PRICE} dollars")]
    TooLarge,
}

impl Usd {
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// A price: a number above 0. Scientific notation is read, too: programs write it.
    ///
    /// # Errors
    /// When the text is no such number.
    pub fn price(text: &str) -> Result<Self, PriceError> {
        let amount = Decimal::from_str(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map_err(|_| PriceError::NotANumber)?;
        match amount {
            amount if amount.is_sign_negative() && !amount.is_zero() => Err(PriceError::Negative),
            amount if amount.is_zero() => Err(PriceError::Zero),
            amount if amount > Decimal::from(LARGEST_PRICE) => Err(PriceError::TooLarge),
            amount => Ok(Self(amount)),
        }
    }

    /// So many times the amount.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(Decimal::from(count)))
    }

    /// The part of the amount that `part` is of `whole`; nothing when the whole is nothing.
    #[must_use]
    pub fn share(self, part: Quantity, whole: Quantity) -> Self {
        self.fraction(part.as_nanos(), whole.as_nanos())
    }

    /// The amount of an hour for so many seconds.
    #[must_use]
    pub fn for_seconds(self, seconds: u64) -> Self {
        self.fraction(i128::from(seconds), 3600)
    }

    /// `part / whole` of the amount; nothing when the whole is nothing.
    fn fraction(self, part: i128, whole: i128) -> Self {
        let ratio =
            match (Decimal::try_from_i128_with_scale(part, 0), Decimal::try_from_i128_with_scale(whole, 0)) {
                (Ok(part), Ok(whole)) => part.checked_div(whole).unwrap_or_default(),
                _ => Decimal::ZERO,
            };
        Self(self.0.saturating_mul(ratio))
    }

    /// A price per hour as one per month of 730 hours.
    #[must_use]
    pub fn hourly_to_monthly(self) -> Self {
        self.times(HOURS_PER_MONTH)
    }

    /// A price per month of 730 hours as one per hour.
    #[must_use]
    pub fn monthly_to_hourly(self) -> Self {
        self.divided(HOURS_PER_MONTH)
    }

    /// The amount in so many equal parts.
    #[must_use]
    pub fn divided(self, parts: u32) -> Self {
        Self(self.0.checked_div(Decimal::from(parts)).unwrap_or_default())
    }

    /// Rounded to so many decimals, a half away from zero.
    #[must_use]
    pub fn rounded(self, decimals: u32) -> Self {
        Self(self.0.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero).normalize())
    }

    /// The number as it is written in files: all its digits, no sign of the currency.
    #[must_use]
    pub fn plain(self) -> String {
        self.0.normalize().to_string()
    }

    /// Whether it is more than nothing.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0 > Decimal::ZERO
    }

    /// The nearest floating-point number: for ranking, bars and JSON, never to be added up.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0.normalize().to_f64().unwrap_or(f64::MAX)
    }
}

impl FromStr for Usd {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        Self::price(text)
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Usd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Usd {
    /// To the cent: `$2,943.36`; with a precision, to so many decimals: `$1.008` for `{:.3}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(2);
        let rounded = self.rounded(u32::try_from(decimals).unwrap_or(28));
        let digits = format!("{:.decimals$}", rounded.0.abs());
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let mut text = String::from(if rounded.0 < Decimal::ZERO { "-$" } else { "$" });
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push('.');
            text.push_str(fraction);
        }
        f.write_str(&text)
    }
}

impl Serialize for Usd {
    /// As a number, to a millionth of a dollar.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.rounded(6).as_f64())
    }
}

/// A sum of which some parts may not be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// What the known parts add up to.
    pub known: Usd,
    /// How many parts are known.
    pub parts: u32,
    /// How many are not.
    pub unknown: u32,
}

impl Total {
    /// Adds a part; none is one that is not known.
    pub fn include(&mut self, part: Option<Usd>) {
        match part {
            Some(amount) => {
                self.known += amount;
                self.parts += 1;
            }
            None => self.unknown += 1,
        }
    }

    /// What is known to be in it: none where there are parts and none of them is known.
    #[must_use]
    pub fn at_least(&self) -> Option<Usd> {
        (self.parts > 0 || self.unknown == 0).then_some(self.known)
    }

    /// The whole sum; none where a part of it is not known.
    #[must_use]
    pub fn whole(&self) -> Option<Usd> {
        (self.unknown == 0).then_some(self.known)
    }

    /// The sum with every known part changed alike.
    #[must_use]
    pub fn map(self, change: impl Fn(Usd) -> Usd) -> Self {
        Self { known: change(self.known), ..self }
    }
}

impl Add for Total {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            known: self.known + other.known,
            parts: self.parts + other.parts,
            unknown: self.unknown + other.unknown,
        }
    }
}

impl FromIterator<Option<Usd>> for Total {
    fn from_iter<I: IntoIterator<Item = Option<Usd>>>(parts: I) -> Self {
        let mut total = Self::default();
        parts.into_iter().for_each(|part| total.include(part));
        total
    }
}

impl fmt::Display for Total {
    /// `$2,943.36`, `at least $2,207.52`, or `-` where nothing is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.whole(), self.at_least()) {
            (Some(whole), _) => whole.fmt(f),
            (None, Some(least)) => {
                f.write_str("at least ")?;
                least.fmt(f)
            }
            (None, None) => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::quantity;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn sums_are_exact() {
        // In floating point ten times 0.1 is 0.9999999999999999.
        let tenths: Usd = (0..10).map(|_| usd("0.1")).sum();
        assert_eq!(tenths, usd("1"));
        assert_eq!(usd("1.008").times(4).hourly_to_monthly(), usd("2943.36"));
        assert_eq!(usd("2943.36").monthly_to_hourly(), usd("4.032"));
        // 8,760 hours in a year, 26,280 in three.
        assert_eq!(usd("5208").divided(12).monthly_to_hourly().rounded(6), usd("0.594521"));
        assert_eq!(usd("1.008").for_seconds(90), usd("0.0252"));
    }

    #[test]
    fn shares_are_of_the_whole() {
        let price = usd("735.84");
        assert_eq!(price.share(quantity("96Gi"), quantity("113609Mi")).rounded(2), usd("636.71"));
        assert_eq!(price.share(quantity("3"), quantity("0")), Usd::ZERO);
        assert_eq!(price.share(quantity("9E"), quantity("9E")).rounded(2), price);
    }

    #[test]
    fn a_half_cent_is_rounded_away_from_nothing() {
        assert_eq!(usd("0.005").rounded(2), usd("0.01"));
        assert_eq!(usd("2.675").to_string(), "$2.68", "a floating-point 2.675 would be $2.67");
        assert_eq!((Usd::ZERO - usd("0.005")).to_string(), "-$0.01");
    }

    #[test]
    fn amounts_are_written_with_cents() {
        for (text, expected) in [
            ("0.504", "$0.50"),
            ("4.032", "$4.03"),
            ("943.36", "$943.36"),
            ("2943.36", "$2,943.36"),
            ("1000000", "$1,000,000.00"),
        ] {
            assert_eq!(usd(text).to_string(), expected);
        }
        assert_eq!(format!("{:.3}", usd("1.008")), "$1.008");
        assert_eq!(format!("{:.0}", usd("735.84")), "$736");
        assert_eq!(serde_json::to_string(&usd("735.840")).unwrap(), "735.84");
        assert_eq!(serde_json::to_string(&usd("100").divided(3)).unwrap(), "33.333333");
    }

    #[test]
    fn only_a_number_above_zero_is_a_price() {
        for (text, error) in [
            ("", PriceError::NotANumber),
            ("NaN", PriceError::NotANumber),
            ("inf", PriceError::NotANumber),
            ("1,008", PriceError::NotANumber),
            ("$1", PriceError::NotANumber),
            ("0x10", PriceError::NotANumber),
            ("-1", PriceError::Negative),
            ("-0.000001", PriceError::Negative),
            ("0", PriceError::Zero),
            ("-0", PriceError::Zero),
            ("0.000", PriceError::Zero),
            ("1000000.01", PriceError::TooLarge),
            ("1e20", PriceError::TooLarge),
        ] {
            assert_eq!(Usd::price(text), Err(error), "{text}");
        }
        assert_eq!(Usd::price("1e-05").unwrap(), usd("0.00001"));
    }

    #[test]
    fn a_sum_says_what_is_missing() {
        let total = |parts: &[Option<&str>]| -> Total { parts.iter().map(|part| part.map(usd)).collect() };
        assert_eq!(total(&[Some("1"), Some("2.5")]).to_string(), "$3.50");
        assert_eq!(total(&[Some("1"), None]).to_string(), "at least $1.00");
        assert_eq!(total(&[None, None]).to_string(), "-");
        assert_eq!(total(&[]).to_string(), "$0.00");
        let mixed = total(&[Some("1"), None]);
        assert_eq!((mixed.whole(), mixed.at_least()), (None, Some(usd("1"))));
        assert_eq!(total(&[None]).at_least(), None, "never nothing");
    }
}
