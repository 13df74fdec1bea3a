//! Channels and their states.

use playout_sim::{Config, Edit};
use serde_json::{Value, json};

use super::{channel, connect_input, rtmp_url};
use crate::aws::{Aws, bad, refused, text};

#[track_caller]
fn conflict(result: Result<Value, crate::aws::Failure>, part: &str) {
    refused(result, 409, "ConflictException", part);
}

fn call(aws: &Aws, operation: &str, id: &str) -> Result<Value, crate::aws::Failure> {
    aws.medialive(operation, json!({ "channelId": id }))
}

#[test]
fn a_channel_lives_by_the_clock() {
    let aws = Aws::new();
    let input = aws.input("show", &aws.flow("show"));
    let mut wanted = channel("show", &[&input]);
    wanted["tags"] = json!({ "team": "live" });
    let made = aws.medialive("CreateChannel", wanted).expect("create");
    let id = text(&made["channel"]["id"]);
    assert_eq!(made["channel"]["arn"], json!(format!("arn:aws:medialive:eu-west-1:123456789012:channel:{id}")));
    assert_eq!(made["channel"]["state"], "CREATING");
    assert_eq!(made["channel"]["tags"], json!({ "team": "live" }));
    aws.pass(4);
    assert_eq!(aws.channel_state(&id), "CREATING");
    aws.pass(1);
    let idle = aws.describe_channel(&id);
    assert_eq!(idle["state"], "IDLE");
    assert_eq!(idle["pipelinesRunningCount"], 0);
    assert_eq!(idle["pipelineDetails"], json!([]));

    assert_eq!(call(&aws, "StartChannel", &id).expect("start")["state"], "STARTING");
    aws.pass(119);
    assert_eq!(aws.channel_state(&id), "STARTING");
    aws.pass(1);
    let running = aws.describe_channel(&id);
    assert_eq!(running["state"], "RUNNING");
    assert_eq!(running["pipelinesRunningCount"], 1);
    let name = format!("attachment-{input}");
    assert_eq!(running["pipelineDetails"], json!([{ "activeInputAttachmentName": name, "pipelineId": "0" }]));

    assert_eq!(call(&aws, "StopChannel", &id).expect("stop")["state"], "STOPPING");
    aws.pass(19);
    assert_eq!(aws.channel_state(&id), "STOPPING");
    aws.pass(1);
    assert_eq!(aws.channel_state(&id), "IDLE");

    assert_eq!(call(&aws, "DeleteChannel", &id).expect("delete")["state"], "DELETING");
    aws.pass(19);
    assert_eq!(aws.channel_state(&id), "DELETING");
    assert_eq!(aws.input_state(&input), "ATTACHED", "until the channel is really gone");
    aws.pass(1);
    assert_eq!(aws.channel_state(&id), "DELETED");
    assert_eq!(aws.input_state(&input), "DETACHED");
    aws.pass(299);
    assert_eq!(aws.channel_state(&id), "DELETED");
    aws.pass(1);
    refused(call(&aws, "DescribeChannel", &id), 404, "NotFoundException", &id);
}

#[test]
fn each_call_has_its_states() {
    let aws = Aws::new();
    let (_, id) = aws.chain("show");
    let edit = |status: &str| {
        let edit = Edit { channel: Some("show".to_owned()), status: Some(status.to_owned()), ..Edit::default() };
        aws.sim.edit(&edit).expect("edit");
    };
    let start = |allowed: bool| check(call(&aws, "StartChannel", &id), allowed, "Cannot start a channel");
    let stop = |allowed: bool| check(call(&aws, "StopChannel", &id), allowed, "Cannot stop a channel");
    let update = |allowed: bool| {
        let input = json!({ "channelId": id, "name": "show", "roleArn": crate::aws::ROLE });
        check(aws.medialive("UpdateChannel", input), allowed, "Cannot update a channel that is not idle");
    };
    let delete = |allowed: bool| check(call(&aws, "DeleteChannel", &id), allowed, "Cannot delete");
    let states: [(&str, [bool; 4]); 10] = [
        ("CREATING", [false, false, false, false]),
        ("CREATE_FAILED", [false, false, true, true]),
        ("IDLE", [true, false, true, true]),
        ("STARTING", [false, true, false, false]),
        ("RUNNING", [false, true, false, false]),
        ("RECOVERING", [false, true, false, false]),
        ("STOPPING", [false, false, false, false]),
        ("UPDATING", [false, false, false, false]),
        ("UPDATE_FAILED", [false, false, true, true]),
        ("DELETING", [false, false, false, false]),
    ];
    for (state, [may_start, may_stop, may_update, may_delete]) in states {
        edit(state);
        start(may_start);
        edit(state);
        stop(may_stop);
        edit(state);
        update(may_update);
        edit(state);
        delete(may_delete);
    }
    edit("RUNNING");
    conflict(
        call(&aws, "DeleteChannel", &id),
        "Cannot delete a channel that has not been stopped yet. Please stop the channel",
    );
}

