//! `plan(wish, facts) == step` for a Source. Each test is a sentence: one valid fixture, one change.

mod fixtures;

use std::collections::BTreeMap;

use fixtures::{
    FLOW, at, copy_of, deleted, encrypted, flow, health, identity, input, on_air, present, references_at, rtp_input,
    source_arn, source_object, source_seen, source_spec, wish,
};
use playout_api::Source;
use playout_api::source::HealthWord::{Degraded, Failed, Healthy, Unknown};
use playout_api::source::{SourceStatus, SourceWord};
use playout_core::conditions::{READY, STALLED};
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass, Problem};
use playout_core::identity::{Ownership, TAG_UID};
use playout_core::kinds::source::Outcome;
use playout_core::kinds::source::observed::{FlowQuota, Hold, Observed, TestPhase};
use playout_core::kinds::source::off::stays_off;
use playout_core::kinds::source::plan::{Action, housekeeping, plan};
use playout_core::kinds::source::wanted::{Wanted, wanted};
use playout_core::plan::{Action as _, Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::channel::Usage;
use playout_core::resources::flow::{Failover, FlowOutput, FlowState, Protocol, VpcInterface};
use playout_core::resources::secret_copy::CopyAction;
use playout_core::waiting::{StaysOff, Waiting};
use serde_json::{Value, json};

fn act(step: Step<Action>) -> Vec<Action> {
    match step {
        Step::Act(actions) => actions,
        other => panic!("expected actions, got {other:?}"),
    }
}

fn one(step: Step<Action>) -> Action {
    let mut actions = act(step);
    assert_eq!(actions.len(), 1, "{actions:?}");
    actions.remove(0)
}

fn stuck(step: Step<Action>) -> Problem {
    match step {
        Step::Stuck(problem) => problem,
        other => panic!("expected a problem, got {other:?}"),
    }
}

fn waits(step: Step<Action>) -> Waiting {
    match step {
        Step::Wait { on, .. } => on,
        other => panic!("expected to wait, got {other:?}"),
    }
}

fn decide(desired: &Desired<Wanted>, seen: &Observed) -> Step<Action> {
    plan(desired, false, seen)
}

fn flow_arn() -> String {
    FLOW.to_string()
}

/// What the wish with these changes makes of a flow that is as the unchanged fixture wishes it.
fn drift(changes: &[(&str, Value)]) -> Action {
    one(decide(&wish(changes), &source_seen(&[])))
}

fn foreign_output(managed: bool) -> FlowOutput {
    FlowOutput {
        name: "someone".into(),
        arn: "arn:output:someone".into(),
        enabled: true,
        settings: fixtures::plain_rtp(),
        managed_by: managed.then(|| "arn:aws:medialive:us-west-2:111122223333:input:1".into()),
        listener_address: None,
    }
}

fn three() -> Vec<(&'static str, Value)> {
    vec![("/inputs/2", input("slate", "Emergency", 5002))]
}

fn told(name: &str) -> Vec<(&'static str, Value)> {
    let mut changes = three();
    changes.push(("/activeInput", json!(name)));
    changes
}

/// A flow on the air with main and reserve, of a Source with three inputs.
fn three_on_air() -> Observed {
    let mut seen = source_seen(&three());
    on_air(&mut seen);
    health(&mut seen, &[("main", Healthy), ("reserve", Healthy)]);
    seen
}

/// The same after the emergency input was swapped in.
fn slate_on_air() -> Observed {
    let mut seen = three_on_air();
    flow(&mut seen).sources[1].name = "slate".into();
    flow(&mut seen).sources[1].settings = present(wish(&three())).inputs[2].settings.clone();
    seen.inputs = BTreeMap::new();
    health(&mut seen, &[("main", Failed), ("slate", Healthy)]);
    seen
}

// -------------------------------------------------------------------------------------------------- nothing to do

#[test]
fn a_flow_that_is_as_wished_is_left_alone() {
    assert_eq!(decide(&wish(&[]), &source_seen(&[])), Step::Settled);
}

#[test]
fn what_aws_chose_by_itself_is_no_drift() {
    let mut seen = source_seen(&[]);
    let source = &mut flow(&mut seen).sources[0];
    source.settings.min_latency = Some(2000);
    source.settings.max_bitrate = Some(1);
    source.settings.description = "renamed in the console".into();
    seen.tags.insert("cost-centre".into(), "7".into());
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
}

// --------------------------------------------------------------------------------------------------------- create

#[test]
fn a_flow_is_created_on_proven_absence_with_all_that_is_wished() {
    let changes = [
        ("/flowSize", json!("Large")),
        ("/network/availabilityZone", json!("us-west-2a")),
        ("/network/vpcInterfaces", json!([{"name": "lan", "subnetId": "subnet-0a", "securityGroupIds": ["sg-0a"]}])),
        ("/tags/team", json!("news")),
    ];
    let mut seen = source_seen(&changes);
    seen.flow = Existence::Absent;
    let Action::CreateFlow(new) = one(decide(&wish(&changes), &seen)) else { panic!("a create") };
    assert_eq!(new.name, identity("Source", "studio").flow_name());
    assert_eq!(new.sources.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["main", "reserve"]);
    assert_eq!(new.sources[0].tags, new.tags);
    assert_eq!(
        new.failover,
        Failover { enabled: true, merge: false, recovery_window: None, primary: Some("main".into()) }
    );
    assert_eq!(new.size.as_deref(), Some("LARGE"));
    assert_eq!(new.availability_zone.as_deref(), Some("us-west-2a"));
    assert_eq!(new.vpc_interfaces.len(), 1);
    assert_eq!(new.tags["team"], "news");
    assert_eq!(new.tags[TAG_UID], "uid-1");
    assert!(Action::CreateFlow(new).needs_intent());
}

#[test]
fn a_flow_is_not_asked_for_where_there_is_no_room_for_it() {
    let mut seen = source_seen(&[]);
    seen.flow = Existence::Absent;
    let quota = |used: usize, ahead| {
        let by = (0..used).map(|n| format!("flow-{n}")).collect();
        Some(FlowQuota { usage: Usage { used, limit: 20, by }, ahead, region: "us-west-2".into() })
    };
    for (used, ahead) in [(20, 0), (19, 1)] {
        seen.quota = quota(used, ahead);
        let problem = stuck(decide(&wish(&[]), &seen));
        assert_eq!(problem.reason, Reason::QuotaExceeded);
        let told = format!("{used} of 20 flows in us-west-2 are used, by flow-0, ");
        assert!(problem.message.starts_with(&told), "{}", problem.message);
        assert_eq!(problem.message.contains("created earlier"), ahead > 0, "{}", problem.message);
    }
    seen.quota = quota(19, 0);
    assert!(matches!(one(decide(&wish(&[]), &seen)), Action::CreateFlow(_)));
}

#[test]
fn while_it_is_undecided_whether_a_flow_exists_none_is_created() {
    let mut seen = source_seen(&[]);
    seen.flow = Existence::Unknown;
    assert_eq!(waits(decide(&wish(&[]), &seen)), Waiting::CreateOutcome);
    seen.users.on_air = vec!["Destination/tube".into()];
    assert_eq!(waits(decide(&wish(&[]), &seen)), Waiting::CreateOutcome);
}

#[test]
fn a_flow_with_one_input_is_created_without_failover() {
    let changes = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let mut seen = source_seen(&changes);
    seen.flow = Existence::Absent;
    let Action::CreateFlow(new) = one(decide(&wish(&changes), &seen)) else { panic!("a create") };
    assert_eq!((new.sources.len(), new.failover), (1, Failover::default()));
}

#[test]
fn a_flow_with_three_inputs_is_created_with_two_and_the_emergency_waits() {
    let mut seen = source_seen(&three());
    seen.flow = Existence::Absent;
    let Action::CreateFlow(new) = one(decide(&wish(&three()), &seen)) else { panic!("a create") };
    assert_eq!(new.sources.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["main", "reserve"]);
}

#[test]
fn a_disabled_input_is_not_in_the_flow() {
    let Action::RemoveSource { name, .. } = drift(&[("/inputs/1/enabled", json!(false))]) else { panic!("a removal") };
    assert_eq!(name, "reserve");
}

#[test]
fn a_flow_that_has_lost_its_last_source_gets_it_again() {
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    flow(&mut seen).sources.clear();
    let Action::AddSource { source, .. } = one(decide(&wish(&[("/state", json!("Running"))]), &seen)) else {
        panic!("a source")
    };
    assert_eq!(source.name, "main");
}

#[test]
fn a_source_without_an_enabled_input_is_invalid_and_nothing_is_touched() {
    let desired = wish(&[("/inputs/0/enabled", json!(false)), ("/inputs/1/enabled", json!(false))]);
    let problem = stuck(decide(&desired, &source_seen(&[])));
    assert_eq!(problem.reason, Reason::InvalidSpec);
}

// ------------------------------------------------------------------------------------------------------ ownership

#[test]
fn a_foreign_flow_is_never_touched() {
    for state in [FlowState::Standby, FlowState::Active, FlowState::Error] {
        let mut seen = source_seen(&[]);
        seen.ownership = Ownership::Foreign;
        seen.tags = BTreeMap::new();
        flow(&mut seen).state = state;
        flow(&mut seen).sources.pop();
        for changes in [vec![], vec![("/state", json!("Stopped"))], vec![("/state", json!("Running"))]] {
            let problem = stuck(decide(&wish(&changes), &seen));
            assert_eq!(problem.reason, Reason::NotOurs);
            assert!(problem.message.contains("not touched"), "{}", problem.message);
        }
        assert_eq!(decide(&Desired::Absent, &seen), Step::Gone);
    }
}

#[test]
fn a_flow_of_an_earlier_object_of_this_name_is_taken_up_with_our_tags() {
    let mut seen = source_seen(&[]);
    seen.ownership = Ownership::Inherited;
    seen.tags.insert(TAG_UID.into(), "uid-0".into());
    let wanted = present(wish(&[]));
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    let actions = housekeeping(&wanted, &seen);
    assert_eq!(actions, [Action::TagFlow { flow: flow_arn(), tags: wanted.tags }]);
    assert_eq!(actions[0].reason(), Reason::Adopted);
}

#[test]
fn a_changed_user_tag_is_renewed() {
    let actions = housekeeping(&present(wish(&[("/tags/team", json!("sport"))])), &source_seen(&[]));
    assert!(matches!(actions.as_slice(), [Action::TagFlow { tags, .. }] if tags["team"] == "sport"), "{actions:?}");
}

// ---------------------------------------------------------------------------------------------------------- drift

#[test]
fn each_setting_of_an_input_that_differs_is_repaired_by_an_update_of_that_input_alone() {
    let cases: Vec<(&str, Value)> = vec![
        ("/inputs/1/srtListener/port", json!(6001)),
        ("/inputs/1/srtListener/allowedCidr", json!("198.51.100.0/24")),
        ("/inputs/1/srtListener/minLatencyMs", json!(500)),
        (
            "/inputs/1/srtListener/encryption",
            json!({"passwordSecretArn": "arn:aws:secretsmanager:us-west-2:111122223333:secret:own"}),
        ),
    ];
    for change in cases {
        let wanted = present(wish(std::slice::from_ref(&change)));
        let expected = Action::UpdateSource {
            flow: flow_arn(),
            arn: source_arn("reserve"),
            name: "reserve".into(),
            settings: Box::new(wanted.inputs[1].settings.clone()),
        };
        assert_eq!(drift(std::slice::from_ref(&change)), expected, "{change:?}");
    }
}

#[test]
fn settings_of_the_other_protocols_are_repaired_too() {
    let inputs: Vec<(Value, &str, Value)> = vec![
        (
            json!({"protocol": "SrtCaller", "srtCaller": {"address": "enc.example.net", "port": 9000}}),
            "/inputs/0/srtCaller/address",
            json!("enc2.example.net"),
        ),
        (
            json!({"protocol": "SrtCaller", "srtCaller": {"address": "enc.example.net", "port": 9000}}),
            "/inputs/0/srtCaller/port",
            json!(9001),
        ),
        (
            json!({"protocol": "SrtCaller", "srtCaller": {"address": "enc.example.net", "port": 9000}}),
            "/inputs/0/srtCaller/streamId",
            json!("show"),
        ),
        (
            json!({"protocol": "Rist", "rist": {"port": 5000, "allowedCidr": "203.0.113.0/24"}}),
            "/inputs/0/rist/maxLatencyMs",
            json!(900),
        ),
        (
            json!({"protocol": "ZixiPush", "zixiPush": {"allowedCidr": "203.0.113.0/24"}}),
            "/inputs/0/zixiPush/streamId",
            json!("other"),
        ),
        (
            json!({"protocol": "Rtmp", "rtmp": {"allowedCidr": "203.0.113.0/24", "streamKey": {"secretRef": {"name": "keys", "key": "primary"}}}}),
            "/inputs/0/rtmp/streamKey/secretRef/key",
            json!("backup"),
        ),
        (
            json!({"protocol": "Rtmp", "rtmp": {"allowedCidr": "203.0.113.0/24", "streamKey": {"secretRef": {"name": "keys", "key": "primary"}}}}),
            "/inputs/0/rtmp/applicationName",
            json!("show"),
        ),
        (
            json!({"protocol": "Rtp", "rtp": {"port": 5000, "allowedCidr": "203.0.113.0/24"}}),
            "/maxBitrate",
            json!(1_000_000),
        ),
    ];
    for (mut one_input, pointer, value) in inputs {
        one_input["name"] = json!("main");
        one_input["priority"] = json!("Primary");
        let before = vec![("/inputs", json!([one_input]))];
        let mut after = before.clone();
        after.push((pointer, value));
        let action = one(decide(&wish(&after), &source_seen(&before)));
        assert!(matches!(&action, Action::UpdateSource { name, .. } if name == "main"), "{pointer}: {action:?}");
    }
}

#[test]
fn a_single_input_changes_its_protocol_in_place_because_the_last_source_cannot_be_removed() {
    let before = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let after = [("/inputs", json!([rtp_input("main", "Primary", 5000)]))];
    let action = one(decide(&wish(&after), &source_seen(&before)));
    assert!(
        matches!(&action, Action::UpdateSource { name, settings, .. } if name == "main" && settings.protocol == Protocol::Rtp),
        "{action:?}"
    );
}

#[test]
fn when_both_inputs_change_their_protocol_the_follower_gives_way_first_and_the_other_changes_in_place() {
    let after = [("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)]))];
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    let action = one(decide(&wish(&after), &seen));
    assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "reserve"), "{action:?}");
    flow(&mut seen).sources.pop();
    let action = one(decide(&wish(&after), &seen));
    assert!(
        matches!(&action, Action::UpdateSource { name, settings, .. } if name == "main" && settings.protocol == Protocol::Rtp),
        "two protocols cannot stand side by side: {action:?}"
    );
}

#[test]
fn the_size_is_repaired_and_an_unsaid_size_is_not() {
    assert_eq!(drift(&[("/flowSize", json!("Large"))]), Action::ResizeFlow { flow: flow_arn(), size: "LARGE".into() });
    let mut seen = source_seen(&[]);
    flow(&mut seen).size = Some("LARGE".into());
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
}

#[test]
fn a_source_that_somebody_added_to_our_flow_is_removed() {
    let one_input = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let mut seen = source_seen(&[]);
    flow(&mut seen).sources[1].name = "by-hand".into();
    let action = one(decide(&wish(&one_input), &seen));
    assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "by-hand"), "{action:?}");
}

