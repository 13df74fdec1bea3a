//! Reading objects that another version has written: one that this version cannot understand stops nobody but itself.
//!
//! - A part of a **status** that cannot be understood is left out: it can be found out again. What only a status remembers is told
//!   from the rest of it ([`Stored::recall`]).
//! - A part of a **spec** that cannot be understood is left out, too, and the object is marked ([`not_understood`]): nothing is done
//!   for it, while those that refer to it see what is understood.

use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::{Path, Segment};

use crate::api::NOT_UNDERSTOOD;

/// So many parts are left out, and not more: an object with more is not one of this kind.
const MOST: usize = 200;

/// A kind whose objects are stored.
pub trait Stored: Resource<DynamicType = ()> + DeserializeOwned {
    /// The least spec that can be read, where nothing of the stored one can.
    fn least() -> Value;

    /// Gives words of the status that this version does not know the meaning that the rest of it tells. `left_out`: a part of it
    /// could not be understood.
    fn recall(&mut self, _left_out: bool) {}

    /// What else the status says while the spec is not understood, as a merge patch.
    fn unread(&self) -> Value {
        json!({})
    }
}

/// Reads a stored object.
///
/// # Errors
/// It is no object of this kind. The text holds nothing of it.
pub fn read<K: Stored>(mut stored: Value) -> Result<K, String> {
    if let Some(annotations) = stored.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(NOT_UNDERSTOOD);
    }
    let (mut unknown, mut left_out) = (Vec::new(), false);
    for _ in 0..MOST {
        let error = match K::deserialize(&stored) {
            Ok(object) => return Ok(marked(object, left_out, &unknown)),
            // Only now: to know the place costs more.
            Err(_) => match serde_path_to_error::deserialize::<_, K>(&stored) {
                Ok(object) => return Ok(marked(object, left_out, &unknown)),
                Err(error) => error,
            },
        };
        let place: Vec<Segment> = error.path().iter().cloned().collect();
        match place.first() {
            Some(Segment::Map { key }) if key == "status" => {
                left_out = true;
                leave_out(&mut stored, &place, &Value::Null);
            }
            Some(Segment::Map { key }) if key == "spec" => {
                let why = error.inner().to_string();
                // That something is missing now may come of what was left out before.
                if !unknown.iter().any(|(known, _): &(String, String)| is_within(known, error.path())) {
                    unknown.push((error.path().to_string(), why));
                }
                leave_out(&mut stored, &place, &K::least());
            }
            _ => break,
        }
    }
    Err(format!("no {} of this version", K::kind(&())))
}

/// Which fields of the spec this version does not understand, in words; `None`: it understands all.
#[must_use]
pub fn not_understood<K: Resource>(object: &K) -> Option<&str> {
    object.meta().annotations.as_ref()?.get(NOT_UNDERSTOOD).map(String::as_str)
}

fn marked<K: Stored>(mut object: K, left_out: bool, unknown: &[(String, String)]) -> K {
    object.recall(left_out);
    if !unknown.is_empty() {
        let text: Vec<_> = unknown.iter().map(|(place, why)| format!("{place} ({why})")).collect();
        object.annotations_mut().insert(NOT_UNDERSTOOD.into(), text.join(", "));
    }
    object
}

