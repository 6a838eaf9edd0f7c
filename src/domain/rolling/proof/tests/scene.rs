//! Services on the move, to be changed one thing at a time.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::names::{NodeName, NodePoolName, VolumeName};
use crate::domain::prerequisites::Quota;
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::rolling::proof::{Proof, Refusal, Request, Terrain, prove};
use crate::domain::snapshot::*;
use crate::domain::testing::{healthy, labels, quantity, resources};

/// All that a proof takes.
pub(in super::super) struct Scene {
    pub snapshot: Snapshot,
    pub terrain: Terrain,
    pub template: PodTemplate,
    pub waves: Vec<Vec<u32>>,
    pub target: Option<NodePoolName>,
    pub avoid: BTreeSet<NodeName>,
    pub makes_room_first: bool,
}

impl Scene {
    /// All shards of a snapshot, one by one, with the template that they have.
    pub fn of(snapshot: Snapshot) -> Self {
        Self {
            terrain: Terrain {
                daemon_sets: Ok(vec![daemon_set("csi-azuredisk", "500m", "800Mi")]),
                attach_limits: Ok(BTreeMap::new()),
                quotas: Ok(Vec::new()),
                pool_nodes: Ok(()),
            },
            template: snapshot.workload.template.clone(),
            waves: snapshot.shards.iter().map(|shard| vec![shard.ordinal]).collect(),
            target: None,
            avoid: BTreeSet::new(),
            makes_room_first: false,
            snapshot,
        }
    }

