//! A MediaConnect flow as facts: what both kinds observe and wish. No SDK type comes further than `crates/aws/`.

mod action;
pub mod ndi;
mod new;
mod output;

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::endpoint::shown_application;
use crate::resources::flow::ndi::Ndi;
use crate::secret::SecretText;
use crate::waiting::Waiting;

pub use self::action::{FlowAction, Toward};
pub use self::output::{FlowOutput, OutputAction, OutputSettings};
pub use new::{NewFlow, NewOutput, NewSource};

/// Outputs that a flow may have (MediaConnect quota "Outputs per flow"; not adjustable in the console).
pub const OUTPUTS_PER_FLOW: usize = 50;

/// State of a flow, in AWS's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "AWS's own words")]
pub enum FlowState {
    Standby,
    Active,
    Updating,
    Deleting,
    Starting,
    Stopping,
    Error,
}

impl FlowState {
    /// As AWS spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standby => "STANDBY",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Starting => "STARTING",
            Self::Stopping => "STOPPING",
            Self::Error => "ERROR",
        }
    }

    /// Whether the flow takes changes now. In between states it refuses them.
    #[must_use]
    pub fn takes_changes(self) -> bool {
        matches!(self, Self::Standby | Self::Active | Self::Error)
    }

    /// What is waited for while it takes none.
    #[must_use]
    pub fn waiting(self) -> Waiting {
        match self {
            Self::Starting => Waiting::FlowStarting,
            Self::Stopping => Waiting::FlowStopping,
            Self::Deleting => Waiting::FlowDeleting,
            Self::Updating | Self::Standby | Self::Active | Self::Error => Waiting::FlowUpdating,
        }
    }
}

/// A flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// State.
    pub state: FlowState,
    /// Address from which it sends.
    pub egress_ip: Option<String>,
    /// Sources, in AWS's order.
    pub sources: Vec<FlowSource>,
    /// Failover between them.
    pub failover: Failover,
    /// Interfaces in VPCs.
    pub vpc_interfaces: Vec<VpcInterface>,
    /// NDI discovery; `None`: NDI is off.
    pub ndi: Option<Ndi>,
    /// `MEDIUM`, `LARGE`, ...; `None` when AWS does not say.
    pub size: Option<String>,
    /// When AWS may restart it for its maintenance; `None` when AWS does not say.
    pub maintenance: Option<MaintenanceWindow>,
    /// Outputs.
    pub outputs: Vec<FlowOutput>,
    /// What AWS has to complain of.
    pub errors: Vec<String>,
}

/// Protocol of a source or an output, in AWS's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[expect(missing_docs, reason = "AWS's own words")]
pub enum Protocol {
    SrtListener,
    SrtCaller,
    Rtp,
    RtpFec,
    Rist,
    ZixiPush,
    RtmpPush,
    Ndi,
    /// One that we never ask for.
    Other,
}

impl Protocol {
    /// As AWS spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SrtListener => "srt-listener",
            Self::SrtCaller => "srt-caller",
            Self::Rtp => "rtp",
            Self::RtpFec => "rtp-fec",
            Self::Rist => "rist",
            Self::ZixiPush => "zixi-push",
            Self::RtmpPush => "rtmp-push",
            Self::Ndi => "ndi-speed-hq",
            Self::Other => "other",
        }
    }

    /// Reads AWS's spelling.
    #[must_use]
    pub fn read(text: &str) -> Self {
        [
            Self::SrtListener,
            Self::SrtCaller,
            Self::Rtp,
            Self::RtpFec,
            Self::Rist,
            Self::ZixiPush,
            Self::RtmpPush,
            Self::Ndi,
        ]
        .into_iter()
        .find(|p| p.as_str() == text)
        .unwrap_or(Self::Other)
    }
}

