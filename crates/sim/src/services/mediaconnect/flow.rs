//! A flow, its parts and its states.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::bad;
use super::signals::Signals;
use crate::config::Config;
use crate::error::ApiError;
use crate::services::cidr::within;
use crate::services::ports::Feed;

/// The states of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Standby,
    Starting,
    Active,
    Updating,
    Stopping,
    Deleting,
    Error,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Standby => "STANDBY",
            Self::Starting => "STARTING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Stopping => "STOPPING",
            Self::Deleting => "DELETING",
            Self::Error => "ERROR",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Standby, Self::Starting, Self::Active, Self::Updating, Self::Stopping, Self::Deleting, Self::Error]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// A flow. The settings of sources and outputs are kept as they are in requests: flat.
#[derive(Clone)]
pub(crate) struct Flow {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) availability_zone: String,
    pub(crate) egress_ip: String,
    pub(crate) status: Status,
    /// When the state ends by itself.
    pub(crate) deadline: Option<Duration>,
    /// It stops to start again: AWS maintains it.
    pub(super) restarting: bool,
    /// It is ACTIVE and passes nothing until then: AWS maintains it and does not tell.
    pub(super) away: Option<Duration>,
    /// `sourceFailoverConfig`, `flowSize`, ...
    pub(crate) settings: Map<String, Value>,
    pub(crate) sources: Vec<Source>,
    /// Whether it was created with `sources` and not with `source`.
    pub(crate) sources_listed: bool,
    pub(crate) outputs: Vec<Output>,
    pub(crate) vpc_interfaces: Vec<Value>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Errors that a tester planted.
    pub(crate) errors: Vec<String>,
    pub(crate) signals: Signals,
}

#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) arn: String,
    pub(crate) ingest_ip: String,
    /// What an output of AWS sends to it, if one goes there: bits a second, none while nothing comes.
    pub(super) fed: Option<Option<u64>>,
    pub(crate) settings: Map<String, Value>,
    pub(crate) tags: BTreeMap<String, String>,
}

#[derive(Clone)]
pub(crate) struct Output {
    pub(crate) arn: String,
    pub(crate) settings: Map<String, Value>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Set on outputs that MediaLive added.
    pub(crate) media_live_input: Option<String>,
    /// Of outputs that listen.
    pub(crate) listener_address: String,
}

fn text<'a>(settings: &'a Map<String, Value>, member: &str) -> &'a str {
    settings.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// A stream error in AWS's form (monitor-flow-health.html of the MediaConnect user guide); the text in it is ours, but for
/// the page's own example, "CDI Configuration Error". `what` is Source or Output.
pub(super) fn stream_error(what: &str, name: &str, text: &str) -> String {
    format!("{what} {name} Stream Error: {text}. Please investigate the flow {}.", what.to_lowercase())
}

impl Source {
    pub(crate) fn name(&self) -> &str {
        text(&self.settings, "name")
    }

    pub(crate) fn protocol(&self) -> &str {
        text(&self.settings, "protocol")
    }

    /// Whether it listens where this goes.
    pub(super) fn listens(&self, feed: &Feed) -> bool {
        let port = self.settings.get("ingestPort").and_then(Value::as_u64);
        self.ingest_ip == feed.host && port == Some(u64::from(feed.port))
    }

    /// Whether it takes this: by its protocol, its allow list, and its key, which is the same secret on both sides here.
    pub(super) fn admits(&self, feed: &Feed) -> bool {
        let speaks = match self.protocol() {
            "srt-listener" => {
                let key = self.settings.get("decryption").and_then(|key| key["secretArn"].as_str());
                feed.scheme == "srt" && key == feed.secret.as_deref()
            }
            "rtp" | "rtp-fec" => feed.scheme == "rtp",
            _ => false,
        };
        speaks && within(text(&self.settings, "whitelistCidr"), &feed.address)
    }
}

impl Output {
    pub(crate) fn name(&self) -> &str {
        text(&self.settings, "name")
    }

    pub(crate) fn protocol(&self) -> &str {
        text(&self.settings, "protocol")
    }

    pub(crate) fn enabled(&self) -> bool {
        text(&self.settings, "outputStatus") != "DISABLED"
    }