#[test]
fn in_between_states_nothing_is_asked_of_the_flow() {
    for (state, waiting) in [
        (FlowState::Starting, Waiting::FlowStarting),
        (FlowState::Stopping, Waiting::FlowStopping),
        (FlowState::Updating, Waiting::FlowUpdating),
        (FlowState::Deleting, Waiting::FlowDeleting),
    ] {
        let mut seen = source_seen(&[]);
        flow(&mut seen).state = state;
        flow(&mut seen).sources.pop();
        assert_eq!(waits(decide(&wish(&[("/state", json!("Running"))]), &seen)), waiting);
    }
}

// --------------------------------------------------------------------------------------- inputs that come and go

#[test]
fn a_second_input_needs_failover_before_it_can_be_added() {
    let single = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let mut seen = source_seen(&single);
    let Action::SetFailover { failover, .. } = one(decide(&wish(&[]), &seen)) else { panic!("failover first") };
    assert!(failover.enabled && failover.primary.is_none());
    flow(&mut seen).failover = failover;
    let Action::AddSource { source, .. } = one(decide(&wish(&[]), &seen)) else { panic!("then the source") };
    assert_eq!(source.name, "reserve");
}

#[test]
fn a_renamed_follower_is_removed_before_its_successor_is_added_because_a_flow_has_two_places() {
    let renamed = [("/inputs/1/name", json!("spare"))];
    let mut seen = source_seen(&[]);
    let action = one(decide(&wish(&renamed), &seen));
    assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "reserve"), "{action:?}");
    flow(&mut seen).sources.pop();
    let action = one(decide(&wish(&renamed), &seen));
    assert!(matches!(&action, Action::AddSource { source, .. } if source.name == "spare"), "{action:?}");
}

