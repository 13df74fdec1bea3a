//! The status of a Source, from what was seen. Pure; written in one place of the shell.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::Outcome;
use super::address::{endpoint, former, without_flow};
use super::as_requested::as_requested;
pub use super::connection_test::test_phase;
use super::connection_test::{connection_test, reachable};
use super::external;
use super::leading::{active_input, end, record};
use super::observed::{InputSeen, Management, Observed};
use super::plan::{Action, sources_move};
use crate::action::Action as _;
use crate::age::age;
use crate::annotations;
use crate::api::RECONCILE_AT;
use crate::api::policy::parse_duration;
use crate::api::source::{Health, InputHealth, InputStatus, OutputsUsed, Source, SourceState, SourceStatus};
use crate::conditions::{Conditions, HEALTHY, INPUT_REACHABLE, READY, RECONCILING, STALLED, Truth, whole_second};
use crate::evidence::{MEASUREMENT_PATIENCE, steady, unchanged_since};
use crate::existence::Existence;
use crate::failure::FailureClass;
use crate::identity::Ownership;
use crate::plan::{Deferred, Step};
use crate::reasons::Reason;
use crate::resources::flow::{Flow, FlowAction, FlowSource, FlowState, Measured, OUTPUTS_PER_FLOW};
use crate::resources::secret_copy;
use crate::wording::ended;

/// The judgement of an input under a Source's thresholds, by whether it receives something and by what was measured.
#[must_use]
pub fn judge(receives: Option<bool>, measured: &Measured, health: &Health) -> InputHealth {
    let over = |value: Option<f64>, limit: Option<i32>| match (value, limit) {
        (Some(value), Some(limit)) => value > f64::from(limit),
        _ => false,
    };
    let slow = measured.bitrate.is_some_and(|b| b < f64::from(health.min_bitrate_kbps) * 1000.0);
    match receives {
        None => InputHealth::Unknown,
        Some(false) => InputHealth::Failed,
        Some(true)
            if over(measured.packet_loss, Some(health.max_packet_loss_percent))
                || over(measured.round_trip, health.max_round_trip_ms)
                || slow =>
        {
            InputHealth::Degraded
        }
        Some(true) => InputHealth::Healthy,
    }
}

/// Whether the Source receives something, for its Destinations; `None`: not known. What was seen last holds while the looks
/// fail for as long as is looked again anyway: `health.interval`.
#[must_use]
pub fn signal(source: &Source, now: Timestamp) -> Option<bool> {
    let status = source.status.as_ref()?;
    let holds = parse_duration(&source.spec.health.interval).unwrap_or(MEASUREMENT_PATIENCE);
    let is_understood = |c: &Condition| c.type_ != READY || c.reason != Reason::NotUnderstood.as_str();
    // Nobody will look.
    if !status.conditions.iter().all(is_understood) {
        return None;
    }
    if unseen_since(status)?.is_some_and(|since| age(since, now) >= holds) {
        return None;
    }
    received(status)
}

/// Since when it is not known any more what the Source receives, if it is not; `None`: it has not said yet whether it is ready.
pub(crate) fn unseen_since(status: &SourceStatus) -> Option<Option<Timestamp>> {
    let ready = status.conditions.iter().find(|c| c.type_ == READY)?;
    // One that is not understood is not looked at.
    let is_unseen = (ready.status == "Unknown" && ready.reason != Reason::Suspended.as_str())
        || ready.reason == Reason::NotUnderstood.as_str();
    Some(is_unseen.then_some(ready.last_transition_time.0))
}

/// Whether it was last seen to receive something.
pub(crate) fn received(status: &SourceStatus) -> Option<bool> {
    match leader(status)?.health? {
        InputHealth::Healthy | InputHealth::Degraded => Some(true),
        InputHealth::Failed => Some(false),
        InputHealth::Unknown => None,
    }
}

/// What the leading input brings, in kbit/s.
#[must_use]
pub fn bitrate(status: &SourceStatus) -> Option<i64> {
    leader(status)?.bitrate_kbps
}

pub(super) fn leader(status: &SourceStatus) -> Option<&InputStatus> {
    let name = status.active_input.as_ref()?;
    status.inputs.iter().find(|i| &i.name == name)
}

