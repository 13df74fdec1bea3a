//! The life of a channel and its input: made, changed, started, restarted and stopped. No kind is known here.
//!
//! A kind says what it wants ([`Request`]), what stands between it and the start ([`Gate`]) and where its restarts are. It is told what
//! is next: something to do or to wait for, something that only it can decide ([`Next::Failed`], [`Next::GaveUp`]), or that the
//! channel is up: whether anything reaches anybody is the kind's to judge.
//!
//! First the input ([`Life::input`]), whose id the settings need; then the channel ([`Life::channel`]).

use std::collections::BTreeMap;

use super::teardown::transition;
use super::{
    CHANNEL, Channel, ChannelAction, ChannelSeen, ChannelSettings, ChannelState, Difference, INPUT, InputSource,
    InputState, NewChannel, NewInput, Part, Parts, Quotas,
};
use crate::existence::Existence;
use crate::failure::Problem;
use crate::fight::{Change, Left, What};
use crate::plan::{SOON, Step};
use crate::restart::{OLD_READ, Phase, RestartPolicy, RestartState};
use crate::waiting::Waiting;

fn waiting(state: &RestartState, policy: &RestartPolicy) -> Waiting {
    let RestartState { count, cause, .. } = state;
    Waiting::Restarting { count: *count, attempts: policy.attempts, cause: cause.clone().unwrap_or_default() }
}

/// What is wanted.
pub struct Request<'a> {
    /// Name of the channel.
    pub name: &'a str,
    /// All tags.
    pub tags: &'a BTreeMap<String, String>,
    /// Name of its input.
    pub input_name: &'a str,
    /// What the input takes.
    pub from: InputSource,
    /// Role that MediaLive assumes, and what is missing before anything can be made.
    pub role_arn: Result<&'a String, &'a Problem>,
    /// What else is missing before anything can be made.
    pub problem: Option<&'a Problem>,
    /// It is to run; else it is made ready.
    pub running: bool,
    /// It is kept ready while it does not run. Else it goes when it is not needed: what is not on the air is not paid for.
    pub kept: bool,
    /// Whether the channel is given another endpoint, which a running one cannot be: that does not wait for a stop.
    pub switches: bool,
    /// Whether a channel that is up may be stopped for the sake of these differences.
    pub may_interrupt: &'a dyn Fn(&[Difference]) -> bool,
}

/// What stands between a channel and its start.
#[derive(Debug, Default)]
pub struct Gate {
    /// What feeds it was stopped, and is not started: it is not to run, since it costs what one with a show does.
    pub closed: Option<Waiting>,
    /// Why it cannot be started now.
    pub not_yet: Option<Step<ChannelAction>>,
    /// Why no input can be made now.
    pub no_input: Option<Step<ChannelAction>>,
}

/// Everything that is known of it.
pub struct Life<'a> {
    /// What is wanted.
    pub request: Request<'a>,
    /// What stands between it and its start.
    pub gate: Gate,
    /// What is there.
    pub parts: Parts<'a>,
    /// Whether nothing can reach the channel any more: its input is gone, or what the input takes.
    pub cut_off: bool,
    /// What was changed again and again and is left as it is.
    pub left: &'a Left,
    /// Quotas in the way of a new one, where they were looked at.
    pub quotas: Option<&'a Quotas>,
    /// Region, for people.
    pub region: &'a str,
    /// How it is restarted.
    pub policy: &'a RestartPolicy,
    /// Where the restarts are.
    pub restart: Option<&'a RestartState>,
}

