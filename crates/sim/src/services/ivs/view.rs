//! Resources as the service shows them.

use serde_json::{Value, json};

use super::channel::{Channel, Key};

/// What a channel and its short form share.
fn shared(channel: &Channel) -> Value {
    let text = |member: &str, or: &str| match channel.text(member) {
        "" => or.to_owned(),
        given => given.to_owned(),
    };
    let mut seen = json!({
        "arn": channel.arn,
        "name": channel.name(),
        "latencyMode": text("latencyMode", "LOW"),
        "type": channel.kind(),
        "authorized": channel.is("authorized"),
        "insecureIngest": channel.is("insecureIngest"),
        "recordingConfigurationArn": "",
        "playbackRestrictionPolicyArn": "",
        "tags": channel.tags,
    });
    if channel.kind().starts_with("ADVANCED") {
        seen["preset"] = json!(text("preset", "HIGHER_BANDWIDTH_DELIVERY"));
    }
    seen
}

/// A channel of an answer.
pub(super) fn channel(channel: &Channel) -> Value {
    let mut seen = shared(channel);
    seen["ingestEndpoint"] = json!(channel.ingest);
    seen["playbackUrl"] = json!(channel.playback);
    seen["containerFormat"] = channel.settings.get("containerFormat").cloned().unwrap_or(json!("TS"));
    seen["srt"] = json!({ "endpoint": channel.srt });
    // "This field is applicable only if the end user has not enabled the insecureIngest option" (API_Srt.html).
    if !channel.is("insecureIngest") {
        seen["srt"]["passphrase"] = json!(channel.passphrase);
    }
    seen
}

/// The short form of lists.
pub(super) fn summary(channel: &Channel) -> Value {
    shared(channel)
}

/// A stream key with its value.
pub(super) fn key(channel: &Channel, key: &Key) -> Value {
    let mut seen = key_summary(channel, key);
    seen["value"] = json!(key.value);
    seen
}

/// A stream key in lists: without its value.
pub(super) fn key_summary(channel: &Channel, key: &Key) -> Value {
    json!({ "arn": key.arn, "channelArn": channel.arn, "tags": key.tags })
}
