//! Whether a key has changed is asked of its value: who touches a Secret, or another entry of it, starts nothing and changes
//! nothing.

use std::future::Future;
use std::time::Duration;

use k8s_openapi::ByteString;
use playout_sim::Receiver;
use serde_json::{Value, json};

use crate::fixtures::life::{destination, our_flow, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::World;

const MINUTE: Duration = Duration::from_secs(60);

fn paused(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(work);
}

fn data(text: &str) -> Value {
    json!(ByteString(text.as_bytes().to_vec()))
}

/// A Source whose input has a password, a Destination that a platform refuses and one that sends with a password: all of them
/// from one Secret, as teams share them.
fn world() -> World {
    let world = World::new(None);
    world.cluster.create(
        "secrets",
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "shared" }, "data": {
            "twitch": data("twitch-key-0001"), "input": data("input-password-0001"),
            "partner": data("partner-password-0001"), "nobody": data("nobody-uses-it") } }),
    );
    let password = |key: &str| json!({ "passwordSecretRef": { "name": "shared", "key": key } });
    let mut encrypted = source();
    encrypted["spec"]["inputs"][0]["srtListener"]["encryption"] = password("input");
    world.cluster.create("sources", encrypted);
    let retry = json!({ "attempts": 1, "after": "10s", "backoff": "5s" });
    let key = json!({ "secretRef": { "name": "shared", "key": "twitch" } });
    let twitch = json!({ "platform": "Twitch", "streamKey": key, "retry": retry });
    world.cluster.create("destinations", destination("twitch", twitch));
    let partner = json!({ "platform": "Custom", "url": "srt://198.51.100.7:9000", "encryption": password("partner"),
        "updatePolicy": "WhenStopped" });
    world.cluster.create("destinations", destination("partner", partner));
    world.sim.set_receiver("live.twitch.tv", None, Receiver::Refuse);
    world
}

fn status(world: &World, name: &str) -> Value {
    world.cluster.object("destinations", name).expect("it is there")["status"].clone()
}

/// What AWS was asked to change since then, in order.
fn changes(world: &World, since: u64) -> Vec<String> {
    let log = world.sim.log(0).into_iter().filter(|entry| entry.seq > since && entry.mutating);
    log.map(|entry| entry.operation).collect()
}

fn now(world: &World) -> u64 {
    world.sim.log(0).last().map_or(0, |entry| entry.seq)
}

#[test]
fn touching_a_secret_starts_nothing_that_gave_up_and_changes_no_password() {
    paused(async {
        let world = world();
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, 10 * MINUTE).await.expect("it lives");
        assert_eq!(status(&world, "twitch")["retries"]["state"], "GaveUp", "{}", status(&world, "twitch"));
        assert_eq!(status(&world, "partner")["state"], "Running", "{}", status(&world, "partner"));

        // As External Secrets does, and everybody who shares the Secret.
        let touched = now(&world);
        for turn in 0..6 {
            let patch = json!({ "metadata": { "annotations": { "refreshed": turn.to_string() } },
                "data": { "nobody": data(&format!("nobody-uses-it-{turn}")) } });
            world.cluster.edit("secrets", "shared", &patch);
            operator.run_for(&world, MINUTE).await.expect("it lives");
        }
        // Another process, with the same key of the fingerprints.
        drop(operator);
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, 3 * MINUTE).await.expect("it lives");
        assert_eq!(changes(&world, touched), [""; 0]);
        assert_eq!(status(&world, "twitch")["retries"]["state"], "GaveUp");
        assert_eq!(status(&world, "partner")["pendingChanges"], Value::Null, "{}", status(&world, "partner"));

        // The value itself: it begins anew.
        world.cluster.edit("secrets", "shared", &json!({ "data": { "twitch": data("twitch-key-0002") } }));
        world.sim.set_receiver("live.twitch.tv", None, Receiver::Accept);
        operator.run_for(&world, 3 * MINUTE).await.expect("it lives");
        assert_eq!(status(&world, "twitch")["state"], "Running", "{}", status(&world, "twitch"));
    });
}

#[test]
fn a_changed_password_is_a_new_secret_that_the_input_is_told_and_then_the_old_one_goes() {
    paused(async {
        let world = world();
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, 3 * MINUTE).await.expect("it lives");
        let read = |world: &World| {
            let flow = our_flow(world).expect("a flow");
            let source = &flow["sources"][0];
            source["decryption"]["secretArn"].as_str().expect("an ARN").to_string()
        };
        let (before, since) = (read(&world), now(&world));
        world.cluster.edit("secrets", "shared", &json!({ "data": { "input": data("input-password-0002") } }));
        operator.run_for(&world, 2 * MINUTE).await.expect("it lives");
        assert_ne!(before, read(&world), "AWS does not say that it reads a secret again");
        assert_eq!(changes(&world, since), ["CreateSecret", "UpdateFlowSource", "DeleteSecret"]);
    });
}

#[test]
fn a_corrected_key_is_used_at_once_and_no_restart_is_counted_against_it() {
    paused(async {
        let world = world();
        let retry = json!({ "attempts": 2, "after": "60s", "backoff": "30s" });
        let spec = json!({ "spec": { "updatePolicy": "WhenStopped", "retry": retry } });
        world.cluster.edit("destinations", "twitch", &spec);
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, MINUTE / 2).await.expect("it lives");
        assert_eq!(status(&world, "twitch")["state"], "Error", "{}", status(&world, "twitch"));
        let since = now(&world);
        world.cluster.edit("secrets", "shared", &json!({ "data": { "twitch": data("twitch-key-0002") } }));
        operator.run_for(&world, Duration::from_secs(2)).await.expect("it lives");
        assert_eq!(changes(&world, since), ["UpdateFlowOutput"]);
        // It is refused, too.
        operator.run_for(&world, MINUTE / 2).await.expect("it lives");
        assert_eq!(status(&world, "twitch")["retries"], Value::Null, "{}", status(&world, "twitch"));
        world.sim.set_receiver("live.twitch.tv", None, Receiver::Accept);
        operator.run_for(&world, MINUTE / 2).await.expect("it lives");
        assert_eq!(status(&world, "twitch")["state"], "Running", "{}", status(&world, "twitch"));
    });
}
