//! `policy: Reference`: used and never touched.

use super::*;

/// A Source that references the flow, as people write it: without inputs.
fn reference_spec() -> SourceSpec {
    serde_json::from_value(json!({ "external": { "arn": FLOW, "policy": "Reference" } })).expect("a valid spec")
}

fn reference() -> Desired<Wanted> {
    crate::fixtures::source_wanted(&reference_spec())
}

/// Somebody's flow with two sources and an output, as a Source that references it sees it.
fn referenced() -> Observed {
    let mut seen = source_seen(&[]);
    seen.management = Management::Referenced;
    seen.ownership = Ownership::Foreign;
    seen.tags = BTreeMap::from([("team".into(), "news".into())]);
    flow(&mut seen).name = "studio-of-the-newsroom".into();
    flow(&mut seen).outputs.push(anothers_output());
    seen
}

// ------------------------------------------------------------------------------------------------------ Reference

#[test]
fn a_referenced_flow_is_never_acted_upon_in_no_state_and_whatever_is_requested() {
    let mut anothers = referenced();
    anothers.tags = identity("Source", "other").tags(&BTreeMap::new());
    let mut ours = referenced();
    (ours.tags, ours.ownership) = (identity("Source", "studio").tags(&BTreeMap::new()), Ownership::Ours);
    let mut gone = referenced();
    gone.flow = Existence::Absent;
    let mut used = referenced();
    used.users.on_air = vec!["Destination/tube".into()];
    let mut tested = referenced();
    tested.test = TestPhase::Wanted;
    let mut with_copies = referenced();
    with_copies.secrets = source_seen(&[("/inputs", json!([encrypted(input("main", "Primary", 5000))]))]).secrets;
    for seen in [referenced(), anothers, ours, gone, used, tested, with_copies] {
        for state in STATES {
            let mut seen = seen.clone();
            if let Existence::Present(flow) = &mut seen.flow {
                flow.state = state;
            }
            for suspended in [false, true] {
                let spec = SourceSpec { suspend: suspended, ..reference_spec() };
                for desired in [crate::fixtures::source_wanted(&spec), Desired::Absent] {
                    for retain in [false, true] {
                        let step = plan(&desired, retain, &seen);
                        assert!(!matches!(step, Step::Act(_)), "{state:?} {desired:?}: {step:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_referenced_flow_that_runs_is_all_that_is_requested() {
    let mut seen = referenced();
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(plan(&reference(), true, &seen), Step::Settled);
}

#[test]
fn a_referenced_flow_that_stands_by_is_waited_for_and_the_remedies_are_named() {
    let Step::Wait { on, poll } = plan(&reference(), true, &referenced()) else { panic!("it waits") };
    assert_eq!(on, Waiting::ExternalStopped);
    assert!(poll.is_some(), "nobody tells us when it is started");
    for word in ["Start it in AWS", "external.policy: Adopt"] {
        assert!(on.message().contains(word), "{}", on.message());
    }
}

#[test]
fn a_referenced_flow_in_error_is_told_with_the_words_of_aws() {
    let mut seen = referenced();
    flow(&mut seen).state = FlowState::Error;
    flow(&mut seen).errors = vec!["no capacity".into()];
    let problem = stuck(plan(&reference(), true, &seen));
    assert_eq!(problem.reason, Reason::FlowError);
    assert!(problem.message.contains("no capacity") && !problem.message.contains("Delete"), "{}", problem.message);
}

#[test]
fn an_external_flow_that_is_not_there_is_told_and_none_is_made() {
    for (spec, mut seen) in [(reference_spec(), referenced()), (adopting(&[]), claimed())] {
        seen.flow = Existence::Absent;
        for management in [seen.management.clone(), Management::Adopted] {
            seen.management = management;
            assert_eq!(stuck(decide(&spec, &seen)).reason, Reason::ExternalNotFound);
        }
    }
}

#[test]
fn an_external_flow_that_is_listed_and_not_found_is_waited_for_and_what_was_shown_can_still_be_confirmed() {
    for (spec, seen) in [(reference_spec(), referenced()), (adopting(&[]), claimed())] {
        let hidden = Observed { flow: Existence::Unknown, ..seen };
        assert!(matches!(decide(&spec, &hidden), Step::Wait { on: Waiting::CreateOutcome, .. }));
    }
    let spec = adopting(&[("/inputs/0/srtListener/port", json!(6000))]);
    let wish = present(crate::fixtures::source_wanted(&spec));
    let mut source = object(spec.clone(), Some("first"));
    let pass = |source: &Source, seen: &Observed| {
        let step = decide(&spec, seen);
        status(source, &outcome(Some(&wish), Some(seen), Some(&step)))
    };
    let shown = pass(&source, &claimed());
    source.status = Some(shown.clone());
    source.metadata.annotations = Some(BTreeMap::from([(RECONCILE_AT.into(), "confirmed".into())]));
    let meanwhile = pass(&source, &Observed { flow: Existence::Unknown, ..claimed() });
    assert_eq!(meanwhile.adoption, shown.adoption);
    assert_eq!(meanwhile.last_handled_reconcile_at.as_deref(), Some("first"), "it is acted upon later");
}

#[test]
fn a_flow_of_another_object_is_neither_referenced_nor_adopted_and_its_owner_is_named() {
    for (spec, mut seen) in [(reference_spec(), referenced()), (adopting(&[]), claimed())] {
        seen.ownership = Ownership::Foreign;
        seen.tags = identity("Source", "other").tags(&BTreeMap::new());
        let problem = stuck(decide(&spec, &seen));
        assert_eq!(problem.reason, Reason::ExternalOwned);
        assert!(problem.message.contains("Source other of namespace show in cluster cluster-1"), "{}", problem.message);
        seen.tags = BTreeMap::from([(TAG_NAME.into(), "half".into())]);
        assert_eq!(stuck(decide(&spec, &seen)).reason, Reason::ExternalOwned, "half an identity is one");
        assert_eq!(plan(&Desired::Absent, false, &seen), Step::Gone, "it is not ours to remove");
    }
}

#[test]
fn deleting_a_source_that_references_waits_for_its_users_and_then_leaves_everything() {
    let mut seen = referenced();
    (seen.ownership, flow(&mut seen).state) = (Ownership::Ours, FlowState::Active);
    seen.users.idle = vec!["Destination/tube".into()];
    let waits = Step::wait_for_watch(Waiting::InUse(vec!["Destination/tube".into()]));
    assert_eq!(plan(&Desired::Absent, false, &seen), waits);
    seen.users.idle.clear();
    assert_eq!(plan(&Desired::Absent, false, &seen), Step::Gone);
    assert!(retains(&reference_spec()), "the Event says that the flow stays");
}

#[test]
fn the_status_of_a_referenced_flow_has_its_inputs_and_endpoints_without_what_may_be_a_key() {
    let mut seen = referenced();
    flow(&mut seen).state = FlowState::Active;
    crate::fixtures::health(&mut seen, &[("main", playout_api::source::InputHealth::Healthy)]);
    flow(&mut seen).sources[1].name = "Reserve of the newsroom".into();
    flow(&mut seen).sources[1].settings.protocol = Protocol::ZixiPush;
    flow(&mut seen).sources[1].settings.stream_id = Some("c4n4ry".into());
    let mut third = flow(&mut seen).sources[0].clone();
    third.name = "pushed".into();
    third.settings.protocol = Protocol::RtmpPush;
    let stream = SecretText::new("c4n4ry");
    third.settings.rtmp = Some(RtmpPath { application: "live/c4n4ry".into(), stream, tls: false });
    flow(&mut seen).sources.push(third);
    let step = plan(&reference(), true, &seen);
    let wish = present(reference());
    let status = status(&object(reference_spec(), None), &outcome(Some(&wish), Some(&seen), Some(&step)));
    assert_eq!(status.flow_arn.as_deref(), Some(FLOW));
    assert_eq!(status.outputs.as_ref().map(|o| o.summary.as_str()), Some("1/50"));
    assert_eq!(status.active_input.as_deref(), Some("main"));
    let urls: Vec<_> = status.inputs.iter().filter_map(|i| Some(i.endpoint.as_ref()?.url.clone())).collect();
    assert_eq!(urls[0], "srt://198.51.100.7:5000?mode=caller");
    assert_eq!(status.inputs.len(), 3);
    assert!(!format!("{status:?}").contains("c4n4ry"), "{urls:?}");
    assert_eq!(condition(&status, "Ready").map(|c| (c.0, c.1)), Some(("True", "Running")));
    assert_eq!(condition(&status, "Healthy").map(|c| (c.0, c.1)), Some(("True", "SignalGood")));
    let message = condition(&status, "Ready").map_or("", |c| c.2);
    assert!(!message.contains("Set state"), "a referenced flow cannot be stopped: {message}");
}

#[test]
fn nothing_of_a_flow_that_belongs_to_another_object_is_shown() {
    let mut seen = referenced();
    seen.tags = identity("Source", "other").tags(&BTreeMap::new());
    let step = plan(&reference(), true, &seen);
    let wish = present(reference());
    let shown = status(&object(reference_spec(), None), &outcome(Some(&wish), Some(&seen), Some(&step)));
    // Destinations take the flow from here.
    assert!(shown.flow_arn.is_none() && shown.flow_state.is_none() && shown.inputs.is_empty(), "{shown:?}");
    assert_eq!(condition(&shown, "Stalled").map(|c| c.1), Some("ExternalOwned"));
    let spec = adopting(&[("/inputs/0/srtListener/port", json!(6000))]);
    (seen.management, seen.ownership) = (Management::AdoptionPending { shown: None, told: false }, Ownership::Foreign);
    let (wish, step) = (present(crate::fixtures::source_wanted(&spec)), decide(&spec, &seen));
    let shown = status(&object(spec, None), &outcome(Some(&wish), Some(&seen), Some(&step)));
    assert_eq!(shown.adoption, None, "nor what would change in it");
}

#[test]
fn a_connection_test_does_not_wait_for_a_flow_that_is_not_ours_to_start() {
    let mut source = object(reference_spec(), None);
    source.metadata.annotations = Some(BTreeMap::from([(TEST_CONNECTION.into(), "60s".into())]));
    let mut seen = referenced();
    let phase = |seen: &Observed, source: &Source| {
        let length = Some(std::time::Duration::from_secs(60));
        playout_core::kinds::source::status::test_phase(source, &seen.flow, &seen.management, true, length, at(0))
    };
    seen.test = phase(&seen, &source);
    assert_eq!(seen.test, TestPhase::None);
    let step = plan(&reference(), true, &seen);
    let wish = present(reference());
    let said = status(&source, &outcome(Some(&wish), Some(&seen), Some(&step)));
    assert_eq!(condition(&said, "InputReachable").map(|c| (c.0, c.1)), Some(("Unknown", "ExternalStopped")));
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(phase(&seen, &source), TestPhase::Running, "one that runs is listened to");
}

#[test]
fn destinations_are_told_whether_the_source_may_start_its_flow() {
    let starts = |spec: SourceSpec, adoption: Option<AdoptionState>| {
        let mut source = source_object(spec);
        let adoption = adoption.map(|state| json!({ "state": format!("{state:?}") }));
        source.status = Some(serde_json::from_value(json!({ "adoption": adoption })).expect("a status"));
        stays_off(&source, FlowState::Standby).is_none()
    };
    assert!(starts(source_spec(&[]), None));
    assert!(!starts(source_spec(&[("/state", json!("Stopped"))]), None));
    assert!(!starts(reference_spec(), None));
    assert!(!starts(adopting(&[]), None));
    assert!(!starts(adopting(&[]), Some(AdoptionState::Planned)));
    assert!(starts(adopting(&[]), Some(AdoptionState::Adopted)));
    let referenced = source_object(reference_spec());
    for state in STATES {
        let on = matches!(state, FlowState::Starting | FlowState::Active | FlowState::Updating);
        assert_eq!(stays_off(&referenced, state).is_none(), on, "somebody else has started it: {state:?}");
    }
}

#[test]
fn the_region_is_that_of_the_arn() {
    assert_eq!(reference_spec().region(), Some("us-west-2"));
    assert_eq!(source_spec(&[("/region", json!("eu-west-1"))]).region(), Some("eu-west-1"));
    assert_eq!(source_spec(&[]).region(), None);
    assert_eq!(reference_spec().external_policy(), Some(ExternalPolicy::Reference));
}

// ---------------------------------------------------------------------------------------------------------- Adopt

#[test]
fn what_the_source_holds_is_read_from_spec_tags_annotation_and_status() {
    let us = identity("Source", "studio");
    let mut tags = us.tags(&BTreeMap::new());
    assert_eq!(management(&source_object(source_spec(&[])), &us, &tags), Management::Managed);
    assert_eq!(management(&source_object(reference_spec()), &us, &tags), Management::Referenced);
    let mut source = object(adopting(&[]), Some("now"));
    assert_eq!(management(&source, &us, &tags), Management::AdoptionPending { shown: None, told: true });
    let planned = json!({ "adoption": { "state": "Planned", "plan": ["a"] }, "lastHandledReconcileAt": "now" });
    source.status = Some(serde_json::from_value(planned).expect("a status"));
    assert_eq!(
        management(&source, &us, &tags),
        Management::AdoptionPending { shown: Some(vec!["a".into()]), told: false }
    );
    source.metadata.annotations = None;
    assert!(
        matches!(management(&source, &us, &tags), Management::AdoptionPending { told: false, .. }),
        "taken away is not said"
    );
    // The mark of another owner means nothing, and ours nothing without our tags.
    tags.insert(TAG_ADOPTED.into(), "playout-show-other-abc".into());
    assert!(matches!(management(&source, &us, &tags), Management::AdoptionPending { .. }));
    assert!(matches!(management(&source, &us, &us.adoption_mark()), Management::AdoptionPending { .. }));
    tags.extend(us.adoption_mark());
    assert_eq!(management(&source, &us, &tags), Management::Adopted);
}
