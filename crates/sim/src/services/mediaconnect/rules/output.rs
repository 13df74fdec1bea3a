//! The rules of outputs.

use serde_json::{Map, Value};

use super::{Protocol, check_key, check_members, in_range, number, text};
use crate::error::ApiError;
use crate::services::mediaconnect::{Flow, Output, bad};
use crate::services::ports::Secrets;

/// None for protocols that a flow's output cannot have.
pub(super) fn protocol(name: &str) -> Option<Protocol> {
    let rule = |required, allowed| Some(Protocol { required, allowed });
    match name {
        "rtp" | "rtp-fec" => rule(&["destination", "port"], &["smoothingLatency", "vpcInterfaceAttachment"]),
        "rist" => rule(&["destination", "port"], &["smoothingLatency", "maxLatency", "vpcInterfaceAttachment"]),
        "srt-listener" => rule(&["port"], &["cidrAllowList", "minLatency", "encryption", "vpcInterfaceAttachment"]),
        "srt-caller" => {
            rule(&["destination", "port"], &["streamId", "minLatency", "encryption", "vpcInterfaceAttachment"])
        }
        "zixi-push" => {
            rule(&["destination", "port", "streamId"], &["maxLatency", "encryption", "vpcInterfaceAttachment"])
        }
        "zixi-pull" => rule(
            &["remoteId", "streamId"],
            &["cidrAllowList", "maxLatency", "encryption", "vpcInterfaceAttachment", "port"],
        ),
        "rtmp-push" => rule(&["destination", "port", "rtmpPushSettings"], &["vpcInterfaceAttachment"]),
        "ndi-speed-hq" => rule(
            &["ndiProgramName"],
            &["ndiSpeedHqQuality", "ndiOutputTimecodeSource", "ndiAudioReferenceLevel", "vpcInterfaceAttachment"],
        ),
        _ => None,
    }
}

/// Whether the output waits for the receiver to connect.
pub(in crate::services::mediaconnect) fn listens(protocol: &str) -> bool {
    ["srt-listener", "zixi-pull"].contains(&protocol)
}

/// One output by itself.
pub(in crate::services::mediaconnect) fn check(
    flow: &Flow,
    settings: &Map<String, Value>,
    secrets: &dyn Secrets,
) -> Result<(), ApiError> {
    let what = format!("Output {}", text(settings, "name"));
    if settings.contains_key("mediaStreamOutputConfigurations") {
        return Err(ApiError::not_simulated("outputs with mediaStreamOutputConfigurations"));
    }
    if text(settings, "routerIntegrationState") == "ENABLED" {
        return Err(ApiError::not_simulated("outputs that go to a MediaConnect router"));
    }
    let name = text(settings, "protocol");
    let rule = match name {
        "" => return Err(bad(format!("{what}: protocol is required."))),
        "cdi" | "st2110-jpegxs" => return Err(ApiError::not_simulated(&format!("protocol {name}"))),
        name => protocol(name).ok_or_else(|| bad(format!("{what}: protocol {name} is not valid for an output.")))?,
    };
    check_members(&rule, &what, settings)?;
    in_range(&what, settings, "port", 1, 65_535)?;
    in_range(&what, settings, "minLatency", 10, 15_000)?;
    in_range(&what, settings, "maxLatency", 1, 15_000)?;
    in_range(&what, settings, "smoothingLatency", 0, 15_000)?;
    if text(settings, "streamId").chars().count() > 512 {
        return Err(bad(format!("{what}: streamId is longer than 512 characters.")));
    }
    check_destination(&what, settings)?;
    check_allow_list(flow, &what, settings)?;
    if let Some(rtmp) = settings.get("rtmpPushSettings") {
        check_rtmp(&what, rtmp, number(settings, "port"))?;
    }
    if name == "ndi-speed-hq" && flow.setting(&["ndiConfig", "ndiState"]) != "ENABLED" {
        return Err(bad(format!("{what}: an NDI output needs ndiConfig with ndiState ENABLED on the flow.")));
    }
    match settings.get("encryption") {
        Some(key) => check_key(&what, name, key, secrets),
        None => Ok(()),
    }
}

/// A destination is a host: a URL is a mistake that AWS does not forgive either.
fn check_destination(what: &str, settings: &Map<String, Value>) -> Result<(), ApiError> {
    let host = text(settings, "destination");
    let wrong = |c: char| c.is_whitespace() || c.is_control() || "/:?#@".contains(c);
    if settings.contains_key("destination") && (host.is_empty() || host.contains(wrong) || host.len() > 253) {
        return Err(bad(format!("{what}: destination '{host}' is not an IP address or host name.")));
    }
    let protocol = text(settings, "protocol");
    if super::destinations::BY_ADDRESS.contains(&protocol) && host.parse::<std::net::IpAddr>().is_err() {
        return Err(bad(format!("{what}: destination '{host}' is not an IP address, as protocol {protocol} needs.")));
    }
    Ok(())
}

fn check_allow_list(flow: &Flow, what: &str, settings: &Map<String, Value>) -> Result<(), ApiError> {
    let attachment = settings.get("vpcInterfaceAttachment").and_then(|a| a.get("vpcInterfaceName"));
    let interface = attachment.and_then(Value::as_str).unwrap_or_default();
    if !interface.is_empty() && !flow.has_interface(interface) {
        return Err(bad(format!("{what}: the flow has no VPC interface {interface}.")));
    }
    let list = settings.get("cidrAllowList").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if list.len() > 3 {
        return Err(bad(format!("{what}: cidrAllowList can have at most 3 entries.")));
    }
    for cidr in list.iter().filter_map(Value::as_str) {
        super::cidr(what, cidr)?;
    }
    if text(settings, "protocol") == "srt-listener" && list.is_empty() && interface.is_empty() {
        return Err(bad(format!("{what}: cidrAllowList is required for protocol srt-listener.")));
    }
    Ok(())
}

/// The ports are those that the MediaConnect router documents for RTMP and RTMPS.
fn check_rtmp(what: &str, rtmp: &Value, port: Option<i64>) -> Result<(), ApiError> {
    for member in ["applicationName", "streamName"] {
        if rtmp.get(member).and_then(Value::as_str).unwrap_or_default().trim().is_empty() {
            return Err(bad(format!("{what}: {member} must not be empty.")));
        }
    }
    let tls = rtmp.get("tlsEncryption");
    if let Some(tls) = tls
        && tls["encryptionConfiguration"].get("public").is_none()
    {
        return Err(bad(format!("{what}: encryptionConfiguration must have the member public.")));
    }
    match port {
        Some(443) if tls.is_some() => Ok(()),
        Some(port) if port < 1024 => {
            let allowed = if tls.is_some() { "443 or 1024 to 65535" } else { "1024 to 65535" };
            Err(bad(format!("{what}: port {port} is out of range; it must be {allowed}.")))
        }
        _ => Ok(()),
    }
}

/// The outputs of a flow together: two that listen need two ports.
pub(super) fn check_together(flow: &Flow) -> Result<(), ApiError> {
    let mut taken = Vec::new();
    let listening = |output: &&Output| output.media_live_input.is_none() && output.protocol() == "srt-listener";
    for output in flow.outputs.iter().filter(listening) {
        let Some(port) = number(&output.settings, "port") else { continue };
        if [2077, 2088].contains(&port) {
            return Err(bad(format!("Output {}: port {port} is reserved.", output.name())));
        }
        if taken.contains(&port) {
            return Err(bad(format!("Output {}: port {port} is already used by another output.", output.name())));
        }
        taken.push(port);
    }
    Ok(())
}
