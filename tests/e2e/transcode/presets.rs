//! What is encoded, as a preset says.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{FLAGS, message, of_medialive, status};
use crate::fixtures::{Show, condition, secret, source, text, transcode, with};

fn preset(name: &str, kbps: u32) -> Value {
    let spec = json!({ "width": 960, "height": 540, "frameRate": "25", "videoBitrateKbps": kbps, "gopSeconds": 1 });
    json!({ "apiVersion": "playout.dev/v1alpha1", "kind": "EncodingPreset", "metadata": { "name": name }, "spec": spec })
}

#[tokio::test]
async fn an_own_preset_is_found_when_it_comes_and_refused_where_it_does_not_fit() -> Result<()> {
    let stage = show!(Show::start_with("transcode-presets", &FLAGS));
    let own = with(transcode("own"), json!({ "encoding": "house" }));
    let large = with(transcode("large"), json!({ "encoding": "large", "platform": "Twitch" }));
    stage.apply(&[source(), secret("own", "key"), own, preset("large", 9000), secret("large", "key"), large])?;

    let stalled = stage.until_condition("destination/own", "Stalled", "True", "PresetNotFound").await?;
    ensure!(message(&stalled, "Stalled").contains("house"), "{stalled}");
    let refused = stage.until_condition("destination/large", "Stalled", "True", "PresetNotTaken").await?;
    let said = message(&refused, "Stalled");
    ensure!(said.contains("Twitch") && said.contains("6000") && said.contains("9000"), "{said}");
    ensure!(of_medialive(&stage, 0)?.is_empty(), "something was made: {:?}", of_medialive(&stage, 0)?);

    stage.apply(&[preset("house", 1500)])?;
    let running = stage.until_condition("destination/own", "Ready", "True", "Running").await?;
    ensure!(condition(&running, "Stalled").is_none(), "{running}");
    let encoding = text(&status(&running)["encoding"]);
    ensure!(encoding.starts_with("house: ") && encoding.contains("960x540") && encoding.contains("1500"), "{encoding}");
    let video = stage.channel("own")?["encoderSettings"]["videoDescriptions"][0].clone();
    ensure!(video["width"] == 960 && video["height"] == 540, "{video}");
    ensure!(video["codecSettings"]["h264Settings"]["bitrate"] == 1_500_000, "{video}");

    // The preset changes while it is used: that waits like any other change.
    stage.apply(&[preset("house", 1200)])?;
    let pending = |o: &Value| status(o)["pendingChanges"] == json!(["encoding"]);
    stage.until("destination/own", "lists the change of its preset", pending).await?;

    // The right preset heals the other.
    stage.change("destination/large", json!({ "encoding": "720p30" }))?;
    stage.until_condition("destination/large", "Ready", "True", "Running").await?;
    Ok(())
}
