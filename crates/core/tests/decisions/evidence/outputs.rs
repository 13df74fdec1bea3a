//! Whether an output or a channel is being received.

use super::*;
use playout_core::resources::flow::OutputAction;

const SECOND: Duration = Duration::from_secs(1);
const ON_FAILURE: &str = "OnFailure";

fn with_backup(mode: &str) -> Vec<(&'static str, Value)> {
    vec![("/backup", backup_json(mode))]
}

// ----------------------------------------------------------------------------------------------------------- words

#[test]
fn an_output_that_aws_does_not_measure_is_being_sent_once_no_error_names_it_for_a_while() {
    let early = told(&[], &unmeasured(&[], QUIET_FOR - SECOND));
    assert_eq!((early.word(), early.condition(READY)), (DestinationState::Starting, Some(("False", "Connecting"))));
    let show = told(&[], &unmeasured(&[], QUIET_FOR));
    assert_eq!((show.word(), show.condition(READY)), (DestinationState::Running, Some(("True", "Running"))));
    assert!(show.message(READY).contains("is being sent"), "{}", show.message(READY));
    assert_eq!(show.condition(DELIVERING), Some(("Unknown", "NotMeasured")));
    assert!(show.status().started_at.is_some());
}

#[test]
fn where_aws_publishes_more_than_it_documents_that_is_used() {
    let show = told(&[], &destination_seen(&[]));
    assert_eq!((show.word(), show.condition(DELIVERING)), (DestinationState::Running, Some(("True", "Connected"))));
    assert!(show.message(READY).contains("on the air"), "{}", show.message(READY));
    let mut down = unmeasured(&[], SECOND);
    output(&mut down, Role::Primary).measured = Some(connected(Some(false)));
    let show = told(&[], &down);
    assert_eq!((show.word(), show.condition(DELIVERING)), (DestinationState::Error, Some(("False", "NotConnected"))));
}

#[test]
fn what_aws_measures_by_its_documents_is_waited_for() {
    let spec = destination_spec_of(srt_json(), &[]);
    let mut seen = destination_seen_of(&spec);
    output(&mut seen, Role::Primary).measured = Some(connected(None));
    output(&mut seen, Role::Primary).unchanged_for = MEASUREMENT_PATIENCE - SECOND;
    let mut show = Show::of(spec);
    assert!(matches!(waits(show.pass(&seen, 0)), Waiting::Connecting(_)));
    assert_eq!(show.word(), DestinationState::Starting);
}

#[test]
fn against_an_error_that_names_it_nothing_is_said_to_run() {
    for measured in [None, Some(connected(None)), Some(connected(Some(true))), Some(connected(Some(false)))] {
        for since in [SECOND, Duration::from_secs(3600)] {
            for signal in [Some(true), None] {
                let mut seen = refused(&[], since);
                output(&mut seen, Role::Primary).measured = measured.clone();
                set_signal(&mut seen, signal);
                let show = told(&[], &seen);
                assert_eq!(show.word(), DestinationState::Error, "{measured:?} {since:?} {signal:?}");
                assert_eq!(show.condition(READY).map(|c| c.0), Some("False"));
                assert_eq!(show.condition(DELIVERING), Some(("False", "NotConnected")));
            }
        }
    }
    let show = told(&[], &refused(&[], SECOND));
    assert_eq!(show.condition(READY), Some(("False", "NotConnected")));
    assert_eq!(show.condition(RECONCILING), Some(("True", "NotConnected")));
    assert_eq!(show.condition(STALLED), None);
    assert!(show.message(READY).contains(REFUSED), "{}", show.message(READY));
    let error = show.status().last_error.as_ref().expect("an error");
    assert!(error.message.contains(REFUSED), "{}", error.message);
    assert_eq!(show.status().outputs[0].connected, Some(false));
}

/// With any connection and either path, while the signal is gone or unknown.
#[test]
fn while_the_signal_is_gone_or_unknown_it_is_silent_and_never_running() {
    let paths = [
        (vec![], destination_seen(&[])),
        (vec![], unmeasured(&[], QUIET_FOR)),
        (with_backup("Hot"), destination_seen(&with_backup("Hot"))),
        (vec![("/delivery", json!("Transcode"))], transcode::on_air(&[])),
    ];
    for (changes, seen) in paths {
        for (heard, truth) in [(Some(false), "False"), (None, "Unknown")] {
            let mut seen = seen.clone();
            set_signal(&mut seen, heard);
            let mut show = told(&changes, &seen);
            assert_eq!(show.word(), DestinationState::Silent, "{changes:?} {heard:?}");
            assert_eq!(show.condition(READY), Some(("True", "NoSignal")));
            assert_eq!(show.condition(DELIVERING), Some((truth, "NoSignal")), "{changes:?}");
            assert_eq!((show.condition(RECONCILING), show.condition(STALLED)), (None, None));
            assert_eq!(show.status().started_at, None, "it has not begun");
            // So, too, after it ran: the encoder's pause does not end the run.
            set_signal(&mut seen, Some(true));
            show.pass(&seen, 100);
            assert_eq!(show.word(), DestinationState::Running);
            let runs = show.status().last_runs.clone();
            set_signal(&mut seen, heard);
            let step = show.pass(&seen, 200);
            assert!(matches!(step, Step::Wait { poll: Some(_), .. }), "it is looked at again soon: {step:?}");
            assert_eq!((show.word(), &show.status().last_runs), (DestinationState::Silent, &runs));
        }
    }
}

