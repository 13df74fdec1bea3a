//! What one kind supplies to the loop, which is in `reconcile.rs`. What is decided for it is in core: its wish, its facts and its object
//! say how (`playout_core::frame`).

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use kube::Resource;
use kube::core::object::HasStatus;
use kube::runtime::reflector::Store;
use playout_api::CREATE_INTENT;
use playout_aws::Account;
use playout_aws::clock::Clock;
use playout_aws::fence::Fence;
use playout_aws::redact::Redactor;
use playout_core::action::Action;
use playout_core::failure::Failure;
use playout_core::feeds::Feeds;
use playout_core::fingerprint::FingerprintKey;
use playout_core::frame::{Facts, Wish};
use playout_core::identity::Identity;
use playout_core::intent::{CreateIntent, IntentPhase};
use playout_core::plan::{Desired, Memory};
use playout_core::references::Found;
use playout_core::secret::SecretText;

use crate::attempts::Attempts;
use crate::config::Config;
pub use crate::kubernetes::api_failure;
use crate::kubernetes::events::Recorder;
use crate::kubernetes::secrets::Secrets;
use crate::kubernetes::status::Writer;
use crate::kubernetes::written::Written;
use crate::lanes::{Lane, Lanes, Looks, Wishes};
use crate::metrics::Metrics;
use crate::stores::{Ours, Stores};
use crate::wiring::Wiring;

/// What every pass may use.
pub struct Context {
    /// The API server.
    pub client: kube::Client,
    /// AWS.
    pub aws: Account,
    /// Secrets.
    pub secrets: Secrets,
    /// The key of the fingerprints, once it was read.
    pub fingerprint_key: Arc<OnceLock<FingerprintKey>>,
    /// All objects of our kinds.
    pub stores: Stores,
    /// Who looks again because of whom.
    pub wiring: Wiring,
    /// Publishes Events.
    pub recorder: Recorder,
    /// How the operator runs.
    pub config: Config,
    /// Identity of the cluster in ownership tags.
    pub cluster: String,
    /// The clock.
    pub clock: Clock,
    /// Counters.
    pub metrics: Metrics,
    /// What is known to be secret.
    pub redactor: Redactor,
    /// What is remembered between passes, by object.
    pub attempts: Attempts,
    /// How many passes are under way.
    pub lanes: Lanes,
    /// Whose wish has just changed.
    pub wishes: Arc<Wishes>,
    /// When objects were last seen in AWS.
    pub looks: Looks,
    /// What was written and the caches do not show yet.
    pub written: Written,
    /// Who sends where.
    pub feeds: Mutex<Feeds>,
    /// Whether we lead, and after whom.
    pub fence: Fence,
}

impl Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl Context {
    /// Who owns what is made for this object.
    pub fn identity<K: Resource<DynamicType = ()>>(&self, object: &K) -> Identity {
        let meta = object.meta();
        Identity {
            cluster: self.cluster.clone(),
            kind: K::kind(&()).into_owned(),
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
        }
    }
}

impl Context {
    /// Who writes to objects of this kind.
    pub fn writer<K: Kind>(&self) -> Writer<'_> {
        Writer { metrics: &self.metrics, controller: K::CONTROLLER, written: &self.written }
    }

    /// A secret text of an object of this namespace, with what tells it from another one.
    pub fn found(&self, namespace: &str, text: SecretText) -> Found {
        Found { fingerprint: self.fingerprint_key.get().map(|key| key.of(namespace, &text)), text }
    }

    /// The intent on the object, open or not.
    pub fn intent<K: Resource>(&self, object: &K) -> Option<CreateIntent> {
        let text = object.meta().annotations.as_ref()?.get(CREATE_INTENT)?;
        CreateIntent::parse(text, object.meta().uid.as_deref().unwrap_or_default())
    }

    /// The token of a create: it comes from the intent, which the loop has written before.
    pub fn request_token<K: Resource<DynamicType = ()>>(&self, object: &K, role: Option<&str>) -> String {
        let identity = self.identity(object);
        let now = || CreateIntent::now(self.clock.now(), &identity.uid, role, None);
        identity.request_token(&self.intent(object).unwrap_or_else(now))
    }

    /// The intent on the object, while something may still come of it.
    pub fn open_intent<K: Resource>(&self, object: &K) -> Option<CreateIntent> {
        let uid = object.meta().uid.as_deref().unwrap_or_default();
        let text = object.meta().annotations.as_ref()?.get(CREATE_INTENT)?;
        let intent = self.intent(object)?;
        let seen = self.attempts.first_saw(uid, text, self.clock.now(), self.clock.instant());
        (intent.phase(seen, self.config.create_window) == IntentPhase::Open).then_some(intent)
    }
}

/// What a pass came to, for the status.
pub type Outcome<'a, K> = playout_core::outcome::Outcome<
    'a,
    <K as Kind>::Wanted,
    <K as Kind>::Observed,
    <K as Kind>::Action,
    <K as Kind>::Memory,
>;

/// One kind of object.
pub trait Kind: Debug + Sized + Send + Sync + 'static {
    /// The custom resource.
    type Object: Ours;
    /// A wish that cannot be wrong.
    type Wanted: Wish<Seen = Self::Observed, Action = Self::Action, Memory = Self::Memory>;
    /// The facts.
    type Observed: Facts<Action = Self::Action>;
    /// What can be done.
    type Action: Action;
    /// What is remembered.
    type Memory: Memory;

    /// Name of the controller in logs and metrics.
    const CONTROLLER: &'static str;

    /// All objects of the kind, as the watch shows them.
    fn objects(context: &Context) -> &Store<Self::Object>;

    /// Which lane its passes take.
    fn lane(object: &Self::Object, context: &Context) -> Lane;

    /// Looks up what the spec refers to and parses it. With a failure, something could not be read and is missing in the wish:
    /// what is there is looked at all the same, and what runs goes on.
    fn wanted(
        object: &Self::Object,
        context: &Context,
    ) -> impl Future<Output = (Desired<Self::Wanted>, Option<Failure>)> + Send;

    /// Looks at AWS. A read that fails is an error, never "not there".
    fn observe(
        object: &Self::Object,
        desired: &Desired<Self::Wanted>,
        context: &Context,
    ) -> impl Future<Output = Result<Self::Observed, Failure>> + Send;

    /// Carries out one action; the identifier of what it created, if it created something.
    fn execute(
        object: &Self::Object,
        action: &Self::Action,
        context: &Context,
    ) -> impl Future<Output = Result<Option<String>, Failure>> + Send;

    /// The new status. Pure.
    fn status(
        object: &Self::Object,
        outcome: &Outcome<'_, Self>,
        context: &Context,
    ) -> <Self::Object as HasStatus>::Status;

    /// How long a settled object is left alone.
    fn settled_for(object: &Self::Object, context: &Context) -> Duration;
}

/// Shared pointer to the context, as kube's controller hands it around.
pub type Shared = Arc<Context>;
