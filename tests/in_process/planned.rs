//! `playout plan` says what a pass would do, from what AWS shows and from nothing else.

use std::time::Duration;

use playout_operator::planned::{manifests, plans};
use serde_json::{Value, json};

use crate::fixtures::life::{destination, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::{World, config};

const KEY: &str = "cnry-planned-key-0001";

/// A show on the air on both paths, its world and its operator.
async fn on_air() -> (World, Operator) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let world = World::new(None);
    world.cluster.create("sources", source());
    for (name, more) in [("youtube", json!({})), ("encoded", json!({ "delivery": "Transcode", "encoding": "480p30" }))]
    {
        world.cluster.create("secrets", secret(name, &format!("{KEY}-{name}")));
        let key = json!({ "secretRef": { "name": name, "key": "key" } });
        let mut spec = json!({ "platform": "YouTube", "streamKey": key });
        spec.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        world.cluster.create("destinations", destination(name, spec));
    }
    // Its password has a copy in Secrets Manager.
    world.cluster.create("secrets", secret("partner", &format!("{KEY}-partner")));
    let encryption = json!({ "passwordSecretRef": { "name": "partner", "key": "key" } });
    let partner = json!({ "platform": "Custom", "url": "srt://198.51.100.7:9000", "encryption": encryption });
    world.cluster.create("destinations", destination("partner", partner));
    let mut operator = Operator::start(&world).await;
    operator.settle(&world, Duration::from_secs(120)).await.expect("it comes to rest");
    (world, operator)
}

fn objects(world: &World) -> Vec<Value> {
    world.cluster.objects().into_values().collect()
}

/// The plan of one object.
fn of<'a>(text: &'a str, object: &str) -> &'a str {
    let parts = text.split("\n\n").find(|part| part.trim_start().starts_with(object));
    parts.unwrap_or_else(|| panic!("no {object} in {text}"))
}

#[tokio::test(start_paused = true)]
async fn of_a_show_on_the_air_nothing_is_planned_and_of_an_edit_what_the_operator_then_does() {
    let (world, mut operator) = on_air().await;
    let asked = world.sim.log(0).len();
    let at_rest = plans(objects(&world), world.sim.state(), config()).await.expect("a plan");
    for object in
        ["Source show/studio", "Destination show/youtube", "Destination show/encoded", "Destination show/partner"]
    {
        assert!(!of(&at_rest, object).contains("  act "), "{at_rest}");
        assert!(!of(&at_rest, object).contains("failed"), "{at_rest}");
    }
    let other = json!({ "spec": { "platform": "Custom", "url": "rtmps://other.example.net:443/live" } });
    for name in ["youtube", "encoded"] {
        world.cluster.edit("destinations", name, &other);
    }
    let edited = plans(objects(&world), world.sim.state(), config()).await.expect("a plan");
    assert!(of(&edited, "Destination show/youtube").contains("  act      Output Update {"), "{edited}");
    assert!(of(&edited, "Destination show/encoded").contains("  act      Channel Stop {"), "{edited}");
    assert!(!of(&edited, "Source show/studio").contains("  act "), "{edited}");
    assert!(edited.contains("other.example.net") && edited.contains("(secret)"), "{edited}");
    for text in [&at_rest, &edited] {
        assert!(!text.contains(KEY), "a key is printed");
    }
    assert_eq!(world.sim.log(0).len(), asked, "AWS was asked");

    operator.settle(&world, Duration::from_secs(120)).await.expect("it comes to rest");
    let log = world.sim.log(0).split_off(asked);
    let mut changes: Vec<_> =
        log.into_iter().filter(|entry| entry.mutating).map(|entry| entry.operation).take(2).collect();
    changes.sort();
    assert_eq!(changes, ["StopChannel", "UpdateFlowOutput"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_record_of_aws_all_is_planned_from_nothing() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let text = std::fs::read_to_string(playout_stage::root().join("examples/quickstart.yaml")).expect("an example");
    let mut config = config();
    config.aws_region = Some("us-west-2".into());
    let plan = plans(manifests(&text).expect("manifests"), json!({}), config.clone()).await.expect("a plan");
    assert!(of(&plan, "Source default/studio").contains("  act      Flow Create {"), "{plan}");
    assert!(of(&plan, "Destination default/twitch").contains("  wait     SourceNotReady: "), "{plan}");
    let nothing = plans(Vec::new(), json!({}), config).await;
    assert!(
        nothing.is_err_and(|error| error.to_string().contains("no object of Playout's kinds (Source, Destination"))
    );
}
