//! A read that hangs holds up nobody who does not need it: 180 Destinations, and one of them is stopped.

use std::time::Duration;

use playout_sim::{Fault, FaultKind, LogEntry, When};
use serde_json::{Value, json};

use super::paused;
use crate::fixtures::life::{destination, flows, identity, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::{REGION, World};

const SOURCES: usize = 4;
const EACH: usize = 45;
const OTHER_REGION: &str = "eu-west-1";
/// A stop is sent by then, whatever hangs: it waits a second at most for an answer.
const SOON: Duration = Duration::from_secs(3);

fn name(source: usize, place: usize) -> String {
    format!("d{source}-{place}")
}

/// All of them on the air: those of the last Source in another region.
async fn on_the_air() -> (World, Operator) {
    let world = World::new(None);
    world.cluster.create("secrets", secret("key", "stream-key-0001"));
    for s in 0..SOURCES {
        let mut object = source();
        object["metadata"]["name"] = json!(format!("studio{s}"));
        if s + 1 == SOURCES {
            object["spec"]["region"] = json!(OTHER_REGION);
        }
        world.cluster.create("sources", object);
        for place in 0..EACH {
            let spec = json!({ "from": { "name": format!("studio{s}") }, "platform": "Custom",
                "url": format!("rtmp://r{place}.s{s}.example.net/live"),
                "streamKey": { "secretRef": { "name": "key", "key": "key" } } });
            world.cluster.create("destinations", destination(&name(s, place), spec));
        }
    }
    let mut operator = Operator::start(&world).await;
    operator.settle(&world, Duration::from_secs(1800)).await.expect("all are on the air");
    (world, operator)
}

fn status(world: &World, name: &str) -> Value {
    world.cluster.object("destinations", name).expect("it is there")["status"].clone()
}

fn ready(status: &Value) -> Value {
    let list = status["conditions"].as_array().cloned().unwrap_or_default();
    list.into_iter().find(|c| c["type"] == "Ready").unwrap_or_default()
}

fn hang(world: &World, service: &str, operation: &str, contains: Option<&str>) {
    let kind = FaultKind::Delay { milliseconds: 20_000, when: When::Before };
    let mut fault = Fault::new(service, operation, kind);
    fault.times = 0;
    fault.contains = contains.map(str::to_string);
    world.sim.plant_fault(fault);
}

/// The output that AWS has of a Destination: its ARN and that of its flow.
fn output(world: &World, region: &str, of: &str) -> (String, String) {
    let name = identity("Destination", of).output_name("primary");
    let flows = world.sim.state()[region]["mediaconnect"]["flows"].as_array().cloned().unwrap_or_default();
    for flow in flows {
        if let Some(found) = flow["outputs"].as_array().into_iter().flatten().find(|o| o["name"] == json!(name)) {
            let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
            return (text(&flow["flowArn"]), text(&found["outputArn"]));
        }
    }
    panic!("{of} has no output");
}

/// What was sent from `since` on until this output was stopped, of what concerns the output or its flow.
fn until_stopped(log: &[LogEntry], (flow, output): &(String, String)) -> Vec<LogEntry> {
    let concerns = |e: &&LogEntry| e.names.contains(flow) || e.names.contains(output);
    let end = log.iter().position(|e| stops(e, output)).expect("it was stopped");
    log[..end].iter().filter(concerns).cloned().collect()
}

/// Stops one, and says what was sent before the stop of what it may need: three calls at most, none that hangs.
async fn stop_in_time(world: &World, operator: &mut Operator, region: &str, of: &str, hanging: &str) {
    let arns = output(world, region, of);
    let since = world.sim.log(0).last().map_or(0, |e| e.seq);
    let start = world.clock.instant();
    world.cluster.edit("destinations", of, &json!({ "spec": { "state": "Stopped" } }));
    let off = |world: &World| world.sim.log(since).iter().any(|e| stops(e, &arns.1));
    while !off(world) {
        assert!(world.clock.instant() < start + SOON, "{of} is still on the air");
        operator.run_for(world, Duration::from_millis(50)).await.expect("it lives");
    }
    let before = until_stopped(&world.sim.log(since), &arns);
    let told: Vec<_> = before.iter().map(|e| format!("{} {}", e.operation, e.path)).collect();
    assert!(before.len() <= 3, "{told:?}");
    assert!(before.iter().all(|e| e.operation != hanging), "{told:?}");
}

fn stops(entry: &LogEntry, output: &String) -> bool {
    entry.operation == "UpdateFlowOutput" && entry.names.contains(output) && entry.processed
}

#[test]
fn a_stop_waits_for_no_list_of_secrets() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(async {
        let (world, mut operator) = on_the_air().await;
        assert!(world.sim.log(0).iter().all(|e| e.operation != "ListSecrets"), "nobody has a password");
        hang(&world, "secretsmanager", "*", None);
        operator.run_for(&world, Duration::from_secs(75)).await.expect("it lives");
        stop_in_time(&world, &mut operator, REGION, &name(0, 20), "ListSecrets").await;
        operator.run_for(&world, Duration::from_secs(10)).await.expect("it lives");
        assert_eq!(status(&world, &name(0, 20))["state"], "Idle");
        assert_eq!(ready(&status(&world, &name(1, 20)))["status"], "True");
    });
}

