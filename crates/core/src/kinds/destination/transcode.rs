//! The decision for a Destination with `delivery: Transcode`: what its channel is to be, what it waits for, and whether the programme
//! reaches its receivers. How a channel lives is decided in [`crate::resources::channel`].
//!
//! The channel exists for the show: it is made for the start, after the flow, and removed with the stop, before the flow.

use std::ops::ControlFlow::{Break, Continue};

use super::action::Action;
use super::connection::{Air, Connection, Fed, WITHOUT_SIGNAL, fed_by_channel};
use super::groups;
use super::in_the_way::flow_error;
use super::memory::{Next, Remember};
use super::observed::{ChannelSeen, Observed, Programme};
use super::restart::{failed_in_turn, gave_up, known, problem};
use super::waiting_changes::{has_spare, protects};
use super::wanted::{ChannelWanted, Wanted};
use crate::endpoint::Role;
use crate::evidence::is_refusal;
use crate::failover::FAILOVER_AFTER;
use crate::plan::{IN_TRANSITION, SOON, Step};
use crate::resources::channel::{self, Difference, Gate, InputSource, Life, Request};
use crate::resources::flow::FlowState;
use crate::usage::outputs_exceeded;
use crate::waiting::{StaysOff, Waiting};
use crate::wording::ended;

/// The endpoint that a channel with a backup of mode `OnFailure` feeds: what an annotation says, else what a failover has
/// decided, else the one that it feeds now.
pub(super) fn active(wanted: &Wanted, channel: &ChannelWanted, seen: &Observed) -> Role {
    if channel.endpoints.len() < 2 {
        return Role::Primary;
    }
    let fed = seen.channel.present().filter(|c| c.channel.state.is_up()).map(|c| groups::fed(&c.channel.settings));
    let alone = fed.filter(|fed| !wanted.hot && fed.len() == 1).and_then(|fed| fed.first().copied());
    seen.failover.fed_by_one(alone)
}

/// The wish for the channel, beside the flow that it takes.
pub(super) struct Path<'a> {
    pub wanted: &'a Wanted,
    pub channel: &'a ChannelWanted,
    pub seen: &'a Observed,
    /// ARN of the flow.
    pub flow: &'a str,
    pub state: FlowState,
    pub outputs_used: usize,
    /// Why the Source does not start it.
    pub stopped: Option<&'a StaysOff>,
    pub signal: Option<bool>,
}

