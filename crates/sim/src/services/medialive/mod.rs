//! AWS Elemental MediaLive: inputs, input security groups and channels.

mod air;
mod alerts;
mod batch;
mod channel;
mod channels;
pub(crate) mod config;
mod edit;
mod group;
mod groups;
mod input;
mod inputs;
mod memory;
mod metrics;
mod page;
mod quotas;
mod regions;
mod rules;
mod schedule;
mod schedules;
mod settings;
mod tags;
mod view;

pub(crate) use channel::Channel;
pub(crate) use group::Group;
pub(crate) use input::Input;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::ports::{Feed, Flows, Ingests, Push};
use super::service::{PLAIN, unknown};
use super::{Call, Region, Service};
use crate::config::Config;
use crate::error::ApiError;
use crate::outside::Outside;
use crate::rate::Rate;
use air::OnAir;
use air::supply::Supply;
use memory::Memory;

/// The resources of a region, by their ids. What is DELETED is among them until it is forgotten.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) channels: BTreeMap<String, Channel>,
    pub(crate) inputs: BTreeMap<String, Input>,
    pub(crate) groups: BTreeMap<String, Group>,
    memory: Memory,
    /// What CloudWatch still knows of channels that are forgotten.
    departed: Vec<Departed>,
}

#[derive(Clone)]
struct Departed {
    id: String,
    air: OnAir,
    gone: Duration,
}

pub(crate) const SERVICE: Service = Service {
    name: "medialive",
    model: include_str!("model.json"),
    call,
    rate,
    regions: Some(regions::ALL),
    bucket,
    invalid: "BadRequestException",
    throttled: (429, "TooManyRequestsException"),
    absent: (404, "NotFoundException"),
    advance: |region, config, outside, now| {
        let (state, flows, _, ingests) = region.channels();
        advance(state, flows, ingests, config, outside, now);
    },
    next: |region, _, outside| {
        let (state, flows, _, ingests) = region.channels();
        next(state, flows, ingests, outside)
    },
    record: |region, config, outside, now| {
        let (state, flows, _, ingests) = region.channels();
        record(state, flows, ingests, config, outside, now);
    },
    disconnect: |region, _, to, now| disconnect(&mut region.medialive, to, now),
    metrics: Some(metrics::PUBLISHED),
    limits: Some(quotas::LIMITS),
    listed: Some(quotas::LISTED),
    edit: edit::edit,
    maintain: edit::maintain,
    resources,
    ..PLAIN
};

fn rate(config: &Config, operation: &str) -> Option<Rate> {
    let rates = &config.medialive.rates;
    Some(if operation == "DescribeThumbnails" { rates.thumbnails } else { rates.all })
}

/// The whole API has one rate, but for the thumbnails.
fn bucket(operation: &str) -> &str {
    if operation == "DescribeThumbnails" { operation } else { "" }
}

fn call(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (state, flows, secrets, _) = region.channels();
    match call.operation {
        "CreateInput" => inputs::create(state, flows, secrets, call),
        "DescribeInput" => inputs::describe(state, call),
        "ListInputs" => inputs::list(state, call),
        "UpdateInput" => inputs::update(state, flows, secrets, call),
        "DeleteInput" => inputs::delete(state, call),
        "CreateInputSecurityGroup" => groups::create(state, call),
        "DescribeInputSecurityGroup" => groups::describe(state, call),
        "ListInputSecurityGroups" => groups::list(state, call),
        "UpdateInputSecurityGroup" => groups::update(state, call),
        "DeleteInputSecurityGroup" => groups::delete(state, call),
        "CreateChannel" => channels::create(state, call),
        "DescribeChannel" => channels::describe(state, call),
        "ListChannels" => channels::list(state, call),
        "UpdateChannel" => channels::update(state, call),
        "UpdateChannelClass" => channels::update_class(state, call),
        "DeleteChannel" => channels::delete(state, call),
        "StartChannel" => channels::start(state, call),
        "StopChannel" => channels::stop(state, call),
        "RestartChannelPipelines" => channels::restart(state, call),
        "BatchStart" => batch::start(state, call),
        "BatchStop" => batch::stop(state, call),
        "BatchDelete" => batch::delete(state, call),
        "BatchUpdateSchedule" => schedules::update(state, call),
        "DescribeSchedule" => schedules::describe(state, call),
        "DeleteSchedule" => schedules::clear(state, call),
        "ListAlerts" => alerts::list(state, call),
        "DescribeThumbnails" => alerts::thumbnails(state, call),
        "CreateTags" => tags::tag(state, call),
        "DeleteTags" => tags::untag(state, call),
        "ListTagsForResource" => tags::list(state, call),
        _ => Err(unknown(call)),
    }
}

/// Channels and inputs change their states when their time has come. `flows` have been brought to `now` before.
fn advance(
    state: &mut State,
    flows: &mut dyn Flows,
    ingests: &dyn Ingests,
    config: &Config,
    outside: &Outside,
    now: Duration,
) {
    let supply = Supply { flows, inputs: &state.inputs, groups: &state.groups, outside, ingests };
    for channel in state.channels.values_mut() {
        channel.advance(&supply, config, now);
    }
    for input in state.inputs.values_mut() {
        if let Some(gone) = input.advance(now) {
            // The outputs that were made for it go with it.
            flows.remove_outputs(&input.arn, config, outside, gone);
        }
    }
    let keep = config.medialive.durations.tombstone;
    let forgotten = |gone: Option<Duration>| gone.is_some_and(|gone| gone + keep <= now);
    for channel in state.channels.values_mut().filter(|channel| forgotten(channel.gone)) {
        let (id, air) = (channel.id.clone(), std::mem::take(&mut channel.air));
        state.departed.push(Departed { id, air, gone: channel.gone.unwrap_or(now) });
    }
    state.channels.retain(|_, channel| !forgotten(channel.gone));
    state.departed.retain(|departed| now.saturating_sub(departed.gone) < config.sampling.retention);
    state.inputs.retain(|_, input| !forgotten(input.gone));
    state.groups.retain(|_, group| !forgotten(group.gone));
}

