//! Events: what was done, told where `kubectl describe` shows it.

use kube::runtime::events::{Event, EventType, Recorder};
use kube::{Resource, ResourceExt as _};
use playout_core::reasons::Reason;

use crate::redact::Redactor;

/// Longest note that the API server takes.
const NOTE_LIMIT: usize = 1024;

/// Publishes an Event. One that cannot be published is logged; nothing depends on it.
///
/// The reference carries the object's UID: without it an Event does not show in `kubectl describe`.
pub async fn publish<K>(recorder: &Recorder, redactor: &Redactor, object: &K, warning: bool, reason: Reason, note: &str)
where
    K: Resource<DynamicType = ()>,
{
    let event = Event {
        type_: if warning { EventType::Warning } else { EventType::Normal },
        reason: reason.as_str().into(),
        note: Some(redactor.clean(note).chars().take(NOTE_LIMIT).collect()),
        action: reason.as_str().into(),
        secondary: None,
    };
    if let Err(error) = recorder.publish(&event, &object.object_ref(&())).await {
        tracing::debug!(name = object.name_any(), %error, "an Event could not be published");
    }
}
