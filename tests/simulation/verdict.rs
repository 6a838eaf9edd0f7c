//! Judges how a process ended, and how the run did.

use std::time::Duration;

use serde_json::Value;
use shardctl::domain::rolling::{ObjectRef, Operation, Run, State, StopReason};
use shardctl::ops::Ended;

use crate::checker::{Guarantee, TrueOutage, Violation};
use crate::schedule::{CallFault, Fault, Ms, seconds};
use crate::world::objects::{
    BUDGETS_PATH, EXPLORE, PodKey, STABLE, budget_ref, ms, node_ref, pool_ref, timestamp,
};
use crate::world::{Cause, World};

type Verdict = Result<(), Violation>;

fn broken(guarantee: Guarantee, what: impl Into<String>) -> Verdict {
    Err(Violation { guarantee, what: what.into() })
}

/// How a process ended: what it left, why it stopped, what it measured.
pub fn of_process(world: &mut World, process: usize, ended: &Ended) -> Verdict {
    let run = &ended.run;
    let has_lost_lock = world.processes[process].has_lost_lock;
    if let State::Stopped { why } = &run.state {
        explained(world, why)?;
    }
    if let Some(error) = &ended.left
        && !world.causes.contains(&Cause::Call)
        && !has_lost_lock
    {
        return broken(Guarantee::LeavesNothing, format!("it could not give everything back: {error}"));
    }
    if run.state == (State::Stopped { why: StopReason::LockLost }) || has_lost_lock {
        return Ok(());
    }
    if ended.left.is_none() {
        let journalled = world.journal.as_ref().map(|journal| &journal.run.state);
        if journalled != Some(&run.state) {
            return broken(
                Guarantee::Resumable,
                format!("it ended {:?}, the journal says {journalled:?}", run.state),
            );
        }
        nothing_is_left(world, run)?;
        if matches!(run.state, State::Aborted { .. }) {
            is_disarmed(world, run)?;
        }
    }
    match process {
        0 => ledger(world, run),
        _ => nothing_is_invented(world, run),
    }
}

/// What the run held is given back.
fn nothing_is_left(world: &World, run: &Run) -> Verdict {
    let places: Vec<String> = world
        .pods
        .keys()
        .filter(|key| matches!(key, PodKey::Place { .. }))
        .map(|key| key.name().to_string())
        .collect();
    if !places.is_empty() {
        return broken(Guarantee::LeavesNothing, format!("placeholders are left: {places:?}"));
    }
    if let Some(class) = world.objects.keys().find(|object| object.kind == "PriorityClass") {
        return broken(Guarantee::LeavesNothing, format!("{class} is left"));
    }
    for (object, path) in [
        (pool_ref(EXPLORE), BUDGETS_PATH),
        (pool_ref(STABLE), BUDGETS_PATH),
        (budget_ref(), "/spec/maxUnavailable"),
    ] {
        given_back(world, run, &object, path)?;
    }
    Ok(())
}

fn given_back(world: &World, run: &Run, object: &ObjectRef, path: &str) -> Verdict {
    let field = |object: Option<&Value>| object.and_then(|object| object.pointer(path)).cloned();
    let (before, now) = (field(world.original.get(object)), field(world.objects.get(object)));
    // What somebody else has made of it is theirs.
    let wanted = world.checker.foreign.get(object).cloned().or(before.clone());
    if now == wanted {
        return Ok(());
    }
    let told = if run.left_behind.is_empty() { "" } else { ", and it says so" };
    broken(Guarantee::LeavesNothing, format!("{object} has {now:?} at {path}, and had {before:?}{told}"))
}

/// An aborted run has taken back what it was for.
fn is_disarmed(world: &World, run: &Run) -> Verdict {
    let set = crate::world::objects::set_ref();
    let template =
        |object: Option<&Value>| object.and_then(|object| object.pointer("/spec/template")).cloned();
    let is_restored = template(world.original.get(&set)) == template(world.objects.get(&set));
    if !is_restored && !world.causes.contains(&Cause::TemplateChanged) {
        return broken(Guarantee::Disarmed, "the run is aborted, and the template is still the new one");
    }
    if let Operation::Drain { nodes } = &run.operation {
        for node in nodes {
            if world.is_cordoned(node) && !world.checker.foreign.contains_key(&node_ref(node)) {
                return broken(
                    Guarantee::LeavesNothing,
                    format!("the run is aborted, and node/{node} is still cordoned"),
                );
            }
        }
    }
    Ok(())
}

