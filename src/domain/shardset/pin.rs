//! The stable pool pinned to another instance type, in the file as a person wrote it.

use super::{Limits, Operator, Pool, Requirement, ShardSet, parse};
use crate::domain::quantity::Resources;

/// The label that zones are required by.
const ZONE: &str = "topology.kubernetes.io/zone";

impl Pool {
    /// This pool with one instance type and these limits.
    #[must_use]
    pub fn pinned_to(&self, instance_type: &str, limits: Resources) -> Self {
        Self {
            instance_types: vec![instance_type.to_owned()],
            limits: Some(Limits { cpu: limits.cpu, memory: limits.memory }),
            ..self.clone()
        }
    }

    /// This pool with machines in these zones only; the same when none is named.
    #[must_use]
    pub fn in_zones(&self, zones: &[String]) -> Self {
        let mut pool = self.clone();
        if !zones.is_empty() {
            pool.requirements.retain(|one| one.key != ZONE);
            let (key, values) = (ZONE.to_owned(), zones.to_vec());
            pool.requirements.push(Requirement { key, operator: Operator::In, values });
        }
        pool
    }
}

/// The text of a ShardSet file with its stable pool replaced in its instance types, its limits and its zones; every other
/// line, comments too, stays as it is. None when the file is written in a way that this cannot change with certainty: what comes out is
/// read again, and must be what was wanted.
#[must_use]
pub fn repinned(text: &str, shardset: &ShardSet, stable: &Pool) -> Option<String> {
    let mut wanted = shardset.clone();
    wanted.spec.nodes.stable = stable.clone();
    let limits = stable.limits?;
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| line.trim_end().trim_start() == "stable:")?;
    let outer = indent(lines[start]);
    let end = (start + 1..lines.len()).find(|at| is_content(lines[*at]) && indent(lines[*at]) <= outer);
    let block = start + 1..end.unwrap_or(lines.len());
    let inner = block.clone().map(|at| lines[at]).find(|line| is_content(line)).map(indent)?;
    let pad = " ".repeat(inner);
    let types = [format!("{pad}instanceTypes: [{}]", stable.instance_types.join(", "))];
    let limits = [
        format!("{pad}limits:"),
        format!("{pad}  cpu: \"{}\"", limits.cpu),
        format!("{pad}  memory: {}", limits.memory),
    ];
    let mut out: Vec<String> = lines[..=start].iter().map(ToString::to_string).collect();
    let mut at = block.start;
    while at < block.end {
        if key(lines[at], inner) == Some("requirements")
            && stable.requirements != shardset.spec.nodes.stable.requirements
        {
            let end = end_of_field(&lines, at, inner, block.end);
            out.push(lines[at].to_owned());
            out.extend(with_zones(&lines[at + 1..end], stable)?);
            at = end;
            continue;
        }
        let replacement = match key(lines[at], inner) {
            Some("instanceTypes") => Some(&types[..]),
            Some("limits") => Some(&limits[..]),
            _ => None,
        };
        let Some(replacement) = replacement else {
            out.push(lines[at].to_owned());
            at += 1;
            continue;
        };
        out.extend(replacement.iter().cloned());
        at = end_of_field(&lines, at, inner, block.end);
    }
    out.extend(lines[block.end..].iter().map(ToString::to_string));
    let mut text = out.join("\n");
    text.push('\n');
    (parse(&text).ok()? == wanted).then_some(text)
}

/// Where a field ends that begins at `at`: after its deeper lines, and the items of a list, which may stand as deep as its
/// name.
fn end_of_field(lines: &[&str], at: usize, inner: usize, end: usize) -> usize {
    let belongs =
        |line: &str| (indent(line) > inner || line.trim_start().starts_with("- ")) && !line.trim().is_empty();
    (at + 1..end).find(|at| !belongs(lines[*at])).unwrap_or(end)
}

