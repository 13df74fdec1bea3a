//! What another version has written: specs with fields that this one does not know, statuses in other words.

use std::time::Duration;

use playout_api::crds;
use playout_sim::Receiver;
use serde_json::{Value, json};

use super::paused;
use crate::fixtures::failing::Delivery;
use crate::fixtures::life::{destination, our_flow, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::script::Script;
use crate::fixtures::world::World;

const LONG: Duration = Duration::from_secs(600);
/// Longer than everything is left alone.
const A_WHILE: Duration = Duration::from_secs(150);

fn lived(work: impl Future<Output = ()>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(work);
}

fn condition(world: &World, plural: &str, name: &str, type_: &str) -> Value {
    let object = world.cluster.object(plural, name).unwrap_or_default();
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|c| c["type"] == type_).unwrap_or_default()
}

/// What was changed in AWS since then.
fn changes(world: &World, since: usize) -> Vec<String> {
    let log = world.sim.log(0).split_off(since);
    log.into_iter().filter(|e| e.mutating).map(|e| format!("{} {}", e.operation, e.body)).collect()
}

fn destination_of(name: &str, spec: Value) -> Value {
    let mut all = json!({ "platform": "YouTube", "streamKey": { "secretRef": { "name": name, "key": "key" } } });
    for (key, value) in spec.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    destination(name, all)
}

/// Two Destinations on the air.
async fn on_air() -> (World, Operator) {
    let world = World::new(None);
    world.cluster.create("sources", source());
    for name in ["newer", "other"] {
        world.cluster.create("secrets", secret(name, &format!("{name}-key-0001")));
        world.cluster.create("destinations", destination_of(name, json!({})));
    }
    let mut operator = Operator::start(&world).await;
    operator.settle(&world, LONG).await.expect("it runs");
    (world, operator)
}

fn output(world: &World, name: &str) -> Value {
    let flow = our_flow(world).expect("a flow");
    let named = |o: &&Value| o["name"].as_str().is_some_and(|found| found.contains(&format!("-{name}-")));
    flow["outputs"].as_array().into_iter().flatten().find(named).cloned().unwrap_or_default()
}

#[test]
fn an_object_that_is_not_understood_stands_still_and_all_others_go_on() {
    lived(async {
        let (world, operator) = on_air().await;
        drop(operator);
        let before = world.sim.log(0).len();
        let spec = json!({ "delivery": "Shared", "state": "Stopped", "prepare": "often" });
        world.cluster.edit("destinations", "newer", &json!({ "spec": spec }));
        world.cluster.edit("destinations", "other", &json!({ "spec": { "state": "Stopped" } }));
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, A_WHILE).await.expect("it lives");

        assert_eq!(output(&world, "newer")["outputStatus"], "ENABLED", "it is left as it is");
        assert_eq!(output(&world, "other")["outputStatus"], "DISABLED", "the other one goes on");
        assert_eq!(our_flow(&world).expect("a flow")["status"], "ACTIVE", "under what still sends");
        assert_eq!(changes(&world, before).len(), 1, "{:?}", changes(&world, before));
        let (ready, stalled) = (
            condition(&world, "destinations", "newer", "Ready"),
            condition(&world, "destinations", "newer", "Stalled"),
        );
        assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("NotUnderstood")));
        assert_eq!((&stalled["status"], &stalled["observedGeneration"]), (&json!("True"), &json!(2)));
        let message = ready["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("spec.delivery (unknown variant `Shared`") && message.contains("spec.prepare"),
            "{message}"
        );
        let object = world.cluster.object("destinations", "newer").expect("an object");
        assert_eq!(object["status"]["state"], "Unknown");
        assert!(object["status"]["outputs"][0]["arn"].is_string(), "what it holds stays recorded");
        assert_eq!(object["metadata"]["annotations"]["playout.dev/not-understood"], Value::Null, "in memory alone");
        let told = world.cluster.events().iter().filter(|e| e["reason"] == "NotUnderstood").count();
        assert_eq!(told, 1, "once");

        // It is used, whatever else it may be: its Source waits.
        world.cluster.delete("sources", "studio");
        world.cluster.delete("destinations", "other");
        world.cluster.delete("destinations", "newer");
        operator.run_for(&world, A_WHILE).await.expect("it lives");
        assert!(world.cluster.object("destinations", "other").is_none());
        assert_eq!(output(&world, "newer")["outputStatus"], "ENABLED");
        assert_eq!(condition(&world, "sources", "studio", "Ready")["reason"], "InUse");
        let message = condition(&world, "destinations", "newer", "Stalled")["message"].to_string();
        assert!(message.contains("Its deletion waits"), "{message}");

        world.cluster.edit(
            "destinations",
            "newer",
            &json!({ "spec": { "delivery": "Passthrough", "prepare": false } }),
        );
        operator.run_for(&world, A_WHILE).await.expect("it lives");
        assert!(world.cluster.objects().into_keys().all(|key| key.0 == "secrets"), "all goes");
        assert!(our_flow(&world).is_err());
    });
}

