//! Schedules, and operations on many resources at once.

use serde_json::{Value, json};

use super::channel;
use crate::aws::{Aws, Failure, refused, text};

/// Two flows, the first ACTIVE and the second not, and a channel with both inputs, RUNNING. Answers it and the names
/// of its attachments.
fn two_inputs(aws: &Aws) -> (String, [String; 2]) {
    let inputs = [aws.input("a", &aws.active_flow("a")), aws.input("b", &aws.flow("b"))];
    let id = aws.channel_of(channel("show", &[&inputs[0], &inputs[1]]));
    aws.run(&id);
    (id, inputs.map(|input| format!("attachment-{input}")))
}

fn switch(name: &str, attachment: &str, start: Value) -> Value {
    json!({
        "actionName": name,
        "scheduleActionSettings": { "inputSwitchSettings": { "inputAttachmentNameReference": attachment } },
        "scheduleActionStartSettings": start,
    })
}

fn now() -> Value {
    json!({ "immediateModeScheduleActionStartSettings": {} })
}

/// So many seconds from now.
fn at(aws: &Aws, ahead: i64) -> Value {
    use playout_sim::Clock as _;
    let then = i64::try_from(aws.clock.now().as_secs()).expect("seconds") + ahead;
    let time = rfc3339(then);
    json!({ "fixedModeScheduleActionStartSettings": { "time": time } })
}

/// The time of day of the clock's first day; the tests are shorter than that.
fn rfc3339(seconds: i64) -> String {
    let start = i64::try_from(playout_sim::ManualClock::START.as_secs()).expect("seconds");
    let day = start - start.rem_euclid(86_400);
    let rest = seconds - day;
    assert!(rest < 86_400, "another day");
    format!("{}T{:02}:{:02}:{:02}.000Z", START_DAY, rest / 3600, rest / 60 % 60, rest % 60)
}

/// The day of `ManualClock::START`.
const START_DAY: &str = "2026-01-01";

fn create(aws: &Aws, id: &str, actions: Value) -> Result<Value, Failure> {
    let request = json!({ "channelId": id, "creates": { "scheduleActions": actions } });
    aws.medialive("BatchUpdateSchedule", request)
}

fn active(aws: &Aws, id: &str) -> (String, Value) {
    let detail = aws.describe_channel(id)["pipelineDetails"][0].clone();
    (text(&detail["activeInputAttachmentName"]), detail["activeInputSwitchActionName"].clone())
}

#[test]
fn an_immediate_switch_takes_the_other_input() {
    let aws = Aws::new();
    let (id, [a, b]) = two_inputs(&aws);
    assert_eq!(active(&aws, &id), (a, Value::Null));
    let made = create(&aws, &id, json!([switch("to-b", &b, now())])).expect("switch");
    assert_eq!(made["creates"]["scheduleActions"][0]["actionName"], "to-b");
    assert_eq!(active(&aws, &id), (b, json!("to-b")));
    aws.pass(1);
    let alerts = aws.medialive("ListAlerts", json!({ "channelId": id })).expect("alerts");
    assert_eq!(alerts["alerts"][0]["alertType"], "Stopped Receiving UDP Input", "nothing comes from the second flow");
}

#[test]
fn a_fixed_switch_waits_for_its_time() {
    let aws = Aws::new();
    let (id, [a, b]) = two_inputs(&aws);
    create(&aws, &id, json!([switch("to-b", &b, at(&aws, 60)), switch("to-a", &a, at(&aws, 120))])).expect("switch");
    aws.pass(59);
    assert_eq!(active(&aws, &id).0, a);
    aws.pass(1);
    assert_eq!(active(&aws, &id).0, b);
    aws.pass(60);
    assert_eq!(active(&aws, &id).0, a);
    let listed = aws.medialive("DescribeSchedule", json!({ "channelId": id })).expect("schedule");
    assert_eq!(listed["scheduleActions"].as_array().map(Vec::len), Some(2));
    aws.pass(3600);
    let listed = aws.medialive("DescribeSchedule", json!({ "channelId": id })).expect("schedule");
    assert_eq!(listed["scheduleActions"], json!([]), "what is an hour ago is forgotten");
    aws.medialive("StopChannel", json!({ "channelId": id })).expect("stop");
    aws.pass(20);
    create(&aws, &id, json!([switch("late", &b, at(&aws, 30))])).expect("an idle channel has a schedule too");
    aws.pass(30);
    aws.run(&id);
    assert_eq!(active(&aws, &id).0, a, "what was due while it did not run is lost");
}

