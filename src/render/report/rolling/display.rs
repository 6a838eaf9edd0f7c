//! Shows a run while it goes on: a live view at a terminal, a line for each event elsewhere, JSON on request.

use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::lines::line;
use super::view::View;
use crate::domain::rolling::{Mark, Run, Waiting};
use crate::ops::{Event, Happened};
use crate::render::ui::Ui;

/// Draws per second: a clock that runs, and no flicker.
const REFRESH_HZ: u8 = 8;

/// Shows a run while it goes on.
pub struct Display<'a> {
    ui: &'a Ui,
    is_json: bool,
    started_at: Timestamp,
    /// The run as it was last told of, for names and policy.
    run: Run,
    live: Option<Live>,
    /// What was last said to be waited for, and when.
    waiting: Option<(Discriminant<Waiting>, Timestamp)>,
    /// Shards of the wave that is under way.
    wave_size: usize,
}

/// Beside a live view, the shards of a wave of more than so many get no lines of their own: they would push away what
/// matters.
const SHARDS_WITH_LINES: usize = 5;

/// While the same is waited for, a log says so again after so long.
const SAY_AGAIN: SignedDuration = SignedDuration::from_secs(15);

struct Live {
    bar: ProgressBar,
    view: Arc<Mutex<View>>,
}

impl<'a> Display<'a> {
    /// A display for `run`, which is about to begin.
    #[must_use]
    pub fn new(ui: &'a Ui, is_json: bool, run: &Run) -> Self {
        let live = (!is_json && ui.err_is_terminal()).then(|| Live::new(ui, run));
        Self {
            ui,
            is_json,
            started_at: Timestamp::now(),
            run: run.clone(),
            live,
            waiting: None,
            wave_size: 0,
        }
    }

    /// Shows an event.
    pub fn tell(&mut self, event: &Event) {
        if let Happened::Started { run, .. } | Happened::Ended { run } = &event.what {
            self.run = (**run).clone();
        }
        if let Happened::WaveStarted { .. } = &event.what {
            self.started_at = self.started_at.min(event.at);
        }
        if self.is_json {
            self.ui.print(&json_line(event));
            return;
        }
        self.note_restart(event);
        if let Some(live) = &self.live {
            live.view.lock().unwrap_or_else(PoisonError::into_inner).take(event);
        }
        if let Happened::Waiting { why } = &event.what
            && !self.is_news(why, event.at)
        {
            return;
        }
        let is_crowd = self.live.is_some() && self.wave_size > SHARDS_WITH_LINES;
        if is_crowd && matches!(event.what, Happened::Shard { .. }) {
            return;
        }
        let Some(text) = line(&self.run, &event.what, self.ui.err_style()) else { return };
        let took = Duration::try_from(event.at.duration_since(self.started_at)).unwrap_or_default();
        let text = format!("{:7.1}s  {text}", took.as_secs_f64());
        match &self.live {
            Some(live) => live.bar.println(text),
            None => self.ui.say(text),
        }
    }

    /// Whether what is waited for deserves a line: the live view shows it anyway.
    fn is_news(&mut self, why: &Waiting, at: Timestamp) -> bool {
        let kind = discriminant(why);
        let is_known = self.waiting.is_some_and(|(known, since)| known == kind && at < since + SAY_AGAIN);
        if is_known || self.live.is_some() {
            return false;
        }
        self.waiting = Some((kind, at));
        true
    }

    /// Keeps the times of restarts, which lines tell of.
    fn note_restart(&mut self, event: &Event) {
        match &event.what {
            Happened::WaveStarted { wave, shards, .. } => {
                self.waiting = None;
                self.wave_size = shards.len();
                for ordinal in shards {
                    self.run.ledger.ask(*ordinal, *wave, None, event.at);
                }
            }
            Happened::Shard { ordinal, mark } => {
                let restart = self.run.ledger.restarts.iter_mut().rfind(|one| one.ordinal == *ordinal);
                if let Some(restart) = restart {
                    match mark {
                        Mark::Back => restart.marks.back = Some(event.at),
                        _ => restart.marks.gone = restart.marks.gone.or(Some(event.at)),
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes the live view away.
    pub fn finish(self) {
        if let Some(live) = self.live {
            live.bar.finish_and_clear();
        }
    }
}

impl Live {
    fn new(ui: &Ui, run: &Run) -> Self {
        let view = Arc::new(Mutex::new(View::new(run, ui.err_style())));
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(REFRESH_HZ));
        let shown = Arc::clone(&view);
        let draw = move |_: &ProgressState, text: &mut dyn std::fmt::Write| {
            let view = shown.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = text.write_str(&view.draw(Timestamp::now()));
        };
        if let Ok(style) = ProgressStyle::with_template("{view}") {
            bar.set_style(style.with_key("view", draw));
        }
        bar.enable_steady_tick(Duration::from_millis(1000 / u64::from(REFRESH_HZ)));
        Self { bar, view }
    }
}

/// An event as one line of JSON.
fn json_line(event: &Event) -> String {
    let mut object = json!({"apiVersion": "shardctl.dev/v1alpha1", "kind": "RunEvent", "at": event.at});
    if let Happened::Ended { run } = &event.what {
        object = json!({"apiVersion": "shardctl.dev/v1alpha1", "kind": "Run", "at": event.at});
        json_patch::merge(&mut object, &json!(run));
    } else {
        json_patch::merge(&mut object, &json!(event.what));
    }
    format!("{object}\n")
}
