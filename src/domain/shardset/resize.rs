//! CPU and memory of a shard changed, in the file as a person wrote it.

use super::pin::{indent, is_content, key};
use super::{ShardSet, parse};
use crate::domain::quantity::Resources;

/// The text of a ShardSet file with another CPU and memory of the shard; every other line, and the comments behind these
/// two, stay as they are. None when the file is written in a way that this cannot change with certainty: what comes out is
/// read again, and must be what was wanted.
#[must_use]
pub fn resized(text: &str, shardset: &ShardSet, to: Resources) -> Option<String> {
    let mut wanted = shardset.clone();
    wanted.spec.shard.cpu = to.cpu;
    wanted.spec.shard.memory = to.memory;
    let lines: Vec<&str> = text.lines().collect();
    let is_shard = |line: &&str| {
        let line = line.split(" #").next().unwrap_or_default();
        indent(line) > 0 && line.trim() == "shard:"
    };
    let start = lines.iter().position(is_shard)?;
    let outer = indent(lines[start]);
    let end = (start + 1..lines.len()).find(|at| is_content(lines[*at]) && indent(lines[*at]) <= outer);
    let block = start + 1..end.unwrap_or(lines.len());
    let inner = block.clone().map(|at| lines[at]).find(|line| is_content(line)).map(indent)?;
    let rewritten = lines.iter().enumerate().map(|(at, line)| {
        let is_in_block = block.contains(&at);
        match key(line, inner).filter(|_| is_in_block) {
            // A number is quoted, as in every other file.
            Some("cpu") if to.cpu != shardset.spec.shard.cpu => with_value(line, &format!("\"{}\"", to.cpu)),
            Some("memory") if to.memory != shardset.spec.shard.memory => {
                with_value(line, &to.memory.to_string())
            }
            _ => (*line).to_owned(),
        }
    });
    let mut text = rewritten.collect::<Vec<String>>().join("\n");
    text.push('\n');
    (parse(&text).ok()? == wanted).then_some(text)
}

/// A line with another value and the same comment.
fn with_value(line: &str, value: &str) -> String {
    let (field, rest) = line.split_once(':').unwrap_or((line, ""));
    let comment = rest.find(" #").map_or("", |at| &rest[at..]);
    format!("{field}: {value}{comment}")
}

#[cfg(test)]
mod tests {
    use super::super::to_commented_yaml;
    use super::*;
    use crate::domain::testing::resources;

    #[test]
    fn only_two_lines_change() {
        let shardset = ShardSet::tutorial();
        let commented = to_commented_yaml(&shardset).unwrap();
        for text in [commented.as_str(), include_str!("tutorial.yaml")] {
            let smaller = resized(text, &shardset, resources("2500m", "22.25Gi")).unwrap();
            let changed: Vec<(&str, &str)> =
                text.lines().zip(smaller.lines()).filter(|(before, after)| before != after).collect();
            assert_eq!(text.lines().count(), smaller.lines().count());
            assert_eq!(
                changed.iter().map(|(_, after)| after.trim()).collect::<Vec<_>>(),
                ["cpu: \"2500m\"", "memory: 22784Mi"]
            );
            let again = parse(&smaller).unwrap();
            assert_eq!(resized(&smaller, &again, resources("4", "32Gi")).unwrap(), text, "and back");
        }
    }

    #[test]
    fn a_comment_behind_a_value_stays() {
        let text = include_str!("tutorial.yaml")
            .replace("    memory: 32Gi\n", "    memory: 32Gi   # measured in May\n")
            .replace("  shard:\n", "  shard: # one of ten\n");
        let shardset = parse(&text).unwrap();
        let larger = resized(&text, &shardset, resources("4", "40Gi")).unwrap();
        assert!(larger.contains("    memory: 40Gi # measured in May\n"), "{larger}");
        assert!(
            larger.contains("    cpu: \"4\"\n") && larger.contains("  shard: # one of ten\n"),
            "{larger}"
        );
    }

    #[test]
    fn a_file_in_another_form_is_not_touched() {
        let shardset = ShardSet::tutorial();
        let json = serde_json::to_string(&shardset).unwrap();
        assert_eq!(resized(&json, &shardset, resources("2", "16Gi")), None);
        // An anchor that another field refers to would change that one, too.
        let text = include_str!("tutorial.yaml")
            .replace("    memory: 32Gi\n", "    memory: &size 32Gi\n")
            .replace("    size: 100Gi\n", "    size: *size\n");
        let shardset = parse(&text).unwrap();
        assert_eq!(resized(&text, &shardset, resources("4", "16Gi")), None);
    }
}
