//! Lists in pages.

use serde_json::Value;

use super::bad;
use crate::error::ApiError;
use crate::services::{Call, pages};

/// Lists give so many when nobody asks for a number.
const PAGE: usize = 10;

/// The answer with the page that a request asks for. `items` are in the order of their keys.
pub(super) fn answer<'a, T>(
    call: &Call<'_>,
    member: &str,
    items: impl Iterator<Item = (&'a str, T)>,
    show: impl Fn(T) -> Value,
) -> Result<Value, ApiError> {
    pages::answer(call, member, PAGE, items, show).ok_or_else(|| bad("nextToken is not valid."))
}
