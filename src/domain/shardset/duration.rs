//! Durations as Kubernetes and Karpenter write them: `90s`, `1h30m`, `720h`, `Never`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Units that both Karpenter (`h`, `m`, `s` only) and people understand.
const PATTERN: &str = r"^([0-9]+(s|m|h))+$";

/// A time span in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Span {
    #[must_use]
    pub fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    #[must_use]
    pub fn minutes(minutes: u64) -> Self {
        Self(minutes * 60)
    }

    #[must_use]
    pub fn as_seconds(self) -> u64 {
        self.0
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        Self::from_secs(span.0)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is not a duration, write for example 90s, 10m or 1h30m");
        let mut rest = text;
        let mut seconds = 0_u64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
            let amount: u64 = rest[..digits].parse().map_err(|_| error())?;
            let unit = match rest.as_bytes().get(digits) {
                Some(b's') => 1,
                Some(b'm') => 60,
                Some(b'h') => 3600,
                _ => return Err(error()),
            };
            seconds =
                amount.checked_mul(unit).and_then(|part| seconds.checked_add(part)).ok_or_else(error)?;
            rest = &rest[digits + 1..];
        }
        if text.is_empty() { Err(error()) } else { Ok(Self(seconds)) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        let mut text = String::new();
        for (amount, unit) in [(hours, 'h'), (minutes, 'm'), (seconds, 's')] {
            if amount > 0 {
                text.push_str(&format!("{amount}{unit}"));
            }
        }
        f.pad(if text.is_empty() { "0s" } else { &text })
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": PATTERN})
    }
}

/// A time span, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    After(Span),
    Never,
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "Never" {
            return Ok(Self::Never);
        }
        text.parse().map(Self::After).map_err(|error: String| format!("{error}, or Never"))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(span) => span.fmt(f),
            Self::Never => f.pad("Never"),
        }
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"const": "Never"}, {"type": "string", "pattern": PATTERN}]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_printed_as_go_does() {
        for (text, seconds, printed) in [
            ("0s", 0, "0s"),
            ("30s", 30, "30s"),
            ("120s", 120, "2m"),
            ("1h30m", 5400, "1h30m"),
            ("720h", 2_592_000, "720h"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.as_seconds(), span.to_string().as_str()), (seconds, printed));
        }
        for text in ["", "5", "m", "5 m", "1d", "-5s", "1.5h", "99999999999999999999s", "never"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        assert_eq!("Never".parse(), Ok(Period::Never));
        assert!("never".parse::<Period>().unwrap_err().contains("or Never"));
    }
}
