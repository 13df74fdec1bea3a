//! A Destination on the air that goes from an output of the flow to a channel of its own, and back. What is true at the end of
//! each part of it, and that something delivered all the time.

use playout_sim::LogEntry;
use serde_json::{Value, json};

use super::life::{destination, nothing_is_left, our_flow, ready, same, secret, source};
use super::operator::{CHANNEL_STARTING, World};
use super::transcode::{NAME, ours};
use super::{passthrough, transcode};

/// The parts.
pub const PHASES: [&str; 4] = ["create", "to a channel", "to an output", "delete"];
const CREATE: usize = 0;
pub const TO_CHANNEL: usize = 1;
pub const TO_OUTPUT: usize = 2;
const DELETE: usize = 3;

/// Does one part as a user would.
pub fn play(world: &World, phase: usize) {
    let cluster = &world.cluster;
    let change = |spec: Value| cluster.edit("destinations", NAME, &json!({ "spec": spec }));
    match phase {
        CREATE => {
            cluster.create("secrets", secret(NAME, "youtube-key-0001"));
            cluster.create("sources", source());
            let spec = json!({ "platform": "YouTube", "streamKey": { "secretRef": { "name": NAME, "key": "key" } } });
            cluster.create("destinations", destination(NAME, spec));
        }
        TO_CHANNEL => change(json!({ "delivery": "Transcode", "encoding": "720p30" })),
        TO_OUTPUT => change(json!({ "delivery": "Passthrough", "encoding": null })),
        _ => {
            // In the order in which kubectl delete -f takes them: the Source waits for its users.
            cluster.delete("sources", "studio");
            cluster.delete("destinations", NAME);
        }
    }
}

/// What was made more often than these parts ask for: an output for each way to one, and a channel for the way to it.
pub fn made_too_often(log: &[LogEntry], lived: &[usize]) -> Option<String> {
    let channels = lived.iter().filter(|phase| **phase == TO_CHANNEL).count();
    let outputs = lived.iter().filter(|phase| [CREATE, TO_OUTPUT].contains(*phase)).count();
    let made: usize =
        passthrough::made(log).iter().filter(|(what, _)| what.starts_with("output ")).map(|(_, n)| n).sum();
    let twice = (made > outputs).then(|| format!("outputs were made {made} times for {outputs} wishes"));
    twice.or_else(|| transcode::made_too_often(log, channels)).or_else(|| gap(log, lived))
}

/// Whether there was a moment, since it was first on the air, in which nothing delivered.
fn gap(log: &[LogEntry], lived: &[usize]) -> Option<String> {
    let starting = u64::try_from(CHANNEL_STARTING.as_micros()).expect("seconds");
    let (mut output, mut channel) = (false, None);
    for entry in log.iter().filter(|e| e.processed && e.status.is_none_or(|s| s < 300 || e.fault.is_some())) {
        let up = channel.is_some_and(|started| entry.simulated_micros >= started + starting);
        let alone = match entry.operation.as_str() {
            "AddFlowOutputs" => {
                output = true;
                false
            }
            "StartChannel" => {
                channel = channel.or(Some(entry.simulated_micros));
                false
            }
            "RemoveFlowOutput" => {
                output = false;
                !up
            }
            "StopChannel" => {
                channel = None;
                !output
            }
            "StopFlow" => true,
            _ => false,
        };
        if alone && !lived.contains(&DELETE) {
            return Some(format!("{} while nothing else delivered", entry.operation));
        }
    }
    None
}

/// What must be there now, however it came about.
pub fn verify_now(world: &World, phase: usize) -> Result<(), String> {
    if phase == DELETE {
        // The foreign flow, input and channel.
        return nothing_is_left(world, 3);
    }
    let (inputs, channels) = (ours(world, "inputs"), ours(world, "channels"));
    let encoded = usize::from(phase == TO_CHANNEL);
    same("number of inputs", &json!(inputs.len()), &json!(encoded))?;
    same("number of channels", &json!(channels.len()), &json!(encoded))?;
    let flow = our_flow(world)?;
    same("status of the flow", &flow["status"], &json!("ACTIVE"))?;
    let outputs = flow["outputs"].as_array().cloned().unwrap_or_default();
    same("number of outputs", &json!(outputs.len()), &json!(1))?;
    let object = world.cluster.object("destinations", NAME).ok_or("no Destination")?;
    let status = &object["status"];
    ready(&object)?;
    same("state", &status["state"], &json!("Running"))?;
    ready(&world.cluster.object("sources", "studio").ok_or("no Source")?)?;
    match channels.as_slice() {
        [channel] => {
            same("output of the input", &outputs[0]["mediaLiveInputArn"], &inputs[0]["arn"])?;
            same("state of the channel", &channel["state"], &json!("RUNNING"))?;
            let target = &channel["destinations"][0]["settings"][0];
            same("key", &target["streamName"], &json!("youtube-key-0001"))?;
            same("id of the channel", &status["channel"]["id"], &channel["id"])?;
            same("outputs in the status", &status["outputs"], &Value::Null)
        }
        _ => {
            let transport = &outputs[0]["transport"]["rtmpPushOutputSettings"];
            same("outputStatus", &outputs[0]["outputStatus"], &json!("ENABLED"))?;
            same("key", &transport["streamName"], &json!("youtube-key-0001"))?;
            same("ARN of the output", &status["outputs"][0]["arn"], &outputs[0]["outputArn"])?;
            same("channel in the status", &status["channel"], &Value::Null)
        }
    }
}
