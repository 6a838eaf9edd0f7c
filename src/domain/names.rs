//! Names as their own types, so that a node is never taken for a pod.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// Why a text is no name of a Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a valid name: {reason}; a name has at most 63 characters, a-z, 0-9 and -, \
     and starts and ends with a letter or digit"
)]
pub struct NameError {
    text: String,
    reason: &'static str,
}

/// A name that must be a DNS label (RFC 1123), because it becomes part of a host name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct DnsLabel(String);

impl DnsLabel {
    /// The longest DNS label.
    pub const MAX_LENGTH: usize = 63;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DnsLabel {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let error = |reason| Err(NameError { text: text.chars().take(80).collect(), reason });
        let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if text.is_empty() {
            error("it is empty")
        } else if text.len() > Self::MAX_LENGTH {
            error("it is too long")
        } else if text.chars().any(|c| c.is_ascii_uppercase()) {
            error("it has capital letters")
        } else if !text.chars().all(|c| is_alphanumeric(c) || c == '-') {
            error("it has other characters")
        } else if !(text.starts_with(is_alphanumeric) && text.ends_with(is_alphanumeric)) {
            error("it starts or ends with -")
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl<'de> Deserialize<'de> for DnsLabel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for DnsLabel {
    fn schema_name() -> Cow<'static, str> {
        "DnsLabel".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            "maxLength": Self::MAX_LENGTH,
        })
    }
}

impl fmt::Display for DnsLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Defines a name that the API server has already checked.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            #[must_use]
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// The name of a node.
    NodeName
);
name!(
    /// The name of a pod, without its namespace.
    PodName
);
name!(
    /// The name of a Karpenter NodePool.
    NodePoolName
);
name!(
    /// The name of a PersistentVolumeClaim, without its namespace.
    ClaimName
);
name!(
    /// The name of a PersistentVolume.
    VolumeName
);

/// A StatefulSet and where it lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkloadRef {
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statefulset/{}", self.name)
    }
}

/// Reads `NAME`, `statefulset/NAME`, `statefulsets.apps/NAME` or `sts/NAME` and returns the name.
///
/// # Errors
/// When another kind is named, or the name is empty.
pub fn parse_workload(text: &str) -> Result<String, String> {
    let name = match text.split_once('/') {
        None => text,
        Some((kind, name)) => match kind.to_ascii_lowercase().as_str() {
            "statefulset" | "statefulsets" | "sts" | "statefulset.apps" | "statefulsets.apps" => name,
            _ => {
                return Err(format!(
                    "shardctl works on a StatefulSet, not on a {kind}; write statefulset/{name}"
                ));
            }
        },
    };
    if name.is_empty() || name.contains('/') {
        return Err(format!("`{text}` names no workload, write statefulset/NAME"));
    }
    Ok(name.to_owned())
}

/// Pods of one set in short: `shard-3`, or `shard-{0..4,7}`. Ordinals in ascending order.
#[must_use]
pub fn pods_in_short(set: &str, ordinals: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &ordinal in ordinals {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(ordinal) => *last = ordinal,
            _ => ranges.push((ordinal, ordinal)),
        }
    }
    if let [(only, last)] = ranges[..]
        && only == last
    {
        return format!("{set}-{only}");
    }
    let parts: Vec<String> = ranges
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}..{last}") })
        .collect();
    format!("{set}-{{{}}}", parts.join(","))
}

/// The candidate that `text` most likely was meant to be, if one is near enough to be worth naming.
#[must_use]
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| {
            let alike = strsim::jaro_winkler(&text.to_lowercase(), &candidate.to_lowercase());
            (candidate, alike)
        })
        .filter(|(_, alike)| *alike > 0.8)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_labels_follow_rfc_1123() {
        for good in ["a", "biometric-shard", "0", &"x".repeat(63)] {
            assert!(good.parse::<DnsLabel>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "Shard", "a.b", "a_b", "ä", &"x".repeat(64)] {
            assert!(bad.parse::<DnsLabel>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_workload_may_be_named_as_kubectl_does() {
        for text in ["kafka", "statefulset/kafka", "sts/kafka", "StatefulSet.apps/kafka"] {
            assert_eq!(parse_workload(text).as_deref(), Ok("kafka"), "{text}");
        }
        assert!(parse_workload("deployment/kafka").unwrap_err().contains("statefulset/kafka"));
        assert!(parse_workload("sts/").is_err());
    }

    #[test]
    fn pods_are_named_in_short() {
        for (ordinals, expected) in [
            (&[3][..], "shard-3"),
            (&[0, 1, 2], "shard-{0..2}"),
            (&[0, 1, 4, 7, 8, 9], "shard-{0..1,4,7..9}"),
            (&[], "shard-{}"),
        ] {
            assert_eq!(pods_in_short("shard", ordinals), expected);
        }
    }

    #[test]
    fn only_near_names_are_suggested() {
        let fields = ["replicas", "memory", "storage"];
        assert_eq!(nearest("replica", fields), Some("replicas"));
        assert_eq!(nearest("memroy", fields), Some("memory"));
        assert_eq!(nearest("colour", fields), None);
    }
}
