//! `shardctl lab status`.

use clap::ValueEnum;
use serde::Serialize;

use super::down::parts;
use super::layout::Layout;
use super::process::Part;
use super::record::{Options, Record};
use super::{StatusArgs, starting};
use crate::context::Context;
use crate::error::{CommandError, ExitCode};
use crate::render::table::Columns;

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
}

/// Every lab of this machine.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LabList {
    api_version: &'static str,
    kind: &'static str,
    items: Vec<LabReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LabReport {
    name: String,
    /// Whether every component runs.
    up: bool,
    kubeconfig: String,
    logs: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Options>,
    components: Vec<ComponentReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ComponentReport {
    name: String,
    running: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_memory_bytes: Option<u64>,
}

impl From<&Part> for ComponentReport {
    fn from(part: &Part) -> Self {
        Self {
            name: part.name.clone(),
            running: part.pid.is_some(),
            pid: part.pid.map(|pid| pid.as_raw_nonzero().get().unsigned_abs()),
            resident_memory_bytes: part.resident_memory(),
        }
    }
}

/// Runs `shardctl lab status`.
pub fn status(context: &Context, layout: &Layout, args: &StatusArgs) -> Result<ExitCode, CommandError> {
    let mut reports = Vec::new();
    let mut problem = None;
    let names = match &args.name {
        Some(name) => vec![super::existing(layout, name)?.name().clone()],
        None => layout.names(),
    };
    for name in names {
        let lab = layout.lab(&name);
        let record = Record::read(&lab);
        let all = parts(layout, &lab);
        let components: Vec<ComponentReport> = all.iter().map(ComponentReport::from).collect();
        let complete = record.as_ref().is_some_and(|record| record.complete);
        let dead: Vec<Part> = all.into_iter().filter(|part| part.pid.is_none()).collect();
        if !dead.is_empty() && problem.is_none() {
            problem = Some(if complete {
                starting::dead(&lab, &dead)
            } else {
                CommandError::failed(format!("lab {name} was never up"))
                    .hint(format!("start it: {}", super::up_command(&name)))
                    .hint(format!("or remove what is left of it: shardctl lab down --name {name}"))
            });
        }
        reports.push(LabReport {
            name: name.to_string(),
            up: complete && components.iter().all(|component| component.running),
            kubeconfig: lab.kubeconfig().display().to_string(),
            logs: lab.logs().display().to_string(),
            created: record.as_ref().map(|record| record.created.to_string()),
            options: record.map(|record| record.options),
            components,
        });
    }
    match args.output {
        Format::Json => {
            let list = LabList { api_version: "shardctl.dev/v1alpha1", kind: "LabList", items: reports };
            let text = serde_json::to_string_pretty(&list).map_err(anyhow::Error::from)?;
            context.ui.print(&format!("{text}\n"));
        }
        Format::Table if reports.is_empty() => {
            context.ui.say("there is no lab on this machine; `shardctl lab up` starts one");
        }
        Format::Table => context.ui.print(&table(context, &reports)),
    }
    problem.map_or(Ok(ExitCode::Done), Err)
}

fn table(context: &Context, reports: &[LabReport]) -> String {
    let style = context.ui.style();
    let mut columns = Columns::new(&["lab", "component", "status", "pid", "memory"], context.ui.width());
    for report in reports {
        for component in &report.components {
            let status = if component.running { style.success("Running") } else { style.danger("Stopped") };
            columns.row([
                report.name.clone(),
                component.name.clone(),
                status,
                component.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
                component
                    .resident_memory_bytes
                    .map_or_else(|| "-".to_owned(), |bytes| format!("{}Mi", bytes >> 20)),
            ]);
        }
    }
    columns.to_string()
}
