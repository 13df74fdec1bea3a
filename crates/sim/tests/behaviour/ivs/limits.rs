//! What is too much for IVS.

use playout_sim::Publisher;
use serde_json::{Value, json};

use super::offline;
use crate::aws::{Aws, refused};

#[test]
fn channels_have_a_quota() {
    let aws = Aws::new();
    aws.sim.set_quotas(&json!({ "ivsChannels": 1 })).expect("quotas");
    let one = aws.ivs_channel(json!({}));
    refused(aws.ivs("CreateChannel", json!({})), 402, "ServiceQuotaExceededException", "1 channels");
    aws.ivs("DeleteChannel", json!({ "arn": one.arn })).expect("delete");
    aws.ivs_channel(json!({}));
    let quota = json!({ "ServiceCode": "ivs", "QuotaCode": "L-C01DFF58" });
    let quota = aws.call("service-quotas", "GetServiceQuota", quota).expect("quota")["Quota"].clone();
    assert_eq!((&quota["QuotaName"], &quota["Value"]), (&json!("Channels"), &json!(1.0)));
}

#[test]
fn a_stream_too_many_is_rejected_and_only_its_session_tells() {
    let aws = Aws::new();
    let quota = json!({ "ServiceCode": "ivs", "QuotaCode": "L-FD1EB8A7" });
    let quota = aws.call("service-quotas", "GetServiceQuota", quota).expect("quota")["Quota"].clone();
    assert_eq!((&quota["QuotaName"], &quota["Value"]), (&json!("Concurrent streams"), &json!(100.0)));
    aws.sim.set_quotas(&json!({ "concurrentStreams": 1 })).expect("quotas");
    let (one, two) = (aws.ivs_channel(json!({})), aws.ivs_channel(json!({})));
    aws.live(&one);
    aws.sim.set_publisher(&two.host, &two.key, Publisher { reconnect_seconds: 20.0, ..Publisher::default() });
    aws.pass(15);
    offline(aws.stream(&two));
    aws.stream(&one).expect("the other one goes on");
    assert_eq!(aws.events(&two), ["Session Created", "Concurrent Broadcasts", "Session Ended"]);
    let sessions = aws.sessions(&two);
    assert_eq!((sessions.len(), &sessions[0]["hasErrorEvent"]), (1, &json!(true)));
    assert!(sessions[0].get("startTime").is_none(), "it never went live");
    aws.sim.set_publisher(&one.host, &one.key, Publisher::absent());
    aws.pass(11);
    aws.stream(&two).expect("there is room when it comes again");
}

#[test]
fn types_have_limits_of_bitrate_and_all_have_one_of_resolution() {
    let taken = |kind: &str, bitrate: u64, (width, height): (u64, u64)| {
        let aws = Aws::new();
        let channel = aws.ivs_channel(json!({ "type": kind }));
        let publisher = Publisher { bitrate, width, height, ..Publisher::default() };
        aws.sim.set_publisher(&channel.host, &channel.key, publisher);
        aws.pass(6);
        let session = aws.session(&channel);
        let breach =
            session["truncatedEvents"].as_array().expect("events").iter().find(|e| e["type"] == "IVS Limit Breach");
        (aws.stream(&channel).is_ok(), breach.map_or(Value::Null, |event| event["name"].clone()))
    };
    let (sd, hd, uhd) = ((854, 480), (1920, 1080), (3840, 2160));
    let (bitrate, size) = (json!("Ingest Bitrate"), json!("Ingest Resolution"));
    for (kind, bits, picture, wanted) in [
        ("BASIC", 1_500_000, sd, (true, Value::Null)),
        ("BASIC", 1_500_001, sd, (false, bitrate.clone())),
        ("BASIC", 3_500_000, hd, (true, Value::Null)),
        ("BASIC", 3_500_001, hd, (false, bitrate.clone())),
        ("STANDARD", 8_500_000, hd, (true, Value::Null)),
        ("STANDARD", 8_500_001, hd, (false, bitrate.clone())),
        ("ADVANCED_SD", 8_500_000, hd, (true, Value::Null)),
        ("ADVANCED_HD", 8_500_001, hd, (false, bitrate)),
        ("STANDARD", 4_000_000, uhd, (false, size.clone())),
        ("STANDARD", 4_000_000, (1080, 1920), (true, Value::Null)),
        ("STANDARD", 4_000_000, (1921, 200), (false, size)),
    ] {
        assert_eq!(taken(kind, bits, picture), wanted, "{kind} {bits} {picture:?}");
    }
}
