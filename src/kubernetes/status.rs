//! Writing status: in one place, whatever happened, and only if it changed.

use std::fmt::Debug;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::object::HasStatus;
use kube::{Api, Resource, ResourceExt as _};
use playout_core::stored::Stored;
use serde::Serialize;
use serde_json::json;

use super::guard::Guarded;
use super::written::Written;
use crate::metrics::Metrics;

/// How often a write is tried again on a fresher object.
const TRIES: usize = 5;

/// Counts writes, by controller, and remembers what was stored.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// Where they are counted.
    pub metrics: &'a Metrics,
    /// Who writes.
    pub controller: &'static str,
    /// What was stored.
    pub written: &'a Written,
}

impl Writer<'_> {
    /// One write of this sort.
    pub fn wrote(&self, what: &str) {
        self.metrics.wrote(self.controller, what);
    }
}

/// What has become of a status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrote {
    /// It was written.
    Now,
    /// It is what is stored, or nobody is left to read it.
    Nothing,
    /// It can wait.
    Later,
}

/// Writes the status that `compute` makes of the object; on a conflict reads the object again and computes anew, so that a
/// status that holds an id is never lost to somebody's edit. What `can_wait`, by the status as it is stored and as it is to be, is
/// left to a later pass. The object as it is stored now, and what has become of the status.
///
/// # Errors
/// The API server refused it, or it was changed by others each time: what this status holds is to be found out again.
pub async fn write<K>(
    writer: &Writer<'_>,
    api: &Api<Guarded<K>>,
    mut object: K,
    compute: impl Fn(&K) -> K::Status,
    can_wait: impl Fn(&K::Status, &K::Status) -> bool,
) -> kube::Result<(K, Wrote)>
where
    K: Resource<DynamicType = ()> + HasStatus + Stored + Clone + Debug + Serialize + Send + Sync + 'static,
    K::Status: Clone + PartialEq,
{
    let uid = object.uid();
    // What was looked at: a later spec, or annotation, is not what this status speaks of.
    let mut seen = object.clone();
    let mut replaced = vec![object.resource_version()];
    let mut tries = 0;
    loop {
        tries += 1;
        *seen.status_mut() = object.status().cloned();
        let status = compute(&seen);
        match object.status() {
            Some(stored) if *stored == status => return Ok((object, Wrote::Nothing)),
            Some(stored) if can_wait(stored, &status) => return Ok((object, Wrote::Later)),
            _ => {}
        }
        *object.status_mut() = Some(status);
        writer.wrote("status");
        match api.replace_status(&object.name_any(), &PostParams::default(), &Guarded(object.clone())).await {
            Ok(stored) => {
                writer.written.stored(&replaced, &stored.0);
                return Ok((stored.0, Wrote::Now));
            }
            Err(kube::Error::Api(status)) if status.code == 409 && tries < TRIES => {
                object = api.get(&object.name_any()).await?.0;
                // Another object of that name is another pass's business.
                if object.uid() != uid {
                    return Ok((object, Wrote::Nothing));
                }
                replaced.push(object.resource_version());
            }
            // Gone: nobody is left to read it.
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok((object, Wrote::Nothing)),
            Err(error) => return Err(error),
        }
    }
}

/// Writes the conditions of an object that this version does not understand, and nothing else of its status: what it holds is to be
/// there when the object is understood again. The object as it is stored now, and whether it was written.
///
/// # Errors
/// The API server refused it, or it has changed.
#[expect(clippy::indexing_slicing, reason = "a status that is not read is an object")]
pub async fn write_conditions<K>(
    writer: &Writer<'_>,
    api: &Api<Guarded<K>>,
    object: &K,
    before: &[Condition],
    conditions: &[Condition],
) -> kube::Result<(K, bool)>
where
    K: Resource<DynamicType = ()> + Stored + Clone + Debug,
{
    if before == conditions {
        return Ok((object.clone(), false));
    }
    let mut status = object.unread();
    status["conditions"] = json!(conditions);
    status["observedGeneration"] = json!(object.meta().generation);
    writer.wrote("status");
    let patch =
        json!({ "metadata": { "resourceVersion": object.resource_version(), "uid": object.uid() }, "status": status });
    match api.patch_status(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok((object.clone(), false)),
        stored => stored.map(|stored| (stored.0, true)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use http::{Method, Request, Response};
    use kube::Client;
    use kube::client::Body;
    use playout_api::Destination;
    use playout_api::destination::DestinationStatus;

    /// Somebody else is faster, so often.
    async fn written(conflicts: usize) -> (kube::Result<Wrote>, usize) {
        let object = json!({ "apiVersion": "playout.dev/v1alpha1", "kind": "Destination", "spec": { "from": { "name": "a" } },
            "metadata": { "name": "one", "namespace": "show", "uid": "u" } });
        let puts = Arc::<AtomicUsize>::default();
        let (stored, sent) = (object.clone(), puts.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let put = request.method() == Method::PUT;
            let refused = put && sent.fetch_add(1, Ordering::SeqCst) < conflicts;
            let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 409,
                "message": "the object has been modified", "reason": "Conflict" });
            let (code, body) = if refused { (409, status.to_string()) } else { (200, stored.to_string()) };
            async move { Response::builder().status(code).body(Body::from(body.into_bytes())) }
        });
        let api: Api<Guarded<Destination>> = Api::namespaced(Client::new(service, "show"), "show");
        let metrics = Metrics::new();
        let written = Written::default();
        let writer = Writer { metrics: &metrics, controller: "destination", written: &written };
        let object: Destination = serde_json::from_value(object).expect("a Destination");
        let told = || DestinationStatus { observed_generation: Some(1), ..DestinationStatus::default() };
        let result = write(&writer, &api, object, |_| told(), |_, _| true).await.map(|(_, wrote)| wrote);
        (result, puts.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn a_status_that_was_not_written_is_a_failure() {
        assert!(matches!(written(4).await, (Ok(Wrote::Now), 5)));
        let (result, puts) = written(5).await;
        assert!(matches!(result, Err(kube::Error::Api(status)) if status.code == 409) && puts == 5);
    }
}
