//! Lists in pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Call;

/// The answer with the page that a request asks for by `maxResults` and `nextToken`; none when the token is not valid.
/// `items` are in the order of their keys; without a number a page has `usual` of them.
pub(crate) fn answer<'a, T>(
    call: &Call<'_>,
    member: &str,
    usual: usize,
    items: impl Iterator<Item = (&'a str, T)>,
    show: impl Fn(T) -> Value,
) -> Option<Value> {
    let size = call.input.get("maxResults").and_then(Value::as_u64);
    let size = size.map_or(usual, |size| usize::try_from(size).unwrap_or(usual));
    let after = match call.text("nextToken") {
        "" => String::new(),
        token => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix("after ").map(str::to_owned))?,
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
    Some(answer)
}
