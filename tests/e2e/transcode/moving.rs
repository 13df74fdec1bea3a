//! From one delivery to the other while on the air.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{FLAGS, in_order, is_done, status};
use crate::fixtures::{Show, destination, owner, secret, source, text};

/// How long AWS starts a channel, in microseconds; a little less than the simulator takes.
const CHANNEL_STARTS: u64 = 119_900_000;

/// When a Destination's paths were made, worked and went, in simulated time.
#[derive(Debug)]
struct Move {
    begins: u64,
    delivers: u64,
    ends: u64,
}

/// The move to Transcode, from the log.
fn to_channel(stage: &Show, since: u64, name: &str, channel: &str, output: &str) -> Result<Move> {
    let log = stage.requests(since)?;
    let at = |operation: &str, named: &str| {
        let is = |r: &&Value| {
            let mut names = r["names"].as_array().into_iter().flatten();
            is_done(r) && r["operation"] == operation && names.any(|n| text(n).contains(named))
        };
        let found = log.iter().rev().find(is).with_context(|| format!("no {operation} of {name}"))?;
        found["simulatedMicros"].as_u64().context("a time")
    };
    let delivers = at("StartChannel", channel)? + CHANNEL_STARTS;
    Ok(Move { begins: at("CreateInput", name)?, delivers, ends: at("RemoveFlowOutput", output)? })
}

#[tokio::test]
async fn three_move_one_at_a_time_without_a_gap_and_without_a_loss() -> Result<()> {
    let stage = show!(Show::start_with("transcode-moving", &FLAGS));
    let names = ["first", "second", "third"];
    let mut objects = vec![source()];
    objects.extend(names.iter().flat_map(|name| [secret(name, "key"), destination(name)]));
    stage.apply(&objects)?;
    stage.until_ready().await?;
    let mut outputs = Vec::new();
    let mut started = Vec::new();
    for name in names {
        outputs.push(text(&stage.output(name)?["outputArn"]).to_owned());
        let object = stage.until_state(&format!("destination/{name}"), "Running").await?;
        started.push(status(&object)["startedAt"].clone());
    }

    let since = stage.now()?;
    for name in names {
        stage.change(&format!("destination/{name}"), json!({ "delivery": "Transcode", "encoding": "720p30" }))?;
    }
    let waits = stage.until_condition("destination/third", "Ready", "False", "Moving").await?;
    ensure!(status(&waits)["state"] == "Running", "it keeps what it has meanwhile: {waits}");
    // Half-way the operator is lost.
    let channel = |name: &str| stage.channels().map(|all| all.into_iter().find(|c| owner(c) == name));
    stage.until_channel("first", "is on its way up", |c| c["state"] == "STARTING").await?;
    stage.operator.borrow_mut().kill()?;
    stage.operator.borrow_mut().restart()?;
    let moved = |o: &Value| {
        status(o)["outputs"].is_null() && status(o)["channel"]["state"] == "RUNNING" && status(o)["state"] == "Running"
    };
    let mut moves = Vec::new();
    for (name, (output, started)) in names.iter().zip(outputs.iter().zip(&started)) {
        let object = stage.until(&format!("destination/{name}"), "sends through its channel", moved).await?;
        ensure!(status(&object)["startedAt"] == *started, "{name} was interrupted: {object}");
        let id = text(&channel(name)?.context("a channel")?["id"]).to_owned();
        moves.push(to_channel(&stage, since, name, &id, output)?);
    }
    for one in &moves {
        ensure!(one.ends >= one.delivers, "the output went before the channel delivered: {one:?}");
    }
    moves.sort_by_key(|one| one.begins);
    let apart = moves.windows(2).all(|pair| pair[1].begins >= pair[0].ends);
    ensure!(apart, "two moved at the same time: {moves:?}");
    ensure!(stage.channels()?.len() == 3 && stage.outputs()?.len() == 3, "{}", stage.flow()?);

    // And back: the output sends before the channel goes.
    let since = stage.now()?;
    for name in names {
        stage.change(&format!("destination/{name}"), json!({ "delivery": "Passthrough", "encoding": null }))?;
    }
    let back = |o: &Value| {
        status(o)["channel"].is_null() && status(o)["outputs"][0]["sending"] == true && status(o)["state"] == "Running"
    };
    for (name, started) in names.iter().zip(&started) {
        let object = stage.until(&format!("destination/{name}"), "sends through its output", back).await?;
        ensure!(status(&object)["startedAt"] == *started, "{name} was interrupted: {object}");
    }
    let done: Vec<_> = stage.changes(since)?.iter().map(|r| text(&r["operation"]).to_owned()).collect();
    let one = ["AddFlowOutputs", "StopChannel", "DeleteChannel", "DeleteInput"];
    ensure!(done == [one, one, one].concat(), "{done:?}");
    ensure!(stage.channels()?.is_empty() && stage.inputs()?.is_empty() && stage.outputs()?.len() == 3);
    in_order(&stage)
}
