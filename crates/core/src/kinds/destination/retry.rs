//! Bounded restarts of what does not reach its receiver.
//!
//! The count lives in the status and is written there *before* what it stands for is done, so that a crash can lose neither
//! the count nor the pause. What it says is used only while the wish is the same: a new spec, a new key or the annotation
//! `playout.dev/reconcile-at` begins anew.

use std::time::Duration;

use serde::Serialize;

use super::connection::FAILOVER_AFTER;
use crate::api::policy::{RetryPolicy, parse_duration};
use crate::failure::Problem;
use crate::identity::Identity;
use crate::reasons::Reason;
use crate::resources::flow::Age;

/// The longest pause between two attempts.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// After the receiver has taken the stream for this long, the count begins anew.
pub const FORGIVEN_AFTER: Duration = Duration::from_secs(300);

/// What the spec allows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Retry {
    /// Restarts.
    pub attempts: u32,
    /// How long a receiver may not take the stream.
    pub after: Duration,
    /// First pause.
    pub backoff: Duration,
}

impl Retry {
    /// From the spec. What the CRD's rules refuse becomes the default: an object may be older than they are.
    #[must_use]
    pub fn of(policy: &RetryPolicy) -> Self {
        let default = RetryPolicy::default();
        let length =
            |text: &str, default: &str| parse_duration(text).or_else(|| parse_duration(default)).unwrap_or_default();
        Self {
            attempts: policy.attempts,
            after: length(&policy.after, &default.after),
            backoff: length(&policy.backoff, &default.backoff),
        }
    }

    /// How long a receiver must have refused the stream before nothing is interrupted there: a platform's own restart is no leave for
    /// a change that waits for the end of the show.
    #[must_use]
    pub fn dead_after(&self) -> Duration {
        FAILOVER_AFTER.min(self.after)
    }

    /// The pause before restart number `count`, which begins with one.
    #[must_use]
    pub fn pause(&self, count: u32) -> Duration {
        self.backoff.saturating_mul(1 << count.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
    }

    /// What follows a failed attempt.
    #[must_use]
    pub fn next(&self, before: Option<&Tries>, cause: &str) -> Attempt {
        let count = before.map_or(0, |t| t.attempt.count);
        if count >= self.attempts {
            Attempt::gave_up(before, cause)
        } else {
            Attempt { count: count + 1, phase: Phase::Waiting, cause: Some(cause.into()) }
        }
    }
}

/// Where the attempts are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Phase {
    /// It is, or is to be, on the air.
    Trying,
    /// It pauses before the next attempt.
    Waiting,
    /// There is no further attempt.
    GaveUp,
}

/// What is to be remembered, as a value.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Attempt {
    /// Restarts so far, this one included.
    pub count: u32,
    /// Where it is.
    pub phase: Phase,
    /// Why the last attempt failed.
    pub cause: Option<String>,
}

impl Attempt {
    /// The first time on the air.
    pub const FIRST: Self = Self { count: 0, phase: Phase::Trying, cause: None };

    /// No further one, whatever the spec allows: the platform's answer would be the same.
    #[must_use]
    pub fn gave_up(before: Option<&Tries>, cause: &str) -> Self {
        Self { count: before.map_or(0, |t| t.attempt.count), phase: Phase::GaveUp, cause: Some(cause.into()) }
    }
}

/// Words in which an RTMP server says that it will not take the stream however often it is asked: the key, or who sends.
///
/// No page of AWS promises that an alert has them. Its list has "Failed RTMP Connection" (6018), which "was not able to connect to
/// its endpoint", and no cause (`monitor-activity-types-alerts-channels.html` of the MediaLive user guide). So they only end sooner
/// what ends anyway: without them it is tried again as often as `spec.retry` allows. Both ways are tested.
const REFUSALS: [&str; 8] = [
    "unauthorized",
    "unauthorised",
    "forbidden",
    "rejected",
    "badname",
    "bad name",
    "invalid key",
    "invalid stream key",
];

/// Whether what AWS says of a receiver is a refusal, and not a connection that was lost.
#[must_use]
pub fn is_refusal(message: &str) -> bool {
    let message = message.to_lowercase();
    REFUSALS.iter().any(|words| message.contains(words))
}

/// What is remembered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tries {
    /// The attempt.
    pub attempt: Attempt,
    /// How long it has been where it is.
    pub since: Age,
    /// Whether the channel was seen on its way up in this attempt: if it is down now, it failed.
    pub up: bool,
    /// Fingerprints of the keys that it was made with, where they are known.
    pub keys: Option<String>,
}

impl Tries {
    /// Whether nothing may be sent now.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.attempt.phase != Phase::Trying
    }

    /// What people read of this Destination after the last attempt.
    #[must_use]
    pub fn gave_up(&self, identity: &Identity) -> Problem {
        let Identity { namespace, name, .. } = identity;
        let cause = self.attempt.cause.as_deref().unwrap_or("The receiver did not take the stream.");
        Problem::new(
            Reason::GaveUp,
            format!(
                "{cause} {}. Check the stream key, the URL and that the live event is open on the platform's page; then kubectl -n {namespace} annotate destination {name} playout.dev/reconcile-at=$(date +%s) --overwrite starts it again, as a new key or a change of the spec does.",
                match self.attempt.count {
                    0 => "It was not restarted".to_string(),
                    1 => "It was restarted once and is off the air now".to_string(),
                    n => format!("It was restarted {n} times and is off the air now"),
                }
            ),
        )
    }
}
