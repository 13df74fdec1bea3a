//! What differs in a setting is repaired where it is, and nothing beside it.

use super::*;
use playout_core::resources::flow::FlowAction;

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
        let expected = Action::Flow(FlowAction::UpdateSource {
            flow: flow_arn(),
            arn: source_arn("reserve"),
            name: "reserve".into(),
            settings: Box::new(wanted.inputs[1].settings.clone()),
        });
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
        assert!(
            matches!(&action, Action::Flow(FlowAction::UpdateSource { name, .. }) if name == "main"),
            "{pointer}: {action:?}"
        );
    }
}

#[test]
fn a_single_input_changes_its_protocol_in_place_because_the_last_source_cannot_be_removed() {
    let before = [("/inputs", json!([input("main", "Primary", 5000)]))];
    let after = [("/inputs", json!([rtp_input("main", "Primary", 5000)]))];
    let action = one(decide(&wish(&after), &source_seen(&before)));
    assert!(
        matches!(&action, Action::Flow(FlowAction::UpdateSource { name, settings, .. }) if name == "main" && settings.protocol == Protocol::Rtp),
        "{action:?}"
    );
}

#[test]
fn when_both_inputs_change_their_protocol_the_follower_gives_way_first_and_the_other_changes_in_place() {
    let after = [("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)]))];
    let mut seen = source_seen(&[]);
    on_air(&mut seen);
    let action = one(decide(&wish(&after), &seen));
    assert!(matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "reserve"), "{action:?}");
    flow(&mut seen).sources.pop();
    let action = one(decide(&wish(&after), &seen));
    assert!(
        matches!(&action, Action::Flow(FlowAction::UpdateSource { name, settings, .. }) if name == "main" && settings.protocol == Protocol::Rtp),
        "two protocols cannot stand side by side: {action:?}"
    );
}

#[test]
fn the_size_is_repaired_and_an_unsaid_size_is_not() {
    assert_eq!(
        drift(&[("/flowSize", json!("Large"))]),
        Action::Flow(FlowAction::Resize { flow: flow_arn(), size: "LARGE".into() })
    );
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
    assert!(matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "by-hand"), "{action:?}");
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
