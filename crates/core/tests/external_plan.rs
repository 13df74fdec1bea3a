//! A Source whose flow was there before it: what is planned, and what is said. Each test is a sentence: one fixture, one change.

mod fixtures;

use std::collections::BTreeMap;

use fixtures::{
    FLOW, at, deleted, encrypted, flow, identity, input, on_air, present, rtp_input, source_object, source_seen,
    source_spec,
};
use playout_api::source::{AdoptionState, ExternalPolicy, SourceSpec, SourceStatus};
use playout_api::{RECONCILE_AT, Source, TEST_CONNECTION};
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass, Problem};
use playout_core::identity::{OWNERSHIP_TAGS, Ownership, TAG_ADOPTED, TAG_NAME, TAG_UID};
use playout_core::kinds::source::Outcome;
use playout_core::kinds::source::external::{differences, hold};
use playout_core::kinds::source::observed::{Hold, Observed, TestPhase};
use playout_core::kinds::source::off::stays_off;
use playout_core::kinds::source::plan::{Action, plan};
use playout_core::kinds::source::wanted::{Wanted, retains, wanted};
use playout_core::plan::{Action as _, Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::flow::{Failover, FlowOutput, FlowState, Protocol, RtmpPath};
use playout_core::secret::SecretText;
use playout_core::waiting::Waiting;
use serde_json::{Value, json};

const STATES: [FlowState; 7] = [
    FlowState::Standby,
    FlowState::Active,
    FlowState::Updating,
    FlowState::Deleting,
    FlowState::Starting,
    FlowState::Stopping,
    FlowState::Error,
];

fn external(policy: &str) -> (&'static str, Value) {
    ("/external", json!({ "arn": FLOW, "policy": policy }))
}

/// A Source that references the flow, as people write it: without inputs.
fn reference_spec() -> SourceSpec {
    serde_json::from_value(json!({ "external": { "arn": FLOW, "policy": "Reference" } })).expect("a valid spec")
}

fn reference() -> Desired<Wanted> {
    fixtures::source_wanted(&reference_spec())
}

/// Somebody's flow with two sources and an output, as a Source that references it sees it.
fn referenced() -> Observed {
    let mut seen = source_seen(&[]);
    seen.hold = Hold::Referenced;
    seen.ownership = Ownership::Foreign;
    seen.tags = BTreeMap::from([("team".into(), "news".into())]);
    flow(&mut seen).name = "studio-of-the-newsroom".into();
    flow(&mut seen).outputs.push(anothers_output());
    seen
}

/// The spec of a Source that adopts the flow, with these changes.
fn adopting(changes: &[(&str, Value)]) -> SourceSpec {
    let mut all = vec![external("Adopt")];
    all.extend(changes.iter().cloned());
    source_spec(&all)
}

/// The flow as the unchanged fixture wishes it, tagged for this Source, and neither shown nor told anything yet.
fn claimed() -> Observed {
    let mut seen = source_seen(&[]);
    seen.hold = Hold::Claimed { shown: None, told: false };
    flow(&mut seen).name = "studio-of-the-newsroom".into();
    seen
}

fn anothers_output() -> FlowOutput {
    FlowOutput {
        name: "wall".into(),
        arn: "arn:output:wall".into(),
        enabled: true,
        settings: fixtures::plain_rtp(),
        managed_by: None,
        listener_address: None,
    }
}

fn decide(spec: &SourceSpec, seen: &Observed) -> Step<Action> {
    plan(&fixtures::source_wanted(spec), retains(spec), seen)
}

fn stuck(step: Step<Action>) -> Problem {
    match step {
        Step::Stuck(problem) => problem,
        other => panic!("expected a problem, got {other:?}"),
    }
}

fn one(step: Step<Action>) -> Action {
    match step {
        Step::Act(mut actions) if actions.len() == 1 => actions.remove(0),
        other => panic!("expected one action, got {other:?}"),
    }
}

/// What the plan of an adoption says for a spec with these changes.
fn told(changes: &[(&str, Value)], seen: &mut Observed) -> Vec<String> {
    let wanted = present(fixtures::source_wanted(&adopting(changes)));
    let flow = flow(seen).clone();
    differences(&wanted, seen, &flow)
}

fn object(spec: SourceSpec, annotation: Option<&str>) -> Source {
    let mut object = source_object(spec);
    object.metadata.annotations = annotation.map(|value| BTreeMap::from([(RECONCILE_AT.into(), value.into())]));
    object
}

fn status(source: &Source, outcome: &Outcome<'_>) -> SourceStatus {
    playout_core::kinds::source::status::status(source, outcome, fixtures::REGION)
}

fn outcome<'a>(wanted: Option<&'a Wanted>, seen: Option<&'a Observed>, step: Option<&'a Step<Action>>) -> Outcome<'a> {
    Outcome { wanted, seen, step, failure: None, ..Outcome::at(at(0)) }
}

