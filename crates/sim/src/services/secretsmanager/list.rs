//! ListSecrets.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Secret, error};
use crate::error::ApiError;
use crate::services::Call;

pub(super) fn list(secrets: &BTreeMap<String, Secret>, call: &Call<'_>) -> Result<Value, ApiError> {
    let size = call.input.get("MaxResults").and_then(Value::as_u64).map_or(100, |n| usize::try_from(n).unwrap_or(100));
    let planned = call.input.get("IncludePlannedDeletion").and_then(Value::as_bool).unwrap_or(false);
    let after = match call.text("NextToken") {
        "" => None,
        token => Some(
            URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| error("InvalidNextTokenException", "The NextToken value is invalid."))?,
        ),
    };
    // By name: a page goes on after a name, whether that secret is still there or not.
    let mut rest = secrets
        .values()
        .filter(|secret| after.as_ref().is_none_or(|after| secret.name > *after))
        .filter(|secret| planned || secret.deletion.is_none())
        .filter(|secret| call.list("Filters").iter().all(|filter| matches(secret, filter)));
    let page: Vec<&Secret> = rest.by_ref().take(size).collect();
    let shown: Vec<Value> = page
        .iter()
        .map(|secret| {
            let mut seen = secret.view();
            // The same fact has another name in lists.
            if let Some(object) = seen.as_object_mut()
                && let Some(stages) = object.remove("VersionIdsToStages")
            {
                object.insert("SecretVersionsToStages".to_owned(), stages);
            }
            seen
        })
        .collect();
    let mut answer = json!({ "SecretList": shown });
    if rest.next().is_some()
        && let Some(last) = page.last()
    {
        answer["NextToken"] = json!(URL_SAFE_NO_PAD.encode(&last.name));
    }
    Ok(answer)
}

/// One filter: any of its values must match. Values are beginnings; `!` in front means "not".
fn matches(secret: &Secret, filter: &Value) -> bool {
    let key = filter["Key"].as_str().unwrap_or_default();
    let values: Vec<&str> = filter["Values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let begins = |wanted: &str, fold: bool| {
        let is = |text: &str| {
            if fold { text.to_lowercase().starts_with(&wanted.to_lowercase()) } else { text.starts_with(wanted) }
        };
        let description = secret.description.as_deref().unwrap_or_default();
        let tag_key = || secret.tags.keys().any(|key| is(key));
        let tag_value = || secret.tags.values().any(|value| is(value));
        match key {
            "name" => is(&secret.name),
            "description" => description.split_whitespace().any(is),
            "tag-key" => tag_key(),
            "tag-value" => tag_value(),
            "all" => is(&secret.name) || description.split_whitespace().any(is) || tag_key() || tag_value(),
            _ => false,
        }
    };
    let fold = key == "description" || key == "all";
    values.iter().any(|value| match value.strip_prefix('!') {
        Some(value) => !begins(value, fold),
        None => begins(value, fold),
    })
}
