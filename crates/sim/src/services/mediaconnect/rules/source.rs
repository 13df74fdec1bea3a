//! The rules of sources.

use serde_json::{Map, Value};

use super::{Protocol, check_key, check_members, in_range, number, text};
use crate::error::ApiError;
use crate::services::mediaconnect::{Flow, Source, bad};
use crate::services::ports::Secrets;

/// Ports that MediaConnect keeps for itself.
const RESERVED: [i64; 2] = [2077, 2088];
const ZIXI_PUSH: i64 = 2088;
const RTMP: i64 = 1935;

/// None for protocols that a flow's source cannot have.
pub(super) fn protocol(name: &str) -> Option<Protocol> {
    let rule = |required, allowed| Some(Protocol { required, allowed });
    match name {
        "srt-listener" => {
            rule(&["ingestPort"], &["whitelistCidr", "vpcInterfaceName", "minLatency", "maxBitrate", "decryption"])
        }
        "srt-caller" => rule(
            &["sourceListenerAddress", "sourceListenerPort"],
            &["streamId", "vpcInterfaceName", "minLatency", "maxBitrate", "decryption"],
        ),
        "rtp" | "rtp-fec" => rule(&["ingestPort"], &["whitelistCidr", "vpcInterfaceName", "maxBitrate"]),
        "rist" => {
            rule(&["ingestPort"], &["whitelistCidr", "vpcInterfaceName", "maxBitrate", "maxLatency", "minLatency"])
        }
        "zixi-push" => rule(
            &[],
            &["ingestPort", "whitelistCidr", "vpcInterfaceName", "maxBitrate", "maxLatency", "streamId", "decryption"],
        ),
        "rtmp-push" => rule(&["rtmpPushSettings"], &["ingestPort", "whitelistCidr", "vpcInterfaceName", "maxBitrate"]),
        "ndi-speed-hq" => rule(&[], &["ndiSourceSettings", "vpcInterfaceName"]),
        _ => None,
    }
}

/// Whether the source waits for the encoder to connect.
fn listens(protocol: &str) -> bool {
    !["srt-caller", "ndi-speed-hq"].contains(&protocol)
}

/// One source by itself.
pub(in crate::services::mediaconnect) fn check(
    flow: &Flow,
    settings: &Map<String, Value>,
    secrets: &dyn Secrets,
) -> Result<(), ApiError> {
    let what = format!("Source {}", text(settings, "name"));
    for member in ["entitlementArn", "gatewayBridgeSource", "mediaStreamSourceConfigurations"] {
        if settings.contains_key(member) {
            return Err(ApiError::not_simulated(&format!("sources with {member}")));
        }
    }
    if text(settings, "routerIntegrationState") == "ENABLED" {
        return Err(ApiError::not_simulated("sources that come from a MediaConnect router"));
    }
    let name = text(settings, "protocol");
    let rule = match name {
        "" => return Err(bad(format!("{what}: protocol is required."))),
        "cdi" | "st2110-jpegxs" => return Err(ApiError::not_simulated(&format!("protocol {name}"))),
        name => protocol(name).ok_or_else(|| bad(format!("{what}: protocol {name} is not valid for a source.")))?,
    };
    check_members(&rule, &what, settings)?;
    in_range(&what, settings, "minLatency", 10, 15_000)?;
    in_range(&what, settings, "maxLatency", 1, 15_000)?;
    in_range(&what, settings, "maxBitrate", 1, i64::from(i32::MAX))?;
    in_range(&what, settings, "sourceListenerPort", 1, 65_535)?;
    check_ingest(flow, &what, settings)?;
    if let Some(settings) = settings.get("rtmpPushSettings") {
        check_naming(&what, settings)?;
    }
    if name == "ndi-speed-hq" && flow.setting(&["ndiConfig", "ndiState"]) != "ENABLED" {
        return Err(bad(format!("{what}: an NDI source needs ndiConfig with ndiState ENABLED on the flow.")));
    }
    match settings.get("decryption") {
        Some(key) => check_key(&what, name, key, secrets),
        None => Ok(()),
    }
}

fn check_ingest(flow: &Flow, what: &str, settings: &Map<String, Value>) -> Result<(), ApiError> {
    let name = text(settings, "protocol");
    let (cidr, interface) = (text(settings, "whitelistCidr"), text(settings, "vpcInterfaceName"));
    if !interface.is_empty() && !flow.has_interface(interface) {
        return Err(bad(format!("{what}: the flow has no VPC interface {interface}.")));
    }
    if !listens(name) {
        return Ok(());
    }
    if !cidr.is_empty() && !interface.is_empty() {
        return Err(bad(format!("{what}: whitelistCidr and vpcInterfaceName exclude each other.")));
    }
    if cidr.is_empty() && interface.is_empty() {
        return Err(bad(format!("{what}: whitelistCidr or vpcInterfaceName is required for protocol {name}.")));
    }
    if !cidr.is_empty() {
        super::cidr(what, cidr)?;
    }
    if name == "zixi-push" {
        return match number(settings, "ingestPort") {
            None | Some(ZIXI_PUSH) => Ok(()),
            Some(port) => Err(bad(format!("{what}: ingestPort {port} is not valid; zixi-push takes {ZIXI_PUSH}."))),
        };
    }
    in_range(what, settings, "ingestPort", 1024, 65_535)?;
    for port in ports(settings) {
        if RESERVED.contains(&port) {
            return Err(bad(format!("{what}: port {port} is reserved.")));
        }
        if port > 65_535 {
            return Err(bad(format!("{what}: protocol {name} also needs port {port}, which does not exist.")));
        }
    }
    Ok(())
}

