//! What fails is tried again after a pause, as often as `retry` says.

use super::*;
use playout_core::resources::channel::ChannelAction;

// -------------------------------------------------------------------------------------------------------- retries

#[test]
fn a_receiver_that_refuses_is_tried_again_after_pauses_that_double_up_to_five_minutes() {
    let retry = RestartPolicy::of(&RetryPolicy::default());
    let pauses: Vec<_> = (1..=7).map(|count| retry.pause(count).as_secs()).collect();
    assert_eq!(pauses, [15, 30, 60, 120, 240, 300, 300]);
    let long = RestartPolicy::of(&RetryPolicy { backoff: "1h".into(), ..RetryPolicy::default() });
    assert_eq!((long.pause(1), long.pause(u32::MAX)), (LONGEST_PAUSE, LONGEST_PAUSE));
    assert_eq!(retry.pause(0), retry.pause(1), "there is no restart number nought");
}

#[test]
fn what_the_crds_rules_refuse_becomes_the_default() {
    let odd = RetryPolicy { attempts: 3, after: "soon".into(), backoff: "-5s".into() };
    let (odd, default) = (RestartPolicy::of(&odd), RestartPolicy::of(&RetryPolicy::default()));
    assert_eq!((odd.attempts, odd.after, odd.backoff), (3, default.after, default.backoff));
    assert_eq!((default.attempts, default.after.as_secs(), default.backoff.as_secs()), (5, 30, 15));
}

#[test]
fn a_failed_attempt_is_noted_then_stopped_then_paused_and_then_tried_again() {
    let wish = live(&[]);
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 29);
    assert!(matches!(waits(decide(&wish, &seen)), Waiting::Connecting(_)));
    down(&mut seen, Role::Primary, 30);
    let attempt = noted(&wish, &seen);
    assert_eq!((attempt.count, attempt.phase), (1, Phase::BackingOff));
    assert_eq!(attempt.cause.as_deref(), Some("rtmps://live.example.com:443 does not take the stream."));
    remember(&mut seen, 1, Phase::BackingOff, 0);
    assert_eq!(one(decide(&wish, &seen)), stop());
    channel(&mut seen).channel.state = ChannelState::Stopping;
    assert_eq!(waits(decide(&wish, &seen)), Waiting::ChannelStopping);
    channel(&mut seen).channel.state = ChannelState::Idle;
    remember(&mut seen, 1, Phase::BackingOff, 5);
    let Step::Wait { on, poll } = decide(&wish, &seen) else { panic!("a pause") };
    assert_eq!(poll, Some(Duration::from_secs(10)), "what is left of it");
    assert_eq!(
        on.message(),
        "rtmps://live.example.com:443 does not take the stream. Restart 1 of 5 follows after a pause."
    );
    remember(&mut seen, 1, Phase::BackingOff, 15);
    assert_eq!((noted(&wish, &seen).count, noted(&wish, &seen).phase), (1, Phase::Running));
    remember(&mut seen, 1, Phase::Running, 0);
    assert_eq!(one(decide(&wish, &seen)), start());
}

#[test]
fn after_the_last_attempt_it_gives_up_with_the_count_and_the_way_back() {
    let wish = live(&[]);
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 30);
    remember(&mut seen, 5, Phase::Running, 60);
    let attempt = noted(&wish, &seen);
    assert_eq!((attempt.count, attempt.phase), (5, Phase::GaveUp));
    remember(&mut seen, 5, Phase::GaveUp, 0);
    assert_eq!(one(decide(&wish, &seen)), stop());
    channel(&mut seen).channel.state = ChannelState::Idle;
    assert_eq!(one(decide(&wish, &seen)), delete(), "what is not on the air is not paid for");
    seen.channel = Existence::Absent;
    input(&mut seen).state = InputState::Detached;
    input(&mut seen).channels.clear();
    assert_eq!(one(decide(&wish, &seen)), Action::Channel(ChannelAction::DeleteInput { id: INPUT.into() }));
    seen.input = Existence::Absent;
    let problem = stuck(decide(&wish, &seen));
    assert_eq!(problem.reason, Reason::GaveUp);
    assert!(
        problem.message.starts_with(
            "rtmps://live.example.com:443 does not take the stream. It was restarted 5 times and is off the air now. Check the stream key"
        ),
        "{}",
        problem.message
    );
    assert!(
        problem
            .message
            .contains("kubectl -n show annotate destination tube playout.dev/reconcile-at=$(date +%s) --overwrite")
    );
    for (count, words) in [(0, "It was not restarted."), (1, "It was restarted once and is off the air now.")] {
        remember(&mut seen, count, Phase::GaveUp, 0);
        let message = stuck(decide(&wish, &seen)).message;
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_prepared_one_that_gave_up_is_off_the_air_and_stays_prepared() {
    let wish = live(&[PREPARE]);
    let mut seen = on_air(&[]);
    remember(&mut seen, 5, Phase::GaveUp, 0);
    assert_eq!(one(decide(&wish, &seen)), stop());
    for state in [ChannelState::Idle, ChannelState::Stopping, ChannelState::CreateFailed] {
        channel(&mut seen).channel.state = state;
        assert_eq!(stuck(decide(&wish, &seen)).reason, Reason::GaveUp);
    }
}

#[test]
fn without_attempts_the_first_failure_is_the_last() {
    let wish = live(&[("/retry", json!({"attempts": 0}))]);
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 30);
    assert_eq!((noted(&wish, &seen).count, noted(&wish, &seen).phase), (0, Phase::GaveUp));
}

