//! What the operator has to remember of a Destination, because AWS cannot tell: how often it was restarted, and which endpoint
//! a failover has decided for. It stands in the status; if that is lost, the counting begins anew and nothing else happens.
//! What is counted and who leads is decided in [`crate::restart`] and [`crate::failover`].

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::action::Action;
use super::connection::fed;
use super::observed::{Observed, Programme};
use super::restart::NOT_TAKEN;
use super::status::active_endpoint;
use super::wanted::Wanted;
use crate::age::age;
use crate::api::RECONCILE_AT;
use crate::api::destination::{
    ActiveEndpoint, Destination, DestinationStatus, FailoverStatus, OutputStatus, RetryStatus, RetryWord,
};
use crate::conditions::whole_second;
use crate::endpoint::Role;
use crate::evidence;
use crate::failover::{Lead, Leads, REQUESTED};
use crate::plan::Step;
use crate::reasons::Reason;
use crate::resources::channel::{ChannelAction, ChannelState};
use crate::restart::{FORGIVEN_AFTER, Phase, Remembered, RestartState, Signs, remembered};
use crate::told::News;

/// What is decided: a step, or what has to be remembered before there is one.
pub(super) type Next<T = Step<Action>> = ControlFlow<Remember, T>;

/// What is to be remembered, upon which it is decided anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Remember {
    /// Where the attempts are from now on.
    pub restart: Option<RestartState>,
    /// Which endpoint leads from now on.
    pub lead: Option<Lead>,
}

impl Remember {
    /// Whether something of that sort was decided already.
    pub(super) fn has(&self, more: &Self) -> bool {
        self.restart.is_some() && more.restart.is_some() || self.lead.is_some() && more.lead.is_some()
    }

    /// Where the attempts are.
    pub(super) fn restart(state: RestartState) -> Self {
        Self { restart: Some(state), lead: None }
    }

    /// Which endpoint leads.
    pub(super) fn lead(to: Role, why: String) -> Self {
        Self { restart: None, lead: Some(Lead { to, why }) }
    }
}

/// What is remembered of a Destination: what the planner is given the next time, and what the status stores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The restarts.
    pub restart: Option<RestartState>,
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
        let restart = self.restart.as_ref().map(|state| {
            let cause = state.cause.as_deref().map(|cause| format!(" after: {cause}"));
            format!("attempts {}, {:?}{}", state.count, stored(state.phase), cause.unwrap_or_default())
        });
        let leads = match &self.leads {
            Leads::AsBefore | Leads::Nobody => None,
            Leads::Decided(Lead { to, why }) | Leads::Seen(Lead { to, why }) => {
                Some(format!("the {} leads: {why}", to.word()))
            }
        };
        let all: Vec<_> = restart.into_iter().chain(leads).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn news(&self) -> Vec<News<'static>> {
        let state = self.restart.as_ref().filter(|_| self.is_anew);
        let lead = if let Leads::Decided(lead) = &self.leads { Some(lead) } else { None };
        state.and_then(restarted).into_iter().chain(lead.map(switched)).collect()
    }
}

fn switched(Lead { to, why }: &Lead) -> News<'static> {
    let message = format!("Switching to the {} endpoint: {why}", to.word().to_lowercase());
    News { warning: *to == Role::Backup && why != REQUESTED, reason: Reason::Switched, message: message.into() }
}

/// From when attempts are counted says nothing of the show, which may have been on the air for long.
fn restarted(state: &RestartState) -> Option<News<'static>> {
    let RestartState { count, phase, cause, .. } = state;
    let cause = cause.as_deref().unwrap_or(NOT_TAKEN);
    let (reason, message) = match phase {
        Phase::Running if *count == 0 => return None,
        Phase::Running => (Reason::Restarting, format!("Going on the air again (restart {count})")),
        Phase::BackingOff => (Reason::Restarting, format!("{cause} It is restarted after a pause (restart {count})")),
        Phase::GaveUp => (Reason::GaveUp, format!("{cause} It is not restarted again")),
    };
    Some(News { warning: false, reason, message: message.into() })
}

