//! The one home of the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the time: the wall clock's, which anybody may set and which goes on while the machine sleeps, and a monotonic one, which
/// nobody can set and which stands still meanwhile. Lengths are measured by the second; dates that others read, or that came from
/// others, are of the first.
#[derive(Clone, Debug)]
pub struct Clock(Wall);

#[derive(Clone, Debug)]
enum Wall {
    /// The system's, read at each use: it may be set, for the first time ever, while we run.
    System,
    /// Counted from the monotonic clock, which a paused runtime drives, and set by steps.
    Counted { origin: Instant, started: Timestamp, steps: Arc<AtomicI64> },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Wall::System)
    }

    /// For tests: a clock that says `started` now, and that goes as the runtime's does.
    #[must_use]
    pub fn starting_at(started: Timestamp) -> Self {
        Self(Wall::Counted { origin: Instant::now(), started, steps: Arc::default() })
    }

    /// The same machine's clock for another process of a test, or another machine's that differs by so much.
    #[must_use]
    pub fn ahead_by(&self, difference: SignedDuration) -> Self {
        match &self.0 {
            Wall::System => self.clone(),
            Wall::Counted { origin, started, steps } => {
                let steps = Arc::new(AtomicI64::new(steps.load(Ordering::SeqCst)));
                let other = Self(Wall::Counted { origin: *origin, started: *started, steps });
                other.step(difference);
                other
            }
        }
    }

    /// For tests: somebody sets the wall clock. The machine's own is not touched.
    pub fn step(&self, difference: SignedDuration) {
        if let Wall::Counted { steps, .. } = &self.0 {
            steps.fetch_add(i64::try_from(difference.as_millis()).unwrap_or_default(), Ordering::SeqCst);
        }
    }

    /// Wall-clock time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the home of the clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Wall::System => Timestamp::now(),
            Wall::Counted { origin, started, steps } => {
                *started + origin.elapsed() + SignedDuration::from_millis(steps.load(Ordering::SeqCst))
            }
        }
    }

    /// Monotonic time.
    #[must_use]
    pub fn instant(&self) -> Instant {
        Instant::now()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// An hour passes by the monotonic clock alone; carried from the start, the wall clock would be off by that hour.
    #[tokio::test(start_paused = true)]
    async fn the_wall_clock_is_the_systems_at_each_use() {
        let clock = Clock::system();
        pause(Duration::from_secs(3600)).await;
        #[expect(clippy::disallowed_methods, reason = "what the system says is what is tested")]
        let off = clock.now().duration_since(Timestamp::now()).abs();
        assert!(off < SignedDuration::from_secs(600), "{off}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_moves_the_wall_clock_and_no_length() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let other = clock.ahead_by(SignedDuration::from_secs(60));
        let start = clock.instant();
        pause(Duration::from_secs(5)).await;
        clock.step(SignedDuration::from_secs(-3));
        assert_eq!(clock.now().as_second(), 2);
        assert_eq!(other.now().as_second(), 65);
        assert_eq!(clock.instant() - start, Duration::from_secs(5));
    }
}
