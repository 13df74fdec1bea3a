//! Start, stop, prepare and suspend.

use super::*;
use playout_core::resources::flow::OutputAction;

// --------------------------------------------------------------------------------------------- running and stopped

#[test]
fn an_output_on_the_air_that_the_receiver_takes_is_left_alone() {
    assert_eq!(decide(&dest(&[]), &destination_seen(&[])), Step::Settled);
}

#[test]
fn a_destination_without_state_is_stopped_and_nothing_is_made() {
    assert!(!present(dest(&[STOPPED])).running);
    assert_eq!(decide(&dest(&[STOPPED]), &empty(FlowState::Active)), Step::Settled);
    assert_eq!(decide(&dest(&[STOPPED]), &empty(FlowState::Standby)), Step::Settled);
}

#[test]
fn the_first_start_adds_the_output_enabled() {
    for state in [FlowState::Standby, FlowState::Active] {
        let Action::Output(OutputAction::Add { flow, output }) = one(decide(&dest(&[]), &empty(state))) else {
            panic!("an output")
        };
        assert_eq!(flow, FLOW);
        assert!(output.enabled);
        assert_eq!(output.settings, settings(&dest(&[]), Role::Primary));
        assert_eq!(output.tags[TAG_UID], "uid-1");
    }
}

#[test]
fn start_and_stop_change_the_status_of_the_output_and_nothing_else() {
    let stopped = destination_seen(&[STOPPED]);
    assert_eq!(one(decide(&dest(&[]), &stopped)), update(Role::Primary, None, Some(true)));
    for wish in [STOPPED, ("/state", json!("Stopped"))] {
        let step = decide(&dest(&[wish]), &destination_seen(&[]));
        assert_eq!(one(step), update(Role::Primary, None, Some(false)));
    }
}

#[test]
fn a_stopped_output_stays_for_the_next_start() {
    assert_eq!(decide(&dest(&[STOPPED]), &destination_seen(&[STOPPED])), Step::Settled);
}

#[test]
fn prepare_makes_the_output_while_stopped_without_sending() {
    let wish = [STOPPED, ("/prepare", json!(true))];
    let Action::Output(OutputAction::Add { output, .. }) = one(decide(&dest(&wish), &empty(FlowState::Active))) else {
        panic!("one")
    };
    assert!(!output.enabled);
    assert_eq!(decide(&dest(&wish), &destination_seen(&wish)), Step::Settled);
}

#[test]
fn a_suspended_destination_is_left_as_it_is_and_keeps_its_source_on() {
    let suspended = ("/suspend", json!(true));
    for changes in [vec![suspended.clone()], vec![suspended.clone(), STOPPED], vec![suspended.clone(), other_url()]] {
        assert_eq!(decide(&dest(&changes), &destination_seen(&[])), Step::Settled);
        assert_eq!(decide(&dest(&changes), &empty(FlowState::Active)), Step::Settled);
    }
    assert!(wants_to_run(&destination_spec(&[suspended])), "stopping the Source would take it off the air");
    assert!(!wants_to_run(&destination_spec(&[STOPPED])));
}