    /// Where it connects to; an output that listens is known by its own name.
    pub(crate) fn host(&self) -> &str {
        match text(&self.settings, "destination") {
            "" => self.name(),
            host => host,
        }
    }

    /// What tells streams at one host apart: the RTMP stream name or the stream id.
    pub(crate) fn stream(&self) -> Option<&str> {
        let rtmp = self.settings.get("rtmpPushSettings").and_then(|rtmp| rtmp.get("streamName"));
        rtmp.or_else(|| self.settings.get("streamId")).and_then(Value::as_str)
    }
}

impl Flow {
    /// Whether media passes. UPDATING only comes from ACTIVE, and the stream goes on.
    pub(crate) fn running(&self) -> bool {
        matches!(self.status, Status::Active | Status::Updating) && self.away.is_none()
    }

    pub(crate) fn enter(&mut self, status: Status, until: Option<Duration>) {
        self.status = status;
        self.deadline = until;
        self.restarting = false;
    }

    /// Refuses what the state does not allow. The words follow the service's own.
    pub(crate) fn require(&self, action: &str, allowed: &[Status]) -> Result<(), ApiError> {
        if allowed.contains(&self.status) {
            return Ok(());
        }
        Err(bad(format!("Flow {} cannot be {action} because it is currently {}.", self.arn, self.status.name())))
    }

    /// Refuses changes of the flow or its parts in every state but the two that rest.
    ///
    /// UPDATING and DELETING refuse by documentation of their meaning; for STARTING, STOPPING and ERROR AWS says
    /// nothing, and the stricter answer is chosen.
    pub(crate) fn require_changeable(&self) -> Result<(), ApiError> {
        self.require("updated", &[Status::Standby, Status::Active])
    }

    pub(crate) fn disconnect(&mut self, config: &Config, host: &str, stream: Option<&str>, now: Duration) {
        for output in &self.outputs {
            if output.host() == host && stream.is_none_or(|stream| output.stream() == Some(stream)) {
                self.signals.disconnect(&output.arn, config, now);
            }
        }
    }

    /// The errors that DescribeFlow tells. Who sends datagrams without a connection never learns that nobody takes them.
    pub(crate) fn messages(&self, now: Duration) -> Vec<String> {
        let connects = |output: &&Output| !["rtp", "rtp-fec", "rist"].contains(&output.protocol());
        let trying = self.outputs.iter().filter(connects).filter(|output| self.signals.trying(&output.arn, now));
        let refused = trying.map(|output| {
            stream_error("Output", output.name(), &format!("Unable to connect to the destination {}", output.host()))
        });
        self.errors.iter().cloned().chain(refused).collect()
    }

    /// Plants the stream errors of a source or output, in place of those that were planted before.
    pub(super) fn tell(&mut self, what: &str, name: &str, errors: Option<&[String]>) {
        let Some(errors) = errors else { return };
        let of_part = format!("{what} {name} Stream Error: ");
        self.errors.retain(|error| !error.starts_with(&of_part));
        self.errors.extend(errors.iter().map(|text| stream_error(what, name, text)));
    }

    pub(crate) fn source(&self, arn: &str) -> Result<usize, ApiError> {
        self.sources
            .iter()
            .position(|source| source.arn == arn)
            .ok_or_else(|| super::not_found(format!("Source {arn} was not found in flow {}.", self.arn)))
    }

    pub(crate) fn output(&self, arn: &str) -> Result<usize, ApiError> {
        self.outputs
            .iter()
            .position(|output| output.arn == arn)
            .ok_or_else(|| super::not_found(format!("Output {arn} was not found in flow {}.", self.arn)))
    }

    /// A member of the flow's settings as text.
    pub(crate) fn setting(&self, path: &[&str]) -> &str {
        let Some((first, rest)) = path.split_first() else { return "" };
        let value = rest.iter().fold(self.settings.get(*first), |value, key| value.and_then(|v| v.get(*key)));
        value.and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the flow has this VPC interface.
    pub(crate) fn has_interface(&self, name: &str) -> bool {
        self.vpc_interfaces.iter().any(|interface| interface["name"] == name)
    }
}
