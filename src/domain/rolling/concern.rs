//! Who else acts on what a run is about to change.

use std::fmt;

use super::run::Run;
use crate::domain::snapshot::Snapshot;

/// Somebody who may undo or disturb what a run does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concern {
    /// A GitOps controller keeps the StatefulSet as its repository has it.
    GitOps { controller: &'static str, name: String },
    /// An autoscaler evicts shards when it has another recommendation, and changes the requests of new pods.
    AutoscalerEvicts { name: String, mode: String },
    /// An autoscaler changes the requests of new pods.
    AutoscalerResizes { name: String },
    /// Somebody else has cordoned a node with shards on it: an upgrade of the cluster, or a drain, may be under way.
    Cordoned { node: String },
}

impl Concern {
    /// Whether the run should not begin because of it, unless told to.
    #[must_use]
    pub fn is_grave(&self) -> bool {
        !matches!(self, Self::AutoscalerResizes { .. })
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::GitOps { .. } => {
                "make the change where the controller takes it from, or suspend the controller first"
            }
            Self::AutoscalerEvicts { .. } => "set its updateMode to Off for the time of the run",
            Self::AutoscalerResizes { .. } => {
                "the plan is proved with the template's requests; set its updateMode to Off"
            }
            Self::Cordoned { .. } => "wait until that is over, or uncordon the node",
        }
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GitOps { controller, name } => {
                write!(
                    f,
                    "{controller} keeps the StatefulSet as {name} has it, and would take the new template back"
                )
            }
            Self::AutoscalerEvicts { name, mode } => write!(
                f,
                "verticalpodautoscaler/{name} has updateMode {mode}: it evicts shards of its own will"
            ),
            Self::AutoscalerResizes { name } => {
                write!(f, "verticalpodautoscaler/{name} may give the new pods other requests")
            }
            Self::Cordoned { node } => write!(
                f,
                "node/{node} carries shards and was cordoned by somebody else: an upgrade or a drain may be under way"
            ),
        }
    }
}

/// Labels and annotations by which GitOps controllers mark what they keep.
const GIT_OPS_MARKS: [(&str, &str); 4] = [
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
];

/// Who else acts on what `run` is about to change.
#[must_use]
pub fn concerns(run: &Run, snapshot: &Snapshot) -> Vec<Concern> {
    let mut found = Vec::new();
    let workload = &snapshot.workload;
    if run.arming.is_some() {
        found.extend(GIT_OPS_MARKS.into_iter().find_map(|(mark, controller)| {
            let name = workload.labels.get(mark).or_else(|| workload.annotations.get(mark))?;
            Some(Concern::GitOps { controller, name: name.clone() })
        }));
    }
    for autoscaler in snapshot.autoscalers.iter().flatten() {
        let name = autoscaler.name.clone();
        match autoscaler.update_mode.as_str() {
            "Off" => {}
            "Initial" => found.push(Concern::AutoscalerResizes { name }),
            mode => found.push(Concern::AutoscalerEvicts { name, mode: mode.to_owned() }),
        }
    }
    let carrying = snapshot.shards.iter().filter_map(|shard| snapshot.node_of(shard));
    let mut cordoned: Vec<String> = carrying
        .filter(|node| node.is_cordoned && !run.goal.avoid_nodes.contains(&node.name))
        .map(|node| node.name.to_string())
        .collect();
    cordoned.sort();
    cordoned.dedup();
    found.extend(cordoned.into_iter().map(|node| Concern::Cordoned { node }));
    found
}