#[test]
fn a_stop_waits_for_no_other_region_and_not_for_its_own() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(async {
        let (world, mut operator) = on_the_air().await;
        // Every flow of one region. With the answers that hang, whoever looks there waits.
        hang(&world, "mediaconnect", "DescribeFlow", Some(REGION));
        operator.run_for(&world, Duration::from_secs(75)).await.expect("it lives");
        stop_in_time(&world, &mut operator, OTHER_REGION, &name(SOURCES - 1, 7), "none").await;

        // What nobody sees is not said to run, and it is said once.
        let blind = status(&world, &name(1, 3));
        assert_eq!((&blind["state"], &ready(&blind)["status"]), (&json!("Running"), &json!("Unknown")), "{blind}");
        let writes = world.cluster.changed();
        operator.run_for(&world, Duration::from_secs(300)).await.expect("it lives");
        let of_blind = |(_, key, _): &(_, (String, String), _)| key.1 == name(1, 3);
        assert_eq!(world.cluster.changes(writes).iter().filter(|c| of_blind(c)).count(), 0, "a write a look");

        let stopped = name(0, 20);
        stop_in_time(&world, &mut operator, REGION, &stopped, "none").await;
        operator.run_for(&world, Duration::from_secs(60)).await.expect("it lives");
        let told = status(&world, &stopped);
        assert_eq!(told["state"], "Stopping", "it was not seen off the air: {told}");
        assert_eq!(
            (&ready(&told)["status"], &ready(&told)["reason"]),
            (&json!("Unknown"), &json!("StopPending")),
            "{told}"
        );
        world.sim.clear_faults(None);
        operator.run_for(&world, Duration::from_secs(120)).await.expect("it lives");
        assert_eq!(status(&world, &stopped)["state"], "Idle");
        assert_eq!(ready(&status(&world, &name(1, 3)))["status"], "True");
        let sent = world.sim.log(0);
        let arns = output(&world, REGION, &stopped);
        assert_eq!(sent.iter().filter(|e| stops(e, &arns.1)).count(), 1, "it was sent once");
        assert_eq!(flows(&world).len(), SOURCES - 1);
    });
}

#[test]
fn a_stop_waits_for_no_secret() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(async {
        let (world, mut operator) = on_the_air().await;
        world.cluster.hang_on("secrets/key");
        world.cluster.edit("secrets", "key", &json!({ "metadata": { "annotations": { "touched": "yes" } } }));
        operator.run_for(&world, Duration::from_secs(200)).await.expect("it lives");
        // The keys cannot be read; what runs is looked at all the same.
        let other = status(&world, &name(2, 2));
        assert_eq!(other["state"], "Running", "{other}");
        stop_in_time(&world, &mut operator, REGION, &name(2, 20), "none").await;
    });
}

#[test]
fn a_stop_just_after_a_restart_goes_before_the_first_look_at_all() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(async {
        for hanging in ["ListSecrets", "DescribeFlow"] {
            let (world, operator) = on_the_air().await;
            drop(operator);
            match hanging {
                "ListSecrets" => hang(&world, "secretsmanager", hanging, None),
                _ => hang(&world, "mediaconnect", hanging, Some(OTHER_REGION)),
            }
            let mut operator = Operator::start(&world).await;
            operator.run_for(&world, Duration::from_millis(500)).await.expect("it lives");
            stop_in_time(&world, &mut operator, REGION, &name(0, 20), "ListSecrets").await;
        }
    });
}
