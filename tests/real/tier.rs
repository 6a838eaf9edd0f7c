//! The lab itself: that it refuses where it cannot run, and leaves nothing whatever happens.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use shardctl::lab::real::network;
use shardctl::lab::real::place::Place;

use crate::Test;
use crate::lab::{Lab, assert_nothing_left, eventually, lab_command, layout, start_lab_command};
use crate::support::{Folder, Run};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("tier::a_machine_that_cannot_run_it_is_told_why_and_nothing_is_changed", refused),
    ("tier::options_of_the_other_tier_are_refused", options),
    ("tier::what_was_killed_half_way_is_removed", interrupted),
    ("tier::a_place_with_something_in_it_is_not_given_away", unclaimed),
    ("tier::what_goes_by_itself_meanwhile_is_gone", gone),
    ("tier::who_changes_a_node_waits_for_others_who_change_the_lab", locked),
    ("tier::nothing_listens_on_this_machine", private),
];

fn refused(_: &Lab) {
    let home = Folder::new("refused");
    let output = Command::new("setpriv")
        .args(["--bounding-set=-syslog", env!("CARGO_BIN_EXE_shardctl"), "lab", "up", "--tier", "real"])
        .env("HOME", home.path())
        .env_remove("XDG_STATE_HOME")
        .env_remove("XDG_CACHE_HOME")
        .stdin(Stdio::null())
        .output()
        .expect("setpriv starts");
    let run = Run::from(output).ended(3).complained("root lacks CAP_SYSLOG").complained("--cap-add SYSLOG");
    assert_eq!(run.stdout, "");
    let left = std::fs::read_dir(home.path()).expect("the folder").count();
    assert_eq!(left, 0, "files were made");
}

fn options(lab: &Lab) {
    let name = lab.name.as_str();
    lab_command(&["up", "--name", name, "--pod-start", "1s"]).ended(2).complained("--pod-start is for labs");
    lab_command(&["up", "--name", name, "--nodes", "2"]).ended(3).complained("is up with --nodes 3");
    lab_command(&["up", "--name", name, "--tier", "kwok"]).ended(3).complained("is up with --tier real");
    lab.lab_command(&["node", "stop", "node-9"]).ended(2).complained("it has node-1, node-2, node-3");
}

/// A second lab beside the first, whose start is killed when its nodes are there.
fn interrupted(lab: &Lab) {
    let name = format!("{}-b", lab.name);
    let root = layout().labs().join(&name);
    let mut up = start_lab_command(&["up", "--tier", "real", "--nodes", "1", "--name", &name]);
    let place = eventually(|| {
        let is_started = root.join("nodes/node-1/started").exists();
        Place::of(&root).filter(|_| is_started).ok_or_else(|| "not started".to_owned())
    });
    up.kill().expect("it runs");
    up.wait().expect("it ends");
    assert_ne!(place, lab.real.place());
    assert!(place.nodes(1).all(|node| shardctl::lab::real::network::namespaces(&node.id()).len() == 1));
    lab_command(&["down", "--name", &name]).ended(0);
    assert_nothing_left(&root, place);
    // The first one is as it was.
    lab_command(&["status", "--name", lab.name.as_str()]).ended(0);
    lab_command(&["status", "--name", &name]).ended(1).complained("there is no lab");
    lab_command(&["down", "--name", &name]).ended(0).complained("there is no lab");
}

/// A lab whose claim is lost keeps its place: the next one goes elsewhere.
fn unclaimed(lab: &Lab) {
    let claims = Folder::new("claims");
    let next = Place::take_in(claims.path(), Path::new("/labs/next"), Place::is_occupied).expect("a place");
    assert_ne!(next, lab.real.place());
}

/// Two who take the same network down: what one has removed is gone for the other.
fn gone(_: &Lab) {
    let folder = Folder::new("gone");
    let place = Place::take(folder.path()).expect("a place");
    let node = place.nodes(1).next().expect("a node");
    let ends: Vec<anyhow::Result<()>> = (0..20)
        .flat_map(|_| {
            network::create(place).expect("a network");
            network::attach(node, place.nodes(1)).expect("a node");
            thread::scope(|scope| {
                let both = [0, 1].map(|_| scope.spawn(|| network::detach(node).and(network::remove(place))));
                both.map(|one| one.join().expect("an end"))
            })
        })
        .collect();
    network::remove(place).expect("an end");
    place.release().expect("the claim");
    for end in ends {
        end.unwrap_or_else(|error| panic!("{error:#}"));
    }
}

fn locked(lab: &Lab) {
    let file = std::fs::File::create(layout().lock(&lab.name)).expect("the file");
    file.lock().expect("the lock");
    let name = lab.name.as_str();
    let mut cut = start_lab_command(&["node", "cut", "node-1", "--dns", "--name", name]);
    let mut said = BufReader::new(cut.stderr.take().expect("standard error")).lines();
    let first = said.next().expect("a line").expect("text");
    assert_eq!(first, format!("waiting for another command that works on lab {name}"));
    drop(file);
    let then: Vec<String> = said.map(|line| line.expect("text")).collect();
    assert_eq!(then, ["node-1 is cut off from DNS"]);
    assert!(cut.wait().expect("it ends").success());
    // All that come at once have their turn.
    let all =
        ["mend", "start", "mend"].map(|what| start_lab_command(&["node", what, "node-1", "--name", name]));
    for one in all {
        Run::from(one.wait_with_output().expect("it ends")).ended(0);
    }
}

/// All of the control plane is in a network of its own: this machine's has no listener of it.
fn private(lab: &Lab) {
    let pids: Vec<u32> = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
        .into_iter()
        .map(|name| {
            let file = layout().lab(&lab.name).pids().join(format!("{name}.pid"));
            let pid = std::fs::read_to_string(&file).expect("a pid");
            pid.trim().parse().expect("a number")
        })
        .collect();
    let ours = std::fs::read_link("/proc/self/ns/net").expect("a network");
    for pid in pids {
        let theirs = std::fs::read_link(format!("/proc/{pid}/ns/net")).expect("a network");
        assert_ne!(ours, theirs, "process {pid}");
    }
}
