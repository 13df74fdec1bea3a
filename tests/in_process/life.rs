//! A life: what a user does, part by part, and what is true at the end of each. Which one, its script tells.

use std::sync::Arc;
use std::time::Duration;

use playout_api::{Destination, Source};
use playout_aws::account::sdk_config;
use playout_aws::redact::Redactor;
use playout_core::identity::Identity;
use playout_sim::Switches;
use serde_json::{Value, json};

use super::api_server::Change;
use super::operator::{Operator, REGION, Stop, World};
use super::script::Script;
use super::wire::{Alive, Boundary, Fault};

const PATIENCE: Duration = Duration::from_secs(1800);

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

pub fn identity(kind: &str, name: &str) -> Identity {
    Identity {
        cluster: "test-cluster".into(),
        kind: kind.into(),
        namespace: super::api_server::NAMESPACE.into(),
        name: name.into(),
        uid: String::new(),
    }
}

pub fn flows(world: &World) -> Vec<Value> {
    world.sim.state()[REGION]["mediaconnect"]["flows"].as_array().cloned().unwrap_or_default()
}

pub fn our_flow(world: &World) -> Result<Value, String> {
    let name = identity("Source", "studio").flow_name();
    let mut found: Vec<Value> = flows(world).into_iter().filter(|flow| flow["name"] == json!(name)).collect();
    match (found.pop(), found.len()) {
        (Some(flow), 0) => Ok(flow),
        (_, more) => Err(format!("{} flows of the Source instead of one", if more == 0 { 0 } else { more + 1 })),
    }
}

pub async fn make_foreign_flow(world: &World) {
    let source = aws_sdk_mediaconnect::types::SetSourceRequest::builder()
        .name("theirs")
        .protocol("srt-listener".into())
        .ingest_port(5000)
        .whitelist_cidr("192.0.2.0/24")
        .build();
    let settings = world.settings(None, &Arc::new(Alive::default()), &Redactor::default());
    let client = aws_sdk_mediaconnect::Client::new(&sdk_config(&settings).await);
    client.create_flow().name("somebody-elses").sources(source).send().await.expect("a foreign flow");
}

/// No object is left, and in AWS only so much that is somebody else's.
pub fn nothing_is_left(world: &World, theirs: u64) -> Result<(), String> {
    let left: Vec<_> = world.cluster.objects().into_keys().filter(|key| key.0 != "secrets").collect();
    if !left.is_empty() {
        return Err(format!("objects are left: {left:?}"));
    }
    let counts = world.sim.counts();
    same("what is left in AWS", &counts["total"], &json!(theirs)).map_err(|text| format!("{text}: {counts}"))
}

pub fn same(what: &str, found: &Value, wanted: &Value) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found} instead of {wanted}")) }
}

pub fn ready(object: &Value) -> Result<(), String> {
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
                *operator = Operator::after_a_crash(world).await;
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
        *operator = Operator::after_a_crash(world).await;
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
    /// Whose.
    pub script: Script,
    /// The request that is struck, by what, and in which part. That part is lived to its end, then everything is deleted.
    pub strike: Option<(usize, Fault, usize)>,
    /// What strikes the same request when it is sent again.
    pub then: Option<Fault>,
    /// How much later than the API server the operator's caches know.
    pub lag: Duration,
    /// Whether RTMP outputs are measured, which no page of AWS's promises.
    pub rtmp_output_metrics: bool,
    /// Look twice at the end of every part, and not only of the one that was struck.
    pub thorough: bool,
}

/// Lives the life.
pub async fn live(plan: Plan) -> (Vec<Boundary>, Result<(), String>) {
    let switches = Switches { rtmp_output_metrics: plan.rtmp_output_metrics, ..Switches::default() };
    let mut world = World::publishing(&switches, plan.strike.map(|(place, fault, _)| (place, fault)));
    world.lag = plan.lag;
    world.wire.strike_again(plan.then);
    let result = parts(&world, plan).await;
    (world.wire.trace(), result)
}

