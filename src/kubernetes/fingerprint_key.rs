//! The key of the fingerprints: one Secret in the operator's own namespace, made once and never changed.
//!
//! Were it another one after a restart, every key would seem to have changed. So it is created and never written over, and
//! whoever finds that another replica was faster takes that one's.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use playout_core::fingerprint::FingerprintKey;
use zeroize::Zeroizing;

/// Name of the Secret. The RBAC rules (`deploy/base/rbac.yaml`) allow it to be read by this name.
pub const NAME: &str = "playout-fingerprint-key";
/// The entry that holds the key.
const ENTRY: &str = "key";

/// How long the API server may take, and how soon it is asked again.
const ANSWER: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(2);

/// Reads the key, or makes it. `None` when the API server does not allow that, or what is there is no key: then no change of a
/// key is known, and everything else works. While there is no answer it is asked again: no answer is no refusal.
pub async fn load(client: &Client, namespace: &str) -> Option<FingerprintKey> {
    let secrets = Api::<Secret>::namespaced(client.clone(), namespace);
    loop {
        let error = match tokio::time::timeout(ANSWER, read_or_create(&secrets)).await {
            Ok(Ok(secret)) => {
                let key = secret.data.as_ref().and_then(|data| FingerprintKey::read(&data.get(ENTRY)?.0));
                if key.is_none() {
                    tracing::warn!(
                        namespace,
                        secret = NAME,
                        "there is no key in the Secret of fingerprints; changed keys are not noticed until it is deleted and the operator restarted"
                    );
                }
                return key;
            }
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 401 | 403 | 404) => {
                tracing::warn!(
                    namespace,
                    secret = NAME,
                    error = status.message,
                    "the Secret of fingerprints cannot be read or made: allow it (deploy/base/rbac.yaml), in a namespace that exists, and restart the operator; until then changed keys are not noticed"
                );
                return None;
            }
            Ok(Err(kube::Error::Api(status))) => status.message.clone(),
            // Other texts may hold whole answers.
            Ok(Err(_)) | Err(_) => "the API server gave no usable answer".into(),
        };
        tracing::warn!(namespace, secret = NAME, error, "the Secret of fingerprints cannot be read; trying again");
        playout_aws::clock::pause(AGAIN).await;
    }
}

async fn read_or_create(secrets: &Api<Secret>) -> kube::Result<Secret> {
    match secrets.get(NAME).await {
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        other => return other,
    }
    match secrets.create(&PostParams::default(), &new()).await {
        // Another replica was faster.
        Err(kube::Error::Api(status)) if status.code == 409 => secrets.get(NAME).await,
        other => other,
    }
}

/// A Secret with a new key. Nobody can edit it.
fn new() -> Secret {
    let mut key = Zeroizing::new([0; FingerprintKey::BYTES]);
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    // Without randomness there is no key, rather than one that can be guessed.
    let filled = random.fill(key.as_mut_slice()).is_ok();
    let data = filled.then(|| BTreeMap::from([(ENTRY.to_string(), ByteString(key.to_vec()))]));
    Secret {
        metadata: ObjectMeta { name: Some(NAME.into()), ..ObjectMeta::default() },
        immutable: Some(true),
        data,
        ..Secret::default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use http::{Method, Request, Response};
    use kube::client::Body;
    use playout_core::secret::SecretText;
    use serde_json::{Value, json};

    use super::*;

    /// An API server with room for one Secret. `refuses`: the answers that come first.
    #[derive(Clone, Default)]
    struct Server {
        stored: Arc<Mutex<Option<Value>>>,
        refuses: Arc<Mutex<Vec<(Method, u16)>>>,
        /// Another replica's, which is there as soon as somebody else creates one.
        rival: Option<Value>,
    }

    impl Server {
        fn client(&self) -> Client {
            let server = self.clone();
            let service = tower::service_fn(move |request: Request<Body>| {
                let server = server.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    assert!(parts.uri.path().starts_with("/api/v1/namespaces/system/secrets"), "{}", parts.uri);
                    let body = body.collect_bytes().await?;
                    let (code, answer) = server.answer(&parts.method, serde_json::from_slice(&body).ok());
                    let response = Response::builder().status(code).body(Body::from(serde_json::to_vec(&answer)?))?;
                    Ok::<_, tower::BoxError>(response)
                }
            });
            Client::new(service, "system")
        }

        fn answer(&self, method: &Method, body: Option<Value>) -> (u16, Value) {
            let mut refuses = self.refuses.lock().unwrap_or_else(PoisonError::into_inner);
            let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
            let refusal = |code: u16| {
                (
                    code,
                    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code }),
                )
            };
            if let Some(at) = refuses.iter().position(|(refused, _)| refused == method) {
                return refusal(refuses.remove(at).1);
            }
            match (method, &*stored) {
                (&Method::GET, Some(secret)) => (200, secret.clone()),
                (&Method::GET, None) => refusal(404),
                (&Method::POST, Some(_)) => refusal(409),
                (&Method::POST, None) => {
                    *stored = self.rival.clone().or(body);
                    if self.rival.is_some() { refusal(409) } else { (201, stored.clone().unwrap_or_default()) }
                }
                _ => panic!("the key is never written over: {method}"),
            }
        }
    }

    fn of(key: Option<FingerprintKey>) -> Option<String> {
        key.map(|key| key.of("show", &SecretText::new("abcd-efgh")))
    }

    #[tokio::test]
    async fn it_is_made_once_and_the_same_for_every_replica_and_after_every_restart() {
        let server = Server::default();
        let first = of(load(&server.client(), "system").await);
        assert!(first.is_some());
        assert_eq!(first, of(load(&server.client(), "system").await));
        let stored = server.stored.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
        assert_eq!((&stored["immutable"], &stored["metadata"]["name"]), (&json!(true), &json!(NAME)));
        let elsewhere = Server::default();
        assert_ne!(first, of(load(&elsewhere.client(), "system").await), "it is random");
    }

    #[tokio::test]
    async fn who_is_second_takes_the_key_of_the_first() {
        let first = Server::default();
        let key = of(load(&first.client(), "system").await);
        let rival = first.stored.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let second = Server { rival, ..Server::default() };
        assert_eq!(of(load(&second.client(), "system").await), key);
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_is_asked_for_again_and_a_refusal_is_none() {
        let server = Server::default();
        server.refuses.lock().unwrap_or_else(PoisonError::into_inner).extend([
            (Method::GET, 500),
            (Method::GET, 429),
            (Method::POST, 503),
        ]);
        let key = of(load(&server.client(), "system").await);
        assert!(key.is_some());
        // The last: there is no such namespace.
        for (method, code) in [(Method::GET, 403), (Method::POST, 403), (Method::POST, 404)] {
            let denied = Server::default();
            denied.refuses.lock().unwrap_or_else(PoisonError::into_inner).push((method, code));
            assert_eq!(of(load(&denied.client(), "system").await), None);
        }
        // Not a key of ours: not written over, and no key.
        let foreign = Server::default();
        *foreign.stored.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(json!({ "metadata": { "name": NAME }, "data": { "key": "c2hvcnQ=" } }));
        assert_eq!(of(load(&foreign.client(), "system").await), None);
    }
}
