//! When the flow runs: its users, `state`, `suspend` and the test of a connection.

use super::*;
use playout_core::resources::flow::FlowAction;

// ---------------------------------------------------------------------------------------------------------- power

#[test]
fn auto_runs_the_flow_while_a_user_is_on_the_air() {
    let mut seen = source_seen(&[]);
    seen.users.idle = vec!["Destination/idle".into()];
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    seen.users.on_air = vec!["Destination/tube".into()];
    assert_eq!(one(decide(&wish(&[]), &seen)), Action::Flow(FlowAction::Start { flow: flow_arn() }));
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    seen.users.on_air.clear();
    assert_eq!(one(decide(&wish(&[]), &seen)), Action::Flow(FlowAction::Stop { flow: flow_arn() }));
}

#[test]
fn auto_does_not_cut_an_output_that_sends_and_starts_for_none() {
    let mut seen = source_seen(&[]);
    let sent = crate::fixtures::destination_seen(&[]).outputs.into_values().next().expect("an output").output;
    assert!(sent.enabled, "the fixture is on the air");
    flow(&mut seen).outputs = vec![sent];
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    assert_eq!(
        one(decide(&wish(&[("/state", json!("Stopped"))]), &seen)),
        Action::Flow(FlowAction::Stop { flow: flow_arn() })
    );
    flow(&mut seen).outputs[0].enabled = false;
    assert_eq!(one(decide(&wish(&[]), &seen)), Action::Flow(FlowAction::Stop { flow: flow_arn() }));
}

#[test]
fn running_and_stopped_are_obeyed_whoever_uses_it() {
    let mut seen = source_seen(&[]);
    assert_eq!(
        one(decide(&wish(&[("/state", json!("Running"))]), &seen)),
        Action::Flow(FlowAction::Start { flow: flow_arn() })
    );
    assert_eq!(decide(&wish(&[("/state", json!("Stopped"))]), &seen), Step::Settled);
    on_air(&mut seen);
    assert_eq!(decide(&wish(&[("/state", json!("Running"))]), &seen), Step::Settled);
    assert_eq!(
        one(decide(&wish(&[("/state", json!("Stopped"))]), &seen)),
        Action::Flow(FlowAction::Stop { flow: flow_arn() })
    );
}

#[test]
fn settings_are_repaired_before_the_start_and_after_the_stop() {
    let mut seen = source_seen(&[]);
    flow(&mut seen).sources[0].settings.whitelist_cidr = Some("0.0.0.0/0".into());
    let action = one(decide(&wish(&[("/state", json!("Running"))]), &seen));
    assert!(matches!(action, Action::Flow(FlowAction::UpdateSource { .. })), "{action:?}");
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(
        one(decide(&wish(&[("/state", json!("Stopped"))]), &seen)),
        Action::Flow(FlowAction::Stop { flow: flow_arn() }),
        "a change that AWS refuses must not keep the flow from being stopped"
    );
}

#[test]
fn a_copy_that_cannot_be_made_does_not_keep_the_flow_from_being_stopped() {
    let mut changes = with_password();
    changes.push(("/state", json!("Stopped")));
    let mut seen = source_seen(&changes);
    flow(&mut seen).state = FlowState::Active;
    seen.secrets.clear();
    assert_eq!(one(decide(&wish(&changes), &seen)), Action::Flow(FlowAction::Stop { flow: flow_arn() }));
}

#[test]
fn what_cannot_be_understood_can_still_be_stopped_and_is_then_told() {
    let broken = [
        ("/inputs/0/srtListener/encryption", json!({"passwordSecretRef": {"name": "nowhere", "key": "x"}})),
        ("/state", json!("Stopped")),
    ];
    let mut seen = source_seen(&[]);
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(one(decide(&wish(&broken), &seen)), Action::Flow(FlowAction::Stop { flow: flow_arn() }));
    flow(&mut seen).state = FlowState::Stopping;
    assert_eq!(waits(decide(&wish(&broken), &seen)), Waiting::FlowStopping);
    flow(&mut seen).state = FlowState::Standby;
    assert_eq!(stuck(decide(&wish(&broken), &seen)).reason, Reason::SecretMissing);
    seen.flow = Existence::Absent;
    assert_eq!(stuck(decide(&wish(&broken), &seen)).reason, Reason::SecretMissing, "and nothing is made");
}

