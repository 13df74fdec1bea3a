//! EncodingPresets as their people see them: what kubectl shows, and that none goes while a Destination needs it.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use playout_stage::wait_until;
use serde_json::{Value, json};

use crate::fixtures::{Show, condition, destination, key, secret, text, with};

/// Shorter than any look that comes by itself.
const AT_ONCE: Duration = Duration::from_secs(20);

fn preset(name: &str, kbps: i32) -> Value {
    let spec = json!({ "width": 1920, "height": 1080, "frameRate": "60", "videoBitrateKbps": kbps });
    json!({ "apiVersion": "playout.dev/v1alpha1", "kind": "EncodingPreset", "metadata": { "name": name }, "spec": spec })
}

/// Off the air, so that nothing is needed of AWS.
fn transcoded(name: &str, encoding: &str) -> [Value; 2] {
    let spec = json!({ "state": "Stopped", "delivery": "Transcode", "encoding": encoding });
    [secret(name, &key(name)), with(destination(name), spec)]
}

/// How many passes there were over Destinations.
fn passes(stage: &Show) -> Result<f64> {
    let metrics = stage.metrics()?;
    let of_destinations =
        |line: &&str| line.starts_with("controller_runtime_reconcile_total{") && line.contains("\"destination\"");
    let counts =
        metrics.lines().filter(of_destinations).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    Ok(counts.sum())
}

#[tokio::test]
async fn a_preset_says_what_it_is_and_goes_when_nobody_needs_it() -> Result<()> {
    let Some(stage) = Show::start("presets-life").await? else { return Ok(()) };
    stage.apply(&[preset("high", 9_000), preset("other", 5_000)])?;
    let seen = stage.until_condition("encodingpreset/high", "Ready", "True", "Valid").await?;
    ensure!(seen["status"]["platforms"] == json!(["YouTube", "Facebook", "X", "Restream", "Custom"]), "{seen}");
    ensure!(seen["status"]["usedByCount"] == 0 && seen["status"]["usedBy"].is_null(), "{seen}");
    let table = stage.kubectl("get preset high")?;
    let line = "1920x1080 at 60 fps, 9000 kbit/s H.264 High, keyframe 2 s, AAC 128 kbit/s 48 kHz";
    ensure!(table.contains(line) && table.contains(" True "), "{table}");

    stage.apply(&transcoded("one", "high"))?;
    stage.apply(&transcoded("two", "high"))?;
    let users = json!(["Destination/one", "Destination/two"]);
    stage.until("encodingpreset/high", "knows its users", |o| o["status"]["usedBy"] == users).await?;

    // Deleted while it is needed: it stays, and says for whom.
    stage.kubectl("delete preset high --wait=false")?;
    let waiting = stage.until_condition("encodingpreset/high", "Ready", "False", "InUse").await?;
    let message = condition(&waiting, "Ready").map_or("", |c| text(&c["message"]));
    ensure!(message.contains("Destination/one, Destination/two"), "{message}");

    // One goes, the other takes another preset: then it goes by itself, and at once.
    stage.kubectl("delete dest one --timeout=60s")?;
    let left = json!(["Destination/two"]);
    stage.until("encodingpreset/high", "knows who is left", |o| o["status"]["usedBy"] == left).await?;
    stage.change("destination/two", json!({ "encoding": "other" }))?;
    wait_until(AT_ONCE, "the preset is gone", || async {
        ensure!(stage.object("encodingpreset/high").await?.is_none());
        anyhow::Ok(())
    })
    .await?;
    stage.until("encodingpreset/other", "has a user", |o| o["status"]["usedBy"] == left).await?;

    stage.kubectl("delete dest,preset --all --timeout=60s")?;
    Ok(())
}

#[tokio::test]
async fn a_change_of_a_preset_wakes_the_destinations_that_name_it() -> Result<()> {
    let Some(stage) = Show::start("presets-wake").await? else { return Ok(()) };
    stage.apply(&[preset("mine", 9_000)])?;
    stage.apply(&transcoded("one", "mine"))?;
    stage.until("encodingpreset/mine", "has a user", |o| o["status"]["usedByCount"] == 1).await?;
    stage.until("destination/one", "was looked at", |_| true).await?;
    // What the beginning brought about has come to rest.
    let rest = RefCell::new((0.0, 0));
    wait_until(AT_ONCE, "nothing happens by itself", || async {
        let (now, mut rest) = (passes(&stage)?, rest.borrow_mut());
        *rest = (now, if now > rest.0 { 0 } else { rest.1 + 1 });
        ensure!(rest.1 > 10, "still at work");
        anyhow::Ok(())
    })
    .await?;
    let before = passes(&stage)?;
    stage.change("encodingpreset/mine", json!({ "videoBitrateKbps": 8_000 }))?;
    wait_until(AT_ONCE, "the Destination is looked at", || async {
        ensure!(passes(&stage)? > before, "{before}");
        anyhow::Ok(())
    })
    .await?;
    let changed = stage.until("encodingpreset/mine", "says the new bitrate", |o| {
        text(&o["status"]["encoding"]).contains("8000 kbit/s")
    });
    changed.await?;
    stage.kubectl("delete dest,preset --all --timeout=60s").map(drop).context("all goes")
}
