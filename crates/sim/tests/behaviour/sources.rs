//! Sources, failover and encryption.

use serde_json::{Value, json};

use crate::aws::{Aws, Failure, ROLE, bad, listener, refused, text};

fn failover(mode: &str) -> Value {
    json!({ "state": "ENABLED", "failoverMode": mode })
}

fn create(aws: &Aws, sources: Value, config: Value) -> Result<Value, Failure> {
    let mut input = json!({ "name": "show", "sources": sources });
    if !config.is_null() {
        input["sourceFailoverConfig"] = config;
    }
    aws.mediaconnect("CreateFlow", input)
}

fn rtp(name: &str, protocol: &str, port: u16) -> Value {
    json!({ "name": name, "protocol": protocol, "ingestPort": port, "whitelistCidr": "203.0.113.0/24" })
}

#[test]
fn a_second_source_needs_failover() {
    let aws = Aws::new();
    let two = json!([listener("a", 5000), listener("b", 5001)]);
    bad(create(&aws, two.clone(), Value::Null), "source failover is ENABLED");
    create(&aws, two, failover("FAILOVER")).expect("with failover");
}

#[test]
fn a_third_source_is_refused() {
    let aws = Aws::new();
    let three = json!([listener("a", 5000), listener("b", 5001), listener("c", 5002)]);
    bad(create(&aws, three, failover("FAILOVER")), "at most 2 sources");
}

#[test]
fn srt_and_rtmp_cannot_be_merged() {
    let aws = Aws::new();
    let two = json!([listener("a", 5000), listener("b", 5001)]);
    bad(create(&aws, two, failover("MERGE")), "only failoverMode FAILOVER");
    bad(create(&aws, json!([listener("a", 5000)]), json!({ "state": "ENABLED" })), "only failoverMode FAILOVER");
}

#[test]
fn a_recovery_window_belongs_to_merge_and_has_limits() {
    let aws = Aws::new();
    let two = json!([rtp("a", "rtp", 5000), rtp("b", "rtp", 5002)]);
    let merge = |window: i64| json!({ "state": "ENABLED", "failoverMode": "MERGE", "recoveryWindow": window });
    create(&aws, two.clone(), merge(100)).expect("100");
    create(&aws, two.clone(), merge(15_000)).expect("15000");
    bad(create(&aws, two.clone(), merge(99)), "between 100 and 15000");
    bad(create(&aws, two.clone(), merge(15_001)), "between 100 and 15000");
    let failover = json!({ "state": "ENABLED", "failoverMode": "FAILOVER", "recoveryWindow": 200 });
    bad(create(&aws, two, failover), "only valid for failoverMode MERGE");
}

#[test]
fn a_primary_source_belongs_to_failover_and_must_exist() {
    let aws = Aws::new();
    let priority = |mode: &str, name: &str| json!({ "state": "ENABLED", "failoverMode": mode, "sourcePriority": { "primarySource": name } });
    let srt = json!([listener("a", 5000), listener("b", 5001)]);
    create(&aws, srt.clone(), priority("FAILOVER", "b")).expect("b exists");
    bad(create(&aws, srt, priority("FAILOVER", "c")), "primarySource c");
    let rtp = json!([rtp("a", "rtp", 5000), rtp("b", "rtp", 5002)]);
    bad(create(&aws, rtp, priority("MERGE", "a")), "only valid for failoverMode FAILOVER");
}

#[test]
fn sources_share_a_protocol_but_rtp_mixes_with_rtp_fec() {
    let aws = Aws::new();
    let mixed = json!([listener("a", 5000), rtp("b", "rtp", 5002)]);
    bad(create(&aws, mixed, failover("FAILOVER")), "same protocol");
    let fec = json!([rtp("a", "rtp", 5000), rtp("b", "rtp-fec", 5010)]);
    create(&aws, fec, failover("MERGE")).expect("RTP and RTP-FEC");
}

