//! What is said of the programme rests on what AWS documents for the protocol ("What the words mean"). Each test is a sentence.

mod fixtures;

use std::collections::BTreeMap;
use std::time::Duration;

use fixtures::transcode::{self, act, alert, decide, down, set_signal, waits};
use fixtures::{
    DestinationPlan, at, backup_json, connected, dest, destination_object, destination_seen, destination_seen_of,
    destination_spec, destination_spec_of, destination_wanted, flow, outcome_of, output, present, references,
    references_at, rtp_input, source_object, source_seen, source_spec, srt_json, wish,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use playout_api::destination::{Destination, DestinationSpec, DestinationStatus, DestinationWord, RetryWord};
use playout_api::source::{Health, HealthWord, InputStatus, SourceStatus};
use playout_core::conditions::{DELIVERING, HEALTHY, INPUT_REACHABLE, OVER_LIMIT, READY, RECONCILING, STALLED};
use playout_core::endpoint::Role;
use playout_core::evidence::{InputLook, MEASUREMENT_PATIENCE, QUIET_FOR, began, first_since, is_since, of_input};
use playout_core::failure::{Failure, FailureClass};
use playout_core::kinds::destination::observed::{Observed, Programme};
use playout_core::kinds::destination::plan::{Action, pending_changes};
use playout_core::kinds::destination::retry::FORGIVEN_AFTER;
use playout_core::kinds::destination::{Outcome, memory, status::status};
use playout_core::kinds::source;
use playout_core::kinds::source::observed::{InputSeen, TestPhase};
use playout_core::kinds::source::status::judge;
use playout_core::plan::{Desired, Step};
use playout_core::resources::flow::{FlowState, Measured, Protocol};
use playout_core::waiting::Waiting;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// One Destination over several passes, as the loop leads it.
struct Show {
    object: Destination,
}

impl Show {
    fn new(changes: &[(&str, Value)]) -> Self {
        Self::of(destination_spec(changes))
    }

    fn of(spec: DestinationSpec) -> Self {
        Self { object: destination_object(spec) }
    }

    fn desired(&self) -> Desired<playout_core::kinds::destination::wanted::Wanted> {
        destination_wanted(&self.object.spec, &references())
    }

    fn pass(&mut self, seen: &Observed, second: i64) -> Step<Action> {
        let (tries, decided) = (memory::tries(&self.object, at(second)), memory::decided(&self.object));
        let seen = Observed { tries, decided, ..seen.clone() };
        let desired = self.desired();
        let plan = playout_core::kinds::destination::plan::plan(&desired, false, &seen);
        self.tell(Some(&seen), Some(&plan), None, second);
        plan.step
    }

    fn tell(
        &mut self,
        seen: Option<&Observed>,
        plan: Option<&DestinationPlan>,
        failure: Option<&Failure>,
        second: i64,
    ) {
        let desired = self.desired();
        let wanted = if let Desired::Present(wanted) = &desired { Some(wanted) } else { None };
        let outcome = Outcome { failure, ..outcome_of(wanted, seen, plan, second) };
        self.object.status = Some(status(&self.object, &outcome));
    }

    fn status(&self) -> &DestinationStatus {
        self.object.status.as_ref().expect("a status")
    }

    fn word(&self) -> DestinationWord {
        self.status().state.expect("a word")
    }

    fn condition(&self, type_: &str) -> Option<(&str, &str)> {
        self.status().conditions.iter().find(|c| c.type_ == type_).map(|c| (c.status.as_str(), c.reason.as_str()))
    }

    fn message(&self, type_: &str) -> &str {
        self.status().conditions.iter().find(|c| c.type_ == type_).map_or("", |c| c.message.as_str())
    }
}

fn told(changes: &[(&str, Value)], seen: &Observed) -> Show {
    let mut show = Show::new(changes);
    show.pass(seen, 0);
    show
}

/// RTMP as AWS documents it: no series of its own. It has been sent for so long.
fn unmeasured(changes: &[(&str, Value)], since: Duration) -> Observed {
    let mut seen = destination_seen(changes);
    for seen in seen.outputs.values_mut().filter(|o| o.output.enabled) {
        seen.measured = Some(Measured::default());
        seen.unchanged_for = since;
    }
    seen
}

const REFUSED: &str = "Connection refused by the remote host.";

/// And AWS has an error that names the primary.
fn refused(changes: &[(&str, Value)], since: Duration) -> Observed {
    let mut seen = unmeasured(changes, since);
    output(&mut seen, Role::Primary).error = Some(REFUSED.into());
    seen
}

const ON_FAILURE: &str = "OnFailure";

fn with_backup(mode: &str) -> Vec<(&'static str, Value)> {
    vec![("/backup", backup_json(mode))]
}

// ----------------------------------------------------------------------------------------------------------- words

#[test]
fn an_output_that_aws_does_not_measure_is_being_sent_once_no_error_names_it_for_a_while() {
    let early = told(&[], &unmeasured(&[], QUIET_FOR - SECOND));
    assert_eq!((early.word(), early.condition(READY)), (DestinationWord::Starting, Some(("False", "Connecting"))));
    let show = told(&[], &unmeasured(&[], QUIET_FOR));
    assert_eq!((show.word(), show.condition(READY)), (DestinationWord::Running, Some(("True", "Running"))));
    assert!(show.message(READY).contains("is being sent"), "{}", show.message(READY));
    assert_eq!(show.condition(DELIVERING), Some(("Unknown", "NotMeasured")));
    assert!(show.status().started_at.is_some());
}

#[test]
fn where_aws_publishes_more_than_it_documents_that_is_used() {
    let show = told(&[], &destination_seen(&[]));
    assert_eq!((show.word(), show.condition(DELIVERING)), (DestinationWord::Running, Some(("True", "Connected"))));
    assert!(show.message(READY).contains("on the air"), "{}", show.message(READY));
    let mut down = unmeasured(&[], SECOND);
    output(&mut down, Role::Primary).measured = Some(connected(Some(false)));
    let show = told(&[], &down);
    assert_eq!((show.word(), show.condition(DELIVERING)), (DestinationWord::Error, Some(("False", "NotConnected"))));
}

#[test]
fn what_aws_measures_by_its_documents_is_waited_for() {
    let spec = destination_spec_of(srt_json(), &[]);
    let mut seen = destination_seen_of(&spec);
    output(&mut seen, Role::Primary).measured = Some(connected(None));
    output(&mut seen, Role::Primary).unchanged_for = MEASUREMENT_PATIENCE - SECOND;
    let mut show = Show::of(spec);
    assert!(matches!(waits(show.pass(&seen, 0)), Waiting::Connecting(_)));
    assert_eq!(show.word(), DestinationWord::Starting);
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
                assert_eq!(show.word(), DestinationWord::Error, "{measured:?} {since:?} {signal:?}");
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
            assert_eq!(show.word(), DestinationWord::Silent, "{changes:?} {heard:?}");
            assert_eq!(show.condition(READY), Some(("True", "NoSignal")));
            assert_eq!(show.condition(DELIVERING), Some((truth, "NoSignal")), "{changes:?}");
            assert_eq!((show.condition(RECONCILING), show.condition(STALLED)), (None, None));
            assert_eq!(show.status().started_at, None, "it has not begun");
            // So, too, after it ran: the encoder's pause does not end the run.
            set_signal(&mut seen, Some(true));
            show.pass(&seen, 100);
            assert_eq!(show.word(), DestinationWord::Running);
            let runs = show.status().last_runs.clone();
            set_signal(&mut seen, heard);
            let step = show.pass(&seen, 200);
            assert!(matches!(step, Step::Wait { poll: Some(_), .. }), "it is looked at again soon: {step:?}");
            assert_eq!((show.word(), &show.status().last_runs), (DestinationWord::Silent, &runs));
        }
    }
}

