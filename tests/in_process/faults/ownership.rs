//! Whose it is: flows and outputs of others, tags that change, two clusters of one identity, lists that lag.

use std::time::Duration;

use playout_core::identity::{TAG_CLUSTER, TAG_UID};
use playout_sim::{Fault, FaultKind, LogEntry};
use serde_json::{Value, json};

use super::paused;
use crate::fixtures::life::{destination, our_flow, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::passthrough::tester;
use crate::fixtures::world::{REGION, World};

const LONG: Duration = Duration::from_secs(120);

fn ready(world: &World, plural: &str, name: &str) -> Value {
    let object = world.cluster.object(plural, name).unwrap_or_default();
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|c| c["type"] == "Ready").unwrap_or_default()
}

fn lived(work: impl Future<Output = ()>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(work);
}

/// One Source and one Destination on the air.
async fn on_air() -> (World, Operator) {
    let world = World::new(None);
    world.cluster.create("secrets", secret("youtube", "youtube-key-0001"));
    world.cluster.create("sources", source());
    let key = json!({ "secretRef": { "name": "youtube", "key": "key" } });
    world.cluster.create("destinations", destination("youtube", json!({ "platform": "YouTube", "streamKey": key })));
    let mut operator = Operator::start(&world).await;
    operator.settle(&world, LONG).await.expect("it runs");
    assert_eq!(our_flow(&world).expect("a flow")["status"], "ACTIVE");
    (world, operator)
}

async fn tag(world: &World, key: &str, value: &str) {
    let flow = our_flow(world).expect("a flow");
    let call = tester(world).await.tag_resource().resource_arn(flow["flowArn"].as_str().unwrap_or_default());
    call.tags(key, value).send().await.expect("tagged");
}

fn since(world: &World, seq: usize) -> Vec<LogEntry> {
    world.sim.log(0).split_off(seq)
}

fn told(world: &World, reason: &str) -> String {
    let events = world.cluster.events();
    let of_reason = events.iter().filter(|e| e["reason"] == reason);
    of_reason.filter_map(|e| e["note"].as_str()).map(|note| format!("{note}\n")).collect()
}

#[test]
fn a_flow_that_was_handed_over_a_moment_ago_is_not_deleted_and_its_end_is_told() {
    lived(async {
        let (world, mut operator) = on_air().await;
        operator.run_for(&world, Duration::from_secs(20)).await.expect("it lives");
        tag(&world, TAG_CLUSTER, "the-new-cluster").await;
        world.cluster.delete("destinations", "youtube");
        world.cluster.delete("sources", "studio");
        operator.run_for(&world, LONG).await.expect("it lives");
        let flow = our_flow(&world).expect("it is the new cluster's");
        assert_eq!(flow["status"], "ACTIVE");
        assert!(world.cluster.object("sources", "studio").is_none(), "the object goes");
        let last = told(&world, "NotOurs");
        assert!(last.contains(flow["flowArn"].as_str().unwrap_or("?")) && last.contains("billed"), "{last}");
    });
}