/// A stream's encryption.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Cipher {
    /// `aes128`, `aes192` or `aes256`.
    pub algorithm: String,
    /// `srt-password` or `static-key`.
    pub key_type: String,
    /// Role that MediaConnect assumes to read the secret.
    pub role_arn: String,
    /// Where the password is. `None` in a wish: in our own copy, whose ARN is known only by observation.
    pub secret_arn: Option<String>,
}

/// Settings of a flow's source, requested or observed. In a wish, `None` means "as AWS likes".
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct SourceSettings {
    /// Protocol.
    pub protocol: Protocol,
    /// What a person reads in the console.
    pub description: String,
    /// Who may send.
    pub whitelist_cidr: Option<String>,
    /// Port that listens.
    pub ingest_port: Option<i32>,
    /// Bit/s.
    pub max_bitrate: Option<i64>,
    /// Milliseconds.
    pub min_latency: Option<i32>,
    /// Milliseconds.
    pub max_latency: Option<i32>,
    /// Zixi and SRT caller.
    pub stream_id: Option<String>,
    /// SRT caller: host of the encoder.
    pub listener_address: Option<String>,
    /// SRT caller: port of the encoder.
    pub listener_port: Option<i32>,
    /// Interface through which it comes.
    pub vpc_interface: Option<String>,
    /// Decryption.
    pub decryption: Option<Cipher>,
    /// RTMP: application and stream name.
    pub rtmp: Option<RtmpPath>,
    /// NDI.
    pub ndi_source_name: Option<String>,
}

/// Where in an RTMP server: application and stream name. The stream name is the key.
///
/// `Debug` and `Serialize` show the first word of the application alone: what follows it is a key where somebody has pasted
/// one, or a token.
#[derive(Clone, Eq, PartialEq)]
pub struct RtmpPath {
    /// Application, query included.
    pub application: String,
    /// Stream name.
    pub stream: SecretText,
    /// Outputs: RTMPS.
    pub tls: bool,
}

impl fmt::Debug for RtmpPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtmpPath")
            .field("application", &shown_application(&self.application))
            .field("stream", &self.stream)
            .field("tls", &self.tls)
            .finish()
    }
}

impl Serialize for RtmpPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut path = serializer.serialize_struct("RtmpPath", 3)?;
        path.serialize_field("application", &shown_application(&self.application))?;
        path.serialize_field("stream", &self.stream)?;
        path.serialize_field("tls", &self.tls)?;
        path.end()
    }
}

/// A source of a flow, as observed.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowSource {
    /// Name, unique in the flow.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Settings.
    pub settings: SourceSettings,
    /// Where the encoder sends to.
    pub ingest_ip: Option<String>,
    /// Who sends now.
    pub peer_ip: Option<String>,
}

/// Failover of a flow.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct Failover {
    /// Whether two sources are allowed.
    pub enabled: bool,
    /// Merged rather than switched.
    pub merge: bool,
    /// Milliseconds, with `merge`.
    pub recovery_window: Option<i32>,
    /// Name of the source that leads, without `merge`.
    pub primary: Option<String>,
}

/// Two hours a week in which AWS may restart a flow for its maintenance.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct MaintenanceWindow {
    /// AWS's word for the day: `Monday` to `Sunday`.
    pub day: String,
    /// The hour at which it begins, as `13:00`, UTC.
    pub start: String,
}

impl fmt::Display for MaintenanceWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} UTC", self.day, self.start)
    }
}

/// An interface of a flow in a VPC.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct VpcInterface {
    /// Name.
    pub name: String,
    /// Subnet.
    pub subnet_id: String,
    /// Security groups.
    pub security_group_ids: Vec<String>,
    /// Role that MediaConnect assumes.
    pub role_arn: String,
}

/// A measurement from CloudWatch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Whether the other end is connected; `None`: no data.
    pub connected: Option<bool>,
    /// Bit/s.
    pub bitrate: Option<f64>,
    /// Percent.
    pub packet_loss: Option<f64>,
    /// Milliseconds.
    pub round_trip: Option<f64>,
    /// Whether this source is the one that is sent on.
    pub selected: Option<bool>,
}

