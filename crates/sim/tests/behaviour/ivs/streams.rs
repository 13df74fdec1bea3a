//! Streams: whoever pushes with the key of a channel, from the outside world.

use playout_sim::{Config, Publisher};
use serde_json::{Value, json};

use super::offline;
use crate::aws::{Aws, refused, text};

fn starving() -> Publisher {
    Publisher { bitrate: 0, ..Publisher::default() }
}

#[test]
fn a_stream_is_there_while_somebody_pushes() {
    let aws = Aws::new();
    let channel = aws.ivs_channel(json!({ "name": "show" }));
    let other = aws.ivs_channel(json!({ "name": "other" }));
    aws.pass(60);
    offline(aws.stream(&channel));
    offline(aws.ivs("StopStream", json!({ "channelArn": channel.arn })));
    assert_eq!(aws.ivs("ListStreams", json!({})).expect("list")["streams"], json!([]));

    aws.sim.set_publisher(&channel.host, &channel.key, Publisher::default());
    aws.pass(5);
    offline(aws.stream(&channel));
    assert_eq!(aws.events(&channel), ["Session Created"]);
    aws.pass(1);
    let stream = aws.stream(&channel).expect("live");
    assert_eq!((&stream["state"], &stream["health"]), (&json!("LIVE"), &json!("HEALTHY")));
    assert_eq!(stream["startTime"], "2026-01-01T00:01:06.000Z");
    assert!(text(&stream["playbackUrl"]).contains(".playback.live-video.net/"));
    let listed = aws.ivs("ListStreams", json!({})).expect("list")["streams"].clone();
    assert_eq!((listed.as_array().map(Vec::len), &listed[0]["streamId"]), (Some(1), &stream["streamId"]));
    offline(aws.stream(&other));

    aws.sim.set_publisher(&channel.host, &channel.key, Publisher::absent());
    aws.pass(2);
    aws.stream(&channel).expect("what came is still being processed");
    aws.pass(1);
    offline(aws.stream(&channel));
    assert_eq!(aws.events(&channel), ["Session Created", "Stream Start", "Session Ended", "Stream End"]);
    let session = aws.session(&channel);
    assert_eq!(
        (&session["startTime"], &session["endTime"]),
        (&stream["startTime"], &json!("2026-01-01T00:01:09.000Z"))
    );
    assert_eq!(session["channel"]["name"], "show");
}

#[test]
fn a_wrong_key_never_makes_a_stream() {
    let aws = Aws::new();
    let channel = aws.ivs_channel(json!({}));
    aws.sim.set_publisher(&channel.host, "sk_eu-west-1_wrong", Publisher::default());
    aws.sim.set_publisher("elsewhere.example.net", &channel.key, Publisher::default());
    aws.pass(120);
    offline(aws.stream(&channel));
    assert_eq!(aws.sessions(&channel), [Value::Null; 0]);
}

#[test]
fn rtmp_without_tls_is_for_channels_that_allow_it() {
    let aws = Aws::new();
    let channel = aws.ivs_channel(json!({}));
    let plain = Publisher { tls: false, ..Publisher::default() };
    aws.sim.set_publisher(&channel.host, &channel.key, plain);
    aws.pass(20);
    offline(aws.stream(&channel));
    aws.ivs("UpdateChannel", json!({ "arn": channel.arn, "insecureIngest": true })).expect("update");
    aws.pass(6);
    aws.stream(&channel).expect("live");
}

#[test]
fn what_is_live_is_neither_changed_nor_deleted() {
    let aws = Aws::new();
    let channel = aws.ivs_channel(json!({ "name": "show" }));
    aws.live(&channel);
    let delete = || aws.ivs("DeleteChannel", json!({ "arn": channel.arn }));
    refused(aws.ivs("UpdateChannel", json!({ "arn": channel.arn, "name": "x" })), 409, "ConflictException", "live");
    refused(delete(), 409, "ConflictException", "live");
    // An encoder comes again by itself, unless its key is gone first.
    aws.ivs("StopStream", json!({ "channelArn": channel.arn })).expect("stop");
    refused(delete(), 409, "ConflictException", "live");
    aws.pass(3);
    offline(aws.stream(&channel));
    aws.pass(8);
    let again = aws.stream(&channel).expect("live again");
    let ids: Vec<Value> = aws.sessions(&channel).iter().map(|session| session["streamId"].clone()).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &again["streamId"]));
    assert_ne!(ids[0], ids[1]);
    aws.ivs("DeleteStreamKey", json!({ "arn": channel.key_arn })).expect("delete the key");
    aws.pass(60);
    aws.stream(&channel).expect("who streams goes on without the key");
    aws.ivs("StopStream", json!({ "channelArn": channel.arn })).expect("stop");
    aws.pass(3);
    offline(aws.ivs("StopStream", json!({ "channelArn": channel.arn })));
    aws.pass(60);
    offline(aws.stream(&channel));
    delete().expect("not live");
    assert_eq!(aws.sim.counts()["total"], 0);
}