#[test]
fn when_both_inputs_are_renamed_the_one_that_carries_the_show_goes_last() {
    let renamed = [("/inputs/0/name", json!("left")), ("/inputs/1/name", json!("right"))];
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    let action = one(decide(&wish(&renamed), &seen));
    assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "reserve"), "main leads: {action:?}");
    // AWS says which one it takes, whatever the order of priorities.
    health(&mut seen, &[("main", Failed), ("reserve", Healthy)]);
    seen.inputs.get_mut("reserve").expect("measured").measured.selected = Some(true);
    let action = one(decide(&wish(&renamed), &seen));
    assert_eq!(action, Action::SetFailover { flow: flow_arn(), failover: leads("reserve") }, "AWS keeps a primary");
    flow(&mut seen).failover = leads("reserve");
    let action = one(decide(&wish(&renamed), &seen));
    assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "main"), "reserve is sent on: {action:?}");
}

fn leads(name: &str) -> Failover {
    Failover { enabled: true, merge: false, recovery_window: None, primary: Some(name.into()) }
}

#[test]
fn a_single_input_on_the_same_port_is_renamed_by_way_of_a_spare_on_another_port() {
    let before = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let after = [("/inputs", json!([input("studio-a", "Primary", 5000)]))];
    let mut seen = source_seen(&before);
    assert!(matches!(one(decide(&wish(&after), &seen)), Action::SetFailover { failover, .. } if failover.enabled));
    flow(&mut seen).failover.enabled = true;
    let Action::AddSource { source, .. } = one(decide(&wish(&after), &seen)) else { panic!("a spare") };
    assert_ne!(source.settings.ingest_port, Some(5000), "two sources cannot listen on one port");
    assert_ne!(source.name, "studio-a");
}

#[test]
fn encryption_is_taken_off_a_single_input_by_replacing_it_because_an_update_cannot_unset_it() {
    let before = [("/inputs", json!([encrypted(input("main", "Primary", 5000))]))];
    let after = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let mut seen = source_seen(&before);
    assert!(matches!(one(decide(&wish(&after), &seen)), Action::SetFailover { failover, .. } if failover.enabled));
    flow(&mut seen).failover.enabled = true;
    let Action::AddSource { source, .. } = one(decide(&wish(&after), &seen)) else { panic!("a spare") };
    assert_eq!(source.settings.decryption, None);
    assert_ne!(source.name, "main");
}

#[test]
fn a_stream_id_is_taken_off_an_srt_caller_by_replacing_it_and_what_aws_may_have_filled_in_is_left() {
    let caller = |more: Value| {
        let mut caller = json!({"address": "enc.example.net", "port": 9000});
        caller.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        [("/inputs", json!([{"name": "main", "priority": "Primary", "protocol": "SrtCaller", "srtCaller": caller}]))]
    };
    let mut seen = source_seen(&caller(json!({"streamId": "show", "minLatencyMs": 500})));
    let latency_alone = wish(&caller(json!({"streamId": "show"})));
    assert_eq!(decide(&latency_alone, &seen), Step::Settled, "AWS tells its own default in the same words");
    let after = wish(&caller(json!({})));
    assert!(matches!(one(decide(&after, &seen)), Action::SetFailover { failover, .. } if failover.enabled));
    flow(&mut seen).failover.enabled = true;
    let Action::AddSource { source, .. } = one(decide(&after, &seen)) else { panic!("a spare") };
    assert_eq!((source.settings.stream_id, source.name == "main"), (None, false));
    flow(&mut seen).failover.enabled = false;
    flow(&mut seen).sources[0].settings.stream_id = Some(String::new());
    assert_eq!(decide(&after, &seen), Step::Settled, "an empty one is none");
}

