//! What MediaConnect sees in the stream.

use std::time::Duration;

use serde_json::{Value, json};

use super::State;
use super::flow::Flow;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::services::Call;
use crate::services::picture::PIXEL;

/// The first selected source that has a signal.
fn on_air(flow: &Flow, now: Duration) -> Option<&super::Source> {
    let selected = flow.signals.selected.at(now)?;
    flow.sources.iter().find(|source| selected.contains(&source.arn) && flow.signals.connected(&source.arn, now))
}

fn message(code: &str, text: &str, flow: &Flow) -> Value {
    json!({ "code": code, "message": text, "resourceName": flow.name })
}

/// A flow that does not run has no content, and says so with 200: an error would look like a fault of the caller.
fn nothing(flow: &Flow) -> Value {
    match flow.running() {
        true => message("NO_CONTENT", "No content is received from the source.", flow),
        false => message("FLOW_NOT_ACTIVE", "The flow is not active.", flow),
    }
}

pub(super) fn describe(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow(call.text("FlowArn"))?;
    let mut answer = json!({ "flowArn": flow.arn, "timestamp": rfc3339(call.callers), "messages": [] });
    match on_air(flow, call.now) {
        None => answer["messages"] = json!([nothing(flow)]),
        Some(source) if source.protocol() == "rtmp-push" => {
            let names = super::view::source(source, flow, call.config, call.now);
            let names = &names["transport"]["rtmpPushSourceSettings"];
            answer["rtmpInfo"] = json!({
                "applicationName": names["applicationName"],
                "streamName": names["streamName"],
                "mediaInfo": { "streams": rtmp_streams() },
            });
        }
        Some(_) => answer["transportMediaInfo"] = json!({ "programs": [program()], "tsId": 1 }),
    }
    Ok(answer)
}

/// H.264 1080p30 and AAC stereo.
fn program() -> Value {
    json!({
        "pcrPid": 256,
        "programName": "Live",
        "programNumber": 1,
        "programPid": 4096,
        "streams": [
            {
                "pid": 256,
                "streamType": "Video",
                "codec": "H264",
                "frameRate": "30",
                "frameResolution": { "frameWidth": 1920, "frameHeight": 1080 },
                "scanMode": "progressive",
            },
            {
                "pid": 257,
                "streamType": "Audio",
                "codec": "AAC",
                "channels": 2,
                "sampleRate": 48000,
                "sampleSize": 16,
                "language": "eng",
            },
        ],
    })
}

fn rtmp_streams() -> Value {
    json!([
        {
            "streamId": 1,
            "streamType": "VIDEO",
            "codec": "H264",
            "frameRate": "30",
            "frameResolution": { "frameWidth": 1920, "frameHeight": 1080 },
            "scanMode": "progressive",
        },
        { "streamId": 2, "streamType": "AUDIO", "codec": "AAC", "channels": 2, "sampleRate": 48000, "sampleSize": 16 },
    ])
}

pub(super) fn thumbnail(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow(call.text("FlowArn"))?;
    let mut details = json!({ "flowArn": flow.arn, "thumbnailMessages": [], "timestamp": rfc3339(call.callers) });
    if flow.setting(&["sourceMonitoringConfig", "thumbnailState"]) != "ENABLED" {
        details["thumbnailMessages"] =
            json!([message("THUMBNAILS_DISABLED", "Thumbnails are not enabled for this flow.", flow)]);
    } else if on_air(flow, call.now).is_none() {
        details["thumbnailMessages"] = json!([nothing(flow)]);
    } else {
        details["thumbnail"] = json!(PIXEL);
        details["timecode"] = json!("00:00:00:00");
    }
    Ok(json!({ "thumbnailDetails": details }))
}
