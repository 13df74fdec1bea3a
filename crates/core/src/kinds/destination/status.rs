//! The status of a Destination, from what was seen. Pure; written in one place of the shell.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Outcome;
use super::advice;
use super::as_requested::as_requested;
use super::connection::{Air, Fed, fed};
use super::delivering::{delivering, over_limit, refusal, refused, too_much};
use super::groups::{self, targets};
use super::in_the_way;
use super::memory;
use super::observed::{Observed, Programme};
use super::plan::Action;
use super::recorded;
use super::restart;
use super::runs::runs;
use super::wanted::Wanted;
use crate::annotations;
use crate::api::RECONCILE_AT;
use crate::api::destination::{
    ActiveEndpoint, AlertStatus, ChannelStatus, Destination, DestinationState, DestinationStatus, LastError,
    OutputStatus,
};
use crate::conditions::{Conditions, DELIVERING, OVER_LIMIT, READY, RECONCILING, Truth, whole_second};
use crate::endpoint::Role;
use crate::evidence::steady;
use crate::existence::Existence;
use crate::failure::FailureClass;
use crate::identity::{Ownership, TAG_UID};
use crate::plan::{Deferred, Step};
use crate::reasons::Reason;
use crate::resources::channel::{ChannelAction, ChannelState, InputState};
use crate::resources::flow::{FlowState, Measured, OutputAction};
use crate::resources::secret_copy;
use crate::restart::RestartState;
use crate::waiting::Waiting;

/// How many alerts are shown.
const ALERTS: usize = 10;

/// The new status.
#[must_use]
pub fn status(destination: &Destination, outcome: &Outcome<'_>) -> DestinationStatus {
    let before = destination.status.clone().unwrap_or_default();
    let mut status = DestinationStatus {
        observed_generation: destination.metadata.generation,
        last_handled_reconcile_at: destination.metadata.annotations.as_ref().and_then(|a| a.get(RECONCILE_AT)).cloned(),
        ..before.clone()
    };
    if memory::begins_anew(destination, &before) {
        // Whatever comes of this pass, also when it sees nothing: this status is the last that knows of the request.
        status.retries = None;
    }
    if let Some(seen) = outcome.seen {
        match &seen.flow {
            Programme::Flow { arn, .. } => status.flow_arn = Some(arn.clone()),
            Programme::NoFlow { certain: false } => {}
            Programme::NoFlow { certain: true } | Programme::NoSource | Programme::NextSource => status.flow_arn = None,
        }
        of_outputs(&mut status, &before, outcome, seen);
        status.channel = match &seen.recorded.channel {
            Some(_) => recorded::channel_unseen(before.channel.as_ref(), carried_out(outcome)),
            None => of_channel(before.channel.as_ref(), destination.metadata.uid.as_ref(), seen, outcome.now),
        };
        ownership(&mut status, &before, destination, outcome, seen);
        created(&mut status, outcome);
        if seen.recorded.is_empty() {
            status.active_endpoint = active_endpoint(seen);
        }
        status.alerts = alerts(&before, seen);
        if let Some(wanted) = outcome.wanted {
            status.encoding = encoding(wanted, seen);
            if let Some(memory) = outcome.memory {
                let is_old = memory::begins_anew(destination, &before);
                status.retries = memory::retries(before.retries.as_ref(), memory, wanted, is_old, outcome.now);
                status.failover = memory::failover(before.failover.as_ref(), memory, outcome.now);
            }
        }
        status.pending_changes = Deferred::fields(outcome.deferred);
    }
    let fed = outcome.seen.map(|seen| fed(outcome.wanted, seen)).unwrap_or_default();
    let word = word(&before, destination, outcome, &fed);
    runs(&mut status, &before, word, outcome, &fed);
    status.state = Some(word);
    status.last_error = last_error(&before, destination, word, outcome, &fed);
    conditions(&mut status, &before, destination, outcome, &fed);
    status
}

/// What this pass has carried out, if all of it was.
fn carried_out<'a>(outcome: &Outcome<'a>) -> &'a [Action] {
    match outcome.step {
        Some(Step::Act(actions)) if outcome.failure.is_none() => actions,
        _ => &[],
    }
}

