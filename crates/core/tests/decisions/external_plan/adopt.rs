//! `policy: Adopt`: shown, confirmed, and then as if it had always been ours.

use super::*;
use playout_core::resources::flow::FlowAction;

#[test]
fn a_flow_to_be_adopted_is_tagged_first_with_nothing_but_who_owns_it() {
    let mut seen = claimed();
    (seen.ownership, seen.tags) = (Ownership::Foreign, BTreeMap::from([("team".into(), "news".into())]));
    let spec = adopting(&[("/tags", json!({ "team": "sports" })), ("/inputs/0/srtListener/port", json!(6000))]);
    let action = one(decide(&spec, &seen));
    let Action::Flow(FlowAction::Claim { flow, tags }) = &action else { panic!("{action:?}") };
    assert_eq!(flow, FLOW);
    assert_eq!(tags.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), OWNERSHIP_TAGS.into());
    assert_eq!(action.effect().reason, Reason::Adopted);
}

#[test]
fn a_flow_that_is_as_requested_is_adopted_without_a_question() {
    let mut seen = claimed();
    let action = one(decide(&adopting(&[]), &seen));
    assert!(
        matches!(&action, Action::Flow(FlowAction::Adopt { tags, .. }) if tags.contains_key(TAG_ADOPTED)),
        "{action:?}"
    );
    seen.management = Management::Adopted;
    assert_eq!(decide(&adopting(&[]), &seen), Step::Settled);
}

#[test]
fn a_difference_is_shown_and_carried_out_only_when_just_that_was_confirmed() {
    let spec = adopting(&[("/inputs/0/srtListener/port", json!(6000))]);
    let mut seen = claimed();
    let problem = stuck(decide(&spec, &seen));
    assert_eq!(problem.reason, Reason::AdoptionPlanned);
    for word in ["would change input main: port 5000 -> 6000", "playout.dev/reconcile-at"] {
        assert!(problem.message.contains(word), "{}", problem.message);
    }
    let plan = vec!["would change input main: port 5000 -> 6000".to_string()];
    for (shown, told, goes) in [
        (Some(plan.clone()), false, false),
        (None, true, false),
        (Some(vec!["would change something else".into()]), true, false),
        (Some(plan), true, true),
    ] {
        seen.management = Management::AdoptionPending { shown, told };
        match decide(&spec, &seen) {
            Step::Act(actions) => {
                assert!(goes && matches!(actions.as_slice(), [Action::Flow(FlowAction::Adopt { .. })]))
            }
            step => assert!(!goes && stuck(step).reason == Reason::AdoptionPlanned, "{:?}", seen.management),
        }
    }
    seen.management = Management::Adopted;
    assert!(matches!(one(decide(&spec, &seen)), Action::Flow(FlowAction::UpdateSource { name, .. }) if name == "main"));
}

