//! `shardctl verify`

use std::time::Duration;

use clap::{Args, ValueEnum};

use serde_json::Value;

use crate::commands::target::{Target, TargetArgs};
use crate::commands::watch::{until, watch};
use crate::context::Context;
use crate::domain::diff::changes;
use crate::domain::shardset::{Phase, ShardSet};
use crate::domain::snapshot::Unknown;
use crate::domain::verify::{Drift, Facts, Report, Selection, Severity, UnknownCheck, check_name, verify};
use crate::error::{CommandError, ExitCode};
use crate::k8s::{ApplyOptions, Cluster, RequestError, Scope};
use crate::options::parse_duration;
use crate::render::report::verify as render;
use crate::render::style::Stylesheet;

/// Check everything there is to check about a service
///
/// Reads only. Ends with 5 when there is a finding of at least the severity of --fail-on, and with 1 when there is
/// none but a check that could have made one could not run.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  shardctl verify -n shop statefulset/kafka\n  shardctl verify -f shardset.yaml \
                  --wait 5m\n  shardctl verify --only shards,pdb-allowance -o json\n  shardctl verify -o junit \
                  > verify.xml\n\n`shardctl explain` lists the checks"
)]
pub struct VerifyArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Phase that the service should be in, instead of what its annotation says
    #[arg(long, value_enum, value_name = "PHASE")]
    pub phase: Option<Phase>,
    /// How to show the result
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Output::Table)]
    pub output: Output,
    /// Look again whenever something changes, until interrupted
    #[arg(long, conflicts_with = "wait")]
    pub watch: bool,
    /// Look again until nothing fails, at most this long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub wait: Option<Duration>,
    /// Least severity of a finding that fails the command
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = Severity::Error)]
    pub fail_on: Severity,
    /// Run these checks or subjects only, can be repeated
    #[arg(long, value_name = "CHECK", value_delimiter = ',', value_parser = check_name)]
    pub only: Vec<String>,
    /// Leave out these checks or subjects, can be repeated
    #[arg(long, value_name = "CHECK", value_delimiter = ',', value_parser = check_name)]
    pub skip: Vec<String>,
    /// Do not ask the shards for their health
    #[arg(long)]
    pub no_health: bool,
}

/// How to show the result of a verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Findings, and what to do about them
    #[default]
    Table,
    /// Every finding and every check on its own line
    Wide,
    Json,
    Yaml,
    /// JUnit XML, a case for each check
    Junit,
    /// Prometheus text format
    Prometheus,
}

impl VerifyArgs {
    /// Which checks to run.
    ///
    /// # Errors
    /// Never in practice: the command line has been checked.
    pub fn selection(&self) -> Result<Selection, UnknownCheck> {
        Selection::new(self.only.clone(), self.skip.clone())
    }

    /// The report in the form that was asked for.
    #[must_use]
    pub fn show(&self, report: &Report, style: Stylesheet, width: Option<usize>) -> String {
        match self.output {
            Output::Table => render::table(report, style, width),
            Output::Wide => render::wide(report, style),
            Output::Json => render::json(report),
            Output::Yaml => render::yaml(report),
            Output::Junit => render::junit(report, self.fail_on),
            Output::Prometheus => render::prometheus(report),
        }
    }
}

/// Runs `shardctl verify`.
///
/// # Errors
/// When the workload or its pods cannot be read; anything else that cannot be read is part of the report.
pub fn run(context: &Context, args: &VerifyArgs) -> Result<ExitCode, CommandError> {
    context.block_on(async {
        let target = args.target.resolve(context).await?;
        let selection = args.selection().map_err(CommandError::usage)?;
        let look = async || verification(&target, args, &selection).await;
        let show = |report: &Report| args.show(report, context.ui.style(), context.ui.width());
        let report = match (args.watch, args.wait) {
            (true, _) => {
                let exit = |report: &Report| exit_code(report, args.fail_on);
                return watch(context, &target, look, show, Report::timeless, exit).await;
            }
            (false, None) => look().await?,
            (false, Some(longest)) => {
                let is_good = |report: &Report| exit_code(report, args.fail_on) == ExitCode::Done;
                until(&target, longest, look, is_good).await?
            }
        };
        context.ui.print(&show(&report));
        Ok(exit_code(&report, args.fail_on))
    })
}

