//! Events as lines, one for each that matters to somebody who reads a log.

use crate::domain::names::pods_in_short;
use crate::domain::rolling::{Mark, Run, Stage, State};
use crate::ops::Happened;
use crate::render::report::rolling::{pods, seconds, waiting};
use crate::render::style::Stylesheet;

/// An event in words; none for one that another says better.
#[must_use]
pub fn line(run: &Run, what: &Happened, style: Stylesheet) -> Option<String> {
    let name = |ordinal: u32| format!("{}-{ordinal}", run.workload.name);
    Some(match what {
        Happened::Started { run, is_resumed: false } => format!("run {} begins", style.value(&run.id)),
        Happened::Started { run, is_resumed: true } => {
            format!("run {} goes on, for the {} time", style.value(&run.id), ordinal(run.attempt))
        }
        Happened::Entered { stage } => match stage {
            Stage::Rolling => "the shards are moved".to_owned(),
            Stage::Emptying if !run.goal.avoid_nodes.is_empty() => {
                "the rest of the node is emptied".to_owned()
            }
            _ => return None,
        },
        Happened::Held { what } | Happened::Released { what } => what.clone(),
        Happened::RoomAsked { shards } => format!("making room for {} shards", shards.len()),
        Happened::RoomMade => "room is made".to_owned(),
        Happened::Armed { revision } => format!("new pods are made from revision {revision}"),
        Happened::PutFirst { shards, .. } => {
            format!("next: {}, down though not by our hand", pods(run, shards))
        }
        Happened::WaveStarted { wave, of, shards, forecast } => {
            let forecast =
                forecast.map(|forecast| format!(", about {}", seconds(forecast))).unwrap_or_default();
            let mut shards = shards.clone();
            shards.sort_unstable();
            format!(
                "wave {} of {of}: {} go down{forecast}",
                wave + 1,
                pods_in_short(&run.workload.name, &shards)
            )
        }
        Happened::Shard { ordinal, mark: Mark::Back } => {
            let took = run.ledger.restarts.iter().rfind(|one| one.ordinal == *ordinal)?.marks.total()?;
            format!("{} is {} after {}", name(*ordinal), style.success("back"), seconds(took))
        }
        Happened::Shard { ordinal, mark: Mark::Ready }
            if run.policy.gate != crate::domain::rolling::Gate::None =>
        {
            format!("{} is Ready", name(*ordinal))
        }
        Happened::Shard { .. } => return None,
        Happened::GateRefused { ordinal, answer } => format!("{} is Ready, and {answer}", name(*ordinal)),
        Happened::OutageStarted { shards } => {
            format!("{}: {} not up", style.danger("DOWN"), pods(run, shards))
        }
        Happened::OutageEnded { outage } => {
            let lasted = outage.duration(outage.ended_at.unwrap_or(outage.started_at));
            format!("{} after {}", style.success("whole"), seconds(lasted))
        }
        Happened::Waiting { why } => format!("waiting for {}", waiting(run, why)),
        Happened::Retrying { error, after } => {
            format!("{} {error}; once more in {}", style.warning("warning:"), seconds(*after))
        }
        Happened::Evicted { pods } => format!("evicted {}", pods.join(", ")),
        Happened::EvictionRefused { pod, message } => {
            format!("{} pod {pod} is not evicted: {message}", style.warning("warning:"))
        }
        Happened::LeftBehind { why } => format!("{} {why}", style.warning("warning:")),
        Happened::Interrupted { at_once: false } => {
            "stopping after this step; once more stops at once".to_owned()
        }
        Happened::Interrupted { at_once: true } => "stopping at once".to_owned(),
        Happened::Ended { run } => match &run.state {
            State::Done => format!("run {} is {}", run.id, style.success("done")),
            _ => return None,
        },
    })
}

fn ordinal(number: u32) -> String {
    let suffix = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}
