//! Changes of fields that are undone: what was there, what is there meanwhile, and how to get from one to the other.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An object of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    pub api_version: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
}

impl ObjectRef {
    /// A reference from its parts.
    #[must_use]
    pub fn new(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.to_ascii_lowercase(), self.name)
    }
}

/// Why a field is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Hold {
    /// Karpenter may not disrupt the nodes of a pool.
    FrozenPool,
    /// No new pods on a node that is emptied. It stays when the drain is done, as with kubectl.
    Cordon,
    /// A disruption budget lets pods be evicted.
    RelaxedBudget,
    /// The StatefulSet makes new pods of another template. It stays when the run is done.
    Template,
}

impl Hold {
    /// Whether the change is what the run is for, and is taken back only when the run is aborted.
    #[must_use]
    pub fn is_purpose(self) -> bool {
        matches!(self, Self::Cordon | Self::Template)
    }
}

/// One field, by JSON pointer, before and during a change; none where it is not set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    pub path: String,
    pub before: Option<Value>,
    pub during: Option<Value>,
}

/// Fields of an object that are something else for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub object: ObjectRef,
    pub hold: Hold,
    pub fields: Vec<FieldChange>,
}

/// A field that is neither what it was nor what we made of it: somebody else has changed it since.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("somebody else has changed {path} of {object}; it is left as it is")]
pub struct Foreign {
    pub object: ObjectRef,
    /// The field: `spec.disruption.budgets`.
    pub path: String,
}

/// Where a StatefulSet has its template.
pub const TEMPLATE_PATH: &str = "/spec/template";

/// One operation of a JSON patch (RFC 6902).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum PatchOperation {
    Add { path: String, value: Value },
    Replace { path: String, value: Value },
    Remove { path: String },
}

impl Change {
    /// A change of one field of `live`; none when it is so already.
    #[must_use]
    pub fn of(
        object: ObjectRef,
        hold: Hold,
        live: &Value,
        path: &str,
        during: Option<Value>,
    ) -> Option<Self> {
        let before = live.pointer(path).cloned();
        (!is_alike(before.as_ref(), during.as_ref())).then(|| Self {
            object,
            hold,
            fields: vec![FieldChange { path: path.to_owned(), before, during }],
        })
    }

    /// The template that the change gives to a StatefulSet, if it gives it one.
    #[must_use]
    pub fn template(&self) -> Option<&Value> {
        self.fields.iter().find(|field| field.path == TEMPLATE_PATH)?.during.as_ref()
    }

    /// Takes what is there now for what is given back later.
    pub fn rebase(&mut self, live: &Value) {
        for field in &mut self.fields {
            field.before = live.pointer(&field.path).cloned();
        }
    }

    /// Whether `live` is as the change makes it.
    #[must_use]
    pub fn is_made(&self, live: &Value) -> bool {
        self.fields.iter().all(|field| is_alike(live.pointer(&field.path), field.during.as_ref()))
    }

    /// What makes the change to `live`, which must still be what it is now; empty when it is made.
    ///
    /// # Errors
    /// When a field is neither as it was nor as the change makes it.
    pub fn make(&self, live: &Value) -> Result<Vec<PatchOperation>, Foreign> {
        self.patch(live, |field| (&field.before, &field.during))
    }

    /// What takes the change back; empty when nothing is left of it.
    ///
    /// # Errors
    /// When a field is neither as it was nor as the change made it.
    pub fn undo(&self, live: &Value) -> Result<Vec<PatchOperation>, Foreign> {
        self.patch(live, |field| (&field.during, &field.before))
    }

    fn patch(
        &self,
        live: &Value,
        direction: impl Fn(&FieldChange) -> (&Option<Value>, &Option<Value>),
    ) -> Result<Vec<PatchOperation>, Foreign> {
        let mut operations = Vec::new();
        for field in &self.fields {
            let found = live.pointer(&field.path);
            let (from, to) = direction(field);
            if is_alike(found, to.as_ref()) {
                continue;
            }
            if !is_alike(found, from.as_ref()) {
                let path = field.path.trim_start_matches('/').replace('/', ".").replace("~1", "/");
                return Err(Foreign { object: self.object.clone(), path });
            }
            let path = field.path.clone();
            operations.extend(match (found, to) {
                (_, None) => vec![PatchOperation::Remove { path }],
                (Some(_), Some(value)) => vec![PatchOperation::Replace { path, value: value.clone() }],
                (None, Some(value)) => {
                    let mut operations = missing_parent(live, &path);
                    operations.push(PatchOperation::Add { path, value: value.clone() });
                    operations
                }
            });
        }
        if !operations.is_empty()
            && let Some(version) = live.pointer("/metadata/resourceVersion")
        {
            // The server refuses a patch that names another version than the one it has: nobody's change is lost.
            let path = "/metadata/resourceVersion".to_owned();
            operations.push(PatchOperation::Replace { path, value: version.clone() });
        }
        Ok(operations)
    }
}

