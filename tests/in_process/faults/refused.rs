//! What AWS refuses holds up no start, no stop and no unrelated change, is told for as long as it stands, and is asked for again.

use std::time::Duration;

use playout_sim::{Encoder, Fault, FaultKind, LogEntry, Switches};
use serde_json::{Value, json};

use super::paused;
use crate::fixtures::life::{destination, identity, our_flow, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::{World, quick};

const LONG: Duration = Duration::from_secs(120);

fn lived(work: impl Future<Output = ()>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(work);
}

fn input(name: &str, priority: &str, port: u16) -> Value {
    json!({ "name": name, "priority": priority, "protocol": "SrtListener", "enabled": true,
        "srtListener": { "port": port, "allowedCidr": "203.0.113.0/24" } })
}

/// A Source with two inputs, and a Destination that is stopped.
async fn stopped() -> (World, Operator) {
    stopped_in(World::new(None)).await
}

async fn stopped_in(world: World) -> (World, Operator) {
    world.cluster.create("secrets", secret("youtube", "youtube-key-0001"));
    let mut two = source();
    two["spec"]["inputs"] = json!([input("main", "Primary", 5000), input("backup", "Backup", 5001)]);
    world.cluster.create("sources", two);
    let key = json!({ "secretRef": { "name": "youtube", "key": "key" } });
    let show = json!({ "platform": "YouTube", "streamKey": key, "state": "Stopped" });
    world.cluster.create("destinations", destination("youtube", show));
    let mut operator = Operator::start(&world).await;
    operator.settle(&world, LONG).await.expect("it settles");
    (world, operator)
}

fn set(world: &World, plural: &str, name: &str, spec: &Value) {
    world.cluster.edit(plural, name, &json!({ "spec": spec }));
}

fn refuse(world: &World, service: &str, operation: &str) {
    let kind = FaultKind::FailBefore {
        status: 400,
        code: "BadRequestException".into(),
        message: "ingestPort is nothing that AWS takes today".into(),
    };
    world.sim.plant_fault(Fault { times: 0, ..Fault::new(service, operation, kind) });
}

fn ready(world: &World, plural: &str, name: &str) -> (String, String) {
    let object = world.cluster.object(plural, name).unwrap_or_default();
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let ready = conditions.into_iter().find(|c| c["type"] == "Ready").unwrap_or_default();
    let text = |field: &str| ready[field].as_str().unwrap_or_default().to_string();
    (text("reason"), text("message"))
}

fn sent(log: &[LogEntry], operation: &str) -> usize {
    log.iter().filter(|entry| entry.operation == operation).count()
}

fn sources(flow: &Value) -> Vec<String> {
    let all = flow["sources"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<_> = all.iter().map(|s| s["name"].as_str().unwrap_or_default().to_string()).collect();
    names.sort_unstable();
    names
}

#[test]
fn what_is_refused_of_a_source_keeps_its_flow_neither_from_starting_nor_from_other_changes_nor_from_stopping() {
    lived(async {
        let (world, mut operator) = stopped().await;
        refuse(&world, "mediaconnect", "UpdateFlowSource");
        let began = world.sim.log(0).len();
        let changed = json!({ "inputs": [input("main", "Primary", 6000), input("backup", "Backup", 5001)],
            "maintenance": { "day": "Tuesday", "startHour": 4 } });
        set(&world, "sources", "studio", &changed);
        operator.run_for(&world, Duration::from_secs(60)).await.expect("it lives");
        let (reason, message) = ready(&world, "sources", "studio");
        assert_eq!(reason, "Refused", "{message}");
        assert!(message.contains("port of spec.inputs"), "it names the field: {message}");
        let events = world.cluster.events();
        assert!(events.iter().any(|e| e["reason"] == "Refused" && e["type"] == "Warning"), "{events:#?}");
        set(&world, "destinations", "youtube", &json!({ "state": "Running" }));
        operator.run_for(&world, LONG).await.expect("it lives");
        let flow = our_flow(&world).expect("a flow");
        assert_eq!(flow["status"], "ACTIVE", "it is on the air");
        assert_eq!(flow["outputs"][0]["outputStatus"], "ENABLED");
        assert_eq!(flow["maintenance"]["maintenanceDay"], "Tuesday", "an unrelated change");
        assert_eq!(ready(&world, "sources", "studio").0, "Refused", "it is told for as long as it stands");
        set(&world, "destinations", "youtube", &json!({ "state": "Stopped" }));
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(our_flow(&world).expect("a flow")["status"], "STANDBY", "it is off the air");
        let asked = sent(&world.sim.log(0)[began..], "UpdateFlowSource");
        assert!((2..=9).contains(&asked), "asked for {asked} times in five minutes");
        world.sim.clear_faults(None);
        operator.run_for(&world, Duration::from_secs(320)).await.expect("it lives");
        assert_eq!(our_flow(&world).expect("a flow")["sources"][0]["ingestPort"], 6000, "it is asked for again");
        assert_ne!(ready(&world, "sources", "studio").0, "Refused");
    });
}

#[test]
fn what_is_refused_of_an_input_leaves_what_was_measured_of_it() {
    lived(async {
        let (world, mut operator) = stopped().await;
        set(&world, "destinations", "youtube", &json!({ "state": "Running" }));
        operator.run_for(&world, LONG).await.expect("it runs");
        let state = || world.cluster.object("destinations", "youtube").unwrap_or_default()["status"]["state"].clone();
        assert_eq!(state(), "Running");
        refuse(&world, "mediaconnect", "UpdateFlowSource");
        let (began, changed) = (world.sim.log(0).len(), world.cluster.changed());
        set(
            &world,
            "sources",
            "studio",
            &json!({ "inputs": [input("main", "Primary", 6000), input("backup", "Backup", 5001)] }),
        );
        operator.run_for(&world, LONG).await.expect("it lives");
        assert!(sent(&world.sim.log(0)[began..], "UpdateFlowSource") > 1, "it is asked for");
        assert_eq!(ready(&world, "sources", "studio").0, "Refused");
        let states = super::worlds::states(&world, changed);
        assert!(states.iter().all(|state| state == "Running"), "nothing has changed: {states:?}");
    });
}

#[test]
fn what_is_refused_of_an_output_does_not_keep_it_from_going_on_and_off_the_air() {
    lived(async {
        let (world, mut operator) = stopped().await;
        set(&world, "destinations", "youtube", &json!({ "state": "Running" }));
        operator.settle(&world, LONG).await.expect("it runs");
        set(&world, "destinations", "youtube", &json!({ "state": "Stopped" }));
        operator.settle(&world, LONG).await.expect("it is off");
        // Whatever is changed beside the switch.
        let kind = FaultKind::FailBefore {
            status: 400,
            code: "BadRequestException".into(),
            message: "minLatency is nothing that AWS takes today".into(),
        };
        let refused =
            Fault { contains: Some("destination".into()), ..Fault::new("mediaconnect", "UpdateFlowOutput", kind) };
        world.sim.plant_fault(Fault { times: 0, ..refused });
        let began = world.sim.log(0).len();
        world.cluster.delete("secrets", "youtube");
        world.cluster.create("secrets", secret("youtube", "youtube-key-0002"));
        set(&world, "destinations", "youtube", &json!({ "state": "Running" }));
        operator.run_for(&world, LONG).await.expect("it lives");
        let output = our_flow(&world).expect("a flow")["outputs"][0].clone();
        assert_eq!(output["outputStatus"], "DISABLED", "nothing is sent with a key that is not requested");
        assert_eq!(ready(&world, "destinations", "youtube").0, "Refused");
        assert!(sent(&world.sim.log(0)[began..], "UpdateFlowOutput") < 10);
        // The key of yesterday is requested again.
        world.cluster.delete("secrets", "youtube");
        world.cluster.create("secrets", secret("youtube", "youtube-key-0001"));
        operator.run_for(&world, LONG).await.expect("it lives");
        let output = our_flow(&world).expect("a flow")["outputs"][0].clone();
        assert_eq!(output["outputStatus"], "ENABLED");
    });
}

/// While the flow takes its minute to start nothing can be asked for again, and AWS is not asked for news of it without a pause.
#[test]
fn what_is_due_again_while_a_flow_starts_does_not_make_haste() {
    lived(async {
        let mut slow = quick();
        slow.mediaconnect.durations.flow_starting = Duration::from_secs(60);
        let (world, mut operator) = stopped_in(World::of(&Switches::default(), slow, None)).await;
        refuse(&world, "mediaconnect", "UpdateFlowSource");
        set(
            &world,
            "sources",
            "studio",
            &json!({ "inputs": [input("main", "Primary", 6000), input("backup", "Backup", 5001)] }),
        );
        operator.run_for(&world, Duration::from_secs(6)).await.expect("it lives");
        set(&world, "destinations", "youtube", &json!({ "state": "Running" }));
        let began = world.sim.log(0).len();
        operator.run_for(&world, Duration::from_secs(50)).await.expect("it lives");
        assert_eq!(our_flow(&world).expect("a flow")["status"], "STARTING");
        let asked = sent(&world.sim.log(0)[began..], "DescribeFlow");
        assert!(asked < 100, "{asked} looks in 50 seconds");
    });
}

/// Nothing arrives, which is waited for although all is carried out: what is refused is told and asked for again all the same.
#[test]
fn what_is_refused_while_an_encoder_is_waited_for_is_told_and_asked_for_again() {
    lived(async {
        let (world, mut operator) = stopped().await;
        for input in ["main", "backup"] {
            world.sim.set_encoder(&identity("Source", "studio").flow_name(), input, Encoder::absent());
        }
        set(&world, "destinations", "youtube", &json!({ "state": "Running" }));
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(ready(&world, "destinations", "youtube").0, "NoSignal");
        refuse(&world, "mediaconnect", "UpdateFlowOutput");
        let began = world.sim.log(0).len();
        world.cluster.edit("secrets", "youtube", &json!({ "data": secret("", "youtube-key-0002")["data"] }));
        operator.run_for(&world, LONG).await.expect("it lives");
        let (reason, message) = ready(&world, "destinations", "youtube");
        assert_eq!(reason, "Refused", "{message}");
        let asked = sent(&world.sim.log(0)[began..], "UpdateFlowOutput");
        assert!((2..=7).contains(&asked), "asked for {asked} times in two minutes");
        world.sim.clear_faults(None);
        operator.run_for(&world, Duration::from_secs(320)).await.expect("it lives");
        assert_eq!(ready(&world, "destinations", "youtube").0, "NoSignal");
    });
}

#[test]
fn the_leading_input_is_renamed_disabled_and_taken_out() {
    lived(async {
        let (world, mut operator) = stopped().await;
        for (inputs, names) in [
            (json!([input("studio", "Primary", 5000), input("backup", "Backup", 5001)]), vec!["backup", "studio"]),
            (json!([input("studio", "Backup", 5000), input("backup", "Primary", 5001)]), vec!["backup", "studio"]),
            (json!([input("studio", "Primary", 5000)]), vec!["studio"]),
            (json!([input("studio", "Primary", 5000), input("spare", "Backup", 5001)]), vec!["spare", "studio"]),
            (json!([input("spare", "Primary", 5001)]), vec!["spare"]),
        ] {
            set(&world, "sources", "studio", &json!({ "inputs": inputs }));
            operator.settle(&world, LONG).await.expect("it settles");
            let flow = our_flow(&world).expect("a flow");
            assert_eq!(sources(&flow), names);
            assert_eq!(ready(&world, "sources", "studio").0, "Stopped");
        }
        let log = world.sim.log(0);
        let refused: Vec<_> = log.iter().filter(|e| e.mutating && e.status.is_some_and(|s| s >= 400)).collect();
        assert!(refused.is_empty(), "{refused:#?}");
        set(&world, "destinations", "youtube", &json!({ "state": "Running" }));
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(our_flow(&world).expect("a flow")["status"], "ACTIVE");
    });
}
