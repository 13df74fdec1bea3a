//! What the inputs have for the pipelines.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{Group, Input, list};
use crate::outside::{Outside, Publisher, Receiver};
use crate::services::cidr::within;
use crate::services::ports::{Feed, Flows, Ingests, Push};

/// Everything that channels take from.
pub(crate) struct Supply<'a> {
    pub(crate) flows: &'a dyn Flows,
    pub(crate) inputs: &'a BTreeMap<String, Input>,
    pub(crate) groups: &'a BTreeMap<String, Group>,
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
        if input.kind() == "RTMP_PUSH"
            && input.addresses.iter().any(|host| self.outside.publishers(host).next().is_some())
        {
            return self.pushed(input, pipeline);
        }
        // Whoever pushes, or is pulled from, is known by the input and the pipeline's number.
        let encoder = self.outside.encoder(&input.arn, input.name(), &pipeline.to_string());
        encoder.connected.then_some(encoder.bitrate)
    }

    /// What is pushed to an endpoint of an input by the name of its stream, from an address that its groups let in.
    fn pushed(&self, input: &Input, pipeline: usize) -> Option<u64> {
        let stream = list(&input.settings, "destinations").get(pipeline)?["streamName"].as_str()?;
        let mut publishers = self.outside.publishers(input.addresses.get(pipeline)?);
        let meant =
            |publisher: &Publisher| publisher.connected && publisher.bitrate > 0 && self.lets_in(input, publisher);
        publishers.find(|(name, publisher)| *name == stream && meant(publisher)).map(|(_, publisher)| publisher.bitrate)
    }

    fn lets_in(&self, input: &Input, publisher: &Publisher) -> bool {
        let groups = list(&input.settings, "inputSecurityGroups").iter().filter_map(|id| self.groups.get(id.as_str()?));
        let mut cidrs = groups.flat_map(|group| &group.rules).filter_map(|rule| rule["cidr"].as_str());
        cidrs.any(|cidr| within(cidr, &publisher.address))
    }

    /// Whether a source of a flow of AWS would not take an SRT connection.
    pub(super) fn refuses(&self, feed: &Feed) -> bool {
        feed.scheme == "srt" && self.flows.admits(feed) == Some(false)
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
