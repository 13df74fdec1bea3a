//! What that makes of a Source, and for how long it holds.

use super::*;

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
    source::status::status(&object, &outcome, crate::fixtures::REGION)
}

#[test]
fn a_connection_test_that_ends_before_the_first_measurement_does_not_say_what_it_cannot_know() {
    let mut seen = source_seen(&[]);
    crate::fixtures::on_air(&mut seen);
    let word = |health, measured: Measured| InputSeen { measured, health, error: None, led_anew: false };
    let cases = [
        (word(InputHealth::Unknown, Measured::default()), ("Unknown", "ConnectionTest")),
        (word(InputHealth::Healthy, Measured::default()), ("Unknown", "ConnectionTest")),
        (word(InputHealth::Failed, rate(0.0)), ("False", "Unreachable")),
        (word(InputHealth::Healthy, rate(5e6)), ("True", "Reachable")),
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
        crate::fixtures::flow(&mut off).state = FlowState::Stopping;
        let over = source_status(&off, Some(running), 5);
        assert_eq!(condition(&over, INPUT_REACHABLE), Some(said), "{input:?}, off");
    }
}

#[test]
fn a_source_without_a_programme_is_ready_and_says_so() {
    let mut seen = source_seen(&[]);
    crate::fixtures::on_air(&mut seen);
    for name in ["main", "reserve"] {
        seen.inputs.insert(
            name.into(),
            InputSeen {
                measured: rate(0.0),
                health: InputHealth::Failed,
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
    crate::fixtures::on_air(&mut seen);
    seen.inputs.insert("main".into(), input_seen(&rate(0.0), Protocol::SrtListener));
    seen.inputs.insert("reserve".into(), input_seen(&rate(5e6), Protocol::SrtListener));
    let now = source_status(&seen, None, 0);
    assert_eq!((now.active_input.as_deref(), signal(&now, at(0))), (Some("reserve"), Some(true)));
}

#[test]
fn what_a_source_that_is_not_understood_receives_is_not_known() {
    let mut seen = source_seen(&[]);
    crate::fixtures::on_air(&mut seen);
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
    crate::fixtures::on_air(&mut seen);
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
    let failed = source::status::status(&object, &outcome, crate::fixtures::REGION);
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
    assert_eq!(memory::restart(&show.object, at(0)).map(|t| t.since), Some(Duration::ZERO));
}