/// What is said of whose the outputs are, of what is not ours, and of the copies of passwords.
fn ownership(
    status: &mut DestinationStatus,
    before: &DestinationStatus,
    destination: &Destination,
    outcome: &Outcome<'_>,
    seen: &Observed,
) {
    let not_ours = seen.outputs.values().filter(|o| !o.ownership.is_ours()).map(|o| &o.output.arn);
    status.not_ours = not_ours.chain(seen.not_ours.iter().map(|n| &n.arn)).cloned().collect();
    for output in &mut status.outputs {
        let known = seen.outputs.values().find(|o| Some(&o.output.arn) == output.arn.as_ref());
        let is_known_ours = known.is_some_and(|o| o.tags.is_some() && o.ownership == Ownership::Ours);
        output.owner_uid = match is_known_ours {
            true => destination.metadata.uid.clone(),
            false => before.outputs.iter().find(|b| b.arn == output.arn).and_then(|b| b.owner_uid.clone()),
        };
    }
    let asked =
        seen.secrets_asked.then_some((seen.secret_names.as_slice(), [seen.secrets.as_slice(), &seen.lost_secrets]));
    let copied = match outcome.step {
        Some(Step::Act(actions)) => actions.as_slice(),
        _ => &[],
    };
    let copied = copied.iter().filter_map(|a| if let Action::Copy(copy) = a { Some(copy) } else { None });
    status.passwords = secret_copy::names(&before.passwords, asked, copied);
}

fn of_outputs(status: &mut DestinationStatus, before: &DestinationStatus, outcome: &Outcome<'_>, seen: &Observed) {
    if matches!(seen.flow, Programme::NoFlow { certain: false }) {
        status.outputs = recorded::outputs_unseen(before, carried_out(outcome));
        return;
    }
    let (wanted, now) = (outcome.wanted, outcome.now);
    let active = matches!(seen.flow, Programme::Flow { state: FlowState::Active | FlowState::Updating, .. });
    let signal = signal(seen);
    // What an error of AWS says of an output was said of the settings of then: with other ones its time begins anew.
    let is_changed = |arn: &str| {
        let of = |a: &Action| matches!(a, Action::Output(OutputAction::Update { arn: a, settings: Some(_), .. }) if a == arn);
        carried_out(outcome).iter().any(of)
    };
    status.outputs = seen
        .outputs
        .iter()
        .map(|(role, o)| {
            let old = before.outputs.iter().find(|b| b.role == role.word());
            let endpoint = match (&o.output.listener_address, wanted.and_then(|w| w.outputs.get(role))) {
                (Some(address), _) => Some(format!("srt://{address}:{}", o.output.settings.port.unwrap_or_default())),
                // What AWS has: a change of the spec may wait.
                (None, wish) => o
                    .output
                    .settings
                    .shown()
                    .or_else(|| wish.map(|wish| wish.receiver.shown()))
                    .or_else(|| old.and_then(|b| b.endpoint.clone())),
            };
            let measured = Measured { connected: o.connected(), ..o.measured.clone().unwrap_or_default() };
            let arn = o.output.arn.as_str();
            let sending = active && o.output.enabled;
            let known_before = if sending && is_changed(arn) { &[] } else { before.outputs.as_slice() };
            OutputStatus {
                name: o.output.name.clone(),
                arn: Some(arn.into()),
                status: Some(if o.output.enabled { "ENABLED" } else { "DISABLED" }.into()),
                endpoint,
                ..output(*role, Some(arn), known_before, sending, known(signal, measured), now)
            }
        })
        .collect();
}

/// What is said alike of an output of the flow and an output group of the channel.
fn output(
    role: Role,
    arn: Option<&str>,
    before: &[OutputStatus],
    sending: bool,
    measured: Measured,
    now: Timestamp,
) -> OutputStatus {
    let measured = if sending { measured } else { Measured::default() };
    let connected = measured.connected;
    let since = memory::unchanged_since(before, role, arn, sending, connected).cloned();
    let old = before.iter().find(|b| b.role == role.word());
    OutputStatus {
        role: role.word().into(),
        sending: Some(sending),
        connected,
        bitrate_kbps: steady(measured.bitrate.map(|b| b / 1000.0), old.and_then(|b| b.bitrate_kbps)),
        since: since.or_else(|| Some(Time(whole_second(now)))),
        ..OutputStatus::default()
    }
}

/// While there is nothing to send, a receiver that is not connected says nothing: how long it has been so counts from when the
/// programme is back.
fn known(programme: Option<bool>, measured: Measured) -> Measured {
    let connected = measured.connected.filter(|connected| *connected || programme != Some(false));
    Measured { connected, ..measured }
}

/// Whether the Source receives something; `None`: not known.
fn signal(seen: &Observed) -> Option<bool> {
    if let Programme::Flow { signal, .. } = &seen.flow { *signal } else { None }
}

