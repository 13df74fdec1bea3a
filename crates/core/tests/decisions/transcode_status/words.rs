//! What is said of it, from one look.

use super::*;

// ------------------------------------------------------------------------------------------------------------ words

#[test]
fn one_word_tells_where_it_is_at_every_step_of_its_life() {
    use ChannelState as C;
    use DestinationState as W;
    let run: &[(&str, Value)] = &[];
    let off: &[(&str, Value)] = &[STOPPED];
    let ready: &[(&str, Value)] = &[STOPPED, PREPARE];
    let cases = [
        ("nothing yet", run, nothing(), W::Creating),
        ("the input is being made", run, with_input(InputState::Creating), W::Creating),
        ("the input is there", run, with_input(InputState::Detached), W::Creating),
        ("the channel is being made", run, in_state(run, C::Creating), W::Creating),
        ("a channel that is no more", run, in_state(run, C::Deleted), W::Creating),
        ("made", run, idle(run), W::Starting),
        ("changed", run, in_state(run, C::Updating), W::Starting),
        ("starting", run, in_state(run, C::Starting), W::Starting),
        ("sending, nothing measured yet", run, pending(), W::Starting),
        ("the receiver takes it", run, on_air(run), W::Running),
        ("the receiver does not take it", run, briefly_down(), W::Error),
        ("AWS restarts it", run, in_state(run, C::Recovering), W::Starting),
        ("AWS could not make it", run, in_state(run, C::CreateFailed), W::Error),
        ("a stop is sent", off, on_air(run), W::Stopping),
        ("a stop in the middle of the start", off, in_state(run, C::Starting), W::Stopping),
        ("stopping", off, in_state(run, C::Stopping), W::Stopping),
        ("stopped and still paid for", off, idle(run), W::Stopping),
        ("being removed", off, in_state(run, C::Deleting), W::Stopping),
        ("removed", off, in_state(run, C::Deleted), W::Idle),
        ("only the input is left", off, with_input(InputState::Detached), W::Idle),
        ("nothing", off, nothing(), W::Idle),
        ("being prepared", ready, in_state(run, C::Creating), W::Creating),
        ("prepared", ready, idle(run), W::Idle),
        ("stopped to be prepared", ready, on_air(run), W::Stopping),
        ("stopping to be prepared", ready, in_state(run, C::Stopping), W::Stopping),
        ("its key is missing", &[("/streamKey/secretRef/name", Value::Null)], nothing(), W::Error),
    ];
    for (name, changes, seen, word) in cases {
        let changes: Vec<_> = changes
            .iter()
            .map(|(p, v)| if p.ends_with("secretRef/name") { missing_key() } else { (*p, v.clone()) })
            .collect();
        // A failed create is counted against what is remembered.
        assert_eq!(told(&changes, &seen).state, Some(word), "{name}");
    }
    assert_eq!(told(&[missing_key()], &on_air(&[])).state, Some(W::Running), "what runs is said to");
    for state in C::ALL {
        let mut show = Show::new(&[]);
        deleted(&mut show.object.metadata);
        show.pass(&in_state(&[], state), 0);
        assert_eq!(show.status().state, Some(W::Deleting));
        for (phase, name) in [(Phase::BackingOff, "a pause"), (Phase::GaveUp, "given up")] {
            let mut seen = in_state(&[], state);
            remember(&mut seen, 1, phase, 0);
            down_if_up(&mut seen);
            assert_eq!(told(&[], &seen).state, Some(W::Error), "{name} in {state:?}");
        }
    }
}

fn down_if_up(seen: &mut Observed) {
    if channel(seen).channel.state == ChannelState::Running {
        down(seen, Role::Primary, 30);
    }
}

#[test]
fn what_is_on_the_air_is_told_with_its_channel_its_encoding_and_its_endpoint() {
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    let now = show.status();
    assert_eq!(condition(now, READY), Some(("True", "Running")));
    assert_eq!(condition(now, DELIVERING), Some(("True", "Connected")));
    assert_eq!((condition(now, RECONCILING), condition(now, STALLED)), (None, None));
    assert_eq!(now.active_endpoint, Some(ActiveEndpoint::Primary));
    assert_eq!(
        now.encoding.as_deref(),
        Some("1080p30: 1920x1080 at 30 fps, 4500 kbit/s H.264 High, keyframe 2 s, AAC 128 kbit/s 48 kHz")
    );
    let channel = now.channel.as_ref().expect("a channel");
    assert_eq!((channel.id.as_deref(), channel.state.as_deref()), (Some(CHANNEL), Some("RUNNING")));
    assert_eq!((channel.input_id.as_deref(), channel.input_state.as_deref()), (Some(INPUT), Some("ATTACHED")));
    assert!(channel.arn.as_ref().is_some_and(|arn| arn.ends_with(":channel:2001")));
    let output = &channel.outputs[0];
    assert_eq!((output.role.as_str(), output.endpoint.as_deref()), ("Primary", Some("rtmps://live.example.com:443")));
    assert_eq!((output.sending, output.connected), (Some(true), Some(true)));
    assert!(now.outputs.is_empty(), "the flow's outputs are another path");
    assert_eq!((now.started_at.is_some(), now.last_runs.len()), (true, 1));
    let hot = told(&[backup("Hot")], &on_air(&[backup("Hot")]));
    assert_eq!(hot.active_endpoint, Some(ActiveEndpoint::Both));
    assert_eq!(hot.channel.expect("a channel").outputs.len(), 2);
    let gone = told(&[STOPPED], &in_state(&[], ChannelState::Deleted));
    assert_eq!(gone.channel.as_ref().and_then(|c| c.id.clone()), None, "only the input is left");
    assert_eq!(told(&[STOPPED], &nothing()).channel, None);
}

