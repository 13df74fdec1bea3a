//! Secrets: watched by their metadata, read one at a time when a key is needed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PartialObjectMeta};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt as _};
use playout_aws::clock::Clock;
use playout_aws::redact::Redactor;
use playout_core::failure::{Failure, FailureClass};
use playout_core::references::{self, Missing};
use playout_core::secret::SecretText;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::kubernetes::api_failure;

/// How long the API server may take for a Secret.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a pass may wait for another's read of the same Secret, and its own.
const WAIT: Duration = Duration::from_secs(11);
/// How long what nobody asks for is kept. Every object asks at least once in its drift interval.
const KEPT: Duration = Duration::from_secs(1800);

/// So many Secrets come with one answer: with their annotations, which may be large, and held at once.
const PAGE: u32 = 20;

/// Namespace and name.
type Place = (String, String);

/// The Secrets that may hold a key: not those that Helm and Kubernetes keep for themselves, which are the largest and the most.
/// One of them that an object names all the same is read each time that it is asked for.
#[must_use]
pub fn watched() -> watcher::Config {
    watcher::Config::default()
        .page_size(PAGE)
        .fields("type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token")
}

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
    known: Arc<StdMutex<Known>>,
    redactor: Redactor,
    clock: Clock,
}

/// One lock a Secret: a read that hangs holds up nobody who needs another one.
#[derive(Default)]
struct Known {
    secrets: HashMap<Place, (Instant, Arc<Mutex<Read>>)>,
    swept: Option<Instant>,
}

/// What was read of a Secret.
#[derive(Default)]
struct Read {
    version: String,
    /// The entries that were asked for.
    entries: BTreeMap<String, Result<SecretText, Missing>>,
    /// A read that failed, and when.
    failed: Option<(Instant, Failure)>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Reads with `client`, and again when `watched` shows another version.
    #[must_use]
    pub fn new(client: Client, watched: Store<PartialObjectMeta<Secret>>, redactor: Redactor, clock: Clock) -> Self {
        Self { client, watched, known: Arc::default(), redactor, clock }
    }

    /// The text behind a key, or why there is none.
    ///
    /// # Errors
    /// The API server gave no answer, or does not allow it.
    pub async fn value(&self, namespace: &str, name: &str, key: &str) -> Result<Result<SecretText, Missing>, Failure> {
        let asked = self.clock.instant();
        let read = self.read_of((namespace.to_string(), name.to_string()), asked);
        let answer = async {
            let mut read = read.lock().await;
            // Who waited for a read that failed does not send it again.
            if let Some((at, failure)) = &read.failed
                && *at >= asked
            {
                return Err(failure.clone());
            }
            let version = self
                .watched
                .get(&ObjectRef::<PartialObjectMeta<Secret>>::new(name).within(namespace))
                .and_then(|s| s.resource_version());
            if let (Some(text), true) = (read.entries.get(key), version.as_ref() == Some(&read.version)) {
                return Ok(text.clone());
            }
            let secrets = Api::<Secret>::namespaced(self.client.clone(), namespace);
            let answer = tokio::time::timeout(ANSWER, secrets.get_opt(name)).await;
            let answer = answer.map(|got| got.map_err(|error| api_failure("kubernetes:GetSecret", &error)));
            match answer.unwrap_or_else(|_| Err(no_answer())) {
                Ok(secret) => Ok(self.keep(&mut read, secret, key)),
                Err(failure) => {
                    read.failed = Some((self.clock.instant(), failure.clone()));
                    Err(failure)
                }
            }
        };
        tokio::time::timeout(WAIT, answer).await.unwrap_or_else(|_| Err(no_answer()))
    }

    fn keep(&self, read: &mut Read, secret: Option<Secret>, key: &str) -> Result<SecretText, Missing> {
        read.failed = None;
        let version = secret.as_ref().and_then(|secret| secret.resource_version()).unwrap_or_default();
        if read.version != version {
            *read = Read { version, ..Read::default() };
        }
        let Some(secret) = secret else { return Err(Missing::Secret) };
        let entries = secret.data.iter().flatten().map(|(name, bytes)| (name, bytes.0.as_slice()));
        let text = references::entry(entries, key);
        if let Ok(text) = &text {
            self.redactor.learn_of(&secret.namespace().unwrap_or_default(), text);
        }
        read.entries.insert(key.into(), text.clone());
        text
    }

