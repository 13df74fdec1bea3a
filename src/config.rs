//! Flags and environment, read once.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use playout_api::policy::parse_duration;
use playout_core::regions::{Added, Regions};

use playout_aws::servicequotas::Limits;

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
    /// Services in regions that Playout does not know them to be in, such as new ones: `mediaconnect=` or `medialive=` and the
    /// region, with commas between them, as in `mediaconnect=eu-south-1,medialive=us-west-1`.
    #[arg(long, env = "PLAYOUT_MORE_REGIONS", value_delimiter = ',')]
    pub more_regions: Vec<Added>,
    /// Only objects of this namespace. Default: all namespaces.
    #[arg(long, env = "PLAYOUT_NAMESPACE")]
    pub namespace: Option<String>,
    /// How many objects of a kind are worked on at the same time.
    #[arg(long, env = "PLAYOUT_CONCURRENCY", default_value_t = 16)]
    pub concurrency: u16,
    /// Whether replicas elect a leader. Without it, run one replica only, and no other operator on the same objects.
    #[arg(long, env = "PLAYOUT_LEADER_ELECTION", default_value_t = true, action = clap::ArgAction::Set)]
    pub leader_election: bool,
    /// Name of this replica in the election. Default: the environment's POD_NAME, else one made at random.
    #[arg(long, env = "POD_NAME")]
    pub identity: Option<String>,
    /// Namespace of the Lease, and of the Secret that holds the key of the fingerprints. The Lease's name is `playout`, or, with
    /// --namespace, `playout-` and that namespace.
    #[arg(long, env = "PLAYOUT_LEASE_NAMESPACE", default_value = "default")]
    pub lease_namespace: String,
    /// Address of /metrics. `[::]` is every address, of IPv4 as well.
    #[arg(long, env = "PLAYOUT_METRICS_ADDRESS", default_value = "[::]:8080")]
    pub metrics_address: SocketAddr,
    /// Address of /healthz and /readyz.
    #[arg(long, env = "PLAYOUT_HEALTH_ADDRESS", default_value = "[::]:8081")]
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
    /// How often a Destination on the air is looked at. A Source has its own `spec.health.interval`.
    #[arg(long, env = "PLAYOUT_HEALTH_INTERVAL", default_value = "30s", value_parser = duration)]
    pub health_interval: Duration,
    /// Period of CloudWatch's metrics that is asked for: 1s, 5s, 10s, 30s or whole minutes. MediaConnect and MediaLive publish a
    /// data point every second; a longer period means later news, a shorter one costs the same.
    #[arg(long, env = "PLAYOUT_METRIC_PERIOD", default_value = "10s", value_parser = duration)]
    pub metric_period: Duration,
    /// How long after a create without an answer a resource may still become visible in AWS. A second create waits for
    /// this, and after any change without an answer nothing is said to be off the air or gone. At least 30s, except with simulators.
    #[arg(long, env = "PLAYOUT_CREATE_WINDOW", default_value = "90s", value_parser = duration)]
    pub create_window: Duration,
}

/// Shortest `--create-window` with AWS itself: an attempt of a call takes up to ten seconds, and lists lag behind.
const SHORTEST_WINDOW: Duration = Duration::from_secs(30);

impl Config {
    /// Refuses what the flags allow one by one and not together.
    ///
    /// # Errors
    /// The flag, what is wrong with it and what to do.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.aws_endpoint_url.is_some() || self.create_window >= SHORTEST_WINDOW,
            "--create-window is {:?}, and AWS may show later than that what a create has made, so that it would be made twice: \
             write 30s or more (less is for simulators, with --aws-endpoint-url)",
            self.create_window,
        );
        Ok(())
    }

    /// Where the media services are.
    #[must_use]
    pub fn regions(&self) -> Regions {
        self.more_regions.iter().cloned().collect()
    }

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

/// At least a second: what is due again at once would ask AWS without a pause.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)
        .ok_or("that is no duration of at most 24h: write a whole number and ms, s, m or h, as in 30s")?;
    if duration < Duration::from_secs(1) {
        return Err("that is less than a second: write 1s or more".into());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::Config;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        config: Config,
    }

    /// What the operator says to these flags before it starts.
    fn refusal(flags: &[&str]) -> Option<String> {
        match Program::try_parse_from(["playout"].iter().chain(flags)) {
            Ok(program) => program.config.check().err().map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    #[test]
    fn what_would_do_harm_is_refused_with_the_way_out() {
        let (short, unreadable) = ("write 1s or more", "as in 30s");
        for (flag, remedy) in [
            ("--drift-interval=0s", short),
            ("--drift-interval=500ms", short),
            ("--health-interval=999ms", short),
            ("--metric-period=0s", short),
            ("--create-window=0s", short),
            ("--create-window=29s", "write 30s or more"),
            ("--create-window=90", unreadable),
            ("--drift-interval=2d", unreadable),
            ("--drift-interval=25h", unreadable),
        ] {
            let said = refusal(&[flag]).unwrap_or_default();
            let name = flag.split('=').next().unwrap_or_default();
            assert!(said.contains(name) && said.contains(remedy), "{flag}: {said:?}");
        }
    }

    #[test]
    fn what_is_safe_is_taken() {
        let simulator = "--aws-endpoint-url=http://127.0.0.1:4566";
        for flags in [
            &[][..],
            &["--drift-interval=1s", "--health-interval=1s"],
            &["--create-window=30s"],
            &["--create-window=1s", simulator],
        ] {
            assert_eq!(refusal(flags), None, "{flags:?}");
        }
    }
}
