//! The stable pool pinned to another instance type, in the file as a person wrote it.

use super::{Limits, Pool, ShardSet, parse};
use crate::domain::quantity::Resources;

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
}

/// The text of a ShardSet file with its stable pool replaced in its instance types and limits; every other line, comments
/// too, stays as it is. None when the file is written in a way that this cannot change with certainty: what comes out is
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
        at += 1;
        // What belongs to the field: deeper lines, and the items of a list, which may stand as deep as its name.
        while at < block.end
            && (indent(lines[at]) > inner || lines[at].trim_start().starts_with("- "))
            && !lines[at].trim().is_empty()
        {
            at += 1;
        }
    }
    out.extend(lines[block.end..].iter().map(ToString::to_string));
    let mut text = out.join("\n");
    text.push('\n');
    (parse(&text).ok()? == wanted).then_some(text)
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
