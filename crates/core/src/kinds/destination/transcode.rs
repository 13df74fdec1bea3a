//! The decision for the MediaLive input and channel of a Destination with `delivery: Transcode`.
//!
//! The channel exists for the show: it is made for the start, after the flow, and removed with the stop, before the flow.

use std::ops::ControlFlow::{Break, Continue};

use super::action::Action;
use super::connection::{Air, Connection, Fed, WITHOUT_SIGNAL, fed_by_channel};
use super::groups;
use super::in_the_way::flow_error;
use super::memory::{Next, Remember};
use super::observed::{ChannelSeen, Observed, Programme};
use super::restart::{failed_in_turn, gave_up, known, pause, problem};
use super::teardown::{attached, retire, stop, transition};
use super::waiting_changes::{has_spare, may_change, protects};
use super::wanted::{ChannelWanted, Wanted};
use crate::endpoint::Role;
use crate::evidence::is_refusal;
use crate::existence::Existence;
use crate::failover::FAILOVER_AFTER;
use crate::failure::Problem;
use crate::fight::{Change, What};
use crate::plan::{IN_TRANSITION, SOON, Step};
use crate::reasons::Reason;
use crate::resources::channel::{
    Channel, ChannelAction, ChannelSettings, ChannelState, INPUT, InputState, NewChannel, NewInput, Quotas, Usage,
};
use crate::resources::flow::{FlowState, OUTPUTS_PER_FLOW};
use crate::restart::{OLD_READ, Phase, RestartState};
use crate::waiting::{StaysOff, Waiting};
use crate::wording::ended;

