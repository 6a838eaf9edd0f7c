//! From the text of a file to a ShardSet that can be relied on, or to an error that says where and why.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::manifests::OWN_VARIABLES;
use super::{Phase, ShardSet};
use crate::domain::quantity::Quantity;
use crate::domain::yaml::{self, Problem};

/// The longest name of a StatefulSet: its pods carry the label `NAME-HASH`, which has at most 63
/// characters, 11 of them for the hash.
const STATEFUL_SET_NAME_MAX: usize = 52;

/// Why a text is no ShardSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Line, counted from 1, where it is known.
    pub line: Option<u64>,
    /// What is wrong; one entry for each problem.
    pub problems: Vec<String>,
    /// What was most likely meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.problems.join("; "))
    }
}

impl std::error::Error for ParseError {}

/// Reads one ShardSet.
///
/// # Errors
/// When the text is no YAML, has a field too many or too few, or a value that cannot work.
pub fn parse(text: &str) -> Result<ShardSet, ParseError> {
    let shardset: ShardSet = serde_saphyr::from_str(text).map_err(|error| {
        let Problem { line, problem, suggestion } = yaml::problem(&error);
        ParseError { line, problems: vec![problem], suggestion }
    })?;
    let problems = problems(&shardset);
    if problems.is_empty() {
        Ok(shardset)
    } else {
        Err(ParseError { line: None, problems, suggestion: None })
    }
}

/// What the types alone cannot rule out.
fn problems(shardset: &ShardSet) -> Vec<String> {
    let spec = &shardset.spec;
    let mut problems = Vec::new();
    let mut require = |holds: bool, path: &str, problem: String| {
        if !holds {
            problems.push(format!("{path}: {problem}"));
        }
    };

    let name = shardset.metadata.name.as_str();
    require(
        name.len() <= STATEFUL_SET_NAME_MAX,
        "metadata.name",
        format!(
            "a StatefulSet's name has at most {STATEFUL_SET_NAME_MAX} characters, this one has {}",
            name.len()
        ),
    );
    let required = spec.availability.required(spec.replicas);
    require(
        (1..=spec.replicas).contains(&required),
        "spec.availability",
        format!(
            "{required} of {} shards cannot be required, write all or a number from 1 to {}",
            spec.replicas, spec.replicas
        ),
    );

    require(
        spec.selector.as_ref().is_none_or(|selector| !selector.is_empty()),
        "spec.selector",
        "it is empty, and would take every pod of the namespace for a shard".to_owned(),
    );

    for name in OWN_VARIABLES {
        require(
            !spec.shard.env.contains_key(name),
            "spec.shard.env",
            format!("{name} is set for every shard already, leave it out"),
        );
    }
    let image = &spec.shard.image;
    require(!image.trim().is_empty(), "spec.shard.image", "it is empty".to_owned());
    require(
        image.trim().is_empty() || is_pinned(image),
        "spec.shard.image",
        format!(
            "`{image}` can change without notice, and a restart would change the version: give a tag other than latest, or a digest"
        ),
    );
    for (path, value) in [
        ("spec.shard.health.startupPath", &spec.shard.health.startup_path),
        ("spec.shard.health.readinessPath", &spec.shard.health.readiness_path),
        ("spec.storage.mountPath", &spec.storage.mount_path),
    ] {
        require(value.starts_with('/'), path, format!("`{value}` must start with /"));
    }
    let grace = spec.shard.termination_grace_period;
    require(
        grace.as_seconds() > 0,
        "spec.shard.terminationGracePeriod",
        "with 0 a deleted shard's container may still write its disk while its successor starts".to_owned(),
    );
    require(
        grace.as_seconds() == 0 || spec.shard.pre_stop_sleep < grace,
        "spec.shard.preStopSleep",
        format!("{} leaves no time to end within terminationGracePeriod {grace}", spec.shard.pre_stop_sleep),
    );
    require(
        spec.shard.health.startup_timeout.as_seconds() > 0,
        "spec.shard.health.startupTimeout",
        "it must be longer than 0".to_owned(),
    );
    require(
        spec.services.headless != spec.services.client,
        "spec.services",
        "the headless and the client service need different names".to_owned(),
    );

    let nodes = &spec.nodes;
    require(
        nodes.explore.name != nodes.stable.name,
        "spec.nodes",
        "the explore and the stable pool need different names".to_owned(),
    );
    require(
        nodes.stable.instance_types.len() == 1,
        "spec.nodes.stable.instanceTypes",
        format!(
            "it has {} entries, it needs exactly one: anything else is no pin, and reservations may not apply",
            nodes.stable.instance_types.len()
        ),
    );
    for phase in [Phase::Explore, Phase::Stable] {
        let pool = shardset.pool(phase);
        require(
            !(pool.instance_types.is_empty() && pool.requirements.is_empty()),
            &format!("spec.nodes.{phase}"),
            "it needs instanceTypes or requirements".to_owned(),
        );
    }
    problems
}

/// Whether an image reference names one image for good: a digest, or a tag other than latest.
pub(crate) fn is_pinned(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    matches!(last.split_once(':'), Some((_, tag)) if !tag.is_empty() && tag != "latest")
}

