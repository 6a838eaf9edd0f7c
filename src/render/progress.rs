//! What a command that waits shows on standard error: a bar with the slowest shards at a terminal, one timed line
//! per change elsewhere.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::ui::Ui;

/// Shards named in the bar's line; the others are counted.
const NAMED: usize = 2;
/// Redraws of the bar in a second.
const REFRESH_HZ: u8 = 8;

/// Progress of shards towards being up.
pub struct Progress<'a> {
    ui: &'a Ui,
    started: Instant,
    bar: Option<ProgressBar>,
    said: BTreeMap<String, String>,
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
        Self { ui, started: Instant::now(), bar, said: BTreeMap::new() }
    }

    /// Shows where each shard stands: its name, its state in words, and whether it is up.
    pub fn update(&mut self, shards: &[(String, String, bool)]) {
        if let Some(bar) = &self.bar {
            let waiting: Vec<&(String, String, bool)> =
                shards.iter().filter(|(_, _, is_up)| !is_up).collect();
            bar.set_position(u64::try_from(shards.len() - waiting.len()).unwrap_or(0));
            let named: Vec<String> =
                waiting.iter().take(NAMED).map(|(name, state, _)| format!("{name} {state}")).collect();
            let more = waiting.len().saturating_sub(NAMED);
            let more = if more > 0 { format!("; +{more} more") } else { String::new() };
            bar.set_message(format!("{}{more}", named.join("; ")));
            return;
        }
        for (name, state, _) in shards {
            if self.said.get(name) != Some(state) {
                self.ui.say(format!("{:7.1}s  {name}  {state}", self.started.elapsed().as_secs_f64()));
                self.said.insert(name.clone(), state.clone());
            }
        }
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
