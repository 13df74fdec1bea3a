//! What is said of it, and of its runs.

use super::*;

#[test]
fn status_of_a_destination_on_the_air() {
    let seen = destination_seen(&[]);
    let now = Pass::of(&[], &seen).status(0);
    assert_eq!(now.state, Some(DestinationState::Running));
    assert_eq!(now.active_endpoint, Some(ActiveEndpoint::Primary));
    assert_eq!(condition(&now, READY), Some(("True", "Running")));
    assert_eq!(condition(&now, DELIVERING), Some(("True", "Connected")));
    assert_eq!(now.outputs[0].endpoint.as_deref(), Some("rtmps://live.example.com:443"));
    assert_eq!((now.started_at.is_some(), now.last_runs.len(), now.last_error), (true, 1, None));
}

#[test]
fn status_words_follow_the_life_of_a_destination() {
    use DestinationState as W;
    let mut starting = destination_seen(&[]);
    set_flow(&mut starting, FlowState::Starting);
    let mut updating = destination_seen(&[]);
    set_flow(&mut updating, FlowState::Updating);
    let cases = [
        (vec![STOPPED], empty(FlowState::Active), W::Idle),
        (vec![STOPPED], destination_seen(&[STOPPED]), W::Idle),
        (vec![], empty(FlowState::Active), W::Creating),
        (vec![], destination_seen(&[STOPPED]), W::Starting),
        (vec![], starting, W::Starting),
        (vec![], destination_seen(&[]), W::Running),
        (vec![], updating, W::Running),
        (vec![STOPPED], destination_seen(&[]), W::Stopping),
        (vec![missing_key()], empty(FlowState::Active), W::Error),
        (vec![missing_key()], destination_seen(&[]), W::Running),
    ];
    for (changes, seen, word) in cases {
        assert_eq!(Pass::of(&changes, &seen).status(0).state, Some(word), "{changes:?}");
    }
    let seen = destination_seen(&[]);
    let mut pass = Pass::of(&[], &seen);
    deleted(&mut pass.object.metadata);
    pass.desired = Desired::Absent;
    assert_eq!(pass.status(0).state, Some(W::Deleting));
}

#[test]
fn status_a_receiver_that_refuses_is_an_error_of_this_destination_alone() {
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    output(&mut seen, Role::Primary).unchanged_for = BRIEFLY;
    let now = Pass::of(&[], &seen).status(0);
    assert_eq!(now.state, Some(DestinationState::Error));
    assert_eq!(condition(&now, READY), Some(("False", "NotConnected")));
    assert_eq!(condition(&now, DELIVERING), Some(("False", "NotConnected")));
    assert_eq!(condition(&now, STALLED), None, "it is tried on");
    let error = now.last_error.clone().expect("an error");
    assert!(error.message.contains("rtmps://live.example.com:443") && error.message.contains("check the key"));
    // Another Destination of the same flow sees nothing of it.
    assert_eq!(Pass::of(&[], &destination_seen(&[])).status(0).state, Some(DestinationState::Running));
    // And it recovers by itself.
    let well = destination_seen(&[]);
    let later = Pass::of(&[], &well).after(&now).status(60);
    assert_eq!((later.state, later.last_error), (Some(DestinationState::Running), None));
}

#[test]
fn status_a_spec_that_breaks_on_the_air_does_not_end_the_run() {
    let seen = destination_seen(&[]);
    let running = Pass::of(&[], &seen).status(0);
    let broken = Pass::of(&[("/url", json!("rtmp://10.0.0.1/live"))], &seen).after(&running).status(60);
    assert_eq!(broken.state, Some(DestinationState::Running), "the platform still receives");
    assert_eq!(broken.last_runs, running.last_runs);
    assert_eq!(condition(&broken, STALLED), Some(("True", "InvalidSpec")));
}

#[test]
fn status_of_an_outage_says_why_the_other_endpoint_is_not_fed() {
    let mut seen = backed("OnFailure");
    let primary = output(&mut seen, Role::Primary);
    (primary.measured, primary.unchanged_for) = (Some(connected(Some(false))), Duration::from_secs(30));
    seen.outputs.remove(&Role::Backup);
    let mut changes = with_backup("OnFailure");
    changes.push(("/backup/streamKey/secretRef/name", json!("nowhere")));
    let desired = dest(&changes);
    let plan = plan(&desired, false, &seen);
    let object = destination_object(destination_spec(&changes));
    let told = status(&object, &outcome_of(Some(&present(desired)), Some(&seen), Some(&plan), 0));
    assert_eq!(condition(&told, READY), Some(("False", "NotConnected")));
    let message = &told.conditions[0].message;
    assert!(message.contains("does not take the stream"), "{message}");
    assert!(message.contains("backup") && message.contains("nowhere"), "{message}");
}

