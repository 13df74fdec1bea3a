//! Events: what was done, told where `kubectl describe` shows it.
//!
//! Not with kube's recorder: it counts Events of one reason as one, whatever they say, and keeps the first text of them; and it makes
//! their names so that an object with a long name has none.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::events::v1::{Event, EventSeries};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt as _};
use playout_core::reasons::Reason;
use tokio::time::Instant;

use playout_aws::clock::Clock;
use playout_aws::redact::Redactor;

/// Longest note that the API server takes, in bytes.
const NOTE_LIMIT: usize = 1024;
/// Longest name of an object, in bytes.
const NAME_LIMIT: usize = 253;
/// Longest name of who reports, in bytes.
const INSTANCE_LIMIT: usize = 128;
/// What is told again within this time is counted, and not told anew. As long as kube and client-go take.
const SERIES: Duration = Duration::from_secs(360);
/// Who reports.
const CONTROLLER: &str = "playout";

/// UID of the object, whether it is a warning, the reason and the text: what differs in one of them is another Event.
type Key = (String, bool, &'static str, String);

/// Publishes Events.
#[derive(Clone)]
pub struct Recorder {
    client: Client,
    instance: String,
    clock: Clock,
    recent: Arc<Mutex<HashMap<Key, (Instant, Event)>>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    /// `instance` is the name of this replica.
    #[must_use]
    pub fn new(client: Client, instance: Option<&str>, clock: Clock) -> Self {
        let instance = cut(instance.unwrap_or(CONTROLLER), INSTANCE_LIMIT).to_owned();
        Self { client, instance, clock, recent: Arc::default() }
    }

    /// Whether this was told a short while ago.
    fn has_told<K: Resource<DynamicType = ()>>(&self, object: &K, warning: bool, reason: Reason, note: &str) -> bool {
        let key = (object.uid().unwrap_or_default(), warning, reason.as_str(), note.to_owned());
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&key)
    }

    async fn publish<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        warning: bool,
        reason: Reason,
        note: &str,
    ) -> kube::Result<()> {
        let (now, instant) = (MicroTime(self.clock.now()), self.clock.instant());
        let key = (object.uid().unwrap_or_default(), warning, reason.as_str(), note.to_owned());
        let before = {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            recent.retain(|_, (last, _)| instant < *last + SERIES);
            recent.get(&key).map(|(_, event)| event.clone())
        };
        let events = Api::<Event>::namespaced(self.client.clone(), object.namespace().as_deref().unwrap_or("default"));
        let event = match before {
            Some(mut event) => {
                let count = event.series.as_ref().map_or(2, |series| series.count.saturating_add(1));
                event.series = Some(EventSeries { count, last_observed_time: now });
                let name = event.name_any();
                match events.patch(&name, &PatchParams::default(), &Patch::Merge(&event)).await {
                    // Nobody keeps Events for ever.
                    Err(kube::Error::Api(status)) if status.code == 404 => {
                        self.recent.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
                        return Ok(());
                    }
                    other => other.map(drop)?,
                }
                event
            }
            None => {
                let event = self.event(object, warning, reason, note, now);
                events.create(&PostParams::default(), &event).await?;
                event
            }
        };
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (instant, event));
        Ok(())
    }

    fn event<K>(&self, object: &K, warning: bool, reason: Reason, note: &str, now: MicroTime) -> Event
    where
        K: Resource<DynamicType = ()>,
    {
        Event {
            // The UID in the reference: without it an Event does not show in `kubectl describe`.
            regarding: Some(object.object_ref(&())),
            metadata: ObjectMeta {
                name: Some(name(&object.name_any(), now.0.as_nanosecond())),
                namespace: object.namespace(),
                ..ObjectMeta::default()
            },
            action: Some(reason.as_str().into()),
            reason: Some(reason.as_str().into()),
            note: Some(note.into()),
            type_: Some(if warning { "Warning" } else { "Normal" }.into()),
            reporting_controller: Some(CONTROLLER.into()),
            reporting_instance: Some(self.instance.clone()),
            event_time: Some(now),
            ..Event::default()
        }
    }
}

/// Publishes an Event. One that cannot be published is logged; nothing depends on it.
pub async fn publish<K>(recorder: &Recorder, redactor: &Redactor, object: &K, warning: bool, reason: Reason, note: &str)
where
    K: Resource<DynamicType = ()>,
{
    let note = redactor.clean_for(&object.namespace().unwrap_or_default(), note);
    if let Err(error) = recorder.publish(object, warning, reason, cut(&note, NOTE_LIMIT)).await {
        tracing::debug!(object = object.name_any(), %error, "an Event could not be published");
    }
}

