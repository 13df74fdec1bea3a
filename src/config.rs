//! Flags and environment, read once.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use playout_core::api::policy::parse_duration;

use crate::aws::quotas::Limits;

/// How the operator runs. Every flag has an environment variable.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// AWS region of objects that name none. Default: that of the AWS environment.
    #[arg(long, env = "PLAYOUT_AWS_REGION")]
    pub aws_region: Option<String>,
    /// Endpoint of all AWS services, for simulators. Only this flag sets it: an object cannot.
    #[arg(long, env = "PLAYOUT_AWS_ENDPOINT_URL")]
    pub aws_endpoint_url: Option<String>,
    /// Identity of this cluster in ownership tags. Default: UID of namespace kube-system. A restored cluster takes over the
    /// resources of the lost one by naming its id.
    #[arg(long, env = "PLAYOUT_CLUSTER_ID")]
    pub cluster_id: Option<String>,
    /// Role that MediaConnect assumes to read passwords and to reach VPCs.
    #[arg(long, env = "PLAYOUT_MEDIACONNECT_ROLE_ARN")]
    pub mediaconnect_role_arn: Option<String>,
    /// Role that MediaLive assumes to take flows and to write its logs.
    #[arg(long, env = "PLAYOUT_MEDIALIVE_ROLE_ARN")]
    pub medialive_role_arn: Option<String>,
    /// How many MediaLive channels a region may have. Default: what Service Quotas says, else 5.
    #[arg(long, env = "PLAYOUT_MEDIALIVE_CHANNELS")]
    pub medialive_channels: Option<usize>,
    /// How many MediaLive push inputs a region may have. Default: what Service Quotas says, else 5.
    #[arg(long, env = "PLAYOUT_MEDIALIVE_PUSH_INPUTS")]
    pub medialive_push_inputs: Option<usize>,
    /// How many MediaConnect flows a region may have. Default: what Service Quotas says, else 20.
    #[arg(long, env = "PLAYOUT_MEDIACONNECT_FLOWS")]
    pub mediaconnect_flows: Option<usize>,
    /// Only objects of this namespace. Default: all namespaces.
    #[arg(long, env = "PLAYOUT_NAMESPACE")]
    pub namespace: Option<String>,
    /// How many objects of a kind are worked on at the same time.
    #[arg(long, env = "PLAYOUT_CONCURRENCY", default_value_t = 16)]
    pub concurrency: u16,
    /// Whether replicas elect a leader. Without it, run one replica only.
    #[arg(long, env = "PLAYOUT_LEADER_ELECTION", default_value_t = true, action = clap::ArgAction::Set)]
    pub leader_election: bool,
    /// Name of this replica in the election. Default: the environment's POD_NAME, else one made at random.
    #[arg(long, env = "POD_NAME")]
    pub identity: Option<String>,
    /// Namespace of the Lease.
    #[arg(long, env = "PLAYOUT_LEASE_NAMESPACE", default_value = "default")]
    pub lease_namespace: String,
    /// Address of /metrics.
    #[arg(long, env = "PLAYOUT_METRICS_ADDRESS", default_value = "0.0.0.0:8080")]
    pub metrics_address: SocketAddr,
    /// Address of /healthz and /readyz.
    #[arg(long, env = "PLAYOUT_HEALTH_ADDRESS", default_value = "0.0.0.0:8081")]
    pub health_address: SocketAddr,
    /// How logs are written.
    #[arg(long, env = "PLAYOUT_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// What is logged, as in `info` or `playout_operator=debug,info`.
    #[arg(long, env = "RUST_LOG", default_value = "info")]
    pub log: String,
    /// How often a settled object is compared with AWS.
    #[arg(long, env = "PLAYOUT_DRIFT_INTERVAL", default_value = "5m", value_parser = duration)]
    pub drift_interval: Duration,
    /// How often an object on the air is looked at.
    #[arg(long, env = "PLAYOUT_HEALTH_INTERVAL", default_value = "30s", value_parser = duration)]
    pub health_interval: Duration,
    /// Period of CloudWatch's metrics. MediaConnect publishes every minute; a simulator may be finer.
    #[arg(long, env = "PLAYOUT_METRIC_PERIOD", default_value = "60s", value_parser = duration)]
    pub metric_period: Duration,
    /// How long after a create without an answer a resource may still become visible in AWS. A second create waits for this.
    #[arg(long, env = "PLAYOUT_CREATE_WINDOW", default_value = "90s", value_parser = duration)]
    pub create_window: Duration,
}

impl Config {
    /// What it says of quotas.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            channels: self.medialive_channels,
            push_inputs: self.medialive_push_inputs,
            flows: self.mediaconnect_flows,
        }
    }
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Human,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a whole number and ms, s, m or h, as in 30s".into())
}
