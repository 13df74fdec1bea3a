//! A process of the operator: its context, its caches, and what kube's controllers do, which is to call a pass when it is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use k8s_openapi::api::core::v1::Secret;
use kube::api::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store, store};
use kube::runtime::watcher::Event;
use playout_api::{Destination, EncodingPreset, Source};
use playout_aws::clock::{Clock, pause};
use playout_aws::fence::Fence;
use playout_aws::redact::Redactor;
use playout_aws::{Account, Settings};
use playout_core::fingerprint::FingerprintKey;
use playout_core::regions::Added;
use playout_core::stored::Stored;
use playout_core::wakes::{Of, Wake};
use playout_operator::config::{Config, LogFormat};
use playout_operator::kind::Context;
use playout_operator::kinds::destination::DestinationKind;
use playout_operator::kinds::source::SourceKind;
use playout_operator::kubernetes::events::Recorder;
use playout_operator::kubernetes::guard::Guarded;
use playout_operator::kubernetes::secrets::Secrets;
use playout_operator::lanes::Lanes;
use playout_operator::metrics::Metrics;
use playout_operator::reconcile::{Passed, in_lane};
use playout_operator::wiring::{GATHERED, Wired, Wiring};
use playout_sim::{Sim, Switches, TokioClock};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::api_server::{Change, Cluster, Key, NAMESPACE};
use super::aws::{Answers, Connector};
use super::wire::{Alive, Fault, Wire};

pub const REGION: &str = "us-west-2";
pub const ROLE: &str = "arn:aws:iam::123456789012:role/PlayoutMediaConnect";
pub const MEDIALIVE_ROLE: &str = "arn:aws:iam::123456789012:role/PlayoutMediaLive";

/// All that is not the operator.
pub struct World {
    pub clock: Clock,
    pub sim: Sim,
    pub cluster: Cluster,
    pub wire: Wire,
    /// How much later than the API server the operator's caches know.
    pub lag: Duration,
    /// What an operator learns to be secret.
    pub redactor: Redactor,
    pub answers: Answers,
    /// Every process has the same, as it does where it stands in a Secret.
    pub fingerprint_key: FingerprintKey,
    /// What an operator is told with `--cluster-id`.
    pub cluster_id: String,
    /// What it is told with `--more-regions`.
    pub more_regions: Vec<Added>,
}

/// What AWS's documents leave open, each way: RTMP outputs of flows without any measurement, and with the series that no page
/// lists for them. What is decided by the evidence is decided in both.
pub fn both_worlds() -> [Switches; 2] {
    [false, true].map(|rtmp_output_metrics| Switches { rtmp_output_metrics, ..Switches::default() })
}

/// From the answer to StartChannel to a channel that sends.
pub const CHANNEL_STARTING: Duration = Duration::from_secs(2);
/// From the answer to StopChannel to a channel at rest.
pub const CHANNEL_STOPPING: Duration = Duration::from_secs(1);

/// Seconds, where AWS takes minutes.
pub fn quick() -> playout_sim::Config {
    let mut config = playout_sim::Config { answer: Duration::from_millis(10), ..playout_sim::Config::default() };
    let flows = &mut config.mediaconnect.durations;
    flows.flow_starting = Duration::from_secs(3);
    flows.flow_stopping = Duration::from_secs(2);
    flows.flow_deleting = Duration::from_secs(3);
    flows.flow_updating = Duration::from_secs(1);
    flows.peer_lag = Duration::from_secs(1);
    let channels = &mut config.medialive.durations;
    channels.channel_creating = Duration::from_secs(1);
    channels.channel_starting = CHANNEL_STARTING;
    channels.channel_stopping = CHANNEL_STOPPING;
    channels.channel_updating = Duration::from_secs(1);
    channels.channel_deleting = Duration::from_secs(1);
    channels.input_creating = Duration::from_secs(1);
    channels.input_deleting = Duration::from_secs(1);
    config.secretsmanager.durations.tombstone = Duration::from_secs(5);
    config.sampling.interval = Duration::from_secs(1);
    config.sampling.lag = Duration::from_secs(1);
    config
}

impl World {
    /// One that publishes what AWS documents for each protocol, and no more.
    pub fn new(planted: Option<(usize, Fault)>) -> Self {
        Self::publishing(&Switches::default(), planted)
    }

    /// One that also publishes what no page promises.
    pub fn publishing(switches: &Switches, planted: Option<(usize, Fault)>) -> Self {
        Self::of(switches, quick(), planted)
    }

