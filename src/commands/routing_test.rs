//! `shardctl routing-test`

mod watch;

use std::convert::Infallible;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::commands::rolling::listen;
use crate::commands::target::{Target, TargetArgs};
use crate::context::Context;
use crate::domain::finding::Severity;
use crate::domain::names::nearest;
use crate::domain::routing::{Askers, Clients, Identity, PROBE_IMAGE, Survey, diagnose};
use crate::domain::snapshot::{Snapshot, Workload};
use crate::error::{CommandError, ExitCode};
use crate::k8s::{RoutingQuestion, Scope};
use crate::ops::{Interrupt, Urgency};
use crate::options::parse_duration;
use crate::render::json;
use crate::render::report::routing::{self as render, RoutingReport};

/// How long it may take to end before it says what it waits for.
const AT_ITS_END: Duration = Duration::from_millis(500);

/// Let every shard ask every other by its stable name, and the client service, and say what is wrong
///
/// One exec session a shard asks all of them, itself included, with what its image has: python3, curl, bash, wget
/// or nc, and a shell. Every answer must come from the shard that was asked, and its name must lead to its own
/// address. Where a shard cannot ask, a probe asks in its stead: a small pod on its node, which is removed at the
/// end. Where there can be no probe either, the shard is asked through port-forward, which tests the shard and not
/// the network; the report says so.
///
/// The same sessions ask the client services as clients do, each request on a connection of its own: whether they lead
/// to every Ready shard and to no other, what fails, and whether requests are spread as they should be.
///
/// Ends with 5 when there is a finding worse than an info.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  shardctl routing-test -n shop statefulset/kafka --port 8080 --path /healthz --no-identity
  shardctl routing-test -f shardset.yaml -o junit > routing.xml
  shardctl routing-test -f shardset.yaml --from both --probe-image registry.example/busybox:1.37
  shardctl routing-test -f shardset.yaml --watch --for 10m --min-availability 99.9")]
pub struct RoutingTestArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Who asks
    #[arg(long, value_enum, value_name = "WHO", default_value_t)]
    pub from: AskFrom,
    /// Image of probes; it needs a shell, wget or nc, and nslookup
    #[arg(long, value_name = "IMAGE", default_value = PROBE_IMAGE, value_parser = parse_image)]
    pub probe_image: String,
    /// Make no pod: a shard that cannot ask is asked through port-forward
    #[arg(long, conflicts_with = "probe_image")]
    pub no_probe: bool,
    /// What to ask for
    #[arg(long, value_name = "PATH", default_value = "/api/status", value_parser = parse_path)]
    pub path: String,
    /// Port to ask at, instead of that of the readiness probe or the first that the template declares
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Where an answer says which pod it is from: json:FIELD or header:NAME
    #[arg(long, value_name = "WHERE", default_value = "json:pod", conflicts_with = "no_identity")]
    pub identity: Identity,
    /// Do not look who answers
    #[arg(long)]
    pub no_identity: bool,
    /// The client service to ask, instead of all that choose the shards and have an address of their own
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Requests of each shard to each client service, each on a connection of its own; 0 asks none
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=1000))]
    pub requests: u32,
    /// How long one answer may take, in whole seconds
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = parse_seconds)]
    pub timeout: Duration,
    /// Shards that ask at the same time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = parse_count)]
    pub concurrency: usize,
    /// Most questions a second, of all shards together
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    pub qps: u32,
    /// Domain of the cluster, instead of the one that the shards find
    #[arg(long, value_name = "DOMAIN")]
    pub cluster_domain: Option<String>,
    #[command(flatten)]
    pub watching: watch::WatchArgs,
    /// How to show the result
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: RoutingOutput,
}

/// The formats of `shardctl routing-test`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RoutingOutput {
    /// A matrix of who reaches whom, findings, and what to do about them
    #[default]
    Table,
    /// Every question on its own line
    Wide,
    /// The exact facts as one RoutingReport
    Json,
    /// The same as YAML
    Yaml,
    /// JUnit XML, a case for each check
    Junit,
}

/// Who asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AskFrom {
    /// Each shard, from inside its container; a probe in the stead of one that cannot
    #[default]
    Shards,
    /// A probe on each node that carries shards
    Probe,
    /// Shards and probes: what only one of them gets tells the shard from its node
    Both,
}

/// Questions at the same time in one session.
const WORKERS: usize = 4;

fn parse_path(text: &str) -> Result<String, String> {
    match text.starts_with('/') && text.chars().all(|char| char.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("a path begins with / and has no white space".to_owned()),
    }
}

fn parse_image(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.chars().all(|char| char.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("an image is written REGISTRY/NAME:TAG, without white space".to_owned()),
    }
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    match duration.subsec_nanos() == 0 && (1..=60).contains(&duration.as_secs()) {
        true => Ok(duration),
        false => Err("whole seconds, from 1s to 60s".to_owned()),
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| (1..=256).contains(count)).ok_or_else(|| "from 1 to 256".to_owned())
}

