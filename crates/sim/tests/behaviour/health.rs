//! Encoders, receivers, metrics and metadata.

use playout_sim::{Encoder, Receiver, Switches};
use serde_json::{Value, json};

use crate::aws::{Aws, Failure, caller_output, listener, refused, rtmp_output, text};
use crate::documented::with;

fn source_arn(aws: &Aws, flow: &str) -> String {
    text(&aws.describe(flow)["source"]["sourceArn"])
}

#[test]
fn an_encoder_is_seen_as_peer_only_while_the_flow_runs() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    assert!(aws.describe(&arn)["source"].get("peerIpAddress").is_none());
    aws.start(&arn);
    let peer = || aws.describe(&arn)["source"].get("peerIpAddress").cloned();
    assert_eq!(peer(), None, "it takes up to 20 seconds");
    aws.pass(20);
    assert!(text(&peer().expect("a peer")).starts_with("192.0.2."));
    aws.sim.set_encoder("show", "primary", Encoder::absent());
    aws.pass(19);
    assert!(peer().is_some(), "it takes up to 20 seconds");
    aws.pass(1);
    assert_eq!(peer(), None);
}

#[test]
fn metrics_have_data_only_while_the_flow_is_active_and_after_a_lag() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let source = source_arn(&aws, &arn);
    let connected = || aws.metric("SourceConnected", ("SourceARN", &source), "Average", 10, 300);
    aws.pass(60);
    assert!(connected().is_empty(), "a flow in standby has no data points");
    aws.start(&arn);
    assert!(connected().is_empty(), "nothing is published yet");
    aws.pass(60);
    let while_active = connected().len();
    assert!((5..=6).contains(&while_active), "{while_active}: with a lag of ten seconds");
    aws.mediaconnect("StopFlow", json!({ "FlowArn": arn })).expect("stop");
    aws.pass(120);
    assert!(connected().len() <= while_active + 1);
}

#[test]
fn what_the_encoder_sends_is_what_the_metrics_say() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let source = source_arn(&aws, &arn);
    let encoder = Encoder { bitrate: 5_000_000, packet_loss_percent: 7.0, round_trip_time: 80.0, connected: true };
    aws.sim.set_encoder("show", "primary", encoder);
    aws.pass(120);
    let metric = |name: &str| aws.metric(name, ("SourceARN", &source), "Average", 60, 60)[0];
    assert_eq!(metric("SourceBitRate"), 5_000_000.0);
    assert_eq!(metric("SourcePacketLossPercent"), 7.0);
    assert_eq!(metric("SourceRoundTripTime"), 80.0);
    assert!(metric("SourceNotRecoveredPackets") > 0.0);
    assert_eq!(aws.metric("SourceBitRate", ("FlowARN", &arn), "Maximum", 60, 60)[0], 5_000_000.0);
}

#[test]
fn a_lost_encoder_is_a_zero_and_a_disconnection() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let source = source_arn(&aws, &arn);
    aws.pass(30);
    aws.sim.set_encoder(&arn, "primary", Encoder::absent());
    aws.pass(60);
    let connected = aws.metric("SourceConnected", ("SourceARN", &source), "Minimum", 10, 30);
    assert!(!connected.is_empty() && connected.iter().all(|value| *value == 0.0), "{connected:?}");
    let disconnections = aws.metric("SourceDisconnections", ("SourceARN", &source), "Sum", 10, 300);
    assert_eq!(disconnections.iter().sum::<f64>(), 1.0);
    assert!(aws.metric("SourceRoundTripTime", ("SourceARN", &source), "Average", 10, 30).is_empty());
}

#[test]
fn failover_takes_the_backup_and_goes_back_to_the_primary() {
    let aws = Aws::new();
    let arn = aws.flow_of(json!({
        "name": "show",
        "sources": [listener("primary", 5000), listener("backup", 5001)],
        "sourceFailoverConfig": {
            "state": "ENABLED", "failoverMode": "FAILOVER", "sourcePriority": { "primarySource": "primary" },
        },
    }));
    aws.start(&arn);
    let flow = aws.describe(&arn);
    let selected = || -> Vec<f64> {
        aws.pass(40);
        let of = |index: usize| {
            let arn = text(&flow["sources"][index]["sourceArn"]);
            *aws.metric("SourceSelected", ("SourceARN", &arn), "Average", 10, 30).last().expect("a value")
        };
        vec![of(0), of(1)]
    };
    assert_eq!(selected(), [1.0, 0.0]);
    aws.sim.set_encoder("show", "primary", Encoder::absent());
    assert_eq!(selected(), [0.0, 1.0]);
    aws.sim.set_encoder("show", "primary", Encoder::default());
    assert_eq!(selected(), [1.0, 0.0]);
}

