//! The operator's word: nothing is changed without it.

use crate::domain::rolling::{ExactPod, Run};

/// The operator has seen the plan of a run and approved it. Every call that changes something takes one, and nothing
/// but [`Approved::by`] makes one, so that a forgotten question does not compile.
#[derive(Debug)]
pub struct Approved {
    /// The most shards that may be down by our hand at a time.
    largest_wave: u32,
}

impl Approved {
    /// Asks `confirm` to approve `run`: the operator, or a flag that stands for them.
    ///
    /// # Errors
    /// What `confirm` says instead of yes.
    pub fn by<E>(run: &Run, confirm: impl FnOnce(&Run) -> Result<(), E>) -> Result<Self, E> {
        confirm(run)?;
        Ok(Self { largest_wave: run.largest_wave })
    }

    /// Whether these pods may be deleted together.
    #[must_use]
    pub fn covers(&self, pods: &[(u32, ExactPod)]) -> bool {
        u32::try_from(pods.len()).is_ok_and(|pods| pods <= self.largest_wave)
    }
}