#[test]
fn every_sort_of_difference_has_its_words() {
    let one_input = |i: Value| ("/inputs", json!([i]));
    let lan = |group: &str| json!([{ "name": "lan", "subnetId": "subnet-0a", "securityGroupIds": [group] }]);
    let bitrate = [("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)]))];
    type Changes<'a> = Vec<(&'a str, Value)>;
    let cases: Vec<(Changes<'_>, &[&str])> = vec![
        (vec![], &[]),
        (vec![("/tags", json!({ "team": "news" }))], &["would set tag team: news"]),
        (vec![("/flowSize", json!("Large"))], &["would change the flow's size: MEDIUM -> LARGE"]),
        (vec![("/state", json!("Running"))], &["would start the flow"]),
        (
            vec![("/inputs/0/srtListener/allowedCidr", json!("198.51.100.0/24"))],
            &["would change input main: allowedCidr 203.0.113.0/24 -> 198.51.100.0/24"],
        ),
        (
            vec![("/inputs/0/srtListener/minLatencyMs", json!(300))],
            &["would change input main: minLatencyMs none -> 300"],
        ),
        (
            vec![one_input(input("studio-a", "Primary", 5000))],
            &[
                "would add input studio-a: srt-listener, port 5000",
                "would remove input main: srt-listener, port 5000",
                "would remove input reserve: srt-listener, port 5001",
                "would switch failover off",
            ],
        ),
        (
            bitrate.to_vec(),
            &[
                "would replace input main: protocol srt-listener -> rtp",
                "would replace input reserve: protocol srt-listener -> rtp",
            ],
        ),
        (vec![("/activeInput", json!("reserve"))], &["would let input reserve lead"]),
        (vec![("/inputs/0", encrypted(input("main", "Primary", 5000)))], &["would change input main: encryption"]),
        (vec![("/network/vpcInterfaces", lan("sg-0a"))], &["would add VPC interface lan"]),
        (vec![discovery("10.0.1.20")], &["would switch NDI on"]),
    ];
    for (changes, words) in cases {
        assert_eq!(told(&changes, &mut claimed()), words, "{changes:?}");
    }
    let mut seen = claimed();
    seen.tags.insert("team".into(), "sports".into());
    assert_eq!(told(&[("/tags", json!({ "team": "news" }))], &mut seen), ["would change tag team: sports -> news"]);
    flow(&mut seen).vpc_interfaces =
        present(crate::fixtures::wish(&[("/network/vpcInterfaces", lan("sg-0b"))])).vpc_interfaces;
    assert_eq!(told(&[("/network/vpcInterfaces", lan("sg-0a"))], &mut seen), ["would replace VPC interface lan"]);
    assert_eq!(told(&[], &mut seen), ["would remove VPC interface lan"]);
    flow(&mut seen).vpc_interfaces.clear();
    flow(&mut seen).failover = Failover::default();
    assert_eq!(told(&[], &mut seen), ["would switch failover on, with input main leading"]);
    flow(&mut seen).failover = Failover { enabled: true, merge: true, recovery_window: Some(200), primary: None };
    assert_eq!(told(&[], &mut seen), ["would switch failover on, with input main leading"]);
    // A description is written along with what else changes.
    let mut seen = claimed();
    flow(&mut seen).sources[0].settings.description = "The uplink".into();
    assert_eq!(told(&[], &mut seen), [] as [&str; 0]);
    let moved = [("/inputs/0/srtListener/port", json!(6000))];
    assert_eq!(told(&moved, &mut seen), ["would change input main: port 5000 -> 6000, description"]);
}

#[test]
fn what_is_the_operators_own_is_no_difference_and_a_stale_copy_of_a_password_is_one() {
    let encrypted = [("/inputs/0", encrypted(input("main", "Primary", 5000)))];
    let mut seen = source_seen(&encrypted);
    seen.management = Management::AdoptionPending { shown: None, told: false };
    seen.tags.insert(TAG_UID.into(), "uid-0".into());
    assert_eq!(told(&encrypted, &mut seen), [] as [&str; 0]);
    seen.secrets[0].name = identity("Source", "studio").secret_name("main", Some("an-old-one"));
    assert_eq!(told(&encrypted, &mut seen), ["would change input main: encryption"]);
}

#[test]
fn what_aws_cannot_do_is_not_offered_as_a_plan() {
    let ndi = |name: &str| {
        let lan = json!([{ "name": "lan", "subnetId": "subnet-0a", "securityGroupIds": ["sg-0a"] }]);
        let servers = json!({ "discoveryServers": [{ "address": "10.0.1.20", "vpcInterface": "lan" }] });
        let input = json!({ "name": name, "priority": "Primary", "protocol": "Ndi", "vpcInterface": "lan", "ndi": {} });
        [("/inputs", json!([input])), ("/network/vpcInterfaces", lan), ("/ndi", servers), ("/flowSize", json!("Large"))]
    };
    let mut seen = source_seen(&ndi("camera"));
    seen.management = Management::AdoptionPending { shown: None, told: false };
    let problem = stuck(decide(&adopting(&ndi("another")), &seen));
    assert_eq!(problem.reason, Reason::InvalidSpec);
}

#[test]
fn a_running_flow_is_not_stopped_by_its_adoption_unless_that_was_shown() {
    let mut seen = claimed();
    flow(&mut seen).state = FlowState::Active;
    let stops = ["would stop the flow: spec.state is Auto and nothing uses it"];
    assert_eq!(told(&[], &mut seen), stops);
    assert_eq!(stuck(decide(&adopting(&[]), &seen)).reason, Reason::AdoptionPlanned);
    assert_eq!(told(&[("/state", json!("Stopped"))], &mut seen), ["would stop the flow: spec.state is Stopped"]);
    flow(&mut seen).outputs.push(anothers_output());
    assert_eq!(told(&[], &mut seen), [] as [&str; 0], "an output that sends is use");
    on_air(&mut seen);
    assert_eq!(told(&[("/state", json!("Running"))], &mut seen), [] as [&str; 0]);
}

#[test]
fn no_plan_tells_what_may_be_a_key() {
    let mut seen = claimed();
    let settings = &mut flow(&mut seen).sources[0].settings;
    settings.protocol = Protocol::RtmpPush;
    settings.stream_id = Some("c4n4ry".into());
    let stream = SecretText::new("c4n4ry");
    settings.rtmp = Some(RtmpPath { application: "live/c4n4ry".into(), stream, tls: false });
    let push = json!({ "name": "main", "priority": "Primary", "protocol": "Rtmp", "rtmp": { "allowedCidr": "203.0.113.0/24",
        "streamKey": { "secretRef": { "name": "keys", "key": "primary" } } } });
    let caller = json!({ "name": "main", "priority": "Primary", "protocol": "SrtCaller", "srtCaller": {
        "address": "encoder.example.net", "port": 9000, "streamId": "c4n4ry-wish" } });
    for input in [push, caller, encrypted(input("main", "Primary", 5000))] {
        let plan = told(&[("/inputs", json!([input]))], &mut seen);
        assert!(!plan.is_empty() && !plan.join(" ").contains("c4n4ry"), "{plan:?}");
    }
}

#[test]
fn before_the_confirmation_nothing_is_stopped_and_no_password_is_copied() {
    let mut seen = claimed();
    flow(&mut seen).state = FlowState::Active;
    let spec = adopting(&[("/inputs/0", encrypted(input("main", "Primary", 5000))), ("/state", json!("Stopped"))]);
    assert_eq!(stuck(decide(&spec, &seen)).reason, Reason::AdoptionPlanned);
    let broken = json!({ "passwordSecretRef": { "name": "nowhere", "key": "x" } });
    let spec = adopting(&[("/inputs/0/srtListener/encryption", broken), ("/state", json!("Stopped"))]);
    assert_eq!(stuck(decide(&spec, &seen)).reason, Reason::SecretMissing);
}

#[test]
fn a_suspended_adoption_does_not_even_tag() {
    let mut seen = claimed();
    (seen.ownership, seen.tags) = (Ownership::Foreign, BTreeMap::new());
    assert_eq!(decide(&adopting(&[("/suspend", json!(true))]), &seen), Step::Settled);
}

#[test]
fn a_flow_that_was_never_adopted_is_given_back_when_the_source_goes() {
    let mut seen = claimed();
    for state in STATES {
        flow(&mut seen).state = state;
        flow(&mut seen).outputs = vec![anothers_output()];
        let step = plan(&Desired::Absent, false, &seen);
        if state == FlowState::Deleting {
            assert!(matches!(step, Step::Wait { on: Waiting::FlowDeleting, .. }), "{step:?}");
            continue;
        }
        let action = one(step);
        let Action::Flow(FlowAction::Release { keys, .. }) = &action else { panic!("{action:?}") };
        assert_eq!(keys.as_slice(), OWNERSHIP_TAGS);
    }
    (seen.ownership, seen.tags) = (Ownership::Foreign, BTreeMap::new());
    assert_eq!(plan(&Desired::Absent, false, &seen), Step::Gone);
}

#[test]
fn an_adopted_flow_is_removed_with_its_source_after_what_others_have_on_it() {
    let mut seen = claimed();
    seen.management = Management::Adopted;
    for state in [FlowState::Active, FlowState::Standby] {
        flow(&mut seen).state = state;
        flow(&mut seen).outputs = vec![anothers_output()];
        let Step::Wait { on, poll } = plan(&Desired::Absent, false, &seen) else { panic!("it waits") };
        assert_eq!(on, Waiting::ForeignOutputs(vec!["wall".into()]));
        assert!(poll.is_some() && on.message().contains("wall") && on.message().contains("Retain"), "{}", on.message());
        assert_eq!(plan(&Desired::Absent, true, &seen), Step::Gone);
    }
    flow(&mut seen).outputs.clear();
    assert_eq!(one(plan(&Desired::Absent, false, &seen)), Action::Flow(FlowAction::Delete { flow: FLOW.into() }));
}

fn discovery(address: &str) -> (&'static str, Value) {
    ("/ndi", json!({ "discoveryServers": [{ "address": address, "vpcInterface": "lan" }] }))
}

#[test]
fn the_plan_of_an_adoption_tells_that_a_stream_id_goes_and_not_which() {
    let caller = json!({ "address": "enc.example.net", "port": 9000 });
    let main = json!({ "name": "main", "priority": "Primary", "protocol": "SrtCaller", "srtCaller": caller });
    let without = [("/inputs", json!([main]))];
    let mut seen = source_seen(&without);
    seen.management = Management::AdoptionPending { shown: None, told: false };
    assert!(told(&without, &mut seen).is_empty());
    flow(&mut seen).sources[0].settings.stream_id = Some("a-key-perhaps".into());
    assert_eq!(told(&without, &mut seen), ["would replace input main: streamId"]);
}

#[test]
fn the_plan_of_an_adoption_tells_what_becomes_of_ndi() {
    let mut seen = claimed();
    flow(&mut seen).ndi = present(crate::fixtures::source_wanted(&adopting(&[discovery("10.0.1.20")]))).ndi;
    assert!(told(&[discovery("10.0.1.20")], &mut seen).is_empty());
    assert_eq!(told(&[discovery("10.0.1.21")], &mut seen), ["would change NDI discovery"]);
    assert_eq!(told(&[], &mut seen), ["would switch NDI off"]);
    flow(&mut seen).outputs.push(anothers_output());
    flow(&mut seen).outputs[0].settings.protocol = Protocol::Ndi;
    assert!(told(&[], &mut seen).is_empty(), "somebody's output speaks it");
}

// --------------------------------------------------------------------------------------------- status of an adoption

#[test]
fn the_status_shows_the_plan_and_later_that_it_is_adopted() {
    let spec = adopting(&[("/inputs/0/srtListener/port", json!(6000))]);
    let wish = present(crate::fixtures::source_wanted(&spec));
    let mut seen = claimed();
    let mut source = object(spec.clone(), Some("first"));
    let step = decide(&spec, &seen);
    let shown = status(&source, &outcome(Some(&wish), Some(&seen), Some(&step)));
    let adoption = shown.adoption.clone().expect("a plan");
    assert_eq!(adoption.state, AdoptionState::Planned);
    assert_eq!(adoption.plan, ["would change input main: port 5000 -> 6000"]);
    assert_eq!(condition(&shown, "Stalled").map(|c| c.1), Some("AdoptionPlanned"));
    assert_eq!(
        shown.last_handled_reconcile_at.as_deref(),
        Some("first"),
        "a value from before the plan confirms nothing"
    );
    source.status = Some(shown.clone());
    assert_eq!(status(&source, &outcome(Some(&wish), Some(&seen), Some(&step))), shown, "nothing happened");
    // Looking failed: the plan that people read stays.
    assert_eq!(status(&source, &outcome(None, None, None)).adoption, shown.adoption);
    seen.management = Management::Adopted;
    let step = decide(&spec, &seen);
    let adopted = status(&source, &outcome(Some(&wish), Some(&seen), Some(&step))).adoption.expect("it says so");
    assert_eq!((adopted.state, adopted.plan.len()), (AdoptionState::Adopted, 0));
}

#[test]
fn a_confirmation_is_not_lost_to_a_call_that_failed() {
    let spec = adopting(&[("/inputs/0/srtListener/port", json!(6000))]);
    let wish = present(crate::fixtures::source_wanted(&spec));
    let mut source = object(spec.clone(), Some("second"));
    let before = json!({ "lastHandledReconcileAt": "first",
        "adoption": { "state": "Planned", "plan": ["would change input main: port 5000 -> 6000"] } });
    source.status = Some(serde_json::from_value(before).expect("a status"));
    let us = identity("Source", "studio");
    let mut seen = claimed();
    seen.management = management(&source, &us, &seen.tags);
    let step = decide(&spec, &seen);
    assert!(matches!(one(step.clone()), Action::Flow(FlowAction::Adopt { .. })));
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "mediaconnect:TagResource".into(),
        message: "no answer".into(),
    };
    for (seen, step) in [(Some(&seen), Some(&step)), (None, None)] {
        let failed = Outcome { failure: Some(&failure), ..outcome(Some(&wish), seen, step) };
        source.status = Some(status(&source, &failed));
        assert!(matches!(
            management(&source, &us, &us.tags(&BTreeMap::new())),
            Management::AdoptionPending { told: true, shown: Some(_) }
        ));
    }
    // What is another plan by now was not confirmed.
    flow(&mut seen).sources[0].settings.ingest_port = Some(5500);
    let failed = Outcome { failure: Some(&failure), ..outcome(Some(&wish), Some(&seen), Some(&step)) };
    assert_eq!(status(&source, &failed).last_handled_reconcile_at.as_deref(), Some("second"));
}

#[test]
fn the_status_of_a_source_that_goes_keeps_no_plan_that_could_be_confirmed() {
    let mut source = object(adopting(&[]), None);
    deleted(&mut source.metadata);
    let seen = claimed();
    let step = plan(&Desired::Absent, false, &seen);
    assert_eq!(status(&source, &outcome(None, Some(&seen), Some(&step))).adoption, None);
}

#[test]
fn a_source_that_adopts_is_parsed_as_any_other() {
    let desired = wanted(&adopting(&[]), &identity("Source", "studio"), &crate::fixtures::references(), None, false);
    assert_eq!(present(desired).inputs.len(), 2);
}