#[test]
fn inputs_that_exchange_their_ports_pass_through_a_third_port() {
    let swapped = [("/inputs/0/srtListener/port", json!(5001)), ("/inputs/1/srtListener/port", json!(5000))];
    let Action::UpdateSource { settings, .. } = drift(&swapped) else { panic!("an update") };
    assert!(settings.ingest_port.is_some_and(|p| p != 5000 && p != 5001), "{settings:?}");
}

#[test]
fn an_input_leaves_its_port_before_a_new_input_takes_it() {
    let before = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let after = [("/inputs", json!([input("main", "Primary", 6000), input("reserve", "Backup", 5000)]))];
    let action = one(decide(&wish(&after), &source_seen(&before)));
    assert!(
        matches!(&action, Action::UpdateSource { name, settings, .. } if name == "main" && settings.ingest_port == Some(6000)),
        "{action:?}"
    );
}

#[test]
fn from_two_inputs_to_one_the_surplus_goes_first_and_failover_after_it() {
    let single = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let mut seen = source_seen(&[]);
    let action = one(decide(&wish(&single), &seen));
    assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "reserve"), "{action:?}");
    flow(&mut seen).sources.pop();
    assert_eq!(
        one(decide(&wish(&single), &seen)),
        Action::SetFailover { flow: flow_arn(), failover: Failover::default() }
    );
}

// ------------------------------------------------------------------------------------------ failover and emergency

#[test]
fn each_difference_in_failover_is_repaired() {
    type Change = fn(&mut Failover);
    let srt = [("/failover/mode", json!("Failover"))];
    let main_leads = Failover { enabled: true, merge: false, recovery_window: None, primary: Some("main".into()) };
    let changes: [Change; 3] = [|f| f.primary = None, |f| f.primary = Some("reserve".into()), |f| f.merge = true];
    for change in changes {
        let mut seen = source_seen(&srt);
        change(&mut flow(&mut seen).failover);
        assert_eq!(
            one(decide(&wish(&srt), &seen)),
            Action::SetFailover { flow: flow_arn(), failover: main_leads.clone() }
        );
    }
    let rtp = [
        ("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)])),
        ("/failover", json!({"mode": "Merge", "recoveryWindowMs": 500})),
    ];
    let merged = Failover { enabled: true, merge: true, recovery_window: Some(500), primary: None };
    let changes: [Change; 2] = [|f| f.recovery_window = Some(200), |f| f.merge = false];
    for change in changes {
        let mut seen = source_seen(&rtp);
        change(&mut flow(&mut seen).failover);
        assert_eq!(one(decide(&wish(&rtp), &seen)), Action::SetFailover { flow: flow_arn(), failover: merged.clone() });
    }
}

#[test]
fn the_recovery_window_of_aws_is_no_drift() {
    let rtp = [
        ("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)])),
        ("/failover", json!({"mode": "Merge"})),
    ];
    assert_eq!(decide(&wish(&rtp), &source_seen(&rtp)), Step::Settled);
}

#[test]
fn merging_ends_before_an_input_comes_that_cannot_merge() {
    let before = [
        ("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)])),
        ("/failover", json!({"mode": "Merge"})),
    ];
    let Action::SetFailover { failover, .. } = one(decide(&wish(&[]), &source_seen(&before))) else {
        panic!("failover first")
    };
    assert!(failover.enabled && !failover.merge);
}

#[test]
fn active_input_makes_the_follower_lead_and_its_absence_gives_the_lead_back() {
    let told = [("/activeInput", json!("reserve"))];
    let leads = |name: &str| Action::SetFailover {
        flow: flow_arn(),
        failover: Failover { enabled: true, merge: false, recovery_window: None, primary: Some(name.into()) },
    };
    assert_eq!(one(decide(&wish(&told), &source_seen(&[]))), leads("reserve"));
    assert_eq!(one(decide(&wish(&[]), &source_seen(&told))), leads("main"));
}

#[test]
fn the_emergency_input_waits_outside_while_one_of_the_others_lives() {
    for (main, reserve) in
        [(Healthy, Healthy), (Failed, Healthy), (Healthy, Failed), (Failed, Degraded), (Failed, Unknown)]
    {
        let mut seen = three_on_air();
        health(&mut seen, &[("main", main), ("reserve", reserve)]);
        assert_eq!(decide(&wish(&three()), &seen), Step::Settled, "{main:?} {reserve:?}");
    }
}

#[test]
fn when_both_have_failed_the_emergency_takes_the_followers_place() {
    let mut seen = three_on_air();
    health(&mut seen, &[("main", Failed), ("reserve", Failed)]);
    let action = one(decide(&wish(&three()), &seen));
    assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "reserve"), "{action:?}");
    flow(&mut seen).sources.pop();
    // The follower is no longer measured, and that changes nothing.
    for reserve in [Failed, Unknown] {
        health(&mut seen, &[("reserve", reserve)]);
        let action = one(decide(&wish(&three()), &seen));
        assert!(
            matches!(&action, Action::AddSource { source, .. } if source.name == "slate"),
            "{reserve:?}: {action:?}"
        );
    }
}

#[test]
fn the_emergency_stays_until_the_primary_is_known_to_be_well() {
    for main in [Failed, Unknown] {
        let mut seen = slate_on_air();
        health(&mut seen, &[("main", main)]);
        assert_eq!(decide(&wish(&three()), &seen), Step::Settled, "{main:?}: it carries the show");
    }
    let mut seen = slate_on_air();
    seen.inputs = BTreeMap::new();
    assert_eq!(decide(&wish(&three()), &seen), Step::Settled, "AWS published nothing");
    for main in [Healthy, Degraded] {
        let mut seen = slate_on_air();
        health(&mut seen, &[("main", main)]);
        let action = one(decide(&wish(&three()), &seen));
        assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "slate"), "{main:?}: {action:?}");
    }
}

#[test]
fn a_stopped_flow_goes_back_to_the_order_of_priorities() {
    let mut seen = slate_on_air();
    flow(&mut seen).state = FlowState::Standby;
    seen.inputs = BTreeMap::new();
    let action = one(decide(&wish(&three()), &seen));
    assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "slate"), "{action:?}");
}

#[test]
fn old_measurements_of_a_stopped_flow_swap_nothing() {
    let mut seen = three_on_air();
    flow(&mut seen).state = FlowState::Standby;
    seen.users.on_air.clear();
    health(&mut seen, &[("main", Failed), ("reserve", Failed)]);
    assert_eq!(decide(&wish(&three()), &seen), Step::Settled);
}

#[test]
fn active_input_swaps_the_emergency_in_and_out_on_demand() {
    let action = one(decide(&wish(&told("slate")), &three_on_air()));
    assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "reserve"), "{action:?}");
    let action = one(decide(&wish(&told("slate")), &slate_on_air()));
    assert!(
        matches!(&action, Action::SetFailover { failover, .. } if failover.primary.as_deref() == Some("slate")),
        "{action:?}"
    );
    let action = one(decide(&wish(&told("reserve")), &slate_on_air()));
    assert!(matches!(&action, Action::RemoveSource { name, .. } if name == "slate"), "{action:?}");
}

