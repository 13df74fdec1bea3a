//! What people write into annotations is answered: by a condition and one Event.

use std::time::Duration;

use serde_json::{Value, json};

use super::paused;
use crate::fixtures::life::{destination, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::World;

#[test]
fn a_value_that_is_not_acted_upon_is_told_once_and_goes_when_it_is_mended() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(async {
        let world = World::new(None);
        world.cluster.create("sources", source());
        world.cluster.create("secrets", secret("show", "show-key-0001"));
        let key = json!({ "secretRef": { "name": "show", "key": "key" } });
        let spec = json!({ "platform": "YouTube", "streamKey": key, "backup": { "mode": "OnFailure" } });
        world.cluster.create("destinations", destination("show", spec));
        let mut operator = Operator::start(&world).await;
        operator.settle(&world, Duration::from_secs(300)).await.expect("it runs");
        for (plural, name, annotation, wrong) in [
            ("destinations", "show", "playout.dev/active-endpoint", "backup"),
            ("sources", "studio", "playout.dev/test-connection", "60"),
        ] {
            let ignored = || {
                let object = world.cluster.object(plural, name).expect("an object");
                let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
                conditions.into_iter().find(|c| c["type"] == "AnnotationIgnored").unwrap_or_default()
            };
            let write = |value: Value| {
                world.cluster.edit(plural, name, &json!({ "metadata": { "annotations": { annotation: value } } }));
            };
            write(json!(wrong));
            operator.run_for(&world, Duration::from_secs(150)).await.expect("it lives");
            let message = ignored()["message"].as_str().unwrap_or_default().to_string();
            assert!(message.contains(annotation) && message.contains(wrong), "{message}");
            let events = world.cluster.events();
            let told = events.iter().filter(|e| e["reason"] == "InvalidSpec" && e["note"] == json!(message)).count();
            assert_eq!(told, 1, "{annotation}");
            write(Value::Null);
            operator.run_for(&world, Duration::from_secs(150)).await.expect("it lives");
            assert_eq!(ignored(), Value::Null);
        }
    });
}