    /// What is known of a Secret. What nobody has asked for in a while is forgotten: its objects are gone, or name another.
    fn read_of(&self, place: Place, now: Instant) -> Arc<Mutex<Read>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.swept.is_none_or(|swept| swept + KEPT / 10 <= now) {
            known.swept = Some(now);
            known.secrets.retain(|_, (used, _)| *used + KEPT > now);
        }
        let (used, read) = known.secrets.entry(place).or_insert_with(|| (now, Arc::default()));
        *used = now;
        read.clone()
    }
}

fn no_answer() -> Failure {
    Failure {
        class: FailureClass::Transient,
        operation: "kubernetes:GetSecret".into(),
        message: format!("the API server gave no answer in {} s", ANSWER.as_secs()),
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

    /// A cluster in which the GET of one Secret is never answered, and what was asked for.
    fn hanging(asked: &Arc<StdMutex<Vec<String>>>) -> Client {
        let asked = asked.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let name = request.uri().path().rsplit('/').next().unwrap_or_default().to_string();
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
            async move {
                if name == "hangs" {
                    std::future::pending::<()>().await;
                }
                let data = json!({ "key": "YWJjZC1lZmdo", "other": "eHl6LXh5eg==" });
                let metadata = json!({ "name": name, "namespace": "show", "uid": "1", "resourceVersion": "7" });
                let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data });
                anyhow::Ok(Response::new(Body::from(serde_json::to_vec(&secret)?)))
            }
        });
        Client::new(service, "show")
    }

    /// Reads of Secrets whose watch shows that version.
    fn reader(client: Client, names: &[&str]) -> Secrets {
        let (store, mut writer) = kube::runtime::reflector::store();
        for name in names {
            let metadata = json!({ "name": name, "namespace": "show", "uid": "1", "resourceVersion": "7" });
            let object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata });
            writer.apply_watcher_event(&kube::runtime::watcher::Event::Apply(
                serde_json::from_value(object).expect("metadata of a Secret"),
            ));
        }
        Secrets::new(client, store, Redactor::default(), Clock::system())
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_whose_read_hangs_holds_up_nobody_who_needs_another_and_is_asked_for_once() {
        let asked = Arc::new(StdMutex::new(Vec::new()));
        let secrets = reader(hanging(&asked), &["hangs", "twitch"]);
        let start = Instant::now();
        let waiters = futures::future::join_all((0..20).map(|_| secrets.value("show", "hangs", "key")));
        let another = async {
            let text = secrets.value("show", "twitch", "key").await.expect("an answer").expect("a key");
            (text.expose().to_string(), start.elapsed())
        };
        let (waiters, another) = tokio::join!(waiters, another);
        assert_eq!(another, ("abcd-efgh".into(), Duration::ZERO));
        assert!(start.elapsed() <= WAIT, "{:?}", start.elapsed());
        for answer in waiters {
            assert_eq!(answer.expect_err("no answer").class, FailureClass::Transient);
        }
        let mut asked = std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner));
        asked.sort();
        assert_eq!(asked, ["hangs", "twitch"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_known_is_not_asked_for_again_and_is_forgotten_when_nobody_asks() {
        let asked = Arc::new(StdMutex::new(Vec::new()));
        let secrets = reader(hanging(&asked), &["twitch", "youtube"]);
        for key in ["key", "other", "key", "other", "key"] {
            assert!(secrets.value("show", "twitch", key).await.expect("an answer").is_ok());
        }
        assert!(secrets.value("show", "twitch", "none").await.expect("an answer").is_err());
        assert_eq!(asked.lock().unwrap_or_else(PoisonError::into_inner).len(), 3, "each entry once");
        let known = || secrets.known.lock().unwrap_or_else(PoisonError::into_inner).secrets.len();
        playout_aws::clock::pause(KEPT / 2).await;
        assert!(secrets.value("show", "youtube", "key").await.expect("an answer").is_ok());
        assert_eq!(known(), 2);
        playout_aws::clock::pause(KEPT / 2).await;
        assert!(secrets.value("show", "youtube", "key").await.expect("an answer").is_ok());
        assert_eq!(known(), 1);
    }

    #[tokio::test]
    async fn nothing_is_kept_that_may_hold_a_key() {
        assert_eq!(watched().page_size, Some(20), "so many are held at once");
        let watched =
            Watched::start(Api::<PartialObjectMeta<Secret>>::all(cluster()), watched(), name_and_version, |_| {});
        let watched = watched.filled().await.expect("it is listed");
        let kept = watched.store.state();
        assert_eq!(kept.len(), 1);
        let known = &kept[0].metadata;
        assert_eq!((known.name.as_deref(), known.resource_version.as_deref()), (Some("twitch"), Some("7")));
        assert!(!format!("{kept:?}").contains("not-a-real-key"), "{kept:?}");
    }
}