#[test]
fn active_input_main_keeps_the_emergency_out_even_when_both_have_failed() {
    let mut seen = three_on_air();
    health(&mut seen, &[("main", Failed), ("reserve", Failed)]);
    assert_eq!(decide(&wish(&told("main")), &seen), Step::Settled);
}

// ------------------------------------------------------------------------------------------------- VPC interfaces

fn vpc(interfaces: &[(&str, &str)], stands_on: &str) -> Vec<(&'static str, Value)> {
    let list: Vec<_> = interfaces
        .iter()
        .map(|(name, subnet)| json!({"name": name, "subnetId": subnet, "securityGroupIds": ["sg-0a", "sg-0b"]}))
        .collect();
    let mut one_input = input("main", "Primary", 5000);
    one_input["vpcInterface"] = json!(stands_on);
    vec![("/inputs", json!([one_input])), ("/network/vpcInterfaces", json!(list))]
}

#[test]
fn a_vpc_interface_comes_before_the_input_that_stands_on_it_and_goes_after_it() {
    let (old, new) = (vpc(&[("lan", "subnet-0a")], "lan"), vpc(&[("wan", "subnet-0b")], "wan"));
    let mut seen = source_seen(&old);
    let wanted = present(wish(&new));
    assert_eq!(
        one(decide(&wish(&new), &seen)),
        Action::AddVpcInterfaces { flow: flow_arn(), interfaces: wanted.vpc_interfaces.clone() }
    );
    flow(&mut seen).vpc_interfaces.extend(wanted.vpc_interfaces.clone());
    let action = one(decide(&wish(&new), &seen));
    assert!(
        matches!(&action, Action::UpdateSource { settings, .. } if settings.vpc_interface.as_deref() == Some("wan")),
        "{action:?}"
    );
    flow(&mut seen).sources[0].settings.vpc_interface = Some("wan".into());
    assert_eq!(one(decide(&wish(&new), &seen)), Action::RemoveVpcInterface { flow: flow_arn(), name: "lan".into() });
}

#[test]
fn the_order_of_security_groups_is_no_drift() {
    let changes = vpc(&[("lan", "subnet-0a")], "lan");
    let mut seen = source_seen(&changes);
    flow(&mut seen).vpc_interfaces[0].security_group_ids.reverse();
    assert_eq!(decide(&wish(&changes), &seen), Step::Settled);
}

#[test]
fn a_vpc_interface_that_changed_under_its_name_is_told_and_one_that_nothing_stands_on_is_replaced() {
    let (old, new) = (vpc(&[("lan", "subnet-0a")], "lan"), vpc(&[("lan", "subnet-0b")], "lan"));
    let problem = stuck(decide(&wish(&new), &source_seen(&old)));
    assert_eq!(problem.reason, Reason::InvalidSpec);
    assert!(problem.message.contains("lan") && problem.message.contains("new name"), "{}", problem.message);
    let mut seen = source_seen(&old);
    let free = VpcInterface { name: "wan".into(), ..flow(&mut seen).vpc_interfaces[0].clone() };
    flow(&mut seen).vpc_interfaces.push(free);
    let new = vpc(&[("lan", "subnet-0a"), ("wan", "subnet-0c")], "lan");
    assert_eq!(one(decide(&wish(&new), &seen)), Action::RemoveVpcInterface { flow: flow_arn(), name: "wan".into() });
}

#[test]
fn a_third_vpc_interface_waits_until_a_place_is_free() {
    let old = vpc(&[("lan", "subnet-0a"), ("idle", "subnet-0b")], "lan");
    let new = vpc(&[("lan", "subnet-0a"), ("wan", "subnet-0c")], "lan");
    assert_eq!(
        one(decide(&wish(&new), &source_seen(&old))),
        Action::RemoveVpcInterface { flow: flow_arn(), name: "idle".into() },
        "a flow has two"
    );
}

// ------------------------------------------------------------------------------------------------------- secrets

fn with_password() -> Vec<(&'static str, Value)> {
    vec![("/inputs", json!([encrypted(input("main", "Primary", 5000)), encrypted(input("reserve", "Backup", 5001))]))]
}

#[test]
fn the_copies_of_passwords_are_made_before_the_flow_that_reads_them() {
    let mut seen = source_seen(&with_password());
    seen.flow = Existence::Absent;
    seen.secrets.clear();
    let actions = act(decide(&wish(&with_password()), &seen));
    assert_eq!(actions.len(), 2);
    assert!(actions.iter().all(|a| matches!(a, Action::Copy(CopyAction::Create { .. }))), "{actions:?}");
}

#[test]
fn the_flow_is_given_the_arns_of_the_copies() {
    let mut seen = source_seen(&with_password());
    seen.flow = Existence::Absent;
    let Action::CreateFlow(new) = one(decide(&wish(&with_password()), &seen)) else { panic!("a create") };
    for (source, copy) in new.sources.iter().zip(&seen.secrets) {
        assert_eq!(source.settings.decryption.as_ref().and_then(|d| d.secret_arn.as_ref()), Some(&copy.arn));
    }
}

#[test]
fn a_copy_that_nothing_reads_any_more_is_removed_beside_everything_else() {
    let mut seen = source_seen(&[]);
    let password = present(wish(&with_password())).inputs[0].password.clone().expect("a password");
    seen.secrets.push(copy_of(&password, &seen.tags));
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    let removal = Action::Copy(CopyAction::Delete { arn: seen.secrets[0].arn.clone() });
    assert_eq!(housekeeping(&present(wish(&[])), &seen), [removal]);
    flow(&mut seen).failover.primary = None;
    assert!(matches!(one(decide(&wish(&[]), &seen)), Action::SetFailover { .. }));
}

#[test]
fn the_password_of_an_emergency_input_that_waits_outside_is_kept() {
    let mut changes = three();
    changes[0].1 = encrypted(input("slate", "Emergency", 5002));
    let seen = source_seen(&changes);
    assert_eq!(seen.secrets.len(), 1);
    assert_eq!(decide(&wish(&changes), &seen), Step::Settled);
}

#[test]
fn a_missing_secret_or_role_is_named_with_the_remedy() {
    let encryption = json!({"passwordSecretRef": {"name": "nowhere", "key": "x"}});
    let problem = stuck(decide(&wish(&[("/inputs/0/srtListener/encryption", encryption)]), &source_seen(&[])));
    assert_eq!(problem.reason, Reason::SecretMissing);
    assert!(problem.message.contains("spec.inputs[main].encryption") && problem.message.contains("nowhere"));
    let spec = source_spec(&with_password());
    let no_role = wanted(&spec, &identity("Source", "studio"), &references_at("v1"), None, false);
    assert_eq!(stuck(decide(&no_role, &source_seen(&[]))).reason, Reason::RoleMissing);
}