#[test]
fn a_refused_output_is_enabled_but_not_connected_and_says_so() {
    let aws = with(Switches { rtmp_output_metrics: true, ..Switches::default() });
    let arn = aws.active_flow("show");
    aws.sim.set_receiver("live.example.net", Some("bad-key"), Receiver::Refuse);
    let refused = aws.add_output(&arn, rtmp_output("refused", "live.example.net", "bad-key")).expect("output");
    let taken = aws.add_output(&arn, rtmp_output("taken", "live.example.net", "good-key")).expect("output");
    aws.pass(120);
    let seen = aws.mediaconnect("DescribeFlow", json!({ "FlowArn": arn })).expect("describe");
    assert_eq!(seen["flow"]["outputs"][0]["outputStatus"], "ENABLED");
    assert_eq!(seen["messages"]["errors"].as_array().expect("errors").len(), 1);
    let error = "Output refused Stream Error: Unable to connect to the destination live.example.net. Please investigate the \
                 flow output.";
    assert_eq!(seen["messages"]["errors"][0], error);
    let of = |output: &Value, name: &str, stat: &str| {
        aws.metric(name, ("OutputARN", &text(&output["outputArn"])), stat, 60, 60)[0]
    };
    assert_eq!(of(&refused, "OutputConnected", "Maximum"), 0.0);
    assert!(of(&refused, "OutputDisconnections", "Sum") >= 10.0, "it tries every five seconds");
    assert_eq!(of(&refused, "OutputBitRate", "Average"), 0.0);
    assert_eq!(of(&taken, "OutputConnected", "Minimum"), 1.0);
    assert_eq!(of(&taken, "OutputBitRate", "Average"), 6_000_000.0);
    assert_eq!(aws.metric("ConnectedOutputs", ("FlowARN", &arn), "Average", 60, 60)[0], 1.0);
}

#[test]
fn a_receiver_that_changes_its_mind_is_reached_at_the_next_attempt() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    aws.sim.set_receiver("live.example.net", None, Receiver::Refuse);
    aws.add_output(&arn, rtmp_output("out", "live.example.net", "key")).expect("output");
    let errors = || {
        let seen = aws.mediaconnect("DescribeFlow", json!({ "FlowArn": arn })).expect("describe");
        seen["messages"]["errors"].as_array().expect("errors").len()
    };
    aws.pass(12);
    assert_eq!(errors(), 1);
    aws.sim.set_receiver("live.example.net", None, Receiver::Accept);
    assert_eq!(errors(), 1, "not before the next attempt");
    aws.pass(3);
    assert_eq!(errors(), 0);
}

#[test]
fn a_receiver_can_take_its_time() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    aws.sim.set_receiver("out.example.net", None, Receiver::AcceptAfter { seconds: 30.0 });
    let out = aws.add_output(&arn, caller_output("out")).expect("output");
    aws.pass(100);
    let arn = text(&out["outputArn"]);
    let values = aws.metric("OutputConnected", ("OutputARN", &arn), "Average", 10, 100);
    assert_eq!(values.first(), Some(&0.0));
    assert_eq!(values.last(), Some(&1.0));
}

#[test]
fn a_disconnected_output_counts_it_and_comes_back() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let out = aws.add_output(&arn, caller_output("studio")).expect("output");
    aws.pass(30);
    aws.sim.disconnect("studio.example.net", None);
    aws.pass(60);
    let arn = text(&out["outputArn"]);
    let drops = aws.metric("OutputDisconnections", ("OutputARN", &arn), "Sum", 10, 300);
    assert_eq!(drops.iter().sum::<f64>(), 1.0);
    assert_eq!(aws.metric("OutputConnected", ("OutputARN", &arn), "Average", 10, 30).last(), Some(&1.0));
}

#[test]
fn a_disabled_output_has_no_data() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let mut output = caller_output("studio");
    output["outputStatus"] = json!("DISABLED");
    let out = aws.add_output(&arn, output).expect("output");
    aws.pass(120);
    assert!(aws.metric("OutputConnected", ("OutputARN", &text(&out["outputArn"])), "Average", 60, 120).is_empty());
}

#[test]
fn the_metrics_of_a_deleted_flow_can_still_be_read() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let source = source_arn(&aws, &arn);
    aws.pass(60);
    aws.mediaconnect("StopFlow", json!({ "FlowArn": arn })).expect("stop");
    aws.pass(10);
    aws.mediaconnect("DeleteFlow", json!({ "FlowArn": arn })).expect("delete");
    aws.pass(60);
    assert!(!aws.metric("SourceConnected", ("SourceARN", &source), "Average", 60, 300).is_empty());
}