#[test]
fn another_cluster_id_sends_nothing_twice_and_calls_nothing_gone_that_runs() {
    lived(async {
        let (mut world, operator) = on_air().await;
        drop(operator);
        world.cluster_id = "by-mistake".into();
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, LONG).await.expect("it lives");
        let flow = our_flow(&world).expect("a flow");
        assert_eq!(flow["outputs"].as_array().map(Vec::len), Some(1), "the same key is not sent twice");
        assert_eq!(world.sim.state()[REGION]["mediaconnect"]["flows"].as_array().map(Vec::len), Some(1));
        for (plural, name) in [("sources", "studio"), ("destinations", "youtube")] {
            assert_eq!(ready(&world, plural, name)["reason"], "NotOurs", "{plural}");
        }
        let arn = flow["outputs"][0]["outputArn"].as_str().unwrap_or("?").to_string();
        world.cluster.edit("destinations", "youtube", &json!({ "spec": { "state": "Stopped" } }));
        operator.run_for(&world, LONG).await.expect("it lives");
        let object = world.cluster.object("destinations", "youtube").expect("an object");
        let message = ready(&world, "destinations", "youtube")["message"].to_string();
        assert!(message.contains("still sends") && message.contains(&arn), "{message}");
        assert_eq!(object["status"]["notOurs"], json!([arn]));
        assert!(object["status"]["lastRuns"][0]["stopped"].is_null(), "{}", object["status"]["lastRuns"]);
        world.cluster.delete("destinations", "youtube");
        world.cluster.delete("sources", "studio");
        operator.run_for(&world, LONG).await.expect("it lives");
        assert!(world.cluster.objects().into_keys().all(|key| key.0 == "secrets"));
        let last = told(&world, "NotOurs");
        let flow_arn = flow["flowArn"].as_str().unwrap_or("?");
        assert!(last.contains(&arn) && last.contains(flow_arn) && last.contains("billed"), "{last}");
        assert!(!told(&world, "Deleted").contains("Nothing of this object"), "{}", told(&world, "Deleted"));
    });
}

#[test]
fn a_copy_of_a_password_under_another_cluster_id_is_named_when_its_object_goes() {
    lived(async {
        let (mut world, mut operator) = on_air().await;
        world.cluster.create("secrets", secret("partner", "partner-password-0001"));
        let password = json!({ "passwordSecretRef": { "name": "partner", "key": "key" } });
        let partner = json!({ "platform": "Custom", "url": "srt://198.51.100.7:9000", "encryption": password });
        world.cluster.create("destinations", destination("partner", partner));
        operator.settle(&world, LONG).await.expect("it runs");
        let copies = || world.sim.state()[REGION]["secretsmanager"]["secrets"].as_array().cloned().unwrap_or_default();
        let arn = copies()[0]["ARN"].as_str().expect("an ARN").to_string();
        drop(operator);
        world.cluster_id = "by-mistake".into();
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, LONG).await.expect("it lives");
        world.cluster.delete("destinations", "partner");
        operator.run_for(&world, LONG).await.expect("it lives");
        assert!(world.cluster.object("destinations", "partner").is_none() && copies().len() == 1);
        let last = told(&world, "NotOurs");
        assert!(last.contains(&arn) && last.contains("billed by the month"), "{last}");
    });
}

#[test]
fn tags_that_are_restored_by_hand_are_found_without_being_asked_for_and_never_in_between() {
    lived(async {
        let (world, mut operator) = on_air().await;
        let flow = our_flow(&world).expect("a flow");
        let output = &flow["outputs"][0];
        let arns = [&flow["flowArn"], &output["outputArn"]].map(|arn| arn.as_str().unwrap_or("?").to_string());
        for (arn, tags) in arns.iter().zip([&flow["tags"], &output["tags"]]) {
            let keys = tags.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
            let call = tester(&world).await.untag_resource().resource_arn(arn);
            call.set_tag_keys(Some(keys)).send().await.expect("taken off");
        }
        let objects = [("sources", "studio"), ("destinations", "youtube")];
        for (plural, name) in objects {
            let asked = json!({ "metadata": { "annotations": { "playout.dev/reconcile-at": "now" } } });
            world.cluster.edit(plural, name, &asked);
        }
        operator.run_for(&world, LONG).await.expect("it lives");
        for (plural, name) in objects {
            assert_eq!(ready(&world, plural, name)["reason"], "NotOurs", "{plural}");
        }
        // Asked again while they are still gone, nothing is said to be well for a moment.
        let before = told(&world, "Running").lines().count();
        let asked = json!({ "metadata": { "annotations": { "playout.dev/reconcile-at": "again" } } });
        world.cluster.edit("destinations", "youtube", &asked);
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(told(&world, "Running").lines().count(), before, "{}", told(&world, "Running"));
        // Somebody restores them, and knows nothing of UIDs.
        for (arn, tags) in arns.iter().zip([&flow["tags"], &output["tags"]]) {
            let mut call = tester(&world).await.tag_resource().resource_arn(arn);
            for (key, value) in tags.as_object().into_iter().flatten().filter(|(key, _)| *key != TAG_UID) {
                call = call.tags(key, value.as_str().unwrap_or_default());
            }
            call.send().await.expect("restored");
        }
        operator.run_for(&world, Duration::from_secs(400)).await.expect("it lives");
        for (plural, name) in objects {
            assert_eq!(ready(&world, plural, name)["reason"], "Running", "{plural}");
        }
        let flow = our_flow(&world).expect("a flow");
        assert!(flow["tags"][TAG_UID].is_string() && flow["outputs"][0]["tags"][TAG_UID].is_string(), "{flow}");
    });
}

