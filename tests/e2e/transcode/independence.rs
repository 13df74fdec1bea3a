//! Each Destination is started, stopped and removed alone, in the right order, and nothing exists before it is needed.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{FLAGS, belongings, has_nothing, in_order, message, of_medialive, status};
use crate::fixtures::{SPEED, Show, channel_targets, condition, key, secret, source, text, transcode, with};

const NAMES: [&str; 3] = ["youtube-one", "youtube-two", "twitch"];

/// A Destination at its platform's own address.
fn at_platform(name: &str) -> Value {
    let platform = if name.starts_with("youtube") { "YouTube" } else { "Twitch" };
    let mut destination = with(transcode(name), json!({ "platform": platform, "state": "Stopped" }));
    if let Some(spec) = destination["spec"].as_object_mut() {
        spec.remove("url");
    }
    destination
}

/// The others of a Destination: what they have in AWS, and how their runs are going.
async fn others(stage: &Show, of: &str) -> Result<Vec<(String, Vec<Value>, Value)>> {
    let mut found = Vec::new();
    for object in stage.objects().await?.into_iter().filter(|o| o["kind"] == "Destination") {
        let name = text(&object["metadata"]["name"]);
        if name != of {
            let run = json!([status(&object)["state"], status(&object)["startedAt"], status(&object)["lastRuns"]]);
            found.push((name.to_owned(), belongings(stage, name)?, run));
        }
    }
    Ok(found)
}

/// What was done since then named nothing of theirs and has changed nothing of theirs.
async fn untouched(stage: &Show, since: u64, of: &str, others: &[(String, Vec<Value>, Value)]) -> Result<()> {
    for request in stage.changes(since)? {
        let names: Vec<_> = request["names"].as_array().into_iter().flatten().map(text).collect();
        for (other, resources, _) in others {
            let parts = ["id", "arn", "name", "outputArn"];
            let is = |resource: &Value| parts.iter().any(|p| names.contains(&resource[*p].as_str().unwrap_or("-")));
            ensure!(!resources.iter().any(is), "what is done to {of} names a resource of {other}: {request}");
        }
    }
    let now = self::others(stage, of).await?;
    ensure!(now == others, "{of} has touched others: {now:?}, before {others:?}");
    Ok(())
}

#[tokio::test]
async fn three_start_stop_and_go_each_alone() -> Result<()> {
    let stage = show!(Show::start_with("transcode-three", &FLAGS));
    let mut objects = vec![source()];
    objects.extend(NAMES.iter().flat_map(|name| [secret(name, &key(name)), at_platform(name)]));
    stage.apply(&objects)?;
    stage.until_ready().await?;
    let made = of_medialive(&stage, 0)?;
    ensure!(made.is_empty() && stage.outputs()?.is_empty(), "something exists before the first start: {made:?}");
    ensure!(stage.flow()?["status"] == "STANDBY", "the flow runs for nobody");

    for name in NAMES {
        let (others, since) = (others(&stage, name).await?, stage.now()?);
        stage.change(&format!("destination/{name}"), json!({ "state": "Running" }))?;
        let running = stage.until_condition(&format!("destination/{name}"), "Ready", "True", "Running").await?;
        untouched(&stage, since, name, &others).await?;
        let channel = stage.channel(name)?;
        ensure!(channel["state"] == "RUNNING" && channel["channelClass"] == "SINGLE_PIPELINE", "{channel}");
        ensure!(channel_targets(&channel).values().all(|(_, stream)| *stream == key(name)), "{channel}");
        ensure!(belongings(&stage, name)?.len() == 3, "a channel, an input and an output: {running}");
        ensure!(status(&running)["channel"]["id"] == channel["id"], "{running}");
        ensure!(
            status(&running)["channel"]["state"] == "RUNNING" && status(&running)["outputs"].is_null(),
            "{running}"
        );
        ensure!(status(&running)["activeEndpoint"] == "Primary" && !status(&running)["startedAt"].is_null());
        ensure!(text(&status(&running)["encoding"]).starts_with("720p30: "), "{running}");
        ensure!(condition(&running, "Delivering").is_some_and(|c| c["status"] == "True"), "{running}");
        ensure!(!running.to_string().contains(&key(name)), "the status tells the key");
    }

    let (of_others, since) = (others(&stage, "youtube-two").await?, stage.now()?);
    stage.change("destination/youtube-two", json!({ "state": "Stopped" }))?;
    let stopped = stage.until_condition("destination/youtube-two", "Ready", "True", "Stopped").await?;
    ensure!(status(&stopped)["state"] == "Idle" && status(&stopped)["channel"].is_null(), "{stopped}");
    ensure!(status(&stopped)["lastRuns"][0]["reason"] == "stopped as requested", "{stopped}");
    has_nothing(&stage, "youtube-two")?;
    stage.change("destination/youtube-two", json!({ "state": "Running" }))?;
    stage.until_condition("destination/youtube-two", "Ready", "True", "Running").await?;
    untouched(&stage, since, "youtube-two", &of_others).await?;

    let (of_others, since) = (others(&stage, "twitch").await?, stage.now()?);
    stage.kubectl("delete destination twitch --timeout=60s")?;
    has_nothing(&stage, "twitch")?;
    untouched(&stage, since, "twitch", &of_others).await?;

    // The last ones are stopped together, and the flow after them.
    for name in ["youtube-one", "youtube-two"] {
        stage.change(&format!("destination/{name}"), json!({ "state": "Stopped" }))?;
    }
    stage.until_aws("the flow is off", |flow| flow["status"] == "STANDBY").await?;
    for name in ["youtube-one", "youtube-two"] {
        stage.until_condition(&format!("destination/{name}"), "Ready", "True", "Stopped").await?;
        has_nothing(&stage, name)?;
    }
    in_order(&stage)?;
    stage.kubectl("delete source,destination --all --timeout=60s")?;
    stage.until_nothing_is_left().await
}

