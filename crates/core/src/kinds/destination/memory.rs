//! What the operator has to remember of a Destination, because AWS cannot tell: how often it was restarted, and which endpoint
//! a failover has decided for. It stands in the status; if that is lost, the counting begins anew and nothing else happens.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::action::Action;
use super::connection::fed;
use super::observed::{Observed, Programme};
use super::restart;
use super::retry::{Attempt, FORGIVEN_AFTER, Phase, Tries};
use super::status::active_endpoint;
use super::wanted::Wanted;
use crate::age::age;
use crate::api::RECONCILE_AT;
use crate::api::destination::{
    ActiveEndpoint, Destination, DestinationStatus, FailoverStatus, OutputStatus, RetryStatus, RetryWord,
};
use crate::conditions::whole_second;
use crate::endpoint::Role;
use crate::plan::Step;
use crate::reasons::Reason;
use crate::resources::channel::{ChannelAction, ChannelState};
use crate::told::News;

/// Why an endpoint leads that somebody has asked for.
pub(super) const ASKED_FOR: &str = "asked for by the annotation playout.dev/active-endpoint";

/// What is decided: a step, or what has to be remembered before there is one.
pub(super) type Next<T = Step<Action>> = ControlFlow<Remember, T>;

/// What is to be remembered, upon which it is decided anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Remember {
    /// Where the attempts are from now on.
    pub attempt: Option<Attempt>,
    /// Which endpoint leads from now on.
    pub lead: Option<Lead>,
}

impl Remember {
    /// Whether something of that sort was decided already.
    pub(super) fn has(&self, more: &Self) -> bool {
        self.attempt.is_some() && more.attempt.is_some() || self.lead.is_some() && more.lead.is_some()
    }

    /// Where the attempts are.
    pub(super) fn attempt(attempt: Attempt) -> Self {
        Self { attempt: Some(attempt), lead: None }
    }

    /// Which endpoint leads.
    pub(super) fn lead(to: Role, why: String) -> Self {
        Self { attempt: None, lead: Some(Lead { to, why }) }
    }
}

/// An endpoint that leads, with a backup of mode `OnFailure`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lead {
    /// Which.
    pub to: Role,
    /// Why.
    pub why: String,
}

/// Who leads from now on.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Leads {
    /// Whoever led before.
    #[default]
    AsBefore,
    /// Nobody has to be remembered: each show begins with the primary.
    Nobody,
    /// This one; the planner has decided that.
    Decided(Lead),
    /// This one, as it is seen.
    Seen(Lead),
}

/// What is remembered of a Destination: what the planner is given the next time, and what the status stores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The restarts.
    pub restart: Option<Tries>,
    /// Whether their time begins anew.
    pub is_anew: bool,
    /// Who leads.
    pub leads: Leads,
    /// Whether it is stored before anything is done: what is done rests on it.
    pub goes_first: bool,
}

impl crate::plan::Memory for Memory {
    fn goes_first(&self) -> bool {
        self.goes_first
    }

    fn told(&self) -> Option<String> {
        let tries = self.restart.as_ref().map(|tries| {
            let cause = tries.attempt.cause.as_deref().map(|cause| format!(" after: {cause}"));
            format!("attempts {}, {:?}{}", tries.attempt.count, tries.attempt.phase, cause.unwrap_or_default())
        });
        let leads = match &self.leads {
            Leads::AsBefore | Leads::Nobody => None,
            Leads::Decided(Lead { to, why }) | Leads::Seen(Lead { to, why }) => {
                Some(format!("the {} leads: {why}", to.word()))
            }
        };
        let all: Vec<_> = tries.into_iter().chain(leads).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn news(&self) -> Vec<News<'static>> {
        let attempt = self.restart.as_ref().filter(|_| self.is_anew).map(|tries| &tries.attempt);
        let lead = if let Leads::Decided(lead) = &self.leads { Some(lead) } else { None };
        attempt.and_then(Attempt::news).into_iter().chain(lead.map(Lead::news)).collect()
    }
}

