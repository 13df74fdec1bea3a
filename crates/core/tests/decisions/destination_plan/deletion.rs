//! Whose an output is, and deletion.

use super::*;
use playout_core::resources::flow::OutputAction;

// ---------------------------------------------------------------------------------------------------- ownership

#[test]
fn a_foreign_output_under_our_name_is_never_touched() {
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).ownership = Ownership::Foreign;
    output(&mut seen, Role::Primary).tags = Some(BTreeMap::new());
    for changes in [vec![], vec![STOPPED], vec![other_url(), restart()], with_backup("Hot")] {
        let problem = stuck(decide(&dest(&changes), &seen));
        assert_eq!(problem.reason, Reason::NotOurs);
        assert!(problem.message.contains("not touched"), "{}", problem.message);
    }
    assert_eq!(decide(&Desired::Absent, &seen), Step::Gone);
}

#[test]
fn of_two_outputs_that_are_not_ours_the_one_that_sends_is_named() {
    let mut seen = backed("OnFailure");
    for (role, enabled) in [(Role::Primary, false), (Role::Backup, true)] {
        let output = output(&mut seen, role);
        (output.ownership, output.output.enabled) = (Ownership::Foreign, enabled);
    }
    let problem = stuck(decide(&dest(&with_backup("OnFailure")), &seen));
    assert!(problem.message.contains(&output_arn(Role::Backup)), "{}", problem.message);
    assert!(problem.message.contains("It still sends"), "{}", problem.message);
}

#[test]
fn a_foreign_backup_does_not_keep_our_primary_from_being_stopped() {
    let mut seen = backed("Hot");
    output(&mut seen, Role::Backup).ownership = Ownership::Foreign;
    let mut wish = with_backup("Hot");
    wish.push(STOPPED);
    assert_eq!(one(decide(&dest(&wish), &seen)), update(Role::Primary, None, Some(false)));
}

#[test]
fn an_output_of_an_earlier_object_of_this_name_is_taken_up_and_runs_on() {
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).ownership = Ownership::Inherited;
    retag(&mut seen, "uid-0");
    let wanted = present(dest(&[]));
    assert_eq!(decide(&dest(&[]), &seen), Step::Settled);
    let renewed = Action::Output(OutputAction::Tag { arn: output_arn(Role::Primary), tags: wanted.tags.clone() });
    assert_eq!(housekeeping(&wanted, &seen), [renewed]);
    // Not known is not different.
    output(&mut seen, Role::Primary).tags = None;
    assert_eq!(housekeeping(&wanted, &seen), []);
}

// ------------------------------------------------------------------------------------------------------- deletion

#[test]
fn deletion_removes_our_outputs_then_the_copies_and_then_lets_go() {
    assert_eq!(act(decide(&Desired::Absent, &backed("Hot"))), [remove(Role::Primary), remove(Role::Backup)]);
    let mut seen = srt_seen();
    assert_eq!(one(decide(&Desired::Absent, &seen)), remove(Role::Primary));
    seen.outputs.clear();
    let arn = seen.secrets[0].arn.clone();
    assert_eq!(one(decide(&Desired::Absent, &seen)), Action::Copy(CopyAction::Delete { arn }));
    seen.secrets.clear();
    assert_eq!(decide(&Desired::Absent, &seen), Step::Gone);
}

#[test]
fn deletion_does_not_need_a_source_a_flow_or_a_key() {
    for flow in [Programme::NoSource, Programme::NoFlow { certain: true }, programme(FlowState::Active, 3)] {
        let seen = Observed { flow, ..empty(FlowState::Active) };
        assert_eq!(decide(&Desired::Absent, &seen), Step::Gone);
    }
    let seen = Observed { flow: Programme::NoFlow { certain: false }, ..empty(FlowState::Active) };
    assert_eq!(waits(decide(&Desired::Absent, &seen)), Waiting::CreateOutcome, "its output may be on that flow");
}

#[test]
fn deletion_waits_for_a_flow_in_between_states() {
    for (state, waiting) in [
        (FlowState::Deleting, Waiting::FlowDeleting),
        (FlowState::Updating, Waiting::FlowUpdating),
        (FlowState::Starting, Waiting::FlowUpdating),
    ] {
        let mut seen = destination_seen(&[]);
        set_flow(&mut seen, state);
        assert_eq!(waits(decide(&Desired::Absent, &seen)), waiting);
    }
}

#[test]
fn retain_leaves_the_output_on_the_air() {
    assert!(retains(&destination_spec(&[("/deletionPolicy", json!("Retain"))])));
    assert_eq!(plan(&Desired::Absent, true, &destination_seen(&[])).step, Step::Gone);
}
