//! What the restarts so far mean for the next step, on both paths. How they are counted stands in [`crate::restart`].

use std::ops::ControlFlow::{Break, Continue};

use super::action::Action;
use super::connection::{Connection, Fed, fed_outputs};
use super::memory::{Next, Remember};
use super::observed::Observed;
use super::wanted::Wanted;
use crate::endpoint::Role;
use crate::failover::Lead;
use crate::failure::Problem;
use crate::plan::{IN_TRANSITION, SOON, Step};
use crate::restart::{Phase, RestartState};
use crate::waiting::Waiting;

/// Why it failed, where nothing else is known.
pub(super) const NOT_TAKEN: &str = "The receiver did not take the stream.";

/// What is remembered, as long as it speaks of the keys that are requested now.
pub(super) fn known<'a>(wanted: &Wanted, seen: &'a Observed) -> Option<&'a RestartState> {
    seen.restart.as_ref().filter(|state| state.is_of(wanted.key_versions.as_deref()))
}

/// Counts a failure.
pub(super) fn failed(wanted: &Wanted, seen: &Observed, cause: &str) -> Remember {
    Remember::restart(wanted.restart.after_failure(known(wanted, seen), cause))
}

/// Counts a failure after which no attempt would be better.
pub(super) fn gave_up(wanted: &Wanted, seen: &Observed, cause: &str) -> Remember {
    Remember::restart(known(wanted, seen).map_or_else(RestartState::first, |state| state.gave_up(cause)))
}

/// Counts a failure. Where the backup has failed in its turn, the next attempt is the primary's, which may be well again. It fails
/// over from there as ever, so that each attempt tries both.
pub(super) fn failed_in_turn(wanted: &Wanted, seen: &Observed, turn: Option<Role>, cause: &str) -> Remember {
    let counted = failed(wanted, seen, cause);
    let waits = counted.restart.as_ref().filter(|state| state.phase == Phase::BackingOff);
    let lead = turn.zip(waits).map(|(to, state)| Lead { to, why: state.cause.clone().unwrap_or_default() });
    Remember { lead, ..counted }
}

/// What people read after the last attempt.
pub(super) fn problem(wanted: &Wanted, state: &RestartState) -> Problem {
    const CHECK: &str = "Check the stream key, the URL and that the live event is open on the platform's page";
    state.problem(&wanted.identity, NOT_TAKEN, CHECK)
}

/// The pause before the next attempt, and its end. Nothing: go on. An attempt begins off the air: an output that AWS still shows
/// refused, although it was told to stop, is the last attempt, and its error none of the next.
pub(super) fn pause(wanted: &Wanted, seen: &Observed) -> Next<Option<Step<Action>>> {
    let Some(state) = known(wanted, seen).filter(|state| state.phase == Phase::BackingOff) else {
        return Continue(None);
    };
    let is_last = |fed: &Fed| fed.connection == Connection::Down;
    let lasts = wanted.channel.is_none() && fed_outputs(Some(wanted), seen).iter().any(is_last);
    match wanted.restart.pause_left(state).or(lasts.then_some(IN_TRANSITION)) {
        None => Break(Remember::restart(state.attempt())),
        Some(left) => Continue(Some(Step::wait(
            Waiting::Restarting {
                count: state.count,
                attempts: wanted.restart.attempts,
                cause: state.cause.clone().unwrap_or_default(),
            },
            left.max(SOON),
        ))),
    }
}
