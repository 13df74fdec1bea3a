//! NDI discovery of a Source, as AWS shows it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fixtures::life::{our_flow, ready, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::World;

async fn settle(world: &World, operator: &mut Operator) -> Value {
    operator.settle(world, Duration::from_secs(60)).await.expect("it comes to rest");
    ready(&world.cluster.object("sources", "studio").expect("it is there")).expect("it is well");
    our_flow(world).expect("one flow")
}

#[tokio::test(start_paused = true)]
async fn ndi_discovery_follows_the_spec_and_goes_with_the_input_that_speaks_it() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let world = World::new(None);
    let mut operator = Operator::start(&world).await;
    let plain = source();
    world.cluster.create("sources", plain.clone());
    let flow = settle(&world, &mut operator).await;

    let lan = json!({ "name": "lan", "subnetId": "subnet-0a", "securityGroupIds": ["sg-0a"] });
    let ndi = |address: &str| {
        json!({ "flowSize": "Large", "network": { "vpcInterfaces": [lan] },
            "ndi": { "discoveryServers": [{ "address": address, "vpcInterface": "lan" }] },
            "inputs": [{ "name": "encoder", "priority": "Primary", "enabled": true, "protocol": "Ndi",
                "vpcInterface": "lan", "ndi": { "sourceName": "CAM (1)" } }] })
    };
    for address in ["10.0.1.20", "10.0.1.21"] {
        world.cluster.edit("sources", "studio", &json!({ "spec": ndi(address) }));
        let now = settle(&world, &mut operator).await;
        assert_eq!(now["flowArn"], flow["flowArn"], "it is the same flow");
        assert_eq!(now["ndiConfig"]["ndiDiscoveryServers"][0]["discoveryServerAddress"], address, "{now}");
        assert_eq!(now["sources"][0]["transport"]["protocol"], "ndi-speed-hq", "{now}");
    }

    let back = json!({ "flowSize": "Medium", "network": null, "ndi": null, "inputs": plain["spec"]["inputs"] });
    world.cluster.edit("sources", "studio", &json!({ "spec": back }));
    let now = settle(&world, &mut operator).await;
    assert_eq!(now["ndiConfig"]["ndiState"], "DISABLED", "{now}");
    assert_eq!((&now["flowSize"], &now["vpcInterfaces"]), (&json!("MEDIUM"), &Value::Null), "{now}");
}
