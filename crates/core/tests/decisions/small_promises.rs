//! Promises of docs/ that no other table holds: each of these tests is of a line that could be broken unseen.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use playout_api::Destination;
use playout_api::destination::{
    ChannelStatus, DestinationState, DestinationStatus, OutputStatus, RetryStatus, RetryWord,
};
use playout_core::action::Action as _;
use playout_core::conditions::READY;
use playout_core::endpoint::Role;
use playout_core::existence::Existence;
use playout_core::failover::FailoverState;
use playout_core::failure::{Failure, FailureClass};
use playout_core::kinds::destination::groups::fields;
use playout_core::kinds::destination::observed::{Observed, Programme};
use playout_core::kinds::destination::plan::plan;
use playout_core::kinds::destination::{self, memory, status};
use playout_core::kinds::source::off::stays_off;
use playout_core::plan::{Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::flow::{FlowAction, FlowState, VpcInterface};
use playout_core::waiting::{StaysOff, Waiting};
use serde_json::{Value, json};

use crate::fixtures::steps::{stuck, waits};
use crate::fixtures::transcode::{
    backup, decide, idle, live, on_air, other_url, passing, set_flow, set_signal, settings, stop_source,
};
use crate::fixtures::{
    at, connected, deleted, destination_object, destination_seen, destination_spec, destination_wanted, flow,
    outcome_of, output, present, references, source_object, source_seen, source_spec, wish,
};

const STOPPED: (&str, Value) = ("/state", Value::Null);

fn prepared() -> (&'static str, Value) {
    ("/prepare", json!(true))
}

/// The status of a pass over this object.
fn told(object: &Destination, seen: Option<&Observed>, failure: Option<&Failure>, second: i64) -> DestinationStatus {
    let desired = match object.metadata.deletion_timestamp {
        Some(_) => Desired::Absent,
        None => destination_wanted(&object.spec, &references()),
    };
    // With what is remembered, as the shell gives it to the planner.
    let (restart, failed_over_to) = (memory::restart(object, at(second)), memory::failed_over_to(object));
    let seen = seen.map(|seen| Observed {
        restart,
        failover: FailoverState { failed_over_to, ..seen.failover },
        ..seen.clone()
    });
    let plan = seen.as_ref().map(|seen| plan(&desired, false, seen));
    let wanted = if let Desired::Present(wanted) = &desired { Some(wanted) } else { None };
    let outcome = destination::Outcome { failure, ..outcome_of(wanted, seen.as_ref(), plan.as_ref(), second) };
    status::status(object, &outcome)
}

fn object(changes: &[(&str, Value)], before: DestinationStatus) -> Destination {
    let mut object = destination_object(destination_spec(changes));
    object.status = Some(DestinationStatus { observed_generation: object.metadata.generation, ..before });
    object
}

// ------------------------------------------------------------------------------------------------------ decisions

#[test]
fn a_prepared_channel_stays_while_the_spec_is_broken() {
    let broken = ("/url", json!("http://live.example.com/app"));
    let wish = live(&[STOPPED, prepared(), broken]);
    assert!(present(wish.clone()).problem.is_some(), "the spec is broken");
    assert_eq!(stuck(decide(&wish, &idle(&[]))).reason, Reason::InvalidSpec);
}

#[test]
fn who_is_off_the_air_waits_for_no_other_ones_move() {
    let mut seen = passing();
    output(&mut seen, Role::Primary).output.enabled = false;
    seen.migration_ahead = Some("other".into());
    let step = decide(&live(&[STOPPED, prepared()]), &seen);
    assert!(!matches!(step, Step::Wait { on: Waiting::MovesFirst(_), .. }), "{step:?}");
    let step = decide(&live(&[]), &seen);
    assert!(matches!(step, Step::Wait { on: Waiting::MovesFirst(_), .. }), "{step:?}");
}

#[test]
fn another_region_is_told_while_stopped_too() {
    let wish = destination_wanted(&destination_spec(&[STOPPED, ("/region", json!("eu-west-1"))]), &references());
    assert_eq!(stuck(decide(&wish, &destination_seen(&[STOPPED]))).reason, Reason::RegionMismatch);
}

#[test]
fn a_primary_that_was_asked_for_is_restarted_when_it_is_dead() {
    let changes = [("/backup", crate::fixtures::backup_json("OnFailure"))];
    let wish = destination_wanted(&destination_spec(&changes), &references());
    let mut seen = destination_seen(&changes);
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    output(&mut seen, Role::Primary).unchanged_for = Duration::from_secs(60);
    seen.failover.requested = Some(Role::Primary);
    crate::fixtures::transcode::notes_the_first(&wish, &seen);
}

#[test]
fn a_flow_that_still_starts_is_not_said_to_be_stopped() {
    let mut seen = destination_seen(&[]);
    stop_source(&mut seen);
    set_flow(&mut seen, FlowState::Starting);
    let wish = destination_wanted(&destination_spec(&[]), &references());
    assert_eq!(waits(decide(&wish, &seen)), Waiting::FlowStarting);
    set_flow(&mut seen, FlowState::Standby);
    assert_eq!(waits(decide(&wish, &seen)), Waiting::SourceStopped("studio".into(), StaysOff::Told));
}

#[test]
fn a_channel_that_is_connected_and_gets_nothing_is_not_settled() {
    let mut seen = on_air(&[]);
    assert_eq!(decide(&live(&[]), &seen), Step::Settled);
    set_signal(&mut seen, Some(false));
    assert_eq!(waits(decide(&live(&[]), &seen)), Waiting::NoSignal("studio".into()));
}

#[test]
fn another_url_of_a_backup_is_a_difference() {
    let both = &[Role::Primary, Role::Backup];
    let mut other = crate::fixtures::backup_json("Hot");
    other["url"] = json!("rtmps://elsewhere.example.com:443/app");
    let (now, then) = (settings(&live(&[backup("Hot")]), both), settings(&live(&[("/backup", other)]), both));
    assert_eq!(fields(&then.differences(&now)), ["backup.url"]);
    assert_eq!(fields(&settings(&live(&[backup("Hot"), other_url()]), both).differences(&now)), ["url"]);
}

#[test]
fn what_is_new_in_a_vpc_comes_first_while_there_is_room_for_both() {
    let lan = |name: &str| json!([{ "name": name, "subnetId": "subnet-0a", "securityGroupIds": ["sg-0a"] }]);
    let mut seen = source_seen(&[]);
    flow(&mut seen).vpc_interfaces = vec![VpcInterface {
        name: "old".into(),
        subnet_id: "subnet-0b".into(),
        security_group_ids: vec!["sg-0a".into()],
        role_arn: crate::fixtures::ROLE.into(),
    }];
    let step = playout_core::kinds::source::plan::plan(&wish(&[("/network/vpcInterfaces", lan("new"))]), false, &seen);
    let Step::Act(actions) = step else { panic!("{step:?}") };
    assert!(
        matches!(
            actions.as_slice(),
            [playout_core::kinds::source::plan::Action::Flow(FlowAction::AddVpcInterfaces { .. })]
        ),
        "{actions:?}"
    );
}

#[test]
fn a_suspended_reference_waits_for_whoever_owns_the_flow() {
    let external = ("/external", json!({ "arn": crate::fixtures::FLOW, "policy": "Reference" }));
    let off = |changes: &[(&str, Value)]| stays_off(&source_object(source_spec(changes)), FlowState::Standby);
    let suspended = ("/suspend", json!(true));
    assert_eq!(off(std::slice::from_ref(&suspended)), Some(StaysOff::Suspended));
    assert_eq!(off(&[suspended, external]), Some(StaysOff::Told), "to resume it would start nothing");
}

// --------------------------------------------------------------------------------------------------------- status

#[test]
fn a_show_does_not_begin_without_a_signal_and_does_not_end_by_a_pause() {
    let mut seen = destination_seen(&[]);
    set_signal(&mut seen, Some(false));
    let fresh = object(&[], DestinationStatus::default());
    assert_ne!(told(&fresh, Some(&seen), None, 0).state, Some(DestinationState::Running));
}

#[test]
fn an_id_is_kept_while_its_channel_is_not_to_be_seen() {
    let recorded = ChannelStatus { id: Some("4711".into()), ..ChannelStatus::default() };
    let before = DestinationStatus { channel: Some(recorded), ..DestinationStatus::default() };
    let object = object(&[("/delivery", json!("Transcode"))], before);
    let seen = Observed { channel: Existence::Unknown, ..on_air(&[]) };
    let channel = told(&object, Some(&seen), None, 0).channel.expect("it is recorded");
    assert_eq!(channel.id.as_deref(), Some("4711"));
}

#[test]
fn the_arn_of_a_flow_is_kept_while_it_is_not_certain_that_it_is_gone() {
    let recorded = DestinationStatus { flow_arn: Some(crate::fixtures::FLOW.into()), ..DestinationStatus::default() };
    let object = object(&[], recorded);
    let arn = |certain| {
        let seen =
            Observed { flow: Programme::NoFlow { certain }, outputs: Default::default(), ..destination_seen(&[]) };
        told(&object, Some(&seen), None, 0).flow_arn
    };
    assert_eq!((arn(false).as_deref(), arn(true)), (Some(crate::fixtures::FLOW), None));
}

#[test]
fn a_look_that_fails_ends_no_run() {
    let seen = destination_seen(&[]);
    let running = told(&object(&[], DestinationStatus::default()), Some(&seen), None, 0);
    assert!(running.started_at.is_some());
    let mut object = object(&[], running.clone());
    deleted(&mut object.metadata);
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "mediaconnect:DescribeFlow".into(),
        message: "no answer".into(),
    };
    let now = told(&object, None, Some(&failure), 60);
    assert_eq!((now.started_at, now.last_runs), (running.started_at, running.last_runs));
}

