//! What a tester can choose about the simulated AWS.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::outside::{Encoder, Receiver};
use crate::switches::Switches;

/// Everything that is fixed when a simulator starts. The defaults are those of AWS, or as near as its documents say.
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
    /// Limits on the number of resources.
    pub quotas: Quotas,
    /// Whether request rates are limited. On by default, as in AWS.
    pub throttling: bool,
    /// How many requests each service takes.
    pub rates: Rates,
    /// How long states last.
    pub durations: Durations,
    /// Refuse requests with members that the service model does not know. AWS ignores them; a caller that sends one
    /// has a bug, so the default is to refuse. Both ways they are in the request log.
    pub refuse_unknown_members: bool,
    /// Whether output operations put an ACTIVE flow into UPDATING for a moment, as source operations do.
    pub outputs_update_flow: bool,
    /// How the world behaves where AWS's documents leave it open.
    pub switches: Switches,
    /// What is at a source when nobody said anything else.
    pub encoder: Encoder,
    /// What is at a destination when nobody said anything else.
    pub receiver: Receiver,
    /// How many requests the log keeps.
    pub log_capacity: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            speed: 1.0,
            account: "123456789012".to_owned(),
            access_key: "AKIAPLAYOUTSIMULATOR".to_owned(),
            secret: "simulator-secret".to_owned(),
            max_skew: Duration::from_secs(15 * 60),
            quotas: Quotas::default(),
            throttling: true,
            rates: Rates::default(),
            durations: Durations::default(),
            refuse_unknown_members: true,
            outputs_update_flow: false,
            switches: Switches::default(),
            encoder: Encoder::default(),
            receiver: Receiver::default(),
            log_capacity: 50_000,
        }
    }
}

/// Limits on the number of resources, by region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Quotas {
    /// MediaConnect flows in a region.
    pub flows: usize,
    /// Outputs of a flow, managed ones included.
    pub outputs_per_flow: usize,
    /// Sources of a flow.
    pub sources_per_flow: usize,
    /// MediaLive channels in a region.
    pub channels: usize,
    /// MediaLive inputs in a region that something is pushed to: MEDIACONNECT, RTMP, RTP and SRT listener.
    pub push_inputs: usize,
    /// MediaLive inputs in a region that pull.
    pub pull_inputs: usize,
    /// MediaLive input security groups in a region.
    pub input_security_groups: usize,
    /// Secrets in a region.
    pub secrets: usize,
    /// Parameters in a region.
    pub parameters: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            flows: 20,
            outputs_per_flow: 50,
            sources_per_flow: 2,
            channels: 5,
            push_inputs: 5,
            pull_inputs: 100,
            input_security_groups: 5,
            secrets: 500_000,
            parameters: 10_000,
        }
    }
}

/// A token bucket: sustained requests a second, and how many may come at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second, of the simulated second.
    pub per_second: f64,
    /// The size of the bucket.
    pub burst: f64,
}

/// The request rates of the services.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// DescribeFlow, DescribeFlowSourceMetadata and DescribeFlowSourceThumbnail, each.
    pub mediaconnect_describe: Rate,
    /// Every other operation of MediaConnect, each.
    pub mediaconnect_other: Rate,
    /// All operations of MediaLive together, but for DescribeThumbnails.
    pub medialive: Rate,
    /// DescribeThumbnails.
    pub medialive_thumbnails: Rate,
    /// Each operation of Systems Manager (40 a second for GetParameter, less for writes: one number here).
    pub ssm: Rate,
    /// Each operation of Secrets Manager.
    pub secretsmanager: Rate,
    /// Each operation of Service Quotas.
    pub service_quotas: Rate,
    /// Each operation of CloudWatch.
    pub cloudwatch: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        let rate = |per_second, burst| Rate { per_second, burst };
        Self {
            mediaconnect_describe: rate(30.0, 30.0),
            mediaconnect_other: rate(5.0, 30.0),
            medialive: rate(20.0, 40.0),
            medialive_thumbnails: rate(40.0, 40.0),
            ssm: rate(40.0, 40.0),
            secretsmanager: rate(50.0, 50.0),
            service_quotas: rate(10.0, 10.0),
            cloudwatch: rate(50.0, 50.0),
        }
    }
}

/// How long states last, in simulated time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
    /// Between a request and its answer.
    pub answer: Duration,
    /// STARTING until ACTIVE.
    pub flow_starting: Duration,
    /// STOPPING until STANDBY.
    pub flow_stopping: Duration,
    /// DELETING until the flow is gone.
    pub flow_deleting: Duration,
    /// UPDATING until ACTIVE again.
    pub flow_updating: Duration,
    /// CREATING until the channel is IDLE.
    pub channel_creating: Duration,
    /// STARTING until RUNNING.
    pub channel_starting: Duration,
    /// STOPPING until IDLE.
    pub channel_stopping: Duration,
    /// UPDATING until IDLE again.
    pub channel_updating: Duration,
    /// DELETING until DELETED.
    pub channel_deleting: Duration,
    /// RECOVERING until RUNNING again, and how long a pipeline is away that is restarted.
    pub channel_recovering: Duration,
    /// CREATING until the input is DETACHED.
    pub input_creating: Duration,
    /// DELETING until DELETED.
    pub input_deleting: Duration,
    /// How long MediaLive describes as DELETED what is gone.
    pub medialive_tombstone: Duration,
    /// How long MediaLive lists as DELETED what is gone; not longer than it describes it.
    pub medialive_tombstone_listed: Duration,
    /// How long MediaLive remembers the `requestId` of a creation, if what it made is there so long.
    pub medialive_request_memory: Duration,
    /// How long the name of a secret that was deleted without recovery stays taken.
    pub secret_tombstone: Duration,
    /// A metric has a data point every so often: a second (monitor-with-cloudwatch-metric-info.html of MediaConnect,
    /// eml-metrics-gen-info.html of MediaLive).
    pub metric_interval: Duration,
    /// A data point can be read so long after its time. AWS says "immediately".
    pub metric_lag: Duration,
    /// Metrics are kept so long: three hours for periods below a minute (the same pages).
    pub metric_retention: Duration,
    /// A peer's address is told so long after it has changed: "up to 20 seconds" (source-ip-address.html and
    /// output-ip-address.html of the MediaConnect user guide).
    pub peer_lag: Duration,
    /// An output that is refused or disconnected tries again after so long.
    pub output_retry: Duration,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            answer: Duration::from_millis(50),
            flow_starting: Duration::from_secs(20),
            flow_stopping: Duration::from_secs(10),
            flow_deleting: Duration::from_secs(20),
            flow_updating: Duration::from_secs(2),
            channel_creating: Duration::from_secs(5),
            channel_starting: Duration::from_secs(120),
            channel_stopping: Duration::from_secs(20),
            channel_updating: Duration::from_secs(5),
            channel_deleting: Duration::from_secs(20),
            channel_recovering: Duration::from_secs(30),
            input_creating: Duration::from_secs(3),
            input_deleting: Duration::from_secs(5),
            medialive_tombstone: Duration::from_secs(5 * 60),
            medialive_tombstone_listed: Duration::from_secs(60),
            medialive_request_memory: Duration::from_secs(8 * 3600),
            secret_tombstone: Duration::from_secs(10),
            metric_interval: Duration::from_secs(1),
            metric_lag: Duration::from_secs(10),
            metric_retention: Duration::from_secs(3 * 3600),
            peer_lag: Duration::from_secs(20),
            output_retry: Duration::from_secs(5),
        }
    }
}
