//! Encoders that push by the name of a stream, and two inputs of which one stands in for the other.

use playout_sim::{Encoder, Publisher};
use serde_json::{Value, json};

use super::channel;
use crate::aws::{Aws, Failure, refused, text};

fn group(aws: &Aws, cidr: &str) -> String {
    let wanted = json!({ "whitelistRules": [{ "cidr": cidr }] });
    text(&aws.medialive("CreateInputSecurityGroup", wanted).expect("group")["securityGroup"]["id"])
}

/// An RTMP push input; answers its id and the addresses of its endpoints.
fn push_input(aws: &Aws, name: &str, group: &str, streams: &[&str]) -> (String, Vec<String>) {
    let destinations: Vec<Value> = streams.iter().map(|stream| json!({ "streamName": stream })).collect();
    let wanted = json!({
        "name": name,
        "type": "RTMP_PUSH",
        "inputSecurityGroups": [group],
        "destinations": destinations,
    });
    let made = aws.medialive("CreateInput", wanted).expect("input")["input"].clone();
    aws.pass(3);
    let endpoints = made["destinations"].as_array().expect("endpoints").iter().map(|endpoint| text(&endpoint["ip"]));
    (text(&made["id"]), endpoints.collect())
}

/// Whether something arrives at a channel.
fn fed(aws: &Aws, id: &str) -> bool {
    aws.pass(2);
    let listed = aws.medialive("ListAlerts", json!({ "channelId": id })).expect("alerts");
    !listed["alerts"].to_string().contains("Video Not Detected")
}

#[test]
fn who_pushes_needs_the_name_of_the_stream_and_an_address_that_is_let_in() {
    let aws = Aws::new();
    let group = group(&aws, "203.0.113.0/24");
    let (input, hosts) = push_input(&aws, "pushed", &group, &["live/secret"]);
    let id = aws.channel("show", &input);
    aws.run(&id);
    let push = |stream: &str, address: &str, connected: bool| {
        let publisher = Publisher { address: address.to_owned(), connected, ..Publisher::default() };
        aws.sim.set_publisher(&hosts[0], stream, publisher);
        fed(&aws, &id)
    };
    assert!(!push("live/other", "203.0.113.9", true), "another stream");
    assert!(!push("live/secret", "198.51.100.9", true), "an address that is not in the group");
    assert!(push("live/secret", "203.0.113.9", true));
    assert!(!push("live/secret", "203.0.113.9", false));
    assert!(!push("live/secret", "198.51.100.9", true));
    let rules = json!({ "inputSecurityGroupId": group, "whitelistRules": [{ "cidr": "198.51.100.8/31" }] });
    aws.medialive("UpdateInputSecurityGroup", rules).expect("update");
    assert!(fed(&aws, &id), "rules apply at once");
    aws.sim.set_publisher(&hosts[0], "live/secret", Publisher { bitrate: 0, ..Publisher::default() });
    assert!(!fed(&aws, &id), "a connection that nothing comes over");
}

#[test]
fn each_endpoint_of_a_standard_input_has_its_stream() {
    let aws = Aws::new();
    let group = group(&aws, "0.0.0.0/0");
    let (input, hosts) = push_input(&aws, "pushed", &group, &["live/a", "live/b"]);
    assert_eq!(hosts.len(), 2);
    let mut wanted = channel("show", &[&input]);
    wanted["channelClass"] = json!("STANDARD");
    let to = wanted["destinations"][0]["settings"][0].clone();
    let mut second = to.clone();
    second["streamName"] = json!("second");
    wanted["destinations"][0]["settings"] = json!([to, second]);
    let id = aws.channel_of(wanted);
    aws.run(&id);
    aws.sim.set_publisher(&hosts[0], "live/a", Publisher::default());
    aws.pass(2);
    let listed = aws.medialive("ListAlerts", json!({ "channelId": id })).expect("alerts");
    let pipelines: Vec<String> =
        listed["alerts"].as_array().expect("alerts").iter().map(|a| text(&a["pipelineId"])).collect();
    assert!(!pipelines.is_empty() && pipelines.iter().all(|pipeline| pipeline == "1"), "{pipelines:?}");
    aws.sim.set_publisher(&hosts[1], "live/b", Publisher::default());
    assert!(fed(&aws, &id));
}

/// Two push inputs in one channel, which is not created yet.
fn two(aws: &Aws, failover: Value) -> Value {
    let group = group(aws, "0.0.0.0/0");
    let (first, _) = push_input(aws, "first", &group, &["live/a"]);
    let (second, _) = push_input(aws, "second", &group, &["live/b"]);
    let mut wanted = channel("show", &[&first, &second]);
    for (attachment, name) in
        wanted["inputAttachments"].as_array_mut().expect("two").iter_mut().zip(["first", "second"])
    {
        attachment["inputAttachmentName"] = json!(name);
    }
    wanted["inputAttachments"][0]["automaticInputFailoverSettings"] = failover;
    wanted["inputAttachments"][0]["automaticInputFailoverSettings"]["secondaryInputId"] = json!(second);
    wanted
}

