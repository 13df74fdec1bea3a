//! What the inputs have for the pipelines.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::Input;
use crate::outside::{Outside, Receiver};
use crate::services::ports::{Flows, Ingests, Push};

/// Everything that channels take from.
pub(crate) struct Supply<'a> {
    pub(crate) flows: &'a dyn Flows,
    pub(crate) inputs: &'a BTreeMap<String, Input>,
    pub(crate) outside: &'a Outside,
    pub(crate) ingests: &'a dyn Ingests,
}

impl Supply<'_> {
    /// The type of an input.
    pub(super) fn kind(&self, input: &str) -> &str {
        self.inputs.get(input).map(Input::kind).unwrap_or_default()
    }

    /// Bits a second that an input has for a pipeline; none while nothing arrives.
    pub(super) fn received(&self, input: &str, pipeline: usize, at: Duration) -> Option<u64> {
        let input = self.inputs.get(input)?;
        if input.kind() == "MEDIACONNECT" {
            return self.flows.media(input.flows().get(pipeline)?, &input.arn, at);
        }
        // Whoever pushes, or is pulled from, is known by the input and the pipeline's number.
        let encoder = self.outside.encoder(&input.arn, input.name(), &pipeline.to_string());
        encoder.connected.then_some(encoder.bitrate)
    }

    /// What the other side does with a push: an endpoint of AWS in this Region, or somebody in the outside world.
    pub(super) fn receiver(&self, host: &str, stream: Option<&str>, push: impl FnOnce() -> Push) -> Receiver {
        let receiver = self.outside.receiver(host, stream);
        match self.ingests.has(host) && !self.ingests.takes(&push()) {
            true => Receiver::Refuse,
            false => receiver,
        }
    }

    /// When that may be another the next time. What testers do to encoders happens now, and never later.
    pub(super) fn next_change(&self, input: &str, pipeline: usize, after: Duration) -> Option<Duration> {
        let input = self.inputs.get(input)?;
        self.flows.next_change(input.flows().get(pipeline)?, &input.arn, after)
    }
}
