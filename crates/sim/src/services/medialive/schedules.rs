//! Operations on schedules.

use std::time::Duration;

use serde_json::{Value, json};

use super::channel::Status;
use super::schedule::{Action, Schedule};
use super::{Channel, State, list as list_of, page, unprocessable};
use crate::error::ApiError;
use crate::services::Call;

/// A channel's schedule has at most so many actions.
const ACTIONS: usize = 1500;
/// A switch at a fixed time must be so far ahead.
const AHEAD: Duration = Duration::from_secs(15);

fn wrong(path: &str, message: &str) -> ApiError {
    let errors = json!([{ "elementPath": path, "errorMessage": message }]);
    unprocessable(format!("{path} {message}")).with("validationErrors", errors)
}

pub(super) fn update(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel_mut(call.text("channelId"))?;
    if matches!(channel.status, Status::Deleting | Status::Deleted) {
        return Err(wrong("channelId", &format!("Channel {} is in state {}", channel.id, channel.status.name())));
    }
    let part = |part: &str, member: &str| {
        call.input.get(part).and_then(|part| part[member].as_array()).map(Vec::as_slice).unwrap_or_default()
    };
    let mut next = channel.schedule.clone();
    let mut deleted = Vec::new();
    for (index, name) in part("deletes", "actionNames").iter().enumerate() {
        match next.actions.iter().position(|action| action.name == *name) {
            Some(found) => deleted.push(next.actions.remove(found).given),
            None => return Err(wrong(&format!("deletes.actionNames[{index}]"), "The action does not exist")),
        }
    }
    let created = part("creates", "scheduleActions");
    for (index, given) in created.iter().enumerate() {
        let action = read(channel, given, call).map_err(|problem| match problem {
            Problem::Wrong(message) => wrong(&format!("creates.scheduleActions[{index}]"), &message),
            Problem::NotSimulated(what) => ApiError::not_simulated(&what),
        })?;
        if next.actions.iter().any(|other| other.name == action.name) {
            return Err(wrong(&format!("creates.scheduleActions[{index}].actionName"), "The name is not unique"));
        }
        next.actions.push(action);
    }
    if next.actions.len() > ACTIONS {
        return Err(wrong("creates", &format!("A schedule can have at most {ACTIONS} actions")));
    }
    channel.schedule = next;
    Ok(json!({ "creates": { "scheduleActions": created }, "deletes": { "scheduleActions": deleted } }))
}

enum Problem {
    Wrong(String),
    NotSimulated(String),
}

/// An action of a request.
fn read(channel: &Channel, given: &Value, call: &Call<'_>) -> Result<Action, Problem> {
    let settings = given["scheduleActionSettings"].as_object();
    let kinds: Vec<&String> =
        settings.into_iter().flatten().filter(|(_, value)| !value.is_null()).map(|(kind, _)| kind).collect();
    match kinds[..] {
        [kind] if kind == "inputSwitchSettings" => {}
        [kind] => return Err(Problem::NotSimulated(format!("schedule actions with {kind}"))),
        _ => return Err(Problem::Wrong("ScheduleActionSettings must contain exactly one property".to_owned())),
    }
    let attachment = given["scheduleActionSettings"]["inputSwitchSettings"]["inputAttachmentNameReference"].as_str();
    let attachment = attachment.unwrap_or_default();
    let attachments = list_of(&channel.settings, "inputAttachments");
    if !attachments.iter().any(|found| found["inputAttachmentName"] == attachment) {
        return Err(Problem::Wrong(format!("Input attachment \"{attachment}\" does not exist")));
    }
    Ok(Action {
        given: given.clone(),
        name: given["actionName"].as_str().unwrap_or_default().to_owned(),
        at: start(channel, &given["scheduleActionStartSettings"], call)?,
        attachment: attachment.to_owned(),
        done: false,
    })
}

/// When an action starts, in simulated time.
fn start(channel: &Channel, settings: &Value, call: &Call<'_>) -> Result<Duration, Problem> {
    let fixed = &settings["fixedModeScheduleActionStartSettings"];
    if !settings["followModeScheduleActionStartSettings"].is_null() {
        return Err(Problem::NotSimulated("schedule actions that follow others".to_owned()));
    }
    if !settings["immediateModeScheduleActionStartSettings"].is_null() {
        return match channel.status {
            Status::Running => Ok(call.now),
            _ => Err(Problem::Wrong("An immediate action needs a channel that is running".to_owned())),
        };
    }
    let time = fixed["time"].as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let Some(time) = time else {
        return Err(Problem::Wrong("The action has no valid start".to_owned()));
    };
    let ahead = time.as_millisecond() as f64 / 1000.0 - call.callers.as_secs_f64();
    let ahead = Duration::try_from_secs_f64(ahead * call.speed).unwrap_or_default();
    if ahead < AHEAD {
        return Err(Problem::Wrong("A fixed start must be at least 15 seconds ahead".to_owned()));
    }
    Ok(call.now + ahead)
}

pub(super) fn describe(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel(call.text("channelId"))?;
    let keys: Vec<(String, &Action)> =
        channel.schedule.actions.iter().enumerate().map(|(index, action)| (format!("{index:08}"), action)).collect();
    let items = keys.iter().map(|(key, action)| (key.as_str(), *action));
    page::answer(call, "scheduleActions", items, |action| action.given.clone())
}

pub(super) fn clear(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    state.channel_mut(call.text("channelId"))?.schedule = Schedule::default();
    Ok(json!({}))
}
