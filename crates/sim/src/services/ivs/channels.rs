//! Operations on channels.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::channel::{Channel, Key};
use super::page::PAGE;
use super::{State, batch, conflict, exceeded, invalid, keys, page, tags, view};
use crate::error::ApiError;
use crate::services::Call;
use crate::services::track::Track;

/// The members of requests that a channel keeps.
const SETTINGS: [&str; 7] =
    ["name", "latencyMode", "type", "authorized", "insecureIngest", "preset", "containerFormat"];

fn settings(input: &Value) -> Map<String, Value> {
    let given = |member: &&str| input.get(*member).filter(|value| !value.is_null());
    SETTINGS.iter().filter_map(|member| given(member).map(|value| ((*member).to_owned(), value.clone()))).collect()
}

fn refuse_unmodelled(call: &Call<'_>) -> Result<(), ApiError> {
    for member in [
        "recordingConfigurationArn",
        "playbackRestrictionPolicyArn",
        "adConfigurationArn",
        "failoverSlateConfigurationArn",
    ] {
        if !call.text(member).is_empty() {
            return Err(ApiError::not_simulated(&format!("{member} of channels")));
        }
    }
    let multitrack =
        call.input.get("multitrackInputConfiguration").and_then(|multitrack| multitrack["enabled"].as_bool());
    match multitrack {
        Some(true) => Err(ApiError::not_simulated("multitrack input of channels")),
        _ => Ok(()),
    }
}

fn check(settings: &Map<String, Value>) -> Result<(), ApiError> {
    let kind = settings.get("type").and_then(Value::as_str).unwrap_or("STANDARD");
    if settings.contains_key("preset") && !kind.starts_with("ADVANCED") {
        return Err(invalid("preset is selectable only for ADVANCED_HD and ADVANCED_SD channel types."));
    }
    Ok(())
}

/// The name in front of the hosts of an account in a region.
fn prefix(call: &Call<'_>) -> String {
    let hash = Sha256::digest(format!("{} {}", call.config.account, call.region));
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn create(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    refuse_unmodelled(call)?;
    let tags = tags::given(call)?;
    let settings = settings(call.input);
    check(&settings)?;
    let quota = call.config.ivs.quotas.ivs_channels;
    if state.channels.len() >= quota {
        return Err(exceeded("channels", quota));
    }
    state.prefix = prefix(call);
    let (region, account, prefix) = (call.region, &call.config.account, &state.prefix);
    let id = call.ids.mixed(12);
    let arn = format!("arn:aws:ivs:{region}:{account}:channel/{id}");
    let mut channel = Channel {
        ingest: state.endpoint(),
        playback: format!(
            "https://{prefix}.{region}.playback.live-video.net/api/video/v1/{region}.{account}.channel.{id}.m3u8"
        ),
        srt: format!("{prefix}.srt.live-video.net"),
        passphrase: call.ids.mixed(69),
        arn: arn.clone(),
        id,
        settings,
        tags,
        key: None,
        sessions: Vec::new(),
        begun: 0,
        views: Track::default(),
        watched: 0,
        refused: BTreeMap::new(),
    };
    let key = keys::made(&channel, BTreeMap::new(), call);
    call.created.extend([arn.clone(), key.arn.clone()]);
    let answer = json!({ "channel": view::channel(&channel), "streamKey": view::key(&channel, &key) });
    channel.key = Some(key);
    state.channels.insert(arn, channel);
    Ok(answer)
}

pub(super) fn get(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    Ok(json!({ "channel": view::channel(state.channel(call.text("arn"))?) }))
}

pub(super) fn get_many(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    batch::many(call, "channels", |arn| state.channel(arn).map(view::channel))
}

/// The names of a channel are not unique.
pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let filters: Vec<&String> = call
        .input
        .as_object()
        .into_iter()
        .flatten()
        .map(|(member, _)| member)
        .filter(|m| m.starts_with("filter"))
        .collect();
    let name = match filters[..] {
        [] => None,
        [one] if one == "filterByName" => Some(call.text("filterByName")),
        [one] => return Err(ApiError::not_simulated(&format!("{one} of ListChannels"))),
        _ => return Err(conflict("Filters are mutually exclusive.")),
    };
    let meant = state.channels.values().filter(|channel| name.is_none_or(|name| channel.name() == name));
    let items = meant.map(|channel| (channel.arn.as_str(), channel));
    page::answer(call, "channels", PAGE, items, view::summary)
}

/// An update replaces the members that it gives.
pub(super) fn update(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    refuse_unmodelled(call)?;
    let channel = state.channel_mut(call.text("arn"))?;
    let mut next = channel.settings.clone();
    let given = settings(call.input);
    // Another type does not keep what it does not have.
    if given.contains_key("type") && !given.contains_key("preset") {
        next.remove("preset");
    }
    next.extend(given);
    check(&next)?;
    if channel.live().is_some() {
        return Err(conflict(format!("Channel {} is live and cannot be updated.", channel.arn)));
    }
    channel.settings = next;
    Ok(json!({ "channel": view::channel(channel) }))
}

/// The channel and its stream key go at once.
pub(super) fn delete(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let arn = call.text("arn");
    let channel = state.channel(arn)?;
    if channel.live().is_some() {
        return Err(conflict(format!("Channel {arn} is live and cannot be deleted.")));
    }
    state.channels.remove(arn);
    Ok(json!({}))
}

impl Channel {
    /// Its stream key, if it has this ARN.
    pub(super) fn key_of(&self, arn: &str) -> Option<&Key> {
        self.key.as_ref().filter(|key| key.arn == arn)
    }
}
