//! The MediaLive input and channel of a Destination: what is there, and what is done to them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt as _;
use playout_api::Destination;
use playout_api::destination::{ChannelStatus, Delivery};
use playout_aws::Region;
use playout_aws::cloudwatch::Subject;
use playout_aws::servicequotas::{self, Limit};
use playout_core::age::age;
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass};
use playout_core::frame::Managed as _;
use playout_core::identity::{Identity, Ownership, TAG_UID};
use playout_core::kinds::destination::groups;
use playout_core::kinds::destination::observed::{ChannelSeen, EndpointSeen, NotOurs};
use playout_core::kinds::destination::wanted::Wanted;
use playout_core::plan::Desired;
use playout_core::regions::Service;
use playout_core::resources::channel::{CHANNEL, Channel, ChannelState, INPUT, Input, OutputName, Quotas};
use playout_core::resources::flow::{Flow, Measured};

use super::look::{OF_NOTHING, begins_with_nothing};
use super::{is_asked_anew, queue};
use crate::kind::Context;
use crate::lanes::Urgency;
use crate::resources::{LIST_AGE, channel};

/// One look of one Destination.
pub(super) struct Looking<'a> {
    pub destination: &'a Destination,
    pub identity: &'a Identity,
    pub region: &'a Region,
    pub context: &'a Context,
    pub urgency: Urgency,
}

/// What there is in MediaLive.
pub(super) struct Live {
    pub input: Existence<Input>,
    pub channel: Existence<ChannelSeen>,
    pub quotas: Option<Quotas>,
    /// What bears a recorded id and not our tags.
    pub not_ours: Vec<NotOurs>,
}

impl Live {
    /// There is nothing.
    pub(super) fn nothing() -> Self {
        Self { input: Existence::Absent, channel: Existence::Absent, quotas: None, not_ours: Vec::new() }
    }
}

