//! A pipeline of a channel: what it receives and what it sends.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::Run;
use super::alerts::Alerts;
use super::failover::Failover;
use super::line::{Line, Plan, plans};
use super::supply::Supply;
use crate::config::Config;
use crate::services::ports::{Feed, Push};
use crate::services::track::Track;

/// A pipeline complains of a lost input after so long, and of one that never came after so long.
const PATIENCE: Duration = Duration::from_secs(1);
const PROBE: Duration = Duration::from_secs(10);

/// A pipeline over time.
#[derive(Clone, Default)]
pub(crate) struct Pipeline {
    pub(super) up: Track<bool>,
    /// It is being restarted until then.
    pub(in super::super) away: Option<Duration>,
    received: Track<Option<u64>>,
    /// Since when it waits for its input.
    lost: Option<Duration>,
    /// The input that it takes.
    input: String,
    failover: Failover,
    /// Whether anything arrived since it runs.
    probed: bool,
    /// By group and output.
    lines: BTreeMap<(String, String), Line>,
}

impl Pipeline {
    /// When something happens next by itself.
    pub(super) fn next(&self, run: Run<'_>, after: Duration) -> Option<Duration> {
        let lines = self.lines.values().filter_map(Line::next);
        let lost = self.lost.into_iter().flat_map(|lost| [lost + PATIENCE, lost + PROBE]);
        let switch = run.pair.and_then(|pair| self.failover.next(pair));
        lines.chain(lost).chain(self.away).chain(switch).filter(|at| *at > after).min()
    }

    /// Brings it up to this time.
    pub(super) fn record(
        &mut self,
        index: usize,
        run: Run<'_>,
        changed: bool,
        supply: &Supply<'_>,
        config: &Config,
        at: Duration,
    ) {
        if !run.on || self.away.is_some_and(|back| back <= at) {
            self.away = None;
        }
        let up = run.on && self.away.is_none();
        let was = self.up.at(at) == Some(&true);
        self.up.set(at, up);
        if up && (changed || !was) {
            self.configure(run, index, config);
        }
        let arrives = |input: &str| supply.received(input, index, at);
        let input = match run.pair {
            Some(pair) if up => self.failover.take(pair, run.input, |input| arrives(input).is_some(), at),
            _ => {
                self.failover = Failover::default();
                run.input
            }
        };
        input.clone_into(&mut self.input);
        let received = arrives(input).filter(|_| up);
        self.received.set(at, received);
        self.probed = up && (self.probed || received.is_some());
        self.lost = if up && received.is_none() { self.lost.or(Some(at)) } else { None };
        for line in self.lines.values_mut() {
            // There is no output before the first input. After that the outputs go on, with what the pipeline makes
            // up, or keep their connections and wait.
            let held = received.is_none() && line.plan.pauses;
            let address = run.egress.get(index).map_or("", String::as_str);
            line.record(up && self.probed, held, (run.channel, index, address), supply, at);
        }
    }

    fn configure(&mut self, run: Run<'_>, index: usize, config: &Config) {
        for line in self.lines.values_mut() {
            line.present = false;
        }
        for plan in plans(run.settings, index, config) {
            let key = (plan.group.clone(), plan.output.clone());
            match self.lines.get_mut(&key) {
                Some(line) => line.replan(plan),
                None => drop(self.lines.insert(key, Line::new(plan))),
            }
        }
    }