#[test]
fn an_object_that_is_mended_goes_on_as_it_was() {
    lived(async {
        let (world, mut operator) = on_air().await;
        world.cluster.edit("destinations", "newer", &json!({ "spec": { "delivery": "Shared" } }));
        operator.run_for(&world, A_WHILE).await.expect("it lives");
        assert_eq!(condition(&world, "destinations", "newer", "Ready")["reason"], "NotUnderstood");
        let before = world.sim.log(0).len();
        world.cluster.edit("destinations", "newer", &json!({ "spec": { "delivery": "Passthrough" } }));
        operator.run_for(&world, A_WHILE).await.expect("it lives");
        assert_eq!(condition(&world, "destinations", "newer", "Ready")["reason"], "Running");
        assert_eq!(condition(&world, "destinations", "newer", "Stalled"), Value::Null);
        assert_eq!(changes(&world, before), Vec::<String>::new());
        let object = world.cluster.object("destinations", "newer").expect("an object");
        assert_eq!(object["status"]["lastRuns"].as_array().map(Vec::len), Some(1), "{}", object["status"]["lastRuns"]);
    });
}

#[test]
fn a_source_that_is_not_understood_keeps_its_flow_and_its_destinations_can_stop() {
    lived(async {
        let (world, operator) = on_air().await;
        drop(operator);
        let before = world.sim.log(0).len();
        let source = world.cluster.object("sources", "studio").expect("a Source");
        let mut inputs = source["spec"]["inputs"].clone();
        inputs[0]["protocol"] = json!("Moq");
        world.cluster.edit("sources", "studio", &json!({ "spec": { "inputs": inputs } }));
        world.cluster.edit("destinations", "other", &json!({ "spec": { "state": "Stopped" } }));
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, A_WHILE).await.expect("it lives");
        assert_eq!(condition(&world, "sources", "studio", "Stalled")["reason"], "NotUnderstood");
        // It is sent as before; what the Source received when it was looked at last does not hold for ever.
        assert_eq!(condition(&world, "destinations", "newer", "Ready")["reason"], "NoSignal");
        assert_eq!(output(&world, "newer")["outputStatus"], "ENABLED");
        assert_eq!(output(&world, "other")["outputStatus"], "DISABLED");
        assert_eq!(our_flow(&world).expect("a flow")["status"], "ACTIVE");
        assert_eq!(changes(&world, before).len(), 1, "{:?}", changes(&world, before));
    });
}

/// Puts other words in the place of all that a schema lists, of reasons and of severities.
fn renamed(schema: &Value, value: &mut Value) {
    if schema["enum"].is_array() && value.is_string() {
        *value = json!("Renamed");
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    // Of a run and a failover it is a sentence for people.
                    "reason" if member.as_str().is_some_and(|text| text.contains(' ')) => {}
                    "reason" | "severity" => *member = json!("Renamed"),
                    // Kubernetes' own.
                    "status" | "type" => {}
                    name => renamed(&schema["properties"][name], member),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| renamed(&schema["items"], element)),
        _ => {}
    }
}

