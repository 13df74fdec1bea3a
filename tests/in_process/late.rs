//! AWS carries a change out after its caller has given up, or died, and the user has changed his mind meanwhile: nothing that is
//! sent or paid for is said to be off or gone.

use std::time::Duration;

use serde_json::{Value, json};

use super::life::{destination, nothing_is_left, ready, secret, source};
use super::operator::{Operator, REGION, Stop, World};
use super::wire::{Boundary, Effect, Fault};

/// What is on the air.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Show {
    /// An output of the flow, with a password that is copied to AWS.
    Output,
    /// A channel.
    Channel,
    /// The flow alone.
    Flow,
}

/// What the user wants after all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mind {
    Stop,
    Delete,
}

const NAME: &str = "show";

fn begin(world: &World, show: Show) {
    let cluster = &world.cluster;
    cluster.create("secrets", secret(NAME, "password-or-key-0001"));
    let mut studio = source();
    if show == Show::Flow {
        studio["spec"]["state"] = json!("Running");
    }
    cluster.create("sources", studio);
    let key = json!({ "name": NAME, "key": "key" });
    let spec = match show {
        Show::Flow => return,
        Show::Output => json!({ "platform": "Custom", "url": "srt://198.51.100.7:9000",
            "encryption": { "algorithm": "Aes256", "passwordSecretRef": key } }),
        Show::Channel => json!({ "platform": "YouTube", "delivery": "Transcode", "encoding": "720p30",
            "streamKey": { "secretRef": key } }),
    };
    cluster.create("destinations", destination(NAME, spec));
}

fn object(show: Show) -> (&'static str, &'static str) {
    if show == Show::Flow { ("sources", "studio") } else { ("destinations", NAME) }
}

fn change_mind(world: &World, show: Show, mind: Mind) {
    let (plural, name) = object(show);
    match mind {
        Mind::Stop => world.cluster.edit(plural, name, &json!({ "spec": { "state": "Stopped" } })),
        Mind::Delete => world.cluster.delete(plural, name),
    }
}

/// What of it is in AWS, and what of that sends.
fn in_aws(world: &World, show: Show) -> (Vec<String>, Vec<String>) {
    let state = &world.sim.state()[REGION];
    let list = |service: &str, what: &str| state[service][what].as_array().cloned().unwrap_or_default();
    let (mut there, mut sends) = (Vec::new(), Vec::new());
    let mut put = |what: String, is_on: bool| {
        if is_on {
            sends.push(what.clone());
        }
        there.push(what);
    };
    for flow in list("mediaconnect", "flows") {
        if show == Show::Flow {
            put(format!("flow {}", flow["status"]), ["ACTIVE", "STARTING"].map(Value::from).contains(&flow["status"]));
        }
        for output in flow["outputs"].as_array().into_iter().flatten().filter(|_| show != Show::Flow) {
            put(format!("output {}", output["name"]), show == Show::Output && output["outputStatus"] != "DISABLED");
        }
    }
    for channel in list("medialive", "channels") {
        let on = ["RUNNING", "STARTING"].map(Value::from).contains(&channel["state"]);
        put(format!("channel {}", channel["state"]), on);
    }
    for input in list("medialive", "inputs") {
        put(format!("input {}", input["name"]), false);
    }
    for copy in list("secretsmanager", "secrets") {
        put(format!("secret {}", copy["name"]), false);
    }
    (there, sends)
}

/// What is claimed now and is not so.
fn lie(world: &World, show: Show) -> Option<String> {
    let (there, sends) = in_aws(world, show);
    let (plural, name) = object(show);
    let Some(object) = world.cluster.object(plural, name) else {
        return (!there.is_empty()).then(|| format!("it is gone, and there is {there:?}"));
    };
    let stopped = object["spec"]["state"] == "Stopped" && ready(&object).is_ok();
    (stopped && !sends.is_empty()).then(|| format!("it is said to be off the air, and there is {sends:?}"))
}

/// Goes on the air, is struck, and the user changes his mind. Without a strike: the requests of the way on the air.
pub async fn live(show: Show, strike: Option<(usize, Fault)>, mind: Mind) -> (Vec<Boundary>, Result<(), String>) {
    let world = World::new(strike);
    let result = second_by_second(&world, show, strike, mind).await;
    (world.wire.trace(), result)
}

/// The changes of a way on the air, by their places.
pub fn changes(trace: &[Boundary]) -> Vec<usize> {
    let is_change = |b: &Boundary| matches!(b.effect, Effect::AwsChange | Effect::AwsCreate);
    trace.iter().enumerate().filter(|(_, b)| is_change(b)).map(|(place, _)| place).collect()
}

async fn second_by_second(world: &World, show: Show, strike: Option<(usize, Fault)>, mind: Mind) -> Result<(), String> {
    begin(world, show);
    let mut operator = Operator::start(world).await;
    let mut struck_for = 0;
    let mut changed = None;
    for second in 0..400_u64 {
        match operator.run_for(world, Duration::from_secs(1)).await {
            Ok(()) => {}
            Err(Stop::Crashed) => operator = Operator::after_a_crash(world).await,
            Err(stop) => return Err(format!("{stop:?}")),
        }
        if let Some(lie) = lie(world, show) {
            return Err(format!("after {second} s: {lie}"));
        }
        let Some((place, fault)) = strike else {
            if second == 60 {
                return Ok(());
            }
            continue;
        };
        struck_for += u64::from(world.wire.trace().len() > place);
        // The caller has given up, or died and come back, and AWS has not done it yet.
        let soon = if fault == Fault::LateAndCrashed { 2 } else { 11 };
        if changed.is_none() && struck_for >= soon {
            change_mind(world, show, mind);
            changed = Some(second);
        }
        if changed.is_some_and(|at| second > at + 200) {
            break;
        }
    }
    if changed.is_none() {
        return Err("it was not struck".into());
    }
    let (there, sends) = in_aws(world, show);
    let (plural, name) = object(show);
    match (mind, world.cluster.object(plural, name)) {
        (Mind::Delete, None) if there.is_empty() && show == Show::Flow => nothing_is_left(world, 0),
        (Mind::Delete, None) if there.is_empty() => Ok(()),
        (Mind::Stop, Some(object)) if sends.is_empty() => ready(&object),
        (_, object) => Err(format!("at the end there is {there:?}, sending {sends:?}, of {object:#?}")),
    }
}
