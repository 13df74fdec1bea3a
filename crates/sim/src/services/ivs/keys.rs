//! Operations on stream keys: a channel has one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::channel::{Channel, Key};
use super::{State, absent, batch, exceeded, page, tags, view};
use crate::error::ApiError;
use crate::services::Call;

/// "Default: 1" (API_ListStreamKeys.html): there is one.
const PAGE: usize = 1;

/// A new key of a channel.
pub(super) fn made(channel: &Channel, tags: BTreeMap<String, String>, call: &mut Call<'_>) -> Key {
    let (region, account) = (call.region, &call.config.account);
    Key {
        arn: format!("arn:aws:ivs:{region}:{account}:stream-key/{}", call.ids.mixed(12)),
        value: format!("sk_{region}_{}_{}", channel.id, call.ids.mixed(30)),
        tags,
    }
}

pub(super) fn create(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags::given(call)?;
    let channel = state.channel_mut(call.text("channelArn"))?;
    if channel.key.is_some() {
        return Err(exceeded("stream keys per channel", PAGE));
    }
    let key = made(channel, tags, call);
    call.created.push(key.arn.clone());
    let answer = json!({ "streamKey": view::key(channel, &key) });
    channel.key = Some(key);
    Ok(answer)
}

fn find<'a>(state: &'a State, arn: &str) -> Result<(&'a Channel, &'a Key), ApiError> {
    let mut keys = state.channels.values().filter_map(|channel| channel.key_of(arn).map(|key| (channel, key)));
    keys.next().ok_or_else(|| absent(arn))
}

pub(super) fn get(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (channel, key) = find(state, call.text("arn"))?;
    Ok(json!({ "streamKey": view::key(channel, key) }))
}

pub(super) fn get_many(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    batch::many(call, "streamKeys", |arn| find(state, arn).map(|(channel, key)| view::key(channel, key)))
}

pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel(call.text("channelArn"))?;
    let items = channel.key.iter().map(|key| (key.arn.as_str(), key));
    page::answer(call, "streamKeys", PAGE, items, |key| view::key_summary(channel, key))
}

/// "so it can no longer be used to stream": whoever streams goes on until its connection ends.
pub(super) fn delete(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let arn = call.text("arn");
    let channel = find(state, arn)?.0.arn.clone();
    state.channel_mut(&channel)?.key = None;
    Ok(json!({}))
}
