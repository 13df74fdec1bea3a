//! The ways in: one block of settings a protocol.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reference::{Encryption, KeyReference};

/// Rank of an input.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Priority {
    /// Leads.
    Primary,
    /// Leads when the primary is down.
    Backup,
    /// Is swapped in when both others are down.
    Emergency,
}

/// How the encoder's signal comes in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names of the protocols are their documentation")]
pub enum InputProtocol {
    SrtListener,
    SrtCaller,
    Rtp,
    RtpFec,
    Rist,
    ZixiPush,
    Rtmp,
    Ndi,
}

/// One way in.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[x_kube(
    validation = Rule::new("(self.protocol == 'SrtListener') == has(self.srtListener)").message("srtListener is the block of protocol SrtListener and of no other: add it, take it out, or correct protocol").field_path(".srtListener"),
    validation = Rule::new("(self.protocol == 'SrtCaller') == has(self.srtCaller)").message("srtCaller is the block of protocol SrtCaller and of no other: add it, take it out, or correct protocol").field_path(".srtCaller"),
    validation = Rule::new("(self.protocol in ['Rtp', 'RtpFec']) == has(self.rtp)").message("rtp is the block of protocols Rtp and RtpFec and of no other: add it, take it out, or correct protocol").field_path(".rtp"),
    validation = Rule::new("(self.protocol == 'Rist') == has(self.rist)").message("rist is the block of protocol Rist and of no other: add it, take it out, or correct protocol").field_path(".rist"),
    validation = Rule::new("(self.protocol == 'ZixiPush') == has(self.zixiPush)").message("zixiPush is the block of protocol ZixiPush and of no other: add it, take it out, or correct protocol").field_path(".zixiPush"),
    validation = Rule::new("(self.protocol == 'Rtmp') == has(self.rtmp)").message("rtmp is the block of protocol Rtmp and of no other: add it, take it out, or correct protocol").field_path(".rtmp"),
    validation = Rule::new("(self.protocol == 'Ndi') == has(self.ndi)").message("ndi is the block of protocol Ndi and of no other: add it, take it out, or correct protocol").field_path(".ndi"),
    validation = Rule::new("has(self.vpcInterface) || !((has(self.srtListener) && !has(self.srtListener.allowedCidr)) || (has(self.rtp) && !has(self.rtp.allowedCidr)) || (has(self.rist) && !has(self.rist.allowedCidr)) || (has(self.zixiPush) && !has(self.zixiPush.allowedCidr)) || (has(self.rtmp) && !has(self.rtmp.allowedCidr)))").message("allowedCidr says who may send and is required for an input that listens on the internet (one without vpcInterface): add it"),
    validation = Rule::new("has(self.vpcInterface) || [has(self.srtListener) && has(self.srtListener.allowedCidr) ? self.srtListener.allowedCidr : '', has(self.rtp) && has(self.rtp.allowedCidr) ? self.rtp.allowedCidr : '', has(self.rist) && has(self.rist.allowedCidr) ? self.rist.allowedCidr : '', has(self.zixiPush) && has(self.zixiPush.allowedCidr) ? self.zixiPush.allowedCidr : '', has(self.rtmp) && has(self.rtmp.allowedCidr) ? self.rtmp.allowedCidr : ''].all(c, !isCIDR(c) || cidr(c).ip().family() != 4 || !['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16', '224.0.0.0/3'].exists(p, cidr(p).containsCIDR(c)))").message("allowedCidr must hold addresses of the internet for an input without vpcInterface, because no encoder arrives from a private one: give the public address behind which the encoder is, or name a vpcInterface"),
    validation = Rule::new("self.protocol != 'RtpFec' || !has(self.rtp) || !(self.rtp.port in [2073, 2075, 2077, 2084, 2086, 2088])").message("rtp.port: RtpFec also uses port + 2 and + 4, and MediaConnect reserves 2077 and 2088: use another port, as in 5000").field_path(".rtp.port"),
    validation = Rule::new("has(self.vpcInterface) || !has(self.srtCaller) || !self.srtCaller.address.matches('(?i)^(.*[.]internal|10([.][0-9]+){3}|(192[.]168|172[.](1[6-9]|2[0-9]|3[01])|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))([.][0-9]+){2})$')").message("srtCaller.address is a private address, which the flow reaches only through a vpcInterface: name one, or give the public address").field_path(".srtCaller.address")
)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// Name of the input, unique in the Source. It becomes the name of the flow's source in AWS. Example: `studio-a`.
    #[schemars(schema_with = "crate::text::label")]
    pub name: String,
    /// False takes the input out of the flow and keeps its settings here. Default: true.
    #[serde(default = "super::yes")]
    pub enabled: bool,
    /// `Primary`, `Backup` or `Emergency`.
    pub priority: Priority,
    /// How the signal comes in: `SrtListener`, `SrtCaller`, `Rtp`, `RtpFec`, `Rist`, `ZixiPush`, `Rtmp` or `Ndi`.
    pub protocol: InputProtocol,
    /// Name of the entry of `network.vpcInterfaces` through which the signal comes. Absent: from the internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub vpc_interface: Option<String>,
    /// Settings of protocol `SrtListener`: the encoder calls the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srt_listener: Option<SrtListenerInput>,
    /// Settings of protocol `SrtCaller`: the flow calls the encoder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srt_caller: Option<SrtCallerInput>,
    /// Settings of protocols `Rtp` and `RtpFec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtp: Option<RtpInput>,
    /// Settings of protocol `Rist`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rist: Option<RistInput>,
    /// Settings of protocol `ZixiPush`. It always listens on port 2088.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zixi_push: Option<ZixiPushInput>,
    /// Settings of protocol `Rtmp`: the encoder publishes to the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtmp: Option<RtmpInput>,
    /// Settings of protocol `Ndi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ndi: Option<NdiInput>,
}

