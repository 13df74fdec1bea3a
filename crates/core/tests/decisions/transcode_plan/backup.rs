//! Two endpoints: both fed, or the second when the first is dead.

use super::*;
use playout_core::resources::channel::ChannelAction;

// ------------------------------------------------------------------------------------------------------- failover

#[test]
fn the_backup_is_decided_for_when_the_primary_has_been_dead_for_twenty_seconds() {
    let mut seen = dead_primary(19);
    assert!(matches!(waits(decide(&on_failure(), &seen)), Waiting::Connecting(_)));
    down(&mut seen, Role::Primary, 20);
    let decided = plan(&on_failure(), false, &seen);
    let Leads::Decided(Lead { to, why }) = &decided.memory.leads else { panic!("a switch") };
    assert_eq!(*to, Role::Backup);
    assert_eq!(why, "rtmps://live.example.com:443 did not take the stream for 20 s.");
    assert!(decided.memory.goes_first, "nothing is stopped before it is written down");
    assert_eq!(one(decided.step), stop());
    // As it is told of an output: a show that has lost its primary is nobody's wish.
    let warns = |to, why: &str| {
        let leads = Leads::Decided(Lead { to, why: why.into() });
        Memory { leads, ..Memory::default() }.news()[0].warning
    };
    assert!(warns(Role::Backup, why) && !warns(Role::Primary, why));
    assert!(!warns(Role::Backup, "asked for by the annotation playout.dev/active-endpoint"));
    alert(&mut seen, Some(Role::Primary), "Connection refused");
    let why = lead(&on_failure(), &seen).expect("a switch").why;
    assert!(why.ends_with("for 20 s. AWS says: Connection refused."), "{why}");
}

#[test]
fn what_was_decided_is_one_stop_one_update_of_url_and_key_and_one_start() {
    let mut seen = dead_primary(30);
    seen.failover.failed_over_to = Some(Role::Backup);
    assert_eq!(one(decide(&on_failure(), &seen)), stop(), "also under WhenStopped");
    channel(&mut seen).channel.state = ChannelState::Idle;
    seen.restart = None;
    let Action::Channel(ChannelAction::Update { settings: new, .. }) = one(decide(&on_failure(), &seen)) else {
        panic!("an update")
    };
    assert_eq!(*new, settings(&on_failure(), &[Role::Backup]));
    assert_eq!(new.encodings, settings(&on_failure(), &[Role::Primary]).encodings);
    channel(&mut seen).channel.settings = *new;
    notes_the_first(&on_failure(), &seen);
    remember(&mut seen, 0, Phase::Running, 0);
    assert_eq!(one(decide(&on_failure(), &seen)), start());
}

#[test]
fn nothing_is_switched_without_evidence_of_a_failure() {
    let mut seen = dead_primary(300);
    set_signal(&mut seen, Some(false));
    assert_eq!(waits(decide(&on_failure(), &seen)), Waiting::NoSignal("studio".into()), "there is nothing to send");
    for (measured, age, settled) in [
        (None, 300, true),
        (Some(connected(None)), MEASUREMENT_PATIENCE.as_secs(), true),
        (Some(connected(None)), MEASUREMENT_PATIENCE.as_secs() - 1, false),
        (Some(connected(Some(true))), 300, true),
    ] {
        let mut seen = dead_primary(age);
        channel(&mut seen).endpoints.get_mut(&Role::Primary.into()).expect("an endpoint").measured = measured.clone();
        let step = decide(&on_failure(), &seen);
        assert!(!matches!(step, Step::Act(_)) && (step == Step::Settled) == settled, "{measured:?} {step:?}");
    }
    let mut standby = dead_primary(300);
    set_flow(&mut standby, FlowState::Standby);
    assert_eq!(waits(decide(&on_failure(), &standby)), Waiting::FlowStarting);
}

#[test]
fn an_alert_is_evidence_where_nothing_is_measured_and_a_measurement_is_better_evidence() {
    for measured in [None, Some(connected(None))] {
        let mut seen = dead_primary(20);
        channel(&mut seen).endpoints.get_mut(&Role::Primary.into()).expect("an endpoint").measured = measured;
        alert(&mut seen, Some(Role::Primary), "Connection lost");
        assert_eq!(channel(&mut seen).connected(&Role::Primary.into()), Some(false));
        assert_eq!(lead(&on_failure(), &seen).map(|lead| lead.to), Some(Role::Backup));
        channel(&mut seen).alerts[0].output = Some(Role::Backup.into());
        assert!(!matches!(decide(&on_failure(), &seen), Step::Act(_)), "it speaks of the other");
    }
    let mut seen = on_air(&[backup("OnFailure")]);
    alert(&mut seen, Some(Role::Primary), "Connection lost");
    assert_eq!(decide(&on_failure(), &seen), Step::Settled, "it takes the stream");
}

