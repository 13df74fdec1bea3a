//! Operations on channels.

use serde_json::{Map, Value, json};

use super::air::OnAir;
use super::channel::{CHANGEABLE, Status};
use super::memory::Recalled;
use super::rules;
use super::schedule::Schedule;
use super::{Channel, State, bad, conflict, limit, list as list_of, page, text, view};
use crate::config::Config;
use crate::error::ApiError;
use crate::services::{Call, tagging};

/// The members of requests that a channel keeps.
const SETTINGS: [&str; 9] = [
    "name",
    "roleArn",
    "channelClass",
    "destinations",
    "encoderSettings",
    "inputAttachments",
    "inputSpecification",
    "logLevel",
    "maintenance",
];

fn settings(input: &Value) -> Map<String, Value> {
    let given = |member: &&str| input.get(*member).filter(|value| !value.is_null());
    SETTINGS.iter().filter_map(|member| given(member).map(|value| ((*member).to_owned(), value.clone()))).collect()
}

fn refuse_unmodelled(input: &Value) -> Result<(), ApiError> {
    for member in [
        "vpc",
        "cdiInputSpecification",
        "anywhereSettings",
        "linkedChannelSettings",
        "inferenceSettings",
        "channelSecurityGroups",
        "channelEngineVersion",
    ] {
        let given = input.get(member).is_some_and(|value| !value.is_null() && *value != json!([]));
        if given {
            return Err(ApiError::not_simulated(&format!("{member} of channels")));
        }
    }
    Ok(())
}

/// Whether the request only asks if it would be taken.
fn dry(call: &Call<'_>) -> bool {
    call.input.get("dryRun").and_then(Value::as_bool) == Some(true)
}

pub(super) fn create(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let keep = call.config.medialive.durations.request_memory;
    if !dry(call) {
        let exists = |id: &str| state.channels.contains_key(id);
        match state.memory.recall(call.operation, call.input, keep, call.now, exists) {
            Recalled::New => {}
            Recalled::Made(id) => {
                return Ok(json!({ "channel": view::channel(state.channel(&id)?) }));
            }
            Recalled::Other => return Err(conflict("This requestId was used before, with other parameters.")),
        }
    }
    refuse_unmodelled(call.input)?;
    let tags = tagging::given(call.input.get("tags"))?;
    let settings = settings(call.input);
    rules::check_channel(&settings, state, None, true)?;
    check_quota(state, call.config)?;
    if dry(call) {
        return Ok(json!({}));
    }

    let id = call.ids.number();
    let mut channel = Channel {
        arn: format!("arn:aws:medialive:{}:{}:channel:{id}", call.region, call.config.account),
        id: id.clone(),
        settings,
        tags,
        status: Status::Creating,
        deadline: None,
        restarting: false,
        second: None,
        gone: None,
        leaving: Vec::new(),
        egress: Vec::new(),
        schedule: Schedule::default(),
        air: OnAir::default(),
    };
    channel.enter(Status::Creating, call.config, call.now);
    give_egress(&mut channel, call);
    call.created.extend([id.clone(), channel.arn.clone()]);
    state.memory.remember(call.operation, call.input, &id, call.now);
    let answer = json!({ "channel": view::channel(&channel) });
    state.channels.insert(id, channel);
    Ok(answer)
}

fn check_quota(state: &State, config: &Config) -> Result<(), ApiError> {
    let quota = config.medialive.quotas.channels;
    let there = state.channels.values().filter(|channel| channel.gone.is_none()).count();
    if there >= quota { Err(limit("channels", quota)) } else { Ok(()) }
}

/// An address for each pipeline. Those that are there stay.
fn give_egress(channel: &mut Channel, call: &mut Call<'_>) {
    channel.egress.truncate(channel.pipelines());
    while channel.egress.len() < channel.pipelines() {
        let octet = u8::from_str_radix(&call.ids.hex(2), 16).unwrap_or_default();
        channel.egress.push(format!("203.0.113.{}", octet.clamp(1, 254)));
    }
}

pub(super) fn describe(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel(call.text("channelId"))?;
    Ok(view::channel(channel))
}

pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let keep = call.config.medialive.durations.tombstone_listed;
    let channels = state.channels.values();
    let listed = channels.filter(|channel| super::listed(channel.gone, keep, call.now));
    let items = listed.map(|channel| (channel.id.as_str(), channel));
    page::answer(call, "channels", items, view::summary)
}

