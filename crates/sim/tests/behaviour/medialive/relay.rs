//! Outputs of channels that go to the sources of flows of the same world.

use playout_sim::Clock as _;
use serde_json::{Value, json};

use super::{channel, connect_input, rtmp_group, rtmp_url};
use crate::aws::{Aws, ROLE, text};

/// A flow with a source that nothing but the channel sends to, ACTIVE: its ARN, the source's ARN, address.
fn relay(aws: &Aws, source: Value) -> (String, String, String) {
    let mut source = source;
    source["name"] = json!("relay");
    let arn = aws.flow_of(json!({ "name": "relay", "source": source }));
    aws.start(&arn);
    let source = aws.describe(&arn)["source"].clone();
    (arn, text(&source["sourceArn"]), text(&source["ingestIp"]))
}

/// A channel with one SRT output, IDLE; answers its id and the address that it sends from.
fn sender(aws: &Aws, group: &str, output: Value, destination: Value) -> (String, String) {
    let flow = aws.active_flow("show");
    let input = aws.input("show", &flow);
    let mut wanted = channel("show", &[&input]);
    wanted["destinations"] = json!([destination]);
    wanted["encoderSettings"]["outputGroups"] = json!([{
        "name": "relay",
        "outputGroupSettings": { group: {} },
        "outputs": [{
            "outputName": "relay",
            "videoDescriptionName": "v1080p30",
            "audioDescriptionNames": ["aac"],
            "outputSettings": output,
        }],
    }]);
    let id = aws.channel_of(wanted);
    let egress = text(&aws.describe_channel(&id)["egressEndpoints"][0]["sourceIp"]);
    (id, egress)
}

fn srt(aws: &Aws, url: &str, secret: &str) -> (String, String) {
    let output = json!({ "srtOutputSettings": {
        "destination": { "destinationRefId": "relay" },
        "containerSettings": { "m2tsSettings": {} },
        "encryptionType": "AES128",
    } });
    let settings = json!([{ "url": url, "encryptionPassphraseSecretArn": secret }]);
    sender(aws, "srtGroupSettings", output, json!({ "id": "relay", "srtSettings": settings }))
}

fn listener(port: u16, cidr: &str, secret: &str) -> Value {
    let key = json!({ "keyType": "srt-password", "roleArn": ROLE, "secretArn": secret });
    json!({ "protocol": "srt-listener", "ingestPort": port, "whitelistCidr": cidr, "decryption": key })
}

/// Whether a source has something, since when the metrics say so.
fn connected(aws: &Aws, source: &str) -> Option<f64> {
    aws.pass(20);
    aws.metric("SourceBitRate", ("SourceARN", source), "Average", 1, 12).last().copied()
}

fn complains(aws: &Aws, id: &str) -> bool {
    let listed = aws.medialive("ListAlerts", json!({ "channelId": id })).expect("alerts");
    listed["alerts"].to_string().contains("Failed to Write to Output")
}

#[test]
fn an_srt_output_is_what_arrives_at_the_source() {
    let aws = Aws::new();
    let key = aws.secret("key");
    let (flow, source, ip) = relay(&aws, listener(5000, "203.0.113.0/24", &key));
    assert_eq!(connected(&aws, &source), Some(6_000_000.0), "an encoder of the world, as long as no output goes there");
    let (id, egress) = srt(&aws, &format!("srt://{ip}:5000"), &key);
    assert_eq!(connected(&aws, &source), Some(0.0), "the output goes there, and does not run");
    aws.run(&id);
    assert_eq!(connected(&aws, &source), Some(4_628_000.0));
    assert!(!complains(&aws, &id));
    let allow = |cidr: &str| {
        let wanted = json!({ "FlowArn": flow, "SourceArn": source, "whitelistCidr": cidr });
        aws.mediaconnect("UpdateFlowSource", wanted).expect("update");
        aws.pass(2);
    };
    allow("192.0.2.0/24");
    assert_eq!(connected(&aws, &source), Some(0.0));
    assert!(complains(&aws, &id));
    allow(&format!("{egress}/32"));
    assert_eq!(connected(&aws, &source), Some(4_628_000.0));
    assert!(!complains(&aws, &id));
    aws.mediaconnect("StopFlow", json!({ "FlowArn": flow })).expect("stop");
    aws.pass(15);
    assert!(complains(&aws, &id), "nobody listens");
    aws.start(&flow);
    aws.pass(10);
    assert_eq!(connected(&aws, &source), Some(4_628_000.0));
    aws.medialive("StopChannel", json!({ "channelId": id })).expect("stop");
    assert_eq!(connected(&aws, &source), Some(0.0));
}

