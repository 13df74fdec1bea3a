//! What passes through a channel: outputs, alerts and metrics.

use playout_sim::{Encoder, Receiver};
use serde_json::{Value, json};

use super::{channel, connect_input, rtmp_group, rtmp_url};
use crate::aws::{Aws, listener, text};

const HOST: &str = "live.example.net";

/// The values of a metric of a pipeline over the last so many seconds.
fn metric(aws: &Aws, id: &str, name: &str, pipeline: &str, last: u64) -> Vec<f64> {
    let dimensions = [("ChannelId", id), ("Pipeline", pipeline)];
    aws.metric_of("AWS/MediaLive", name, &dimensions, "Average", 10, last)
}

/// The newest value of a metric of the first pipeline.
#[track_caller]
fn newest(aws: &Aws, id: &str, name: &str) -> f64 {
    *metric(aws, id, name, "0", 60).last().expect("a value")
}

/// What is so now, once it can be read: the metrics of a channel lag.
#[track_caller]
fn later(aws: &Aws, id: &str, name: &str) -> f64 {
    aws.pass(20);
    newest(aws, id, name)
}

fn alerts(aws: &Aws, id: &str, filter: &str) -> Vec<Value> {
    let request = json!({ "channelId": id, "stateFilter": filter, "maxResults": 100 });
    aws.medialive("ListAlerts", request).expect("ListAlerts")["alerts"].as_array().expect("alerts").clone()
}

fn kinds(alerts: &[Value]) -> Vec<String> {
    alerts.iter().map(|alert| text(&alert["alertType"])).collect()
}

/// A flow that is ACTIVE and a channel of one output that takes it, not started.
fn ready(aws: &Aws, change: fn(&mut Value)) -> String {
    let flow = aws.active_flow("show");
    let input = aws.input("show", &flow);
    let mut wanted = channel("show", &[&input]);
    change(&mut wanted);
    aws.channel_of(wanted)
}

/// The same, RUNNING.
fn on_air(aws: &Aws, change: fn(&mut Value)) -> String {
    let id = ready(aws, change);
    aws.run(&id);
    id
}

fn as_it_is(_: &mut Value) {}

fn rtmp(wanted: &mut Value, restart: u64, retries: u64, interval: u64) {
    let group = &mut wanted["encoderSettings"]["outputGroups"][0];
    group["outputGroupSettings"]["rtmpGroupSettings"]["restartDelay"] = json!(restart);
    let output = &mut group["outputs"][0]["outputSettings"]["rtmpOutputSettings"];
    output["numRetries"] = json!(retries);
    output["connectionRetryInterval"] = json!(interval);
}

#[test]
fn a_running_channel_takes_its_flow_and_sends() {
    let aws = Aws::new();
    let id = ready(&aws, as_it_is);
    aws.pass(60);
    assert!(metric(&aws, &id, "ActiveOutputs", "0", 300).is_empty(), "no data while it does not run");
    aws.run(&id);
    assert!(metric(&aws, &id, "ActiveOutputs", "0", 300).is_empty(), "nothing is published yet");
    aws.pass(60);
    assert_eq!(newest(&aws, &id, "ActiveOutputs"), 1.0);
    assert_eq!(newest(&aws, &id, "NetworkIn"), 6.0);
    assert_eq!(newest(&aws, &id, "NetworkOut"), 4.628);
    assert_eq!(newest(&aws, &id, "InputVideoFrameRate"), 30.0);
    assert_eq!(newest(&aws, &id, "InputLossSeconds"), 0.0);
    assert_eq!(newest(&aws, &id, "FillMsec"), 0.0);
    assert_eq!(newest(&aws, &id, "ActiveAlerts"), 0.0);
    assert!(metric(&aws, &id, "ActiveOutputs", "1", 300).is_empty(), "there is one pipeline");
    let group = [("ChannelId", id.as_str()), ("Pipeline", "0"), ("OutputGroupName", "rtmp")];
    assert_eq!(aws.metric_of("AWS/MediaLive", "ActiveOutputs", &group, "Minimum", 10, 20).last(), Some(&1.0));
    assert!(aws.metric_of("AWS/MediaLive", "NetworkOut", &group, "Minimum", 10, 20).is_empty());
    aws.medialive("StopChannel", json!({ "channelId": id })).expect("stop");
    aws.pass(120);
    assert!(metric(&aws, &id, "ActiveOutputs", "0", 100).is_empty());
    assert!(!metric(&aws, &id, "ActiveOutputs", "0", 300).is_empty(), "what was is still there");
}