/// The ports that a source takes on the flow's address.
fn ports(settings: &Map<String, Value>) -> Vec<i64> {
    let port = number(settings, "ingestPort");
    match (text(settings, "protocol"), port) {
        ("zixi-push", _) => vec![ZIXI_PUSH],
        ("rtmp-push", port) => vec![port.unwrap_or(RTMP)],
        ("rist", Some(port)) => vec![port, port + 1],
        ("rtp-fec", Some(port)) => vec![port, port + 2, port + 4],
        (protocol, Some(port)) if listens(protocol) => vec![port],
        _ => Vec::new(),
    }
}

fn check_naming(what: &str, settings: &Value) -> Result<(), ApiError> {
    let naming = &settings["namingConfiguration"];
    match (naming.get("manual"), naming.get("automatic")) {
        (Some(manual), None) => {
            for member in ["applicationName", "streamName"] {
                if manual.get(member).and_then(Value::as_str).unwrap_or_default().is_empty() {
                    return Err(bad(format!("{what}: {member} must not be empty.")));
                }
            }
            Ok(())
        }
        (None, Some(_)) => Ok(()),
        _ => Err(bad(format!("{what}: namingConfiguration must have exactly one of manual and automatic."))),
    }
}

/// The sources of a flow together: their number, failover and ports.
pub(super) fn check_together(flow: &Flow) -> Result<(), ApiError> {
    let sources = &flow.sources;
    if sources.is_empty() {
        return Err(bad("A flow must have at least one source."));
    }
    let enabled = flow.setting(&["sourceFailoverConfig", "state"]) == "ENABLED";
    if sources.len() > 1 && !enabled {
        return Err(bad("A flow can have more than one source only if source failover is ENABLED."));
    }
    check_failover(flow, enabled)?;
    let family =
        |source: &Source| if source.protocol() == "rtp-fec" { "rtp".to_owned() } else { source.protocol().to_owned() };
    if let [first, rest @ ..] = sources.as_slice()
        && rest.iter().any(|source| family(source) != family(first))
    {
        return Err(bad("All sources of a flow must use the same protocol."));
    }
    let mut taken: Vec<i64> = Vec::new();
    for source in sources {
        let ports = ports(&source.settings);
        if let Some(port) = ports.iter().find(|port| taken.contains(port)) {
            return Err(bad(format!("Source {}: port {port} is already used by another source.", source.name())));
        }
        taken.extend(ports);
    }
    Ok(())
}

fn check_failover(flow: &Flow, enabled: bool) -> Result<(), ApiError> {
    let config = |member: &str| flow.setting(&["sourceFailoverConfig", member]);
    // MERGE is the older mode and the one that is meant when none is given.
    let failover = config("failoverMode") == "FAILOVER";
    let settings = flow.settings.get("sourceFailoverConfig");
    let priority = settings.and_then(|config| config.get("sourcePriority"));
    if let Some(window) = settings.and_then(|config| config.get("recoveryWindow")).and_then(Value::as_i64) {
        if failover {
            return Err(bad("recoveryWindow is only valid for failoverMode MERGE."));
        }
        if !(100..=15_000).contains(&window) {
            return Err(bad(format!("recoveryWindow {window} is out of range; it must be between 100 and 15000.")));
        }
    }
    if let Some(priority) = priority {
        let primary = priority.get("primarySource").and_then(Value::as_str).unwrap_or_default();
        if !failover {
            return Err(bad("sourcePriority is only valid for failoverMode FAILOVER."));
        }
        if !primary.is_empty() && !flow.sources.iter().any(|source| source.name() == primary) {
            return Err(bad(format!("primarySource {primary} is not the name of a source of this flow.")));
        }
    }
    if !enabled {
        return Ok(());
    }
    for source in &flow.sources {
        match source.protocol() {
            "srt-listener" | "srt-caller" | "rtmp-push" if !failover => {
                return Err(bad(format!(
                    "Source {}: protocol {} supports only failoverMode FAILOVER.",
                    source.name(),
                    source.protocol()
                )));
            }
            "ndi-speed-hq" => return Err(bad("Source failover is not available for NDI sources.")),
            _ => {}
        }
    }
    Ok(())
}
