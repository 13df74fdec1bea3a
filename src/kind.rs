//! What one kind supplies to the loop. Five steps; the loop is in `reconcile.rs`.

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use kube::Resource;
use kube::core::object::HasStatus;
use kube::runtime::reflector::Store;
use playout_api::{CREATE_INTENT, Destination, EncodingPreset, Source};
use playout_aws::Account;
use playout_aws::clock::Clock;
use playout_aws::fence::Fence;
use playout_aws::redact::Redactor;
use playout_core::failure::Failure;
use playout_core::feeds::Feeds;
use playout_core::fight::Left;
use playout_core::fingerprint::FingerprintKey;
use playout_core::identity::Identity;
use playout_core::intent::{CreateIntent, IntentPhase};
use playout_core::left::Farewell;
use playout_core::plan::{Action, Desired, Memory, Plan, Step};
use playout_core::references::Found;
use playout_core::secret::SecretText;
use playout_core::stored::Stored;
use playout_core::told::{self, News};
use serde::Serialize;

use crate::attempts::Attempts;
use crate::config::Config;
pub use crate::kubernetes::api_failure;
use crate::kubernetes::events::Recorder;
use crate::kubernetes::secrets::Secrets;
use crate::kubernetes::status::Writer;
use crate::kubernetes::written::Written;
use crate::lanes::{Lanes, Looks, Urgency, Wishes};
use crate::metrics::Metrics;
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
    /// All Sources.
    pub sources: Store<Source>,
    /// All Destinations.
    pub destinations: Store<Destination>,
    /// All EncodingPresets.
    pub encoding_presets: Store<EncodingPreset>,
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

    /// The intent on the object, while something may still come of it.
    pub fn open_intent<K: Resource>(&self, object: &K) -> Option<CreateIntent> {
        let uid = object.meta().uid.as_deref().unwrap_or_default();
        let text = object.meta().annotations.as_ref()?.get(CREATE_INTENT)?;
        let intent = CreateIntent::parse(text, uid)?;
        let seen = self.attempts.first_saw(uid, text, self.clock.now(), self.clock.instant());
        (intent.phase(seen, self.config.create_window) == IntentPhase::Open).then_some(intent)
    }
}

/// What came of a pass, for the status.
#[derive(Debug)]
pub struct Outcome<'a, K: Kind> {
    /// What is wanted.
    pub desired: Option<&'a Desired<K::Wanted>>,
    /// What was seen; `None` when looking failed.
    pub seen: Option<&'a K::Observed>,
    /// What was decided.
    pub step: Option<&'a Step<K::Action>>,
    /// What is to be remembered from now on.
    pub memory: Option<&'a K::Memory>,
    /// Changes that wait, by the names of the fields.
    pub deferred: &'a [String],
    /// What failed.
    pub failure: Option<&'a Failure>,
    /// Identifier of what this pass created, before any look can show it.
    pub created: Option<&'a str>,
    /// Now.
    pub now: jiff::Timestamp,
}

impl<'a, K: Kind> Outcome<'a, K> {
    /// Of a pass that came to nothing yet.
    #[must_use]
    pub fn at(now: jiff::Timestamp) -> Self {
        Self { desired: None, seen: None, step: None, memory: None, deferred: &[], failure: None, created: None, now }
    }

    /// What a plan comes to.
    #[must_use]
    pub fn planned(self, plan: Option<&'a Plan<K::Action, K::Memory>>) -> Self {
        match plan {
            Some(Plan { step, memory, deferred }) => Self { step: Some(step), memory: Some(memory), deferred, ..self },
            None => self,
        }
    }

    /// The same, as the core's status functions take it.
    pub fn pure(&self) -> playout_core::outcome::Outcome<'a, K::Wanted, K::Observed, K::Action, K::Memory> {
        playout_core::outcome::Outcome {
            wanted: match self.desired {
                Some(Desired::Present(wanted)) => Some(wanted),
                _ => None,
            },
            seen: self.seen,
            step: self.step,
            memory: self.memory,
            deferred: self.deferred,
            failure: self.failure,
            created: self.created,
            now: self.now,
        }
    }
}