/// The items of a list of requirements with the zones of `pool` in place of those that they name; none when there is no
/// item to stand beside.
fn with_zones(items: &[&str], pool: &Pool) -> Option<Vec<String>> {
    let zones = &pool.requirements.iter().find(|one| one.key == ZONE)?.values;
    let depth = indent(items.iter().find(|line| line.trim_start().starts_with("- "))?);
    let mut kept: Vec<Vec<&str>> = Vec::new();
    for line in items {
        let starts = indent(line) == depth && line.trim_start().starts_with("- ");
        match kept.last_mut().filter(|_| !starts) {
            Some(item) => item.push(line),
            None => kept.push(vec![line]),
        }
    }
    kept.retain(|item| !item.iter().any(|line| line.contains(ZONE)));
    let pad = " ".repeat(depth);
    let own = format!("{pad}- {{key: {ZONE}, operator: In, values: [{}]}}", zones.join(", "));
    Some(kept.into_iter().flatten().map(ToOwned::to_owned).chain([own]).collect())
}

pub(super) fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

pub(super) fn is_content(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with('#')
}

/// The name of the field that a line of this depth begins with.
pub(super) fn key(line: &str, depth: usize) -> Option<&str> {
    if indent(line) != depth || !is_content(line) {
        return None;
    }
    line.trim_start().split_once(':').map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::super::to_commented_yaml;
    use super::*;
    use crate::domain::testing::resources;

    fn stable(shardset: &ShardSet) -> Pool {
        shardset.spec.nodes.stable.pinned_to("Standard_E48as_v5", resources("96", "768Gi"))
    }

    #[test]
    fn only_the_pin_and_the_limits_change() {
        let shardset = ShardSet::tutorial();
        let commented = to_commented_yaml(&shardset).unwrap();
        for text in [commented.as_str(), include_str!("tutorial.yaml")] {
            let pinned = repinned(text, &shardset, &stable(&shardset)).unwrap();
            let before: Vec<&str> = text.lines().collect();
            let added: Vec<&str> = pinned.lines().filter(|line| !before.contains(line)).collect();
            let removed = before.iter().filter(|line| !pinned.lines().any(|one| one == **line)).count();
            assert!(added.len() <= 4 && removed <= 4, "{added:?}");
            assert!(pinned.contains("instanceTypes: [Standard_E48as_v5]"), "{pinned}");
            let comments = |text: &str| text.lines().filter(|line| line.contains('#')).count();
            assert_eq!(comments(&pinned), comments(text));
        }
    }

    #[test]
    fn zones_take_the_place_of_those_that_were_named() {
        let shardset = ShardSet::tutorial();
        let commented = to_commented_yaml(&shardset).unwrap();
        let zones = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        for text in [commented.as_str(), include_str!("tutorial.yaml")] {
            let two = stable(&shardset).in_zones(&zones(&["eastus-1", "eastus-2"]));
            let pinned = repinned(text, &shardset, &two).unwrap();
            assert!(
                pinned.contains(
                    "- {key: topology.kubernetes.io/zone, operator: In, values: [eastus-1, eastus-2]}\n"
                ),
                "{pinned}"
            );
            let again = parse(&pinned).unwrap();
            let one = stable(&again).in_zones(&zones(&["eastus-3"]));
            let pinned = repinned(&pinned, &again, &one).unwrap();
            assert_eq!(pinned.matches("topology.kubernetes.io/zone").count(), 1, "{pinned}");
            assert!(pinned.contains("values: [eastus-3]}\n"), "{pinned}");
            let comments = |text: &str| text.lines().filter(|line| line.contains('#')).count();
            assert_eq!(comments(&pinned), comments(text));
        }
        assert_eq!(stable(&shardset).in_zones(&[]), stable(&shardset));
    }

    #[test]
    fn a_file_in_another_form_is_not_touched() {
        let shardset = ShardSet::tutorial();
        let json = serde_json::to_string(&shardset).unwrap();
        assert_eq!(repinned(&json, &shardset, &stable(&shardset)), None);
        // A pool without limits has none to replace.
        let text = include_str!("tutorial.yaml").replace("      limits: {cpu: \"80\", memory: 640Gi}\n", "");
        if let Ok(shardset) = parse(&text) {
            assert_eq!(repinned(&text, &shardset, &stable(&shardset)), None);
        }
    }
}
