//! The decision for the outputs of a Destination on the Source's flow, with `delivery: Passthrough`.
//!
//! Every action names one output of this Destination. Nothing here can touch another.

use std::collections::BTreeMap;
use std::ops::ControlFlow::{Break, Continue};

use super::action::Action;
use super::changes::{Changes, is_delivered, with_copy};
use super::connection::{Air, Connection, Fed, WITHOUT_SIGNAL, fed_outputs};
use super::in_the_way::flow_error;
use super::memory::Next;
use super::observed::{Observed, OutputSeen, Programme};
use super::restart::{failed_in_turn, known, pause, problem};
use super::wanted::Wanted;
use crate::endpoint::Role;
use crate::failover::{self, FAILOVER_AFTER};
use crate::failure::Problem;
use crate::plan::{IN_TRANSITION, SOON, Step};
use crate::reasons::Reason;
use crate::resources::flow::{Cipher, FlowState, OutputAction, Password};
use crate::resources::secret_copy;
use crate::restart::{Phase, RestartState};
use crate::waiting::{StaysOff, Waiting};

/// What takes the outputs of a Destination that is to be stopped off the air.
pub(super) fn stops(seen: &Observed) -> Vec<Action> {
    let Programme::Flow { arn, .. } = &seen.flow else { return Vec::new() };
    let on = ours(seen).filter(|(_, o)| o.output.enabled);
    on.map(|(role, o)| {
        Action::Output(OutputAction::Update {
            flow: arn.clone(),
            arn: o.output.arn.clone(),
            role: *role,
            settings: None,
            enabled: Some(false),
        })
    })
    .collect()
}

/// The way to nothing; `None` when nothing is left.
pub(super) fn retire(seen: &Observed) -> Option<Step<Action>> {
    match &seen.flow {
        Programme::NoFlow { certain: false } => Some(Step::wait(Waiting::CreateOutcome, IN_TRANSITION)),
        Programme::NoFlow { certain: true } | Programme::NoSource | Programme::NextSource => None,
        Programme::Flow { arn, state, .. } => {
            let remove = |(role, o): (&Role, &OutputSeen)| {
                Action::Output(OutputAction::Remove { flow: arn.clone(), arn: o.output.arn.clone(), role: *role })
            };
            let removals: Vec<_> = ours(seen).map(remove).collect();
            match state {
                _ if removals.is_empty() => None,
                FlowState::Deleting => Some(Step::wait(Waiting::FlowDeleting, IN_TRANSITION)),
                state if !state.takes_changes() => Some(Step::wait(Waiting::FlowUpdating, SOON)),
                _ => Some(Step::Act(removals)),
            }
        }
    }
}

fn ours(seen: &Observed) -> impl Iterator<Item = (&Role, &OutputSeen)> {
    seen.outputs.iter().filter(|(_, o)| o.ownership.is_ours())
}