#[test]
fn it_never_goes_back_by_itself_and_goes_back_on_request() {
    let mut seen = on_backup();
    assert_eq!(decide(&on_failure(), &seen), Step::Settled);
    let lost = Observed { failover: FailoverState::default(), ..seen.clone() };
    assert_eq!(decide(&on_failure(), &lost), Step::Settled, "also when the status is lost");
    down(&mut seen, Role::Backup, 300);
    assert_eq!(noted(&on_failure(), &seen).phase, Phase::BackingOff, "a dead backup is restarted");
    seen.failover.requested = Some(Role::Primary);
    assert_eq!(one(decide(&on_failure(), &seen)), stop());
    channel(&mut seen).channel.state = ChannelState::Idle;
    seen.restart = None;
    let Action::Channel(ChannelAction::Update { settings: new, .. }) = one(decide(&on_failure(), &seen)) else {
        panic!("an update")
    };
    assert_eq!(*new, settings(&on_failure(), &[Role::Primary]));
    // Who asked for the primary gets it, dead or alive: it is restarted and not left.
    let mut told = dead_primary(300);
    told.failover.requested = Some(Role::Primary);
    assert_eq!(noted(&on_failure(), &told).phase, Phase::BackingOff);
}

/// With a backup (and a primary) whose key cannot be read.
fn unreadable(primary: bool, backup: bool) -> Desired<playout_core::kinds::destination::wanted::Wanted> {
    let mut second = backup_json("OnFailure");
    if backup {
        second["streamKey"]["secretRef"]["name"] = json!("nowhere");
    }
    let changes = [("/backup", second), missing_key()];
    live(&changes[..if primary { 2 } else { 1 }])
}

#[test]
fn what_is_dead_gives_its_place_only_to_what_can_be_fed() {
    // Nothing is decided for a backup without a key, and it is told before it is needed.
    let no_backup = unreadable(false, true);
    let seen = on_air(&[backup("OnFailure")]);
    assert_eq!(stuck(decide(&no_backup, &seen)).reason, Reason::SecretMissing);
    assert!(matches!(waits(decide(&no_backup, &dead_primary(29))), Waiting::Connecting(_)));
    let attempt = noted(&no_backup, &dead_primary(30));
    assert_eq!((attempt.phase, attempt.count), (Phase::BackingOff, 1), "it is restarted as one without a backup");
    let mut stopped = idle(&[backup("OnFailure")]);
    remember(&mut stopped, 0, Phase::Running, 300);
    stopped.restart.as_mut().expect("tries").up = true;
    assert_eq!(noted(&no_backup, &stopped).phase, Phase::BackingOff);
    // Nor is it turned back to a primary without one.
    let no_primary = unreadable(true, false);
    let mut seen = on_backup();
    remember(&mut seen, 0, Phase::Running, 300);
    down(&mut seen, Role::Backup, 300);
    assert_eq!((noted(&no_primary, &seen).phase, lead(&no_primary, &seen)), (Phase::BackingOff, None));
    // Where it was decided for one whose key went, off the air the other one is fed; on the air it stays.
    for (wish, decided, other) in
        [(&no_primary, Role::Primary, Role::Backup), (&no_backup, Role::Backup, Role::Primary)]
    {
        let mut seen = idle(&[backup("OnFailure")]);
        seen.failover.failed_over_to = Some(decided);
        let Lead { to, why } = lead(wish, &seen).expect("a switch");
        assert!(to == other && why.contains("nowhere"), "{why}");
        seen.failover.requested = Some(decided);
        assert_eq!(stuck(decide(wish, &seen)).reason, Reason::SecretMissing, "who asks for it gets it");
        let mut up = if decided == Role::Backup { on_backup() } else { on_air(&[backup("OnFailure")]) };
        up.failover.failed_over_to = Some(decided);
        assert_eq!(stuck(decide(wish, &up)).reason, Reason::SecretMissing);
    }
    // Without either there is nothing to switch to.
    let mut seen = idle(&[backup("OnFailure")]);
    seen.failover.failed_over_to = Some(Role::Backup);
    assert_eq!(stuck(decide(&unreadable(true, true), &seen)).reason, Reason::SecretMissing);
}

#[test]
fn the_annotation_means_nothing_without_a_backup_or_with_a_hot_one() {
    for changes in [vec![], vec![backup("Hot")]] {
        let mut seen = on_air(&changes);
        seen.failover.requested = Some(Role::Backup);
        assert_eq!(decide(&live(&changes), &seen), Step::Settled);
    }
}

#[test]
fn of_a_hot_backup_one_of_two_is_enough_and_one_that_is_not_known_yet_is_waited_for() {
    let wish = live(&[backup("Hot")]);
    for (dead, other) in [(Role::Primary, Role::Backup), (Role::Backup, Role::Primary)] {
        let mut seen = on_air(&[backup("Hot")]);
        down(&mut seen, dead, 300);
        assert_eq!(decide(&wish, &seen), Step::Settled);
        let pending = EndpointSeen {
            measured: Some(connected(None)),
            measured_from: None,
            unchanged_for: Duration::from_secs(60),
        };
        channel(&mut seen).endpoints.insert(other.into(), pending);
        assert!(matches!(waits(decide(&wish, &seen)), Waiting::Connecting(_)), "{other:?} may take it");
        down(&mut seen, other, 29);
        assert!(matches!(waits(decide(&wish, &seen)), Waiting::Connecting(_)), "for {other:?} it is too early");
        down(&mut seen, other, 30);
        assert_eq!(noted(&wish, &seen).count, 1);
    }
}
