//! One thing changed at a time, and how the proof ends then.
//!
//! A node of the stable pool offers 15740m and 113609Mi, a daemon takes 500m and 800Mi, a shard 4 CPU and 32Gi (32768Mi).
//! Three shards leave 3240m and 14505Mi (14.1Gi); one leaves 11240m and 80041Mi (78.1Gi); an empty node has 15240m and
//! 112809Mi (110.1Gi). The pool's limits leave 16 CPU and 166.4Gi: one more machine.

use std::collections::BTreeMap;

use super::scene::*;
use super::*;
use crate::domain::snapshot::{NODE_POOL_LABEL, NodeClass, Taint};

type Case = (&'static str, fn() -> Scene, &'static str);

/// The tutorial's service as it is, upgraded in place.
fn upgrade() -> Scene {
    Scene::of(healthy())
}

/// The same where the pool makes no other machine.
fn upgrade_at_limit() -> Scene {
    let mut scene = upgrade();
    scene.pool("biometric-stable").limits.insert("cpu".to_owned(), quantity("64"));
    scene
}

/// One node emptied: stable-3 with shard 9, or stable-0 with shards 0 to 2.
fn drain(node: &str, shards: &[u32]) -> Scene {
    let mut scene = upgrade();
    scene.node(node).is_cordoned = true;
    scene.avoid.insert(NodeName::new(node));
    scene.only(shards);
    scene
}

/// Ten shards to a stable pool of these instance types.
fn migration_to(types: &[&str], limits: &[(&str, &str)]) -> Scene {
    let mut scene = migration(limits);
    scene.pool("biometric-stable").requirements[0].values = types.iter().map(ToString::to_string).collect();
    scene
}

/// Pool biometric-stable, changed.
fn pool(change: fn(&mut crate::domain::snapshot::NodePool)) -> Scene {
    migration(&[]).with(|scene| change(scene.pool("biometric-stable")))
}

fn condition(name: &str) -> Scene {
    let mut scene = migration(&[]);
    let conditions = &mut scene.pool("biometric-stable").conditions;
    conditions.insert(name.to_owned(), (false, "no subnet".to_owned()));
    scene
}

fn class(change: fn(&mut NodeClass)) -> Scene {
    let mut scene = migration(&[]);
    scene.snapshot.node_classes.as_mut().unwrap().values_mut().for_each(change);
    scene
}

/// Shards 0 and 1, each to a node of its own that has room for one: new-a in zone 1 and new-b in zone 2.
fn two_zones() -> Scene {
    let mut scene = upgrade_at_limit();
    scene.only(&[0, 1]);
    for (node, zone) in [("new-a", "eastus-1"), ("new-b", "eastus-2")] {
        scene.add_node(node).labels.insert("topology.kubernetes.io/zone".to_owned(), zone.to_owned());
        scene.add_pod(node, "8", "48Gi", 0);
    }
    scene.avoid.insert(NodeName::new("stable-0"));
    scene.avoid.insert(NodeName::new("stable-3"));
    scene
}

const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";
const ALL: u32 = 10;

