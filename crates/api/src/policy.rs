//! Policies and small values that several kinds share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of the AWS resources when the object is deleted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DeletionPolicy {
    /// They are removed in order; the object stays until AWS shows that they are gone.
    #[default]
    Delete,
    /// They stay as they are, with their ownership tags; an object of the same name takes them up again.
    Retain,
}

/// When a change that interrupts a running output is carried out.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum UpdatePolicy {
    /// It waits until the output is stopped, and status lists it as pending.
    #[default]
    WhenStopped,
    /// It is carried out at once.
    Restart,
}

/// A switch.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = super::schema::undescribed)]
pub enum RunState {
    /// On the air.
    Running,
    /// Off the air.
    Stopped,
}

/// Bounded restarts of what does not reach its receiver.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryPolicy {
    /// How many restarts, 0 to 20. After the last one the Destination is `Stalled` with reason `GaveUp`, its output or channel
    /// is stopped so that it costs nothing, and the annotation `playout.dev/reconcile-at` starts it again. Default: 5.
    #[serde(default = "attempts")]
    #[schemars(range(min = 0, max = 20))]
    pub attempts: u32,
    /// How long a receiver may not take the stream before it is restarted, from 1s to 1h. Default: `30s`.
    #[serde(default = "after")]
    #[schemars(schema_with = "super::text::retry_after")]
    pub after: String,
    /// Pause before the first restart, from 1s to 1h; each further one is twice as long, at most 5 minutes. Default: `15s`.
    #[serde(default = "backoff")]
    #[schemars(schema_with = "super::text::retry_backoff")]
    pub backoff: String,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: attempts(), after: after(), backoff: backoff() }
    }
}

impl RetryPolicy {
    /// Whether nothing was said.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn attempts() -> u32 {
    5
}

fn after() -> String {
    "30s".into()
}

fn backoff() -> String {
    "15s".into()
}

/// Length of an AES key.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Algorithm {
    /// 128 bits.
    Aes128,
    /// 192 bits.
    Aes192,
    /// 256 bits.
    #[default]
    Aes256,
}

/// A length of time as users write it: `500ms`, `60s`, `1m30s`, `2h`. The same as the rules of the CRD take.
///
/// # Errors
/// `None` when the text is not whole numbers, each followed by one of those units, the largest first, or is longer than a day.
#[must_use]
pub fn parse_duration(text: &str) -> Option<std::time::Duration> {
    // jiff reads much more: words, fractions, signs, spaces.
    if !text.starts_with(|c: char| c.is_ascii_digit())
        || !text.bytes().all(|b| b.is_ascii_digit() || b"hms".contains(&b))
    {
        return None;
    }
    let length: jiff::SignedDuration = text.parse().ok()?;
    (length <= jiff::SignedDuration::from_hours(24)).then(|| length.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse_duration;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(parse_duration("60s"), Some(Duration::from_secs(60)));
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("2h"), Some(Duration::from_secs(7200)));
        assert_eq!(parse_duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("1h0m5s250ms"), Some(Duration::from_millis(3_605_250)));
        for bad in
            ["", "s", "60", "1d", "-5s", "1.5s", "99999999999999999999s", "25h", "30s1m", "1m 30s", "1h1h", "m30"]
        {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
