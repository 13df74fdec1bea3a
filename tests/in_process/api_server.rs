//! A thin stand-in for the API server: the objects of one namespace, with what the operator relies on. Merge patches and
//! statuses are taken only for the version that they were made for, specs count generations, an object goes with its last
//! finalizer. What the real one checks beyond that is tested with the real one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::wire::{Alive, Effect, Fault, Wire};

pub const NAMESPACE: &str = "show";

/// Plural and name.
pub type Key = (String, String);

/// What a watch tells.
#[derive(Clone, Debug)]
pub enum Change {
    Applied(Value),
    Deleted(Value),
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<Key, Value>,
    version: u64,
    uids: u64,
    changes: Vec<(Instant, Key, Change)>,
    events: Vec<Value>,
    /// What reads hang that have this in their path.
    hanging: Option<String>,
    began: Option<Instant>,
}

impl State {
    /// The time of day, in whole seconds, as objects have it.
    fn time(&mut self) -> Value {
        let began = *self.began.get_or_insert_with(Instant::now);
        let seconds = i64::try_from(began.elapsed().as_secs()).expect("a time");
        json!(jiff::Timestamp::from_second(1_767_225_600 + seconds).expect("a time").to_string())
    }
}

/// The cluster. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    state: Arc<Mutex<State>>,
    news: Arc<Notify>,
}

