//! Tags of channels and stream keys.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{State, absent, invalid};
use crate::error::ApiError;
use crate::services::{Call, tagging};

/// The tags of a request that makes something.
pub(super) fn given(call: &Call<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    tagging::given(call.input.get("tags")).map_err(|error| invalid(error.message))
}

fn tags_of<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut BTreeMap<String, String>, ApiError> {
    let mut all = state.channels.values_mut().flat_map(|channel| {
        let key = channel.key.as_mut().map(|key| (&key.arn, &mut key.tags));
        key.into_iter().chain([(&channel.arn, &mut channel.tags)])
    });
    all.find(|(found, _)| *found == arn).map(|(_, tags)| tags).ok_or_else(|| absent(arn))
}

pub(super) fn tag(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(state, call.text("resourceArn"))?;
    *tags = tagging::merged(tags, call.input.get("tags")).map_err(|error| invalid(error.message))?;
    Ok(json!({}))
}

pub(super) fn untag(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(state, call.text("resourceArn"))?;
    for key in call.list("tagKeys").iter().filter_map(Value::as_str) {
        tags.remove(key);
    }
    Ok(json!({}))
}

pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    Ok(json!({ "tags": tags_of(state, call.text("resourceArn"))? }))
}
