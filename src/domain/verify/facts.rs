//! What checks look at, and the few questions that many of them ask.

use std::collections::{BTreeMap, BTreeSet};

use super::super::age::age;
use super::super::names::NodeName;
use super::super::shardset::manifests::{AVAILABILITY_ANNOTATION, PHASE_ANNOTATION};
use super::super::shardset::{All, Availability, Phase, ShardSet};
use super::super::snapshot::{Node, NodePool, Part, Pod, Service, Shard, Snapshot, Taint};
use super::{NotRun, Violation, not_applicable};

/// Where the live objects are not what the ShardSet file makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// An object that is not there.
    Missing {
        /// The object: `statefulset/biometric-shard`.
        object: String,
    },
    /// A field that is another.
    Field {
        object: String,
        /// The field: `spec.template.spec.priorityClassName`.
        path: String,
        /// What it is.
        live: String,
        /// What the file makes it.
        wanted: String,
    },
}

impl Drift {
    /// The object.
    #[must_use]
    pub fn object(&self) -> &str {
        match self {
            Self::Missing { object } | Self::Field { object, .. } => object,
        }
    }
}

/// What checks look at.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub snapshot: &'a Snapshot,
    /// The file that describes the service, when one was given.
    pub shardset: Option<&'a ShardSet>,
    /// The phase, when it was given.
    pub phase: Option<Phase>,
    /// Where live objects are not what the file makes them, when a file was given.
    pub drift: Option<Part<Vec<Drift>>>,
}

