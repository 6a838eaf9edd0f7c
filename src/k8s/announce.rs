//! Kubernetes Events on the workload, for everybody who looks at it with other tools.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};

use super::client::{Cluster, FIELD_MANAGER};
use super::error::RequestError;
use crate::domain::rolling::Run;

/// An event's note has at most this many characters.
const NOTE_LIMIT: usize = 1024;

impl Cluster {
    /// Records an event on the workload of a run.
    ///
    /// # Errors
    /// When the server does not take it.
    pub async fn announce(
        &self,
        run: &Run,
        reason: &str,
        note: &str,
        is_warning: bool,
    ) -> Result<(), RequestError> {
        let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(run.by.host.clone()) };
        let recorder = Recorder::new(self.client.clone(), reporter);
        let set = run.stateful_set();
        let about = ObjectReference {
            api_version: Some(set.api_version),
            kind: Some(set.kind),
            namespace: set.namespace,
            name: Some(set.name),
            uid: Some(run.workload_uid.clone()),
            ..ObjectReference::default()
        };
        let event = Event {
            type_: if is_warning { EventType::Warning } else { EventType::Normal },
            reason: reason.to_owned(),
            note: Some(note.chars().take(NOTE_LIMIT).collect()),
            action: run.operation.verb().to_owned(),
            secondary: None,
        };
        self.write("record an event", recorder.publish(&event, &about)).await
    }
}
