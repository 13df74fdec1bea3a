//! Secrets: watched by their metadata, read one at a time when a key is needed.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PartialObjectMeta};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, ResourceExt as _};
use playout_core::references::{self, Found, Missing};
use tokio::sync::Mutex;

use crate::redact::Redactor;

type Key = (String, String, String);
type Known = (String, Result<Found, Missing>);

/// Takes away all but the name and the version. Annotations above all: `kubectl apply` keeps the whole Secret in one.
pub fn name_and_version(secret: &mut PartialObjectMeta<Secret>) {
    let ObjectMeta { namespace, name, uid, resource_version, .. } = std::mem::take(&mut secret.metadata);
    secret.metadata = ObjectMeta { namespace, name, uid, resource_version, ..ObjectMeta::default() };
}

/// Reads keys of Secrets.
#[derive(Clone)]
pub struct Secrets {
    client: Client,
    watched: Store<PartialObjectMeta<Secret>>,
    /// By namespace, name and key: the version that was read, and what it held.
    known: Arc<Mutex<HashMap<Key, Known>>>,
    redactor: Redactor,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Reads with `client`, and again when `watched` shows another version.
    #[must_use]
    pub fn new(client: Client, watched: Store<PartialObjectMeta<Secret>>, redactor: Redactor) -> Self {
        Self { client, watched, known: Arc::default(), redactor }
    }

    /// The text behind a key, or why there is none.
    ///
    /// # Errors
    /// The API server gave no answer, or does not allow it.
    pub async fn value(&self, namespace: &str, name: &str, key: &str) -> kube::Result<Result<Found, Missing>> {
        let place = (namespace.to_string(), name.to_string(), key.to_string());
        let version = self
            .watched
            .get(&ObjectRef::<PartialObjectMeta<Secret>>::new(name).within(namespace))
            .and_then(|s| s.resource_version());
        let mut known = self.known.lock().await;
        if let (Some(version), Some((read, found))) = (&version, known.get(&place))
            && read == version
        {
            return Ok(found.clone());
        }
        let secret = Api::<Secret>::namespaced(self.client.clone(), namespace).get_opt(name).await?;
        let Some(secret) = secret else {
            known.remove(&place);
            return Ok(Err(Missing::Secret));
        };
        let version = secret.resource_version().unwrap_or_default();
        let entries = secret.data.iter().flatten().map(|(name, bytes)| (name, bytes.0.as_slice()));
        let uid = secret.uid().unwrap_or_default();
        let found = references::entry(entries, key).map(|text| Found { text, version: format!("{uid} {version}") });
        if let Ok(found) = &found {
            self.redactor.learn(&found.text);
        }
        known.insert(place, (version, found.clone()));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::json;

    use super::*;
    use crate::kubernetes::watched::Watched;

    /// A cluster with one Secret, as `kubectl apply` leaves it. Nothing in it ever changes.
    fn cluster() -> Client {
        let secret = json!({
            "apiVersion": "meta.k8s.io/v1",
            "kind": "PartialObjectMetadata",
            "metadata": {
                "name": "twitch", "namespace": "show", "uid": "1", "resourceVersion": "7",
                "labels": { "hint": "not-a-real-key" },
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": r#"{"stringData":{"key":"not-a-real-key"}}"#,
                },
                "managedFields": [{ "manager": "not-a-real-key" }],
            },
        });
        let list = json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": { "resourceVersion": "9" },
            "items": [secret],
        });
        let service = tower::service_fn(move |request: Request<Body>| {
            let list = list.clone();
            async move {
                if request.uri().query().is_some_and(|query| query.contains("watch=true")) {
                    std::future::pending::<()>().await;
                }
                anyhow::Ok(Response::new(Body::from(serde_json::to_vec(&list)?)))
            }
        });
        Client::new(service, "show")
    }

    #[tokio::test]
    async fn nothing_is_kept_that_may_hold_a_key() {
        let watched = Watched::start(Api::<PartialObjectMeta<Secret>>::all(cluster()), name_and_version);
        let watched = watched.filled().await.expect("it is listed");
        let kept = watched.store.state();
        assert_eq!(kept.len(), 1);
        let known = &kept[0].metadata;
        assert_eq!((known.name.as_deref(), known.resource_version.as_deref()), (Some("twitch"), Some("7")));
        assert!(!format!("{kept:?}").contains("not-a-real-key"), "{kept:?}");
    }
}
