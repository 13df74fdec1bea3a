//! What the operator has to remember of a Destination, because AWS cannot tell: how often it was restarted, and which endpoint
//! a failover has decided for. It stands in the status; if that is lost, the counting begins anew and nothing else happens.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Outcome;
use super::action::Action;
use super::connection::fed;
use super::observed::{Observed, Programme};
use super::retry::{Attempt, FORGIVEN_AFTER, Phase, Tries};
use super::wanted::Wanted;
use crate::age::age;
use crate::api::RECONCILE_AT;
use crate::api::destination::{
    ActiveEndpoint, Destination, DestinationStatus, FailoverStatus, OutputStatus, RetryStatus, RetryWord,
};
use crate::channel::ChannelState;
use crate::conditions::whole_second;
use crate::endpoint::Role;
use crate::fingerprint::differ;

use crate::plan::Step;

/// Why an endpoint leads that somebody has asked for.
pub(super) const ASKED_FOR: &str = "asked for by the annotation playout.dev/active-endpoint";

/// The restarts so far, as the status remembers them.
#[must_use]
pub fn tries(destination: &Destination, now: Timestamp) -> Option<Tries> {
    let status = destination.status.as_ref()?;
    let retries = status.retries.as_ref().filter(|_| !begins_anew(destination, status))?;
    let since = retries.since.as_ref().map_or(Duration::ZERO, |t| age(t.0, now));
    Some(Tries {
        attempt: Attempt {
            count: retries.count,
            phase: match retries.state {
                RetryWord::Trying | RetryWord::Unknown => Phase::Trying,
                RetryWord::Waiting => Phase::Waiting,
                RetryWord::GaveUp => Phase::GaveUp,
            },
            cause: retries.cause.clone(),
        },
        since,
        up: retries.up,
        keys: retries.fingerprints.clone(),
    })
}

/// The endpoint that a failover has decided for.
#[must_use]
pub fn decided(destination: &Destination) -> Option<Role> {
    match destination.status.as_ref()?.failover.as_ref()?.endpoint {
        ActiveEndpoint::Primary => Some(Role::Primary),
        ActiveEndpoint::Backup => Some(Role::Backup),
        ActiveEndpoint::Both | ActiveEndpoint::Unknown => None,
    }
}

/// Since when the output, or the group of a channel (which has no ARN), does what it does now. One that was made anew is another
/// one, also under the name of the old.
#[must_use]
pub fn unchanged_since<'a>(
    before: &'a [OutputStatus],
    role: Role,
    arn: Option<&str>,
    sending: bool,
    connected: Option<bool>,
) -> Option<&'a Time> {
    let is_same = |o: &&OutputStatus| o.role == role.word() && o.arn.as_deref() == arn;
    let is_unchanged = |o: &&OutputStatus| o.sending == Some(sending) && o.connected == connected;
    before.iter().find(is_same).filter(is_unchanged)?.since.as_ref()
}

/// A new spec, or the annotation that asks for it, begins the count anew.
pub(crate) fn begins_anew(destination: &Destination, status: &DestinationStatus) -> bool {
    let asked = destination.metadata.annotations.as_ref().and_then(|a| a.get(RECONCILE_AT));
    destination.metadata.generation != status.observed_generation
        || asked.is_some_and(|at| Some(at) != status.last_handled_reconcile_at.as_ref())
}

