//! Amazon Interactive Video Service, low-latency streaming: channels, stream keys, and the streams that somebody pushes.

mod batch;
mod channel;
mod channels;
pub(crate) mod config;
mod ingest;
mod keys;
mod page;
mod quotas;
mod regions;
mod session;
mod streams;
mod tags;
mod view;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::service::{PLAIN, unknown};
use super::{Call, Region, Service};
use crate::config::Config;
use crate::error::ApiError;
use crate::rate::Rate;
use channel::Channel;

/// The channels of a region, by their ARNs.
#[derive(Clone, Default)]
pub(crate) struct State {
    channels: BTreeMap<String, Channel>,
    /// The name in front of the hosts, the same for all channels of a region.
    prefix: String,
    /// Whoever was disconnected and is not yet there again: until when; none: until it tells that it lost its connection.
    turned: BTreeMap<String, Option<Duration>>,
    /// The region's quota of streams at a time, when it was looked at last.
    most: usize,
    /// Reads of streams.
    reads: u64,
}

pub(crate) const SERVICE: Service = Service {
    name: "ivs",
    model: include_str!("model.json"),
    call,
    rate,
    regions: Some(regions::ALL),
    invalid: "ValidationException",
    throttled: (429, "ThrottlingException"),
    absent: (404, "ResourceNotFoundException"),
    advance: |region, config, outside, now| {
        let (state, pushes) = region.streams();
        state.follow(pushes, config, outside, now);
    },
    next: |region, config, _| region.ivs.next(config),
    record: |region, config, outside, now| {
        let (state, pushes) = region.streams();
        state.follow(pushes, config, outside, now);
    },
    limits: Some(quotas::LIMITS),
    listed: Some(quotas::LISTED),
    resources,
    beside: &["streams", "streamKeys"],
    ..PLAIN
};

fn rate(config: &Config, operation: &str) -> Option<Rate> {
    let rates = &config.ivs.rates;
    Some(match operation {
        "TagResource" | "UntagResource" | "ListTagsForResource" => rates.tags,
        _ => rates.usual,
    })
}

/// What an account that is pending verification may not: the operations whose models have that error.
const VERIFIED: [&str; 5] = ["CreateChannel", "UpdateChannel", "DeleteChannel", "CreateStreamKey", "DeleteStreamKey"];

fn call(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let state = &mut region.ivs;
    if call.config.switches.pending_verification && VERIFIED.contains(&call.operation) {
        return Err(ApiError::new(403, "PendingVerification", "Your account is pending verification."));
    }
    match call.operation {
        "CreateChannel" => channels::create(state, call),
        "GetChannel" => channels::get(state, call),
        "BatchGetChannel" => channels::get_many(state, call),
        "UpdateChannel" => channels::update(state, call),
        "DeleteChannel" => channels::delete(state, call),
        "ListChannels" => channels::list(state, call),
        "CreateStreamKey" => keys::create(state, call),
        "GetStreamKey" => keys::get(state, call),
        "BatchGetStreamKey" => keys::get_many(state, call),
        "DeleteStreamKey" => keys::delete(state, call),
        "ListStreamKeys" => keys::list(state, call),
        "GetStream" => streams::get(state, call),
        "ListStreams" => streams::list(state, call),
        "StopStream" => streams::stop(state, call),
        "GetStreamSession" => streams::session(state, call),
        "ListStreamSessions" => streams::sessions(state, call),
        "TagResource" => tags::tag(state, call),
        "UntagResource" => tags::untag(state, call),
        "ListTagsForResource" => tags::list(state, call),
        _ => Err(unknown(call)),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "ValidationException", message)
}

fn absent(arn: &str) -> ApiError {
    ApiError::new(404, "ResourceNotFoundException", format!("Resource: {arn} was not found"))
}

fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::new(409, "ConflictException", message)
}

/// A resource too many.
fn exceeded(what: &str, quota: usize) -> ApiError {
    let text = format!("The request would exceed the quota of {quota} {what}.");
    ApiError::new(402, "ServiceQuotaExceededException", text)
}

impl State {
    fn channel(&self, arn: &str) -> Result<&Channel, ApiError> {
        self.channels.get(arn).ok_or_else(|| absent(arn))
    }

    fn channel_mut(&mut self, arn: &str) -> Result<&mut Channel, ApiError> {
        self.channels.get_mut(arn).ok_or_else(|| absent(arn))
    }
}

fn resources(region: &Region, _: &Config, now: Duration) -> Map<String, Value> {
    let channels = &region.ivs.channels;
    let keys = channels.values().filter_map(|channel| channel.key.as_ref().map(|key| (channel, key)));
    let live = channels.values().filter_map(|channel| Some((channel, channel.live()?)));
    let mut found = Map::new();
    found.insert("channels".to_owned(), channels.values().map(view::channel).collect());
    found.insert("streamKeys".to_owned(), keys.map(|(channel, key)| view::key_summary(channel, key)).collect());
    let streams = live.map(|(channel, session)| {
        json!({
            "channelArn": channel.arn,
            "streamId": session.id,
            "state": "LIVE",
            "health": session.health(),
            "viewerCount": channel.views.at(now).copied().unwrap_or_default(),
            "from": session.from,
        })
    });
    found.insert("streams".to_owned(), streams.collect());
    found
}
