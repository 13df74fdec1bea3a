//! Whose it is, and what is said of what is left: no resource is touched, used or called gone that is somebody else's.

use std::collections::BTreeMap;

use playout_api::destination::DestinationState;
use playout_core::endpoint::Role;
use playout_core::existence::Existence;
use playout_core::failure::Problem;
use playout_core::identity::{Identity, Ownership, TAG_CLUSTER, TAG_UID};
use playout_core::kinds::destination::observed::{NotOurs, Observed, Programme};
use playout_core::kinds::destination::plan::Action;
use playout_core::kinds::{destination, source};
use playout_core::plan::{Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::channel::{Input, InputState, Push};
use playout_core::resources::flow::{FlowAction, FlowState, OutputAction};
use playout_core::waiting::Waiting;
use serde_json::{Value, json};

use crate::fixtures::{
    FLOW, dest, destination_object, destination_seen, destination_spec, flow, identity, on_air, outcome_of, output,
    output_arn, present, source_object, source_seen, source_spec, wish,
};

type Tags = BTreeMap<String, String>;

fn stopped() -> (&'static str, Value) {
    ("/state", json!("Stopped"))
}

fn stuck<A: std::fmt::Debug>(step: Step<A>) -> Problem {
    let Step::Stalled(problem) = step else { panic!("stuck, not {step:?}") };
    problem
}

/// The tags of an object, in another cluster or with another UID.
fn tags_of(kind: &str, name: &str, key: &str, value: &str) -> Tags {
    let mut tags = identity(kind, name).tags(&Tags::new());
    tags.insert(key.into(), value.into());
    tags
}

fn source_of(seen: &source::observed::Observed, changes: &[(&str, Value)]) -> Step<source::plan::Action> {
    source::plan::plan(&wish(changes), false, seen)
}

fn source_status(
    seen: &source::observed::Observed,
    before: Option<playout_api::SourceStatus>,
) -> playout_api::SourceStatus {
    let mut object = source_object(source_spec(&[]));
    object.status = before;
    let step = source_of(seen, &[]);
    let outcome = source::Outcome {
        wanted: None,
        seen: Some(seen),
        step: Some(&step),
        failure: None,
        ..source::Outcome::at(crate::fixtures::at(0))
    };
    source::status::status(&object, &outcome, crate::fixtures::REGION)
}

// --------------------------------------------------------------------------------------------------------- Source

#[test]
fn a_flow_that_is_not_ours_is_named_and_published_to_nobody() {
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    let before = source_status(&seen, None);
    assert_eq!((before.flow_arn.as_deref(), before.owner_uid.as_deref()), (Some(FLOW), Some("uid-1")));
    seen.ownership = Ownership::Foreign;
    seen.tags = tags_of("Source", "studio", TAG_CLUSTER, "another");
    let status = source_status(&seen, Some(before));
    assert_eq!((status.flow_arn, status.flow_state, status.outputs), (None, None, None));
    assert_eq!(status.not_ours, [FLOW], "it is looked at again, and none is made beside it");
    let problem = stuck(source_of(&seen, &[]));
    assert_eq!(problem.reason, Reason::NotOurs);
    for word in [FLOW, "in cluster another", "billed", "--cluster-id"] {
        assert!(problem.message.contains(word), "{word}: {}", problem.message);
    }
    // It is its own again.
    let again = source_status(&source_seen(&[]), Some(source_status(&seen, None)));
    assert_eq!((again.flow_arn.as_deref(), again.not_ours), (Some(FLOW), Vec::new()));
}

#[test]
fn what_was_taken_over_is_left_alone_and_the_object_goes_without_it() {
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    seen.ownership = Ownership::TakenOver;
    seen.tags = tags_of("Source", "studio", TAG_UID, "uid-2");
    for changes in [vec![], vec![stopped()], vec![("/inputs/0/srtListener/port", json!(6000))]] {
        let problem = stuck(source_of(&seen, &changes));
        assert!(problem.reason == Reason::TakenOver && problem.message.contains("uid-2"), "{problem:?}");
        assert_eq!(source::plan::housekeeping(&present(wish(&changes)), &seen), []);
    }
    seen.users = source::observed::Users::default();
    assert_eq!(source::plan::plan(&Desired::Absent, false, &seen), Step::Gone);
    let told = source::left::last_word(&seen);
    assert!(told.reason == Reason::TakenOver && told.note.contains(FLOW) && told.note.contains("uid-2"), "{told:?}");
    // Its own UID stays on record: otherwise it would inherit at the next look.
    let before = source_status(&source_seen(&[]), None);
    assert_eq!(source_status(&seen, Some(before)).owner_uid.as_deref(), Some("uid-1"));
}

#[test]
fn tags_and_unused_copies_never_stand_before_a_start() {
    let mut seen = source_seen(&[]);
    seen.users.on_air = vec!["Destination/tube".into()];
    seen.tags.insert(TAG_UID.into(), "uid-0".into());
    seen.ownership = Ownership::Inherited;
    let copy = playout_core::resources::flow::SecretCopy {
        arn: "arn:old".into(),
        name: "playout/old".into(),
        tags: Tags::new(),
    };
    seen.secrets.push(copy);
    let start = source::plan::Action::Flow(FlowAction::Start { flow: FLOW.into() });
    assert_eq!(source_of(&seen, &[]), Step::Act(vec![start]));
    assert_eq!(source::plan::housekeeping(&present(wish(&[])), &seen).len(), 2, "beside it, whatever AWS says");
}

#[test]
fn a_retained_flow_that_nobody_uses_stops_before_it_is_let_go_and_what_runs_is_told() {
    let mut seen = source_seen(&[]);
    flow(&mut seen).state = FlowState::Active;
    let stop = Step::Act(vec![source::plan::Action::Flow(FlowAction::Stop { flow: FLOW.into() })]);
    let retained = |seen: &source::observed::Observed| source::plan::plan(&Desired::Absent, true, seen);
    assert_eq!(retained(&seen), stop);
    flow(&mut seen).state = FlowState::Stopping;
    assert!(matches!(retained(&seen), Step::Wait { on: Waiting::FlowStopping, .. }));
    flow(&mut seen).state = FlowState::Standby;
    assert_eq!(retained(&seen), Step::Gone);
    let told = source::left::last_word(&seen);
    assert!(!told.warning && told.reason == Reason::Retained && told.note.contains("costs nothing"), "{told:?}");
    // Told to run, or used by an output that sends: it is let go as it is, and said to be paid for.
    flow(&mut seen).state = FlowState::Active;
    let told_to_run = source::observed::Observed { auto: false, ..seen.clone() };
    assert_eq!(retained(&told_to_run), Step::Gone);
    let told = source::left::last_word(&told_to_run);
    assert!(told.warning && told.note.contains(FLOW) && told.note.contains("billed"), "{told:?}");
    let sending = destination_seen(&[]).outputs[&Role::Primary].output.clone();
    flow(&mut seen).outputs.push(sending);
    assert_eq!(retained(&seen), Step::Gone);
    // What is not ours is not stopped either.
    seen.ownership = Ownership::Foreign;
    flow(&mut seen).outputs.clear();
    assert_eq!(retained(&seen), Step::Gone);
    assert_eq!(source::left::last_word(&seen).reason, Reason::NotOurs);
}

#[test]
fn nothing_is_left_is_said_only_when_it_was_seen() {
    let mut seen = source_seen(&[]);
    seen.flow = Existence::Absent;
    assert_eq!(source::left::last_word(&seen).reason, Reason::Deleted);
    seen.flow = Existence::Unknown;
    assert_eq!(source::left::last_word(&seen).reason, Reason::Retained);
    let nothing = Observed { outputs: BTreeMap::new(), ..destination_seen(&[]) };
    assert_eq!(destination::left::last_word(&nothing).reason, Reason::Deleted);
    let unsure = Observed { flow: Programme::NoFlow { certain: false }, ..nothing };
    assert_eq!(destination::left::last_word(&unsure).reason, Reason::Retained);
}

#[test]
fn before_a_flow_is_stopped_removed_or_tagged_its_tags_are_read_anew() {
    use FlowAction as A;
    let (id, none) = (identity("Source", "studio"), Tags::new());
    let ours = id.tags(&none);
    let others = tags_of("Source", "studio", TAG_CLUSTER, "another");
    let taken = tags_of("Source", "studio", TAG_UID, "uid-2");
    let flow = || FLOW.to_string();
    let claim = A::Claim { flow: flow(), tags: none.clone() };
    for action in [
        A::Stop { flow: flow() },
        A::Delete { flow: flow() },
        A::Tag { flow: flow(), tags: none.clone() },
        A::Adopt { flow: flow(), tags: none.clone() },
        A::Release { flow: flow(), keys: Vec::new() },
        claim.clone(),
    ] {
        assert_eq!(action.asks_whose(), Some(FLOW), "{action:?}");
        assert!(action.may_be_done(&id, &ours, Some("uid-1")), "{action:?}");
        assert!(action.may_be_done(&id, &taken, None), "an earlier object's: {action:?}");
        assert!(!action.may_be_done(&id, &others, None), "{action:?}");
        assert!(!action.may_be_done(&id, &taken, Some("uid-1")), "{action:?}");
        assert_eq!(action.may_be_done(&id, &none, None), action == claim, "{action:?}");
    }
    assert_eq!(A::Start { flow: flow() }.asks_whose(), None);
}

// ---------------------------------------------------------------------------------------------------- Destination

fn plan_of(seen: &Observed, changes: &[(&str, Value)]) -> Step<Action> {
    destination::plan::plan(&dest(changes), false, seen).step
}

fn status_of(
    seen: &Observed,
    changes: &[(&str, Value)],
    before: playout_api::DestinationStatus,
) -> playout_api::DestinationStatus {
    let mut object = destination_object(destination_spec(changes));
    object.status = Some(before);
    let plan = destination::plan::plan(&dest(changes), false, seen);
    let wanted = present(dest(changes));
    destination::status::status(&object, &outcome_of(Some(&wanted), Some(seen), Some(&plan), 60))
}

#[test]
fn an_output_is_ours_by_its_name_before_its_tags_are_known() {
    let id = identity("Destination", "tube");
    let name = id.output_name("primary");
    let of = |name: &str, tags: Option<&Tags>| id.ownership_of_output(name, "primary", tags, None);
    assert_eq!(of(&name, None), Ownership::Ours);
    assert_eq!(of(&name, Some(&Tags::new())), Ownership::Foreign, "its tags were taken off");
    let moved = Identity { cluster: "another".into(), ..id.clone() };
    assert_eq!(of(&moved.output_name("primary"), None), Ownership::Foreign, "it was made under another cluster id");
    assert_eq!(of(&id.output_name("backup"), None), Ownership::Foreign);
    // So a stop needs nothing but the flow.
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).tags = None;
    (seen.secrets, seen.secrets_asked) = (Vec::new(), false);
    let Step::Act(actions) = plan_of(&seen, &[stopped()]) else { panic!("a stop") };
    assert!(
        matches!(actions.as_slice(), [Action::Output(OutputAction::Update { enabled: Some(false), .. })]),
        "{actions:?}"
    );
}

