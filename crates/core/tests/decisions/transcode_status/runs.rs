//! What is said of its runs.

use super::*;

// ------------------------------------------------------------------------------------------------------- one life

#[test]
fn a_life_is_told_from_the_start_to_the_stop_and_why_it_ended() {
    use ChannelState as C;
    use DestinationState as W;
    let mut show = Show::new(&[]);
    let way = [
        (nothing(), W::Creating),
        (with_input(InputState::Creating), W::Creating),
        (in_state(&[], C::Creating), W::Creating),
        (idle(&[]), W::Starting),
        (in_state(&[], C::Starting), W::Starting),
        (pending(), W::Starting),
        (on_air(&[]), W::Running),
    ];
    for (second, (seen, word)) in (0_i64..).step_by(10).zip(way) {
        show.pass(&seen, second);
        assert_eq!(show.status().state, Some(word), "second {second}");
    }
    assert_eq!(show.status().last_runs[0].started, Some(Time(at(60))));
    show.edit(&[STOPPED]);
    show.pass(&on_air(&[]), 100);
    assert_eq!(show.status().state, Some(W::Stopping));
    show.pass(&in_state(&[], C::Stopping), 110);
    let run = &show.status().last_runs[0];
    assert_eq!((run.stopped.clone(), run.reason.as_deref()), (Some(Time(at(100))), Some("stopped as requested")));
    show.pass(&nothing(), 200);
    assert_eq!((show.status().state, &show.status().channel), (Some(W::Idle), &None));
    assert_eq!((&show.status().retries, &show.status().failover), (&None, &None));
}

#[test]
fn a_run_that_ends_by_a_failure_says_which() {
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    show.pass(&briefly_down(), 60);
    let why = show.status().last_runs[0].reason.clone().expect("a reason");
    assert!(why.contains("rtmps://live.example.com:443"), "{why}");
    assert_eq!(show.status().state, Some(DestinationState::Error));
    assert_eq!(condition(show.status(), READY), Some(("False", "NotConnected")));
    assert_eq!(condition(show.status(), STALLED), None, "it is tried on");
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    deleted(&mut show.object.metadata);
    show.pass(&on_air(&[]), 60);
    assert_eq!(show.status().last_runs[0].reason.as_deref(), Some("the Destination was deleted"));
}

#[test]
fn a_move_does_not_end_the_run() {
    let mut show = Show::of(destination_spec(&[]));
    show.pass(&passing(), 0);
    show.edit(&[]);
    let mut both = Observed { outputs: passing().outputs, ..on_air(&[]) };
    channel(&mut both).endpoints.insert(Role::Primary.into(), endpoint(None, 0));
    for (second, seen) in (10_i64..).step_by(10).zip([passing(), both, on_air(&[])]) {
        show.pass(&seen, second);
        assert_eq!(show.status().state, Some(DestinationState::Running), "second {second}");
    }
    assert_eq!(show.status().last_runs.len(), 1);
}

#[test]
fn when_looking_fails_nothing_is_forgotten() {
    let mut show = Show::new(&[backup("OnFailure")]);
    show.pass(&dead_primary(30), 0);
    let before = show.status().clone();
    let failure = Failure {
        class: FailureClass::Throttled,
        operation: "medialive:ListChannels".into(),
        message: "Too many requests".into(),
    };
    let desired = show.desired();
    let wanted = present(desired);
    let outcome =
        Outcome { wanted: Some(&wanted), seen: None, step: None, failure: Some(&failure), ..Outcome::at(at(60)) };
    let now = status(&show.object, &outcome);
    assert_eq!((&now.retries, &now.failover, &now.channel), (&before.retries, &before.failover, &before.channel));
}
