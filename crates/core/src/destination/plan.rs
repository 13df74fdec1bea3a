//! The decision for a Destination. Pure and total: no clock, no client.
//!
//! Every action names one output of this Destination. Nothing here can touch another.

use std::time::Duration;

pub use super::action::{Action, NewOutput};
use super::observed::{Observed, OutputSeen, Programme, Role};
use super::wanted::{OutputWanted, Wanted};
use crate::flow::{FlowState, OUTPUTS_PER_FLOW, OutputSettings, Password, SecretCopy};
use crate::names::Ownership;
use crate::passwords;
use crate::plan::{Desired, IN_TRANSITION, Problem, SOON, Step, Waiting};
use crate::reasons::Reason;

/// How long a primary must have been disconnected before the backup is fed. Shorter and a platform's own restart would
/// look like a failure; longer and viewers leave.
pub const FAILOVER_AFTER: Duration = Duration::from_secs(20);
/// How long to wait for the first measurement of a connection. CloudWatch has it a minute or two after the start; without
/// any, what AWS says of the flow and the output has to do.
pub const MEASUREMENT_PATIENCE: Duration = Duration::from_secs(120);

/// Decides.
#[must_use]
pub fn plan(desired: &Desired<Wanted>, retain: bool, seen: &Observed) -> Step<Action> {
    match desired {
        Desired::Absent if retain => Step::Gone,
        Desired::Absent => toward_absent(seen),
        Desired::Invalid(problem) => Step::Stuck(problem.clone()),
        Desired::Present(wanted) if wanted.suspended => Step::Settled,
        Desired::Present(wanted) => toward_present(wanted, seen),
    }
}

fn toward_absent(seen: &Observed) -> Step<Action> {
    let owned: Vec<_> = seen.outputs.iter().filter(|(_, o)| o.ownership != Ownership::Foreign).collect();
    match &seen.flow {
        Programme::NoFlow { certain: false } => return Step::wait(Waiting::CreateOutcome, IN_TRANSITION),
        Programme::Flow { arn, state, .. } if !owned.is_empty() => {
            return match state {
                FlowState::Deleting => Step::wait(Waiting::FlowDeleting, IN_TRANSITION),
                state if !state.takes_changes() => Step::wait(Waiting::FlowUpdating, SOON),
                _ => Step::Act(
                    owned
                        .iter()
                        .map(|(role, o)| Action::RemoveOutput {
                            flow: arn.clone(),
                            arn: o.output.arn.clone(),
                            role: **role,
                        })
                        .collect(),
                ),
            };
        }
        _ => {}
    }
    let copies = passwords::unused(std::iter::empty(), &seen.secrets);
    if copies.is_empty() { Step::Gone } else { Step::Act(copies.into_iter().map(Action::Copy).collect()) }
}

fn toward_present(wanted: &Wanted, seen: &Observed) -> Step<Action> {
    let Programme::Flow { arn, state, outputs_used, stopped, signal, region, .. } = &seen.flow else {
        return without_flow(wanted, seen);
    };
    if wanted.region.as_ref().is_some_and(|r| r != region) {
        return Step::Stuck(Problem::new(
            Reason::RegionMismatch,
            format!("spec.region is not the region of Source {} ({region}); take spec.region out.", wanted.source),
        ));
    }
    let on_air = matches!(state, FlowState::Active | FlowState::Updating);
    let changes = Changes { wanted, seen, flow: arn, on_air };
    // A stop comes alone and before anything that AWS could refuse: what cannot be changed, or not even understood, can
    // still be stopped.
    let stops = changes.stops();
    if !stops.is_empty() {
        return if state.takes_changes() { Step::Act(stops) } else { Step::wait(busy(*state), SOON) };
    }
    if let Some(problem) = &wanted.problem {
        return Step::Stuck(problem.clone());
    }
    if let Some(foreign) = seen.outputs.values().find(|o| o.ownership == Ownership::Foreign) {
        return Step::Stuck(Problem::new(
            Reason::NotOurs,
            format!(
                "Output {} exists on the flow without this Destination's ownership tags. Remove it, or restore its tags; it is not touched.",
                foreign.output.name
            ),
        ));
    }
    let copies = changes.copies();
    if !copies.is_empty() {
        return Step::Act(copies);
    }
    let (actions, problem) = changes.next(*outputs_used);
    if !actions.is_empty() {
        // In between states AWS refuses changes; what is wanted is decided again when the flow has settled.
        return if state.takes_changes() { Step::Act(actions) } else { Step::wait(busy(*state), SOON) };
    }
    if let Some(problem) = problem {
        return Step::Stuck(problem);
    }
    let (actions, problem) = changes.additions(*outputs_used);
    if let Some(problem) = problem {
        return Step::Stuck(problem);
    }
    if !actions.is_empty() {
        return if state.takes_changes() { Step::Act(actions) } else { Step::wait(busy(*state), SOON) };
    }
    if !wanted.running {
        return Step::Settled;
    }
    match state {
        // A flow that takes a change, for another Destination perhaps, still sends.
        FlowState::Active | FlowState::Updating => {}
        FlowState::Error => {
            return Step::Stuck(Problem::new(
                Reason::FlowError,
                format!("The flow of Source {} is in state ERROR; see kubectl describe source {0}.", wanted.source),
            ));
        }
        FlowState::Standby if *stopped => {
            return Step::wait_for_watch(Waiting::SourceStopped(wanted.source.clone()));
        }
        FlowState::Standby | FlowState::Starting => return Step::wait(Waiting::FlowStarting, IN_TRANSITION),
        other => return Step::wait(busy(*other), SOON),
    }
    delivery(wanted, seen, *signal)
}