/// One kind of object.
pub trait Kind: Debug + Sized + Send + Sync + 'static {
    /// The custom resource.
    type Object: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + HasStatus<Status: Clone + PartialEq + Send + Sync>
        + Clone
        + Debug
        + Stored
        + Serialize
        + Send
        + Sync
        + 'static;
    /// A wish that cannot be wrong.
    type Wanted: Debug + Send + Sync;
    /// The facts.
    type Observed: Debug + Send + Sync;
    /// What can be done.
    type Action: Action;
    /// What is remembered.
    type Memory: Memory;

    /// Name of the controller in logs and metrics.
    const CONTROLLER: &'static str;

    /// All objects of the kind, as the watch shows them.
    fn objects(context: &Context) -> &Store<Self::Object>;

    /// Who waits for a pass over this object.
    fn urgency(object: &Self::Object, context: &Context) -> Urgency;

    /// What may hold up its passes, and those of no other place: a region, a service.
    fn place(object: &Self::Object, context: &Context) -> String;

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

    /// Decides. Pure.
    fn plan(
        object: &Self::Object,
        desired: &Desired<Self::Wanted>,
        seen: &Self::Observed,
    ) -> Plan<Self::Action, Self::Memory>;

    /// What is put in order beside the step: it holds up nothing, and a refusal of it is told and changes nothing else. Pure.
    fn housekeeping(_wanted: &Self::Wanted, _seen: &Self::Observed) -> Vec<Self::Action> {
        Vec::new()
    }

    /// What the last Event of an object says, from what was seen when it went: what is left in AWS. Pure.
    fn last_word(seen: &Self::Observed) -> Farewell;

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

    /// Whether two statuses differ in what they summarise of other objects alone: that is gathered, and written once a second at most.
    fn is_summary(_stored: &<Self::Object as HasStatus>::Status, _new: &<Self::Object as HasStatus>::Status) -> bool {
        false
    }

    /// How long a settled object is left alone.
    fn settled_for(object: &Self::Object, context: &Context) -> Duration;

    /// Whether AWS's side stays when the object goes.
    fn retains(object: &Self::Object) -> bool;

    /// Whether AWS has shown what a create of this role made: then a create is no repetition of that one.
    fn was_seen(_object: &Self::Object, _role: &str) -> bool {
        false
    }

    /// Whether it has something in AWS.
    const IN_AWS: bool = true;

    /// Everything by which a wish is another one, besides what a user can change about the object: the keys that it names.
    fn keys(_desired: &Desired<Self::Wanted>) -> u64 {
        0
    }

    /// Whether others want it on the air, where that is not for the object alone to say.
    fn is_demanded(_seen: &Self::Observed) -> bool {
        true
    }

    /// Whether it is to be off the air, or to go.
    fn ends(_desired: &Desired<Self::Wanted>, _seen: &Self::Observed) -> bool {
        false
    }

    /// Lets the planner go on as if this were as wished.
    fn leave(_seen: &mut Self::Observed, _left: Left) {}

    /// In what AWS differs from what this action asks for, for people and without secrets.
    fn difference(_desired: &Desired<Self::Wanted>, _seen: &Self::Observed, _action: &Self::Action) -> String {
        String::new()
    }

    /// What a status tells that the one before it did not, for Events. Pure.
    fn news<'a>(before: &Self::Object, after: &'a Self::Object) -> Vec<News<'a>> {
        told::news(Self::conditions(before).unwrap_or_default(), Self::conditions(after).unwrap_or_default(), false)
    }

    /// The condition list of a status.
    fn conditions(object: &Self::Object) -> Option<&[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]>;
}

/// Shared pointer to the context, as kube's controller hands it around.
pub type Shared = Arc<Context>;