// ---------------------------------------------------------------------------------------------------------- power

#[test]
fn auto_runs_the_flow_while_a_user_is_on_the_air() {
    let mut seen = source_seen(&[]);
    seen.users.idle = vec!["Destination/idle".into()];
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    seen.users.on_air = vec!["Destination/tube".into()];
    assert_eq!(one(decide(&wish(&[]), &seen)), Action::StartFlow { flow: flow_arn() });
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    seen.users.on_air.clear();
    assert_eq!(one(decide(&wish(&[]), &seen)), Action::StopFlow { flow: flow_arn() });
}

#[test]
fn auto_does_not_cut_an_output_that_sends_and_starts_for_none() {
    let mut seen = source_seen(&[]);
    let sent = fixtures::destination_seen(&[]).outputs.into_values().next().expect("an output").output;
    assert!(sent.enabled, "the fixture is on the air");
    flow(&mut seen).outputs = vec![sent];
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    assert_eq!(one(decide(&wish(&[("/state", json!("Stopped"))]), &seen)), Action::StopFlow { flow: flow_arn() });
    flow(&mut seen).outputs[0].enabled = false;
    assert_eq!(one(decide(&wish(&[]), &seen)), Action::StopFlow { flow: flow_arn() });
}

#[test]
fn running_and_stopped_are_obeyed_whoever_uses_it() {
    let mut seen = source_seen(&[]);
    assert_eq!(one(decide(&wish(&[("/state", json!("Running"))]), &seen)), Action::StartFlow { flow: flow_arn() });
    assert_eq!(decide(&wish(&[("/state", json!("Stopped"))]), &seen), Step::Settled);
    on_air(&mut seen);
    assert_eq!(decide(&wish(&[("/state", json!("Running"))]), &seen), Step::Settled);
    assert_eq!(one(decide(&wish(&[("/state", json!("Stopped"))]), &seen)), Action::StopFlow { flow: flow_arn() });
}

#[test]
fn settings_are_repaired_before_the_start_and_after_the_stop() {
    let mut seen = source_seen(&[]);
    flow(&mut seen).sources[0].settings.whitelist_cidr = Some("0.0.0.0/0".into());
    let action = one(decide(&wish(&[("/state", json!("Running"))]), &seen));
    assert!(matches!(action, Action::UpdateSource { .. }), "{action:?}");
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(
        one(decide(&wish(&[("/state", json!("Stopped"))]), &seen)),
        Action::StopFlow { flow: flow_arn() },
        "a change that AWS refuses must not keep the flow from being stopped"
    );
}

#[test]
fn a_copy_that_cannot_be_made_does_not_keep_the_flow_from_being_stopped() {
    let mut changes = with_password();
    changes.push(("/state", json!("Stopped")));
    let mut seen = source_seen(&changes);
    flow(&mut seen).state = FlowState::Active;
    seen.secrets.clear();
    assert_eq!(one(decide(&wish(&changes), &seen)), Action::StopFlow { flow: flow_arn() });
}

#[test]
fn what_cannot_be_understood_can_still_be_stopped_and_is_then_told() {
    let broken = [
        ("/inputs/0/srtListener/encryption", json!({"passwordSecretRef": {"name": "nowhere", "key": "x"}})),
        ("/state", json!("Stopped")),
    ];
    let mut seen = source_seen(&[]);
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(one(decide(&wish(&broken), &seen)), Action::StopFlow { flow: flow_arn() });
    flow(&mut seen).state = FlowState::Stopping;
    assert_eq!(waits(decide(&wish(&broken), &seen)), Waiting::FlowStopping);
    flow(&mut seen).state = FlowState::Standby;
    assert_eq!(stuck(decide(&wish(&broken), &seen)).reason, Reason::SecretMissing);
    seen.flow = Existence::Absent;
    assert_eq!(stuck(decide(&wish(&broken), &seen)).reason, Reason::SecretMissing, "and nothing is made");
}

#[test]
fn what_cannot_be_understood_runs_while_it_is_used_is_stopped_after_it_and_is_changed_in_nothing() {
    let broken = json!({"passwordSecretRef": {"name": "nowhere", "key": "x"}});
    let auto = wish(&[("/inputs/0/srtListener/encryption", broken.clone()), ("/tags/team", json!("sport"))]);
    let mut seen = source_seen(&with_password());
    on_air(&mut seen);
    flow(&mut seen).sources.pop();
    assert_eq!(stuck(decide(&auto, &seen)).reason, Reason::SecretMissing, "a show is not cut");
    seen.users.on_air.clear();
    assert_eq!(one(decide(&auto, &seen)), Action::StopFlow { flow: flow_arn() });
    flow(&mut seen).outputs.push(foreign_output(false));
    assert_eq!(stuck(decide(&auto, &seen)).reason, Reason::SecretMissing, "another's output sends");
    flow(&mut seen).state = FlowState::Standby;
    seen.users.on_air = vec!["Destination/tube".into()];
    assert_eq!(stuck(decide(&auto, &seen)).reason, Reason::SecretMissing, "nor is it started");
    let running = wish(&[("/inputs/0/srtListener/encryption", broken), ("/state", json!("Running"))]);
    on_air(&mut seen);
    seen.users.on_air.clear();
    assert_eq!(stuck(decide(&running, &seen)).reason, Reason::SecretMissing, "it is told to run");
}

#[test]
fn a_suspended_source_is_looked_at_and_left_alone() {
    let mut seen = source_seen(&[]);
    flow(&mut seen).sources.pop();
    seen.users.on_air = vec!["Destination/tube".into()];
    assert_eq!(decide(&wish(&[("/suspend", json!(true))]), &seen), Step::Settled);
    seen.flow = Existence::Absent;
    assert_eq!(decide(&wish(&[("/suspend", json!(true))]), &seen), Step::Settled);
}

#[test]
fn a_connection_test_starts_an_idle_flow_and_stops_it_again() {
    let mut seen = source_seen(&[]);
    seen.test = TestPhase::Wanted;
    assert_eq!(one(decide(&wish(&[]), &seen)), Action::StartFlow { flow: flow_arn() });
    flow(&mut seen).state = FlowState::Active;
    seen.test = TestPhase::Running;
    assert_eq!(waits(decide(&wish(&[]), &seen)), Waiting::ConnectionTest);
    seen.test = TestPhase::Over;
    assert_eq!(one(decide(&wish(&[]), &seen)), Action::StopFlow { flow: flow_arn() });
}

#[test]
fn a_connection_test_of_a_flow_that_runs_anyway_leaves_it_running() {
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    seen.test = TestPhase::Over;
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
}

#[test]
fn a_connection_test_runs_even_a_flow_that_is_told_to_stay_off() {
    let mut seen = source_seen(&[]);
    seen.test = TestPhase::Wanted;
    assert_eq!(one(decide(&wish(&[("/state", json!("Stopped"))]), &seen)), Action::StartFlow { flow: flow_arn() });
}

// ------------------------------------------------------------------------------------- what others learn of the flow

