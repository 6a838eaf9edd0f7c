//! The labels that a machine will have, before it is there.

use std::borrow::Cow;

use super::Terms;
use super::moves::is_zone;
use crate::domain::catalogue::Size;
use crate::domain::packing::Load;
use crate::domain::snapshot::{DaemonSet, NODE_POOL_LABEL, Node, NodeExpression, NodePool, Taint};

/// Whether a label names the instance type.
pub(super) fn names_types(key: &str) -> bool {
    ["node.kubernetes.io/instance-type", "karpenter.azure.com/sku-name"].contains(&key)
}

/// Whether a label tells how large or of what sort a machine is.
pub(super) fn says_size(key: &str) -> bool {
    ["karpenter.azure.com/sku-", "karpenter.k8s.aws/instance-", "kubernetes.azure.com/sku-"]
        .iter()
        .any(|prefix| key.starts_with(prefix))
}

/// Labels that the platform puts on its nodes, and that neither pool nor size tell.
fn is_of_platform(key: &str) -> bool {
    ["kubernetes.azure.com/", "eks.amazonaws.com/", "beta.kubernetes.io/"]
        .iter()
        .any(|prefix| key.starts_with(prefix))
}

/// The labels that a machine will have, as far as they are known.
pub(super) struct Labels<'a> {
    pub pool: &'a NodePool,
    pub name: Option<&'a str>,
    pub size: Option<&'static Size>,
    /// A node of the same type, for what the catalogue does not tell.
    pub node: Option<&'a Node>,
    pub zone: Option<&'a str>,
}

/// The name of a node that has none yet: no term that names a node means it.
const NOT_NAMED: &str = "(not there yet)";

impl Labels<'_> {
    /// A label's value, when it is known.
    pub fn value(&self, key: &str) -> Option<Cow<'_, str>> {
        let known = match key {
            NODE_POOL_LABEL => Some(self.pool.name.as_str()),
            _ if self.pool.labels.contains_key(key) => self.pool.labels.get(key).map(String::as_str),
            _ if names_types(key) => self.name,
            _ if is_zone(key) => self.zone,
            "kubernetes.io/hostname" => Some(NOT_NAMED),
            "kubernetes.io/os" => Some("linux"),
            _ => None,
        };
        let of_size = || match (self.size, self.node) {
            (Some(size), _) => label_of_size(size, key),
            (None, Some(node)) if says_size(key) || key == "kubernetes.io/arch" => {
                node.label(key).map(Cow::from)
            }
            _ => None,
        };
        known.map(Cow::from).or_else(of_size)
    }

    /// Whether it can satisfy an expression.
    pub fn can_be(&self, expression: &NodeExpression) -> bool {
        match self.value(&expression.key) {
            Some(value) => expression.matches(Some(&value)),
            None if is_zone(&expression.key) => {
                let key = "topology.kubernetes.io/zone".to_owned();
                self.pool.can_satisfy(&NodeExpression { key, ..expression.clone() })
            }
            None => self.pool.can_satisfy(expression),
        }
    }

    /// Whether it can satisfy one of the alternatives; no alternatives are satisfied by anything.
    pub fn satisfy(&self, terms: &Terms) -> bool {
        terms.is_empty() || terms.iter().any(|term| term.iter().all(|one| self.can_be(one)))
    }

    /// What DaemonSets take on it.
    pub fn daemons(&self, sets: &[DaemonSet]) -> Load {
        let hard: Vec<&Taint> =
            self.pool.taints.iter().filter(|taint| taint.effect != "PreferNoSchedule").collect();
        let runs = |set: &&DaemonSet| {
            hard.iter().all(|taint| set.tolerations.iter().any(|one| one.tolerates(taint)))
                && (set.node_terms.is_empty()
                    || set.node_terms.iter().any(|term| term.iter().all(|one| self.may_be(one))))
        };
        sets.iter().filter(runs).fold(Load::default(), |sum, set| Load {
            pods: sum.pods + 1,
            requests: sum.requests + set.requests,
        })
    }

    /// Whether a daemon that asks for this might run there. What is not known might be so: a daemon that does not come
    /// leaves room, one that was not counted takes it.
    pub fn may_be(&self, expression: &NodeExpression) -> bool {
        self.can_be(expression) || (self.value(&expression.key).is_none() && is_of_platform(&expression.key))
    }
}

/// A machine of this size that a pool would make, wherever it makes it.
fn of_pool<'a>(pool: &'a NodePool, size: &'static Size) -> Labels<'a> {
    Labels { pool, name: Some(size.name), size: Some(size), node: None, zone: None }
}

/// What DaemonSets take on a machine of this size that a pool would make.
#[must_use]
pub fn daemons_on(sets: &[DaemonSet], pool: &NodePool, size: &'static Size) -> Load {
    of_pool(pool, size).daemons(sets)
}

/// The first requirement of a pool that a machine of this size does not meet, as far as the size tells.
#[must_use]
pub fn unmet<'a>(pool: &'a NodePool, size: &'static Size) -> Option<&'a NodeExpression> {
    let labels = of_pool(pool, size);
    let known = |one: &NodeExpression| labels.value(&one.key).map(Cow::into_owned);
    pool.requirements.iter().find(|one| known(one).is_some_and(|value: String| !one.matches(Some(&value))))
}

/// The label that Node Auto Provisioning puts on a machine of this size.
fn label_of_size(size: &'static Size, key: &str) -> Option<Cow<'static, str>> {
    Some(match key {
        "kubernetes.io/arch" => size.architecture.as_str().into(),
        "karpenter.azure.com/sku-family" => size.family.into(),
        "karpenter.azure.com/sku-series" => size.series.into(),
        "karpenter.azure.com/sku-version" => size.version.to_string().into(),
        "karpenter.azure.com/sku-cpu" | "kubernetes.azure.com/sku-cpu" => size.vcpus.to_string().into(),
        // In MiB, nominal.
        "karpenter.azure.com/sku-memory" | "kubernetes.azure.com/sku-memory" => {
            (u64::from(size.memory_gib) * 1024).to_string().into()
        }
        "karpenter.azure.com/sku-storage-premium-capable" => size.premium?.to_string().into(),
        _ => return None,
    })
}
