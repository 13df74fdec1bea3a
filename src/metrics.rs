//! Metrics, under the names that dashboards for controllers already know.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use playout_aws::caller::CallObserver;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ReconcileLabels {
    controller: String,
    result: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ControllerLabels {
    controller: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct CallLabels {
    service: String,
    operation: String,
    outcome: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OperationLabels {
    service: String,
    operation: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct LeaderLabels {
    name: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct WriteLabels {
    controller: String,
    what: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ObjectLabels {
    kind: String,
    state: String,
    suspended: &'static str,
}

/// How many objects there are, by kind, state, and whether they are suspended.
pub type States = BTreeMap<(String, String, bool), u64>;

/// How objects are counted, once there are any to count. Asked at each reading of the metrics, so that no pass has to.
#[derive(Clone, Default)]
struct Objects(Arc<OnceLock<Box<dyn Fn() -> States + Send + Sync>>>);

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Objects")
    }
}

impl Collector for Objects {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let Some(count) = self.0.get() else { return Ok(()) };
        let kind = ConstGauge::new(0_u64).metric_type();
        let mut family = encoder.encode_descriptor(
            "playout_objects",
            "Objects, by kind, by state and by whether they are suspended; the replica that leads counts.",
            None,
            kind,
        )?;
        for ((kind, state, is_suspended), number) in count() {
            let suspended = if is_suspended { "true" } else { "false" };
            ConstGauge::new(number).encode(family.encode_family(&ObjectLabels { kind, state, suspended })?)?;
        }
        Ok(())
    }
}

/// How a pass ended, as a dashboard reports it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// Nothing is to be done until something changes.
    AtRest,
    /// The object is not there yet: something was done, is waited for, or is in the way.
    NotYet,
    /// Something failed.
    Failed,
}

impl Ended {
    /// The word that controllers use for it in this metric.
    fn label(self) -> &'static str {
        match self {
            Self::AtRest => "success",
            Self::NotYet => "requeue_after",
            Self::Failed => "error",
        }
    }
}

/// All metrics of the process. No label holds the name of an object: there would be one series for each.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<ReconcileLabels, Counter>,
    errors: Family<ControllerLabels, Counter>,
    panics: Family<ControllerLabels, Counter>,
    times: Family<ControllerLabels, Histogram, fn() -> Histogram>,
    workers: Family<ControllerLabels, Gauge>,
    leader: Family<LeaderLabels, Gauge>,
    calls: Family<CallLabels, Counter>,
    call_times: Family<OperationLabels, Histogram, fn() -> Histogram>,
    throttles: Family<OperationLabels, Counter>,
    writes: Family<WriteLabels, Counter>,
    last_success: Gauge<f64, AtomicU64>,
    objects: Objects,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// From a cached read to a throttled pass, doubling.
fn buckets() -> Histogram {
    Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0])
}

impl Metrics {
    /// Registers everything.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let reconciles = Family::default();
        let errors = Family::default();
        let panics = Family::default();
        let times = Family::<ControllerLabels, Histogram, fn() -> Histogram>::new_with_constructor(buckets);
        let workers = Family::default();
        let leader = Family::default();
        let calls = Family::default();
        let call_times = Family::<OperationLabels, Histogram, fn() -> Histogram>::new_with_constructor(buckets);
        let throttles = Family::default();
        let writes = Family::default();
        let last_success = Gauge::<f64, AtomicU64>::default();
        registry.register("controller_runtime_reconcile", "Passes, by kind and result", reconciles.clone());
        registry.register("controller_runtime_reconcile_errors", "Passes that failed", errors.clone());
        registry.register("controller_runtime_reconcile_panics", "Passes that met a defect", panics.clone());
        registry.register("controller_runtime_reconcile_time_seconds", "How long a pass took", times.clone());
        registry.register("controller_runtime_active_workers", "Passes under way", workers.clone());
        registry.register("leader_election_master_status", "1 on the replica that leads", leader.clone());
        registry.register("playout_aws_requests", "Calls to AWS, by operation and outcome", calls.clone());
        registry.register("playout_aws_request_duration_seconds", "How long calls to AWS took", call_times.clone());
        registry.register("playout_aws_throttles", "Calls that AWS refused as too many", throttles.clone());
        registry.register("playout_api_server_writes", "Writes to the API server", writes.clone());
        registry.register("playout_last_pass_timestamp_seconds", "When a pass last succeeded", last_success.clone());
        // By this one the others are told from those of the same names that other operators export.
        registry.register(
            "playout_build",
            "The version; by this one the others are known as Playout's",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let objects = Objects::default();
        registry.register_collector(Box::new(objects.clone()));
        Self {
            registry: Arc::new(registry),
            reconciles,
            errors,
            panics,
            times,
            workers,
            leader,
            calls,
            call_times,
            throttles,
            writes,
            last_success,
            objects,
        }
    }

