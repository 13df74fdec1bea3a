//! What testers do to MediaLive: faults, edits, and the log.

use bytes::Bytes;
use http::Request;
use playout_sim::{Edit, Fault, FaultKind, Outcome, When};
use serde_json::{Value, json};

use super::{channel, connect_input};
use crate::aws::{Aws, REGION, refused, request, text};

fn control(aws: &Aws, method: &str, path: &str, body: Value) -> Value {
    let body = Bytes::from(body.to_string());
    let request = Request::builder().method(method).uri(format!("/_sim/{path}")).body(body).expect("a request");
    let Outcome::Respond(response) = aws.sim.handle(request).outcome else { panic!("dropped") };
    assert_eq!(response.status(), 200, "{response:?}");
    serde_json::from_slice(response.body()).expect("JSON")
}

fn plant(aws: &Aws, operation: &str, kind: FaultKind) -> u64 {
    aws.sim.plant_fault(Fault::new("medialive", operation, kind))
}

fn listed(aws: &Aws, operation: &str, member: &str) -> usize {
    aws.medialive(operation, json!({})).expect("a list")[member].as_array().expect("a list").len()
}

#[test]
fn a_lost_answer_is_a_resource_that_is_there() {
    let aws = Aws::new();
    let flow = aws.flow("show");
    plant(&aws, "CreateInput", FaultKind::DropAfter);
    let mut wanted = connect_input("show", &[&flow]);
    wanted["requestId"] = json!("once");
    aws.medialive("CreateInput", wanted.clone()).expect_err("no answer");
    assert_eq!(listed(&aws, "ListInputs", "inputs"), 1);
    aws.medialive("CreateInput", wanted).expect("the same request again");
    assert_eq!(listed(&aws, "ListInputs", "inputs"), 1, "the request is known");
    plant(&aws, "CreateInput", FaultKind::DropBefore);
    aws.medialive("CreateInput", connect_input("other", &[&flow])).expect_err("no answer");
    assert_eq!(listed(&aws, "ListInputs", "inputs"), 1);
    plant(&aws, "ListInputs", FaultKind::Throttle);
    refused(aws.medialive("ListInputs", json!({})), 429, "TooManyRequestsException", "");
}

#[test]
fn what_is_made_can_be_hidden_from_lists_or_from_all_reads() {
    let aws = Aws::new();
    let input = aws.input("show", &aws.flow("show"));
    plant(&aws, "CreateChannel", FaultKind::HideFromLists { seconds: 30.0 });
    let id = aws.channel("show", &input);
    assert_eq!(listed(&aws, "ListChannels", "channels"), 0);
    aws.describe_channel(&id);
    aws.pass(30);
    assert_eq!(listed(&aws, "ListChannels", "channels"), 1);

    plant(&aws, "CreateInput", FaultKind::HideFromReads { seconds: 30.0 });
    let made = aws.medialive("CreateInput", connect_input("more", &[&aws.flow("more")])).expect("create");
    let more = text(&made["input"]["id"]);
    aws.pass(3);
    let describe = || aws.medialive("DescribeInput", json!({ "inputId": more }));
    refused(describe(), 404, "NotFoundException", &more);
    assert_eq!(listed(&aws, "ListInputs", "inputs"), 1);
    aws.medialive("UpdateInput", json!({ "inputId": more, "name": "renamed" })).expect("mutations find it");
    aws.pass(30);
    describe().expect("there it is");
}

#[test]
fn reads_can_be_stale() {
    let aws = Aws::new();
    let (_, id) = aws.chain("show");
    plant(&aws, "StartChannel", FaultKind::Stale { seconds: 15.0 });
    aws.medialive("StartChannel", json!({ "channelId": id })).expect("start");
    assert_eq!(aws.channel_state(&id), "IDLE");
    aws.pass(15);
    assert_eq!(aws.channel_state(&id), "STARTING");
}

#[tokio::test]
async fn a_held_answer_waits_for_its_release() {
    let aws = Aws::new();
    let (_, id) = aws.chain("show");
    let fault = plant(&aws, "StopChannel", FaultKind::Hold { when: When::Before });
    aws.run(&id);
    let answer = aws.sim.handle(request("medialive", REGION, "StopChannel", &json!({ "channelId": id })));
    assert_eq!(aws.channel_state(&id), "RUNNING");
    aws.sim.release_fault(fault).expect("release");
    assert!(matches!(aws.sim.resume(answer).await, Outcome::Respond(_)));
    assert_eq!(aws.channel_state(&id), "STOPPING");
}

#[test]
fn the_log_names_the_channels_and_inputs_of_a_request() {
    let aws = Aws::new();
    let (input, id) = aws.chain("show");
    let arn = text(&aws.describe_channel(&id)["arn"]);
    let group = aws.medialive("CreateInputSecurityGroup", json!({ "whitelistRules": [{ "cidr": "10.0.0.0/8" }] }));
    let group = text(&group.expect("group")["securityGroup"]["id"]);
    aws.sim.clear_log();
    aws.medialive("DescribeInput", json!({ "inputId": input })).expect("input");
    aws.medialive("BatchStart", json!({ "channelIds": [id] })).expect("batch");
    aws.medialive("ListTagsForResource", json!({ "resource-arn": arn })).expect("tags");
    aws.medialive("CreateChannel", channel("more", &[&input])).expect_err("attached");
    let push = json!({ "name": "push", "type": "RTP_PUSH", "inputSecurityGroups": [group] });
    aws.medialive("CreateInput", push).expect("input");
    let log = aws.sim.log(0);
    let names = |index: usize| log[index].names.clone();
    assert_eq!(names(0), std::slice::from_ref(&input));
    assert_eq!(names(1), [id]);
    assert_eq!(names(2), [arn]);
    assert!(names(3).contains(&input) && names(3).contains(&"more".to_owned()), "{:?}", names(3));
    assert!(names(4).contains(&group));
}