#[test]
fn nothing_is_added_to_a_flow_that_its_source_has_lost() {
    let lost = Observed { source_lost: Some(FLOW.into()), ..destination_seen(&[]) };
    let without = Observed { outputs: BTreeMap::new(), ..lost.clone() };
    let nowhere = Observed { flow: Programme::NoFlow { certain: true }, ..without.clone() };
    for seen in [&lost, &without, &nowhere] {
        let problem = stuck(plan_of(seen, &[]));
        assert_eq!(problem.reason, Reason::NotOurs);
        assert!(problem.message.contains(FLOW) && problem.message.contains("Source studio"), "{}", problem.message);
    }
    let said = |seen: &Observed| stuck(plan_of(seen, &[])).message;
    assert!(said(&lost).contains(&format!("Output {} still sends", output_arn(Role::Primary))), "{}", said(&lost));
    for seen in [&without, &nowhere] {
        assert!(!said(seen).contains("still sends"), "{}", said(seen));
    }
    let encoded = Observed { source_lost: Some(FLOW.into()), ..crate::fixtures::transcode::on_air(&[]) };
    let Step::Stalled(problem) = crate::fixtures::transcode::decide(&crate::fixtures::transcode::live(&[]), &encoded)
    else {
        panic!("its Source has lost the flow")
    };
    assert!(problem.message.contains("channel") && problem.message.contains("still sends"), "{}", problem.message);
    // Ours is stopped there all the same, and what is stopped is as requested.
    let Step::Act(actions) = plan_of(&lost, &[stopped()]) else { panic!("a stop") };
    assert!(
        matches!(actions.as_slice(), [Action::Output(OutputAction::Update { enabled: Some(false), .. })]),
        "{actions:?}"
    );
    assert_eq!(plan_of(&without, &[stopped()]), Step::Settled);
}

