//! Many calls in no good order: nothing breaks, and what must always be true is.

use playout_sim::{Encoder, Receiver};
use serde_json::{Value, json};

use crate::aws::{Aws, ROLE, text};

/// A small generator, so that a failure can be seen again.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("small") % sides
    }

    pub fn one(&mut self, of: &[&str]) -> String {
        of[self.roll(of.len())].to_owned()
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// A source that is right most of the time.
fn source(dice: &mut Dice, secret: &str) -> Value {
    let port = 5000 + dice.roll(6);
    let key = json!({ "keyType": "srt-password", "roleArn": ROLE, "secretArn": secret });
    let mut source = match dice.roll(5) {
        0 | 1 => {
            json!({ "protocol": "srt-listener", "ingestPort": port, "whitelistCidr": "203.0.113.0/24", "decryption": key })
        }
        2 => json!({ "protocol": "srt-caller", "sourceListenerAddress": "198.51.100.1", "sourceListenerPort": port }),
        3 => {
            json!({ "protocol": dice.one(&["rtp", "rtp-fec", "rist"]), "ingestPort": port, "whitelistCidr": "203.0.113.0/24" })
        }
        _ => json!({
            "protocol": "rtmp-push",
            "whitelistCidr": "203.0.113.0/24",
            "rtmpPushSettings": { "namingConfiguration": { "automatic": {} } },
        }),
    };
    source["name"] = json!(dice.one(&NAMES));
    spoil(dice, &mut source);
    source
}

/// An output that is right most of the time.
fn output(dice: &mut Dice, secret: &str) -> Value {
    let port = 5000 + dice.roll(6);
    let key = json!({ "keyType": "srt-password", "roleArn": ROLE, "secretArn": secret });
    let mut output = match dice.roll(4) {
        0 => json!({ "protocol": "srt-caller", "destination": "x.example.net", "port": port, "encryption": key }),
        1 => json!({ "protocol": "srt-listener", "port": port, "cidrAllowList": ["10.0.0.0/8"] }),
        2 => json!({ "protocol": dice.one(&["rtp", "rist"]), "destination": "192.0.2.1", "port": port }),
        _ => json!({
            "protocol": "rtmp-push",
            "destination": "x.example.net",
            "port": port,
            "rtmpPushSettings": { "applicationName": "live", "streamName": "key" },
        }),
    };
    output["name"] = json!(dice.one(&NAMES));
    output["outputStatus"] = json!(dice.one(&["ENABLED", "DISABLED"]));
    spoil(dice, &mut output);
    output
}

/// Now and then a member too many, a nonsense or a member that is not there.
fn spoil(dice: &mut Dice, part: &mut Value) {
    match dice.roll(12) {
        0 => part["minLatency"] = json!(dice.roll(16_000)),
        1 => part["port"] = json!(70_000),
        2 => part["streamId"] = json!("s"),
        3 => drop(part.as_object_mut().and_then(|object| object.remove("protocol"))),
        _ => {}
    }
}

fn without_name(mut value: Value) -> Value {
    value.as_object_mut().expect("object").remove("name");
    value
}

fn with(mut value: Value, flow: &str, part: (&str, Value)) -> Value {
    value["FlowArn"] = json!(flow);
    value[part.0] = part.1;
    value
}

fn step(aws: &Aws, dice: &mut Dice, flows: &[String], secret: &str) -> (&'static str, Value) {
    let flow = flows.get(dice.roll(flows.len().max(1))).cloned();
    let Some(flow) = flow.filter(|_| dice.roll(8) > 0) else {
        if dice.roll(2) == 0 {
            let sources = [crate::aws::listener("a", 5000), crate::aws::listener("b", 5001)];
            let config = json!({ "state": "ENABLED", "failoverMode": "FAILOVER" });
            return ("CreateFlow", json!({ "name": "show", "sources": sources, "sourceFailoverConfig": config }));
        }
        return ("CreateFlow", json!({ "name": "show", "source": source(dice, secret) }));
    };
    let seen = aws.mediaconnect("DescribeFlow", json!({ "FlowArn": flow })).unwrap_or_default();
    let arn_of = |list: &str, member: &str, index: usize| seen["flow"][list][index][member].clone();
    let (source_arn, output_arn) =
        (seen["flow"]["source"]["sourceArn"].clone(), arn_of("outputs", "outputArn", dice.roll(2)));
    let flow = flow.as_str();
    match dice.roll(16) {
        0 => ("StartFlow", json!({ "FlowArn": flow })),
        1 => ("StopFlow", json!({ "FlowArn": flow })),
        2 if dice.roll(3) == 0 => ("DeleteFlow", json!({ "FlowArn": flow })),
        3 => ("AddFlowSources", json!({ "FlowArn": flow, "sources": [source(dice, secret)] })),
        4 if source_arn.is_string() => {
            ("UpdateFlowSource", with(without_name(source(dice, secret)), flow, ("SourceArn", source_arn)))
        }
        5 if source_arn.is_string() => ("RemoveFlowSource", json!({ "FlowArn": flow, "SourceArn": source_arn })),
        6 | 7 => ("AddFlowOutputs", json!({ "FlowArn": flow, "outputs": [output(dice, secret)] })),
        8 if output_arn.is_string() => {
            ("UpdateFlowOutput", with(without_name(output(dice, secret)), flow, ("OutputArn", output_arn)))
        }
        9 if output_arn.is_string() => ("RemoveFlowOutput", json!({ "FlowArn": flow, "OutputArn": output_arn })),
        10 => {
            let mode = dice.one(&["MERGE", "FAILOVER"]);
            let state = dice.one(&["ENABLED", "DISABLED"]);
            ("UpdateFlow", json!({ "FlowArn": flow, "sourceFailoverConfig": { "state": state, "failoverMode": mode } }))
        }
        11 => ("TagResource", json!({ "ResourceArn": flow, "tags": { "a": "b" } })),
        12 | 13 => ("AddFlowSources", json!({ "FlowArn": flow, "sources": [source(dice, secret)] })),
        _ => ("DescribeFlowSourceMetadata", json!({ "FlowArn": flow })),
    }
}

fn check(flow: &Value) {
    let names = |list: &Value| -> Vec<String> {
        let mut names: Vec<String> = list.as_array().into_iter().flatten().map(|part| text(&part["name"])).collect();
        names.sort();
        names
    };
    let sources = names(&flow["sources"]);
    let outputs = names(&flow["outputs"]);
    for names in [&sources, &outputs] {
        let mut unique = names.clone();
        unique.dedup();
        assert_eq!(*names, unique, "names are unique");
    }
    assert!((1..=2).contains(&sources.len()), "one source or two");
    assert!(sources.len() == 1 || flow["sourceFailoverConfig"]["state"] == "ENABLED", "two sources need failover");
    assert!(outputs.len() <= 3);
}

#[test]
fn after_any_calls_in_any_order_every_flow_keeps_the_rules() {
    let mut reached = std::collections::BTreeMap::new();
    for seed in 0..12 {
        let aws = Aws::new();
        aws.sim.set_quotas(&json!({ "flows": 3, "outputsPerFlow": 3 })).expect("quotas");
        let mut dice = Dice::new(seed);
        let secret = aws.secret("srt");
        let mut flows = Vec::new();
        for _ in 0..150 {
            let (operation, input) = step(&aws, &mut dice, &flows, &secret);
            match aws.mediaconnect(operation, input) {
                Ok(answer) => {
                    *reached.entry(operation).or_insert(0) += 1;
                    if operation == "CreateFlow" {
                        flows.push(text(&answer["flow"]["flowArn"]));
                    }
                }
                Err(failure) => assert!([400, 404, 420].contains(&failure.status), "{operation}: {failure:?}"),
            }
            match dice.roll(6) {
                0 => aws.pass(1),
                1 => aws.pass(25),
                2 => aws.sim.set_receiver("x.example.net", None, [Receiver::Accept, Receiver::Refuse][dice.roll(2)]),
                3 => aws.sim.set_encoder("show", "a", Encoder { connected: dice.roll(2) > 0, ..Encoder::default() }),
                4 => aws.sim.disconnect("x.example.net", None),
                _ => {}
            }
            for flow in aws.sim.state()["eu-west-1"]["mediaconnect"]["flows"].as_array().into_iter().flatten() {
                check(flow);
                if dice.roll(15) > 0 {
                    continue;
                }
                for metric in ["SourceConnected", "ConnectedOutputs", "SourceSelected"] {
                    let values = aws.metric(metric, ("FlowARN", &text(&flow["flowArn"])), "Average", 10, 60);
                    assert!(values.iter().all(|value| value.is_finite() && *value >= 0.0));
                }
            }
        }
    }
    // The walk is worth something only if it gets everywhere.
    assert_eq!(reached.len(), 13, "{reached:?}");
}
