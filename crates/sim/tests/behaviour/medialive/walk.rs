//! Many calls in no good order: nothing breaks, and what must always be true is.

use playout_sim::{Edit, Encoder, Receiver};
use serde_json::{Value, json};

use super::{channel, connect_input};
use crate::aws::{Aws, REGION, ROLE, listener, text};
use crate::walk::Dice;

/// The ids of what is there.
fn ids(state: &Value, kind: &str) -> Vec<String> {
    state[REGION]["medialive"][kind].as_array().into_iter().flatten().map(|one| text(&one["id"])).collect()
}

fn pick(dice: &mut Dice, of: &[String]) -> String {
    match of.len() {
        0 => "1".to_owned(),
        len => of[dice.roll(len)].clone(),
    }
}

fn step(dice: &mut Dice, state: &Value, flows: &[String]) -> (&'static str, Value) {
    let (channels, inputs) = (ids(state, "channels"), ids(state, "inputs"));
    let (id, input, more) = (pick(dice, &channels), pick(dice, &inputs), pick(dice, &inputs));
    let flow = pick(dice, flows);
    let name = dice.one(&["a", "b", "c"]);
    match dice.roll(17) {
        0 | 1 => {
            let other = pick(dice, flows);
            let wanted = if dice.roll(3) == 0 { vec![flow.as_str(), other.as_str()] } else { vec![flow.as_str()] };
            let mut input = connect_input(&name, &wanted);
            input["requestId"] = json!(dice.roll(6).to_string());
            ("CreateInput", input)
        }
        2 => ("UpdateInput", json!({ "inputId": input, "mediaConnectFlows": [{ "flowArn": flow }] })),
        3 => ("DeleteInput", json!({ "inputId": input })),
        4..=6 => {
            let mut wanted =
                if dice.roll(3) == 0 { channel(&name, &[&input, &more]) } else { channel(&name, &[&input]) };
            wanted["requestId"] = json!(dice.roll(6).to_string());
            if dice.roll(4) == 0 {
                wanted["channelClass"] = json!("STANDARD");
                let one = wanted["destinations"][0]["settings"][0].clone();
                wanted["destinations"][0]["settings"] = json!([one, one]);
            }
            let group = &mut wanted["encoderSettings"]["outputGroups"][0];
            group["outputGroupSettings"]["rtmpGroupSettings"]["restartDelay"] = json!(dice.roll(2) * 15);
            ("CreateChannel", wanted)
        }
        7 => {
            let attachments = channel(&name, &[&input])["inputAttachments"].clone();
            ("UpdateChannel", json!({ "channelId": id, "roleArn": ROLE, "inputAttachments": attachments }))
        }
        8 => ("DeleteChannel", json!({ "channelId": id })),
        9 | 10 => ("StartChannel", json!({ "channelId": id })),
        11 => ("StopChannel", json!({ "channelId": id })),
        12 => ("RestartChannelPipelines", json!({ "channelId": id, "pipelineIds": ["PIPELINE_0"] })),
        13 => {
            let switch = json!({
                "actionName": dice.roll(1000).to_string(),
                "scheduleActionSettings": {
                    "inputSwitchSettings": { "inputAttachmentNameReference": format!("attachment-{more}") },
                },
                "scheduleActionStartSettings": { "immediateModeScheduleActionStartSettings": {} },
            });
            ("BatchUpdateSchedule", json!({ "channelId": id, "creates": { "scheduleActions": [switch] } }))
        }
        14 => ("ListAlerts", json!({ "channelId": id, "stateFilter": "ALL" })),
        15 if dice.roll(4) == 0 => ("BatchDelete", json!({ "channelIds": [id], "inputIds": [input] })),
        _ => ("ListChannels", json!({ "maxResults": 1 + dice.roll(3) })),
    }
}