#[test]
fn a_channel_sends_nothing_before_its_first_input() {
    let aws = Aws::new();
    let flow = aws.flow("show");
    let id = aws.channel("show", &aws.input("show", &flow));
    aws.run(&id);
    assert_eq!(alerts(&aws, &id, "SET"), [] as [Value; 0]);
    aws.pass(1);
    assert_eq!(kinds(&alerts(&aws, &id, "SET")), ["Stopped Receiving UDP Input", "Video Not Detected"]);
    assert_eq!(later(&aws, &id, "ActiveOutputs"), 0.0);
    let set = kinds(&alerts(&aws, &id, "SET"));
    assert!(set.contains(&"Initial Probe is Taking Longer Than Expected".to_owned()), "{set:?}");
    aws.start(&flow);
    assert_eq!(alerts(&aws, &id, "SET"), [] as [Value; 0]);
    assert_eq!(later(&aws, &id, "ActiveOutputs"), 1.0);
}

#[test]
fn a_lost_input_is_alerted_and_filled() {
    let aws = Aws::new();
    let id = on_air(&aws, as_it_is);
    aws.sim.set_encoder("show", "primary", Encoder::absent());
    aws.pass(30);
    let set = alerts(&aws, &id, "SET");
    assert_eq!(kinds(&set), ["Stopped Receiving UDP Input", "Video Not Detected"]);
    assert_eq!(set[0]["pipelineId"], "0");
    assert_eq!(set[0]["state"], "SET");
    assert_eq!(set[0].get("clearedTimestamp"), None);
    assert_eq!(newest(&aws, &id, "InputLossSeconds"), 1.0);
    assert_eq!(newest(&aws, &id, "InputVideoFrameRate"), 0.0);
    assert_eq!(newest(&aws, &id, "NetworkIn"), 0.0);
    assert_eq!(newest(&aws, &id, "ActiveAlerts"), 2.0);
    assert!(newest(&aws, &id, "FillMsec") >= 10_000.0);
    assert_eq!(newest(&aws, &id, "ActiveOutputs"), 1.0, "the channel makes up a picture");
    aws.pass(120);
    assert_eq!(newest(&aws, &id, "FillMsec"), 60_000.0);
    aws.sim.set_encoder("show", "primary", Encoder::default());
    assert_eq!(alerts(&aws, &id, "SET"), [] as [Value; 0]);
    let cleared = alerts(&aws, &id, "CLEARED");
    assert_eq!(cleared.len(), 2);
    assert!(text(&cleared[0]["clearedTimestamp"]) > text(&cleared[0]["setTimestamp"]));
    assert_eq!(later(&aws, &id, "InputLossSeconds"), 0.0);
}

#[test]
fn an_output_can_pause_while_the_input_is_lost() {
    let aws = Aws::new();
    let id = on_air(&aws, |wanted| {
        let group = &mut wanted["encoderSettings"]["outputGroups"][0]["outputGroupSettings"]["rtmpGroupSettings"];
        group["inputLossAction"] = json!("PAUSE_OUTPUT");
    });
    aws.sim.set_encoder("show", "primary", Encoder::absent());
    assert_eq!(later(&aws, &id, "ActiveOutputs"), 0.0);
    assert_eq!(newest(&aws, &id, "NetworkOut"), 0.0);
    assert!(kinds(&alerts(&aws, &id, "SET")).contains(&"Output Group is Paused".to_owned()));
    aws.sim.set_encoder("show", "primary", Encoder::default());
    assert_eq!(later(&aws, &id, "ActiveOutputs"), 1.0);
}

