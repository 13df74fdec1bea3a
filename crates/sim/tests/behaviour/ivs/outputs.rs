//! Streams that RTMP outputs of MediaLive push: the session says what IVS saw, and alerts what MediaLive did.

use serde_json::{Value, json};

use super::{Made, offline};
use crate::aws::{Aws, text};
use crate::medialive::channel;

/// A flow that is ACTIVE and a channel with one output to a URL with a stream name, IDLE.
fn pusher(aws: &Aws, name: &str, url: &str, key: &str) -> String {
    let flow = aws.active_flow(name);
    let input = aws.input(name, &flow);
    let mut wanted = channel(name, &[&input]);
    wanted["destinations"][0]["settings"] = json!([{ "url": url, "streamName": key }]);
    aws.channel_of(wanted)
}

fn url(channel: &Made) -> String {
    format!("rtmps://{}:443/app", channel.host)
}

fn start(aws: &Aws, id: &str) {
    aws.medialive("StartChannel", json!({ "channelId": id })).expect("StartChannel");
}

/// The alerts of a channel, those that are cleared too.
fn alerts(aws: &Aws, id: &str) -> Vec<(String, String)> {
    let request = json!({ "channelId": id, "stateFilter": "ALL", "maxResults": 100 });
    let listed = aws.medialive("ListAlerts", request).expect("alerts");
    let alerts = listed["alerts"].as_array().expect("alerts").iter();
    alerts.map(|alert| (text(&alert["alertType"]), text(&alert["state"]))).collect()
}

fn refused(aws: &Aws, id: &str) -> bool {
    alerts(aws, id).contains(&("Failed RTMP Connection".to_owned(), "SET".to_owned()))
}

#[test]
fn an_output_with_the_key_makes_the_stream() {
    let aws = Aws::new();
    let ivs = aws.ivs_channel(json!({}));
    let id = pusher(&aws, "show", &url(&ivs), &ivs.key);
    start(&aws, &id);
    // In one leap: each thing has its own time.
    aws.pass(600);
    let stream = aws.stream(&ivs).expect("live");
    assert_eq!(stream["health"], "HEALTHY");
    // 20 s for the flow, 3 for the input, 5 for the channel, 120 until it runs, 6 until IVS is live.
    assert_eq!(stream["startTime"], "2026-01-01T00:02:34.000Z");
    let session = aws.session(&ivs);
    let video = &session["ingestConfigurations"]["videoConfigurations"][0];
    assert_eq!((&video["targetBitrate"], &video["videoHeight"]), (&json!(4_628_000), &json!(1080)));
    assert_eq!(alerts(&aws, &id), []);
    aws.medialive("StopChannel", json!({ "channelId": id })).expect("stop");
    aws.pass(2);
    aws.stream(&ivs).expect("still processed");
    aws.pass(1);
    offline(aws.stream(&ivs));
}

#[test]
fn an_output_that_is_not_taken_makes_none_and_gives_up() {
    let aws = Aws::new();
    let ivs = aws.ivs_channel(json!({}));
    let plain = format!("rtmp://{}:1935/app", ivs.host);
    let elsewhere = format!("rtmps://{}:443/live", ivs.host);
    for (name, url, key) in [
        ("key", url(&ivs), "sk_eu-west-1_wrong".to_owned()),
        ("plain", plain, ivs.key.clone()),
        ("application", elsewhere, ivs.key.clone()),
    ] {
        let id = pusher(&aws, name, &url, &key);
        start(&aws, &id);
        aws.pass(121);
        assert!(refused(&aws, &id), "{name}: {:?}", alerts(&aws, &id));
        aws.pass(60);
        assert_eq!(aws.channel_state(&id), "IDLE", "{name}: its only output has given up");
        offline(aws.stream(&ivs));
        assert_eq!(aws.sessions(&ivs), [Value::Null; 0], "{name}");
    }
}

#[test]
fn a_stream_too_many_is_an_alert_of_medialive_and_no_error_of_anything() {
    let aws = Aws::new();
    aws.sim.set_quotas(&json!({ "concurrentStreams": 1 })).expect("quotas");
    let (one, two) = (aws.ivs_channel(json!({})), aws.ivs_channel(json!({})));
    let first = pusher(&aws, "one", &url(&one), &one.key);
    let second = pusher(&aws, "two", &url(&two), &two.key);
    start(&aws, &first);
    aws.pass(126);
    aws.stream(&one).expect("live");
    start(&aws, &second);
    aws.pass(125);
    assert!(refused(&aws, &second), "{:?}", alerts(&aws, &second));
    offline(aws.stream(&two));
    let sessions = aws.sessions(&two);
    assert!(sessions.len() > 1 && sessions.iter().all(|session| session["hasErrorEvent"] == true), "{sessions:?}");
    assert_eq!(aws.events(&two), ["Session Created", "Concurrent Broadcasts", "Session Ended"]);
    aws.medialive("StopChannel", json!({ "channelId": first })).expect("stop");
    aws.pass(8);
    aws.stream(&two).expect("the next attempt went well");
    assert!(!refused(&aws, &second));
    offline(aws.stream(&one));
}

