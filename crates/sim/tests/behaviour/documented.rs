//! What AWS's documents promise and no more: each of these is where a friendlier simulator would hide a bug.

use playout_sim::{Config, Encoder, Fault, FaultKind, Maintenance, Receiver, Switches, Unanswered};
use serde_json::{Value, json};

use crate::aws::{Aws, REGION, ROLE, bad, caller_output, listener, outcome, refused, request, rtmp_output, text};

pub fn with(switches: Switches) -> Aws {
    Aws::with(Config { switches, throttling: false, ..Config::default() })
}

fn source(protocol: &str) -> Value {
    match protocol {
        "srt-listener" => listener("a", 5000),
        "srt-caller" => json!({
            "name": "a", "protocol": protocol, "sourceListenerAddress": "192.0.2.77", "sourceListenerPort": 7000,
        }),
        "zixi-push" => json!({ "name": "a", "protocol": protocol, "whitelistCidr": "203.0.113.0/24" }),
        "rtmp-push" => json!({
            "name": "a", "protocol": protocol, "whitelistCidr": "203.0.113.0/24",
            "rtmpPushSettings": { "namingConfiguration": { "automatic": {} } },
        }),
        "ndi-speed-hq" => json!({ "name": "a", "protocol": protocol }),
        _ => json!({ "name": "a", "protocol": protocol, "ingestPort": 5000, "whitelistCidr": "203.0.113.0/24" }),
    }
}

/// A flow with one source of a protocol, ACTIVE for a minute.
fn running(aws: &Aws, protocol: &str) -> String {
    let mut wanted = json!({ "name": "show", "source": source(protocol) });
    if protocol == "ndi-speed-hq" {
        wanted["flowSize"] = json!("LARGE");
        wanted["vpcInterfaces"] = json!([{
            "name": "ndi", "roleArn": ROLE, "securityGroupIds": ["sg-1"], "subnetId": "subnet-1",
        }]);
        let servers = json!([{ "discoveryServerAddress": "10.0.0.1", "vpcInterfaceAdapter": "ndi" }]);
        wanted["ndiConfig"] = json!({ "ndiState": "ENABLED", "ndiDiscoveryServers": servers });
    }
    let arn = aws.flow_of(wanted);
    aws.start(&arn);
    aws.pass(60);
    arn
}

fn output(protocol: &str) -> Value {
    match protocol {
        "srt-caller" => caller_output("out"),
        "srt-listener" => json!({ "name": "out", "protocol": protocol, "port": 6000, "cidrAllowList": ["10.0.0.0/8"] }),
        "zixi-push" => json!({
            "name": "out", "protocol": protocol, "destination": "192.0.2.9", "port": 2088, "streamId": "s",
        }),
        "rtmp-push" => rtmp_output("out", "live.example.net", "key"),
        _ => json!({ "name": "out", "protocol": protocol, "destination": "192.0.2.9", "port": 5000 }),
    }
}

#[test]
fn a_source_has_the_series_that_aws_lists_for_its_protocol() {
    const ALWAYS: [&str; 3] = ["SourceBitRate", "SourceNotRecoveredPackets", "SourcePacketLossPercent"];
    const SRT: [&str; 3] = ["SourceConnected", "SourceDisconnections", "SourceRoundTripTime"];
    let cases: [(&str, &[&[&str]]); 8] = [
        ("srt-listener", &[&ALWAYS, &SRT]),
        ("srt-caller", &[&ALWAYS, &SRT]),
        ("zixi-push", &[&ALWAYS, &SRT]),
        ("rist", &[&ALWAYS, &["SourceRoundTripTime"]]),
        ("rtp", &[&ALWAYS]),
        ("rtp-fec", &[&ALWAYS]),
        ("rtmp-push", &[&ALWAYS]),
        ("ndi-speed-hq", &[&["SourceConnected"]]),
    ];
    for (protocol, wanted) in cases {
        let aws = Aws::new();
        let arn = running(&aws, protocol);
        let source = text(&aws.describe(&arn)["source"]["sourceArn"]);
        for metric in ALWAYS.iter().chain(&SRT).chain(&["SourceSelected", "SourceMergeActive"]) {
            let has = !aws.metric(metric, ("SourceARN", &source), "Average", 10, 30).is_empty();
            assert_eq!(has, wanted.iter().any(|list| list.contains(metric)), "{protocol}: {metric}");
        }
    }
}

