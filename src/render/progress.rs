//! What a command that waits shows on standard error: a bar with the slowest shards at a terminal, one timed line
//! per change elsewhere.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::ui::Ui;

/// Redraws of the bar in a second.
const REFRESH_HZ: u8 = 8;

/// Progress of shards towards being up.
pub struct Progress<'a> {
    ui: &'a Ui,
    started: Instant,
    bar: Option<ProgressBar>,
    said: BTreeSet<String>,
}

impl<'a> Progress<'a> {
    /// Starts to show the progress of `total` shards.
    #[must_use]
    pub fn new(ui: &'a Ui, total: u64) -> Self {
        let bar = ui.err_is_terminal().then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(REFRESH_HZ));
            let template = "{elapsed:>4} [{bar:20}] {pos}/{len} shards ready  {wide_msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self { ui, started: Instant::now(), bar, said: BTreeSet::new() }
    }

    /// Shows where the shards stand: each state in words with the shards that are in it, and whether they are up.
    pub fn update(&mut self, groups: &[(String, String, bool)], up: u64) {
        let waiting: Vec<String> = groups
            .iter()
            .filter(|(_, _, is_up)| !is_up)
            .map(|(shards, state, _)| format!("{shards} {state}"))
            .collect();
        if let Some(bar) = &self.bar {
            bar.set_position(up);
            bar.set_message(waiting.join("; "));
            return;
        }
        for (shards, state, _) in groups {
            let line = format!("{shards}  {state}");
            if !self.said.contains(&line) {
                self.ui.say(format!("{:7.1}s  {line}", self.started.elapsed().as_secs_f64()));
            }
        }
        self.said = groups.iter().map(|(shards, state, _)| format!("{shards}  {state}")).collect();
    }

    /// Says something beside the progress.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => self.ui.say(format!("{:7.1}s  {line}", self.started.elapsed().as_secs_f64())),
        }
    }

    /// Takes the display away and returns how long it took.
    #[must_use]
    pub fn finish(self) -> Duration {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.started.elapsed()
    }
}
