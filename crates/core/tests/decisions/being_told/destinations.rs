//! Alerts, endpoints and ends of runs of a Destination.

use super::*;

fn warned(kind: &str, message: &str) -> Observed {
    let mut seen = transcode::on_air(&[]);
    alert(&mut seen, None, message);
    transcode::channel(&mut seen).alerts[0].kind = kind.into();
    seen
}

#[test]
fn an_alert_of_medialive_is_told_when_it_is_set_and_when_it_is_cleared() {
    let mut show = Show::of(transcode::spec(&[]));
    let well = transcode::on_air(&[]);
    show.pass(&well, 0);
    let deaf = warned("Audio Not Detected", "No audio in 1 s.");
    let told = show.pass(&deaf, 10);
    assert_eq!(words(&told), [(true, "Alert")]);
    assert!(told[0].2.contains("Audio Not Detected: No audio in 1 s."), "{told:?}");
    let (status, reason, message) = ready(&show.json());
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Alert"));
    assert!(message.starts_with("It is on the air.") && message.contains("Audio Not Detected"), "{message}");
    assert_eq!(show.pass(&deaf, 20), []);
    // The same in other words is the same.
    assert_eq!(show.pass(&warned("Audio Not Detected", "No audio in 2 s."), 30), []);
    // No answer about alerts is no end of them; nor is a restart of the operator a beginning.
    let mut unread = well.clone();
    transcode::channel(&mut unread).alerts_unread = true;
    assert_eq!(show.pass(&unread, 40), []);
    show.object = serde_json::from_value(show.json()).expect("as it is stored");
    assert_eq!(show.pass(&warned("Audio Not Detected", "No audio in 2 s."), 50), []);
    let told = show.pass(&well, 60);
    assert_eq!(words(&told), [(false, "Alert")]);
    assert!(told[0].2.contains("Audio Not Detected"), "{told:?}");
    assert_eq!(ready(&show.json()).1, "Running");
}

#[test]
fn alerts_go_with_the_channel_and_what_ready_says_of_one_is_not_said_twice() {
    let mut show = Show::of(transcode::spec(&[]));
    show.pass(&transcode::on_air(&[]), 0);
    // 5302: the channel receives nothing.
    let told = show.pass(&warned("Stopped Receiving UDP Input", "Stopped receiving network data on [udp://]."), 10);
    assert_eq!(words(&told), [(true, "NoSignal")]);
    assert!(told[0].2.contains("Stopped Receiving UDP Input"));
    show.object.spec = transcode::spec(&[transcode::STOPPED]);
    let told = show.pass(&transcode::in_state(&[], playout_core::resources::channel::ChannelState::Stopping), 20);
    assert!(!words(&told).iter().any(|(_, reason)| *reason == "Alert"), "{told:?}");
}

#[test]
fn alerts_are_told_at_most_ten_at_once_whatever_their_order() {
    let mut show = Show::of(transcode::spec(&[]));
    show.pass(&transcode::on_air(&[]), 0);
    let mut seen = transcode::on_air(&[]);
    for n in 0..14 {
        alert(&mut seen, None, &format!("alert {n}"));
        transcode::channel(&mut seen).alerts[n].kind = format!("Kind {n}");
    }
    assert_eq!(show.pass(&seen, 10).len(), 10);
    transcode::channel(&mut seen).alerts.reverse();
    assert_eq!(show.pass(&seen, 20), []);
}

