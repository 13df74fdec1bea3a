//! The whole life of a Source with three Destinations: YouTube with a key from a Secret, Twitch with one from SSM, a partner over
//! SRT with a password. What is true at the end of each part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use playout_aws::account::sdk_config;
use playout_aws::clock::pause;
use playout_aws::redact::Redactor;
use playout_sim::{Edit, LogEntry, Seed};
use serde_json::{Value, json};

use super::life::{destination, flows, identity, nothing_is_left, our_flow, ready, same, secret, source};
use super::operator::{REGION, World};
use super::wire::Alive;

/// The parts.
pub const PHASES: [&str; 6] = ["create", "stranger", "edit", "stop", "start", "delete"];
const CREATE: usize = 0;
pub const STRANGER: usize = 1;
const EDIT: usize = 2;
const STOP: usize = 3;
const START: usize = 4;
const DELETE: usize = 5;
const DESTINATIONS: [&str; 3] = ["partner", "twitch", "youtube"];

/// Does one part as a user would.
pub async fn play(world: &World, phase: usize) -> Result<(), String> {
    let cluster = &world.cluster;
    let state = |wish: &str| {
        for name in DESTINATIONS {
            cluster.edit("destinations", name, &json!({ "spec": { "state": wish } }));
        }
    };
    match phase {
        CREATE => {
            world.sim.seed(&Seed {
                parameters: vec![
                    serde_json::from_value(
                        json!({ "region": REGION, "name": "/keys/twitch", "value": "twitch-key-0001" }),
                    )
                    .expect("a parameter"),
                ],
                secrets: Vec::new(),
            });
            cluster.create("secrets", secret("youtube", "youtube-key-0001"));
            cluster.create("secrets", secret("partner", "partner-password-0001"));
            cluster.create("sources", source());
            cluster.create(
                "destinations",
                destination(
                    "youtube",
                    json!({ "platform": "YouTube",
                    "streamKey": { "secretRef": { "name": "youtube", "key": "key" } } }),
                ),
            );
            cluster.create(
                "destinations",
                destination("twitch", json!({ "platform": "Twitch", "streamKey": { "ssmParameter": "/keys/twitch" } })),
            );
            cluster.create(
                "destinations",
                destination("partner", json!({ "platform": "Custom", "url": "srt://198.51.100.7:9000",
                    "encryption": { "algorithm": "Aes256", "passwordSecretRef": { "name": "partner", "key": "key" } } })),
            );
        }
        // Somebody else puts an output on our flow.
        STRANGER => {
            // Later than the operator believes what it knows.
            pause(Duration::from_secs(1)).await;
            make_foreign_output(world).await?;
        }
        EDIT => {
            cluster.edit("secrets", "youtube", &json!({ "data": secret("", "youtube-key-0002")["data"] }));
            cluster.edit("secrets", "partner", &json!({ "data": secret("", "partner-password-0002")["data"] }));
        }
        STOP => state("Stopped"),
        START => state("Running"),
        _ => {
            // A flow is not deleted under it: the Source would wait.
            remove_foreign_output(world);
            // In the order in which kubectl delete -f takes them: the Source waits for its users.
            cluster.delete("sources", "studio");
            for name in DESTINATIONS {
                cluster.delete("destinations", name);
            }
        }
    }
    Ok(())
}

/// What belongs to somebody else, as AWS shows it.
pub fn foreign(world: &World, without_output: bool) -> Value {
    let mut all = flows(world);
    let name = identity("Source", "studio").flow_name();
    let output = all
        .iter()
        .find(|flow| flow["name"] == json!(name))
        .and_then(|flow| flow["outputs"].as_array())
        .and_then(|outputs| outputs.iter().find(|o| o["name"] == "somebody-elses").cloned());
    all.retain(|flow| flow["name"] == "somebody-elses");
    let outputs: Vec<Value> = output.into_iter().filter(|_| !without_output).collect();
    json!({ "flows": all, "outputs": outputs })
}

async fn make_foreign_output(world: &World) -> Result<(), String> {
    let flow = our_flow(world)?;
    let output = aws_sdk_mediaconnect::types::AddOutputRequest::builder()
        .name("somebody-elses")
        .protocol("srt-caller".into())
        .destination("198.51.100.99")
        .port(9999)
        // One that sends would be use, and keep the flow running.
        .output_status("DISABLED".into())
        .build();
    let client = tester(world).await;
    let call = client.add_flow_outputs().flow_arn(flow["flowArn"].as_str().unwrap_or_default()).outputs(output).send();
    call.await.map(drop).map_err(|_| "the foreign output cannot be added".to_string())
}

