//! The file that `shardctl init` writes: every field, with the description from its type as a comment.

use serde_json::{Map, Value};

use super::{ShardSet, json_schema};

/// Longest line of a comment, its indentation not counted.
const COMMENT_WIDTH: usize = 92;

/// A ShardSet as YAML with a comment above each field that has a description.
///
/// The comments are the descriptions in the JSON Schema, which are the doc comments of the types: there
/// is one text for the file, the schema and the code.
///
/// # Errors
/// When the value cannot be written as YAML.
pub fn to_commented_yaml(shardset: &ShardSet) -> Result<String, serde_saphyr::ser::Error> {
    let value = serde_json::to_value(shardset)
        .map_err(|error| serde_saphyr::ser::Error::Unexpected { msg: error.to_string() })?;
    let mut yaml = String::new();
    if let Value::Object(fields) = &value {
        write_fields(&mut yaml, fields, &json_schema(), 0)?;
    }
    Ok(yaml)
}

fn write_fields(
    yaml: &mut String,
    fields: &Map<String, Value>,
    schema: &Value,
    depth: usize,
) -> Result<(), serde_saphyr::ser::Error> {
    let indent = "  ".repeat(depth);
    for (name, value) in fields {
        let field = schema.pointer(&format!("/properties/{name}")).unwrap_or(&Value::Null);
        if depth == 1 && !yaml.ends_with(":\n") {
            yaml.push('\n');
        }
        if let Some(description) = field.get("description").and_then(Value::as_str) {
            for line in textwrap(description) {
                yaml.push_str(&format!("{indent}# {line}\n"));
            }
        }
        match value {
            Value::Object(inner) if field.get("properties").is_some() && !inner.is_empty() => {
                yaml.push_str(&format!("{indent}{name}:\n"));
                write_fields(yaml, inner, field, depth + 1)?;
            }
            value => {
                let single = Map::from_iter([(name.clone(), value.clone())]);
                for line in serde_saphyr::to_string(&single)?.lines() {
                    yaml.push_str(&format!("{indent}{line}\n"));
                }
            }
        }
    }
    Ok(())
}

/// The words of `text` in lines of at most [`COMMENT_WIDTH`] characters.
fn textwrap(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= COMMENT_WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shardset::parse;

    #[test]
    fn the_commented_file_means_the_same() {
        let shardset = ShardSet::tutorial();
        let yaml = to_commented_yaml(&shardset).unwrap();
        assert_eq!(parse(&yaml).unwrap(), shardset);
    }

    #[test]
    fn every_field_that_a_person_may_set_has_a_comment() {
        let yaml = to_commented_yaml(&ShardSet::tutorial()).unwrap();
        let lines: Vec<&str> = yaml.lines().collect();
        for field in ["replicas:", "image:", "memory:", "terminationGracePeriod:", "nodeClassRef:", "limits:"]
        {
            let at = lines.iter().position(|line| line.trim_start().starts_with(field)).unwrap();
            assert!(lines[at - 1].trim_start().starts_with('#'), "{field}");
        }
    }
}