#[test]
fn another_key_is_not_let_in() {
    let aws = Aws::new();
    let (one, two) = (aws.secret("one"), aws.secret("two"));
    let (_, source, ip) = relay(&aws, listener(5000, "0.0.0.0/0", &one));
    let (id, _) = srt(&aws, &format!("srt://{ip}:5000"), &two);
    aws.run(&id);
    assert_eq!(connected(&aws, &source), Some(0.0));
    assert!(complains(&aws, &id));
}

#[test]
fn datagrams_arrive_or_do_not_and_nobody_is_told() {
    let aws = Aws::new();
    let rtp = json!({ "protocol": "rtp", "ingestPort": 5000, "whitelistCidr": "192.0.2.0/24" });
    let (flow, source, ip) = relay(&aws, rtp);
    let output = json!({ "udpOutputSettings": {
        "destination": { "destinationRefId": "relay" },
        "containerSettings": { "m2tsSettings": {} },
    } });
    let destination = json!({ "id": "relay", "settings": [{ "url": format!("rtp://{ip}:5000") }] });
    let (id, egress) = sender(&aws, "udpGroupSettings", output, destination);
    aws.run(&id);
    assert_eq!(connected(&aws, &source), Some(0.0));
    assert!(!complains(&aws, &id));
    let wanted = json!({ "FlowArn": flow, "SourceArn": source, "whitelistCidr": format!("{egress}/32") });
    aws.mediaconnect("UpdateFlowSource", wanted).expect("update");
    assert_eq!(connected(&aws, &source), Some(4_628_000.0));
}

#[test]
fn what_is_relayed_goes_on_to_the_channels_of_the_flow() {
    let aws = Aws::new();
    let key = aws.secret("key");
    let (flow, _, ip) = relay(&aws, listener(5000, "203.0.113.0/24", &key));
    let made = aws.medialive("CreateInput", connect_input("relayed", &[&flow])).expect("input");
    let input = text(&made["input"]["id"]);
    aws.pass(3);
    let ivs = aws.ivs_channel(json!({}));
    let mut wanted = channel("relayed", &[&input]);
    wanted["destinations"][0]["settings"] = json!([rtmp_url(&ivs.key)]);
    wanted["destinations"][0]["settings"][0]["url"] = json!(format!("rtmps://{}:443/app", ivs.host));
    wanted["encoderSettings"]["outputGroups"] = json!([rtmp_group("rtmp", "rtmp0")]);
    let second = aws.channel_of(wanted);
    let (first, _) = srt(&aws, &format!("srt://{ip}:5000"), &key);
    aws.run(&second);
    aws.pass(60);
    assert!(aws.stream(&ivs).is_err(), "nothing is relayed yet");
    aws.medialive("StartChannel", json!({ "channelId": first })).expect("start");
    let began = i64::try_from(aws.clock.now().as_secs()).expect("seconds") + 126;
    let began = jiff::Timestamp::from_second(began).expect("a time");
    aws.pass(600);
    let stream = aws.stream(&ivs).expect("live");
    assert_eq!(stream["startTime"], json!(format!("{began:.3}")), "each thing at its time, in one leap");
}
