//! What AWS's documents leave open, and what account it is: each way can be had, so that software can be tested in both
//! worlds.

use serde::{Deserialize, Serialize};

/// How a world behaves where AWS's documents say nothing, or say that it may be either. The defaults are what the
/// documents promise and no more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Switches {
    /// RTMP outputs of flows publish `OutputConnected`, `OutputDisconnections` and `OutputBitRate`, and count in
    /// `ConnectedOutputs`. No page lists them for RTMP; the router's outputs have such a metric for RTMP.
    pub rtmp_output_metrics: bool,
    /// Outputs by RTMP of one flow differ in host or port, as those of other protocols do. AWS's table of destinations
    /// (destinations.html) has no row for RTMP.
    pub rtmp_destinations_differ: bool,
    /// ListSecrets shows the secrets as they were so many simulated seconds ago; 0: as they are. "ListSecrets might not
    /// reflect changes from the last five minutes" (API_ListSecrets.html); DescribeSecret always does here.
    pub list_secrets_lag: f64,
    /// The account is pending verification: IVS refuses with 403 `PendingVerification` what its model says that it then may.
    pub pending_verification: bool,
    /// Regions that are in no list of AWS's and have every service, for whoever tests with regions to come.
    pub more_regions: Vec<String>,
}
