//! Whether a change may still be sent. AWS knows no fencing token, so every change is sent only while we lead for sure.
//!
//! Whoever holds the election opens and shuts the fence; every client asks it right before a request goes out.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::clock::Clock;

/// Whether we lead, and for how long that is sure.
#[derive(Clone, Debug)]
pub struct Fence {
    clock: Clock,
    until: Arc<RwLock<Option<Reading>>>,
    /// When the lease was taken from somebody who has not given it back.
    taken: Arc<RwLock<Option<Instant>>>,
    always: bool,
}

/// What both clocks say at a moment. The monotonic one cannot be set; the other goes on while the machine sleeps, and another
/// replica may lead when it wakes. So what is sure is sure by both.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Of the monotonic clock.
    pub instant: Instant,
    /// Of the wall clock.
    pub wall: Timestamp,
}

impl Fence {
    /// A fence for a process that needs no election.
    #[must_use]
    pub fn open(clock: Clock) -> Self {
        Self { clock, until: Arc::default(), taken: Arc::default(), always: true }
    }

    /// A fence that is shut until the lease is held.
    #[must_use]
    pub fn shut(clock: Clock) -> Self {
        Self { clock, until: Arc::default(), taken: Arc::default(), always: false }
    }

    /// The clock that it goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether we lead for that much longer.
    #[must_use]
    pub fn holds_for(&self, length: Duration) -> bool {
        let now = self.reading();
        self.always
            || self
                .until
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .is_some_and(|until| now.instant + length <= until.instant && now.wall + length <= until.wall)
    }

    /// Whether the lease was taken, not longer ago than this, from somebody who has not given it back: who has died may have
    /// sent what nobody knows of.
    #[must_use]
    pub fn took_over(&self, now: Instant, within: Duration) -> bool {
        self.taken.read().unwrap_or_else(PoisonError::into_inner).is_some_and(|taken| now < taken + within)
    }

    /// The lease is taken from somebody who has not given it back.
    pub fn take_over(&self, now: Instant) {
        *self.taken.write().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    #[must_use]
    /// What both clocks say now.
    pub fn reading(&self) -> Reading {
        Reading { instant: self.clock.instant(), wall: self.clock.now() }
    }

    /// The lease was renewed, for so long, by a request that was sent then.
    pub fn renewed(&self, sent: Reading, length: Duration) {
        self.set(Some(Reading { instant: sent.instant + length, wall: sent.wall + length }));
    }

    /// We do not lead any more.
    pub fn close(&self) {
        self.set(None);
    }

    /// Opens it until then, or shuts it.
    fn set(&self, until: Option<Reading>) {
        *self.until.write().unwrap_or_else(PoisonError::into_inner) = until;
    }
}