#[test]
fn what_cannot_be_understood_runs_while_it_is_used_is_stopped_after_it_and_is_changed_in_nothing() {
    let broken = json!({"passwordSecretRef": {"name": "nowhere", "key": "x"}});
    let auto = wish(&[("/inputs/0/srtListener/encryption", broken.clone()), ("/tags/team", json!("sport"))]);
    let mut seen = source_seen(&with_password());
    on_air(&mut seen);
    flow(&mut seen).sources.pop();
    assert_eq!(stuck(decide(&auto, &seen)).reason, Reason::SecretMissing, "a show is not cut");
    seen.users.on_air.clear();
    assert_eq!(one(decide(&auto, &seen)), Action::Flow(FlowAction::Stop { flow: flow_arn() }));
    flow(&mut seen).outputs.push(foreign_output(false));
    assert_eq!(stuck(decide(&auto, &seen)).reason, Reason::SecretMissing, "another's output sends");
    flow(&mut seen).state = FlowState::Standby;
    seen.users.on_air = vec!["Destination/tube".into()];
    assert_eq!(stuck(decide(&auto, &seen)).reason, Reason::SecretMissing, "nor is it started");
    let running = wish(&[("/inputs/0/srtListener/encryption", broken), ("/state", json!("Running"))]);
    on_air(&mut seen);
    seen.users.on_air.clear();
    assert_eq!(stuck(decide(&running, &seen)).reason, Reason::SecretMissing, "it is told to run");
}

#[test]
fn a_suspended_source_is_looked_at_and_left_alone() {
    let mut seen = source_seen(&[]);
    flow(&mut seen).sources.pop();
    seen.users.on_air = vec!["Destination/tube".into()];
    assert_eq!(decide(&wish(&[("/suspend", json!(true))]), &seen), Step::Settled);
    seen.flow = Existence::Absent;
    assert_eq!(decide(&wish(&[("/suspend", json!(true))]), &seen), Step::Settled);
}

#[test]
fn a_connection_test_starts_an_idle_flow_and_stops_it_again() {
    let mut seen = source_seen(&[]);
    seen.test = TestPhase::Wanted;
    assert_eq!(one(decide(&wish(&[]), &seen)), Action::Flow(FlowAction::Start { flow: flow_arn() }));
    flow(&mut seen).state = FlowState::Active;
    seen.test = TestPhase::Running;
    assert_eq!(waits(decide(&wish(&[]), &seen)), Waiting::ConnectionTest);
    seen.test = TestPhase::Over;
    assert_eq!(one(decide(&wish(&[]), &seen)), Action::Flow(FlowAction::Stop { flow: flow_arn() }));
}

#[test]
fn a_connection_test_of_a_flow_that_runs_anyway_leaves_it_running() {
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    seen.test = TestPhase::Over;
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
}

#[test]
fn a_connection_test_runs_even_a_flow_that_is_told_to_stay_off() {
    let mut seen = source_seen(&[]);
    seen.test = TestPhase::Wanted;
    assert_eq!(
        one(decide(&wish(&[("/state", json!("Stopped"))]), &seen)),
        Action::Flow(FlowAction::Start { flow: flow_arn() })
    );
}

#[test]
fn who_waits_for_a_flow_learns_why_it_is_not_started_and_a_flow_that_is_up_is_nobodys_concern() {
    let healthy = after(&[], &Step::Settled);
    let problem = Problem::new(Reason::SecretMissing, "Create Secret nowhere.");
    let mut going = healthy.clone();
    deleted(&mut going.metadata);
    let stopped = ("/state", json!("Stopped"));
    for (source, why) in [
        (after(&[("/suspend", json!(true))], &Step::Settled), StaysOff::Suspended),
        (after(&[("/suspend", json!(true)), stopped.clone()], &Step::Settled), StaysOff::Suspended),
        (going, StaysOff::Deleted),
        (after(&[], &Step::Stalled(problem)), StaysOff::Stalled("Create Secret nowhere.".into())),
    ] {
        assert_eq!(stays_off(&source, FlowState::Standby), Some(why));
        for up in [FlowState::Starting, FlowState::Active, FlowState::Updating] {
            assert_eq!(stays_off(&source, up), None, "a show is not cut in {up:?}");
        }
    }
    for state in [FlowState::Standby, FlowState::Active] {
        assert_eq!(stays_off(&healthy, state), None);
        assert_eq!(stays_off(&after(std::slice::from_ref(&stopped), &Step::Settled), state), Some(StaysOff::Told));
    }
    let waits = Step::wait(Waiting::FlowStarting, std::time::Duration::ZERO);
    assert_eq!(stays_off(&after(&[], &waits), FlowState::Standby), None, "it is under way");
}