#[test]
fn which_source_is_taken_is_told_in_the_mode_that_aws_names() {
    for (mode, protocol, selected, merged) in
        [("FAILOVER", "srt-listener", vec![1.0, 0.0], vec![]), ("MERGE", "rtp", vec![], vec![1.0, 1.0])]
    {
        let aws = Aws::new();
        let mut second = source(protocol);
        (second["name"], second["ingestPort"]) = (json!("b"), json!(5100));
        let failover = json!({ "state": "ENABLED", "failoverMode": mode });
        let wanted = json!({ "name": "show", "sources": [source(protocol), second], "sourceFailoverConfig": failover });
        let arn = aws.flow_of(wanted);
        aws.start(&arn);
        aws.pass(60);
        let flow = aws.describe(&arn);
        let values = |metric: &str| -> Vec<f64> {
            let arns = flow["sources"].as_array().expect("sources").iter().map(|source| text(&source["sourceArn"]));
            arns.filter_map(|arn| aws.metric(metric, ("SourceARN", &arn), "Average", 10, 20).last().copied()).collect()
        };
        assert_eq!(values("SourceSelected"), selected, "{mode}");
        assert_eq!(values("SourceMergeActive"), merged, "{mode}");
    }
}

#[test]
fn an_output_has_the_series_that_aws_lists_for_its_protocol() {
    let connection = ["OutputConnected", "OutputDisconnections"];
    for (rtmp, protocol, connects, bitrate) in [
        (false, "srt-caller", true, true),
        (false, "srt-listener", true, true),
        (false, "zixi-push", true, false),
        (false, "rist", false, false),
        (false, "rtp", false, false),
        (false, "rtp-fec", false, false),
        (false, "rtmp-push", false, false),
        (true, "rtmp-push", true, true),
    ] {
        let aws = with(Switches { rtmp_output_metrics: rtmp, ..Switches::default() });
        let arn = running(&aws, "srt-listener");
        let made = text(&aws.add_output(&arn, output(protocol)).expect("output")["outputArn"]);
        aws.pass(60);
        let has = |metric: &str| !aws.metric(metric, ("OutputARN", &made), "Average", 10, 30).is_empty();
        assert!(connection.iter().all(|metric| has(metric) == connects), "{protocol}");
        assert_eq!(has("OutputBitRate"), bitrate, "{protocol}");
        let counted = !aws.metric("ConnectedOutputs", ("FlowARN", &arn), "Average", 10, 30).is_empty();
        assert_eq!(counted, connects, "{protocol}");
    }
    let aws = Aws::new();
    let arn = running(&aws, "srt-listener");
    let managed =
        aws.sim.add_managed_output(&arn, "arn:aws:medialive:eu-west-1:123456789012:input:7").expect("managed");
    aws.pass(60);
    assert!(!aws.metric("OutputBitRate", ("OutputARN", &managed), "Average", 10, 30).is_empty());
    assert!(aws.metric("OutputConnected", ("OutputARN", &managed), "Average", 10, 30).is_empty());
}

#[test]
fn there_is_a_data_point_every_second() {
    let aws = Aws::new();
    let arn = running(&aws, "srt-listener");
    let source = text(&aws.describe(&arn)["source"]["sourceArn"]);
    assert_eq!(aws.metric("SourceBitRate", ("SourceARN", &source), "SampleCount", 10, 30)[0], 10.0);
}

#[test]
fn a_stream_error_has_the_form_that_aws_documents() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let errors =
        || aws.mediaconnect("DescribeFlow", json!({ "FlowArn": arn })).expect("flow")["messages"]["errors"].clone();
    let edit = |edit: Value| aws.sim.edit(&serde_json::from_value(edit).expect("an edit")).expect("edited");
    edit(json!({ "flow": "show", "source": "primary", "errors": ["CDI Configuration Error"] }));
    let wanted = "Source primary Stream Error: CDI Configuration Error. Please investigate the flow source.";
    assert_eq!(errors(), json!([wanted]));
    edit(json!({ "flow": "show", "source": "primary", "errors": [] }));
    assert_eq!(errors(), json!([]));
}

