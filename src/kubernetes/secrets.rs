//! Secrets: watched by their metadata, read one at a time when a key is needed.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::api::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, ResourceExt as _};
use playout_core::references::Found;
use playout_core::secret::SecretText;
use tokio::sync::Mutex;

use crate::redact::Redactor;

type Key = (String, String, String);
type Known = (String, Option<Found>);

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

    /// The text behind a key; `None` when there is no such Secret or key.
    ///
    /// # Errors
    /// The API server gave no answer, or does not allow it.
    pub async fn value(&self, namespace: &str, name: &str, key: &str) -> kube::Result<Option<Found>> {
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
            return Ok(None);
        };
        let version = secret.resource_version().unwrap_or_default();
        let found = secret
            .data
            .as_ref()
            .and_then(|data| data.get(key))
            // Files and here-documents end in a line break that nobody means.
            .and_then(|bytes| String::from_utf8(bytes.0.clone()).ok())
            .map(|text| Found {
                text: SecretText::new(text.trim_end_matches(['\r', '\n'])),
                version: format!("{} {version}", secret.uid().unwrap_or_default()),
            });
        if let Some(found) = &found {
            self.redactor.learn(&found.text);
        }
        known.insert(place, (version, found.clone()));
        Ok(found)
    }
}