/// For `#[serde(deserialize_with)]`: a number of at least one.
pub(super) fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = i64::deserialize(deserializer)?;
    match u32::try_from(number) {
        Ok(number) if (1..=10_000).contains(&number) => Ok(number),
        _ => {
            Err(de::Error::custom(format!("{number} shards are no service, write a number from 1 to 10000")))
        }
    }
}

/// For `#[serde(deserialize_with)]`: a TCP port.
pub(super) fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let number = i64::deserialize(deserializer)?;
    match u16::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(de::Error::custom(format!("{number} is no port, write a number from 1 to 65535"))),
    }
}

/// For `#[serde(deserialize_with)]`: a user id that is not root's.
pub(super) fn user<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = i64::deserialize(deserializer)?;
    match u32::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        _ => {
            Err(de::Error::custom(format!("{number} is no user a shard may run as, write a number above 0")))
        }
    }
}

/// For `#[serde(deserialize_with)]`: a quantity above zero.
pub(super) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
    let quantity = Quantity::deserialize(deserializer)?;
    if !quantity.is_positive() {
        return Err(de::Error::custom(format!("{quantity} is too little, it must be above 0")));
    }
    // Kubernetes would silently take the largest amount that it can count.
    if quantity.is_largest() {
        return Err(de::Error::custom("that is more than Kubernetes can count"));
    }
    Ok(quantity)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TUTORIAL: &str = include_str!("tutorial.yaml");

    fn error_after(from: &str, to: &str) -> ParseError {
        assert!(TUTORIAL.contains(from), "{from}");
        parse(&TUTORIAL.replacen(from, to, 1)).unwrap_err()
    }

    #[test]
    fn the_tutorials_system_is_valid() {
        assert_eq!(parse(TUTORIAL).unwrap().spec.replicas, 10);
    }

    #[test]
    fn an_unknown_field_is_named_with_its_line_and_the_nearest_name() {
        let error = error_after("  replicas: 10", "  replica: 10");
        assert_eq!(error.line, Some(7));
        assert_eq!(error.suggestion.as_deref(), Some("did you mean `replicas`?"));
        assert!(error.to_string().contains("no field `replica`"), "{error}");
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_line() {
        for (from, to, expected) in [
            ("replicas: 10", "replicas: 0", "0 shards are no service"),
            ("replicas: 10", "replicas: -3", "-3 shards are no service"),
            ("memory: 32Gi", "memory: 32GB", "`32GB` is not a quantity"),
            ("cpu: \"4\"", "cpu: 0", "0 is too little"),
            ("memory: 32Gi", "memory: 9223372036854775808Ei", "more than Kubernetes can count"),
            ("replicas: 10", "replicas: ten", "a whole number is expected"),
            ("availability: all", "availability: most", "write all, or"),
            ("name: biometric-shard\n", "name:\n", "a text is expected here"),
            ("runAsUser: 10001", "runAsUser: 0", "0 is no user"),
            ("port: 8080", "port: 80800", "80800 is no port"),
            ("name: biometric-shard\n", "name: Biometric_Shard\n", "not a valid name"),
            ("preStopSleep: 30s", "preStopSleep: soon", "`soon` is not a duration"),
            ("kind: ShardSet", "kind: StatefulSet", "`StatefulSet` is not known here"),
            ("operator: In", "operator: in", "`in` is not known here"),
        ] {
            let error = error_after(from, to);
            let before = TUTORIAL.find(from).unwrap();
            let line = 1 + TUTORIAL[..before].matches('\n').count();
            assert_eq!(error.line, u64::try_from(line).ok(), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn contradictions_are_named_by_their_field() {
        for (from, to, expected) in [
            ("availability: all", "availability: 11", "spec.availability: 11 of 10"),
            ("k8s-demo-app:1.0.0", "k8s-demo-app:latest", "spec.shard.image"),
            ("k8s-demo-app:1.0.0", "k8s-demo-app", "spec.shard.image"),
            (
                "terminationGracePeriod: 120s",
                "terminationGracePeriod: 0s",
                "spec.shard.terminationGracePeriod",
            ),
            ("preStopSleep: 30s", "preStopSleep: 3m", "spec.shard.preStopSleep"),
            ("[Standard_E16s_v5]", "[Standard_E16s_v5, Standard_E8s_v5]", "spec.nodes.stable.instanceTypes"),
            ("name: biometric-stable", "name: biometric-explore", "spec.nodes:"),
            ("mountPath: /data", "mountPath: data", "spec.storage.mountPath"),
            ("port: 8080", "port: 8080\n    env: {SERVICE_NAME: x}", "spec.shard.env: SERVICE_NAME"),
        ] {
            let error = error_after(from, to);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn garbage_is_refused() {
        for text in ["", "[]", "a: [", "- 1\n- 2", "\0", "apiVersion: v1\nkind: Pod\n", "%YAML 9", "&a [*a]"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
        let two = format!("{TUTORIAL}---\n{TUTORIAL}");
        assert!(parse(&two).unwrap_err().to_string().contains("one ShardSet"));
    }

    #[test]
    fn a_pinned_image_has_a_digest_or_a_tag() {
        for pinned in ["a:1", "r.io:5000/a:1.0", "a@sha256:00", "a:latest@sha256:00"] {
            assert!(is_pinned(pinned), "{pinned}");
        }
        for moving in ["a", "a:latest", "r.io:5000/a", "a:"] {
            assert!(!is_pinned(moving), "{moving}");
        }
    }
}