#[test]
fn a_stop_that_cannot_act_says_that_it_still_sends() {
    let seen_before = destination_seen(&[]);
    let before = status_of(&seen_before, &[], Default::default());
    assert!(before.started_at.is_some() && before.last_runs[0].stopped.is_none());
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).ownership = Ownership::Foreign;
    let problem = stuck(plan_of(&seen, &[stopped()]));
    assert_eq!(problem.reason, Reason::NotOurs);
    let arn = output_arn(Role::Primary);
    assert!(problem.message.contains("still sends") && problem.message.contains(&arn), "{}", problem.message);
    let status = status_of(&seen, &[stopped()], before);
    assert_eq!(status.not_ours, std::slice::from_ref(&arn));
    assert!(status.started_at.is_some() && status.last_runs[0].stopped.is_none(), "{:?}", status.last_runs);
    // Once it is off, it is off.
    output(&mut seen, Role::Primary).output.enabled = false;
    assert_eq!(status_of(&seen, &[stopped()], status).started_at, None);
    // A deletion names it.
    output(&mut seen, Role::Primary).output.enabled = true;
    assert_eq!(destination::plan::plan(&Desired::Absent, false, &seen).step, Step::Gone);
    let told = destination::left::last_word(&seen);
    assert!(told.warning && told.reason == Reason::NotOurs && told.note.contains(&arn), "{told:?}");
}

