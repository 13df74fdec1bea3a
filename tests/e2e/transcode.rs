//! `delivery: Transcode` as its people see it: kubectl on one side, the MediaLive channels in AWS on the other.

/// Scenarios that wait far more than they work, side by side: they share nothing but the cluster.
macro_rules! together {
    ($name:ident: $($scenario:ident),+) => {
        #[tokio::test]
        async fn $name() -> anyhow::Result<()> {
            use anyhow::Context as _;
            tokio::try_join!($(async { $scenario().await.context(stringify!($scenario)) }),+).map(drop)
        }
    };
}

mod changes;
mod ends;
mod failures;
mod independence;
mod moving;
mod outages;
mod presets;
mod quotas;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::fixtures::{Show, condition, owner, text};

/// Only one of a namespace leads, and looks come often.
const FLAGS: [&str; 2] = ["--leader-election=false", "--health-interval=1s"];
/// How long AWS starts a flow, and stops a channel: what is sent meanwhile is lost, or paid for nothing. Microseconds, a
/// little less than the simulator takes.
const FLOW_STARTS: u64 = 19_900_000;
const CHANNEL_STOPS: u64 = 19_900_000;

fn status(object: &Value) -> &Value {
    &object["status"]
}

fn message<'a>(object: &'a Value, type_: &str) -> &'a str {
    condition(object, type_).map_or("", |c| text(&c["message"]))
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// Whether a request was carried out.
fn is_done(request: &Value) -> bool {
    request["mutating"] == true && request["processed"] == true && request["error"].is_null()
}

/// The changes of MediaLive after this number, each with the resource that it names first.
fn of_medialive(stage: &Show, since: u64) -> Result<Vec<(String, String)>> {
    let changes = stage.changes(since)?.into_iter().filter(|r| r["service"] == "medialive");
    Ok(changes.map(|r| (text(&r["operation"]).to_owned(), text(&r["names"][0]).to_owned())).collect())
}

/// What was done to a channel after this number.
fn done_to(stage: &Show, channel: &Value, since: u64) -> Result<Vec<String>> {
    let id = text(&channel["id"]);
    Ok(of_medialive(stage, since)?.into_iter().filter(|(_, name)| name == id).map(|(operation, _)| operation).collect())
}

/// A channel is never started before its flow was ACTIVE, and no flow is stopped before the channels that take it.
fn in_order(stage: &Show) -> Result<()> {
    let mut flow = None;
    let mut channels = BTreeMap::<String, Option<u64>>::new();
    for request in stage.requests(0)?.iter().filter(|r| is_done(r)) {
        let at = request["simulatedMicros"].as_u64().context("a time")?;
        let name = text(&request["names"][0]).to_owned();
        match text(&request["operation"]) {
            "StartFlow" => flow = Some(at),
            "StopFlow" => {
                let early = channels.iter().find(|(_, ended)| ended.is_none_or(|ended| at < ended + CHANNEL_STOPS));
                ensure!(early.is_none(), "the flow is stopped before channel {early:?}: {request}");
                flow = None;
            }
            "StartChannel" => {
                ensure!(flow.is_some_and(|flow| at >= flow + FLOW_STARTS), "started before its flow: {request}");
                channels.insert(name, None);
            }
            "StopChannel" => drop(channels.insert(name, Some(at))),
            _ => {}
        }
    }
    Ok(())
}

/// Everything in AWS that a Destination has.
fn belongings(stage: &Show, destination: &str) -> Result<Vec<Value>> {
    let mut all = [stage.channels()?, stage.inputs()?].concat();
    all.retain(|resource| owner(resource) == destination);
    let arns: Vec<_> = all.iter().map(|resource| resource["arn"].clone()).collect();
    for flow in stage.flows()? {
        let outputs = flow["outputs"].as_array().cloned().unwrap_or_default();
        all.extend(outputs.into_iter().filter(|o| owner(o) == destination || arns.contains(&o["mediaLiveInputArn"])));
    }
    Ok(all)
}

fn has_nothing(stage: &Show, destination: &str) -> Result<()> {
    let left = belongings(stage, destination)?;
    ensure!(left.is_empty(), "{destination} has {left:?}");
    Ok(())
}