#[test]
fn a_spec_that_breaks_while_it_is_sent_is_judged_by_the_same_evidence() {
    let broken = [("/url", json!("rtmp://10.0.0.1/live"))];
    let mut silent = destination_seen(&[]);
    set_signal(&mut silent, None);
    let cases = [
        (destination_seen(&[]), DestinationWord::Running),
        (unmeasured(&[], QUIET_FOR), DestinationWord::Running),
        (silent, DestinationWord::Silent),
        (refused(&[], SECOND), DestinationWord::Error),
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
        (destination_seen(&[]), DestinationWord::Running),
        (silent, DestinationWord::Silent),
        (refused(&[], SECOND), DestinationWord::Error),
        (stopped, DestinationWord::Idle),
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
        assert_eq!(show.word(), DestinationWord::Running, "as before");
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
    assert_eq!((show.word(), show.condition(READY)), (DestinationWord::Idle, Some(("True", "Stopped"))));
    assert_eq!(show.condition(DELIVERING), Some(("False", "Stopped")));
}

#[test]
fn what_is_wrong_with_the_programme_is_in_the_ready_message_and_its_reason() {
    let hot = with_backup("Hot");
    let mut seen = destination_seen(&hot);
    output(&mut seen, Role::Backup).error = Some(REFUSED.into());
    let show = told(&hot, &seen);
    assert_eq!((show.word(), show.condition(READY)), (DestinationWord::Running, Some(("True", "NotConnected"))));
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
            Action::UpdateOutput { role, enabled, .. } => (*role, *enabled),
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
    assert_eq!((show.word(), show.condition(STALLED)), (DestinationWord::Error, Some(("True", "GaveUp"))));
}

#[test]
fn a_new_key_is_tried_at_once_when_the_old_one_is_refused() {
    let rekeyed = destination_wanted(&destination_spec(&[]), &references_at("v2"));
    let on_air = unmeasured(&[], QUIET_FOR);
    assert_eq!(decide(&rekeyed, &on_air), Step::Settled, "it would interrupt what is sent");
    assert_eq!(pending_changes(&present(rekeyed.clone()), &on_air), ["streamKey"]);
    let dead = refused(&[], Duration::from_secs(20));
    assert!(matches!(act(decide(&rekeyed, &dead))[..], [Action::UpdateOutput { settings: Some(_), .. }]));
    assert!(pending_changes(&present(rekeyed.clone()), &dead).is_empty());
    // So it is with a channel, which is stopped for it.
    let edited = transcode::live(&[transcode::other_url()]);
    let mut seen = transcode::on_air(&[]);
    assert_eq!(decide(&edited, &seen), Step::Settled, "it would interrupt what is taken");
    down(&mut seen, Role::Primary, 1);
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
        assert_eq!((show.word(), show.condition(READY)), (DestinationWord::Silent, Some(("True", "NoSignal"))));
        assert_eq!(show.condition(DELIVERING), Some(("False", "NoSignal")));
        // What is lost for want of a programme is no failure of the receiver.
        down(&mut seen, Role::Primary, 3600);
        show.pass(&seen, 10);
        assert_eq!(show.word(), DestinationWord::Silent, "{kind}");
    }
    let mut other = transcode::on_air(&[]);
    alert(&mut other, None, "SCTE-35 data could not be processed.");
    let mut show = Show::of(transcode::spec(&[]));
    show.pass(&other, 0);
    assert_eq!(show.word(), DestinationWord::Running);
}

