//! What the restarts so far mean for the next step, on both paths.

use std::ops::ControlFlow::{Break, Continue};

use super::action::Action;
use super::connection::{Connection, Fed, fed_outputs};
use super::memory::{Lead, Next, Remember};
use super::observed::Observed;
use super::retry::{Attempt, Phase, Tries};
use super::wanted::Wanted;
use crate::endpoint::Role;
use crate::fingerprint::differ;
use crate::plan::{IN_TRANSITION, SOON, Step};
use crate::waiting::Waiting;

/// What is remembered, as long as it speaks of the keys that are requested now.
pub(super) fn tries<'a>(wanted: &Wanted, seen: &'a Observed) -> Option<&'a Tries> {
    seen.tries.as_ref().filter(|t| !differ(t.keys.as_deref(), wanted.keys.as_deref()))
}

/// Counts a failure. Only against an attempt that is remembered: what a spec failed at that was just replaced is not counted
/// against the new one.
pub(super) fn count(wanted: &Wanted, seen: &Observed, next: impl FnOnce(Option<&Tries>) -> Attempt) -> Remember {
    let tries = tries(wanted, seen);
    Remember::attempt(if tries.is_none() { Attempt::FIRST } else { next(tries) })
}

/// The same, where the backup has failed in its turn: the next attempt is the primary's, which may be well again. It fails over
/// from there as ever, so that each attempt tries both.
pub(super) fn count_and_turn(
    wanted: &Wanted,
    seen: &Observed,
    turn: Option<Role>,
    next: impl FnOnce(Option<&Tries>) -> Attempt,
) -> Remember {
    let counted = count(wanted, seen, next);
    let waits = counted.attempt.as_ref().filter(|attempt| attempt.phase == Phase::Waiting);
    let lead = turn.zip(waits).map(|(to, attempt)| Lead { to, why: attempt.cause.clone().unwrap_or_default() });
    Remember { lead, ..counted }
}

/// The pause before the next attempt, and its end. Nothing: go on. An attempt begins off the air: an output that AWS still shows
/// refused, although it was told to stop, is the last attempt, and its error none of the next.
pub(super) fn pause(wanted: &Wanted, seen: &Observed) -> Next<Option<Step<Action>>> {
    let paused = tries(wanted, seen).filter(|t| t.attempt.phase == Phase::Waiting);
    let Some(Tries { attempt, since, .. }) = paused else { return Continue(None) };
    let pause = wanted.retry.pause(attempt.count);
    let is_last = |fed: &Fed| fed.connection == Connection::Down;
    let lasts = wanted.channel.is_none() && fed_outputs(Some(wanted), seen).iter().any(is_last);
    match pause.checked_sub(*since).filter(|left| !left.is_zero()).or(lasts.then_some(IN_TRANSITION)) {
        None => Break(Remember::attempt(Attempt { phase: Phase::Trying, ..attempt.clone() })),
        Some(left) => Continue(Some(Step::wait(
            Waiting::Restarting {
                count: attempt.count,
                attempts: wanted.retry.attempts,
                cause: attempt.cause.clone().unwrap_or_default(),
            },
            left.max(SOON),
        ))),
    }
}