    /// Sets and clears the alerts.
    pub(super) fn tell(&self, index: usize, kind: &str, alerts: &mut Alerts, at: Duration) {
        let waited = |patience: Duration| self.lost.is_some_and(|lost| at >= lost + patience);
        let arrival = match kind {
            "RTMP_PUSH" | "RTMP_PULL" => "RTMP Has No Audio/Video",
            "URL_PULL" | "MP4_FILE" | "TS_FILE" => "HTTP Get Failed",
            _ => "Stopped Receiving UDP Input",
        };
        let mut wanted: Vec<(&'static str, String)> = Vec::new();
        if waited(PATIENCE) {
            wanted.push((arrival, "Nothing was received from the active input for at least one second.".to_owned()));
            wanted.push(("Video Not Detected", "No video is detected in the active input.".to_owned()));
        }
        if waited(PROBE) && !self.probed {
            let text = "The pipeline is waiting for an input that it can decode.";
            wanted.push(("Initial Probe is Taking Longer Than Expected", text.to_owned()));
        }
        for line in self.lines.values().filter(|line| line.failing()) {
            wanted.push(line.complaint());
        }
        for line in self.lines.values().filter(|line| line.present && line.plan.pauses && self.probed) {
            if waited(PATIENCE) {
                let text = format!("Output group [{}] is paused because the input is lost.", line.plan.group);
                wanted.push(("Output Group is Paused", text));
            }
        }
        alerts.keep(index, &wanted, at);
    }

    /// What its outputs send by SRT or in datagrams, or are to send.
    pub(super) fn feeds(
        &self,
        index: usize,
        settings: &Map<String, Value>,
        address: &str,
        config: &Config,
    ) -> Vec<Feed> {
        let feed = |plan: Plan| {
            let line = self.lines.get(&(plan.group.clone(), plan.output.clone()));
            plan.feed(address, line.and_then(Line::sends))
        };
        plans(settings, index, config).into_iter().filter_map(feed).collect()
    }

    /// What its outputs push to a host.
    pub(super) fn pushes<'a>(
        &'a self,
        channel: &'a str,
        index: usize,
        host: &'a str,
    ) -> impl Iterator<Item = Push> + use<'a> {
        self.lines.values().filter_map(move |line| line.push(host, (channel, index)))
    }

    pub(super) fn disconnect(&mut self, host: &str, stream: Option<&str>, at: Duration) {
        for line in self.lines.values_mut() {
            line.disconnect(host, stream, at);
        }
    }

    /// Whether it has one output, and that will never be tried again.
    pub(super) fn given_up(&self) -> bool {
        let mut present = self.lines.values().filter(|line| line.present);
        matches!((present.next(), present.next()), (Some(line), None) if line.given_up())
    }

    pub(super) fn prune(&mut self, oldest: Duration) {
        self.up.prune(oldest);
        self.received.prune(oldest);
        self.lines.values_mut().for_each(|line| line.prune(oldest));
        self.lines.retain(|_, line| line.present || !line.forgotten(oldest));
    }

    /// The input that it takes, as its last record has it.
    pub(in super::super) fn input(&self) -> &str {
        &self.input
    }

    /// Whether it ran at a time.
    pub(in super::super) fn ran(&self, at: Duration) -> bool {
        self.up.at(at) == Some(&true)
    }

    /// Whether it ever ran, as far as is known.
    pub(in super::super) fn has_run(&self) -> bool {
        self.up.at(Duration::MAX).is_some_and(|up| *up) || self.up.changes()
    }

    /// What it received at a time.
    pub(in super::super) fn received(&self, at: Duration) -> Option<u64> {
        self.received.at(at).copied().flatten()
    }

    /// Since when it has waited for its input at a time.
    pub(in super::super) fn waiting(&self, at: Duration) -> Option<Duration> {
        let (began, _) = self.up.since(at).filter(|(_, up)| **up)?;
        let (since, _) = self.received.since(at).filter(|(_, received)| received.is_none())?;
        Some(since.max(began))
    }

    /// Bits a second that it sent at a time.
    pub(in super::super) fn sent(&self, at: Duration) -> u64 {
        self.lines.values().filter_map(|line| line.sent(at)).sum()
    }

    /// How many outputs it wrote at a time: all, or those of a group. None when it has no such group.
    pub(in super::super) fn active(&self, group: Option<&str>, at: Duration) -> Option<usize> {
        let meant = |line: &&Line| group.is_none_or(|group| line.plan.group == group);
        let lines: Vec<&Line> = self.lines.values().filter(meant).filter(|line| line.sent(at).is_some()).collect();
        (group.is_none() || !lines.is_empty()).then(|| lines.iter().filter(|line| line.active(at)).count())
    }

    /// The names of its output groups.
    pub(in super::super) fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = self.lines.values().map(|line| line.plan.group.as_str()).collect();
        groups.dedup();
        groups
    }
}