/// How the run ended.
pub fn at_the_end(world: &mut World, run: &Run) -> Verdict {
    if run.state != State::Done {
        return Ok(());
    }
    let seen = world.truth();
    for ordinal in run.shards() {
        let Some(pod) = seen.pods.get(&ordinal).filter(|pod| pod.node.is_some()) else { continue };
        if let Some(miss) = run.goal.misses(pod, &seen) {
            return broken(
                Guarantee::Ends,
                format!("the run is done, and {}: {miss}", PodKey::Shard(ordinal).name()),
            );
        }
    }
    let down = world.down();
    let is_foreign = [
        Cause::ShardDown,
        Cause::NodeVanished,
        Cause::PodFails,
        Cause::Scaled,
        Cause::Watch,
        // The set was made anew while the run was letting go.
        Cause::Replaced,
    ];
    if !down.is_empty() && !is_foreign.iter().any(|cause| world.causes.contains(cause)) {
        return broken(Guarantee::Ends, format!("the run is done, and {down:?} are down"));
    }
    Ok(())
}

/// A run that stops when everything is mended stops because of what cannot be mended.
pub fn of_final_stop(world: &World, ended: &Ended) -> Verdict {
    let is_for_good = [Cause::TemplateChanged, Cause::Scaled, Cause::StrategyChanged, Cause::Replaced];
    let task = &world.schedule.task;
    let has_budget = task.max_outage.is_some() || task.max_total_outage.is_some();
    if has_budget || is_for_good.iter().any(|cause| world.causes.contains(cause)) {
        return Ok(());
    }
    broken(Guarantee::Resumable, format!("everything is mended, and the run stops: {:?}", ended.run.state))
}

/// A run stops for a reason that there is.
fn explained(world: &World, why: &StopReason) -> Verdict {
    let task = &world.schedule.task;
    let happened = |causes: &[Cause]| causes.iter().any(|cause| world.causes.contains(cause));
    let down =
        [Cause::ShardDown, Cause::PodFails, Cause::NodeVanished, Cause::ControllerStalls, Cause::NoNewNodes];
    let text = why.to_string();
    let has = |part: &str| text.contains(part);
    let is_explained = match why {
        StopReason::Interrupted => happened(&[Cause::Interrupted]),
        StopReason::LockLost => happened(&[Cause::LockLost]),
        StopReason::Crashed => happened(&[Cause::Crashed]),
        StopReason::Blocked(_) if has("is gone") || has("was made anew") => happened(&[Cause::Replaced]),
        StopReason::Blocked(_) if has("shards now, the run was planned") => happened(&[Cause::Scaled]),
        StopReason::Blocked(_) if has("changed its template") => happened(&[Cause::TemplateChanged]),
        StopReason::Blocked(_) if has("its update strategy is") => happened(&[Cause::StrategyChanged]),
        StopReason::Blocked(_) if has("has not taken note") => happened(&[Cause::ControllerStalls]),
        StopReason::Blocked(_) if has("no room within") => {
            happened(&[Cause::NoNewNodes, Cause::PlaceholderGone, Cause::NodeVanished])
        }
        StopReason::Blocked(_) if has("will not come up") => happened(&[Cause::PodFails, Cause::NoNewNodes]),
        StopReason::Blocked(_) if has("came back on node") => {
            happened(&[Cause::Uncordoned, Cause::TemplateChanged])
        }
        StopReason::Blocked(_) if has("came back from revision") => happened(&[Cause::TemplateChanged]),
        StopReason::Blocked(_)
            if has("not back within") || has("not by our hand") || has("down again and again") =>
        {
            // The last answer of a shard that refused for long may have been good.
            happened(&down) || has("not back within") && happened(&[Cause::GateRefuses])
        }
        StopReason::Blocked(_) if has("says that it is not well") => {
            happened(&[Cause::GateRefuses]) || happened(&down)
        }
        StopReason::Blocked(_) if has("--max-outage") => task.max_outage.is_some(),
        StopReason::Blocked(_) if has("--max-total-outage") => task.max_total_outage.is_some(),
        StopReason::Blocked(_) if has("other pods are still") => happened(&[Cause::BudgetIsFull]),
        StopReason::Blocked(_) if has("somebody else has changed spec.template of") => {
            happened(&[Cause::TemplateChanged])
        }
        StopReason::Blocked(_) if has("somebody else has changed") => happened(&[Cause::BudgetsChanged]),
        StopReason::Blocked(_) => happened(&[Cause::Call]),
    };
    match is_explained {
        true => Ok(()),
        false => broken(Guarantee::Ends, format!("it stops for a reason that there is not: {text}")),
    }
}

