//! What a tester can choose about MediaLive.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rate::Rate;

/// What a tester can choose about MediaLive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// How long states last.
    pub durations: Durations,
    /// How many requests it takes.
    pub rates: Rates,
    /// Limits on the number of resources.
    pub quotas: Quotas,
}

/// How long states last, in simulated time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
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
    /// How long it describes as DELETED what is gone.
    pub tombstone: Duration,
    /// How long it lists as DELETED what is gone; not longer than it describes it.
    pub tombstone_listed: Duration,
    /// How long it remembers the `requestId` of a creation, if what it made is there so long.
    pub request_memory: Duration,
    /// An output that is refused or disconnected tries again after so long, if its settings do not say.
    pub output_retry: Duration,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            channel_creating: Duration::from_secs(5),
            channel_starting: Duration::from_secs(120),
            channel_stopping: Duration::from_secs(20),
            channel_updating: Duration::from_secs(5),
            channel_deleting: Duration::from_secs(20),
            channel_recovering: Duration::from_secs(30),
            input_creating: Duration::from_secs(3),
            input_deleting: Duration::from_secs(5),
            tombstone: Duration::from_secs(5 * 60),
            tombstone_listed: Duration::from_secs(60),
            request_memory: Duration::from_secs(8 * 3600),
            output_retry: Duration::from_secs(5),
        }
    }
}

/// The request rates.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// All operations together, but for DescribeThumbnails.
    pub all: Rate,
    /// DescribeThumbnails.
    pub thumbnails: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self { all: Rate::new(20.0, 40.0), thumbnails: Rate::new(40.0, 40.0) }
    }
}

/// Limits on the number of resources, by region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Quotas {
    /// Channels in a region.
    pub channels: usize,
    /// Inputs in a region that something is pushed to: MEDIACONNECT, RTMP, RTP and SRT listener.
    pub push_inputs: usize,
    /// Inputs in a region that pull.
    pub pull_inputs: usize,
    /// Input security groups in a region.
    pub input_security_groups: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { channels: 5, push_inputs: 5, pull_inputs: 100, input_security_groups: 5 }
    }
}
