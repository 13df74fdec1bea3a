//! Many objects side by side: nobody works for what does not concern it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::paused;
use crate::fixtures::life::{destination, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::wire::Effect;
use crate::fixtures::world::World;

const LONG: Duration = Duration::from_secs(60);

fn create(world: &World, name: &str, state: &str) {
    let key = json!({ "secretRef": { "name": "keys", "key": "key" } });
    let spec = json!({ "platform": "YouTube", "streamKey": key, "state": state });
    world.cluster.create("destinations", destination(name, spec));
}

fn stopped(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| format!("stopped-{number:02}")).collect()
}

/// Requests of this phase that have one of these effects, by what they are.
fn requests(world: &World, phase: usize, effects: &[Effect]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in world.wire.trace().iter().filter(|r| r.phase == phase && effects.contains(&r.effect)) {
        *counts.entry(request.label.clone()).or_default() += 1;
    }
    counts
}

/// One Source and a Destination of it that is off the air, both at rest.
async fn begun(world: &World) -> Operator {
    world.cluster.create("secrets", secret("keys", "a-key-of-many-letters"));
    world.cluster.create("sources", source());
    create(world, "live", "Stopped");
    let mut operator = Operator::start(world).await;
    operator.settle(world, LONG).await.expect("it settles");
    operator
}

#[test]
fn of_many_that_are_off_the_air_none_looks_when_another_one_goes_on_the_air_and_off() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(async {
        let world = World::new(None);
        let mut operator = begun(&world).await;
        let names = stopped(0, 30);
        names.iter().for_each(|name| create(&world, name, "Stopped"));
        operator.settle(&world, LONG).await.expect("it settles");
        operator.passes.clear();
        for (phase, state, word) in [(1, "Running", "Running"), (2, "Stopped", "Idle")] {
            world.wire.enter(phase);
            world.cluster.edit("destinations", "live", &json!({ "spec": { "state": state } }));
            operator.run_for(&world, Duration::from_secs(20)).await.expect("it lives");
            assert_eq!(world.cluster.object("destinations", "live").unwrap_or_default()["status"]["state"], word);
        }
        let passes: usize = operator.passes.iter().filter(|((_, name), _)| names.contains(name)).map(|(_, n)| n).sum();
        assert_eq!(passes, 0, "{:?}", operator.passes);
    });
}

#[test]
fn what_was_never_started_costs_a_few_passes_and_the_source_one_write_a_second() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(async {
        let world = World::new(None);
        let mut operator = begun(&world).await;
        operator.passes.clear();
        world.wire.enter(1);
        // Three a second: kubectl does not make them in one moment either.
        let names = stopped(0, 30);
        for some in names.chunks(3) {
            some.iter().for_each(|name| create(&world, name, "Stopped"));
            operator.run_for(&world, Duration::from_secs(1)).await.expect("it lives");
        }
        operator.run_for(&world, Duration::from_secs(3)).await.expect("it lives");
        let users = &world.cluster.object("sources", "studio").unwrap_or_default()["status"]["users"];
        assert_eq!(users.as_array().map(Vec::len), Some(31), "none is forgotten: {users}");
        let most = operator.passes.iter().filter(|((_, name), _)| names.contains(name)).map(|(_, n)| *n).max();
        assert_eq!(most, Some(1), "{:?}", operator.passes);

        let writes = requests(&world, 1, &[Effect::ApiWrite]);
        let of_source: usize = writes.iter().filter(|(label, _)| label.contains("sources/")).map(|(_, n)| n).sum();
        assert!(of_source <= 13, "at most one a second: {writes:?}");
        // The finalizer and the status.
        let its = |name: &String| {
            writes.iter().filter(|(label, _)| label.contains(name.as_str())).map(|(_, n)| n).sum::<usize>()
        };
        assert!(names.iter().all(|name| its(name) == 2), "{writes:?}");
        let asked = requests(&world, 1, &[Effect::AwsRead, Effect::AwsChange, Effect::AwsCreate]);
        assert!(asked.values().sum::<usize>() <= 30, "by time, and not by objects: {asked:?}");
    });
}

/// An operator that comes back when all is as it should be changes nothing, and reads by flows and not by objects.
#[test]
fn a_restart_with_all_at_rest_changes_nothing() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(async {
        let world = World::new(None);
        let mut operator = begun(&world).await;
        stopped(0, 10).iter().for_each(|name| create(&world, name, "Stopped"));
        let running: Vec<_> = (0..20).map(|number| format!("running-{number:02}")).collect();
        for name in &running {
            world.cluster.create("secrets", secret(name, &format!("{name}-of-many-letters")));
            let key = json!({ "secretRef": { "name": name, "key": "key" } });
            world.cluster.create("destinations", destination(name, json!({ "platform": "YouTube", "streamKey": key })));
        }
        operator.settle(&world, LONG).await.expect("it settles");
        operator.run_for(&world, LONG).await.expect("it lives");
        let sent = requests(&world, 0, &[Effect::AwsChange, Effect::AwsCreate]);
        let additions: usize = sent.iter().filter(|(label, _)| label.contains("outputs")).map(|(_, n)| n).sum();
        assert!(additions <= 3, "they come together: {sent:?}");
        drop(operator);
        world.wire.enter(1);
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, Duration::from_secs(5)).await.expect("it lives");
        assert_eq!(requests(&world, 1, &[Effect::AwsChange, Effect::AwsCreate, Effect::ApiWrite]), BTreeMap::new());
        let reads = requests(&world, 1, &[Effect::AwsRead]);
        assert!(reads.values().sum::<usize>() <= 10, "{reads:?}");
        assert!(operator.passes.len() == 32, "each was looked at: {:?}", operator.passes);
    });
}