pub(super) const CASES: &[Case] = &[
    // Nodes that are there.
    (
        "40Gi for 32Gi, and a machine more",
        || upgrade().with(|s| request(s, resources("4", "40Gi"))),
        "[0, 2] back on node stable-0; [1] node stable-3; [3, 5] back on node stable-1; [4, 7] new node \
         1, a Standard_E16s_v5; [6, 8] back on node stable-2; [9] back on node stable-3",
    ),
    (
        "40Gi for 32Gi, and no machine more",
        || upgrade_at_limit().with(|s| request(s, resources("4", "40Gi"))),
        "step 5 of 10: biometric-shard-4 needs 4 CPU and 40Gi of memory in eastus-1; none of 4 nodes \
         takes it: stable-3 has 7.24 CPU and 38.1Gi of memory left; nodepool/biometric-stable has limit \
         cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "40Gi for 32Gi in one wave",
        || {
            upgrade().with(|s| {
                request(s, resources("4", "40Gi"));
                s.waves = vec![(0..ALL).collect()];
            })
        },
        "[0, 1] back on node stable-0; [2] node stable-1; [3] back on node stable-1; [4, 5] node \
         stable-2; [6, 7] node stable-3; [8, 9] new node 1, a Standard_E16s_v5",
    ),
    (
        "a cordoned node",
        || {
            upgrade_at_limit().with(|s| {
                s.node("stable-3").is_cordoned = true;
                s.only(&[9]);
            })
        },
        "step 1 of 1: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; none of 3 nodes takes \
         it: stable-2 has 3.24 CPU and 14.1Gi of memory left; nodes that take no shard: 1 cordoned; \
         nodepool/biometric-stable has limit cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "a node that is not ready, one that goes, one with a strange taint, one that is not selected",
        || {
            upgrade_at_limit().with(|s| {
                s.only(&[9]);
                s.node("stable-0").is_ready = false;
                s.node("stable-1").deleted_at = Some(s.snapshot.taken_at);
                s.node("stable-2").taints.push(Taint {
                    key: "maintenance".to_owned(),
                    value: String::new(),
                    effect: "NoExecute".to_owned(),
                });
                s.node("stable-3").labels.insert(NODE_POOL_LABEL.to_owned(), "other".to_owned());
            })
        },
        "step 1 of 1: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; nodes that take no \
         shard: 1 deleting, 1 not ready, 1 not selected, 1 taint maintenance:NoExecute; \
         nodepool/biometric-stable has limit cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "a node that runs as many pods as it may",
        || {
            upgrade_at_limit().with(|s| {
                s.only(&[0]);
                s.avoid.insert(NodeName::new("stable-0"));
                s.node("stable-3").allocatable_pods = 2;
            })
        },
        "step 1 of 1: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; none of 3 nodes takes \
         it: stable-3 runs as many pods as it may; nodes that take no shard: 1 being emptied; \
         nodepool/biometric-stable has limit cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "a node that another pod fills",
        || {
            drain("stable-0", &[0]).with(|s| {
                s.add_pod("stable-3", "0", "46.2Gi", 0);
                s.pool("biometric-stable").limits.insert("cpu".to_owned(), quantity("64"));
            })
        },
        "step 1 of 1: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; none of 3 nodes takes \
         it: stable-3 has 11.24 CPU and 31.9Gi of memory left; nodes that take no shard: 1 being emptied; \
         nodepool/biometric-stable has limit cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    ("a node drained to one that has room", || drain("stable-0", &[0, 1]), "[0, 1] node stable-3"),
    (
        "a node drained to a new machine",
        || drain("stable-0", &[0, 1, 2]).with(|s| s.makes_room_first = true),
        "[0, 1] node stable-3; [2] new node 1, a Standard_E16s_v5",
    ),
    (
        "a drain with one place too few",
        || {
            drain("stable-0", &[0, 1, 2]).with(|s| {
                s.pool("biometric-stable").limits.insert("cpu".to_owned(), quantity("64"));
            })
        },
        "step 3 of 3: biometric-shard-2 needs 4 CPU and 32Gi of memory in eastus-1; none of 3 nodes takes \
         it: stable-3 has 3.24 CPU and 14.1Gi of memory left; nodes that take no shard: 1 being emptied; \
         nodepool/biometric-stable has limit cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "room that shards leave is there for those that come after them",
        || {
            upgrade_at_limit().with(|s| {
                // Shard 9 cannot go back to stable-3; shards 0 to 2 go down with it and come back.
                s.avoid.insert(NodeName::new("stable-3"));
                s.waves = vec![vec![9, 0]];
            })
        },
        "step 2 of 2: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; none of 3 nodes takes \
         it: stable-2 has 3.24 CPU and 14.1Gi of memory left; nodes that take no shard: 1 being emptied; \
         nodepool/biometric-stable has limit cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "room that shards leave does not count when room is made first",
        || {
            upgrade_at_limit().with(|s| {
                s.waves = vec![vec![0], vec![1], vec![2]];
                s.makes_room_first = true;
            })
        },
        "step 3 of 3: biometric-shard-2 needs 4 CPU and 32Gi of memory in eastus-1; none of 4 nodes takes \
         it: stable-3 has 3.24 CPU and 14.1Gi of memory left; nodepool/biometric-stable has limit cpu 64 \
         and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "no room on the nodes of a template that may go to others",
        || {
            drain("stable-0", &[0, 1, 2]).with(|s| {
                s.template.node_terms.clear();
                s.snapshot.node_pools = Ok(Vec::new());
            })
        },
        "[0, 1] node stable-3; [2] not proved; doubt: the template names no node pool, so there may be room on \
         nodes that carry no shard; those were not looked at",
    ),
    // Volumes.
    (
        "a shard that may go anywhere leaves its place to one that may not",
        || {
            two_zones().with(|s| {
                s.volume_in(0, &["eastus-1", "eastus-2"]);
                s.volume_in(1, &["eastus-1"]);
            })
        },
        "[0] node new-b; [1] node new-a",
    ),
    (
        "two shards of one zone and one place",
        two_zones,
        "step 2 of 2: biometric-shard-1 needs 4 CPU and 32Gi of memory in eastus-1; none of 3 nodes takes \
         it: new-a has 3.74 CPU and 30.9Gi of memory left; nodes that take no shard: 2 being emptied; \
         nodepool/biometric-stable has limit cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "a pool without nodes in the volumes' zone",
        || pool(|pool| pool.requirements.push(expression(ZONE, "In", &["eastus-2", "eastus-3"]))),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable makes nodes in eastus-2, eastus-3 only",
    ),
    (
        "volumes in two zones, and a machine in each",
        || {
            migration(&[("nodes", "4")]).with(|s| {
                for ordinal in 0..5 {
                    s.volume_in(ordinal, &["eastus-2"]);
                }
            })
        },
        "[0, 1, 2] new node 1, a Standard_E16s_v5; [3, 4] new node 2, a Standard_E16s_v5; [5, 6, 7] new \
         node 3, a Standard_E16s_v5; [8, 9] new node 4, a Standard_E16s_v5",
    ),
    (
        "volumes in three zones, and one machine too few",
        || {
            migration(&[("nodes", "4")]).with(|s| {
                for ordinal in 0..4 {
                    s.volume_in(ordinal, &["eastus-2"]);
                }
                s.volume_in(9, &["eastus-3"]);
            })
        },
        "step 10 of 10: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-3; \
         nodepool/biometric-stable has limit nodes 4 and 0 left, and a Standard_E16s_v5 takes 1",
    ),
    (
        "disks of the CSI driver's own zone label",
        || {
            pool(|pool| pool.requirements.push(expression(ZONE, "In", &["eastus-2"]))).with(|s| {
                for volume in s.snapshot.volumes.as_mut().unwrap().values_mut() {
                    volume.node_terms =
                        vec![vec![expression("topology.disk.csi.azure.com/zone", "In", &["eastus-2", ""])]];
                }
            })
        },
        "[0, 1, 2] new node 1, a Standard_E16s_v5; [3, 4, 5] new node 2, a Standard_E16s_v5; [6, 7, 8] \
         new node 3, a Standard_E16s_v5; [9] new node 4, a Standard_E16s_v5",
    ),
    (
        "a node that attaches as many disks as it can",
        || {
            drain("stable-3", &[9]).with(|s| {
                s.pool("biometric-stable").limits.insert("cpu".to_owned(), quantity("64"));
                s.add_node("stable-4");
                s.add_pod("stable-4", "1", "1Gi", 2);
                let limits = BTreeMap::from([("disk.csi.azure.com".to_owned(), 2)]);
                s.terrain.attach_limits = Ok(BTreeMap::from([(NodeName::new("stable-4"), limits)]));
            })
        },
        "step 1 of 1: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; none of 4 nodes takes \
         it: stable-4 attaches as many disks as it can; nodes that take no shard: 1 being emptied; \
         nodepool/biometric-stable has limit cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "machines that attach two disks each",
        || {
            migration(&[]).with(|s| {
                let limits = BTreeMap::from([("disk.csi.azure.com".to_owned(), 2)]);
                let all = s.snapshot.nodes.as_ref().unwrap().keys();
                s.terrain.attach_limits = Ok(all.map(|node| (node.clone(), limits.clone())).collect());
            })
        },
        "[0, 1] new node 1, a Standard_E16s_v5; [2, 3] new node 2, a Standard_E16s_v5; [4, 5] new node 3, \
         a Standard_E16s_v5; [6, 7] new node 4, a Standard_E16s_v5; [8, 9] new node 5, a Standard_E16s_v5",
    ),
    (
        "a shard with more disks than a machine attaches",
        || {
            migration_to(&["Standard_E8s_v5"], &[]).with(|s| {
                let template = s.snapshot.workload.claim_templates[0].clone();
                s.snapshot.workload.claim_templates = vec![template; 17];
            })
        },
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable makes Standard_E8s_v5, which attaches 16 disks, and a shard has 17",
    ),
    (
        "premium disks on machines that take none",
        || migration_to(&["Standard_E16_v5"], &[]),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable makes Standard_E16_v5, which takes no premium disk, and the shard has \
         one",
    ),
    (
        "plain disks on the same machines",
        || {
            migration_to(&["Standard_E16_v5"], &[]).with(|s| {
                for class in s.snapshot.storage_classes.as_mut().unwrap().values_mut() {
                    class.parameters.clear();
                }
            })
        },
        "[0, 1, 2] new node 1, a Standard_E16_v5; [3, 4, 5] new node 2, a Standard_E16_v5; [6, 7, 8] new \
         node 3, a Standard_E16_v5; [9] new node 4, a Standard_E16_v5",
    ),
    // Machines.
    (
        "one machine less than needed by CPU",
        || migration(&[("cpu", "63")]),
        "step 10 of 10: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable has limit cpu 63 and 15 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "one machine less than needed by memory",
        || migration(&[("memory", "473Gi")]),
        "step 10 of 10: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable has limit memory 473Gi and 117.8Gi left, and a Standard_E16s_v5 takes \
         118.4Gi",
    ),
    (
        "one machine less than needed by number",
        || migration(&[("nodes", "3")]),
        "step 10 of 10: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable has limit nodes 3 and 0 left, and a Standard_E16s_v5 takes 1",
    ),
    (
        "machines of the pool that are there count against its limits",
        || migration(&[("nodes", "4")]).with(|s| s.add_node("stable-9").is_ready = false),
        "step 10 of 10: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; nodes that take no \
         shard: 1 not ready; nodepool/biometric-stable has limit nodes 4 and 0 left, and a \
         Standard_E16s_v5 takes 1",
    ),
    (
        "machines that nobody shows count as the pool says",
        || {
            pool(|pool| {
                pool.limits.insert("cpu".to_owned(), quantity("64"));
                pool.usage.insert("cpu".to_owned(), quantity("16"));
            })
        },
        "step 10 of 10: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable has limit cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "live machines are larger than planned and count so against the limit",
        // 125.4Gi each: three leave 97.9Gi, and a fourth is planned with 118.4Gi.
        || {
            migration(&[("memory", "474Gi")]).with(|s| {
                for node in s.snapshot.nodes.as_mut().unwrap().values_mut() {
                    node.capacity.memory = quantity("125.36Gi");
                }
            })
        },
        "step 10 of 10: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable has limit memory 474Gi and 97.9Gi left, and a Standard_E16s_v5 takes \
         118.4Gi",
    ),
    (
        "a machine that holds no shard",
        || migration_to(&["Standard_D8s_v5"], &[]),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable makes nothing larger than Standard_D8s_v5, which leaves 7.82 CPU and \
         25.3Gi of memory for shards",
    ),
    (
        "daemons that leave too little",
        || {
            migration_to(&["Standard_E8s_v5"], &[])
                .with(|s| s.terrain.daemon_sets.as_mut().unwrap().push(daemon_set("agent", "3500m", "1Gi")))
        },
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable makes nothing larger than Standard_E8s_v5, which leaves 3.82 CPU and \
         51.2Gi of memory for shards",
    ),
    (
        "daemons that do not run there",
        || {
            migration_to(&["Standard_E8s_v5"], &[]).with(|s| {
                let mut taint = daemon_set("agent", "3500m", "1Gi");
                taint.tolerations.clear();
                let mut selector = daemon_set("agent", "3500m", "1Gi");
                selector.node_terms = vec![vec![expression(NODE_POOL_LABEL, "NotIn", &["biometric-stable"])]];
                s.terrain.daemon_sets.as_mut().unwrap().extend([taint, selector]);
            })
        },
        "[0] new node 1, a Standard_E8s_v5; [1] new node 2, a Standard_E8s_v5; [2] new node 3, a \
         Standard_E8s_v5; [3] new node 4, a Standard_E8s_v5; [4] new node 5, a Standard_E8s_v5; [5] new \
         node 6, a Standard_E8s_v5; [6] new node 7, a Standard_E8s_v5; [7] new node 8, a Standard_E8s_v5; \
         [8] new node 9, a Standard_E8s_v5; [9] new node 10, a Standard_E8s_v5",
    ),
    (
        "daemons of the platform that might run there",
        || {
            migration_to(&["Standard_E8s_v5"], &[]).with(|s| {
                let mut platform = daemon_set("agent", "3500m", "1Gi");
                platform.node_terms = vec![vec![expression("kubernetes.azure.com/cluster", "Exists", &[])]];
                s.terrain.daemon_sets.as_mut().unwrap().push(platform);
            })
        },
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable makes nothing larger than Standard_E8s_v5, which leaves 3.82 CPU and \
         51.2Gi of memory for shards",
    ),
    (
        "seven on a machine that is planned for six, as a live one shows",
        || {
            migration_to(&["Standard_E32s_v5"], &[("nodes", "1")]).with(|s| {
                s.only(&[0, 1, 2, 3, 4, 5, 6]);
                let large = s.node("explore-3");
                large
                    .labels
                    .insert("node.kubernetes.io/instance-type".to_owned(), "Standard_E32s_v5".to_owned());
                large.allocatable = resources("31580m", "245Gi");
            })
        },
        "[0, 1, 2, 3, 4, 5, 6] new node 1, a Standard_E32s_v5",
    ),
    (
        "six on a machine that is planned for six, where none shows more",
        || migration_to(&["Standard_E32s_v5"], &[("nodes", "1")]).with(|s| s.only(&[0, 1, 2, 3, 4, 5, 6])),
        "step 7 of 7: biometric-shard-6 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable has limit nodes 1 and 0 left, and a Standard_E32s_v5 takes 1",
    ),
    (
        "seven at once are planned on two machines where there may be two",
        || {
            migration_to(&["Standard_E32s_v5"], &[("nodes", "2")]).with(|s| {
                s.only(&[0, 1, 2, 3, 4, 5, 6]);
                s.makes_room_first = true;
                let large = s.node("explore-3");
                large
                    .labels
                    .insert("node.kubernetes.io/instance-type".to_owned(), "Standard_E32s_v5".to_owned());
                large.allocatable = resources("31580m", "245Gi");
            })
        },
        "[0, 1, 2, 3, 4, 5] new node 1, a Standard_E32s_v5; [6] new node 2, a Standard_E32s_v5",
    ),
    (
        "as few pods on a machine as its class says",
        || {
            migration_to(&["Standard_E20s_v5"], &[]).with(|s| {
                for class in s.snapshot.node_classes.as_mut().unwrap().values_mut() {
                    class.max_pods = Some(3);
                }
            })
        },
        "[0, 1] new node 1, a Standard_E20s_v5; [2, 3] new node 2, a Standard_E20s_v5; [4, 5] new node 3, \
         a Standard_E20s_v5; [6, 7] new node 4, a Standard_E20s_v5; [8, 9] new node 5, a Standard_E20s_v5",
    ),
    (
        "many pods on a machine of which nobody says how many",
        || {
            migration_to(&["Standard_E48s_v5"], &[]).with(|s| {
                let sets = (0..30).map(|index| daemon_set(&format!("agent-{index}"), "1m", "1Mi"));
                s.terrain.daemon_sets = Ok(sets.collect());
            })
        },
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] new node 1, a Standard_E48s_v5; doubt: a new node of \
         nodepool/biometric-stable is taken to run 250 pods; its node class does not say how many",
    ),
    (
        "a type that nothing is known of",
        || migration_to(&["Standard_E999s_v9"], &[("memory", "320Gi")]),
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] a new node of nodepool/biometric-stable; doubt: \
         nodepool/biometric-stable makes Standard_E999s_v9, which the catalogue does not have and no node \
         shows: whether it holds a shard, and how many, is not known",
    ),
    (
        "a type that nothing is known of, and limits that no machine could keep",
        || migration_to(&["Standard_E999s_v9"], &[("memory", "319Gi")]),
        "step 10 of 10: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable has limit memory 319Gi and 31Gi left, and a node for it takes at least \
         32Gi",
    ),
    (
        "a provider whose machines are not known",
        || {
            pool(|pool| {
                pool.node_class.group = "karpenter.k8s.aws".to_owned();
                pool.requirements = vec![expression("karpenter.k8s.aws/instance-category", "In", &["r"])];
            })
        },
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] a new node of nodepool/biometric-stable; doubt: \
         nodepool/biometric-stable names no instance type and is not of a provider whose types are known \
         here: whether its machines hold a shard, and how many, is not known",
    ),
    (
        "Karpenter may choose",
        || {
            pool(|pool| {
                pool.requirements = vec![
                    expression("karpenter.azure.com/sku-family", "In", &["E"]),
                    expression("karpenter.azure.com/sku-version", "Gte", &["5"]),
                    expression("karpenter.azure.com/sku-cpu", "Gt", &["8"]),
                    expression("karpenter.azure.com/sku-cpu", "Lt", &["20"]),
                    expression("kubernetes.io/arch", "NotIn", &["arm64"]),
                    expression("karpenter.azure.com/sku-gpu-count", "Lt", &["1"]),
                    expression("karpenter.sh/capacity-type", "In", &["on-demand"]),
                    expression(ZONE, "NotIn", &["eastus-2"]),
                ];
            })
        },
        "[0, 1, 2] new node 1, a Standard_E16as_v5; [3, 4, 5] new node 2, a Standard_E16as_v5; [6, 7, 8] \
         new node 3, a Standard_E16as_v5; [9] new node 4, a Standard_E16as_v5; doubt: \
         nodepool/biometric-stable requires karpenter.azure.com/sku-gpu-count, which is not known of any \
         machine; it was passed over; doubt: nodepool/biometric-stable may make a Standard_E16_v5, which \
         takes no premium disk: require karpenter.azure.com/sku-storage-premium-capable In [true]",
    ),
    (
        "it works only with a choice that Karpenter would not make",
        // Six of the small ones use up the limit; one large one holds all.
        || migration_to(&["Standard_E8s_v5", "Standard_E48s_v5"], &[("cpu", "48")]),
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] new node 1, a Standard_E48s_v5; doubt: nodepool/biometric-stable \
         is not pinned to one instance type: the plan counts on Standard_E48s_v5, and Karpenter may make \
         one of 1 others; doubt: it works only if Karpenter makes Standard_E48s_v5; if it makes the \
         cheapest machine for each shard that waits, the limits are used up before step 7: pin the \
         instance type",
    ),
    (
        "together they are planned on one large machine",
        || {
            migration_to(&["Standard_E8s_v5", "Standard_E48s_v5"], &[("cpu", "48")])
                .with(|s| s.makes_room_first = true)
        },
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] new node 1, a Standard_E48s_v5; doubt: nodepool/biometric-stable \
         is not pinned to one instance type: the plan counts on Standard_E48s_v5, and Karpenter may make \
         one of 1 others",
    ),
    (
        "no choice is enough",
        || migration_to(&["Standard_E8s_v5", "Standard_E16s_v5", "Standard_E20s_v5"], &[("cpu", "43")]),
        "step 9 of 10: biometric-shard-8 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable has limit cpu 43 and 3 left, and a Standard_E8s_v5 takes 8",
    ),
    (
        "a limit on something else",
        || migration(&[("ephemeral-storage", "10Gi")]).with(|s| s.only(&[0])),
        "[0] new node 1, a Standard_E16s_v5; doubt: nodepool/biometric-stable has a limit on \
         ephemeral-storage, which was passed over",
    ),
    // Pools.
    (
        "a pool that was asked to go",
        || pool(|pool| pool.deleted_at = Some(healthy().taken_at)),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable was asked to go",
    ),
    (
        "a pool that was asked to go takes its nodes along",
        || upgrade().with(|s| s.pool("biometric-stable").deleted_at = Some(s.snapshot.taken_at)),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; nodes that take no \
         shard: 4 of a pool that was asked to go; nodepool/biometric-stable was asked to go",
    ),
    (
        "a pool that is not ready",
        || condition("Ready"),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable is not ready: Ready is false: no subnet",
    ),
    (
        "a pool whose class is not ready",
        || condition("NodeClassReady"),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable is not ready: NodeClassReady is false: no subnet",
    ),
    (
        "a pool that has not been looked at",
        || pool(|pool| drop(pool.conditions.remove("Ready"))),
        "[0, 1, 2] new node 1, a Standard_E16s_v5; [3, 4, 5] new node 2, a Standard_E16s_v5; [6, 7, 8] \
         new node 3, a Standard_E16s_v5; [9] new node 4, a Standard_E16s_v5; doubt: Karpenter has not \
         said whether nodepool/biometric-stable is ready",
    ),
    (
        "a class that is not there",
        || class(|class| class.exists = false),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable names aksnodeclass/default, which is not there",
    ),
    (
        "a class that is not ready",
        || class(|class| class.ready = Some((false, "no image".to_owned()))),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable names aksnodeclass/default, which is not ready: no image",
    ),
    (
        "a static pool",
        || pool(|pool| pool.replicas = Some(4)),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable is static and makes no node for a pod that waits",
    ),
    (
        "a taint that is not tolerated",
        || migration(&[]).with(|s| s.template.tolerations.clear()),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable has the taint biometric=reserved:NoSchedule, which the template does \
         not tolerate",
    ),
    (
        "a preference that is not tolerated",
        || pool(|pool| pool.taints[0].effect = "PreferNoSchedule".to_owned()),
        "[0, 1, 2] new node 1, a Standard_E16s_v5; [3, 4, 5] new node 2, a Standard_E16s_v5; [6, 7, 8] \
         new node 3, a Standard_E16s_v5; [9] new node 4, a Standard_E16s_v5",
    ),
    (
        "a template that asks for another type",
        || {
            migration(&[]).with(|s| {
                let other = expression("node.kubernetes.io/instance-type", "In", &["Standard_E20s_v5"]);
                s.template.node_terms[0].push(other);
            })
        },
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable makes no node that is node.kubernetes.io/instance-type In \
         [Standard_E20s_v5], as the template requires",
    ),
    (
        "a template that asks for what no size of the pool has",
        || {
            migration(&[]).with(|s| {
                s.template.node_terms[0].push(expression("karpenter.azure.com/sku-cpu", "Gt", &["16"]));
            })
        },
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable makes no node that is karpenter.azure.com/sku-cpu Gt [16], as the \
         template requires",
    ),
    (
        "a template that names a node",
        || migration(&[]).with(|s| s.template.node_terms[0].push(expression(HOST, "In", &["stable-7"]))),
        "step 1 of 10: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable makes no node that is kubernetes.io/hostname In [stable-7], as the \
         template requires",
    ),
    (
        "no pool at all",
        || drain("stable-0", &[0, 1, 2]).with(|s| s.snapshot.node_pools = Ok(Vec::new())),
        "step 3 of 3: biometric-shard-2 needs 4 CPU and 32Gi of memory in eastus-1; none of 3 nodes takes \
         it: stable-3 has 3.24 CPU and 14.1Gi of memory left; nodes that take no shard: 1 being emptied; \
         there is no node pool that could make another node",
    ),
    (
        "two pools that both would do",
        || {
            migration(&[]).with(|s| {
                let mut second = s.pool("biometric-stable").clone();
                second.name = NodePoolName::new("biometric-second");
                s.snapshot.node_pools.as_mut().unwrap().push(second);
                s.target = None;
                s.template.node_terms.clear();
                for node in s.snapshot.nodes.as_mut().unwrap().values_mut() {
                    node.is_cordoned = true;
                }
                s.pool("biometric-explore").limits.insert("cpu".to_owned(), quantity("64"));
                s.pool("biometric-second").limits.insert("nodes".to_owned(), quantity("1"));
                s.pool("biometric-stable").limits.insert("nodes".to_owned(), quantity("3"));
            })
        },
        "[0, 1, 2] new node 1, a Standard_E16s_v5; [3, 4, 5] new node 2, a Standard_E16s_v5; [6, 7, 8] \
         new node 3, a Standard_E16s_v5; [9] new node 4, a Standard_E16s_v5; doubt: Karpenter may make \
         the nodes from any of nodepool/biometric-stable, nodepool/biometric-second",
    ),
    // Spread and anti-affinity.
    (
        "shards that never share a node",
        || migration(&[("nodes", "10")]).with(|s| s.template.anti_affinity = vec![apart(HOST)]),
        "[0] new node 1, a Standard_E16s_v5; [1] new node 2, a Standard_E16s_v5; [2] new node 3, a \
         Standard_E16s_v5; [3] new node 4, a Standard_E16s_v5; [4] new node 5, a Standard_E16s_v5; [5] \
         new node 6, a Standard_E16s_v5; [6] new node 7, a Standard_E16s_v5; [7] new node 8, a \
         Standard_E16s_v5; [8] new node 9, a Standard_E16s_v5; [9] new node 10, a Standard_E16s_v5",
    ),
    (
        "shards that never share a node, and a node too few",
        || migration(&[("nodes", "9")]).with(|s| s.template.anti_affinity = vec![apart(HOST)]),
        "step 10 of 10: biometric-shard-9 needs 4 CPU and 32Gi of memory in eastus-1; \
         nodepool/biometric-stable has limit nodes 9 and 0 left, and a Standard_E16s_v5 takes 1",
    ),
    (
        "shards that are to be apart and are not yet",
        || {
            upgrade_at_limit().with(|s| {
                s.template.anti_affinity = vec![apart(HOST)];
                s.only(&[9, 0]);
            })
        },
        "step 2 of 2: biometric-shard-0 needs 4 CPU and 32Gi of memory in eastus-1; none of 4 nodes takes \
         it: stable-3 has a shard, and the template keeps shards apart; nodepool/biometric-stable has \
         limit cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "spread as wished is planned with more machines",
        || {
            migration(&[("nodes", "5")]).with(|s| {
                s.template.spread = vec![spread(HOST, 2, "ScheduleAnyway")];
                s.makes_room_first = true;
            })
        },
        "[0, 1] new node 1, a Standard_E16s_v5; [2, 3] new node 2, a Standard_E16s_v5; [4, 5] new node 3, \
         a Standard_E16s_v5; [6, 7] new node 4, a Standard_E16s_v5; [8, 9] new node 5, a Standard_E16s_v5",
    ),
    (
        "spread as wished is given up at the limit",
        || {
            migration(&[("nodes", "4")]).with(|s| {
                s.template.spread = vec![spread(HOST, 2, "ScheduleAnyway")];
                s.makes_room_first = true;
            })
        },
        "[0, 1, 2] new node 1, a Standard_E16s_v5; [3, 4, 5] new node 2, a Standard_E16s_v5; [6, 7, 8] \
         new node 3, a Standard_E16s_v5; [9] new node 4, a Standard_E16s_v5",
    ),
    (
        "spread as required, one by one",
        || migration(&[("nodes", "4")]).with(|s| s.template.spread = vec![spread(HOST, 1, "DoNotSchedule")]),
        "[0, 1, 2] new node 1, a Standard_E16s_v5; [3, 4, 5] new node 2, a Standard_E16s_v5; [6, 7, 8] \
         new node 3, a Standard_E16s_v5; [9] new node 4, a Standard_E16s_v5",
    ),
    (
        "spread as required, in place",
        || upgrade_at_limit().with(|s| s.template.spread = vec![spread(HOST, 1, "DoNotSchedule")]),
        "[0] node stable-3; [1, 2] back on node stable-0; [3, 4, 5] back on node stable-1; [6, 7, 8] back \
         on node stable-2; [9] back on node stable-3",
    ),
    (
        "a drained node counts as the emptiest",
        || drain("stable-0", &[0, 1, 2]).with(|s| s.template.spread = vec![spread(HOST, 1, "DoNotSchedule")]),
        "step 3 of 3: biometric-shard-2 has no place that the template's rule allows: spread over \
         kubernetes.io/hostname with maxSkew 1, DoNotSchedule",
    ),
    (
        "apart by zone, where the others are in the one zone",
        || {
            migration(&[]).with(|s| {
                s.template.anti_affinity = vec![apart(ZONE)];
                s.only(&[0, 1]);
                s.volume_in(0, &[]);
                s.volume_in(1, &[]);
                let zones = expression(ZONE, "In", &["eastus-1", "eastus-2"]);
                s.pool("biometric-stable").requirements.push(zones);
            })
        },
        "step 2 of 2: biometric-shard-1 has no place that the template's rule allows: pod anti-affinity \
         over topology.kubernetes.io/zone",
    ),
    (
        "spread over zones that nobody names",
        || {
            migration(&[]).with(|s| {
                s.template.spread = vec![spread(ZONE, 1, "DoNotSchedule")];
                s.only(&[0]);
            })
        },
        "[0] new node 1, a Standard_E16s_v5; doubt: nodepool/biometric-stable does not say in which zones \
         it makes nodes, and the template spreads its pods over zones",
    ),
    (
        "rules about other pods",
        || {
            upgrade().with(|s| {
                s.template.needs_company = true;
                s.template.anti_affinity =
                    vec![crate::domain::snapshot::AntiAffinity { selects_own: false, ..apart(HOST) }];
                s.template.spread = vec![crate::domain::snapshot::SpreadConstraint {
                    has_options: true,
                    ..spread(ZONE, 1, "DoNotSchedule")
                }];
            })
        },
        "[0, 1, 2] back on node stable-0; [3, 4, 5] back on node stable-1; [6, 7, 8] back on node \
         stable-2; [9] back on node stable-3; doubt: the topology spread constraint over \
         topology.kubernetes.io/zone cannot be judged from the shards alone; it was passed over; doubt: \
         the pod anti-affinity over kubernetes.io/hostname cannot be judged from the shards alone; it was \
         passed over; doubt: the required pod affinity cannot be judged from the shards alone; it was \
         passed over",
    ),
    // Quotas.
    (
        "shards that come back as they were need no more quota",
        || {
            upgrade().with(|s| {
                s.terrain.quotas =
                    Ok(vec![quota("q", &[("pods", "10", "10"), ("requests.memory", "320Gi", "320Gi")])]);
            })
        },
        "[0, 1, 2] back on node stable-0; [3, 4, 5] back on node stable-1; [6, 7, 8] back on node \
         stable-2; [9] back on node stable-3",
    ),
    (
        "larger shards need more quota",
        // 10Gi are left; the first takes 8Gi of them.
        || {
            upgrade().with(|s| {
                request(s, resources("4", "40Gi"));
                s.terrain.quotas = Ok(vec![quota("q", &[("requests.memory", "330Gi", "320Gi")])]);
            })
        },
        "step 2 of 10: biometric-shard-1 needs 40Gi more of requests.memory; resourcequota/q has 34Gi \
         left of 330Gi",
    ),
    (
        "of two reasons the first step counts",
        || {
            upgrade_at_limit().with(|s| {
                request(s, resources("4", "40Gi"));
                s.terrain.quotas = Ok(vec![quota("q", &[("requests.memory", "370Gi", "320Gi")])]);
            })
        },
        "step 5 of 10: biometric-shard-4 needs 4 CPU and 40Gi of memory in eastus-1; none of 4 nodes \
         takes it: stable-3 has 7.24 CPU and 38.1Gi of memory left; nodepool/biometric-stable has limit \
         cpu 64 and 0 left, and a Standard_E16s_v5 takes 16",
    ),
    (
        "a quota for shards does not count placeholders",
        || {
            migration(&[]).with(|s| {
                s.makes_room_first = true;
                let scope = crate::domain::prerequisites::QuotaScope::PriorityClasses {
                    names: vec!["biometric-critical".to_owned()],
                    are_excluded: false,
                };
                let mut only = quota("q", &[("pods", "10", "10")]);
                only.scopes = vec![scope];
                let mut lasting = quota("r", &[("pods", "10", "10")]);
                lasting.scopes = vec![crate::domain::prerequisites::QuotaScope::Deadline { has_one: false }];
                s.terrain.quotas = Ok(vec![only, lasting]);
            })
        },
        "[0, 1, 2] new node 1, a Standard_E16s_v5; [3, 4, 5] new node 2, a Standard_E16s_v5; [6, 7, 8] \
         new node 3, a Standard_E16s_v5; [9] new node 4, a Standard_E16s_v5",
    ),
    (
        "a quota for everything counts placeholders",
        || {
            migration(&[]).with(|s| {
                s.makes_room_first = true;
                s.terrain.quotas = Ok(vec![quota("q", &[("pods", "19", "10")])]);
            })
        },
        "making room for 10 shards first needs 10 more of pods; resourcequota/q has 9 left of 19",
    ),
];

