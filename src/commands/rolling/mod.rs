//! What migrate, upgrade, drain and undo have in common: plan, show, ask, lock, carry out, report.

mod aftermath;
mod carry_out;
mod concerns;
mod lock;
mod options;
mod prove;
mod room;
mod signals;
mod surroundings;
mod undo;

pub use carry_out::{First, carry_out, go_on, open_run, take_back};
pub use options::{DryRun, RollingArgs, RunOutput};
pub use room::room_for;
pub use signals::listen;
pub use surroundings::{Found, arming, find, freeze_all};
pub use undo::undo;