fn busy(state: FlowState) -> Waiting {
    match state {
        FlowState::Starting => Waiting::FlowStarting,
        FlowState::Stopping => Waiting::FlowStopping,
        FlowState::Deleting => Waiting::FlowDeleting,
        _ => Waiting::FlowUpdating,
    }
}

fn without_flow(wanted: &Wanted, seen: &Observed) -> Step<Action> {
    if let Some(problem) = wanted.problem.clone().or_else(|| wanted.running.then(|| first_problem(wanted)).flatten()) {
        return Step::Stuck(problem);
    }
    match seen.flow {
        _ if !wanted.running && !wanted.prepare => Step::Settled,
        Programme::NoSource => Step::wait_for_watch(Waiting::SourceNotFound(wanted.source.clone())),
        _ => Step::wait(Waiting::SourceNotReady(wanted.source.clone()), 5 * IN_TRANSITION),
    }
}

fn first_problem(wanted: &Wanted) -> Option<Problem> {
    wanted.outputs.values().find_map(|o| o.settings.as_ref().err().cloned())
}

/// Which outputs should send, when the Destination is on the air.
///
/// With a backup of mode `OnFailure` it is one of the two: what an annotation says, else the one that is enabled, else the
/// primary; and the backup when the primary has been dead for long enough while there was something to send. It never goes
/// back by itself, so it cannot flap.
fn feeds(wanted: &Wanted, seen: &Observed, role: Role, on_air: bool) -> bool {
    if !wanted.running {
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
    if let Some(told) = seen.told {
        return told;
    }
    let primary = seen.outputs.get(&Role::Primary);
    let backup = seen.outputs.get(&Role::Backup);
    let enabled = |o: Option<&OutputSeen>| o.is_some_and(|o| o.output.enabled);
    if enabled(backup) && !enabled(primary) {
        return Role::Backup;
    }
    // Both enabled is the middle of a switch to the backup, while the primary is dead; or the backup was hot until now.
    let signal = matches!(&seen.flow, Programme::Flow { signal, .. } if *signal != Some(false));
    let dead = primary.is_some_and(|o| {
        o.output.enabled
            && o.measured.as_ref().is_some_and(|m| m.connected == Some(false))
            && o.unchanged_for >= FAILOVER_AFTER
    });
    if flow_active && signal && dead && backup.is_some() { Role::Backup } else { Role::Primary }
}

struct Changes<'a> {
    wanted: &'a Wanted,
    seen: &'a Observed,
    flow: &'a String,
    /// Whether the flow sends.
    on_air: bool,
}

