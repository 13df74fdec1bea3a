//! Lists in pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::bad;
use crate::error::ApiError;
use crate::services::Call;

/// Lists give so many when nobody asks for a number.
const PAGE: usize = 10;

/// The answer with the page that a request asks for. `items` are in the order of their keys.
pub(super) fn answer<'a, T>(
    call: &Call<'_>,
    member: &str,
    items: impl Iterator<Item = (&'a str, T)>,
    show: impl Fn(T) -> Value,
) -> Result<Value, ApiError> {
    let size = call.input.get("maxResults").and_then(Value::as_u64);
    let size = size.map_or(PAGE, |size| usize::try_from(size).unwrap_or(PAGE));
    let after = match call.text("nextToken") {
        "" => String::new(),
        token => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix("after ").map(str::to_owned))
            .ok_or_else(|| bad("nextToken is not valid."))?,
    };
    let mut rest = items.filter(|(key, _)| *key > after.as_str());
    let mut last = "";
    let mut page = Vec::new();
    for (key, item) in rest.by_ref().take(size) {
        last = key;
        page.push(show(item));
    }
    let mut answer = json!({ member: page });
    if !last.is_empty() && rest.next().is_some() {
        answer["nextToken"] = json!(URL_SAFE_NO_PAD.encode(format!("after {last}")));
    }
    Ok(answer)
}
