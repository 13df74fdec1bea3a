//! What happens to flows without a request of the user: other people's edits, failures, and other services.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::air::Air;
use super::flow::{Flow, Output, Status};
use super::{State, not_found, view};
use crate::config::Config;
use crate::control::ControlError;
use crate::ids::Ids;

/// A change behind the back of whoever made the resource. No state is asked and no rule is checked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Edit {
    /// The region; without one, whichever region has the flow.
    pub region: Option<String>,
    /// Name or ARN.
    pub flow: String,
    /// Name or ARN of the source that is meant, if it is not the flow itself.
    pub source: Option<String>,
    /// Name or ARN of the output that is meant.
    pub output: Option<String>,
    /// A JSON merge patch: of the flow's settings, or of the source or output as requests have them (flat).
    pub patch: Option<Value>,
    /// Tags: a merge patch too.
    pub tags: Option<BTreeMap<String, Option<String>>>,
    /// Removes the source, the output or the whole flow at once.
    pub remove: bool,
    /// Puts the flow into a state.
    pub status: Option<String>,
    /// Errors that DescribeFlow tells.
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
    if let Some(errors) = &edit.errors {
        flow.errors.clone_from(errors);
    }
    let patch = edit.patch.as_ref();
    let mut reconnected = None;
    let tags = if let Some(name) = &edit.source {
        let found = flow.sources.iter().position(|source| source.name() == name || source.arn == *name);
        let index = found.ok_or_else(|| ControlError::absent("source", name))?;
        patch_map(&mut flow.sources[index].settings, patch);
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

fn patch_map(settings: &mut Map<String, Value>, patch: Option<&Value>) {
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

/// Adds an output as MediaLive does when one of its inputs refers to the flow. Answers its ARN.
pub(crate) fn add_managed_output(
    state: &mut State,
    flow: &str,
    input: &str,
    config: &Config,
    air: &Air,
    ids: &mut Ids,
    now: Duration,
) -> Result<String, ControlError> {
    let flow: &mut Flow = state.find(flow).ok_or_else(|| ControlError::absent("flow", flow))?;
    if flow.outputs.len() >= config.quotas.outputs_per_flow {
        return Err(ControlError::bad("the flow has as many outputs as the quota allows"));
    }
    let id = format!("1-{}-{}", ids.mixed(16), ids.hex(12));
    let name = format!("medialive-{}", ids.hex(12));
    let prefix = flow.arn.split(":flow:").next().unwrap_or_default();
    let arn = format!("{prefix}:output:{id}:{name}");
    let mut settings = Map::new();
    settings.insert("name".to_owned(), json!(name));
    settings.insert("description".to_owned(), json!("Managed by AWS Elemental MediaLive"));
    flow.outputs.push(Output {
        arn: arn.clone(),
        settings,
        tags: BTreeMap::new(),
        media_live_input: Some(input.to_owned()),
        listener_address: String::new(),
    });
    flow.record(config, air, now);
    Ok(arn)
}

/// Removes the managed outputs of a MediaLive input, or one by its ARN. Answers how many.
pub(crate) fn remove_managed_output(
    state: &mut State,
    input_or_output: &str,
    config: &Config,
    air: &Air,
    now: Duration,
) -> Result<usize, ControlError> {
    let mut removed = 0;
    for flow in state.flows.values_mut() {
        let before = flow.outputs.len();
        flow.outputs.retain(|output| {
            let managed = output.media_live_input.as_deref();
            managed.is_none() || (managed != Some(input_or_output) && output.arn != input_or_output)
        });
        removed += before - flow.outputs.len();
        flow.record(config, air, now);
    }
    match removed {
        0 => Err(ControlError::absent("managed output", &not_found(input_or_output).message)),
        removed => Ok(removed),
    }
}
