//! Client-side rate limits: token buckets below AWS's documented rates, shared by all objects.
//!
//! Own code where a library would do, because the library's clock cannot be paused with the runtime: tests run these limits
//! in simulated time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::clock::{Clock, pause};

/// Who asks: a user's change, or a background check that gives way to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Urgency {
    /// A user waits for it.
    Change,
    /// Nobody waits for it.
    Check,
}

/// One token bucket. Callers are served in the order in which they came, changes before checks.
#[derive(Debug)]
pub struct Bucket {
    clock: Clock,
    per_second: f64,
    burst: f64,
    tokens: Mutex<(f64, Instant)>,
    checks: Mutex<()>,
    changes_waiting: AtomicUsize,
}

impl Bucket {
    /// A full bucket.
    pub fn new(clock: Clock, per_second: f64, burst: f64) -> Self {
        let now = clock.instant();
        Self {
            clock,
            per_second,
            burst,
            tokens: Mutex::new((burst, now)),
            checks: Mutex::new(()),
            changes_waiting: AtomicUsize::new(0),
        }
    }

    /// Waits for a token.
    pub async fn take(&self, urgency: Urgency) {
        match urgency {
            Urgency::Change => {
                self.changes_waiting.fetch_add(1, Ordering::SeqCst);
                let waiting = Waiting(&self.changes_waiting);
                self.token().await;
                drop(waiting);
            }
            Urgency::Check => {
                let _one_at_a_time = self.checks.lock().await;
                while self.changes_waiting.load(Ordering::SeqCst) > 0 {
                    pause(Duration::from_millis(20)).await;
                }
                self.token().await;
            }
        }
    }

    async fn token(&self) {
        // Holding the lock while waiting keeps the order.
        let mut state = self.tokens.lock().await;
        loop {
            let now = self.clock.instant();
            let (tokens, since) = *state;
            let tokens = (tokens + now.duration_since(since).as_secs_f64() * self.per_second).min(self.burst);
            if tokens >= 1.0 {
                *state = (tokens - 1.0, now);
                return;
            }
            *state = (tokens, now);
            pause(Duration::from_secs_f64(((1.0 - tokens) / self.per_second).max(0.001))).await;
        }
    }
}

/// Counts down when the caller has its token, and also when it was dropped while it waited.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Urgency};
    use crate::clock::Clock;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let clock = Clock::system();
        let bucket = Bucket::new(clock.clone(), 5.0, 10.0);
        let start = clock.instant();
        for _ in 0..20 {
            bucket.take(Urgency::Change).await;
        }
        let took = clock.instant() - start;
        assert!((1.9..2.2).contains(&took.as_secs_f64()), "{took:?}");
    }
}
