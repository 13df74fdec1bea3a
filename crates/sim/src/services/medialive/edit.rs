//! What happens to channels and inputs without a request of the user.

use std::time::Duration;

use serde_json::Value;

use super::channel::Status;
use super::{State, input, view};
use crate::config::Config;
use crate::outside::Outside;
use crate::services::Region;
use crate::services::service::Changed;
use crate::tester::{ControlError, Edit, Maintenance};

impl State {
    /// The channel that a tester means: by id, ARN or name. What is DELETED is not found.
    fn find_channel(&self, wanted: &str) -> Option<&str> {
        let is = |channel: &&super::Channel| [&channel.id, &channel.arn, channel.name()].iter().any(|n| **n == *wanted);
        self.channels.values().filter(|channel| channel.gone.is_none()).find(is).map(|channel| channel.id.as_str())
    }

    /// The input that a tester means.
    fn find_input(&self, wanted: &str) -> Option<&str> {
        let is = |input: &&super::Input| [&input.id, &input.arn, input.name()].iter().any(|n| **n == *wanted);
        self.inputs.values().filter(|input| input.gone.is_none()).find(is).map(|input| input.id.as_str())
    }
}

/// Edits a channel or an input; the answer is that as it is then, null if it is gone.
pub(super) fn edit(region: &mut Region, edit: &Edit, config: &Config, _: &Outside, now: Duration) -> Changed {
    let state = &mut region.medialive;
    if let Some(id) = edit.channel.as_deref().and_then(|wanted| state.find_channel(wanted)).map(str::to_owned) {
        return Some(channel(state, &id, edit, config, now));
    }
    let id = edit.input.as_deref().and_then(|wanted| state.find_input(wanted)).map(str::to_owned)?;
    Some(input(state, &id, edit, config, now))
}

fn channel(state: &mut State, id: &str, edit: &Edit, config: &Config, now: Duration) -> Result<Value, ControlError> {
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

/// What an input made on flows goes with it when the time goes on.
fn input(state: &mut State, id: &str, edit: &Edit, config: &Config, now: Duration) -> Result<Value, ControlError> {
    let input = state.inputs.get_mut(id).ok_or_else(|| ControlError::absent("input", id))?;
    if edit.remove {
        input.enter(input::Status::Deleting, Some(now));
        return Ok(Value::Null);
    }
    match edit.status.as_deref() {
        None => {}
        Some("CREATING") => input.enter(input::Status::Creating, Some(now + config.medialive.durations.input_creating)),
        Some("DETACHED") => input.enter(input::Status::Ready, None),
        Some("DELETING") => input.enter(input::Status::Deleting, Some(now + config.medialive.durations.input_deleting)),
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
pub(super) fn maintain(
    region: &mut Region,
    maintenance: &Maintenance,
    config: &Config,
    _: &Outside,
    now: Duration,
) -> Changed {
    let ("channel", name) = maintenance.meant() else { return None };
    let state = &mut region.medialive;
    let id = state.find_channel(name)?.to_owned();
    let channel = state.channels.get_mut(&id)?;
    if channel.status != Status::Running {
        let text = format!("the channel is {} and not RUNNING", channel.status.name());
        return Some(Err(ControlError::bad(text)));
    }
    channel.restart(maintenance.told, config, now);
    Some(Ok(view::channel(channel)))
}
