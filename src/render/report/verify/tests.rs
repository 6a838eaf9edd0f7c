use super::*;
use crate::domain::snapshot::{Snapshot, Unknown};
use crate::domain::testing::healthy;
use crate::domain::verify::{Facts, Selection, Severity, verify};
use crate::render::style::Stylesheet;

const PLAIN: fn() -> Stylesheet = || Stylesheet::new(false);

fn report(snapshot: &Snapshot, only: &[&str]) -> Report {
    let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
    verify(&Facts::new(snapshot), &Selection::new(only, []).unwrap())
}

fn broken() -> Snapshot {
    let mut snapshot = healthy();
    let pod = snapshot.shards[3].pod.as_mut().unwrap();
    pod.is_ready = false;
    pod.ready_changed_at = Some("2026-11-22T11:58:00Z".parse().unwrap());
    pod.containers[0].restarts = 7;
    pod.containers[0].last_terminated = Some("Error".to_owned());
    pod.containers[0].waiting = Some((
        "CrashLoopBackOff".to_owned(),
        "back-off 5m0s restarting failed container=biometric-shard".to_owned(),
    ));
    for shard in &mut snapshot.shards {
        shard.pod.as_mut().unwrap().annotations.clear();
    }
    snapshot.workload.template.priority_class = None;
    let volumes = snapshot.volumes.as_mut().unwrap();
    volumes.values_mut().next().unwrap().reclaim_policy = "Delete".to_owned();
    snapshot.claims.as_mut().unwrap().values_mut().next().unwrap().phase = "Lost".to_owned();
    snapshot.services.as_mut().unwrap()[1].session_affinity = "ClientIP".to_owned();
    snapshot
}

fn forbidden() -> Unknown {
    Unknown {
        asked: "list nodes".to_owned(),
        answer: "forbidden: User \"system:serviceaccount:ci:verify\" cannot list resource \"nodes\""
            .to_owned(),
        is_forbidden: true,
    }
}

#[test]
fn dump() {
    let mut s = broken();
    println!("{}", table(&report(&s, &["shards", "storage", "services"]), PLAIN(), Some(80)));
    println!("{}", table(&report(&s, &["shards", "storage", "services"]), PLAIN(), None));
    s.nodes = Err(forbidden());
    println!("{}", table(&report(&s, &["nodes", "priority-class"]), PLAIN(), Some(80)));
    println!(
        "{}",
        wide(
            &report(&s, &["autoscaling", "priority-class", "node-ready", "shard-ready", "pdb-exists"]),
            PLAIN()
        )
    );
    println!(
        "{}",
        json(&report(&s, &["autoscaling", "priority-class", "node-ready", "shard-ready", "pdb-exists"]))
    );
    println!(
        "{}",
        junit(&report(&s, &["autoscaling", "shard-ready", "node-ready", "priority-class"]), Severity::Error)
    );
    println!("{}", prometheus(&report(&s, &["autoscaling", "shard-ready", "node-ready"])));
}
