//! When to look again. Pure, and the only place that chooses.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use playout_core::failure::FailureClass;
use playout_core::plan::Step;

use super::Passed;
use crate::metrics::Ended;

/// After an act: as soon as what was done can be seen.
pub(super) const AFTER_ACT: Duration = Duration::from_millis(200);
/// While something may still come of what AWS has not answered, or somebody sets back what was changed.
pub(super) const WATCHING: Duration = Duration::from_secs(5);
/// While waiting for a watch: in case it missed something.
const SAFETY: Duration = Duration::from_secs(60);
/// Stalled: something outside the object may have healed it (an IAM policy, a quota, somebody in the console).
const STUCK: Duration = Duration::from_secs(30);

/// What a pass came to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Came<'a, A> {
    /// Something failed, for the nth time in a row.
    Failed(FailureClass, u32),
    /// AWS has refused something: that is put aside, and the rest goes on.
    PutAside,
    /// To its end.
    Through {
        /// The step that was decided.
        step: Option<&'a Step<A>>,
        /// How often in a row the same was changed by now.
        times: u32,
        /// How long the object is left alone when nothing is to be done.
        rest: Duration,
        /// What else asks for a look: when, at the latest.
        at_latest: Option<Duration>,
    },
}

impl<A> Came<'_, A> {
    /// Nothing is to be done for so long.
    pub(super) fn to_rest(rest: Duration) -> Self {
        Self::Through { step: Some(&Step::Settled), times: 0, rest, at_latest: None }
    }
}

/// When the object of this UID is looked at again.
pub(super) fn requeue<A>(uid: &str, came: Came<'_, A>) -> Passed {
    let (next, at_latest, result) = match came {
        Came::Failed(class, nth) => (NextLook::About(after_failure(class, nth)), None, Ended::Failed),
        Came::PutAside => (NextLook::At(AFTER_ACT), None, Ended::Failed),
        Came::Through { step, times, rest, at_latest } => {
            let is_at_rest = matches!(step, Some(Step::Settled | Step::Gone) | None);
            (next_look(step, times, rest), at_latest, if is_at_rest { Ended::AtRest } else { Ended::NotYet })
        }
    };
    let wait = match next {
        NextLook::At(wait) => wait,
        NextLook::About(wait) => spread(uid, wait),
    };
    Passed { again: Some(at_latest.map_or(wait, |latest| latest.min(wait))), result }
}

/// When to look again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum NextLook {
    /// After this.
    At(Duration),
    /// After about this: many objects are looked at as often.
    About(Duration),
}

/// When to look again after a step. Whatever is waited for or in the way, what is on the air is looked at as often as if nothing were.
fn next_look<A>(step: Option<&Step<A>>, times: u32, rest: Duration) -> NextLook {
    match step {
        // What AWS takes and does not keep must not become a hot loop.
        Some(Step::Act(_)) => NextLook::At(after_act(times)),
        Some(Step::Wait { poll, .. }) => NextLook::At(poll.unwrap_or(SAFETY).min(rest)),
        Some(Step::Stalled(_)) => NextLook::About(STUCK.min(rest)),
        Some(Step::Settled | Step::Gone) | None => NextLook::About(rest),
    }
}

/// As soon as it can be seen; later, when the same was changed before and is not seen.
fn after_act(times: u32) -> Duration {
    match times {
        0..=1 => AFTER_ACT,
        times => {
            tracing::warn!(times, "the same was done again and AWS still shows the difference");
            backoff(times - 1, Duration::from_secs(1), Duration::from_secs(10))
        }
    }
}

/// How long to wait after the nth failure in a row.
fn after_failure(class: FailureClass, nth: u32) -> Duration {
    let pause = |first, most| backoff(nth, Duration::from_millis(first), Duration::from_secs(most));
    match class {
        // What we saw is not what is: look again.
        FailureClass::Conflict | FailureClass::Absent => pause(250, 10),
        FailureClass::Throttled => pause(1000, 30),
        FailureClass::Transient => pause(500, 60),
        FailureClass::NotLeading => Duration::from_secs(5),
        FailureClass::Panic | FailureClass::Quota | FailureClass::Denied | FailureClass::Invalid => pause(5000, 300),
    }
}

/// Twice as long after each failure.
fn backoff(attempt: u32, first: Duration, most: Duration) -> Duration {
    first.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(most)
}

