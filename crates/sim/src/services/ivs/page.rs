//! Lists in pages.

use serde_json::Value;

use super::invalid;
use crate::error::ApiError;
use crate::services::{Call, pages};

/// Lists give so many when nobody asks for a number, and most lists can give no more.
pub(super) const PAGE: usize = 100;

/// The answer with the page that a request asks for. `items` are in the order of their keys.
pub(super) fn answer<'a, T>(
    call: &Call<'_>,
    member: &str,
    usual: usize,
    items: impl Iterator<Item = (&'a str, T)>,
    show: impl Fn(T) -> Value,
) -> Result<Value, ApiError> {
    pages::answer(call, member, usual, items, show).ok_or_else(|| invalid("The nextToken is not valid."))
}
