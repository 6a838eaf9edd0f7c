//! CPU and memory quantities as Kubernetes writes them, exactly.
//!
//! The grammar, the rounding and the canonical form are those of
//! `k8s.io/apimachinery/pkg/api/resource/quantity.go`: a decimal number and a suffix (`m`, `k`, `Ki`,
//! `e3` ...), kept to one billionth, rounded away from zero, printed with the largest suffix that
//! loses nothing.

use std::borrow::Cow;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One billionth: the smallest amount that a quantity can tell apart.
const NANOS_PER_UNIT: i128 = 1_000_000_000;
/// Quantities stop at the largest signed 64-bit integer, as in Kubernetes.
const LIMIT: i128 = (i64::MAX as i128) * NANOS_PER_UNIT;

/// Which family of suffixes a quantity was written with, and is printed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Format {
    /// `m`, `k`, `M` ...
    Decimal,
    /// `Ki`, `Mi`, `Gi` ...
    Binary,
    /// `e3`, `E6` ...
    Exponent,
}

/// An amount of a resource, exact to one billionth.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a quantity: {reason}, write for example {example}")]
pub struct QuantityError {
    text: String,
    reason: &'static str,
    example: &'static str,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0, format: Format::Decimal };

    /// `amount` whole units, printed with decimal suffixes.
    #[must_use]
    pub fn whole(amount: i64) -> Self {
        Self { nanos: i128::from(amount) * NANOS_PER_UNIT, format: Format::Decimal }
    }

    /// `amount` bytes, printed with binary suffixes.
    #[must_use]
    pub fn bytes(amount: i64) -> Self {
        Self { format: Format::Binary, ..Self::whole(amount) }
    }

    /// `amount` thousandths.
    #[must_use]
    pub fn milli(amount: i64) -> Self {
        Self { nanos: i128::from(amount) * (NANOS_PER_UNIT / 1000), format: Format::Decimal }
    }

    /// The amount in billionths.
    #[must_use]
    pub fn as_nanos(self) -> i128 {
        self.nanos
    }

    /// The amount in whole units, rounded up.
    #[must_use]
    pub fn as_units(self) -> i64 {
        ceil_div(self.nanos, NANOS_PER_UNIT)
    }

    /// The amount in thousandths, rounded up.
    #[must_use]
    pub fn as_milli(self) -> i64 {
        ceil_div(self.nanos, NANOS_PER_UNIT / 1000)
    }

    /// The amount as a floating-point number, for ratios and bars only.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 15 digits")]
    pub fn as_f64(self) -> f64 {
        self.nanos as f64 / NANOS_PER_UNIT as f64
    }

    /// Whether there is nothing, or less.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.nanos > 0
    }

    /// Whether it is the largest amount there is, which stands for anything larger, too.
    #[must_use]
    pub fn is_largest(self) -> bool {
        self.nanos >= LIMIT
    }

    /// `self - other`, but never below zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        let rest = self - other;
        if rest.nanos < 0 { Self { nanos: 0, ..rest } } else { rest }
    }

    /// How many times `other` fits into this; none when `other` is nothing.
    #[must_use]
    pub fn times(self, other: Self) -> Option<u32> {
        if other.nanos <= 0 {
            return None;
        }
        u32::try_from(self.nanos.max(0) / other.nanos).ok()
    }
}

/// Division that rounds away from zero and stops at the bounds of i64.
fn ceil_div(value: i128, by: i128) -> i64 {
    let rounded = if value >= 0 { (value + by - 1) / by } else { (value - by + 1) / by };
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error =
            |reason, example| QuantityError { text: text.chars().take(40).collect(), reason, example };
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let negative = text.starts_with('-');
        let number_end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(number_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') {
            return Err(error("it has two decimal points", "1.5Gi"));
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(error("it does not start with a number", "500m or 32Gi"));
        }
        let (scale, format) = parse_suffix(suffix).ok_or_else(|| match suffix {
            "K" | "KB" | "kb" => error("K is not a suffix", "32k or 32Ki"),
            "g" | "GB" | "gb" | "Gb" | "GiB" | "gi" => error("its suffix is unknown", "32Gi or 32G"),
            "mi" | "MB" | "mb" | "MiB" => error("its suffix is unknown", "512Mi or 512M"),
            _ => error("its suffix is unknown", "500m, 4, 32Gi or 32G"),
        })?;
        let magnitude = scaled(whole, fraction, scale).min(LIMIT);
        Ok(Self { nanos: if negative { -magnitude } else { magnitude }, format })
    }
}

/// How a suffix scales its number.
#[derive(Clone, Copy)]
enum Scale {
    /// Ten to this power.
    Ten(i32),
    /// 1024 to this power.
    Kibi(u32),
}