// ----------------------------------------------------------------------------------------------------------- Source

fn look<'a>(protocol: Protocol, peer: bool, measured: &'a Measured, age: i64) -> InputLook<'a> {
    let now = at(1000);
    let until = (measured != &Measured::default()).then(|| now.as_second() - age);
    let from = until.map(|until| until - 1);
    let (changed, led) = (None, None);
    InputLook {
        protocol,
        peer,
        measured: Some(measured),
        answered: true,
        from,
        until,
        changed,
        led,
        began: Some(at(0)),
        now,
    }
}

const ALL: [Protocol; 8] = [
    Protocol::SrtListener,
    Protocol::SrtCaller,
    Protocol::Rtp,
    Protocol::RtpFec,
    Protocol::Rist,
    Protocol::ZixiPush,
    Protocol::RtmpPush,
    Protocol::Ndi,
];

fn rate(bitrate: f64) -> Measured {
    Measured { bitrate: Some(bitrate), ..Measured::default() }
}

#[test]
fn the_bitrate_alone_tells_whether_an_input_receives_something() {
    for protocol in ALL.into_iter().filter(|p| *p != Protocol::Ndi) {
        for (measured, receives) in [
            (rate(5e6), true),
            (rate(0.0), false),
            (Measured { connected: Some(true), ..rate(0.0) }, false),
            (Measured { connected: Some(false), ..Measured::default() }, false),
        ] {
            for peer in [false, true] {
                let found = of_input(&look(protocol, peer, &measured, 5));
                assert_eq!(found.1, Some(receives), "{protocol:?} {measured:?} peer {peer}");
            }
        }
    }
    let degraded = judge(Some(true), &Measured { packet_loss: Some(8.0), ..rate(5e6) }, &Health::default());
    assert_eq!(degraded, HealthWord::Degraded, "loss is read without a connection, too");
    // Of NDI AWS documents the connection and no bitrate.
    for is in [true, false] {
        let measured = Measured { connected: Some(is), ..Measured::default() };
        assert_eq!(of_input(&look(Protocol::Ndi, false, &measured, 5)).1, Some(is));
    }
}