#[test]
fn a_schedule_has_rules() {
    let aws = Aws::new();
    let (id, [a, _]) = two_inputs(&aws);
    let wrong = |actions: Value, words: &str| {
        refused(create(&aws, &id, actions), 422, "UnprocessableEntityException", words);
    };
    wrong(json!([switch("x", "none", now())]), "does not exist");
    wrong(json!([switch("x", &a, at(&aws, 14))]), "15 seconds ahead");
    wrong(json!([switch("x", &a, json!({}))]), "no valid start");
    wrong(json!([switch("x", &a, now()), switch("x", &a, now())]), "not unique");
    let pause = json!({ "pauseStateSettings": {} });
    let mut other = switch("x", &a, now());
    other["scheduleActionSettings"] = pause;
    refused(create(&aws, &id, json!([other])), 501, "NotSimulatedException", "pauseStateSettings");
    aws.medialive("StopChannel", json!({ "channelId": id })).expect("stop");
    wrong(json!([switch("x", &a, now())]), "running");
}

#[test]
fn actions_are_deleted_by_name_or_all() {
    let aws = Aws::new();
    let (id, [a, b]) = two_inputs(&aws);
    create(&aws, &id, json!([switch("one", &b, at(&aws, 60)), switch("two", &b, at(&aws, 90))])).expect("switch");
    let delete = |name: &str| {
        aws.medialive("BatchUpdateSchedule", json!({ "channelId": id, "deletes": { "actionNames": [name] } }))
    };
    assert_eq!(delete("one").expect("delete")["deletes"]["scheduleActions"][0]["actionName"], "one");
    refused(delete("one"), 422, "UnprocessableEntityException", "does not exist");
    aws.pass(60);
    assert_eq!(active(&aws, &id).0, a);
    aws.medialive("DeleteSchedule", json!({ "channelId": id })).expect("delete all");
    aws.pass(60);
    assert_eq!(active(&aws, &id).0, a);
}

#[test]
fn batches_do_what_they_can_and_tell_the_rest() {
    let aws = Aws::new();
    let (input, id) = aws.chain("show");
    let batch = |operation: &str, input: Value| aws.medialive(operation, input).expect("a batch");
    let started = batch("BatchStart", json!({ "channelIds": [id, "1"] }));
    assert_eq!(started["successful"][0]["state"], "STARTING");
    assert_eq!(started["failed"][0]["id"], "1");
    assert_eq!(started["failed"][0]["code"], "NotFoundException");
    let refusal = batch("BatchDelete", json!({ "channelIds": [id], "inputIds": [input] }));
    assert_eq!(refusal["successful"], json!([]));
    let codes: Vec<&Value> = refusal["failed"].as_array().expect("failed").iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["ConflictException", "ConflictException"]);
    assert_eq!(batch("BatchStop", json!({ "channelIds": [id] }))["successful"][0]["state"], "STOPPING");
    aws.pass(20);
    let group = aws.medialive("CreateInputSecurityGroup", json!({ "whitelistRules": [{ "cidr": "10.0.0.0/8" }] }));
    let group = text(&group.expect("group")["securityGroup"]["id"]);
    batch("BatchDelete", json!({ "channelIds": [id], "inputSecurityGroupIds": [group] }));
    aws.pass(20);
    let deleted = batch("BatchDelete", json!({ "inputIds": [input] }));
    assert_eq!(deleted["successful"][0]["state"], "DELETING");
    aws.pass(5);
    assert_eq!(aws.sim.counts()["total"], 1, "the flow");
    crate::aws::bad(aws.medialive("BatchStart", json!({ "channelIds": [] })), "names no resource");
}