impl<'a> Facts<'a> {
    /// The facts of a snapshot alone.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, shardset: None, phase: None, drift: None }
    }

    /// The phase: as given, as annotated, or stable when the shards belong on a pool with one instance type.
    ///
    /// # Errors
    /// When the node pools would have to tell, and could not be read.
    pub fn phase(&self) -> Part<Option<Phase>> {
        if self.phase.is_some() {
            return Ok(self.phase);
        }
        match self.annotation(PHASE_ANNOTATION) {
            Some("stable") => return Ok(Some(Phase::Stable)),
            Some("explore") => return Ok(Some(Phase::Explore)),
            _ => {}
        }
        let is_pinned =
            self.snapshot.target_pools()?.iter().any(|pool| pool.pinned_instance_type().is_some());
        Ok(is_pinned.then_some(Phase::Stable))
    }

    /// How many shards must be up: by the file, by the annotation, or all.
    #[must_use]
    pub fn availability(&self) -> Availability {
        if let Some(shardset) = self.shardset {
            return shardset.spec.availability;
        }
        self.annotation(AVAILABILITY_ANNOTATION)
            .and_then(|text| text.parse().ok())
            .map_or(Availability::All(All::All), Availability::AtLeast)
    }

    /// How many shards may be down at a time.
    pub(super) fn spare(&self) -> u32 {
        let replicas = self.snapshot.workload.replicas;
        replicas.saturating_sub(self.availability().required(replicas))
    }

    /// An annotation of the workload.
    fn annotation(&self, key: &str) -> Option<&'a str> {
        self.snapshot.workload.annotations.get(key).map(String::as_str)
    }

    /// The workload, as violations name it.
    pub(super) fn workload(&self) -> String {
        self.snapshot.workload.reference.to_string()
    }

    /// How long ago a time was when the snapshot was taken.
    pub(super) fn age(&self, since: jiff::Timestamp) -> String {
        age(since, self.snapshot.taken_at)
    }

    /// The pods of the shards that there should be.
    pub(super) fn pods(&self) -> impl Iterator<Item = (&'a Shard, &'a Pod)> {
        self.snapshot.expected_shards().filter_map(|shard| Some((shard, shard.pod.as_ref()?)))
    }

    /// The nodes that carry a shard, each with the pods of the shards on it.
    pub(super) fn shard_nodes(&self) -> BTreeMap<&'a NodeName, Vec<&'a Shard>> {
        let mut nodes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (shard, pod) in self.pods() {
            if let Some(node) = &pod.node {
                nodes.entry(node).or_default().push(shard);
            }
        }
        nodes
    }

    /// All node pools; not applicable when there are none.
    pub(super) fn pools(&self) -> Result<&'a [NodePool], NotRun> {
        let pools = known(&self.snapshot.node_pools)?;
        if pools.is_empty() {
            return not_applicable("the cluster has no Karpenter node pools");
        }
        Ok(pools)
    }

    /// The pools that the shards belong on: the one that the file names for the phase, else every one
    /// that the template can be placed on.
    pub(super) fn intended_pools(&self) -> Result<Vec<&'a NodePool>, NotRun> {
        let pools = self.pools()?;
        let intended: Vec<&NodePool> = match (self.shardset, self.phase()?) {
            (Some(shardset), Some(phase)) => {
                let name = shardset.pool(phase).name.as_str();
                pools.iter().filter(|pool| pool.name.as_str() == name).collect()
            }
            _ => self.snapshot.target_pools()?,
        };
        if intended.is_empty() {
            return not_applicable("the shards belong on no node pool, see node-pool-exists");
        }
        Ok(intended)
    }

    /// The pools that the shards belong on, in phase stable; not applicable in any other.
    pub(super) fn stable_pools(&self) -> Result<Vec<&'a NodePool>, NotRun> {
        let pools = self.intended_pools()?;
        match self.phase()? {
            Some(Phase::Stable) => Ok(pools),
            Some(phase) => not_applicable(format!("asked of phase stable only, this is {phase}")),
            None => not_applicable("asked of phase stable only, and this service has no phase"),
        }
    }

    /// The pools that must leave the shards where they are: in phase stable, or when every shard must be up.
    pub(super) fn quiet_pools(&self) -> Result<Vec<&'a NodePool>, NotRun> {
        let pools = self.intended_pools()?;
        if self.phase()? != Some(Phase::Stable) && self.spare() > 0 {
            return not_applicable(format!(
                "{} shards may be down, and the PodDisruptionBudget paces what Karpenter does",
                self.spare()
            ));
        }
        Ok(pools)
    }

    /// Whether a selector of a budget or service chooses the shards.
    pub(super) fn is_selected_by(&self, selector: &BTreeMap<String, String>) -> bool {
        let labels = &self.snapshot.workload.template.labels;
        selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// The services that select the shards, headless or not.
    pub(super) fn services(&self, is_headless: bool) -> Result<Vec<&'a Service>, NotRun> {
        // A service without a selector has its endpoints from elsewhere and selects nothing.
        Ok(known(&self.snapshot.services)?
            .iter()
            .filter(|service| service.is_headless == is_headless && !service.selector.is_empty())
            .filter(|service| self.is_selected_by(&service.selector))
            .collect())
    }

    /// Why a pod of the template could not be placed on `node`; none when it could. Taints that say
    /// what state the node is in are left to the checks of that state.
    pub(super) fn misfit(&self, node: &Node) -> Option<String> {
        let template = &self.snapshot.workload.template;
        let is_lasting = |taint: &&Taint| {
            taint.effect != "PreferNoSchedule"
                && !taint.key.starts_with("node.kubernetes.io/")
                && !taint.key.starts_with("karpenter.sh/")
        };
        if let Some(taint) = node.taints.iter().filter(is_lasting).find(|taint| !template.tolerates(taint)) {
            return Some(format!(
                "its taint {}={}:{} is not tolerated",
                taint.key, taint.value, taint.effect
            ));
        }
        let terms = &template.node_terms;
        let mut refused = BTreeSet::new();
        for term in terms {
            let unmet = term.iter().find(|expression| !expression.matches(node.label(&expression.key)))?;
            refused.insert(format!(
                "{} must be {} [{}] and is {}",
                unmet.key,
                unmet.operator,
                unmet.values.join(", "),
                node.label(&unmet.key).unwrap_or("not set")
            ));
        }
        (!terms.is_empty()).then(|| refused.into_iter().collect::<Vec<_>>().join("; "))
    }
}

/// A part that was read.
pub(super) fn known<T>(part: &Part<T>) -> Result<&T, NotRun> {
    part.as_ref().map_err(NotRun::from)
}

/// A violation.
pub(super) fn violation(
    object: impl Into<String>,
    evidence: impl Into<String>,
    remedy: impl Into<String>,
) -> Violation {
    Violation { object: object.into(), evidence: evidence.into(), remedy: remedy.into() }
}

/// `items` joined for a sentence, the first few by name and the rest by number.
pub(super) fn few<T: ToString>(items: &[T]) -> String {
    const NAMED: usize = 3;
    let mut text: Vec<String> = items.iter().take(NAMED).map(ToString::to_string).collect();
    if items.len() > NAMED {
        text.push(format!("+ {} more", items.len() - NAMED));
    }
    text.join(", ")
}
