//! What is changed of the outputs of a Destination, so that what carries the show carries it until something else does.

use super::action::Action;
use super::observed::{Observed, OutputSeen};
use super::outputs::{feeds, passwords_of};
use super::restart::known;
use super::wanted::{OutputWanted, Wanted};
use crate::endpoint::Role;
use crate::failure::Problem;
use crate::resources::flow::{Cipher, NewOutput, OUTPUTS_PER_FLOW, OutputAction, OutputSettings, Password};
use crate::resources::secret_copy;
use crate::restart::RestartState;
use crate::usage::outputs_exceeded;

/// The changes of the outputs on one flow.
pub(super) struct Changes<'a> {
    pub wanted: &'a Wanted,
    pub seen: &'a Observed,
    pub flow: &'a String,
    /// Whether the flow sends.
    pub on_air: bool,
}

impl Changes<'_> {
    fn update(&self, role: Role, seen: &OutputSeen, settings: Option<OutputSettings>, enabled: Option<bool>) -> Action {
        let settings = settings.map(Box::new);
        Action::Output(OutputAction::Update {
            flow: self.flow.clone(),
            arn: seen.output.arn.clone(),
            role,
            settings,
            enabled,
        })
    }

    /// Changes to what exists. A problem with a key does not keep an output from being stopped.
    pub(super) fn next(&self, outputs_used: usize) -> (Vec<Action>, Option<Problem>) {
        let mut actions = Vec::new();
        let mut problem = None;
        let missing = self.missing().count();
        // What carries the show stays until its successor is there, if the flow has room for both.
        let has_successor = missing == 0 || outputs_used + missing > OUTPUTS_PER_FLOW;
        for (role, seen) in &self.seen.outputs {
            let Some(wish) = self.wanted.outputs.get(role) else {
                if has_successor || !seen.output.enabled {
                    actions.push(Action::Output(OutputAction::Remove {
                        flow: self.flow.clone(),
                        arn: seen.output.arn.clone(),
                        role: *role,
                    }));
                }
                continue;
            };
            self.change_output(*role, wish, seen, &mut actions, &mut problem);
        }
        actions.retain(|action| !self.seen.left.leaves(action));
        self.keep_the_leader(&mut actions);
        if missing == 0 {
            self.keep_what_sends(&mut actions);
        }
        // What begins to send comes before what ends, so that a switch has no gap.
        actions.sort_by_key(|a| match a {
            Action::Output(OutputAction::Update { enabled: Some(false), .. })
            | Action::Output(OutputAction::Remove { .. }) => 1,
            _ => 0,
        });
        (actions, problem)
    }

    /// A switch is all or nothing: of two endpoints the one that sends goes off only when the other sends, or begins to before
    /// it in this very pass.
    fn keep_the_leader(&self, actions: &mut Vec<Action>) {
        let switches = self.wanted.running && !self.wanted.hot && self.wanted.outputs.len() == 2;
        if !switches || known(self.wanted, self.seen).is_some_and(RestartState::holds_back) {
            return;
        }
        let begins = |a: &Action, other: Role| matches!(a, Action::Output(OutputAction::Update { role, enabled: Some(true), .. }) if *role == other);
        let sends = |role: Role| {
            self.seen.outputs.get(&role).is_some_and(|o| o.output.enabled) || actions.iter().any(|a| begins(a, role))
        };
        let alone: Vec<Role> = [Role::Primary, Role::Backup].into_iter().filter(|role| !sends(role.other())).collect();
        actions
            .retain(|a| !matches!(a, Action::Output(OutputAction::Update { role, enabled: Some(false), .. }) if alone.contains(role)));
    }

    /// What is not requested any more and sends goes when something that is requested sends, or begins to before it in this very pass:
    /// AWS may not take that.
    fn keep_what_sends(&self, actions: &mut Vec<Action>) {
        let holds_back = known(self.wanted, self.seen).is_some_and(RestartState::holds_back);
        let begins = |a: &Action| matches!(a, Action::Output(OutputAction::Update { enabled: Some(true), .. }));
        if !self.wanted.running || holds_back || self.is_fed() || actions.iter().any(begins) {
            return;
        }
        let sends = |role: &Role| self.seen.outputs.get(role).is_some_and(|o| o.output.enabled);
        let is_surplus = |role: &Role| !self.wanted.outputs.contains_key(role);
        actions.retain(
            |a| !matches!(a, Action::Output(OutputAction::Remove { role, .. }) if sends(role) && is_surplus(role)),
        );
    }

    /// Whether one of the outputs that are requested sends.
    pub(super) fn is_fed(&self) -> bool {
        self.seen.outputs.iter().any(|(role, o)| o.output.enabled && self.wanted.outputs.contains_key(role))
    }

    /// Whether it has been on the air since it was told to be: what it does now is a switch or a restart, and no start.
    pub(super) fn has_begun(&self) -> bool {
        self.is_fed() || self.seen.failover.failed_over_to.is_some() || known(self.wanted, self.seen).is_some()
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
        let mut push = |action: Action| actions.push(action);
        if enabled == Some(false) {
            // Alone: settings that AWS refuses must not keep it on the air. They come next.
            push(self.update(role, seen, None, enabled));
            return;
        }
        let settings = match &wish.settings {
            Ok(settings) => self.complete(settings, wish, role),
            Err(p) => {
                // Also of one that stands ready: told before it is needed.
                if self.wanted.running && (send || problem.is_none()) {
                    *problem = Some(p.clone());
                }
                None
            }
        };
        let Some(settings) = settings else {
            // What AWS has keeps running, and takes the other's place, with the key that AWS has; only a start needs the one
            // that is requested.
            if send && enabled == Some(true) && self.has_begun() {
                push(self.update(role, seen, None, enabled));
            }
            return;
        };
        let differences = settings.differences(&seen.output.settings);
        let differs = !differences.is_empty();
        let elsewhere = differences.iter().any(|field| matches!(*field, "url" | "streamKey"));
        let waits = self.on_air && send && !self.wanted.may_interrupt && is_delivered(self.wanted, seen);
        let change = if settings.needs_replacement(&seen.output.settings) {
            // AWS keeps what an update leaves out; the next pass adds it anew under the same name.
            Action::Output(OutputAction::Remove { flow: self.flow.clone(), arn: seen.output.arn.clone(), role })
        } else {
            self.update(role, seen, Some(settings), enabled)
        };
        if differs && !waits && !self.seen.left.leaves(&change) {
            push(change);
        } else if enabled.is_some() && (!elsewhere || self.has_begun()) {
            // A show begins with what AWS has when it refuses a change, and never toward somebody else.
            push(self.update(role, seen, None, enabled));
        }
    }

    /// All that AWS has to be told; `None` while the copy of a password is not there.
    fn complete(&self, settings: &OutputSettings, wish: &OutputWanted, role: Role) -> Option<OutputSettings> {
        let settings = with_copy(settings, wish.password.as_ref(), self.seen, role);
        let lacks = |cipher: &Cipher| wish.password.is_some() && cipher.secret_arn.is_none();
        (!settings.encryption.as_ref().is_some_and(lacks)).then_some(settings)
    }

    fn missing(&self) -> impl Iterator<Item = (&Role, &OutputWanted)> {
        let made = self.wanted.running || self.wanted.prepare;
        self.wanted.outputs.iter().filter(move |(role, _)| made && !self.seen.outputs.contains_key(role))
    }

    /// Outputs that are not there yet.
    pub(super) fn additions(&self, outputs_used: usize) -> (Vec<Action>, Option<Problem>) {
        let missing: Vec<_> = self.missing().collect();
        if missing.is_empty() {
            return (Vec::new(), None);
        }
        let full = outputs_exceeded(outputs_used, missing.len(), "this Destination", &self.wanted.source);
        if full.is_some() {
            return (Vec::new(), full);
        }
        let (mut actions, mut problem) = (Vec::new(), None);
        for (role, wish) in missing {
            let settings = match &wish.settings {
                Ok(settings) => self.complete(settings, wish, *role),
                Err(in_the_way) => {
                    problem.get_or_insert_with(|| in_the_way.clone());
                    None
                }
            };
            let Some(settings) = settings else { continue };
            actions.push(Action::Output(OutputAction::Add {
                flow: self.flow.clone(),
                output: Box::new(NewOutput {
                    name: wish.name.clone(),
                    role: *role,
                    settings,
                    enabled: feeds(self.wanted, self.seen, *role, self.on_air),
                    tags: self.wanted.tags.clone(),
                }),
            }));
        }
        actions.retain(|action| !self.seen.left.leaves(action));
        // A show begins with what can be made of it, if that is what is to send.
        let sends = |a: &Action| matches!(a, Action::Output(OutputAction::Add { output, .. }) if output.enabled);
        if problem.is_some() && !self.is_fed() && !actions.iter().any(sends) {
            actions.clear();
        }
        (actions, problem)
    }

    /// Copies that are needed for what is to be made, changed or started. A changed password is a new one, which touches no
    /// output that runs.
    pub(super) fn copies(&self) -> Vec<Action> {
        let needed = self.wanted.running || self.wanted.prepare || !self.seen.outputs.is_empty();
        let passwords = passwords_of(self.wanted).filter(|_| needed);
        secret_copy::missing(passwords, &self.seen.secrets, &self.wanted.tags).into_iter().map(Action::Copy).collect()
    }
}

/// Settings with the ARN of the own copy filled in.
pub(super) fn with_copy(
    settings: &OutputSettings,
    password: Option<&Password>,
    seen: &Observed,
    role: Role,
) -> OutputSettings {
    let mut settings = settings.clone();
    let read = seen.outputs.get(&role).and_then(|o| o.output.settings.encryption.as_ref());
    secret_copy::fill(settings.encryption.as_mut(), password, &seen.secrets, read);
    settings
}

/// Whether a change would interrupt something. What is known not to be taken for a while is not interrupted.
pub(super) fn is_delivered(wanted: &Wanted, seen: &OutputSeen) -> bool {
    let is_dead = seen.connected() == Some(false) && seen.unchanged_for >= wanted.restart.dead_after();
    seen.output.enabled && !is_dead
}
