//! What is remembered: attempts, who leads, and until when.

use super::*;
use playout_core::resources::flow::OutputAction;

#[test]
fn what_was_decided_is_remembered_also_when_what_follows_fails() {
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 30);
    let plan = show.plan(&seen, 60);
    assert_eq!((&plan.step, plan.memory.goes_first), (&Step::Act(vec![stop()]), true));
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "medialive:StopChannel".into(),
        message: "timeout".into(),
    };
    let now = show.computed(&show.look(&seen, 60), &plan, Some(&failure), at(60));
    assert_eq!(now.retries.map(|r| (r.count, r.state)), Some((1, RetryWord::Waiting)));
}

// -------------------------------------------------------------------------------------------------------- retries

#[test]
fn restarts_are_remembered_with_their_count_their_pause_and_their_cause() {
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    assert_eq!((show.retries().count, show.retries().state, show.retries().up), (0, RetryWord::Trying, true));
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 30);
    show.pass(&seen, 100);
    let told = show.retries();
    assert_eq!((told.count, told.attempts, told.state, told.up), (1, 5, RetryWord::Waiting, false));
    assert_eq!(told.since, Some(Time(at(100))));
    assert_eq!(told.cause.as_deref(), Some("rtmps://live.example.com:443 does not take the stream."));
    assert_eq!(show.status().state, Some(DestinationState::Error));
    assert_eq!(show.status().last_error.as_ref().map(|e| e.reason.as_str()), Some("NotConnected"));
    let tries = show.tries(107).expect("tries");
    assert_eq!((tries.count, tries.phase, tries.since.as_secs()), (1, Phase::BackingOff, 7));
    // Our own stop for the pause does not forget it, and the pause is told.
    assert!(matches!(show.pass(&seen, 101), Step::Act(_)));
    show.pass(&in_state(&[], ChannelState::Stopping), 102);
    show.pass(&idle(&[]), 103);
    assert_eq!((show.retries().count, show.retries().state), (1, RetryWord::Waiting));
    assert_eq!(condition(show.status(), READY), Some(("False", "Restarting")));
    assert!(message(show.status(), READY).ends_with("Restart 1 of 5 follows after a pause."));
    show.pass(&idle(&[]), 115);
    assert_eq!((show.retries().count, show.retries().state), (1, RetryWord::Trying));
    assert_eq!(show.step(&idle(&[]), 116), Step::Act(vec![start()]));
    assert_eq!(show.status().state, Some(DestinationState::Starting));
}

#[test]
fn giving_up_is_told_as_stalled_with_the_count_until_it_is_asked_to_try_again() {
    let mut show = Show::new(&[("/retry", json!({"attempts": 1}))]);
    let mut refused = on_air(&[]);
    down(&mut refused, Role::Primary, 30);
    for second in [0, 1] {
        show.pass(&refused, second);
    }
    show.pass(&idle(&[]), 60);
    show.pass(&refused, 100);
    assert_eq!((show.retries().count, show.retries().state), (1, RetryWord::GaveUp));
    show.pass(&nothing(), 160);
    assert_eq!(condition(show.status(), STALLED), Some(("True", "GaveUp")));
    assert!(message(show.status(), STALLED).contains("It was restarted once and is off the air now."));
    assert_eq!(show.status().state, Some(DestinationState::Error));
    // Time alone does not bring it back.
    assert!(matches!(show.step(&nothing(), 1_000_000), Step::Stalled(p) if p.reason == Reason::GaveUp));
    let gave_up = |show: &Show| matches!(show.step(&nothing(), 200), Step::Stalled(p) if p.reason == Reason::GaveUp);
    let fresh = || Show { object: show.object.clone(), references: references() };
    // The annotation does, once.
    let mut asked = fresh();
    asked.annotate("1");
    assert!(!gave_up(&asked));
    asked.pass(&nothing(), 200);
    assert_eq!((asked.retries().count, asked.retries().state), (0, RetryWord::Trying));
    // So does another spec,
    let mut edited = fresh();
    edited.edit(&[other_url()]);
    assert!(!gave_up(&edited));
    // and another version of the key.
    let mut rotated = fresh();
    rotated.references = references_at("v2");
    assert!(!gave_up(&rotated));
    // Also when the pass that has noted the request could not look, or not understand the spec.
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "mediaconnect:DescribeFlow".into(),
        message: "busy".into(),
    };
    for request in [Show::annotate as fn(&mut Show, &str), |show, _| show.edit(&[other_url()])] {
        let mut unlucky = fresh();
        request(&mut unlucky, "2");
        let outcome = Outcome { wanted: None, seen: None, step: None, failure: Some(&failure), ..Outcome::at(at(170)) };
        unlucky.object.status = Some(status(&unlucky.object, &outcome));
        assert!(!gave_up(&unlucky));
    }
    assert!(gave_up(&fresh()));
}