#[test]
fn what_the_platform_advises_against_is_told_while_it_is_ready() {
    let changes = [
        ("/platform", json!("Kick")),
        ("/url", json!("rtmps://live.example.com:443/app")),
        ("/encoding", json!("1080p60")),
    ];
    let seen = on_air(&changes);
    let warnings = present(live(&changes)).channel.expect("a channel").warnings;
    let now = told(&changes, &seen);
    assert_eq!(condition(&now, READY), Some(("True", "Running")));
    for warning in warnings {
        assert!(message(&now, READY).contains(&warning), "{}", message(&now, READY));
    }
}

#[test]
fn an_outage_says_why_the_other_endpoint_is_not_fed() {
    let lost = ("/backup/streamKey/secretRef/name", json!("nowhere"));
    let mut show = Show::new(&[backup("OnFailure"), lost]);
    let mut seen = dead_primary(10);
    show.pass(&seen, 0);
    for (second, what) in [(0, "NotConnected"), (60, "Restarting")] {
        if second > 0 {
            down(&mut seen, Role::Primary, 70);
            // What is decided is stored, and what follows is told.
            show.pass(&seen, second);
            seen = idle(&[backup("OnFailure")]);
            show.pass(&seen, second + 2);
        }
        assert_eq!(condition(show.status(), READY), Some(("False", what)));
        let text = message(show.status(), READY);
        assert!(text.contains("does not take the stream"), "{text}");
        assert!(text.contains("backup endpoint cannot be fed") && text.contains("nowhere"), "{text}");
    }
    let mut well = Show::new(&[backup("OnFailure")]);
    well.pass(&dead_primary(10), 0);
    assert!(!message(well.status(), READY).contains("cannot be fed"), "{}", message(well.status(), READY));
}

#[test]
fn pending_changes_are_told_while_it_is_ready() {
    let now = told(&[other_url()], &on_air(&[]));
    assert_eq!(now.pending_changes, ["url"]);
    assert_eq!(condition(&now, READY), Some(("True", "PendingChanges")));
}

#[test]
fn alerts_are_told_at_most_ten() {
    let mut seen = on_air(&[]);
    for n in 0..14 {
        alert(&mut seen, None, &format!("alert {n}"));
    }
    let now = told(&[], &seen);
    assert_eq!((now.alerts.len(), now.alerts[0].message.as_str()), (10, "alert 0"));
    assert_eq!(now.alerts[0].kind, "RTMP_CONNECTION");
}

#[test]
fn an_alert_counts_as_not_connected_since_it_is_there() {
    let mut show = Show::new(&[]);
    let mut seen = on_air(&[]);
    channel(&mut seen).endpoints.get_mut(&Role::Primary.into()).expect("an endpoint").measured = None;
    show.pass(&seen, 0);
    let of = |show: &Show| show.status().channel.as_ref().expect("a channel").outputs[0].clone();
    assert_eq!((of(&show).connected, of(&show).since), (None, Some(Time(at(0)))));
    alert(&mut seen, Some(Role::Primary), "Connection lost");
    show.pass(&seen, 3600);
    assert_eq!((of(&show).connected, of(&show).since), (Some(false), Some(Time(at(3600)))));
}

#[test]
fn how_long_a_receiver_is_not_connected_counts_from_when_the_signal_is_back() {
    let mut show = Show::new(&[]);
    let mut seen = on_air(&[]);
    show.pass(&seen, 0);
    down(&mut seen, Role::Primary, 0);
    set_signal(&mut seen, Some(false));
    show.pass(&seen, 100);
    let of = |show: &Show| show.status().channel.as_ref().expect("a channel").outputs[0].clone();
    assert_eq!(of(&show).connected, None, "while nothing is sent it says nothing");
    set_signal(&mut seen, Some(true));
    show.pass(&seen, 1000);
    assert_eq!((of(&show).connected, of(&show).since), (Some(false), Some(Time(at(1000)))));
    // So it is with an output of the flow.
    let mut show = Show::of(destination_spec(&[]));
    let mut seen = crate::fixtures::destination_seen(&[]);
    seen.outputs.get_mut(&Role::Primary).expect("an output").measured = Some(connected(Some(false)));
    set_signal(&mut seen, Some(false));
    show.pass(&seen, 0);
    assert_eq!(show.status().outputs[0].connected, None);
}
