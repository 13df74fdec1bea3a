//! When to look again. Pure.

use std::time::Duration;

use playout_core::plan::Step;

/// After an act: as soon as what was done can be seen.
pub(super) const AFTER_ACT: Duration = Duration::from_millis(200);
/// While waiting for a watch: in case it missed something.
const SAFETY: Duration = Duration::from_secs(60);
/// Stuck: something outside the object may have healed it (an IAM policy, a quota, somebody in the console).
const STUCK: Duration = Duration::from_secs(30);

/// When to look again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NextLook {
    /// After this.
    At(Duration),
    /// After about this: many objects are looked at as often.
    About(Duration),
}

/// When to look again after a step. `times`: how often in a row the same was changed by now. `rest`: how long the object is left alone
/// when nothing is to be done. Whatever is waited for or in the way, what is on the air is looked at as often as that.
pub(super) fn next_look<A>(step: Option<&Step<A>>, times: u32, rest: Duration) -> NextLook {
    match step {
        // What AWS takes and does not keep must not become a hot loop.
        Some(Step::Act(_)) => NextLook::At(after_act(times)),
        Some(Step::Wait { poll, .. }) => NextLook::At(poll.unwrap_or(SAFETY).min(rest)),
        Some(Step::Stuck(_)) => NextLook::About(STUCK.min(rest)),
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

/// Twice as long after each failure.
pub(super) fn backoff(attempt: u32, first: Duration, most: Duration) -> Duration {
    first.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(most)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use playout_core::failure::Problem;
    use playout_core::plan::Step;
    use playout_core::reasons::Reason;
    use playout_core::waiting::Waiting;

    use super::{NextLook, STUCK, next_look};

    const HEALTH: Duration = Duration::from_secs(5);
    const DRIFT: Duration = Duration::from_secs(300);

    #[test]
    fn what_is_on_the_air_is_looked_at_as_often_whatever_is_in_its_way() {
        let stuck = Step::<()>::Stuck(Problem::new(Reason::SecretMissing, "There is no Secret."));
        let wait = |poll| Step::<()>::Wait { on: Waiting::FlowStarting, poll };
        for step in [Step::Settled, stuck.clone()] {
            assert_eq!(next_look(Some(&step), 0, HEALTH), NextLook::About(HEALTH), "{step:?}");
        }
        for poll in [None, Some(Duration::from_secs(20))] {
            assert_eq!(next_look(Some(&wait(poll)), 0, HEALTH), NextLook::At(HEALTH), "{poll:?}");
        }
        // What is not: as soon as the way may be free.
        assert_eq!(next_look(Some(&stuck), 0, DRIFT), NextLook::About(STUCK));
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
}
