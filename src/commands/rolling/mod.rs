//! What migrate, upgrade, drain and undo have in common: plan, show, ask, lock, carry out, report.

mod carry_out;
mod options;
mod room;
mod surroundings;

pub use carry_out::{carry_out, go_on, open_run};
pub use options::{DryRun, RollingArgs, RunOutput};
pub use room::{RoomFor, make_room};
pub use surroundings::{Found, arming, find, freeze};