fn of_channel(
    before: Option<&ChannelStatus>,
    uid: Option<&String>,
    seen: &Observed,
    now: Timestamp,
) -> Option<ChannelStatus> {
    let input = seen.input.present().filter(|i| i.state != InputState::Deleted);
    let channel = seen.channel.present().filter(|c| c.channel.state != ChannelState::Deleted);
    // What was requested and is not visible yet keeps its id.
    // So does what is not ours: nothing is made beside it.
    let kept = seen.input == Existence::Unknown || seen.channel == Existence::Unknown || !seen.not_ours.is_empty();
    let requested = before.filter(|_| kept);
    if input.is_none() && channel.is_none() && requested.is_none() {
        return None;
    }
    let outputs = channel.map_or_else(Vec::new, |found| {
        let sending = found.channel.state == ChannelState::Running;
        let of_role = |role: Role, shown: String| {
            let name = role.into();
            let before = before.map_or(&[] as &[_], |b| &b.outputs);
            let measured = found.endpoints.get(&name).and_then(|e| e.measured.clone()).unwrap_or_default();
            let measured = Measured { connected: found.connected(&name), ..measured };
            OutputStatus {
                name: role.as_str().into(),
                endpoint: Some(shown),
                ..output(role, None, before, sending, known(found.programme(signal(seen)), measured), now)
            }
        };
        targets(&found.channel.settings).into_iter().map(|(role, target)| of_role(role, target.shown())).collect()
    });
    Some(ChannelStatus {
        owner_uid: match channel {
            Some(c) if c.channel.tags.get(TAG_UID) == uid => uid.cloned(),
            _ => before.and_then(|b| b.owner_uid.clone()),
        },
        id: channel.map(|c| c.channel.id.clone()).or_else(|| requested.and_then(|r| r.id.clone())),
        arn: channel.map(|c| c.channel.arn.clone()),
        state: channel.map(|c| c.channel.state.as_str().into()),
        input_id: input.map(|i| i.id.clone()).or_else(|| requested.and_then(|r| r.input_id.clone())),
        input_state: input.map(|i| i.state.as_str().into()),
        outputs,
    })
}

/// Those that are set longest. What could not be read is what it was.
fn alerts(before: &DestinationStatus, seen: &Observed) -> Vec<AlertStatus> {
    let channel = match &seen.channel {
        Existence::Present(channel) if !channel.alerts_unread => channel,
        Existence::Absent if seen.recorded.is_empty() => return Vec::new(),
        Existence::Present(_) | Existence::Absent | Existence::Unknown => return before.alerts.clone(),
    };
    let mut alerts: Vec<_> = channel.alerts.iter().collect();
    alerts.sort_by(|a, b| (a.set, &a.kind, &a.message).cmp(&(b.set, &b.kind, &b.message)));
    let told = |a: &crate::resources::channel::Alert| AlertStatus { kind: a.kind.clone(), message: a.message.clone() };
    alerts.into_iter().take(ALERTS).map(told).collect()
}

/// What is encoded now; before there is a channel, what will be. A change that waits is not on the air.
fn encoding(wanted: &Wanted, seen: &Observed) -> Option<String> {
    let wish = wanted.channel.as_ref()?;
    let now = seen.channel.present().and_then(|c| groups::encoding(&c.channel.settings));
    Some(match now {
        Some(now) if *now != wish.encoding => now.to_string(),
        _ => wish.encoding_text.clone(),
    })
}

/// An id is noted as soon as it is known. Its state is not: that it was seen is another thing than that it was asked for.
fn created(status: &mut DestinationStatus, outcome: &Outcome<'_>) {
    let (Some(id), Some(Step::Act(actions))) = (outcome.created, outcome.step) else { return };
    for action in actions {
        match action {
            Action::Channel(ChannelAction::CreateInput(_)) => {
                status.channel.get_or_insert_default().input_id = Some(id.into())
            }
            Action::Channel(ChannelAction::Create(_)) => status.channel.get_or_insert_default().id = Some(id.into()),
            _ => {}
        }
    }
}

pub(super) fn active_endpoint(seen: &Observed) -> Option<ActiveEndpoint> {
    let on = seen.outputs.iter().filter(|(_, o)| o.output.enabled).map(|(role, _)| *role);
    let up = seen.channel.present().filter(|c| c.channel.state.is_up());
    let mut roles: Vec<Role> = on.chain(up.iter().flat_map(|c| groups::fed(&c.channel.settings))).collect();
    roles.sort_unstable();
    roles.dedup();
    match roles.as_slice() {
        [] => None,
        [Role::Primary] => Some(ActiveEndpoint::Primary),
        [Role::Backup] => Some(ActiveEndpoint::Backup),
        _ => Some(ActiveEndpoint::Both),
    }
}