impl Flow {
    /// The output of that name.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<&FlowOutput> {
        self.outputs.iter().find(|o| o.name == name)
    }

    /// What AWS has to complain of, as one text.
    #[must_use]
    pub fn told_errors(&self) -> String {
        if self.errors.is_empty() { "no reason given".into() } else { self.errors.join("; ") }
    }
}

/// A copy of a password in Secrets Manager.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretCopy {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A password that is to be kept in Secrets Manager.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Password {
    /// Name of the copy.
    pub name: String,
    /// Whether the name tells this password from another one. Without that, a copy of whatever password is taken for this one.
    pub is_told: bool,
    /// The password.
    pub text: SecretText,
}

impl SourceSettings {
    /// The settings in which `seen` differs from this wish, by the names that users know.
    #[must_use]
    pub fn differences(&self, seen: &Self) -> Vec<&'static str> {
        let mut list = Vec::new();
        let mut check = |name, differs: bool| {
            if differs && !list.contains(&name) {
                list.push(name);
            }
        };
        check("protocol", self.protocol != seen.protocol);
        check("allowedCidr", unlike(&self.whitelist_cidr, &seen.whitelist_cidr));
        check("port", unlike(&self.ingest_port, &seen.ingest_port));
        check("maxBitrate", unlike(&self.max_bitrate, &seen.max_bitrate));
        check("minLatencyMs", unlike(&self.min_latency, &seen.min_latency));
        check("maxLatencyMs", unlike(&self.max_latency, &seen.max_latency));
        check("streamId", unlike(&self.stream_id, &seen.stream_id) || self.drops_stream_id(seen));
        check("address", unlike(&self.listener_address, &seen.listener_address));
        check("port", unlike(&self.listener_port, &seen.listener_port));
        check("vpcInterface", self.vpc_interface != seen.vpc_interface);
        check("encryption", cipher_unlike(self.decryption.as_ref(), seen.decryption.as_ref()));
        check("rtmp", rtmp_unlike(self.rtmp.as_ref(), seen.rtmp.as_ref()));
        check("sourceName", unlike(&self.ndi_source_name, &seen.ndi_source_name));
        list
    }

    /// Whether an update cannot lead from `seen` to this: AWS merges what is given and cannot take out what is left out.
    #[must_use]
    pub fn needs_replacement(&self, seen: &Self) -> bool {
        self.protocol != seen.protocol
            || (self.decryption.is_none() && seen.decryption.is_some())
            || (self.vpc_interface.is_none() && seen.vpc_interface.is_some())
            || self.drops_stream_id(seen)
    }

    /// AWS makes no stream id for an SRT caller by itself. Latencies, bitrates and ranges of addresses it may fill in: of those
    /// nobody can tell whether they were requested once.
    fn drops_stream_id(&self, seen: &Self) -> bool {
        let caller = self.protocol == Protocol::SrtCaller && seen.protocol == Protocol::SrtCaller;
        caller && self.stream_id.is_none() && seen.stream_id.as_ref().is_some_and(|id| !id.is_empty())
    }
}

fn unlike<T: PartialEq>(wish: &Option<T>, seen: &Option<T>) -> bool {
    wish.is_some() && wish != seen
}

fn cipher_unlike(wish: Option<&Cipher>, seen: Option<&Cipher>) -> bool {
    match (wish, seen) {
        (None, None) => false,
        (Some(w), Some(s)) => {
            w.algorithm != s.algorithm
                || w.key_type != s.key_type
                || w.role_arn != s.role_arn
                || unlike(&w.secret_arn, &s.secret_arn)
        }
        _ => true,
    }
}

fn rtmp_unlike(wish: Option<&RtmpPath>, seen: Option<&RtmpPath>) -> bool {
    match (wish, seen) {
        (Some(w), Some(s)) => w.application != s.application || w.stream != s.stream,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn sorted(list: &[String]) -> Vec<&String> {
    let mut list: Vec<_> = list.iter().collect();
    list.sort();
    list
}
