//! A region without the service: who names it is told so, nothing is sent there, and it goes when it is deleted.

use std::time::Duration;

use playout_sim::Switches;
use serde_json::{Value, json};

use super::paused;
use crate::fixtures::life::{destination, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::World;

/// Where there is neither MediaConnect nor MediaLive, and where MediaLive alone is missing.
const NEITHER: &str = "eu-south-1";
const NO_MEDIALIVE: &str = "us-west-1";
const LONG: Duration = Duration::from_secs(120);

fn lived(work: impl Future<Output = ()>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(work);
}

/// A Source there, one Destination of it as it is and one that is encoded.
fn create(world: &World, region: &str) {
    world.cluster.create("secrets", secret("show", "key-0001"));
    let mut studio = source();
    studio["spec"]["region"] = json!(region);
    world.cluster.create("sources", studio);
    let key = json!({ "secretRef": { "name": "show", "key": "key" } });
    let plain = json!({ "platform": "Custom", "url": "rtmp://live.example.net/live", "streamKey": key });
    let mut encoded = plain.clone();
    encoded["url"] = json!("rtmp://other.example.net/live");
    encoded["delivery"] = json!("Transcode");
    encoded["encoding"] = json!("720p30");
    world.cluster.create("destinations", destination("plain", plain));
    world.cluster.create("destinations", destination("encoded", encoded));
}

/// Whether it is stalled, and what it says.
fn told(world: &World, plural: &str, name: &str) -> (bool, String) {
    let object = world.cluster.object(plural, name).expect("it is there");
    let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let of = |type_: &str| all.iter().find(|c| c["type"] == type_).cloned().unwrap_or_default();
    (of("Stalled")["status"] == "True", of("Ready")["message"].as_str().unwrap_or_default().to_string())
}

fn is_told(world: &World, plural: &str, name: &str, parts: &[&str]) {
    let (stalled, message) = told(world, plural, name);
    assert!(stalled && parts.iter().all(|part| message.contains(part)), "{name}: {message}");
}

fn asked(world: &World) -> Vec<String> {
    world.sim.log(0).into_iter().map(|entry| format!("{}:{}", entry.service, entry.operation)).collect()
}

fn running(world: &World, name: &str) -> Value {
    world.cluster.object("destinations", name).expect("it is there")["status"]["state"].clone()
}

#[test]
fn where_mediaconnect_is_not_it_is_told_and_nothing_is_sent_and_it_can_be_deleted() {
    lived(async {
        let world = World::new(None);
        create(&world, NEITHER);
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, LONG).await.expect("it lives");
        let flag = "--more-regions=mediaconnect=eu-south-1";
        is_told(&world, "sources", "studio", &["spec.region is eu-south-1", "no MediaConnect", "eu-central-1", flag]);
        for name in ["plain", "encoded"] {
            is_told(&world, "destinations", name, &["Source studio is in eu-south-1", "no MediaConnect", flag]);
        }
        world.cluster.delete("sources", "studio");
        for name in ["plain", "encoded"] {
            world.cluster.delete("destinations", name);
        }
        operator.run_for(&world, LONG).await.expect("it lives");
        let left: Vec<_> = world.cluster.objects().into_keys().filter(|key| key.0 != "secrets").collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(asked(&world), [] as [&str; 0]);
    });
}

#[test]
fn where_medialive_alone_is_not_what_is_encoded_is_told_and_all_else_runs() {
    lived(async {
        let world = World::new(None);
        create(&world, NO_MEDIALIVE);
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(running(&world, "plain"), "Running");
        let flag = "--more-regions=medialive=us-west-1";
        is_told(&world, "destinations", "encoded", &["spec.delivery Transcode", "Passthrough", "us-west-2", flag]);
        // A flow that runs for nobody is paid for.
        world.cluster.edit("destinations", "plain", &json!({ "spec": { "state": "Stopped" } }));
        operator.run_for(&world, LONG).await.expect("it lives");
        let flow = world.cluster.object("sources", "studio").expect("it is there")["status"]["flowState"].clone();
        assert_eq!(flow, "STANDBY");
        world.cluster.edit(
            "destinations",
            "encoded",
            &json!({ "spec": { "delivery": "Passthrough", "encoding": null } }),
        );
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(running(&world, "encoded"), "Running");
        let medialive: Vec<_> = asked(&world).into_iter().filter(|call| call.starts_with("medialive")).collect();
        assert_eq!(medialive, [] as [&str; 0]);
    });
}

#[test]
fn a_flag_adds_a_region_and_what_was_made_there_is_not_left_when_the_flag_is() {
    lived(async {
        let switches = Switches { more_regions: vec![NEITHER.into()], ..Switches::default() };
        let mut world = World::publishing(&switches, None);
        world.more_regions = ["mediaconnect=eu-south-1", "medialive=eu-south-1"]
            .iter()
            .map(|flag| flag.parse().expect("a flag"))
            .collect();
        create(&world, NEITHER);
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!([running(&world, "plain"), running(&world, "encoded")], ["Running", "Running"]);
        world.more_regions.clear();
        operator = Operator::start(&world).await;
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!([running(&world, "plain"), running(&world, "encoded")], ["Running", "Running"]);
        world.cluster.delete("sources", "studio");
        for name in ["plain", "encoded"] {
            world.cluster.delete("destinations", name);
        }
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(world.sim.counts()["total"], 0, "{}", world.sim.counts());
    });
}
