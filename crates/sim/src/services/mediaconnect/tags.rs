//! Tags of flows, sources and outputs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{State, bad, not_found};
use crate::error::ApiError;
use crate::services::{Call, Region};

/// Tags from a request.
pub(crate) fn given(tags: Option<&Value>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut found = BTreeMap::new();
    for (key, value) in tags.and_then(Value::as_object).into_iter().flatten() {
        found.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    check(&found)?;
    Ok(found)
}

/// Tags with those of a request.
pub(crate) fn merged(
    tags: &BTreeMap<String, String>,
    more: Option<&Value>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut next = tags.clone();
    next.extend(given(more)?);
    check(&next)?;
    Ok(next)
}

fn check(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > 50 {
        return Err(bad("A resource can have at most 50 tags."));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(bad(format!("Tag key '{key}' must have between 1 and 128 characters.")));
        }
        if value.chars().count() > 256 {
            return Err(bad(format!("The value of tag {key} is longer than 256 characters.")));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(bad(format!("Tag key '{key}' must not start with aws:.")));
        }
        if let Some(wrong) = key.chars().chain(value.chars()).find(|c| !allowed(*c)) {
            return Err(bad(format!("Tag {key}: the character '{wrong}' is not allowed.")));
        }
    }
    Ok(())
}

/// Letters, digits, spaces and a few signs, in every service of AWS.
fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}

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

pub(super) fn tag(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(&mut region.mediaconnect, call.text("ResourceArn"))?;
    *tags = merged(tags, call.input.get("tags"))?;
    Ok(json!({}))
}

pub(super) fn untag(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(&mut region.mediaconnect, call.text("ResourceArn"))?;
    for key in call.list("tagKeys").iter().filter_map(Value::as_str) {
        tags.remove(key);
    }
    Ok(json!({}))
}

pub(super) fn list(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(&mut region.mediaconnect, call.text("ResourceArn"))?;
    Ok(json!({ "tags": tags }))
}