#[test]
fn ports_must_not_overlap_with_those_that_a_protocol_adds() {
    let aws = Aws::new();
    bad(create(&aws, json!([listener("a", 5000), listener("b", 5000)]), failover("FAILOVER")), "port 5000");
    bad(create(&aws, json!([rtp("a", "rist", 5000), rtp("b", "rist", 5001)]), failover("MERGE")), "port 5001");
    bad(create(&aws, json!([rtp("a", "rtp-fec", 5000), rtp("b", "rtp", 5004)]), failover("MERGE")), "port 5004");
    create(&aws, json!([rtp("a", "rtp-fec", 5000), rtp("b", "rtp", 5006)]), failover("MERGE")).expect("apart");
}

#[test]
fn reserved_ports_are_refused() {
    let aws = Aws::new();
    bad(create(&aws, json!([listener("a", 2077)]), Value::Null), "2077 is reserved");
    bad(create(&aws, json!([listener("a", 2088)]), Value::Null), "2088 is reserved");
    bad(create(&aws, json!([rtp("a", "rist", 2087)]), Value::Null), "2088 is reserved");
}

#[test]
fn zixi_push_always_listens_on_2088() {
    let aws = Aws::new();
    let zixi = |port: Value| {
        let mut source = json!({ "name": "a", "protocol": "zixi-push", "whitelistCidr": "203.0.113.0/24" });
        if !port.is_null() {
            source["ingestPort"] = port;
        }
        create(&aws, json!([source]), Value::Null)
    };
    assert_eq!(zixi(Value::Null).expect("no port")["flow"]["source"]["ingestPort"], 2088);
    bad(zixi(json!(5000)), "zixi-push takes 2088");
}

#[test]
fn names_of_sources_are_unique_in_a_flow() {
    let aws = Aws::new();
    bad(create(&aws, json!([listener("a", 5000), listener("a", 5001)]), failover("FAILOVER")), "already used");
}

#[test]
fn each_protocol_has_members_that_it_needs_and_members_that_it_refuses() {
    let aws = Aws::new();
    let one = |source: Value| create(&aws, json!([source]), Value::Null);
    bad(one(json!({ "name": "a", "protocol": "srt-listener", "whitelistCidr": "203.0.113.0/24" })), "ingestPort");
    bad(one(json!({ "name": "a", "protocol": "srt-listener", "ingestPort": 5000 })), "whitelistCidr");
    bad(one(json!({ "name": "a", "protocol": "srt-caller", "sourceListenerPort": 5000 })), "sourceListenerAddress");
    bad(one(json!({ "name": "a", "protocol": "rtmp-push", "whitelistCidr": "203.0.113.0/24" })), "rtmpPushSettings");
    bad(one(json!({ "name": "a" })), "protocol is required");
    bad(one(json!({ "name": "a", "protocol": "udp", "ingestPort": 5000 })), "not valid for a source");
    let mut stream_id = listener("a", 5000);
    stream_id["streamId"] = json!("x");
    bad(one(stream_id), "streamId is not valid for protocol srt-listener");
    let mut cidr = listener("a", 5000);
    cidr["whitelistCidr"] = json!("203.0.113.7");
    bad(one(cidr), "not a CIDR block");
    let caller = json!({
        "name": "a", "protocol": "srt-caller", "sourceListenerAddress": "198.51.100.9", "sourceListenerPort": 7000,
        "streamId": "camera",
    });
    let flow = one(caller).expect("srt-caller");
    assert_eq!(flow["flow"]["source"]["transport"]["streamId"], "camera");
    assert_eq!(flow["flow"]["source"]["transport"]["sourceListenerPort"], 7000);
}

#[test]
fn the_latency_of_srt_has_limits_and_a_default() {
    let aws = Aws::new();
    let with = |latency: i64| {
        let mut source = listener("a", 5000);
        source["minLatency"] = json!(latency);
        create(&aws, json!([source]), Value::Null)
    };
    bad(with(9), "between 10 and 15000");
    bad(with(15_001), "between 10 and 15000");
    assert_eq!(with(120).expect("120")["flow"]["source"]["transport"]["minLatency"], 120);
    assert_eq!(aws.describe(&aws.flow("x"))["source"]["transport"]["minLatency"], 2000);
}