    /// One in which AWS takes so long for things.
    pub fn of(switches: &Switches, config: playout_sim::Config, planted: Option<(usize, Fault)>) -> Self {
        let started = jiff::Timestamp::from_second(1_767_225_600).expect("a time");
        let clock = Clock::starting_at(started);
        let config = playout_sim::Config { switches: switches.clone(), ..config };
        let sim = Sim::new(config, Arc::new(TokioClock::new(Duration::from_secs(1_767_225_600), 1.0)));
        // Strikes nobody; while one is planted, the world remembers what it was like before each change.
        sim.plant_fault(playout_sim::Fault::new("none", "None", playout_sim::FaultKind::Stale { seconds: 1.0 }));
        Self {
            clock,
            sim,
            cluster: Cluster::default(),
            wire: Wire::new(planted),
            lag: Duration::ZERO,
            redactor: Redactor::default(),
            answers: Answers::default(),
            fingerprint_key: FingerprintKey::read(&[7; FingerprintKey::BYTES]).expect("a key"),
            cluster_id: "test-cluster".into(),
            more_regions: Vec::new(),
        }
    }

    pub fn settings(&self, wire: Option<Wire>, alive: &Arc<Alive>, redactor: &Redactor) -> Settings {
        let connector = Connector { sim: self.sim.clone(), answers: self.answers.clone(), wire, alive: alive.clone() };
        Settings {
            region: Some(REGION.into()),
            endpoint_url: None,
            credentials: Some(SharedCredentialsProvider::new(Credentials::new(
                "AKIAPLAYOUTSIMULATOR",
                "simulator-secret",
                None,
                None,
                "test",
            ))),
            http_client: Some(SharedHttpClient::new(connector)),
            metric_period: Duration::from_secs(1),
            limits: config().limits(),
            clock: self.clock.clone(),
            redactor: redactor.clone(),
            fence: Fence::open(self.clock.clone()),
            observer: Arc::new(Metrics::new()),
        }
    }
}

fn config() -> Config {
    Config {
        aws_region: None,
        aws_endpoint_url: None,
        cluster_id: None,
        mediaconnect_role_arn: Some(ROLE.into()),
        medialive_role_arn: Some(MEDIALIVE_ROLE.into()),
        medialive_channels: None,
        medialive_push_inputs: None,
        more_regions: Vec::new(),
        mediaconnect_flows: None,
        namespace: None,
        concurrency: 16,
        leader_election: false,
        identity: None,
        lease_namespace: "default".into(),
        metrics_address: ([127, 0, 0, 1], 0).into(),
        health_address: ([127, 0, 0, 1], 0).into(),
        log_format: LogFormat::Human,
        log: String::new(),
        drift_interval: Duration::from_secs(60),
        health_interval: Duration::from_secs(30),
        metric_period: Duration::from_secs(1),
        create_window: Duration::from_secs(90),
    }
}

/// Why an operator no longer runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stop {
    Crashed,
    OutOfTime,
}

/// The process.
pub struct Operator {
    pub context: Arc<Context>,
    alive: Arc<Alive>,
    sources: Writer<Source>,
    destinations: Writer<Destination>,
    secrets: Writer<PartialObjectMeta<Secret>>,
    known: BTreeMap<Key, Value>,
    cursor: usize,
    due: BTreeMap<Key, Instant>,
    busy: BTreeSet<Key>,
    last: BTreeMap<Key, Passed>,
    running: FuturesUnordered<BoxFuture<'static, (Key, Passed)>>,
    /// How much later than the API server its caches know.
    pub lag: Duration,
    /// How many passes have begun, by object.
    pub passes: BTreeMap<Key, usize>,
}

fn typed<K: DeserializeOwned>(object: &Value) -> K {
    serde_json::from_value(object.clone()).expect("an object of its kind")
}

fn reference<K: kube::Resource<DynamicType = ()>>(name: &str) -> ObjectRef<K> {
    ObjectRef::<K>::new(name).within(NAMESPACE)
}

/// An object of our kinds, as the watch reads it.
fn guarded<K: Stored>(object: &Value) -> K {
    let Guarded(object) = typed(object);
    object
}

fn filled<K>(cluster: &Cluster, plural: &str, read: impl Fn(&Value) -> K) -> (Store<K>, Writer<K>)
where
    K: kube::Resource<DynamicType = ()> + Clone + 'static,
{
    let (store, mut writer) = store();
    writer.apply_watcher_event(&Event::Init);
    for ((found, _), object) in cluster.objects() {
        if found == plural {
            writer.apply_watcher_event(&Event::InitApply(read(&object)));
        }
    }
    writer.apply_watcher_event(&Event::InitDone);
    (store, writer)
}

