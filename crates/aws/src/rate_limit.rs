//! Client-side rate limits: token buckets below AWS's documented rates, shared by all objects.
//!
//! Own code where a library would do, because the library's clock cannot be paused with the runtime: tests run these limits
//! in simulated time. And because who waits is served by urgency: a stop does not queue behind ten thousand background checks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock::{Clock, within};

/// Who asks. The more urgent goes first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Urgency {
    /// Something is to go off the air.
    Stop,
    /// A user waits for it.
    Change,
    /// Nobody waits for it: a background check.
    Check,
}

impl Urgency {
    /// How long is waited for the answer to a read, the queue included. A stop goes on by what is recorded when AWS does not
    /// answer; it usually does in a few hundred milliseconds.
    #[must_use]
    pub fn patience(self) -> Duration {
        match self {
            Self::Stop => Duration::from_secs(1),
            // The longest attempt of a call, and some seconds in the queue.
            Self::Change => Duration::from_secs(15),
            Self::Check => Duration::from_secs(25),
        }
    }
}

/// One token bucket. The most urgent caller is served first, and among equals the one that came first.
#[derive(Debug)]
pub struct Bucket {
    clock: Clock,
    per_second: f64,
    burst: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    since: Instant,
    came: u64,
    waiting: BTreeMap<Ticket, Arc<Notify>>,
}

type Ticket = (Urgency, u64);

impl Bucket {
    /// A full bucket.
    pub fn new(clock: Clock, per_second: f64, burst: f64) -> Self {
        let state = State { tokens: burst, since: clock.instant(), came: 0, waiting: BTreeMap::new() };
        Self { clock, per_second, burst, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a token.
    pub async fn take(&self, urgency: Urgency) {
        let woken = Arc::new(Notify::new());
        let ticket = {
            let mut state = self.state();
            state.came += 1;
            let ticket = (urgency, state.came);
            state.waiting.insert(ticket, woken.clone());
            ticket
        };
        let _place = Place { bucket: self, ticket };
        loop {
            // Whoever leaves wakes the next, who alone waits for time to pass.
            let left = self.try_take(ticket);
            match left {
                Some(Duration::ZERO) => return,
                Some(left) => {
                    within(left, woken.notified()).await;
                }
                None => woken.notified().await,
            }
        }
    }

    /// How long until there is a token: none left means that it is taken. `None`: somebody else comes first.
    fn try_take(&self, ticket: Ticket) -> Option<Duration> {
        let mut state = self.state();
        if state.waiting.keys().next() != Some(&ticket) {
            return None;
        }
        let now = self.clock.instant();
        let grown = now.duration_since(state.since).as_secs_f64() * self.per_second;
        state.tokens = (state.tokens + grown).min(self.burst);
        state.since = now;
        if state.tokens >= 1.0 {
            state.tokens -= 1.0;
            return Some(Duration::ZERO);
        }
        Some(Duration::from_secs_f64(((1.0 - state.tokens) / self.per_second).max(0.001)))
    }
}

/// A place in the queue. It is given up with the token, and also by a caller that goes away while it waits.
struct Place<'a> {
    bucket: &'a Bucket,
    ticket: Ticket,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.bucket.state();
        state.waiting.remove(&self.ticket);
        if let Some(next) = state.waiting.values().next() {
            next.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Bucket, Urgency};
    use crate::clock::{Clock, pause, within};

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

    #[tokio::test(start_paused = true)]
    async fn a_stop_goes_before_all_who_wait_and_a_check_after_all() {
        let bucket = Arc::new(Bucket::new(Clock::system(), 1.0, 1.0));
        bucket.take(Urgency::Check).await;
        let served = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut waiting = tokio::task::JoinSet::new();
        for urgency in [Urgency::Check, Urgency::Change, Urgency::Check, Urgency::Change, Urgency::Stop] {
            let (bucket, served) = (bucket.clone(), served.clone());
            waiting.spawn(async move {
                bucket.take(urgency).await;
                served.lock().expect("no panic").push(urgency);
            });
            pause(Duration::from_millis(10)).await;
        }
        while waiting.join_next().await.is_some() {}
        use Urgency::{Change, Check, Stop};
        assert_eq!(*served.lock().expect("no panic"), [Stop, Change, Change, Check, Check]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_gives_its_place_to_the_next() {
        let bucket = Bucket::new(Clock::system(), 1.0, 1.0);
        bucket.take(Urgency::Change).await;
        let impatient = within(Duration::from_millis(100), bucket.take(Urgency::Stop));
        let (gone, next) = tokio::join!(impatient, within(Duration::from_secs(2), bucket.take(Urgency::Check)));
        assert_eq!((gone, next), (None, Some(())));
    }
}