fn is_within(known: &str, path: &Path) -> bool {
    known.strip_prefix(&path.to_string()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Takes the smallest part out that holds the place. What is still missing after that is missing in what is around it, which goes
/// next. Of a spec nothing goes but what it holds: what it must have comes from the least one.
fn leave_out(stored: &mut Value, place: &[Segment], least: &Value) {
    let (mut around, mut last) = (String::new(), String::new());
    for segment in place {
        let name = match segment {
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Seq { index } => index.to_string(),
            Segment::Enum { .. } | Segment::Unknown => break,
        };
        let here = format!("{around}{last}");
        if stored.pointer(&format!("{here}/{name}")).is_none() {
            break;
        }
        (around, last) = (here, format!("/{name}"));
    }
    if around.is_empty() && last == "/spec" {
        complete(stored, least);
        return;
    }
    let last = last.trim_start_matches('/').replace("~1", "/").replace("~0", "~");
    match (stored.pointer_mut(&around), last.parse::<usize>()) {
        (Some(Value::Object(members)), _) => drop(members.remove(&last)),
        (Some(Value::Array(elements)), Ok(index)) if index < elements.len() => drop(elements.remove(index)),
        _ => {}
    }
}

fn complete(stored: &mut Value, least: &Value) {
    let (Some(spec), Some(least)) = (stored.get_mut("spec"), least.as_object()) else { return };
    let missing = |spec: &serde_json::Map<_, _>| least.keys().any(|key| !spec.contains_key(key));
    match spec.as_object_mut().filter(|spec| missing(spec)) {
        Some(spec) => {
            for (key, value) in least {
                spec.entry(key).or_insert_with(|| value.clone());
            }
        }
        None => *spec = Value::Object(least.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::destination::{ActiveEndpoint, Delivery, DestinationState, RetryWord};
    use crate::api::{Destination, EncodingPreset, Source};

    fn stored(kind: &str, spec: Value, status: Value) -> Value {
        json!({ "apiVersion": "playout.dev/v1alpha1", "kind": kind, "metadata": { "name": "one", "namespace": "show",
            "annotations": { NOT_UNDERSTOOD: "somebody says so" } }, "spec": spec, "status": status })
    }

    #[test]
    fn an_object_of_this_version_is_read_as_it_is() {
        let spec = json!({ "from": { "name": "studio" }, "delivery": "Transcode" });
        let object: Destination = read(stored("Destination", spec, json!({ "state": "Idle" }))).expect("an object");
        assert_eq!(not_understood(&object), None);
        assert_eq!(object.status.expect("a status").state, Some(DestinationState::Idle));
        assert!(read::<Destination>(json!({ "metadata": 3 })).is_err());
    }

    #[test]
    fn each_part_of_a_spec_that_is_not_understood_is_told_and_the_rest_is_read() {
        let spec = json!({ "from": { "name": "studio" }, "delivery": "Shared", "state": "Running", "prepare": "often",
            "retry": { "after": 3 }, "backup": { "mode": "Warm", "url": "rtmp://b.example.net/live" } });
        let object: Destination = read(stored("Destination", spec, Value::Null)).expect("an object");
        let told = not_understood(&object).expect("marked");
        for part in [
            "spec.delivery (unknown variant `Shared`, expected `Passthrough` or `Transcode`)",
            "spec.prepare (",
            "spec.retry.after (",
            "spec.backup.mode (",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!((object.spec.from.name.as_str(), object.spec.delivery), ("studio", Delivery::Passthrough));
        assert!(object.spec.state.is_some() && object.spec.backup.is_some());
    }

    #[test]
    fn an_element_that_lacks_what_it_must_have_goes_and_is_told_once() {
        let inputs = json!([
            { "name": "main", "priority": "Primary", "protocol": "Moq" },
            { "name": "spare", "priority": "Backup", "protocol": "Rtp", "rtp": { "port": 5000 } },
        ]);
        let object: Source = read(stored("Source", json!({ "inputs": inputs }), Value::Null)).expect("an object");
        let told = not_understood(&object).expect("marked");
        assert!(
            told.starts_with("spec.inputs[0].protocol (unknown variant `Moq`") && !told.contains("missing"),
            "{told}"
        );
        assert_eq!(object.spec.inputs.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["spare"]);
    }

    #[test]
    fn an_object_of_which_nothing_can_be_read_is_one_all_the_same() {
        for spec in [json!({}), json!("all"), json!({ "from": [] }), Value::Null] {
            let read = [
                read::<Destination>(stored("Destination", spec.clone(), json!(7)))
                    .map(|o| not_understood(&o).is_some()),
                read::<EncodingPreset>(stored("EncodingPreset", spec, json!(7))).map(|o| not_understood(&o).is_some()),
            ];
            assert_eq!(read, [Ok(true), Ok(true)]);
        }
    }

    #[test]
    fn a_part_of_a_status_that_is_not_understood_is_left_out_and_marks_nothing() {
        let status = json!({ "state": "Paused", "activeEndpoint": "Third", "startedAt": "2026-01-01T00:00:00Z",
            "flowArn": "arn", "lastError": { "reason": 3 }, "lastRuns": [{ "why": 7 }, { "why": "stopped" }],
            "conditions": [{ "type": "Ready" }],
            "failover": { "endpoint": "Backup" }, "channel": { "id": "1" } });
        let object: Destination =
            read(stored("Destination", json!({ "from": { "name": "studio" } }), status)).expect("an object");
        assert_eq!(not_understood(&object), None);
        let status = object.status.expect("a status");
        assert_eq!((status.state, status.flow_arn.as_deref()), (Some(DestinationState::Unknown), Some("arn")));
        assert_eq!((status.active_endpoint, status.last_runs.len()), (None, 2));
        assert!(status.conditions.is_empty() && status.last_error.is_none());
        assert_eq!(status.failover.map(|f| f.reason).as_deref(), Some("no reason is recorded"));
        assert_eq!(status.last_runs[1].reason.as_deref(), Some("stopped"), "under the name of a version before");
        assert_eq!(status.channel.and_then(|c| c.id).as_deref(), Some("1"));
    }

    #[test]
    fn what_only_the_status_remembers_is_told_from_the_rest_of_it() {
        let retries = |state: &str, cause: Value, stalled: Value, rest: Value| {
            let mut status = json!({ "retries": { "count": 2, "attempts": 5, "state": state, "cause": cause },
                "conditions": [stalled] });
            for (key, value) in rest.as_object().into_iter().flatten() {
                status[key] = value.clone();
            }
            let spec = json!({ "from": { "name": "studio" } });
            let object: Destination = read(stored("Destination", spec, status)).expect("an object");
            let status = object.status.expect("a status");
            (status.retries.map(|r| r.state), status.failover.map(|f| f.endpoint))
        };
        let stalled = |reason: &str| {
            json!({ "type": "Stalled", "status": "True", "reason": reason, "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z" })
        };
        let up = json!({ "outputs": [{ "role": "Primary", "name": "a", "sending": true, "status": "ENABLED" }] });
        let backup = json!({ "failover": { "endpoint": "Second", "why": "" },
            "channel": { "id": "1", "state": "RUNNING", "outputs": [{ "role": "Backup", "name": "backup" }] } });
        let (why, none) = (json!("no"), json!({}));
        for (state, cause, stalled, rest, word, endpoint) in [
            ("Weary", &why, stalled("GaveUp"), &none, RetryWord::GaveUp, None),
            ("Weary", &why, stalled("Exhausted"), &none, RetryWord::GaveUp, None),
            ("Weary", &why, stalled("SecretMissing"), &none, RetryWord::Waiting, None),
            ("Weary", &why, Value::Null, &none, RetryWord::Waiting, None),
            ("Weary", &Value::Null, Value::Null, &none, RetryWord::Trying, None),
            ("Weary", &why, Value::Null, &up, RetryWord::Trying, None),
            ("Weary", &why, Value::Null, &backup, RetryWord::Trying, Some(ActiveEndpoint::Backup)),
            ("GaveUp", &why, Value::Null, &up, RetryWord::GaveUp, None),
        ] {
            assert_eq!(retries(state, cause.clone(), stalled, rest.clone()), (Some(word), endpoint), "{state} {rest}");
        }
    }
}
