//! The kubeconfig, read as kubectl reads it, and told apart where it cannot be used.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{Config, Context, KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::domain::names::nearest;
use crate::domain::yaml;
use crate::error::{CommandError, innermost};

/// What helps against a kubeconfig that is not there.
const NAME_ONE: &str =
    "name one with --kubeconfig FILE, or start a cluster on this machine with `shardctl lab up`";

/// Which cluster, as whom, and how long to wait.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    pub namespace: Option<String>,
    pub impersonate: Option<String>,
    pub impersonate_groups: Vec<String>,
    /// Longest wait for one answer; zero, as in kubectl, is no limit.
    pub request_timeout: Duration,
    /// The server is on this machine: no proxy of the environment is asked.
    pub is_local: bool,
}

/// The configuration that kubectl would use, and the name of its context; none in a pod.
pub(super) async fn load(options: &ConnectOptions) -> Result<(Config, Option<String>), CommandError> {
    let Some(kubeconfig) = read(options)? else {
        let config = Config::incluster().map_err(|_| {
            CommandError::usage(
                "there is no kubeconfig: KUBECONFIG is not set and ~/.kube/config does not exist",
            )
            .hint(NAME_ONE)
        })?;
        return Ok((config, None));
    };
    let context = check_names(options, &kubeconfig)?;
    let selection = KubeConfigOptions {
        context: options.context.clone(),
        cluster: options.cluster.clone(),
        user: options.user.clone(),
    };
    match Config::from_custom_kubeconfig(kubeconfig, &selection).await {
        Ok(config) => Ok((config, Some(context))),
        Err(error) => Err(CommandError::usage(format!("use context `{context}`: {error}"))
            .hint("correct its cluster and user in the kubeconfig")),
    }
}

/// All files there are, the first to say something wins. None when no file was named and there is none at home.
fn read(options: &ConnectOptions) -> Result<Option<Kubeconfig>, CommandError> {
    if let Some(path) = &options.kubeconfig {
        return read_file(path).map(Some);
    }
    let named: Vec<PathBuf> = std::env::var_os("KUBECONFIG")
        .map(|value| std::env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    if named.is_empty() {
        let home = std::env::home_dir().map(|home| home.join(".kube/config")).filter(|path| path.exists());
        return home.map(|path| read_file(&path)).transpose();
    }
    // As in kubectl, a file of the list may be missing; all of them may not.
    let there: Vec<&PathBuf> = named.iter().filter(|path| path.exists()).collect();
    let Some((first, others)) = there.split_first() else {
        let names: Vec<String> = named.iter().map(|path| path.display().to_string()).collect();
        let names = names.join(", ");
        return Err(CommandError::usage(format!(
            "read the kubeconfig: KUBECONFIG names {names}: no such file or directory"
        ))
        .hint(NAME_ONE));
    };
    let mut merged = read_file(first)?;
    for path in others {
        merged = merged.merge(read_file(path)?).map_err(|error| {
            CommandError::usage(format!("merge the kubeconfig {}: {error}", path.display()))
                .hint("leave the file out of KUBECONFIG, or correct its apiVersion and kind")
        })?;
    }
    Ok(Some(merged))
}

fn read_file(path: &Path) -> Result<Kubeconfig, CommandError> {
    let shown = path.display();
    Kubeconfig::read_from(path).map_err(|error| match &error {
        KubeconfigError::ReadConfig(source, _) => {
            let error = CommandError::usage(format!("read the kubeconfig {shown}: {}", innermost(source)));
            match source.kind() {
                io::ErrorKind::NotFound => error.hint(NAME_ONE),
                _ => error.hint("name a file that you may read with --kubeconfig FILE"),
            }
        }
        KubeconfigError::Parse(source) => {
            CommandError::usage(format!("read the kubeconfig {shown}: {}", yaml::problem(source)))
                .hint("correct the file, or name another with --kubeconfig FILE")
        }
        other => CommandError::usage(format!("read the kubeconfig {shown}: {}", innermost(other)))
            .hint("name another with --kubeconfig FILE"),
    })
}

/// Every name that will be used must be there; the nearest one is suggested. Returns the context's.
fn check_names(options: &ConnectOptions, kubeconfig: &Kubeconfig) -> Result<String, CommandError> {
    let contexts: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    let clusters: Vec<&str> = kubeconfig.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    let users: Vec<&str> = kubeconfig.auth_infos.iter().map(|user| user.name.as_str()).collect();

    let Some(context) = options.context.as_ref().or(kubeconfig.current_context.as_ref()) else {
        return Err(CommandError::usage("the kubeconfig has no current context").hint(
            match contexts.as_slice() {
                [] => "it has no context at all: name another with --kubeconfig FILE".to_owned(),
                known => format!("choose one with --context NAME; it has {}", known.join(", ")),
            },
        ));
    };
    let origin = if options.context.is_some() { "" } else { ", its current context" };
    require(context, "context", origin, &contexts)?;
    let chosen: Option<&Context> = kubeconfig
        .contexts
        .iter()
        .find(|named| &named.name == context)
        .and_then(|named| named.context.as_ref());
    let origin = format!(", which context `{context}` names");
    match (&options.cluster, chosen) {
        (Some(given), _) => require(given, "cluster", "", &clusters)?,
        (None, Some(chosen)) => require(&chosen.cluster, "cluster", &origin, &clusters)?,
        (None, None) => {}
    }
    match (&options.user, chosen.and_then(|chosen| chosen.user.as_ref())) {
        (Some(given), _) => require(given, "user", "", &users)?,
        (None, Some(user)) if !user.is_empty() => require(user, "user", &origin, &users)?,
        (None, _) => {}
    }
    Ok(context.clone())
}

fn require(name: &str, kind: &str, origin: &str, known: &[&str]) -> Result<(), CommandError> {
    if known.contains(&name) {
        return Ok(());
    }
    let error = CommandError::usage(format!("the kubeconfig has no {kind} `{name}`{origin}"));
    Err(match nearest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => {
            error.hint(format!("it has no {kind} at all: name another with --kubeconfig FILE"))
        }
        None => error.hint(format!("it has {}", known.join(", "))),
    })
}

/// A configuration that no connection can be prepared from. `login` is the program that gives the credentials.
pub(super) fn unusable(error: &kube::Error, login: Option<&str>) -> CommandError {
    let reason = innermost(error);
    match (error, login) {
        (kube::Error::Auth(_), Some(login)) => {
            CommandError::failed(format!("get credentials from `{login}`: {reason}")).hint(format!(
                "install `{login}` or log in with it: the user of this context in the kubeconfig needs it"
            ))
        }
        _ => CommandError::failed(format!("prepare the connection: {reason}"))
            .hint("check the certificates and the user of this context in the kubeconfig"),
    }
}
