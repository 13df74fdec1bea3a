//! What changes on the air is told once, by the real loop, also when the operator dies beside it.

use std::time::Duration;

use playout_sim::{Edit, Encoder};
use serde_json::{Value, json};

use super::{paused, worlds};
use crate::fixtures::life::{destination, identity, our_flow, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::wire::{Effect, Fault};
use crate::fixtures::world::{REGION, World};

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
    on_air_until(None).await
}

async fn on_air_until(planted: Option<(usize, Fault)>) -> (World, Operator) {
    let world = World::new(planted);
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

/// How often CloudWatch was asked by then.
fn measured(world: &World) -> usize {
    world.wire.trace().iter().filter(|boundary| boundary.label.contains("GetMetricData")).count()
}

/// What was measured before the operator's own change says nothing of now, and is not said: neither that the old input still leads
/// nor, by an Event, that AWS has moved on to it. It costs one question more than a change of which AWS measures nothing, and one of
/// the Destination, which hears that its flow changes.
#[test]
fn right_after_another_input_was_made_the_leading_one_nothing_older_is_said() {
    let (told_to, swapped) = (
        json!({ "spec": { "activeInput": "reserve" } }),
        json!({ "spec": { "inputs": [srt("main", "Backup", 5000), srt("reserve", "Primary", 5001)] } }),
    );
    let mut usual = 0;
    for wish in [json!({ "spec": { "health": { "maxPacketLossPercent": 7 } } }), told_to, swapped] {
        lived(async {
            let (world, mut operator) = on_air().await;
            let (quiet, began) = (measured(&world), told(&world, "Switched").len());
            world.cluster.edit("sources", "studio", &wish);
            operator.run_for(&world, Duration::from_secs(3)).await.expect("it lives");
            let (now, message) = (status(&world)["activeInput"].clone(), ready(&world).1);
            let is_another = usual > 0;
            assert_eq!(now, if is_another { "reserve" } else { "main" }, "{wish}: {}", status(&world));
            assert!(!is_another || !message.contains("main"), "{message}");
            operator.run_for(&world, Duration::from_secs(57)).await.expect("it lives");
            let asked = measured(&world) - quiet;
            if !is_another {
                usual = asked;
                return;
            }
            let told: Vec<_> = told(&world, "Switched").split_off(began);
            assert!(told.len() == 1 && told[0].0 == "Normal" && told[0].1.contains("reserve"), "{wish}: {told:?}");
            assert_eq!(status(&world)["lastRuns"][0]["input"], "reserve", "{}", status(&world));
            assert!(asked <= usual + 2, "{wish}: CloudWatch was asked {asked} times and not {usual}");
        });
    }
}

/// `spec.health.interval` is a promise: whenever an encoder goes or comes back, the Source and what is sent from it say so within it
/// and CloudWatch's delay. AWS publishes each second here, one second late.
#[test]
fn an_encoder_that_goes_or_comes_back_is_told_within_the_interval() {
    let promised = Duration::from_secs(30 + 3);
    for phase in [0, 9, 18, 27] {
        lived(async {
            let (world, mut operator) = on_air().await;
            operator.run_for(&world, Duration::from_secs(phase)).await.expect("it lives");
            for is_there in [false, true] {
                encoder(&world, "main", is_there);
                encoder(&world, "reserve", is_there);
                operator.run_for(&world, promised).await.expect("it lives");
                let show = world.cluster.object("destinations", "youtube").expect("it is there")["status"].clone();
                let words = if is_there { ("Running", "Running") } else { ("NoSignal", "Silent") };
                assert_eq!((ready(&world).0, &show["state"]), (json!(words.0), &json!(words.1)), "{phase} s: {show}");
            }
        });
    }
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

/// The object changes while its finalizer is taken away, and so that is done again.
#[test]
fn the_last_word_on_an_object_is_told_once() {
    let retained = |planted| async move {
        let (world, mut operator) = on_air_until(planted).await;
        world.cluster.edit("destinations", "youtube", &json!({ "spec": { "deletionPolicy": "Retain" } }));
        operator.run_for(&world, Duration::from_secs(5)).await.expect("it lives");
        world.cluster.delete("destinations", "youtube");
        operator.run_for(&world, Duration::from_secs(30)).await.expect("it lives");
        assert!(world.cluster.object("destinations", "youtube").is_none(), "it is gone");
        let events: Vec<_> = world.cluster.events().into_iter().filter(|e| e["reason"] == "Retained").collect();
        assert!(events.len() == 1 && events[0]["series"].is_null(), "{events:?}");
        world.wire.trace()
    };
    let mut releases = Vec::new();
    lived(async {
        let trace = retained(None).await;
        let of = |label: &str| label == "API PATCH destinations/youtube";
        let places = trace.iter().enumerate().filter(|(_, b)| b.effect == Effect::ApiWrite && of(&b.label));
        releases = places.map(|(place, _)| place).collect();
    });
    let release = releases.pop().expect("it was released");
    for fault in [Fault::Conflict, Fault::ErrorBefore, Fault::Lost] {
        lived(async { drop(retained(Some((release, fault))).await) });
    }
}
