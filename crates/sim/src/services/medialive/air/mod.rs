//! What passes through a channel over time: the ground truth of its metrics and alerts.

pub(super) mod alerts;
mod line;
mod pipeline;
pub(super) mod supply;

use std::time::Duration;

use super::Channel;
use super::channel::Status;
use crate::config::Config;
use alerts::Alerts;
pub(super) use pipeline::Pipeline;
use supply::Supply;

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
    pub(super) fn next(&self, channel: &Channel, supply: &Supply<'_>) -> Option<Duration> {
        if channel.status != Status::Running {
            return None;
        }
        let input = channel.active_input(self);
        let pipelines = self.pipelines.iter().take(channel.pipelines()).enumerate();
        let events = pipelines.filter_map(|(index, pipeline)| {
            let change = supply.next_change(input, index, self.until);
            [pipeline.next(self.until), change].into_iter().flatten().min()
        });
        events.min()
    }

    /// Brings everything up to what is at the inputs and destinations at this time.
    pub(super) fn record(&mut self, channel: &Channel, supply: &Supply<'_>, config: &Config, at: Duration) {
        let oldest = at.saturating_sub(config.sampling.retention);
        let count = channel.pipelines();
        if self.pipelines.len() < count {
            self.pipelines.resize_with(count, Pipeline::default);
        }
        let input = channel.active_input(self).to_owned();
        for (index, pipeline) in self.pipelines.iter_mut().enumerate() {
            let runs = channel.status == Status::Running && index < count;
            pipeline.record(index, runs, self.changed, channel, supply, (&input, config, at));
            pipeline.tell(index, supply.kind(&input), &mut self.alerts, at);
            pipeline.prune(oldest);
        }
        self.changed = false;
        self.alerts.prune(at);
        self.until = self.until.max(at);
    }

    /// Whether the one output that the channel has will never be tried again.
    pub(super) fn given_up(&self, channel: &Channel) -> bool {
        let pipelines = &self.pipelines[..channel.pipelines().min(self.pipelines.len())];
        channel.status == Status::Running && !pipelines.is_empty() && pipelines.iter().all(Pipeline::given_up)
    }

    /// The other side closes the connection.
    pub(super) fn disconnect(&mut self, host: &str, stream: Option<&str>, at: Duration) {
        for pipeline in &mut self.pipelines {
            pipeline.disconnect(host, stream, at);
        }
    }
}