/// What is next, beside a flow.
pub(super) fn next(wanted: &Wanted, seen: &Observed, flow: &Flow<'_>) -> Next {
    let Flow { arn, state, outputs_used, stopped, signal } = *flow;
    let on_air = matches!(state, FlowState::Active | FlowState::Updating);
    let changes = Changes { wanted, seen, flow: arn, on_air };
    let foreign = || seen.outputs.values().filter(|o| !o.ownership.is_ours());
    // The one that sends, where there are two.
    if let Some(foreign) = foreign().find(|o| o.output.enabled).or_else(|| foreign().next()) {
        return Continue(Step::Stalled(Problem::new(
            Reason::NotOurs,
            format!(
                "Output {} is on the flow without this Destination's ownership tags: it is not touched, and none is made beside it.{} Remove it, or restore its tags. After a change of --cluster-id, start the operator with the old one.",
                foreign.output.arn,
                if foreign.output.enabled && on_air { " It still sends." } else { "" }
            ),
        )));
    }
    let copies = seen.left.allowed(changes.copies());
    if !copies.is_empty() {
        return Continue(Step::Act(copies));
    }
    let (mut actions, mut problem) = changes.next(outputs_used);
    if actions.is_empty() && (problem.is_none() || changes.is_fed()) {
        let (additions, in_the_way) = changes.additions(outputs_used);
        actions = additions;
        problem = problem.or(in_the_way);
    }
    if !actions.is_empty() {
        // A stop and a removal come before, and are tried.
        if state == FlowState::Error {
            return Continue(Step::Stalled(flow_error(&wanted.source)));
        }
        // In between states AWS refuses changes; what is wanted is decided again when the flow has settled.
        let step = if state.takes_changes() { Step::Act(actions) } else { Step::wait(state.waiting(), SOON) };
        return Continue(step);
    }
    // What is, or was, on the air is watched and restarted, whatever is in the way of the rest.
    if let Some(problem) = problem.as_ref().filter(|_| !wanted.running || !changes.has_begun()) {
        return Continue(Step::Stalled(problem.clone()));
    }
    if !wanted.running {
        return Continue(Step::Settled);
    }
    if let Some(gave_up) = known(wanted, seen).filter(|state| state.phase == Phase::GaveUp) {
        return Continue(Step::Stalled(self::problem(wanted, gave_up)));
    }
    match state {
        // A flow that takes a change, for another Destination perhaps, still sends.
        FlowState::Active | FlowState::Updating => {}
        FlowState::Error => return Continue(Step::Stalled(flow_error(&wanted.source))),
        FlowState::Standby | FlowState::Starting => {
            let off = stopped.filter(|_| state == FlowState::Standby).cloned();
            return Continue(match off {
                Some(why) => Step::wait_for_watch(Waiting::SourceStopped(wanted.source.clone(), why)),
                None => Step::wait(Waiting::FlowStarting, IN_TRANSITION),
            });
        }
        other => return Continue(Step::wait(other.waiting(), SOON)),
    }
    if let Some(pause) = pause(wanted, seen)? {
        return Continue(pause);
    }
    Continue(match (delivery(wanted, seen, signal)?, problem) {
        // It is as well as it can be.
        (Step::Settled, Some(problem)) => Step::Stalled(problem),
        (step, _) => step,
    })
}

/// The flow that the outputs are of.
#[derive(Clone, Copy)]
pub(super) struct Flow<'a> {
    pub arn: &'a String,
    pub state: FlowState,
    pub outputs_used: usize,
    /// Why the Source does not start it.
    pub stopped: Option<&'a StaysOff>,
    pub signal: Option<bool>,
}

/// Which outputs should send, when the Destination is on the air.
///
/// With a backup of mode `OnFailure` it is one of the two: what an annotation says, else the one that is enabled, else the
/// primary; and the backup when the primary has been dead for long enough while there was something to send. It does not go
/// back while the backup is well, so it cannot flap; a backup that is dead, too, gives the next of the bounded attempts to the
/// primary.
pub(super) fn feeds(wanted: &Wanted, seen: &Observed, role: Role, on_air: bool) -> bool {
    if !wanted.running || known(wanted, seen).is_some_and(RestartState::holds_back) {
        return false;
    }
    if wanted.hot || wanted.outputs.len() < 2 {
        return true;
    }
    role == active_endpoint(wanted, seen, on_air)
}

/// The endpoint that is to be fed with a backup of mode `OnFailure`.
#[must_use]
pub fn active_endpoint(wanted: &Wanted, seen: &Observed, flow_active: bool) -> Role {
    if wanted.outputs.len() < 2 {
        return Role::Primary;
    }
    let primary = seen.outputs.get(&Role::Primary);
    let backup = seen.outputs.get(&Role::Backup);
    let enabled = |o: Option<&OutputSeen>| o.is_some_and(|o| o.output.enabled);
    let signal = matches!(&seen.flow, Programme::Flow { signal, .. } if *signal != Some(false));
    let dead =
        primary.is_some_and(|o| o.output.enabled && o.connected() == Some(false) && o.unchanged_for >= FAILOVER_AFTER);
    seen.failover.fed_of_two(failover::Outputs {
        primary: enabled(primary),
        backup: enabled(backup),
        is_primary_dead: flow_active && signal && dead && backup.is_some(),
    })
}