impl Operator {
    /// A fresh process: it knows what the API server and AWS show it.
    pub async fn start(world: &World) -> Self {
        let alive = Arc::new(Alive::default());
        let redactor = world.redactor.clone();
        let settings = world.settings(Some(world.wire.clone()), &alive, &redactor);
        let metrics = Metrics::new();
        let settings = Settings { observer: Arc::new(metrics.clone()), ..settings };
        let fence = settings.fence.clone();
        let client = world.cluster.client(&world.wire, &alive);
        let (sources, source_writer) = filled(&world.cluster, "sources", guarded);
        let (destinations, destination_writer) = filled(&world.cluster, "destinations", guarded);
        // No life that is played here has any.
        let (encoding_presets, _) = filled::<EncodingPreset>(&world.cluster, "encodingpresets", guarded);
        let (secrets, secret_writer) = filled(&world.cluster, "secrets", typed);
        let cursor = world.cluster.changed();
        let wishes = Arc::default();
        let wiring = Wiring::new(Arc::clone(&wishes));
        wiring.listed(&sources.state());
        wiring.listed(&destinations.state());
        wiring.listed(&secrets.state());
        let context = Arc::new(Context {
            secrets: Secrets::new(client.clone(), secrets, redactor.clone(), world.clock.clone()),
            fingerprint_key: Arc::new(world.fingerprint_key.clone().into()),
            sources,
            destinations,
            encoding_presets,
            recorder: Recorder::new(client.clone(), None, world.clock.clone()),
            client,
            aws: Account::new(settings).await.expect("an account"),
            config: Config { more_regions: world.more_regions.clone(), ..config() },
            cluster: world.cluster_id.clone(),
            clock: world.clock.clone(),
            metrics,
            redactor,
            attempts: Default::default(),
            lanes: Lanes::new(config().concurrency),
            wishes,
            wiring,
            looks: Default::default(),
            written: Default::default(),
            feeds: Default::default(),
            fence,
        });
        let mut this = Self {
            context,
            alive,
            sources: source_writer,
            destinations: destination_writer,
            secrets: secret_writer,
            known: BTreeMap::new(),
            cursor,
            due: BTreeMap::new(),
            busy: BTreeSet::new(),
            last: BTreeMap::new(),
            running: FuturesUnordered::new(),
            lag: world.lag,
            passes: BTreeMap::new(),
        };
        for (key, object) in world.cluster.objects() {
            this.known.insert(key.clone(), object);
            this.wake(key);
        }
        this
    }

    /// The same after another one has died: it holds the lease of one that has not given it back.
    pub async fn after_a_crash(world: &World) -> Self {
        let operator = Self::start(world).await;
        operator.context.fence.take_over(Instant::now());
        operator
    }

    fn wake(&mut self, key: Key) {
        if key.0 != "secrets" {
            self.due.insert(key, Instant::now());
        }
    }

    /// What the watches tell, to the caches and to the queue.
    fn listen(&mut self, world: &World) -> Option<Instant> {
        for (at, key, change) in world.cluster.changes(self.cursor) {
            if at + self.lag > Instant::now() {
                return Some(at + self.lag);
            }
            self.cursor += 1;
            let (object, gone) = match &change {
                Change::Applied(object) => (object, false),
                Change::Deleted(object) => (object, true),
            };
            let wiring = self.context.wiring.clone();
            let wakes = match key.0.as_str() {
                "sources" => heard(&wiring, &mut self.sources, guarded::<Source>(object), gone),
                "destinations" => heard(&wiring, &mut self.destinations, guarded::<Destination>(object), gone),
                _ => heard(&wiring, &mut self.secrets, typed(object), gone),
            };
            if gone {
                self.known.remove(&key);
                self.due.remove(&key);
                self.last.remove(&key);
            } else {
                self.known.insert(key, object.clone());
            }
            for wake in wakes {
                let plural = if wake.name.of == Of::Source { "sources" } else { "destinations" };
                let key = (plural.to_owned(), wake.name.name.clone());
                let at = Instant::now() + if wake.now { Duration::ZERO } else { GATHERED };
                let due = self.due.entry(key).or_insert(at);
                *due = (*due).min(at);
            }
        }
        None
    }

    /// Hears what the watches tell, and begins nothing.
    pub fn hear(&mut self, world: &World) {
        self.listen(world);
    }