#[tokio::test]
async fn what_is_prepared_stands_idle_and_keeps_no_flow_running() -> Result<()> {
    let stage = show!(Show::start_with("transcode-prepared", &FLAGS));
    let prepared = with(transcode("one"), json!({ "state": "Stopped", "prepare": true }));
    stage.apply(&[source(), secret("one", "key"), prepared])?;
    let idle = stage.until_condition("destination/one", "Ready", "True", "Stopped").await?;
    let channel = stage.channel("one")?;
    ensure!(channel["state"] == "IDLE" && status(&idle)["channel"]["state"] == "IDLE", "{idle}");
    ensure!(status(&idle)["state"] == "Idle" && message(&idle, "Ready").contains("off the air"), "{idle}");
    ensure!(stage.flow()?["status"] == "STANDBY", "the flow runs for a channel that is idle");

    // A change reaches it while it is idle; the start has nothing left to make. It is slow enough for a channel that would
    // not wait for its flow.
    stage.change("destination/one", json!({ "encoding": "480p30" }))?;
    let other = |c: &Value| c["encoderSettings"]["videoDescriptions"][0]["height"] == 480 && c["state"] == "IDLE";
    stage.until_channel("one", "encodes as requested", other).await?;
    stage.until_condition("destination/one", "Ready", "True", "Stopped").await?;
    let since = stage.now()?;
    stage.set_speed(4.0)?;
    stage.change("destination/one", json!({ "state": "Running" }))?;
    stage.until_channel("one", "is on its way up", |c| c["state"] == "STARTING").await?;
    stage.set_speed(SPEED)?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    ensure!(stage.channel("one")?["id"] == channel["id"], "another channel than the prepared one");
    let changes: Vec<_> = stage.changes(since)?.iter().map(|r| text(&r["operation"]).to_owned()).collect();
    ensure!(changes == ["StartFlow", "StartChannel"], "{changes:?}");

    stage.change("destination/one", json!({ "state": "Stopped" }))?;
    stage.until_aws("the flow is off", |flow| flow["status"] == "STANDBY").await?;
    stage.until_condition("destination/one", "Ready", "True", "Stopped").await?;
    let still = stage.channel("one")?;
    ensure!(still["state"] == "IDLE" && still["id"] == channel["id"], "{still}");
    in_order(&stage)?;

    // Who prepares no longer pays no longer.
    stage.change("destination/one", json!({ "prepare": false }))?;
    stage.until("destination/one", "has no channel", |o| status(o)["channel"].is_null()).await?;
    has_nothing(&stage, "one")
}
