//! What a command works on: the cluster, the ShardSet file, the workload.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::context::Context;
use crate::domain::names::{WorkloadRef, nearest, parse_workload};
use crate::domain::shardset::{self, ShardSet};
use crate::domain::snapshot::Snapshot;
use crate::error::CommandError;
use crate::k8s::{Cluster, ConnectOptions, RequestLog, Scope};

/// Verbosity from which each request is logged, as in kubectl.
const LOG_REQUESTS_FROM: u8 = 6;

/// Which workload a command looks at.
#[derive(Args, Debug, Default)]
pub struct TargetArgs {
    /// The StatefulSet: NAME or statefulset/NAME; may be left out when the namespace has one
    #[arg(value_name = "WORKLOAD", value_parser = parse_workload)]
    pub workload: Option<String>,
    /// The ShardSet file of the workload; - reads standard input
    #[arg(short, long, value_name = "FILE", conflicts_with = "workload")]
    pub file: Option<PathBuf>,
}

impl TargetArgs {
    /// Connects, and finds the workload that is meant.
    ///
    /// # Errors
    /// When the file is no ShardSet, there is no cluster to connect to, or the workload is not there or not the
    /// only one.
    pub async fn resolve(&self, context: &Context) -> Result<Target, CommandError> {
        let shardset = self.file.as_deref().map(|path| read_shardset(path, context)).transpose()?;
        let cluster = connect(context).await?;
        let Some(shardset) = shardset else {
            let name = match &self.workload {
                Some(name) => name.clone(),
                None => only_workload(&cluster).await?,
            };
            let reference = WorkloadRef { namespace: cluster.namespace().to_owned(), name };
            return Ok(Target { cluster, reference, shardset: None });
        };
        let namespace = shardset.metadata.namespace.as_str();
        let reference =
            WorkloadRef { namespace: namespace.to_owned(), name: shardset.metadata.name.as_str().to_owned() };
        Ok(Target { cluster: cluster.in_namespace(namespace), reference, shardset: Some(shardset) })
    }
}

/// A workload and the way to it.
pub struct Target {
    /// The connection; its namespace is the workload's.
    pub cluster: Cluster,
    pub reference: WorkloadRef,
    pub shardset: Option<ShardSet>,
}

impl Target {
    /// Reads the workload and what `scope` asks for.
    ///
    /// # Errors
    /// When the workload or its pods cannot be read; one that is not there is explained by those that are.
    pub async fn snapshot(&self, scope: Scope) -> Result<Snapshot, CommandError> {
        match self.cluster.snapshot(&self.reference, scope).await {
            Ok(snapshot) => Ok(snapshot),
            Err(error) => Err(self.explain_missing(error).await),
        }
    }

    /// Explains a workload that is not there by those that are.
    pub async fn explain_missing(&self, error: crate::k8s::RequestError) -> CommandError {
        if !error.is_not_found() {
            return error.into();
        }
        let WorkloadRef { namespace, name } = &self.reference;
        let error = CommandError::failed(format!("there is no statefulset/{name} in namespace {namespace}"));
        match self.cluster.workload_names().await {
            Ok(names) if names.is_empty() => {
                error.hint(format!("namespace {namespace} has no StatefulSet: name another with -n"))
            }
            Ok(names) => match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean statefulset/{near}?")),
                None => error.hint(format!("namespace {namespace} has {}", names.join(", "))),
            },
            Err(_) => error.hint("name another namespace with -n"),
        }
    }
}

/// A named workload of the connection's namespace.
#[must_use]
pub fn named(cluster: &Cluster, name: &str) -> Target {
    let reference = WorkloadRef { namespace: cluster.namespace().to_owned(), name: name.to_owned() };
    Target { cluster: cluster.clone(), reference, shardset: None }
}

/// Connects with the global options. Nothing is sent yet.
///
/// # Errors
/// When there is no kubeconfig, or it does not hold what was asked for.
pub async fn connect(context: &Context) -> Result<Cluster, CommandError> {
    let global = &context.global;
    let options = ConnectOptions {
        kubeconfig: global.kubeconfig.clone(),
        context: global.context.clone(),
        cluster: global.cluster.clone(),
        user: global.user.clone(),
        namespace: global.namespace.clone(),
        impersonate: global.impersonate.clone(),
        impersonate_groups: global.impersonate_groups.clone(),
        request_timeout: global.request_timeout,
        is_local: false,
    };
    let log = (global.verbosity >= LOG_REQUESTS_FROM).then(|| {
        let ui = Arc::clone(&context.ui);
        Arc::new(move |line: &str| ui.say(line)) as RequestLog
    });
    Cluster::connect(&options, log).await
}

/// Reads a ShardSet file; `-` is standard input.
///
/// # Errors
/// When it cannot be read, or is no ShardSet; the message names the line and the nearest field.
pub fn read_shardset(path: &Path, context: &Context) -> Result<ShardSet, CommandError> {
    let shown = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(path).map(|content| bytes = content)
    };
    read.map_err(|error| {
        let error = CommandError::usage(format!("read {shown}: {}", describe(&error)));
        error.hint("`shardctl init > shardset.yaml` writes one to start from")
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        // Lines up to the first byte that is no text.
        let text = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = text.split(|byte| *byte == b'\n').count();
        CommandError::usage(format!("{shown}: line {line}: the file is not UTF-8 text"))
            .hint("save it as UTF-8; `iconv -t UTF-8` converts a file")
    })?;
    let shardset = shardset::parse(&text).map_err(|error| {
        let suggestion = error.suggestion.clone();
        let error = CommandError::usage(format!("{shown}: {error}"));
        match suggestion {
            Some(suggestion) => error.hint(suggestion),
            None => error.hint("`shardctl init` shows every field with what it means"),
        }
    })?;
    let namespace = shardset.metadata.namespace.as_str();
    match &context.global.namespace {
        Some(given) if given != namespace => Err(CommandError::usage(format!(
            "--namespace {given} contradicts {shown}, which says namespace {namespace}"
        ))
        .hint("leave out --namespace, or correct metadata.namespace in the file")),
        _ => Ok(shardset),
    }
}

/// What the operating system said, without its number.
#[must_use]
pub fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

async fn only_workload(cluster: &Cluster) -> Result<String, CommandError> {
    let mut names = cluster.workload_names().await?;
    let namespace = cluster.namespace();
    match names.len() {
        0 => Err(CommandError::usage(format!("namespace {namespace} has no StatefulSet"))
            .hint("name the namespace with -n, or a ShardSet file with -f")),
        1 => Ok(names.remove(0)),
        many => {
            Err(CommandError::usage(format!("namespace {namespace} has {many} StatefulSets: which one?"))
                .hint(format!("name one of {}", names.join(", "))))
        }
    }
}
