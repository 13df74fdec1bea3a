//! `updatePolicy: WhenStopped` protects what is delivered. What no receiver takes, and what nothing can reach any more, is
//! changed at once.

use std::time::Duration;

use playout_core::endpoint::Role;
use playout_core::existence::Existence;
use playout_core::failover::Leads;
use playout_core::kinds::destination::observed::{Observed, Programme};
use playout_core::kinds::destination::plan::{Action, pending_changes, plan};
use playout_core::kinds::destination::wanted::Wanted;
use playout_core::plan::{Desired, Step};
use playout_core::resources::channel::ChannelAction;
use playout_core::resources::flow::OutputAction;
use serde_json::json;

use crate::fixtures::steps::{act, one};
use crate::fixtures::transcode::{alert, channel, down as not_taken, input, live, on_air, set_signal, stop};
use crate::fixtures::{
    connected, destination_seen, destination_spec, destination_wanted, output, present, references_at,
};

fn decide(desired: &Desired<Wanted>, seen: &Observed) -> Step<Action> {
    plan(desired, false, seen).step
}

fn corrected(changes: &[(&str, serde_json::Value)]) -> Desired<Wanted> {
    destination_wanted(&destination_spec(changes), &references_at("v2"))
}

fn down() -> Observed {
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    output(&mut seen, Role::Primary).unchanged_for = Duration::from_secs(60);
    seen
}

#[test]
fn a_corrected_key_of_an_output_that_nobody_takes_is_used_at_once() {
    let desired = corrected(&[]);
    let Action::Output(OutputAction::Update { settings: Some(_), enabled: None, .. }) = one(decide(&desired, &down()))
    else {
        panic!("it is used")
    };
    assert_eq!(pending_changes(&present(desired.clone()), &down()), [""; 0]);
    // A moment is no leave for what may be the key of the next show.
    let mut moment = down();
    output(&mut moment, Role::Primary).unchanged_for = Duration::from_secs(19);
    assert!(!matches!(decide(&desired, &moment), Step::Act(_)));
    assert_eq!(pending_changes(&present(desired.clone()), &moment), ["streamKey"]);
    // While it is delivered, or may be, it waits.
    for measured in [Some(connected(Some(true))), Some(connected(None)), None] {
        let mut seen = down();
        output(&mut seen, Role::Primary).measured = measured;
        assert!(!matches!(decide(&desired, &seen), Step::Act(_)));
        assert_eq!(pending_changes(&present(desired.clone()), &seen), ["streamKey"]);
    }
}

#[test]
fn of_a_hot_pair_only_the_output_that_nobody_takes_is_changed() {
    let changes = [("/backup", crate::fixtures::backup_json("Hot"))];
    let mut seen = destination_seen(&changes);
    output(&mut seen, Role::Backup).measured = Some(connected(Some(false)));
    let desired = corrected(&changes);
    let Action::Output(OutputAction::Update { role, settings: Some(_), .. }) = one(decide(&desired, &seen)) else {
        panic!("it is used")
    };
    assert_eq!(role, Role::Backup);
    assert_eq!(pending_changes(&present(desired), &seen), ["streamKey"]);
}

// ----------------------------------------------------------------------------------------------------- Transcode

#[test]
fn a_channel_that_no_receiver_takes_is_changed_at_once() {
    let mut seen = on_air(&[]);
    let wish = live(&[("/encoding", json!("480p30"))]);
    assert_eq!(decide(&wish, &seen), Step::Settled, "it waits for a stop");
    assert_eq!(pending_changes(&present(wish.clone()), &seen), ["encoding"]);
    not_taken(&mut seen, Role::Primary, 25);
    assert_eq!(one(decide(&wish, &seen)), stop());
    assert_eq!(pending_changes(&present(wish), &seen), [""; 0]);
}

