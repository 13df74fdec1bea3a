//! What keeps it from the air, and what is said of that.

use super::*;
use playout_core::resources::flow::OutputAction;

// ---------------------------------------------------------------------------------------- the flow and its Source

#[test]
fn quota_a_full_flow_is_told_with_the_numbers() {
    let mut seen = empty(FlowState::Active);
    seen.flow = programme(FlowState::Active, 50);
    let problem = stuck(decide(&dest(&[]), &seen));
    assert_eq!(problem.reason, Reason::QuotaExceeded);
    assert!(problem.message.contains("50 of 50") && problem.message.contains("1 more"), "{}", problem.message);
    seen.flow = programme(FlowState::Active, 49);
    assert!(matches!(one(decide(&dest(&[]), &seen)), Action::Output(OutputAction::Add { .. })));
    let problem = stuck(decide(&dest(&with_backup("Hot")), &seen));
    assert!(problem.message.contains("49 of 50") && problem.message.contains("2 more"), "{}", problem.message);
}

#[test]
fn quota_a_full_flow_does_not_touch_those_who_are_on_it() {
    let mut seen = destination_seen(&[]);
    seen.flow = programme(FlowState::Active, 50);
    assert_eq!(decide(&dest(&[]), &seen), Step::Settled);
    assert_eq!(one(decide(&dest(&[STOPPED]), &seen)), update(Role::Primary, None, Some(false)));
}

#[test]
fn another_region_than_the_sources_is_told() {
    let problem = stuck(decide(&dest(&[("/region", json!("eu-west-1"))]), &destination_seen(&[])));
    assert_eq!(problem.reason, Reason::RegionMismatch);
    assert!(problem.message.contains("us-west-2"), "{}", problem.message);
    assert_eq!(decide(&dest(&[("/region", json!("us-west-2"))]), &destination_seen(&[])), Step::Settled);
}

#[test]
fn without_a_source_or_its_flow_a_start_waits_and_a_stopped_one_does_not_care() {
    let mut seen = empty(FlowState::Active);
    for (flow, waiting) in [
        (Programme::NoSource, Waiting::SourceNotFound("studio".into())),
        (Programme::NoFlow { certain: true }, Waiting::SourceNotReady("studio".into())),
    ] {
        seen.flow = flow;
        assert_eq!(waits(decide(&dest(&[]), &seen)), waiting);
        assert_eq!(waits(decide(&dest(&[STOPPED, ("/prepare", json!(true))]), &seen)), waiting);
        assert_eq!(decide(&dest(&[STOPPED]), &seen), Step::Settled);
        assert_eq!(stuck(decide(&dest(&[missing_key()]), &seen)).reason, Reason::SecretMissing);
    }
}

#[test]
fn while_it_is_not_certain_that_the_flow_is_gone_none_is_said_to_be_stopped_or_deleted() {
    let seen = Observed { flow: Programme::NoFlow { certain: false }, ..empty(FlowState::Active) };
    assert_eq!(waits(decide(&dest(&[STOPPED]), &seen)), Waiting::CreateOutcome);
    assert_eq!(waits(decide(&dest(&[STOPPED, ("/prepare", json!(true))]), &seen)), Waiting::CreateOutcome);
    assert_eq!(waits(decide(&Desired::Absent, &seen)), Waiting::CreateOutcome);
    assert_eq!(waits(decide(&dest(&[]), &seen)), Waiting::SourceNotReady("studio".into()));
}

#[test]
fn a_source_that_is_told_to_stay_off_is_named() {
    let mut seen = destination_seen(&[]);
    set_flow(&mut seen, FlowState::Standby);
    assert_eq!(waits(decide(&dest(&[]), &seen)), Waiting::FlowStarting);
    for (why, told) in [
        (StaysOff::Told, "spec.state"),
        (StaysOff::Suspended, "is suspended"),
        (StaysOff::Deleted, "is being deleted"),
        (
            StaysOff::Stalled("Allow mediaconnect:StartFlow.".into()),
            "cannot start its flow: Allow mediaconnect:StartFlow.",
        ),
    ] {
        let Programme::Flow { stopped, .. } = &mut seen.flow else { panic!("a flow") };
        *stopped = Some(why);
        let Step::Wait { on, poll: None } = decide(&dest(&[]), &seen) else { panic!("for a watch") };
        assert!(on.message().contains("Source studio") && on.message().contains(told), "{}", on.message());
        assert_eq!(on.reason(), Reason::SourceStopped);
    }
}

#[test]
fn a_flow_in_error_is_told_and_a_stop_still_works() {
    let mut seen = destination_seen(&[]);
    set_flow(&mut seen, FlowState::Error);
    assert_eq!(stuck(decide(&dest(&[]), &seen)).reason, Reason::FlowError);
    assert_eq!(one(decide(&dest(&[STOPPED]), &seen)), update(Role::Primary, None, Some(false)));
}

#[test]
fn nothing_is_asked_of_a_flow_in_error_but_a_stop_and_a_removal() {
    let on_air = || {
        let mut seen = destination_seen(&[]);
        set_flow(&mut seen, FlowState::Error);
        seen
    };
    let mut off = on_air();
    output(&mut off, Role::Primary).output.enabled = false;
    // To be added, to be enabled, to be changed: AWS would refuse each, and say nothing of what is wrong.
    for (changes, seen) in [
        (vec![], empty(FlowState::Error)),
        (vec![], off.clone()),
        (vec![other_url(), restart()], on_air()),
        (vec![STOPPED, other_url()], off.clone()),
        (vec![STOPPED, ("/prepare", json!(true))], empty(FlowState::Error)),
    ] {
        let problem = stuck(decide(&dest(&changes), &seen));
        assert_eq!(problem.reason, Reason::FlowError, "{changes:?}: {}", problem.message);
    }
    assert_eq!(decide(&dest(&[STOPPED]), &off), Step::Settled);
    assert_eq!(one(decide(&Desired::Absent, &on_air())), remove(Role::Primary));
}

#[test]
fn what_a_flow_in_error_refuses_is_said_by_its_state() {
    let mut seen = destination_seen(&[]);
    set_flow(&mut seen, FlowState::Error);
    let refused = Failure {
        class: FailureClass::Invalid,
        operation: "mediaconnect:RemoveFlowOutput".into(),
        message: "BadRequestException: Flow f cannot be updated because it is currently ERROR.".into(),
    };
    for (desired, is_deleted) in [(dest(&[STOPPED]), false), (Desired::Absent, true)] {
        let mut object = destination_object(destination_spec(&[STOPPED]));
        if is_deleted {
            deleted(&mut object.metadata);
        }
        let plan = plan(&desired, false, &seen);
        let wanted = if let Desired::Present(wanted) = &desired { Some(wanted) } else { None };
        let outcome = outcome_of(wanted, Some(&seen), Some(&plan), 0);
        let told = status(&object, &Outcome { failure: Some(&refused), ..outcome });
        assert_eq!(condition(&told, READY), Some(("False", "FlowError")), "deleted: {is_deleted}");
        assert_eq!(condition(&told, RECONCILING), Some(("True", "FlowError")), "it goes on by itself");
        let message = &told.conditions[0].message;
        assert!(message.contains("Source studio") && message.contains("currently ERROR"), "{message}");
        assert!(!message.contains("Compare its words"), "{message}");
    }
}