#[track_caller]
fn check(result: Result<Value, crate::aws::Failure>, allowed: bool, words: &str) {
    match allowed {
        true => drop(result.expect("allowed")),
        false => conflict(result, words),
    }
}

#[test]
fn an_input_feeds_one_channel() {
    let aws = Aws::new();
    let (input, id) = aws.chain("show");
    assert_eq!(aws.input_state(&input), "ATTACHED");
    assert_eq!(aws.describe_input(&input)["attachedChannels"], json!([id]));
    conflict(aws.medialive("CreateChannel", channel("other", &[&input])), "is already attached");
    conflict(aws.medialive("DeleteInput", json!({ "inputId": input })), "attached to channel");
    let more = aws.input("more", &aws.flow("more"));
    let other = aws.channel("other", &more);
    let steal = json!({
        "channelId": other,
        "roleArn": crate::aws::ROLE,
        "inputAttachments": channel("other", &[&input])["inputAttachments"],
    });
    conflict(aws.medialive("UpdateChannel", steal), "is already attached");
    call(&aws, "DeleteChannel", &id).expect("delete");
    aws.pass(19);
    conflict(aws.medialive("CreateChannel", channel("new", &[&input])), "is already attached");
    aws.pass(1);
    aws.medialive("CreateChannel", channel("new", &[&input])).expect("it is free");
}

#[test]
fn an_input_is_attached_only_when_it_is_there() {
    let aws = Aws::new();
    let flow = aws.flow("show");
    let made = aws.medialive("CreateInput", connect_input("show", &[&flow])).expect("create");
    let input = text(&made["input"]["id"]);
    conflict(aws.medialive("CreateChannel", channel("show", &[&input])), "CREATING");
    aws.pass(3);
    aws.medialive("DeleteInput", json!({ "inputId": input })).expect("delete");
    conflict(aws.medialive("CreateChannel", channel("show", &[&input])), "DELETING");
    aws.pass(5);
    let gone = aws.medialive("CreateChannel", channel("show", &[&input]));
    refused(gone, 422, "UnprocessableEntityException", "does not exist");
}

