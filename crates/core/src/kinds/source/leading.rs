//! Which input of a Source brings the programme, since when, and why it is not the one that is to: by what AWS shows. What it does
//! not say is no change. The pages that promise what is read here stand in [`crate::evidence`].

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::observed::Observed;
use crate::api::source::{InputFailover, InputHealth, InputRun, Source, SourceStatus};
use crate::conditions::whole_second;
use crate::resources::flow::{Flow, FlowSource, FlowState};

/// How many times that an input led are remembered.
const RUNS: usize = 10;

/// Who brings the programme.
enum Carrier<'a> {
    /// This input.
    Input(&'a str),
    /// None of them receives anything.
    Nothing,
    /// It is not known.
    Unknown,
}

/// What AWS measures as selected, if it receives something. It publishes that for failover of mode Failover alone: else the one
/// that should lead, unless it is known to receive nothing and another one receives something.
fn carrier<'a>(seen: &Observed, flow: &'a Flow) -> Carrier<'a> {
    let health = |source: &FlowSource| seen.inputs.get(&source.name).map_or(InputHealth::Unknown, |i| i.health);
    let receives = |source: &FlowSource| matches!(health(source), InputHealth::Healthy | InputHealth::Degraded);
    if !flow.sources.is_empty() && flow.sources.iter().all(|s| health(s) == InputHealth::Failed) {
        return Carrier::Nothing;
    }
    // What AWS measured before the operator's own change is not what is.
    if is_led_anew(seen, flow) {
        return Carrier::Unknown;
    }
    // Selected, and silent: AWS is about to move on.
    if let Some(selected) = selected(seen, flow) {
        return if receives(selected) { Carrier::Input(&selected.name) } else { Carrier::Unknown };
    }
    let first = first(flow);
    let fails = first.is_some_and(|s| health(s) == InputHealth::Failed);
    let other = flow.sources.iter().find(|s| receives(s)).filter(|_| fails);
    first.filter(|s| receives(s)).or(other).map_or(Carrier::Unknown, |s| Carrier::Input(&s.name))
}

fn selected<'a>(seen: &Observed, flow: &'a Flow) -> Option<&'a FlowSource> {
    if is_led_anew(seen, flow) {
        return None;
    }
    flow.sources.iter().find(|s| seen.inputs.get(&s.name).is_some_and(|i| i.measured.selected == Some(true)))
}

/// Whether another input may lead since the operator's own change, of which AWS has measured nothing yet.
pub(super) fn is_led_anew(seen: &Observed, flow: &Flow) -> bool {
    flow.sources.iter().any(|s| seen.inputs.get(&s.name).is_some_and(|i| i.led_anew))
}

/// The one that should lead.
fn first(flow: &Flow) -> Option<&FlowSource> {
    flow.sources.iter().find(|s| Some(&s.name) == flow.failover.primary.as_ref()).or(flow.sources.first())
}

/// The input that is to lead, as far as the flow or the spec says: of merged inputs the first in order of priority.
fn expected<'a>(source: &'a Source, flow: &'a Flow) -> Option<&'a str> {
    let is_in_flow = |name: &str| flow.sources.iter().any(|s| s.name == name);
    let of_spec = || source.spec.inputs.iter().filter(|i| is_in_flow(&i.name)).min_by_key(|i| i.priority);
    flow.failover.primary.as_deref().or_else(|| of_spec().map(|i| i.name.as_str()))
}

/// The input that leads, for the status: while it is not known, it is the one that was seen to; right after the operator's own change
/// the one that AWS was told, unless it is known to receive nothing.
pub(super) fn active_input(status: &SourceStatus, seen: &Observed, flow: &Flow) -> Option<String> {
    let in_flow = |name: &String| flow.sources.iter().any(|s| &s.name == name);
    if let Some(selected) = selected(seen, flow) {
        return Some(selected.name.clone());
    }
    match carrier(seen, flow) {
        Carrier::Input(name) => Some(name.to_string()),
        Carrier::Nothing => first(flow).map(|s| s.name.clone()),
        Carrier::Unknown => {
            let fails = |name: &str| seen.inputs.get(name).is_some_and(|i| i.health == InputHealth::Failed);
            let told = flow.failover.primary.as_ref().filter(|name| in_flow(name) && !fails(name));
            if let Some(told) = told.filter(|_| is_led_anew(seen, flow)) {
                return Some(told.clone());
            }
            let seen_to = open(&status.last_runs).map(|run| &run.input).filter(|name| in_flow(name));
            seen_to.or(first(flow).map(|s| &s.name)).cloned()
        }
    }
}

