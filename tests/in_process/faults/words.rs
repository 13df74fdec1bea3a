//! What AWS says in words that no page of its documents promises is told apart by them where they are there, and is not needed: with
//! them and without, a show that was refused for a while goes on the air, and nothing is made twice.

use std::time::Duration;

use playout_sim::{Fault, FaultKind};
use serde_json::{Value, json};

use super::paused;
use crate::fixtures::life::{destination, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::{REGION, World};

const NO_WORDS: &str = "The request cannot be processed.";

/// A call, the answer that it gets for a while, and what AWS may say with it.
const REFUSED: [(&str, &str, u16, &str, &str); 7] = [
    ("mediaconnect", "StartFlow", 400, "BadRequestException", "The flow is UPDATING; try again."),
    ("mediaconnect", "AddFlowOutputs", 400, "BadRequestException", "The flow is in state STARTING."),
    ("medialive", "CreateInput", 400, "BadRequestException", "Your quota of push inputs is used."),
    ("medialive", "CreateInput", 400, "BadRequestException", "This requestId was used before, with other parameters."),
    ("medialive", "CreateChannel", 409, "ConflictException", "You have reached the maximum number of channels."),
    ("medialive", "CreateChannel", 403, "ForbiddenException", "Limit exceeded."),
    (
        "secretsmanager",
        "CreateSecret",
        400,
        "InvalidRequestException",
        "A secret of this name is scheduled for deletion.",
    ),
];

/// A Source whose input has a password, and a Destination of each delivery.
fn create(world: &World) {
    world.cluster.create("secrets", secret("show", "key-0001-of-the-show"));
    let named = json!({ "name": "show", "key": "key" });
    let mut studio = source();
    studio["spec"]["inputs"][0]["srtListener"]["encryption"] =
        json!({ "algorithm": "Aes256", "passwordSecretRef": named });
    world.cluster.create("sources", studio);
    for (name, delivery) in [("plain", "Passthrough"), ("encoded", "Transcode")] {
        let url = format!("rtmp://{name}.example.net/live");
        let spec =
            json!({ "platform": "Custom", "url": url, "streamKey": { "secretRef": named }, "delivery": delivery });
        world.cluster.create("destinations", destination(name, spec));
    }
}

async fn refused(service: &str, operation: &str, status: u16, code: &str, message: &str) {
    let world = World::new(None);
    let kind = FaultKind::FailBefore { status, code: code.into(), message: message.into() };
    world.sim.plant_fault(Fault { times: 3, ..Fault::new(service, operation, kind) });
    create(&world);
    let mut operator = Operator::start(&world).await;
    operator.run_for(&world, Duration::from_secs(240)).await.expect("it lives");
    let what = format!("{service}:{operation} {status} {message}");
    for name in ["plain", "encoded"] {
        let status = world.cluster.object("destinations", name).expect("it is there")["status"].clone();
        assert_eq!(status["state"], "Running", "{what}: {name}: {status:#}");
    }
    let of = |service: &str, kind: &str| {
        world.sim.state()[REGION][service][kind].as_array().map_or(0, |list: &Vec<Value>| list.len())
    };
    let made = [of("mediaconnect", "flows"), of("medialive", "inputs"), of("medialive", "channels")];
    assert_eq!(made, [1, 1, 1], "{what}");
    let asked = world.sim.log(0).iter().filter(|entry| entry.operation == operation).count();
    assert!((4..=8).contains(&asked), "{what}: {asked} times");
}

#[test]
fn no_show_needs_words_that_no_page_promises() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for (service, operation, status, code, message) in REFUSED {
        for message in [message, NO_WORDS] {
            paused(refused(service, operation, status, code, message));
        }
    }
}
