//! A Destination whose receiver refuses it: it is tried as often as its spec says, then given up and costs nothing any more;
//! the annotation brings it back. The same for an output of the flow and for a channel.

use playout_sim::{LogEntry, Receiver};
use serde_json::{Value, json};

use super::life::{destination, nothing_is_left, our_flow, ready, same, secret, source};
use super::operator::World;
use super::transcode::{NAME, ours};
use super::{passthrough, transcode};

/// What carries it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivery {
    Output,
    Channel,
}

/// The parts.
pub const PHASES: [&str; 3] = ["refused", "back", "delete"];
pub const REFUSED: usize = 0;
pub const BACK: usize = 1;
const DELETE: usize = 2;
const RECEIVER: &str = "a.rtmps.youtube.com";
/// Restarts.
const ATTEMPTS: usize = 1;

/// Does one part as a user would.
pub fn play(world: &World, phase: usize, delivery: Delivery) {
    let cluster = &world.cluster;
    match phase {
        REFUSED => {
            world.sim.set_receiver(RECEIVER, None, Receiver::Refuse);
            cluster.create("secrets", secret(NAME, "youtube-key-0001"));
            cluster.create("sources", source());
            let mut spec = json!({ "platform": "YouTube", "retry": { "attempts": ATTEMPTS, "after": "15s", "backoff": "5s" },
                "streamKey": { "secretRef": { "name": NAME, "key": "key" } } });
            if delivery == Delivery::Channel {
                spec["delivery"] = json!("Transcode");
            }
            cluster.create("destinations", destination(NAME, spec));
        }
        BACK => {
            world.sim.set_receiver(RECEIVER, None, Receiver::Accept);
            let annotations = json!({ "playout.dev/reconcile-at": "now" });
            cluster.edit("destinations", NAME, &json!({ "metadata": { "annotations": annotations } }));
        }
        _ => {
            // In the order in which kubectl delete -f takes them: the Source waits for its users.
            cluster.delete("sources", "studio");
            cluster.delete("destinations", NAME);
        }
    }
}

/// What was made more often than these parts ask for: a channel for the tries and one for the way back, an output for both.
pub fn made_too_often(log: &[LogEntry], lived: &[usize], delivery: Delivery) -> Option<String> {
    match delivery {
        Delivery::Output => passthrough::made_too_often(log),
        Delivery::Channel => transcode::made_too_often(log, lived.iter().filter(|phase| **phase != DELETE).count()),
    }
}

/// How often it went on the air.
fn starts(log: &[LogEntry], delivery: Delivery) -> usize {
    let done = log.iter().filter(|e| e.processed && e.status.is_none_or(|s| s < 300 || e.fault.is_some()));
    let mut on = false;
    done.filter(|entry| {
        let before = on;
        match (delivery, entry.operation.as_str()) {
            (Delivery::Channel, "StartChannel") => on = true,
            (Delivery::Channel, "StopChannel") => on = false,
            (Delivery::Output, "AddFlowOutputs") => on = true,
            (Delivery::Output, "UpdateFlowOutput") => on = entry.body["outputStatus"] != "DISABLED",
            _ => {}
        }
        on && !before
    })
    .count()
}

/// What must be there now, however it came about.
pub fn verify_now(world: &World, phase: usize, delivery: Delivery) -> Result<(), String> {
    if phase == DELETE {
        // The foreign flow, input and channel.
        return nothing_is_left(world, 3);
    }
    let (inputs, channels) = (ours(world, "inputs"), ours(world, "channels"));
    let back = phase == BACK;
    let encoded = usize::from(back && delivery == Delivery::Channel);
    same("number of inputs", &json!(inputs.len()), &json!(encoded))?;
    same("number of channels", &json!(channels.len()), &json!(encoded))?;
    let flow = our_flow(world)?;
    same("status of the flow", &flow["status"], &json!(if back { "ACTIVE" } else { "STANDBY" }))?;
    let outputs = flow["outputs"].as_array().cloned().unwrap_or_default();
    let sends = usize::from(back || delivery == Delivery::Output);
    same("number of outputs", &json!(outputs.len()), &json!(sends))?;
    if delivery == Delivery::Output {
        let word = if back { "ENABLED" } else { "DISABLED" };
        same("outputStatus", &outputs[0]["outputStatus"], &json!(word))?;
    }
    let object = world.cluster.object("destinations", NAME).ok_or("no Destination")?;
    let status = &object["status"];
    let (started, stalled) = (starts(&world.sim.log(0), delivery), condition(&object, "Stalled"));
    if back {
        ready(&object)?;
        same("Stalled", &stalled, &Value::Null)?;
        same("last error", &status["lastError"], &Value::Null)?;
        return same("state", &status["state"], &json!("Running"));
    }
    // A stop that AWS carries out late takes off what was started again meanwhile; that it goes on again is no attempt.
    let stops = |label: &str| label.starts_with("PUT ") || label.contains("/stop");
    let late = world.wire.trace().iter().filter(|b| b.outcome.starts_with("Late") && stops(&b.label)).count();
    let times = 1 + ATTEMPTS;
    if !(times..=times + late).contains(&started) {
        return Err(format!("{started} times on the air instead of {times}"));
    }
    same("state", &status["state"], &json!("Error"))?;
    same("Stalled", &stalled["status"], &json!("True"))?;
    same("reason", &stalled["reason"], &json!("GaveUp"))?;
    same("counted restarts", &status["retries"]["count"], &json!(ATTEMPTS))?;
    same("Ready of the Source", &condition_of_source(world)?, &json!("True"))
}

fn condition(object: &Value, type_: &str) -> Value {
    let mut all = object["status"]["conditions"].as_array().into_iter().flatten();
    all.find(|c| c["type"] == type_).cloned().unwrap_or_default()
}

fn condition_of_source(world: &World) -> Result<Value, String> {
    let source = world.cluster.object("sources", "studio").ok_or("no Source")?;
    Ok(condition(&source, "Ready")["status"].clone())
}
