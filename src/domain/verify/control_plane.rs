//! The API server.

use super::facts::{known, violation};
use super::{Check, Facts, Outcome, not_applicable};

pub(super) const CHECKS: &[Check] = &[Check::warning(
    "kubernetes-version",
    "the API server is of a version that shardctl is tested with",
    kubernetes_version,
)];

/// The oldest version with what shardctl relies on: `unhealthyPodEvictionPolicy` is on by default since 1.27,
/// and NAP asks for 1.28.
const OLDEST: (u32, u32) = (1, 28);

fn kubernetes_version(facts: &Facts<'_>) -> Outcome {
    let text = known(&facts.snapshot.server_version)?;
    let Some(version) = parse(text) else {
        return not_applicable(format!("the API server calls its version `{text}`"));
    };
    if version >= OLDEST {
        return Ok(Vec::new());
    }
    Ok(vec![violation(
        "cluster",
        format!("the API server is {text}, older than v{}.{}", OLDEST.0, OLDEST.1),
        "Upgrade the control plane, then its nodes, one minor version at a time",
    )])
}

/// Major and minor of `v1.36.3`, `v1.29.4-eks-1234` or `v1.28+`.
fn parse(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim_start_matches('v').split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?;
    let digits = minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len());
    Some((major, minor[..digits].parse().ok()?))
}