#[test]
fn what_nobody_publishes_is_an_empty_result_and_no_error() {
    let aws = Aws::new();
    assert!(aws.metric("SourceConnected", ("SourceARN", "arn:none"), "Average", 60, 300).is_empty());
    assert!(aws.metric("NoSuchMetric", ("FlowARN", "arn:none"), "Average", 60, 300).is_empty());
}

fn data(aws: &Aws, queries: Vec<Value>) -> Result<Value, Failure> {
    let input = json!({ "StartTime": 1_767_225_600, "EndTime": 1_767_225_900, "MetricDataQueries": queries });
    aws.call("cloudwatch", "GetMetricData", input)
}

fn query(id: &str, period: u64) -> Value {
    let metric = json!({ "Namespace": "AWS/MediaConnect", "MetricName": "SourceConnected", "Dimensions": [] });
    json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": period, "Stat": "Average" } })
}

#[test]
fn five_hundred_queries_are_taken_and_one_more_is_not() {
    let aws = Aws::new();
    let many = |n: usize| (0..n).map(|n| query(&format!("q{n}"), 60)).collect();
    let answer = data(&aws, many(500)).expect("500");
    assert_eq!(answer["MetricDataResults"].as_array().expect("results").len(), 500);
    refused(data(&aws, many(501)), 400, "ValidationError", "at most 500");
}

#[test]
fn a_query_needs_a_valid_period_and_an_id_of_its_own() {
    let aws = Aws::new();
    refused(data(&aws, vec![query("q", 45)]), 400, "ValidationError", "multiple of 60");
    refused(data(&aws, vec![query("Q", 60)]), 400, "ValidationError", "pattern");
    refused(data(&aws, vec![query("q", 60), query("q", 60)]), 400, "ValidationError", "not unique");
}

#[test]
fn metrics_are_listed_by_flow() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let input = json!({ "Namespace": "AWS/MediaConnect", "Dimensions": [{ "Name": "FlowARN", "Value": arn }] });
    let answer = aws.call("cloudwatch", "ListMetrics", input).expect("list");
    let mut names: Vec<String> =
        answer["Metrics"].as_array().expect("metrics").iter().map(|found| text(&found["MetricName"])).collect();
    names.sort();
    // An SRT source without failover and no output that has a connection.
    let wanted = [
        "SourceBitRate",
        "SourceConnected",
        "SourceDisconnections",
        "SourceNotRecoveredPackets",
        "SourcePacketLossPercent",
        "SourceRoundTripTime",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn metadata_tells_the_program_or_that_there_is_no_content() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let metadata = || aws.mediaconnect("DescribeFlowSourceMetadata", json!({ "FlowArn": arn })).expect("metadata");
    assert_eq!(metadata()["messages"][0]["code"], "FLOW_NOT_ACTIVE");
    aws.start(&arn);
    let seen = metadata();
    assert_eq!(seen["messages"], json!([]));
    assert_eq!(seen["transportMediaInfo"]["programs"][0]["streams"][0]["codec"], "H264");
    aws.sim.set_encoder("show", "primary", Encoder::absent());
    let seen = metadata();
    assert_eq!(seen["messages"][0]["code"], "NO_CONTENT");
    assert!(seen.get("transportMediaInfo").is_none());
}

#[test]
fn metadata_of_an_rtmp_source_is_in_rtmp_info() {
    let aws = Aws::new();
    let arn = aws.flow_of(json!({ "name": "show", "source": {
        "name": "a", "protocol": "rtmp-push", "whitelistCidr": "203.0.113.0/24",
        "rtmpPushSettings": { "namingConfiguration": { "automatic": {} } },
    } }));
    aws.start(&arn);
    let seen = aws.mediaconnect("DescribeFlowSourceMetadata", json!({ "FlowArn": arn })).expect("metadata");
    assert_eq!(seen["rtmpInfo"]["applicationName"], "live");
    assert!(seen.get("transportMediaInfo").is_none());
}

#[test]
fn a_thumbnail_needs_to_be_enabled_and_content() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let thumbnail = || {
        let input = json!({ "FlowArn": arn });
        aws.mediaconnect("DescribeFlowSourceThumbnail", input).expect("thumbnail")["thumbnailDetails"].clone()
    };
    assert!(thumbnail().get("thumbnail").is_none());
    let enable = json!({ "FlowArn": arn, "sourceMonitoringConfig": { "thumbnailState": "ENABLED" } });
    aws.mediaconnect("UpdateFlow", enable).expect("enable");
    assert!(!text(&thumbnail()["thumbnail"]).is_empty());
}
