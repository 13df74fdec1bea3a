//! AWS maintains what runs: it restarts a flow or a channel by itself, and may tell so by its state or not. A show that was on the
//! air before is on the air afterwards, and nobody has done anything about it: no retry is counted, no backup takes over, nothing
//! is made anew, and what is said of it in between is said once.
//!
//! AWS documents that it happens (how-maintenance-works.html of MediaConnect: "there is an interruption to all outputs on the flow";
//! maintenance-how.html of MediaLive) and not which states it shows meanwhile.

use std::time::Duration;

use playout_sim::{Config, Maintenance};
use serde_json::{Value, json};

use super::paused;
use crate::fixtures::api_server::Change;
use crate::fixtures::life::{destination, identity, our_flow, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::{World, both_worlds, quick};

/// Longer than `retry.after` is by default, and than what a backup waits for.
const AWAY: Duration = Duration::from_secs(80);
/// Longer than a measurement is waited for.
const LONG_AWAY: Duration = Duration::from_secs(240);

fn durations(away: Duration) -> Config {
    let down = Duration::from_secs(20);
    let mut config = quick();
    config.mediaconnect.durations.flow_stopping = down;
    config.mediaconnect.durations.flow_starting = away - down;
    config.medialive.durations.channel_stopping = down;
    config.medialive.durations.channel_starting = AWAY - down;
    config.medialive.durations.channel_recovering = away;
    config
}

/// In both worlds of evidence, told by its state and not.
fn maintained(play: impl AsyncFn(World, Duration, bool)) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for switches in both_worlds() {
        for (away, told) in [(AWAY, true), (AWAY, false), (LONG_AWAY, false)] {
            paused(play(World::of(&switches, durations(away), None), away, told));
        }
    }
}

async fn look_on(world: &World, operator: &mut Operator, seconds: u64) {
    operator.run_for(world, Duration::from_secs(seconds)).await.expect("it lives");
}

fn key() -> Value {
    json!({ "secretRef": { "name": "show", "key": "key" } })
}

/// What was written of every object since, in order: its name, and its status.
fn written(world: &World, since: usize) -> Vec<(String, Value)> {
    let changes = world.cluster.changes(since).into_iter().filter(|(_, key, _)| key.0 != "secrets");
    let status = |(_, key, change): (_, (String, String), Change)| match change {
        Change::Applied(object) | Change::Deleted(object) => (key.1, object["status"].clone()),
    };
    changes.map(status).collect()
}

fn condition<'a>(status: &'a Value, type_: &str) -> &'a Value {
    let mut all = status["conditions"].as_array().into_iter().flatten();
    all.find(|c| c["type"] == type_).unwrap_or(&Value::Null)
}

/// That it is on the air again as it was before, that nobody has done anything, and that what was said in between was said once.
fn was_left_alone(world: &World, names: &[&str], since: (usize, usize), is_told: bool) {
    let log = world.sim.log(0);
    let changes: Vec<_> = log[since.0..].iter().filter(|e| e.mutating).map(|e| &e.operation).collect();
    assert!(changes.is_empty(), "{changes:?}");
    let written = written(world, since.1);
    for (name, status) in &written {
        assert_eq!(status["retries"]["count"].as_u64().unwrap_or_default(), 0, "{name}: {}", status["retries"]);
        assert_eq!(status["failover"], Value::Null, "{name}");
        assert_ne!(status["activeEndpoint"], "Backup", "{name}");
        let ready = condition(status, "Ready");
        assert!(ready["reason"] != "NotConnected" && status["state"] != "Error", "{name}: {status:#}");
    }
    for name in names {
        let said = written.iter().filter(|(n, _)| n == name).map(|(_, status)| &status["state"]);
        assert!(!is_told || said.clone().any(|word| word != "Running"), "{name} was told of nothing");
        let mut words: Vec<_> = said.collect();
        words.dedup();
        let last = world.cluster.object("destinations", name).expect("it is there")["status"].clone();
        assert_eq!(
            (&last["state"], &condition(&last, "Ready")["status"]),
            (&json!("Running"), &json!("True")),
            "{last:#}"
        );
        words.retain(|word| **word != "Running");
        let once: std::collections::BTreeSet<_> = words.iter().map(ToString::to_string).collect();
        assert_eq!(once.len(), words.len(), "{name} flaps: {words:?}");
    }
}

fn now(world: &World) -> (usize, usize) {
    (world.sim.log(0).len(), world.cluster.changed())
}

#[test]
fn a_flow_that_is_maintained_is_left_alone_under_all_its_destinations() {
    maintained(async |world, away, told| {
        world.cluster.create("secrets", secret("show", "key-0001"));
        world.cluster.create("sources", source());
        let rtmp = json!({ "platform": "Custom", "url": "rtmp://live.example.net/live", "streamKey": key() });
        let mut spare = rtmp.clone();
        spare["url"] = json!("rtmp://other.example.net/live");
        spare["backup"] = json!({ "mode": "OnFailure", "url": "rtmp://backup.example.net/live" });
        let partner = json!({ "platform": "Custom", "url": "srt://198.51.100.7:9000" });
        let archive = json!({ "platform": "Custom", "url": "srt://198.51.100.8:9000",
            "backup": { "mode": "OnFailure", "url": "srt://198.51.100.9:9000" } });
        let all = [("rtmp", rtmp), ("spare", spare), ("partner", partner), ("archive", archive)];
        for (name, spec) in &all {
            world.cluster.create("destinations", destination(name, spec.clone()));
        }
        let mut operator = Operator::start(&world).await;
        look_on(&world, &mut operator, away.as_secs() + 60).await;
        let since = now(&world);
        let flow = identity("Source", "studio").flow_name();
        world.sim.maintain(&Maintenance { flow, channel: None, told }).expect("it runs");
        look_on(&world, &mut operator, away.as_secs() + 200).await;
        was_left_alone(&world, &all.each_ref().map(|(name, _)| *name), since, told);
        assert_eq!(our_flow(&world).expect("one flow")["status"], "ACTIVE");
    });
}

#[test]
fn a_channel_that_is_maintained_is_left_alone() {
    maintained(async |world, away, told| {
        world.cluster.create("secrets", secret("show", "key-0001"));
        world.cluster.create("sources", source());
        let spec = json!({ "platform": "Custom", "url": "rtmp://live.example.net/live", "streamKey": key(),
            "delivery": "Transcode", "encoding": "720p30" });
        let mut spare = spec.clone();
        spare["backup"] = json!({ "mode": "OnFailure", "url": "rtmp://backup.example.net/live" });
        let all = [("plain", spec), ("spare", spare)];
        for (name, spec) in &all {
            world.cluster.create("destinations", destination(name, spec.clone()));
        }
        let mut operator = Operator::start(&world).await;
        look_on(&world, &mut operator, away.as_secs() + 90).await;
        let since = now(&world);
        for (name, _) in &all {
            let channel = Some(identity("Destination", name).channel_name());
            world.sim.maintain(&Maintenance { flow: String::new(), channel, told }).expect("it runs");
        }
        look_on(&world, &mut operator, away.as_secs() + 200).await;
        was_left_alone(&world, &all.each_ref().map(|(name, _)| *name), since, told);
    });
}