#[test]
fn the_older_of_two_clusters_with_one_identity_stops_acting_and_goes_without_deleting() {
    lived(async {
        let (world, mut operator) = on_air().await;
        tag(&world, TAG_UID, "the-newer-one").await;
        // What is said to a flow is asked for anew at once.
        world.cluster.edit(
            "sources",
            "studio",
            &json!({ "metadata": { "annotations":
            { "playout.dev/reconcile-at": "now" } } }),
        );
        operator.run_for(&world, LONG).await.expect("it lives");
        assert_eq!(ready(&world, "sources", "studio")["reason"], "TakenOver");
        let message = ready(&world, "sources", "studio")["message"].to_string();
        assert!(message.contains("the-newer-one"), "{message}");
        let before = world.sim.log(0).len();
        world.cluster.edit("sources", "studio", &json!({ "spec": { "tags": { "team": "news" } } }));
        operator.run_for(&world, Duration::from_secs(1200)).await.expect("it lives");
        let touched: Vec<_> = since(&world, before).into_iter().filter(|e| e.mutating).map(|e| e.operation).collect();
        assert_eq!(touched, Vec::<String>::new());
        world.cluster.delete("destinations", "youtube");
        world.cluster.delete("sources", "studio");
        operator.run_for(&world, LONG).await.expect("it lives");
        assert!(world.cluster.object("sources", "studio").is_none(), "it goes");
        assert!(our_flow(&world).is_ok(), "the flow is the newer one's");
        assert!(told(&world, "TakenOver").contains("the-newer-one"), "{}", told(&world, "TakenOver"));
    });
}

#[test]
fn a_stop_after_a_restart_asks_for_no_tags_of_outputs_and_nothing_of_secrets_manager() {
    lived(async {
        let (world, operator) = on_air().await;
        drop(operator);
        assert!(world.sim.log(0).iter().all(|e| e.service != "secretsmanager"), "there is no password");
        let hangs = FaultKind::Delay { milliseconds: 20_000, when: playout_sim::When::Before };
        for operation in ["ListTagsForResource", "ListSecrets"] {
            world.sim.plant_fault(Fault { times: 0, ..Fault::new("*", operation, hangs.clone()) });
        }
        let before = world.sim.log(0).len();
        world.cluster.edit("destinations", "youtube", &json!({ "spec": { "state": "Stopped" } }));
        let mut operator = Operator::start(&world).await;
        operator.run_for(&world, Duration::from_secs(2)).await.expect("it lives");
        let output = our_flow(&world).expect("a flow")["outputs"][0]["outputStatus"].clone();
        assert_eq!(output, "DISABLED", "{:?}", since(&world, before).iter().map(|e| &e.operation).collect::<Vec<_>>());
    });
}

