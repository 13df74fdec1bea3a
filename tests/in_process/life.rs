//! The whole life of a Source with three Destinations: YouTube with a key from a Secret, Twitch with one from SSM, a partner over
//! SRT with a password. What is true at the end of each part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use playout_core::api::{Destination, Source};
use playout_core::names::Identity;
use playout_operator::aws::account::sdk_config;
use playout_operator::clock::pause;
use playout_operator::redact::Redactor;
use playout_sim::{LogEntry, Seed};
use serde_json::{Value, json};

use super::api_server::Change;
use super::operator::{Operator, REGION, Stop, World};
use super::wire::{Alive, Boundary, Fault};

/// The parts.
pub const PHASES: [&str; 6] = ["create", "stranger", "edit", "stop", "start", "delete"];
const CREATE: usize = 0;
const STRANGER: usize = 1;
const EDIT: usize = 2;
const STOP: usize = 3;
const START: usize = 4;
const DELETE: usize = 5;
const PATIENCE: Duration = Duration::from_secs(1800);
const DESTINATIONS: [&str; 3] = ["partner", "twitch", "youtube"];

/// A stream key as a Secret holds it.
pub fn secret(name: &str, text: &str) -> Value {
    let data = k8s_openapi::ByteString(text.as_bytes().to_vec());
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "data": { "key": data } })
}

pub fn source() -> Value {
    let object = json!({
        "apiVersion": "playout.dev/v1alpha1", "kind": "Source", "metadata": { "name": "studio" },
        "spec": { "inputs": [{ "name": "encoder", "priority": "Primary", "protocol": "SrtListener",
            "srtListener": { "port": 5000, "allowedCidr": "203.0.113.0/24" } }] },
    });
    with_defaults::<Source>(object)
}

pub fn destination(name: &str, spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": "playout.dev/v1alpha1", "kind": "Destination", "metadata": { "name": name },
        "spec": { "from": { "name": "studio" }, "state": "Running", "updatePolicy": "Restart" },
    });
    for (key, value) in spec.as_object().cloned().unwrap_or_default() {
        object["spec"][key] = value;
    }
    with_defaults::<Destination>(object)
}

/// As admission leaves it.
fn with_defaults<K: serde::de::DeserializeOwned + serde::Serialize>(object: Value) -> Value {
    let typed: K = serde_json::from_value(object).expect("a manifest");
    let mut object = serde_json::to_value(typed).expect("JSON");
    if let Some(members) = object.as_object_mut() {
        members.retain(|key, value| key != "status" || !value.is_null());
    }
    object
}

fn identity(kind: &str, name: &str) -> Identity {
    Identity {
        cluster: "test-cluster".into(),
        kind: kind.into(),
        namespace: super::api_server::NAMESPACE.into(),
        name: name.into(),
        uid: String::new(),
    }
}

/// Does one part as a user would.
async fn play(world: &World, phase: usize) -> Result<(), String> {
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
            // In the order in which kubectl delete -f takes them: the Source waits for its users.
            cluster.delete("sources", "studio");
            for name in DESTINATIONS {
                cluster.delete("destinations", name);
            }
        }
    }
    Ok(())
}

fn flows(world: &World) -> Vec<Value> {
    world.sim.state()[REGION]["mediaconnect"]["flows"].as_array().cloned().unwrap_or_default()
}

fn our_flow(world: &World) -> Result<Value, String> {
    let name = identity("Source", "studio").flow_name();
    let mut found: Vec<Value> = flows(world).into_iter().filter(|flow| flow["name"] == json!(name)).collect();
    match (found.pop(), found.len()) {
        (Some(flow), 0) => Ok(flow),
        (_, more) => Err(format!("{} flows of the Source instead of one", if more == 0 { 0 } else { more + 1 })),
    }
}

/// What belongs to somebody else, as AWS shows it.
fn foreign(world: &World) -> Value {
    let mut all = flows(world);
    let name = identity("Source", "studio").flow_name();
    let output = all
        .iter()
        .find(|flow| flow["name"] == json!(name))
        .and_then(|flow| flow["outputs"].as_array())
        .and_then(|outputs| outputs.iter().find(|o| o["name"] == "somebody-elses").cloned());
    all.retain(|flow| flow["name"] == "somebody-elses");
    json!({ "flows": all, "output": output })
}

