//! A flow with all its places taken.

use std::time::Duration;

use serde_json::{Value, json};

use super::paused;
use crate::fixtures::life::{destination, identity, our_flow, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::World;

const LONG: Duration = Duration::from_secs(200);

fn create(world: &World, name: &str) {
    world.cluster.create("secrets", secret(name, &format!("{name}-key-0001")));
    let key = json!({ "secretRef": { "name": name, "key": "key" } });
    world.cluster.create("destinations", destination(name, json!({ "platform": "YouTube", "streamKey": key })));
}

fn state(world: &World, name: &str) -> Value {
    let status = world.cluster.object("destinations", name).unwrap_or_default()["status"].clone();
    let stalled = status["conditions"].as_array().and_then(|all| all.iter().find(|c| c["type"] == "Stalled").cloned());
    json!([status["state"], stalled.unwrap_or_default()["reason"]])
}

fn has_output(world: &World, name: &str) -> bool {
    let flow = our_flow(world).expect("a flow");
    let expected = identity("Destination", name).output_name("primary");
    flow["outputs"].as_array().is_some_and(|all| all.iter().any(|output| output["name"] == json!(expected)))
}

#[test]
fn who_is_to_run_gets_the_place_of_the_one_that_was_stopped_longest_ago() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(async {
        let world = World::new(None);
        world.cluster.create("sources", source());
        let names: Vec<String> = (0..50).map(|i| format!("d{i:02}")).collect();
        names.iter().for_each(|name| create(&world, name));
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(our_flow(&world).expect("a flow")["outputs"].as_array().map(Vec::len), Some(50));
        let prepared = json!({ "spec": { "state": "Stopped", "prepare": true } });
        let stopped = json!({ "spec": { "state": "Stopped" } });
        for (name, patch) in [("d03", &prepared), ("d07", &stopped), ("d05", &stopped)] {
            world.cluster.edit("destinations", name, patch);
            operator.run_for(&world, Duration::from_secs(10)).await.expect("it lives");
        }
        assert!(["d03", "d05", "d07"].iter().all(|name| has_output(&world, name)), "nobody needs their places");
        create(&world, "late");
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(state(&world, "late")[0], "Running", "{}", state(&world, "late"));
        let kept = ["d03", "d05", "d07"].map(|name| has_output(&world, name));
        assert_eq!(kept, [true, true, false], "the prepared one, the younger one, the older one");
        // It comes back when there is room again, which nobody else makes for it but the one that is left.
        world.cluster.edit("destinations", "d07", &json!({ "spec": { "state": "Running" } }));
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!((state(&world, "d07")[0].clone(), has_output(&world, "d05")), (json!("Running"), false));
        world.cluster.edit("destinations", "d05", &json!({ "spec": { "state": "Running" } }));
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(state(&world, "d05")[1], "QuotaExceeded");
        assert!(has_output(&world, "d03"), "it is kept ready");
    });
}
