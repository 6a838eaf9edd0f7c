//! The report of `shardctl status`.

use serde::Serialize;

use crate::domain::names::WorkloadRef;
use crate::domain::shardset::API_VERSION;
use crate::domain::status::Verdict;
use crate::render::json;
use crate::render::style::Stylesheet;

/// The verdict in one line.
#[must_use]
pub fn line(verdict: &Verdict, style: Stylesheet) -> String {
    let text = verdict.to_string();
    let painted = match (verdict.is_whole, verdict.is_up) {
        (true, _) => style.success(text),
        (false, true) => style.warning(text),
        (false, false) => style.danger(text),
    };
    format!("{painted}\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    api_version: &'static str,
    kind: &'static str,
    service: &'a WorkloadRef,
    taken_at: String,
    is_whole: bool,
    is_up: bool,
    since: Option<String>,
    up: u32,
    wanted: u32,
    required: u32,
    down: Vec<Down<'a>>,
}

#[derive(Serialize)]
struct Down<'a> {
    pod: &'a str,
    reason: String,
    since: Option<String>,
}

fn object(verdict: &Verdict) -> Status<'_> {
    let time = |time: Option<jiff::Timestamp>| time.map(|time| time.to_string());
    Status {
        api_version: API_VERSION,
        kind: "Status",
        service: &verdict.workload,
        taken_at: verdict.taken_at.to_string(),
        is_whole: verdict.is_whole,
        is_up: verdict.is_up,
        since: time(verdict.since),
        up: verdict.up,
        wanted: verdict.wanted,
        required: verdict.required,
        down: verdict
            .down
            .iter()
            .map(|down| Down {
                pod: down.pod.as_str(),
                reason: down.state.to_string(),
                since: time(down.since),
            })
            .collect(),
    }
}

/// The verdict as a `Status` object.
#[must_use]
pub fn json(verdict: &Verdict) -> String {
    json::json(&object(verdict))
}

/// The verdict as a `Status` object, in YAML.
#[must_use]
pub fn yaml(verdict: &Verdict) -> String {
    json::yaml(&object(verdict))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shardset::Availability;
    use crate::domain::testing::healthy;

    #[test]
    fn a_status_is_one_line_or_one_object() {
        let mut snapshot = healthy();
        let pod = snapshot.shards[3].pod.as_mut().unwrap();
        pod.is_ready = false;
        pod.ready_changed_at = Some("2026-11-22T11:58:00Z".parse().unwrap());
        let verdict = Verdict::of(&snapshot, Availability::default());
        assert_eq!(
            line(&verdict, Stylesheet::new(false)),
            "biometric-shards/biometric-shard is DOWN: 9 of 10 shards ready; biometric-shard-3: not ready for 2m\n"
        );
        assert_eq!(
            json(&verdict),
            r#"{
  "apiVersion": "shardctl.dev/v1alpha1",
  "kind": "Status",
  "service": {
    "namespace": "biometric-shards",
    "name": "biometric-shard"
  },
  "takenAt": "2026-11-22T12:00:00Z",
  "isWhole": false,
  "isUp": false,
  "since": "2026-11-22T11:58:00Z",
  "up": 9,
  "wanted": 10,
  "required": 10,
  "down": [
    {
      "pod": "biometric-shard-3",
      "reason": "not ready",
      "since": "2026-11-22T11:58:00Z"
    }
  ]
}
"#
        );
    }
}