/// What is next.
#[derive(Debug, PartialEq)]
pub enum Next<'a> {
    /// This: nothing else has to be decided.
    Step(Step<ChannelAction>),
    /// This is to be remembered, and then decided anew.
    Remember(RestartState),
    /// It has failed: the kind counts it, or turns to another endpoint.
    Failed {
        /// Why, in words.
        cause: String,
        /// Whether it has run and stopped by itself; else AWS could not make or change it.
        has_run: bool,
    },
    /// It has failed as often as may be and is off the air.
    GaveUp(&'a RestartState),
    /// It is up.
    Up(&'a ChannelSeen),
}

impl<'a> Life<'a> {
    /// Id of the input, ready to be used; or what comes before that.
    ///
    /// # Errors
    /// Something else is next.
    pub fn input(&self) -> Result<&'a str, Next<'a>> {
        let Self { request, parts, .. } = self;
        if let Some(state) = self.restart.filter(|state| state.phase == Phase::GaveUp) {
            // What is not on the air is not paid for.
            let way = if request.kept { parts.stop().map(|a| Step::Act(vec![a])) } else { parts.retire() };
            return Err(way.map_or(Next::GaveUp(state), Next::Step));
        }
        if let (Some(closed), false) = (&self.gate.closed, request.kept) {
            return Err(Next::Step(parts.retire().unwrap_or_else(|| Step::wait_for_watch(closed.clone()))));
        }
        self.ready_input().map_err(Next::Step)
    }

    fn ready_input(&self) -> Result<&'a str, Step<ChannelAction>> {
        let Self { request, parts, .. } = self;
        match parts.input {
            Existence::Present(input) if input.state == InputState::Creating => {
                Err(Step::wait(Waiting::ChannelCreating, SOON))
            }
            Existence::Present(input) if input.state == InputState::Deleting => {
                Err(Step::wait(Waiting::ChannelDeleting, SOON))
            }
            Existence::Present(input) if input.state != InputState::Deleted => {
                let is_left = self.left.has(&Change::of(INPUT, What::Removed));
                // A show is not interrupted for another input, as long as there is one and something comes from it.
                let other = Difference { output: None, what: Part::Inputs };
                let waits = parts.is_up() && request.running && !self.cut_off && !(request.may_interrupt)(&[other]);
                if !input.takes(&request.from) && !is_left && !waits {
                    // AWS would make its output anew anyway.
                    return Err(parts.retire().unwrap_or(Step::Settled));
                }
                Ok(&input.id)
            }
            _ if self.cut_off => Err(parts.retire().unwrap_or_else(|| self.create_input())),
            // What a channel takes is there, whether it is seen or not. A second one would take a place for nothing.
            _ => {
                let channel = parts.channel.present().filter(|c| !c.channel.state.is_gone());
                match channel.map(|c| c.channel.settings.inputs.as_slice()) {
                    Some([attachment, ..]) => Ok(&attachment.input),
                    _ => Err(self.create_input()),
                }
            }
        }
    }

    fn create_input(&self) -> Step<ChannelAction> {
        let Request { input_name, from, role_arn, problem, tags, .. } = &self.request;
        let role_arn = match (role_arn, problem) {
            (Err(problem), _) | (Ok(_), Some(problem)) => return Step::Stalled((*problem).clone()),
            (Ok(role), None) => (*role).clone(),
        };
        if let Some(problem) = self.quotas.and_then(|quotas| quotas.exceeded(true, self.region)) {
            return Step::Stalled(problem);
        }
        match &self.gate.no_input {
            Some(step) => step.clone(),
            None => Step::Act(vec![ChannelAction::CreateInput(Box::new(NewInput {
                name: (*input_name).to_string(),
                from: from.clone(),
                role_arn,
                tags: (*tags).clone(),
            }))]),
        }
    }

    /// What is next of the channel. `settings`: with the input that [`Life::input`] has told, or what is missing for them.
    #[must_use]
    pub fn channel(&self, settings: Result<ChannelSettings, Problem>) -> Next<'a> {
        let seen = match self.parts.channel.present().filter(|c| c.channel.state != ChannelState::Deleted) {
            Some(seen) => seen,
            None => return settings.map_or_else(|problem| Next::Step(Step::Stalled(problem)), |s| self.create(s)),
        };
        match seen.channel.state {
            ChannelState::Idle => self.idle(&seen.channel, settings),
            ChannelState::Starting | ChannelState::Running | ChannelState::Recovering => self.up(seen, settings),
            ChannelState::CreateFailed | ChannelState::UpdateFailed => self.failed(&seen.channel),
            state => Next::Step(transition(state)),
        }
    }

    fn create(&self, settings: ChannelSettings) -> Next<'a> {
        if let Some(input) = self.parts.input.present().filter(|i| i.state == InputState::Attached) {
            return Next::Step(self.parts.attached(input));
        }
        if let Some(problem) = self.quotas.and_then(|quotas| quotas.exceeded(false, self.region)) {
            return Next::Step(Step::Stalled(problem));
        }
        if let Some(next) = self.pause().or_else(|| self.own_stop()) {
            return next;
        }
        let (name, tags) = (self.request.name.to_string(), self.request.tags.clone());
        Next::Step(Step::Act(vec![ChannelAction::Create(Box::new(NewChannel { name, settings, tags }))]))
    }

    fn idle(&self, channel: &Channel, settings: Result<ChannelSettings, Problem>) -> Next<'a> {
        let settings = match settings {
            Ok(settings) => settings,
            Err(problem) => return Next::Step(Step::Stalled(problem)),
        };
        // A show begins with what AWS has when it does not take a change, and never toward somebody else.
        let differences = settings.differences(&channel.settings);
        let is_elsewhere = |d: &Difference| matches!(d.what, Part::Address | Part::StreamKey | Part::Presence);
        let elsewhere = self.restart.is_none() && differences.iter().any(is_elsewhere);
        if !differences.is_empty() && (self.takes_changes() || elsewhere) {
            return self.own_stop().unwrap_or_else(|| {
                let (id, name) = (channel.id.clone(), self.request.name.to_string());
                Next::Step(Step::Act(vec![ChannelAction::Update { id, name, settings: Box::new(settings) }]))
            });
        }
        if !self.request.running {
            return Next::Step(Step::Settled);
        }
        if let Some(step) = self.not_yet() {
            return Next::Step(step);
        }
        match self.restart {
            None => Next::Remember(RestartState::first()),
            Some(state) if state.has_failed() && state.since < OLD_READ => {
                Next::Step(Step::wait(Waiting::ChannelStarting, SOON))
            }
            Some(state) if state.has_failed() => {
                // A channel stops when its only output has tried often enough.
                let cause = "The channel stopped by itself, or was stopped outside Playout".to_string();
                Next::Failed { cause, has_run: true }
            }
            Some(_) => self
                .pause()
                .unwrap_or_else(|| Next::Step(Step::Act(vec![ChannelAction::Start { id: channel.id.clone() }]))),
        }
    }

    /// Whether the channel may be given other settings.
    fn takes_changes(&self) -> bool {
        !self.left.has(&Change::of(CHANNEL, What::Settings))
    }

    /// What is waited for before it may be started. Though what feeds it may still be up: it is about to go.
    fn not_yet(&self) -> Option<Step<ChannelAction>> {
        self.gate.closed.clone().map(Step::wait_for_watch).or_else(|| self.gate.not_yet.clone())
    }

    /// What is changed or made anew was stopped by us: no failure, also when the pass that stopped it could not tell.
    fn own_stop(&self) -> Option<Next<'a>> {
        self.restart.filter(|state| state.has_failed()).map(|state| Next::Remember(state.attempt()))
    }

    /// The pause before the next attempt, and its end.
    fn pause(&self) -> Option<Next<'a>> {
        let state = self.restart.filter(|state| state.phase == Phase::BackingOff)?;
        Some(match self.policy.pause_left(state) {
            None => Next::Remember(state.attempt()),
            Some(left) => Next::Step(Step::wait(waiting(state, self.policy), left.max(SOON))),
        })
    }

    /// AWS could not make or change it: it is made anew, as often as may be.
    fn failed(&self, channel: &Channel) -> Next<'a> {
        match self.restart {
            Some(state) if state.phase == Phase::BackingOff => {
                Next::Step(Step::Act(vec![ChannelAction::Delete { id: channel.id.clone() }]))
            }
            _ => {
                let cause = format!("AWS reports the channel in state {}", channel.state.as_str());
                Next::Failed { cause, has_run: false }
            }
        }
    }

    fn up(&self, seen: &'a ChannelSeen, settings: Result<ChannelSettings, Problem>) -> Next<'a> {
        let channel = &seen.channel;
        let is_held = self.gate.closed.is_some() || self.restart.is_some_and(RestartState::holds_back);
        // What runs keeps running with the key that AWS has; only a start needs the new one.
        let is_interrupted = |settings: &ChannelSettings| {
            let differences = settings.differences(&channel.settings);
            self.takes_changes()
                && (self.request.switches || !differences.is_empty() && (self.request.may_interrupt)(&differences))
        };
        if is_held || settings.as_ref().is_ok_and(is_interrupted) {
            return Next::Step(Step::Act(vec![ChannelAction::Stop { id: channel.id.clone() }]));
        }
        if matches!(channel.state, ChannelState::Starting | ChannelState::Recovering) {
            return Next::Step(transition(channel.state));
        }
        self.not_yet().map_or(Next::Up(seen), Next::Step)
    }
}

/// What renews the tags of what is there and lacks some. What goes is let go.
#[must_use]
pub fn untagged(parts: Parts<'_>, tags: &BTreeMap<String, String>) -> Vec<ChannelAction> {
    let channel = parts.channel.present().map(|c| &c.channel);
    let channel = channel.filter(|c| !matches!(c.state, ChannelState::Deleting | ChannelState::Deleted));
    let input = parts.input.present().filter(|i| !matches!(i.state, InputState::Deleting | InputState::Deleted));
    let found = channel.map(|c| (&c.arn, &c.tags)).into_iter().chain(input.map(|i| (&i.arn, &i.tags)));
    let lacks = |has: &BTreeMap<String, String>| tags.iter().any(|(k, v)| has.get(k) != Some(v));
    let untagged = found.filter(|(_, has)| lacks(has));
    untagged.map(|(arn, _)| ChannelAction::Tag { arn: arn.clone(), tags: tags.clone() }).collect()
}

#[cfg(test)]
mod tests;