#[test]
fn the_settings_of_an_rtmp_source_come_back_under_another_name() {
    let aws = Aws::new();
    let naming = json!({ "manual": { "applicationName": "live", "streamName": "cam" } });
    let source = json!({
        "name": "a", "protocol": "rtmp-push", "whitelistCidr": "203.0.113.0/24",
        "rtmpPushSettings": { "namingConfiguration": naming },
    });
    let made = create(&aws, json!([source]), Value::Null).expect("rtmp");
    let transport = &made["flow"]["source"]["transport"];
    let wanted = json!({ "applicationName": "live", "streamName": "cam", "namingType": "MANUAL" });
    assert_eq!(transport["rtmpPushSourceSettings"], wanted);
    assert!(transport.get("rtmpPushSettings").is_none());
}

#[test]
fn a_second_source_can_be_added_once_failover_is_enabled() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let add = || aws.mediaconnect("AddFlowSources", json!({ "FlowArn": arn, "sources": [listener("backup", 5001)] }));
    bad(add(), "source failover is ENABLED");
    let enable = json!({ "FlowArn": arn, "sourceFailoverConfig": failover("FAILOVER") });
    aws.mediaconnect("UpdateFlow", enable).expect("enable");
    aws.pass(2);
    let added = add().expect("add");
    assert!(text(&added["sources"][0]["sourceArn"]).contains(":source:"));
    assert_eq!(aws.status(&arn), "UPDATING");
    aws.pass(2);
    let flow = aws.describe(&arn);
    assert_eq!(flow["sources"].as_array().expect("sources").len(), 2);
    assert_eq!(flow["source"]["name"], "primary");
    let disable = json!({ "FlowArn": arn, "sourceFailoverConfig": { "state": "DISABLED" } });
    bad(aws.mediaconnect("UpdateFlow", disable), "source failover is ENABLED");
}

#[test]
fn the_last_source_cannot_be_removed() {
    let aws = Aws::new();
    let two = json!([listener("a", 5000), listener("b", 5001)]);
    let flow = create(&aws, two, failover("FAILOVER")).expect("create")["flow"].clone();
    let remove = |index: usize| {
        let input = json!({ "FlowArn": flow["flowArn"], "SourceArn": flow["sources"][index]["sourceArn"] });
        aws.mediaconnect("RemoveFlowSource", input)
    };
    remove(0).expect("one stays");
    assert_eq!(aws.describe(&text(&flow["flowArn"]))["source"]["name"], "b");
    bad(remove(1), "last source");
    refused(remove(0), 404, "NotFoundException", "");
}

#[test]
fn an_update_of_a_source_changes_only_what_is_given() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let source = text(&aws.describe(&arn)["source"]["sourceArn"]);
    let update = json!({ "FlowArn": arn, "SourceArn": source, "minLatency": 500 });
    let answer = aws.mediaconnect("UpdateFlowSource", update).expect("update");
    assert_eq!(answer["source"]["transport"]["minLatency"], 500);
    assert_eq!(answer["source"]["ingestPort"], 5000);
    assert_eq!(answer["source"]["whitelistCidr"], "203.0.113.0/24");
    assert_eq!(aws.status(&arn), "UPDATING");
}

#[test]
fn a_new_protocol_drops_what_only_the_old_one_had() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let source = text(&aws.describe(&arn)["source"]["sourceArn"]);
    let update = json!({ "FlowArn": arn, "SourceArn": source, "minLatency": 500 });
    aws.mediaconnect("UpdateFlowSource", update).expect("update");
    let update = json!({ "FlowArn": arn, "SourceArn": source, "protocol": "rtp" });
    let answer = aws.mediaconnect("UpdateFlowSource", update).expect("update");
    assert_eq!(answer["source"]["transport"], json!({ "protocol": "rtp" }));
    assert_eq!(answer["source"]["ingestPort"], 5000);
}

