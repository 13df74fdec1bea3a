//! What passes through a flow over time: the ground truth of its metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use super::flow::Flow;
use crate::clock::span;
use crate::config::Config;
use crate::outside::{Outside, Receiver};
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
    /// Records what is true from now on.
    pub(super) fn record(&mut self, flow: &Flow, config: &Config, outside: &Outside, now: Duration) {
        self.prune(now.saturating_sub(config.sampling.retention));
        self.flow.clone_from(&flow.arn);
        self.running.set(now, flow.running());
        self.choice.set(now, choice(flow));
        self.record_sources(flow, outside, now);
        self.record_selected(flow, now);
        self.record_outputs(flow, config, outside, now);
    }

    fn prune(&mut self, oldest: Duration) {
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

    fn record_sources(&mut self, flow: &Flow, outside: &Outside, now: Duration) {
        for source in &flow.sources {
            let encoder = outside.encoder(&flow.arn, &flow.name, source.name());
            let signal = match flow.running() && encoder.connected {
                true => Signal {
                    connected: true,
                    bitrate: encoder.bitrate,
                    packet_loss_percent: encoder.packet_loss_percent,
                    round_trip_time: encoder.round_trip_time,
                },
                false => Signal::default(),
            };
            let signals = self.sources.entry(source.arn.clone()).or_default();
            source.protocol().clone_into(&mut signals.protocol);
            let was = signals.signal.at(now).is_some_and(|was| was.connected);
            if was && !signal.connected && flow.running() {
                signals.drops.push(now);
            }
            signals.signal.set(now, signal);
            signals.present.set(now, true);
        }
        let gone = |arn: &String| !flow.sources.iter().any(|source| source.arn == *arn);
        for (_, signals) in self.sources.iter_mut().filter(|(arn, _)| gone(arn)) {
            signals.signal.set(now, Signal::default());
            signals.present.set(now, false);
        }
    }

    /// Which sources the flow takes: with FAILOVER one, with MERGE all that are there.
    fn record_selected(&mut self, flow: &Flow, now: Duration) {
        let is_connected = |arn: &str| self.connected(arn, now);
        let connected: Vec<&str> =
            flow.sources.iter().map(|source| source.arn.as_str()).filter(|arn| is_connected(arn)).collect();
        let merge = flow.sources.len() > 1 && flow.setting(&["sourceFailoverConfig", "failoverMode"]) != "FAILOVER";
        let primary = flow.setting(&["sourceFailoverConfig", "sourcePriority", "primarySource"]);
        let primary = flow.sources.iter().find(|source| source.name() == primary).map(|source| source.arn.as_str());
        let current: Vec<String> = self.selected.at(now).cloned().unwrap_or_default();
        let still = flow.sources.iter().map(|source| source.arn.as_str()).find(|arn| current.iter().any(|c| c == arn));
        let first = flow.sources.first().map(|source| source.arn.as_str());
        let selected: Vec<&str> = if merge && !connected.is_empty() {
            connected
        } else if let Some(primary) = primary.filter(|arn| connected.contains(arn)) {
            vec![primary]
        } else if let Some(still) = still.filter(|arn| connected.contains(arn)) {
            vec![still]
        } else {
            connected.first().copied().or(still).or(primary).or(first).into_iter().collect()
        };
        let selected = selected.into_iter().map(str::to_owned).collect();
        self.selected.set(now, selected);
    }

    fn record_outputs(&mut self, flow: &Flow, config: &Config, outside: &Outside, now: Duration) {
        let retry = config.mediaconnect.durations.output_retry;
        for output in &flow.outputs {
            let signals = self.outputs.entry(output.arn.clone()).or_default();
            output.protocol().clone_into(&mut signals.protocol);
            signals.managed = output.media_live_input.is_some();
            let was = signals.link.at(now).copied().unwrap_or(Link::Off);
            if !flow.running() || !output.enabled() {
                signals.link.set(now, Link::Off);
                continue;
            }
            match (outside.receiver(output.host(), output.stream()), was) {
                (Receiver::Refuse | Receiver::RefuseKey, Link::Trying { since }) => {
                    signals.link.set(now, Link::Trying { since })
                }
                (Receiver::Refuse | Receiver::RefuseKey, _) => {
                    signals.drops.push(now);
                    signals.link.set(now, Link::Trying { since: now });
                }
                (_, Link::Connected) => {}
                (_, Link::Trying { .. }) if signals.link.planned(now) => {}
                // The receiver has changed its mind: the next attempt goes well.
                (_, Link::Trying { since }) => {
                    signals.link.plan(next_attempt(since, retry, now), Link::Connected);
                }
                (Receiver::Accept, Link::Off) => signals.link.set(now, Link::Connected),
                (Receiver::AcceptAfter { seconds }, Link::Off) => {
                    signals.drops.push(now);
                    signals.link.set(now, Link::Trying { since: now });
                    let then = now + span(seconds);
                    signals.link.plan(then, Link::Connected);
                }
            }
        }
        let gone = |arn: &String| !flow.outputs.iter().any(|output| output.arn == *arn);
        for (_, signals) in self.outputs.iter_mut().filter(|(arn, _)| gone(arn)) {
            signals.link.set(now, Link::Off);
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

fn choice(flow: &Flow) -> Choice {
    let config = |member| flow.setting(&["sourceFailoverConfig", member]);
    match (config("state"), config("failoverMode")) {
        ("ENABLED", "FAILOVER") => Choice::Failover,
        ("ENABLED", _) => Choice::Merge,
        _ => Choice::None,
    }
}

fn next_attempt(since: Duration, retry: Duration, now: Duration) -> Duration {
    let retry = retry.max(Duration::from_millis(1));
    let done = now.saturating_sub(since).as_nanos() / retry.as_nanos();
    since + retry.saturating_mul(u32::try_from(done + 1).unwrap_or(u32::MAX))
}