/// What is remembered of the restarts after this pass.
pub(super) fn retries(
    destination: &Destination,
    before: &DestinationStatus,
    wanted: &Wanted,
    seen: &Observed,
    outcome: &Outcome<'_>,
) -> Option<RetryStatus> {
    if !wanted.running && !wanted.prepare {
        return None;
    }
    let actions = match outcome.step {
        Some(Step::Act(actions)) if outcome.failure.is_none() => actions.as_slice(),
        _ => &[],
    };
    let now = || Some(Time(whole_second(outcome.now)));
    // What cannot be told now is what it was.
    let keys = wanted.keys.clone().or_else(|| before.retries.as_ref()?.fingerprints.clone());
    let new = |attempt: &Attempt| RetryStatus {
        count: attempt.count,
        attempts: wanted.retry.attempts,
        state: match attempt.phase {
            Phase::Trying => RetryWord::Trying,
            Phase::Waiting => RetryWord::Waiting,
            Phase::GaveUp => RetryWord::GaveUp,
        },
        since: now(),
        up: false,
        cause: attempt.cause.clone(),
        fingerprints: keys.clone(),
    };
    if let Some(attempt) = actions.iter().find_map(|a| if let Action::Note(attempt) = a { Some(attempt) } else { None })
    {
        // The object may have been edited since it was decided: a failure of what it was is none of what it is now.
        let is_old = attempt.phase != Phase::Trying && begins_anew(destination, before);
        return Some(new(if is_old { &Attempt::FIRST } else { attempt }));
    }
    let is_same = |r: &&RetryStatus| !differ(r.fingerprints.as_deref(), wanted.keys.as_deref());
    let remembered = before.retries.as_ref().filter(is_same).filter(|_| !begins_anew(destination, before)).cloned();
    let stops = actions.iter().any(|a| matches!(a, Action::StopChannel { .. }));
    if stops && remembered.as_ref().is_none_or(|r| r.state == RetryWord::Trying) {
        // A stop of our own is no failure, and takes none back that was counted.
        return remembered.filter(|r| r.count > 0).map(|r| RetryStatus { up: false, ..r });
    }
    let state = seen.channel.present().map(|c| c.channel.state);
    let up = state.is_some_and(ChannelState::is_up);
    // What is found down, after it was up, has failed; unless it is the Source that was told to stop, or was made anew.
    let stopped = matches!(seen.flow, Programme::Flow { stopped: Some(_), .. });
    let was_up = matches!(state, Some(ChannelState::Stopping | ChannelState::Idle)) && !stopped;
    let is_forgiven = fed(Some(wanted), seen).iter().any(|f| f.is_taken() && f.unchanged_for >= FORGIVEN_AFTER);
    match remembered {
        Some(retries)
            if (retries.count > 0 || wanted.channel.is_none()) && retries.state == RetryWord::Trying && is_forgiven =>
        {
            wanted.channel.as_ref().map(|_| RetryStatus { up, ..new(&Attempt::FIRST) })
        }
        Some(retries) => Some(RetryStatus {
            attempts: wanted.retry.attempts,
            up: (retries.up && was_up) || (up && retries.state == RetryWord::Trying),
            fingerprints: keys,
            ..retries
        }),
        None if wanted.channel.is_some() && wanted.running => Some(RetryStatus { up, ..new(&Attempt::FIRST) }),
        None => None,
    }
}

/// Which endpoint leads, since when and why, for a backup of mode `OnFailure`. `retries`: as they are remembered from now on.
pub(super) fn failover(
    before: &DestinationStatus,
    retries: Option<&RetryStatus>,
    wanted: &Wanted,
    seen: &Observed,
    outcome: &Outcome<'_>,
    active: Option<ActiveEndpoint>,
) -> Option<FailoverStatus> {
    let endpoints = wanted.outputs.len().max(wanted.channel.as_ref().map_or(0, |c| c.endpoints.len()));
    // Each show begins with the primary.
    if !wanted.running || wanted.hot || endpoints < 2 {
        return None;
    }
    let to = |endpoint: ActiveEndpoint, why: String| {
        Some(FailoverStatus { endpoint, since: Some(Time(whole_second(outcome.now))), why })
    };
    if let (Some(Step::Act(actions)), None) = (outcome.step, outcome.failure)
        && let Some(Action::Switch { to: role, why }) = actions.iter().find(|a| matches!(a, Action::Switch { .. }))
    {
        return to(word(*role), why.clone());
    }
    let last = before.failover.as_ref();
    if let Some(told) = seen.told {
        let told = word(told);
        // The primary leads by itself: being told so changes nothing.
        return match last {
            Some(last) if last.endpoint == told => Some(last.clone()),
            None if told == ActiveEndpoint::Primary => None,
            _ => to(told, ASKED_FOR.into()),
        };
    }
    // An output of the flow is switched by AWS's own state, which says where it stands; in the pause before an attempt it may
    // still be what failed.
    let leads = last.map_or(ActiveEndpoint::Primary, |l| l.endpoint);
    let pauses = retries.is_some_and(|r| r.state != RetryWord::Trying);
    match active {
        Some(now @ (ActiveEndpoint::Primary | ActiveEndpoint::Backup))
            if wanted.channel.is_none() && now != leads && !pauses =>
        {
            let why = match now {
                ActiveEndpoint::Backup => "the primary did not take the stream",
                _ => "the backup was stopped",
            };
            to(now, why.into())
        }
        _ => last.cloned(),
    }
}

fn word(role: Role) -> ActiveEndpoint {
    match role {
        Role::Primary => ActiveEndpoint::Primary,
        Role::Backup => ActiveEndpoint::Backup,
    }
}
