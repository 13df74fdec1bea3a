//! What runs from one service to another. This is the only file that knows two services.
//!
//! - MediaConnect flow → MediaLive input: an input of type MEDIACONNECT has an output on each of its flows, which MediaLive
//!   manages, and receives what the flow has.
//! - MediaLive SRT or UDP output → MediaConnect source: an output that goes to the address and port where a source of a flow
//!   listens is what arrives there, if the source lets it in.
//! - MediaLive RTMP output → IVS channel: an output that pushes to the ingest endpoint with a channel's stream key makes a
//!   stream there, and learns from its connection alone that it is not taken.
//! - Secrets Manager secret → flow and input: the keys of what is encrypted.

use std::time::Duration;

use super::ports::{Feed, Flows, Ingests, Push, Pushes, Secrets};
use super::{Call, Region, ivs, mediaconnect, medialive, secretsmanager};
use crate::config::Config;
use crate::ids::Ids;
use crate::outside::Outside;
use crate::tester::ControlError;

impl Region {
    /// MediaConnect's part, and what it takes from others.
    pub(crate) fn flows(&mut self) -> (&mut mediaconnect::State, &dyn Secrets) {
        (&mut self.mediaconnect, &self.secretsmanager)
    }

    /// MediaConnect's part, and what is sent to it.
    pub(crate) fn relays(&mut self, config: &Config) -> (&mut mediaconnect::State, Vec<Feed>) {
        // Without a flow there is nowhere to send to.
        let feeds = if self.mediaconnect.flows.is_empty() { Vec::new() } else { self.medialive.feeds(config) };
        (&mut self.mediaconnect, feeds)
    }

    /// Whether media goes from a service to one that stands before it.
    pub(super) fn goes_round(&self, config: &Config) -> bool {
        let feeds = if self.mediaconnect.flows.is_empty() { Vec::new() } else { self.medialive.feeds(config) };
        feeds.iter().any(|feed| self.mediaconnect.takes(feed).is_some())
    }

    /// MediaLive's part, and what it takes from others.
    pub(crate) fn channels(&mut self) -> (&mut medialive::State, &mut dyn Flows, &dyn Secrets, &dyn Ingests) {
        (&mut self.medialive, &mut self.mediaconnect, &self.secretsmanager, &self.ivs)
    }

    /// The part of IVS, and what is pushed to it.
    pub(crate) fn streams(&mut self) -> (&mut ivs::State, &dyn Pushes) {
        (&mut self.ivs, &self.medialive)
    }
}

impl Ingests for ivs::State {
    fn has(&self, host: &str) -> bool {
        self.is_endpoint(host)
    }

    fn takes(&self, push: &Push) -> bool {
        self.accepts(push)
    }
}

impl Pushes for medialive::State {
    fn pushes(&self, host: &str) -> Vec<Push> {
        self.outgoing(host).collect()
    }
}

impl Secrets for secretsmanager::State {
    fn readable(&self, arn: &str) -> bool {
        self.has_value(arn)
    }
}

/// The flow, if the input has its output on it.
fn feeding<'a>(flows: &'a mediaconnect::State, flow: &str, input: &str) -> Option<&'a mediaconnect::Flow> {
    let flow = flows.flows.get(flow)?;
    flow.outputs.iter().any(|output| output.media_live_input.as_deref() == Some(input)).then_some(flow)
}

impl Flows for mediaconnect::State {
    fn zone(&self, flow: &str) -> Option<&str> {
        self.flows.get(flow).map(|flow| flow.availability_zone.as_str())
    }

    fn room(&self, flow: &str, input: &str, config: &Config) -> Result<(), String> {
        let flow = self.flow(flow).map_err(|error| error.message)?;
        flow.require_changeable().map_err(|error| error.message)?;
        let others = flow.outputs.iter().filter(|output| output.media_live_input.as_deref() != Some(input)).count();
        if others >= config.mediaconnect.quotas.outputs_per_flow {
            return Err(format!("MediaConnect flow {} has as many outputs as its quota allows.", flow.arn));
        }
        Ok(())
    }

    fn add_output(&mut self, flow: &str, input: &str, call: &mut Call<'_>) -> Result<(), String> {
        mediaconnect::add_managed_output(self, flow, input, call.config, call.outside, call.ids, call.now)
            .map(drop)
            .map_err(|error| error.message)
    }

    fn remove_outputs(&mut self, input: &str, config: &Config, outside: &Outside, now: Duration) {
        mediaconnect::remove_managed_output(self, input, config, outside, now);
    }

    fn media(&self, flow: &str, input: &str, at: Duration) -> Option<u64> {
        feeding(self, flow, input)?.signals.media(at)
    }

    fn admits(&self, feed: &Feed) -> Option<bool> {
        self.takes(feed)
    }

    fn next_change(&self, flow: &str, input: &str, after: Duration) -> Option<Duration> {
        feeding(self, flow, input)?.signals.next_change(after)
    }
}

/// Does as an input would that MediaLive does not have: adds its output to a flow (name or ARN). Answers the output's ARN;
/// none when the region has no such flow.
pub(crate) fn add_managed_output(
    region: &mut Region,
    (flow, input): (&str, &str),
    config: &Config,
    outside: &Outside,
    ids: &mut Ids,
    now: Duration,
) -> Option<Result<String, ControlError>> {
    let state = &mut region.mediaconnect;
    state.find(flow)?;
    let added = mediaconnect::add_managed_output(state, flow, input, config, outside, ids, now);
    super::record(region, config, outside, now);
    Some(added)
}

/// Removes the outputs of an input, or one output, by its ARN. Answers how many.
pub(crate) fn remove_managed_outputs(
    region: &mut Region,
    input_or_output: &str,
    config: &Config,
    outside: &Outside,
    now: Duration,
) -> usize {
    let removed = mediaconnect::remove_managed_output(&mut region.mediaconnect, input_or_output, config, outside, now);
    super::record(region, config, outside, now);
    removed
}
