//! What a tester can choose about IVS.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rate::Rate;

/// What a tester can choose about IVS.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long things take.
    pub durations: Durations,
    /// How many requests it takes.
    pub rates: Rates,
    /// Limits on the number of resources.
    pub quotas: Quotas,
    /// Each so many-th read of a stream tells a `viewerCount` of -1: "the request timed out; in this case, retry"
    /// (API_Stream.html, which does not say how often). 0: never.
    pub viewer_count_missing: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            durations: Durations::default(),
            rates: Rates::default(),
            quotas: Quotas::default(),
            viewer_count_missing: 7,
        }
    }
}

/// How long things take, in simulated time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
    /// From the session of an encoder until the channel is live. Keyframes decide it (eventbridge.html, "Note on latency of
    /// some events"); the page has no figure.
    pub stream_starting: Duration,
    /// From the end of a session until the channel is not live any more: "there may be a short period of time after the
    /// Session Ended event when Amazon IVS is still processing video" (eventbridge.html).
    pub stream_ending: Duration,
    /// An encoder that sends nothing is waited for: "Amazon IVS waits for 30 seconds ... Amazon IVS disconnects"
    /// (getting-started-set-up-streaming.html).
    pub starvation: Duration,
    /// "The maximum duration of Amazon IVS streams is 48 hours" (the same page).
    pub stream_longest: Duration,
    /// A new view is in `viewerCount` after so long: "within 15 seconds" (API_Stream.html).
    pub view_appears: Duration,
    /// One that has ended is in it so long: "within 1 minute".
    pub view_goes: Duration,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            stream_starting: Duration::from_secs(6),
            stream_ending: Duration::from_secs(3),
            starvation: Duration::from_secs(30),
            stream_longest: Duration::from_secs(48 * 3600),
            view_appears: Duration::from_secs(15),
            view_goes: Duration::from_secs(60),
        }
    }
}

/// The request rates, of each operation for itself (service-quotas.html, "API Call Rate Quotas"; it tells no burst).
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// Operations of channels, stream keys and streams: 5 a second.
    pub usual: Rate,
    /// Operations of tags: 10 a second.
    pub tags: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self { usual: Rate::new(5.0, 5.0), tags: Rate::new(10.0, 10.0) }
    }
}

/// Limits on the number of resources, by region (service-quotas.html, "Other Quotas").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Quotas {
    /// Channels in a region.
    pub ivs_channels: usize,
    /// Channels that are streamed to at a time; the stream beyond is rejected.
    pub concurrent_streams: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { ivs_channels: 5000, concurrent_streams: 100 }
    }
}
