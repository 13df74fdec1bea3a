//! Inputs that are no flows, and who may push to them.

use playout_sim::Encoder;
use serde_json::{Value, json};

use crate::aws::{Aws, Failure, ROLE, bad, refused, text};

fn group(aws: &Aws, cidr: &str) -> Result<Value, Failure> {
    aws.medialive("CreateInputSecurityGroup", json!({ "whitelistRules": [{ "cidr": cidr }] }))
}

fn group_id(aws: &Aws) -> String {
    text(&group(aws, "203.0.113.0/24").expect("group")["securityGroup"]["id"])
}

#[test]
fn a_group_is_in_use_as_long_as_an_input_is() {
    let aws = Aws::new();
    let made = group(&aws, "203.0.113.0/24").expect("group")["securityGroup"].clone();
    let id = text(&made["id"]);
    assert_eq!(made["arn"], json!(format!("arn:aws:medialive:eu-west-1:123456789012:inputSecurityGroup:{id}")));
    assert_eq!(made["state"], "IDLE");
    let input = json!({ "name": "show", "type": "RTP_PUSH", "inputSecurityGroups": [id] });
    let input = text(&aws.medialive("CreateInput", input).expect("input")["input"]["id"]);
    aws.pass(3);
    let describe = || aws.medialive("DescribeInputSecurityGroup", json!({ "inputSecurityGroupId": id }));
    let seen = describe().expect("group");
    assert_eq!((seen["state"].as_str(), &seen["inputs"]), (Some("IN_USE"), &json!([input])));
    let delete = || aws.medialive("DeleteInputSecurityGroup", json!({ "inputSecurityGroupId": id }));
    refused(delete(), 409, "ConflictException", "still being used by inputs");
    let rules = json!({ "inputSecurityGroupId": id, "whitelistRules": [{ "cidr": "10.0.0.0/8" }] });
    let updated = aws.medialive("UpdateInputSecurityGroup", rules).expect("at any time");
    assert_eq!(updated["securityGroup"]["whitelistRules"], json!([{ "cidr": "10.0.0.0/8" }]));
    aws.medialive("DeleteInput", json!({ "inputId": input })).expect("delete");
    aws.pass(4);
    refused(delete(), 409, "ConflictException", "");
    aws.pass(1);
    delete().expect("nobody uses it");
    assert_eq!(describe().expect("a tombstone")["state"], "DELETED");
    refused(delete(), 409, "ConflictException", "DELETED");
    assert_eq!(aws.sim.counts()["total"], 0);
    aws.pass(300);
    refused(describe(), 404, "NotFoundException", &id);
}

#[test]
fn groups_have_rules_and_a_quota() {
    let aws = Aws::new();
    for cidr in ["10.0.0.0", "10.0.0.0/33", "show"] {
        bad(group(&aws, cidr), "not a valid CIDR block");
    }
    bad(aws.medialive("CreateInputSecurityGroup", json!({})), "Must specify at least one whitelist");
    aws.sim.set_quotas(&json!({ "inputSecurityGroups": 1 })).expect("a quota");
    let id = group_id(&aws);
    refused(group(&aws, "10.0.0.0/8"), 403, "ForbiddenException", "input security groups (1)");
    let listed = aws.medialive("ListInputSecurityGroups", json!({})).expect("list");
    assert_eq!(listed["inputSecurityGroups"][0]["id"], json!(id));
}

#[test]
fn rtmp_is_pushed_to_an_address_with_the_name_of_the_stream() {
    let aws = Aws::new();
    let group = group_id(&aws);
    let wanted = json!({
        "name": "show",
        "type": "RTMP_PUSH",
        "inputSecurityGroups": [group],
        "destinations": [{ "streamName": "app/one" }],
    });
    let made = aws.medialive("CreateInput", wanted.clone()).expect("create")["input"].clone();
    assert_eq!(made["inputClass"], "SINGLE_PIPELINE");
    let endpoint = &made["destinations"][0];
    assert_eq!(endpoint["port"], "1935");
    assert_eq!(endpoint["url"], json!(format!("rtmp://{}:1935/app/one", text(&endpoint["ip"]))));
    let with = |member: &str, value: Value| {
        let mut wanted = wanted.clone();
        wanted[member] = value;
        aws.medialive("CreateInput", wanted)
    };
    let two = json!([{ "streamName": "app/one" }, { "streamName": "app/two" }]);
    assert_eq!(with("destinations", two).expect("create")["input"]["inputClass"], "STANDARD");
    bad(with("destinations", json!([])), "1 or 2");
    bad(with("destinations", json!([{ "streamName": "one" }])), "application/instance");
    bad(with("destinations", json!([{ "streamName": "a/b" }, { "streamName": "a/b" }])), "different");
    bad(with("inputSecurityGroups", json!([])), "inputSecurityGroups");
    bad(with("inputSecurityGroups", json!(["1"])), "was not found");
    bad(with("roleArn", json!(ROLE)), "roleArn");
}

