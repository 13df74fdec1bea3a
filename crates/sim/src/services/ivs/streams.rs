//! Operations on streams and their sessions.

use serde_json::{Value, json};

use super::channel::Channel;
use super::page::PAGE;
use super::session::Session;
use super::{State, absent, page};
use crate::error::ApiError;
use crate::services::Call;

fn offline() -> ApiError {
    ApiError::new(404, "ChannelNotBroadcasting", "[NotBroadcasting: Channel is not currently online]")
}

/// What `viewerCount` tells to this read: -1 now and then.
fn count(state: &mut State, call: &Call<'_>) -> impl Fn(&Channel) -> Value + use<> {
    state.reads += 1;
    let every = call.config.ivs.viewer_count_missing;
    let missing = every > 0 && state.reads.is_multiple_of(every);
    let now = call.now;
    move |channel| match missing {
        true => json!(-1),
        false => json!(channel.views.at(now).copied().unwrap_or_default()),
    }
}

fn summary(call: &Call<'_>, channel: &Channel, session: &Session, views: Value) -> Value {
    json!({
        "channelArn": channel.arn,
        "streamId": session.id,
        "state": "LIVE",
        "health": session.health(),
        "viewerCount": views,
        "startTime": session.started.map(|at| call.told(at)),
    })
}

pub(super) fn get(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let views = count(state, call);
    let channel = state.channel(call.text("channelArn"))?;
    let session = channel.live().ok_or_else(offline)?;
    let mut stream = summary(call, channel, session, views(channel));
    stream["playbackUrl"] = json!(channel.playback);
    Ok(json!({ "stream": stream }))
}

pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let views = count(state, call);
    let wanted = call.input.get("filterBy").and_then(|filter| filter["health"].as_str());
    let live = state.channels.values().filter_map(|channel| Some((channel, channel.live()?)));
    let meant = live.filter(|(_, session)| wanted.is_none_or(|health| session.health() == health));
    let items = meant.map(|(channel, session)| (channel.arn.as_str(), (channel, session)));
    page::answer(call, "streams", PAGE, items, |(channel, session)| summary(call, channel, session, views(channel)))
}

/// Disconnects whoever pushes; that one may come again.
pub(super) fn stop(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let arn = call.text("channelArn");
    let channel = state.channel(arn)?;
    if channel.live().is_none_or(|session| session.disconnected.is_some()) {
        return Err(offline());
    }
    state.turn_away(arn, call.outside, call.now);
    Ok(json!({}))
}

/// One session: with nothing said, the latest.
pub(super) fn session(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel(call.text("channelArn"))?;
    let wanted = call.text("streamId");
    let mut sessions = channel.sessions.iter().rev();
    let found = sessions.find(|session| wanted.is_empty() || session.id == wanted);
    let session = found.ok_or_else(|| absent(wanted))?;
    let events = session.events.iter().rev();
    let events: Vec<Value> = events
        .map(|event| json!({ "type": event.kind, "name": event.name, "eventTime": call.told(event.at) }))
        .collect();
    let (width, height) = session.size;
    let mut seen = short(call, session);
    if let Value::Object(seen) = &mut seen {
        seen.remove("hasErrorEvent");
    }
    seen["channel"] = session.channel.clone();
    seen["truncatedEvents"] = json!(events);
    seen["ingestConfigurations"] = json!({
        "videoConfigurations": [{
            "track": "Track0",
            "targetBitrate": session.bitrate,
            "videoWidth": width,
            "videoHeight": height,
        }],
        "audioConfigurations": [{ "track": "Track0" }],
    });
    Ok(json!({ "streamSession": seen }))
}

/// A session in lists. What never went live has no times.
fn short(call: &Call<'_>, session: &Session) -> Value {
    let mut seen = json!({ "streamId": session.id, "hasErrorEvent": session.failed });
    if let Some(started) = session.started {
        seen["startTime"] = json!(call.told(started));
        if let Some(ended) = session.ended {
            seen["endTime"] = json!(call.told(ended));
        }
    }
    seen
}

/// The latest first.
pub(super) fn sessions(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel(call.text("channelArn"))?;
    let newest = channel.sessions.iter().rev().enumerate();
    // Numbered from the first that there ever was, so that a page after a new session begins where the last one ended.
    let number = |index: usize| u64::MAX - channel.begun + u64::try_from(index).unwrap_or(u64::MAX);
    let keys: Vec<(String, &Session)> =
        newest.map(|(index, session)| (format!("{:020}", number(index)), session)).collect();
    let items = keys.iter().map(|(key, session)| (key.as_str(), *session));
    page::answer(call, "streamSessions", PAGE, items, |session| short(call, session))
}
