//! Outputs.

use playout_sim::Config;
use serde_json::{Value, json};

use crate::aws::{Aws, ROLE, bad, caller_output, refused, rtmp_output, text};

#[test]
fn an_output_comes_back_enabled_and_nested_under_transport() {
    let aws = Aws::new();
    let output = aws.add_output(&aws.flow("show"), caller_output("studio")).expect("output");
    assert!(text(&output["outputArn"]).contains(":output:"));
    assert_eq!(output["outputStatus"], "ENABLED");
    assert_eq!(output["destination"], "studio.example.net");
    assert_eq!(output["port"], 6000);
    assert_eq!(output["transport"], json!({ "protocol": "srt-caller", "minLatency": 2000 }));
}

#[test]
fn the_settings_of_an_rtmp_output_come_back_under_another_name() {
    let aws = Aws::new();
    let mut output = rtmp_output("youtube", "a.rtmp.example.net", "key");
    output["port"] = json!(443);
    output["rtmpPushSettings"]["tlsEncryption"] =
        json!({ "encryptionType": "PUBLIC", "encryptionConfiguration": { "public": {} } });
    let made = aws.add_output(&aws.flow("show"), output).expect("output");
    assert_eq!(made["transport"]["rtmpPushOutputSettings"]["streamName"], "key");
    assert!(made["transport"].get("rtmpPushSettings").is_none());
}

#[test]
fn a_second_add_does_not_replace_the_first() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    aws.add_output(&arn, caller_output("one")).expect("one");
    aws.add_output(&arn, caller_output("two")).expect("two");
    assert_eq!(aws.describe(&arn)["outputs"].as_array().expect("outputs").len(), 2);
}

#[test]
fn names_of_outputs_are_unique_in_a_flow() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    aws.add_output(&arn, caller_output("studio")).expect("first");
    bad(aws.add_output(&arn, caller_output("studio")), "studio is already used");
    bad(aws.add_output(&arn, json!({ "protocol": "rtp", "destination": "a", "port": 1 })), "name is required");
}

#[test]
fn a_batch_with_one_wrong_output_adds_none() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let wrong = json!({ "name": "wrong", "protocol": "srt-caller", "port": 6000 });
    let input = json!({ "FlowArn": arn, "outputs": [caller_output("right"), wrong] });
    bad(aws.mediaconnect("AddFlowOutputs", input), "destination is required");
    assert_eq!(aws.describe(&arn)["outputs"], json!([]));
}

#[test]
fn outputs_beyond_the_quota_are_refused_with_420() {
    let mut config = Config { throttling: false, ..Config::default() };
    config.mediaconnect.quotas.outputs_per_flow = 2;
    let aws = Aws::with(config);
    let arn = aws.flow("show");
    let outputs = json!([caller_output("a"), caller_output("b"), caller_output("c")]);
    let add = aws.mediaconnect("AddFlowOutputs", json!({ "FlowArn": arn, "outputs": outputs }));
    refused(add, 420, "AddFlowOutputs420Exception", "at most 2 outputs");
    aws.add_output(&arn, caller_output("a")).expect("a");
    aws.sim.add_managed_output("show", "arn:aws:medialive:eu-west-1:123456789012:input:7").expect("managed");
    refused(aws.add_output(&arn, caller_output("b")), 420, "AddFlowOutputs420Exception", "");
}

#[test]
fn an_active_flow_stays_active_when_outputs_change() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    aws.add_output(&arn, caller_output("studio")).expect("output");
    assert_eq!(aws.status(&arn), "ACTIVE");
}

#[test]
fn output_changes_can_be_made_to_update_the_flow() {
    let mut config = Config { throttling: false, ..Config::default() };
    config.mediaconnect.outputs_update_flow = true;
    let aws = Aws::with(config);
    let arn = aws.active_flow("show");
    aws.add_output(&arn, caller_output("studio")).expect("output");
    assert_eq!(aws.status(&arn), "UPDATING");
    bad(aws.add_output(&arn, caller_output("other")), "currently UPDATING");
}

