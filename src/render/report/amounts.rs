//! Amounts as a person reads them. Exact ones are in the JSON.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::domain::catalogue::Origin;
use crate::domain::quantity::Quantity;
pub use crate::domain::sizing::HOURS_PER_MONTH;

const GIBI: f64 = 1_073_741_824.0;
const MEBI: f64 = 1_048_576.0;

/// CPU in cores, with up to two decimals: `15.74`; in thousandths where it would round to nothing.
#[must_use]
pub fn cpu(amount: Quantity) -> String {
    let cores = amount.as_f64();
    if cores != 0.0 && cores.abs() < 0.005 {
        return format!("{}m", amount.as_milli());
    }
    trimmed(format!("{cores:.2}"))
}

/// Memory in Gi, with one decimal where it is not whole: `110.9Gi`; in Mi where it would round to nothing.
#[must_use]
pub fn memory(amount: Quantity) -> String {
    let bytes = amount.as_f64();
    if bytes != 0.0 && bytes.abs() < GIBI / 20.0 {
        return format!("{:.0}Mi", (bytes / MEBI).ceil());
    }
    format!("{}Gi", trimmed(format!("{:.1}", bytes / GIBI)))
}

/// US dollars: `$0.504`, `$4.03`, `$2,943`.
#[must_use]
pub fn dollars(amount: f64) -> String {
    if amount < 1.0 {
        format!("${amount:.3}")
    } else if amount < 100.0 {
        format!("${amount:.2}")
    } else {
        let digits = format!("{amount:.0}");
        let mut text = String::from("$");
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    }
}

/// Where prices come from, each with its date: `karpenter-provider-azure 352646f5, 2026-06-18`.
#[must_use]
pub fn price_sources(sources: &BTreeSet<(Origin, Option<Date>)>) -> String {
    let parts: Vec<String> = sources
        .iter()
        .map(|(origin, listed)| match listed {
            Some(date) => format!("{origin}, {date}"),
            None => origin.to_string(),
        })
        .collect();
    parts.join("; ")
}

/// Ordinals as ranges: `0-2, 5`.
#[must_use]
pub fn ordinals(ordinals: impl IntoIterator<Item = u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for ordinal in ordinals {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(ordinal) => *last = ordinal,
            _ => ranges.push((ordinal, ordinal)),
        }
    }
    let texts: Vec<String> = ranges
        .into_iter()
        .map(|(first, last)| match last - first {
            0 => first.to_string(),
            1 => format!("{first}, {last}"),
            _ => format!("{first}-{last}"),
        })
        .collect();
    texts.join(", ")
}

/// `1 node`, `2 nodes`.
#[must_use]
pub fn count(amount: u32, one: &str) -> String {
    if amount == 1 { format!("1 {one}") } else { format!("{amount} {one}s") }
}

fn trimmed(decimal: String) -> String {
    match decimal.contains('.') {
        true => decimal.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => decimal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::quantity;

    #[test]
    fn amounts_read_well() {
        for (text, expected) in [
            ("0", "0"),
            ("15740m", "15.74"),
            ("4", "4"),
            ("500m", "0.5"),
            ("1m", "1m"),
            ("5m", "0.01"),
            ("12345678n", "0.01"),
        ] {
            assert_eq!(cpu(quantity(text)), expected, "{text}");
        }
        for (text, expected) in [
            ("0", "0Gi"),
            ("113609Mi", "110.9Gi"),
            ("32Gi", "32Gi"),
            ("800Mi", "0.8Gi"),
            ("10Mi", "10Mi"),
            ("1k", "1Mi"),
        ] {
            assert_eq!(memory(quantity(text)), expected, "{text}");
        }
        for (amount, expected) in [
            (0.504, "$0.504"),
            (4.032, "$4.03"),
            (943.36, "$943"),
            (2943.36, "$2,943"),
            (1_234_567.0, "$1,234,567"),
        ] {
            assert_eq!(dollars(amount), expected);
        }
        assert_eq!(ordinals([0, 1, 2, 5, 7, 8]), "0-2, 5, 7, 8");
        assert_eq!(ordinals([]), "");
    }
}