impl Lead {
    fn news(&self) -> News<'static> {
        let Self { to, why } = self;
        let message = format!("Switching to the {} endpoint: {why}", to.word().to_lowercase());
        News { warning: *to == Role::Backup && why != ASKED_FOR, reason: Reason::Switched, message: message.into() }
    }
}

impl Attempt {
    /// From when attempts are counted says nothing of the show, which may have been on the air for long.
    fn news(&self) -> Option<News<'static>> {
        let Self { count, phase, cause } = self;
        let cause = cause.as_deref().unwrap_or("The receiver did not take the stream.");
        let (reason, message) = match phase {
            Phase::Trying if *count == 0 => return None,
            Phase::Trying => (Reason::Restarting, format!("Going on the air again (restart {count})")),
            Phase::Waiting => (Reason::Restarting, format!("{cause} It is restarted after a pause (restart {count})")),
            Phase::GaveUp => (Reason::GaveUp, format!("{cause} It is not restarted again")),
        };
        Some(News { warning: false, reason, message: message.into() })
    }
}

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

/// The endpoint that a failover has decided for. Whoever gave up begins anew with the primary.
#[must_use]
pub fn decided(destination: &Destination) -> Option<Role> {
    let status = destination.status.as_ref()?;
    if status.retries.as_ref().is_some_and(|r| r.state == RetryWord::GaveUp) && begins_anew(destination, status) {
        return None;
    }
    match status.failover.as_ref()?.endpoint {
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

/// What is remembered after a plan. `seen` has in it what the planner has decided to remember, and `decided` says what of it is new.
pub(super) fn after(wanted: &Wanted, seen: &Observed, decided: &Remember, step: &Step<Action>) -> Memory {
    let actions = if let Step::Act(actions) = step { actions.as_slice() } else { &[] };
    let (restart, is_anew) = restarts(wanted, seen, decided.attempt.is_some(), actions);
    let leads = leads(wanted, seen, decided.lead.as_ref(), restart.as_ref());
    let goes_first = decided.attempt.is_some() || matches!(leads, Leads::Decided(_));
    Memory { restart, is_anew, leads, goes_first }
}

fn restarts(wanted: &Wanted, seen: &Observed, is_decided: bool, actions: &[Action]) -> (Option<Tries>, bool) {
    if !wanted.running && !wanted.prepare {
        return (None, false);
    }
    // What cannot be told now is what it was.
    let keys = wanted.keys.clone().or_else(|| seen.tries.as_ref()?.keys.clone());
    let first = |up| Tries { attempt: Attempt::FIRST, since: Duration::ZERO, up, keys: keys.clone() };
    if is_decided {
        return (seen.tries.clone().map(|tries| Tries { keys, ..tries }), true);
    }
    let remembered = restart::tries(wanted, seen).cloned();
    let stops = actions.iter().any(|a| matches!(a, Action::Channel(ChannelAction::Stop { .. })));
    if stops && remembered.as_ref().is_none_or(|tries| tries.attempt.phase == Phase::Trying) {
        // A stop of our own is no failure, and takes none back that was counted.
        let counted = remembered.filter(|tries| tries.attempt.count > 0).map(|tries| Tries { up: false, ..tries });
        return (counted, false);
    }
    let state = seen.channel.present().map(|c| c.channel.state);
    let up = state.is_some_and(ChannelState::is_up);
    // What is found down, after it was up, has failed; unless it is the Source that was told to stop, or was made anew.
    let stopped = matches!(seen.flow, Programme::Flow { stopped: Some(_), .. });
    let was_up = matches!(state, Some(ChannelState::Stopping | ChannelState::Idle)) && !stopped;
    let is_forgiven = fed(Some(wanted), seen).iter().any(|f| f.is_taken() && f.unchanged_for >= FORGIVEN_AFTER);
    match remembered {
        Some(tries)
            if (tries.attempt.count > 0 || wanted.channel.is_none())
                && tries.attempt.phase == Phase::Trying
                && is_forgiven =>
        {
            (wanted.channel.as_ref().map(|_| first(up)), true)
        }
        Some(tries) => {
            let up = (tries.up && was_up) || (up && tries.attempt.phase == Phase::Trying);
            (Some(Tries { up, keys, ..tries }), false)
        }
        None if wanted.channel.is_some() && wanted.running => (Some(first(up)), true),
        None => (None, false),
    }
}

/// Which endpoint leads, and why, for a backup of mode `OnFailure`.
fn leads(wanted: &Wanted, seen: &Observed, decided: Option<&Lead>, restart: Option<&Tries>) -> Leads {
    let endpoints = wanted.outputs.len().max(wanted.channel.as_ref().map_or(0, |c| c.endpoints.len()));
    // Each show begins with the primary.
    if !wanted.running || wanted.hot || endpoints < 2 {
        return Leads::Nobody;
    }
    if let Some(lead) = decided {
        return Leads::Decided(lead.clone());
    }
    if let Some(told) = seen.told {
        // The primary leads by itself: being told so changes nothing.
        return match seen.decided {
            Some(last) if last == told => Leads::AsBefore,
            None if told == Role::Primary => Leads::AsBefore,
            _ => Leads::Seen(Lead { to: told, why: ASKED_FOR.into() }),
        };
    }
    // An output of the flow is switched by AWS's own state, which says where it stands; in the pause before an attempt it may
    // still be what failed.
    let leads = seen.decided.unwrap_or(Role::Primary);
    let pauses = restart.is_some_and(|tries| tries.attempt.phase != Phase::Trying);
    let active = active_endpoint(seen).filter(|_| seen.recorded.is_empty());
    let now = match active {
        Some(ActiveEndpoint::Primary) => Role::Primary,
        Some(ActiveEndpoint::Backup) => Role::Backup,
        Some(ActiveEndpoint::Both | ActiveEndpoint::Unknown) | None => return as_before(seen),
    };
    if wanted.channel.is_some() || now == leads || pauses {
        return as_before(seen);
    }
    let why = match now {
        Role::Backup => "the primary did not take the stream",
        Role::Primary => "the backup was stopped",
    };
    Leads::Seen(Lead { to: now, why: why.into() })
}

/// Whoever led before; nobody, where what was decided is of a show that was given up.
fn as_before(seen: &Observed) -> Leads {
    if seen.decided.is_some() { Leads::AsBefore } else { Leads::Nobody }
}

/// The restarts, as the status stores them. `is_old`: the object may have been edited since it was decided; a failure of what it
/// was is none of what it is now.
pub(super) fn retries(
    before: Option<&RetryStatus>,
    memory: &Memory,
    wanted: &Wanted,
    is_old: bool,
    now: Timestamp,
) -> Option<RetryStatus> {
    let Tries { attempt, up, keys, .. } = memory.restart.as_ref()?;
    let attempt = if is_old && attempt.phase != Phase::Trying { &Attempt::FIRST } else { attempt };
    let since = before.filter(|_| !memory.is_anew).and_then(|before| before.since.clone());
    Some(RetryStatus {
        count: attempt.count,
        attempts: wanted.retry.attempts,
        state: match attempt.phase {
            Phase::Trying => RetryWord::Trying,
            Phase::Waiting => RetryWord::Waiting,
            Phase::GaveUp => RetryWord::GaveUp,
        },
        since: since.or_else(|| Some(Time(whole_second(now)))),
        up: *up,
        cause: attempt.cause.clone(),
        fingerprints: keys.clone(),
    })
}

/// Which endpoint leads, since when and why, as the status stores it.
pub(super) fn failover(before: Option<&FailoverStatus>, memory: &Memory, now: Timestamp) -> Option<FailoverStatus> {
    let lead = match &memory.leads {
        Leads::AsBefore => return before.cloned(),
        Leads::Nobody => return None,
        Leads::Decided(lead) | Leads::Seen(lead) => lead,
    };
    Some(FailoverStatus { endpoint: word(lead.to), since: Some(Time(whole_second(now))), reason: lead.why.clone() })
}

fn word(role: Role) -> ActiveEndpoint {
    match role {
        Role::Primary => ActiveEndpoint::Primary,
        Role::Backup => ActiveEndpoint::Backup,
    }
}
