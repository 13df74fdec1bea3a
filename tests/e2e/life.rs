//! The life of a show as its people see it: kubectl on one side, the resources in AWS on the other.

mod shows;
mod sources;
mod trouble;
mod wishes;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use playout_stage::{Operator, request, wait_until};
use serde_json::{Value, json};

use crate::fixtures::{
    PATIENCE, Show, by_operation, condition, destination, input, is_ready, key, options, owner, secret, show, source,
    stream_key, text, with,
};

fn status(object: &Value) -> &Value {
    &object["status"]
}

fn message<'a>(object: &'a Value, type_: &str) -> &'a str {
    condition(object, type_).map_or("", |c| text(&c["message"]))
}

/// `playout_api_server_writes_total` by its labels.
fn writes(metrics: &str) -> BTreeMap<String, f64> {
    let of = |line: &str| {
        let (labels, value) = line.strip_prefix("playout_api_server_writes_total{")?.split_once("} ")?;
        Some((labels.to_owned(), value.parse().ok()?))
    };
    metrics.lines().filter_map(of).collect()
}

/// What the operator has written since it began, by its metric and by the audit log of the API server, at one instant: a write
/// is counted before it is sent and logged when it is answered, so while one is under way the two differ. An operator that
/// counts other writes than it sends is never waited out.
async fn written(stage: &Show) -> Result<(BTreeMap<String, f64>, Vec<String>)> {
    wait_until(PATIENCE, "the metric counts what the API server saw", || async {
        let (before, seen) = (writes(&stage.metrics()?), audited(stage)?);
        let after = writes(&stage.metrics()?);
        ensure!(before == after, "more was written meanwhile: {before:?}, {after:?}");
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let same = (after.values().sum::<f64>() - seen.len() as f64).abs() < 0.5;
        ensure!(same || stage.cluster.audit_log().is_none(), "{after:?}, the API server {}: {seen:?}", seen.len());
        anyhow::Ok(Some((after, seen)))
    })
    .await
}

/// The operator's writes of Sources and Destinations as the API server saw them; none for a cluster that is not ours.
fn audited(stage: &Show) -> Result<Vec<String>> {
    let Some(file) = stage.cluster.audit_log() else { return Ok(Vec::new()) };
    let mut writes = Vec::new();
    for line in fs::read_to_string(file)?.lines() {
        // Most are of other tests, and are many.
        if !line.contains(&stage.namespace) {
            continue;
        }
        // The last line may not be written to its end.
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let object = &entry["objectRef"];
        let ours = object["namespace"] == stage.namespace.as_str() && !text(&entry["userAgent"]).contains("kubectl");
        if ours && !text(&entry["user"]["username"]).starts_with("system:") {
            let part = |field: &str| text(&object[field]).to_owned();
            writes.push(format!(
                "{} {}/{} {} {}",
                text(&entry["verb"]),
                part("resource"),
                part("name"),
                part("subresource"),
                entry["responseStatus"]["code"]
            ));
        }
    }
    Ok(writes)
}