/// All objects, as a version with other words would have left them. How many words were others.
fn rename(world: &World) -> usize {
    let mut words = 0;
    for ((plural, name), object) in world.cluster.objects() {
        let crd = crds().into_iter().find(|crd| crd.spec.names.plural == plural);
        let Some(crd) = crd.map(|crd| serde_json::to_value(crd).expect("JSON")) else { continue };
        let mut status = object["status"].clone();
        renamed(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"], &mut status);
        words += status.to_string().matches("Renamed").count();
        world.cluster.write_status(&plural, &name, status);
    }
    words
}

/// An operator of this version takes over from one with other words: nothing changes in AWS, and its own words stand there again.
async fn takes_over(world: &World, what: &str) {
    let (words, before) = (world.cluster.objects(), world.sim.log(0).len());
    let count = rename(world);
    assert!(count > 5, "{what}: {count} words");
    let mut operator = Operator::start(world).await;
    operator.run_for(world, A_WHILE).await.expect("it lives");
    assert_eq!(changes(world, before), Vec::<String>::new(), "{what}");
    for (key, object) in world.cluster.objects() {
        assert!(!object["status"].to_string().contains("Renamed"), "{what}: {key:?} {}", object["status"]);
        for member in ["state", "startedAt", "retries", "failover", "activeEndpoint", "lastRuns"] {
            let (mut was, mut is) = (words[&key]["status"][member].clone(), object["status"][member].clone());
            for value in [&mut was, &mut is] {
                // How long it has been what it is.
                value.as_object_mut().and_then(|members| members.remove("since"));
            }
            assert_eq!(is, was, "{what}: {member} of {key:?}");
        }
    }
}

#[test]
fn words_that_this_version_does_not_know_change_nothing_in_aws() {
    for script in [Script::Passthrough, Script::Transcode] {
        lived(async {
            let world = World::new(None);
            script.play(&world, 0).await.expect("it is played");
            let mut operator = Operator::start(&world).await;
            operator.settle(&world, LONG).await.expect("it runs");
            operator.run_for(&world, Duration::from_secs(60)).await.expect("it lives");
            drop(operator);
            takes_over(&world, &format!("{script:?}")).await;
        });
    }
}

#[test]
fn what_gave_up_under_other_words_stays_given_up() {
    for delivery in [Delivery::Output, Delivery::Channel] {
        lived(async {
            let world = World::new(None);
            let script = Script::Failing(delivery);
            script.play(&world, 0).await.expect("it is played");
            let mut operator = Operator::start(&world).await;
            operator.settle(&world, LONG).await.expect("it gives up");
            drop(operator);
            let gave_up = || condition(&world, "destinations", "youtube", "Stalled")["reason"].clone();
            assert_eq!(gave_up(), "GaveUp");
            takes_over(&world, &format!("{delivery:?}")).await;
            assert_eq!(gave_up(), "GaveUp", "{delivery:?}");
        });
    }
}

#[test]
fn a_failover_under_other_words_is_not_taken_back() {
    for delivery in ["Passthrough", "Transcode"] {
        lived(async {
            let world = World::new(None);
            world.sim.set_receiver("a.rtmps.youtube.com", None, Receiver::Refuse);
            world.cluster.create("sources", source());
            world.cluster.create("secrets", secret("show", "show-key-0001"));
            let spec = json!({ "delivery": delivery, "backup": { "mode": "OnFailure" } });
            world.cluster.create("destinations", destination_of("show", spec));
            let mut operator = Operator::start(&world).await;
            operator.run_for(&world, LONG).await.expect("it lives");
            drop(operator);
            let object = world.cluster.object("destinations", "show").expect("an object");
            assert_eq!(object["status"]["activeEndpoint"], "Backup", "{delivery}");
            world.sim.set_receiver("a.rtmps.youtube.com", None, Receiver::Accept);
            takes_over(&world, delivery).await;
        });
    }
}