#[test]
fn what_was_decided_on_an_object_that_was_edited_meanwhile_is_not_held_against_the_edit() {
    for attempts in [0, 5] {
        let mut show = Show::new(&[("/retry", json!({ "attempts": attempts }))]);
        show.pass(&on_air(&[]), 0);
        let mut refused = on_air(&[]);
        down(&mut refused, Role::Primary, 30);
        let seen = show.look(&refused, 60);
        let plan = show.plan(&refused, 60);
        // The write meets a conflict, the object is read again, and it is another one now.
        show.edit(&[other_url()]);
        let now = show.computed(&seen, &plan, None, at(60));
        assert_eq!(now.retries.map(|r| (r.count, r.state)), Some((0, RetryWord::Trying)));
    }
}

#[test]
fn after_five_minutes_of_a_stream_that_is_taken_the_count_begins_anew() {
    for (age, count) in [(FORGIVEN_AFTER.as_secs() - 1, 2), (FORGIVEN_AFTER.as_secs(), 0)] {
        let mut show = Show::new(&[]);
        show.pass(&on_air(&[]), 0);
        show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts").count = 2;
        let mut seen = on_air(&[]);
        channel(&mut seen).endpoints.insert(Role::Primary.into(), endpoint(Some(true), age));
        show.pass(&seen, 400);
        assert_eq!((show.retries().count, show.retries().up), (count, true), "after {age} s");
        show.pass(&seen, 500);
        assert_eq!(show.retries().count, count);
    }
    // Nor is it forgiven by what is not known.
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts").count = 2;
    let mut seen = on_air(&[]);
    channel(&mut seen).endpoints.insert(Role::Primary.into(), endpoint(None, 3600));
    show.pass(&seen, 4000);
    assert_eq!(show.retries().count, 2);
}

#[test]
fn a_passed_through_one_remembers_restarts_only_while_there_are_any() {
    let mut show = Show::of(destination_spec(&[]));
    let well = crate::fixtures::destination_seen(&[]);
    show.pass(&well, 0);
    assert_eq!(show.status().retries, None);
    let mut refused = well.clone();
    refused.outputs.get_mut(&Role::Primary).expect("an output").measured = Some(connected(Some(false)));
    show.pass(&refused, 60);
    show.pass(&refused, 61);
    assert_eq!((show.retries().count, show.retries().state), (1, RetryWord::Waiting));
    show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts").state = RetryWord::Trying;
    show.pass(&well, 400);
    assert_eq!(show.status().retries, None);
}

#[test]
fn a_stop_of_our_own_begins_anew_and_a_channel_that_is_found_down_has_failed() {
    let of = |up, seen: &Observed, changes: &[(&str, Value)]| {
        let mut show = Show::new(changes);
        show.pass(&on_air(changes), 0);
        show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts").up = up;
        show.pass(seen, 60);
        show.status().retries.clone()
    };
    for state in [ChannelState::Starting, ChannelState::Running, ChannelState::Recovering] {
        assert_eq!(of(false, &in_state(&[], state), &[]).map(|r| r.up), Some(true), "{state:?}");
    }
    let stopping = in_state(&[], ChannelState::Stopping);
    assert_eq!(of(true, &stopping, &[]).map(|r| r.up), Some(true), "it stops, and we did not ask for it");
    for state in [ChannelState::Creating, ChannelState::Updating, ChannelState::Deleting] {
        assert_eq!(of(true, &in_state(&[], state), &[]).map(|r| r.up), Some(false), "{state:?}");
    }
    let mut off = stopping.clone();
    stop_source(&mut off);
    assert_eq!(of(true, &off, &[PREPARE]).map(|r| r.up), Some(false), "the Source was told to stop");
    let changed = of(true, &on_air(&[]), &[]);
    assert_eq!(changed.map(|r| r.count), Some(0));
    let mut show = Show::new(&[restart()]);
    show.pass(&on_air(&[restart()]), 0);
    let mut drifted = on_air(&[restart()]);
    channel(&mut drifted).channel.settings.encodings.clear();
    assert_eq!(show.pass(&drifted, 10), Step::Act(vec![stop()]));
    assert_eq!(show.status().retries, None, "a stop of our own");
    show.pass(&in_state(&[restart()], ChannelState::Stopping), 20);
    assert!(!show.retries().up);
}

#[test]
fn a_lost_status_costs_the_count_and_nothing_else() {
    for state in ChannelState::ALL {
        let mut show = Show::new(&[]);
        let seen = in_state(&[], state);
        let step = show.pass(&seen, 0);
        assert!(!matches!(step, Step::Stalled(_)), "{state:?}");
        let retries = show.retries();
        assert_eq!((retries.count, retries.state, retries.up), (0, RetryWord::Trying, state.is_up()), "{state:?}");
    }
}