#[test]
fn nobody_is_told_that_datagrams_are_not_taken() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    aws.sim.set_receiver("192.0.2.9", None, Receiver::Refuse);
    for protocol in ["rtp", "rist"] {
        let mut wanted = output(protocol);
        (wanted["name"], wanted["port"]) = (json!(protocol), json!(5000 + protocol.len() * 10));
        aws.add_output(&arn, wanted).expect("output");
    }
    aws.pass(30);
    let seen = aws.mediaconnect("DescribeFlow", json!({ "FlowArn": arn })).expect("flow");
    assert_eq!(seen["messages"]["errors"], json!([]));
}

#[test]
fn the_peer_of_a_caller_is_the_address_that_was_configured() {
    let aws = Aws::new();
    aws.sim.set_encoder("show", "a", Encoder::absent());
    let arn = running(&aws, "srt-caller");
    assert_eq!(aws.describe(&arn)["source"]["peerIpAddress"], "192.0.2.77");
    aws.sim.set_receiver("192.0.2.9", None, Receiver::Refuse);
    aws.sim.set_receiver("out.example.net", None, Receiver::Refuse);
    for (protocol, peer) in [
        ("srt-caller", json!("out.example.net")),
        ("rtp", json!("192.0.2.9")),
        ("rtp-fec", json!("192.0.2.9")),
        ("zixi-push", json!("192.0.2.9")),
        ("rist", Value::Null),
        ("rtmp-push", Value::Null),
    ] {
        let made = aws.add_output(&arn, output(protocol)).expect("output");
        aws.pass(30);
        assert_eq!(aws.describe(&arn)["outputs"][0]["peerIpAddress"], peer, "{protocol}");
        let remove = json!({ "FlowArn": arn, "OutputArn": made["outputArn"] });
        aws.mediaconnect("RemoveFlowOutput", remove).expect("remove");
    }
}

#[test]
fn the_size_of_a_flow_changes_only_while_it_is_inactive() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let size = |size: &str| aws.mediaconnect("UpdateFlow", json!({ "FlowArn": arn, "flowSize": size }));
    assert_eq!(size("LARGE").expect("large")["flow"]["flowSize"], "LARGE");
    bad(size("LARGE_4X"), "from LARGE to LARGE_4X");
    aws.start(&arn);
    bad(size("MEDIUM"), "must be inactive");
    size("LARGE").expect("no change");
}

#[test]
fn every_output_of_a_flow_has_a_destination_of_its_own() {
    let to = |protocol: &str, name: &str, port: u16| {
        let mut wanted = output(protocol);
        (wanted["name"], wanted["port"]) = (json!(name), json!(port));
        wanted["destination"] = json!(if protocol == "rtmp-push" { "live.example.net" } else { "192.0.2.9" });
        wanted
    };
    let aws = Aws::new();
    let arn = aws.flow("show");
    let refuses = |wanted: Value| bad(aws.add_output(&arn, wanted), "must be sent to a different destination");
    aws.add_output(&arn, to("rtp-fec", "a", 5000)).expect("5000, 5002, 5004");
    refuses(to("rtp", "b", 5004));
    refuses(to("rist", "b", 5001));
    aws.add_output(&arn, to("rtp", "b", 5001)).expect("another port");
    refuses(to("srt-caller", "c", 5001));
    let mut other = to("srt-caller", "c", 5001);
    other["destination"] = json!("192.0.2.10");
    let made = aws.add_output(&arn, other).expect("another address");
    let update = json!({ "FlowArn": arn, "OutputArn": made["outputArn"], "destination": "192.0.2.9" });
    bad(aws.mediaconnect("UpdateFlowOutput", update), "must be sent to a different destination");
    aws.add_output(&arn, to("zixi-push", "d", 2088)).expect("zixi");
    refuses(to("zixi-push", "e", 2088));
    let mut other = to("zixi-push", "e", 2088);
    other["streamId"] = json!("another");
    aws.add_output(&arn, other).expect("another stream");
    aws.add_output(&arn, to("rtmp-push", "f", 1935)).expect("rtmp");
    aws.add_output(&arn, to("rtmp-push", "g", 1935)).expect("nothing is said about RTMP");
    aws.sim.set_switches(Switches { rtmp_destinations_differ: true, ..Switches::default() });
    refuses(to("rtmp-push", "h", 1935));
    aws.add_output(&arn, to("rtmp-push", "h", 1936)).expect("another port");
}