#[test]
fn a_source_can_move_from_the_internet_into_a_vpc_and_to_zixi() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let interface = json!({ "name": "inner", "roleArn": ROLE, "securityGroupIds": ["sg-1"], "subnetId": "subnet-1" });
    let input = json!({ "FlowArn": arn, "vpcInterfaces": [interface] });
    aws.mediaconnect("AddFlowVpcInterfaces", input).expect("interface");
    let source = text(&aws.describe(&arn)["source"]["sourceArn"]);
    let update = |members: Value| {
        let mut input = json!({ "FlowArn": arn, "SourceArn": source });
        input.as_object_mut().expect("object").extend(members.as_object().expect("object").clone());
        aws.mediaconnect("UpdateFlowSource", input).expect("update")["source"].clone()
    };
    let moved = update(json!({ "vpcInterfaceName": "inner" }));
    assert_eq!(moved["vpcInterfaceName"], "inner");
    assert!(moved.get("whitelistCidr").is_none());
    assert_eq!(update(json!({ "protocol": "zixi-push" }))["ingestPort"], 2088);
}

#[test]
fn an_srt_key_needs_its_type_and_a_secret_that_exists() {
    let aws = Aws::new();
    let with = |key: Value| {
        let mut source = listener("a", 5000);
        source["decryption"] = key;
        create(&aws, json!([source]), Value::Null)
    };
    let secret = aws.secret("srt");
    with(json!({ "keyType": "srt-password", "roleArn": ROLE, "secretArn": secret })).expect("a good key");
    // The service's default type is static-key.
    bad(with(json!({ "roleArn": ROLE, "secretArn": secret })), "static-key is not valid for protocol srt-listener");
    bad(with(json!({ "keyType": "srt-password", "secretArn": secret })), "roleArn");
    bad(with(json!({ "keyType": "srt-password", "roleArn": ROLE })), "secretArn is required");
    bad(with(json!({ "keyType": "srt-password", "roleArn": "role", "secretArn": secret })), "not the ARN of a role");
    bad(
        with(json!({ "keyType": "srt-password", "roleArn": ROLE, "secretArn": format!("{secret}x") })),
        "could not be read",
    );
}

#[test]
fn a_flow_whose_secret_has_gone_does_not_start() {
    let aws = Aws::new();
    let secret = aws.secret("srt");
    let mut source = listener("a", 5000);
    source["decryption"] = json!({ "keyType": "srt-password", "roleArn": ROLE, "secretArn": secret });
    let arn = aws.flow_of(json!({ "name": "show", "source": source }));
    aws.call("secretsmanager", "DeleteSecret", json!({ "SecretId": secret })).expect("delete");
    bad(aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })), "could not be read");
}

#[test]
fn rtp_and_rist_know_no_encryption() {
    let aws = Aws::new();
    let mut source = rtp("a", "rist", 5000);
    source["decryption"] = json!({ "keyType": "srt-password", "roleArn": ROLE, "secretArn": aws.secret("srt") });
    bad(create(&aws, json!([source]), Value::Null), "decryption is not valid for protocol rist");
}

#[test]
fn what_is_not_simulated_says_so_loudly() {
    let aws = Aws::new();
    let cdi = json!({ "name": "a", "protocol": "cdi", "ingestPort": 5000 });
    refused(create(&aws, json!([cdi]), Value::Null), 501, "NotSimulatedException", "cdi");
}

#[test]
fn that_another_outputs_secret_has_gone_does_not_matter_until_the_flow_starts() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let secret = aws.secret("srt");
    let mut output = crate::aws::caller_output("studio");
    output["encryption"] = json!({ "keyType": "srt-password", "roleArn": ROLE, "secretArn": secret });
    aws.add_output(&arn, output).expect("output");
    aws.call("secretsmanager", "DeleteSecret", json!({ "SecretId": secret })).expect("delete");
    aws.add_output(&arn, crate::aws::caller_output("other")).expect("another output");
    bad(aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })), "could not be read");
}