#[test]
fn refused_tags_keep_no_show_from_starting_and_a_refusal_is_told() {
    lived(async {
        let (world, mut operator) = on_air().await;
        world.cluster.edit("destinations", "youtube", &json!({ "spec": { "state": "Stopped" } }));
        operator.settle(&world, LONG).await.expect("it rests");
        let denied = FaultKind::FailBefore { status: 403, code: "ForbiddenException".into(), message: "no".into() };
        world.sim.plant_fault(Fault { times: 0, ..Fault::new("mediaconnect", "TagResource", denied) });
        world.cluster.edit("sources", "studio", &json!({ "spec": { "tags": { "team": "news" } } }));
        world.cluster.edit(
            "destinations",
            "youtube",
            &json!({ "spec": { "state": "Running",
            "tags": { "team": "news" } } }),
        );
        operator.run_for(&world, LONG).await.expect("it lives");
        let flow = our_flow(&world).expect("a flow");
        assert_eq!((&flow["status"], &flow["outputs"][0]["outputStatus"]), (&json!("ACTIVE"), &json!("ENABLED")));
        for (plural, name) in [("sources", "studio"), ("destinations", "youtube")] {
            assert_eq!(ready(&world, plural, name)["status"], "True", "{plural}");
        }
        assert!(told(&world, "AccessDenied").contains("TagResource"), "{}", told(&world, "AccessDenied"));
        let tries = world.sim.log(0).iter().filter(|e| e.operation == "TagResource").count();
        assert!(tries < 20, "{tries} times in two minutes");
    });
}

/// The SRT input of a Source with a password in a Secret.
fn encrypted_source() -> Value {
    let mut studio = source();
    studio["spec"]["inputs"][0]["srtListener"]["encryption"] =
        json!({ "passwordSecretRef": { "name": "password", "key": "key" } });
    studio
}

#[test]
fn a_list_of_secrets_that_lags_by_minutes_makes_nothing_twice_and_leaves_nothing() {
    lived(async {
        let world = World::new(None);
        let hidden = FaultKind::HideFromLists { seconds: 300.0 };
        world.sim.plant_fault(Fault { times: 0, ..Fault::new("secretsmanager", "CreateSecret", hidden) });
        world.cluster.create("secrets", secret("password", "a-password-0001"));
        world.cluster.create("sources", encrypted_source());
        let mut operator = Operator::start(&world).await;
        operator.settle(&world, Duration::from_secs(30)).await.expect("it is made");
        our_flow(&world).expect("a flow");
        let made = |world: &World| world.sim.log(0).iter().filter(|e| e.operation == "CreateSecret").count();
        assert_eq!(made(&world), 1);
        // The password goes out of the spec, and at once the Source with it: no list has the copy yet.
        let plain = source()["spec"]["inputs"].clone();
        world.cluster.edit("sources", "studio", &json!({ "spec": { "inputs": plain } }));
        world.cluster.delete("sources", "studio");
        operator.run_for(&world, Duration::from_secs(60)).await.expect("it lives");
        assert!(world.cluster.object("sources", "studio").is_none(), "it is gone");
        let left = world.sim.state()[REGION]["secretsmanager"]["secrets"].clone();
        assert_eq!(left.as_array().map_or(0, Vec::len), 0, "{left}");
        assert_eq!(made(&world), 1);
    });
}

#[test]
fn an_intent_that_came_with_a_copy_holds_up_nothing_and_one_from_the_future_ends() {
    lived(async {
        for (uid, soon) in
            [("00000000-0000-4000-8000-000000000999", true), ("00000000-0000-4000-8000-000000000001", false)]
        {
            let world = World::new(None);
            let mut copy = source();
            copy["metadata"]["annotations"] =
                json!({ "playout.dev/create-intent": format!("2030-01-01T00:00:00Z {uid}") });
            world.cluster.create("sources", copy);
            let mut operator = Operator::start(&world).await;
            operator.run_for(&world, Duration::from_secs(30)).await.expect("it lives");
            assert_eq!(our_flow(&world).is_ok(), soon, "written for {uid}");
            operator.run_for(&world, Duration::from_secs(90)).await.expect("it lives");
            our_flow(&world).expect("whatever a clock says, it ends");
        }
    });
}
