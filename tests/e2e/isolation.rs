//! What is done to one Destination touches no other: shown from the requests that AWS gets.

use anyhow::{Context as _, Result, ensure};
use playout_stage::wait_until;
use serde_json::{Value, json};

use crate::fixtures::{
    PATIENCE, Show, by_operation, destination, encodes, key, owner, secret, show, stream_key, text, transcode, with,
};

const OTHERS: usize = 19;

/// What all requests since `since` may be about: the flow, and the outputs of this one Destination.
fn only_about_one(stage: &Show, since: u64, before: &[Value]) -> Result<()> {
    for request in stage.requests(since)? {
        let operation = text(&request["operation"]);
        let measures = operation == "GetMetricData";
        let names: Vec<_> = request["names"].as_array().into_iter().flatten().map(text).collect();
        let other = before.iter().find(|o| names.contains(&text(&o["name"])) || names.contains(&text(&o["outputArn"])));
        // Measurements of all are read in one call; they touch nothing.
        ensure!(
            measures || other.is_none(),
            "{operation} names an output of {}: {request}",
            owner(other.unwrap_or(&request))
        );
        let of_the_one = ["AddFlowOutputs", "UpdateFlowOutput", "RemoveFlowOutput"].contains(&operation);
        ensure!(request["mutating"] == false || of_the_one, "{operation}: {request}");
    }
    let others: Vec<_> = stage.outputs()?.into_iter().filter(|o| owner(o) != "one").collect();
    ensure!(others == before, "other outputs are not what they were: {others:?}, before {before:?}");
    ensure!(stage.flow()?["status"] == "ACTIVE");
    Ok(())
}