/// Renews the tags of our outputs, where they are known.
pub(super) fn untagged(
    wanted: &Wanted,
    seen: &Observed,
    lacks: impl Fn(&BTreeMap<String, String>) -> bool,
) -> Vec<Action> {
    let known = ours(seen).filter(|(_, o)| o.tags.as_ref().is_some_and(&lacks));
    known
        .map(|(_, o)| Action::Output(OutputAction::Tag { arn: o.output.arn.clone(), tags: wanted.tags.clone() }))
        .collect()
}

/// Removes copies of passwords that are neither requested nor read.
pub(super) fn unused_copies(wanted: &Wanted, seen: &Observed) -> Vec<Action> {
    // While a key cannot be read it is not known what is used.
    if wanted.outputs.values().any(|o| o.settings.is_err()) {
        return Vec::new();
    }
    // An output whose change waits still reads the password that it has.
    let unused = secret_copy::unused(passwords_of(wanted), &seen.secrets, read(seen));
    unused.into_iter().map(Action::Copy).collect()
}

pub(super) fn passwords_of(wanted: &Wanted) -> impl Iterator<Item = &Password> {
    wanted.outputs.values().filter_map(|o| o.password.as_ref())
}

/// The ciphers of the outputs that there are.
pub(super) fn read(seen: &Observed) -> impl Iterator<Item = Option<&Cipher>> {
    seen.outputs.values().map(|o| o.output.settings.encryption.as_ref())
}

/// Changes that wait because they would interrupt a running output, by the names of the fields.
pub(super) fn pending_changes(wanted: &Wanted, seen: &Observed) -> Vec<String> {
    let on_air = matches!(seen.flow, Programme::Flow { state: FlowState::Active | FlowState::Updating, .. });
    if !on_air || wanted.may_interrupt || !wanted.running {
        return Vec::new();
    }
    let mut list = Vec::new();
    for (role, output) in &seen.outputs {
        let Some(wish) = wanted.outputs.get(role).filter(|_| is_delivered(wanted, output)) else { continue };
        let Ok(settings) = &wish.settings else { continue };
        let settings = with_copy(settings, wish.password.as_ref(), seen, *role);
        for difference in settings.differences(&output.output.settings) {
            let name = if *role == Role::Backup { format!("backup.{difference}") } else { difference.to_string() };
            if !list.contains(&name) {
                list.push(name);
            }
        }
    }
    list
}

/// Whether the programme reaches the receiver, and what is done when it does not.
fn delivery(wanted: &Wanted, seen: &Observed, signal: Option<bool>) -> Next {
    let fed: Vec<_> =
        fed_outputs(Some(wanted), seen).into_iter().filter(|f| wanted.outputs.contains_key(&f.role)).collect();
    Continue(match Air::of(&fed) {
        Air::Silent => Step::wait(silence(wanted, signal), WITHOUT_SIGNAL),
        // With a hot backup one of two is enough to be on the air; the condition Delivering tells of the other.
        Air::Running | Air::Off => Step::Settled,
        // While one of two is not known yet, it may be the one that takes the stream.
        Air::Pending => Step::wait(Waiting::Connecting(first(&fed, Connection::Pending)), IN_TRANSITION),
        Air::Refused => {
            let has_spare = seen.failover.requested.is_none()
                && !wanted.hot
                && wanted.outputs.len() == 2
                && seen.outputs.len() == 2;
            // The one that has been down for the shortest time.
            match fed.iter().min_by_key(|f| f.unchanged_for) {
                // A primary with a backup is not restarted: the backup takes its place.
                Some(down)
                    if !(has_spare && down.role == Role::Primary) && down.unchanged_for >= wanted.restart.after =>
                {
                    let turn = has_spare.then_some(Role::Primary);
                    return Break(failed_in_turn(wanted, seen, turn, &down.refusal()));
                }
                _ => Step::wait(Waiting::Connecting(first(&fed, Connection::Down)), IN_TRANSITION),
            }
        }
    })
}

/// What is waited for while nothing arrives.
fn silence(wanted: &Wanted, signal: Option<bool>) -> Waiting {
    match signal {
        Some(false) => Waiting::NoSignal(wanted.source.clone()),
        _ => Waiting::SignalUnknown(wanted.source.clone()),
    }
}

fn first(fed: &[Fed], connection: Connection) -> String {
    fed.iter().find(|f| f.connection == connection).map_or_else(String::new, |f| f.at.clone())
}