impl Changes<'_> {
    /// What takes a Destination that is to be stopped off the air. Only our own outputs.
    fn stops(&self) -> Vec<Action> {
        let ours = self.seen.outputs.iter().filter(|(_, o)| o.ownership != Ownership::Foreign);
        ours.filter(|(_, o)| o.output.enabled && !self.wanted.running)
            .map(|(role, o)| self.update(*role, o, None, Some(false)))
            .collect()
    }

    fn update(&self, role: Role, seen: &OutputSeen, settings: Option<OutputSettings>, enabled: Option<bool>) -> Action {
        let settings = settings.map(Box::new);
        Action::UpdateOutput { flow: self.flow.clone(), arn: seen.output.arn.clone(), role, settings, enabled }
    }

    /// Changes to what exists. A problem with a key does not keep an output from being stopped.
    fn next(&self, outputs_used: usize) -> (Vec<Action>, Option<Problem>) {
        let mut actions = Vec::new();
        let mut problem = None;
        let missing = self.missing().count();
        // What carries the show stays until its successor is there, if the flow has room for both.
        let has_successor = missing == 0 || outputs_used + missing > OUTPUTS_PER_FLOW;
        for (role, seen) in &self.seen.outputs {
            let Some(wish) = self.wanted.outputs.get(role) else {
                if has_successor || !seen.output.enabled {
                    actions.push(Action::RemoveOutput {
                        flow: self.flow.clone(),
                        arn: seen.output.arn.clone(),
                        role: *role,
                    });
                }
                continue;
            };
            self.change_output(*role, wish, seen, &mut actions, &mut problem);
        }
        // What begins to send comes before what ends, so that a switch has no gap; tags are never in the way.
        actions.sort_by_key(|a| match a {
            Action::UpdateOutput { enabled: Some(false), .. } | Action::RemoveOutput { .. } => 1,
            Action::TagOutput { .. } => 2,
            _ => 0,
        });
        if actions.is_empty() && problem.is_none() {
            actions = self.unused_copies();
        }
        (actions, problem)
    }

    fn change_output(
        &self,
        role: Role,
        wish: &OutputWanted,
        seen: &OutputSeen,
        actions: &mut Vec<Action>,
        problem: &mut Option<Problem>,
    ) {
        let send = feeds(self.wanted, self.seen, role, self.on_air);
        let enabled = (seen.output.enabled != send).then_some(send);
        if self.wanted.tags.iter().any(|(k, v)| seen.tags.get(k) != Some(v)) {
            actions.push(Action::TagOutput { arn: seen.output.arn.clone(), tags: self.wanted.tags.clone() });
        }
        if enabled == Some(false) {
            // Alone: settings that AWS refuses must not keep it on the air. They come next.
            actions.push(self.update(role, seen, None, enabled));
            return;
        }
        let settings = match &wish.settings {
            Ok(settings) => with_copy(settings, wish.password.as_ref(), &self.seen.secrets),
            Err(p) => {
                // An output that runs keeps running with the key that AWS has; only a start needs the new one.
                if send {
                    *problem = Some(p.clone());
                }
                return;
            }
        };
        let differs = !settings.differences(&seen.output.settings).is_empty();
        let on_air = seen.output.enabled && self.on_air;
        let waits = on_air && send && !self.wanted.may_interrupt;
        if differs && !waits {
            if settings.needs_replacement(&seen.output.settings) {
                // AWS keeps what an update leaves out; the next pass adds it anew under the same name.
                actions.push(Action::RemoveOutput { flow: self.flow.clone(), arn: seen.output.arn.clone(), role });
            } else {
                actions.push(self.update(role, seen, Some(settings), enabled));
            }
        } else if enabled.is_some() {
            actions.push(self.update(role, seen, None, enabled));
        }
    }

    fn missing(&self) -> impl Iterator<Item = (&Role, &OutputWanted)> {
        let made = self.wanted.running || self.wanted.prepare;
        self.wanted.outputs.iter().filter(move |(role, _)| made && !self.seen.outputs.contains_key(role))
    }

    /// Outputs that are not there yet.
    fn additions(&self, outputs_used: usize) -> (Vec<Action>, Option<Problem>) {
        let missing: Vec<_> = self.missing().collect();
        if missing.is_empty() {
            return (Vec::new(), None);
        }
        if outputs_used + missing.len() > OUTPUTS_PER_FLOW {
            let text = format!(
                "{outputs_used} of {OUTPUTS_PER_FLOW} outputs of the flow of Source {} are used and this Destination needs {} more. Delete a Destination, or send from a second Source.",
                self.wanted.source,
                missing.len()
            );
            return (Vec::new(), Some(Problem::new(Reason::QuotaExceeded, text)));
        }
        let mut actions = Vec::new();
        for (role, wish) in missing {
            let settings = match &wish.settings {
                Ok(settings) => with_copy(settings, wish.password.as_ref(), &self.seen.secrets),
                Err(problem) => return (Vec::new(), Some(problem.clone())),
            };
            actions.push(Action::AddOutput {
                flow: self.flow.clone(),
                output: Box::new(NewOutput {
                    name: wish.name.clone(),
                    role: *role,
                    settings,
                    enabled: feeds(self.wanted, self.seen, *role, self.on_air),
                    tags: self.wanted.tags.clone(),
                }),
            });
        }
        (actions, None)
    }

    /// Copies that are needed for what is to be made, changed or started. A changed password reaches a running output only
    /// when it may be interrupted.
    fn copies(&self) -> Vec<Action> {
        let needed = self.wanted.running || self.wanted.prepare || !self.seen.outputs.is_empty();
        let on_air = self.on_air && self.seen.outputs.values().any(|o| o.output.enabled);
        let may_replace = !on_air || !self.wanted.running || self.wanted.may_interrupt;
        let passwords = passwords_of(self.wanted).filter(|_| needed);
        passwords::missing(passwords, &self.seen.secrets, &self.wanted.tags, may_replace)
            .into_iter()
            .map(Action::Copy)
            .collect()
    }

    fn unused_copies(&self) -> Vec<Action> {
        // While a key cannot be read it is not known what is used.
        if self.wanted.outputs.values().any(|o| o.settings.is_err()) {
            return Vec::new();
        }
        // An output whose change waits still reads the password that it has.
        let read = |copy: &SecretCopy| {
            let ciphers = self.seen.outputs.values().filter_map(|o| o.output.settings.encryption.as_ref());
            ciphers.into_iter().any(|c| c.secret_arn.as_ref() == Some(&copy.arn))
        };
        let free: Vec<_> = self.seen.secrets.iter().filter(|copy| !read(copy)).cloned().collect();
        passwords::unused(passwords_of(self.wanted), &free).into_iter().map(Action::Copy).collect()
    }
}

