//! An input security group.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// Who may push to inputs.
#[derive(Clone)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) rules: Vec<Value>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Since when it is DELETED.
    pub(crate) gone: Option<Duration>,
}