#[test]
fn other_inputs_have_what_they_need() {
    let aws = Aws::new();
    let create = |wanted: Value| aws.medialive("CreateInput", wanted);
    let group = group_id(&aws);
    let rtp = create(json!({ "name": "rtp", "type": "RTP_PUSH", "inputSecurityGroups": [group] })).expect("create");
    let endpoints = rtp["input"]["destinations"].as_array().expect("endpoints").clone();
    assert_eq!((endpoints.len(), endpoints[0]["port"].as_str()), (2, Some("5000")));
    for (kind, url) in [
        ("URL_PULL", "https://a.example.net/show.m3u8"),
        ("RTMP_PULL", "rtmp://a.example.net/app"),
        ("MP4_FILE", "s3ssl://bucket/a.mp4"),
        ("TS_FILE", "https://a.example.net/a.ts"),
    ] {
        let made = create(json!({ "name": "pull", "type": kind, "sources": [{ "url": url }] })).expect(kind);
        assert_eq!(made["input"]["sources"], json!([{ "url": url }]));
        bad(create(json!({ "name": "pull", "type": kind, "sources": [{ "url": "ftp://x" }] })), "must begin with");
        bad(create(json!({ "name": "pull", "type": kind })), "1 or 2");
    }
    let caller = |port: &str| json!([{ "srtListenerAddress": "192.0.2.1", "srtListenerPort": port }]);
    let srt = |port: &str| json!({ "name": "srt", "type": "SRT_CALLER", "srtSettings": { "srtCallerSources": caller(port) } });
    let made = create(srt("7000")).expect("create");
    assert_eq!(made["input"]["srtSettings"]["srtCallerSources"], caller("7000"));
    bad(create(srt("0")), "srtListenerPort");
    bad(create(json!({ "name": "srt", "type": "SRT_CALLER" })), "srtCallerSources");
    let key = json!({ "algorithm": "AES128", "passphraseSecretArn": aws.secret("key") });
    let listener = |key: &Value| {
        let settings = json!({ "srtListenerSettings": { "minimumLatency": 200, "decryption": key } });
        create(json!({ "name": "srt", "type": "SRT_LISTENER", "srtSettings": settings }))
    };
    listener(&key).expect("create");
    bad(listener(&json!({ "algorithm": "AES128", "passphraseSecretArn": "arn:aws:none" })), "could not be read");
    let counted = |kind: &str| {
        let listed = aws.medialive("ListInputs", json!({ "maxResults": 100 })).expect("list");
        listed["inputs"].as_array().expect("inputs").iter().filter(|input| input["type"] == kind).count()
    };
    assert_eq!(counted("SRT_LISTENER"), 1);
}

#[test]
fn pull_inputs_have_a_quota_of_their_own() {
    let aws = Aws::new();
    aws.sim.set_quotas(&json!({ "pullInputs": 1, "pushInputs": 0 })).expect("quotas");
    let create = || {
        let sources = json!([{ "url": "https://a.example.net/a" }]);
        aws.medialive("CreateInput", json!({ "name": "pull", "type": "URL_PULL", "sources": sources }))
    };
    create().expect("one");
    refused(create(), 403, "ForbiddenException", "pull inputs (1)");
}

#[test]
fn who_pushes_is_an_encoder_of_the_input_and_the_pipeline() {
    let aws = Aws::new();
    let group = group_id(&aws);
    let wanted = json!({
        "name": "pushed",
        "type": "RTMP_PUSH",
        "inputSecurityGroups": [group],
        "destinations": [{ "streamName": "app/one" }],
    });
    let input = text(&aws.medialive("CreateInput", wanted).expect("create")["input"]["id"]);
    aws.pass(3);
    let id = aws.channel("show", &input);
    aws.run(&id);
    let alerts = || {
        let listed = aws.medialive("ListAlerts", json!({ "channelId": id })).expect("alerts");
        listed["alerts"].as_array().expect("alerts").clone()
    };
    aws.pass(5);
    assert!(alerts().is_empty());
    aws.sim.set_encoder("pushed", "0", Encoder::absent());
    aws.pass(1);
    assert_eq!(alerts()[0]["alertType"], "RTMP Has No Audio/Video");
}
