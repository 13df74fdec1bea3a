//! The flow as a whole: made once, on proven absence, and never one that is not ours.

use super::*;
use playout_core::resources::flow::FlowAction;

// -------------------------------------------------------------------------------------------------- nothing to do

#[test]
fn a_flow_that_is_as_requested_is_left_alone() {
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
fn a_flow_is_created_on_proven_absence_with_all_that_is_requested() {
    let changes = [
        ("/flowSize", json!("Large")),
        ("/network/availabilityZone", json!("us-west-2a")),
        ("/network/vpcInterfaces", json!([{"name": "lan", "subnetId": "subnet-0a", "securityGroupIds": ["sg-0a"]}])),
        ("/tags/team", json!("news")),
    ];
    let mut seen = source_seen(&changes);
    seen.flow = Existence::Absent;
    let Action::Flow(FlowAction::Create(new)) = one(decide(&wish(&changes), &seen)) else { panic!("a create") };
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
    assert!(Action::Flow(FlowAction::Create(new)).needs_intent());
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
    assert!(matches!(one(decide(&wish(&[]), &seen)), Action::Flow(FlowAction::Create(_))));
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
    let Action::Flow(FlowAction::Create(new)) = one(decide(&wish(&changes), &seen)) else { panic!("a create") };
    assert_eq!((new.sources.len(), new.failover), (1, Failover::default()));
}

#[test]
fn a_flow_with_three_inputs_is_created_with_two_and_the_emergency_waits() {
    let mut seen = source_seen(&three());
    seen.flow = Existence::Absent;
    let Action::Flow(FlowAction::Create(new)) = one(decide(&wish(&three()), &seen)) else { panic!("a create") };
    assert_eq!(new.sources.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["main", "reserve"]);
}

#[test]
fn a_disabled_input_is_not_in_the_flow() {
    let Action::Flow(FlowAction::RemoveSource { name, .. }) = drift(&[("/inputs/1/enabled", json!(false))]) else {
        panic!("a removal")
    };
    assert_eq!(name, "reserve");
}

#[test]
fn a_flow_that_has_lost_its_last_source_gets_it_again() {
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    flow(&mut seen).sources.clear();
    let Action::Flow(FlowAction::AddSource { source, .. }) = one(decide(&wish(&[("/state", json!("Running"))]), &seen))
    else {
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
    assert_eq!(actions, [Action::Flow(FlowAction::Tag { flow: flow_arn(), tags: wanted.tags })]);
    assert_eq!(actions[0].effect().reason, Reason::Adopted);
}

#[test]
fn a_changed_user_tag_is_renewed() {
    let actions = housekeeping(&present(wish(&[("/tags/team", json!("sport"))])), &source_seen(&[]));
    assert!(
        matches!(actions.as_slice(), [Action::Flow(FlowAction::Tag { tags, .. })] if tags["team"] == "sport"),
        "{actions:?}"
    );
}