#[test]
fn a_flow_that_stops_or_loses_its_managed_output_is_a_lost_input() {
    let aws = Aws::new();
    let flow = aws.active_flow("show");
    let id = aws.channel("show", &aws.input("show", &flow));
    aws.run(&id);
    aws.mediaconnect("StopFlow", json!({ "FlowArn": flow })).expect("stop");
    assert_eq!(later(&aws, &id, "NetworkIn"), 0.0);
    aws.start(&flow);
    assert_eq!(later(&aws, &id, "NetworkIn"), 6.0);
    let output = text(&aws.describe(&flow)["outputs"][0]["outputArn"]);
    aws.sim.remove_managed_outputs(&output).expect("removed");
    assert_eq!(later(&aws, &id, "NetworkIn"), 0.0);
}

#[test]
fn a_flow_that_is_deleted_under_its_channel_is_a_lost_input() {
    let aws = Aws::new();
    let flow = aws.active_flow("show");
    let id = aws.channel("show", &aws.input("show", &flow));
    aws.run(&id);
    assert_eq!(later(&aws, &id, "NetworkIn"), 6.0);
    aws.mediaconnect("StopFlow", json!({ "FlowArn": flow })).expect("stop");
    aws.pass(10);
    aws.mediaconnect("DeleteFlow", json!({ "FlowArn": flow })).expect("nothing keeps it");
    assert_eq!(later(&aws, &id, "NetworkIn"), 0.0);
    assert!(kinds(&alerts(&aws, &id, "SET")).contains(&"Video Not Detected".to_owned()));
    // Whoever makes a flow of the same name does not give it back.
    aws.start(&aws.flow("show"));
    assert_eq!(later(&aws, &id, "NetworkIn"), 0.0);
    assert_eq!(aws.channel_state(&id), "RUNNING");
}

#[test]
fn what_was_cleared_is_told_for_five_minutes() {
    let aws = Aws::new();
    let id = on_air(&aws, as_it_is);
    aws.sim.set_encoder("show", "primary", Encoder::absent());
    aws.pass(30);
    aws.sim.set_encoder("show", "primary", Encoder::default());
    aws.pass(299);
    assert_eq!(alerts(&aws, &id, "CLEARED").len(), 2);
    aws.pass(2);
    assert_eq!(alerts(&aws, &id, "ALL"), [] as [Value; 0]);
}

#[test]
fn a_refused_output_tries_again_and_a_lost_one_rests_first() {
    let aws = Aws::new();
    aws.sim.set_receiver(HOST, None, Receiver::Refuse);
    // Attempts at 0, 5 and 10 seconds.
    let id = on_air(&aws, |wanted| rtmp(wanted, 30, 2, 5));
    let set = alerts(&aws, &id, "SET");
    assert_eq!(kinds(&set), ["Failed RTMP Connection"]);
    let message = text(&set[0]["message"]);
    assert!(message.contains(HOST) && !message.contains("show-key"), "{message}");
    aws.pass(9);
    aws.sim.set_receiver(HOST, None, Receiver::Accept);
    assert_eq!(alerts(&aws, &id, "SET").len(), 1, "not before the next attempt");
    aws.pass(1);
    assert_eq!(alerts(&aws, &id, "SET").len(), 0);

    aws.sim.set_receiver(HOST, None, Receiver::Refuse);
    assert_eq!(alerts(&aws, &id, "SET").len(), 1, "a receiver that refuses also closes");
    aws.sim.set_receiver(HOST, None, Receiver::Accept);
    aws.pass(29);
    assert_eq!(alerts(&aws, &id, "SET").len(), 1, "it waits for the restart");
    aws.pass(1);
    assert_eq!(alerts(&aws, &id, "SET").len(), 0);
    assert_eq!(aws.channel_state(&id), "RUNNING");
    assert_eq!(alerts(&aws, &id, "CLEARED").len(), 2);
    assert_eq!(alerts(&aws, &id, "ALL").len(), 2);
}