fn word(before: &DestinationStatus, destination: &Destination, outcome: &Outcome<'_>, fed: &[Fed]) -> DestinationState {
    if destination.metadata.deletion_timestamp.is_some() {
        return DestinationState::Deleting;
    }
    let Some(seen) = outcome.seen else { return before.state.unwrap_or(DestinationState::Creating) };
    if !seen.recorded.is_empty() {
        // Only a look shows that it is off the air.
        return DestinationState::Stopping;
    }
    let air = Air::of(fed);
    let channel = seen.channel.present().map(|c| c.channel.state);
    if outcome.wanted.is_some_and(|w| w.suspended) {
        return what_is_seen(air, channel, &seen.flow);
    }
    // Of a spec that cannot be understood nothing was touched: what is on the air still is.
    let wants = outcome.wanted.is_none_or(|w| w.running);
    match outcome.step {
        // What is sent is said to be, whatever else is wrong.
        _ if wants && air == Air::Running => DestinationState::Running,
        _ if wants && air == Air::Silent => DestinationState::Silent,
        // It runs, and nobody looks at what a channel sends that is not ours.
        _ if wants && air == Air::Off && seen.still_sends().is_some() => DestinationState::Silent,
        Some(Step::Stalled(_)) => DestinationState::Error,
        _ if outcome.failure.is_some_and(|f| f.is_refusal() || f.class == FailureClass::Panic) => {
            DestinationState::Error
        }
        _ if !wants && air != Air::Off => DestinationState::Stopping,
        _ if !wants => match (channel, outcome.wanted.is_some_and(|w| w.prepare)) {
            // It is stopped when nothing is paid for any more.
            (Some(state), false) if !state.is_gone() => DestinationState::Stopping,
            (Some(state), true) if state.is_up() || state == ChannelState::Stopping => DestinationState::Stopping,
            (Some(ChannelState::Creating), true) => DestinationState::Creating,
            _ => DestinationState::Idle,
        },
        _ if air == Air::Refused => DestinationState::Error,
        _ if holds_back(outcome, seen) => DestinationState::Error,
        _ if seen.outputs.is_empty() && channel.is_none_or(|c| c == ChannelState::Creating || c.is_gone()) => {
            DestinationState::Creating
        }
        _ => DestinationState::Starting,
    }
}

/// The word for what is there, whatever is requested.
fn what_is_seen(air: Air, channel: Option<ChannelState>, flow: &Programme) -> DestinationState {
    match (air, channel) {
        (Air::Running, _) => DestinationState::Running,
        (Air::Silent, _) => DestinationState::Silent,
        (Air::Refused, _) => DestinationState::Error,
        (Air::Pending, _) | (_, Some(ChannelState::Starting | ChannelState::Recovering)) => DestinationState::Starting,
        (_, Some(ChannelState::Creating)) => DestinationState::Creating,
        (_, Some(ChannelState::Stopping | ChannelState::Deleting)) => DestinationState::Stopping,
        (Air::Off, None) if matches!(flow, Programme::NoFlow { certain: false }) => DestinationState::Starting,
        (Air::Off, _) => DestinationState::Idle,
    }
}

/// Whether it failed and is kept off the air, for a pause or for good: by what is remembered now, or was before.
fn holds_back(outcome: &Outcome<'_>, seen: &Observed) -> bool {
    let now = outcome.memory.filter(|memory| memory.is_anew).and_then(|memory| memory.restart.as_ref());
    let before = || outcome.wanted.and_then(|wanted| restart::known(wanted, seen));
    now.or_else(before).is_some_and(RestartState::holds_back)
}

