//! Two endpoints: both fed, or the second when the first is dead.

use super::*;
use playout_core::resources::flow::OutputAction;

// --------------------------------------------------------------------------------------------------------- backup

#[test]
fn a_hot_backup_is_fed_along_with_the_primary() {
    let actions = act(decide(&dest(&with_backup("Hot")), &empty(FlowState::Active)));
    let roles: Vec<_> = actions
        .iter()
        .map(|a| match a {
            Action::Output(OutputAction::Add { output, .. }) => (output.role, output.enabled),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(roles, [(Role::Primary, true), (Role::Backup, true)]);
    assert_eq!(decide(&dest(&with_backup("Hot")), &backed("Hot")), Step::Settled);
}

#[test]
fn a_backup_for_failures_stands_ready_without_being_fed() {
    let actions = act(decide(&dest(&with_backup("OnFailure")), &empty(FlowState::Active)));
    assert!(
        actions
            .iter()
            .all(|a| matches!(a, Action::Output(OutputAction::Add { output, .. }) if output.enabled == (output.role == Role::Primary))),
        "{actions:?}"
    );
    assert_eq!(decide(&dest(&with_backup("OnFailure")), &backed("OnFailure")), Step::Settled);
}

#[test]
fn the_backup_is_fed_when_the_primary_has_been_dead_for_twenty_seconds_and_before_the_primary_is_cut() {
    let wish = dest(&with_backup("OnFailure"));
    assert!(matches!(waits(decide(&wish, &primary_is_dead_for(19))), Waiting::Connecting(_)));
    assert_eq!(
        act(decide(&wish, &primary_is_dead_for(20))),
        [update(Role::Backup, None, Some(true)), update(Role::Primary, None, Some(false))]
    );
}

#[test]
fn a_dead_primary_with_an_edit_is_cut_first_and_edited_after_it() {
    let mut wish = with_backup("OnFailure");
    wish.push(other_url());
    let wish = dest(&wish);
    assert_eq!(
        act(decide(&wish, &primary_is_dead_for(20))),
        [update(Role::Backup, None, Some(true)), update(Role::Primary, None, Some(false))],
        "settings that AWS refuses must not keep both on the air"
    );
    let mut over = primary_is_dead_for(20);
    output(&mut over, Role::Primary).output.enabled = false;
    output(&mut over, Role::Backup).output.enabled = true;
    assert_eq!(one(decide(&wish, &over)), update(Role::Primary, Some(settings(&wish, Role::Primary)), None));
}

#[test]
fn nothing_is_switched_without_evidence_of_a_failure() {
    let wish = dest(&with_backup("OnFailure"));
    for measured in [None, Some(connected(None)), Some(connected(Some(true)))] {
        let mut seen = primary_is_dead_for(300);
        output(&mut seen, Role::Primary).measured = measured.clone();
        assert_eq!(decide(&wish, &seen), Step::Settled, "{measured:?}");
    }
    let mut silent = primary_is_dead_for(300);
    let Programme::Flow { signal, .. } = &mut silent.flow else { panic!("a flow") };
    *signal = Some(false);
    assert!(matches!(waits(decide(&wish, &silent)), Waiting::NoSignal(_)), "there is nothing to send");
    let mut standby = primary_is_dead_for(300);
    set_flow(&mut standby, FlowState::Standby);
    assert_eq!(waits(decide(&wish, &standby)), Waiting::FlowStarting);
}

#[test]
fn in_the_middle_of_a_switch_it_goes_on_and_on_the_backup_it_stays() {
    let wish = dest(&with_backup("OnFailure"));
    let mut middle = primary_is_dead_for(30);
    output(&mut middle, Role::Backup).output.enabled = true;
    assert_eq!(one(decide(&wish, &middle)), update(Role::Primary, None, Some(false)));
    let mut over = middle;
    output(&mut over, Role::Primary).output.enabled = false;
    output(&mut over, Role::Primary).measured = None;
    output(&mut over, Role::Backup).unchanged_for = BRIEFLY;
    for backup in [Some(true), Some(false)] {
        output(&mut over, Role::Backup).measured = Some(connected(backup));
        let step = decide(&wish, &over);
        assert!(!matches!(step, Step::Act(_)), "no flapping: {step:?}");
    }
}

#[test]
fn a_backup_that_was_hot_does_not_take_the_lead_from_a_living_primary() {
    assert_eq!(one(decide(&dest(&with_backup("OnFailure")), &backed("Hot"))), update(Role::Backup, None, Some(false)));
}

#[test]
fn the_annotation_tells_which_endpoint_is_fed() {
    let wish = dest(&with_backup("OnFailure"));
    let mut seen = backed("OnFailure");
    seen.failover.requested = Some(Role::Backup);
    assert_eq!(
        act(decide(&wish, &seen)),
        [update(Role::Backup, None, Some(true)), update(Role::Primary, None, Some(false))]
    );
    let mut back = seen.clone();
    output(&mut back, Role::Primary).output.enabled = false;
    output(&mut back, Role::Backup).output.enabled = true;
    output(&mut back, Role::Backup).measured = Some(connected(Some(true)));
    assert_eq!(decide(&wish, &back), Step::Settled);
    back.failover.requested = Some(Role::Primary);
    assert_eq!(
        act(decide(&wish, &back)),
        [update(Role::Primary, None, Some(true)), update(Role::Backup, None, Some(false))]
    );
}

#[test]
fn the_annotation_means_nothing_without_a_backup_or_with_a_hot_one() {
    let mut single = destination_seen(&[]);
    single.failover.requested = Some(Role::Backup);
    assert_eq!(decide(&dest(&[]), &single), Step::Settled);
    let mut hot = backed("Hot");
    hot.failover.requested = Some(Role::Backup);
    assert_eq!(decide(&dest(&with_backup("Hot")), &hot), Step::Settled);
}

#[test]
fn a_stop_stops_both() {
    let mut wish = with_backup("Hot");
    wish.push(STOPPED);
    assert_eq!(
        act(decide(&dest(&wish), &backed("Hot"))),
        [update(Role::Primary, None, Some(false)), update(Role::Backup, None, Some(false))]
    );
}

#[test]
fn a_backup_that_is_taken_out_of_the_spec_is_removed_and_the_primary_fed_first() {
    assert_eq!(one(decide(&dest(&[]), &backed("Hot"))), remove(Role::Backup));
    let mut on_backup = backed("OnFailure");
    output(&mut on_backup, Role::Primary).output.enabled = false;
    output(&mut on_backup, Role::Backup).output.enabled = true;
    assert_eq!(act(decide(&dest(&[]), &on_backup)), [update(Role::Primary, None, Some(true)), remove(Role::Backup)]);
}

#[test]
fn a_backup_that_carries_the_show_goes_only_when_the_primary_is_there() {
    let mut seen = backed("Hot");
    seen.outputs.remove(&Role::Primary);
    let step = decide(&dest(&[]), &seen);
    assert!(
        matches!(one(step), Action::Output(OutputAction::Add { output, .. }) if output.role == Role::Primary && output.enabled)
    );
    seen.flow = programme(FlowState::Active, 50);
    assert_eq!(one(decide(&dest(&[]), &seen)), remove(Role::Backup), "on a full flow it has to make room");
}

#[test]
fn a_backup_that_comes_later_does_not_touch_the_running_primary() {
    let Action::Output(OutputAction::Add { output, .. }) =
        one(decide(&dest(&with_backup("OnFailure")), &destination_seen(&[])))
    else {
        panic!("the backup")
    };
    assert_eq!((output.role, output.enabled), (Role::Backup, false));
    let mut wish = with_backup("Hot");
    wish.push(("/backup/streamKey/secretRef/name", json!("nowhere")));
    assert_eq!(stuck(decide(&dest(&wish), &destination_seen(&[]))).reason, Reason::SecretMissing, "it runs on");
}
