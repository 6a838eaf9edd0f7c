//! Events.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1 as core;

use super::time;
use crate::domain::rolling::Warning;

/// What an event warns of.
pub fn warning(event: &core::Event) -> Warning {
    let source = event.source.as_ref().and_then(|source| source.component.clone());
    Warning {
        reason: event.reason.clone().unwrap_or_default(),
        message: event.message.clone().unwrap_or_default(),
        component: event
            .reporting_component
            .clone()
            .filter(|name| !name.is_empty())
            .or(source)
            .unwrap_or_default(),
        at: event_time(event).unwrap_or_default(),
    }
}

/// How long a pull of an image took, waiting for other pulls included, as an event of reason `Pulled` tells it: `Successfully
/// pulled image "db:2" in 1.5s (2.25s including waiting). Image size: 96 bytes.` An image that was there took no time.
pub fn pulled(event: &core::Event) -> Option<Duration> {
    let message = event.message.as_deref()?;
    if message.contains("already present") {
        return Some(Duration::ZERO);
    }
    let (_, times) = message.rsplit_once("\" in ")?;
    let took = match times.split_once(" including waiting)") {
        Some((before, _)) => before.rsplit_once('(')?.1,
        None => times.split(' ').next()?,
    };
    Duration::try_from(took.parse::<SignedDuration>().ok()?).ok()
}

/// When an event last happened: series, new and old API each have their own field.
pub fn event_time(event: &core::Event) -> Option<Timestamp> {
    let series =
        event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let last = time(event.last_timestamp.as_ref());
    let once = event.event_time.as_ref().map(|time| time.0);
    series.max(last).max(once)
}

pub fn event_text(event: &core::Event) -> String {
    let reason = event.reason.as_deref().unwrap_or("Warning");
    format!("{reason}: {}", event.message.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_tells_how_long_a_pull_took() {
        let took = |message: &str| {
            pulled(&core::Event { message: Some(message.to_owned()), ..core::Event::default() })
        };
        let full = "Successfully pulled image \"db (x) in 3s\" in 1.5s (1m2.25s including waiting). Image size: 96 bytes.";
        assert_eq!(took(full), Some(Duration::from_millis(62_250)));
        assert_eq!(took("Successfully pulled image \"db:2\" in 350ms"), Some(Duration::from_millis(350)));
        let there = "Container image \"db:2\" already present on machine";
        assert_eq!(took(there), Some(Duration::ZERO));
        for other in
            ["", "Pulled", "Successfully pulled image \"db:2\" in no time", "\" in (s including waiting)"]
        {
            assert_eq!(took(other), None, "{other}");
        }
    }
}
