//! What `shardctl deploy` shows before it changes anything.

use std::fmt::Write as _;

use serde_json::Value;

use crate::domain::diff::Change;
use crate::domain::prerequisites::Obstacle;
use crate::domain::shardset::Phase;
use crate::render::style::Stylesheet;

/// Fields of one object shown; the others are counted. Taking over what others made changes about twenty.
const FIELDS_SHOWN: usize = 40;
/// Characters of a value shown.
const VALUE_SHOWN: usize = 60;
/// Characters of a line beyond its indentation and signs.
const LINE_WIDTH: usize = 72;

/// What applying one object would do.
#[derive(Debug)]
pub enum ObjectSummary<'a> {
    Create { name: String, is_checked: bool },
    Change { name: String, changes: &'a [Change], taken: &'a [String] },
    Same { name: String },
    LeftAlone { name: String, managers: &'a [String] },
    Blocked { name: String, reasons: &'a [String] },
}

/// What stands in the way, one paragraph each.
#[must_use]
pub fn obstacles<'a>(found: impl IntoIterator<Item = &'a Obstacle>, style: Stylesheet) -> String {
    let mut text = String::new();
    for obstacle in found {
        let mark = if obstacle.is_fatal { style.danger("cannot work:") } else { style.warning("note:") };
        let _ = writeln!(text, "{mark} {}", obstacle.problem);
        let _ = writeln!(text, "  {}", style.note(&obstacle.remedy));
    }
    text
}

/// The plan: an object a line with a sign, and the fields that change below it.
#[must_use]
pub fn plan(objects: &[ObjectSummary<'_>], destination: &str, armed: usize, style: Stylesheet) -> String {
    let mut text = format!("Plan for {}:\n", style.value(destination));
    for object in objects {
        match object {
            ObjectSummary::Create { name, is_checked } => {
                let unchecked = if *is_checked { "" } else { "  (checked once its namespace is there)" };
                let _ = writeln!(text, "  {} {name}{}", style.success("+"), style.note(unchecked));
            }
            ObjectSummary::Change { name, changes, taken } => {
                let _ = writeln!(text, "  {} {name}", style.warning("~"));
                for change in changes.iter().take(FIELDS_SHOWN) {
                    let _ = writeln!(text, "      {}", field_in_plan(change, style));
                }
                if changes.len() > FIELDS_SHOWN {
                    let _ = writeln!(text, "      and {} more fields", changes.len() - FIELDS_SHOWN);
                }
                for field in *taken {
                    let _ = writeln!(text, "      {} {field}", style.note("becomes shardctl's as it is:"));
                }
            }
            ObjectSummary::Same { name } => {
                let _ = writeln!(text, "  {} {}", style.note("="), style.note(name));
            }
            ObjectSummary::LeftAlone { name, managers } => {
                let _ = writeln!(
                    text,
                    "  {} {}",
                    style.note("="),
                    style.note(format!("{name}  (left as {} made it)", managers.join(", ")))
                );
            }
            ObjectSummary::Blocked { name, reasons } => {
                let _ = writeln!(text, "  {} {name}", style.danger("!"));
                for reason in *reasons {
                    let _ = writeln!(text, "      {reason}");
                }
            }
        }
    }
    if armed > 0 {
        let _ = writeln!(
            text,
            "{} it changes under {armed} running shards.\n  They are not touched, but whichever restarts takes the new \
             template.",
            style.warning("This arms the template:")
        );
    }
    text
}

/// A field that changes, on one line: `spec.replicas: 3 -> 4`.
#[must_use]
pub fn field(change: &Change, style: Stylesheet) -> String {
    field_with(change, " ", style)
}

/// A field that changes, on two lines where one would be longer than a terminal.
#[must_use]
pub fn field_in_plan(change: &Change, style: Stylesheet) -> String {
    let is_long = field(change, Stylesheet::new(false)).chars().count() > LINE_WIDTH;
    field_with(change, if is_long { "\n        " } else { " " }, style)
}

fn field_with(change: &Change, gap: &str, style: Stylesheet) -> String {
    let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "(none)".to_owned(), short);
    format!("{}:{gap}{} -> {}", change.path, value(&change.before), style.value(value(&change.after)))
}

#[must_use]
pub fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(VALUE_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// Which shards are one restart away from another template, and what to do about it.
#[must_use]
pub fn armed(shards: &str, count: usize, phase: Phase, style: Stylesheet) -> String {
    let (runs, moves) =
        if count == 1 { ("runs", "it restarts, it moves") } else { ("run", "one restarts, it moves") };
    format!(
        "{} {shards} {runs} an older one.\n  If {moves} to the {phase} template by itself.\n  \
         `shardctl migrate --to {phase}` moves all of them with the least outage.\n",
        style.warning("The template is armed:")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_plan_reads_without_colour() {
        let changes = [Change {
            path: "spec.template.spec.containers[shard].image".to_owned(),
            before: Some(json!("a:1")),
            after: Some(json!("a:2")),
        }];
        let managers = ["kubectl".to_owned()];
        let reasons = ["spec.minAvailable: conflict with \"kubectl\"".to_owned()];
        let objects = [
            ObjectSummary::LeftAlone { name: "namespace/shop".to_owned(), managers: &managers },
            ObjectSummary::Create { name: "nodepool/shard-stable".to_owned(), is_checked: true },
            ObjectSummary::Same { name: "service/shard".to_owned() },
            ObjectSummary::Blocked { name: "poddisruptionbudget/shard".to_owned(), reasons: &reasons },
            ObjectSummary::Change { name: "statefulset/shard".to_owned(), changes: &changes, taken: &[] },
        ];
        let text = plan(&objects, "context lab, namespace shop", 10, Stylesheet::new(false));
        let expected = "\
Plan for context lab, namespace shop:
  = namespace/shop  (left as kubectl made it)
  + nodepool/shard-stable
  = service/shard
  ! poddisruptionbudget/shard
      spec.minAvailable: conflict with \"kubectl\"
  ~ statefulset/shard
      spec.template.spec.containers[shard].image: a:1 -> a:2
This arms the template: it changes under 10 running shards.
  They are not touched, but whichever restarts takes the new template.
";
        assert_eq!(text, expected);
    }
}
