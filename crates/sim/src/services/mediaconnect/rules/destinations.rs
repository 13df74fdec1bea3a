//! "Each output on a flow must be sent to a different destination" (destinations.html of the MediaConnect user guide), and
//! what makes a destination is another thing for each protocol.

use std::net::IpAddr;

use serde_json::Value;

use super::{number, text};
use crate::config::Config;
use crate::error::ApiError;
use crate::services::mediaconnect::{Flow, Output, bad};

/// Protocols whose destination is an IP address (outputs-add-standard.html: "IP address", where SRT caller has "IP address
/// or domain").
pub(super) const BY_ADDRESS: [&str; 4] = ["rtp", "rtp-fec", "rist", "zixi-push"];

/// What tells a destination from another.
#[derive(PartialEq)]
enum Identifier {
    /// An address and the ports that are taken there.
    Ports(String, Vec<i64>),
    /// Members that must not all be the same.
    Members(Vec<String>),
}

/// Refuses an output whose destination another output of the flow has.
pub(super) fn check(flow: &Flow, output: &Output, config: &Config) -> Result<(), ApiError> {
    let Some(wanted) = identifier(output, config) else { return Ok(()) };
    let others = flow.outputs.iter().filter(|other| other.arn != output.arn);
    for other in others {
        let same = match (&wanted, identifier(other, config)) {
            (Identifier::Ports(host, ports), Some(Identifier::Ports(taken, reserved))) => {
                *host == taken && ports.iter().any(|port| reserved.contains(port))
            }
            (_, other) => other.is_some_and(|other| other == wanted),
        };
        if same {
            return Err(bad(format!(
                "Output {}: its destination is that of output {}. Each output on a flow must be sent to a different \
                 destination.",
                output.name(),
                other.name()
            )));
        }
    }
    Ok(())
}

/// The row of AWS's table; none for what has no row, and for what listens, whose ports differ anyhow.
fn identifier(output: &Output, config: &Config) -> Option<Identifier> {
    let settings = &output.settings;
    let host = text(settings, "destination").to_ascii_lowercase();
    let host = host.parse::<IpAddr>().map_or(host, |address| address.to_string());
    let port = number(settings, "port").unwrap_or_default();
    let ports = |more: &[i64]| Some(Identifier::Ports(host.clone(), more.iter().map(|more| port + more).collect()));
    let member = |name: &str| text(settings, name).to_owned();
    match output.protocol() {
        "rtp" | "srt-caller" => ports(&[0]),
        "rist" => ports(&[0, 1]),
        "rtp-fec" => ports(&[0, 2, 4]),
        "zixi-push" => Some(Identifier::Members(vec![host, member("streamId"), port.to_string()])),
        "zixi-pull" => {
            let list = settings.get("cidrAllowList").and_then(Value::as_array).into_iter().flatten();
            let mut list: Vec<String> = list.filter_map(Value::as_str).map(str::to_owned).collect();
            list.sort();
            list.extend([member("streamId"), member("remoteId")]);
            Some(Identifier::Members(list))
        }
        // No row: a tester says what AWS does.
        "rtmp-push" if config.switches.rtmp_destinations_differ => ports(&[0]),
        _ => None,
    }
}
