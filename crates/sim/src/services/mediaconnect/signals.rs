//! What passes through a flow over time: the ground truth of its metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Config;
use crate::services::track::Track;

/// What arrives at a source.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Signal {
    pub(super) connected: bool,
    pub(super) bitrate: u64,
    pub(super) packet_loss_percent: f64,
    pub(super) round_trip_time: f64,
}

/// The connection of an output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Link {
    /// The flow does not run or the output is disabled.
    Off,
    /// The connection was lost or refused then; it tries again and again.
    Trying {
        since: Duration,
    },
    Connected,
}

/// How a flow chooses among its sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Choice {
    /// Source failover is not enabled.
    #[default]
    None,
    Failover,
    Merge,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SourceSignals {
    pub(super) signal: Track<Signal>,
    /// False once the source has been removed.
    pub(super) present: Track<bool>,
    pub(super) drops: Vec<Duration>,
    pub(super) protocol: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct OutputSignals {
    pub(super) link: Track<Link>,
    pub(super) drops: Vec<Duration>,
    pub(super) protocol: String,
    /// Whether MediaLive added it.
    pub(super) managed: bool,
}

/// All signals of a flow, also of sources and outputs that have been removed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    pub(super) flow: String,
    pub(super) running: Track<bool>,
    pub(super) choice: Track<Choice>,
    pub(super) selected: Track<Vec<String>>,
    pub(super) sources: BTreeMap<String, SourceSignals>,
    pub(super) outputs: BTreeMap<String, OutputSignals>,
}

impl Signals {
    /// Forgets what no time since `oldest` needs.
    pub(super) fn prune(&mut self, oldest: Duration) {
        self.running.prune(oldest);
        self.choice.prune(oldest);
        self.selected.prune(oldest);
        for source in self.sources.values_mut() {
            source.signal.prune(oldest);
            source.drops.retain(|at| *at >= oldest);
        }
        for output in self.outputs.values_mut() {
            output.link.prune(oldest);
            output.drops.retain(|at| *at >= oldest);
        }
    }

    /// The output's settings have changed: it connects anew.
    pub(super) fn reconnect(&mut self, output: &str, now: Duration) {
        if let Some(signals) = self.outputs.get_mut(output) {
            signals.link.set(now, Link::Off);
        }
    }

    /// The other side closes the connection.
    pub(super) fn disconnect(&mut self, output: &str, config: &Config, now: Duration) {
        if let Some(signals) = self.outputs.get_mut(output)
            && signals.link.at(now) == Some(&Link::Connected)
        {
            signals.drops.push(now);
            signals.link.set(now, Link::Trying { since: now });
            signals.link.plan(now + config.mediaconnect.durations.output_retry, Link::Connected);
        }
    }

    /// Bits a second that the flow has for its outputs; none while nothing arrives.
    pub(crate) fn media(&self, at: Duration) -> Option<u64> {
        self.running.at(at).filter(|running| **running)?;
        let taken = self.selected.at(at)?.iter().filter_map(|arn| self.sources.get(arn)?.signal.at(at));
        taken.filter(|signal| signal.connected).map(|signal| signal.bitrate).max()
    }

    /// When that may be another the next time.
    pub(crate) fn next_change(&self, after: Duration) -> Option<Duration> {
        let sources = self.sources.values().map(|source| source.signal.next(after));
        sources.chain([self.running.next(after), self.selected.next(after)]).flatten().min()
    }

    /// Whether media arrives at a source.
    pub(super) fn connected(&self, source: &str, now: Duration) -> bool {
        self.sources.get(source).and_then(|s| s.signal.at(now)).is_some_and(|signal| signal.connected)
    }

    /// Whether an output cannot connect.
    pub(super) fn trying(&self, output: &str, now: Duration) -> bool {
        matches!(self.outputs.get(output).and_then(|o| o.link.at(now)), Some(Link::Trying { .. }))
    }

    /// Whether an output has its connection.
    pub(super) fn linked(&self, output: &str, now: Duration) -> bool {
        matches!(self.outputs.get(output).and_then(|o| o.link.at(now)), Some(Link::Connected))
    }
}