#[test]
fn without_data_an_input_is_unknown_for_a_while_and_then_receives_nothing() {
    let none = Measured::default();
    for protocol in ALL {
        let of = |age: i64| InputLook { began: Some(at(1000 - age)), ..look(protocol, false, &none, 0) };
        assert_eq!(of_input(&of(119)).1, None, "{protocol:?}");
        assert_eq!(of_input(&of(120)).1, Some(false), "{protocol:?}");
        // What cannot be read is not known to be nothing.
        assert_eq!(of_input(&InputLook { answered: false, ..of(3600) }).1, None);
        assert_eq!(of_input(&InputLook { answered: false, measured: None, ..of(3600) }).1, None);
        // Data that has ended says nothing any more.
        let old = rate(5e6);
        assert_eq!(of_input(&look(protocol, false, &old, 121)).1, Some(false), "{protocol:?}");
        let before_the_start = InputLook { began: Some(at(999)), ..look(protocol, false, &old, 5) };
        assert_eq!(of_input(&before_the_start), (Measured::default(), None));
    }
}

#[test]
fn the_configured_address_of_an_encoder_that_is_called_proves_nothing() {
    let none = Measured::default();
    let of = |protocol| of_input(&InputLook { began: Some(at(999)), ..look(protocol, true, &none, 0) }).1;
    assert_eq!(of(Protocol::SrtCaller), None);
    assert_eq!(of(Protocol::Ndi), None);
    for protocol in [Protocol::SrtListener, Protocol::Rtp, Protocol::RtpFec, Protocol::Rist] {
        assert_eq!(of(protocol), Some(true), "{protocol:?}: the address of who sends now");
    }
}

#[test]
fn what_was_measured_before_the_operators_own_change_says_nothing_of_since() {
    let measured = Measured { selected: Some(true), ..rate(5e6) };
    // Periods of ten seconds; the change fell into that which began at 980, and is of both.
    let of = |from: i64, changed: Option<i64>, led: Option<i64>, peer| {
        let second = |s: i64| at(s).as_second();
        let look = look(Protocol::SrtListener, peer, &measured, 0);
        let (from, until) = (Some(second(from)), Some(second(from + 10)));
        of_input(&InputLook { from, until, changed: changed.map(second), led: led.map(second), ..look })
    };
    for from in [970, 980] {
        assert_eq!(of(from, Some(985), None, false), (Measured::default(), None), "settings, {from}");
        assert_eq!(of(from, Some(985), None, true).1, None, "the peer is shown up to 20 s late");
        let (led, receives) = of(from, None, Some(985), false);
        assert_eq!((led.selected, led.bitrate, receives), (None, Some(5e6), Some(true)), "who leads, {from}");
    }
    assert_eq!(of(990, Some(985), Some(985), false), (measured.clone(), Some(true)));
    assert_eq!(of(970, Some(979), None, true).1, Some(true));
    // Nothing of since for long enough is nothing.
    assert_eq!(of(870, Some(880), None, false).1, Some(false));
    assert_eq!(of(870, Some(881), None, false).1, None);
}

#[test]
fn a_data_point_of_since_a_change_is_waited_for_and_no_longer() {
    for (changed, period, first) in [(100, 10, 112), (109, 10, 112), (110, 10, 122), (100, 1, 103), (100, 0, 103)] {
        assert_eq!(first_since(changed, period), first, "{changed} {period}");
    }
    assert!(is_since(None, None) && is_since(Some(5), None) && is_since(Some(6), Some(5)));
    assert!(!is_since(None, Some(5)) && !is_since(Some(5), Some(5)));
}