#[test]
fn a_refused_stream_name_is_told_apart_from_a_server_that_is_not_there() {
    let aws = Aws::new();
    aws.sim.set_receiver(HOST, None, Receiver::RefuseKey);
    let id = on_air(&aws, as_it_is);
    let message = text(&alerts(&aws, &id, "SET")[0]["message"]);
    assert!(message.contains("rejected the stream") && !message.contains("show-key"), "{message}");
}

#[test]
fn a_refused_output_is_no_active_output() {
    let aws = Aws::new();
    aws.sim.set_receiver(HOST, Some("show-key"), Receiver::Refuse);
    let id = on_air(&aws, |wanted| rtmp(wanted, 15, 1000, 5));
    assert_eq!(later(&aws, &id, "ActiveOutputs"), 0.0);
    assert_eq!(newest(&aws, &id, "NetworkOut"), 0.0);
    assert_eq!(newest(&aws, &id, "ActiveAlerts"), 1.0);
    aws.sim.set_receiver(HOST, Some("show-key"), Receiver::Accept);
    aws.pass(15);
    assert_eq!(later(&aws, &id, "ActiveOutputs"), 1.0, "after the next attempt");
}

#[test]
fn a_channel_whose_only_output_has_given_up_stops_by_itself() {
    let aws = Aws::new();
    aws.sim.set_receiver(HOST, None, Receiver::Refuse);
    let id = on_air(&aws, |wanted| rtmp(wanted, 30, 2, 5));
    aws.pass(9);
    assert_eq!(aws.channel_state(&id), "RUNNING");
    aws.pass(1);
    assert_eq!(aws.channel_state(&id), "STOPPING");
    aws.pass(20);
    assert_eq!(aws.channel_state(&id), "IDLE");
    assert_eq!(alerts(&aws, &id, "SET"), [] as [Value; 0]);
    let cleared = alerts(&aws, &id, "CLEARED");
    assert_eq!(kinds(&cleared), ["Failed RTMP Connection"]);
    assert!(text(&cleared[0]["message"]).contains(HOST));
}

/// Two groups: `rtmp` as ever, and `second` with the stream `second-key`.
fn two_outputs(wanted: &mut Value) {
    let mut group = rtmp_group("second", "rtmp1");
    group["outputGroupSettings"]["rtmpGroupSettings"]["restartDelay"] = json!(0);
    wanted["encoderSettings"]["outputGroups"].as_array_mut().expect("groups").push(group);
    let destination = json!({ "id": "rtmp1", "settings": [rtmp_url("second-key")] });
    wanted["destinations"].as_array_mut().expect("destinations").push(destination);
}

#[test]
fn an_output_of_several_gives_up_alone() {
    let aws = Aws::new();
    aws.sim.set_receiver(HOST, Some("second-key"), Receiver::Refuse);
    let id = on_air(&aws, two_outputs);
    aws.pass(300);
    assert_eq!(aws.channel_state(&id), "RUNNING");
    assert_eq!(newest(&aws, &id, "ActiveOutputs"), 1.0);
    let of = |group: &str| {
        let dimensions = [("OutputGroupName", group), ("Pipeline", "0"), ("ChannelId", id.as_str())];
        aws.metric_of("AWS/MediaLive", "ActiveOutputs", &dimensions, "Minimum", 10, 30).last().copied()
    };
    assert_eq!((of("rtmp"), of("second"), of("none")), (Some(1.0), Some(0.0), None));
    // It never comes back by itself, only when the channel starts anew.
    aws.sim.set_receiver(HOST, Some("second-key"), Receiver::Accept);
    assert_eq!(later(&aws, &id, "ActiveOutputs"), 1.0);
    assert_eq!(kinds(&alerts(&aws, &id, "SET")), ["Failed RTMP Connection"]);
    aws.medialive("StopChannel", json!({ "channelId": id })).expect("stop");
    aws.pass(20);
    aws.run(&id);
    assert_eq!(later(&aws, &id, "ActiveOutputs"), 2.0);
}

