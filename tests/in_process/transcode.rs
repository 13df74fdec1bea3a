//! The whole life of a Source with one Destination that a MediaLive channel encodes for, beside an input and a channel of somebody
//! else that bear the names of ours. What is true at the end of each part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use playout_aws::clock::pause;
use playout_aws::redact::Redactor;
use playout_aws::{Account, Region};
use playout_core::endpoint::Role;
use playout_core::identity::TAG_UID;
use playout_core::presets;
use playout_core::resources::channel::{ChannelSettings, NewChannel, NewInput, RtmpTarget};
use playout_core::secret::SecretText;
use playout_sim::LogEntry;
use serde_json::{Value, json};

use super::life::{destination, flows, identity, nothing_is_left, our_flow, ready, same, secret, source};
use super::operator::{CHANNEL_STOPPING, MEDIALIVE_ROLE, REGION, World};
use super::wire::Alive;

/// The parts.
pub const PHASES: [&str; 6] = ["create", "edit", "stop", "prepare", "start", "delete"];
const CREATE: usize = 0;
const EDIT: usize = 1;
const STOP: usize = 2;
const PREPARE: usize = 3;
const START: usize = 4;
const DELETE: usize = 5;
pub const NAME: &str = "youtube";
/// What is somebody else's has this tag.
const THEIRS: (&str, &str) = ("team", "news");

/// Does one part as a user would.
pub fn play(world: &World, phase: usize) {
    let cluster = &world.cluster;
    let change = |spec: Value| cluster.edit("destinations", NAME, &json!({ "spec": spec }));
    match phase {
        CREATE => {
            cluster.create("secrets", secret(NAME, "youtube-key-0001"));
            cluster.create("sources", source());
            let spec = json!({ "platform": "YouTube", "delivery": "Transcode", "encoding": "720p30",
                "streamKey": { "secretRef": { "name": NAME, "key": "key" } } });
            cluster.create("destinations", destination(NAME, spec));
        }
        EDIT => {
            cluster.edit("secrets", NAME, &json!({ "data": secret("", "youtube-key-0002")["data"] }));
            change(json!({ "encoding": "480p30" }));
        }
        STOP => change(json!({ "state": "Stopped" })),
        PREPARE => change(json!({ "prepare": true })),
        START => change(json!({ "state": "Running" })),
        _ => {
            // In the order in which kubectl delete -f takes them: the Source waits for its users.
            cluster.delete("sources", "studio");
            cluster.delete("destinations", NAME);
        }
    }
}

/// AWS as somebody else uses it.
async fn tester(world: &World) -> Arc<Region> {
    let settings = world.settings(None, &Arc::new(Alive::default()), &Redactor::default());
    Account::new(settings).await.expect("an account").region(None).await
}

/// An input and a channel of the names that ours will have, without our tags.
pub async fn make_foreign(world: &World) {
    let (aws, ours) = (tester(world).await, identity("Destination", NAME));
    let flow = flows(world)[0]["flowArn"].as_str().unwrap_or_default().to_string();
    let tags = BTreeMap::from([(THEIRS.0.to_string(), THEIRS.1.to_string())]);
    let role_arn = MEDIALIVE_ROLE.to_string();
    let input = NewInput { name: ours.input_name(), flow, role_arn: role_arn.clone(), tags: tags.clone() };
    let input = aws.media_live.create_input(&input, "theirs").await.expect("a foreign input");
    // Until both have come to rest.
    pause(Duration::from_secs(10)).await;
    let target = RtmpTarget {
        url: SecretText::new("rtmp://theirs.example.net:1935/live"),
        stream: SecretText::new("their-key"),
        login: None,
    };
    let settings = ChannelSettings {
        role_arn: Some(role_arn),
        inputs: vec![input.id],
        encoding: presets::built_in("480p30"),
        targets: BTreeMap::from([(Role::Primary, target)]),
    };
    let channel = NewChannel { name: ours.channel_name(), settings, tags };
    aws.media_live.create_channel(&channel, "theirs").await.expect("a foreign channel");
    pause(Duration::from_secs(10)).await;
}

fn all(world: &World, kind: &str) -> Vec<Value> {
    world.sim.state()[REGION]["medialive"][kind].as_array().cloned().unwrap_or_default()
}

fn is_theirs(resource: &Value) -> bool {
    resource["tags"][THEIRS.0] == THEIRS.1
}

/// What belongs to somebody else, as AWS shows it.
pub fn foreign(world: &World) -> Value {
    let theirs = |kind: &str| all(world, kind).into_iter().filter(is_theirs).collect::<Vec<_>>();
    let flows: Vec<Value> = flows(world).into_iter().filter(|flow| flow["name"] == "somebody-elses").collect();
    json!({ "flows": flows, "inputs": theirs("inputs"), "channels": theirs("channels") })
}

/// The inputs or channels that are not.
pub fn ours(world: &World, kind: &str) -> Vec<Value> {
    all(world, kind).into_iter().filter(|resource| !is_theirs(resource)).collect()
}