/// Not by a request: none may name what is foreign.
fn remove_foreign_output(world: &World) {
    let Ok(flow) = our_flow(world) else { return };
    let outputs = flow["outputs"].as_array().into_iter().flatten();
    if outputs.clone().any(|o| o["name"] == "somebody-elses") {
        let flow = flow["flowArn"].as_str().unwrap_or_default().to_string();
        let edit = Edit { flow, output: Some("somebody-elses".into()), remove: true, ..Edit::default() };
        world.sim.edit(&edit).expect("an output");
    }
}

pub async fn tester(world: &World) -> aws_sdk_mediaconnect::Client {
    let settings = world.settings(None, &Arc::new(Alive::default()), &Redactor::default());
    aws_sdk_mediaconnect::Client::new(&sdk_config(&settings).await)
}

/// Requests that were processed and made something, by operation and name.
pub fn made(log: &[LogEntry]) -> BTreeMap<String, usize> {
    let mut made = BTreeMap::new();
    let mut tokens = BTreeSet::new();
    for entry in log.iter().filter(|e| e.processed && e.status.is_none_or(|s| s < 300 || e.fault.is_some())) {
        let name = |value: &Value| value.as_str().unwrap_or_default().to_string();
        match entry.operation.as_str() {
            "CreateFlow" => *made.entry(format!("flow {}", name(&entry.body["name"]))).or_default() += 1,
            // Again with the same token: AWS answers as the first time.
            "CreateSecret" if tokens.insert(entry.body["ClientRequestToken"].to_string()) => {
                *made.entry(format!("secret {}", name(&entry.body["Name"]))).or_default() += 1;
            }
            "AddFlowOutputs" => {
                for output in entry.body["outputs"].as_array().into_iter().flatten() {
                    *made.entry(format!("output {}", name(&output["name"]))).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    made
}

/// What was made more than once.
pub fn made_too_often(log: &[LogEntry]) -> Option<String> {
    let twice = made(log).into_iter().find(|(_, times)| *times > 1);
    twice.map(|(what, times)| format!("{what} was made {times} times"))
}

/// What must be there now, however it came about.
pub fn verify_now(world: &World, phase: usize) -> Result<(), String> {
    let log = world.sim.log(0);
    if phase == DELETE {
        // The foreign flow and the parameter of the user.
        return nothing_is_left(world, 2);
    }
    let running = phase != STOP;
    let changed = phase >= EDIT;
    let flow = our_flow(world)?;
    let expected = if running { "ACTIVE" } else { "STANDBY" };
    same("status of the flow", &flow["status"], &json!(expected))?;
    let outputs = flow["outputs"].as_array().cloned().unwrap_or_default();
    let ours: BTreeMap<String, &Value> =
        outputs.iter().filter(|o| o["name"] != "somebody-elses").map(|o| (o["name"].to_string(), o)).collect();
    same("number of outputs", &json!(ours.len()), &json!(3))?;
    for name in DESTINATIONS {
        let identity = identity("Destination", name);
        let output =
            ours.get(&json!(identity.output_name("primary")).to_string()).ok_or(format!("{name} has no output"))?;
        let word = if running { "ENABLED" } else { "DISABLED" };
        same(&format!("outputStatus of {name}"), &output["outputStatus"], &json!(word))?;
        let path = &output["transport"]["rtmpPushOutputSettings"]["streamName"];
        match name {
            "youtube" => {
                let key = if changed { "youtube-key-0002" } else { "youtube-key-0001" };
                same("key of youtube", path, &json!(key))?;
                same("host of youtube", &output["destination"], &json!("a.rtmps.youtube.com"))?;
            }
            "twitch" => same("key of twitch", path, &json!("twitch-key-0001"))?,
            _ => {
                let password = if changed { "partner-password-0002" } else { "partner-password-0001" };
                let copies = world.sim.state()[REGION]["secretsmanager"]["secrets"].clone();
                same("number of copies", &json!(copies.as_array().map_or(0, Vec::len)), &json!(1))?;
                // Of two who lead, the one that is behind may have copied the old one once more.
                let is_it = |e: &&LogEntry| e.operation == "CreateSecret" && e.body["Name"] == copies[0]["Name"];
                let stored = log.iter().rev().find(|e| e.processed && is_it(e));
                same("password", &stored.map_or(Value::Null, |e| e.body["SecretString"].clone()), &json!(password))?;
                same("copy that is read", &output["encryption"]["secretArn"], &copies[0]["ARN"])?;
            }
        }
        let object = world.cluster.object("destinations", name).ok_or("no Destination")?;
        ready(&object)?;
        same("state", &object["status"]["state"], &json!(if running { "Running" } else { "Idle" }))?;
        same("ARN of the output", &object["status"]["outputs"][0]["arn"], &output["outputArn"])?;
    }
    let object = world.cluster.object("sources", "studio").ok_or("no Source")?;
    ready(&object)?;
    same("state", &object["status"]["state"], &json!(if running { "Running" } else { "Stopped" }))?;
    same("ARN of the flow", &object["status"]["flowArn"], &flow["flowArn"])
}
