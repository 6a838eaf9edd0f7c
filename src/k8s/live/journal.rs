//! The journal: a run as a ConfigMap beside its workload. Whoever writes it must have read what was written last, so
//! that a process which lost its lock finds out at its next write.

use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};

use crate::domain::names::WorkloadRef;
use crate::domain::rolling::{RUN_LABEL, Run, RunId, WORKLOAD_LABEL};
use crate::domain::shardset::manifests::MANAGED_BY_LABEL;
use crate::k8s::client::Cluster;
use crate::k8s::error::{Failure, RequestError};

/// The key that the run is under.
const KEY: &str = "run.json";
/// The label that tells, even to a version of shardctl that cannot read the run, whether it is open.
const STATE_LABEL: &str = "shardctl.dev/run-state";
const OPEN: &str = "open";
/// Runs of a workload that are kept.
pub const KEPT_RUNS: usize = 10;

/// A run and the version of the journal that it was read from.
#[derive(Clone, Debug)]
pub struct Journalled {
    pub run: Run,
    version: Option<String>,
}

/// Where a run is written to.
pub(super) struct Journal {
    cluster: Cluster,
    api: Api<ConfigMap>,
    /// The version that was last read or written; none before the first write of a new run.
    version: Mutex<Option<String>>,
}

/// The name of the journal of a run.
#[must_use]
pub fn journal_name(workload: &str, run: &RunId) -> String {
    format!("{workload}-{run}")
}

impl Journal {
    pub fn new(cluster: &Cluster, workload: &WorkloadRef, from: Option<&Journalled>) -> Self {
        Self {
            api: Api::namespaced(cluster.client.clone(), &workload.namespace),
            cluster: cluster.clone(),
            version: Mutex::new(from.and_then(|from| from.version.clone())),
        }
    }

    fn version(&self) -> Option<String> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, written: &ConfigMap) {
        let version = written.metadata.resource_version.clone();
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = version;
    }

    /// Writes the run.
    ///
    /// # Errors
    /// A conflict when another process has written it since.
    pub async fn save(&self, run: &Run) -> Result<(), RequestError> {
        match self.write(run).await {
            // An answer that was lost on its way here makes our own write look like somebody else's.
            Err(error) if error.failure == Failure::Conflict && self.is_ours(run).await? => {
                self.write(run).await
            }
            result => result,
        }
    }

    async fn write(&self, run: &Run) -> Result<(), RequestError> {
        let name = journal_name(&run.workload.name, &run.id);
        let map = config_map(run, self.version())?;
        let parameters = PostParams { field_manager: Some("shardctl".to_owned()), ..PostParams::default() };
        let written = match map.metadata.resource_version {
            None => {
                self.cluster
                    .write(&format!("create the journal {name}"), self.api.create(&parameters, &map))
                    .await
            }
            Some(_) => {
                let replace = self.api.replace(&name, &parameters, &map);
                self.cluster.write(&format!("write the journal {name}"), replace).await
            }
        };
        self.keep(&written?);
        Ok(())
    }

    /// Whether the journal was last written by this process; if so, what it says is known now.
    async fn is_ours(&self, run: &Run) -> Result<bool, RequestError> {
        let name = journal_name(&run.workload.name, &run.id);
        let found = self.cluster.find(&format!("get the journal {name}"), || self.api.get(&name)).await?;
        let Some(found) = found else { return Ok(false) };
        let is_ours =
            parse(&found).is_some_and(|written| (written.attempt, &written.by) == (run.attempt, &run.by));
        if is_ours {
            self.keep(&found);
        }
        Ok(is_ours)
    }
}

fn config_map(run: &Run, version: Option<String>) -> Result<ConfigMap, RequestError> {
    let text = serde_json::to_string(run)
        .map_err(|error| RequestError::new("write the journal", Failure::Other, error.to_string()))?;
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    Ok(ConfigMap {
        metadata: ObjectMeta {
            name: Some(journal_name(&run.workload.name, &run.id)),
            labels: Some(
                [
                    label(MANAGED_BY_LABEL, "shardctl"),
                    label(WORKLOAD_LABEL, &run.workload.name),
                    label(RUN_LABEL, run.id.as_str()),
                    label(STATE_LABEL, if run.is_open() { OPEN } else { "closed" }),
                ]
                .into(),
            ),
            resource_version: version,
            ..ObjectMeta::default()
        },
        data: Some([(KEY.to_owned(), text)].into()),
        ..ConfigMap::default()
    })
}

fn parse(map: &ConfigMap) -> Option<Run> {
    serde_json::from_str(map.data.as_ref()?.get(KEY)?).ok()
}

impl Cluster {
    /// The runs of a workload, the newest first. A closed one that another version of shardctl wrote may be left out.
    ///
    /// # Errors
    /// When they cannot be listed, or an open one cannot be read.
    pub async fn runs(&self, workload: &WorkloadRef) -> Result<Vec<Journalled>, RequestError> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &workload.namespace);
        let selector = format!("{MANAGED_BY_LABEL}=shardctl,{WORKLOAD_LABEL}={},{RUN_LABEL}", workload.name);
        let operation = format!("list the runs of {workload} in namespace {}", workload.namespace);
        let maps = self.list(&operation, &api, ListParams::default().labels(&selector)).await?;
        let mut runs = Vec::with_capacity(maps.len());
        for map in maps {
            match parse(&map) {
                Some(run) => runs.push(Journalled { run, version: map.metadata.resource_version }),
                None if map.metadata.labels.unwrap_or_default().get(STATE_LABEL).map(String::as_str)
                    == Some(OPEN) =>
                {
                    return Err(RequestError::new(
                        format!("read the journal {}", map.metadata.name.unwrap_or_default()),
                        Failure::Other,
                        "its run is open, and another version of shardctl wrote it: end it with that one",
                    ));
                }
                None => {}
            }
        }
        runs.sort_by_key(|journalled| std::cmp::Reverse(journalled.run.started_at));
        Ok(runs)
    }

    /// Writes a run that no process works on: what was found of it, with another state.
    ///
    /// # Errors
    /// A conflict when another process has written it since.
    pub async fn save_run(&self, journalled: &Journalled) -> Result<(), RequestError> {
        Journal::new(self, &journalled.run.workload, Some(journalled)).save(&journalled.run).await
    }

    /// Deletes the journals of closed runs but the newest ones.
    ///
    /// # Errors
    /// When one cannot be deleted.
    pub async fn prune_runs(&self, workload: &WorkloadRef) -> Result<(), RequestError> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &workload.namespace);
        let closed = self.runs(workload).await?.into_iter().skip(KEPT_RUNS).filter(|one| !one.run.is_open());
        for journalled in closed {
            let name = journal_name(&workload.name, &journalled.run.id);
            let parameters = DeleteParams::default();
            let delete = api.delete(&name, &parameters);
            match self.write(&format!("delete the journal {name}"), delete).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
