//! What happens to flows without a request of the user: other people's edits, failures, and other services.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::air::Air;
use super::flow::{Flow, Status};
use super::{State, view};
use crate::config::Config;
use crate::control::ControlError;

/// A change behind the back of whoever made the resource. No state is asked and no rule is checked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Edit {
    /// The region; without one, whichever region has the flow.
    pub region: Option<String>,
    /// Name or ARN of the flow that is meant.
    pub flow: String,
    /// Id, ARN or name of the MediaLive channel that is meant, and not a flow.
    pub channel: Option<String>,
    /// Id, ARN or name of the MediaLive input that is meant, and not a flow.
    pub input: Option<String>,
    /// Name or ARN of the source that is meant, if it is not the flow itself.
    pub source: Option<String>,
    /// Name or ARN of the output that is meant.
    pub output: Option<String>,
    /// A JSON merge patch: of the flow's settings, or of the source, output, channel or input as requests have
    /// them.
    pub patch: Option<Value>,
    /// Tags: a merge patch too.
    pub tags: Option<BTreeMap<String, Option<String>>>,
    /// Removes the source, the output, or the whole flow, channel or input at once.
    pub remove: bool,
    /// Puts the flow, channel or input into a state.
    pub status: Option<String>,
    /// Errors that DescribeFlow tells: as they are, or as stream errors of the source or output that is meant.
    pub errors: Option<Vec<String>>,
}

/// Makes an edit; the answer is the flow as it is then, null if it is gone.
pub(crate) fn edit(
    state: &mut State,
    edit: &Edit,
    config: &Config,
    air: &Air,
    now: Duration,
) -> Result<Value, ControlError> {
    let whole = edit.source.is_none() && edit.output.is_none();
    let flow = state.find(&edit.flow).ok_or_else(|| ControlError::absent("flow", &edit.flow))?;
    if whole && edit.remove {
        flow.enter(Status::Deleting, Some(now));
        super::advance(state, config, air, now);
        return Ok(Value::Null);
    }
    if let Some(name) = &edit.status {
        let status = Status::parse(name).ok_or_else(|| ControlError::bad(format!("unknown status {name}")))?;
        let duration = match status {
            Status::Starting => Some(config.durations.flow_starting),
            Status::Stopping => Some(config.durations.flow_stopping),
            Status::Updating => Some(config.durations.flow_updating),
            Status::Deleting => Some(config.durations.flow_deleting),
            Status::Standby | Status::Active | Status::Error => None,
        };
        flow.enter(status, duration.map(|duration| now + duration));
    }
    if let Some(errors) = edit.errors.as_ref().filter(|_| whole) {
        flow.errors.clone_from(errors);
    }
    let patch = edit.patch.as_ref();
    let mut reconnected = None;
    let tags = if let Some(name) = &edit.source {
        let found = flow.sources.iter().position(|source| source.name() == name || source.arn == *name);
        let index = found.ok_or_else(|| ControlError::absent("source", name))?;
        patch_map(&mut flow.sources[index].settings, patch);
        let name = flow.sources[index].name().to_owned();
        flow.tell("Source", &name, edit.errors.as_deref());
        if edit.remove {
            flow.sources.remove(index);
            None
        } else {
            flow.sources.get_mut(index).map(|source| &mut source.tags)
        }
    } else if let Some(name) = &edit.output {
        let found = flow.outputs.iter().position(|output| output.name() == name || output.arn == *name);
        let index = found.ok_or_else(|| ControlError::absent("output", name))?;
        patch_map(&mut flow.outputs[index].settings, patch);
        let name = flow.outputs[index].name().to_owned();
        flow.tell("Output", &name, edit.errors.as_deref());
        reconnected = patch.map(|_| flow.outputs[index].arn.clone());
        if edit.remove {
            flow.outputs.remove(index);
            None
        } else {
            flow.outputs.get_mut(index).map(|output| &mut output.tags)
        }
    } else {
        patch_map(&mut flow.settings, patch);
        Some(&mut flow.tags)
    };
    if let (Some(tags), Some(given)) = (tags, &edit.tags) {
        for (key, value) in given {
            match value {
                Some(value) => drop(tags.insert(key.clone(), value.clone())),
                None => drop(tags.remove(key)),
            }
        }
    }
    if let Some(arn) = reconnected {
        flow.signals.reconnect(&arn, now);
    }
    flow.record(config, air, now);
    Ok(view::flow(flow, config, now))
}

/// The service restarts a flow by itself (how-maintenance-works.html): "there is an interruption to all outputs on the flow".
/// Told, the flow is STOPPING and STARTING meanwhile; else it stays ACTIVE. Answers the flow as it is then.
pub(crate) fn maintain(
    flow: &mut Flow,
    told: bool,
    config: &Config,
    air: &Air,
    now: Duration,
) -> Result<Value, ControlError> {
    if flow.status != Status::Active {
        return Err(ControlError::bad(format!("the flow is {} and not ACTIVE", flow.status.name())));
    }
    if told {
        flow.enter(Status::Stopping, Some(now + config.durations.flow_stopping));
        flow.restarting = true;
    } else {
        flow.away = Some(now + config.durations.flow_stopping + config.durations.flow_starting);
    }
    flow.record(config, air, now);
    Ok(view::flow(flow, config, now))
}

/// A JSON merge patch.
pub(crate) fn patch_map(settings: &mut Map<String, Value>, patch: Option<&Value>) {
    let Some(Value::Object(patch)) = patch else { return };
    for (member, value) in patch {
        match value {
            Value::Null => drop(settings.remove(member)),
            Value::Object(_) => {
                let target = settings.entry(member.clone()).or_insert(Value::Null);
                if !target.is_object() {
                    *target = json!({});
                }
                if let Value::Object(inner) = target {
                    patch_map(inner, Some(value));
                }
            }
            other => drop(settings.insert(member.clone(), other.clone())),
        }
    }
}
