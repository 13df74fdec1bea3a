//! Whether an input receives something.

use super::*;
use playout_core::resources::flow::FlowAction;

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
    assert_eq!(degraded, InputHealth::Degraded, "loss is read without a connection, too");
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
    assert_eq!(began(Some(&status(input(true, InputHealth::Unknown, 900))), "slate"), Some(at(900)));
    assert_eq!(began(Some(&status(input(true, InputHealth::Unknown, 50))), "slate"), Some(at(100)));
    assert_eq!(began(Some(&status(input(true, InputHealth::Failed, 900))), "slate"), Some(at(100)));
    assert_eq!(began(Some(&status(input(false, InputHealth::Unknown, 50))), "slate"), None);
    assert_eq!(began(None, "slate"), None);
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
        crate::fixtures::on_air(&mut seen);
        seen.inputs = BTreeMap::from([
            ("main".to_string(), input_seen(&main, Protocol::Rtp)),
            ("reserve".to_string(), input_seen(&reserve, Protocol::Rtp)),
        ]);
        source::plan::plan(&wish, false, &seen)
    };
    assert_eq!(plan(rate(5e6), rate(0.0)), Step::Settled);
    let Step::Act(actions) = plan(rate(0.0), rate(0.0)) else { panic!("the Emergency is swapped in") };
    assert!(
        matches!(&actions[..], [source::plan::Action::Flow(FlowAction::RemoveSource { name, .. })] if name == "reserve"),
        "{actions:?}"
    );
}
