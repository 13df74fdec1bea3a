//! JSON 1.0 and 1.1: the operation is in `X-Amz-Target`, everything else in the body.

use http::request::Parts;
use serde_json::Value;

use super::{unknown_operation, unreadable};
use crate::error::ApiError;
use crate::model::Table;

pub(super) fn read(table: &Table, parts: &Parts, body: &[u8]) -> Result<(String, Value), ApiError> {
    let target = parts.headers.get("x-amz-target").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let operation = target
        .split_once('.')
        .filter(|(prefix, _)| *prefix == table.target_prefix)
        .map(|(_, operation)| operation)
        .filter(|operation| table.operations.contains_key(*operation))
        .ok_or_else(|| unknown_operation(format!("Unknown target '{target}'")))?;
    let input = match body {
        [] => Value::Object(serde_json::Map::new()),
        bytes => match serde_json::from_slice(bytes) {
            Ok(value @ Value::Object(_)) => value,
            Ok(_) => return Err(unreadable("The body must be a JSON object")),
            Err(error) => return Err(unreadable(format!("The body is not JSON: {error}"))),
        },
    };
    Ok((operation.to_owned(), input))
}

pub(super) fn content_type(table: &Table) -> &'static str {
    if table.json_version == "1.0" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" }
}