#[test]
fn a_channel_that_is_not_ours_is_remembered_and_named_as_running() {
    let not_ours = |uid: Option<&str>| NotOurs {
        what: "channel",
        arn: "arn:channel:7".into(),
        runs: true,
        taken_over_by: uid.map(str::to_string),
    };
    let seen = Observed { not_ours: vec![not_ours(None)], outputs: BTreeMap::new(), ..destination_seen(&[]) };
    let problem = stuck(plan_of(&seen, &[stopped()]));
    assert!(problem.reason == Reason::NotOurs && problem.message.contains("arn:channel:7"), "{problem:?}");
    let channel = playout_api::destination::ChannelStatus { id: Some("7".into()), ..Default::default() };
    let before = playout_api::DestinationStatus { channel: Some(channel), ..Default::default() };
    let status = status_of(&seen, &[stopped()], before);
    assert_eq!(status.channel.and_then(|c| c.id).as_deref(), Some("7"), "a second one would be made");
    let told = destination::left::last_word(&seen);
    assert!(told.note.contains("arn:channel:7") && told.note.contains("billed"), "{told:?}");
    let taken = Observed { not_ours: vec![not_ours(Some("uid-2"))], ..seen };
    assert_eq!(stuck(plan_of(&taken, &[])).reason, Reason::TakenOver);
    assert_eq!(stuck(plan_of(&taken, &[stopped()])).reason, Reason::TakenOver);
    assert_eq!(destination::plan::plan(&Desired::Absent, false, &taken).step, Step::Gone);
    assert_eq!(destination::left::last_word(&taken).reason, Reason::TakenOver);
}

#[test]
fn a_channel_that_is_not_ours_and_runs_is_never_said_to_be_off_the_air() {
    let channel = NotOurs { what: "channel", arn: "arn:channel:7".into(), runs: true, taken_over_by: None };
    let input = Input {
        id: "2".into(),
        arn: "arn:input:2".into(),
        name: "in".into(),
        state: InputState::Attached,
        channels: vec!["7".into()],
        flows: vec![FLOW.into()],
        push: Push::default(),
        tags: Tags::new(),
    };
    let alone = Observed { not_ours: vec![channel], outputs: BTreeMap::new(), ..destination_seen(&[]) };
    let with_input = Observed { input: Existence::Present(input), ..alone.clone() };
    let lost = Observed { source_lost: Some(FLOW.into()), ..alone.clone() };
    let transcode = ("/delivery", json!("Transcode"));
    for seen in [&alone, &with_input, &lost] {
        for wish in [vec![transcode.clone()], vec![transcode.clone(), stopped()]] {
            let problem = stuck(plan_of(seen, &wish));
            assert_eq!(problem.reason, Reason::NotOurs);
            assert!(
                problem.message.contains("arn:channel:7") && problem.message.contains("still"),
                "{}",
                problem.message
            );
            let status = status_of(seen, &wish, Default::default());
            let word = if wish.len() == 1 { DestinationState::Silent } else { DestinationState::Error };
            assert_eq!(status.state, Some(word), "sent, and not known to be delivered; or not stopped");
            let delivering = status.conditions.iter().find(|c| c.type_ == "Delivering").expect("a condition");
            assert_eq!((delivering.status.as_str(), delivering.reason.as_str()), ("Unknown", "NotOurs"));
        }
    }
    // Once it is stopped, the input waits for it to let go.
    let mut stops = with_input;
    stops.not_ours[0].runs = false;
    assert!(matches!(plan_of(&stops, &[transcode, stopped()]), Step::Wait { on: Waiting::InputAttached(_), .. }));
}

