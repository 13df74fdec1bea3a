//! What is said of it.

use super::*;

fn condition<'a>(status: &'a SourceStatus, type_: &str) -> Option<(&'a str, &'a str)> {
    status.conditions.iter().find(|c| c.type_ == type_).map(|c| (c.status.as_str(), c.reason.as_str()))
}

#[test]
fn the_status_says_what_was_seen_and_a_second_pass_in_which_nothing_happened_changes_nothing() {
    let mut running = source_seen(&three());
    on_air(&mut running);
    health(&mut running, &[("main", Healthy), ("reserve", Failed)]);
    let mut undecided = source_seen(&[]);
    undecided.flow = Existence::Unknown;
    let mut absent = source_seen(&[]);
    absent.flow = Existence::Absent;
    let mut testing = source_seen(&[]);
    testing.test = TestPhase::Wanted;
    for seen in [source_seen(&[]), running, undecided, absent, testing] {
        for (desired, changes) in [(wish(&three()), three()), (Desired::Absent, vec![]), (wish(&[]), vec![])] {
            let step = decide(&desired, &seen);
            let mut object = source_object(source_spec(&changes));
            let annotation = (playout_api::TEST_CONNECTION.to_string(), "60s".to_string());
            object.metadata.annotations = Some(BTreeMap::from([annotation]));
            let first = status(&object, &outcome(Some(&seen), Some(&step), 0));
            object.status = Some(first.clone());
            let second = status(&object, &outcome(Some(&seen), Some(&step), 7200));
            assert_eq!(first, second, "{step:?}");
        }
    }
}

#[test]
fn when_looking_fails_the_status_keeps_what_was_known_and_does_not_claim_to_be_ready() {
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    let step = decide(&wish(&[]), &seen);
    let mut object = source_object(source_spec(&[]));
    let before = status(&object, &outcome(Some(&seen), Some(&step), 0));
    assert_eq!(condition(&before, READY), Some(("True", "Running")));
    object.status = Some(before.clone());
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "mediaconnect:DescribeFlow".into(),
        message: "connection reset".into(),
    };
    let after = status(&object, &Outcome { failure: Some(&failure), ..outcome(None, None, 60) });
    assert_eq!((after.state, &after.flow_arn, &after.inputs), (before.state, &before.flow_arn, &before.inputs));
    assert_eq!(condition(&after, READY), Some(("Unknown", "AwsUnavailable")));
}

#[test]
fn a_refusal_of_aws_is_stalled_and_kept_in_words() {
    let mut seen = source_seen(&[]);
    seen.flow = Existence::Absent;
    let step = decide(&wish(&[]), &seen);
    let failure = Failure {
        class: FailureClass::Quota,
        operation: "mediaconnect:CreateFlow".into(),
        message: "20 of 20 flows are used".into(),
    };
    let object = source_object(source_spec(&[]));
    let after = status(&object, &Outcome { failure: Some(&failure), ..outcome(Some(&seen), Some(&step), 60) });
    assert_eq!(condition(&after, STALLED), Some(("True", "QuotaExceeded")));
    assert_eq!(after.state, Some(SourceState::Error));
}

#[test]
fn an_object_that_is_being_deleted_without_a_flow_is_not_said_to_be_creating() {
    let mut seen = source_seen(&with_password());
    seen.flow = Existence::Absent;
    let step = decide(&Desired::Absent, &seen);
    let mut object = source_object(source_spec(&with_password()));
    deleted(&mut object.metadata);
    assert_eq!(status(&object, &outcome(Some(&seen), Some(&step), 0)).state, Some(SourceState::Deleting));
}

#[test]
fn a_copy_of_a_password_that_goes_with_its_source_is_not_said_to_be_made() {
    let mut source = source_object(source_spec(&with_password()));
    deleted(&mut source.metadata);
    let mut seen = source_seen(&with_password());
    (seen.flow, seen.ownership, seen.tags) = (Existence::Absent, Ownership::Foreign, BTreeMap::new());
    let step = decide(&Desired::Absent, &seen);
    assert!(act(step.clone()).iter().all(|action| matches!(action, Action::Copy(CopyAction::Delete { .. }))));
    let told = status(&source, &outcome(Some(&seen), Some(&step), 0));
    assert_eq!((told.state, condition(&told, READY)), (Some(SourceState::Deleting), Some(("False", "Deleting"))));
}

#[test]
fn no_secret_stands_in_actions_steps_wishes_or_status() {
    let key = json!({"secretRef": {"name": "keys", "key": "primary"}});
    let mut rtmp = input("main", "Primary", 5000);
    rtmp["protocol"] = json!("Rtmp");
    rtmp["srtListener"] = Value::Null;
    rtmp["rtmp"] = json!({"allowedCidr": "203.0.113.0/24", "streamKey": key});
    for changes in [with_password(), vec![("/inputs", json!([rtmp]))]] {
        let desired = wish(&changes);
        assert!(format!("{desired:?}").contains("(secret)"), "the fixture has a secret");
        let mut bare = source_seen(&changes);
        bare.secrets.clear();
        let mut absent = source_seen(&changes);
        absent.flow = Existence::Absent;
        for seen in [source_seen(&changes), bare, absent, source_seen(&[])] {
            let step = decide(&desired, &seen);
            let told = status(&source_object(source_spec(&changes)), &outcome(Some(&seen), Some(&step), 0));
            let mut text = format!("{desired:?} {seen:?} {step:?} {told:?}");
            text += &serde_json::to_string(&told).expect("JSON");
            if let Step::Act(actions) = &step {
                text += &serde_json::to_string(actions).expect("JSON");
                text += &actions.iter().map(|a| a.effect().sentence).collect::<String>();
            }
            assert!(!text.contains(crate::fixtures::CANARY), "{text}");
        }
    }
}