fn active(aws: &Aws, id: &str) -> String {
    text(&aws.describe_channel(id)["pipelineDetails"][0]["activeInputAttachmentName"])
}

fn lose(aws: &Aws, input: &str) {
    aws.sim.set_encoder(input, "0", Encoder::absent());
}

fn find(aws: &Aws, input: &str) {
    aws.sim.set_encoder(input, "0", Encoder::default());
}

#[test]
fn the_other_input_stands_in_and_stays() {
    let aws = Aws::new();
    let id = aws.channel_of(two(&aws, json!({ "inputPreference": "EQUAL_INPUT_PREFERENCE" })));
    aws.run(&id);
    assert_eq!(active(&aws, &id), "first");
    lose(&aws, "first");
    aws.pass(2);
    assert_eq!(active(&aws, &id), "first", "not yet three seconds");
    aws.pass(1);
    assert_eq!(active(&aws, &id), "second");
    assert!(fed(&aws, &id));
    find(&aws, "first");
    aws.pass(60);
    assert_eq!(active(&aws, &id), "second", "it stays where it is healthy");
    lose(&aws, "second");
    aws.pass(3);
    assert_eq!(active(&aws, &id), "first");
    // Whoever was lost counts as healthy only after half a minute.
    find(&aws, "second");
    aws.pass(10);
    lose(&aws, "first");
    aws.pass(10);
    assert_eq!(active(&aws, &id), "first");
    aws.pass(10);
    assert_eq!(active(&aws, &id), "second");
    aws.medialive("StopChannel", json!({ "channelId": id })).expect("stop");
    find(&aws, "first");
    aws.pass(20);
    aws.run(&id);
    assert_eq!(active(&aws, &id), "first", "a start begins with the primary input");
}

#[test]
fn the_primary_input_comes_back_where_it_is_preferred() {
    let aws = Aws::new();
    let failover = json!({
        "inputPreference": "PRIMARY_INPUT_PREFERRED",
        "errorClearTimeMsec": 5000,
        "failoverConditions": [
            { "failoverConditionSettings": { "inputLossSettings": { "inputLossThresholdMsec": 1000 } } },
        ],
    });
    let id = aws.channel_of(two(&aws, failover));
    aws.run(&id);
    lose(&aws, "first");
    aws.pass(1);
    assert_eq!(active(&aws, &id), "second");
    find(&aws, "first");
    aws.pass(4);
    assert_eq!(active(&aws, &id), "second");
    aws.pass(1);
    assert_eq!(active(&aws, &id), "first");
    lose(&aws, "second");
    lose(&aws, "first");
    aws.pass(60);
    assert_eq!(active(&aws, &id), "first", "there is nothing to switch to");
    assert!(!fed(&aws, &id));
}

#[test]
fn an_operator_switches_within_the_pair() {
    let aws = Aws::new();
    let id = aws.channel_of(two(&aws, json!({ "inputPreference": "EQUAL_INPUT_PREFERENCE" })));
    aws.run(&id);
    let switch = |name: &str, to: &str| {
        let action = json!({
            "actionName": name,
            "scheduleActionStartSettings": { "immediateModeScheduleActionStartSettings": {} },
            "scheduleActionSettings": { "inputSwitchSettings": { "inputAttachmentNameReference": to } },
        });
        let wanted = json!({ "channelId": id, "creates": { "scheduleActions": [action] } });
        aws.medialive("BatchUpdateSchedule", wanted).expect("switch");
        aws.pass(1);
    };
    switch("one", "second");
    assert_eq!(active(&aws, &id), "second");
    lose(&aws, "second");
    aws.pass(3);
    assert_eq!(active(&aws, &id), "first");
    switch("two", "first");
    assert_eq!(active(&aws, &id), "first");
}

#[test]
fn a_pair_is_two_push_inputs_of_one_type_that_are_attached() {
    let aws = Aws::new();
    let create = |wanted: Value| -> Result<Value, Failure> { aws.medialive("CreateChannel", wanted) };
    let wanted = two(&aws, json!({}));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut wanted = wanted.clone();
        change(&mut wanted["inputAttachments"]);
        wanted
    };
    let settings = "automaticInputFailoverSettings";
    let code = "UnprocessableEntityException";
    let itself = with(&|all| all[0][settings]["secondaryInputId"] = all[0]["inputId"].clone());
    refused(create(itself), 422, code, "another input");
    let nobody = with(&|all| all[0][settings]["secondaryInputId"] = json!("1"));
    refused(create(nobody), 422, code, "another input");
    let both = with(&|all| all[1][settings] = json!({ "secondaryInputId": all[0]["inputId"].clone() }));
    refused(create(both), 422, code, "primary and secondary");
    let pulled = json!({ "name": "pull", "type": "URL_PULL", "sources": [{ "url": "https://a.example.net/a" }] });
    let pulled = text(&aws.medialive("CreateInput", pulled).expect("input")["input"]["id"]);
    aws.pass(3);
    let other = with(&|all| {
        all[1]["inputId"] = json!(pulled);
        all[0][settings]["secondaryInputId"] = json!(pulled);
    });
    refused(create(other), 422, code, "same type");
    create(wanted.clone()).expect("a pair");
}
