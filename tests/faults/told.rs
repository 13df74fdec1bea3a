//! What changes on the air is told once, by the real loop, also when the operator dies beside it.

use std::time::Duration;

use playout_sim::{Edit, Encoder};
use serde_json::{Value, json};

use super::in_process::life::{destination, identity, our_flow, secret, source};
use super::in_process::operator::{Operator, REGION, World};
use super::{paused, worlds};

const LOOK: Duration = Duration::from_secs(90);

fn lived(work: impl Future<Output = ()>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(work);
}

fn srt(name: &str, priority: &str, port: u16) -> Value {
    json!({ "name": name, "priority": priority, "protocol": "SrtListener", "enabled": true,
        "srtListener": { "port": port, "allowedCidr": "203.0.113.0/24" } })
}

/// A Source of two inputs and a Destination on the air.
async fn on_air() -> (World, Operator) {
    let world = World::new(None);
    world.cluster.create("secrets", secret("youtube", "youtube-key-0001"));
    let mut studio = source();
    studio["spec"]["inputs"] = json!([srt("main", "Primary", 5000), srt("reserve", "Backup", 5001)]);
    world.cluster.create("sources", studio);
    let key = json!({ "secretRef": { "name": "youtube", "key": "key" } });
    world.cluster.create("destinations", destination("youtube", json!({ "platform": "YouTube", "streamKey": key })));
    let mut operator = Operator::start(&world).await;
    operator.run_for(&world, LOOK).await.expect("it lives");
    assert_eq!(status(&world)["activeInput"], "main", "{}", status(&world));
    (world, operator)
}

fn status(world: &World) -> Value {
    world.cluster.object("sources", "studio").expect("it is there")["status"].clone()
}

fn ready(world: &World) -> (Value, String) {
    let ready = status(world)["conditions"].as_array().into_iter().flatten().find(|c| c["type"] == "Ready").cloned();
    let ready = ready.unwrap_or_default();
    (ready["reason"].clone(), ready["message"].as_str().unwrap_or_default().to_string())
}

fn encoder(world: &World, input: &str, is_there: bool) {
    let encoder = if is_there { Encoder::default() } else { Encoder::absent() };
    world.sim.set_encoder(&identity("Source", "studio").flow_name(), input, encoder);
}

/// Type and text of every Event of this reason that was ever sent.
fn told(world: &World, reason: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let events = world.cluster.events().into_iter().filter(|e| e["reason"] == reason);
    events.map(|e| (text(&e["type"]), text(&e["note"]))).collect()
}

#[test]
fn a_failover_of_a_source_is_told_and_recorded_once_and_so_is_the_return() {
    lived(async {
        let (world, mut operator) = on_air().await;
        encoder(&world, "main", false);
        operator.run_for(&world, LOOK).await.expect("it lives");
        let record = status(&world)["lastRuns"].clone();
        assert_eq!((&record[0]["input"], &record[1]["input"]), (&json!("reserve"), &json!("main")), "{record}");
        assert_eq!(status(&world)["failover"]["input"], "reserve");
        let (reason, message) = ready(&world);
        assert!(reason == "Switched" && message.contains("reserve (Backup)"), "{reason}: {message}");
        // Another operator begins, and has nothing to add.
        drop(operator);
        let mut operator = Operator::after_a_crash(&world).await;
        operator.run_for(&world, LOOK).await.expect("it lives");
        assert_eq!(status(&world)["lastRuns"], record);
        encoder(&world, "main", true);
        operator.run_for(&world, LOOK).await.expect("it lives");
        assert_eq!(status(&world)["failover"], Value::Null);
        let told = told(&world, "Switched");
        let types: Vec<_> = told.iter().map(|(type_, _)| type_.as_str()).collect();
        assert_eq!(types, ["Warning", "Normal"], "{told:?}");
    });
}

#[test]
fn a_flow_that_was_removed_behind_the_back_has_a_new_address_and_says_so_until_the_encoder_comes() {
    lived(async {
        let (world, mut operator) = on_air().await;
        assert_eq!(told(&world, "NewAddress"), [], "the first one is nothing new");
        let url =
            |world: &World| status(world)["inputs"][0]["endpoint"]["url"].as_str().unwrap_or_default().to_string();
        let before = url(&world);
        encoder(&world, "main", false);
        encoder(&world, "reserve", false);
        let flow = identity("Source", "studio").flow_name();
        world.sim.edit(&Edit { flow, remove: true, ..Edit::default() }).expect("a flow");
        operator.run_for(&world, LOOK).await.expect("it lives");
        assert_eq!(our_flow(&world).expect("a new one")["status"], "ACTIVE");
        let after = url(&world);
        assert_ne!(before, after);
        let events = told(&world, "NewAddress");
        assert_eq!(events.len(), 2, "one for each input: {events:?}");
        let of_main: Vec<_> = events.iter().filter(|(_, note)| note.contains("input main")).collect();
        assert!(of_main.len() == 1 && of_main[0].0 == "Warning", "{events:?}");
        assert!(of_main[0].1.contains(&before) && of_main[0].1.contains(&after), "{events:?}");
        let (reason, message) = ready(&world);
        assert!(reason == "NewAddress" && message.contains(&after), "{reason}: {message}");
        drop(operator);
        let mut operator = Operator::after_a_crash(&world).await;
        operator.run_for(&world, LOOK).await.expect("it lives");
        assert_eq!(told(&world, "NewAddress").len(), 2, "{:?}", told(&world, "NewAddress"));
        encoder(&world, "main", true);
        encoder(&world, "reserve", true);
        operator.run_for(&world, LOOK).await.expect("it lives");
        assert_eq!((ready(&world).0, status(&world)["inputs"][0]["former"].clone()), (json!("Running"), Value::Null));
    });
}

