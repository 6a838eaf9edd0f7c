//! Ways to break a service, and to ask what verify finds in it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::lab::{Service, eventually};

impl Service<'_> {
    fn named(&self, text: &str) -> String {
        text.replace("NAME", &self.name)
    }

    /// Runs kubectl in the namespace. Words are separated by blanks; `NAME` is the service's name.
    #[track_caller]
    pub fn k(&self, command: &str) -> String {
        let words: Vec<String> = command.split_whitespace().map(|word| self.named(word)).collect();
        self.kubectl(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Patches an object: with a list of operations, or with what is to be merged into it. The patch is written in
    /// the name of shardctl, so that the writer is no fault of its own.
    #[track_caller]
    pub fn patch(&self, object: &str, patch: &str) {
        self.patch_exactly(&self.named(object), &self.named(patch), &[]);
    }

    /// Patches the status of an object, which nobody but its controller does.
    #[track_caller]
    pub fn patch_status(&self, object: &str, patch: &str) {
        self.patch_exactly(&self.named(object), &self.named(patch), &["--subresource=status"]);
    }

    #[track_caller]
    fn patch_exactly(&self, object: &str, patch: &str, more: &[&str]) {
        let kind = if patch.starts_with('[') { "json" } else { "merge" };
        let mut args = vec!["patch", object, "--type", kind, "-p", patch, "--field-manager=shardctl"];
        args.extend(more);
        self.kubectl(&args);
    }

    /// Applies a manifest in which `NAME` is the service's name.
    #[track_caller]
    pub fn apply(&self, manifest: &str) {
        self.lab.apply(&self.named(manifest));
    }

    /// Deletes the object and keeps it in its last hours: a finalizer holds it.
    #[track_caller]
    pub fn delete_held(&self, object: &str) {
        self.patch(object, r#"{"metadata":{"finalizers":["shardctl.dev/test"]}}"#);
        self.k(&format!("delete {object} --wait=false"));
    }

    /// Lets an object go that [`Self::delete_held`] holds.
    #[track_caller]
    pub fn let_go(&self, object: &str) {
        self.patch(object, r#"{"metadata":{"finalizers":null}}"#);
    }

    /// Takes the template back to the one that the shards were deployed with. Not with `kubectl rollout undo`, which
    /// writes in its own name.
    #[track_caller]
    pub fn undo(&self) {
        let set = self.get(&format!("statefulset/{}", self.name));
        let revision = set["status"]["currentRevision"].as_str().expect("a revision");
        let mut template =
            self.get(&format!("controllerrevision/{revision}"))["data"]["spec"]["template"].take();
        template.as_object_mut().expect("a template").remove("$patch");
        let patch = format!(r#"[{{"op":"replace","path":"/spec/template","value":{template}}}]"#);
        self.patch_exactly(&self.named("statefulset/NAME"), &patch, &[]);
    }

    /// The node of a shard, as kubectl names it.
    #[track_caller]
    pub fn node_of(&self, ordinal: u32) -> String {
        let pod = self.get(&format!("pod/{}-{ordinal}", self.name));
        format!("node/{}", pod["spec"]["nodeName"].as_str().expect("the shard is on a node"))
    }

    /// The report of verify with these arguments, as JSON.
    #[track_caller]
    pub fn verified(&self, args: &[&str]) -> Value {
        let run = self.shardctl(&[&["verify", "-o", "json"], args].concat());
        let report = serde_json::from_str(&run.stdout);
        report.unwrap_or_else(|error| panic!("{error}\n{}\n{}", run.stdout, run.stderr))
    }

    /// Asserts that in the end exactly these checks find something.
    #[track_caller]
    pub fn expect(&self, what: &str, checks: &[&str]) -> Value {
        self.expect_with(&[&self.name], what, checks)
    }

    /// The same for a verify with arguments of its own.
    #[track_caller]
    pub fn expect_with(&self, args: &[&str], what: &str, checks: &[&str]) -> Value {
        let expected: BTreeSet<&str> = checks.iter().copied().collect();
        eventually(|| {
            let report = self.verified(args);
            let found = findings(&report);
            let blind = report["couldNotRun"].as_array().expect("a list");
            if found == expected && blind.is_empty() {
                return Ok(report);
            }
            Err(format!(
                "{what}: expected {expected:?}, found {found:?}\n{:#}\ncould not run: {blind:?}",
                report["findings"]
            ))
        })
    }
}

/// The checks that found something.
pub fn findings(report: &Value) -> BTreeSet<&str> {
    texts(&report["findings"], "check")
}

/// A member of each object of a list.
pub fn texts<'a>(list: &'a Value, member: &str) -> BTreeSet<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|one| one[member].as_str()).collect()
}
