//! Starting and ending: clients, caches, the election, one controller a kind.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use futures::future::{BoxFuture, join_all, try_join_all};
use k8s_openapi::api::core::v1::Namespace;
use kube::runtime::controller::{self, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, Resource, ResourceExt as _};
use playout_aws::clock::Clock;
use playout_aws::fence::Fence;
use playout_aws::redact::Redactor;
use playout_aws::{Account, Settings};
use tokio::sync::{oneshot, watch};

use crate::attempts::Attempts;
use crate::config::Config;
use crate::kind::{Context, Kind, Shared};
use crate::kinds::{Each, each};
use crate::kubernetes::events::Recorder;
use crate::kubernetes::fingerprint_key;
use crate::kubernetes::secrets::{self, Secrets};
use crate::kubernetes::watched::{News, Watched, without_notes};
use crate::kubernetes::written::Written;
use crate::lanes::{Lanes, Looks, Wishes};
use crate::leader::{Candidate, Leave, Scope};
use crate::metrics::{Metrics, States};
use crate::server::{self, Readiness};
use crate::stores::{Fill, Ours, Stores, Visit};
use crate::wiring::{Wired, Wiring};
use crate::{kubernetes, reconcile, telemetry};

/// How long passes under way may take when we are told to end: longer than an attempt of a call to AWS, and short enough that
/// half of a pod's grace period is left.
const LAST_PASSES: Duration = Duration::from_secs(15);

/// How soon an API server that was away is asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// Runs the operator until it is told to end.
///
/// # Errors
/// It cannot start, or has lost the lease.
pub async fn run(config: Config) -> anyhow::Result<()> {
    config.check()?;
    let redactor = Redactor::default();
    telemetry::start(config.log_format, &config.log, redactor.clone())?;
    let clock = Clock::system();
    let metrics = Metrics::new();
    metrics.leads(false);
    let readiness = Readiness::default();
    server::start(config.health_address, config.metrics_address, readiness.clone(), metrics.clone()).await?;
    let stopped = stop_on_signal();

    let client = kubernetes::client::client().await?;
    let cluster = tokio::select! {
        id = cluster_id(&config, &client) => id?,
        () = told(stopped.clone()) => return Ok(()),
    };
    let fence = if config.leader_election { Fence::shut(clock.clone()) } else { Fence::open(clock.clone()) };
    let aws = Account::new(Settings {
        region: config.aws_region.clone(),
        endpoint_url: config.aws_endpoint_url.clone(),
        credentials: None,
        http_client: None,
        metric_period: config.metric_period,
        limits: config.limits(),
        clock: clock.clone(),
        redactor: redactor.clone(),
        fence: fence.clone(),
        observer: Arc::new(metrics.clone()),
    })
    .await?;

    let namespace = config.namespace.as_deref();
    let wishes = Arc::<Wishes>::default();
    let wiring = Wiring::new(wishes.clone());
    let mut watching = Watching { client: &client, namespace, wiring: &wiring, first_lists: Vec::new() };
    let stores = Stores::filled(&mut watching)?;
    let first_lists = watching.first_lists;
    let secrets =
        Watched::start(api(&client, namespace), secrets::watched(), secrets::name_and_version, tells(&wiring));
    let fenced = kubernetes::client::fenced(&client, &fence);
    let context = Arc::new(Context {
        secrets: Secrets::new(client.clone(), secrets.store.clone(), redactor.clone(), clock.clone()),
        fingerprint_key: Arc::default(),
        stores,
        recorder: Recorder::new(fenced.clone(), config.identity.as_deref(), clock.clone()),
        client: fenced,
        aws,
        cluster,
        clock,
        metrics,
        redactor,
        attempts: Attempts::default(),
        lanes: Lanes::new(config.concurrency),
        wishes,
        wiring,
        looks: Looks::default(),
        written: Written::default(),
        feeds: std::sync::Mutex::default(),
        fence: fence.clone(),
        config,
    });
    tracing::info!(cluster = context.cluster, region = context.aws.default_region(), "starting");
    tokio::select! {
        filled = async { tokio::try_join!(try_join_all(first_lists), secrets.filled()) } => filled.map(drop)?,
        () = told(stopped.clone()) => return Ok(()),
    }
    readiness.set();
    // After that: who cannot list must not keep the lease from those who can.
    let result = if context.config.leader_election {
        let identity = context.config.identity.clone();
        let candidate = Candidate::new(
            client,
            &context.config.lease_namespace,
            Scope::of(context.config.namespace.as_deref()),
            identity,
            fence,
        );
        lead(&context, candidate, readiness, stopped).await
    } else {
        work(&context, stopped).await
    };
    tracing::info!("ended");
    result
}

/// Works while we lead. The lease is kept until the last pass has ended: whoever leads next must see all that we have sent.
async fn lead(
    context: &Shared,
    candidate: Candidate,
    readiness: Readiness,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let (leading, leads) = watch::channel(false);
    let (leave, left) = oneshot::channel();
    let metrics = context.metrics.clone();
    let mut election = tokio::spawn(async move { candidate.run(&readiness, &metrics, leading, left).await });
    let term =
        async { if wait_for(leads, stopped.clone()).await { work(context, stopped.clone()).await } else { Ok(()) } };
    let worked = tokio::select! {
        ended = &mut election => return ended.context("the election has failed")?,
        worked = term => worked,
    };
    // A lease outlasts every call that was sent under it.
    let _ = leave.send(if worked.is_ok() { Leave::GivingBack } else { Leave::RunningOut });
    election.await.context("the election has failed")??;
    worked
}