/// An update replaces the members that it gives and leaves the others, but for the role: it goes, if it is not given.
pub(super) fn update(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    refuse_unmodelled(call.input)?;
    let channel = state.channel(call.text("channelId"))?;
    channel.require(CHANGEABLE, "Cannot update a channel that is not idle. Please stop the channel and try again.")?;
    let mut next = channel.settings.clone();
    next.extend(settings(call.input));
    if call.text("roleArn").is_empty() {
        next.remove("roleArn");
    }
    change(state, call, next)
}

pub(super) fn update_class(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel(call.text("channelId"))?;
    channel.require(CHANGEABLE, "Cannot update a channel that is not idle. Please stop the channel and try again.")?;
    let mut next = channel.settings.clone();
    next.extend(settings(call.input));
    change(state, call, next)
}

fn change(state: &mut State, call: &mut Call<'_>, next: Map<String, Value>) -> Result<Value, ApiError> {
    let id = call.text("channelId");
    rules::check_channel(&next, state, Some(id), false)?;
    if dry(call) {
        return Ok(json!({}));
    }
    let channel = state.channel_mut(id)?;
    let inputs = |settings: &Map<String, Value>| -> Vec<String> {
        let attachments = list_of(settings, "inputAttachments").iter();
        attachments.filter_map(|attachment| attachment["inputId"].as_str().map(str::to_owned)).collect()
    };
    let stay = inputs(&next);
    channel.leaving = inputs(&channel.settings).into_iter().filter(|input| !stay.contains(input)).collect();
    channel.settings = next;
    channel.air.changed = true;
    channel.enter(Status::Updating, call.config, call.now);
    give_egress(channel, call);
    Ok(json!({ "channel": view::channel(channel) }))
}

/// Begins to delete a channel that does not run.
pub(super) fn delete_one(state: &mut State, id: &str, call: &Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel_mut(id)?;
    let refusal = match channel.status {
        Status::Starting | Status::Running | Status::Recovering | Status::Stopping => {
            "Cannot delete a channel that has not been stopped yet. Please stop the channel and try again."
        }
        _ => "Cannot delete this channel now.",
    };
    channel.require(CHANGEABLE, refusal)?;
    channel.enter(Status::Deleting, call.config, call.now);
    Ok(view::channel(channel))
}

/// Begins to start a channel.
pub(super) fn start_one(state: &mut State, id: &str, call: &Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel_mut(id)?;
    channel.require(&[Status::Idle], "Cannot start a channel that is not idle.")?;
    if text(&channel.settings, "roleArn").is_empty() {
        return Err(bad(format!("Channel {id} cannot be started because it has no role.")));
    }
    channel.air.switched = None;
    channel.enter(Status::Starting, call.config, call.now);
    Ok(view::channel(channel))
}

/// Begins to stop a channel.
pub(super) fn stop_one(state: &mut State, id: &str, call: &Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel_mut(id)?;
    let allowed = [Status::Starting, Status::Running, Status::Recovering];
    channel.require(&allowed, "Cannot stop a channel that is not running.")?;
    channel.enter(Status::Stopping, call.config, call.now);
    Ok(view::channel(channel))
}

/// Restarts pipelines one by one or all at once; the channel is RUNNING all the time.
pub(super) fn restart(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel_mut(call.text("channelId"))?;
    channel.require(&[Status::Running], "Cannot restart the pipelines of a channel that is not running.")?;
    let wanted: Vec<&str> = call.list("pipelineIds").iter().filter_map(Value::as_str).collect();
    let known = ["PIPELINE_0", "PIPELINE_1"];
    let index = |id: &str| known.iter().take(channel.pipelines()).position(|known| *known == id);
    let indices: Vec<usize> = wanted.iter().filter_map(|id| index(id)).collect();
    if indices.is_empty() || indices.len() != wanted.len() {
        return Err(bad(format!("pipelineIds must name pipelines of channel {}.", channel.id)));
    }
    for index in indices {
        if let Some(pipeline) = channel.air.pipelines.get_mut(index) {
            pipeline.away = Some(call.now + call.config.medialive.durations.channel_recovering);
        }
    }
    Ok(view::channel(channel))
}

pub(super) fn delete(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    delete_one(state, call.text("channelId"), call)
}

pub(super) fn start(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    start_one(state, call.text("channelId"), call)
}

pub(super) fn stop(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    stop_one(state, call.text("channelId"), call)
}