#[test]
fn a_broken_spec_says_nothing_of_the_receiver() {
    let mut seen = destination_seen(&[]);
    let running = told(&object(&[], DestinationStatus::default()), Some(&seen), None, 0);
    let object = object(&[("/url", json!("http://live.example.com/app"))], running);
    assert_eq!(told(&object, Some(&seen), None, 60).state, Some(DestinationState::Running), "nothing was touched");
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    assert_eq!(told(&object, Some(&seen), None, 60).state, Some(DestinationState::Error));
}

#[test]
fn the_age_of_a_connection_counts_from_when_it_begins_to_send() {
    let mut seen = destination_seen(&[]);
    let before = OutputStatus {
        role: Role::Primary.word().into(),
        arn: Some(output(&mut seen, Role::Primary).output.arn.clone()),
        sending: Some(false),
        since: Some(Time(at(0))),
        ..OutputStatus::default()
    };
    let object = object(&[], DestinationStatus { outputs: vec![before], ..DestinationStatus::default() });
    output(&mut seen, Role::Primary).measured = Some(connected(None));
    let since = |seen: &Observed| told(&object, Some(seen), None, 500).outputs[0].since.as_ref().map(|t| t.0);
    assert_eq!(since(&seen), Some(at(500)));
    output(&mut seen, Role::Primary).output.enabled = false;
    assert_eq!(since(&seen), Some(at(0)));
    output(&mut seen, Role::Primary).output.arn.push_str("-made-anew");
    assert_eq!(since(&seen), Some(at(500)), "it bears the name of the old one and is another");
}

