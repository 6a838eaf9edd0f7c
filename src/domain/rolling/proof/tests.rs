//! What is proved, what is refused and with which arithmetic, and what is only doubted.

mod cases;
pub(super) mod scene;

use super::*;
use crate::domain::testing::{healthy, quantity, resources};
use scene::*;
pub(super) use scene::{Scene, expression};

#[test]
fn a_migration_to_four_machines_is_proved_with_limits_that_hold_exactly_four() {
    // 3 of 4 CPU and 32Gi on each; 4 x 16 = 64 CPU and 4 x 118.4Gi = 473.6Gi.
    let mut scene = migration(&[("cpu", "64"), ("memory", "474Gi"), ("nodes", "4")]);
    for makes_room_first in [false, true] {
        scene.makes_room_first = makes_room_first;
        let proof = scene.prove().unwrap();
        assert_eq!(proof.doubts, []);
        assert!(proof.is_complete());
        let nodes: Vec<(u32, &str, u32)> = proof
            .new_nodes
            .iter()
            .map(|node| (node.number, node.instance_type.as_str(), node.shards))
            .collect();
        let e16s = "Standard_E16s_v5";
        assert_eq!(nodes, [(1, e16s, 3), (2, e16s, 3), (3, e16s, 3), (4, e16s, 1)]);
        assert_eq!(proof.steps[9].destination.to_string(), "new node 4, a Standard_E16s_v5");
        assert_eq!((proof.steps[9].number, proof.steps[9].wave), (10, 10));
        let limits: Vec<(&str, String, String)> = proof
            .limits
            .iter()
            .map(|one| (one.resource, one.before.to_string(), words::takes(one.resource, one.after)))
            .collect();
        let [cpu, memory, nodes] = &limits[..] else { panic!("{limits:?}") };
        assert_eq!(*cpu, ("cpu", "0".to_owned(), "64".to_owned()));
        assert_eq!(*memory, ("memory", "0".to_owned(), "473.6Gi".to_owned()));
        assert_eq!(*nodes, ("nodes", "0".to_owned(), "4".to_owned()));
    }
}

#[test]
fn the_tutorials_own_stable_pool_is_refused_at_the_sixth_step() {
    let mut scene = migration(&[]);
    *scene.pool("biometric-stable") = tutorial_pool();
    for makes_room_first in [false, true] {
        scene.makes_room_first = makes_room_first;
        let refusal = scene.prove().unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "step 6 of 10: biometric-shard-5 needs 4 CPU and 32Gi of memory in eastus-1; nodepool/biometric-stable has \
             limit memory 320Gi and 24Gi left, and a Standard_E8as_v5 takes 59.2Gi"
        );
        assert_eq!(
            refusal.remedy(),
            "Raise spec.limits of nodepool/biometric-stable to memory 592Gi or more; it does not drift any node"
        );
        assert_eq!(refusal.at().map(|at| (at.step, at.of)), Some((6, 10)));
    }
    // What the remedy says is enough.
    scene.pool("biometric-stable").limits.insert("memory".to_owned(), quantity("592Gi"));
    let proof = scene.prove().unwrap();
    assert_eq!(proof.new_nodes.len(), 10);
    // Of the types that the pool allows, some take no premium disk, and Karpenter does not look.
    let doubts: Vec<String> = proof.doubts.iter().map(ToString::to_string).collect();
    assert_eq!(doubts.len(), 1, "{doubts:?}");
    assert!(doubts[0].contains("takes no premium disk"), "{doubts:?}");
}

#[test]
fn an_upgrade_in_place_comes_back_to_its_own_nodes() {
    let proof = Scene::of(healthy()).prove().unwrap();
    assert!(
        proof.steps.iter().all(|step| matches!(step.destination, Destination::Node { is_own: true, .. }))
    );
    assert_eq!((proof.new_nodes.len(), proof.limits.len()), (0, 0));
    assert_eq!(proof.doubts, []);
}

#[test]
fn nothing_to_move_is_proved() {
    let mut scene = Scene::of(healthy());
    // Not even a quota that is overdrawn is in the way.
    scene.terrain.quotas = Ok(vec![quota("q", &[("pods", "5", "10")])]);
    scene.makes_room_first = true;
    for waves in [Vec::new(), vec![Vec::new()]] {
        scene.waves = waves;
        assert_eq!(scene.prove(), Ok(Proof::default()));
    }
}

#[test]
fn each_case_ends_as_it_should() {
    for (name, scene, expected) in cases::CASES {
        let mut built = scene();
        let end = match built.prove() {
            Ok(proof) => proof.text(),
            Err(refusal) => {
                assert!(!refusal.remedy().is_empty() && !refusal.remedy().contains('\n'), "{name}");
                refusal.to_string()
            }
        };
        assert_eq!(end, *expected, "{name}");
        assert!(!end.contains('\n'), "{name}");
    }
}