/// Where it goes, by the names of the fields.
const RECEIVER: [&str; 5] = ["url", "streamKey", "backup", "backup.url", "backup.streamKey"];

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
        let Self { wanted, seen, .. } = self;
        if let Some(lost) = seen.not_ours.first() {
            let text = format!(
                "MediaLive {} {} is recorded in status.channel and has lost this Destination's ownership tags: it is not touched, and none is made beside it.{} Restore its tags, or remove it.",
                lost.what,
                lost.arn,
                if lost.runs { " It still runs and is billed." } else { "" }
            );
            return Continue(Step::Stalled(Problem::new(Reason::NotOurs, text)));
        }
        let state = known(wanted, seen);
        if let Some(gave_up) = state.filter(|state| state.phase == Phase::GaveUp) {
            // What is not on the air is not paid for.
            let way = if wanted.prepare { stop(seen).map(|a| Step::Act(vec![a])) } else { retire(seen) };
            return Continue(way.unwrap_or_else(|| Step::Stalled(problem(wanted, gave_up))));
        }
        if let (Some(why), false) = (self.stopped, wanted.prepare) {
            // A channel without a flow costs what one with a show does.
            return Continue(retire(seen).unwrap_or_else(|| self.source_stopped(why)));
        }
        let input = match self.input() {
            Ok(input) => input,
            Err(step) => return Continue(step),
        };
        self.turns_away()?;
        let settings = self.channel.settings(|role| self.feeds(role), input);
        let (seen_channel, settings) = match (&seen.channel, settings) {
            (Existence::Present(channel), settings) if channel.channel.state != ChannelState::Deleted => {
                (channel, settings)
            }
            (_, Err(problem)) => return Continue(Step::Stalled(problem)),
            (_, Ok(settings)) => return self.create(settings),
        };
        let channel = &seen_channel.channel;
        match channel.state {
            ChannelState::Idle => self.idle(seen_channel, settings),
            ChannelState::Starting | ChannelState::Running | ChannelState::Recovering => {
                self.up(seen_channel, settings)
            }
            ChannelState::CreateFailed | ChannelState::UpdateFailed => self.failed(seen_channel),
            state => Continue(transition(state)),
        }
    }

    fn feeds(&self, role: Role) -> bool {
        self.wanted.hot || role == active(self.wanted, self.channel, self.seen)
    }

    /// Id of the input, ready to be used.
    fn input(&self) -> Result<&str, Step<Action>> {
        let Self { wanted, seen, .. } = self;
        match &seen.input {
            Existence::Present(input) if input.state == InputState::Creating => {
                Err(Step::wait(Waiting::ChannelCreating, SOON))
            }
            Existence::Present(input) if input.state == InputState::Deleting => {
                Err(Step::wait(Waiting::ChannelDeleting, SOON))
            }
            Existence::Present(input) if input.state != InputState::Deleted => {
                let up = seen.channel.present().is_some_and(|c| c.channel.state.is_up());
                let is_left = seen.left.has(&Change::of(INPUT, What::Removed));
                // A show is not interrupted for another flow, as long as there is one and something comes from it.
                let protected = seen.channel.present().is_none() || protects(wanted, self.channel, seen, &["input"]);
                let waits = up && wanted.running && !wanted.may_interrupt && !seen.cut_off && protected;
                if input.flows != [self.flow] && !is_left && !waits {
                    // AWS would make its output anew anyway.
                    return Err(retire(seen).unwrap_or(Step::Settled));
                }
                Ok(&input.id)
            }
            _ if seen.cut_off => Err(retire(seen).unwrap_or_else(|| self.create_input())),
            // What a channel takes is there, whether it is seen or not. A second one would take a place for nothing.
            _ => {
                let channel = seen.channel.present().filter(|c| !c.channel.state.is_gone());
                match channel.map(|c| c.channel.settings.inputs.as_slice()) {
                    Some([attachment, ..]) => Ok(&attachment.input),
                    _ => Err(self.create_input()),
                }
            }
        }
    }

    fn create_input(&self) -> Step<Action> {
        let role_arn = match &self.channel.role_arn {
            Ok(role) => role,
            Err(problem) => return Step::Stalled(problem.clone()),
        };
        for endpoint in self.channel.endpoints.values() {
            if let Err(problem) = &endpoint.target {
                return Step::Stalled(problem.clone());
            }
        }
        if let Some(problem) = self.quota(true) {
            return Step::Stalled(problem);
        }
        if self.state == FlowState::Error {
            return Step::Stalled(flow_error(&self.wanted.source));
        }
        if !self.state.takes_changes() {
            // MediaLive adds an output to it.
            return Step::wait(self.state.waiting(), SOON);
        }
        Step::Act(vec![Action::Channel(ChannelAction::CreateInput(Box::new(NewInput {
            name: self.channel.input_name.clone(),
            flow: self.flow.to_string(),
            role_arn: role_arn.clone(),
            tags: self.wanted.tags.clone(),
        })))])
    }

    fn create(&self, settings: ChannelSettings) -> Next {
        if let Some(input) = self.seen.input.present().filter(|i| i.state == InputState::Attached) {
            return Continue(attached(input, self.seen));
        }
        if let Some(problem) = self.quota(false) {
            return Continue(Step::Stalled(problem));
        }
        if let Some(step) = self.pause()? {
            return Continue(step);
        }
        self.own_stop()?;
        Continue(Step::Act(vec![Action::Channel(ChannelAction::Create(Box::new(NewChannel {
            name: self.channel.name.clone(),
            settings,
            tags: self.wanted.tags.clone(),
        })))]))
    }

    /// What is in the way of a new input (and with it a channel), or of a channel alone: once the input is there, nobody who
    /// was created earlier is waited for, or two would wait for each other.
    fn quota(&self, input: bool) -> Option<Problem> {
        let Quotas { channels, inputs, ahead } = self.seen.quotas.as_ref()?;
        let ahead = if input { *ahead } else { 0 };
        if !channels.has_room(ahead) {
            return Some(self.exceeded("channels", channels, ahead));
        }
        if !input {
            return None;
        }
        if !inputs.has_room(ahead) {
            return Some(self.exceeded("push inputs", inputs, ahead));
        }
        (self.outputs_used >= OUTPUTS_PER_FLOW).then(|| {
            Problem::new(
                Reason::QuotaExceeded,
                format!(
                    "{} of {OUTPUTS_PER_FLOW} outputs of the flow of Source {} are used, and a MediaLive input needs one. Delete a Destination, or send from a second Source.",
                    self.outputs_used, self.wanted.source
                ),
            )
        })
    }

    fn exceeded(&self, what: &str, usage: &Usage, ahead: usize) -> Problem {
        let region = match &self.seen.flow {
            Programme::Flow { region, .. } => region.as_str(),
            _ => "this region",
        };
        let by = usage.holders();
        let ahead = match ahead {
            0 => String::new(),
            1 => "; one Destination that was created earlier waits, too".to_string(),
            n => format!("; {n} Destinations that were created earlier wait, too"),
        };
        Problem::new(
            Reason::QuotaExceeded,
            format!(
                "{} of {} {what} in {region} are used{by}{ahead}. It starts by itself when there is room: stop or delete a Destination, or ask AWS for a higher MediaLive quota.",
                usage.used, usage.limit
            ),
        )
    }

    fn idle(&self, seen: &ChannelSeen, settings: Result<ChannelSettings, Problem>) -> Next {
        let channel = &seen.channel;
        let settings = match settings {
            Ok(settings) => settings,
            Err(problem) => return Continue(Step::Stalled(problem)),
        };
        // A show begins with what AWS has when it does not take a change, and never toward somebody else.
        let begins = known(self.wanted, self.seen).is_none();
        let elsewhere = begins
            && groups::fields(&settings.differences(&channel.settings)).iter().any(|field| RECEIVER.contains(field));
        if self.differs(&settings, channel) || elsewhere {
            self.own_stop()?;
            return Continue(Step::Act(vec![Action::Channel(ChannelAction::Update {
                id: channel.id.clone(),
                name: self.channel.name.clone(),
                settings: Box::new(settings),
            })]));
        }
        if !self.wanted.running {
            return Continue(Step::Settled);
        }
        if let Some(step) = self.flow_is_up() {
            return Continue(step);
        }
        match known(self.wanted, self.seen) {
            None => Break(Remember::restart(RestartState::first())),
            Some(state) if state.has_failed() && state.since < OLD_READ => {
                Continue(Step::wait(Waiting::ChannelStarting, SOON))
            }
            Some(state) if state.has_failed() => {
                const STOPPED: &str = "The channel stopped by itself, or was stopped outside Playout";
                // A channel stops when its only output has tried often enough.
                let fed_only = |role| groups::fed(&channel.settings).iter().all(|fed| *fed == role);
                if self.has_spare(Role::Backup) && fed_only(Role::Primary) {
                    let why = format!("{STOPPED}, while it fed the primary.");
                    return Break(Remember::lead(Role::Backup, why));
                }
                Break(self.again(&format!("{STOPPED}."), fed_only(Role::Backup)))
            }
            Some(_) => {
                let start = || Step::Act(vec![Action::Channel(ChannelAction::Start { id: channel.id.clone() })]);
                Continue(self.pause()?.unwrap_or_else(start))
            }
        }
    }

    /// Whether the channel is to be updated.
    fn differs(&self, settings: &ChannelSettings, channel: &Channel) -> bool {
        !settings.differences(&channel.settings).is_empty() && self.may_change()
    }

    /// What is changed or made anew was stopped by us: no failure, also when the pass that stopped it could not tell.
    fn own_stop(&self) -> Next<()> {
        match known(self.wanted, self.seen).filter(|state| state.has_failed()) {
            Some(state) => Break(Remember::restart(state.attempt())),
            None => Continue(()),
        }
    }

    /// The pause before the next attempt, and its end.
    fn pause(&self) -> Next<Option<Step<Action>>> {
        pause(self.wanted, self.seen)
    }

    /// What is waited for before a channel may be started; the flow comes first.
    fn flow_is_up(&self) -> Option<Step<Action>> {
        if let Some(why) = self.stopped {
            // Though the flow may still be up: it is about to go.
            return Some(self.source_stopped(why));
        }
        match self.state {
            FlowState::Active | FlowState::Updating => None,
            FlowState::Error => Some(Step::Stalled(flow_error(&self.wanted.source))),
            FlowState::Standby | FlowState::Starting => Some(Step::wait(Waiting::FlowStarting, IN_TRANSITION)),
            state => Some(Step::wait(state.waiting(), SOON)),
        }
    }

    fn source_stopped(&self, why: &StaysOff) -> Step<Action> {
        Step::wait_for_watch(Waiting::SourceStopped(self.wanted.source.clone(), why.clone()))
    }

    /// Counts a failure; after one of the backup the primary has the next attempt.
    fn again(&self, cause: &str, of_backup: bool) -> Remember {
        let turn = (of_backup && self.has_spare(Role::Primary)).then_some(Role::Primary);
        failed_in_turn(self.wanted, self.seen, turn, cause)
    }

    /// AWS could not make or change the channel: it is made anew, as often as may be.
    fn failed(&self, seen: &ChannelSeen) -> Next {
        let channel = &seen.channel;
        match known(self.wanted, self.seen) {
            Some(state) if state.phase == Phase::BackingOff => {
                Continue(Step::Act(vec![Action::Channel(ChannelAction::Delete { id: channel.id.clone() })]))
            }
            _ => Break(self.again(&format!("AWS reports the channel in state {}.", channel.state.as_str()), false)),
        }
    }

    fn up(&self, seen: &ChannelSeen, settings: Result<ChannelSettings, Problem>) -> Next {
        let channel = &seen.channel;
        let stop = || Continue(Step::Act(vec![Action::Channel(ChannelAction::Stop { id: channel.id.clone() })]));
        let state = known(self.wanted, self.seen);
        if self.stopped.is_some() || state.is_some_and(RestartState::holds_back) {
            return stop();
        }
        // What runs keeps running with the key that AWS has; only a start needs the new one.
        if let Ok(settings) = &settings
            && ((self.switches(seen) && self.may_change())
                || (self.differs(settings, channel)
                    && (self.wanted.may_interrupt
                        || !protects(
                            self.wanted,
                            self.channel,
                            self.seen,
                            &groups::fields(&settings.differences(&channel.settings)),
                        ))))
        {
            return stop();
        }
        match channel.state {
            ChannelState::Starting | ChannelState::Recovering => return Continue(transition(channel.state)),
            _ => {}
        }
        if let Some(step) = self.flow_is_up() {
            return Continue(step);
        }
        Continue(match (self.delivery(seen)?, settings) {
            // It is as well as it can be, and could not be started again.
            (Step::Settled, Err(problem)) => Step::Stalled(problem),
            // So is a backup that could not be fed.
            (Step::Settled, Ok(_)) => {
                let missing = self.channel.endpoints.values().find_map(|e| e.target.as_ref().err());
                missing.map_or(Step::Settled, |problem| Step::Stalled(problem.clone()))
            }
            (step, _) => step,
        })
    }

    /// Whether the other endpoint is to be fed, which a running channel cannot do. The user or the failure has decided that:
    /// it does not wait for a stop.
    fn switches(&self, seen: &ChannelSeen) -> bool {
        let fed = groups::fed(&seen.channel.settings);
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

    /// Whether the channel may be given other settings.
    fn may_change(&self) -> bool {
        may_change(self.seen)
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
