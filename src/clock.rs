//! The one home of the clock.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the time. Wall-clock time is counted from the monotonic clock, so that a paused runtime drives both in tests and a
/// step of the system's clock cannot make an intent or a window end early.
#[derive(Clone, Debug)]
pub struct Clock {
    origin: Instant,
    started: Timestamp,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the home of the clock")]
    pub fn system() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// A clock that says `started` now.
    #[must_use]
    pub fn starting_at(started: Timestamp) -> Self {
        Self { origin: Instant::now(), started }
    }

    /// Wall-clock time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.started + self.origin.elapsed()
    }

    /// Monotonic time.
    #[must_use]
    pub fn instant(&self) -> Instant {
        self.origin + self.origin.elapsed()
    }
}

/// Waits; only for pacing calls and collecting batches, never inside a decision.
#[expect(clippy::disallowed_methods, reason = "the home of the clock")]
pub async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// What comes of `work`, unless it takes longer than `limit`: then it is given up.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}
