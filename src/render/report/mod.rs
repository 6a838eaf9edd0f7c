//! One file per report: from what the domain found to text.

pub mod deploy;