impl Path<'_> {
    pub(super) fn next(&self) -> Next {
        let Self { wanted, channel, seen, .. } = self;
        if let Some(lost) = seen.not_ours.first() {
            return Continue(Step::Stalled(lost.problem(&wanted.identity.kind)));
        }
        let may_interrupt = |differences: &[Difference]| {
            wanted.may_interrupt || !protects(wanted, channel, seen, &groups::fields(differences))
        };
        let life = Life {
            request: Request {
                name: &channel.name,
                tags: &wanted.tags,
                input_name: &channel.input_name,
                from: InputSource::Flow(self.flow.to_string()),
                role_arn: channel.role_arn.as_ref(),
                problem: channel.endpoints.values().find_map(|endpoint| endpoint.target.as_ref().err()),
                running: wanted.running,
                kept: wanted.prepare,
                switches: self.switches(),
                may_interrupt: &may_interrupt,
            },
            gate: self.gate(),
            parts: seen.parts(),
            cut_off: seen.cut_off,
            left: &seen.left,
            quotas: seen.quotas.as_ref(),
            region: if let Programme::Flow { region, .. } = &seen.flow { region.as_str() } else { "this region" },
            policy: &wanted.restart,
            restart: known(wanted, seen),
        };
        let input = match life.input() {
            Ok(input) => input,
            Err(next) => return self.decided(next),
        };
        self.turns_away()?;
        let settings = channel.settings(|role| self.feeds(role), input);
        let missing = settings.as_ref().err().cloned();
        match (life.channel(settings), missing) {
            (channel::Next::Up(seen), missing) => Continue(match (self.delivery(seen)?, missing) {
                // It is as well as it can be, and could not be started again.
                (Step::Settled, Some(problem)) => Step::Stalled(problem),
                // So is a backup that could not be fed.
                (Step::Settled, None) => life.request.problem.map_or(Step::Settled, |p| Step::Stalled(p.clone())),
                (step, _) => step,
            }),
            (next, _) => self.decided(next),
        }
    }

    /// What the life of the channel leaves to the kind.
    fn decided(&self, next: channel::Next<'_>) -> Next {
        match next {
            channel::Next::Step(step) => Continue(step.map(Action::Channel)),
            channel::Next::Remember(state) => Break(Remember::restart(state)),
            channel::Next::GaveUp(state) => Continue(Step::Stalled(problem(self.wanted, state))),
            channel::Next::Failed { cause, has_run: false } => Break(self.again(&format!("{cause}."), false)),
            // A channel stops when its only output has tried often enough.
            channel::Next::Failed { cause, has_run: true } => {
                let fed = self.seen.channel.present().map_or_else(Vec::new, |c| groups::fed(&c.channel.settings));
                let fed_only = |role| fed.iter().all(|fed| *fed == role);
                if self.has_spare(Role::Backup) && fed_only(Role::Primary) {
                    return Break(Remember::lead(Role::Backup, format!("{cause}, while it fed the primary.")));
                }
                Break(self.again(&format!("{cause}."), fed_only(Role::Backup)))
            }
            channel::Next::Up(_) => Continue(Step::Settled),
        }
    }

    /// The flow comes before the channel, and takes an output for its input.
    fn gate(&self) -> Gate {
        let Self { wanted, seen, state, .. } = self;
        let error = || Step::Stalled(flow_error(&wanted.source));
        let full = || outputs_exceeded(self.outputs_used, 1, "a MediaLive input", &wanted.source);
        let full = seen.quotas.as_ref().and_then(|_| full());
        Gate {
            closed: self.stopped.map(|why| Waiting::SourceStopped(wanted.source.clone(), why.clone())),
            not_yet: match state {
                FlowState::Active | FlowState::Updating => None,
                FlowState::Error => Some(error()),
                FlowState::Standby | FlowState::Starting => Some(Step::wait(Waiting::FlowStarting, IN_TRANSITION)),
                state => Some(Step::wait(state.waiting(), SOON)),
            },
            no_input: match (full, state) {
                (Some(problem), _) => Some(Step::Stalled(problem)),
                (None, FlowState::Error) => Some(error()),
                // MediaLive adds an output to it.
                (None, state) => (!state.takes_changes()).then(|| Step::wait(state.waiting(), SOON)),
            },
        }
    }

    fn feeds(&self, role: Role) -> bool {
        self.wanted.hot || role == active(self.wanted, self.channel, self.seen)
    }

    /// Counts a failure; after one of the backup the primary has the next attempt.
    fn again(&self, cause: &str, of_backup: bool) -> Remember {
        let turn = (of_backup && self.has_spare(Role::Primary)).then_some(Role::Primary);
        failed_in_turn(self.wanted, self.seen, turn, cause)
    }

    /// Whether the other endpoint is to be fed. The user or the failure has decided that.
    fn switches(&self) -> bool {
        let fed = self.seen.channel.present().map_or_else(Vec::new, |c| groups::fed(&c.channel.settings));
        !self.wanted.hot
            && self.channel.endpoints.len() == 2
            && fed.len() == 1
            && fed != [active(self.wanted, self.channel, self.seen)]
    }

    /// Whether the programme reaches the receivers, and what is done when it reaches none.
    fn delivery(&self, seen: &ChannelSeen) -> Next {
        let fed = fed_by_channel(self.seen);
        let first =
            |connection| fed.iter().find(|f| f.connection == connection).map_or_else(String::new, |f| f.at.clone());
        Continue(match Air::of(&fed) {
            Air::Running | Air::Off => Step::Settled,
            Air::Silent => Step::wait(self.silence(seen), WITHOUT_SIGNAL),
            // While one of two is not known yet, it may be the one that takes the stream.
            Air::Pending => Step::wait(Waiting::Connecting(first(Connection::Pending)), IN_TRANSITION),
            Air::Refused => {
                if let Some(failed) = self.failed_delivery(seen, &fed) {
                    return Break(failed);
                }
                Step::wait(Waiting::Connecting(first(Connection::Down)), IN_TRANSITION)
            }
        })
    }

    /// What is waited for while nothing arrives.
    fn silence(&self, seen: &ChannelSeen) -> Waiting {
        let source = || self.wanted.source.clone();
        match (self.signal, seen.input_loss()) {
            (Some(false), _) => Waiting::NoSignal(source()),
            (_, Some(alert)) => Waiting::NoInput(source(), format!("{}: {}", alert.kind, alert.message)),
            (_, None) => Waiting::SignalUnknown(source()),
        }
    }

    /// Whether a dead endpoint gives its place to this one: it goes only when the other can come.
    fn has_spare(&self, to: Role) -> bool {
        has_spare(self.wanted, self.channel, self.seen, to)
    }

    /// A failure has decided for an endpoint whose key cannot be read any more: off the air, the other one is fed.
    fn turns_away(&self) -> Next<()> {
        let Some(decided) = self.seen.failover.failed_over_to.filter(|_| self.wanted.running) else {
            return Continue(());
        };
        let other = if decided == Role::Primary { Role::Backup } else { Role::Primary };
        let problem = self.channel.endpoints.get(&decided).and_then(|endpoint| endpoint.target.as_ref().err());
        let up = self.seen.channel.present().is_some_and(|c| c.channel.state.is_up());
        match problem {
            Some(problem) if !up && self.has_spare(other) => Break(Remember::lead(other, problem.message.clone())),
            _ => Continue(()),
        }
    }

    /// No receiver takes the stream: what is done about it, when it has lasted.
    fn failed_delivery(&self, seen: &ChannelSeen, fed: &[Fed]) -> Option<Remember> {
        let of_role = |role: Role| seen.alerts.iter().filter(move |a| a.output == Some(role.into()));
        let refusal = |role| of_role(role).find(|a| is_refusal(&a.message));
        let said = |role| refusal(role).or_else(|| of_role(role).next());
        let words = fed.iter().find_map(|f| said(f.role)).map(|a| format!(" AWS says: {}", ended(&a.message)));
        let words = words.unwrap_or_default();
        let shown = &fed.first()?.at;
        let since = fed.iter().map(|f| f.unchanged_for).min()?;
        let only_primary = fed.iter().all(|f| f.role == Role::Primary);
        if only_primary && self.has_spare(Role::Backup) {
            let why = format!("{shown} did not take the stream for {} s.{words}", FAILOVER_AFTER.as_secs());
            return (since >= FAILOVER_AFTER).then(|| Remember::lead(Role::Backup, why));
        }
        let only_backup = fed.iter().all(|f| f.role == Role::Backup);
        // A platform that has not let go of the connection before says so, too, for a moment.
        if since >= FAILOVER_AFTER && fed.iter().all(|f| refusal(f.role).is_some()) {
            let cause = format!("{shown} refuses the stream key.{words}");
            let first = known(self.wanted, self.seen).is_none_or(|state| state.count == 0);
            if only_backup && self.has_spare(Role::Primary) && first {
                // The primary may have had another cause, and be well by now.
                return Some(self.again(&cause, true));
            }
            return Some(gave_up(self.wanted, self.seen, &cause));
        }
        let cause = || format!("{shown} does not take the stream.{words}");
        (since >= self.wanted.restart.after).then(|| self.again(&cause(), only_backup))
    }
}