#[test]
fn protocols_that_want_an_address_take_no_host_name() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    for protocol in ["rtp", "rtp-fec", "rist", "zixi-push"] {
        let mut wanted = output(protocol);
        wanted["destination"] = json!("receiver.example.net");
        bad(aws.add_output(&arn, wanted), "is not an IP address, as protocol");
    }
    aws.add_output(&arn, caller_output("out")).expect("a domain");
}

#[test]
fn every_flow_has_a_maintenance_window() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let window = aws.describe(&arn)["maintenance"].clone();
    assert!(text(&window["maintenanceDay"]).ends_with("day"));
    assert_eq!(window["maintenanceStartHour"], "02:00");
    let set = |window: Value| aws.mediaconnect("UpdateFlow", json!({ "FlowArn": arn, "maintenance": window }));
    set(json!({ "maintenanceDay": "Monday", "maintenanceStartHour": "13:00" })).expect("another");
    bad(set(json!({ "maintenanceStartHour": "13:30" })), "HH:00");
    assert_eq!(
        aws.describe(&arn)["maintenance"],
        json!({ "maintenanceDay": "Monday", "maintenanceStartHour": "13:00" })
    );
}

fn maintain(aws: &Aws, maintenance: Value) -> Value {
    aws.sim.maintain(&serde_json::from_value::<Maintenance>(maintenance).expect("maintenance")).expect("maintained")
}

#[test]
fn a_flow_that_is_maintained_restarts_by_itself() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let out = text(&aws.add_output(&arn, caller_output("out")).expect("output")["outputArn"]);
    let connected = || aws.metric("OutputConnected", ("OutputARN", &out), "Average", 1, 1).last().copied();
    aws.pass(60);
    assert_eq!(connected(), None, "the last ten seconds cannot be read yet");
    let at = |before: u64| aws.metric("OutputConnected", ("OutputARN", &out), "Average", 1, before).first().copied();
    assert_eq!(at(15), Some(1.0));
    assert_eq!(maintain(&aws, json!({ "flow": "show" }))["status"], "STOPPING");
    aws.pass(10);
    assert_eq!(aws.status(&arn), "STARTING");
    aws.pass(20);
    assert_eq!(aws.status(&arn), "ACTIVE");
    assert_eq!(maintain(&aws, json!({ "flow": "show", "told": false }))["status"], "ACTIVE");
    aws.pass(29);
    assert_eq!(aws.status(&arn), "ACTIVE");
    assert_eq!(at(15), None, "nothing passes meanwhile");
    aws.pass(30);
    assert_eq!(at(15), Some(1.0));
}

#[test]
fn who_stops_a_flow_that_is_maintained_stops_it() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    maintain(&aws, json!({ "flow": "show" }));
    bad(aws.mediaconnect("StopFlow", json!({ "FlowArn": arn })), "currently STOPPING");
    aws.pass(10);
    aws.mediaconnect("StopFlow", json!({ "FlowArn": arn })).expect("stop");
    aws.pass(60);
    assert_eq!(aws.status(&arn), "STANDBY");
}

#[test]
fn a_channel_that_is_maintained_restarts_by_itself() {
    let aws = Aws::new();
    let (_, id) = aws.chain("show");
    aws.run(&id);
    assert_eq!(maintain(&aws, json!({ "channel": "show" }))["state"], "STOPPING");
    aws.pass(20);
    assert_eq!(aws.channel_state(&id), "STARTING");
    aws.pass(120);
    assert_eq!(aws.channel_state(&id), "RUNNING");
    maintain(&aws, json!({ "channel": "show", "told": false }));
    aws.pass(1);
    assert_eq!(aws.describe_channel(&id)["pipelinesRunningCount"], 0);
    assert_eq!(aws.channel_state(&id), "RUNNING");
    aws.pass(30);
    assert_eq!(aws.describe_channel(&id)["pipelinesRunningCount"], 1);
}

