//! An edit on the air waits, or is made as `updatePolicy` says.

use super::*;

// ---------------------------------------------------------------------------------------------------------- edits

#[test]
fn an_edit_waits_while_on_the_air_and_is_listed_as_pending() {
    let edited = dest(&[other_url()]);
    let seen = destination_seen(&[]);
    assert_eq!(decide(&edited, &seen), Step::Settled);
    assert_eq!(pending_changes(&present(edited), &seen), ["url"]);
    let rekeyed = dest(&[("/streamKey/secretRef/key", json!("backup"))]);
    assert_eq!(decide(&rekeyed, &seen), Step::Settled);
    assert_eq!(pending_changes(&present(rekeyed), &seen), ["streamKey"]);
    assert!(pending_changes(&present(dest(&[])), &seen).is_empty());
}

#[test]
fn a_rotated_key_waits_like_an_edit() {
    let rotated = destination_wanted(&destination_spec(&[]), &references_at("v2"));
    assert_eq!(decide(&rotated, &destination_seen(&[])), Step::Settled);
    assert_eq!(pending_changes(&present(rotated), &destination_seen(&[])), ["streamKey"]);
}

#[test]
fn while_the_flow_takes_another_destinations_change_an_edit_still_waits_and_nothing_flickers() {
    let mut seen = destination_seen(&[]);
    set_flow(&mut seen, FlowState::Updating);
    assert_eq!(decide(&dest(&[]), &seen), Step::Settled, "a flow that takes a change still sends");
    assert_eq!(decide(&dest(&[other_url()]), &seen), Step::Settled);
    assert_eq!(pending_changes(&present(dest(&[other_url()])), &seen), ["url"]);
}

#[test]
fn with_restart_an_edit_is_made_in_place_at_once() {
    let edited = dest(&[other_url(), restart()]);
    let step = decide(&edited, &destination_seen(&[]));
    assert_eq!(one(step), update(Role::Primary, Some(settings(&edited, Role::Primary)), None));
}

#[test]
fn an_edit_is_made_while_stopped_or_while_the_flow_does_not_send() {
    let edited = dest(&[other_url(), STOPPED]);
    let expected = update(Role::Primary, Some(settings(&edited, Role::Primary)), None);
    assert_eq!(one(decide(&edited, &destination_seen(&[STOPPED]))), expected);
    let mut seen = destination_seen(&[]);
    set_flow(&mut seen, FlowState::Standby);
    assert_eq!(one(decide(&dest(&[other_url()]), &seen)), expected);
}

#[test]
fn an_edit_and_a_start_travel_in_one_update() {
    let edited = dest(&[other_url()]);
    let step = decide(&edited, &destination_seen(&[STOPPED]));
    assert_eq!(one(step), update(Role::Primary, Some(settings(&edited, Role::Primary)), Some(true)));
}

#[test]
fn a_stop_comes_alone_so_that_an_edit_that_aws_refuses_does_not_keep_it_on_the_air() {
    let step = decide(&dest(&[other_url(), STOPPED]), &destination_seen(&[]));
    assert_eq!(one(step), update(Role::Primary, None, Some(false)));
    let mut inherited = destination_seen(&[]);
    retag(&mut inherited, "uid-0");
    assert_eq!(one(decide(&dest(&[STOPPED]), &inherited)), update(Role::Primary, None, Some(false)));
}

#[test]
fn what_an_update_cannot_bring_about_is_made_by_replacement() {
    // From SRT with a password to SRT without: AWS keeps the encryption that an update leaves out.
    let plain = [("/encryption", Value::Null), restart()];
    assert_eq!(one(decide(&srt(&plain), &srt_seen())), remove(Role::Primary));
    let tls_off = [("/url", json!("rtmp://live.example.com:1935/app")), restart()];
    assert_eq!(one(decide(&dest(&tls_off), &destination_seen(&[]))), remove(Role::Primary));
    let other_protocol = srt(&[("/encryption", Value::Null), STOPPED]);
    assert_eq!(one(decide(&other_protocol, &destination_seen(&[STOPPED]))), remove(Role::Primary));
    let waits = srt(&[("/encryption", Value::Null)]);
    assert_eq!(decide(&waits, &srt_seen()), Step::Settled, "it is on the air");
}

#[test]
fn what_aws_chose_by_itself_is_no_edit() {
    let mut seen = srt_seen();
    output(&mut seen, Role::Primary).output.settings.min_latency = Some(2000);
    assert_eq!(decide(&srt(&[]), &seen), Step::Settled);
}

#[test]
fn while_the_flow_is_between_states_nothing_is_asked_of_it() {
    for (state, waiting) in [
        (FlowState::Starting, Waiting::FlowStarting),
        (FlowState::Stopping, Waiting::FlowStopping),
        (FlowState::Updating, Waiting::FlowUpdating),
        (FlowState::Deleting, Waiting::FlowDeleting),
    ] {
        let mut seen = destination_seen(&[]);
        set_flow(&mut seen, state);
        assert_eq!(waits(decide(&dest(&[STOPPED]), &seen)), waiting, "a stop");
        assert_eq!(waits(decide(&dest(&[]), &empty(state))), waiting, "an addition");
        set_flow(&mut seen, state);
        output(&mut seen, Role::Primary).output.enabled = false;
        assert_eq!(waits(decide(&dest(&[]), &seen)), waiting, "a start");
    }
}
