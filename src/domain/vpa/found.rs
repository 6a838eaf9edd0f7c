//! Looks for what an operator must know beside the figures.

use jiff::Timestamp;

use super::finding::{Finding, NoRecommendation};
use super::observed::{Autoscaler, Autoscalers, Observed, Resource};
use super::{OfContainer, Spread};
use crate::domain::age::age;
use crate::domain::names::pods_in_short;
use crate::domain::quantity::Quantity;

/// Shards are counted rather than named when there are more.
const MOST_NAMED: usize = 5;

/// What is found, the gravest first.
pub(super) fn findings(
    observed: &Observed,
    autoscaler: Option<&Autoscaler>,
    containers: &[OfContainer],
) -> Vec<Finding> {
    let mut findings = of_autoscalers(observed, autoscaler, containers);
    match &observed.usage_unknown {
        Some(unknown) => findings.push(Finding::UsageUnknown(unknown.clone())),
        None => {
            let silent: Vec<u32> = observed
                .shards
                .iter()
                .filter(|shard| shard.used.is_empty())
                .map(|shard| shard.ordinal)
                .collect();
            if !silent.is_empty() {
                let pods = pods_in_short(&observed.workload.name, &silent);
                findings.push(Finding::Unmeasured { pods });
            }
        }
    }
    for container in containers {
        findings.extend(of_container(observed, container));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
    findings
}

fn of_autoscalers(
    observed: &Observed,
    reported: Option<&Autoscaler>,
    containers: &[OfContainer],
) -> Vec<Finding> {
    let found = match &observed.autoscalers {
        Autoscalers::NoApi => return vec![Finding::NoApi],
        Autoscalers::Unknown(unknown) => return vec![Finding::Unknown(unknown.clone())],
        Autoscalers::Found(found) => found,
    };
    let Some(reported) = reported else { return vec![Finding::NoAutoscaler] };
    let mut findings = Vec::new();
    for one in found {
        let (autoscaler, namespace) = (one.name.clone(), observed.workload.namespace.clone());
        match one.update_mode.as_str() {
            "Off" => {}
            "Initial" => findings.push(Finding::Resizes { autoscaler, namespace }),
            mode => findings.push(Finding::Disturbs { autoscaler, namespace, mode: mode.to_owned() }),
        }
    }
    if found.len() > 1 {
        findings.push(Finding::Several {
            names: found.iter().map(|one| one.name.clone()).collect(),
            reported: reported.name.clone(),
        });
    }
    if !containers.iter().any(|container| container.is_advised) {
        let since = |at: Timestamp| observed.taken_at.duration_since(at).as_secs().max(0);
        findings.push(Finding::NoRecommendation {
            autoscaler: reported.name.clone(),
            seconds: reported.created_at.map(since),
            why: why_not(observed, reported, containers),
        });
        return findings;
    }
    for container in containers.iter().filter(|container| !container.is_advised) {
        let is_off = reported.policy(&container.name).is_some_and(|policy| policy.is_off);
        findings.push(Finding::NotAdvised { container: container.name.clone(), is_off });
    }
    findings
}

fn why_not(observed: &Observed, autoscaler: &Autoscaler, containers: &[OfContainer]) -> NoRecommendation {
    if let Some(condition) = autoscaler.condition("ConfigUnsupported") {
        return NoRecommendation::Unsupported(condition.message.clone());
    }
    if let Some(recommender) = &autoscaler.recommender {
        return NoRecommendation::OtherRecommender(recommender.clone());
    }
    let is_off =
        |container: &OfContainer| autoscaler.policy(&container.name).is_some_and(|policy| policy.is_off);
    if !containers.is_empty() && containers.iter().all(is_off) {
        return NoRecommendation::AllOff;
    }
    if autoscaler.condition("NoPodsMatched").is_some() {
        return NoRecommendation::NoPodsMatched;
    }
    if autoscaler.condition("FetchingHistory").is_some() {
        return NoRecommendation::FetchingHistory;
    }
    match &observed.usage_unknown {
        Some(unknown) => NoRecommendation::NoMetrics(unknown.clone()),
        None => NoRecommendation::NothingYet,
    }
}

fn of_container(observed: &Observed, container: &OfContainer) -> Vec<Finding> {
    let mut findings = Vec::new();
    let others = |mut ordinals: Vec<u32>, one: &str, many: &str| {
        ordinals.sort_unstable();
        let names = || pods_in_short(&observed.workload.name, &ordinals);
        match ordinals.len() {
            0 => None,
            1 => Some(format!("so {one} {}", names())),
            count if count <= MOST_NAMED => Some(format!("so {many} {}", names())),
            count => Some(format!("so {many} {count} others")),
        }
    };
    // The last one; of those whose time is not known, the first shard.
    let last = container.killed.iter().max_by_key(|(ordinal, kill)| (kill.at, std::cmp::Reverse(*ordinal)));
    if let Some((ordinal, kill)) = last {
        let rest = container.killed.iter().map(|(one, _)| *one).filter(|one| one != ordinal).collect();
        findings.push(Finding::Killed {
            pod: observed.pod(*ordinal).to_string(),
            container: container.name.clone(),
            kill: kill.clone(),
            ago: kill.at.map(|at| age(at, observed.taken_at)),
            others: others(rest, "was", "were"),
        });
    }
    let unlimited = container.resources.iter().filter(|of| of.request.is_some() && of.request != of.limit);
    let unlimited: Vec<&str> = unlimited.map(|of| of.resource.word()).collect();
    if !unlimited.is_empty() {
        let (container, what) = (container.name.clone(), unlimited.join(" and "));
        findings.push(Finding::NotGuaranteed { container, what });
    }
    for of in &container.resources {
        let hot = of.spread.as_ref().map(|spread| spread.hot(of.request)).unwrap_or_default();
        let target = of.target.as_ref().and_then(super::Amount::known);
        if let [(ordinal, used, factor), rest @ ..] = hot.as_slice() {
            findings.push(Finding::Hot {
                pod: observed.pod(*ordinal).to_string(),
                resource: of.resource,
                used: *used,
                factor: *factor,
                median: of.spread.as_ref().map_or(Quantity::ZERO, Spread::median),
                target: target.filter(|target| target < used),
                others: others(rest.iter().map(|(one, ..)| *one).collect(), "is", "are"),
            });
        }
        if of.resource == Resource::Cpu
            && let (Some(peak), Some(proposed)) = (of.peak, of.proposed)
            && peak > proposed.amount
        {
            findings.push(Finding::Throttles {
                container: container.name.clone(),
                peak,
                proposed: proposed.amount,
            });
        }
    }
    findings
}
