//! Annotations: a test of the connection that is answered by itself alone, and values that nobody acts upon.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use playout_api::source::{InputHealth, SourceStatus};
use playout_api::{ACTIVE_ENDPOINT, Source, TEST_CONNECTION};
use playout_core::annotations::{of_destination, of_source};
use playout_core::kinds::source;
use playout_core::kinds::source::observed::{Observed, TestPhase};
use playout_core::plan::Step;
use playout_core::resources::flow::FlowState;

use crate::fixtures::{
    at, backup_json, destination_object, destination_spec, flow, health, on_air, source_object, source_seen,
    source_spec, wish,
};

fn annotated(name: &str, value: &str) -> Option<BTreeMap<String, String>> {
    Some(BTreeMap::from([(name.to_string(), value.to_string())]))
}

fn told(source: &Source, seen: &Observed) -> (Step<source::plan::Action>, SourceStatus) {
    let step = source::plan::plan(&wish(&[]), false, seen);
    let (wanted, seen, step_) = (None, Some(seen), Some(&step));
    let outcome = source::Outcome { wanted, seen, step: step_, failure: None, ..source::Outcome::at(at(0)) };
    let status = source::status::status(source, &outcome, "us-west-2");
    (step, status)
}

fn condition<'a>(status: &'a SourceStatus, type_: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|c| c.type_ == type_)
}

fn answer(status: &SourceStatus) -> (String, Option<String>) {
    let reachable = condition(status, "InputReachable").expect("a condition");
    (reachable.status.clone(), status.connection_test.as_ref().and_then(|t| t.answered.clone()))
}

#[test]
fn a_second_connection_test_is_not_answered_by_the_first() {
    let mut source = source_object(source_spec(&[]));
    let mut seen = source_seen(&[]);
    source.metadata.annotations = annotated(TEST_CONNECTION, "60s");
    flow(&mut seen).state = FlowState::Active;
    (seen.test, source.status) = (TestPhase::Running, None);
    health(&mut seen, &[("main", InputHealth::Healthy)]);
    let status = told(&source, &seen).1;
    assert_eq!(answer(&status), ("True".into(), Some("60s".into())));

    // Unplugged; and another one is asked for.
    source.status = Some(status);
    source.metadata.annotations = annotated(TEST_CONNECTION, "61s");
    health(&mut seen, &[("main", InputHealth::Failed), ("reserve", InputHealth::Failed)]);
    for phase in [TestPhase::None, TestPhase::Wanted, TestPhase::Running] {
        seen.test = phase;
        assert_eq!(answer(&told(&source, &seen).1), ("Unknown".into(), None), "{phase:?}");
    }
    source.status = Some(told(&source, &seen).1);
    seen.test = TestPhase::Over;
    assert_eq!(answer(&told(&source, &seen).1), ("False".into(), Some("61s".into())));
}

#[test]
fn a_connection_test_does_not_make_a_live_source_less_ready() {
    let mut source = source_object(source_spec(&[]));
    source.metadata.annotations = annotated(TEST_CONNECTION, "60s");
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    seen.test = TestPhase::Running;
    let (step, status) = told(&source, &seen);
    assert_eq!(step, Step::Settled);
    let ready = condition(&status, "Ready").expect("a condition");
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("True", "Running"));
    assert!(condition(&status, "InputReachable").is_some());
}

#[test]
fn an_annotation_that_is_not_acted_upon_is_told() {
    let mut source = source_object(source_spec(&[]));
    let seen = source_seen(&[]);
    for (name, value, words) in [
        (TEST_CONNECTION, "60", Some("as in 60s")),
        (TEST_CONNECTION, "", Some("as in 60s")),
        (TEST_CONNECTION, "60s", None),
        (ACTIVE_ENDPOINT, "Backup", Some("spec.activeInput")),
    ] {
        source.metadata.annotations = annotated(name, value);
        let text = of_source(&source);
        assert_eq!(text.is_some(), words.is_some(), "{name} {value}: {text:?}");
        assert!(words.is_none_or(|words| text.as_ref().is_some_and(|text| text.contains(words))), "{text:?}");
        let status = told(&source, &seen).1;
        assert_eq!(condition(&status, "AnnotationIgnored").map(|c| c.message.clone()), text);
    }
    let backup = ("/backup", backup_json("OnFailure"));
    for (name, value, backup, words) in [
        (ACTIVE_ENDPOINT, "backup", Some(&backup), Some("it takes Primary or Backup")),
        (ACTIVE_ENDPOINT, "Backup", Some(&backup), None),
        (ACTIVE_ENDPOINT, "Backup", None, Some("OnFailure")),
        (ACTIVE_ENDPOINT, "Backup", Some(&("/backup", backup_json("Hot"))), Some("OnFailure")),
        (TEST_CONNECTION, "60s", None, Some("it is for Sources")),
        ("team", "news", None, None),
    ] {
        let changes: Vec<_> = backup.into_iter().cloned().collect();
        let mut destination = destination_object(destination_spec(&changes));
        destination.metadata.annotations = annotated(name, value);
        let text = of_destination(&destination);
        assert_eq!(text.is_some(), words.is_some(), "{name} {value}: {text:?}");
        assert!(words.is_none_or(|words| text.as_ref().is_some_and(|text| text.contains(words))), "{text:?}");
    }
}