#[test]
fn a_channel_that_stopped_by_itself_is_restarted_and_counted_and_what_we_stopped_is_not() {
    let mut seen = idle(&[]);
    remember(&mut seen, 0, Phase::Running, 4);
    seen.restart.as_mut().expect("tries").up = true;
    assert_eq!(waits(decide(&live(&[]), &seen)), Waiting::ChannelStarting, "the read may be older than the start");
    remember(&mut seen, 0, Phase::Running, 5);
    seen.restart.as_mut().expect("tries").up = true;
    let attempt = noted(&live(&[]), &seen);
    assert_eq!((attempt.count, attempt.phase), (1, Phase::BackingOff));
    assert!(attempt.cause.expect("a cause").starts_with("The channel stopped by itself"));
    // With something to change it was stopped for that, even if the pass that stopped it could not tell.
    let mut seen = idle(&[]);
    remember(&mut seen, 2, Phase::Running, 60);
    seen.restart.as_mut().expect("tries").up = true;
    let attempt = noted(&live(&[other_url()]), &seen);
    assert_eq!((attempt.count, attempt.phase), (2, Phase::Running), "the count is what it was");
    // With a backup, that takes its place; and when that one stops, it is counted.
    let mut seen = idle(&[backup("OnFailure")]);
    remember(&mut seen, 0, Phase::Running, 60);
    seen.restart.as_mut().expect("tries").up = true;
    assert_eq!(lead(&on_failure(), &seen).map(|lead| lead.to), Some(Role::Backup));
    seen.failover.requested = Some(Role::Primary);
    assert_eq!(noted(&on_failure(), &seen).count, 1, "somebody has told which one to feed");
    seen.failover.requested = None;
    seen.failover.failed_over_to = Some(Role::Backup);
    channel(&mut seen).channel.settings = settings(&on_failure(), &[Role::Backup]);
    assert_eq!(noted(&on_failure(), &seen).count, 1);
    // So it was where the channel is no more.
    let mut seen = with_input(InputState::Detached);
    seen.restart = Some(RestartState { up: true, ..tries(2, Phase::Running, true, &present(live(&[]))) });
    assert_eq!((noted(&live(&[]), &seen).count, noted(&live(&[]), &seen).phase), (2, Phase::Running));
}

#[test]
fn a_failure_is_counted_only_against_an_attempt_that_is_remembered() {
    let mut refused = on_air(&[]);
    down(&mut refused, Role::Primary, 300);
    for mut seen in [refused, idle(&[]), in_state(&[], ChannelState::CreateFailed)] {
        seen.restart = None;
        notes_the_first(&live(&[]), &seen);
        // What is remembered of another key is not of this one.
        seen.restart = Some(RestartState {
            key_versions: Some("another".into()),
            ..tries(5, Phase::GaveUp, false, &present(live(&[])))
        });
        notes_the_first(&live(&[]), &seen);
    }
}

#[test]
fn a_failed_create_or_update_is_removed_and_made_anew_after_the_pause() {
    for state in [ChannelState::CreateFailed, ChannelState::UpdateFailed] {
        let mut seen = in_state(&[], state);
        remember(&mut seen, 1, Phase::BackingOff, 0);
        assert_eq!(one(decide(&live(&[]), &seen)), delete());
    }
    let mut seen = with_input(InputState::Detached);
    seen.restart = Some(tries(1, Phase::BackingOff, false, &present(live(&[]))));
    assert!(matches!(waits(decide(&live(&[]), &seen)), Waiting::Restarting { count: 1, attempts: 5, .. }));
    remember(&mut seen, 1, Phase::BackingOff, 15);
    assert_eq!(noted(&live(&[]), &seen).phase, Phase::Running);
}

#[test]
fn no_restart_is_counted_while_the_source_has_no_signal() {
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 3600);
    set_signal(&mut seen, Some(false));
    assert_eq!(waits(decide(&live(&[]), &seen)), Waiting::NoSignal("studio".into()));
    set_signal(&mut seen, None);
    assert_eq!(noted(&live(&[]), &seen).count, 1, "nobody measures the signal");
}