#[test]
fn a_call_can_be_carried_out_after_its_caller_has_gone() {
    for caller in [Unanswered::Hangs, Unanswered::Dropped] {
        let aws = Aws::new();
        let arn = aws.flow("show");
        let kind = FaultKind::Late { seconds: 20.0, caller };
        aws.sim.plant_fault(Fault::new("mediaconnect", "AddFlowOutputs", kind));
        let lost = aws.add_output(&arn, caller_output("out")).expect_err("no answer");
        assert_eq!(lost.status, 0);
        aws.pass(19);
        assert_eq!(aws.describe(&arn)["outputs"], json!([]));
        assert!(!aws.sim.log(0).iter().any(|entry| entry.operation == "AddFlowOutputs" && entry.processed));
        aws.pass(1);
        assert_eq!(aws.describe(&arn)["outputs"][0]["name"], "out");
        assert!(aws.sim.log(0).iter().any(|entry| entry.operation == "AddFlowOutputs" && entry.processed));
    }
}

#[test]
fn what_is_under_way_is_not_called_back_and_may_be_refused() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    aws.sim.plant_fault(Fault::new(
        "mediaconnect",
        "AddFlowOutputs",
        FaultKind::Late { seconds: 10.0, caller: Unanswered::Dropped },
    ));
    aws.add_output(&arn, caller_output("out")).expect_err("no answer");
    aws.sim.clear_faults(None);
    aws.mediaconnect("DeleteFlow", json!({ "FlowArn": arn })).expect("delete");
    aws.pass(10);
    let log = aws.sim.log(0);
    let late = log.iter().find(|entry| entry.operation == "AddFlowOutputs").expect("logged");
    assert!(!late.processed);
    assert_eq!(late.error.as_deref(), Some("BadRequestException"), "the flow was DELETING then");
}

#[test]
fn a_late_start_happens_at_its_time() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    aws.sim.plant_fault(Fault::new(
        "mediaconnect",
        "StartFlow",
        FaultKind::Late { seconds: 20.0, caller: Unanswered::Dropped },
    ));
    aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })).expect_err("no answer");
    aws.pass(40);
    assert_eq!(aws.status(&arn), "ACTIVE", "STARTING began 20 seconds ago, although nobody asked since");
}

#[test]
fn a_region_without_the_service_does_not_answer() {
    let aws = Aws::new();
    let ask = |service: &str, region: &str, operation: &str| {
        outcome(aws.sim.handle(request(service, region, operation, &json!({}))))
    };
    for (service, operation, region) in [
        ("mediaconnect", "ListFlows", "us-moon-1"),
        ("mediaconnect", "ListFlows", "eu-south-1"),
        ("medialive", "ListChannels", "us-west-1"),
        ("ssm", "GetParameter", "us-moon-1"),
    ] {
        assert_eq!(ask(service, region, operation).expect_err("nobody").status, 0, "{service} in {region}");
    }
    ask("mediaconnect", "us-west-1", "ListFlows").expect("it is there");
    aws.sim.set_switches(Switches { more_regions: vec!["us-moon-1".to_owned()], ..Switches::default() });
    ask("mediaconnect", "us-moon-1", "ListFlows").expect("it is there now");
    let log = aws.sim.log(0);
    assert!(!log[0].answered && log[0].region == "us-moon-1");
    assert_eq!(log[0].message.as_deref(), Some("mediaconnect has no endpoint in Region us-moon-1"));
    assert!(aws.sim.state().get("eu-south-1").is_none() && REGION == "eu-west-1");
}

#[test]
fn a_list_of_secrets_can_lag() {
    let aws = with(Switches { list_secrets_lag: 300.0, ..Switches::default() });
    let listed = || {
        let list = aws.call("secretsmanager", "ListSecrets", json!({})).expect("list");
        list["SecretList"].as_array().expect("a list").iter().map(|secret| text(&secret["Name"])).collect::<Vec<_>>()
    };
    aws.secret("one");
    let of = json!({ "SecretId": "one" });
    aws.call("secretsmanager", "DescribeSecret", of.clone()).expect("DescribeSecret knows");
    aws.pass(100);
    aws.secret("two");
    assert_eq!(listed(), [] as [&str; 0]);
    aws.pass(200);
    assert_eq!(listed(), ["one"]);
    aws.call("secretsmanager", "DeleteSecret", of.clone()).expect("delete");
    aws.pass(100);
    assert_eq!(listed(), ["one", "two"]);
    aws.pass(200);
    assert_eq!(listed(), ["two"]);
    refused(aws.call("secretsmanager", "GetSecretValue", of), 400, "InvalidRequestException", "");
}
