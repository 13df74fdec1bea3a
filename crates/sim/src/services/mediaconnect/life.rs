//! What happens to a flow as the time passes: its states, and what passes through it.

use std::time::Duration;

use super::flow::{Flow, Status};
use super::signals::{Choice, Link, Signal, Signals};
use crate::clock::span;
use crate::config::Config;
use crate::outside::{Encoder, Outside, Receiver};

impl Flow {
    /// When its state changes next by itself.
    pub(super) fn next(&self) -> Option<Duration> {
        [self.deadline, self.away].into_iter().flatten().min()
    }

    /// Changes the states whose time has come, at their time. True when the flow is gone.
    pub(crate) fn advance(&mut self, config: &Config, outside: &Outside, now: Duration) -> bool {
        while let Some(at) = self.next().filter(|at| *at <= now) {
            self.away = self.away.filter(|back| *back > at);
            if self.deadline.is_some_and(|deadline| deadline <= at) {
                match self.status {
                    Status::Starting | Status::Updating => self.enter(Status::Active, None),
                    Status::Stopping if self.restarting => {
                        self.enter(Status::Starting, Some(at + config.mediaconnect.durations.flow_starting));
                    }
                    Status::Stopping => self.enter(Status::Standby, None),
                    Status::Deleting => return true,
                    Status::Standby | Status::Active | Status::Error => self.deadline = None,
                }
            }
            self.record(config, outside, at);
        }
        false
    }

    /// A change of the flow itself, its sources or its network: an active flow is UPDATING for a moment.
    pub(crate) fn changed(&mut self, config: &Config, outside: &Outside, now: Duration) {
        if self.status == Status::Active {
            self.enter(Status::Updating, Some(now + config.mediaconnect.durations.flow_updating));
        }
        self.record(config, outside, now);
    }

    /// Brings the signals up to date.
    pub(crate) fn record(&mut self, config: &Config, outside: &Outside, now: Duration) {
        let mut signals = std::mem::take(&mut self.signals);
        signals.record(self, config, outside, now);
        self.signals = signals;
    }
}

impl Signals {
    /// Records what is true from now on.
    fn record(&mut self, flow: &Flow, config: &Config, outside: &Outside, now: Duration) {
        self.prune(now.saturating_sub(config.sampling.retention));
        self.flow.clone_from(&flow.arn);
        self.running.set(now, flow.running());
        self.choice.set(now, choice(flow));
        self.record_sources(flow, outside, now);
        self.record_selected(flow, now);
        self.record_outputs(flow, config, outside, now);
    }

    fn record_sources(&mut self, flow: &Flow, outside: &Outside, now: Duration) {
        for source in &flow.sources {
            let encoder = match source.fed {
                Some(Some(bitrate)) => Encoder { bitrate, ..Encoder::default() },
                Some(None) => Encoder::absent(),
                None => outside.encoder(&flow.arn, &flow.name, source.name()),
            };
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