#[test]
fn each_protocol_has_members_that_it_needs_and_members_that_it_refuses() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let add = |output: Value| aws.add_output(&arn, output);
    let cases = [
        (json!({ "protocol": "rtp", "destination": "a" }), "port is required"),
        (json!({ "protocol": "rist", "port": 5000 }), "destination is required"),
        (json!({ "protocol": "srt-listener", "port": 5000 }), "cidrAllowList is required"),
        (json!({ "protocol": "srt-listener", "cidrAllowList": ["0.0.0.0/0"] }), "port is required"),
        (json!({ "protocol": "zixi-push", "destination": "a", "port": 2088 }), "streamId is required"),
        (json!({ "protocol": "rtmp-push", "destination": "a", "port": 1935 }), "rtmpPushSettings is required"),
        (json!({ "protocol": "rtp", "destination": "a", "port": 5000, "streamId": "x" }), "streamId is not valid"),
        (json!({ "protocol": "rtp", "destination": "a", "port": 70000 }), "between 1 and 65535"),
        (json!({ "protocol": "udp", "destination": "a", "port": 5000 }), "not valid for an output"),
        (
            json!({ "protocol": "srt-caller", "destination": "a", "port": 5000, "minLatency": 5 }),
            "between 10 and 15000",
        ),
    ];
    for (mut output, part) in cases {
        output["name"] = json!("x");
        bad(add(output), part);
    }
}

#[test]
fn a_destination_is_a_host_and_no_url() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    bad(aws.add_output(&arn, rtmp_output("x", "rtmp://a.example.net/live", "key")), "not an IP address or host name");
    bad(aws.add_output(&arn, rtmp_output("x", "a.example.net:1935", "key")), "not an IP address or host name");
}

#[test]
fn rtmp_without_tls_takes_no_low_ports() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let mut output = rtmp_output("x", "a.example.net", "key");
    output["port"] = json!(443);
    bad(aws.add_output(&arn, output), "1024 to 65535");
}

#[test]
fn a_listening_output_takes_three_ranges_and_tells_its_address() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let listen = |name: &str, port: u16, ranges: usize| {
        let list: Vec<String> = (0..ranges).map(|n| format!("10.0.{n}.0/24")).collect();
        aws.add_output(&arn, json!({ "name": name, "protocol": "srt-listener", "port": port, "cidrAllowList": list }))
    };
    bad(listen("x", 5000, 4), "at most 3");
    let made = listen("a", 5000, 3).expect("three");
    assert_eq!(made["listenerAddress"], aws.describe(&arn)["egressIp"]);
    bad(listen("b", 5000, 1), "port 5000 is already used");
}

#[test]
fn an_update_of_an_output_changes_only_what_is_given() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let output = aws.add_output(&arn, caller_output("studio")).expect("output");
    let update = json!({ "FlowArn": arn, "OutputArn": output["outputArn"], "outputStatus": "DISABLED" });
    let answer = aws.mediaconnect("UpdateFlowOutput", update).expect("update");
    assert_eq!(answer["output"]["outputStatus"], "DISABLED");
    assert_eq!(answer["output"]["port"], 6000);
}

#[test]
fn an_update_of_an_encryption_keeps_the_members_that_are_not_given() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let (one, two) = (aws.secret("one"), aws.secret("two"));
    let mut output = caller_output("studio");
    output["encryption"] = json!({ "keyType": "srt-password", "roleArn": ROLE, "secretArn": one });
    let output = aws.add_output(&arn, output).expect("output");
    let update = json!({ "FlowArn": arn, "OutputArn": output["outputArn"], "encryption": { "secretArn": two } });
    let answer = aws.mediaconnect("UpdateFlowOutput", update).expect("update");
    let wanted = json!({ "keyType": "srt-password", "roleArn": ROLE, "secretArn": two });
    assert_eq!(answer["output"]["encryption"], wanted);
}

#[test]
fn a_removed_output_is_not_found_afterwards() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let output = aws.add_output(&arn, caller_output("studio")).expect("output");
    let remove = json!({ "FlowArn": arn, "OutputArn": output["outputArn"] });
    aws.mediaconnect("RemoveFlowOutput", remove.clone()).expect("remove");
    refused(aws.mediaconnect("RemoveFlowOutput", remove), 404, "NotFoundException", "");
}

#[test]
fn outputs_that_media_live_manages_cannot_be_touched() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let input = "arn:aws:medialive:eu-west-1:123456789012:input:7";
    let output = aws.sim.add_managed_output(&arn, input).expect("managed");
    assert_eq!(aws.describe(&arn)["outputs"][0]["mediaLiveInputArn"], input);
    let update = json!({ "FlowArn": arn, "OutputArn": output, "description": "mine" });
    bad(aws.mediaconnect("UpdateFlowOutput", update), "managed by MediaLive");
    bad(aws.mediaconnect("RemoveFlowOutput", json!({ "FlowArn": arn, "OutputArn": output })), "managed by MediaLive");
}
