use super::*;
use crate::domain::names::NodeName;
use crate::domain::packing::packing;
use crate::domain::snapshot::Snapshot;
use crate::domain::testing::healthy;
use crate::render::style::Stylesheet;

fn plain(width: Option<usize>, ascii: bool) -> Look {
    Look {
        style: Stylesheet::new(false),
        width,
        ascii,
    }
}

fn broken() -> Snapshot {
    let mut snapshot = healthy();
    let nodes = snapshot.nodes.as_mut().unwrap();
    nodes.get_mut(&NodeName::new("stable-3")).unwrap().is_cordoned = true;
    let pod = snapshot.shards[8].pod.as_mut().unwrap();
    pod.node = None;
    pod.unschedulable =
        Some("0/4 nodes are available: 1 node(s) were unschedulable, 3 Insufficient cpu".to_owned());
    let occupants = snapshot.occupants.as_mut().unwrap();
    for pods in occupants.values_mut() {
        pods.retain(|pod| pod.ordinal != Some(8));
    }
    snapshot.shards[4].pod.as_mut().unwrap().is_ready = false;
    snapshot
}

#[test]
fn show() {
    let healthy = packing(&healthy(), |_| Some(1.008));
    println!("{}", table(&healthy, plain(Some(80), false), true));
    println!("{}", picture(&healthy, plain(Some(80), true)));
    println!("{}", table(&healthy, plain(Some(80), false), false));
    println!("{}", wide(&healthy, plain(Some(80), false)));
    let broken = packing(&broken(), |_| None);
    println!("{}", table(&broken, plain(Some(80), false), true));
    println!("{}", picture(&broken, plain(Some(80), true)));
    println!("{}", picture(&broken, plain(None, true)));
    println!(
        "{}",
        serde_json::to_string_pretty(&report(&broken)).unwrap().len()
    );
    println!("{}", serde_saphyr::to_string(&report(&broken)).unwrap());
}
