//! What a tester can choose about the simulated AWS.

use std::time::Duration;

use crate::outside::{Encoder, Receiver};
use crate::services::cloudwatch::config::Config as CloudWatch;
use crate::services::ivs::config::Config as Ivs;
use crate::services::mediaconnect::config::Config as MediaConnect;
use crate::services::medialive::config::Config as MediaLive;
use crate::services::secretsmanager::config::Config as SecretsManager;
use crate::services::servicequotas::config::Config as ServiceQuotas;
use crate::services::ssm::config::Config as Ssm;
use crate::switches::Switches;

/// Everything that is fixed when a simulator starts. The defaults are those of AWS, or as near as its documents say.
///
/// What concerns one service stands in its folder: durations, rates and quotas.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many times faster than AWS the world runs. Only [`crate::Sim::start`] and the binary read it, to make the
    /// clock: a clock that is handed to [`crate::Sim::new`] has its own speed.
    pub speed: f64,
    /// The account that every credential belongs to.
    pub account: String,
    /// The access key that testers are told to use. Any other key id with the same secret is accepted too.
    pub access_key: String,
    /// The secret that signatures are verified with.
    pub secret: String,
    /// How far the date of a signature may be from the callers' clock, where the world knows that clock.
    pub max_skew: Duration,
    /// Whether request rates are limited. On by default, as in AWS.
    pub throttling: bool,
    /// Between a request and its answer, in simulated time.
    pub answer: Duration,
    /// When services sample what they publish in CloudWatch.
    pub sampling: Sampling,
    /// Refuse requests with members that the service model does not know. AWS ignores them; a caller that sends one
    /// has a bug, so the default is to refuse. Both ways they are in the request log.
    pub refuse_unknown_members: bool,
    /// How the world behaves where AWS's documents leave it open.
    pub switches: Switches,
    /// What is at a source when nobody said anything else.
    pub encoder: Encoder,
    /// What is at a destination when nobody said anything else.
    pub receiver: Receiver,
    /// How many requests the log keeps.
    pub log_capacity: usize,
    /// CloudWatch's own.
    pub cloudwatch: CloudWatch,
    /// IVS's own.
    pub ivs: Ivs,
    /// MediaConnect's own.
    pub mediaconnect: MediaConnect,
    /// MediaLive's own.
    pub medialive: MediaLive,
    /// Secrets Manager's own.
    pub secretsmanager: SecretsManager,
    /// Service Quotas' own.
    pub servicequotas: ServiceQuotas,
    /// Systems Manager's own.
    pub ssm: Ssm,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            speed: 1.0,
            account: "123456789012".to_owned(),
            access_key: "AKIAPLAYOUTSIMULATOR".to_owned(),
            secret: "simulator-secret".to_owned(),
            max_skew: Duration::from_secs(15 * 60),
            throttling: true,
            answer: Duration::from_millis(50),
            sampling: Sampling::default(),
            refuse_unknown_members: true,
            switches: Switches::default(),
            encoder: Encoder::default(),
            receiver: Receiver::default(),
            log_capacity: 50_000,
            cloudwatch: CloudWatch::default(),
            ivs: Ivs::default(),
            mediaconnect: MediaConnect::default(),
            medialive: MediaLive::default(),
            secretsmanager: SecretsManager::default(),
            servicequotas: ServiceQuotas::default(),
            ssm: Ssm::default(),
        }
    }
}

/// When services sample what they publish in CloudWatch, in simulated time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// A metric has a data point every so often: a second (monitor-with-cloudwatch-metric-info.html of MediaConnect,
    /// eml-metrics-gen-info.html of MediaLive).
    pub interval: Duration,
    /// A data point can be read so long after its time. AWS says "immediately".
    pub lag: Duration,
    /// Metrics are kept so long: three hours for periods below a minute (the same pages).
    pub retention: Duration,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            lag: Duration::from_secs(10),
            retention: Duration::from_secs(3 * 3600),
        }
    }
}
