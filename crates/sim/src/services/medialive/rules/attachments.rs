//! The inputs of a channel.

use serde_json::{Map, Value};

use super::super::channel::pipelines;
use super::super::input::Status;
use super::super::{State, conflict, list};
use super::Violations;
use crate::error::ApiError;

/// A channel takes so many inputs, and so many of them that something is pushed to.
const INPUTS: usize = 20;
const PUSHED: usize = 2;

pub(super) fn check(settings: &Map<String, Value>, state: &State, found: &mut Violations) {
    let attachments = list(settings, "inputAttachments");
    if attachments.is_empty() || attachments.len() > INPUTS {
        found.add("inputAttachments", format!("A channel must have between 1 and {INPUTS} inputs"));
    }
    if attachments.len() > 1 {
        super::check_names(attachments, "inputAttachmentName", "inputAttachments", found);
    }
    let mut pushed = 0;
    for (index, attachment) in attachments.iter().enumerate() {
        let path = format!("inputAttachments[{index}].inputId");
        let id = attachment["inputId"].as_str().unwrap_or_default();
        if super::names(&attachments[..index], "inputId").any(|other| other == id) {
            found.add(&path, format!("Input {id} is attached twice"));
        }
        let Some(input) = state.inputs.get(id).filter(|input| input.gone.is_none()) else {
            found.add(&path, format!("Input {id} does not exist"));
            continue;
        };
        if input.pipelines() < pipelines(settings) {
            found.add(&path, format!("Input {id} is of class SINGLE_PIPELINE and cannot feed a STANDARD channel"));
        }
        pushed += usize::from(input.pushed());
    }
    check_failover(attachments, state, found);
    if pushed > PUSHED {
        found.add("inputAttachments", format!("A channel can have at most {PUSHED} push inputs"));
    }
}

/// A failover pair is two push inputs of one type that are both attached, the first of which names the second
/// (aif-single-pipeline-how.html, aif-setup-other-inputs.html).
fn check_failover(attachments: &[Value], state: &State, found: &mut Violations) {
    let named = |attachment: &Value| !attachment["automaticInputFailoverSettings"].is_null();
    for (index, attachment) in attachments.iter().enumerate().filter(|(_, attachment)| named(attachment)) {
        let path = format!("inputAttachments[{index}].automaticInputFailoverSettings.secondaryInputId");
        let first = attachment["inputId"].as_str().unwrap_or_default();
        let second = attachment["automaticInputFailoverSettings"]["secondaryInputId"].as_str().unwrap_or_default();
        let Some(other) = attachments.iter().find(|other| other["inputId"] == second).filter(|_| second != first)
        else {
            found.add(path, format!("Input {second} must be another input that is attached to the channel"));
            continue;
        };
        if named(other) {
            found.add(&path, format!("Input {second} cannot be primary and secondary input of failover pairs"));
        }
        let (Some(first), Some(second)) = (state.inputs.get(first), state.inputs.get(second)) else { continue };
        if !first.pushed() || first.kind() != second.kind() {
            found.add(path, "The inputs of a failover pair must be push inputs of the same type");
        }
    }
}

/// An input feeds one channel, and only when it is done with coming and not begun to go.
pub(super) fn check_free(settings: &Map<String, Value>, state: &State, own: Option<&str>) -> Result<(), ApiError> {
    for id in super::names(list(settings, "inputAttachments"), "inputId") {
        if let Some(other) = state.attached(id).into_iter().find(|channel| Some(channel.id.as_str()) != own) {
            return Err(conflict(format!("Input {id} is already attached to channel {}.", other.id)));
        }
        if let Some(input) = state.inputs.get(id).filter(|input| input.status != Status::Ready) {
            return Err(conflict(format!("Input {id} cannot be attached in state {}.", input.state(state))));
        }
    }
    Ok(())
}
