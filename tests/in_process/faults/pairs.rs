//! A Source and its Destination, deleted and made again in every order, as a GitOps tool does that wants both all the time.

use std::time::Duration;

use playout_sim::Edit;
use serde_json::{Value, json};

use super::paused;
use crate::fixtures::life::{destination, flows, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::{REGION, World};

const SECOND: Duration = Duration::from_secs(1);

fn requested(delivery: &str) -> [(&'static str, &'static str, Value); 2] {
    let key = json!({ "secretRef": { "name": "youtube", "key": "key" } });
    let spec = json!({ "platform": "YouTube", "streamKey": key, "delivery": delivery });
    [("sources", "studio", source()), ("destinations", "youtube", destination("youtube", spec))]
}

fn is_going(world: &World, plural: &str, name: &str) -> bool {
    world.cluster.object(plural, name).is_some_and(|object| object["metadata"]["deletionTimestamp"].is_string())
}

/// Makes again what is not there, as soon as its name is free.
fn apply(world: &World, delivery: &str) {
    for (plural, name, object) in requested(delivery) {
        if world.cluster.object(plural, name).is_none() {
            world.cluster.create(plural, object);
        }
    }
}

/// Plays deletions, each so many seconds after the last, and what comes of them.
async fn played(delivery: &str, deletions: &[(u32, &str, &str)]) -> Result<(), String> {
    let world = World::new(None);
    world.cluster.create("secrets", secret("youtube", "youtube-key-0001"));
    apply(&world, delivery);
    let mut operator = Operator::start(&world).await;
    operator.run_for(&world, 60 * SECOND).await.map_err(|stop| format!("{stop:?}"))?;
    let is_on = |world: &World| {
        world.cluster.object("destinations", "youtube").is_some_and(|d| d["status"]["state"] == "Running")
    };
    if !is_on(&world) {
        return Err("it was never on the air".into());
    }
    for (pause, plural, name) in deletions {
        for _ in 0..*pause {
            operator.run_for(&world, SECOND).await.map_err(|stop| format!("{stop:?}"))?;
            apply(&world, delivery);
        }
        world.cluster.delete(plural, name);
    }
    let mut look_after = async |seconds| {
        for _ in 0..seconds {
            operator.run_for(&world, SECOND).await.map_err(|stop| format!("{stop:?}"))?;
            apply(&world, delivery);
        }
        Ok::<(), String>(())
    };
    look_after(120).await?;
    if is_going(&world, "sources", "studio") && is_on(&world) && !is_going(&world, "destinations", "youtube") {
        // It was on the air before: its Source waits, for as long as the show lasts.
        world.cluster.delete("destinations", "youtube");
        look_after(120).await?;
    }
    let stuck = requested(delivery).into_iter().find(|(plural, name, _)| is_going(&world, plural, name));
    if let Some((plural, name, _)) = stuck {
        let object = world.cluster.object(plural, name).unwrap_or_default();
        return Err(format!("{plural}/{name} still goes: {}", object["status"]["conditions"]));
    }
    let flows = flows(&world);
    let [flow] = flows.as_slice() else { return Err(format!("{} flows", flows.len())) };
    let outputs = flow["outputs"].as_array().map_or(0, Vec::len);
    let object = world.cluster.object("destinations", "youtube").unwrap_or_default();
    if !is_on(&world) || flow["status"] != "ACTIVE" || outputs != 1 {
        return Err(format!("flow {} with {outputs} outputs, {}", flow["status"], object["status"]["conditions"]));
    }
    Ok(())
}

#[test]
fn what_is_deleted_and_made_again_in_every_order_is_on_the_air_again() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let [source, show] = [("sources", "studio"), ("destinations", "youtube")];
    let mut failures = Vec::new();
    for delivery in ["Passthrough", "Transcode"] {
        for order in [vec![source, show], vec![show, source], vec![source, show, show], vec![show, source, show]] {
            for pause in [0, 1, 4] {
                let at = order.iter().enumerate();
                let deletions: Vec<_> = at.map(|(i, (p, n))| (if i == 0 { 0 } else { pause }, *p, *n)).collect();
                paused(async {
                    if let Err(why) = played(delivery, &deletions).await {
                        failures.push(format!("{delivery} {deletions:?}: {why}"));
                    }
                });
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_deleted_while_the_flow_is_in_error_goes_and_leaves_nothing() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for delivery in ["Passthrough", "Transcode"] {
        paused(async {
            let world = World::new(None);
            world.cluster.create("secrets", secret("youtube", "youtube-key-0001"));
            apply(&world, delivery);
            let mut operator = Operator::start(&world).await;
            operator.run_for(&world, 240 * SECOND).await.expect("it lives");
            assert_eq!(world.cluster.object("destinations", "youtube").expect("it")["status"]["state"], "Running");
            let flow = flows(&world)[0]["flowArn"].as_str().expect("an ARN").to_owned();
            let edit = Edit { flow, status: Some("ERROR".into()), ..Edit::default() };
            world.sim.edit(&edit).expect("a flow");
            for (plural, name, _) in requested(delivery) {
                world.cluster.delete(plural, name);
            }
            operator.run_for(&world, 400 * SECOND).await.expect("it lives");
            for (plural, name, _) in requested(delivery) {
                let left = world.cluster.object(plural, name);
                assert!(left.is_none(), "{delivery}: {name} {}", left.unwrap_or_default()["status"]["conditions"]);
            }
            let medialive = world.sim.state()[REGION]["medialive"].clone();
            let gone = |list: &Value| {
                list.as_array()
                    .is_none_or(|all| all.iter().all(|one| one["state"].as_str().is_none_or(|s| s == "DELETED")))
            };
            assert!(
                flows(&world).is_empty() && gone(&medialive["channels"]) && gone(&medialive["inputs"]),
                "{medialive}"
            );
        });
    }
}