/// Spread over a fifth, the same for the same object, so that a restart does not make all objects look at once for ever.
fn spread(uid: &str, length: Duration) -> Duration {
    let mut hash = DefaultHasher::new();
    Some(uid).hash(&mut hash);
    let part = u32::try_from(hash.finish() % 200).unwrap_or(0);
    length + length * part / 1000
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use playout_core::failure::{FailureClass, Problem};
    use playout_core::plan::Step;
    use playout_core::reasons::Reason;
    use playout_core::waiting::Waiting;

    use super::{AFTER_ACT, Came, NextLook, STUCK, WATCHING, after_failure, next_look, requeue};
    use crate::metrics::Ended;

    const HEALTH: Duration = Duration::from_secs(5);
    const DRIFT: Duration = Duration::from_secs(300);

    fn stuck() -> Step<()> {
        Step::Stalled(Problem::new(Reason::SecretMissing, "There is no Secret."))
    }

    fn wait(poll: Option<Duration>) -> Step<()> {
        Step::Wait { on: Waiting::FlowStarting, poll }
    }

    #[test]
    fn what_is_on_the_air_is_looked_at_as_often_whatever_is_in_its_way() {
        for step in [Step::Settled, stuck()] {
            assert_eq!(next_look(Some(&step), 0, HEALTH), NextLook::About(HEALTH), "{step:?}");
        }
        for poll in [None, Some(Duration::from_secs(20))] {
            assert_eq!(next_look(Some(&wait(poll)), 0, HEALTH), NextLook::At(HEALTH), "{poll:?}");
        }
        // What is not: as soon as the way may be free.
        assert_eq!(next_look(Some(&stuck()), 0, DRIFT), NextLook::About(STUCK));
        assert_eq!(next_look(Some(&wait(Some(HEALTH))), 0, DRIFT), NextLook::At(HEALTH));
        assert_eq!(next_look::<()>(Some(&Step::Settled), 0, DRIFT), NextLook::About(DRIFT));
    }

    #[test]
    fn what_aws_does_not_keep_is_no_hot_loop() {
        let of = |times| match next_look(Some(&Step::Act(vec![()])), times, HEALTH) {
            NextLook::At(wait) | NextLook::About(wait) => wait.as_millis(),
        };
        assert_eq!([of(0), of(1), of(2), of(3), of(9)], [200, 200, 1000, 2000, 10_000]);
    }

    #[test]
    fn what_fails_is_tried_again_after_growing_pauses_by_what_it_is() {
        use FailureClass as C;
        let of = |class| [1, 2, 3, 40].map(|nth| after_failure(class, nth).as_millis());
        for class in [C::Conflict, C::Absent] {
            assert_eq!(of(class), [250, 500, 1000, 10_000], "{class:?}: what was seen is not what is");
        }
        assert_eq!(of(C::Transient), [500, 1000, 2000, 60_000]);
        assert_eq!(of(C::Throttled), [1000, 2000, 4000, 30_000]);
        for class in [C::Panic, C::Quota, C::Denied, C::Invalid] {
            assert_eq!(of(class), [5000, 10_000, 20_000, 300_000], "{class:?}: only somebody's help changes it");
        }
        assert_eq!(of(C::NotLeading), [5000; 4], "it is nothing of the object's");
    }

    #[test]
    fn what_a_dashboard_reports_follows_from_what_a_pass_came_to() {
        let ended = |came: Came<'_, ()>| requeue("a", came).result;
        let through = |step: Option<&Step<()>>| ended(Came::Through { step, times: 0, rest: DRIFT, at_latest: None });
        for step in [Step::Act(vec![()]), wait(None), stuck()] {
            assert_eq!(through(Some(&step)), Ended::NotYet, "{step:?}");
        }
        for step in [Some(&Step::Settled), Some(&Step::Gone), None] {
            assert_eq!(through(step), Ended::AtRest, "{step:?}");
        }
        assert_eq!(ended(Came::PutAside), Ended::Failed);
        assert_eq!(ended(Came::Failed(FailureClass::Denied, 1)), Ended::Failed);
    }

    #[test]
    fn whatever_asks_for_the_earliest_look_has_it_and_the_rest_is_spread() {
        let again = |came: Came<'_, ()>| requeue("a", came).again.expect("a look");
        let settled = |at_latest| Came::Through { step: Some(&Step::Settled), times: 0, rest: DRIFT, at_latest };
        let spread = again(settled(None));
        assert!(spread >= DRIFT && spread <= DRIFT + DRIFT / 5, "{spread:?}");
        assert_eq!(again(Came::to_rest(DRIFT)), spread, "the same for the same object");
        assert_ne!(requeue::<()>("b", settled(None)).again, Some(spread), "and not for another one");
        assert_eq!(again(settled(Some(WATCHING))), WATCHING);
        assert_eq!(again(settled(Some(2 * DRIFT))), spread);
        assert_eq!(again(Came::PutAside), AFTER_ACT, "the rest goes on at once");
        let failed = again(Came::Failed(FailureClass::Transient, 1));
        assert!(failed >= Duration::from_millis(500) && failed <= Duration::from_millis(600), "{failed:?}");
    }
}
