//! What passes through a channel over time: the ground truth of its metrics and alerts.

pub(super) mod alerts;
mod failover;
mod line;
mod pipeline;
pub(super) mod supply;

use std::time::Duration;

use serde_json::{Map, Value};

use crate::config::Config;
use crate::services::ports::{Feed, Push};
use alerts::Alerts;
pub(super) use failover::{Pair, pair};
pub(super) use pipeline::Pipeline;
use supply::Supply;

/// What a channel asks of its pipelines.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    /// The channel's ARN.
    pub(super) channel: &'a str,
    /// The addresses that the pipelines send from.
    pub(super) egress: &'a [String],
    /// Whether they are to run.
    pub(super) on: bool,
    /// How many.
    pub(super) pipelines: usize,
    /// The input that they take.
    pub(super) input: &'a str,
    /// Two inputs of which they take the other one while one is not healthy.
    pub(super) pair: Option<Pair<'a>>,
    /// The channel's settings.
    pub(super) settings: &'a Map<String, Value>,
}

/// A channel on the air, or off it.
#[derive(Clone, Default)]
pub(crate) struct OnAir {
    /// What was to happen until then has happened.
    pub(super) until: Duration,
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) alerts: Alerts,
    /// The attachment that the schedule has switched to, and the action that did it. Else it is the first one.
    pub(super) switched: Option<(String, String)>,
    /// The settings may have changed since the outputs were read from them.
    pub(super) changed: bool,
}

impl OnAir {
    /// When something happens next by itself.
    pub(super) fn next(&self, run: Run<'_>, supply: &Supply<'_>) -> Option<Duration> {
        if !run.on {
            return None;
        }
        let pipelines = self.pipelines.iter().take(run.pipelines).enumerate();
        let events = pipelines.filter_map(|(index, pipeline)| {
            let inputs = run.pair.into_iter().flat_map(|pair| pair.inputs).chain([run.input]);
            let changes = inputs.filter_map(|input| supply.next_change(input, index, self.until));
            changes.chain(pipeline.next(run, self.until)).min()
        });
        events.min()
    }

    /// Brings everything up to what is at the inputs and destinations at this time.
    pub(super) fn record(&mut self, run: Run<'_>, supply: &Supply<'_>, config: &Config, at: Duration) {
        let oldest = at.saturating_sub(config.sampling.retention);
        if self.pipelines.len() < run.pipelines {
            self.pipelines.resize_with(run.pipelines, Pipeline::default);
        }
        for (index, pipeline) in self.pipelines.iter_mut().enumerate() {
            let of_pipeline = Run { on: run.on && index < run.pipelines, ..run };
            pipeline.record(index, of_pipeline, self.changed, supply, config, at);
            pipeline.tell(index, supply.kind(run.input), &mut self.alerts, at);
            pipeline.prune(oldest);
        }
        self.changed = false;
        self.alerts.prune(at);
        self.until = self.until.max(at);
    }

    /// Whether the one output that the channel has will never be tried again.
    pub(super) fn given_up(&self, run: Run<'_>) -> bool {
        let pipelines = &self.pipelines[..run.pipelines.min(self.pipelines.len())];
        run.on && !pipelines.is_empty() && pipelines.iter().all(Pipeline::given_up)
    }

    /// What its outputs send by SRT or in datagrams, or are to send: from one address a pipeline.
    pub(super) fn feeds(&self, settings: &Map<String, Value>, egress: &[String], config: &Config) -> Vec<Feed> {
        let pipelines = self.pipelines.iter().zip(egress).enumerate();
        pipelines.flat_map(|(index, (pipeline, address))| pipeline.feeds(index, settings, address, config)).collect()
    }

    /// What its outputs push to a host.
    pub(super) fn pushes<'a>(&'a self, channel: &'a str, host: &'a str) -> impl Iterator<Item = Push> {
        let pipelines = self.pipelines.iter().enumerate();
        pipelines.flat_map(move |(index, pipeline)| pipeline.pushes(channel, index, host))
    }

    /// The other side closes the connection.
    pub(super) fn disconnect(&mut self, host: &str, stream: Option<&str>, at: Duration) {
        for pipeline in &mut self.pipelines {
            pipeline.disconnect(host, stream, at);
        }
    }
}
