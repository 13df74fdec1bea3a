//! The rules of inputs.

use serde_json::{Map, Value};

use super::super::{State, bad, list, text};
use crate::error::ApiError;
use crate::services::is_role;
use crate::services::ports::{Flows, Secrets};

/// What one type has, besides name and type.
struct Kind {
    name: &'static str,
    pushed: bool,
    members: &'static [&'static str],
}

const KINDS: [Kind; 9] = [
    Kind { name: "MEDIACONNECT", pushed: true, members: &["mediaConnectFlows", "roleArn"] },
    Kind { name: "RTMP_PUSH", pushed: true, members: &["destinations", "inputSecurityGroups"] },
    Kind { name: "RTP_PUSH", pushed: true, members: &["inputSecurityGroups"] },
    Kind { name: "SRT_LISTENER", pushed: true, members: &["srtSettings"] },
    Kind { name: "SRT_CALLER", pushed: false, members: &["srtSettings"] },
    Kind { name: "RTMP_PULL", pushed: false, members: &["sources"] },
    Kind { name: "URL_PULL", pushed: false, members: &["sources"] },
    Kind { name: "MP4_FILE", pushed: false, members: &["sources"] },
    Kind { name: "TS_FILE", pushed: false, members: &["sources"] },
];

/// Whether inputs of a type count as those that something is pushed to.
pub(crate) fn pushed(kind: &str) -> bool {
    KINDS.iter().any(|known| known.name == kind && known.pushed)
}

/// An input as it is after a request.
pub(crate) fn check(
    settings: &Map<String, Value>,
    state: &State,
    flows: &dyn Flows,
    secrets: &dyn Secrets,
) -> Result<(), ApiError> {
    let name = text(settings, "type");
    if name.is_empty() {
        return Err(bad("type is required."));
    }
    if text(settings, "name").is_empty() {
        return Err(bad("name is required."));
    }
    let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
        return Err(ApiError::not_simulated(&format!("inputs of type {name}")));
    };
    let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    for (member, value) in settings {
        let known = ["name", "type"].contains(&member.as_str()) || kind.members.contains(&member.as_str());
        if !known && !empty(value) {
            return Err(bad(format!("{member} is not valid for inputs of type {name}.")));
        }
    }
    match name {
        "MEDIACONNECT" => check_flows(settings, flows),
        "RTMP_PUSH" => {
            check_streams(settings)?;
            check_groups(settings, state)
        }
        "RTP_PUSH" => check_groups(settings, state),
        "SRT_CALLER" | "SRT_LISTENER" => check_srt(name, settings, secrets),
        _ => check_sources(name, settings),
    }
}

/// One or two of something.
fn check_count(settings: &Map<String, Value>, member: &str) -> Result<(), ApiError> {
    match list(settings, member).len() {
        1 | 2 => Ok(()),
        count => Err(bad(format!("{member} must have 1 or 2 members; it has {count}."))),
    }
}

fn check_flows(settings: &Map<String, Value>, flows: &dyn Flows) -> Result<(), ApiError> {
    check_count(settings, "mediaConnectFlows")?;
    let role = text(settings, "roleArn");
    if !is_role(role) {
        return Err(bad(format!("roleArn '{role}' is not the ARN of a role; inputs of type MEDIACONNECT need one.")));
    }
    let mut zones = Vec::new();
    for given in list(settings, "mediaConnectFlows") {
        let arn = given["flowArn"].as_str().unwrap_or_default();
        let zone = flows.zone(arn);
        let zone = zone.ok_or_else(|| bad(format!("The MediaConnect flow '{arn}' was not found in this Region.")))?;
        if zones.contains(&zone) {
            return Err(bad("The two MediaConnect flows of an input must be in different Availability Zones."));
        }
        zones.push(zone);
    }
    Ok(())
}

/// RTMP is pushed to an application and an instance of it.
fn check_streams(settings: &Map<String, Value>) -> Result<(), ApiError> {
    check_count(settings, "destinations")?;
    let mut seen = Vec::new();
    for destination in list(settings, "destinations") {
        let stream = destination["streamName"].as_str().unwrap_or_default();
        let parts: Vec<&str> = stream.split('/').collect();
        if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
            return Err(bad("The streamName of a destination must have the form application/instance."));
        }
        if seen.contains(&stream) {
            return Err(bad("The destinations of an input must have different stream names."));
        }
        seen.push(stream);
    }
    Ok(())
}

fn check_groups(settings: &Map<String, Value>, state: &State) -> Result<(), ApiError> {
    let groups = list(settings, "inputSecurityGroups");
    if groups.is_empty() {
        return Err(bad("inputSecurityGroups must not be empty."));
    }
    for group in groups.iter().filter_map(Value::as_str) {
        if state.groups.get(group).is_none_or(|group| group.gone.is_some()) {
            return Err(bad(format!("Input security group {group} was not found.")));
        }
    }
    Ok(())
}

fn check_srt(kind: &str, settings: &Map<String, Value>, secrets: &dyn Secrets) -> Result<(), ApiError> {
    let member = if kind == "SRT_CALLER" { "srtCallerSources" } else { "srtListenerSettings" };
    let srt = settings.get("srtSettings").and_then(Value::as_object);
    let wanted = srt.and_then(|srt| srt.get(member)).filter(|wanted| !wanted.is_null());
    let (Some(srt), Some(wanted)) = (srt, wanted) else {
        return Err(bad(format!("srtSettings.{member} is required for inputs of type {kind}.")));
    };
    if let Some((other, _)) = srt.iter().find(|(other, value)| *other != member && !value.is_null()) {
        return Err(bad(format!("srtSettings.{other} is not valid for inputs of type {kind}.")));
    }
    let parts: Vec<&Value> = match wanted {
        Value::Array(sources) if (1..=2).contains(&sources.len()) => sources.iter().collect(),
        Value::Array(_) => return Err(bad("srtCallerSources must have 1 or 2 members.")),
        listener => vec![listener],
    };
    for part in parts {
        if kind == "SRT_CALLER" {
            let address = part["srtListenerAddress"].as_str().unwrap_or_default();
            let port = part["srtListenerPort"].as_str().and_then(|port| port.parse::<u16>().ok());
            if address.is_empty() || port.is_none_or(|port| port == 0) {
                return Err(bad("An SRT caller needs srtListenerAddress and srtListenerPort."));
            }
        }
        let key = part.get("decryption").filter(|key| !key.is_null());
        let secret = key.map(|key| key["passphraseSecretArn"].as_str().unwrap_or_default());
        if secret.is_some_and(|secret| !secrets.readable(secret)) {
            return Err(bad("The secret of passphraseSecretArn could not be read."));
        }
    }
    Ok(())
}

fn check_sources(kind: &str, settings: &Map<String, Value>) -> Result<(), ApiError> {
    check_count(settings, "sources")?;
    let schemes: &[&str] = match kind {
        "RTMP_PULL" => &["rtmp://", "rtmps://"],
        "URL_PULL" => &["http://", "https://"],
        _ => &["http://", "https://", "s3://", "s3ssl://"],
    };
    for source in list(settings, "sources") {
        let url = source["url"].as_str().unwrap_or_default();
        if !schemes.iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) {
            return Err(bad(format!("The url of a source of type {kind} must begin with {}.", schemes.join(" or "))));
        }
    }
    Ok(())
}

/// Whether this is a block of IPv4 addresses.
pub(crate) fn is_cidr(cidr: &str) -> bool {
    let Some((address, bits)) = cidr.split_once('/') else { return false };
    address.parse::<std::net::Ipv4Addr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 32)
}