/// What is wrong, what was well before it, the reason in `get`, and the Events of its beginning and its end.
type Wrong = (
    &'static str,
    DestinationSpec,
    Observed,
    Observed,
    &'static str,
    Vec<(bool, &'static str)>,
    Vec<(bool, &'static str)>,
);

#[test]
fn what_is_wrong_beside_the_programme_is_in_get_in_ready_and_one_event_each_way() {
    let hot = || destination_spec(&[("/backup", backup_json("Hot"))]);
    let seen = || destination_seen(&[("/backup", backup_json("Hot"))]);
    let mut half = seen();
    output(&mut half, Role::Backup).error = Some("Connection refused.".into());
    let mut over = seen();
    let Programme::Flow { bitrate_kbps, .. } = &mut over.flow else { panic!("a flow") };
    *bitrate_kbps = Some(90_000);
    let twitch = || destination_spec(&[("/platform", json!("Twitch")), ("/url", Value::Null)]);
    let at_twitch = || destination_seen(&[("/platform", json!("Twitch")), ("/url", Value::Null)]);
    let mut too_much = at_twitch();
    let Programme::Flow { bitrate_kbps, .. } = &mut too_much.flow else { panic!("a flow") };
    *bitrate_kbps = Some(90_000);
    let mut lost = seen();
    let Programme::Flow { signal, .. } = &mut lost.flow else { panic!("a flow") };
    *signal = Some(false);
    let mut foreign = seen();
    output(&mut foreign, Role::Backup).ownership = playout_core::identity::Ownership::Foreign;
    let cases: Vec<Wrong> = vec![
        (
            "half of a Hot pair",
            hot(),
            seen(),
            half,
            "NotConnected",
            vec![(true, "NotConnected")],
            vec![(false, "Running")],
        ),
        (
            "over the limit",
            twitch(),
            at_twitch(),
            too_much,
            "OverLimit",
            vec![(true, "OverLimit")],
            vec![(false, "Running")],
        ),
        ("no programme", hot(), seen(), lost, "NoSignal", vec![(true, "NoSignal")], vec![(false, "Running")]),
        ("an output not ours", hot(), seen(), foreign, "NotOurs", vec![(true, "NotOurs")], vec![(false, "Running")]),
    ];
    for (what, spec, well, wrong, reason, begins, ends) in cases {
        let mut show = Show::of(spec);
        show.pass(&well, 0);
        assert_eq!(words(&show.pass(&wrong, 10)), begins, "{what}");
        let (_, told, message) = ready(&show.json());
        assert_eq!(told, reason, "{what}: {message}");
        assert_eq!(show.pass(&wrong, 20), [], "{what}");
        assert_eq!(words(&show.pass(&well, 30)), ends, "{what}");
    }
}

#[test]
fn an_output_that_is_not_ours_and_sends_is_said_to_whatever_is_requested() {
    for state in ["Running", "Stopped"] {
        let changes = [("/state", json!(state))];
        let mut seen = destination_seen(&[]);
        output(&mut seen, Role::Primary).ownership = playout_core::identity::Ownership::Foreign;
        let mut show = Show::of(destination_spec(&changes));
        let told = show.pass(&seen, 0);
        assert_eq!(words(&told), [(true, "NotOurs")], "{state}");
        let (_, reason, message) = ready(&show.json());
        assert_eq!(reason, "NotOurs");
        assert!(
            message.contains("still sends") && message.contains(&crate::fixtures::output_arn(Role::Primary)),
            "{message}"
        );
    }
}

#[test]
fn an_input_that_stands_by_and_receives_nothing_is_in_the_message() {
    let mut studio = Studio::new(&[]);
    studio.pass(&live(&[("main", GOOD), ("reserve", DEAD)]), 0);
    let (_, reason, message) = ready(&studio.json());
    assert_eq!(reason, "Running");
    assert_eq!(message, "The flow is running. Input main leads. Input reserve (Backup) receives nothing.");
}

#[test]
fn packets_that_are_lost_are_told_and_in_get() {
    let mut studio = Studio::new(&[]);
    let well = live(&[("main", GOOD), ("reserve", GOOD)]);
    studio.pass(&well, 0);
    assert_eq!(
        words(&studio.pass(&live(&[("main", InputHealth::Degraded), ("reserve", GOOD)]), 60)),
        [(true, "SignalDegraded")]
    );
    assert_eq!(ready(&studio.json()).1, "SignalDegraded");
    assert_eq!(words(&studio.pass(&well, 120)), [(false, "Running")]);
}

#[test]
fn ready_says_that_the_backup_of_a_destination_is_fed_and_why() {
    let on_failure = [("/backup", backup_json("OnFailure"))];
    let well = destination_seen(&on_failure);
    let mut on_backup = well.clone();
    output(&mut on_backup, Role::Primary).output.enabled = false;
    output(&mut on_backup, Role::Backup).output.enabled = true;
    output(&mut on_backup, Role::Backup).measured = Some(crate::fixtures::connected(Some(true)));
    let mut show = Show::of(destination_spec(&on_failure));
    show.pass(&well, 0);
    assert_eq!(ready(&show.json()).2, "It is on the air.");
    show.pass(&on_backup, 60);
    let (_, reason, message) = ready(&show.json());
    assert_eq!(reason, "Running");
    assert_eq!(message, "It is on the air. The backup endpoint is fed: the primary did not take the stream.");
}

#[test]
fn a_run_that_has_ended_says_the_true_cause() {
    // A connection that AWS measured, and then does not any more.
    let srt = || crate::fixtures::destination_spec_of(crate::fixtures::srt_json(), &[]);
    let mut show = Show::of(srt());
    let well = crate::fixtures::destination_seen_of(&srt());
    show.pass(&well, 0);
    let mut quiet = well.clone();
    output(&mut quiet, Role::Primary).measured = Some(Default::default());
    output(&mut quiet, Role::Primary).unchanged_for = Duration::ZERO;
    show.pass(&quiet, 600);
    let told = why(&show);
    assert!(!told.contains("not taken the stream yet"), "{told}");
    assert!(told.contains("AWS does not show any more that srt://live.example.com:9000 takes the stream"), "{told}");
    // A receiver that refuses, while the Secret is not there either.
    let mut show = Show::of(destination_spec(&[]));
    show.pass(&destination_seen(&[]), 0);
    show.object.spec = destination_spec(&[transcode::missing_key()]);
    let mut refused = destination_seen(&[]);
    output(&mut refused, Role::Primary).error = Some("Connection refused.".into());
    show.pass(&refused, 60);
    let told = why(&show);
    assert!(told.contains("does not take the stream") && !told.contains("Secret"), "{told}");
}

#[test]
fn a_refusal_is_said_once_in_a_message() {
    let mut show = Show::of(destination_spec(&[]));
    let mut refused = destination_seen(&[]);
    output(&mut refused, Role::Primary).error = Some("Connection refused.".into());
    output(&mut refused, Role::Primary).unchanged_for = Duration::from_secs(1);
    show.pass(&refused, 0);
    let message = ready(&show.json()).2;
    assert_eq!(message.matches("take the stream").count(), 1, "{message}");
    assert!(message.contains("AWS says: Connection refused.") && message.contains("check the key"), "{message}");
}