/// The Source with these changes, after a pass that came to this.
fn after(changes: &[(&str, Value)], step: &Step<Action>) -> Source {
    let mut source = source_object(source_spec(changes));
    let seen = source_seen(&[]);
    source.status = Some(status(&source, &outcome(Some(&seen), Some(step), 0)));
    source
}

#[test]
fn who_waits_for_a_flow_learns_why_it_is_not_started_and_a_flow_that_is_up_is_nobodys_concern() {
    let healthy = after(&[], &Step::Settled);
    let problem = Problem::new(Reason::SecretMissing, "Create Secret nowhere.");
    let mut going = healthy.clone();
    deleted(&mut going.metadata);
    let stopped = ("/state", json!("Stopped"));
    for (source, why) in [
        (after(&[("/suspend", json!(true))], &Step::Settled), StaysOff::Suspended),
        (after(&[("/suspend", json!(true)), stopped.clone()], &Step::Settled), StaysOff::Suspended),
        (going, StaysOff::Deleted),
        (after(&[], &Step::Stuck(problem)), StaysOff::Stalled("Create Secret nowhere.".into())),
    ] {
        assert_eq!(stays_off(&source, FlowState::Standby), Some(why));
        for up in [FlowState::Starting, FlowState::Active, FlowState::Updating] {
            assert_eq!(stays_off(&source, up), None, "a show is not cut in {up:?}");
        }
    }
    for state in [FlowState::Standby, FlowState::Active] {
        assert_eq!(stays_off(&healthy, state), None);
        assert_eq!(stays_off(&after(std::slice::from_ref(&stopped), &Step::Settled), state), Some(StaysOff::Told));
    }
    let waits = Step::wait(Waiting::FlowStarting, std::time::Duration::ZERO);
    assert_eq!(stays_off(&after(&[], &waits), FlowState::Standby), None, "it is under way");
}

// ------------------------------------------------------------------------------------------------------- deletion

#[test]
fn a_source_in_use_is_not_deleted_and_says_for_whom() {
    for retain in [false, true] {
        let mut seen = source_seen(&[]);
        seen.users.on_air = vec!["Destination/tube".into()];
        seen.users.idle = (0..6).map(|n| format!("Destination/idle-{n}")).collect();
        let step = plan(&Desired::Absent, retain, &seen);
        let Step::Wait { on, poll: None } = step else { panic!("waits for a watch: {step:?}") };
        let message = on.message();
        assert!(message.contains("Destination/tube") && message.contains("and 2 more"), "{message}");
    }
}

#[test]
fn while_deletion_waits_for_users_the_flow_stops_when_none_of_them_is_on_the_air() {
    let in_use = Waiting::InUse(vec!["Destination/tube".into()]);
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    seen.users.on_air = vec!["Destination/tube".into()];
    assert_eq!(waits(decide(&Desired::Absent, &seen)), in_use, "a show is not cut");
    seen.users.idle = std::mem::take(&mut seen.users.on_air);
    assert_eq!(one(decide(&Desired::Absent, &seen)), Action::StopFlow { flow: flow_arn() });
    assert_eq!(one(plan(&Desired::Absent, true, &seen)), Action::StopFlow { flow: flow_arn() });
    let told = Observed { auto: false, ..seen.clone() };
    assert_eq!(waits(plan(&Desired::Absent, true, &told)), in_use, "it is retained as it is");
    for change in [
        |seen: &mut Observed| flow(seen).outputs.push(foreign_output(false)),
        |seen: &mut Observed| seen.ownership = Ownership::Foreign,
        |seen: &mut Observed| seen.hold = Hold::Referenced,
        |seen: &mut Observed| seen.hold = Hold::Claimed { shown: None, told: false },
        |seen: &mut Observed| flow(seen).state = FlowState::Standby,
    ] {
        let mut other = seen.clone();
        change(&mut other);
        assert_eq!(decide(&Desired::Absent, &other), Step::wait_for_watch(in_use.clone()), "{other:?}");
    }
    flow(&mut seen).state = FlowState::Stopping;
    assert!(matches!(decide(&Desired::Absent, &seen), Step::Wait { poll: Some(_), .. }), "it is seen to come to rest");
    seen.hold = Hold::Adopted;
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(one(decide(&Desired::Absent, &seen)), Action::StopFlow { flow: flow_arn() });
}

#[test]
fn deletion_goes_in_order_stop_delete_copies_gone() {
    let mut seen = source_seen(&with_password());
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(one(decide(&Desired::Absent, &seen)), Action::StopFlow { flow: flow_arn() });
    for (state, waiting) in [
        (FlowState::Stopping, Waiting::FlowStopping),
        (FlowState::Starting, Waiting::FlowStarting),
        (FlowState::Updating, Waiting::FlowUpdating),
        (FlowState::Deleting, Waiting::FlowDeleting),
    ] {
        flow(&mut seen).state = state;
        assert_eq!(waits(decide(&Desired::Absent, &seen)), waiting);
    }
    flow(&mut seen).state = FlowState::Standby;
    assert_eq!(one(decide(&Desired::Absent, &seen)), Action::DeleteFlow { flow: flow_arn() });
    seen.flow = Existence::Absent;
    let actions = act(decide(&Desired::Absent, &seen));
    assert!(actions.len() == 2 && actions.iter().all(|a| matches!(a, Action::Copy(CopyAction::Delete { .. }))));
    seen.secrets.clear();
    assert_eq!(decide(&Desired::Absent, &seen), Step::Gone);
}

#[test]
fn deletion_waits_while_it_is_undecided_whether_a_flow_exists() {
    let mut seen = source_seen(&[]);
    seen.flow = Existence::Unknown;
    assert_eq!(waits(decide(&Desired::Absent, &seen)), Waiting::CreateOutcome);
}

#[test]
fn deletion_waits_for_the_outputs_of_medialive_and_of_others_and_names_them() {
    for state in [FlowState::Active, FlowState::Standby] {
        let mut seen = source_seen(&[]);
        flow(&mut seen).state = state;
        flow(&mut seen).outputs.push(foreign_output(true));
        let managed = waits(decide(&Desired::Absent, &seen));
        assert_eq!(managed, Waiting::ManagedOutputs(vec!["someone".into()]));
        // It may be that of a Destination that has just gone: AWS removes it with the input.
        assert!(!managed.message().contains("outside Playout"), "{}", managed.message());
        assert!(managed.message().contains("someone"), "{}", managed.message());
    }
    // One that was retained, and one that somebody else has put there.
    for state in [FlowState::Active, FlowState::Standby] {
        let mut seen = source_seen(&[]);
        flow(&mut seen).state = state;
        flow(&mut seen).outputs.push(foreign_output(false));
        assert_eq!(waits(decide(&Desired::Absent, &seen)), Waiting::ForeignOutputs(vec!["someone".into()]));
    }
}

