//! `shardctl rollout history`

use clap::{Args, ValueEnum};

use crate::commands::target::TargetArgs;
use crate::context::Context;
use crate::domain::diff::changes_at;
use crate::domain::rolling::{RunId, TEMPLATE_PATH};
use crate::error::{CommandError, ExitCode};
use crate::k8s::Revision;
use crate::render::json;
use crate::render::report::rollout as report;

/// Show the runs of a workload and the revisions of its template
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    shardctl rollout history kafka -n shop\n  \
    shardctl rollout history kafka -n shop --run migrate-20261122-173015-208\n  \
    shardctl rollout history kafka -n shop --revision 3")]
pub struct HistoryArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Show the ledger of one run
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Show what one revision of the template changed
    #[arg(long, value_name = "NUMBER", conflicts_with = "run")]
    revision: Option<i64>,
    /// How to print it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Output,
}

/// The formats of `shardctl rollout history`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
    Yaml,
}

impl Output {
    fn print(self, table: impl FnOnce() -> String, report: &impl serde::Serialize) -> String {
        match self {
            Self::Table => table(),
            Self::Json => json::json(report),
            Self::Yaml => json::yaml(report),
        }
    }
}

pub(super) async fn run(context: &Context, args: &HistoryArgs) -> Result<ExitCode, CommandError> {
    let target = args.target.resolve(context).await?;
    let ui = &context.ui;
    let runs = target.cluster.runs(&target.reference).await?;
    if let Some(id) = &args.run {
        let id = RunId::named(id);
        let run = runs.iter().map(|one| &one.run).find(|run| run.id == id).ok_or_else(|| {
            CommandError::failed(format!("{} has no run {id}", target.reference))
                .hint("`shardctl rollout history` lists the runs")
        })?;
        ui.print(&args.output.print(|| crate::render::report::rolling::ledger(run, ui.look()), run));
        return Ok(ExitCode::Done);
    }
    let revisions = match target.cluster.revisions(&target.reference).await {
        Ok(revisions) => revisions,
        Err(error) => return Err(target.explain_missing(error).await),
    };
    if let Some(number) = args.revision {
        let changes = changes_of(&revisions, number)?;
        ui.print(&args.output.print(|| report::changes(number, &changes, ui.style()), &changes));
        return Ok(ExitCode::Done);
    }
    let runs: Vec<_> = runs.into_iter().map(|one| one.run).collect();
    let revisions: Vec<report::RevisionRow> = revisions
        .iter()
        .map(|revision| report::RevisionRow {
            number: revision.number,
            name: revision.name.clone(),
            created_at: revision.created_at,
            changes: changes_of(&revisions, revision.number).map_or(0, |changes| changes.len()),
        })
        .collect();
    let history = report::History { workload: &target.reference, runs: &runs, revisions: &revisions };
    let table = || report::history(&history, ui.look(), context.now());
    ui.print(&args.output.print(table, &report::history_json(&history)));
    Ok(ExitCode::Done)
}

/// What a revision changed against the one before it.
fn changes_of(revisions: &[Revision], number: i64) -> Result<Vec<crate::domain::diff::Change>, CommandError> {
    let index = revisions.iter().position(|revision| revision.number == number).ok_or_else(|| {
        let known: Vec<String> = revisions.iter().map(|revision| revision.number.to_string()).collect();
        CommandError::failed(format!("there is no revision {number}"))
            .hint(format!("there are {}", known.join(", ")))
    })?;
    let path = TEMPLATE_PATH.trim_start_matches('/').replace('/', ".");
    Ok(match revisions.get(index + 1) {
        Some(before) => changes_at(&path, &before.template, &revisions[index].template),
        None => Vec::new(),
    })
}
