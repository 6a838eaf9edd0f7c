//! What every command receives.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{CommandError, ExitCode};
use crate::options::GlobalOptions;
use crate::render::ui::Ui;

/// Where a command gets its options, its streams and the time from.
pub struct Context {
    pub global: GlobalOptions,
    pub ui: Arc<Ui>,
}

impl Context {
    #[must_use]
    pub fn new(global: GlobalOptions, ui: Ui) -> Self {
        Self { global, ui: Arc::new(ui) }
    }

    /// The time now. Rules in `domain` never ask for it: they are given it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Runs asynchronous work to its end on this thread.
    ///
    /// # Errors
    /// What the work returns, or that the runtime could not start.
    pub fn block_on(
        &self,
        work: impl Future<Output = Result<ExitCode, CommandError>>,
    ) -> Result<ExitCode, CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let result = runtime.block_on(work);
        // A blocked name lookup must not hold up the end of the process.
        runtime.shutdown_timeout(Duration::ZERO);
        result
    }
}
