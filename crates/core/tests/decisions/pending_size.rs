//! What AWS takes only of a stopped flow waits for the stop, and holds up nothing else.

use playout_core::existence::Existence;
use playout_core::kinds::source::Outcome;
use playout_core::kinds::source::observed::Observed;
use playout_core::kinds::source::plan::{Action, pending, pending_changes, plan};
use playout_core::kinds::source::wanted::Wanted;
use playout_core::plan::{Desired, Step};
use playout_core::resources::flow::{FlowAction, FlowState, MaintenanceWindow};
use serde_json::{Value, json};

use crate::fixtures::{FLOW, REGION, at, flow, input, on_air, present, source_object, source_seen, source_spec, wish};

fn decide(wanted: &Desired<Wanted>, seen: &Observed) -> Step<Action> {
    plan(wanted, false, seen)
}

fn running() -> Observed {
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    seen
}

fn large() -> Vec<(&'static str, Value)> {
    vec![("/flowSize", json!("Large"))]
}

#[test]
fn a_running_flow_keeps_its_size_and_takes_all_else() {
    let seen = running();
    assert_eq!(decide(&wish(&large()), &seen), Step::Settled);
    let mut more = large();
    more.push(("/inputs/0", input("main", "Primary", 5050)));
    let step = decide(&wish(&more), &seen);
    assert!(
        matches!(&step, Step::Act(actions) if matches!(&actions[..], [Action::Flow(FlowAction::UpdateSource { .. })])),
        "{step:?}"
    );
}

#[test]
fn what_waits_is_listed_and_ready() {
    let (desired, seen) = (wish(&large()), running());
    let step = decide(&desired, &seen);
    let wanted = present(desired);
    let deferred = pending(&wanted, &seen);
    let (seen_now, step_now) = (Some(&seen), Some(&step));
    let outcome =
        Outcome { wanted: Some(&wanted), seen: seen_now, step: step_now, deferred: &deferred, ..Outcome::at(at(0)) };
    let source = source_object(source_spec(&large()));
    let status = playout_core::kinds::source::status::status(&source, &outcome, REGION);
    assert_eq!(status.pending_changes, ["flowSize"]);
    let ready = status.conditions.iter().find(|c| c.type_ == "Ready").expect("Ready");
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("True", "PendingChanges"));
    assert!(ready.message.contains("flowSize wait until it is stopped"), "{}", ready.message);
    let mut off = source_seen(&[]);
    assert_eq!(pending_changes(&wanted, &off), [] as [&str; 0], "it is about to be done");
    flow(&mut off).size = None;
    assert_eq!(pending_changes(&wanted, &off), [] as [&str; 0], "AWS does not say");
}

#[test]
fn inputs_that_need_a_large_flow_wait_with_its_size() {
    let mut wish_for_ndi = large();
    wish_for_ndi.push((
        "/inputs",
        json!([{ "name": "main", "priority": "Primary", "enabled": true, "protocol": "Ndi",
        "ndi": {}, "vpcInterface": "lan" }]),
    ));
    wish_for_ndi.push((
        "/network",
        json!({ "vpcInterfaces": [
        { "name": "lan", "subnetId": "subnet-0a", "securityGroupIds": ["sg-0a"] }] }),
    ));
    wish_for_ndi.push(("/ndi", json!({ "discoveryServers": [{ "address": "10.0.1.20", "vpcInterface": "lan" }] })));
    let desired = wish(&wish_for_ndi);
    let mut seen = source_seen(&[("/inputs", json!([input("main", "Primary", 5000)]))]);
    on_air(&mut seen);
    let step = decide(&desired, &seen);
    assert!(
        matches!(&step, Step::Act(actions) if matches!(&actions[..], [Action::Flow(FlowAction::AddVpcInterfaces { .. })])),
        "what waits for nothing is done: {step:?}"
    );
    let wanted = present(desired.clone());
    flow(&mut seen).vpc_interfaces.clone_from(&wanted.vpc_interfaces);
    assert_eq!(decide(&desired, &seen), Step::Settled);
    assert_eq!(pending_changes(&wanted, &seen), ["flowSize", "ndi", "inputs"]);
}

#[test]
fn the_maintenance_window_is_made_with_the_flow_and_changed_last() {
    let window = [("/maintenance", json!({ "day": "Tuesday", "startHour": 4 }))];
    let wanted = MaintenanceWindow { day: "Tuesday".into(), start: "04:00".into() };
    let mut seen = source_seen(&window);
    assert_eq!(flow(&mut seen).maintenance.as_ref(), Some(&wanted));
    assert_eq!(decide(&wish(&window), &seen), Step::Settled);
    seen.users.on_air = vec!["Destination/tube".into()];
    flow(&mut seen).maintenance = Some(MaintenanceWindow { day: "Friday".into(), start: "02:00".into() });
    let start = Action::Flow(FlowAction::Start { flow: FLOW.into() });
    assert_eq!(decide(&wish(&window), &seen), Step::Act(vec![start]), "the show comes first");
    flow(&mut seen).state = FlowState::Active;
    let set = Action::Flow(FlowAction::SetMaintenance { flow: FLOW.into(), window: wanted });
    assert_eq!(decide(&wish(&window), &seen), Step::Act(vec![set]));
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled, "AWS's own choice is no difference");
    let mut absent = seen;
    absent.flow = Existence::Absent;
    let step = decide(&wish(&window), &absent);
    let made =
        |actions: &[Action]| matches!(actions, [Action::Flow(FlowAction::Create(new))] if new.maintenance.is_some());
    assert!(matches!(&step, Step::Act(actions) if made(actions)), "{step:?}");
}

#[test]
fn a_stopped_flow_takes_its_size_before_it_starts() {
    let mut seen = source_seen(&[]);
    seen.users.on_air = vec!["Destination/tube".into()];
    let resize = Action::Flow(FlowAction::Resize { flow: FLOW.into(), size: "LARGE".into() });
    assert_eq!(decide(&wish(&large()), &seen), Step::Act(vec![resize]));
    flow(&mut seen).size = Some("LARGE".into());
    assert_eq!(decide(&wish(&large()), &seen), Step::Act(vec![Action::Flow(FlowAction::Start { flow: FLOW.into() })]));
}