async fn verification(
    target: &Target,
    args: &VerifyArgs,
    selection: &Selection,
) -> Result<Report, CommandError> {
    let scope = Scope { nodes: true, surroundings: true, health: !args.no_health, ..Scope::default() };
    let snapshot = target.snapshot(scope).await?;
    let mut facts = Facts::new(&snapshot);
    facts.shardset = target.shardset.as_ref();
    if args.phase.is_some() {
        facts.phase = args.phase;
    }
    if let Some(shardset) = &target.shardset {
        facts.drift = Some(match facts.phase() {
            Ok(phase) => {
                let phase = phase.unwrap_or(Phase::Explore);
                drift(&target.cluster, shardset, phase).await.map_err(Unknown::from)
            }
            Err(unknown) => Err(unknown),
        });
    }
    Ok(verify(&facts, selection))
}

/// Where the live objects are not as the file says. The server is asked what applying the file would change.
async fn drift(cluster: &Cluster, shardset: &ShardSet, phase: Phase) -> Result<Vec<Drift>, RequestError> {
    let text = |value: Option<Value>| {
        value.map_or_else(
            || "(none)".to_owned(),
            |value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            },
        )
    };
    let mut drifts = Vec::new();
    for manifest in shardset.manifests(phase) {
        let Some(live) = cluster.live(&manifest).await? else {
            drifts.push(Drift::Missing { object: manifest.to_string() });
            continue;
        };
        // Forced, or a field that somebody else set would be an error instead of a finding.
        let wanted = cluster.apply(&manifest, ApplyOptions { dry_run: true, force: true }).await?;
        drifts.extend(changes(&live, &wanted).into_iter().map(|change| Drift::Field {
            object: manifest.to_string(),
            path: change.path,
            live: text(change.before),
            wanted: text(change.after),
        }));
    }
    Ok(drifts)
}

/// How the process ends: findings weigh more than what nobody knows.
#[must_use]
pub fn exit_code(report: &Report, fail_on: Severity) -> ExitCode {
    if report.has_finding(fail_on) {
        ExitCode::Findings
    } else if report.is_blind(fail_on) {
        ExitCode::Failed
    } else {
        ExitCode::Done
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::domain::snapshot::Unknown;
    use crate::domain::testing::healthy;
    use crate::domain::verify::{Facts, verify};

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        verify: VerifyArgs,
    }

    #[test]
    fn a_check_is_named_by_id_or_subject_and_a_slip_names_the_nearest() {
        let parse =
            |args: &[&str]| Program::try_parse_from(std::iter::once("verify").chain(args.iter().copied()));
        let args = parse(&["--only", "shards,pdb-exists", "--skip", "shard-restarts"]).ok().unwrap().verify;
        assert_eq!(args.only, ["shards", "pdb-exists"]);
        assert!(args.selection().is_ok());
        let error = parse(&["--only", "pdb-exist"]).err().unwrap().to_string();
        assert!(error.contains("did you mean `pdb-exists`?"), "{error}");
    }

    #[test]
    fn findings_weigh_more_than_what_nobody_knows() {
        let mut snapshot = healthy();
        let run = |snapshot: &_| verify(&Facts::new(snapshot), &Selection::default());
        assert_eq!(exit_code(&run(&snapshot), Severity::Info), ExitCode::Done);
        snapshot.autoscalers =
            Err(Unknown { asked: "list".to_owned(), answer: "no".to_owned(), is_forbidden: false });
        assert_eq!(exit_code(&run(&snapshot), Severity::Error), ExitCode::Failed);
        snapshot.workload.template.priority_class = None;
        assert_eq!(exit_code(&run(&snapshot), Severity::Warning), ExitCode::Findings);
        assert_eq!(exit_code(&run(&snapshot), Severity::Error), ExitCode::Failed);
    }
}
