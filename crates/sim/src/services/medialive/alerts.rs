//! Alerts and thumbnails: what a channel tells of itself while it runs.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::air::alerts::Alert;
use super::{Channel, State, bad, conflict, page};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::services::Call;
use crate::services::picture::PIXEL;

/// An identifier that an alert keeps.
fn id(channel: &Channel, alert: &Alert) -> String {
    let hash = Sha256::digest(format!("{} {}", channel.arn, alert.number));
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn shown(call: &Call<'_>, channel: &Channel, alert: &Alert) -> Value {
    let mut seen = json!({
        "id": id(channel, alert),
        "alertType": alert.kind,
        "message": alert.message,
        "pipelineId": alert.pipeline.to_string(),
        "setTimestamp": call.told(alert.set),
        "state": if alert.cleared.is_some() { "CLEARED" } else { "SET" },
    });
    if let Some(cleared) = alert.cleared {
        seen["clearedTimestamp"] = json!(call.told(cleared));
    }
    seen
}

/// Without a filter only those that are set.
pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel(call.text("channelId"))?;
    let wanted: fn(&Alert) -> bool = match call.text("stateFilter") {
        "" | "SET" => |alert| alert.cleared.is_none(),
        "CLEARED" => |alert| alert.cleared.is_some(),
        "ALL" => |_| true,
        other => return Err(bad(format!("stateFilter must be SET, CLEARED or ALL, and not {other}."))),
    };
    let keys: Vec<(String, &Alert)> = channel
        .air
        .alerts
        .iter()
        .filter(|alert| wanted(alert))
        .map(|alert| (format!("{:020}", alert.number), alert))
        .collect();
    let items = keys.iter().map(|(key, alert)| (key.as_str(), *alert));
    page::answer(call, "alerts", items, |alert| shown(call, channel, alert))
}

pub(super) fn thumbnails(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let channel = state.channel(call.text("channelId"))?;
    let index: usize = match call.text("pipelineId") {
        "0" => 0,
        "1" if channel.pipelines() > 1 => 1,
        other => return Err(bad(format!("Channel {} has no pipeline {other}.", channel.id))),
    };
    let configuration = channel.settings.get("encoderSettings").and_then(|e| e.get("thumbnailConfiguration"));
    if configuration.is_none_or(|configuration| configuration["state"] != "AUTO") {
        return Err(conflict(format!("Thumbnails are not enabled for channel {}.", channel.id)));
    }
    let pipeline = channel.air.pipelines.get(index).filter(|pipeline| pipeline.received(call.now).is_some());
    let thumbnails: Vec<Value> = pipeline
        .map(|_| {
            json!({
                "body": PIXEL,
                "contentType": "image/jpeg",
                "thumbnailType": "CURRENT_ACTIVE",
                "timeStamp": rfc3339(call.callers),
            })
        })
        .into_iter()
        .collect();
    Ok(json!({ "thumbnailDetails": [{ "pipelineId": index.to_string(), "thumbnails": thumbnails }] }))
}