#[tokio::test]
async fn nothing_that_is_done_to_one_destination_touches_another() -> Result<()> {
    let Some(stage) = Show::start("isolation").await? else { return Ok(()) };
    let names: Vec<_> = (0..OTHERS).map(|n| format!("other-{n:02}")).collect();
    stage.apply(&show(&names.iter().map(String::as_str).collect::<Vec<_>>()))?;
    stage.until_ready().await?;
    let before = stage.outputs()?;
    ensure!(before.len() == OTHERS && before.iter().all(|o| o["outputStatus"] == "ENABLED"), "{before:?}");
    let objects = stage.objects().await?;
    let since = stage.now()?;

    let one = with(destination("one"), json!({ "updatePolicy": "Restart" }));
    stage.apply(&[secret("one", &key("one")), one])?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    only_about_one(&stage, since, &before)?;

    stage.change("destination/one", json!({ "url": "rtmps://moved.example.net:443/live" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    ensure!(stage.output("one")?["destination"] == "moved.example.net");
    stage.set_key("one", "another-key")?;
    stage
        .until_aws("the new key is used", |flow| {
            let mut outputs = flow["outputs"].as_array().into_iter().flatten();
            outputs.any(|o| owner(o) == "one" && stream_key(o) == "another-key")
        })
        .await?;
    only_about_one(&stage, since, &before)?;

    stage.change("destination/one", json!({ "state": "Stopped" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Stopped").await?;
    stage.change("destination/one", json!({ "state": "Running" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    stage.kubectl("delete destination one --timeout=60s")?;
    only_about_one(&stage, since, &before)?;

    let changes = by_operation(&stage.changes(since)?);
    println!("one of twenty added, moved, given another key, stopped, started, deleted: {changes:?}");
    let expected = [("AddFlowOutputs", 1), ("RemoveFlowOutput", 1), ("UpdateFlowOutput", 4)];
    ensure!(changes == expected.map(|(name, times)| (name.to_owned(), times)).into(), "{changes:?}");
    // The others' runs were not interrupted either.
    for object in objects.iter().filter(|o| o["kind"] == "Destination") {
        let name = text(&object["metadata"]["name"]);
        let now = stage.until_state(&format!("destination/{name}"), "Running").await?;
        ensure!(now["status"]["startedAt"] == object["status"]["startedAt"], "{name} was interrupted");
        ensure!(now["status"]["lastRuns"].as_array().is_some_and(|runs| runs.len() == 1), "{name} has begun anew");
    }
    Ok(())
}

/// Those of the others, as AWS shows them.
fn others(stage: &Show) -> Result<Vec<Value>> {
    let all = [stage.inputs()?, stage.channels()?, stage.outputs()?].concat();
    let ours: Vec<_> = stage.inputs()?.into_iter().filter(|i| owner(i) == "one").map(|i| i["arn"].clone()).collect();
    Ok(all.into_iter().filter(|r| owner(r) != "one" && !ours.contains(&r["mediaLiveInputArn"])).collect())
}

/// No change since `since` is about anything but the channel and the input of this one Destination.
fn only_about_one_channel(stage: &Show, since: u64, before: &[Value]) -> Result<()> {
    let members = ["id", "arn", "name", "outputArn"];
    let foreign: Vec<_> = before.iter().flat_map(|r| members.map(|m| text(&r[m]))).filter(|n| !n.is_empty()).collect();
    for request in stage.changes(since)? {
        let names: Vec<_> = request["names"].as_array().into_iter().flatten().map(text).collect();
        ensure!(!names.is_empty(), "it names nothing: {request}");
        let other = names.iter().find(|name| foreign.contains(name));
        ensure!(other.is_none() && request["service"] == "medialive", "{other:?} in {request}");
    }
    let now = others(stage)?;
    ensure!(now == before, "others are not what they were: {now:?}, before {before:?}");
    ensure!(stage.flow()?["status"] == "ACTIVE");
    Ok(())
}

#[tokio::test]
async fn nothing_that_is_done_to_one_channel_touches_another() -> Result<()> {
    let Some(stage) = Show::start("isolation-channels").await? else { return Ok(()) };
    stage.control("PUT", "quotas", &json!({ "channels": 20, "pushInputs": 20 }))?;
    let passed: Vec<_> = (0..6).map(|n| format!("passed-{n}")).collect();
    let encoded: Vec<_> = (0..6).map(|n| format!("encoded-{n}")).collect();
    let mut objects = show(&passed.iter().map(String::as_str).collect::<Vec<_>>());
    objects.extend(encoded.iter().flat_map(|name| [secret(name, &key(name)), transcode(name)]));
    stage.apply(&objects)?;
    stage.until_ready().await?;
    let before = others(&stage)?;
    // An output of the flow each, and an input and a channel for half of them.
    ensure!(before.len() == 12 + 2 * 6, "{before:?}");
    let objects = stage.objects().await?;
    let since = stage.now()?;

    stage.apply(&[secret("one", &key("one")), with(transcode("one"), json!({ "updatePolicy": "Restart" }))])?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    only_about_one_channel(&stage, since, &before)?;

    stage.set_key("one", "another-key")?;
    wait_until(PATIENCE, "the new key is used", || async {
        let channel = stage.channels()?.into_iter().find(|c| owner(c) == "one").context("it has a channel")?;
        ensure!(encodes(&channel).0 == "another-key" && channel["state"] == "RUNNING", "{channel}");
        anyhow::Ok(())
    })
    .await?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    only_about_one_channel(&stage, since, &before)?;

    stage.change("destination/one", json!({ "state": "Stopped" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Stopped").await?;
    only_about_one_channel(&stage, since, &before)?;
    stage.change("destination/one", json!({ "state": "Running" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    stage.kubectl("delete destination one --timeout=90s")?;
    only_about_one_channel(&stage, since, &before)?;

    let changes = by_operation(&stage.changes(since)?);
    println!("one of seven channels added, given another key, stopped, started, deleted: {changes:?}");
    let expected = [
        ("CreateChannel", 2),
        ("CreateInput", 2),
        ("DeleteChannel", 2),
        ("DeleteInput", 2),
        ("StartChannel", 3),
        ("StopChannel", 3),
        ("UpdateChannel", 1),
    ];
    ensure!(changes == expected.map(|(name, times)| (name.to_owned(), times)).into(), "{changes:?}");
    for object in objects.iter().filter(|o| o["kind"] == "Destination") {
        let name = text(&object["metadata"]["name"]);
        let now = stage.until_state(&format!("destination/{name}"), "Running").await?;
        ensure!(now["status"]["startedAt"] == object["status"]["startedAt"], "{name} was interrupted");
    }
    Ok(())
}

/// Installs a value of `spec.delivery` that a newer version is to know, in the CRD alone.
fn install_a_newer_crd(stage: &Show) -> Result<()> {
    let enum_of_delivery = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/delivery/enum/-";
    let patch = json!([{ "op": "add", "path": enum_of_delivery, "value": "Shared" }]).to_string();
    stage.kubectl(&format!("patch crd destinations.playout.dev --type=json -p {patch}")).map(drop)
}

#[tokio::test]
async fn an_object_of_a_newer_version_stops_no_other() -> Result<()> {
    let Some(stage) = Show::start("newer").await? else { return Ok(()) };
    stage.apply(&show(&["one", "two"]))?;
    stage.until_ready().await?;
    install_a_newer_crd(&stage)?;
    // The API server takes a moment to serve it.
    wait_until(PATIENCE, "the newer value is taken", || async {
        stage.change("destination/one", json!({ "delivery": "Shared" }))
    })
    .await?;
    stage.until_condition("destination/one", "Stalled", "True", "NotUnderstood").await?;
    // Who dies between a status and its Event tells no more of it.
    wait_until(PATIENCE, "an Event tells it", || async {
        let events = stage.events().await?;
        ensure!(events.iter().any(|e| e["reason"] == "NotUnderstood" && e["type"] == "Warning"), "{events:?}");
        anyhow::Ok(())
    })
    .await?;

    stage.operator.borrow_mut().restart()?;
    stage.change("destination/two", json!({ "state": "Stopped" }))?;
    stage.until_state("destination/two", "Idle").await?;
    ensure!(stage.output("one")?["outputStatus"] == "ENABLED", "it is left as it is");
    let two = stage.object("destination/two").await?.context("it is there")?;
    // What the operator does not keep of an object in memory is none of its writes.
    ensure!(!two["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"].is_null(), "{two}");
    let message = stage.kubectl("get destination one -o wide")?;
    ensure!(message.contains("spec.delivery (unknown variant `Shared`"), "{message}");
    let log = stage.operator.borrow().log();
    ensure!(!log.contains("last-applied-configuration") && !log.contains("\"items\""), "an object is in the log");

    stage.kubectl("delete destination one --wait=false")?;
    let waits = |object: &Value| text(&object["status"]["conditions"][0]["message"]).contains("Its deletion waits");
    stage.until("destination/one", "its deletion waits, and says so", waits).await?;
    stage.change("destination/one", json!({ "delivery": "Passthrough" }))?;
    stage.until_gone("destination/one").await?;
    wait_until(PATIENCE, "its output goes", || async {
        ensure!(stage.output("one").is_err());
        Ok(())
    })
    .await
}