/// The new status; `region` is where the operator looked.
#[must_use]
pub fn status(source: &Source, outcome: &Outcome<'_>, region: &str) -> SourceStatus {
    let before = source.status.clone().unwrap_or_default();
    let adoption = external::adoption(before.adoption.as_ref(), outcome.wanted, outcome.seen);
    let hidden = outcome.seen.is_some_and(|s| s.flow == Existence::Unknown);
    let failed = outcome.failure.is_some() || hidden;
    let mut status = SourceStatus {
        observed_generation: source.metadata.generation,
        region: Some(region.to_string()),
        last_handled_reconcile_at: if external::keeps_confirmation(before.adoption.as_ref(), adoption.as_ref(), failed)
        {
            before.last_handled_reconcile_at.clone()
        } else {
            source.metadata.annotations.as_ref().and_then(|a| a.get(RECONCILE_AT)).cloned()
        },
        adoption,
        ..before.clone()
    };
    let flow = match outcome.seen.map(|s| (&s.flow, external::other_owner(s), s.lost())) {
        Some((Existence::Present(flow), None, None)) => Some(&**flow),
        _ => None,
    };
    if let Some(seen) = outcome.seen {
        status.users = seen.users.all();
        owned(&mut status, source, seen);
        status.pending_changes = Deferred::fields(outcome.deferred);
        let copied = match outcome.step {
            Some(Step::Act(actions)) => actions.as_slice(),
            _ => &[],
        };
        let copied = copied.iter().filter_map(|a| if let Action::Copy(copy) = a { Some(copy) } else { None });
        let asked =
            seen.secrets_asked.then_some((seen.secret_names.as_slice(), [seen.secrets.as_slice(), &seen.lost_secrets]));
        status.passwords = secret_copy::names(&before.passwords, asked, copied);
        match (&seen.flow, flow) {
            (_, Some(flow)) => {
                // An address that lasts for a moment is nobody's to type.
                let moves = outcome.failure.is_none() && outcome.wanted.is_some_and(|w| sources_move(w, seen, flow));
                of_flow(&mut status, source, (seen, flow), moves, outcome.now);
            }
            // Also what is another object's: its people have not asked to have it shown here.
            (Existence::Absent | Existence::Present(_), None) => {
                let why = match seen.flow {
                    Existence::Absent => "the flow is not there any more",
                    _ => "the flow is not this Source's any more",
                };
                end(&mut status, why, outcome.now);
                status.flow_arn = None;
                status.flow_state = None;
                status.egress_ip = None;
                status.active_input = None;
                status.inputs = without_flow(&before.inputs, outcome.now);
                status.outputs = None;
                status.started_at = None;
            }
            (Existence::Unknown, None) => {}
        }
        connection_test(&mut status, source, seen, outcome.now);
    }
    if let Some(arn) = outcome.created {
        status.flow_arn = Some(arn.to_string());
    }
    status.state = Some(word(&before, source, outcome, flow));
    conditions(&mut status, &before, source, outcome, flow);
    status
}

/// Whether two statuses differ in what they say of the Source's users alone: who they are, and how many outputs they have.
#[must_use]
pub fn is_summary(stored: &SourceStatus, new: &SourceStatus) -> bool {
    let rest = |status: &SourceStatus| SourceStatus { users: Vec::new(), outputs: None, ..status.clone() };
    stored.outputs.is_some() == new.outputs.is_some() && rest(stored) == rest(new)
}

/// What is recorded of the right to the flow.
fn owned(status: &mut SourceStatus, source: &Source, seen: &Observed) {
    if seen.flow == Existence::Unknown {
        return;
    }
    status.not_ours = seen.lost().map(|flow| flow.arn.clone()).into_iter().collect();
    match (&seen.flow, seen.ownership) {
        (Existence::Present(_), Ownership::Ours) => status.owner_uid.clone_from(&source.metadata.uid),
        (Existence::Absent, _) => status.owner_uid = None,
        _ => {}
    }
}