#[test]
fn an_update_replaces_what_it_gives_and_drops_the_role_that_it_does_not_give() {
    let aws = Aws::new();
    let (_, id) = aws.chain("show");
    let before = aws.describe_channel(&id);
    let destinations = json!([{ "id": "rtmp0", "settings": [rtmp_url("another")] }]);
    let update = json!({ "channelId": id, "destinations": destinations });
    let updated = aws.medialive("UpdateChannel", update).expect("update");
    assert_eq!(updated["channel"]["state"], "UPDATING");
    aws.pass(5);
    let after = aws.describe_channel(&id);
    assert_eq!(after["state"], "IDLE");
    assert_eq!(after["destinations"][0]["settings"][0]["streamName"], "another");
    for member in ["name", "encoderSettings", "inputAttachments", "inputSpecification", "channelClass", "tags"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    assert_eq!(after.get("roleArn"), None);
    bad(call(&aws, "StartChannel", &id), "no role");
    let role = json!({ "channelId": id, "roleArn": crate::aws::ROLE });
    aws.medialive("UpdateChannel", role).expect("update");
    aws.pass(5);
    call(&aws, "StartChannel", &id).expect("start");
    let tags = json!({ "channelId": id, "tags": { "a": "b" } });
    bad(aws.medialive("UpdateChannel", tags), "tags");
}

#[test]
fn a_channel_changes_its_class_with_its_destinations() {
    let aws = Aws::new();
    let flow = |zone: &str| {
        let source = crate::aws::listener("primary", 5000);
        aws.flow_of(json!({ "name": zone, "source": source, "availabilityZone": zone }))
    };
    let (a, b) = (flow("eu-west-1a"), flow("eu-west-1b"));
    let made = aws.medialive("CreateInput", connect_input("show", &[&a, &b])).expect("create");
    aws.pass(3);
    let id = aws.channel("show", &text(&made["input"]["id"]));
    let change = |class: &str, destinations: Value| {
        let input = json!({ "channelId": id, "channelClass": class, "destinations": destinations });
        aws.medialive("UpdateChannelClass", input)
    };
    let one = json!([{ "id": "rtmp0", "settings": [rtmp_url("a")] }]);
    let two = json!([{ "id": "rtmp0", "settings": [rtmp_url("a"), rtmp_url("b")] }]);
    refused(change("STANDARD", one), 422, "UnprocessableEntityException", "exactly 2");
    let changed = change("STANDARD", two.clone()).expect("change");
    assert_eq!(changed["channel"]["state"], "UPDATING");
    conflict(change("STANDARD", two.clone()), "UPDATING");
    aws.pass(5);
    let seen = aws.describe_channel(&id);
    assert_eq!(seen["channelClass"], "STANDARD");
    assert_eq!(seen["egressEndpoints"].as_array().map(Vec::len), Some(2));
    assert!(seen["roleArn"].is_string(), "this does not take the role away");
    aws.run(&id);
    assert_eq!(aws.describe_channel(&id)["pipelinesRunningCount"], 2);
    conflict(change("SINGLE_PIPELINE", two), "not idle");
}

#[test]
fn an_input_that_an_update_takes_away_is_attached_until_it_is_done() {
    let aws = Aws::new();
    let (old, id) = aws.chain("show");
    let new = aws.input("new", &aws.flow("new"));
    let update = json!({
        "channelId": id,
        "roleArn": crate::aws::ROLE,
        "inputAttachments": channel("show", &[&new])["inputAttachments"],
    });
    aws.medialive("UpdateChannel", update).expect("update");
    assert_eq!((aws.input_state(&old).as_str(), aws.input_state(&new).as_str()), ("ATTACHED", "ATTACHED"));
    aws.pass(5);
    assert_eq!((aws.input_state(&old).as_str(), aws.input_state(&new).as_str()), ("DETACHED", "ATTACHED"));
}

#[test]
fn a_dry_run_checks_and_changes_nothing() {
    let aws = Aws::new();
    let input = aws.input("show", &aws.flow("show"));
    let mut wanted = channel("show", &[&input]);
    wanted["dryRun"] = json!(true);
    wanted["requestId"] = json!("once");
    aws.medialive("CreateChannel", wanted.clone()).expect("valid");
    assert_eq!(aws.medialive("ListChannels", json!({})).expect("list")["channels"], json!([]));
    assert_eq!(aws.input_state(&input), "DETACHED");
    wanted["destinations"] = json!([]);
    refused(aws.medialive("CreateChannel", wanted), 422, "UnprocessableEntityException", "destinations");
    let mut real = channel("show", &[&input]);
    real["requestId"] = json!("once");
    let id = aws.channel_of(real);
    let rename = json!({ "channelId": id, "name": "other", "roleArn": crate::aws::ROLE, "dryRun": true });
    aws.medialive("UpdateChannel", rename).expect("valid");
    let seen = aws.describe_channel(&id);
    assert_eq!((seen["name"].as_str(), seen["state"].as_str()), (Some("show"), Some("IDLE")));
}

#[test]
fn the_same_request_id_makes_one_channel() {
    let aws = Aws::new();
    let mut wanted = channel("show", &[&aws.input("show", &aws.flow("show"))]);
    wanted["requestId"] = json!("once");
    let first = aws.channel_of(wanted.clone());
    let again = aws.medialive("CreateChannel", wanted.clone()).expect("again");
    assert_eq!(again["channel"]["id"], json!(first));
    assert_eq!(again["channel"]["state"], "IDLE");
    wanted["name"] = json!("other");
    conflict(aws.medialive("CreateChannel", wanted), "requestId");
}

#[test]
fn channels_have_a_quota_and_tombstones_do_not_count() {
    let aws = Aws::new();
    aws.sim.set_quotas(&json!({ "channels": 1 })).expect("a quota");
    let (_, id) = aws.chain("show");
    let input = aws.input("more", &aws.flow("more"));
    let create = || aws.medialive("CreateChannel", channel("more", &[&input]));
    refused(create(), 403, "ForbiddenException", "maximum number of channels (1)");
    call(&aws, "DeleteChannel", &id).expect("delete");
    refused(create(), 403, "ForbiddenException", "Limit exceeded");
    aws.pass(20);
    create().expect("there is room");
}

#[test]
fn lists_have_tags_but_no_encoder_settings_and_come_in_pages() {
    let aws = Aws::new();
    let mut ids: Vec<String> = (0..3).map(|index| aws.chain(&format!("show-{index}")).1).collect();
    ids.sort();
    let mut token = Value::Null;
    let mut seen = Vec::new();
    loop {
        let mut request = json!({ "maxResults": 2 });
        if !token.is_null() {
            request["nextToken"] = token;
        }
        let page = aws.medialive("ListChannels", request).expect("list");
        for channel in page["channels"].as_array().expect("channels") {
            assert_eq!(channel.get("encoderSettings"), None);
            assert_eq!(channel["tags"], json!({}));
            seen.push(text(&channel["id"]));
        }
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, ids);
    bad(aws.medialive("ListChannels", json!({ "nextToken": "x" })), "nextToken");
}

#[test]
fn the_whole_service_has_one_rate() {
    let aws = Aws::with(Config::default());
    let flow = aws.flow("show");
    aws.medialive("CreateInput", connect_input("show", &[&flow])).expect("create");
    for _ in 0..19 {
        aws.medialive("ListInputs", json!({})).expect("list");
        aws.medialive("ListChannels", json!({})).expect("list");
    }
    aws.medialive("ListInputs", json!({})).expect("the fortieth");
    for operation in ["ListChannels", "ListInputs"] {
        refused(aws.medialive(operation, json!({})), 429, "TooManyRequestsException", "Rate exceeded");
    }
    aws.pass(1);
    for _ in 0..20 {
        aws.medialive("ListInputs", json!({})).expect("twenty a second");
    }
    refused(aws.medialive("ListInputs", json!({})), 429, "TooManyRequestsException", "");
}

#[test]
fn what_the_service_fills_in_is_in_answers() {
    let aws = Aws::new();
    let (_, id) = aws.chain("show");
    let seen = aws.describe_channel(&id);
    assert_eq!(seen["logLevel"], "DISABLED");
    assert_eq!(seen["maintenance"]["maintenanceDay"], "THURSDAY");
    let output = &seen["encoderSettings"]["outputGroups"][0]["outputs"][0];
    assert_eq!(output["outputSettings"]["rtmpOutputSettings"]["certificateMode"], "VERIFY_AUTHENTICITY");
    assert_eq!(seen["egressEndpoints"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_counts_know_channels_and_inputs() {
    let aws = Aws::new();
    let (input, id) = aws.chain("show");
    let counts = aws.sim.counts();
    let wanted = json!({ "channels": 1, "inputs": 1, "inputSecurityGroups": 0 });
    assert_eq!(counts["regions"]["eu-west-1"]["medialive"], wanted);
    assert_eq!(counts["total"], 3, "with the flow");
    call(&aws, "DeleteChannel", &id).expect("delete");
    aws.pass(20);
    aws.medialive("DeleteInput", json!({ "inputId": input })).expect("delete");
    aws.pass(5);
    assert_eq!(aws.sim.counts()["total"], 1);
}
