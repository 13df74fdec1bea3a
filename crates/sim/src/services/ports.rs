//! What services take from each other. Who takes something knows these traits and not who gives it; `wires.rs` says that.

use std::time::Duration;

use super::Call;
use crate::config::Config;
use crate::outside::Outside;

/// Secrets that a service reads with a role.
pub(crate) trait Secrets {
    /// Whether the current value of a secret can be read.
    fn readable(&self, arn: &str) -> bool;
}

/// Flows that inputs take their media from, each through an output that the input manages. Flows and inputs are named by
/// their ARNs; refusals are told in the words of who has the flows.
pub(crate) trait Flows {
    /// The Availability Zone of a flow; none when there is no such flow.
    fn zone(&self, flow: &str) -> Option<&str>;

    /// Refuses when the flow would not take an output for an input that has none on it.
    fn room(&self, flow: &str, input: &str, config: &Config) -> Result<(), String>;

    /// Adds the output for an input.
    fn add_output(&mut self, flow: &str, input: &str, call: &mut Call<'_>) -> Result<(), String>;

    /// Removes the outputs of an input. Somebody may have removed them before.
    fn remove_outputs(&mut self, input: &str, config: &Config, outside: &Outside, now: Duration);

    /// Bits a second that a flow has for an input; none while nothing arrives or the input has no output on the flow.
    fn media(&self, flow: &str, input: &str, at: Duration) -> Option<u64>;

    /// Whether a source that listens there takes what an output sends; none when no source of a flow listens there.
    fn admits(&self, feed: &Feed) -> Option<bool>;

    /// When that may be another the next time.
    fn next_change(&self, flow: &str, input: &str, after: Duration) -> Option<Duration>;
}

/// What an output sends to an address by SRT or in datagrams.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Feed {
    /// `srt`, `rtp` or `udp`.
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The address that it comes from.
    pub(crate) address: String,
    /// The secret with the passphrase that it is encrypted with.
    pub(crate) secret: Option<String>,
    /// Bits a second; none while it does not send.
    pub(crate) sends: Option<u64>,
}

/// A live stream that somebody pushes to a host by RTMP.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Push {
    /// Who pushes: the same as long as it is the same output or encoder.
    pub(crate) from: String,
    pub(crate) host: String,
    pub(crate) application: String,
    pub(crate) stream: String,
    pub(crate) tls: bool,
    /// Bits a second.
    pub(crate) bitrate: u64,
    /// Width and height of the picture.
    pub(crate) size: (u64, u64),
    /// Whether it has its connection. Else it has tried, and failed.
    pub(crate) connected: bool,
    /// Since when, or when it failed the last time.
    pub(crate) since: Duration,
    /// Whether media comes over the connection.
    pub(crate) sends: bool,
    /// After how long it is there again when the other side closes the connection; none: it tells of itself.
    pub(crate) returns: Option<Duration>,
}

/// Endpoints that streams are pushed to.
pub(crate) trait Ingests {
    /// Whether this is the host of one.
    fn has(&self, host: &str) -> bool;

    /// Whether an endpoint takes a push that is there, or would take one that tries.
    fn takes(&self, push: &Push) -> bool;
}

/// Who pushes streams.
pub(crate) trait Pushes {
    /// What is pushed to a host.
    fn pushes(&self, host: &str) -> Vec<Push>;
}