#[test]
fn two_outputs_that_start_at_once_do_not_pass_the_limit_together() {
    let aws = Aws::new();
    aws.sim.set_quotas(&json!({ "concurrentStreams": 1 })).expect("quotas");
    let (one, two) = (aws.ivs_channel(json!({})), aws.ivs_channel(json!({})));
    let ids = [pusher(&aws, "one", &url(&one), &one.key), pusher(&aws, "two", &url(&two), &two.key)];
    aws.medialive("BatchStart", json!({ "channelIds": ids })).expect("start");
    aws.pass(130);
    assert_eq!([aws.stream(&one).is_ok(), aws.stream(&two).is_ok()].iter().filter(|live| **live).count(), 1);
    assert_eq!(ids.iter().filter(|id| refused(&aws, id)).count(), 1);
}

#[test]
fn a_second_publisher_with_the_same_key_is_refused() {
    let aws = Aws::new();
    let ivs = aws.ivs_channel(json!({}));
    let first = pusher(&aws, "one", &url(&ivs), &ivs.key);
    let second = pusher(&aws, "two", &url(&ivs), &ivs.key);
    aws.run(&first);
    aws.run(&second);
    aws.pass(6);
    let id = aws.stream(&ivs).expect("live")["streamId"].clone();
    assert!(refused(&aws, &second) && !refused(&aws, &first));
    aws.medialive("StopChannel", json!({ "channelId": first })).expect("stop");
    aws.pass(11);
    let next = aws.stream(&ivs).expect("the second one has its turn");
    assert_ne!(next["streamId"], id);
}

#[test]
fn an_output_that_ivs_disconnects_rests_and_comes_again() {
    let aws = Aws::new();
    let ivs = aws.ivs_channel(json!({}));
    let id = pusher(&aws, "show", &url(&ivs), &ivs.key);
    aws.run(&id);
    aws.pass(6);
    aws.ivs("StopStream", json!({ "channelArn": ivs.arn })).expect("stop");
    assert!(refused(&aws, &id));
    aws.pass(14);
    offline(aws.stream(&ivs));
    aws.pass(7);
    aws.stream(&ivs).expect("after its restart delay");
    assert_eq!(aws.channel_state(&id), "RUNNING");
    // The key first: then it comes no more.
    aws.ivs("DeleteStreamKey", json!({ "arn": ivs.key_arn })).expect("delete");
    aws.stream(&ivs).expect("still live");
    aws.ivs("StopStream", json!({ "channelArn": ivs.arn })).expect("stop");
    aws.pass(100);
    offline(aws.stream(&ivs));
    assert_eq!(aws.channel_state(&id), "IDLE", "its only output has given up");
    aws.ivs("DeleteChannel", json!({ "arn": ivs.arn })).expect("delete");
}

#[test]
fn an_output_that_pauses_starves_the_stream() {
    let aws = Aws::new();
    let ivs = aws.ivs_channel(json!({}));
    let flow = aws.active_flow("show");
    let input = aws.input("show", &flow);
    let mut wanted = channel("show", &[&input]);
    wanted["destinations"][0]["settings"] = json!([{ "url": url(&ivs), "streamName": ivs.key }]);
    let group = &mut wanted["encoderSettings"]["outputGroups"][0]["outputGroupSettings"]["rtmpGroupSettings"];
    group["inputLossAction"] = json!("PAUSE_OUTPUT");
    let id = aws.channel_of(wanted);
    aws.run(&id);
    aws.pass(6);
    aws.sim.set_encoder("show", "primary", playout_sim::Encoder::absent());
    aws.pass(1);
    assert_eq!(aws.stream(&ivs).expect("live")["health"], "STARVING");
    aws.pass(33);
    offline(aws.stream(&ivs));
    // MediaLive hears of it when it happens, and not when something else does.
    let request = json!({ "channelId": id, "stateFilter": "SET" });
    let set = aws.medialive("ListAlerts", request).expect("alerts")["alerts"].clone();
    let failed = set.as_array().expect("alerts").iter().find(|alert| alert["alertType"] == "Failed RTMP Connection");
    assert_eq!(failed.expect("an alert")["setTimestamp"], "2026-01-01T00:03:04.000Z");
    aws.sim.set_encoder("show", "primary", playout_sim::Encoder::default());
    aws.pass(60);
    aws.stream(&ivs).expect("live again");
}