fn of_flow(status: &mut SourceStatus, source: &Source, (seen, flow): (&Observed, &Flow), moves: bool, now: Timestamp) {
    let was_active = status.flow_state.as_deref() == Some("ACTIVE") || status.flow_state.as_deref() == Some("UPDATING");
    status.flow_arn = Some(flow.arn.clone());
    status.egress_ip.clone_from(&flow.egress_ip);
    match flow.state {
        FlowState::Active if !was_active || status.started_at.is_none() => {
            status.started_at = Some(Time(whole_second(now)));
        }
        FlowState::Standby | FlowState::Error | FlowState::Deleting => status.started_at = None,
        _ => {}
    }
    status.flow_state = Some(flow.state.as_str().into());
    status.outputs = Some(OutputsUsed {
        used: i32::try_from(flow.outputs.len()).unwrap_or(i32::MAX),
        limit: i32::try_from(OUTPUTS_PER_FLOW).unwrap_or(i32::MAX),
        summary: format!("{}/{OUTPUTS_PER_FLOW}", flow.outputs.len()),
    });
    let before = std::mem::take(&mut status.inputs);
    let names: Vec<&String> = if seen.management == Management::Referenced {
        flow.sources.iter().map(|s| &s.name).collect()
    } else {
        let mut specs: Vec<_> = source.spec.inputs.iter().collect();
        specs.sort_by_key(|i| i.priority);
        // What carries the show is shown for as long as it does.
        let leads =
            active_input(status, seen, flow).filter(|_| matches!(flow.state, FlowState::Active | FlowState::Updating));
        let leads = flow.sources.iter().filter(|s| Some(&s.name) == leads.as_ref()).map(|s| &s.name);
        let mut names: Vec<_> = specs.into_iter().map(|spec| &spec.name).collect();
        let unlisted: Vec<_> = leads.filter(|name| !names.contains(name)).collect();
        // First: its address is the one that an encoder is to have now.
        names.splice(0..0, unlisted);
        names
    };
    status.inputs = names
        .into_iter()
        .map(|name| {
            let in_flow = flow.sources.iter().find(|s| &s.name == name);
            let old = before.iter().find(|i| &i.name == name);
            let mut health = seen.inputs.get(name);
            let last = old.and_then(|old| old.endpoint.clone()).filter(|_| moves);
            let endpoint = in_flow.and_then(|source| last.or_else(|| endpoint(source, &seen.management)));
            let (former, is_new) = former(old, endpoint.as_ref(), health.map(|h| h.health), now);
            if is_new {
                health = None;
            }
            let mut input = input(name, in_flow, health, old, flow.state, now);
            if is_new {
                input.since = Some(Time(whole_second(now)));
            }
            InputStatus { endpoint, former, ..input }
        })
        .collect();
    record(status, source, seen, flow, now);
    status.active_input = active_input(status, seen, flow);
}

fn input(
    name: &str,
    source: Option<&FlowSource>,
    seen: Option<&InputSeen>,
    before: Option<&InputStatus>,
    flow: FlowState,
    now: Timestamp,
) -> InputStatus {
    let runs = matches!(flow, FlowState::Active | FlowState::Updating);
    let health = seen.filter(|_| runs && source.is_some()).map_or(InputHealth::Unknown, |s| s.health);
    let measured = seen.filter(|_| runs && health != InputHealth::Unknown).map(|s| &s.measured);
    let is = (Some(health), source.is_some());
    let since = before.and_then(|b| unchanged_since(&(b.health, b.in_flow), b.since.as_ref(), &is));
    InputStatus {
        name: name.into(),
        in_flow: source.is_some(),
        source_arn: source.map(|s| s.arn.clone()),
        endpoint: None,
        former: None,
        health: Some(health),
        since: since.cloned().or_else(|| Some(Time(whole_second(now)))),
        bitrate_kbps: steady(measured.and_then(|m| m.bitrate).map(|b| b / 1000.0), before.and_then(|b| b.bitrate_kbps)),
        packet_loss_percent: measured.and_then(|m| m.packet_loss).map(whole_up),
        round_trip_ms: steady(measured.and_then(|m| m.round_trip), before.and_then(|b| b.round_trip_ms)),
    }
}

fn whole_up(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a percentage")]
    if value.is_finite() { value.clamp(0.0, 100.0).ceil() as i64 } else { 0 }
}

fn word(before: &SourceStatus, source: &Source, outcome: &Outcome<'_>, flow: Option<&Flow>) -> SourceState {
    if let Some(flow) = flow {
        return match flow.state {
            FlowState::Standby => SourceState::Stopped,
            FlowState::Active => SourceState::Running,
            FlowState::Updating => SourceState::Updating,
            FlowState::Deleting => SourceState::Deleting,
            FlowState::Starting => SourceState::Starting,
            FlowState::Stopping => SourceState::Stopping,
            FlowState::Error => SourceState::Error,
        };
    }
    match (outcome.step, outcome.failure) {
        (Some(Step::Stalled(_)), _) => SourceState::Error,
        (_, Some(f)) if f.is_refusal() => SourceState::Error,
        (Some(Step::Gone), _) => SourceState::Deleting,
        (Some(_), _) if source.metadata.deletion_timestamp.is_some() => SourceState::Deleting,
        (Some(_), _) => SourceState::Creating,
        (None, _) => before.state.unwrap_or(SourceState::Unknown),
    }
}