/// The ledger says what was, as far as whoever watches can know.
fn ledger(world: &World, run: &Run) -> Verdict {
    let (start, now) = (ms(run.started_at), world.now);
    let Some(tolerance) = tolerance(world) else { return Ok(()) };
    let measured: Vec<TrueOutage> = run
        .ledger
        .outages
        .iter()
        .map(|one| TrueOutage { from: ms(one.started_at), to: one.ended_at.map(ms) })
        .collect();
    let truth: Vec<TrueOutage> = world
        .checker
        .outages
        .iter()
        .filter(|outage| outage.to.unwrap_or(now) > start)
        .map(|one| TrueOutage { from: one.from.max(start), to: one.to })
        .collect();
    let overlap = |one: &TrueOutage, other: &TrueOutage| {
        one.from <= other.to.unwrap_or(now) + tolerance && other.from <= one.to.unwrap_or(now) + tolerance
    };
    for outage in &truth {
        let length = outage.to.unwrap_or(now) - outage.from;
        if length > 2 * tolerance && !measured.iter().any(|one| overlap(one, outage)) {
            return broken(Guarantee::Ledger, format!("the outage at {} is missing", seconds(outage.from)));
        }
    }
    for outage in &measured {
        if !truth.iter().any(|one| overlap(one, outage)) {
            return broken(Guarantee::Ledger, format!("there was no outage at {}", seconds(outage.from)));
        }
    }
    let sum = |outages: &[TrueOutage]| -> Ms {
        outages.iter().map(|outage| outage.to.unwrap_or(now).saturating_sub(outage.from)).sum()
    };
    let (is, was) = (sum(&measured), sum(&truth));
    let boundaries = 2 * Ms::try_from(truth.len().max(measured.len())).unwrap_or(0);
    if is.abs_diff(was) > boundaries * tolerance {
        let within = seconds(boundaries * tolerance);
        let what = format!("it measured {} of {}; within {within} was possible", seconds(is), seconds(was));
        return broken(Guarantee::Ledger, what);
    }
    if run.ledger.total(timestamp(now)) != Duration::from_millis(is) {
        return broken(Guarantee::Ledger, "its total is not the sum of its outages");
    }
    Ok(())
}

/// A run that was resumed has measured no outage that there was not. What happened while nobody watched it need not know.
fn nothing_is_invented(world: &World, run: &Run) -> Verdict {
    // A shard that was about to be deleted when the process died, and was deleted by somebody else, looks like ours; one
    // that there should be no more does not tell how long it was down.
    let others =
        [Cause::ShardDown, Cause::NodeVanished, Cause::StrategyChanged, Cause::Scaled, Cause::Replaced];
    let is_foreign = others.iter().any(|cause| world.causes.contains(cause));
    let Some(tolerance) = tolerance(world).filter(|_| !is_foreign) else { return Ok(()) };
    let now = world.now;
    // Pods tell in whole seconds when they were Ready.
    let tolerance = tolerance + 1000;
    for outage in &run.ledger.outages {
        let (from, to) = (ms(outage.started_at), outage.ended_at.map_or(now, ms));
        let truly_down: Ms = world
            .checker
            .outages
            .iter()
            .map(|truth| to.min(truth.to.unwrap_or(now)).saturating_sub(from.max(truth.from)))
            .sum();
        let boundaries = 2 + 2 * Ms::try_from(world.processes.len()).unwrap_or(0);
        // Two that nobody saw the end of the first of are one, from the beginning of one to the end of the other.
        let near = |one: Ms, other: Ms| one.abs_diff(other) <= tolerance;
        let truth = &world.checker.outages;
        let is_span = truth.iter().any(|truth| near(truth.from, from))
            && truth.iter().any(|truth| near(truth.to.unwrap_or(now), to));
        if to - from > truly_down + boundaries * tolerance && !is_span {
            let what =
                format!("an outage of {} is told, and it was {}", seconds(to - from), seconds(truly_down));
            return broken(Guarantee::Ledger, what);
        }
    }
    Ok(())
}

/// How late the beginning or the end of an outage can be seen: the watch, the calls under way, and the gate, which is
/// asked in turns. None where the watch was lost.
fn tolerance(world: &World) -> Option<Ms> {
    let mut lag = 0;
    // A server that is busy is asked nothing for a while, and the gate not either.
    let has_gate = world.schedule.task.gate.is_some();
    if world.causes.contains(&Cause::Frozen) || has_gate && world.causes.contains(&Cause::Call) {
        return None;
    }
    for fault in &world.schedule.faults {
        match fault {
            // What a process asked for that died, and that happens only later, is counted from when it was asked for.
            Fault::WatchLags { by, .. } | Fault::Call { how: CallFault::Late(by), .. } => lag = lag.max(*by),
            Fault::WatchIsLost { .. } | Fault::GateRefuses { .. } => return None,
            _ => {}
        }
    }
    let now = world.now;
    let busy = world.processes.iter().flat_map(|process| &process.busy);
    let busy = busy.map(|(from, to)| (*to).min(now) - from).max().unwrap_or(0);
    let gate = world.schedule.task.gate.map_or(0, |passes| u64::from(passes) * 300);
    Some(20 + lag + busy + gate)
}
