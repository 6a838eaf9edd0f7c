//! What is known about a lab between two commands.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::layout::LabFolder;
use super::ports::Ports;
use crate::error::CommandError;

/// What a lab's nodes are.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
pub enum Tier {
    /// Simulated by kwok: any number, at once, without rights
    #[default]
    Kwok,
    /// Real kubelets, containers, network and DNS: needs root, containerd and more
    Real,
}

/// How a lab was asked to be.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    /// Labs that were started before there was another are of the first.
    #[serde(default)]
    pub tier: Tier,
    /// How many nodes it has, when they are real.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u8>,
    /// How long a machine takes to appear, when machines are simulated.
    pub node_launch_seconds: u64,
    pub pod_start_milliseconds: u64,
    /// A file of sizes in Karpenter's own form, in place of the Azure catalogue.
    pub sizes: Option<PathBuf>,
}

impl Options {
    #[must_use]
    pub fn node_launch(&self) -> Duration {
        Duration::from_secs(self.node_launch_seconds)
    }

    #[must_use]
    pub fn pod_start(&self) -> Duration {
        Duration::from_millis(self.pod_start_milliseconds)
    }
}

/// The record of one lab.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub created: Timestamp,
    /// The key of the build that it runs.
    pub build: String,
    pub options: Options,
    pub ports: Ports,
    /// The shard server that was found when the lab was started.
    pub shard_server: Option<PathBuf>,
    /// Whether it was ever up; one that never was is started from scratch.
    pub complete: bool,
}

impl Record {
    /// The record of a lab; none when there is no such lab or it cannot be understood.
    #[must_use]
    pub fn read(lab: &LabFolder) -> Option<Self> {
        serde_json::from_slice(&fs::read(lab.record()).ok()?).ok()
    }

    /// Writes the record so that a reader never sees half of it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, lab: &LabFolder) -> Result<(), CommandError> {
        let path = lab.record();
        let partial = path.with_extension("partial");
        let text = serde_json::to_vec_pretty(self).context("encode the lab's record")?;
        fs::write(&partial, text)
            .and_then(|()| fs::rename(&partial, &path))
            .with_context(|| format!("write {}", path.display()))?;
        Ok(())
    }
}
