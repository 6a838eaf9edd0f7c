//! One thing changed at a time, and how the proof ends then.

use super::scene::*;
use super::*;

type Case = (&'static str, fn() -> Scene, &'static str);

pub(super) const CASES: &[Case] = &[];
