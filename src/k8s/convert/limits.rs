//! What bounds what may be done: budgets and quotas.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::all;
use crate::domain::prerequisites::{Quota, QuotaScope};
use crate::domain::snapshot::DisruptionBudget;

pub fn disruption_budget(budget: &PodDisruptionBudget) -> DisruptionBudget {
    let meta = &budget.metadata;
    let spec = budget.spec.clone().unwrap_or_default();
    let status = budget.status.clone().unwrap_or_default();
    let selector = spec.selector.unwrap_or_default();
    let text = |amount: Option<IntOrString>| {
        amount.map(|amount| match amount {
            IntOrString::Int(number) => number.to_string(),
            IntOrString::String(percentage) => percentage,
        })
    };
    DisruptionBudget {
        name: meta.name.clone().unwrap_or_default(),
        has_expressions: selector.match_expressions.is_some_and(|expressions| !expressions.is_empty()),
        selector: selector.match_labels.unwrap_or_default(),
        min_available: text(spec.min_available),
        max_unavailable: text(spec.max_unavailable),
        unhealthy_pod_eviction_policy: spec
            .unhealthy_pod_eviction_policy
            .unwrap_or_else(|| "IfHealthyBudget".to_owned()),
        disruptions_allowed: status.disruptions_allowed.unwrap_or(0),
        current_healthy: status.current_healthy.unwrap_or(0),
        desired_healthy: status.desired_healthy.unwrap_or(0),
        expected_pods: status.expected_pods.unwrap_or(0),
        is_status_current: status.observed_generation >= meta.generation,
    }
}

pub fn quota(quota: &core::ResourceQuota) -> Quota {
    let status = quota.status.clone().unwrap_or_default();
    let spec = quota.spec.clone().unwrap_or_default();
    let plain =
        spec.scopes.unwrap_or_default().into_iter().map(|name| quota_scope(&name, "Exists", Vec::new()));
    let selected = spec.scope_selector.and_then(|selector| selector.match_expressions).unwrap_or_default();
    let selected = selected
        .into_iter()
        .map(|scope| quota_scope(&scope.scope_name, &scope.operator, scope.values.unwrap_or_default()));
    Quota {
        name: quota.metadata.name.clone().unwrap_or_default(),
        scopes: plain.chain(selected).collect(),
        hard: all(status.hard.as_ref().or(quota.spec.as_ref().and_then(|spec| spec.hard.as_ref()))),
        used: all(status.used.as_ref()),
    }
}

fn quota_scope(name: &str, operator: &str, names: Vec<String>) -> QuotaScope {
    match (name, operator) {
        ("PriorityClass", "DoesNotExist") => QuotaScope::NeverShards,
        ("PriorityClass", operator) => {
            QuotaScope::PriorityClasses { names, are_excluded: operator == "NotIn" }
        }
        ("NotBestEffort", _) => QuotaScope::AlwaysShards,
        ("NotTerminating", _) => QuotaScope::Deadline { has_one: false },
        ("Terminating", _) => QuotaScope::Deadline { has_one: true },
        _ => QuotaScope::NeverShards,
    }
}
