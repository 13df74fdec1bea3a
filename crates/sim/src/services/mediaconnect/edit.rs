//! What happens to flows without a request of the user: other people's edits, failures, and other services.

use std::time::Duration;

use serde_json::Value;

use super::flow::{Flow, Status};
use super::view;
use crate::config::Config;
use crate::outside::Outside;
use crate::services::Region;
use crate::services::service::Changed;
use crate::tester::{ControlError, Edit, Maintenance};

/// Makes an edit of a flow; the answer is the flow as it is then, null if it is gone.
pub(super) fn edit(region: &mut Region, edit: &Edit, config: &Config, outside: &Outside, now: Duration) -> Changed {
    let ("flow", name) = edit.meant() else { return None };
    let state = &mut region.mediaconnect;
    let flow = state.find(name)?;
    if edit.source.is_none() && edit.output.is_none() && edit.remove {
        flow.enter(Status::Deleting, Some(now));
        super::advance(state, config, outside, now);
        return Some(Ok(Value::Null));
    }
    Some(change(flow, edit, config, outside, now))
}

fn change(
    flow: &mut Flow,
    edit: &Edit,
    config: &Config,
    outside: &Outside,
    now: Duration,
) -> Result<Value, ControlError> {
    let whole = edit.source.is_none() && edit.output.is_none();
    if let Some(name) = &edit.status {
        let status = Status::parse(name).ok_or_else(|| ControlError::bad(format!("unknown status {name}")))?;
        let duration = match status {
            Status::Starting => Some(config.mediaconnect.durations.flow_starting),
            Status::Stopping => Some(config.mediaconnect.durations.flow_stopping),
            Status::Updating => Some(config.mediaconnect.durations.flow_updating),
            Status::Deleting => Some(config.mediaconnect.durations.flow_deleting),
            Status::Standby | Status::Active | Status::Error => None,
        };
        flow.enter(status, duration.map(|duration| now + duration));
    }
    if let Some(errors) = edit.errors.as_ref().filter(|_| whole) {
        flow.errors.clone_from(errors);
    }
    let mut reconnected = None;
    let tags = if let Some(name) = &edit.source {
        let found = flow.sources.iter().position(|source| source.name() == name || source.arn == *name);
        let index = found.ok_or_else(|| ControlError::absent("source", name))?;
        edit.patch(&mut flow.sources[index].settings);
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
        edit.patch(&mut flow.outputs[index].settings);
        let name = flow.outputs[index].name().to_owned();
        flow.tell("Output", &name, edit.errors.as_deref());
        reconnected = edit.patch.as_ref().map(|_| flow.outputs[index].arn.clone());
        if edit.remove {
            flow.outputs.remove(index);
            None
        } else {
            flow.outputs.get_mut(index).map(|output| &mut output.tags)
        }
    } else {
        edit.patch(&mut flow.settings);
        Some(&mut flow.tags)
    };
    if let Some(tags) = tags {
        edit.tag(tags);
    }
    if let Some(arn) = reconnected {
        flow.signals.reconnect(&arn, now);
    }
    flow.record(config, outside, now);
    Ok(view::flow(flow, config, now))
}

/// The service restarts a flow by itself (how-maintenance-works.html): "there is an interruption to all outputs on the flow".
/// Told, the flow is STOPPING and STARTING meanwhile; else it stays ACTIVE. Answers the flow as it is then.
pub(super) fn maintain(
    region: &mut Region,
    maintenance: &Maintenance,
    config: &Config,
    outside: &Outside,
    now: Duration,
) -> Changed {
    let ("flow", name) = maintenance.meant() else { return None };
    let flow = region.mediaconnect.find(name)?;
    if flow.status != Status::Active {
        let text = format!("the flow is {} and not ACTIVE", flow.status.name());
        return Some(Err(ControlError::bad(text)));
    }
    let durations = &config.mediaconnect.durations;
    if maintenance.told {
        flow.enter(Status::Stopping, Some(now + durations.flow_stopping));
        flow.restarting = true;
    } else {
        flow.away = Some(now + durations.flow_stopping + durations.flow_starting);
    }
    flow.record(config, outside, now);
    Some(Ok(view::flow(flow, config, now)))
}