/// When a channel or an input changes next by itself.
fn next(state: &State, flows: &dyn Flows, ingests: &dyn Ingests, outside: &Outside) -> Option<Duration> {
    let supply = Supply { flows, inputs: &state.inputs, groups: &state.groups, outside, ingests };
    let channels = state.channels.values().filter_map(|channel| channel.next(&supply));
    channels.chain(state.inputs.values().filter_map(|input| input.deadline)).min()
}

/// Brings every channel up to what is at its inputs and destinations now.
fn record(
    state: &mut State,
    flows: &dyn Flows,
    ingests: &dyn Ingests,
    config: &Config,
    outside: &Outside,
    now: Duration,
) {
    let supply = Supply { flows, inputs: &state.inputs, groups: &state.groups, outside, ingests };
    for channel in state.channels.values_mut() {
        channel.record(&supply, config, now);
    }
}

/// Outputs lose their connection if they have one, and try again.
fn disconnect(state: &mut State, (host, stream): (&str, Option<&str>), now: Duration) {
    for channel in state.channels.values_mut() {
        channel.air.disconnect(host, stream, now);
    }
}

pub(super) fn bad(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "BadRequestException", message)
}

pub(super) fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new(404, "NotFoundException", message)
}

pub(super) fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::new(409, "ConflictException", message)
}

pub(super) fn unprocessable(message: impl Into<String>) -> ApiError {
    ApiError::new(422, "UnprocessableEntityException", message)
}

/// A resource too many.
pub(super) fn limit(what: &str, quota: usize) -> ApiError {
    let text = format!("Limit exceeded: you have reached the maximum number of {what} ({quota}) in this Region.");
    ApiError::new(403, "ForbiddenException", text)
}

impl State {
    /// The channel of a request; also one that is DELETED.
    pub(crate) fn channel(&self, id: &str) -> Result<&Channel, ApiError> {
        self.channels.get(id).ok_or_else(|| no_channel(id))
    }

    /// The channel of a request, to be changed.
    pub(crate) fn channel_mut(&mut self, id: &str) -> Result<&mut Channel, ApiError> {
        self.channels.get_mut(id).ok_or_else(|| no_channel(id))
    }

    /// The input of a request; also one that is DELETED.
    pub(crate) fn input(&self, id: &str) -> Result<&Input, ApiError> {
        self.inputs.get(id).ok_or_else(|| no_input(id))
    }

    /// The group of a request; also one that is DELETED.
    pub(crate) fn group(&self, id: &str) -> Result<&Group, ApiError> {
        self.groups.get(id).ok_or_else(|| no_group(id))
    }

    /// What outputs send by SRT or in datagrams, or are to send.
    pub(crate) fn feeds(&self, config: &Config) -> Vec<Feed> {
        let there = self.channels.values().filter(|channel| channel.gone.is_none());
        there.flat_map(|channel| channel.feeds(config)).collect()
    }

    /// What outputs push to a host.
    pub(crate) fn outgoing<'a>(&'a self, host: &'a str) -> impl Iterator<Item = Push> {
        self.channels.values().flat_map(move |channel| channel.air.pushes(&channel.arn, host))
    }

    /// The channels that an input is attached to: at most one, unless somebody edited behind the back.
    pub(crate) fn attached(&self, input: &str) -> Vec<&Channel> {
        self.channels.values().filter(|channel| channel.attaches(input)).collect()
    }

    /// The inputs that are there and use an input security group.
    pub(crate) fn users<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Input> {
        self.inputs.values().filter(move |input| input.gone.is_none() && input.uses(group))
    }
}

pub(super) fn no_channel(id: &str) -> ApiError {
    not_found(format!("Channel {id} not found."))
}

pub(super) fn no_input(id: &str) -> ApiError {
    not_found(format!("Input {id} not found."))
}

pub(super) fn no_group(id: &str) -> ApiError {
    not_found(format!("Input security group {id} not found."))
}

/// A member of a resource's settings as text.
pub(super) fn text<'a>(settings: &'a Map<String, Value>, member: &str) -> &'a str {
    settings.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// A member of a resource's settings as a list.
pub(super) fn list<'a>(settings: &'a Map<String, Value>, member: &str) -> &'a [Value] {
    settings.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn resources(region: &Region, _: &Config, _: Duration) -> Map<String, Value> {
    let state = &region.medialive;
    let mut found = Map::new();
    let channels = state.channels.values().filter(|channel| channel.gone.is_none());
    found.insert("channels".to_owned(), channels.map(view::channel).collect());
    let inputs = state.inputs.values().filter(|input| input.gone.is_none());
    found.insert("inputs".to_owned(), inputs.map(|input| view::input(input, state)).collect());
    let groups = state.groups.values().filter(|group| group.gone.is_none());
    found.insert("inputSecurityGroups".to_owned(), groups.map(|group| view::group(group, state)).collect());
    found
}

/// Whether lists have it: all that is there, and for a while what is DELETED.
fn listed(gone: Option<Duration>, keep: Duration, now: Duration) -> bool {
    gone.is_none_or(|gone| gone + keep > now)
}