/// Runs the controllers until we are told to end, and then until the passes under way have ended.
///
/// # Errors
/// They take too long.
async fn work(context: &Shared, stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
    context.metrics.leads(true);
    // By who leads alone: the sum over all replicas is the number of objects.
    context.metrics.objects_are(states(&context.stores));
    tracing::info!("leading");
    let controllers = async {
        if let Some(key) = fingerprint_key::load(&context.client, &context.config.lease_namespace).await {
            // It may have been read in an earlier term; it never changes.
            let _ = context.fingerprint_key.set(key);
        }
        run_controllers(context.clone(), stopped.clone()).await;
    };
    let result = tokio::select! {
        () = controllers => Ok(()),
        () = overdue(stopped.clone()) => {
            Err(anyhow::anyhow!("a pass takes too long to wait for; whoever leads next goes on from what AWS shows"))
        }
    };
    context.metrics.leads(false);
    result
}

/// The UID of kube-system is the usual identity of a cluster: it is made with it and dies with it.
async fn cluster_id(config: &Config, client: &Client) -> anyhow::Result<String> {
    if let Some(id) = &config.cluster_id {
        return Ok(id.clone());
    }
    let namespaces = Api::<Namespace>::all(client.clone());
    let mut told = false;
    loop {
        match namespaces.get("kube-system").await {
            Ok(namespace) => return namespace.uid().context("namespace kube-system has no UID"),
            // Whoever may not read it now may not in a minute.
            Err(kube::Error::Api(status)) if [401, 403, 404].contains(&status.code) => {
                return Err(kube::Error::Api(status))
                    .context("the UID of namespace kube-system cannot be read; allow it, or use --cluster-id");
            }
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "the API server gives no answer; waiting for it");
                }
                playout_aws::clock::pause(AGAIN).await;
            }
        }
    }
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// SIGTERM and SIGINT, as a value that can be waited for.
fn stop_on_signal() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        let terminate = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = terminate => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        tracing::info!("ending");
        let _ = stop.send(true);
    });
    stopped
}

/// Until we lead (true) or are told to end or cannot lead (false).
async fn wait_for(mut leads: watch::Receiver<bool>, mut stopped: watch::Receiver<bool>) -> bool {
    tokio::select! {
        led = leads.wait_for(|leads| *leads) => led.is_ok(),
        _ = stopped.wait_for(|stopped| *stopped) => false,
    }
}

/// Begins to watch each kind.
struct Watching<'a> {
    client: &'a Client,
    namespace: Option<&'a str>,
    wiring: &'a Wiring,
    first_lists: Vec<BoxFuture<'static, anyhow::Result<()>>>,
}

impl Fill for Watching<'_> {
    fn fill<K: Ours>(&mut self) -> anyhow::Result<Store<K>> {
        let api = api(self.client, self.namespace);
        let watched = Watched::<K>::guarded(api, without_notes, tells(self.wiring));
        let store = watched.store.clone();
        self.first_lists.push(Box::pin(async { watched.filled().await.map(drop) }));
        Ok(store)
    }
}

/// Counts the objects by kind and state, the suspended ones apart.
fn states(stores: &Stores) -> impl Fn() -> States + Send + Sync + use<> {
    struct Count(States);
    impl Visit for Count {
        fn visit<K: Ours>(&mut self, store: &Store<K>) {
            for object in store.state() {
                let key = (K::kind(&()).into_owned(), object.word(), object.is_suspended());
                *self.0.entry(key).or_default() += 1;
            }
        }
    }
    let stores = stores.clone();
    move || {
        let mut count = Count(States::new());
        stores.visit(&mut count);
        count.0
    }
}

/// Runs a controller.
struct Controllers {
    context: Shared,
    stopped: watch::Receiver<bool>,
}

impl Each for Controllers {
    async fn each<K: Kind>(&self) {
        controller::<K>(&self.context, self.stopped.clone()).await;
    }
}

async fn run_controllers(context: Shared, stopped: watch::Receiver<bool>) {
    let end_of_queues = async {
        told(stopped.clone()).await;
        // What only waits is not waited for.
        context.lanes.close();
    };
    let controllers = Controllers { context: context.clone(), stopped: stopped.clone() };
    tokio::join!(join_all(each(&controllers)), end_of_queues);
}

/// The controller of a kind: it looks at all objects once, and then at those that the wiring says.
async fn controller<K: Kind>(context: &Shared, stopped: watch::Receiver<bool>) {
    Controller::for_stream(futures::stream::pending(), K::objects(context).clone())
        // How many passes are under way is the business of the lanes.
        .with_config(controller::Config::default().concurrency(0))
        .reconcile_on(context.wiring.queue::<K::Object>())
        .graceful_shutdown_on(told(stopped))
        .run(reconcile::reconcile::<K>, never, context.clone())
        .for_each(|_| std::future::ready(()))
        .await;
}

/// Tells the wiring what a cache shows.
fn tells<K: Wired>(wiring: &Wiring) -> impl Fn(News<'_, K>) + Send + 'static {
    let wiring = wiring.clone();
    move |news| match news {
        News::Is(object) => wiring.changed(&ObjectRef::from_obj(object), Some(object)),
        News::Gone(object) => wiring.changed(&ObjectRef::from_obj(object), None),
        News::All(objects) => wiring.listed(objects),
    }
}

/// A pass has no errors for kube to handle: they are in the status, and the pass has chosen when to look again.
fn never<K>(_: Arc<K>, error: &std::convert::Infallible, _: Arc<Context>) -> controller::Action {
    match *error {}
}

/// Resolves when what was under way at the end has had its time.
async fn overdue(stopped: watch::Receiver<bool>) {
    told(stopped).await;
    playout_aws::clock::pause(LAST_PASSES).await;
}

async fn told(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