async fn parts(world: &World, plan: Plan) -> Result<(), String> {
    let script = plan.script;
    script.make_foreign(world).await;
    let born = world.sim.log(0).len();
    let mut names = foreign_names(&script.foreign(world, 0));
    let mut operator = Operator::start(world).await;
    let (count, mut lived) = (script.phases().len(), Vec::new());
    let last = plan.strike.map_or(count, |(_, _, phase)| phase);
    for phase in (0..count).filter(|phase| *phase <= last || script.deletes(*phase)) {
        let struck = plan.strike.filter(|(_, _, struck)| *struck == phase);
        let linger = struck.is_some_and(|(_, fault, _)| fault.lingers());
        let told = |text: String| format!("{}: {text}", script.phases()[phase]);
        let wrong = |lived: &[usize]| world.wire.accused().or_else(|| script.made_too_often(&world.sim.log(0), lived));
        let verify = |lived: &[usize]| match wrong(lived) {
            Some(what) => Err(told(what)),
            None => script.verify_now(world, phase).map_err(told),
        };
        world.wire.enter(phase);
        lived.push(phase);
        let mut theirs = script.foreign(world, phase);
        script.play(world, phase).await?;
        if script.is_strangers(phase) {
            theirs = script.foreign(world, phase);
            names = foreign_names(&theirs);
            operator.look_again();
        }
        rest(world, &mut operator, linger).await.map_err(told)?;
        verify(&lived)?;
        if plan.thorough || struck.is_some() {
            verify_rest(world, &mut operator).await.map_err(told)?;
            verify(&lived)?;
        }
        let now = script.foreign(world, phase);
        if now != theirs {
            return Err(told(format!("something foreign was touched: {theirs} -> {now}")));
        }
    }
    let log = world.sim.log(0);
    let touched = log[born..].iter().find(|e| e.mutating && e.names.iter().any(|name| names.contains(name)));
    touched.map_or(Ok(()), |entry| Err(format!("a request names what is foreign: {} {}", entry.operation, entry.body)))
}

/// The ids and ARNs of what is somebody else's.
fn foreign_names(theirs: &Value) -> Vec<String> {
    let lists = theirs.as_object().into_iter().flatten().map(|(_, list)| list);
    let all = lists.filter_map(Value::as_array).flatten();
    let members = all.flat_map(|one| ["id", "arn", "flowArn", "outputArn"].map(|member| one[member].clone()));
    members.filter_map(|name| name.as_str().map(str::to_string)).collect()
}

/// Lives the life with two operators that both believe that they lead; the caches of the second are behind.
pub async fn live_twice(script: Script, behind: Duration) -> (Vec<Boundary>, Result<(), String>) {
    let world = World::new(None);
    let result = parts_of_two(&world, script, behind).await;
    (world.wire.trace(), result)
}

async fn parts_of_two(world: &World, script: Script, behind: Duration) -> Result<(), String> {
    script.make_foreign(world).await;
    let (mut one, mut two) = (Operator::start(world).await, Operator::start(world).await);
    two.lag = behind;
    let mut lived = Vec::new();
    for phase in (0..script.phases().len()).filter(|phase| !script.is_strangers(*phase)) {
        let told = |text: String| format!("{}: {text}", script.phases()[phase]);
        world.wire.enter(phase);
        lived.push(phase);
        let theirs = script.foreign(world, phase);
        script.play(world, phase).await?;
        loop {
            let both = tokio::join!(one.settle(world, PATIENCE), two.settle(world, PATIENCE));
            if both != (Ok(()), Ok(())) {
                return Err(told(format!("no rest: {} {}", one.unsettled(), two.unsettled())));
            }
            if one.is_settled(world) && two.is_settled(world) {
                break;
            }
        }
        script.verify_now(world, phase).map_err(told)?;
        if let Some(what) = script.two_made_too_often(&world.sim.log(0), &lived) {
            return Err(told(what));
        }
        if script.foreign(world, phase) != theirs {
            return Err(told("something foreign was touched".into()));
        }
    }
    Ok(())
}