#[test]
fn what_stands_in_the_status_by_hand_or_from_another_clock_does_no_harm() {
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    let remembered = show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts");
    (remembered.count, remembered.state, remembered.since) = (u32::MAX, RetryWord::Waiting, Some(Time(at(5000))));
    assert_eq!(show.tries(0).map(|t| t.since), Some(Duration::ZERO), "what lies ahead has not lasted");
    let _ = show.step(&idle(&[]), 0);
    let remembered = show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts");
    (remembered.state, remembered.since) = (RetryWord::Trying, None);
    let mut refused = on_air(&[]);
    down(&mut refused, Role::Primary, 30);
    let tries = show.plan(&refused, 0).memory.restart.expect("restarts");
    assert_eq!(tries.phase, Phase::GaveUp);
    assert_eq!(memory::restart(&destination_object(spec(&[])), at(0)), None);
    assert_eq!(memory::failed_over_to(&destination_object(spec(&[]))), None);
}

// ------------------------------------------------------------------------------------------------------- failover

#[test]
fn a_switch_is_remembered_with_why_and_a_new_show_begins_with_the_primary() {
    let changes = [backup("OnFailure")];
    let mut show = Show::new(&changes);
    show.pass(&on_air(&changes), 0);
    assert_eq!(show.status().failover, None);
    assert_eq!(memory::failed_over_to(&show.object), None);
    let mut dead = dead_primary(30);
    alert(&mut dead, Some(Role::Primary), "Connection lost");
    show.pass(&dead, 100);
    let failover = show.status().failover.clone().expect("a switch");
    assert_eq!((failover.endpoint, failover.since), (ActiveEndpoint::Backup, Some(Time(at(100)))));
    assert_eq!(
        failover.reason,
        "rtmps://live.example.com:443 did not take the stream for 20 s. AWS says: Connection lost."
    );
    assert_eq!(memory::failed_over_to(&show.object), Some(Role::Backup));
    assert_eq!(show.status().active_endpoint, Some(ActiveEndpoint::Primary), "which is fed now is a fact");
    assert_eq!(show.pass(&dead, 101), Step::Act(vec![stop()]));
    show.pass(&on_backup(), 200);
    assert_eq!(show.status().active_endpoint, Some(ActiveEndpoint::Backup));
    assert_eq!(show.status().failover.as_ref().map(|f| f.since.clone()), Some(Some(Time(at(100)))));
    show.edit(&[backup("OnFailure"), STOPPED]);
    show.pass(&on_backup(), 300);
    assert_eq!(show.status().failover, None);
}

#[test]
fn what_is_told_is_remembered_after_the_annotation_is_gone() {
    let changes = [backup("OnFailure")];
    let mut show = Show::new(&changes);
    let primary = Observed {
        failover: FailoverState { requested: Some(Role::Primary), failed_over_to: None },
        ..on_air(&changes)
    };
    show.pass(&primary, 0);
    assert_eq!(show.status().failover, None, "it leads by itself");
    let backup_told = Observed {
        failover: FailoverState { requested: Some(Role::Backup), failed_over_to: None },
        ..on_air(&changes)
    };
    show.pass(&backup_told, 10);
    let failover = show.status().failover.clone().expect("a switch");
    assert_eq!(failover.endpoint, ActiveEndpoint::Backup);
    assert!(failover.reason.contains("playout.dev/active-endpoint"), "{}", failover.reason);
    show.pass(&on_backup(), 20);
    assert_eq!(show.status().failover, Some(failover), "nobody told anything else");
    show.pass(
        &Observed { failover: FailoverState { requested: Some(Role::Primary), failed_over_to: None }, ..on_backup() },
        30,
    );
    assert_eq!(show.status().failover.as_ref().map(|f| f.endpoint), Some(ActiveEndpoint::Primary));
}

#[test]
fn without_a_backup_for_failures_no_switch_is_remembered() {
    for changes in [vec![], vec![backup("Hot")]] {
        let mut show = Show::new(&changes);
        show.pass(
            &Observed {
                failover: FailoverState { requested: Some(Role::Backup), failed_over_to: None },
                ..on_air(&changes)
            },
            0,
        );
        assert_eq!(show.status().failover, None);
    }
}

#[test]
fn a_passed_through_switch_is_remembered_by_what_aws_shows() {
    let changes = [backup("OnFailure")];
    let mut show = Show::of(destination_spec(&changes));
    let mut seen = crate::fixtures::destination_seen(&changes);
    show.pass(&seen, 0);
    for (role, output) in &mut seen.outputs {
        output.output.enabled = *role == Role::Backup;
        output.measured = Some(connected(Some(true)));
    }
    show.pass(&seen, 60);
    let failover = show.status().failover.clone().expect("a switch");
    assert_eq!(
        (failover.endpoint, failover.reason.as_str()),
        (ActiveEndpoint::Backup, "the primary did not take the stream")
    );
    // Between two attempts none is fed, and that is not a switch.
    seen.outputs.values_mut().for_each(|o| o.output.enabled = false);
    let step = show.pass(&seen, 120);
    assert!(
        matches!(step, Step::Act(a) if matches!(&a[..], [Action::Output(OutputAction::Update { role: Role::Backup, enabled: Some(true), .. })]))
    );
    assert_eq!(show.status().failover, Some(failover));
}