fn parse_suffix(suffix: &str) -> Option<(Scale, Format)> {
    let decimal = |power| Some((Scale::Ten(power), Format::Decimal));
    let binary = |power| Some((Scale::Kibi(power), Format::Binary));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => {
            let power = suffix.strip_prefix(['e', 'E'])?;
            let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            Some((Scale::Ten(power.parse().ok()?), Format::Exponent))
        }
    }
}

/// `whole.fraction` scaled, in nanos, rounded up; saturates well above [`LIMIT`].
fn scaled(whole: &str, fraction: &str, scale: Scale) -> i128 {
    let digits: Vec<u8> = whole
        .bytes()
        .chain(fraction.bytes())
        .skip_while(|digit| *digit == b'0')
        .map(|digit| digit - b'0')
        .collect();
    if digits.is_empty() {
        return 0;
    }
    let fraction_digits = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let (ten, kibi) = match scale {
        Scale::Ten(power) => (i64::from(power), 0),
        Scale::Kibi(power) => (0, power),
    };
    // nanos = digits * 10^(ten + 9 - fraction_digits) * 1024^kibi
    let exponent = ten.saturating_add(9).saturating_sub(fraction_digits);
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    if length.saturating_add(exponent) > 30 {
        return i128::MAX;
    }
    // What fits into 128 bits: 36 digits, or 20 and 1024^6. The rest can only round.
    let keep = digits.len().min(if kibi == 0 { 36 } else { 20 });
    let mut value = digits[..keep].iter().fold(0_i128, |value, digit| value * 10 + i128::from(*digit));
    let dropped = digits[keep..].iter().any(|digit| *digit != 0);
    let exponent = exponent + i64::try_from(digits.len() - keep).unwrap_or(0);
    let Some(multiplied) = value.checked_mul(1024_i128.pow(kibi)) else {
        return i128::MAX;
    };
    value = multiplied;
    if exponent >= 0 {
        let Some(power) = u32::try_from(exponent).ok().and_then(|exponent| 10_i128.checked_pow(exponent))
        else {
            return i128::MAX;
        };
        value.checked_mul(power).unwrap_or(i128::MAX)
    } else {
        match u32::try_from(-exponent).ok().and_then(|exponent| 10_i128.checked_pow(exponent)) {
            Some(power) => {
                let rounds_up = value % power != 0 || dropped;
                value / power + i128::from(rounds_up)
            }
            // So small that only the rounding is left.
            None => 1,
        }
    }
}

impl fmt::Display for Quantity {
    /// The canonical form: the largest suffix that needs no fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let small = self.nanos.abs() < 1024 * NANOS_PER_UNIT;
        let fractional = self.nanos % NANOS_PER_UNIT != 0;
        let format = match self.format {
            Format::Binary if small || fractional => Format::Decimal,
            format => format,
        };
        let text = match format {
            Format::Binary => {
                let mut value = self.nanos / NANOS_PER_UNIT;
                let mut suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].into_iter();
                let mut suffix = suffixes.next().unwrap_or_default();
                while value != 0 && value % 1024 == 0 {
                    let Some(next) = suffixes.next() else { break };
                    value /= 1024;
                    suffix = next;
                }
                format!("{value}{suffix}")
            }
            Format::Decimal | Format::Exponent => {
                let mut value = self.nanos;
                let mut power = -9;
                if value == 0 {
                    power = 0;
                }
                while value != 0 && value % 1000 == 0 && power < 18 {
                    value /= 1000;
                    power += 3;
                }
                match (format, power) {
                    (_, 0) => value.to_string(),
                    (Format::Exponent, power) => format!("{value}e{power}"),
                    (_, power) => {
                        let suffix = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
                            .get(usize::try_from((power + 9) / 3).unwrap_or(3))
                            .copied()
                            .unwrap_or_default();
                        format!("{value}{suffix}")
                    }
                }
            }
        };
        f.pad(&text)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl std::hash::Hash for Quantity {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.nanos.hash(state);
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Default for Quantity {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            nanos: (self.nanos + other.nanos).clamp(-LIMIT, LIMIT),
            // Nothing has no format of its own.
            format: if self.nanos == 0 { other.format } else { self.format },
        }
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self { nanos: -other.nanos, ..other }
    }
}

impl Mul<u32> for Quantity {
    type Output = Self;

    fn mul(self, times: u32) -> Self {
        Self { nanos: (self.nanos * i128::from(times)).clamp(-LIMIT, LIMIT), ..self }
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    /// From a text, or from a number as YAML gives it when a person writes `cpu: 4`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity such as 500m, 4 or 32Gi")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, amount: i64) -> Result<Quantity, E> {
                Ok(Quantity::whole(amount))
            }

