//! What is remembered of an object between passes: how often it failed, what was changed again and again, and what AWS has not
//! answered. Lost with the process; what must outlive it stands on the object.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use playout_core::failure::Failure;
use playout_core::fight::{Change, Ledger, Left};
use playout_core::intent::FirstSeen;
use playout_core::refused::Refused;
use playout_core::unanswered::Unanswered;
use tokio::time::Instant;

/// However often putting something in order was in vain, it is tried again after so long.
const TIDY_AT_LEAST: Duration = Duration::from_secs(600);

/// What only summarises other objects is written at most so often.
const SUMMARIES: Duration = Duration::from_secs(1);

/// By UID.
#[derive(Debug, Default)]
pub struct Attempts {
    objects: Mutex<HashMap<String, Attempt>>,
    began: OnceLock<Instant>,
}

#[derive(Debug, Default)]
struct Attempt {
    /// Passes that failed in a row.
    failures: u32,
    changes: Ledger,
    refused: Refused,
    unanswered: Option<Open>,
    /// How often in a row there was something to put in order, and when that may be tried again.
    chores: (u32, Option<Instant>),
    /// The create intent, and when it was first seen.
    intent: Option<(String, Timestamp, Instant)>,
    /// When its status was last written.
    summarised: Option<Instant>,
}

/// What AWS has refused.
#[derive(Clone, Debug)]
pub(crate) struct PutAside {
    /// All of it.
    pub all: Left,
    /// What is not to be asked for again now.
    pub waiting: Left,
    /// What AWS said.
    pub failure: Failure,
    /// How long it is until something of it is asked for again.
    pub again: Duration,
}

/// What AWS has not answered, and until when it may still carry it out.
#[derive(Clone, Debug)]
struct Open {
    what: Unanswered,
    until: Instant,
}

