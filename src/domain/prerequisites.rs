//! What must hold before a ShardSet is applied, judged before anything is changed.

use std::collections::BTreeMap;

use super::catalogue;
use super::nap;
use super::quantity::{Quantity, Resources};
use super::shardset::{Phase, ShardSet};
use super::snapshot::{NodeClass, Part, StorageClass};

/// The oldest Kubernetes whose fields the rendered objects use (`preStop.sleep`).
const OLDEST_MINOR: u32 = 30;
const GIB: i64 = 1 << 30;

/// What was found out about the cluster.
#[derive(Clone, Debug)]
pub struct Facts {
    /// `v1.36.3`.
    pub server_version: Part<String>,
    /// Whether the API server knows Karpenter's NodePool.
    pub has_node_pools: Part<bool>,
    pub node_class: Part<NodeClass>,
    /// None when there is no such class.
    pub storage_class: Part<Option<StorageClass>>,
    /// Rights that are missing, as "patch statefulsets.apps in namespace shop".
    pub missing_rights: Part<Vec<String>>,
    pub quotas: Part<Vec<Quota>>,
    /// Shards that exist already, and so are counted in the quotas' use.
    pub existing_shards: u32,
}

/// A ResourceQuota of the namespace.
#[derive(Clone, Debug, Default)]
pub struct Quota {
    pub name: String,
    /// Whether pods of the shards' kind and priority are among those that it counts.
    pub scopes: Vec<QuotaScope>,
    pub hard: BTreeMap<String, Quantity>,
    pub used: BTreeMap<String, Quantity>,
}

/// Which pods a quota counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaScope {
    /// Pods of some priority classes; all that have one when none is named.
    PriorityClasses { names: Vec<String>, are_excluded: bool },
    /// Pods that have a deadline (`activeDeadlineSeconds`), or that have none; a shard has none.
    Deadline { has_one: bool },
    /// Pods that a shard never is: best-effort, or with affinity across namespaces.
    NeverShards,
    /// Pods that a shard always is: with requests.
    AlwaysShards,
}

impl Quota {
    /// Whether it counts pods of this priority class, with requests, that have a deadline or not.
    #[must_use]
    pub fn counts(&self, priority_class: Option<&str>, has_deadline: bool) -> bool {
        self.scopes.iter().all(|scope| match scope {
            QuotaScope::AlwaysShards => true,
            QuotaScope::NeverShards => false,
            QuotaScope::Deadline { has_one } => *has_one == has_deadline,
            QuotaScope::PriorityClasses { names, .. } if names.is_empty() => priority_class.is_some(),
            QuotaScope::PriorityClasses { names, are_excluded } => {
                names.iter().any(|name| Some(name.as_str()) == priority_class) != *are_excluded
            }
        })
    }
}

/// Something that stands in the way, or may later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Whether the deployment cannot work, as against: will work and deserves a look.
    pub is_fatal: bool,
    pub problem: String,
    pub remedy: String,
}

fn fatal(problem: impl Into<String>, remedy: impl Into<String>) -> Obstacle {
    Obstacle { is_fatal: true, problem: problem.into(), remedy: remedy.into() }
}

fn caution(problem: impl Into<String>, remedy: impl Into<String>) -> Obstacle {
    Obstacle { is_fatal: false, problem: problem.into(), remedy: remedy.into() }
}

/// Everything that stands in the way of applying `shardset` in `phase`, fatal ones first.
#[must_use]
pub fn obstacles(facts: &Facts, shardset: &ShardSet, phase: Phase) -> Vec<Obstacle> {
    let mut found = Vec::new();
    check_server(facts, &mut found);
    check_nodes(facts, shardset, &mut found);
    check_storage(facts, shardset, &mut found);
    check_rights(facts, &mut found);
    check_quotas(facts, shardset, &mut found);
    found.extend(limits(shardset, phase));
    found.sort_by_key(|obstacle| !obstacle.is_fatal);
    found
}