            fn visit_u64<E: de::Error>(self, amount: u64) -> Result<Quantity, E> {
                amount.to_string().parse().map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, amount: f64) -> Result<Quantity, E> {
                amount.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {"type": "string", "pattern": "^[+-]?[0-9.]+([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$"},
                {"type": "number"},
            ],
        })
    }
}

/// CPU and memory together: what is requested, allocatable, used or free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    pub cpu: Quantity,
    pub memory: Quantity,
}

impl Resources {
    /// `self - other`, each never below zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(other.cpu), memory: self.memory.saturating_sub(other.memory) }
    }

    /// Whether `self` holds `other`.
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        self.cpu >= other.cpu && self.memory >= other.memory
    }

    /// The larger of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { cpu: self.cpu.max(other.cpu), memory: self.memory.max(other.memory) }
    }
}

impl Add for Resources {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, memory: self.memory + other.memory }
    }
}

impl AddAssign for Resources {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<u32> for Resources {
    type Output = Self;

    fn mul(self, times: u32) -> Self {
        Self { cpu: self.cpu * times, memory: self.memory * times }
    }
}

impl Sum for Resources {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    #[test]
    fn values_are_those_of_kubernetes() {
        for (text, nanos) in [
            ("0", 0),
            ("4", 4_000_000_000_i128),
            ("500m", 500_000_000),
            ("3500m", 3_500_000_000),
            ("0.5", 500_000_000),
            (".5", 500_000_000),
            ("5.", 5_000_000_000),
            ("100n", 100),
            ("1u", 1_000),
            ("1k", 1_000_000_000_000),
            ("1Ki", 1_024_000_000_000),
            ("32Gi", 34_359_738_368_000_000_000),
            ("32G", 32_000_000_000_000_000_000),
            ("1.5Gi", 1_610_612_736_000_000_000),
            ("26.8Gi", 28_776_280_883_200_000_000),
            ("262144k", 262_144_000_000_000_000),
            ("1e3", 1_000_000_000_000),
            ("1E3", 1_000_000_000_000),
            ("1E", 1_000_000_000_000_000_000_000_000_000),
            ("12e-3", 12_000_000),
            ("-1", -1_000_000_000),
            ("+1", 1_000_000_000),
            // Below one billionth everything is rounded away from zero.
            ("0.0000000001", 1),
            ("-0.0000000001", -1),
            ("1e-30", 1),
            // Above the largest 64-bit integer everything is that integer.
            ("100E", LIMIT),
            ("9999999999999999999999999999999999Ei", LIMIT),
            ("1e40", LIMIT),
            ("8Ei", LIMIT),
        ] {
            assert_eq!(parse(text).as_nanos(), nanos, "{text}");
        }
    }

    #[test]
    fn printing_is_canonical() {
        for (text, canonical) in [
            ("0", "0"),
            ("4000m", "4"),
            ("0.5", "500m"),
            ("3500m", "3500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("1000Ki", "1000Ki"),
            ("1000000", "1M"),
            ("34359738368", "34359738368"),
            ("32Gi", "32Gi"),
            ("1e3", "1e3"),
            ("1500e-3", "1500e-3"),
            ("100n", "100n"),
            ("262144k", "262144k"),
            ("1.1Ki", "1126400m"),
            ("-3Ki", "-3Ki"),
            ("16E", "9223372036854775807"),
        ] {
            assert_eq!(parse(text).to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_an_example() {
        for text in [
            "", "Gi", "4 Gi", "1.2.3", "32GB", "32gi", "1K", "1e", "1e1.5", "0x10", "NaN", "4cpu", "--4",
            "1mi",
        ] {
            let error = text.parse::<Quantity>().unwrap_err().to_string();
            assert!(error.contains("write for example"), "{text}: {error}");
        }
    }

    #[test]
    fn sums_keep_the_format_of_what_is_summed() {
        let total: Quantity = [parse("800Mi"), parse("224Mi")].into_iter().sum();
        assert_eq!(total.to_string(), "1Gi");
        assert_eq!(parse("64Gi").times(parse("32Gi")), Some(2));
        assert_eq!(parse("53.0Gi").times(parse("32Gi")), Some(1));
        assert_eq!(parse("1").times(Quantity::ZERO), None);
        assert_eq!(parse("1").saturating_sub(parse("2")), Quantity::ZERO);
    }

    proptest! {
        #[test]
        fn the_canonical_form_means_the_same(nanos in -LIMIT..LIMIT, binary: bool) {
            let format = if binary { Format::Binary } else { Format::Decimal };
            let quantity = Quantity { nanos, format };
            prop_assert_eq!(parse(&quantity.to_string()), quantity);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[-+0-9.eEkKMGTPimnu]{0,60}") {
            let _ = text.parse::<Quantity>();
        }
    }
}