/// Runs `shardctl routing-test`.
///
/// # Errors
/// When the workload or its pods cannot be read, or no shard could be asked.
pub fn run(context: &Context, args: &RoutingTestArgs) -> Result<ExitCode, CommandError> {
    if args.no_probe && args.from != AskFrom::Shards {
        return Err(CommandError::usage("--no-probe contradicts --from, which asks for probes")
            .hint("leave out one of them"));
    }
    if args.watching.watch {
        watch::check(args)?;
    }
    context.block_on(async {
        let target = args.target.resolve(context).await?;
        if args.watching.watch {
            return watch::watch(context, &target, args).await;
        }
        let stop = Interrupt::default();
        let survey = tokio::select! {
            // It comes first: it tells what is left when it stops at once.
            biased;
            survey = survey(context, &target, args, &stop) => survey?,
            () = stop.beyond(Urgency::AfterStep) => return Err(CommandError::failed("stopped at once")),
            () = listen(&stop) => unreachable!("signals are listened to for ever"),
            never = say_what_is_waited_for(context, &stop) => match never {},
        };
        let findings = diagnose(&survey);
        let report = RoutingReport { survey: &survey, findings: &findings };
        let look = context.ui.look();
        context.ui.print(&match args.output {
            RoutingOutput::Table => render::table(&report, look),
            RoutingOutput::Wide => render::wide(&report, look),
            RoutingOutput::Json => json::json(&render::report(&report)),
            RoutingOutput::Yaml => json::yaml(&render::report(&report)),
            RoutingOutput::Junit => render::junit(&report),
        });
        let is_bad = findings.iter().any(|finding| finding.severity > Severity::Info);
        Ok(if is_bad { ExitCode::Findings } else { ExitCode::Done })
    })
}

/// Says why it goes on when it was told to stop, unless it ends soon.
async fn say_what_is_waited_for(context: &Context, stop: &Interrupt) -> Infallible {
    stop.beyond(Urgency::None).await;
    tokio::time::sleep(AT_ITS_END).await;
    context.ui.say("stopping, once the probes are removed; Ctrl-C again leaves them, and says which");
    std::future::pending().await
}

async fn survey(
    context: &Context,
    target: &Target,
    args: &RoutingTestArgs,
    stop: &Interrupt,
) -> Result<Survey, CommandError> {
    let (snapshot, question) = question(target, args).await?;
    let surveyed = target.cluster.survey(&snapshot, &question, stop).await?;
    for what in &surveyed.left_behind {
        let warning = context.ui.err_style().warning("warning:");
        context.ui.say(format!("{warning} a probe may be left, and ends by itself: {what}"));
    }
    let survey = surveyed.survey.ok_or_else(|| {
        let error = CommandError::failed("interrupted");
        match surveyed.left_behind.is_empty() {
            true => error,
            false => error.hint("the next `shardctl routing-test` removes what has ended by then"),
        }
    })?;
    match survey.places.is_empty() {
        true => Err(CommandError::failed(format!("no shard of {} runs", snapshot.workload.reference))
            .hint("`shardctl status` says why")),
        false => Ok(survey),
    }
}

/// What the service is, and what its shards are to ask each other.
async fn question(
    target: &Target,
    args: &RoutingTestArgs,
) -> Result<(Snapshot, RoutingQuestion), CommandError> {
    let scope = Scope { routes: true, ..Scope::default() };
    let snapshot = target.snapshot(scope).await?;
    let workload = &snapshot.workload;
    let port = args.port.or_else(|| port_of(workload)).ok_or_else(|| {
        CommandError::usage(format!("{} declares no port", workload.reference)).hint("name one with --port")
    })?;
    let question = RoutingQuestion {
        port,
        path: args.path.clone(),
        identity: (!args.no_identity).then(|| args.identity.clone()),
        timeout: args.timeout,
        concurrency: args.concurrency,
        workers: WORKERS,
        qps: args.qps,
        domain: args.cluster_domain.clone(),
        clients: match args.watching.watch {
            true => Clients::default(),
            false => clients(target, &snapshot, port, args).await?,
        },
        askers: match args.from {
            AskFrom::Shards => Askers::Shards,
            AskFrom::Probe => Askers::Probes,
            AskFrom::Both => Askers::Both,
        },
        probe_image: (!args.no_probe).then(|| args.probe_image.clone()),
    };
    Ok((snapshot, question))
}

/// The client services to ask.
async fn clients(
    target: &Target,
    snapshot: &Snapshot,
    port: u16,
    args: &RoutingTestArgs,
) -> Result<Clients, CommandError> {
    let name = args.service.as_deref();
    if args.requests == 0 {
        return match name {
            None => Ok(Clients::default()),
            Some(_) => Err(CommandError::usage("--requests 0 asks no client service")
                .hint("leave out --service, or ask")),
        };
    }
    let found = match (target.cluster.client_services(snapshot, port, args.requests, name).await, name) {
        (Ok(found), _) => found,
        (Err(error), Some(_)) => return Err(error.into()),
        (Err(error), None) => return Ok(Clients { unknown: Some(error.into()), ..Clients::default() }),
    };
    let Some(name) = name else { return Ok(found.clients) };
    if !found.clients.surveys.is_empty() {
        return Ok(found.clients);
    }
    let namespace = &snapshot.workload.reference.namespace;
    let is_in = |names: &[String]| names.iter().any(|its| its == name);
    Err(if is_in(&found.clients.elsewhere) {
        CommandError::failed(format!("no port of service/{name} leads to port {port} of the shards"))
            .hint("name the port that it leads to with --port, and what to ask there for with --path")
    } else if is_in(&found.headless) {
        CommandError::failed(format!(
            "service/{name} has no address of its own, so no proxy stands before the shards"
        ))
        .hint("name a client service, or leave --service out: each shard is asked by its own name anyway")
    } else {
        let error = CommandError::failed(format!("there is no service/{name} in namespace {namespace}"));
        match nearest(name, found.names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean service/{near}?")),
            None if found.names.is_empty() => {
                error.hint(format!("namespace {namespace} has no service with an address of its own"))
            }
            None => error.hint(format!("namespace {namespace} has {}", found.names.join(", "))),
        }
    })
}

/// The port that shards serve at, as far as the template says.
fn port_of(workload: &Workload) -> Option<u16> {
    let containers = &workload.template.containers;
    let probed = containers.iter().find_map(|container| Some(container.readiness.as_ref()?.port));
    probed.or_else(|| Some(containers.iter().find_map(|container| container.ports.first())?.port))
}