#[test]
fn status_pending_changes_are_told_while_it_is_ready() {
    let seen = destination_seen(&[]);
    let now = Pass::of(&[other_url()], &seen).status(0);
    assert_eq!(now.pending_changes, ["url"]);
    assert_eq!(condition(&now, READY), Some(("True", "PendingChanges")));
    assert_eq!(now.outputs[0].endpoint.as_deref(), Some("rtmps://live.example.com:443"), "where it is sent to now");
    let mut refused = seen;
    let output = output(&mut refused, Role::Primary);
    (output.error, output.unchanged_for) = (Some("Unable to connect.".into()), Duration::from_secs(5));
    let now = Pass::of(&[("/updatePolicy", json!("WhenStopped")), other_url()], &refused).status(0);
    let text = "rtmps://live.example.com:443 does not take the stream";
    assert!(now.conditions.iter().any(|c| c.message.contains(text)), "what refuses is it: {:?}", now.conditions);
}

#[test]
fn status_of_an_outage_says_that_an_annotation_holds_the_endpoint() {
    let mut seen = backed("OnFailure");
    let primary = output(&mut seen, Role::Primary);
    (primary.measured, primary.unchanged_for) = (Some(connected(Some(false))), Duration::from_secs(25));
    let held = |seen: &Observed| {
        let now = Pass::of(&with_backup("OnFailure"), seen).status(0);
        now.conditions[0].message.contains("playout.dev/active-endpoint: Primary keeps")
    };
    assert!(!held(&seen));
    seen.failover.requested = Some(Role::Primary);
    assert!(held(&seen));
}

#[test]
fn status_tells_when_the_programme_exceeds_the_platform() {
    let twitch = [("/platform", json!("Twitch")), ("/url", Value::Null)];
    let mut seen = destination_seen(&twitch);
    let Programme::Flow { bitrate_kbps, .. } = &mut seen.flow else { panic!("a flow") };
    *bitrate_kbps = Some(9000);
    let now = Pass::of(&twitch, &seen).status(0);
    assert_eq!(condition(&now, OVER_LIMIT), Some(("True", "OverLimit")));
    // It is sent to another one as long as the change waits.
    let mut elsewhere = destination_seen(&[]);
    elsewhere.flow = seen.flow;
    let now = Pass::of(&twitch, &elsewhere).status(0);
    assert_ne!(condition(&now, OVER_LIMIT), Some(("True", "OverLimit")), "{:?}", now.pending_changes);
}

#[test]
fn status_remembers_ten_runs_and_why_they_ended() {
    let (on, off) = (destination_seen(&[]), destination_seen(&[STOPPED]));
    let mut now = Pass::of(&[STOPPED], &off).status(0);
    for run in 0..14 {
        now = Pass::of(&[], &on).after(&now).status(run * 100);
        now = Pass::of(&[], &on).after(&now).status(run * 100 + 10);
        now = Pass::of(&[STOPPED], &off).after(&now).status(run * 100 + 50);
    }
    assert_eq!(now.last_runs.len(), 10);
    let expected = Run {
        started: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(1300))),
        stopped: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(1350))),
        reason: Some("stopped as requested".into()),
    };
    assert_eq!(now.last_runs[0], expected);
    assert_eq!(now.started_at, None);
}

#[test]
fn status_when_looking_fails_nothing_is_known_to_have_ended() {
    let seen = destination_seen(&[]);
    let running = Pass::of(&[], &seen).status(0);
    let mut pass = Pass::of(&[], &seen).after(&running);
    pass.seen = None;
    pass.failure = Some(Failure {
        class: FailureClass::Throttled,
        operation: "mediaconnect:DescribeFlow".into(),
        message: "Too many requests".into(),
    });
    let now = pass.status(60);
    assert_eq!((now.state, &now.last_runs, &now.outputs), (running.state, &running.last_runs, &running.outputs));
    assert_eq!(condition(&now, READY), Some(("Unknown", "Throttled")));
    assert_eq!(now.last_error, None, "to be told to wait is no error");
}

#[test]
fn status_a_pass_in_which_nothing_happened_changes_nothing() {
    let mut refused = destination_seen(&[]);
    output(&mut refused, Role::Primary).measured = Some(connected(Some(false)));
    output(&mut refused, Role::Primary).unchanged_for = BRIEFLY;
    let mut updating = destination_seen(&[]);
    set_flow(&mut updating, FlowState::Updating);
    let mut no_source = empty(FlowState::Active);
    no_source.flow = Programme::NoSource;
    let facts = [
        destination_seen(&[]),
        destination_seen(&[STOPPED]),
        backed("Hot"),
        primary_is_dead_for(25),
        refused,
        updating,
        no_source,
        empty(FlowState::Standby),
    ];
    let wishes = [
        vec![],
        vec![STOPPED],
        vec![other_url()],
        vec![missing_key()],
        vec![("/suspend", json!(true))],
        vec![("/url", json!("rtmp://10.0.0.1/live"))],
        with_backup("OnFailure"),
    ];
    for seen in &facts {
        for changes in &wishes {
            let first = Pass::of(changes, seen);
            // What is told has happened.
            if matches!(decide(&first.desired, seen), Step::Act(actions) if actions.iter().any(|a| a.effect().is_kept))
            {
                continue;
            }
            let first = first.status(0);
            let second = Pass::of(changes, seen).after(&first).status(86_400);
            assert_eq!(first, second, "{changes:?} {seen:?}");
        }
    }
}