#[test]
fn what_could_not_be_read_is_doubted_and_not_refused() {
    type Hide = fn(&mut Scene, crate::domain::snapshot::Unknown);
    let parts: &[(&str, Unread, Hide)] = &[
        ("nodes", Unread::Nodes, |s, unknown| s.snapshot.nodes = Err(unknown)),
        ("pods of nodes", Unread::Occupants, |s, unknown| s.snapshot.occupants = Err(unknown)),
        ("nodes of pools", Unread::PoolNodes, |s, unknown| s.terrain.pool_nodes = Err(unknown)),
        ("node pools", Unread::NodePools, |s, unknown| s.snapshot.node_pools = Err(unknown)),
        ("node classes", Unread::NodeClasses, |s, unknown| s.snapshot.node_classes = Err(unknown)),
        ("daemonsets", Unread::DaemonSets, |s, unknown| s.terrain.daemon_sets = Err(unknown)),
        ("CSI nodes", Unread::AttachLimits, |s, unknown| s.terrain.attach_limits = Err(unknown)),
        ("quotas", Unread::Quotas, |s, unknown| s.terrain.quotas = Err(unknown)),
        ("claims", Unread::Volumes, |s, unknown| s.snapshot.claims = Err(unknown)),
        ("volumes", Unread::Volumes, |s, unknown| s.snapshot.volumes = Err(unknown)),
        ("storage classes", Unread::StorageClasses, |s, unknown| s.snapshot.storage_classes = Err(unknown)),
    ];
    for (name, what, hide) in parts {
        let mut scene = migration(&[("cpu", "64")]);
        hide(&mut scene, unknown(name));
        let proof = scene.prove().unwrap();
        let is_said = |doubt: &Doubt| matches!(doubt, Doubt::Unread { what: one, .. } if one == what);
        assert!(proof.doubts.iter().any(is_said), "{name}: {:?}", proof.doubts);
        assert!(
            proof
                .doubts
                .iter()
                .any(|doubt| doubt.to_string().starts_with(&format!("list {name}: forbidden; ")))
        );
        // Only without the pools nothing can be said of machines to come.
        assert_eq!(proof.is_complete(), *name != "node pools", "{name}");
    }
    // What cannot work is refused in spite of a part that would not help.
    let mut scene = migration(&[("cpu", "48")]);
    scene.terrain.daemon_sets = Err(unknown("daemonsets"));
    assert!(scene.prove().is_err());
    // What might work with a node that was not seen is not.
    scene.terrain.pool_nodes = Err(unknown("nodes"));
    let proof = scene.prove().unwrap();
    assert_eq!(proof.steps[8].destination.to_string(), "new node 3, a Standard_E16s_v5");
    assert_eq!(proof.steps[9].destination, Destination::Unproved);
}

#[test]
fn a_refusal_for_want_of_quota_names_the_way_without_it() {
    let mut scene = migration(&[]);
    scene.makes_room_first = true;
    scene.terrain.quotas = Ok(vec![quota("shards", &[("requests.memory", "400Gi", "320Gi")])]);
    let refusal = scene.prove().unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "making room for 10 shards first needs 320Gi more of requests.memory; resourcequota/shards has 80Gi left of \
         400Gi"
    );
    assert!(refusal.remedy().ends_with("--no-prewarm"), "{}", refusal.remedy());
    scene.makes_room_first = false;
    assert!(scene.prove().is_ok());
}

#[test]
fn a_pool_that_is_not_there_is_refused_with_the_nearest() {
    let mut scene = migration(&[]);
    scene.target = Some(NodePoolName::new("biometric-stabel"));
    let refusal = scene.prove().unwrap_err();
    assert_eq!(refusal.to_string(), "there is no nodepool/biometric-stabel");
    assert_eq!(refusal.remedy(), "Did you mean biometric-stable?");
    scene.snapshot.node_pools = Err(unknown("node pools"));
    assert!(!scene.prove().unwrap().is_complete());
}

#[test]
fn a_shard_that_is_unknown_or_has_no_pod_needs_a_place_all_the_same() {
    let mut scene = migration(&[("nodes", "4")]);
    scene.snapshot.shards[3].pod = None;
    scene.waves.push(vec![10, 11]);
    let proof = scene.prove().unwrap();
    assert_eq!(proof.new_nodes.iter().map(|node| node.shards).sum::<u32>(), 12);
    scene.waves.push(vec![12]);
    let refusal = scene.prove().unwrap_err();
    assert!(refusal.to_string().starts_with("step 13 of 13: biometric-shard-12 needs "), "{refusal}");
}

#[test]
fn amounts_of_a_proof_add_up() {
    let scene = migration(&[("memory", "1000Gi")]);
    let used = resources("32", "236.8Gi");
    let mut scene = scene;
    let pool = scene.pool("biometric-stable");
    pool.usage.insert("memory".to_owned(), used.memory);
    let proof = scene.prove().unwrap();
    let [memory] = &proof.limits[..] else { panic!("{:?}", proof.limits) };
    assert_eq!(memory.before, used.memory);
    // 236.8Gi + 4 x 118.4Gi.
    assert_eq!(words::takes("memory", memory.after), "710.4Gi");
}

#[test]
fn every_refusal_says_what_to_do() {
    for (name, expected) in cases::REMEDIES {
        let (_, scene, _) = cases::CASES.iter().find(|(known, _, _)| known == name).unwrap();
        assert_eq!(scene().prove().unwrap_err().remedy(), *expected, "{name}");
    }
}

#[test]
fn limits_that_are_said_to_be_enough_are_enough() {
    let mut seen = 0;
    for (name, scene, _) in cases::CASES {
        let mut scene = scene();
        let Err(Refusal::NoRoom(room)) = scene.prove() else { continue };
        for (pool, reason) in room.pools {
            let NoNode::Limit(short) = reason else { continue };
            let limits = short.enough.iter().map(|(resource, amount)| ((*resource).to_owned(), *amount));
            scene.pool(pool.as_str()).limits.extend(limits);
            seen += 1;
        }
        match scene.prove() {
            Ok(proof) => assert!(proof.is_complete(), "{name}"),
            Err(Refusal::NoRoom(room)) => {
                let is_limit = |(_, reason): &(_, NoNode)| matches!(reason, NoNode::Limit(_));
                assert!(!room.pools.iter().any(is_limit), "{name}");
            }
            Err(_) => {}
        }
    }
    assert!(seen > 10);
}
