//! The times on the air, as the status remembers them: when each began and ended, and why it ended.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Outcome;
use super::connection::Fed;
use super::delivering::refused;
use super::observed::{Observed, Programme};
use super::plan::changes;
use super::wanted::Wanted;
use crate::api::destination::{DestinationState, DestinationStatus, RetryWord, Run};
use crate::conditions::whole_second;
use crate::plan::Step;
use crate::waiting::Waiting;

/// How many times on the air are remembered.
const RUNS: usize = 10;

/// Begins a run with a programme, or ends it.
pub(super) fn runs(
    status: &mut DestinationStatus,
    before: &DestinationStatus,
    word: DestinationState,
    outcome: &Outcome<'_>,
    fed: &[Fed],
) {
    let now = Time(whole_second(outcome.now));
    let ran = before.started_at.is_some();
    match word {
        DestinationState::Running if !ran => {
            status.started_at = Some(now.clone());
            status.last_runs.insert(0, Run { started: Some(now), stopped: None, reason: None });
            status.last_runs.truncate(RUNS);
        }
        // A run begins with a programme, and the encoder's pause does not end it.
        DestinationState::Running | DestinationState::Silent => {}
        // Looking failed: nothing is known to have ended. Nor has what could not be stopped.
        _ if outcome.seen.is_none_or(|seen| !seen.recorded.is_empty() || seen.still_sends().is_some()) => {}
        _ if ran => {
            let why = why(word, status, before, outcome, fed);
            status.started_at = None;
            if let Some(run) = status.last_runs.first_mut().filter(|r| r.stopped.is_none()) {
                run.stopped = Some(now);
                run.reason = Some(why);
            }
        }
        _ => {}
    }
}

fn why(
    word: DestinationState,
    status: &DestinationStatus,
    before: &DestinationStatus,
    outcome: &Outcome<'_>,
    fed: &[Fed],
) -> String {
    let Some(wanted) = outcome.wanted.filter(|w| w.running) else {
        return match word {
            DestinationState::Deleting => "the Destination was deleted".into(),
            _ => "stopped as requested".into(),
        };
    };
    if let Some(reason) = outcome.seen.and_then(|seen| reason(wanted, seen, status, before)) {
        return reason;
    }
    if let Some(refused) = refused(fed) {
        return refused.refusal();
    }
    match outcome.step {
        // It had taken the stream.
        Some(Step::Wait { on: Waiting::Connecting(at), .. }) => {
            format!("AWS does not show any more that {at} takes the stream.")
        }
        Some(Step::Wait { on, .. }) => on.message(),
        Some(Step::Stalled(problem)) => problem.message.clone(),
        Some(Step::Act(_)) => "a change was carried out".into(),
        _ => "AWS no longer shows it running".into(),
    }
}

/// What the operator has stopped it for. That it is stopping is what everybody sees.
fn reason(wanted: &Wanted, seen: &Observed, status: &DestinationStatus, before: &DestinationStatus) -> Option<String> {
    if let Programme::Flow { stopped: Some(why), .. } = &seen.flow {
        return Some(Waiting::SourceStopped(wanted.source.clone(), why.clone()).message());
    }
    let failed = status.retries.as_ref().filter(|r| r.state != RetryWord::Trying);
    if let Some(cause) = failed.and_then(|r| r.cause.clone()) {
        return Some(cause);
    }
    let switched = status.failover.as_ref().filter(|f| before.active_endpoint.is_some_and(|fed| fed != f.endpoint));
    if let Some(failover) = switched {
        return Some(failover.reason.clone());
    }
    let changed = wanted.may_interrupt && !changes(wanted, seen).is_empty();
    changed.then(|| "a change was carried out".into())
}