struct Refusal(u16, &'static str, String);

impl Refusal {
    fn conflict(name: &str) -> Self {
        let text = format!("Operation cannot be fulfilled on \"{name}\": the object has been modified");
        Self(409, "Conflict", text)
    }

    fn absent(name: &str) -> Self {
        Self(404, "NotFound", format!("\"{name}\" not found"))
    }
}

impl Cluster {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when something may have changed.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// What has changed since, and when.
    pub fn changes(&self, since: usize) -> Vec<(Instant, Key, Change)> {
        self.lock().changes[since..].to_vec()
    }

    pub fn changed(&self) -> usize {
        self.lock().changes.len()
    }

    pub fn is_every(&self, holds: impl Fn(&Key, &Value) -> bool) -> bool {
        self.lock().objects.iter().all(|(key, object)| holds(key, object))
    }

    pub fn objects(&self) -> BTreeMap<Key, Value> {
        self.lock().objects.clone()
    }

    pub fn object(&self, plural: &str, name: &str) -> Option<Value> {
        self.lock().objects.get(&(plural.to_string(), name.to_string())).cloned()
    }

    pub fn events(&self) -> Vec<Value> {
        self.lock().events.clone()
    }

    /// Reads with this in their path get no answer from now on.
    pub fn hang_on(&self, path: &str) {
        self.lock().hanging = Some(path.to_string());
    }

    /// Somebody creates an object.
    pub fn create(&self, plural: &str, mut object: Value) {
        let mut state = self.lock();
        state.uids += 1;
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_string();
        object["metadata"]["namespace"] = json!(NAMESPACE);
        object["metadata"]["uid"] = json!(format!("00000000-0000-4000-8000-{:012}", state.uids));
        object["metadata"]["generation"] = json!(1);
        object["metadata"]["creationTimestamp"] = state.time();
        self.store(&mut state, (plural.to_string(), name), object);
    }

    /// Somebody edits an object, whatever its version.
    pub fn edit(&self, plural: &str, name: &str, patch: &Value) {
        let key = (plural.to_string(), name.to_string());
        let mut state = self.lock();
        if let Some(mut object) = state.objects.get(&key).cloned() {
            let before = object["spec"].clone();
            merge(&mut object, patch);
            if object["spec"] != before {
                object["metadata"]["generation"] = json!(object["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
            }
            self.store(&mut state, key, object);
        }
    }

    /// Another version of the operator writes a status.
    pub fn write_status(&self, plural: &str, name: &str, status: Value) {
        let key = (plural.to_string(), name.to_string());
        let mut state = self.lock();
        if let Some(mut object) = state.objects.get(&key).cloned() {
            object["status"] = status;
            self.store(&mut state, key, object);
        }
    }

    /// Somebody deletes an object: it goes at once, or with its last finalizer.
    pub fn delete(&self, plural: &str, name: &str) {
        let key = (plural.to_string(), name.to_string());
        let mut state = self.lock();
        if let Some(mut object) = state.objects.get(&key).cloned() {
            object["metadata"]["deletionTimestamp"] = state.time();
            object["metadata"]["generation"] = json!(object["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
            self.store(&mut state, key, object);
        }
    }

    fn store(&self, state: &mut State, key: Key, mut object: Value) {
        state.version += 1;
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        let metadata = &object["metadata"];
        let held = metadata["finalizers"].as_array().is_some_and(|list| !list.is_empty());
        let change = if metadata["deletionTimestamp"].is_string() && !held {
            state.objects.remove(&key);
            Change::Deleted(object)
        } else {
            state.objects.insert(key.clone(), object.clone());
            Change::Applied(object)
        };
        state.changes.push((Instant::now(), key, change));
        self.news.notify_waiters();
        self.news.notify_one();
    }

    /// The answer to a request.
    fn answer(&self, method: &Method, path: &str, meta_only: bool, body: &Value) -> (u16, Value) {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let Some(place) = parts.iter().position(|part| *part == "namespaces") else {
            return refused(&Refusal(404, "NotFound", path.to_string()));
        };
        let plural = parts.get(place + 2).copied().unwrap_or_default();
        let name = parts.get(place + 3).copied().unwrap_or_default();
        let status = parts.get(place + 4) == Some(&"status");
        if plural == "events" {
            self.lock().events.push(body.clone());
            return (201, body.clone());
        }
        let done = match *method {
            Method::GET => self.object(plural, name).ok_or_else(|| Refusal::absent(name)),
            Method::PATCH if status => self.patch_status(plural, name, body),
            Method::PATCH => self.patch(plural, name, body),
            Method::PUT if status => self.put_status(plural, name, body),
            _ => Err(Refusal(405, "MethodNotAllowed", format!("{method} {path}"))),
        };
        match done {
            Ok(object) if meta_only => (
                200,
                json!({ "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"] }),
            ),
            Ok(object) => (200, object),
            Err(refusal) => refused(&refusal),
        }
    }

    fn patch(&self, plural: &str, name: &str, patch: &Value) -> Result<Value, Refusal> {
        let key = (plural.to_string(), name.to_string());
        let mut state = self.lock();
        let before = state.objects.get(&key).cloned().ok_or_else(|| Refusal::absent(name))?;
        for member in ["resourceVersion", "uid"] {
            let given = &patch["metadata"][member];
            if !given.is_null() && given != &before["metadata"][member] {
                return Err(Refusal::conflict(name));
            }
        }
        let mut object = before.clone();
        // The status is a resource of its own.
        let mut patch = patch.clone();
        if let Some(patch) = patch.as_object_mut() {
            patch.remove("status");
        }
        merge(&mut object, &patch);
        if object == before {
            return Ok(before);
        }
        if object["spec"] != before["spec"] {
            object["metadata"]["generation"] = json!(object["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
        }
        self.store(&mut state, key.clone(), object.clone());
        Ok(state.objects.get(&key).cloned().unwrap_or(object))
    }

    fn patch_status(&self, plural: &str, name: &str, patch: &Value) -> Result<Value, Refusal> {
        let mut object = self.object(plural, name).ok_or_else(|| Refusal::absent(name))?;
        for member in ["resourceVersion", "uid"] {
            if let given @ Value::String(_) = &patch["metadata"][member] {
                object["metadata"][member] = given.clone();
            }
        }
        merge(&mut object["status"], &patch["status"]);
        self.put_status(plural, name, &object)
    }

    fn put_status(&self, plural: &str, name: &str, body: &Value) -> Result<Value, Refusal> {
        let key = (plural.to_string(), name.to_string());
        let mut state = self.lock();
        let before = state.objects.get(&key).cloned().ok_or_else(|| Refusal::absent(name))?;
        let same = |member: &str| body["metadata"][member] == before["metadata"][member];
        if !same("resourceVersion") || !same("uid") {
            return Err(Refusal::conflict(name));
        }
        let mut object = before.clone();
        object["status"] = body["status"].clone();
        if object == before {
            return Ok(before);
        }
        self.store(&mut state, key.clone(), object.clone());
        Ok(state.objects.get(&key).cloned().unwrap_or(object))
    }

    /// A client of one operator's process.
    pub fn client(&self, wire: &Wire, alive: &Arc<Alive>) -> kube::Client {
        let (cluster, wire, alive) = (self.clone(), wire.clone(), alive.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (cluster, wire, alive) = (cluster.clone(), wire.clone(), alive.clone());
            async move { cluster.serve(request, &wire, &alive).await }
        });
        kube::Client::new(service, NAMESPACE)
    }

    async fn serve(
        &self,
        request: Request<Body>,
        wire: &Wire,
        alive: &Alive,
    ) -> Result<Response<Body>, tower::BoxError> {
        alive.check().await;
        let (parts, body) = request.into_parts();
        let bytes = body.collect_bytes().await?;
        let body: Value = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? };
        let accepts = parts.headers.get(http::header::ACCEPT).and_then(|a| a.to_str().ok()).unwrap_or_default();
        let meta_only = accepts.contains("PartialObjectMetadata");
        let effect = if parts.method == Method::GET { Effect::ApiRead } else { Effect::ApiWrite };
        let path = parts.uri.path();
        let place = path.find(NAMESPACE).map_or(0, |at| at + NAMESPACE.len() + 1);
        let shown = if path.contains("/events") { "events" } else { path.get(place..).unwrap_or(path) };
        let (number, fault) = wire.meet(format!("API {} {shown}", parts.method), effect);
        let hangs = self.lock().hanging.as_ref().is_some_and(|hanging| path.contains(hanging.as_str()));
        if hangs && effect == Effect::ApiRead {
            std::future::pending::<()>().await;
        }
        if fault == Some(Fault::CrashBefore) {
            alive.crash().await;
        }
        let (status, answer) = match fault {
            Some(Fault::Conflict) => refused(&Refusal::conflict("planted")),
            Some(Fault::ErrorBefore) => refused(&Refusal(500, "InternalError", "etcdserver: request timed out".into())),
            _ => self.answer(&parts.method, path, meta_only, &body),
        };
        if fault == Some(Fault::CrashAfter) {
            alive.crash().await;
        }
        playout_aws::clock::pause(Duration::from_millis(2)).await;
        alive.check().await;
        wire.ended(number, &status.to_string());
        if fault == Some(Fault::Lost) {
            return Err("the connection was closed".into());
        }
        Ok(Response::builder()
            .status(status)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Body::from(serde_json::to_vec(&answer)?))?)
    }
}

fn refused(Refusal(code, reason, message): &Refusal) -> (u16, Value) {
    let status = json!({ "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": code,
        "reason": reason, "message": message });
    (*code, status)
}

/// JSON merge patch.
fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            if let Some(object) = target.as_object_mut() {
                object.remove(key);
            }
        } else {
            merge(&mut target[key.as_str()], value);
        }
    }
}