#[test]
fn an_input_that_came_into_the_flow_late_is_given_its_time() {
    let input = |in_flow, health, since| InputStatus {
        name: "slate".into(),
        in_flow,
        health: Some(health),
        since: Some(Time(at(since))),
        ..InputStatus::default()
    };
    let status =
        |input| SourceStatus { started_at: Some(Time(at(100))), inputs: vec![input], ..SourceStatus::default() };
    assert_eq!(began(Some(&status(input(true, HealthWord::Unknown, 900))), "slate"), Some(at(900)));
    assert_eq!(began(Some(&status(input(true, HealthWord::Unknown, 50))), "slate"), Some(at(100)));
    assert_eq!(began(Some(&status(input(true, HealthWord::Failed, 900))), "slate"), Some(at(100)));
    assert_eq!(began(Some(&status(input(false, HealthWord::Unknown, 50))), "slate"), None);
    assert_eq!(began(None, "slate"), None);
}

fn input_seen(measured: &Measured, protocol: Protocol) -> InputSeen {
    let (measured, receives) = of_input(&look(protocol, false, measured, 5));
    let health = judge(receives, &measured, &Health::default());
    InputSeen { measured, health, error: None, led_anew: false }
}

fn rtp_three() -> Vec<(&'static str, Value)> {
    let inputs = [
        rtp_input("main", "Primary", 5000),
        rtp_input("reserve", "Backup", 5010),
        rtp_input("slate", "Emergency", 5020),
    ];
    vec![("/inputs", json!(inputs))]
}

#[test]
fn the_emergency_takes_its_place_when_both_rtp_inputs_bring_nothing() {
    let wish = wish(&rtp_three());
    let plan = |main: Measured, reserve: Measured| {
        let mut seen = source_seen(&rtp_three());
        fixtures::on_air(&mut seen);
        seen.inputs = BTreeMap::from([
            ("main".to_string(), input_seen(&main, Protocol::Rtp)),
            ("reserve".to_string(), input_seen(&reserve, Protocol::Rtp)),
        ]);
        source::plan::plan(&wish, false, &seen)
    };
    assert_eq!(plan(rate(5e6), rate(0.0)), Step::Settled);
    let Step::Act(actions) = plan(rate(0.0), rate(0.0)) else { panic!("the Emergency is swapped in") };
    assert!(
        matches!(&actions[..], [source::plan::Action::RemoveSource { name, .. }] if name == "reserve"),
        "{actions:?}"
    );
}

fn source_status(seen: &source::observed::Observed, before: Option<SourceStatus>, second: i64) -> SourceStatus {
    let mut object = source_object(source_spec(&[]));
    object.metadata.annotations = Some(BTreeMap::from([(playout_api::TEST_CONNECTION.into(), "5s".into())]));
    object.status = before;
    let step = source::plan::plan(&wish(&[]), false, seen);
    let outcome = source::Outcome {
        wanted: None,
        seen: Some(seen),
        step: Some(&step),
        failure: None,
        ..source::Outcome::at(at(second))
    };
    source::status::status(&object, &outcome, fixtures::REGION)
}

fn signal(status: &SourceStatus, now: jiff::Timestamp) -> Option<bool> {
    let mut object = source_object(source_spec(&[]));
    object.status = Some(status.clone());
    source::status::signal(&object, now)
}

fn condition<'a>(status: &'a SourceStatus, type_: &str) -> Option<(&'a str, &'a str)> {
    status.conditions.iter().find(|c| c.type_ == type_).map(|c| (c.status.as_str(), c.reason.as_str()))
}

#[test]
fn a_connection_test_that_ends_before_the_first_measurement_does_not_say_what_it_cannot_know() {
    let mut seen = source_seen(&[]);
    fixtures::on_air(&mut seen);
    let word = |health, measured: Measured| InputSeen { measured, health, error: None, led_anew: false };
    let cases = [
        (word(HealthWord::Unknown, Measured::default()), ("Unknown", "ConnectionTest")),
        (word(HealthWord::Healthy, Measured::default()), ("Unknown", "ConnectionTest")),
        (word(HealthWord::Failed, rate(0.0)), ("False", "Unreachable")),
        (word(HealthWord::Healthy, rate(5e6)), ("True", "Reachable")),
    ];
    for (input, said) in cases {
        for name in ["main", "reserve"] {
            seen.inputs.insert(name.into(), input.clone());
        }
        seen.test = TestPhase::Running;
        let running = source_status(&seen, None, 0);
        seen.test = TestPhase::Over;
        let over = source_status(&seen, Some(running.clone()), 5);
        assert_eq!(condition(&over, INPUT_REACHABLE), Some(said), "{input:?}");
        // It is told when the flow is off, and there is nothing to be measured any more.
        let mut off = seen.clone();
        off.inputs.clear();
        fixtures::flow(&mut off).state = FlowState::Stopping;
        let over = source_status(&off, Some(running), 5);
        assert_eq!(condition(&over, INPUT_REACHABLE), Some(said), "{input:?}, off");
    }
}