async fn make_foreign_flow(world: &World) {
    let source = aws_sdk_mediaconnect::types::SetSourceRequest::builder()
        .name("theirs")
        .protocol("srt-listener".into())
        .ingest_port(5000)
        .whitelist_cidr("192.0.2.0/24")
        .build();
    let client = tester(world).await;
    client.create_flow().name("somebody-elses").sources(source).send().await.expect("a foreign flow");
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

async fn tester(world: &World) -> aws_sdk_mediaconnect::Client {
    let settings = world.settings(None, &Arc::new(Alive::default()), &Redactor::default());
    aws_sdk_mediaconnect::Client::new(&sdk_config(&settings).await)
}

/// Requests that were processed and made something, by operation and name.
fn made(log: &[LogEntry]) -> BTreeMap<String, usize> {
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

/// What must be true when a part is over.
fn verify(world: &World, phase: usize) -> Result<(), String> {
    let twice = made(&world.sim.log(0)).into_iter().find(|(_, times)| *times > 1);
    match twice {
        Some((what, times)) => Err(format!("{what} was made {times} times")),
        None => verify_now(world, phase),
    }
}

/// What must be there now, however it came about.
fn verify_now(world: &World, phase: usize) -> Result<(), String> {
    let log = world.sim.log(0);
    if phase == DELETE {
        let left: Vec<_> = world.cluster.objects().into_keys().filter(|key| key.0 != "secrets").collect();
        if !left.is_empty() {
            return Err(format!("objects are left: {left:?}"));
        }
        // The foreign flow and the parameter of the user.
        let counts = world.sim.counts();
        if counts["total"] != 2 {
            return Err(format!("something is left in AWS: {counts}"));
        }
        return Ok(());
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
                let stored = log
                    .iter()
                    .rev()
                    .find(|e| e.processed && ["CreateSecret", "PutSecretValue"].contains(&e.operation.as_str()));
                same("password", &stored.map_or(Value::Null, |e| e.body["SecretString"].clone()), &json!(password))?;
                let copies = world.sim.state()[REGION]["secretsmanager"]["secrets"].clone();
                same("number of copies", &json!(copies.as_array().map_or(0, Vec::len)), &json!(1))?;
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

fn same(what: &str, found: &Value, wanted: &Value) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found} instead of {wanted}")) }
}

fn ready(object: &Value) -> Result<(), String> {
    let name = &object["metadata"]["name"];
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let ready = conditions.iter().find(|c| c["type"] == "Ready").cloned().unwrap_or_default();
    same(&format!("Ready of {name}"), &ready["status"], &json!("True"))?;
    same(&format!("generation of {name}"), &ready["observedGeneration"], &object["metadata"]["generation"])
}

/// Runs the operator, and starts it again when it has crashed.
async fn rest(world: &World, operator: &mut Operator, linger: bool) -> Result<(), String> {
    let mut lingering = linger;
    loop {
        let stop = match operator.settle(world, PATIENCE).await {
            Ok(()) if lingering => {
                lingering = false;
                // Longer than AWS shows what is not true, and long enough that everything is looked at again.
                match operator.run_for(world, Duration::from_secs(150)).await {
                    Ok(()) => continue,
                    Err(stop) => stop,
                }
            }
            Ok(()) => return Ok(()),
            Err(stop) => stop,
        };
        match stop {
            Stop::Crashed => {
                *operator = Operator::start(world).await;
            }
            Stop::OutOfTime => {
                let shown: Vec<_> = world.cluster.objects().into_iter().filter(|(key, _)| key.0 != "secrets").collect();
                return Err(format!("no rest; last passes {}; objects {shown:#?}", operator.unsettled()));
            }
        }
    }
}

/// Looks at everything anew, and not at what it knows from a moment ago.
async fn look_again(world: &World, operator: &mut Operator) -> Result<(), String> {
    if operator.run_for(world, Duration::from_secs(2)).await.is_err() {
        *operator = Operator::start(world).await;
    }
    operator.look_again();
    rest(world, operator, false).await
}

/// Another look at everything changes nothing.
async fn verify_rest(world: &World, operator: &mut Operator) -> Result<(), String> {
    let changes = |world: &World| {
        let aws = world.sim.log(0).iter().filter(|e| e.mutating).count();
        (aws, world.cluster.changed())
    };
    let before = changes(world);
    let objects = world.cluster.objects();
    look_again(world, operator).await?;
    match changes(world) {
        after if after == before => Ok(()),
        after => {
            let news = world.cluster.changes(before.1);
            let mut told = Vec::new();
            for (_, key, change) in &news {
                let (Change::Applied(now) | Change::Deleted(now)) = change;
                differences(&key.1, objects.get(key).unwrap_or(&Value::Null), now, &mut told);
            }
            Err(format!("a further look changed something: {before:?} -> {after:?} (AWS, API server): {told:#?}"))
        }
    }
}

fn differences(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                differences(&format!("{path}.{key}"), &before[key], &after[key], found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{place}]"), a, b, found);
            }
        }
        _ if before == after || path.ends_with(".resourceVersion") => {}
        _ => found.push(format!("{path}: {before} -> {after}")),
    }
}

