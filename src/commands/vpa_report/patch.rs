//! The proposal on its way into the ShardSet file, or into a command. A shard gets it by `shardctl upgrade`, never here.

use std::path::Path;

use super::VpaReportArgs;
use crate::commands::deploy::DryRun;
use crate::commands::target::{Target, describe};
use crate::commands::write::replace_file;
use crate::context::Context;
use crate::domain::quantity::Resources;
use crate::domain::shardset::manifests::CONTAINER_NAME;
use crate::domain::shardset::{ShardSet, resized};
use crate::domain::vpa::{Judged, OfContainer, Resource};
use crate::error::{CommandError, ExitCode};

pub(super) fn patch(
    context: &Context,
    args: &VpaReportArgs,
    target: &Target,
    judged: &Judged,
) -> Result<ExitCode, CommandError> {
    if !judged.is_advised() {
        let found = judged.findings.first().map(ToString::to_string).unwrap_or_default();
        let error = CommandError::refused(format!("there is no recommendation to go by: {found}"));
        let advice = judged.findings.first().map(|finding| finding.advice());
        return Err(error.hint(advice.unwrap_or("run it without --patch to see what is known")));
    }
    if !judged.is_believed() && !args.despite_doubts {
        let doubts = judged.containers.iter().flat_map(|container| {
            container.doubts.iter().map(|doubt| format!("{}: {doubt}", container.name))
        });
        let doubts = doubts.collect::<Vec<String>>().join("; ");
        return Err(CommandError::refused(format!(
            "the recommendation is not believed; nothing was changed: {doubts}"
        ))
        .hint("--despite-doubts takes the proposal all the same"));
    }
    match (&target.shardset, args.target.file.as_deref()) {
        (Some(shardset), Some(path)) => into_file(context, args, judged, shardset, path),
        _ => as_command(context, target, judged),
    }
}

fn into_file(
    context: &Context,
    args: &VpaReportArgs,
    judged: &Judged,
    shardset: &ShardSet,
    path: &Path,
) -> Result<ExitCode, CommandError> {
    let name = shardset.spec.shard.container_name.as_deref().unwrap_or(CONTAINER_NAME);
    let container = judged.containers.iter().find(|container| container.name == name);
    let now = Resources { cpu: shardset.spec.shard.cpu, memory: shardset.spec.shard.memory };
    let Some(to) = container.and_then(|container| proposed(container, now)) else {
        return Err(CommandError::refused(format!("nothing is proposed for container {name}"))
            .hint("run it without --patch to see what is known"));
    };
    let shown = path.display();
    let snippet = format!("    cpu: \"{}\"\n    memory: {}\n", to.cpu, to.memory);
    if to == now {
        context.ui.print(&format!("{shown} says {} CPU and {} already\n", to.cpu, to.memory));
        return Ok(ExitCode::Done);
    }
    if path == Path::new("-") {
        context.ui.print(&format!("  shard:\n{snippet}"));
        return Ok(ExitCode::Done);
    }
    let failed = |what: &str, error: &std::io::Error| {
        CommandError::failed(format!("{what} {shown}: {}", describe(error)))
            .hint(format!("put this under spec.shard by hand:\n{snippet}"))
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed("read", &error))?;
    let Some(written) = resized(&text, shardset, to) else {
        return Err(CommandError::refused(format!(
            "{shown} is written in a form that cannot be changed with certainty; it was not touched"
        ))
        .hint(format!("put this under spec.shard by hand:\n{snippet}")));
    };
    for (before, after) in text.lines().zip(written.lines()).filter(|(before, after)| before != after) {
        context.ui.print(&format!("- {before}\n+ {after}\n"));
    }
    if args.dry_run != DryRun::None {
        context.ui.say(format!("{shown} was not changed (dry run)"));
        return Ok(ExitCode::Done);
    }
    replace_file(path, &written).map_err(|error| failed("write", &error))?;
    context.ui.say(format!(
        "{shown} is written; shards get it by `shardctl upgrade -f {shown}`, and `shardctl plan -f {shown}` says whether \
         another size fits better now"
    ));
    Ok(ExitCode::Done)
}

/// The command that gives shards the proposal; where there are several containers, the change for each.
fn as_command(context: &Context, target: &Target, judged: &Judged) -> Result<ExitCode, CommandError> {
    let changes: Vec<(&OfContainer, Resources, Resources)> = judged
        .containers
        .iter()
        .filter_map(|container| {
            let amount = |resource: Resource| container.of(resource).request.unwrap_or_default();
            let now = Resources { cpu: amount(Resource::Cpu), memory: amount(Resource::Memory) };
            Some((container, now, proposed(container, now)?))
        })
        .collect();
    let is_limited_alike =
        |container: &OfContainer| container.resources.iter().all(|of| of.request == of.limit);
    let reference = &target.reference;
    if changes.iter().all(|(container, now, to)| now == to && is_limited_alike(container)) {
        context.ui.print(&format!("{reference} requests what is proposed already\n"));
        return Ok(ExitCode::Done);
    }
    if let ([(_, _, to)], [_]) = (changes.as_slice(), judged.containers.as_slice()) {
        context.ui.print(&format!(
            "shardctl upgrade {} -n {} --set-resources cpu={},memory={}\n",
            reference.name, reference.namespace, to.cpu, to.memory
        ));
        return Ok(ExitCode::Done);
    }
    context.ui.say(format!("the pod has several containers; set in the template of {reference}:"));
    for (container, _, to) in changes {
        let amounts = format!("{{cpu: \"{}\", memory: {}}}", to.cpu, to.memory);
        context.ui.print(&format!(
            "- name: {}\n  resources:\n    requests: {amounts}\n    limits: {amounts}\n",
            container.name
        ));
    }
    Ok(ExitCode::Done)
}

/// What is proposed for a container, beside what it has of the other resource; none when nothing is.
fn proposed(container: &OfContainer, now: Resources) -> Option<Resources> {
    let of = |resource: Resource| container.of(resource).proposed.map(|proposed| proposed.amount);
    let (cpu, memory) = (of(Resource::Cpu), of(Resource::Memory));
    if cpu.is_none() && memory.is_none() {
        return None;
    }
    let to = Resources { cpu: cpu.unwrap_or(now.cpu), memory: memory.unwrap_or(now.memory) };
    // A container that requests nothing of the other resource cannot be Guaranteed by this alone.
    (to.cpu.is_positive() && to.memory.is_positive()).then_some(to)
}