/// A JSON patch adds to an object that is there: what makes the parent of `path`, if it is missing.
fn missing_parent(live: &Value, path: &str) -> Vec<PatchOperation> {
    match path.rsplit_once('/') {
        Some((parent, _)) if !parent.is_empty() && live.pointer(parent).is_none() => {
            vec![PatchOperation::Add { path: parent.to_owned(), value: json!({}) }]
        }
        _ => Vec::new(),
    }
}

/// Equal as Kubernetes takes it: a field that is not set, null and false are one and the same.
fn is_alike(one: Option<&Value>, other: Option<&Value>) -> bool {
    let meant = |value: Option<&Value>| match value {
        None | Some(Value::Null | Value::Bool(false)) => None,
        Some(value) => Some(value.clone()),
    };
    meant(one) == meant(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cordon(live: &Value) -> Option<Change> {
        let node = ObjectRef::new("v1", "Node", None, "n1");
        Change::of(node, Hold::Cordon, live, "/spec/unschedulable", Some(json!(true)))
    }

    fn apply(live: &mut Value, operations: &[PatchOperation]) {
        let patch: json_patch::Patch =
            serde_json::from_value(serde_json::to_value(operations).unwrap()).unwrap();
        json_patch::patch(live, &patch).unwrap();
    }

    #[test]
    fn a_change_is_made_and_undone_and_neither_twice() {
        let original = json!({"metadata": {"resourceVersion": "7"}, "spec": {}});
        let mut live = original.clone();
        let change = cordon(&live).unwrap();
        let made = change.make(&live).unwrap();
        apply(&mut live, &made);
        assert_eq!(live.pointer("/spec/unschedulable"), Some(&json!(true)));
        assert!(change.is_made(&live));
        assert_eq!(change.make(&live), Ok(Vec::new()));
        let undone = change.undo(&live).unwrap();
        apply(&mut live, &undone);
        assert_eq!(live, original);
        assert_eq!(change.undo(&live), Ok(Vec::new()));
    }

    #[test]
    fn a_parent_that_is_missing_is_made() {
        let mut live = json!({"metadata": {"resourceVersion": "7"}});
        let change = cordon(&live).unwrap();
        let made = change.make(&live).unwrap();
        apply(&mut live, &made);
        assert_eq!(live.pointer("/spec/unschedulable"), Some(&json!(true)));
    }

    #[test]
    fn what_is_so_already_is_no_change() {
        assert_eq!(cordon(&json!({"spec": {"unschedulable": true}})), None);
        let pool = ObjectRef::new("v1", "Node", None, "n1");
        let open = Change::of(pool, Hold::Cordon, &json!({}), "/spec/unschedulable", Some(json!(false)));
        assert_eq!(open, None);
    }

    #[test]
    fn what_somebody_else_made_of_it_is_left_alone() {
        let budgets = |nodes: &str| json!({"spec": {"disruption": {"budgets": [{"nodes": nodes}]}}});
        let pool = ObjectRef::new("karpenter.sh/v1", "NodePool", None, "stable");
        let during = Some(json!([{"nodes": "0"}]));
        let path = "/spec/disruption/budgets";
        let change = Change::of(pool, Hold::FrozenPool, &budgets("10%"), path, during).unwrap();
        let foreign = change.undo(&budgets("3")).unwrap_err();
        assert_eq!(
            foreign.to_string(),
            "somebody else has changed spec.disruption.budgets of nodepool/stable; it is left as it is"
        );
        assert_eq!(change.make(&budgets("3")), Err(foreign));
        assert!(change.undo(&budgets("0")).is_ok());
    }

    #[test]
    fn a_patch_names_the_version_that_it_was_made_for() {
        let live = json!({"metadata": {"resourceVersion": "7"}, "spec": {}});
        let last = cordon(&live).unwrap().make(&live).unwrap().pop();
        let path = "/metadata/resourceVersion".to_owned();
        assert_eq!(last, Some(PatchOperation::Replace { path, value: json!("7") }));
    }
}