/// What to do in some of the cases.
pub(super) const REMEDIES: &[(&str, &str)] = &[
    (
        "40Gi for 32Gi, and no machine more",
        "Raise spec.limits of nodepool/biometric-stable to cpu 80 or more; it does not drift any node",
    ),
    (
        "one machine less than needed by memory",
        "Raise spec.limits of nodepool/biometric-stable to memory 474Gi or more; it does not drift \
         any node",
    ),
    (
        "one machine less than needed by number",
        "Raise spec.limits of nodepool/biometric-stable to nodes 4 or more; it does not drift any \
         node",
    ),
    (
        "a machine that holds no shard",
        "Allow a larger instance type in nodepool/biometric-stable, or make the shards smaller",
    ),
    (
        "a pool without nodes in the volumes' zone",
        "Allow eastus-1 in the requirement of nodepool/biometric-stable on \
         topology.kubernetes.io/zone",
    ),
    (
        "premium disks on machines that take none",
        "Require karpenter.azure.com/sku-storage-premium-capable In [true] in \
         nodepool/biometric-stable, and allow types that have it",
    ),
    (
        "a shard with more disks than a machine attaches",
        "Allow a larger instance type in nodepool/biometric-stable, or make the shards smaller",
    ),
    ("a pool that was asked to go", "Make another node pool: one that was asked to go cannot be kept"),
    (
        "a pool that is not ready",
        "Mend what the condition names: `kubectl describe nodepool biometric-stable`",
    ),
    (
        "a class that is not there",
        "Mend spec.template.spec.nodeClassRef of nodepool/biometric-stable, or the class itself",
    ),
    (
        "a static pool",
        "Raise spec.replicas of nodepool/biometric-stable: a static pool makes no node for a pod",
    ),
    ("a taint that is not tolerated", "Add a toleration for biometric=reserved:NoSchedule to the template"),
    (
        "a template that names a node",
        "Compare the template's nodeSelector and node affinity with the requirements and labels of \
         nodepool/biometric-stable",
    ),
    ("no pool at all", "Make room: add a node that the template allows, or make the shards smaller"),
    (
        "a drained node counts as the emptiest",
        "Loosen the rule in the template, or let the node pool make one node more",
    ),
    ("larger shards need more quota", "Raise requests.memory of resourcequota/q, or ask for less"),
    (
        "a quota for everything counts placeholders",
        "Raise pods of resourcequota/q for the time of the run, or do without making room first: \
         --no-prewarm",
    ),
];