fn check_server(facts: &Facts, found: &mut Vec<Obstacle>) {
    match &facts.server_version {
        Ok(version) if minor(version).is_some_and(|minor| minor < OLDEST_MINOR) => found.push(fatal(
            format!("the API server is {version}; the objects need Kubernetes 1.{OLDEST_MINOR} or newer"),
            "upgrade the cluster",
        )),
        Ok(_) => {}
        Err(unknown) => found.push(fatal(unknown.to_string(), "check the connection to the cluster")),
    }
}

/// The 36 of `v1.36.3`.
fn minor(version: &str) -> Option<u32> {
    let digits = version.trim_start_matches('v').split('.').nth(1)?;
    digits.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

fn check_nodes(facts: &Facts, shardset: &ShardSet, found: &mut Vec<Obstacle>) {
    match &facts.has_node_pools {
        Ok(true) => {}
        Ok(false) => {
            found.push(fatal(
                "the cluster has no NodePool API (karpenter.sh/v1)",
                "enable Node Auto Provisioning, or install Karpenter",
            ));
            return;
        }
        Err(unknown) => found.push(caution(unknown.to_string(), "ask for the right to list node pools")),
    }
    let wanted = &shardset.spec.nodes.node_class_ref;
    let name = format!("{} {}", wanted.kind, wanted.name);
    match &facts.node_class {
        Ok(class) if !class.exists => found.push(fatal(
            format!("there is no node class {name} ({})", wanted.group),
            "correct spec.nodes.nodeClassRef, or create the node class",
        )),
        Ok(NodeClass { ready: Some((false, message)), .. }) => found.push(fatal(
            format!("node class {name} is not ready: {message}"),
            "see its conditions with `kubectl describe`",
        )),
        Ok(_) => {}
        Err(unknown) => found.push(caution(unknown.to_string(), "ask for the right to read node classes")),
    }
}

fn check_storage(facts: &Facts, shardset: &ShardSet, found: &mut Vec<Obstacle>) {
    let name = &shardset.spec.storage.storage_class_name;
    match &facts.storage_class {
        Ok(None) => found.push(fatal(
            format!("there is no storage class {name}"),
            "correct spec.storage.storageClassName; `kubectl get storageclass` lists them",
        )),
        Ok(Some(class)) => {
            if !class.waits_for_first_consumer {
                found.push(fatal(
                    format!("storage class {name} binds at once, in a zone that no node may be in"),
                    "use a class with volumeBindingMode WaitForFirstConsumer",
                ));
            }
            if class.reclaim_policy != "Retain" {
                found.push(caution(
                    format!(
                        "storage class {name} has reclaim policy {}: a deleted claim takes its data along",
                        class.reclaim_policy
                    ),
                    "use a class with reclaimPolicy Retain for data that cannot be made again",
                ));
            }
        }
        Err(unknown) => found.push(caution(unknown.to_string(), "ask for the right to read storage classes")),
    }
}

fn check_rights(facts: &Facts, found: &mut Vec<Obstacle>) {
    match &facts.missing_rights {
        Ok(missing) => {
            found.extend(missing.iter().map(|right| {
                fatal(format!("you may not {right}"), "ask for this right; nothing was changed")
            }));
        }
        Err(unknown) => {
            found.push(caution(unknown.to_string(), "the rights could not be checked beforehand"));
        }
    }
}

fn check_quotas(facts: &Facts, shardset: &ShardSet, found: &mut Vec<Obstacle>) {
    let quotas = match &facts.quotas {
        Ok(quotas) => quotas,
        Err(unknown) => {
            found.push(caution(unknown.to_string(), "quotas of the namespace could not be checked"));
            return;
        }
    };
    let spec = &shardset.spec;
    let missing = spec.replicas.saturating_sub(facts.existing_shards);
    let cpu = spec.shard.cpu * missing;
    let memory = spec.shard.memory * missing;
    let pods = Quantity::whole(i64::from(missing));
    let class = &spec.storage.storage_class_name;
    let storage = spec.storage.size * missing;
    let (class_storage, class_claims) = (
        format!("{class}.storageclass.storage.k8s.io/requests.storage"),
        format!("{class}.storageclass.storage.k8s.io/persistentvolumeclaims"),
    );
    let needs = [
        ("requests.cpu", cpu),
        ("cpu", cpu),
        ("limits.cpu", cpu),
        ("requests.memory", memory),
        ("memory", memory),
        ("limits.memory", memory),
        ("pods", pods),
        ("count/pods", pods),
        ("persistentvolumeclaims", pods),
        ("count/persistentvolumeclaims", pods),
        ("requests.storage", storage),
        (&class_storage, storage),
        (&class_claims, pods),
    ];
    for quota in quotas.iter().filter(|quota| quota.counts(Some(spec.priority.class_name.as_str()), false)) {
        for (resource, need) in needs {
            let Some(hard) = quota.hard.get(resource) else { continue };
            let used = quota.used.get(resource).copied().unwrap_or_default();
            let left = hard.saturating_sub(used);
            if need > left {
                found.push(fatal(
                    format!(
                        "quota {} leaves {left} of {resource} ({used} of {hard} used); {missing} shards need {need}",
                        quota.name
                    ),
                    "raise the quota, or make room in it",
                ));
            }
        }
    }
}

/// Whether the phase's pool may grow far enough for all shards, and for one node more.
fn limits(shardset: &ShardSet, phase: Phase) -> Option<Obstacle> {
    let pool = shardset.pool(phase);
    let limits = pool.limits?;
    let field = format!("spec.nodes.{phase}.limits");
    let shard = &shardset.spec.shard;
    let replicas = shardset.spec.replicas;
    let total = Resources { cpu: shard.cpu, memory: shard.memory } * replicas;
    let limit = Resources { cpu: limits.cpu, memory: limits.memory };
    if !limit.holds(total) {
        return Some(fatal(
            format!(
                "{field} (cpu {}, memory {}) is less than {replicas} shards ask for (cpu {}, memory {})",
                limit.cpu, limit.memory, total.cpu, total.memory
            ),
            "raise the limits",
        ));
    }
    let [instance_type] = pool.instance_types.as_slice() else { return None };
    let size = catalogue::size(instance_type)?;
    let per_node = shards_per_node(size, Resources { cpu: shard.cpu, memory: shard.memory });
    if per_node == 0 {
        return Some(fatal(
            format!(
                "no shard (cpu {}, memory {}) fits on {instance_type}, which offers {}",
                shard.cpu,
                shard.memory,
                offer(size)
            ),
            "choose a larger instance type, or smaller shards",
        ));
    }
    let needed = replicas.div_ceil(per_node);
    let allowed = nodes_within(size, limit);
    let arithmetic = format!(
        "{replicas} shards need {needed} {instance_type} ({per_node} per node, which offers {}); {field} (cpu {}, \
         memory {}) allows {allowed}",
        offer(size),
        limit.cpu,
        limit.memory
    );
    if allowed < needed {
        let fits = allowed * per_node;
        Some(fatal(
            format!("{arithmetic}: shard {} of {replicas} would stay Pending", fits + 1),
            format!(
                "raise the limits to cpu {}, memory {}Gi: {needed} nodes and one to replace one",
                (needed + 1) * size.vcpus,
                (needed + 1) * size.memory_gib
            ),
        ))
    } else if allowed == needed && phase == Phase::Stable {
        Some(caution(
            format!("{arithmetic}: no node can be replaced before it goes"),
            format!(
                "raise the limits to cpu {}, memory {}Gi for one node more",
                (needed + 1) * size.vcpus,
                (needed + 1) * size.memory_gib
            ),
        ))
    } else {
        None
    }
}

/// What a node of this size is planned to offer, DaemonSets not taken off.
fn offer(size: &catalogue::Size) -> String {
    let planned = nap::planned_allocatable(size);
    let mebibytes = planned.memory_bytes >> 20;
    format!(
        "cpu {}m and memory {}.{}Gi",
        planned.cpu_millicores,
        mebibytes / 1024,
        mebibytes % 1024 * 10 / 1024
    )
}

fn shards_per_node(size: &catalogue::Size, shard: Resources) -> u32 {
    let planned = nap::planned_allocatable(size);
    let bytes = i64::try_from(planned.memory_bytes).unwrap_or(i64::MAX);
    let milli = i64::try_from(planned.cpu_millicores).unwrap_or(i64::MAX);
    let by_cpu = Quantity::milli(milli).times(shard.cpu).unwrap_or(0);
    let by_memory = Quantity::bytes(bytes).times(shard.memory).unwrap_or(0);
    by_cpu.min(by_memory)
}

/// Karpenter makes no node whose capacity exceeds what the limit leaves.
fn nodes_within(size: &catalogue::Size, limit: Resources) -> u32 {
    let capacity_bytes = i64::from(size.memory_gib) * GIB / 1000 * 925;
    let by_cpu = limit.cpu.times(Quantity::whole(i64::from(size.vcpus))).unwrap_or(0);
    let by_memory = limit.memory.times(Quantity::bytes(capacity_bytes)).unwrap_or(0);
    by_cpu.min(by_memory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::{NodeClassRef, Unknown};
    use crate::domain::testing::quantity as quantity_of;

    fn facts() -> Facts {
        let reference = NodeClassRef::default();
        Facts {
            server_version: Ok("v1.36.3".to_owned()),
            has_node_pools: Ok(true),
            node_class: Ok(NodeClass {
                reference,
                exists: true,
                ready: Some((true, String::new())),
                max_pods: None,
                has_static_cpus: false,
            }),
            storage_class: Ok(Some(StorageClass {
                name: "managed-csi-premium".to_owned(),
                provisioner: "disk.csi.azure.com".to_owned(),
                waits_for_first_consumer: true,
                reclaim_policy: "Retain".to_owned(),
                parameters: BTreeMap::new(),
            })),
            missing_rights: Ok(Vec::new()),
            quotas: Ok(Vec::new()),
            existing_shards: 0,
        }
    }

    fn quota(resource: &str, hard: &str) -> Quota {
        Quota {
            name: "q".to_owned(),
            hard: BTreeMap::from([(resource.to_owned(), quantity_of(hard))]),
            ..Quota::default()
        }
    }

    fn said(facts: &Facts, shardset: &ShardSet) -> Vec<String> {
        obstacles(facts, shardset, Phase::Stable)
            .into_iter()
            .map(|obstacle| format!("{} {}", if obstacle.is_fatal { "!" } else { "?" }, obstacle.problem))
            .collect()
    }

    #[test]
    fn nothing_stands_in_the_way_of_the_tutorials_system_once_mended() {
        for phase in [Phase::Explore, Phase::Stable] {
            assert_eq!(obstacles(&facts(), &ShardSet::tutorial(), phase), []);
        }
    }

    #[test]
    fn the_tutorials_own_stable_pool_is_refused_with_the_arithmetic() {
        let mut shardset = ShardSet::tutorial();
        shardset.spec.nodes.stable.instance_types = vec!["Standard_E8s_v5".to_owned()];
        let limits = shardset.spec.nodes.stable.limits.as_mut().unwrap();
        limits.memory = quantity_of("320Gi");
        assert_eq!(
            said(&facts(), &shardset),
            ["! 10 shards need 10 Standard_E8s_v5 (1 per node, which offers cpu 7820m and memory 52.9Gi); \
              spec.nodes.stable.limits (cpu 80, memory 320Gi) allows 5: shard 6 of 10 would stay Pending"]
        );
        // 320Gi cannot even hold what the shards ask for when the tutorial's 40 CPUs are left.
        shardset.spec.nodes.stable.limits.as_mut().unwrap().cpu = quantity_of("39");
        assert!(said(&facts(), &shardset)[0].contains("less than 10 shards ask for"));
    }

    #[test]
    fn limits_without_room_for_one_more_node_deserve_a_look() {
        let mut shardset = ShardSet::tutorial();
        shardset.spec.nodes.stable.limits.as_mut().unwrap().cpu = quantity_of("64");
        let said = said(&facts(), &shardset);
        assert!(said[0].starts_with("? ") && said[0].contains("no node can be replaced"), "{said:?}");
    }

    #[test]
    fn a_machine_too_small_for_one_shard_is_refused() {
        let mut shardset = ShardSet::tutorial();
        shardset.spec.nodes.stable.instance_types = vec!["Standard_D8s_v5".to_owned()];
        assert!(
            said(&facts(), &shardset)[0].contains("no shard (cpu 4, memory 32Gi) fits on Standard_D8s_v5")
        );
    }

    type Break<'a> = (&'a str, &'a dyn Fn(&mut Facts));

    #[test]
    fn each_missing_prerequisite_is_named() {
        let unknown = |asked: &str| Unknown {
            asked: asked.to_owned(),
            answer: "forbidden".to_owned(),
            is_forbidden: true,
        };
        let broken: [Break<'_>; 11] = [
            ("! the API server is v1.29.9", &|facts| facts.server_version = Ok("v1.29.9".to_owned())),
            ("! the cluster has no NodePool API", &|facts| facts.has_node_pools = Ok(false)),
            ("? list node pools: forbidden", &|facts| facts.has_node_pools = Err(unknown("list node pools"))),
            ("! there is no node class AKSNodeClass default", &|facts| {
                facts.node_class.as_mut().unwrap().exists = false;
            }),
            ("! node class AKSNodeClass default is not ready: no subnet", &|facts| {
                facts.node_class.as_mut().unwrap().ready = Some((false, "no subnet".to_owned()));
            }),
            ("! there is no storage class managed-csi-premium", &|facts| facts.storage_class = Ok(None)),
            ("! storage class managed-csi-premium binds at once", &|facts| {
                facts.storage_class.as_mut().unwrap().as_mut().unwrap().waits_for_first_consumer = false;
            }),
            ("? storage class managed-csi-premium has reclaim policy Delete", &|facts| {
                facts.storage_class.as_mut().unwrap().as_mut().unwrap().reclaim_policy = "Delete".to_owned();
            }),
            ("! you may not patch nodepools", &|facts| {
                facts.missing_rights = Ok(vec!["patch nodepools".to_owned()]);
            }),
            ("! quota q leaves 100Gi of requests.memory (0 of 100Gi used); 10 shards need 320Gi", &|facts| {
                facts.quotas = Ok(vec![quota("requests.memory", "100Gi")]);
            }),
            (
                "! quota q leaves 2 of managed-csi-premium.storageclass.storage.k8s.io/persistentvolumeclaims",
                &|facts| {
                    facts.quotas = Ok(vec![quota(
                        "managed-csi-premium.storageclass.storage.k8s.io/persistentvolumeclaims",
                        "2",
                    )]);
                },
            ),
        ];
        for (expected, change) in broken {
            let mut facts = facts();
            change(&mut facts);
            let said = said(&facts, &ShardSet::tutorial());
            assert!(said.len() == 1 && said[0].starts_with(expected), "{expected}: {said:?}");
        }
    }

    #[test]
    fn a_quota_for_other_pods_is_not_in_the_way() {
        let classes = |name: &str, are_excluded| QuotaScope::PriorityClasses {
            names: vec![name.to_owned()],
            are_excluded,
        };
        for (scopes, counts) in [
            (vec![], true),
            (vec![QuotaScope::AlwaysShards], true),
            (vec![QuotaScope::Deadline { has_one: false }], true),
            (vec![QuotaScope::Deadline { has_one: true }], false),
            (vec![QuotaScope::AlwaysShards, QuotaScope::NeverShards], false),
            (vec![classes("biometric-critical", false)], true),
            (vec![classes("biometric-critical", true)], false),
            (vec![classes("batch", false)], false),
            (vec![classes("batch", true)], true),
        ] {
            let mut facts = facts();
            facts.quotas = Ok(vec![Quota { scopes: scopes.clone(), ..quota("pods", "0") }]);
            assert_eq!(said(&facts, &ShardSet::tutorial()).len(), usize::from(counts), "{scopes:?}");
        }
    }

    #[test]
    fn shards_that_exist_already_need_no_more_quota() {
        let mut facts = facts();
        facts.existing_shards = 10;
        facts.quotas = Ok(vec![Quota {
            used: BTreeMap::from([("pods".to_owned(), quantity_of("10"))]),
            ..quota("pods", "10")
        }]);
        assert_eq!(said(&facts, &ShardSet::tutorial()), Vec::<String>::new());
    }
}