#[test]
fn an_encoder_that_sends_nothing_starves_and_is_disconnected() {
    let aws = Aws::new();
    let channel = aws.ivs_channel(json!({}));
    aws.live(&channel);
    let of_health = |health: &str| {
        let listed = aws.ivs("ListStreams", json!({ "filterBy": { "health": health } })).expect("list");
        listed["streams"].as_array().map(Vec::len)
    };
    aws.sim.set_publisher(&channel.host, &channel.key, starving());
    aws.pass(10);
    assert_eq!(aws.stream(&channel).expect("live")["health"], "STARVING");
    assert_eq!((of_health("STARVING"), of_health("HEALTHY")), (Some(1), Some(0)));
    aws.sim.set_publisher(&channel.host, &channel.key, Publisher::default());
    assert_eq!(aws.stream(&channel).expect("live")["health"], "HEALTHY");
    aws.sim.set_publisher(&channel.host, &channel.key, starving());
    aws.pass(32);
    aws.stream(&channel).expect("still processed");
    aws.pass(1);
    offline(aws.stream(&channel));
    // In one leap as well: each thing at its time.
    let ends = ["Starvation Start", "Starvation End", "Starvation Start", "Session Ended", "Stream End"];
    let session = aws.ivs("ListStreamSessions", json!({ "channelArn": channel.arn })).expect("sessions");
    let first = session["streamSessions"].as_array().and_then(|all| all.last()).expect("the first").clone();
    let wanted = json!({ "channelArn": channel.arn, "streamId": first["streamId"] });
    let told = aws.ivs("GetStreamSession", wanted).expect("session")["streamSession"]["truncatedEvents"].clone();
    let names: Vec<String> = told.as_array().expect("events").iter().rev().map(|event| text(&event["name"])).collect();
    assert_eq!(names[2..], ends);
    assert_eq!(told[1]["eventTime"], "2026-01-01T00:00:46.000Z");
}

#[test]
fn nothing_streams_for_longer_than_two_days() {
    let aws = Aws::new();
    let channel = aws.ivs_channel(json!({}));
    aws.live(&channel);
    aws.pass(48 * 3600 + 3600);
    let sessions = aws.sessions(&channel);
    assert_eq!(sessions.len(), 2, "the encoder came again");
    assert_eq!(sessions[1]["endTime"], "2026-01-03T00:00:09.000Z");
    assert_eq!(sessions[0]["startTime"], "2026-01-03T00:00:17.000Z");
}

#[test]
fn views_come_and_go_late_and_are_missing_now_and_then() {
    let aws = Aws::new();
    let channel = aws.ivs_channel(json!({ "name": "show" }));
    aws.sim.set_viewers("show", 40);
    aws.live(&channel);
    let count = || {
        let told = aws.stream(&channel).expect("live")["viewerCount"].as_i64().expect("a number");
        if told < 0 { aws.stream(&channel).expect("live")["viewerCount"].as_i64().expect("a number") } else { told }
    };
    assert_eq!(count(), 0);
    aws.pass(15);
    assert_eq!(count(), 40);
    aws.sim.set_viewers("show", 10);
    aws.pass(59);
    assert_eq!(count(), 40);
    aws.pass(1);
    assert_eq!(count(), 10);
    let told: Vec<i64> =
        (0..14).map(|_| aws.stream(&channel).expect("live")["viewerCount"].as_i64().expect("a number")).collect();
    assert_eq!(told.iter().filter(|count| **count == -1).count(), 2, "{told:?}");
    let never = Config { throttling: false, ..Config::default() };
    let mut never = never;
    never.ivs.viewer_count_missing = 0;
    let aws = Aws::with(never);
    let channel = aws.ivs_channel(json!({}));
    aws.live(&channel);
    assert!((0..20).all(|_| aws.stream(&channel).expect("live")["viewerCount"] == 0));
}