fn passwords_of(wanted: &Wanted) -> impl Iterator<Item = &Password> {
    wanted.outputs.values().filter_map(|o| o.password.as_ref())
}

/// Settings with the ARN of the own copy filled in.
fn with_copy(settings: &OutputSettings, password: Option<&Password>, copies: &[SecretCopy]) -> OutputSettings {
    let mut settings = settings.clone();
    passwords::fill(settings.encryption.as_mut(), password, copies);
    settings
}

/// Changes that wait because they would interrupt a running output, by the names of the fields.
#[must_use]
pub fn pending_changes(wanted: &Wanted, seen: &Observed) -> Vec<String> {
    let on_air = matches!(seen.flow, Programme::Flow { state: FlowState::Active | FlowState::Updating, .. });
    if !on_air || wanted.may_interrupt || !wanted.running {
        return Vec::new();
    }
    let mut list = Vec::new();
    for (role, output) in &seen.outputs {
        let (Some(wish), true) = (wanted.outputs.get(role), output.output.enabled) else { continue };
        let Ok(settings) = &wish.settings else { continue };
        let settings = with_copy(settings, wish.password.as_ref(), &seen.secrets);
        let stale = wish
            .password
            .as_ref()
            .is_some_and(|p| passwords::find(p, &seen.secrets).is_some_and(|copy| passwords::is_stale(p, copy)));
        if stale && !list.iter().any(|l| l == "encryption") {
            list.push("encryption".into());
        }
        for difference in settings.differences(&output.output.settings) {
            let name = if *role == Role::Backup { format!("backup.{difference}") } else { difference.to_string() };
            if !list.contains(&name) {
                list.push(name);
            }
        }
    }
    list
}

/// Whether the receiver takes the stream.
fn delivery(wanted: &Wanted, seen: &Observed, signal: Option<bool>) -> Step<Action> {
    let mut waiting = None;
    let mut connected = false;
    for (role, output) in &seen.outputs {
        let Some(wish) = wanted.outputs.get(role) else { continue };
        if !output.output.enabled {
            continue;
        }
        match connection(wish, output) {
            Connection::Up | Connection::Unmeasured => connected = true,
            Connection::Pending | Connection::Down => waiting = Some(wish.receiver.shown()),
        }
    }
    match waiting {
        // A receiver that is connected and sent nothing shows a black picture.
        _ if signal == Some(false) => Step::wait(Waiting::NoSignal(wanted.source.clone()), 2 * IN_TRANSITION),
        // With a hot backup one of two is enough to be on the air; the condition Delivering tells of the other.
        _ if connected => Step::Settled,
        Some(endpoint) => Step::wait(Waiting::Connecting(endpoint), IN_TRANSITION),
        None => Step::Settled,
    }
}

/// What is known of an output's connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Connection {
    /// The receiver takes the stream.
    Up,
    /// It does not.
    Down,
    /// Not known yet.
    Pending,
    /// It cannot be known: the protocol has no connection, measuring is off, or AWS publishes nothing.
    Unmeasured,
}

/// Judges an output's connection.
#[must_use]
pub fn connection(wish: &OutputWanted, seen: &OutputSeen) -> Connection {
    if !wish.receiver.has_connection() {
        return Connection::Unmeasured;
    }
    match seen.measured.as_ref().map(|m| m.connected) {
        None => Connection::Unmeasured,
        Some(Some(true)) => Connection::Up,
        Some(Some(false)) => Connection::Down,
        Some(None) if seen.unchanged_for >= MEASUREMENT_PATIENCE => Connection::Unmeasured,
        Some(None) => Connection::Pending,
    }
}