#[test]
fn stream_names_are_not_in_the_redacted_log_nor_in_refusals() {
    let aws = Aws::new();
    aws.chain("show");
    let again = channel("show", &["1"]);
    aws.medialive("CreateChannel", again).expect_err("no such input");
    assert!(control(&aws, "GET", "log", json!({})).to_string().contains("show-key"));
    let redacted = control(&aws, "GET", "log?redacted=1", json!({})).to_string();
    assert!(!redacted.contains("show-key"), "{redacted}");
}

#[test]
fn channels_and_inputs_are_edited_behind_the_back() {
    let aws = Aws::new();
    let (input, id) = aws.chain("show");
    let edit = |body: Value| control(&aws, "POST", "edit", body);
    let destinations =
        json!([{ "id": "rtmp0", "settings": [{ "url": "rtmp://other.example.net/x", "streamName": "k" }] }]);
    let patch = json!({ "destinations": destinations, "roleArn": null, "logLevel": "DEBUG" });
    let edited = edit(json!({ "channel": "show", "patch": patch, "tags": { "a": "b" } }));
    assert_eq!(edited["channel"]["logLevel"], "DEBUG");
    let seen = aws.describe_channel(&id);
    assert_eq!(seen["destinations"][0]["settings"][0]["url"], "rtmp://other.example.net/x");
    assert_eq!((seen.get("roleArn"), &seen["tags"]), (None, &json!({ "a": "b" })));
    edit(json!({ "channel": id, "status": "CREATE_FAILED" }));
    assert_eq!(aws.channel_state(&id), "CREATE_FAILED");
    aws.pass(3600);
    assert_eq!(aws.channel_state(&id), "CREATE_FAILED", "it stays");
    edit(json!({ "channel": id, "status": "RECOVERING" }));
    assert_eq!(aws.channel_state(&id), "RECOVERING");
    aws.pass(30);
    assert_eq!(aws.channel_state(&id), "RUNNING");
    assert_eq!(edit(json!({ "input": "show", "patch": { "name": "other" } }))["input"]["name"], "other");
    assert_eq!(edit(json!({ "channel": id, "remove": true }))["channel"], Value::Null);
    assert_eq!(aws.channel_state(&id), "DELETED");
    assert_eq!(aws.input_state(&input), "DETACHED");
    edit(json!({ "input": input, "remove": true }));
    assert_eq!(aws.input_state(&input), "DELETED");
    assert_eq!(aws.sim.counts()["total"], 1, "the flow");
    let absent = Edit { channel: Some("show".to_owned()), ..Edit::default() };
    assert_eq!(aws.sim.edit(&absent).expect_err("gone").status, 404);
}

#[test]
fn an_edited_channel_goes_where_the_edit_says() {
    let aws = Aws::new();
    let flow = aws.active_flow("show");
    let id = aws.channel("show", &aws.input("show", &flow));
    aws.run(&id);
    aws.sim.set_receiver("other.example.net", None, playout_sim::Receiver::Refuse);
    let alerts = || aws.medialive("ListAlerts", json!({ "channelId": id })).expect("alerts")["alerts"].clone();
    assert_eq!(alerts(), json!([]));
    let destinations =
        json!([{ "id": "rtmp0", "settings": [{ "url": "rtmp://other.example.net/x", "streamName": "k" }] }]);
    control(&aws, "POST", "edit", json!({ "channel": "show", "patch": { "destinations": destinations } }));
    assert_eq!(alerts()[0]["alertType"], "Failed RTMP Connection");
}

#[test]
fn quotas_are_set_and_told() {
    let aws = Aws::new();
    let set = control(&aws, "PUT", "quotas", json!({ "channels": 7, "pushInputs": 8, "inputSecurityGroups": 9 }));
    assert_eq!((&set["channels"], &set["pushInputs"], &set["pullInputs"]), (&json!(7), &json!(8), &json!(100)));
    let request = json!({ "ServiceCode": "medialive", "QuotaCode": "L-9E233AF7" });
    let told = aws.call("service-quotas", "GetServiceQuota", request).expect("quota");
    assert_eq!(told["Quota"]["Value"], 8.0);
}

#[test]
fn the_state_shows_channels_with_their_settings() {
    let aws = Aws::new();
    let (input, id) = aws.chain("show");
    let state = aws.sim.state();
    let medialive = &state[REGION]["medialive"];
    assert_eq!(medialive["channels"][0]["id"], json!(id));
    assert_eq!(medialive["channels"][0]["destinations"][0]["settings"][0]["streamName"], "show-key");
    assert_eq!(medialive["inputs"][0]["id"], json!(input));
    assert_eq!(medialive["inputs"][0]["state"], "ATTACHED");
    aws.sim.reset();
    assert_eq!(aws.sim.counts()["total"], 0);
}
