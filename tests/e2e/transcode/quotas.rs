//! Five channels of a region, and who wants a sixth.

use anyhow::{Context as _, Result, ensure};
use playout_stage::wait_until;
use serde_json::json;

use super::{FLAGS, has_nothing, in_order, message, of_medialive, status};
use crate::fixtures::{PATIENCE, Show, condition, secret, source, text, transcode, with};

together!(quotas_of_channels:
    the_sixth_waits_for_a_channel_and_tells_the_numbers,
    the_operator_is_told_how_many_channels_there_may_be
);

const FIVE: [&str; 5] = ["one", "two", "three", "four", "five"];

async fn the_sixth_waits_for_a_channel_and_tells_the_numbers() -> Result<()> {
    let stage = show!(Show::start_with("transcode-quota", &FLAGS));
    let stopped = |name: &str| with(transcode(name), json!({ "state": "Stopped" }));
    // The name that comes first in the alphabet was created last.
    stage.apply(&[source(), secret("z-sixth", "key"), stopped("z-sixth"), secret("a-seventh", "key")])?;
    stage.apply(&FIVE.iter().flat_map(|name| [secret(name, "key"), transcode(name)]).collect::<Vec<_>>())?;
    for name in FIVE {
        stage.until_condition(&format!("destination/{name}"), "Ready", "True", "Running").await?;
    }
    let before = stage.objects().await?;
    let channels = stage.channels()?;
    stage.apply(&[stopped("a-seventh")])?;
    let created = |object: &serde_json::Value| text(&object["metadata"]["creationTimestamp"]).to_owned();
    let (sixth, seventh) = (stage.object("destination/z-sixth").await?, stage.object("destination/a-seventh").await?);
    let (sixth, seventh) = (sixth.context("it is there")?, seventh.context("it is there")?);
    ensure!(created(&sixth) < created(&seventh), "created at {} and {}", created(&sixth), created(&seventh));

    let since = stage.now()?;
    for (name, ahead) in [("z-sixth", false), ("a-seventh", true)] {
        stage.change(&format!("destination/{name}"), json!({ "state": "Running" }))?;
        let waits = stage.until_condition(&format!("destination/{name}"), "Stalled", "True", "QuotaExceeded").await?;
        let said = message(&waits, "Stalled");
        let used = "5 of 5 channels in us-west-2 are used, by Destination/five, Destination/four".to_string();
        ensure!(said.contains(&used), "{said}");
        ensure!(said.contains("created earlier waits, too") == ahead, "{said}");
        ensure!(status(&waits)["state"] == "Error", "{waits}");
        has_nothing(&stage, name)?;
    }
    ensure!(of_medialive(&stage, since)?.is_empty(), "{:?}", of_medialive(&stage, since)?);

    // Room for one: it is for who was created first.
    stage.kubectl("delete destination three --timeout=60s")?;
    stage.until_condition("destination/z-sixth", "Ready", "True", "Running").await?;
    stage.until_condition("destination/a-seventh", "Stalled", "True", "QuotaExceeded").await?;
    has_nothing(&stage, "a-seventh")?;

    // AWS has granted more.
    stage.control("PUT", "quotas", &json!({ "channels": 6, "pushInputs": 6 }))?;
    stage.until_condition("destination/a-seventh", "Ready", "True", "Running").await?;
    ensure!(stage.channels()?.len() == 6);
    for old in before.iter().filter(|o| status(o)["state"] == "Running" && o["kind"] == "Destination") {
        let name = text(&old["metadata"]["name"]);
        if name != "three" {
            let now = stage.until_state(&format!("destination/{name}"), "Running").await?;
            ensure!(status(&now)["startedAt"] == status(old)["startedAt"], "{name} was interrupted");
            ensure!(channels.iter().any(|c| c["id"] == status(&now)["channel"]["id"]), "{name} has another channel");
        }
    }
    in_order(&stage)
}

async fn the_operator_is_told_how_many_channels_there_may_be() -> Result<()> {
    let flags = [&FLAGS[..], &["--medialive-channels=1"]].concat();
    let stage = show!(Show::start_with("transcode-flag", &flags));
    stage.apply(&[source(), secret("one", "key"), transcode("one")])?;
    // It holds its place from its input on.
    wait_until(PATIENCE, "one has a channel", || async { stage.channel("one").map(drop) }).await?;
    stage.apply(&[secret("two", "key"), transcode("two")])?;
    let waits = stage.until_condition("destination/two", "Stalled", "True", "QuotaExceeded").await?;
    let said = message(&waits, "Stalled");
    ensure!(said.contains("1 of 1 channels in us-west-2 are used, by Destination/one."), "{said}");
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    stage.change("destination/one", json!({ "state": "Stopped" }))?;
    let running = stage.until_condition("destination/two", "Ready", "True", "Running").await?;
    ensure!(condition(&running, "Stalled").is_none(), "{running}");
    in_order(&stage)
}