    pub fn prove(&mut self) -> Result<Proof, Refusal> {
        prove(
            &self.snapshot,
            &self.terrain,
            &Request {
                template: &self.template,
                waves: &self.waves,
                target_pool: self.target.as_ref(),
                avoid_nodes: &self.avoid,
                makes_room_first: self.makes_room_first,
            },
        )
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn pool(&mut self, name: &str) -> &mut NodePool {
        let pools = self.snapshot.node_pools.as_mut().unwrap();
        pools.iter_mut().find(|pool| pool.name.as_str() == name).unwrap()
    }

    pub fn node(&mut self, name: &str) -> &mut Node {
        self.snapshot.nodes.as_mut().unwrap().get_mut(&NodeName::new(name)).unwrap()
    }

    /// A node of the stable pool with nothing on it.
    pub fn add_node(&mut self, name: &str) -> &mut Node {
        let nodes = self.snapshot.nodes.as_mut().unwrap();
        nodes.insert(NodeName::new(name), crate::domain::testing::node(name));
        self.node(name)
    }

    pub fn add_pod(&mut self, node: &str, cpu: &str, memory: &str, claims: u32) {
        let occupants = self.snapshot.occupants.as_mut().unwrap();
        occupants.entry(NodeName::new(node)).or_default().push(Occupant {
            namespace: "tools".to_owned(),
            name: crate::domain::names::PodName::new("tool"),
            requests: resources(cpu, memory),
            is_daemon: false,
            ordinal: None,
            stateful_set: None,
            claims,
        });
    }

    /// The zone of a shard's volume.
    pub fn volume_in(&mut self, ordinal: u32, zones: &[&str]) {
        let volumes = self.snapshot.volumes.as_mut().unwrap();
        let volume = volumes.get_mut(&VolumeName::new(format!("pvc-{ordinal}"))).unwrap();
        volume.node_terms = match zones {
            [] => Vec::new(),
            zones => vec![vec![expression("topology.kubernetes.io/zone", "In", zones)]],
        };
    }

    /// Only these shards are moved, one by one.
    pub fn only(&mut self, ordinals: &[u32]) {
        self.waves = ordinals.iter().map(|ordinal| vec![*ordinal]).collect();
    }
}

impl Proof {
    /// Where each shard goes and what is doubted, in one line.
    pub(super) fn text(&self) -> String {
        let mut runs: Vec<(String, Vec<u32>)> = Vec::new();
        for step in &self.steps {
            let place = step.destination.to_string();
            match runs.iter_mut().find(|(known, _)| *known == place) {
                Some((_, ordinals)) => ordinals.push(step.ordinal),
                None => runs.push((place, vec![step.ordinal])),
            }
        }
        let runs = runs.iter().map(|(place, ordinals)| format!("{ordinals:?} {place}"));
        let doubts = self.doubts.iter().map(|doubt| format!("doubt: {doubt}"));
        runs.chain(doubts).collect::<Vec<_>>().join("; ")
    }
}

pub(in super::super) fn expression(key: &str, operator: &str, values: &[&str]) -> NodeExpression {
    NodeExpression {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: values.iter().map(ToString::to_string).collect(),
    }
}

pub(in super::super) fn daemon_set(name: &str, cpu: &str, memory: &str) -> DaemonSet {
    DaemonSet {
        namespace: "kube-system".to_owned(),
        name: name.to_owned(),
        requests: resources(cpu, memory),
        tolerations: vec![Toleration { operator: "Exists".to_owned(), ..Toleration::default() }],
        node_terms: Vec::new(),
    }
}

pub(super) fn unknown(what: &str) -> Unknown {
    Unknown { asked: format!("list {what}"), answer: "forbidden".to_owned(), is_forbidden: true }
}

/// A quota: for each resource what is allowed, and what is used.
pub(super) fn quota(name: &str, resources: &[(&str, &str, &str)]) -> Quota {
    let all = |of: fn(&(&str, &str, &str)) -> Quantity| {
        resources.iter().map(|one| (one.0.to_owned(), of(one))).collect()
    };
    Quota {
        name: name.to_owned(),
        scopes: Vec::new(),
        hard: all(|one| quantity(one.1)),
        used: all(|one| quantity(one.2)),
    }
}

pub(super) fn spread(key: &str, max_skew: i32, when: &str) -> SpreadConstraint {
    SpreadConstraint {
        topology_key: key.to_owned(),
        max_skew,
        when_unsatisfiable: when.to_owned(),
        selects_own: true,
        has_options: false,
    }
}

pub(super) fn apart(key: &str) -> AntiAffinity {
    AntiAffinity { topology_key: key.to_owned(), selects_own: true }
}

/// Ten shards on four machines of the explore pool, which are to go to the stable pool, which has no node yet and
/// these limits.
pub(super) fn migration(limits: &[(&str, &str)]) -> Scene {
    let mut snapshot = healthy();
    let old = |name: &NodeName| NodeName::new(name.as_str().replace("stable", "explore"));
    let nodes = std::mem::take(snapshot.nodes.as_mut().unwrap());
    snapshot.nodes = Ok(nodes
        .into_values()
        .map(|mut node| {
            node.name = old(&node.name);
            node.taints.clear();
            node.labels.insert(NODE_POOL_LABEL.to_owned(), "biometric-explore".to_owned());
            (node.name.clone(), node)
        })
        .collect());
    let occupants = std::mem::take(snapshot.occupants.as_mut().unwrap());
    snapshot.occupants = Ok(occupants.into_iter().map(|(name, pods)| (old(&name), pods)).collect());
    for pod in snapshot.shards.iter_mut().filter_map(|shard| shard.pod.as_mut()) {
        pod.node = pod.node.as_ref().map(old);
    }
    let stable = &mut snapshot.node_pools.as_mut().unwrap()[0];
    let mut explore = stable.clone();
    explore.name = NodePoolName::new("biometric-explore");
    explore.taints.clear();
    explore.limits.clear();
    stable.usage.clear();
    stable.limits = amounts(limits);
    snapshot.node_pools.as_mut().unwrap().insert(0, explore);
    let mut scene = Scene::of(snapshot);
    scene.target = Some(NodePoolName::new("biometric-stable"));
    scene
}

fn amounts(of: &[(&str, &str)]) -> BTreeMap<String, Quantity> {
    of.iter().map(|(resource, amount)| ((*resource).to_owned(), quantity(amount))).collect()
}

/// The stable pool as the tutorial has it: family E with 8 cores and 64Gi, 80 CPU and 320Gi in all.
pub(super) fn tutorial_pool() -> NodePool {
    let mut pool = healthy().node_pools.unwrap().remove(0);
    pool.requirements = vec![
        expression("kubernetes.io/arch", "In", &["amd64"]),
        expression("kubernetes.io/os", "In", &["linux"]),
        expression("karpenter.sh/capacity-type", "In", &["on-demand"]),
        expression("karpenter.azure.com/sku-family", "In", &["E"]),
        expression("karpenter.azure.com/sku-cpu", "In", &["8"]),
        expression("karpenter.azure.com/sku-memory", "In", &["65536"]),
    ];
    pool.limits = amounts(&[("cpu", "80"), ("memory", "320Gi")]);
    pool.usage.clear();
    pool.labels = labels(&[("nodepool", "biometric-stable")]);
    pool
}

/// What every shard requests, of the pods that are there and of those to come.
pub(super) fn request(scene: &mut Scene, requests: Resources) {
    scene.template.requests = requests;
}