    /// With a series of every metric, for the reference.
    #[must_use]
    pub fn example() -> Self {
        let metrics = Self::new();
        metrics.reconciled("source", Ended::Failed, Duration::ZERO);
        metrics.panicked("source");
        drop(metrics.worker("source"));
        metrics.leads(true);
        metrics.called("mediaconnect:ListFlows", "Throttled", Duration::ZERO);
        metrics.wrote("source", "status");
        metrics.objects_are(|| [(("Source".to_owned(), "Running".to_owned(), false), 1)].into());
        metrics
    }

    /// A pass began; it ends when the guard is dropped.
    #[must_use]
    pub fn worker(&self, controller: &str) -> impl Drop + use<> {
        struct Busy(Gauge);
        impl Drop for Busy {
            fn drop(&mut self) {
                self.0.dec();
            }
        }
        let gauge = self.workers.get_or_create(&ControllerLabels { controller: controller.into() }).clone();
        gauge.inc();
        Busy(gauge)
    }

    /// A pass ended.
    pub fn reconciled(&self, controller: &str, result: Ended, took: Duration) {
        let labels = ControllerLabels { controller: controller.into() };
        self.times.get_or_create(&labels).observe(took.as_secs_f64());
        if result == Ended::Failed {
            self.errors.get_or_create(&labels).inc();
        }
        let result = result.label().into();
        self.reconciles.get_or_create(&ReconcileLabels { controller: controller.into(), result }).inc();
    }

    /// A pass panicked.
    pub fn panicked(&self, controller: &str) {
        self.panics.get_or_create(&ControllerLabels { controller: controller.into() }).inc();
    }

    /// The last success, in seconds since 1970.
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
    pub fn succeeded(&self, at: jiff::Timestamp) {
        self.last_success.set(at.as_second() as f64);
    }

    /// A write to the API server.
    pub fn wrote(&self, controller: &str, what: &str) {
        self.writes.get_or_create(&WriteLabels { controller: controller.into(), what: what.into() }).inc();
    }

    /// Whether we lead.
    pub fn leads(&self, leads: bool) {
        self.leader.get_or_create(&LeaderLabels { name: "playout".into() }).set(i64::from(leads));
    }

    /// Says how to count the objects, once and for all.
    pub fn objects_are(&self, count: impl Fn() -> States + Send + Sync + 'static) {
        let _ = self.objects.0.set(Box::new(count));
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

impl CallObserver for Metrics {
    fn called(&self, operation: &str, outcome: &str, took: Duration) {
        let (service, operation) = operation.split_once(':').unwrap_or(("aws", operation));
        let labels = OperationLabels { service: service.into(), operation: operation.into() };
        self.call_times.get_or_create(&labels).observe(took.as_secs_f64());
        if outcome == "Throttled" {
            self.throttles.get_or_create(&labels).inc();
        }
        self.calls
            .get_or_create(&CallLabels {
                service: service.into(),
                operation: operation.into(),
                outcome: outcome.to_ascii_lowercase(),
            })
            .inc();
    }
}