impl Attempts {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Attempt>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long it has been by then since this was first used.
    fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(*self.began.get_or_init(|| now))
    }

    fn with<T>(&self, uid: &str, work: impl FnOnce(&mut Attempt) -> T) -> T {
        let mut all = self.all();
        match all.get_mut(uid) {
            Some(attempt) => work(attempt),
            None => work(all.entry(uid.to_string()).or_default()),
        }
    }

    /// A pass failed; how often in a row by now.
    pub(crate) fn failed(&self, uid: &str) -> u32 {
        self.with(uid, |attempt| {
            attempt.failures = attempt.failures.saturating_add(1);
            attempt.failures
        })
    }

    /// A pass did not fail.
    pub(crate) fn succeeded(&self, uid: &str) {
        if let Some(attempt) = self.all().get_mut(uid) {
            attempt.failures = 0;
        }
    }

    /// A look found this wish, this demand of others, and this to be left for now. `ends`: it is to be off the air, or to go.
    pub(crate) fn requested(&self, uid: &str, wish: u64, is_demanded: bool, ends: bool, now: Instant) -> Left {
        let now = self.elapsed(now);
        self.with(uid, |attempt| {
            attempt.changes.requested(wish, is_demanded.into());
            attempt.refused.requested(wish, is_demanded.into());
            attempt.changes.left(ends, now)
        })
    }

    /// What is held is told: in words, and how long to wait; no length: until there is another wish.
    pub(crate) fn told(&self, uid: &str, ends: bool, now: Instant) -> Option<(String, Option<Duration>)> {
        let now = self.elapsed(now);
        let (text, until) = self.with(uid, |attempt| attempt.changes.told(ends, now))?;
        Some((text, until.map(|until| until.saturating_sub(now))))
    }

    /// An action changed this; how often in a row by now. What changes nothing in AWS is a decision of its own to try again.
    pub(crate) fn changed(&self, uid: &str, changes: &[Change], difference: &str, now: Instant) -> u32 {
        let now = self.elapsed(now);
        self.with(uid, |attempt| {
            if changes.is_empty() {
                attempt.changes.forget_switches();
            }
            attempt.refused.taken(changes);
            let times = changes.iter().map(|change| attempt.changes.changed(change, difference, now));
            times.max().unwrap_or_default()
        })
    }

    /// AWS said no to an action that changes this; how often in a row by now, if that is put aside and the rest goes on.
    pub(crate) fn refused(&self, uid: &str, changes: &[Change], failure: &Failure, now: Instant) -> Option<u32> {
        let now = self.elapsed(now);
        self.with(uid, |attempt| attempt.refused.refused(changes, failure, now))
    }

    /// What AWS has refused and is put aside: all of it, and that which is not to be asked for again now.
    pub(crate) fn put_aside(&self, uid: &str, now: Instant) -> Option<PutAside> {
        let now = self.elapsed(now);
        let all = self.all();
        let refused = &all.get(uid)?.refused;
        let (failure, until) = refused.told()?;
        let (all, waiting) = (refused.left(None), refused.left(Some(now)));
        Some(PutAside { all, waiting, failure, again: until.saturating_sub(now) })
    }

    /// A look found nothing to be changed; `as_requested`: because everything is as requested.
    pub(crate) fn settled(&self, uid: &str, as_requested: bool, now: Instant) {
        let now = self.elapsed(now);
        if let Some(attempt) = self.all().get_mut(uid) {
            attempt.changes.settled(now);
            if as_requested {
                attempt.refused.settled();
            }
        }
    }

    /// AWS has not answered a change that was sent for this wish at `sent` or later; what is to stand on the object.
    pub(crate) fn unanswered(&self, uid: &str, wish: &str, sent: (Timestamp, Instant), window: Duration) -> Unanswered {
        let (at, now) = sent;
        self.with(uid, |attempt| {
            let open = attempt.unanswered.as_ref().filter(|open| open.until > now);
            let what = Unanswered::after(open.map(|open| &open.what), at, uid, wish);
            attempt.unanswered = Some(Open { what: what.clone(), until: now + window });
            what
        })
    }

    /// This was read on the object. It counts from when it was read first, unless this process has written it.
    pub(crate) fn read(&self, uid: &str, what: &Unanswered, now: (Timestamp, Instant), window: Duration) {
        let (at, now) = now;
        self.with(uid, |attempt| {
            let is_known = attempt.unanswered.as_ref().is_some_and(|open| open.what.at >= what.at);
            if !is_known {
                attempt.unanswered = Some(Open { what: what.clone(), until: now + what.left(at, window) });
            }
        });
    }

    /// Whether AWS may still carry out what it has not answered; whether all of it was for this wish.
    pub(crate) fn open(&self, uid: &str, wish: &str, now: Instant) -> Option<bool> {
        let all = self.all();
        let open = all.get(uid)?.unanswered.as_ref().filter(|open| open.until > now)?;
        Some(open.what.wish.as_deref() == Some(wish))
    }

    /// Whether something may be put in order now. What AWS refuses, or takes and does not keep, is tried again after growing
    /// pauses.
    pub(crate) fn may_tidy(&self, uid: &str, now: Instant) -> bool {
        self.with(uid, |attempt| {
            let (times, next) = &mut attempt.chores;
            if next.is_some_and(|next| now < next) {
                return false;
            }
            let pause = Duration::from_secs(2).saturating_mul(1 << (*times).min(16)).min(TIDY_AT_LEAST);
            *times = times.saturating_add(1);
            *next = Some(now + pause);
            true
        })
    }

    /// There was nothing to put in order.
    pub(crate) fn is_tidy(&self, uid: &str) {
        if let Some(attempt) = self.all().get_mut(uid) {
            attempt.chores = (0, None);
        }
    }

    /// When this process first saw the create intent that stands on the object.
    pub(crate) fn first_saw(&self, uid: &str, intent: &str, now: Timestamp, instant: Instant) -> FirstSeen {
        let mut all = self.all();
        let known = &mut all.entry(uid.to_string()).or_default().intent;
        let known = match known {
            Some(known) if known.0 == intent => known,
            other => other.insert((intent.to_string(), now, instant)),
        };
        FirstSeen { at: known.1, ago: instant.saturating_duration_since(known.2) }
    }

    /// The status was written, with what it summarises of others.
    pub(crate) fn summarised(&self, uid: &str, now: Instant) {
        self.with(uid, |attempt| attempt.summarised = Some(now));
    }

    /// How long it is until it may be written again for that alone; `None`: now.
    pub(crate) fn until_summary(&self, uid: &str, now: Instant) -> Option<Duration> {
        let last = self.all().get(uid)?.summarised?;
        Some((last + SUMMARIES).saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// The object is gone.
    pub(crate) fn forget(&self, uid: &str) {
        self.all().remove(uid);
    }
}

#[cfg(test)]
mod tests {
    use playout_core::fight::What;

    use super::*;
    use playout_aws::clock::Clock;

    const WINDOW: Duration = Duration::from_secs(90);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn start() -> Instant {
        Clock::starting_at(at(0)).instant()
    }

    #[test]
    fn objects_are_counted_apart_and_forgotten_with_them() {
        let attempts = Attempts::default();
        assert_eq!((attempts.failed("a"), attempts.failed("a"), attempts.failed("b")), (1, 2, 1));
        attempts.succeeded("a");
        assert_eq!((attempts.failed("a"), attempts.failed("b")), (1, 2));
        let (now, change) = (start(), [Change::of("flow", What::Settings)]);
        for times in 1..=5 {
            assert_eq!(attempts.changed("a", &change, "", now), times);
        }
        assert!(attempts.requested("a", 0, false, false, now).has(&change[0]));
        assert_eq!(attempts.requested("b", 0, false, false, now), Left::default());
        attempts.forget("a");
        assert_eq!(attempts.requested("a", 0, false, false, now), Left::default());
    }

    #[test]
    fn what_only_summarises_others_is_written_once_a_second() {
        let (attempts, now) = (Attempts::default(), start());
        assert_eq!(attempts.until_summary("a", now), None, "it was never written");
        attempts.summarised("a", now);
        let until = |after| attempts.until_summary("a", now + Duration::from_millis(after));
        assert_eq!(until(400), Some(Duration::from_millis(600)));
        assert_eq!((until(1000), attempts.until_summary("b", now)), (None, None));
    }

    #[test]
    fn a_restart_that_was_decided_upon_is_not_held_and_what_it_does_not_touch_is() {
        let (attempts, now) = (Attempts::default(), start());
        let [on, settings] = [Change::of("output", What::Started), Change::of("output", What::Settings)];
        for _ in 0..20 {
            attempts.changed("a", &[on.clone(), settings.clone()], "", now);
        }
        let held = |attempts: &Attempts| {
            let left = attempts.requested("a", 0, false, false, now);
            (left.has(&on), left.has(&settings))
        };
        assert_eq!(held(&attempts), (true, true));
        attempts.changed("a", &[], "", now);
        assert_eq!(held(&attempts), (false, true));
    }

    #[test]
    fn what_aws_has_not_answered_is_open_for_the_window_and_outlives_the_process() {
        let (first, now) = (Attempts::default(), start());
        let later = |seconds| now + Duration::from_secs(seconds);
        let written = first.unanswered("a", "3", (at(1000), now), WINDOW);
        assert_eq!([first.open("a", "3", later(89)), first.open("a", "3", later(90))], [Some(true), None]);
        assert_eq!(first.open("a", "4", now), Some(false), "another wish: it would undo that");
        // A restarted process reads it on the object; reading it again does not make it younger.
        let second = Attempts::default();
        for seconds in [40, 50, 60] {
            second.read("a", &written, (at(1000 + seconds), later(seconds as u64)), WINDOW);
        }
        assert_eq!(second.open("a", "3", later(41)), Some(true));
        assert_eq!(second.open("a", "3", later(131)), None);
        // Our own is known better than what stands there.
        first.read("a", &written, (at(9000), later(10)), WINDOW);
        assert_eq!(first.open("a", "3", later(89)), Some(true));
    }
}
