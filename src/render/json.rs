//! Reports as JSON and YAML.

use serde::Serialize;

use crate::domain::packing::Load;
use crate::domain::quantity::Resources;
use crate::domain::snapshot::Unknown;

/// A report as indented JSON, with a line break at the end.
///
/// # Panics
/// Never for reports: they are structs with text keys and no failing serializers.
#[must_use]
pub fn json(report: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(report)
        .unwrap_or_else(|error| unreachable!("a report is always JSON: {error}"));
    text.push('\n');
    text
}

/// A report as YAML.
///
/// # Panics
/// Never for reports, see [`json`].
#[must_use]
pub fn yaml(report: &impl Serialize) -> String {
    serde_saphyr::to_string(report).unwrap_or_else(|error| unreachable!("a report is always YAML: {error}"))
}

/// Pods and what they request together.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadReport {
    pub pods: u32,
    #[serde(flatten)]
    pub requests: Resources,
}

impl From<Load> for LoadReport {
    fn from(Load { pods, requests }: Load) -> Self {
        Self { pods, requests }
    }
}

/// Something that could not be read.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnknownReport<'a> {
    pub asked: &'a str,
    pub answer: &'a str,
    pub forbidden: bool,
}

impl<'a> From<&'a Unknown> for UnknownReport<'a> {
    fn from(unknown: &'a Unknown) -> Self {
        Self { asked: &unknown.asked, answer: &unknown.answer, forbidden: unknown.is_forbidden }
    }
}