#[test]
fn tags_that_were_restored_without_a_uid_are_nobody_elses() {
    let mut tags = identity("Destination", "tube").tags(&Tags::new());
    let ours = identity("Destination", "tube");
    assert_eq!(ours.ownership_after(&tags, Some("uid-1")), Ownership::Ours);
    tags.insert(TAG_UID.into(), "uid-2".into());
    assert_eq!(ours.ownership_after(&tags, Some("uid-1")), Ownership::TakenOver);
    tags.remove(TAG_UID);
    assert_eq!(ours.ownership_after(&tags, Some("uid-1")), Ownership::Inherited);
}

#[test]
fn a_flow_that_is_not_ours_is_told_with_what_still_sends_from_it() {
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    seen.ownership = Ownership::Foreign;
    seen.tags = Tags::new();
    let Existence::Present(flow) = &mut seen.flow else { panic!("a flow") };
    flow.outputs = vec![];
    let told = |seen: &_| stuck(source_of(seen, &[])).message;
    assert!(told(&seen).contains("has no ownership tags: it is not touched"), "{}", told(&seen));
    assert!(!told(&seen).contains("sent from it") && !told(&seen).contains("still"), "{}", told(&seen));
    let an_output = destination_seen(&[]).outputs[&Role::Primary].output.clone();
    let Existence::Present(flow) = &mut seen.flow else { panic!("a flow") };
    flow.outputs = vec![an_output.clone(), an_output];
    assert!(told(&seen).contains("2 outputs still send from it."), "{}", told(&seen));
}

#[test]
fn an_output_that_another_object_of_this_identity_has_tagged_is_left_to_it() {
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).ownership = Ownership::TakenOver;
    output(&mut seen, Role::Primary).tags = Some(tags_of("Destination", "tube", TAG_UID, "uid-2"));
    for changes in [vec![], vec![stopped()]] {
        let problem = stuck(plan_of(&seen, &changes));
        assert!(problem.reason == Reason::TakenOver && problem.message.contains("uid-2"), "{problem:?}");
        assert_eq!(destination::plan::housekeeping(&present(dest(&changes)), &seen), []);
    }
    assert_eq!(destination::plan::plan(&Desired::Absent, false, &seen).step, Step::Gone);
    let before = status_of(&destination_seen(&[]), &[], Default::default());
    assert_eq!(before.outputs[0].owner_uid.as_deref(), Some("uid-1"));
    assert_eq!(status_of(&seen, &[], before).outputs[0].owner_uid.as_deref(), Some("uid-1"));
}

#[test]
fn names_of_copies_are_recorded_before_any_list_has_them() {
    use playout_core::resources::secret_copy::{CopyAction, names};
    let spec = crate::fixtures::destination_spec_of(crate::fixtures::srt_json(), &[]);
    let wanted = present(crate::fixtures::destination_wanted(&spec, &crate::fixtures::references()));
    let password = wanted.outputs[&Role::Primary].password.clone().expect("a password");
    let create = CopyAction::Create { password: password.clone(), tags: Tags::new() };
    let old = vec!["playout/old".to_string()];
    assert_eq!(names(&[], Some((&[], [&[], &[]])), [&create].into_iter()), std::slice::from_ref(&password.name));
    assert_eq!(names(&old, None, std::iter::empty()), old, "not asked is not gone");
    let other = [password.name.clone()];
    assert_eq!(names(&old, Some((&other, [&[], &[]])), std::iter::empty()), old, "asked for another is not gone");
    assert_eq!(names(&old, Some((&old, [&[], &[]])), std::iter::empty()), Vec::<String>::new());
}