    fn begin(&mut self) {
        let now = Instant::now();
        let ready: Vec<Key> = self
            .due
            .iter()
            .filter(|(key, at)| **at <= now && !self.busy.contains(*key))
            .map(|(k, _)| k.clone())
            .collect();
        for key in ready {
            self.due.remove(&key);
            let context = self.context.clone();
            let name = key.1.clone();
            let work: BoxFuture<'static, (Key, Passed)> = match key.0.as_str() {
                "sources" => match context.sources.get(&reference(&name)) {
                    Some(object) => {
                        let key = key.clone();
                        Box::pin(async move { (key, in_lane::<SourceKind>(object, &context).await) })
                    }
                    None => continue,
                },
                _ => match context.destinations.get(&reference(&name)) {
                    Some(object) => {
                        let key = key.clone();
                        Box::pin(async move { (key, in_lane::<DestinationKind>(object, &context).await) })
                    }
                    None => continue,
                },
            };
            *self.passes.entry(key.clone()).or_default() += 1;
            self.busy.insert(key);
            self.running.push(work);
        }
    }

    fn ended(&mut self, key: Key, passed: Passed) {
        self.busy.remove(&key);
        if let Some(again) = passed.again {
            let at = Instant::now() + again;
            let due = self.due.entry(key.clone()).or_insert(at);
            *due = (*due).min(at);
        }
        self.last.insert(key, passed);
    }

    /// Nothing is under way, and nothing will be but looks at what is settled.
    pub fn is_settled(&self, world: &World) -> bool {
        let soon = Instant::now() + Duration::from_secs(5);
        self.running.is_empty()
            && self.cursor == world.cluster.changed()
            && world.cluster.is_every(|key, object| {
                key.0 == "secrets"
                    || (self.last.get(key).is_some_and(|passed| passed.result == "success" || is_given_up(object))
                        && self.due.get(key).is_none_or(|at| *at > soon))
            })
    }

    async fn turn(&mut self, world: &World, end: Instant, until_settled: bool) -> Result<(), Stop> {
        loop {
            let told = self.listen(world);
            self.begin();
            if until_settled && self.is_settled(world) {
                return Ok(());
            }
            let due = self.due.iter().filter(|(key, _)| !self.busy.contains(*key)).map(|(_, at)| *at).min();
            let next = due.into_iter().chain(told).min().unwrap_or(end).min(end);
            let left = next.saturating_duration_since(Instant::now());
            tokio::select! {
                biased;
                () = self.alive.death() => return Err(Stop::Crashed),
                Some((key, passed)) = self.running.next(), if !self.running.is_empty() => self.ended(key, passed),
                () = world.cluster.news() => {}
                () = pause(left) => if Instant::now() >= end {
                    return if until_settled { Err(Stop::OutOfTime) } else { Ok(()) };
                },
            }
        }
    }

    /// Runs until everything is as wished and at rest.
    pub async fn settle(&mut self, world: &World, limit: Duration) -> Result<(), Stop> {
        self.turn(world, Instant::now() + limit, true).await
    }

    /// Runs for so long.
    pub async fn run_for(&mut self, world: &World, length: Duration) -> Result<(), Stop> {
        self.turn(world, Instant::now() + length, false).await
    }

    /// Makes all objects due.
    pub fn look_again(&mut self) {
        for key in self.known.keys().cloned().collect::<Vec<_>>() {
            self.wake(key);
        }
    }

    pub fn unsettled(&self) -> Value {
        let last: BTreeMap<String, String> =
            self.last.iter().map(|(key, passed)| (format!("{}/{}", key.0, key.1), format!("{passed:?}"))).collect();
        json!(last)
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // Tasks that it has started do not outlive it.
        self.alive.die();
    }
}

/// Puts what a watch has told into its cache; who is to look again.
fn heard<K: Wired>(wiring: &Wiring, cache: &mut Writer<K>, object: K, gone: bool) -> Vec<Wake> {
    let of = ObjectRef::from_obj(&object);
    if gone {
        cache.apply_watcher_event(&Event::Delete(object));
        return wiring.hear::<K>(&of, None);
    }
    let wakes = wiring.hear(&of, Some(&object));
    cache.apply_watcher_event(&Event::Apply(object));
    wakes
}

/// Whether nothing more is tried for an object, although it is not as wished.
fn is_given_up(object: &Value) -> bool {
    let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    object["metadata"]["deletionTimestamp"].is_null()
        && conditions.any(|c| c["type"] == "Stalled" && c["reason"] == "GaveUp")
}