fn conditions(
    status: &mut SourceStatus,
    before: &SourceStatus,
    source: &Source,
    outcome: &Outcome<'_>,
    flow: Option<&Flow>,
) {
    let settled = as_requested(status, source, outcome.seen, flow, outcome.deferred);
    let acting = match flow {
        // Also when the flow is gone and something is left that goes with it.
        _ if source.metadata.deletion_timestamp.is_some() => Reason::Deleting,
        None => Reason::Creating,
        Some(_) => Reason::Updating,
    };
    let mut list = Conditions::after(&before.conditions, source.metadata.generation, outcome.now);
    list.outcome(outcome.step, outcome.failure, settled, acting);
    list.beside(outcome.seen.and_then(|seen| seen.left.refusal.as_ref()));
    leaving_error(&mut list, outcome);
    match (outcome.seen, outcome.failure) {
        (Some(seen), _) => healthy(&mut list, status, flow, seen, source.spec.health.enabled),
        // What was seen before this look is not known any more.
        (None, Some(failure)) => {
            list.doubt(HEALTHY, failure);
        }
        (None, None) => {}
    }
    let ignored = annotations::of_source(source);
    reachable(&mut list, status, before, ignored.clone(), outcome.seen);
    annotations::condition(&mut list, ignored);
    status.conditions = list.finish();
    if let Some(test) = &mut status.connection_test {
        let answered = |c: &Condition| c.type_ == INPUT_REACHABLE && c.status != "Unknown";
        test.answered = status.conditions.iter().any(answered).then(|| test.requested.clone());
    }
}

/// What is said while the flow is taken out of state ERROR. What AWS refuses of it then says nothing of the spec.
fn leaving_error(list: &mut Conditions<'_>, outcome: &Outcome<'_>) {
    let Some(Step::Act(actions)) = outcome.step else { return };
    let [leaving @ Action::Flow(FlowAction::LeaveError { errors, .. })] = actions.as_slice() else { return };
    let is_stuck = outcome.failure.is_some_and(|f| f.is_refusal() || f.class == FailureClass::Panic);
    let text = match outcome.failure {
        None => format!("{}.", leaving.effect().sentence),
        Some(failure) => {
            let said = match failure.class {
                FailureClass::Invalid => {
                    format!("{}: {} The operator tries again.", failure.operation, ended(&failure.message))
                }
                _ => failure.text(),
            };
            format!(
                "AWS reports the flow in state ERROR: {errors}. {said} If it does not recover, delete the Source and create it again."
            )
        }
    };
    list.set(READY, Truth::False, Reason::FlowError, text.clone());
    list.set(if is_stuck { STALLED } else { RECONCILING }, Truth::True, Reason::FlowError, text);
}

fn healthy(list: &mut Conditions<'_>, status: &SourceStatus, flow: Option<&Flow>, seen: &Observed, measured: bool) {
    let Some(flow) = flow else { return };
    if !matches!(flow.state, FlowState::Active | FlowState::Updating) {
        return;
    }
    let leader = leader(status);
    let name = leader.map_or("", |i| i.name.as_str());
    let said = seen.inputs.get(name).and_then(|i| i.error.as_ref());
    let said = said.map(|said| format!(" AWS says: {said}")).unwrap_or_default();
    match leader.and_then(|i| i.health) {
        _ if !measured => {
            list.set(HEALTHY, Truth::Unknown, Reason::NotMeasured, "spec.health.enabled is false: nothing is measured.")
        }
        Some(InputHealth::Healthy) => {
            list.set(HEALTHY, Truth::True, Reason::SignalGood, format!("Input {name} receives a good signal."))
        }
        Some(InputHealth::Degraded) => list.set(
            HEALTHY,
            Truth::False,
            Reason::SignalDegraded,
            format!("Input {name} is degraded; compare status.inputs with the thresholds in spec.health.{said}"),
        ),
        Some(InputHealth::Failed) => list.set(
            HEALTHY,
            Truth::False,
            Reason::NoSignal,
            format!("Input {name} receives nothing; start the encoder.{said}"),
        ),
        Some(InputHealth::Unknown) | None => {
            let text = format!("AWS has published no measurement yet.{said}");
            list.set(HEALTHY, Truth::Unknown, Reason::NotMeasured, text)
        }
    };
}
