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
    if pushed > PUSHED {
        found.add("inputAttachments", format!("A channel can have at most {PUSHED} push inputs"));
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
