//! What differs between two objects, field by field, as a person would name the fields.

use serde_json::Value;

/// One field that differs.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Change {
    /// The field: `spec.template.spec.containers[shard].image`.
    pub path: String,
    /// What it was; none when it is new.
    pub before: Option<Value>,
    /// What it will be; none when it goes.
    pub after: Option<Value>,
}

/// Fields of an object's metadata that the server writes, and that say nothing about what was asked for.
const SERVER_METADATA: [&str; 6] =
    ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];

/// The fields in which two objects differ, what the server writes left out.
#[must_use]
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", Some(&asked_for(before)), Some(&asked_for(after)), &mut changes);
    changes
}

/// The fields in which two values differ, named as parts of `path`.
#[must_use]
pub fn changes_at(path: &str, before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(path, Some(before), Some(after), &mut changes);
    changes
}

fn asked_for(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|field, _| !SERVER_METADATA.contains(&field.as_str()));
        }
    }
    object
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, old.get(key), new.get(key), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => match (keys(old), keys(new)) {
            (Some(old_keys), Some(new_keys)) => {
                let added = new_keys.iter().filter(|key| !old_keys.contains(key));
                for key in old_keys.iter().chain(added) {
                    let find = |keys: &[String], items: &[Value]| {
                        keys.iter().position(|one| one == key).and_then(|at| items.get(at)).cloned()
                    };
                    let path = format!("{path}[{key}]");
                    compare(&path, find(&old_keys, old).as_ref(), find(&new_keys, new).as_ref(), changes);
                }
            }
            _ if old.iter().chain(new).any(Value::is_object) => {
                for at in 0..old.len().max(new.len()) {
                    compare(&format!("{path}[{at}]"), old.get(at), new.get(at), changes);
                }
            }
            _ => push(path, before, after, changes),
        },
        _ => push(path, before, after, changes),
    }
}

fn push(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    changes.push(Change { path: path.to_owned(), before: before.cloned(), after: after.cloned() });
}

/// What tells the items of a list apart, if something does: their names, keys, mount paths or types.
fn keys(items: &[Value]) -> Option<Vec<String>> {
    if items.is_empty() {
        return Some(Vec::new());
    }
    ["name", "key", "mountPath", "containerPort", "type"].iter().find_map(|field| {
        let mut keys = Vec::with_capacity(items.len());
        for item in items {
            let key = match item.get(field)? {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            if keys.contains(&key) {
                return None;
            }
            keys.push(key);
        }
        Some(keys)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(before: &Value, after: &Value) -> Vec<String> {
        changes(before, after).into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn fields_are_named_as_people_name_them() {
        let before =
            json!({"spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b"}], "args": ["1"]}});
        let after =
            json!({"spec": {"containers": [{"name": "b"}, {"name": "a", "image": "x:2"}], "args": ["2"]}});
        assert_eq!(paths(&before, &after), ["spec.containers[a].image", "spec.args"]);
    }

    #[test]
    fn added_and_removed_fields_are_told_apart() {
        let found = changes(&json!({"a": 1, "b": 2}), &json!({"b": 2, "c": 3}));
        assert_eq!(found[0], Change { path: "a".into(), before: Some(json!(1)), after: None });
        assert_eq!(found[1], Change { path: "c".into(), before: None, after: Some(json!(3)) });
    }

    #[test]
    fn what_the_server_writes_is_left_out() {
        let before = json!({"metadata": {"managedFields": [{"time": "1"}], "labels": {"a": "b"}}, "status": {"replicas": 1}});
        let after = json!({"metadata": {"managedFields": [{"time": "2"}], "labels": {"a": "c"}}, "status": {"replicas": 2}});
        assert_eq!(paths(&before, &after), ["metadata.labels.a"]);
    }

    #[test]
    fn items_with_the_same_key_are_compared_by_position() {
        let before =
            json!([{"key": "cpu", "operator": "Gt"}, {"key": "cpu", "operator": "Lt", "values": ["3"]}]);
        let after =
            json!([{"key": "cpu", "operator": "Gt"}, {"key": "cpu", "operator": "Lt", "values": ["4"]}]);
        assert_eq!(paths(&before, &after), ["[1].values"]);
    }
}