#[test]
fn a_disconnected_output_connects_again() {
    let aws = Aws::new();
    let id = on_air(&aws, |wanted| {
        two_outputs(wanted);
        rtmp(wanted, 15, 10, 7);
    });
    aws.sim.disconnect(HOST, Some("show-key"));
    let set = alerts(&aws, &id, "SET");
    assert_eq!(set.len(), 1, "the other stream is another connection");
    aws.pass(14);
    assert_eq!(alerts(&aws, &id, "SET").len(), 1);
    aws.pass(1);
    assert_eq!(alerts(&aws, &id, "SET").len(), 0);
}

#[test]
fn a_receiver_can_take_its_time() {
    let aws = Aws::new();
    aws.sim.set_receiver(HOST, None, Receiver::AcceptAfter { seconds: 9.0 });
    let id = on_air(&aws, |wanted| rtmp(wanted, 15, 10, 5));
    aws.pass(9);
    assert_eq!(alerts(&aws, &id, "SET").len(), 1);
    aws.pass(1);
    assert_eq!(alerts(&aws, &id, "SET").len(), 0, "the first attempt after that is taken");
}

#[test]
fn two_pipelines_send_twice() {
    let aws = Aws::new();
    let flow = |name: &str, zone: &str| {
        let arn = aws.flow_of(json!({ "name": name, "source": listener("primary", 5000), "availabilityZone": zone }));
        aws.start(&arn);
        arn
    };
    let (a, b) = (flow("a", "eu-west-1a"), flow("b", "eu-west-1b"));
    let made = aws.medialive("CreateInput", connect_input("show", &[&a, &b])).expect("input");
    aws.pass(3);
    let mut wanted = channel("show", &[&text(&made["input"]["id"])]);
    wanted["channelClass"] = json!("STANDARD");
    wanted["destinations"][0]["settings"] = json!([rtmp_url("first"), rtmp_url("second")]);
    let id = aws.channel_of(wanted);
    aws.run(&id);
    assert_eq!(aws.describe_channel(&id)["pipelinesRunningCount"], 2);
    aws.sim.set_receiver(HOST, Some("second"), Receiver::Refuse);
    aws.sim.set_encoder("a", "primary", Encoder::absent());
    aws.pass(20);
    let of = |name: &str, pipeline: &str| *metric(&aws, &id, name, pipeline, 30).last().expect("a value");
    assert_eq!((of("ActiveOutputs", "0"), of("ActiveOutputs", "1")), (1.0, 0.0));
    assert_eq!((of("NetworkIn", "0"), of("NetworkIn", "1")), (0.0, 6.0));
    let pipelines: Vec<Value> = alerts(&aws, &id, "SET").iter().map(|alert| alert["pipelineId"].clone()).collect();
    assert!(pipelines.contains(&json!("0")) && pipelines.contains(&json!("1")), "{pipelines:?}");

    // The other pipeline goes on while one is restarted.
    let restart = |ids: Value| aws.medialive("RestartChannelPipelines", json!({ "channelId": id, "pipelineIds": ids }));
    restart(json!(["PIPELINE_0"])).expect("restart");
    let seen = aws.describe_channel(&id);
    assert_eq!((seen["state"].as_str(), seen["pipelinesRunningCount"].as_u64()), (Some("RUNNING"), Some(1)));
    assert_eq!(seen["pipelineDetails"][0]["pipelineId"], "1");
    aws.pass(30);
    assert_eq!(aws.describe_channel(&id)["pipelinesRunningCount"], 2);
    crate::aws::bad(restart(json!([])), "pipelineIds");
}

