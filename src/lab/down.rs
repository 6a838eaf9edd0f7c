//! `shardctl lab down`: nothing of a lab is left, neither a process nor a file.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::addons::{addons, addons_of, core, starter};
use super::layout::{LabFolder, LabName, Layout};
use super::lock::lock;
use super::ports::Ports;
use super::process::{Part, Process, stop};
use super::real::{self, RealLab, place::Place};
use super::record::{Record, Tier};
use crate::error::CommandError;
use crate::render::ui::Ui;

/// How long components may take to end by themselves. What they would save is thrown away in any case, and the API server
/// would wait for its watchers.
const GRACE: Duration = Duration::from_millis(500);

/// Where kube-controller-manager's host-path provisioner makes volumes; the path is part of Kubernetes.
const VOLUMES: &str = "/tmp/hostpath_pv/";

/// Runs `shardctl lab down` for one lab.
pub fn down(ui: &Ui, layout: &Layout, name: &LabName) -> Result<(), CommandError> {
    let lab = layout.lab(name);
    if !lab.root().exists() && Place::of(lab.root()).is_none() {
        ui.say(format_args!("there is no lab {name}"));
        return Ok(());
    }
    let _lock = lock(ui, layout, name)?;
    remove(layout, &lab)?;
    let _ = fs::remove_file(layout.lock(name));
    ui.say(format_args!("lab {name} is gone"));
    Ok(())
}

/// Stops a lab's processes and removes its files, and what it has made elsewhere. The caller holds the lab's lock.
pub fn remove(layout: &Layout, lab: &LabFolder) -> Result<(), CommandError> {
    let build = Record::read(lab).map_or_else(|| layout.build(), |record| layout.build_of(&record.build));
    let place = Place::of(lab.root());
    if let Some(place) = place {
        real::power_off(place)?;
    }
    // An interrupted start may have left it behind; it would start again what is stopped here.
    let mut left = stop(&[starter(lab, &build)], GRACE);
    let (mut others, mut etcd) = processes(layout, lab);
    // etcd is the first of the control plane; it goes last, so that the others do not fill their logs with complaints.
    others.extend(etcd.drain(1..));
    left.extend(stop(&others, GRACE));
    left.extend(stop(&etcd, GRACE));
    if !left.is_empty() {
        return Err(CommandError::failed(format!(
            "could not stop {} of lab {}",
            left.join(", "),
            lab.name()
        ))
        .hint(format!("their pids are in {}; stop them and run this again", lab.pids().display())));
    }
    for volume in volumes(&lab.cluster().join("etcd")) {
        let _ = fs::remove_dir_all(volume);
    }
    // Only when no other lab has volumes there.
    let _ = fs::remove_dir(VOLUMES);
    if let Some(place) = place {
        real::remove(place)?;
    }
    if lab.root().exists() {
        fs::remove_dir_all(lab.root()).with_context(|| format!("remove {}", lab.root().display()))?;
    }
    if let Some(place) = place {
        // Last, so that whatever was in the way of the rest, this can be run again.
        place.release().context("give the lab's place back")?;
    }
    Ok(())
}

/// Every process that may belong to a lab: add-ons, and the control plane in start order.
pub fn processes(layout: &Layout, lab: &LabFolder) -> (Vec<Process>, Vec<Process>) {
    let record = Record::read(lab);
    let build = match &record {
        Some(record) => layout.build_of(&record.build),
        None => layout.build(),
    };
    let addons = match &record {
        Some(record) => addons_of(lab, &build, record),
        None => Ports::find(0).map_or_else(|_| Vec::new(), |ports| addons(lab, &build, &ports, None)),
    };
    let tier = record.map_or(Tier::Kwok, |record| record.options.tier);
    (addons.into_iter().map(|addon| addon.process).collect(), core(lab, &build, tier))
}

/// What runs in a lab, or should: the control plane in start order, add-ons, and what real nodes run.
pub fn parts(layout: &Layout, lab: &LabFolder) -> Vec<Part> {
    let (addons, core) = processes(layout, lab);
    let mut parts: Vec<_> = core.iter().chain(&addons).map(Process::part).collect();
    if let Some(real) = RealLab::find(layout, lab) {
        parts.extend(real.nodes().flat_map(|node| node.parts()));
    }
    parts
}

/// The folders of a lab's volumes. Read from etcd's files rather than asked of the API server: that works also when
/// something of the lab is dead, and when a volume was removed from the API while its folder stayed.
fn volumes(etcd: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let files = [etcd.join("member/snap"), etcd.join("member/wal")]
        .into_iter()
        .flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    for file in files {
        if let Ok(bytes) = fs::read(file.path()) {
            collect_volumes(&bytes, &mut found);
        }
    }
    found
}

/// Finds `/tmp/hostpath_pv/UUID` in raw bytes.
fn collect_volumes(bytes: &[u8], found: &mut BTreeSet<PathBuf>) {
    const UUID: usize = 36;
    let prefix = VOLUMES.as_bytes();
    let mut rest = bytes;
    while let Some(at) = find(rest, prefix) {
        rest = &rest[at + prefix.len()..];
        let Some(name) = rest.get(..UUID).and_then(|name| std::str::from_utf8(name).ok()) else {
            continue;
        };
        // A name of another form, above all one with a slash or dots, is none of ours.
        if name.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
            found.insert(Path::new(VOLUMES).join(name));
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|&byte| byte == first) {
        let at = from + at;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_found_in_raw_bytes_and_nothing_else_is() {
        let uuid = "0f2a4cfe-7d8c-4e4b-9d0a-1b2c3d4e5f60";
        let text = format!(
            "\u{0}\u{1}/tmp/hostpath_pv/{uuid}\u{12}x/tmp/hostpath_pv/../../etc/passwd--------------------/tmp/hostpath_pv/short"
        );
        let mut found = BTreeSet::new();
        collect_volumes(text.as_bytes(), &mut found);
        let found: Vec<_> = found.into_iter().collect();
        assert_eq!(found, [Path::new("/tmp/hostpath_pv").join(uuid)]);
    }
}