#[test]
fn a_spec_that_breaks_while_it_is_sent_is_judged_by_the_same_evidence() {
    let broken = [("/url", json!("rtmp://10.0.0.1/live"))];
    let mut silent = destination_seen(&[]);
    set_signal(&mut silent, None);
    let cases = [
        (destination_seen(&[]), DestinationState::Running),
        (unmeasured(&[], QUIET_FOR), DestinationState::Running),
        (silent, DestinationState::Silent),
        (refused(&[], SECOND), DestinationState::Error),
    ];
    for (seen, word) in cases {
        let mut show = told(&[], &destination_seen(&[]));
        show.object.spec = destination_spec(&broken);
        show.pass(&seen, 60);
        assert_eq!((show.word(), show.condition(STALLED)), (word, Some(("True", "InvalidSpec"))), "{seen:?}");
    }
}

#[test]
fn a_suspended_one_says_what_is_seen_and_nothing_of_the_wish() {
    let mut silent = destination_seen(&[]);
    set_signal(&mut silent, Some(false));
    let stopped = destination_seen(&[("/state", Value::Null)]);
    let cases = [
        (destination_seen(&[]), DestinationState::Running),
        (silent, DestinationState::Silent),
        (refused(&[], SECOND), DestinationState::Error),
        (stopped, DestinationState::Idle),
    ];
    for (seen, word) in &cases {
        for state in [json!("Running"), json!("Stopped"), Value::Null] {
            let changes = [("/suspend", json!(true)), ("/state", state)];
            let show = told(&changes, seen);
            assert_eq!((show.word(), show.condition(READY)), (*word, Some(("Unknown", "Suspended"))), "{changes:?}");
            assert_eq!(show.condition(RECONCILING), None);
        }
    }
    // Nor does the wish end a run that goes on.
    let mut show = told(&[], &destination_seen(&[]));
    let runs = show.status().last_runs.clone();
    show.object.spec = destination_spec(&[("/suspend", json!(true)), ("/state", json!("Stopped"))]);
    show.pass(&destination_seen(&[]), 60);
    assert_eq!(show.status().last_runs, runs);
    assert!(show.status().started_at.is_some());
}

#[test]
fn a_look_that_fails_leaves_the_word_and_makes_the_rest_unknown_in_one_write() {
    let failure = |class| Failure { class, operation: "mediaconnect:DescribeFlow".into(), message: "no answer".into() };
    for class in [FailureClass::Transient, FailureClass::Throttled, FailureClass::Denied] {
        let mut show = told(&[], &destination_seen(&[]));
        show.tell(None, None, Some(&failure(class)), 60);
        assert_eq!(show.word(), DestinationState::Running, "as before");
        assert_eq!(show.condition(READY).map(|c| c.0), Some("Unknown"));
        assert_eq!(show.condition(DELIVERING).map(|c| c.0), Some("Unknown"));
        let first = show.status().clone();
        show.tell(None, None, Some(&failure(class)), 600);
        assert_eq!(show.status(), &first, "no write a look");
    }
}

#[test]
fn stopped_is_delivering_nothing() {
    let off = [("/state", Value::Null)];
    let show = told(&off, &destination_seen(&off));
    assert_eq!((show.word(), show.condition(READY)), (DestinationState::Idle, Some(("True", "Stopped"))));
    assert_eq!(show.condition(DELIVERING), Some(("False", "Stopped")));
}

#[test]
fn what_is_wrong_with_the_programme_is_in_the_ready_message_and_its_reason() {
    let hot = with_backup("Hot");
    let mut seen = destination_seen(&hot);
    output(&mut seen, Role::Backup).error = Some(REFUSED.into());
    let show = told(&hot, &seen);
    assert_eq!((show.word(), show.condition(READY)), (DestinationState::Running, Some(("True", "NotConnected"))));
    assert!(show.message(READY).contains("rtmps://backup.example.com:443 does not take the stream"));
    assert_eq!(show.condition(DELIVERING), Some(("False", "NotConnected")));
    let twitch = [("/platform", json!("Twitch")), ("/url", Value::Null)];
    let mut seen = destination_seen(&twitch);
    let Programme::Flow { bitrate_kbps, .. } = &mut seen.flow else { panic!("a flow") };
    *bitrate_kbps = Some(9000);
    let show = told(&twitch, &seen);
    assert_eq!(show.condition(READY), Some(("True", "OverLimit")));
    assert!(show.message(READY).contains("9000 kbit/s"), "{}", show.message(READY));
    assert_eq!(show.condition(OVER_LIMIT), Some(("True", "OverLimit")));
}

// ------------------------------------------------------------------------------------------- failover and restarts

