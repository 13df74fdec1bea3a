//! Tags of channels, inputs and input security groups.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{State, not_found};
use crate::error::ApiError;
use crate::services::{Call, tagging};

fn tags_of<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut BTreeMap<String, String>, ApiError> {
    let channels = state.channels.values_mut().map(|channel| (&channel.arn, channel.gone, &mut channel.tags));
    let inputs = state.inputs.values_mut().map(|input| (&input.arn, input.gone, &mut input.tags));
    let groups = state.groups.values_mut().map(|group| (&group.arn, group.gone, &mut group.tags));
    let mut all = channels.chain(inputs).chain(groups);
    let found = all.find(|(found, gone, _)| *found == arn && gone.is_none());
    found.map(|(_, _, tags)| tags).ok_or_else(|| not_found(format!("Resource {arn} not found.")))
}

pub(super) fn tag(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(state, call.text("resource-arn"))?;
    *tags = tagging::merged(tags, call.input.get("tags"))?;
    Ok(json!({}))
}

pub(super) fn untag(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(state, call.text("resource-arn"))?;
    for key in call.list("tagKeys").iter().filter_map(Value::as_str) {
        tags.remove(key);
    }
    Ok(json!({}))
}

pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(state, call.text("resource-arn"))?;
    Ok(json!({ "tags": tags }))
}
