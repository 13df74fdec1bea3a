//! The only input that receives a signal is not taken out of a flow that sends, and what waits for that is told. What leads is
//! given to the other one first, because AWS removes no source that `sourcePriority` names.

use playout_api::source::InputHealth::{Failed, Healthy, Unknown};
use playout_core::fight::{Change, Left, What};
use playout_core::kinds::source::Outcome;
use playout_core::kinds::source::observed::Observed;
use playout_core::kinds::source::plan::{Action, pending, pending_changes, plan};
use playout_core::kinds::source::status::status;
use playout_core::plan::Step;
use playout_core::resources::flow::{FlowAction, FlowOutput, FlowState};
use serde_json::{Value, json};

use crate::fixtures::{at, flow, health, input, on_air, present, source_object, source_seen, source_spec, wish};

fn sending() -> Observed {
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    flow(&mut seen).outputs.push(FlowOutput {
        name: "playout-tube".into(),
        arn: "arn:aws:mediaconnect:us-west-2:111122223333:output:1:playout-tube".into(),
        enabled: true,
        settings: crate::fixtures::plain_rtp(),
        managed_by: None,
        listener_address: None,
    });
    seen
}

fn without_main() -> [(&'static str, Value); 1] {
    [("/inputs/0/enabled", json!(false))]
}

fn renamed() -> [(&'static str, Value); 1] {
    [("/inputs/0/name", json!("studio-a"))]
}

fn decide(changes: &[(&str, Value)], seen: &Observed) -> Step<Action> {
    plan(&wish(changes), false, seen)
}

fn leads(step: &Step<Action>) -> Option<&str> {
    match step {
        Step::Act(actions) => match &actions[..] {
            [Action::Flow(FlowAction::SetFailover { failover, .. })] => failover.primary.as_deref(),
            _ => None,
        },
        _ => None,
    }
}

#[test]
fn what_leads_is_given_to_the_other_one_before_it_goes() {
    for changes in [without_main(), renamed()] {
        let mut seen = sending();
        health(&mut seen, &[("main", Healthy), ("reserve", Healthy)]);
        assert_eq!(leads(&decide(&changes, &seen)), Some("reserve"), "{changes:?}");
        let mut off = source_seen(&[]);
        assert_eq!(leads(&decide(&changes, &off)), Some("reserve"), "{changes:?}");
        flow(&mut off).failover.primary = Some("reserve".into());
        let step = decide(&changes, &off);
        let removes = |a: &Action| matches!(a, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "main");
        assert!(matches!(&step, Step::Act(actions) if removes(&actions[0])), "{step:?}");
    }
}

#[test]
fn the_only_one_that_receives_something_stays_and_that_is_told() {
    for changes in [without_main(), renamed()] {
        for other in [Failed, Unknown] {
            let mut seen = sending();
            health(&mut seen, &[("main", Healthy), ("reserve", other)]);
            let desired = wish(&changes);
            let step = plan(&desired, false, &seen);
            assert_eq!(step, Step::Settled, "{changes:?}, {other:?}");
            let wanted = present(desired);
            assert_eq!(pending_changes(&wanted, &seen), ["inputs"]);
            let deferred = pending(&wanted, &seen);
            let outcome = Outcome {
                deferred: &deferred,
                wanted: Some(&wanted),
                seen: Some(&seen),
                step: Some(&step),
                failure: None,
                ..Outcome::at(at(0))
            };
            let status = status(&source_object(source_spec(&changes)), &outcome, crate::fixtures::REGION);
            let ready = status.conditions.iter().find(|c| c.type_ == "Ready").expect("Ready");
            assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("True", "PendingChanges"));
            assert!(ready.message.contains("input main is the only one"), "{}", ready.message);
            assert_eq!(status.active_input.as_deref(), Some("main"));
            let shown = status.inputs.iter().find(|i| i.name == "main").expect("what carries the show is shown");
            assert!(shown.in_flow && shown.health == Some(Healthy));
        }
    }
}

#[test]
fn who_stops_the_flow_or_sends_nothing_or_has_nothing_live_waits_for_nothing() {
    let mut dead = sending();
    health(&mut dead, &[("main", Failed), ("reserve", Failed)]);
    let mut silent = sending();
    health(&mut silent, &[("main", Healthy), ("reserve", Failed)]);
    let mut off = silent.clone();
    flow(&mut silent).outputs.clear();
    flow(&mut off).state = FlowState::Standby;
    for seen in [dead, silent, off] {
        assert_eq!(leads(&decide(&without_main(), &seen)), Some("reserve"));
        assert_eq!(pending_changes(&present(wish(&without_main())), &seen), [] as [&str; 0]);
    }
}

#[test]
fn other_inputs_are_changed_while_one_stays() {
    let mut seen = sending();
    health(&mut seen, &[("main", Healthy), ("reserve", Failed)]);
    let step = decide(&[("/inputs/0/enabled", json!(false)), ("/inputs/1", input("reserve", "Backup", 6001))], &seen);
    let updates = |a: &Action| matches!(a, Action::Flow(FlowAction::UpdateSource { name, .. }) if name == "reserve");
    assert!(matches!(&step, Step::Act(actions) if updates(&actions[0])), "{step:?}");
}

#[test]
fn an_input_whose_addition_is_refused_holds_up_no_other_change_and_takes_nothing_away() {
    let mut seen = source_seen(&[("/inputs", json!([input("main", "Primary", 5000)]))]);
    seen.left = Left::from_iter([Change::of("input reserve", What::Made)]);
    flow(&mut seen).failover.enabled = true;
    let step = decide(&[("/inputs/0", input("main", "Primary", 6000))], &seen);
    let updates = |a: &Action| matches!(a, Action::Flow(FlowAction::UpdateSource { name, .. }) if name == "main");
    assert!(matches!(&step, Step::Act(actions) if updates(&actions[0])), "{step:?}");
    // The one on the port of the other does not step aside for nothing.
    let mut seen = source_seen(&[]);
    seen.left = Left::from_iter([Change::of("input reserve", What::Settings)]);
    let exchanged = [("/inputs/0/srtListener/port", json!(5001)), ("/inputs/1/srtListener/port", json!(5000))];
    assert_eq!(decide(&exchanged, &seen), Step::Settled);
}