#[test]
fn the_backup_takes_over_from_a_primary_that_an_error_names_long_enough() {
    let wish = dest(&with_backup(ON_FAILURE));
    let refused = |seconds| refused(&with_backup(ON_FAILURE), Duration::from_secs(seconds));
    assert!(matches!(waits(decide(&wish, &refused(19))), Waiting::Connecting(_)));
    let enabled: Vec<_> = act(decide(&wish, &refused(20)))
        .iter()
        .map(|a| match a {
            Action::Output(OutputAction::Update { role, enabled, .. }) => (*role, *enabled),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(enabled, [(Role::Backup, Some(true)), (Role::Primary, Some(false))]);
    let mut silent = refused(300);
    set_signal(&mut silent, Some(false));
    assert!(matches!(waits(decide(&wish, &silent)), Waiting::NoSignal(_)), "there is nothing that it could refuse");
}

#[test]
fn restarts_are_counted_bounded_and_forgiven_without_any_measurement() {
    let retry = [("/retry", json!({ "attempts": 1, "after": "30s", "backoff": "10s" }))];
    let mut show = Show::new(&retry);
    assert!(matches!(waits(show.pass(&refused(&retry, Duration::from_secs(29)), 0)), Waiting::Connecting(_)));
    show.pass(&refused(&retry, Duration::from_secs(30)), 10);
    show.pass(&refused(&retry, Duration::from_secs(30)), 20);
    let retries = show.status().retries.clone().expect("restarts");
    assert_eq!((retries.count, retries.state), (1, RetryWord::Waiting));
    assert!(retries.cause.as_ref().is_some_and(|cause| cause.contains(REFUSED)), "{retries:?}");
    let off = {
        let mut off = refused(&retry, SECOND);
        output(&mut off, Role::Primary).output.enabled = false;
        off
    };
    show.pass(&off, 25);
    show.pass(&off, 40);
    assert_eq!(show.status().retries.as_ref().map(|r| r.state), Some(RetryWord::Trying));
    // It is sent again without an error for five minutes: then the count begins anew.
    let mut well = show.object.clone();
    std::mem::swap(&mut well, &mut show.object);
    let mut recovered = Show { object: well };
    recovered.pass(&unmeasured(&retry, FORGIVEN_AFTER - SECOND), 400);
    assert!(recovered.status().retries.is_some());
    recovered.pass(&unmeasured(&retry, FORGIVEN_AFTER), 401);
    assert_eq!(recovered.status().retries, None);
    // Or it is refused again: that was the last attempt.
    show.pass(&refused(&retry, Duration::from_secs(30)), 80);
    show.pass(&off, 82);
    assert_eq!((show.word(), show.condition(STALLED)), (DestinationState::Error, Some(("True", "GaveUp"))));
}

#[test]
fn a_new_key_is_tried_at_once_when_the_old_one_is_refused() {
    let rekeyed = destination_wanted(&destination_spec(&[]), &references_at("v2"));
    let on_air = unmeasured(&[], QUIET_FOR);
    assert_eq!(decide(&rekeyed, &on_air), Step::Settled, "it would interrupt what is sent");
    assert_eq!(pending_changes(&present(rekeyed.clone()), &on_air), ["streamKey"]);
    let dead = refused(&[], Duration::from_secs(20));
    assert!(matches!(
        act(decide(&rekeyed, &dead))[..],
        [Action::Output(OutputAction::Update { settings: Some(_), .. })]
    ));
    assert!(pending_changes(&present(rekeyed.clone()), &dead).is_empty());
    // So it is with a channel, which is stopped for it.
    let edited = transcode::live(&[transcode::other_url()]);
    let mut seen = transcode::on_air(&[]);
    assert_eq!(decide(&edited, &seen), Step::Settled, "it would interrupt what is taken");
    down(&mut seen, Role::Primary, 20);
    assert_eq!(act(decide(&edited, &seen)), [transcode::stop()]);
}

// ---------------------------------------------------------------------------------------------------------- channel

#[test]
fn a_channel_that_receives_nothing_is_silent_with_what_medialive_says() {
    for kind in ["Stopped Receiving UDP Input", "Video Not Detected", "Output Group is Paused"] {
        let mut seen = transcode::on_air(&[]);
        alert(&mut seen, None, "Nothing on [mediaconnect].");
        transcode::channel(&mut seen).alerts[0].kind = kind.into();
        let mut show = Show::of(transcode::spec(&[]));
        let on = waits(show.pass(&seen, 0));
        assert!(on.message().contains(kind) && on.message().contains("studio"), "{}", on.message());
        assert_eq!((show.word(), show.condition(READY)), (DestinationState::Silent, Some(("True", "NoSignal"))));
        assert_eq!(show.condition(DELIVERING), Some(("False", "NoSignal")));
        // What is lost for want of a programme is no failure of the receiver.
        down(&mut seen, Role::Primary, 3600);
        show.pass(&seen, 10);
        assert_eq!(show.word(), DestinationState::Silent, "{kind}");
    }
    let mut other = transcode::on_air(&[]);
    alert(&mut other, None, "SCTE-35 data could not be processed.");
    let mut show = Show::of(transcode::spec(&[]));
    show.pass(&other, 0);
    assert_eq!(show.word(), DestinationState::Running);
}
