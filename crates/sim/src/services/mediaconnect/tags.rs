//! Tags of flows, sources and outputs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{State, not_found};
use crate::error::ApiError;
use crate::services::Call;
use crate::services::tagging::merged;

fn tags_of<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut BTreeMap<String, String>, ApiError> {
    for flow in state.flows.values_mut() {
        if flow.arn == arn {
            return Ok(&mut flow.tags);
        }
        if let Some(source) = flow.sources.iter_mut().find(|source| source.arn == arn) {
            return Ok(&mut source.tags);
        }
        if let Some(output) = flow.outputs.iter_mut().find(|output| output.arn == arn) {
            return Ok(&mut output.tags);
        }
    }
    Err(not_found(format!("Resource {arn} was not found.")))
}

pub(super) fn tag(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(state, call.text("ResourceArn"))?;
    *tags = merged(tags, call.input.get("tags"))?;
    Ok(json!({}))
}

pub(super) fn untag(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(state, call.text("ResourceArn"))?;
    for key in call.list("tagKeys").iter().filter_map(Value::as_str) {
        tags.remove(key);
    }
    Ok(json!({}))
}

pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(state, call.text("ResourceArn"))?;
    Ok(json!({ "tags": tags }))
}