/// One that is encoded anew, on the air under the policy that protects it.
async fn encoded() -> (World, Operator) {
    let world = World::new(None);
    world.cluster.create("secrets", secret("tube", "tube-key-0001"));
    world.cluster.create("sources", source());
    let key = json!({ "secretRef": { "name": "tube", "key": "key" } });
    let spec = json!({ "platform": "Custom", "url": "rtmp://live.example.net/live", "streamKey": key,
        "delivery": "Transcode", "updatePolicy": "WhenStopped" });
    world.cluster.create("destinations", destination("tube", spec));
    let mut operator = Operator::start(&world).await;
    operator.run_for(&world, 2 * LOOK).await.expect("it lives");
    assert_eq!(show(&world)["state"], "Running", "{}", show(&world));
    (world, operator)
}

fn show(world: &World) -> Value {
    world.cluster.object("destinations", "tube").expect("it is there")["status"].clone()
}

#[test]
fn a_channel_whose_flow_or_input_was_removed_follows_and_never_says_that_black_is_on_the_air() {
    for what in ["flow", "input"] {
        lived(async {
            let (world, mut operator) = encoded().await;
            let (flow, since) = (identity("Source", "studio").flow_name(), world.cluster.changed());
            let input = (what == "input").then(|| identity("Destination", "tube").input_name());
            world.sim.edit(&Edit { flow, input, remove: true, ..Edit::default() }).expect("it is there");
            operator.run_for(&world, 3 * LOOK).await.expect("it lives");
            assert_eq!(show(&world)["state"], "Running", "{what}: {}", show(&world));
            let all = worlds::states(&world, since);
            assert!(all.iter().any(|state| state != "Running"), "{what}: {all:?}");
            let inputs = world.sim.state()[REGION]["medialive"]["inputs"].as_array().cloned().unwrap_or_default();
            let flow = our_flow(&world).expect("a flow")["flowArn"].clone();
            assert!(
                inputs.len() == 1 && inputs[0].to_string().contains(flow.as_str().unwrap_or("?")),
                "{what}: {inputs:?}"
            );
        });
    }
}

/// Somebody takes the output from the flow that MediaLive has put there: the Source has a signal and the channel gets nothing.
#[test]
fn a_channel_that_gets_nothing_is_not_on_the_air_and_ready_has_medialives_words() {
    lived(async {
        let (world, mut operator) = encoded().await;
        let outputs = our_flow(&world).expect("a flow")["outputs"].as_array().cloned().unwrap_or_default();
        assert_eq!(outputs.len(), 1, "MediaLive's: {outputs:?}");
        let (flow, output) =
            (identity("Source", "studio").flow_name(), outputs[0]["name"].as_str().map(str::to_string));
        world.sim.edit(&Edit { flow, output, remove: true, ..Edit::default() }).expect("an output");
        operator.run_for(&world, LOOK).await.expect("it lives");
        assert_eq!(show(&world)["state"], "Silent", "{}", show(&world));
        let ready = show(&world)["conditions"][0].clone();
        let message = ready["message"].as_str().unwrap_or_default();
        assert!(ready["reason"] == "NoSignal" && message.contains("Stopped Receiving UDP Input"), "{ready}");
        // What is dead is not protected: a change that waited is made now, and brings the show back.
        world.cluster.edit("destinations", "tube", &json!({ "spec": { "encoding": "480p30" } }));
        operator.run_for(&world, Duration::from_secs(30)).await.expect("it lives");
        let encoding = show(&world)["encoding"].as_str().unwrap_or_default().to_string();
        assert!(encoding.starts_with("480p30") && show(&world)["pendingChanges"].is_null(), "{}", show(&world));
    });
}

#[test]
fn alerts_of_medialive_are_events_when_they_are_set_and_when_they_are_cleared() {
    lived(async {
        let (world, mut operator) = encoded().await;
        encoder(&world, "encoder", false);
        operator.run_for(&world, LOOK).await.expect("it lives");
        let alerts = show(&world)["alerts"].as_array().cloned().unwrap_or_default();
        assert!(alerts.iter().any(|a| a["type"] == "Stopped Receiving UDP Input"), "{}", show(&world));
        // With the word of Ready that they explain, or by themselves.
        let all = |world: &World| -> Vec<(String, String)> {
            ["NoSignal", "Alert", "Running"].iter().flat_map(|reason| told(world, reason)).collect()
        };
        let set = all(&world);
        for alert in &alerts {
            let of_it = |(type_, note): &&(String, String)| {
                type_ == "Warning" && note.contains(alert["type"].as_str().unwrap_or("?"))
            };
            assert_eq!(set.iter().filter(of_it).count(), 1, "{alert} in {set:?}");
        }
        // Another operator begins, and has nothing to add.
        drop(operator);
        let mut operator = Operator::after_a_crash(&world).await;
        operator.run_for(&world, LOOK).await.expect("it lives");
        assert_eq!(all(&world), set);
        encoder(&world, "encoder", true);
        operator.run_for(&world, LOOK).await.expect("it lives");
        assert_eq!((&show(&world)["state"], &show(&world)["alerts"]), (&json!("Running"), &Value::Null));
        let over: Vec<_> = all(&world).into_iter().filter(|event| !set.contains(event)).collect();
        let again = told(&world, "Running").len() > 1;
        assert!((!over.is_empty() || again) && over.iter().all(|(type_, _)| type_ == "Normal"), "{over:?}");
    });
}