fn condition<'a>(status: &'a SourceStatus, type_: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let found = status.conditions.iter().find(|c| c.type_ == type_)?;
    Some((&found.status, &found.reason, &found.message))
}

// ------------------------------------------------------------------------------------------------------ Reference

#[test]
fn a_referenced_flow_is_never_acted_upon_in_no_state_and_whatever_is_wished() {
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
                for desired in [fixtures::source_wanted(&spec), Desired::Absent] {
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
fn a_referenced_flow_that_runs_is_all_that_is_wished() {
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
        for hold in [seen.hold.clone(), Hold::Adopted] {
            seen.hold = hold;
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
    let wish = present(fixtures::source_wanted(&spec));
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
    fixtures::health(&mut seen, &[("main", playout_api::source::HealthWord::Healthy)]);
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
    (seen.hold, seen.ownership) = (Hold::Claimed { shown: None, told: false }, Ownership::Foreign);
    let (wish, step) = (present(fixtures::source_wanted(&spec)), decide(&spec, &seen));
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
        playout_core::kinds::source::status::test_phase(source, &seen.flow, &seen.hold, true, length, at(0))
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
    assert_eq!(hold(&source_object(source_spec(&[])), &us, &tags), Hold::Own);
    assert_eq!(hold(&source_object(reference_spec()), &us, &tags), Hold::Referenced);
    let mut source = object(adopting(&[]), Some("now"));
    assert_eq!(hold(&source, &us, &tags), Hold::Claimed { shown: None, told: true });
    let planned = json!({ "adoption": { "state": "Planned", "plan": ["a"] }, "lastHandledReconcileAt": "now" });
    source.status = Some(serde_json::from_value(planned).expect("a status"));
    assert_eq!(hold(&source, &us, &tags), Hold::Claimed { shown: Some(vec!["a".into()]), told: false });
    source.metadata.annotations = None;
    assert!(matches!(hold(&source, &us, &tags), Hold::Claimed { told: false, .. }), "taken away is not said");
    // The mark of another owner means nothing, and ours nothing without our tags.
    tags.insert(TAG_ADOPTED.into(), "playout-show-other-abc".into());
    assert!(matches!(hold(&source, &us, &tags), Hold::Claimed { .. }));
    assert!(matches!(hold(&source, &us, &us.adoption_mark()), Hold::Claimed { .. }));
    tags.extend(us.adoption_mark());
    assert_eq!(hold(&source, &us, &tags), Hold::Adopted);
}

#[test]
fn a_flow_to_be_adopted_is_tagged_first_with_nothing_but_who_owns_it() {
    let mut seen = claimed();
    (seen.ownership, seen.tags) = (Ownership::Foreign, BTreeMap::from([("team".into(), "news".into())]));
    let spec = adopting(&[("/tags", json!({ "team": "sports" })), ("/inputs/0/srtListener/port", json!(6000))]);
    let action = one(decide(&spec, &seen));
    let Action::ClaimFlow { flow, tags } = &action else { panic!("{action:?}") };
    assert_eq!(flow, FLOW);
    assert_eq!(tags.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), OWNERSHIP_TAGS.into());
    assert_eq!(action.reason(), Reason::Adopted);
}

#[test]
fn a_flow_that_is_as_wished_is_adopted_without_a_question() {
    let mut seen = claimed();
    let action = one(decide(&adopting(&[]), &seen));
    assert!(matches!(&action, Action::AdoptFlow { tags, .. } if tags.contains_key(TAG_ADOPTED)), "{action:?}");
    seen.hold = Hold::Adopted;
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
        seen.hold = Hold::Claimed { shown, told };
        match decide(&spec, &seen) {
            Step::Act(actions) => assert!(goes && matches!(actions.as_slice(), [Action::AdoptFlow { .. }])),
            step => assert!(!goes && stuck(step).reason == Reason::AdoptionPlanned, "{:?}", seen.hold),
        }
    }
    seen.hold = Hold::Adopted;
    assert!(matches!(one(decide(&spec, &seen)), Action::UpdateSource { name, .. } if name == "main"));
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
        present(fixtures::wish(&[("/network/vpcInterfaces", lan("sg-0b"))])).vpc_interfaces;
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
    seen.hold = Hold::Claimed { shown: None, told: false };
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
    seen.hold = Hold::Claimed { shown: None, told: false };
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
        let Action::ReleaseFlow { keys, .. } = &action else { panic!("{action:?}") };
        assert_eq!(keys.as_slice(), OWNERSHIP_TAGS);
    }
    (seen.ownership, seen.tags) = (Ownership::Foreign, BTreeMap::new());
    assert_eq!(plan(&Desired::Absent, false, &seen), Step::Gone);
}