impl Looking<'_> {
    /// Looks at MediaLive, where something of this Destination may be.
    pub(super) async fn at_medialive(&self, desired: &Desired<Wanted>, health: bool) -> Result<Live, Failure> {
        let nothing = Live::nothing();
        let status = self.destination.status.as_ref();
        let passes_through = self.destination.spec.delivery == Delivery::Passthrough;
        let was_told = status.is_some_and(|s| s.observed_generation.is_some_and(|g| g > 0));
        let recorded = status.and_then(|s| s.channel.as_ref());
        // Also long ago: what came of it was perhaps never recorded.
        let asked = self.context.intent(self.destination).is_some();
        let is_there = self.context.config.regions().has(Service::MediaLive, &self.region.name);
        if (passes_through && was_told || !is_there) && recorded.is_none() && !asked {
            return Ok(nothing);
        }
        let recorded = recorded.cloned().unwrap_or_default();
        match self.look(desired, &recorded, health).await {
            // Who sends through no channel need not allow the operator to list them.
            Err(failure) if failure.class == FailureClass::Denied && passes_through && recorded.id.is_none() => {
                Ok(nothing)
            }
            other => other,
        }
    }

    async fn look(&self, desired: &Desired<Wanted>, recorded: &ChannelStatus, health: bool) -> Result<Live, Failure> {
        let input = self.sought(recorded.input_id.as_ref(), INPUT);
        let channel = self.sought(recorded.id.as_ref(), CHANNEL);
        let (input, channel) = tokio::join!(
            Box::pin(channel::find_input(&input, self.region)),
            Box::pin(channel::find_channel(&channel, self.region)),
        );
        let mut not_ours = Vec::new();
        let mut is_ours = |what, arn: &String, tags: &BTreeMap<String, String>, uid, runs| {
            let ownership = self.identity.ownership_after(tags, uid);
            if !ownership.is_ours() {
                let uid = tags.get(TAG_UID).filter(|_| ownership == Ownership::TakenOver);
                not_ours.push(NotOurs { what, arn: arn.clone(), runs, taken_over_by: uid.cloned() });
            }
            ownership.is_ours()
        };
        let uid = recorded.owner_uid.as_deref();
        let channel = match channel? {
            Existence::Present(c) if !is_ours("channel", &c.arn, &c.tags, uid, c.state.is_up()) => Existence::Absent,
            other => other,
        };
        let input = match input? {
            Existence::Present(input) if !is_ours("input", &input.arn, &input.tags, None, false) => Existence::Absent,
            other => other,
        };
        let wants = matches!(desired, Desired::Present(w) if w.channel.is_some() && (w.running || w.prepare));
        let quotas = if wants && channel.present().is_none() { Some(Box::pin(self.quotas()).await?) } else { None };
        let channel = match channel {
            Existence::Present(channel) => {
                Existence::Present(Box::pin(self.with_evidence(channel, recorded, health)).await)
            }
            Existence::Unknown => Existence::Unknown,
            Existence::Absent => Existence::Absent,
        };
        Ok(Live { input, channel, quotas, not_ours })
    }

    /// Whether nothing can reach the channel any more.
    pub(super) async fn is_cut_off(&self, live: &Live, flow: Option<&Flow>) -> bool {
        let Some(seen) = live.channel.present() else { return false };
        channel::is_cut_off(&seen.channel, live.input.present(), flow, self.urgency, self.region).await
    }

    /// How old a list may be: of what goes through no channel as far as is known, older than of what may be making one.
    fn list_age(&self) -> Duration {
        let passes_through = self.destination.spec.delivery == Delivery::Passthrough
            && self.destination.metadata.deletion_timestamp.is_none()
            && self.context.intent(self.destination).is_none()
            && !is_asked_anew(self.destination)
            && self.destination.status.as_ref().is_none_or(|status| status.channel.is_none());
        if passes_through || begins_with_nothing(self.destination) { OF_NOTHING } else { LIST_AGE }
    }

    fn sought<'b>(&'b self, recorded: Option<&'b String>, role: &str) -> channel::Sought<'b> {
        let is_open = self.context.open_intent(self.destination).is_some_and(|i| i.is_of(role));
        channel::Sought {
            identity: self.identity,
            recorded: recorded.map(String::as_str),
            anew: is_asked_anew(self.destination),
            list_age: self.list_age(),
            may_appear: is_open && !self.destination.was_seen(role),
            urgency: self.urgency,
        }
    }

    /// What stands in the way of a new channel.
    async fn quotas(&self) -> Result<Quotas, Failure> {
        let Self { destination, region, context, .. } = self;
        let (channels, inputs) =
            tokio::join!(region.channels.list(LIST_AGE, self.urgency), region.channels.inputs(LIST_AGE, self.urgency));
        let (channels, inputs) = (channels?, inputs?);
        let most_channels = region.quotas.limit(Limit::Channels, channels.len()).await;
        let most_inputs = region.quotas.limit(Limit::PushInputs, inputs.len()).await;
        let namespace = destination.namespace().unwrap_or_default();
        Ok(Quotas {
            channels: servicequotas::channels(&channels, most_channels, &namespace),
            inputs: servicequotas::push_inputs(&inputs, most_inputs, &namespace),
            ahead: queue::ahead(destination, &region.name, &channels, context),
        })
    }

    /// Alerts and measurements of a channel that runs. They are worth knowing and not worth failing for.
    async fn with_evidence(&self, channel: Channel, recorded: &ChannelStatus, health: bool) -> ChannelSeen {
        let Self { region, .. } = self;
        let mut endpoints = BTreeMap::new();
        let (mut alerts, mut alerts_unread) = (Vec::new(), false);
        let running = channel.state == ChannelState::Running;
        // They are no readings of CloudWatch, and cost nothing.
        if running && self.urgency != Urgency::Stop {
            match region.channels.alerts(&channel).await {
                Ok(set) => alerts = set,
                Err(failure) => {
                    tracing::debug!(error = failure.message, "no alerts");
                    alerts_unread = true;
                }
            }
        }
        for role in groups::targets(&channel.settings).into_keys().filter(|_| health) {
            let key = format!("{}/{}", channel.id, role.as_str());
            let (measured, measured_from) =
                self.measure(Subject::ChannelOutput, &key, role, running, &recorded.outputs).await;
            endpoints.insert(role.into(), EndpointSeen { measured, measured_from, unchanged_for: Duration::ZERO });
        }
        share_bitrate(&mut endpoints);
        let mut seen = ChannelSeen { channel, endpoints, alerts, input_lost_for: Duration::ZERO, alerts_unread };
        let set = seen.input_loss().and_then(|alert| Timestamp::from_second(alert.set?).ok());
        seen.input_lost_for = set.map(|set| age(set, self.context.clock.now())).unwrap_or_default();
        let names: Vec<_> = seen.endpoints.keys().cloned().collect();
        for name in names {
            let Some(role) = name.role() else { continue };
            // A failure that only an alert tells of grows old, too.
            let age = self.age(role, None, running, seen.connected(&name), &recorded.outputs);
            seen.endpoints.entry(name).or_default().unchanged_for = age;
        }
        seen
    }
}

/// AWS measures what a channel sends to all its receivers together; each gets the same.
fn share_bitrate(endpoints: &mut BTreeMap<OutputName, EndpointSeen>) {
    let is_fed = |m: &Measured| m.connected == Some(true);
    let fed = endpoints.values().filter_map(|e| e.measured.as_ref()).filter(|m| is_fed(m)).count();
    // What is kept from an earlier look has been shared out already.
    let new = endpoints.values_mut().filter(|e| e.measured_from.is_some());
    for measured in new.filter_map(|e| e.measured.as_mut()) {
        measured.bitrate = measured.bitrate.filter(|_| is_fed(measured)).map(|whole| whole / fed as f64);
    }
}