#[test]
fn a_platform_that_refuses_the_key_is_not_asked_again() {
    for words in [
        "401 Unauthorized",
        "NetStream.Publish.BadName",
        "NetConnection.Connect.Rejected",
        "bad name",
        "HTTP 403 forbidden",
        "Invalid stream key",
    ] {
        assert!(is_refusal(words), "{words}");
        let mut seen = on_air(&[]);
        down(&mut seen, Role::Primary, 20);
        alert(&mut seen, Some(Role::Primary), words);
        remember(&mut seen, 2, Phase::Running, 60);
        let attempt = noted(&live(&[]), &seen);
        assert_eq!((attempt.count, attempt.phase), (2, Phase::GaveUp), "{words}");
        let cause = attempt.cause.expect("a cause");
        assert_eq!(cause, format!("rtmps://live.example.com:443 refuses the stream key. AWS says: {words}."));
        // For a moment a platform says so of a connection that it has not let go of yet.
        down(&mut seen, Role::Primary, 19);
        assert!(matches!(waits(decide(&live(&[]), &seen)), Waiting::Connecting(_)));
    }
    for words in ["Connection lost", "Network unreachable", "Timed out"] {
        assert!(!is_refusal(words), "{words}");
        let mut seen = on_air(&[]);
        down(&mut seen, Role::Primary, 30);
        alert(&mut seen, Some(Role::Primary), words);
        let attempt = noted(&live(&[]), &seen);
        assert_eq!((attempt.count, attempt.phase), (1, Phase::BackingOff), "{words}");
        assert!(attempt.cause.expect("a cause").ends_with(&format!("AWS says: {words}.")));
    }
    // A backup may have another key: it is tried first; and of two hot ones both have to refuse.
    let mut seen = dead_primary(20);
    alert(&mut seen, Some(Role::Primary), "401 Unauthorized");
    assert_eq!(lead(&on_failure(), &seen).map(|lead| lead.to), Some(Role::Backup));
    let mut seen = on_air(&[backup("Hot")]);
    down(&mut seen, Role::Primary, 30);
    down(&mut seen, Role::Backup, 30);
    alert(&mut seen, Some(Role::Primary), "401 Unauthorized");
    assert_eq!(noted(&live(&[backup("Hot")]), &seen).phase, Phase::BackingOff);
    alert(&mut seen, Some(Role::Backup), "401 Unauthorized");
    assert_eq!(noted(&live(&[backup("Hot")]), &seen).phase, Phase::GaveUp);
}

#[test]
fn a_show_does_not_wait_for_an_update_that_is_left() {
    let wish = live(&[other_url(), ("/updatePolicy", json!("Restart"))]);
    let mut seen = idle(&[]);
    let update = one(decide(&wish, &seen));
    assert!(matches!(update, Action::Channel(ChannelAction::Update { .. })));
    seen.left = update.changes().into_iter().collect();
    assert_eq!(one(decide(&wish, &seen)), start());
    assert_eq!(one(decide(&wish, &on_air(&[]))), stop());
    assert_eq!(decide(&wish, &Observed { left: seen.left.clone(), ..on_air(&[]) }), Step::Settled);
    // Tags are not in the way of a start either.
    let mut untagged = idle(&[]);
    channel(&mut untagged).channel.tags.clear();
    let tag = one(decide(&live(&[]), &untagged));
    untagged.left = tag.changes().into_iter().collect();
    assert_eq!(one(decide(&live(&[]), &untagged)), start());
}

#[test]
fn a_channel_that_has_lost_our_tags_is_not_touched() {
    let arn = id_of("channel", CHANNEL);
    let not_ours = NotOurs { what: "channel", arn: arn.clone(), runs: true, taken_over_by: None };
    let lost = Observed { not_ours: vec![not_ours], channel: Existence::Absent, ..on_air(&[]) };
    for wish in [live(&[]), live(&[("/updatePolicy", json!("Restart"))])] {
        let problem = stuck(decide(&wish, &lost));
        assert!(
            problem.reason == Reason::NotOurs && problem.message.contains(&arn) && problem.message.contains("billed"),
            "{problem:?}"
        );
    }
}

#[test]
fn an_alert_counts_from_the_data_point_on_that_it_was_set_in() {
    let lost = |set: Option<i64>, from: Option<i64>| {
        let mut seen = on_air(&[]);
        alert(&mut seen, Some(Role::Primary), "Connection lost");
        channel(&mut seen).alerts[0].set = set;
        let endpoint = channel(&mut seen).endpoints.get_mut(&Role::Primary.into()).expect("an endpoint");
        endpoint.measured_from = from;
        channel(&mut seen).connected(&Role::Primary.into()) == Some(false)
    };
    assert!(lost(Some(60), Some(60)), "in the minute of the data point");
    assert!(lost(Some(90), Some(60)));
    assert!(!lost(Some(59), Some(60)), "the connection was up in a later minute");
    assert!(!lost(None, Some(60)), "nobody knows since when");
    assert!(!lost(Some(90), None));
}