/// The restarts so far, as the status remembers them.
#[must_use]
pub fn restart(destination: &Destination, now: Timestamp) -> Option<RestartState> {
    let status = destination.status.as_ref()?;
    let retries = status.retries.as_ref().filter(|_| !begins_anew(destination, status))?;
    Some(RestartState {
        phase: match retries.state {
            RetryWord::Trying | RetryWord::Unknown => Phase::Running,
            RetryWord::Waiting => Phase::BackingOff,
            RetryWord::GaveUp => Phase::GaveUp,
        },
        count: retries.count,
        cause: retries.cause.clone(),
        since: retries.since.as_ref().map_or(Duration::ZERO, |t| age(t.0, now)),
        up: retries.up,
        key_versions: retries.fingerprints.clone(),
    })
}

/// The word that the status stores.
fn stored(phase: Phase) -> RetryWord {
    match phase {
        Phase::Running => RetryWord::Trying,
        Phase::BackingOff => RetryWord::Waiting,
        Phase::GaveUp => RetryWord::GaveUp,
    }
}

/// The endpoint that a failover has decided for. Whoever gave up begins anew with the primary.
#[must_use]
pub fn failed_over_to(destination: &Destination) -> Option<Role> {
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
    let output = before.iter().find(|o| o.role == role.word() && o.arn.as_deref() == arn)?;
    evidence::unchanged_since(&(output.sending, output.connected), output.since.as_ref(), &(Some(sending), connected))
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
    let Remembered { state, is_anew } = restarts(wanted, seen, decided.restart.is_some(), actions);
    let leads = leads(wanted, seen, decided.lead.as_ref(), state.as_ref());
    let goes_first = decided.restart.is_some() || matches!(leads, Leads::Decided(_));
    Memory { restart: state, is_anew, leads, goes_first }
}

fn restarts(wanted: &Wanted, seen: &Observed, is_decided: bool, actions: &[Action]) -> Remembered {
    let is_kept = wanted.running || wanted.prepare;
    if is_kept && is_decided {
        let state = seen.restart.clone().map(|state| state.with_keys(wanted.key_versions.as_ref()));
        return Remembered { state, is_anew: true };
    }
    let channel = seen.channel.present().map(|c| c.channel.state);
    // It is the Source that was told to stop, or was made anew.
    let is_source_stopped = matches!(seen.flow, Programme::Flow { stopped: Some(_), .. });
    let signs = Signs {
        is_running: wanted.running,
        is_kept,
        has_starts: wanted.channel.is_some(),
        is_stopped: actions.iter().any(|a| matches!(a, Action::Channel(ChannelAction::Stop { .. }))),
        is_up: channel.is_some_and(ChannelState::is_up),
        is_down: matches!(channel, Some(ChannelState::Stopping | ChannelState::Idle)) && !is_source_stopped,
        is_forgiven: fed(Some(wanted), seen).iter().any(|f| f.is_taken() && f.unchanged_for >= FORGIVEN_AFTER),
    };
    remembered(seen.restart.as_ref(), wanted.key_versions.as_ref(), &signs)
}

/// Which endpoint leads, and why, for a backup of mode `OnFailure`.
fn leads(wanted: &Wanted, seen: &Observed, decided: Option<&Lead>, restart: Option<&RestartState>) -> Leads {
    let endpoints = wanted.outputs.len().max(wanted.channel.as_ref().map_or(0, |c| c.endpoints.len()));
    // Each show begins with the primary.
    if !wanted.running || wanted.hot || endpoints < 2 {
        return Leads::Nobody;
    }
    // An output of the flow is switched by AWS's own state, which says where it stands; in the pause before an attempt it may
    // still be what failed.
    let pauses = restart.is_some_and(RestartState::holds_back);
    let alone = match active_endpoint(seen).filter(|_| seen.recorded.is_empty()) {
        Some(ActiveEndpoint::Primary) => Some(Role::Primary),
        Some(ActiveEndpoint::Backup) => Some(Role::Backup),
        Some(ActiveEndpoint::Both | ActiveEndpoint::Unknown) | None => None,
    };
    seen.failover.leads(decided, alone.filter(|_| wanted.channel.is_none() && !pauses))
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
    let state = memory.restart.as_ref()?;
    let of_before = is_old && state.holds_back();
    let since = before.filter(|_| !memory.is_anew).and_then(|before| before.since.clone());
    Some(RetryStatus {
        count: if of_before { 0 } else { state.count },
        attempts: wanted.restart.attempts,
        state: if of_before { RetryWord::Trying } else { stored(state.phase) },
        since: since.or_else(|| Some(Time(whole_second(now)))),
        up: state.up,
        cause: state.cause.clone().filter(|_| !of_before),
        fingerprints: state.key_versions.clone(),
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
