//! What happens to channels and inputs without a request of the user.

use std::time::Duration;

use serde_json::Value;

use super::channel::Status;
use super::{State, input, view};
use crate::config::Config;
use crate::tester::{ControlError, Edit};

impl State {
    /// The channel that a tester means: by id, ARN or name. What is DELETED is not found.
    pub(crate) fn find_channel(&self, wanted: &str) -> Option<&str> {
        let is = |channel: &&super::Channel| [&channel.id, &channel.arn, channel.name()].iter().any(|n| **n == *wanted);
        self.channels.values().filter(|channel| channel.gone.is_none()).find(is).map(|channel| channel.id.as_str())
    }

    /// The input that a tester means.
    pub(crate) fn find_input(&self, wanted: &str) -> Option<&str> {
        let is = |input: &&super::Input| [&input.id, &input.arn, input.name()].iter().any(|n| **n == *wanted);
        self.inputs.values().filter(|input| input.gone.is_none()).find(is).map(|input| input.id.as_str())
    }
}

/// Edits a channel; the answer is the channel as it is then, null if it is gone.
pub(crate) fn channel(
    state: &mut State,
    id: &str,
    edit: &Edit,
    config: &Config,
    now: Duration,
) -> Result<Value, ControlError> {
    let channel = state.channels.get_mut(id).ok_or_else(|| ControlError::absent("channel", id))?;
    if edit.remove {
        channel.enter(Status::Deleted, config, now);
        return Ok(Value::Null);
    }
    if let Some(name) = &edit.status {
        let status = Status::parse(name).ok_or_else(|| ControlError::bad(format!("unknown status {name}")))?;
        channel.enter(status, config, now);
    }
    edit.patch(&mut channel.settings);
    channel.air.changed = true;
    edit.tag(&mut channel.tags);
    Ok(view::channel(channel))
}

/// Edits an input; the answer is the input as it is then, null if it is gone. What it made in MediaConnect goes with it
/// when the time goes on.
pub(crate) fn input(
    state: &mut State,
    id: &str,
    edit: &Edit,
    config: &Config,
    now: Duration,
) -> Result<Value, ControlError> {
    let input = state.inputs.get_mut(id).ok_or_else(|| ControlError::absent("input", id))?;
    if edit.remove {
        input.enter(input::Status::Deleting, Some(now));
        return Ok(Value::Null);
    }
    match edit.status.as_deref() {
        None => {}
        Some("CREATING") => input.enter(input::Status::Creating, Some(now + config.durations.input_creating)),
        Some("DETACHED") => input.enter(input::Status::Ready, None),
        Some("DELETING") => input.enter(input::Status::Deleting, Some(now + config.durations.input_deleting)),
        Some(other) => return Err(ControlError::bad(format!("an input cannot be put into the state {other}"))),
    }
    edit.patch(&mut input.settings);
    edit.tag(&mut input.tags);
    let input = input.clone();
    Ok(view::input(&input, state))
}

/// The service restarts a channel by itself (maintenance-how.html of the MediaLive user guide): of a standard channel one
/// pipeline after the other; of a channel with one pipeline it "stops the pipeline, which stops the channel ... and restarts
/// the channel". Told, such a channel is STOPPING and STARTING meanwhile; else it stays RUNNING. Answers the channel.
pub(crate) fn maintain(
    state: &mut State,
    id: &str,
    told: bool,
    config: &Config,
    now: Duration,
) -> Result<Value, ControlError> {
    let channel = state.channels.get_mut(id).ok_or_else(|| ControlError::absent("channel", id))?;
    if channel.status != Status::Running {
        return Err(ControlError::bad(format!("the channel is {} and not RUNNING", channel.status.name())));
    }
    channel.restart(told, config, now);
    Ok(view::channel(channel))
}