#[test]
fn a_pipeline_that_is_not_there_cannot_be_restarted() {
    let aws = Aws::new();
    let id = on_air(&aws, as_it_is);
    let restart = |ids: Value| aws.medialive("RestartChannelPipelines", json!({ "channelId": id, "pipelineIds": ids }));
    crate::aws::bad(restart(json!(["PIPELINE_1"])), "pipelineIds");
    restart(json!(["PIPELINE_0"])).expect("restart");
    assert_eq!(aws.describe_channel(&id)["pipelinesRunningCount"], 0);
    aws.medialive("StopChannel", json!({ "channelId": id })).expect("stop");
    crate::aws::refused(restart(json!(["PIPELINE_0"])), 409, "ConflictException", "not running");
}

#[test]
fn metrics_are_listed_with_their_dimensions() {
    let aws = Aws::new();
    let id = ready(&aws, as_it_is);
    let list = |filter: Value| {
        let listed = aws.call("cloudwatch", "ListMetrics", filter).expect("ListMetrics");
        listed["Metrics"].as_array().expect("metrics").clone()
    };
    let ours = json!({ "Namespace": "AWS/MediaLive" });
    assert!(list(ours.clone()).is_empty());
    aws.run(&id);
    let all = list(ours);
    assert_eq!(all.len(), 8);
    let wanted = json!({
        "Namespace": "AWS/MediaLive",
        "MetricName": "ActiveOutputs",
        "Dimensions": [
            { "Name": "ChannelId", "Value": id },
            { "Name": "Pipeline", "Value": "0" },
            { "Name": "OutputGroupName", "Value": "rtmp" },
        ],
    });
    assert!(all.contains(&wanted), "{all:?}");
    assert_eq!(list(json!({ "Dimensions": [{ "Name": "OutputGroupName" }] })), [wanted]);
}

#[test]
fn what_cloudwatch_knows_outlives_the_channel() {
    let aws = Aws::new();
    let id = on_air(&aws, as_it_is);
    aws.pass(60);
    aws.medialive("StopChannel", json!({ "channelId": id })).expect("stop");
    aws.pass(20);
    aws.medialive("DeleteChannel", json!({ "channelId": id })).expect("delete");
    aws.pass(20 + 300 + 60);
    assert!(aws.medialive("DescribeChannel", json!({ "channelId": id })).is_err());
    assert!(metric(&aws, &id, "ActiveOutputs", "0", 600).len() >= 5);
    aws.pass(3 * 3600);
    assert!(metric(&aws, &id, "ActiveOutputs", "0", 4 * 3600).is_empty());
}

#[test]
fn alerts_need_a_channel_and_a_filter_that_exists() {
    let aws = Aws::new();
    let id = ready(&aws, as_it_is);
    let list = |id: &str, filter: &str| aws.medialive("ListAlerts", json!({ "channelId": id, "stateFilter": filter }));
    crate::aws::bad(list(&id, "OPEN"), "stateFilter");
    crate::aws::refused(list("1", "SET"), 404, "NotFoundException", "1");
    assert_eq!(aws.medialive("ListAlerts", json!({ "channelId": id })).expect("list")["alerts"], json!([]));
}

#[test]
fn thumbnails_are_there_while_something_arrives() {
    let aws = Aws::new();
    let get = |id: &str| {
        let request = json!({ "channelId": id, "pipelineId": "0", "thumbnailType": "CURRENT_ACTIVE" });
        aws.medialive("DescribeThumbnails", request)
    };
    let id = ready(&aws, |wanted| {
        wanted["encoderSettings"]["thumbnailConfiguration"] = json!({ "state": "AUTO" });
    });
    let count = || get(&id).expect("thumbnails")["thumbnailDetails"][0]["thumbnails"].as_array().map(Vec::len);
    assert_eq!(count(), Some(0));
    aws.run(&id);
    assert_eq!(count(), Some(1));
    let (_, other) = aws.chain("other");
    crate::aws::refused(get(&other), 409, "ConflictException", "not enabled");
}