/// A platform that restarts refuses for seconds, and MediaLive connects again: that costs no show its minutes of a restart.
#[test]
fn a_moment_of_refusal_is_no_leave_for_a_change_that_cures_nothing() {
    let wish = live(&[("/encoding", json!("480p30"))]);
    let mut seen = on_air(&[]);
    not_taken(&mut seen, Role::Primary, 1);
    assert!(matches!(decide(&wish, &seen), Step::Wait { .. }));
    assert_eq!(pending_changes(&present(wish), &seen), ["encoding"]);
    let corrected = live(&[("/url", json!("rtmps://right.example.com:443/app"))]);
    assert!(matches!(decide(&corrected, &seen), Step::Wait { .. }), "nor for the receiver of the next show");
    not_taken(&mut seen, Role::Primary, 20);
    assert_eq!(one(decide(&corrected, &seen)), stop(), "what has lasted is cured");
    // A backup takes the place of a primary that stays dead, and all that waits goes with that one restart.
    let both = live(&[("/backup", crate::fixtures::backup_json("OnFailure")), ("/encoding", json!("480p30"))]);
    let mut dead = on_air(&[("/backup", crate::fixtures::backup_json("OnFailure"))]);
    not_taken(&mut dead, Role::Primary, 25);
    let plan = plan(&both, false, &dead);
    assert!(matches!(&plan.memory.leads, Leads::Decided(lead) if lead.to == Role::Backup), "{plan:?}");
    assert_eq!(one(plan.step), stop());
}

/// AWS's own words: 5302 and 5007 of `monitor-activity-types-alerts-channels.html` of the MediaLive user guide.
#[test]
fn a_channel_that_receives_nothing_of_a_source_that_has_a_signal_is_changed_at_once() {
    let wish = live(&[("/encoding", json!("480p30"))]);
    for kind in ["Stopped Receiving UDP Input", "Video Not Detected"] {
        let mut deaf = on_air(&[]);
        alert(&mut deaf, None, "Nothing on [mediaconnect].");
        channel(&mut deaf).alerts[0].kind = kind.into();
        assert_eq!(one(decide(&wish, &deaf)), stop(), "{kind}");
        assert_eq!(pending_changes(&present(wish.clone()), &deaf), [""; 0], "{kind}");
        channel(&mut deaf).input_lost_for = Duration::from_secs(59);
        assert!(!matches!(decide(&wish, &deaf), Step::Act(_)), "{kind}: the signal that is known may be older");
        channel(&mut deaf).input_lost_for = Duration::from_secs(60);
        // Its input is of another flow, and that one is still there.
        let mut moved = deaf.clone();
        input(&mut moved).flows = vec!["arn:another".into()];
        assert_eq!(one(decide(&live(&[]), &moved)), stop(), "{kind}");
        // An encoder that pauses comes back, and finds the channel as it left it.
        set_signal(&mut deaf, Some(false));
        assert!(matches!(decide(&wish, &deaf), Step::Wait { .. }), "{kind}");
        assert_eq!(pending_changes(&present(wish.clone()), &deaf), ["encoding"], "{kind}");
    }
}

#[test]
fn a_channel_whose_flow_is_gone_takes_the_new_one_whatever_the_policy() {
    let mut seen = on_air(&[]);
    input(&mut seen).flows = vec!["arn:another".into()];
    assert_eq!(decide(&live(&[]), &seen), Step::Settled, "a flow that is there is not left under a running show");
    seen.cut_off = true;
    assert_eq!(one(decide(&live(&[]), &seen)), stop());
}

#[test]
fn a_channel_whose_input_is_gone_is_made_anew_whatever_the_policy() {
    let seen = Observed { input: Existence::Absent, cut_off: true, ..on_air(&[]) };
    assert_eq!(one(decide(&live(&[]), &seen)), stop());
    let seen = Observed { channel: Existence::Absent, ..seen };
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::Channel(ChannelAction::CreateInput(_))));
}

#[test]
fn a_channel_that_nothing_can_reach_is_not_paid_for_while_there_is_no_flow() {
    for flow in [Programme::NoSource, Programme::NoFlow { certain: true }, Programme::NoFlow { certain: false }] {
        let seen = Observed { flow, cut_off: true, ..on_air(&[]) };
        assert_eq!(act(decide(&live(&[]), &seen)), [stop()]);
        // A flow that cannot be seen may be there.
        let seen = Observed { cut_off: false, ..seen };
        assert!(matches!(decide(&live(&[]), &seen), Step::Wait { .. }));
    }
    let mut prepared = on_air(&[]);
    prepared.flow = Programme::NoSource;
    prepared.cut_off = true;
    channel(&mut prepared).channel.state = playout_core::resources::channel::ChannelState::Idle;
    let wish = live(&[("/state", json!("Stopped")), ("/prepare", json!(true))]);
    assert!(matches!(one(decide(&wish, &prepared)), Action::Channel(ChannelAction::Delete { .. })));
}
