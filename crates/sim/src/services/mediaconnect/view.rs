//! Flows as the service shows them. Requests are flat; answers nest what the protocol needs under `transport`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::flow::{Flow, Output, Source};
use super::rules;
use crate::config::Config;

/// The members of sources that stay outside of `transport`.
const SOURCE: &[&str] = &[
    "name",
    "description",
    "decryption",
    "ingestPort",
    "whitelistCidr",
    "vpcInterfaceName",
    "senderControlPort",
    "senderIpAddress",
    "routerIntegrationState",
];
/// The members of outputs that stay outside of `transport`.
const OUTPUT: &[&str] = &[
    "name",
    "description",
    "destination",
    "port",
    "encryption",
    "vpcInterfaceAttachment",
    "outputStatus",
    "routerIntegrationState",
];

/// `flow` of an answer.
pub(super) fn flow(flow: &Flow, config: &Config, now: Duration) -> Value {
    let mut seen = json!({
        "flowArn": flow.arn,
        "name": flow.name,
        "description": "",
        "availabilityZone": flow.availability_zone,
        "egressIp": flow.egress_ip,
        "status": flow.status.name(),
        "entitlements": [],
        "outputs": flow.outputs.iter().map(|out| output(out, flow, config, now)).collect::<Vec<_>>(),
        // Always the first one, whichever member the flow was created with.
        "source": flow.sources.first().map(|first| source(first, flow, config, now)),
    });
    for (member, value) in &flow.settings {
        seen[member] = value.clone();
    }
    if flow.sources_listed || flow.sources.len() > 1 {
        seen["sources"] = flow.sources.iter().map(|one| source(one, flow, config, now)).collect();
    }
    if !flow.vpc_interfaces.is_empty() {
        seen["vpcInterfaces"] = flow.vpc_interfaces.iter().cloned().collect();
    }
    seen
}

/// `source` of an answer.
pub(super) fn source(source: &Source, flow: &Flow, config: &Config, now: Duration) -> Value {
    let (mut seen, mut transport) = split(&source.settings, SOURCE);
    seen.insert("sourceArn".to_owned(), json!(source.arn));
    let protocol = source.protocol();
    defaults(protocol, &mut transport);
    if let Some(rtmp) = transport.remove("rtmpPushSettings") {
        transport.insert("rtmpPushSourceSettings".to_owned(), naming(&source.arn, &rtmp));
    }
    if !["srt-caller", "ndi-speed-hq"].contains(&protocol) {
        seen.insert("ingestIp".to_owned(), json!(source.ingest_ip));
        let fixed = match protocol {
            "zixi-push" => Some(2088),
            "rtmp-push" => Some(1935),
            _ => None,
        };
        if let Some(port) = fixed {
            seen.entry("ingestPort").or_insert(json!(port));
        }
    }
    if let Some(peer) = source_peer(source, flow, now.saturating_sub(config.mediaconnect.durations.peer_lag)) {
        seen.insert("peerIpAddress".to_owned(), json!(peer));
    }
    seen.insert("transport".to_owned(), Value::Object(transport));
    Value::Object(seen)
}

/// `output` of an answer.
pub(super) fn output(output: &Output, flow: &Flow, config: &Config, now: Duration) -> Value {
    let (mut seen, mut transport) = split(&output.settings, OUTPUT);
    seen.insert("outputArn".to_owned(), json!(output.arn));
    seen.entry("outputStatus").or_insert(json!("ENABLED"));
    if let Some(input) = &output.media_live_input {
        seen.insert("mediaLiveInputArn".to_owned(), json!(input));
        return Value::Object(seen);
    }
    defaults(output.protocol(), &mut transport);
    if let Some(rtmp) = transport.remove("rtmpPushSettings") {
        transport.insert("rtmpPushOutputSettings".to_owned(), rtmp);
    }
    if rules::listens(output.protocol()) {
        seen.insert("listenerAddress".to_owned(), json!(output.listener_address));
    }
    if let Some(peer) = output_peer(output, flow, now.saturating_sub(config.mediaconnect.durations.peer_lag)) {
        seen.insert("peerIpAddress".to_owned(), json!(peer));
    }
    seen.insert("transport".to_owned(), Value::Object(transport));
    Value::Object(seen)
}

fn split(settings: &Map<String, Value>, outside: &[&str]) -> (Map<String, Value>, Map<String, Value>) {
    settings.clone().into_iter().partition(|(member, _)| outside.contains(&member.as_str()))
}

/// What the service fills in: who compares a request with an answer meets these.
fn defaults(protocol: &str, transport: &mut Map<String, Value>) {
    match protocol {
        "srt-listener" | "srt-caller" => drop(transport.entry("minLatency").or_insert(json!(2000))),
        "rist" => drop(transport.entry("maxLatency").or_insert(json!(2000))),
        "zixi-push" | "zixi-pull" => drop(transport.entry("maxLatency").or_insert(json!(6000))),
        _ => {}
    }
}

/// The names of an RTMP source: its own or those that the service gave it.
fn naming(arn: &str, rtmp: &Value) -> Value {
    match rtmp["namingConfiguration"].get("manual") {
        Some(manual) => json!({
            "applicationName": manual["applicationName"],
            "streamName": manual["streamName"],
            "namingType": "MANUAL",
        }),
        None => {
            let id = arn.split(':').nth(6).and_then(|id| id.rsplit('-').next()).unwrap_or_default();
            json!({ "applicationName": "live", "streamName": format!("stream-{id}"), "namingType": "AUTOMATIC" })
        }
    }
}

/// Who sends to a source, as it was known at a time (source-ip-address.html of the MediaConnect user guide): "For SRT
/// caller sources, the peer IP address matches the IP address that you configured", connected or not; of protocols with
/// dynamic peers it is the device that sends.
fn source_peer(source: &Source, flow: &Flow, at: Duration) -> Option<String> {
    match source.protocol() {
        "srt-caller" => configured(&source.settings, "sourceListenerAddress"),
        // Seen as a sender by its name, not by an address.
        "ndi-speed-hq" => None,
        _ => flow.signals.connected(&source.arn, at).then(|| peer(&source.arn)),
    }
}

/// Who takes what an output sends, as it was known at a time (output-ip-address.html): configured for "SRT Caller outputs,
/// RTP/FEC outputs, Zixi Push outputs", dynamic for RIST and what listens, none for "Managed (MediaLive) outputs" and "NDI
/// outputs". RTMP is not on the page.
fn output_peer(output: &Output, flow: &Flow, at: Duration) -> Option<String> {
    match output.protocol() {
        "srt-caller" | "rtp" | "rtp-fec" | "zixi-push" => configured(&output.settings, "destination"),
        "rist" | "srt-listener" | "zixi-pull" => flow.signals.linked(&output.arn, at).then(|| peer(&output.arn)),
        _ => None,
    }
}

fn configured(settings: &Map<String, Value>, member: &str) -> Option<String> {
    settings.get(member).and_then(Value::as_str).map(str::to_owned)
}

/// The address of the other side, the same for as long as the resource lives.
fn peer(arn: &str) -> String {
    let sum = arn.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("192.0.2.{}", sum % 254 + 1)
}
