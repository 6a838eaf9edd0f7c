//! The live view at a terminal: how far the run is, what each shard is doing, and the outage clock.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::{seconds, waiting};
use crate::domain::names::pods_in_short;
use crate::domain::rolling::{Mark, Outage, Run, Stage};
use crate::ops::{Event, Happened};
use crate::render::style::Stylesheet;

/// Shards that have a line of their own.
const SHARDS_SHOWN: usize = 8;
/// Cells of the picture in one line.
const CELLS: usize = 50;

/// What is shown.
pub struct View {
    run: Run,
    style: Stylesheet,
    stage: Stage,
    waiting: Option<String>,
    wave: Option<u32>,
    shards: BTreeMap<u32, Progress>,
    outage_since: Option<Timestamp>,
    outages: Vec<Outage>,
}

/// How far a shard is.
#[derive(Clone, Copy)]
enum Progress {
    ToDo,
    Down { since: Timestamp, mark: Mark },
    Back,
}

impl View {
    pub fn new(run: &Run, style: Stylesheet) -> Self {
        let progress = |ordinal| match run.ledger.restarts.iter().rfind(|one| one.ordinal == ordinal) {
            Some(restart) if restart.marks.back.is_some() => (ordinal, Progress::Back),
            Some(restart) => (ordinal, Progress::Down { since: restart.marks.asked, mark: Mark::Asked }),
            None => (ordinal, Progress::ToDo),
        };
        Self {
            shards: run.shards().map(progress).collect(),
            run: run.clone(),
            style,
            stage: Stage::Holding,
            waiting: None,
            wave: None,
            outage_since: None,
            outages: run.ledger.outages.clone(),
        }
    }

    pub fn take(&mut self, event: &Event) {
        match &event.what {
            Happened::Entered { stage } => {
                self.stage = *stage;
                self.waiting = None;
            }
            Happened::Waiting { why } => self.waiting = Some(waiting(&self.run, why)),
            Happened::PutFirst { wave, shards } => self.run.put_first(*wave, shards),
            Happened::WaveStarted { wave, shards, .. } => {
                self.wave = Some(*wave);
                for ordinal in shards {
                    let down = Progress::Down { since: event.at, mark: Mark::Asked };
                    self.shards.insert(*ordinal, down);
                }
            }
            Happened::Shard { ordinal, mark: Mark::Back } => {
                self.shards.insert(*ordinal, Progress::Back);
            }
            Happened::Shard { ordinal, mark } => {
                if let Some(Progress::Down { mark: known, .. }) = self.shards.get_mut(ordinal) {
                    *known = *mark;
                }
            }
            Happened::OutageStarted { .. } => self.outage_since = Some(event.at),
            Happened::OutageEnded { outage } => {
                self.outage_since = None;
                self.outages.push(outage.clone());
            }
            _ => {}
        }
    }

    pub fn draw(&self, now: Timestamp) -> String {
        let style = self.style;
        let since = |at: Timestamp| seconds(now.duration_since(at).try_into().unwrap_or_default());
        let mut text = String::new();
        let of = self.run.waves.len();
        let wave = match (self.stage, self.wave) {
            (Stage::Holding, _) => "holding others still".to_owned(),
            (Stage::MakingRoom, _) => "making room".to_owned(),
            (Stage::Arming | Stage::Armed, _) => "arming the template".to_owned(),
            (Stage::Rolling, None) => format!("before wave 1 of {of}"),
            (Stage::Rolling, Some(wave)) => format!("wave {} of {of}", wave + 1),
            (Stage::Emptying, _) => "emptying the node".to_owned(),
            (Stage::LettingGo, _) => "letting go".to_owned(),
        };
        let _ = writeln!(text, "{}  {wave}", style.value(self.run.operation.to_string()));
        let total = self.outages.iter().map(|outage| outage.duration(now)).sum::<std::time::Duration>();
        let current = self.outage_since.map(|since| now.duration_since(since).try_into().unwrap_or_default());
        let together = seconds(total + current.unwrap_or_default());
        let count = self.outages.len() + usize::from(current.is_some());
        let clock = match current {
            Some(current) => style.danger(format!("DOWN for {}", seconds(current))),
            None => style.success("whole"),
        };
        let budget = match self.run.policy.max_total_outage {
            Some(budget) => format!(" of {} allowed", seconds(budget)),
            None => String::new(),
        };
        let outages = if count == 1 { "outage" } else { "outages" };
        let _ = writeln!(text, "  {clock}   {count} {outages}, {together}{budget} together");
        let _ = writeln!(text, "  {}", self.cells());
        let down: Vec<(u32, Timestamp, Mark)> = self
            .shards
            .iter()
            .filter_map(|(ordinal, progress)| match progress {
                Progress::Down { since, mark } => Some((*ordinal, *since, *mark)),
                _ => None,
            })
            .collect();
        for (ordinal, at, mark) in down.iter().take(SHARDS_SHOWN) {
            let _ = writeln!(
                text,
                "  {}-{ordinal}  {:>6}  {}",
                self.run.workload.name,
                since(*at),
                in_words(*mark)
            );
        }
        if down.len() > SHARDS_SHOWN {
            let rest: Vec<u32> = down.iter().skip(SHARDS_SHOWN).map(|(ordinal, _, _)| *ordinal).collect();
            let _ =
                writeln!(text, "  + {} more: {}", rest.len(), pods_in_short(&self.run.workload.name, &rest));
        }
        if let Some(waiting) = &self.waiting {
            let _ = writeln!(text, "  {}", style.note(format!("waiting for {waiting}")));
        }
        text.trim_end().to_owned()
    }

    /// A cell for each shard, or for as many as share one: `#` is back, `v` is down, `.` is still to be moved.
    fn cells(&self) -> String {
        let each = self.shards.len().div_ceil(CELLS).max(1);
        let all: Vec<Progress> = self.shards.values().copied().collect();
        let cells: String = all
            .chunks(each)
            .map(|shards| {
                if shards.iter().any(|one| matches!(one, Progress::Down { .. })) {
                    'v'
                } else if shards.iter().all(|one| matches!(one, Progress::Back)) {
                    '#'
                } else {
                    '.'
                }
            })
            .collect();
        let back = all.iter().filter(|one| matches!(one, Progress::Back)).count();
        format!("[{cells}] {back} of {} moved", all.len())
    }
}

fn in_words(mark: Mark) -> &'static str {
    match mark {
        Mark::Asked => "terminating",
        Mark::Gone => "gone, waiting for its new pod",
        Mark::Created => "pending",
        Mark::Scheduled => "on its node, preparing",
        Mark::Prepared => "pulling and starting",
        Mark::Started => "running, not Ready yet",
        Mark::Answered => "answers, not Ready yet",
        Mark::Ready => "Ready, at the gate",
        Mark::Back => "back",
    }
}