/// What happens to the world besides requests to MediaLive.
fn happen(aws: &Aws, dice: &mut Dice, flows: &[String]) {
    let flow = flows[dice.roll(flows.len())].clone();
    match dice.roll(9) {
        0 => drop(aws.mediaconnect("StartFlow", json!({ "FlowArn": flow }))),
        1 => drop(aws.mediaconnect("StopFlow", json!({ "FlowArn": flow }))),
        2 => {
            let encoder = Encoder { connected: dice.roll(2) == 0, ..Encoder::default() };
            aws.sim.set_encoder(&flow, "primary", encoder);
        }
        3 => {
            let receiver = [Receiver::Accept, Receiver::Refuse, Receiver::AcceptAfter { seconds: 9.0 }][dice.roll(3)];
            aws.sim.set_receiver("live.example.net", None, receiver);
        }
        4 => aws.sim.disconnect("live.example.net", None),
        5 => {
            let status = dice.one(&["IDLE", "RUNNING", "RECOVERING", "UPDATE_FAILED", "CREATE_FAILED"]);
            let edit = Edit { channel: Some(dice.one(&["a", "b"])), status: Some(status), ..Edit::default() };
            drop(aws.sim.edit(&edit));
        }
        _ => aws.pass(dice.roll(60) as u64),
    }
}

/// What is true whatever was called.
fn check(aws: &Aws, flows: &[String]) {
    let state = aws.sim.state();
    let medialive = &state[REGION]["medialive"];
    let list = |kind: &str| medialive[kind].as_array().cloned().unwrap_or_default();
    let (channels, inputs) = (list("channels"), list("inputs"));
    assert!(channels.len() <= 3 && inputs.len() <= 4, "{} channels, {} inputs", channels.len(), inputs.len());
    for channel in &channels {
        let running = channel["state"] == "RUNNING";
        assert!(running || channel["pipelinesRunningCount"] == 0, "{channel}");
        assert_eq!(
            channel["pipelineDetails"].as_array().map(Vec::len),
            channel["pipelinesRunningCount"].as_u64().map(|n| n as usize)
        );
        let set = aws.medialive("ListAlerts", json!({ "channelId": channel["id"] })).expect("alerts");
        assert!(running || set["alerts"] == json!([]), "{channel} {set}");
        for attachment in channel["inputAttachments"].as_array().into_iter().flatten() {
            let there = inputs.iter().find(|input| input["id"] == attachment["inputId"]).expect("an attached input");
            assert_eq!(there["attachedChannels"], json!([channel["id"]]));
        }
    }
    let mut outputs = Vec::new();
    for flow in flows {
        let seen = aws.describe(flow);
        for output in seen["outputs"].as_array().into_iter().flatten() {
            outputs.push((flow.clone(), text(&output["mediaLiveInputArn"])));
        }
    }
    for input in &inputs {
        let attached = input["attachedChannels"].as_array().is_some_and(|channels| !channels.is_empty());
        assert!(!attached || input["state"] == "ATTACHED", "{input}");
        assert!(attached || input["state"] != "ATTACHED", "{input}");
        for flow in input["mediaConnectFlows"].as_array().into_iter().flatten() {
            let ours = (text(&flow["flowArn"]), text(&input["arn"]));
            let at = outputs.iter().position(|output| *output == ours).expect("a managed output");
            outputs.remove(at);
        }
    }
    assert!(outputs.is_empty(), "managed outputs of nobody: {outputs:?}");
}

#[test]
fn after_any_calls_in_any_order_what_must_be_true_is() {
    let mut taken = std::collections::BTreeMap::<&str, u32>::new();
    for seed in 0..8 {
        let mut dice = Dice::new(seed);
        let aws = Aws::new();
        aws.sim.set_quotas(&json!({ "channels": 3, "pushInputs": 4, "outputsPerFlow": 3 })).expect("quotas");
        let flows: Vec<String> = ["eu-west-1a", "eu-west-1b"]
            .into_iter()
            .map(|zone| {
                let source = listener("primary", 5000);
                aws.flow_of(json!({ "name": zone, "source": source, "availabilityZone": zone }))
            })
            .collect();
        for _ in 0..120 {
            let (operation, input) = step(&mut dice, &aws.sim.state(), &flows);
            match aws.medialive(operation, input.clone()) {
                Ok(_) => *taken.entry(operation).or_default() += 1,
                Err(failure) => {
                    assert!([400, 403, 404, 409, 422].contains(&failure.status), "{operation} {input}: {failure:?}");
                }
            }
            happen(&aws, &mut dice, &flows);
            check(&aws, &flows);
        }
    }
    // The walk is worth something only if it gets everywhere.
    assert_eq!(taken.len(), 13, "{taken:?}");
}