#[test]
fn a_source_without_a_programme_is_ready_and_says_so() {
    let mut seen = source_seen(&[]);
    fixtures::on_air(&mut seen);
    for name in ["main", "reserve"] {
        seen.inputs.insert(
            name.into(),
            InputSeen {
                measured: rate(0.0),
                health: HealthWord::Failed,
                error: Some("No packets.".into()),
                led_anew: false,
            },
        );
    }
    let now = source_status(&seen, None, 0);
    assert_eq!(condition(&now, READY), Some(("True", "NoSignal")));
    assert_eq!(condition(&now, HEALTHY), Some(("False", "NoSignal")));
    assert!(now.conditions.iter().any(|c| c.type_ == HEALTHY && c.message.contains("No packets.")));
    assert_eq!(signal(&now, at(0)), Some(false));
    // A flow that takes a change is still measured.
    flow(&mut seen).state = FlowState::Updating;
    assert_eq!(signal(&source_status(&seen, Some(now), 10), at(10)), Some(false));
}

#[test]
fn of_merged_inputs_one_that_brings_something_is_enough() {
    let merged = [("/failover", json!({ "mode": "Merge" }))];
    let mut seen = source_seen(&merged);
    fixtures::on_air(&mut seen);
    seen.inputs.insert("main".into(), input_seen(&rate(0.0), Protocol::SrtListener));
    seen.inputs.insert("reserve".into(), input_seen(&rate(5e6), Protocol::SrtListener));
    let now = source_status(&seen, None, 0);
    assert_eq!((now.active_input.as_deref(), signal(&now, at(0))), (Some("reserve"), Some(true)));
}

#[test]
fn what_a_source_that_is_not_understood_receives_is_not_known() {
    let mut seen = source_seen(&[]);
    fixtures::on_air(&mut seen);
    seen.inputs.insert("main".into(), input_seen(&rate(5e6), Protocol::SrtListener));
    let mut now = source_status(&seen, None, 0);
    assert_eq!(signal(&now, at(600)), Some(true), "it is looked at");
    let meta = source_object(source_spec(&[])).metadata;
    now.conditions = playout_core::conditions::not_understood(&now.conditions, "spec.inputs", &meta, at(10));
    assert_eq!(signal(&now, at(10)), None, "nobody looks any more");
}

#[test]
fn what_a_source_was_seen_to_receive_holds_for_the_interval_after_its_looks_began_to_fail() {
    let mut seen = source_seen(&[]);
    fixtures::on_air(&mut seen);
    for name in ["main", "reserve"] {
        seen.inputs.insert(name.into(), input_seen(&rate(5e6), Protocol::SrtListener));
    }
    let mut object = source_object(source_spec(&[]));
    object.status = Some(source_status(&seen, None, 0));
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "mediaconnect:DescribeFlow".into(),
        message: "no answer".into(),
    };
    let outcome = source::Outcome {
        wanted: None,
        seen: None,
        step: None,
        failure: Some(&failure),
        ..source::Outcome::at(at(60))
    };
    let failed = source::status::status(&object, &outcome, fixtures::REGION);
    assert_eq!(condition(&failed, READY), Some(("Unknown", "AwsUnavailable")));
    assert_eq!(condition(&failed, HEALTHY), Some(("Unknown", "AwsUnavailable")));
    // So long as `spec.health.interval`: 30 seconds.
    assert_eq!((signal(&failed, at(60)), signal(&failed, at(89))), (Some(true), Some(true)));
    assert_eq!(signal(&failed, at(90)), None);
}

#[test]
fn a_time_that_lies_ahead_is_no_age() {
    let mut show = Show::new(&[]);
    show.pass(&refused(&[], Duration::from_secs(30)), 0);
    show.pass(&refused(&[], Duration::from_secs(30)), 1);
    let retries = show.object.status.as_mut().and_then(|s| s.retries.as_mut()).expect("restarts");
    retries.since = Some(Time(at(10_000)));
    assert_eq!(memory::tries(&show.object, at(0)).map(|t| t.since), Some(Duration::ZERO));
}
