//! The only writer to a stream: styles, tables, progress, and one file per report.

pub mod json;
pub mod progress;
pub mod report;
pub mod style;
pub mod table;
pub mod text;
pub mod ui;