/// The encoder calls the flow over SRT.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[x_kube(validation = Rule::new("!(self.port in [2077, 2088])").message("port 2077 and port 2088 are reserved by MediaConnect: use another, as in 5000").field_path(".port"))]
#[serde(rename_all = "camelCase")]
pub struct SrtListenerInput {
    /// UDP port on which the flow listens. Example: `5000`.
    #[schemars(range(min = 1024, max = 65535))]
    pub port: i32,
    /// The one range of IPv4 addresses that may send; required without a `vpcInterface`. `0.0.0.0/0` lets anybody send: use it
    /// with encryption only. Example: `203.0.113.0/24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::text::allowed_cidr")]
    pub allowed_cidr: Option<String>,
    /// SRT latency in milliseconds, 10 to 15000. The larger of both ends' values holds. Default of AWS: 2000; one that is
    /// taken out again stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 15_000))]
    pub min_latency_ms: Option<i32>,
    /// Encryption with a password. Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
}

/// The flow calls the encoder over SRT.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = crate::text::address_rules)]
#[serde(rename_all = "camelCase")]
pub struct SrtCallerInput {
    /// Host name or address of the encoder. Example: `encoder.example.net`.
    #[schemars(length(min = 1, max = 253))]
    pub address: String,
    /// UDP port of the encoder. Example: `9000`.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// SRT stream id that the encoder expects. Put a secret into `encryption`, not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub stream_id: Option<String>,
    /// SRT latency in milliseconds, 10 to 15000. Default of AWS: 2000; one that is taken out again stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 15_000))]
    pub min_latency_ms: Option<i32>,
    /// Encryption with a password. Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
}

/// RTP, with or without FEC. RTP-FEC also uses `port` + 2 and + 4.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[x_kube(validation = Rule::new("!(self.port in [2077, 2088])").message("port 2077 and port 2088 are reserved by MediaConnect: use another, as in 5000").field_path(".port"))]
#[serde(rename_all = "camelCase")]
pub struct RtpInput {
    /// UDP port on which the flow listens. Example: `5000`.
    #[schemars(range(min = 1024, max = 65531))]
    pub port: i32,
    /// The one range of IPv4 addresses that may send; required without a `vpcInterface`. Example: `203.0.113.0/24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::text::allowed_cidr")]
    pub allowed_cidr: Option<String>,
}

/// RIST. It also uses `port` + 1.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[x_kube(validation = Rule::new("!(self.port in [2077, 2088, 2076, 2087])").message("port 2077 and port 2088 are reserved by MediaConnect, and RIST uses its port and the next one: use another, as in 5000").field_path(".port"))]
#[serde(rename_all = "camelCase")]
pub struct RistInput {
    /// UDP port on which the flow listens. Example: `5000`.
    #[schemars(range(min = 1024, max = 65534))]
    pub port: i32,
    /// The one range of IPv4 addresses that may send; required without a `vpcInterface`. Example: `203.0.113.0/24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::text::allowed_cidr")]
    pub allowed_cidr: Option<String>,
    /// Buffer in milliseconds, up to 15000. One that is taken out again stays. Example: `2000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 15_000))]
    pub max_latency_ms: Option<i32>,
}

/// Zixi push, on port 2088.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ZixiPushInput {
    /// The one range of IPv4 addresses that may send; required without a `vpcInterface`. `0.0.0.0/0` lets anybody send: use it
    /// with encryption only. Example: `203.0.113.0/24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::text::allowed_cidr")]
    pub allowed_cidr: Option<String>,
    /// Zixi stream id that the encoder sends. Default: the name of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub stream_id: Option<String>,
    /// Buffer in milliseconds, up to 60000. One that is taken out again stays. Example: `6000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 60_000))]
    pub max_latency_ms: Option<i32>,
    /// Encryption with a static key (hexadecimal text in the named secret). Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
}

/// The encoder publishes RTMP to the flow, on port 1935.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtmpInput {
    /// The one range of IPv4 addresses that may send; required without a `vpcInterface`. Example: `203.0.113.0/24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::text::allowed_cidr")]
    pub allowed_cidr: Option<String>,
    /// First part of the publishing path. Default: `live`.
    #[serde(default = "live")]
    #[schemars(schema_with = "crate::text::application_name")]
    pub application_name: String,
    /// Second part of the path: the stream name, which whoever knows it may publish to, so it is kept in a Secret. A changed one
    /// is put into the flow at once, and the encoder must publish to it from then on.
    pub stream_key: KeyReference,
}

fn live() -> String {
    "live".into()
}

/// An NDI source on the network of a VPC interface.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NdiInput {
    /// Name of the NDI source, `MACHINE (Channel)`. Absent: chosen later in AWS; one that is taken out again stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub source_name: Option<String>,
}