#[test]
fn retain_leaves_everything_and_lets_the_object_go() {
    let mut seen = source_seen(&with_password());
    for state in [FlowState::Standby, FlowState::Error] {
        flow(&mut seen).state = state;
        assert_eq!(plan(&Desired::Absent, true, &seen), Step::Gone);
    }
    seen.flow = Existence::Absent;
    assert_eq!(plan(&Desired::Absent, true, &seen), Step::Gone);
    seen.flow = Existence::Unknown;
    assert_eq!(waits(plan(&Desired::Absent, true, &seen)), Waiting::CreateOutcome, "what is left is named");
}

#[test]
fn a_suspended_source_can_be_deleted() {
    let spec = source_spec(&[("/suspend", json!(true))]);
    let desired = wanted(&spec, &identity("Source", "studio"), &references_at("v1"), None, true);
    assert_eq!(one(decide(&desired, &source_seen(&[]))), Action::DeleteFlow { flow: flow_arn() });
}

#[test]
fn outputs_of_others_on_our_flow_are_never_named_by_an_action() {
    let mut seen = source_seen(&[]);
    flow(&mut seen).outputs.push(foreign_output(false));
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
}

// --------------------------------------------------------------------------------------------------------- status

fn status(source: &Source, outcome: &Outcome<'_>) -> SourceStatus {
    playout_core::kinds::source::status::status(source, outcome, fixtures::REGION)
}

fn outcome<'a>(seen: Option<&'a Observed>, step: Option<&'a Step<Action>>, second: i64) -> Outcome<'a> {
    Outcome { wanted: None, seen, step, failure: None, ..Outcome::at(at(second)) }
}

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
    assert_eq!(after.state, Some(SourceWord::Error));
}

#[test]
fn an_object_that_is_being_deleted_without_a_flow_is_not_said_to_be_creating() {
    let mut seen = source_seen(&with_password());
    seen.flow = Existence::Absent;
    let step = decide(&Desired::Absent, &seen);
    let mut object = source_object(source_spec(&with_password()));
    deleted(&mut object.metadata);
    assert_eq!(status(&object, &outcome(Some(&seen), Some(&step), 0)).state, Some(SourceWord::Deleting));
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
                text += &actions.iter().map(Action::sentence).collect::<String>();
            }
            assert!(!text.contains(fixtures::CANARY), "{text}");
        }
    }
}

fn ndi_input() -> Value {
    json!({"name": "main", "priority": "Primary", "protocol": "Ndi", "ndi": {"sourceName": "CAM (1)"}, "vpcInterface": "lan"})
}

/// A Source with an NDI input, and these changes.
fn ndi(changes: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let server = json!({"address": "10.0.1.20", "vpcInterface": "lan"});
    let mut all = vpc(&[("lan", "subnet-0a")], "lan");
    all.extend([
        ("/flowSize", json!("Large")),
        ("/inputs", json!([ndi_input()])),
        ("/ndi", json!({"discoveryServers": [server]})),
    ]);
    all.extend(changes.iter().cloned());
    all
}

#[test]
fn what_aws_makes_of_ndi_discovery_is_no_drift_and_what_is_changed_in_it_is_repaired() {
    let mut seen = source_seen(&ndi(&[]));
    let known = flow(&mut seen).ndi.as_mut().expect("NDI");
    (known.machine_name, known.servers[0].1) = (Some("1a2b3c4d5e6f".into()), Some(5959));
    assert_eq!(decide(&wish(&ndi(&[])), &seen), Step::Settled);
    for change in [
        ("/ndi/machineName", json!("studio")),
        ("/ndi/discoveryServers/0/address", json!("10.0.1.21")),
        ("/ndi/discoveryServers/0/port", json!(5960)),
    ] {
        let changed = wish(&ndi(&[change]));
        let action = Action::SetNdi { flow: flow_arn(), ndi: present(changed.clone()).ndi };
        assert_eq!(one(decide(&changed, &seen)), action);
    }
}

#[test]
fn ndi_is_on_before_the_input_that_speaks_it_and_off_after_it_and_then_the_flow_shrinks() {
    let plain = [("/inputs", json!([input("main", "Primary", 5000)])), ("/flowSize", json!("Medium"))];
    let mut seen = source_seen(&plain);
    assert!(matches!(one(decide(&wish(&ndi(&[])), &seen)), Action::ResizeFlow { .. }));
    flow(&mut seen).size = Some("LARGE".into());
    assert!(matches!(one(decide(&wish(&ndi(&[])), &seen)), Action::AddVpcInterfaces { .. }));
    let speaks = source_seen(&ndi(&[]));
    let mut on = speaks.clone();
    flow(&mut on).sources = flow(&mut seen).sources.clone();
    flow(&mut on).ndi = None;
    assert!(matches!(one(decide(&wish(&ndi(&[])), &on)), Action::SetNdi { ndi: Some(_), .. }));
    // And back.
    let mut off = speaks.clone();
    assert!(matches!(
        one(decide(&wish(&plain), &off)),
        Action::UpdateSource { .. } | Action::AddSource { .. } | Action::SetFailover { .. }
    ));
    flow(&mut off).sources = flow(&mut seen).sources.clone();
    assert_eq!(one(decide(&wish(&plain), &off)), Action::SetNdi { flow: flow_arn(), ndi: None });
    flow(&mut off).ndi = None;
    assert!(matches!(one(decide(&wish(&plain), &off)), Action::ResizeFlow { .. }));
    flow(&mut off).size = Some("MEDIUM".into());
    assert!(matches!(one(decide(&wish(&plain), &off)), Action::RemoveVpcInterface { .. }));
    // As long as somebody else's output speaks it, it stays on.
    let mut used = speaks;
    flow(&mut used).sources = flow(&mut seen).sources.clone();
    let mut output = foreign_output(false);
    output.settings.protocol = Protocol::Ndi;
    flow(&mut used).outputs.push(output);
    assert_eq!(decide(&wish(&[plain[0].clone()]), &used), Step::Settled);
}

#[test]
fn an_ndi_input_cannot_be_exchanged_for_another_name_and_that_is_told() {
    let ndi = |name: &str, state: &str| {
        let mut one_input = input(name, "Primary", 5000);
        one_input["protocol"] = json!("Ndi");
        one_input["srtListener"] = Value::Null;
        one_input["ndi"] = json!({"sourceName": "CAM (1)"});
        vec![("/inputs", json!([one_input])), ("/flowSize", json!("Large")), ("/state", json!(state))]
    };
    let mut seen = source_seen(&ndi("cam", "Auto"));
    assert_eq!(decide(&wish(&ndi("cam", "Auto")), &seen), Step::Settled);
    let problem = stuck(decide(&wish(&ndi("camera", "Auto")), &seen));
    assert!(problem.reason == Reason::InvalidSpec && problem.message.contains("NDI"), "{problem:?}");
    let step = decide(&wish(&ndi("camera", "Running")), &seen);
    assert_eq!(one(step), Action::StartFlow { flow: flow_arn() }, "what is there runs");
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(one(decide(&wish(&ndi("camera", "Stopped")), &seen)), Action::StopFlow { flow: flow_arn() });
}
