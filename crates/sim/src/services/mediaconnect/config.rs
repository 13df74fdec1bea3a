//! What a tester can choose about MediaConnect.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rate::Rate;

/// What a tester can choose about MediaConnect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// How long states last.
    pub durations: Durations,
    /// How many requests it takes.
    pub rates: Rates,
    /// Limits on the number of resources.
    pub quotas: Quotas,
    /// Whether output operations put an ACTIVE flow into UPDATING for a moment, as source operations do.
    pub outputs_update_flow: bool,
}

/// How long states last, in simulated time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
    /// STARTING until ACTIVE.
    pub flow_starting: Duration,
    /// STOPPING until STANDBY.
    pub flow_stopping: Duration,
    /// DELETING until the flow is gone.
    pub flow_deleting: Duration,
    /// UPDATING until ACTIVE again.
    pub flow_updating: Duration,
    /// A peer's address is told so long after it has changed: "up to 20 seconds" (source-ip-address.html and
    /// output-ip-address.html of the MediaConnect user guide).
    pub peer_lag: Duration,
    /// An output that is refused or disconnected tries again after so long.
    pub output_retry: Duration,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            flow_starting: Duration::from_secs(20),
            flow_stopping: Duration::from_secs(10),
            flow_deleting: Duration::from_secs(20),
            flow_updating: Duration::from_secs(2),
            peer_lag: Duration::from_secs(20),
            output_retry: Duration::from_secs(5),
        }
    }
}

/// The request rates.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// DescribeFlow, DescribeFlowSourceMetadata and DescribeFlowSourceThumbnail, each.
    pub describe: Rate,
    /// Every other operation, each.
    pub other: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self { describe: Rate::new(30.0, 30.0), other: Rate::new(5.0, 30.0) }
    }
}

/// Limits on the number of resources, by region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Quotas {
    /// Flows in a region.
    pub flows: usize,
    /// Outputs of a flow, managed ones included.
    pub outputs_per_flow: usize,
    /// Sources of a flow.
    pub sources_per_flow: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { flows: 20, outputs_per_flow: 50, sources_per_flow: 2 }
    }
}
