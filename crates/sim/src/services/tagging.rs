//! The rules of tags, which the media services share.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::ApiError;

fn bad(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "BadRequestException", message)
}

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