/// What was made while the one before was not removed yet.
pub fn two_at_once(log: &[LogEntry]) -> Option<String> {
    for (make, remove) in [("CreateInput", "DeleteInput"), ("CreateChannel", "DeleteChannel")] {
        let (mut tokens, mut there) = (BTreeSet::new(), 0);
        for entry in log.iter().filter(|e| e.processed && e.status.is_some_and(|s| s < 300)) {
            // The first is somebody else's.
            if entry.operation == make && tokens.insert(entry.body["requestId"].to_string()) && tokens.len() > 1 {
                there += 1;
            } else if entry.operation == remove {
                there -= 1;
            }
            if there > 1 {
                return Some(format!("{make} was done while there was one already"));
            }
        }
    }
    None
}

/// How often these parts of the life want a channel made: once for the show, and once for the one that was prepared.
pub fn wishes(lived: &[usize]) -> usize {
    lived.iter().filter(|phase| [CREATE, PREPARE].contains(*phase)).count()
}

/// What was done more often than it was wished. What is asked for again with the same token is the same.
pub fn made_too_often(log: &[LogEntry], wishes: usize) -> Option<String> {
    let made = |operation: &'static str| log.iter().filter(move |e| e.processed && e.operation == operation);
    for operation in ["CreateInput", "CreateChannel"] {
        let tokens: BTreeSet<_> = made(operation).map(|e| e.body["requestId"].to_string()).collect();
        // One is somebody else's.
        if tokens.len() > wishes + 1 {
            return Some(format!("{operation} was done {} times for {wishes} wishes", tokens.len() - 1));
        }
    }
    if flow_went_first(log) {
        return Some("a stop of the flow under a running channel".into());
    }
    let flows = made("CreateFlow").filter(|e| e.body["name"] != "somebody-elses").count();
    (flows > 1).then(|| format!("flow was made {flows} times"))
}

/// Whether a flow was stopped while a channel took it, which would be paid for and send nothing. A channel that has come to rest
/// takes nothing, whether it is removed yet or not.
fn flow_went_first(log: &[LogEntry]) -> bool {
    let (mut up, mut rests_at) = (false, 0);
    log.iter().filter(|e| e.processed).any(|e| {
        match e.operation.as_str() {
            "StartChannel" => up = true,
            "StopChannel" => {
                up = false;
                rests_at = e.simulated_micros + u64::try_from(CHANNEL_STOPPING.as_micros()).expect("a second");
            }
            _ => {}
        }
        e.operation == "StopFlow" && (up || e.simulated_micros < rests_at)
    })
}

/// What must be there now, however it came about.
pub fn verify_now(world: &World, phase: usize) -> Result<(), String> {
    if phase == DELETE {
        // The foreign flow, input and channel.
        return nothing_is_left(world, 3);
    }
    let (inputs, channels) = (ours(world, "inputs"), ours(world, "channels"));
    let there = u8::from(phase != STOP);
    same("number of inputs", &json!(inputs.len()), &json!(there))?;
    same("number of channels", &json!(channels.len()), &json!(there))?;
    let running = ![STOP, PREPARE].contains(&phase);
    let flow = our_flow(world)?;
    same("status of the flow", &flow["status"], &json!(if running { "ACTIVE" } else { "STANDBY" }))?;
    let outputs = flow["outputs"].as_array().cloned().unwrap_or_default();
    same("number of outputs", &json!(outputs.len()), &json!(there))?;
    let object = world.cluster.object("destinations", NAME).ok_or("no Destination")?;
    let status = &object["status"];
    ready(&object)?;
    same("state", &status["state"], &json!(if running { "Running" } else { "Idle" }))?;
    let source = world.cluster.object("sources", "studio").ok_or("no Source")?;
    ready(&source)?;
    same("ARN of the flow", &source["status"]["flowArn"], &flow["flowArn"])?;
    let ([input], [channel]) = (inputs.as_slice(), channels.as_slice()) else {
        return same("channel in the status", &status["channel"], &Value::Null);
    };
    same("output of the input", &outputs[0]["mediaLiveInputArn"], &input["arn"])?;
    same("flow of the input", &input["mediaConnectFlows"][0]["flowArn"], &flow["flowArn"])?;
    same("input of the channel", &channel["inputAttachments"][0]["inputId"], &input["id"])?;
    same("state of the channel", &channel["state"], &json!(if running { "RUNNING" } else { "IDLE" }))?;
    let (height, key) = if phase == CREATE { (720, "youtube-key-0001") } else { (480, "youtube-key-0002") };
    same("height", &channel["encoderSettings"]["videoDescriptions"][0]["height"], &json!(height))?;
    same("key", &channel["destinations"][0]["settings"][0]["streamName"], &json!(key))?;
    for (tag, value) in identity("Destination", NAME).tags(&BTreeMap::new()).into_iter().filter(|(t, _)| t != TAG_UID) {
        same(&format!("{tag} of the input"), &input["tags"][&tag], &json!(value))?;
        same(&format!("{tag} of the channel"), &channel["tags"][&tag], &json!(value))?;
    }
    same("id of the input", &status["channel"]["inputId"], &input["id"])?;
    same("id of the channel", &status["channel"]["id"], &channel["id"])?;
    same("state of the channel in the status", &status["channel"]["state"], &channel["state"])
}
