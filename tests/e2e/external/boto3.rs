//! The flow as somebody makes and sees it with boto3.

use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{REGION, python, reference};
use crate::fixtures::{Show, destination, key, secret, text, transcode};

#[tokio::test]
async fn a_flow_made_with_boto3_is_what_it_was_afterwards() -> Result<()> {
    let Some(python) = python::with_boto3("a_flow_made_with_boto3_is_what_it_was_afterwards") else { return Ok(()) };
    let Some(stage) = Show::start("external-boto3").await? else { return Ok(()) };
    let newsroom = |args: &[&str]| {
        let script = playout_stage::root().join("tests/e2e/external/newsroom.py");
        let output = Command::new(&python).arg(script).args([stage.simulator.url(), REGION]).args(args).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let arn = newsroom(&["make"])?;
    let before = newsroom(&["show", &arn])?;
    ensure!(before.contains("ACTIVE") && before.contains("uplink"), "{before}");

    let users = [secret("one", &key("one")), destination("one"), secret("two", &key("two")), transcode("two")];
    stage.apply(&[vec![reference(&arn)], users.to_vec()].concat())?;
    stage.until_ready().await?;
    let names: Vec<_> = stage.outputs()?.iter().map(|o| text(&o["name"]).to_owned()).collect();
    ensure!(names.len() == 4, "two of theirs, one of ours, and one that MediaLive made: {names:?}");
    stage.change("destination/one", json!({ "state": "Stopped" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Stopped").await?;
    stage.kubectl("delete source,destination --all --timeout=60s")?;
    let after = newsroom(&["show", &arn])?;
    ensure!(after == before, "{after}\nwas {before}");
    Ok(())
}
