//! Reads of many resources at once.

use serde_json::{Value, json};

use crate::error::ApiError;
use crate::services::Call;

/// What is there, and an error for each that is not.
pub(super) fn many<'a>(
    call: &Call<'a>,
    member: &str,
    mut found: impl FnMut(&'a str) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let (mut seen, mut errors) = (Vec::new(), Vec::new());
    for arn in call.list("arns").iter().filter_map(Value::as_str) {
        match found(arn) {
            Ok(value) => seen.push(value),
            Err(error) => errors.push(json!({ "arn": arn, "code": error.code, "message": error.message })),
        }
    }
    Ok(json!({ member: seen, "errors": errors }))
}