/// AWS's error of the old key is still there when the new one has just been sent.
#[test]
fn the_age_of_a_refusal_begins_anew_with_other_settings() {
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    let refused = told(&object(&[], DestinationStatus::default()), Some(&seen), None, 0);
    let since = |changes: &[_]| {
        let later = told(&object(changes, refused.clone()), Some(&seen), None, 5);
        later.outputs[0].since.as_ref().map(|t| t.0)
    };
    assert_eq!(since(&[]), Some(at(0)));
    let other = ("/url", json!("rtmps://other.example.com:443/app"));
    assert_eq!(since(std::slice::from_ref(&other)), Some(at(5)));
    let step = decide(&destination_wanted(&destination_spec(&[other]), &references()), &seen);
    assert!(
        matches!(&step, Step::Act(actions) if actions[0].effect().is_kept),
        "the status alone remembers it: {step:?}"
    );
}

#[test]
fn restarts_are_forgiven_only_by_what_arrives_now() {
    let retries = RetryStatus {
        count: 3,
        attempts: 5,
        state: RetryWord::Trying,
        since: Some(Time(at(0))),
        up: false,
        cause: None,
        fingerprints: None,
    };
    let object = object(&[], DestinationStatus { retries: Some(retries), ..DestinationStatus::default() });
    let seen = destination_seen(&[]);
    assert_eq!(told(&object, Some(&seen), None, 500).retries, None, "it has arrived for five minutes");
    let mut off = seen;
    output(&mut off, Role::Primary).output.enabled = false;
    assert_eq!(told(&object, Some(&off), None, 500).retries.map(|r| r.count), Some(3));
}

#[test]
fn what_is_suspended_says_that_it_goes_on_being_sent() {
    let mut seen = destination_seen(&[]);
    let message = |seen: &Observed| {
        let told = told(&object(&[("/suspend", json!(true))], DestinationStatus::default()), Some(seen), None, 0);
        told.conditions.iter().find(|c| c.type_ == READY).map(|c| c.message.clone()).expect("Ready")
    };
    assert!(message(&seen).contains("It is sent meanwhile"), "{}", message(&seen));
    output(&mut seen, Role::Primary).error = Some("Unable to connect".into());
    let refused = message(&seen);
    assert!(refused.contains("does not take the stream") && refused.contains("Unable to connect"), "{refused}");
    output(&mut seen, Role::Primary).output.enabled = false;
    let off = message(&seen);
    assert!(!off.contains("sent meanwhile") && !off.contains("take the stream"), "{off}");
}