/// The run that has not ended.
pub(super) fn open(runs: &[InputRun]) -> Option<&InputRun> {
    runs.first().filter(|run| run.stopped.is_none())
}

/// Notes who brings the programme now.
pub(super) fn record(status: &mut SourceStatus, source: &Source, seen: &Observed, flow: &Flow, now: Timestamp) {
    match flow.state {
        FlowState::Active | FlowState::Updating => {}
        FlowState::Stopping | FlowState::Standby => return end(status, "the flow was stopped", now),
        FlowState::Starting => return end(status, "the flow was started anew", now),
        FlowState::Deleting => return end(status, "the flow is being removed", now),
        FlowState::Error => return end(status, "AWS reports the flow in state ERROR", now),
    }
    let before = open(&status.last_runs).map(|run| run.input.clone());
    let in_flow = |name: &str| flow.sources.iter().any(|s| s.name == name);
    let fails = |name: &str| seen.inputs.get(name).is_some_and(|i| i.health == InputHealth::Failed);
    let expected = expected(source, flow);
    let name = match carrier(seen, flow) {
        Carrier::Input(name) => name,
        Carrier::Nothing => return end(status, "no input receives anything", now),
        Carrier::Unknown => {
            if before.as_ref().is_some_and(|before| !in_flow(before)) {
                end(status, "it was taken out of the flow", now);
            }
            return;
        }
    };
    // Of a flow that is only used, and that names none, nobody has said which.
    let is_as_requested = expected.is_none_or(|expected| expected == name);
    let is_new = before.as_deref() != Some(name);
    if let Some(before) = before.filter(|_| is_new) {
        let why = match () {
            () if !in_flow(&before) => "it was taken out of the flow".to_string(),
            () if fails(&before) => "it receives nothing".to_string(),
            () if is_as_requested && status.failover.is_some() => format!("input {name} is back"),
            () if is_as_requested => format!("input {name} was made the leading one"),
            () => format!("AWS has moved on to input {name}"),
        };
        end(status, &why, now);
    }
    if is_new {
        let started = Some(Time(whole_second(now)));
        status.last_runs.insert(0, InputRun { input: name.into(), started, stopped: None, reason: None });
        status.last_runs.truncate(RUNS);
    }
    // A leader that was just named takes over in a moment; one that cannot does not.
    let is_failover = !is_as_requested && (is_new || status.failover.is_some() || expected.is_some_and(fails));
    if !is_failover {
        status.failover = None;
    } else if let Some(expected) = expected.filter(|_| status.failover.as_ref().is_none_or(|last| last.input != name)) {
        let why = match () {
            () if !in_flow(expected) => format!("input {expected} is not in the flow"),
            () if fails(expected) => {
                let said = seen.inputs.get(expected).and_then(|i| i.error.as_deref());
                let said = said.map(|said| format!(". AWS says: {}", said.trim_end_matches('.'))).unwrap_or_default();
                format!("input {expected} receives nothing{said}")
            }
            () => format!("AWS has moved on from input {expected}"),
        };
        let since = Some(Time(whole_second(now)));
        status.failover = Some(InputFailover { input: name.into(), since, reason: why });
    }
}

/// Nothing leads any more.
pub(super) fn end(status: &mut SourceStatus, why: &str, now: Timestamp) {
    status.failover = None;
    if let Some(run) = status.last_runs.first_mut().filter(|run| run.stopped.is_none()) {
        run.stopped = Some(Time(whole_second(now)));
        run.reason = Some(why.into());
    }
}

/// An input as people know it: with its priority, where it is not the first.
pub(super) fn named(source: &Source, name: &str) -> String {
    use crate::api::source::Priority;
    let priority = source.spec.inputs.iter().find(|i| i.name == name).map(|i| i.priority);
    match priority.filter(|priority| *priority != Priority::Primary) {
        Some(priority) => format!("{name} ({priority:?})"),
        None => name.to_string(),
    }
}

/// That another input than the one that is to lead brings the programme.
pub(super) fn stands_in(source: &Source, failover: &InputFailover) -> String {
    format!("Input {} leads: {}.", named(source, &failover.input), failover.reason)
}
