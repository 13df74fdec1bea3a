//! The connection test of a Source: where it stands, and what it has found.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::observed::{Management, Observed, TestPhase};
use crate::age::age;
use crate::api::source::{ConnectionTestStatus, InputHealth, InputStatus, Source, SourceStatus};
use crate::conditions::{Conditions, INPUT_REACHABLE, Truth, is_true, whole_second};
use crate::existence::Existence;
use crate::reasons::Reason;
use crate::resources::flow::{Flow, FlowState};

pub(super) fn connection_test(status: &mut SourceStatus, source: &Source, seen: &Observed, now: Timestamp) {
    let Some(requested) = source.metadata.annotations.as_ref().and_then(|a| a.get(crate::api::TEST_CONNECTION)) else {
        status.connection_test = None;
        return;
    };
    let now = Time(whole_second(now));
    let fresh = ConnectionTestStatus { requested: requested.clone(), ..ConnectionTestStatus::default() };
    let mut test = status.connection_test.take().filter(|t| &t.requested == requested).unwrap_or(fresh);
    match seen.test {
        TestPhase::None => {}
        TestPhase::Wanted => {
            test.started_at.get_or_insert(now);
        }
        TestPhase::Running => {
            test.started_at.get_or_insert_with(|| now.clone());
            test.active_at.get_or_insert(now);
        }
        TestPhase::Over => {
            test.ended_at.get_or_insert(now);
        }
    }
    status.connection_test = Some(test);
}

pub(super) fn reachable(
    list: &mut Conditions<'_>,
    status: &SourceStatus,
    before: &SourceStatus,
    ignored: Option<String>,
    seen: Option<&Observed>,
) {
    let Some(test) = &status.connection_test else { return };
    if let Some(text) = ignored {
        list.set(INPUT_REACHABLE, Truth::Unknown, Reason::InvalidSpec, text);
        return;
    }
    // What another test has found answers none that came after it.
    let asked_before = before.connection_test.as_ref().is_some_and(|t| t.requested == test.requested);
    let answered = asked_before && is_true(&before.conditions, INPUT_REACHABLE);
    let heard: Vec<_> = status
        .inputs
        .iter()
        .filter(|i| matches!(i.health, Some(InputHealth::Healthy | InputHealth::Degraded)))
        .collect();
    // An address that AWS shows as the sender's is no measurement: it says who, not what.
    let is_measured = |i: &&InputStatus| {
        let measured = seen.and_then(|s| s.inputs.get(&i.name)).map(|i| &i.measured);
        measured.is_some_and(|m| m.bitrate.is_some() || m.connected == Some(true))
    };
    let told = |i: &&InputStatus| match i.bitrate_kbps {
        Some(rate) => format!("{} at {rate} kbit/s", i.name),
        None => i.name.clone(),
    };
    let measured = heard.iter().copied().filter(is_measured).map(|i| told(&i)).collect::<Vec<_>>().join(", ");
    let heard = heard.iter().map(|i| i.name.as_str()).collect::<Vec<_>>().join(", ");
    // The test ends with the flow's stop, and the first look at it afterwards: of a flow that is off nothing is measured.
    let runs = matches!(status.flow_state.as_deref(), Some("ACTIVE" | "UPDATING"));
    let last = if runs { &status.inputs } else { &before.inputs };
    let is_known = last.iter().filter(|i| i.in_flow).all(|i| i.health == Some(InputHealth::Failed));
    match (seen.map(|s| s.test), measured.is_empty()) {
        (Some(TestPhase::Wanted), _) => {
            list.set(INPUT_REACHABLE, Truth::Unknown, Reason::ConnectionTest, "The flow is starting for the test.");
        }
        (Some(TestPhase::Running | TestPhase::Over), false) => {
            list.set(INPUT_REACHABLE, Truth::True, Reason::Reachable, format!("Heard {measured}."));
        }
        (Some(TestPhase::Running | TestPhase::Over), true) if answered => {
            list.keep(INPUT_REACHABLE);
        }
        (Some(TestPhase::Running), true) => {
            let text = match heard.as_str() {
                "" => "Listening; nothing was heard yet.".to_string(),
                heard => format!("Somebody sends to {heard}; its bitrate is not measured yet."),
            };
            list.set(INPUT_REACHABLE, Truth::Unknown, Reason::ConnectionTest, text);
        }
        (Some(TestPhase::Over), true) if is_known => {
            list.set(INPUT_REACHABLE, Truth::False, Reason::Unreachable, Reason::Unreachable.meaning());
        }
        (Some(TestPhase::Over), true) => {
            let text = "The test ended before AWS had measured every input. Test for longer: give playout.dev/test-connection two minutes or more.";
            list.set(INPUT_REACHABLE, Truth::Unknown, Reason::ConnectionTest, text);
        }
        (Some(TestPhase::None), _)
            if seen.is_some_and(|s| !s.management.is_own())
                && status.connection_test.as_ref().is_some_and(|t| t.ended_at.is_none()) =>
        {
            let text = "The flow does not run, and Playout does not start it for a test: it is not the Source's own.";
            list.set(INPUT_REACHABLE, Truth::Unknown, Reason::ExternalStopped, text);
        }
        (Some(TestPhase::None), _) if !asked_before => {
            let text = "The test has not begun: the flow is not running yet for those who use it.";
            list.set(INPUT_REACHABLE, Truth::Unknown, Reason::ConnectionTest, text);
        }
        (Some(TestPhase::None) | None, _) => {
            list.keep(INPUT_REACHABLE);
        }
    }
}

/// Where a connection test stands, from the annotation, the status and the flow. `length` is the annotation, parsed.
#[must_use]
pub fn test_phase(
    source: &Source,
    flow: &Existence<Box<Flow>>,
    management: &Management,
    idle: bool,
    length: Option<Duration>,
    now: Timestamp,
) -> TestPhase {
    let Some(requested) = source.metadata.annotations.as_ref().and_then(|a| a.get(crate::api::TEST_CONNECTION)) else {
        return TestPhase::None;
    };
    let Some(length) = length else { return TestPhase::None };
    let test = source.status.as_ref().and_then(|s| s.connection_test.as_ref()).filter(|t| &t.requested == requested);
    if test.is_some_and(|t| t.ended_at.is_some()) {
        return TestPhase::None;
    }
    // Only a flow that may be started is waited for.
    let wanted = if management.is_own() { TestPhase::Wanted } else { TestPhase::None };
    let Existence::Present(flow) = flow else { return wanted };
    let began = test.is_some_and(|t| t.started_at.is_some());
    // A flow that runs anyway is its own test: it is looked at for the same time and left running.
    match (flow.state, test.and_then(|t| t.active_at.as_ref())) {
        (_, Some(active)) if age(active.0, now) >= length => TestPhase::Over,
        (FlowState::Active | FlowState::Updating, _) => TestPhase::Running,
        _ if began || idle => wanted,
        _ => TestPhase::None,
    }
}