#[test]
fn an_adopted_flow_is_removed_with_its_source_after_what_others_have_on_it() {
    let mut seen = claimed();
    seen.hold = Hold::Adopted;
    for state in [FlowState::Active, FlowState::Standby] {
        flow(&mut seen).state = state;
        flow(&mut seen).outputs = vec![anothers_output()];
        let Step::Wait { on, poll } = plan(&Desired::Absent, false, &seen) else { panic!("it waits") };
        assert_eq!(on, Waiting::ForeignOutputs(vec!["wall".into()]));
        assert!(poll.is_some() && on.message().contains("wall") && on.message().contains("Retain"), "{}", on.message());
        assert_eq!(plan(&Desired::Absent, true, &seen), Step::Gone);
    }
    flow(&mut seen).outputs.clear();
    assert_eq!(one(plan(&Desired::Absent, false, &seen)), Action::DeleteFlow { flow: FLOW.into() });
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
    seen.hold = Hold::Claimed { shown: None, told: false };
    assert!(told(&without, &mut seen).is_empty());
    flow(&mut seen).sources[0].settings.stream_id = Some("a-key-perhaps".into());
    assert_eq!(told(&without, &mut seen), ["would replace input main: streamId"]);
}

#[test]
fn the_plan_of_an_adoption_tells_what_becomes_of_ndi() {
    let mut seen = claimed();
    flow(&mut seen).ndi = present(fixtures::source_wanted(&adopting(&[discovery("10.0.1.20")]))).ndi;
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
    let wish = present(fixtures::source_wanted(&spec));
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
    seen.hold = Hold::Adopted;
    let step = decide(&spec, &seen);
    let adopted = status(&source, &outcome(Some(&wish), Some(&seen), Some(&step))).adoption.expect("it says so");
    assert_eq!((adopted.state, adopted.plan.len()), (AdoptionState::Adopted, 0));
}

#[test]
fn a_confirmation_is_not_lost_to_a_call_that_failed() {
    let spec = adopting(&[("/inputs/0/srtListener/port", json!(6000))]);
    let wish = present(fixtures::source_wanted(&spec));
    let mut source = object(spec.clone(), Some("second"));
    let before = json!({ "lastHandledReconcileAt": "first",
        "adoption": { "state": "Planned", "plan": ["would change input main: port 5000 -> 6000"] } });
    source.status = Some(serde_json::from_value(before).expect("a status"));
    let us = identity("Source", "studio");
    let mut seen = claimed();
    seen.hold = hold(&source, &us, &seen.tags);
    let step = decide(&spec, &seen);
    assert!(matches!(one(step.clone()), Action::AdoptFlow { .. }));
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "mediaconnect:TagResource".into(),
        message: "no answer".into(),
    };
    for (seen, step) in [(Some(&seen), Some(&step)), (None, None)] {
        let failed = Outcome { failure: Some(&failure), ..outcome(Some(&wish), seen, step) };
        source.status = Some(status(&source, &failed));
        assert!(matches!(hold(&source, &us, &us.tags(&BTreeMap::new())), Hold::Claimed { told: true, shown: Some(_) }));
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
    let desired = wanted(&adopting(&[]), &identity("Source", "studio"), &fixtures::references(), None, false);
    assert_eq!(present(desired).inputs.len(), 2);
}