/// Publishes an Event, unless it was told before: what is tried again is not told again.
pub async fn publish_once<K>(
    recorder: &Recorder,
    redactor: &Redactor,
    object: &K,
    warning: bool,
    reason: Reason,
    note: &str,
) where
    K: Resource<DynamicType = ()>,
{
    let cleaned = redactor.clean_for(&object.namespace().unwrap_or_default(), note);
    if !recorder.has_told(object, warning, reason, cut(&cleaned, NOTE_LIMIT)) {
        publish(recorder, redactor, object, warning, reason, note).await;
    }
}

/// A name that no other Event has, for any name that an object may have.
fn name(object: &str, nanosecond: i128) -> String {
    let end = format!(".{nanosecond:x}");
    let object = cut(object, NAME_LIMIT - end.len()).trim_end_matches(['.', '-']);
    format!("{object}{end}")
}

/// No more than so many bytes of it.
fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use http::{Method, Request, Response};
    use kube::client::Body;
    use playout_api::Destination;
    use serde_json::{Value, json};

    use super::*;

    /// Takes every Event, and keeps what was sent.
    fn listener(sent: &Arc<Mutex<Vec<(Method, Value)>>>) -> Recorder {
        let sent = sent.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let sent = sent.clone();
            async move {
                let (parts, body) = request.into_parts();
                let bytes = body.collect_bytes().await?;
                sent.lock().expect("no panic").push((parts.method, serde_json::from_slice(&bytes)?));
                Ok::<_, tower::BoxError>(Response::new(Body::from(bytes.to_vec())))
            }
        });
        Recorder::new(Client::new(service, "show"), Some("pod"), Clock::system())
    }

    fn object(name: &str) -> Destination {
        let spec = json!({ "from": { "name": "studio" } });
        let metadata = json!({ "name": name, "namespace": "show", "uid": "u1" });
        serde_json::from_value(
            json!({ "apiVersion": "playout.dev/v1alpha1", "kind": "Destination", "metadata": metadata,
            "spec": spec }),
        )
        .expect("a Destination")
    }

    #[tokio::test]
    async fn two_texts_of_one_reason_are_both_told_and_one_that_comes_again_is_counted() {
        let sent = Arc::default();
        let (recorder, redactor) = (listener(&sent), Redactor::default());
        let (one, other) = ("Created MediaLive input a", "Created MediaLive channel b");
        for note in [one, other, one, one] {
            publish(&recorder, &redactor, &object("youtube"), false, Reason::Created, note).await;
        }
        let told: Vec<_> = sent
            .lock()
            .expect("no panic")
            .iter()
            .map(|(method, event)| (method.clone(), event["note"].clone(), event["series"]["count"].clone()))
            .collect();
        let (post, patch) = (Method::POST, Method::PATCH);
        assert_eq!(
            told,
            [
                (post.clone(), json!(one), Value::Null),
                (post, json!(other), Value::Null),
                (patch.clone(), json!(one), json!(2)),
                (patch, json!(one), json!(3)),
            ]
        );
        let names: Vec<_> = sent.lock().expect("no panic").iter().map(|(_, e)| e["metadata"]["name"].clone()).collect();
        assert!(names[0] == names[2] && names[0] == names[3] && names[0] != names[1], "{names:?}");
    }

    #[tokio::test]
    async fn a_note_is_cut_to_the_bytes_that_the_api_server_takes() {
        let sent = Arc::default();
        let note = format!("a{}", "ä".repeat(1000));
        publish(&listener(&sent), &Redactor::default(), &object("youtube"), true, Reason::Refused, &note).await;
        let told = sent.lock().expect("no panic")[0].1.clone();
        assert_eq!(told["note"].as_str().map(str::len), Some(1023));
        assert_eq!((&told["type"], &told["regarding"]["uid"]), (&json!("Warning"), &json!("u1")));
    }

    #[test]
    fn an_object_of_any_name_has_events() {
        let long = format!("{}.{}", "a".repeat(235), "b".repeat(17));
        for object in ["youtube", &long] {
            let made = name(object, 1_795_920_000_000_000_000);
            let labels = made.split('.').all(|label| !label.is_empty() && !label.ends_with('-'));
            assert!(made.len() <= NAME_LIMIT && labels, "{made}");
        }
        assert_eq!(name("youtube", 255), "youtube.ff");
    }
}