/// What a life is to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// The request that is struck, by what, and in which part. That part is lived to its end, then everything is deleted.
    pub strike: Option<(usize, Fault, usize)>,
    /// How much later than the API server the operator's caches know.
    pub lag: Duration,
    /// Look twice at the end of every part, and not only of the one that was struck.
    pub thorough: bool,
}

/// Lives the life.
pub async fn live(plan: Plan) -> (Vec<Boundary>, Result<(), String>) {
    let mut world = World::new(plan.strike.map(|(place, fault, _)| (place, fault)));
    world.lag = plan.lag;
    let result = parts(&world, plan).await;
    (world.wire.trace(), result)
}

async fn parts(world: &World, plan: Plan) -> Result<(), String> {
    make_foreign_flow(world).await;
    let mut theirs = foreign(world);
    let mut operator = Operator::start(world).await;
    let last = plan.strike.map_or(DELETE, |(_, _, phase)| phase);
    for phase in (0..PHASES.len()).filter(|phase| *phase <= last || *phase == DELETE) {
        let struck = plan.strike.filter(|(_, _, struck)| *struck == phase);
        let linger = struck.is_some_and(|(_, fault, _)| fault.lingers());
        let told = |text: String| format!("{}: {text}", PHASES[phase]);
        world.wire.enter(phase);
        play(world, phase).await?;
        if phase == STRANGER {
            theirs = foreign(world);
            operator.look_again();
        }
        rest(world, &mut operator, linger).await.map_err(told)?;
        verify(world, phase).map_err(told)?;
        if plan.thorough || struck.is_some() {
            verify_rest(world, &mut operator).await.map_err(told)?;
            verify(world, phase).map_err(told)?;
        }
        // With the flow goes what is on it.
        let (now, then) = (foreign(world), &theirs);
        if now["flows"] != then["flows"] || (phase != DELETE && now["output"] != then["output"]) {
            return Err(told(format!("something foreign was touched: {then} -> {now}")));
        }
    }
    let arn = theirs["output"]["outputArn"].as_str().unwrap_or("none");
    let touched = world.sim.log(0).into_iter().find(|e| e.mutating && e.names.iter().any(|name| name == arn));
    touched
        .map_or(Ok(()), |entry| Err(format!("a request names the foreign output: {} {}", entry.operation, entry.body)))
}

/// Lives the life with two operators that both believe that they lead; the caches of the second are behind.
pub async fn live_twice(behind: Duration) -> (Vec<Boundary>, Result<(), String>) {
    let world = World::new(None);
    let result = parts_of_two(&world, behind).await;
    (world.wire.trace(), result)
}

async fn parts_of_two(world: &World, behind: Duration) -> Result<(), String> {
    make_foreign_flow(world).await;
    let theirs = foreign(world);
    let (mut one, mut two) = (Operator::start(world).await, Operator::start(world).await);
    two.lag = behind;
    for phase in (0..PHASES.len()).filter(|phase| *phase != STRANGER) {
        world.wire.enter(phase);
        play(world, phase).await?;
        loop {
            let both = tokio::join!(one.settle(world, PATIENCE), two.settle(world, PATIENCE));
            if both != (Ok(()), Ok(())) {
                return Err(format!("{}: no rest: {} {}", PHASES[phase], one.unsettled(), two.unsettled()));
            }
            if one.is_settled(world) && two.is_settled(world) {
                break;
            }
        }
        verify_now(world, phase).map_err(|text| format!("{}: {text}", PHASES[phase]))?;
        // Outputs and copies have names that AWS keeps unique: made again after they were gone, they are not two. A flow is.
        if let Some((what, times)) = made(&world.sim.log(0)).into_iter().find(|(w, n)| w.starts_with("flow ") && *n > 1)
        {
            return Err(format!("{}: {what} was made {times} times", PHASES[phase]));
        }
        if foreign(world)["flows"] != theirs["flows"] {
            return Err(format!("{}: the foreign flow was touched", PHASES[phase]));
        }
    }
    Ok(())
}
