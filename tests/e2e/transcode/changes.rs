//! Changes of what is on the air.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{FLAGS, done_to, in_order, message, of_medialive, status, strings};
use crate::fixtures::{Show, channel_targets, secret, show, source, text, transcode, with};

together!(changes_of_what_is_on_the_air:
    a_change_waits_or_restarts_as_the_policy_says,
    a_source_that_is_stopped_stops_the_channel_and_says_so,
    what_is_suspended_stays_as_it_is_and_can_be_deleted,
    without_a_role_it_is_said_and_others_go_on
);

async fn a_change_waits_or_restarts_as_the_policy_says() -> Result<()> {
    let stage = show!(Show::start_with("transcode-changes", &FLAGS));
    let restarts = with(transcode("restarts"), json!({ "updatePolicy": "Restart" }));
    stage.apply(&[source(), secret("waits", "old"), secret("restarts", "old"), transcode("waits"), restarts])?;
    for name in ["waits", "restarts"] {
        stage.until_condition(&format!("destination/{name}"), "Ready", "True", "Running").await?;
    }
    let (waiting, restarting) = (stage.channel("waits")?, stage.channel("restarts")?);
    let height = |c: &Value| c["encoderSettings"]["videoDescriptions"][0]["height"].clone();
    let once = ["StopChannel", "UpdateChannel", "StartChannel"];

    let since = stage.now()?;
    for name in ["waits", "restarts"] {
        stage.change(&format!("destination/{name}"), json!({ "encoding": "480p30" }))?;
    }
    let encodes = |c: &Value| height(c) == 480 && c["state"] == "RUNNING";
    stage.until_channel("restarts", "encodes anew", encodes).await?;
    let again = stage.until_condition("destination/restarts", "Ready", "True", "Running").await?;
    ensure!(text(&status(&again)["encoding"]).starts_with("480p30: "), "{again}");
    ensure!(status(&again)["lastRuns"][1]["reason"] == "a change was carried out", "{again}");
    ensure!(done_to(&stage, &restarting, since)? == once, "{:?}", done_to(&stage, &restarting, since)?);
    let pending = stage.until_condition("destination/waits", "Ready", "True", "PendingChanges").await?;
    ensure!(strings(&status(&pending)["pendingChanges"]) == ["encoding"], "{pending}");
    ensure!(message(&pending, "Ready").contains("encoding") && status(&pending)["state"] == "Running", "{pending}");

    let since = stage.now()?;
    for name in ["waits", "restarts"] {
        stage.set_key(name, "new")?;
    }
    let sends = |c: &Value| channel_targets(c).values().all(|(_, key)| key == "new") && c["state"] == "RUNNING";
    stage.until_channel("restarts", "sends with the new key", sends).await?;
    stage.until_condition("destination/restarts", "Ready", "True", "Running").await?;
    ensure!(done_to(&stage, &restarting, since)? == once, "{:?}", done_to(&stage, &restarting, since)?);
    let both = |o: &Value| strings(&status(o)["pendingChanges"]) == ["encoding", "streamKey"];
    stage.until("destination/waits", "lists both changes", both).await?;
    ensure!(stage.channel("waits")? == waiting, "what is on the air was changed: {}", stage.channel("waits")?);
    ensure!(done_to(&stage, &waiting, since)?.is_empty());
    ensure!(stage.channel("restarts")?["id"] == restarting["id"], "it has another channel");

    // They come with the next start.
    stage.change("destination/waits", json!({ "state": "Stopped" }))?;
    stage.until_condition("destination/waits", "Ready", "True", "Stopped").await?;
    stage.change("destination/waits", json!({ "state": "Running" }))?;
    let again = stage.until_condition("destination/waits", "Ready", "True", "Running").await?;
    ensure!(status(&again)["pendingChanges"].is_null(), "{again}");
    ensure!(encodes(&stage.channel("waits")?) && sends(&stage.channel("waits")?), "{}", stage.channel("waits")?);
    in_order(&stage)
}

async fn a_source_that_is_stopped_stops_the_channel_and_says_so() -> Result<()> {
    let stage = show!(Show::start_with("transcode-source", &FLAGS));
    stage.apply(&[source(), secret("one", "key"), transcode("one")])?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    stage.change("source/studio", json!({ "state": "Stopped" }))?;
    let off = stage.until_condition("destination/one", "Ready", "False", "SourceStopped").await?;
    let said = message(&off, "Ready");
    ensure!(said.contains("Source studio does not start its flow") && said.contains("Auto or Running"), "{said}");
    ensure!(status(&off)["lastRuns"][0]["stopped"].is_string(), "{off}");
    let why = text(&status(&off)["lastRuns"][0]["reason"]);
    ensure!(why.contains("Source studio"), "{why}");
    ensure!(stage.channels()?.is_empty(), "a channel without a flow costs what one with a show does: {off}");
    stage.change("source/studio", json!({ "state": "Auto" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    Ok(())
}

async fn what_is_suspended_stays_as_it_is_and_can_be_deleted() -> Result<()> {
    let stage = show!(Show::start_with("transcode-suspend", &FLAGS));
    let held = with(transcode("held"), json!({ "updatePolicy": "Restart" }));
    stage.apply(&[source(), secret("held", "key"), held])?;
    stage.until_condition("destination/held", "Ready", "True", "Running").await?;
    stage.change("destination/held", json!({ "suspend": true }))?;
    stage.until_condition("destination/held", "Ready", "Unknown", "Suspended").await?;
    let (since, channel) = (stage.now()?, stage.channel("held")?);
    stage.change("destination/held", json!({ "encoding": "480p30", "state": "Stopped" }))?;
    let still = stage.until_condition("destination/held", "Ready", "Unknown", "Suspended").await?;
    ensure!(stage.changes(since)?.is_empty() && stage.channel("held")? == channel, "{still}");
    stage.kubectl("delete destination held --timeout=60s")?;
    has_gone(&stage)?;
    ensure!(of_medialive(&stage, since)?.iter().all(|(operation, _)| operation != "UpdateChannel"));
    Ok(())
}

fn has_gone(stage: &Show) -> Result<()> {
    ensure!(stage.channels()?.is_empty() && stage.inputs()?.is_empty() && stage.outputs()?.is_empty());
    Ok(())
}

async fn without_a_role_it_is_said_and_others_go_on() -> Result<()> {
    let start =
        Show::start_as("transcode-role", &FLAGS, |options| playout_stage::OperatorOptions { roles: false, ..options });
    let stage = show!(start);
    stage.apply(&show(&["plain"]))?;
    stage.apply(&[secret("encoded", "key"), transcode("encoded")])?;
    let stalled = stage.until_condition("destination/encoded", "Stalled", "True", "RoleMissing").await?;
    ensure!(message(&stalled, "Stalled").contains("--medialive-role-arn"), "{stalled}");
    ensure!(status(&stalled)["state"] == "Error" && of_medialive(&stage, 0)?.is_empty(), "{stalled}");
    stage.until_condition("destination/plain", "Ready", "True", "Running").await?;
    stage.kubectl("delete destination encoded --timeout=60s")?;
    Ok(())
}
