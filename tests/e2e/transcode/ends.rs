//! Deletion at every moment, and what is to stay.

use anyhow::{Result, ensure};
use playout_stage::wait_until;
use serde_json::{Value, json};

use super::{FLAGS, has_nothing, in_order, of_medialive, status};
use crate::fixtures::{PATIENCE, SPEED, Show, by_operation, owner, secret, source, transcode, with};

#[tokio::test]
async fn deleted_at_any_moment_it_leaves_nothing() -> Result<()> {
    let stage = show!(Show::start_with("transcode-deleted", &FLAGS));
    stage.apply(&[source(), secret("key", "key")])?;
    let destination = |name: &str| {
        let reference = json!({ "secretRef": { "name": "key", "key": "key" } });
        with(transcode(name), json!({ "streamKey": reference }))
    };
    let early = ["at-the-input", "at-the-channel"];
    // Slow enough to meet each state.
    stage.set_speed(2.0)?;
    stage.apply(&early.map(destination))?;
    wait_until(PATIENCE, "there is an input", || async {
        ensure!(stage.inputs()?.iter().any(|i| owner(i) == "at-the-input"));
        anyhow::Ok(())
    })
    .await?;
    stage.kubectl("delete destination at-the-input --wait=false")?;
    stage.until_channel("at-the-channel", "is being made", |c| c["state"] == "CREATING").await?;
    stage.kubectl("delete destination at-the-channel --wait=false")?;
    stage.set_speed(SPEED)?;
    for name in early {
        stage.until_gone(&format!("destination/{name}")).await?;
        has_nothing(&stage, name)?;
    }

    let late = ["while-starting", "while-running", "while-stopping"];
    stage.apply(&late.map(destination))?;
    stage.until_channel("while-starting", "is starting", |c| c["state"] == "STARTING").await?;
    stage.set_speed(2.0)?;
    stage.kubectl("delete destination while-starting --wait=false")?;
    stage.set_speed(SPEED)?;
    for name in &late[1..] {
        stage.until_condition(&format!("destination/{name}"), "Ready", "True", "Running").await?;
    }
    stage.set_speed(2.0)?;
    stage.change("destination/while-stopping", json!({ "state": "Stopped" }))?;
    stage.until_channel("while-stopping", "is stopping", |c| c["state"] == "STOPPING").await?;
    stage.kubectl("delete destination while-running while-stopping --wait=false")?;
    stage.set_speed(SPEED)?;
    for name in late {
        stage.until_gone(&format!("destination/{name}")).await?;
        has_nothing(&stage, name)?;
    }
    stage.kubectl("delete source studio --timeout=60s")?;
    in_order(&stage)?;
    stage.until_nothing_is_left().await
}

#[tokio::test]
async fn a_channel_that_is_retained_goes_on_and_is_taken_up_again() -> Result<()> {
    let stage = show!(Show::start_with("transcode-retain", &FLAGS));
    let kept = with(transcode("kept"), json!({ "deletionPolicy": "Retain" }));
    stage.apply(&[source(), secret("kept", "key"), kept.clone()])?;
    stage.until_condition("destination/kept", "Ready", "True", "Running").await?;
    let (before, since) = (stage.channel("kept")?, stage.now()?);
    stage.kubectl("delete destination kept --timeout=60s")?;
    // Nobody names the Source now, and still it is used.
    stage.until("source/studio", "has no users", |o| status(o)["users"].is_null()).await?;
    stage.until_ready().await?;
    ensure!(stage.changes(since)?.is_empty(), "{:?}", by_operation(&stage.changes(since)?));
    ensure!(stage.channel("kept")? == before && stage.flow()?["status"] == "ACTIVE", "{}", stage.flow()?);

    stage.apply(&[kept])?;
    let again = stage.until_condition("destination/kept", "Ready", "True", "Running").await?;
    let channel = stage.channel("kept")?;
    ensure!(channel["id"] == before["id"] && status(&again)["channel"]["id"] == before["id"], "{channel}");
    let tags = |resource: &Value| resource["tags"]["playout.dev/uid"].clone();
    ensure!(tags(&channel) == again["metadata"]["uid"], "{channel}");
    let done = of_medialive(&stage, since)?;
    ensure!(done.len() == 2 && done.iter().all(|(operation, _)| operation == "CreateTags"), "{done:?}");

    stage.change("destination/kept", json!({ "deletionPolicy": "Delete" }))?;
    stage.kubectl("delete destination kept --timeout=60s")?;
    has_nothing(&stage, "kept")?;
    stage.until_aws("the flow is off", |flow| flow["status"] == "STANDBY").await?;
    in_order(&stage)
}
