//! Inputs come, go and change their names and ports, in an order that AWS takes and that keeps the show.

use super::*;
use playout_core::resources::flow::FlowAction;

// --------------------------------------------------------------------------------------- inputs that come and go

#[test]
fn a_second_input_needs_failover_before_it_can_be_added() {
    let single = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let mut seen = source_seen(&single);
    let Action::Flow(FlowAction::SetFailover { failover, .. }) = one(decide(&wish(&[]), &seen)) else {
        panic!("failover first")
    };
    assert!(failover.enabled && failover.primary.is_none());
    flow(&mut seen).failover = failover;
    let Action::Flow(FlowAction::AddSource { source, .. }) = one(decide(&wish(&[]), &seen)) else {
        panic!("then the source")
    };
    assert_eq!(source.name, "reserve");
}

#[test]
fn a_renamed_follower_is_removed_before_its_successor_is_added_because_a_flow_has_two_places() {
    let renamed = [("/inputs/1/name", json!("spare"))];
    let mut seen = source_seen(&[]);
    let action = one(decide(&wish(&renamed), &seen));
    assert!(matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "reserve"), "{action:?}");
    flow(&mut seen).sources.pop();
    let action = one(decide(&wish(&renamed), &seen));
    assert!(
        matches!(&action, Action::Flow(FlowAction::AddSource { source, .. }) if source.name == "spare"),
        "{action:?}"
    );
}

#[test]
fn when_both_inputs_are_renamed_the_one_that_carries_the_show_goes_last() {
    let renamed = [("/inputs/0/name", json!("left")), ("/inputs/1/name", json!("right"))];
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    let action = one(decide(&wish(&renamed), &seen));
    assert!(
        matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "reserve"),
        "main leads: {action:?}"
    );
    // AWS says which one it takes, whatever the order of priorities.
    health(&mut seen, &[("main", Failed), ("reserve", Healthy)]);
    seen.inputs.get_mut("reserve").expect("measured").measured.selected = Some(true);
    let action = one(decide(&wish(&renamed), &seen));
    assert_eq!(
        action,
        Action::Flow(FlowAction::SetFailover { flow: flow_arn(), failover: leads("reserve") }),
        "AWS keeps a primary"
    );
    flow(&mut seen).failover = leads("reserve");
    let action = one(decide(&wish(&renamed), &seen));
    assert!(
        matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "main"),
        "reserve is sent on: {action:?}"
    );
}

#[test]
fn a_single_input_on_the_same_port_is_renamed_by_way_of_a_spare_on_another_port() {
    let before = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let after = [("/inputs", json!([input("studio-a", "Primary", 5000)]))];
    let mut seen = source_seen(&before);
    assert!(
        matches!(one(decide(&wish(&after), &seen)), Action::Flow(FlowAction::SetFailover { failover, .. }) if failover.enabled)
    );
    flow(&mut seen).failover.enabled = true;
    let Action::Flow(FlowAction::AddSource { source, .. }) = one(decide(&wish(&after), &seen)) else {
        panic!("a spare")
    };
    assert_ne!(source.settings.ingest_port, Some(5000), "two sources cannot listen on one port");
    assert_ne!(source.name, "studio-a");
}

#[test]
fn encryption_is_taken_off_a_single_input_by_replacing_it_because_an_update_cannot_unset_it() {
    let before = [("/inputs", json!([encrypted(input("main", "Primary", 5000))]))];
    let after = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let mut seen = source_seen(&before);
    assert!(
        matches!(one(decide(&wish(&after), &seen)), Action::Flow(FlowAction::SetFailover { failover, .. }) if failover.enabled)
    );
    flow(&mut seen).failover.enabled = true;
    let Action::Flow(FlowAction::AddSource { source, .. }) = one(decide(&wish(&after), &seen)) else {
        panic!("a spare")
    };
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
    assert!(
        matches!(one(decide(&after, &seen)), Action::Flow(FlowAction::SetFailover { failover, .. }) if failover.enabled)
    );
    flow(&mut seen).failover.enabled = true;
    let Action::Flow(FlowAction::AddSource { source, .. }) = one(decide(&after, &seen)) else { panic!("a spare") };
    assert_eq!((source.settings.stream_id, source.name == "main"), (None, false));
    flow(&mut seen).failover.enabled = false;
    flow(&mut seen).sources[0].settings.stream_id = Some(String::new());
    assert_eq!(decide(&after, &seen), Step::Settled, "an empty one is none");
}

#[test]
fn inputs_that_exchange_their_ports_pass_through_a_third_port() {
    let swapped = [("/inputs/0/srtListener/port", json!(5001)), ("/inputs/1/srtListener/port", json!(5000))];
    let Action::Flow(FlowAction::UpdateSource { settings, .. }) = drift(&swapped) else { panic!("an update") };
    assert!(settings.ingest_port.is_some_and(|p| p != 5000 && p != 5001), "{settings:?}");
}

#[test]
fn an_input_leaves_its_port_before_a_new_input_takes_it() {
    let before = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let after = [("/inputs", json!([input("main", "Primary", 6000), input("reserve", "Backup", 5000)]))];
    let action = one(decide(&wish(&after), &source_seen(&before)));
    assert!(
        matches!(&action, Action::Flow(FlowAction::UpdateSource { name, settings, .. }) if name == "main" && settings.ingest_port == Some(6000)),
        "{action:?}"
    );
}

#[test]
fn from_two_inputs_to_one_the_surplus_goes_first_and_failover_after_it() {
    let single = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let mut seen = source_seen(&[]);
    let action = one(decide(&wish(&single), &seen));
    assert!(matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "reserve"), "{action:?}");
    flow(&mut seen).sources.pop();
    assert_eq!(
        one(decide(&wish(&single), &seen)),
        Action::Flow(FlowAction::SetFailover { flow: flow_arn(), failover: Failover::default() })
    );
}
