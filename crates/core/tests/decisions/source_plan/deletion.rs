//! Deletion goes in order, waits for users and leaves what is not ours.

use super::*;
use playout_core::resources::flow::FlowAction;

// ------------------------------------------------------------------------------------------------------- deletion

#[test]
fn a_source_in_use_is_not_deleted_and_says_for_whom() {
    for retain in [false, true] {
        let mut seen = source_seen(&[]);
        seen.users.on_air = vec!["Destination/tube".into()];
        seen.users.idle = (0..6).map(|n| format!("Destination/idle-{n}")).collect();
        let step = plan(&Desired::Absent, retain, &seen);
        let Step::Wait { on, poll: None } = step else { panic!("waits for a watch: {step:?}") };
        let message = on.message();
        assert!(message.contains("Destination/tube") && message.contains("and 2 more"), "{message}");
    }
}

#[test]
fn while_deletion_waits_for_users_the_flow_stops_when_none_of_them_is_on_the_air() {
    let in_use = Waiting::InUse(vec!["Destination/tube".into()]);
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    seen.users.on_air = vec!["Destination/tube".into()];
    assert_eq!(waits(decide(&Desired::Absent, &seen)), in_use, "a show is not cut");
    seen.users.idle = std::mem::take(&mut seen.users.on_air);
    assert_eq!(one(decide(&Desired::Absent, &seen)), Action::Flow(FlowAction::Stop { flow: flow_arn() }));
    assert_eq!(one(plan(&Desired::Absent, true, &seen)), Action::Flow(FlowAction::Stop { flow: flow_arn() }));
    let told = Observed { auto: false, ..seen.clone() };
    assert_eq!(waits(plan(&Desired::Absent, true, &told)), in_use, "it is retained as it is");
    for change in [
        |seen: &mut Observed| flow(seen).outputs.push(foreign_output(false)),
        |seen: &mut Observed| seen.ownership = Ownership::Foreign,
        |seen: &mut Observed| seen.management = Management::Referenced,
        |seen: &mut Observed| seen.management = Management::AdoptionPending { shown: None, told: false },
        |seen: &mut Observed| flow(seen).state = FlowState::Standby,
    ] {
        let mut other = seen.clone();
        change(&mut other);
        assert_eq!(decide(&Desired::Absent, &other), Step::wait_for_watch(in_use.clone()), "{other:?}");
    }
    flow(&mut seen).state = FlowState::Stopping;
    assert!(matches!(decide(&Desired::Absent, &seen), Step::Wait { poll: Some(_), .. }), "it is seen to come to rest");
    seen.management = Management::Adopted;
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(one(decide(&Desired::Absent, &seen)), Action::Flow(FlowAction::Stop { flow: flow_arn() }));
}

#[test]
fn deletion_goes_in_order_stop_delete_copies_gone() {
    let mut seen = source_seen(&with_password());
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(one(decide(&Desired::Absent, &seen)), Action::Flow(FlowAction::Stop { flow: flow_arn() }));
    for (state, waiting) in [
        (FlowState::Stopping, Waiting::FlowStopping),
        (FlowState::Starting, Waiting::FlowStarting),
        (FlowState::Updating, Waiting::FlowUpdating),
        (FlowState::Deleting, Waiting::FlowDeleting),
    ] {
        flow(&mut seen).state = state;
        assert_eq!(waits(decide(&Desired::Absent, &seen)), waiting);
    }
    flow(&mut seen).state = FlowState::Standby;
    assert_eq!(one(decide(&Desired::Absent, &seen)), Action::Flow(FlowAction::Delete { flow: flow_arn() }));
    seen.flow = Existence::Absent;
    let actions = act(decide(&Desired::Absent, &seen));
    assert!(actions.len() == 2 && actions.iter().all(|a| matches!(a, Action::Copy(CopyAction::Delete { .. }))));
    seen.secrets.clear();
    assert_eq!(decide(&Desired::Absent, &seen), Step::Gone);
}

#[test]
fn deletion_waits_while_it_is_undecided_whether_a_flow_exists() {
    let mut seen = source_seen(&[]);
    seen.flow = Existence::Unknown;
    assert_eq!(waits(decide(&Desired::Absent, &seen)), Waiting::CreateOutcome);
}

#[test]
fn deletion_waits_for_the_outputs_of_medialive_and_of_others_and_names_them() {
    for state in [FlowState::Active, FlowState::Standby] {
        let mut seen = source_seen(&[]);
        flow(&mut seen).state = state;
        flow(&mut seen).outputs.push(foreign_output(true));
        let managed = waits(decide(&Desired::Absent, &seen));
        assert_eq!(managed, Waiting::ManagedOutputs(vec!["someone".into()]));
        // It may be that of a Destination that has just gone: AWS removes it with the input.
        assert!(!managed.message().contains("outside Playout"), "{}", managed.message());
        assert!(managed.message().contains("someone"), "{}", managed.message());
    }
    // One that was retained, and one that somebody else has put there.
    for state in [FlowState::Active, FlowState::Standby] {
        let mut seen = source_seen(&[]);
        flow(&mut seen).state = state;
        flow(&mut seen).outputs.push(foreign_output(false));
        assert_eq!(waits(decide(&Desired::Absent, &seen)), Waiting::ForeignOutputs(vec!["someone".into()]));
    }
}

#[test]
fn retain_leaves_everything_and_lets_the_object_go() {
    let mut seen = source_seen(&with_password());
    for state in [FlowState::Standby, FlowState::Error] {
        flow(&mut seen).state = state;
        assert_eq!(plan(&Desired::Absent, true, &seen), Step::Gone);
    }
    seen.flow = Existence::Absent;
    assert_eq!(plan(&Desired::Absent, true, &seen), Step::Gone);
    seen.flow = Existence::Unknown;
    assert_eq!(waits(plan(&Desired::Absent, true, &seen)), Waiting::CreateOutcome, "what is left is named");
}

#[test]
fn a_suspended_source_can_be_deleted() {
    let spec = source_spec(&[("/suspend", json!(true))]);
    let desired = wanted(&spec, &identity("Source", "studio"), &references_at("v1"), None, true);
    assert_eq!(one(decide(&desired, &source_seen(&[]))), Action::Flow(FlowAction::Delete { flow: flow_arn() }));
}

#[test]
fn outputs_of_others_on_our_flow_are_never_named_by_an_action() {
    let mut seen = source_seen(&[]);
    flow(&mut seen).outputs.push(foreign_output(false));
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
}