fn last_error(
    before: &DestinationStatus,
    destination: &Destination,
    word: DestinationState,
    outcome: &Outcome<'_>,
    fed: &[Fed],
) -> Option<LastError> {
    let in_error = in_the_way::refused_in_error(destination, outcome);
    let (reason, message, severity) = if let Some(text) = in_error {
        (Reason::FlowError, text, "Error")
    } else if let Some(failure) = outcome.failure {
        // Being told to wait is the working of a limit, not an error of this object.
        if matches!(failure.class, FailureClass::Conflict | FailureClass::Throttled | FailureClass::NotLeading) {
            return before.last_error.clone();
        }
        (failure.reason(), failure.text(), if failure.is_refusal() { "Error" } else { "Warning" })
    } else {
        let decided = outcome.memory.filter(|memory| memory.is_anew).and_then(|memory| memory.restart.as_ref());
        match outcome.step {
            // What has failed just now.
            _ if decided.is_some_and(|state| state.cause.is_some()) => {
                let cause = decided.and_then(|state| state.cause.clone()).unwrap_or_default();
                (Reason::NotConnected, cause, "Warning")
            }
            Some(Step::Stalled(problem)) => (problem.reason, problem.message.clone(), "Error"),
            Some(Step::Wait { on: Waiting::Connecting(_), .. }) if word == DestinationState::Error => {
                (Reason::NotConnected, refused(fed).map(refusal).unwrap_or_default(), "Warning")
            }
            Some(Step::Settled | Step::Gone) => return None,
            Some(Step::Wait { on, .. }) if on.is_carried_out() => return None,
            _ => return before.last_error.clone(),
        }
    };
    match &before.last_error {
        Some(old) if old.reason == reason.as_str() && old.message == message => Some(old.clone()),
        _ => Some(LastError {
            at: Some(Time(whole_second(outcome.now))),
            reason: reason.as_str().into(),
            message,
            severity: severity.into(),
        }),
    }
}

fn conditions(
    status: &mut DestinationStatus,
    before: &DestinationStatus,
    destination: &Destination,
    outcome: &Outcome<'_>,
    fed: &[Fed],
) {
    let acting = match status.state {
        Some(DestinationState::Deleting) => Reason::Deleting,
        Some(DestinationState::Creating) => Reason::Creating,
        _ => Reason::Updating,
    };
    let mut list = Conditions::after(&before.conditions, destination.metadata.generation, outcome.now);
    let (reason, text) = as_requested(status, destination, outcome, fed);
    let settled = (reason, advice::with_advice(text, destination, outcome.wanted));
    match in_the_way::refused_in_error(destination, outcome) {
        Some(text) => {
            list.set(READY, Truth::False, Reason::FlowError, text.clone());
            list.set(RECONCILING, Truth::True, Reason::FlowError, text);
        }
        None => {
            list.outcome(outcome.step, outcome.failure, settled, acting);
        }
    }
    list.beside(outcome.seen.and_then(|seen| seen.left.refusal.as_ref()));
    if let (Some(DestinationState::Error), None, Some(refused)) = (status.state, outcome.failure, refused(fed))
        && matches!(outcome.step, Some(Step::Wait { on: Waiting::Connecting(_), .. }))
    {
        let text = refusal(refused);
        list.set(READY, Truth::False, Reason::NotConnected, text.clone());
        list.set(RECONCILING, Truth::True, Reason::NotConnected, text);
    }
    list.also(in_the_way::missing(outcome, fed));
    stop_unseen(&mut list, status, outcome);
    annotations::condition(&mut list, annotations::of_destination(destination));
    match (outcome.seen, outcome.failure) {
        (Some(seen), _) if is_whole(seen) => delivering(&mut list, fed, seen.still_sends()),
        // What was seen before this look is not known any more.
        (None, Some(failure)) => {
            list.doubt(DELIVERING, failure);
        }
        _ => {}
    }
    if let Some((wanted, kbps)) = over_limit(outcome, fed) {
        list.set(OVER_LIMIT, Truth::True, Reason::OverLimit, too_much(wanted, kbps));
    }
    if let (Some(wanted), Some(_)) = (outcome.wanted, outcome.seen) {
        advice::conditions(&mut list, wanted);
    }
    status.conditions = list.finish();
}

/// A stop that AWS has answered and no look has shown: it is not said to be off the air, nor that nothing was done.
fn stop_unseen(list: &mut Conditions<'_>, status: &DestinationStatus, outcome: &Outcome<'_>) {
    let looked = outcome.seen.is_some_and(|seen| seen.recorded.is_empty());
    let unseen = status.outputs.iter().any(|o| o.arn.is_some() && o.status.is_none());
    if looked || !unseen {
        return;
    }
    let why = outcome.failure.map(|failure| format!(" {}", failure.text())).unwrap_or_default();
    let text = format!("The stop was sent, and AWS has not shown yet that it is off the air.{why}");
    list.set(crate::conditions::READY, Truth::Unknown, Reason::StopPending, text.clone());
    list.set(crate::conditions::RECONCILING, Truth::True, Reason::StopPending, text);
}

/// Whether all was seen that may send.
fn is_whole(seen: &Observed) -> bool {
    let is_certain = !matches!(seen.flow, Programme::NoFlow { certain: false });
    is_certain && seen.recorded.is_empty() && seen.channel != Existence::Unknown
}
