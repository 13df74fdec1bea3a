//! `Source`: how a programme arrives. One MediaConnect flow.

#![expect(clippy::duplicated_attributes, reason = "printer columns share their type and priority")]

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::policy::{DeletionPolicy, RunState};
use super::reference::{Encryption, KeyReference};

/// How a programme arrives: one AWS Elemental MediaConnect flow with up to three inputs (primary, backup, emergency).
///
/// Admins own Sources; producers send them on with Destinations.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "playout.dev",
    version = "v1alpha1",
    kind = "Source",
    namespaced,
    status = "SourceStatus",
    derive = "PartialEq",
    doc = "How a programme arrives: one AWS Elemental MediaConnect flow with up to three inputs.",
    shortname = "src",
    category = "playout",
    selectable = ".status.state",
    selectable = ".spec.state",
    printcolumn(
        name = "State",
        type_ = "string",
        json_path = ".status.state",
        description = "What the flow does now."
    ),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(
        name = "Input",
        type_ = "string",
        json_path = ".status.activeInput",
        description = "The input that leads now."
    ),
    printcolumn(
        name = "Outputs",
        type_ = "string",
        json_path = ".status.outputs.summary",
        description = "Outputs used of the flow's limit."
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Ingest", type_ = "string", json_path = ".status.inputs[0].endpoint.url", priority = 1i32),
    printcolumn(name = "Flow", type_ = "string", json_path = ".status.flowArn", priority = 1i32),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1i32
    )
)]
#[x_kube(
    validation = Rule::new("has(self.region) == has(oldSelf.region) && (!has(self.region) || self.region == oldSelf.region)").message("region cannot be changed: delete the Source and create it in the other region").field_path(".region"),
    validation = Rule::new("!has(self.network) || !has(self.network.availabilityZone) || !has(self.region) || self.network.availabilityZone.startsWith(self.region)").message("network.availabilityZone must be a zone of region: correct one of them").field_path(".network.availabilityZone"),
    validation = Rule::new("self.inputs.filter(i, i.priority == 'Primary').size() == 1").message("inputs must have exactly one with priority Primary: it leads while all is well").field_path(".inputs"),
    validation = Rule::new("self.inputs.filter(i, i.priority == 'Backup').size() <= 1 && self.inputs.filter(i, i.priority == 'Emergency').size() <= 1").message("inputs may have one with priority Backup and one with priority Emergency: give the other a different priority or take it out").field_path(".inputs"),
    validation = Rule::new("self.inputs.exists(i, !has(i.enabled) || i.enabled)").message("inputs must have one that is enabled: MediaConnect keeps no flow without a source; to switch the flow off set state: Stopped").field_path(".inputs"),
    validation = Rule::new("self.inputs.all(i, i.protocol == self.inputs[0].protocol || (i.protocol in ['Rtp', 'RtpFec'] && self.inputs[0].protocol in ['Rtp', 'RtpFec']))").message("inputs of a Source have one protocol (Rtp and RtpFec may be mixed), because MediaConnect fails over only between sources of one protocol: make a second Source for the other").field_path(".inputs"),
    validation = Rule::new("self.inputs.all(i, self.inputs.all(j, i.name == j.name || !((has(i.srtListener) && has(j.srtListener) && i.srtListener.port == j.srtListener.port) || (has(i.rtp) && has(j.rtp) && (i.protocol == 'RtpFec' ? [0, 2, 4] : [0]).exists(d, (j.protocol == 'RtpFec' ? [0, 2, 4] : [0]).exists(e, i.rtp.port + d == j.rtp.port + e))) || (has(i.rist) && has(j.rist) && i.rist.port - j.rist.port in [-1, 0, 1]))))").message("inputs of a Source must listen on different ports (RtpFec also uses port + 2 and + 4, Rist port + 1): change the port of one").field_path(".inputs"),
    validation = Rule::new("self.inputs.all(i, self.inputs.all(j, i.name == j.name || !has(i.zixiPush) || !has(j.zixiPush) || (has(i.zixiPush.streamId) ? i.zixiPush.streamId : i.name) != (has(j.zixiPush.streamId) ? j.zixiPush.streamId : j.name)))").message("zixiPush.streamId must differ between the inputs of a Source, because they share port 2088: change one (its default is the name of the input)").field_path(".inputs"),
    validation = Rule::new("self.inputs.all(i, self.inputs.all(j, i.name == j.name || !has(i.rtmp) || !has(j.rtmp) || (has(i.rtmp.applicationName) ? i.rtmp.applicationName : 'live') != (has(j.rtmp.applicationName) ? j.rtmp.applicationName : 'live') || i.rtmp.streamKey != j.rtmp.streamKey))").message("rtmp inputs of a Source must differ in applicationName or streamKey, because they share port 1935: change one").field_path(".inputs"),
    validation = Rule::new("!has(self.activeInput) || self.inputs.exists(i, i.name == self.activeInput && (!has(i.enabled) || i.enabled))").message("activeInput must name an enabled input; take it out to return to the order of priorities").field_path(".activeInput"),
    validation = Rule::new("!has(self.activeInput) || !has(self.failover) || self.failover.mode != 'Merge'").message("activeInput has no meaning with failover.mode Merge, where no input leads: take it out").field_path(".activeInput"),
    validation = Rule::new("!has(self.failover) || self.failover.mode != 'Merge' || self.inputs.all(i, i.protocol in ['Rtp', 'RtpFec', 'Rist', 'ZixiPush'])").message("failover.mode Merge works with Rtp, RtpFec, Rist and ZixiPush inputs only: use mode Failover for other protocols").field_path(".failover.mode"),
    validation = Rule::new("!has(self.failover) || self.failover.mode != 'Merge' || self.inputs.size() > 1").message("failover.mode Merge needs a second input that carries the same packets: add one with priority Backup").field_path(".failover.mode"),
    validation = Rule::new("self.inputs.size() == 1 || self.inputs.all(i, i.protocol != 'Ndi')").message("inputs: an Ndi Source has one input, because MediaConnect cannot fail over between NDI sources: take the others out").field_path(".inputs"),
    validation = Rule::new("self.inputs.all(i, i.protocol != 'Ndi' || (has(self.flowSize) && self.flowSize == 'Large' && has(self.ndi) && has(i.vpcInterface)))").message("inputs with protocol Ndi need flowSize: Large, the block ndi with a discovery server, and a vpcInterface: add what is missing").field_path(".inputs"),
    validation = Rule::new("!has(self.ndi) || self.inputs.exists(i, i.protocol == 'Ndi')").message("ndi goes with an input of protocol Ndi: take the block out or add the input").field_path(".ndi"),
    validation = Rule::new("!has(self.ndi) || self.ndi.discoveryServers.all(d, has(self.network) && self.network.vpcInterfaces.exists(v, v.name == d.vpcInterface))").message("ndi.discoveryServers: each vpcInterface must be the name of an entry of network.vpcInterfaces").field_path(".ndi.discoveryServers"),
    validation = Rule::new("self.inputs.all(i, !has(i.vpcInterface) || (has(self.network) && self.network.vpcInterfaces.exists(v, v.name == i.vpcInterface)))").message("inputs: vpcInterface must be the name of an entry of network.vpcInterfaces").field_path(".inputs"),
    validation = Rule::new("!has(self.maxBitrate) || self.inputs.all(i, i.protocol in ['Rtp', 'RtpFec', 'Rist', 'ZixiPush', 'Rtmp'])").message("maxBitrate has no meaning for SRT and NDI inputs: take it out").field_path(".maxBitrate")
)]
#[serde(rename_all = "camelCase")]
pub struct SourceSpec {
    /// AWS region of the flow. Default: the operator's region. Cannot be changed. Example: `us-west-2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::text::region")]
    pub region: Option<String>,
    /// The ways in, one to three: one `Primary`, and if wished one `Backup` and one `Emergency`. The flow has two
    /// places; an Emergency input is swapped in when both others are down, or when `activeInput` names it.
    #[schemars(length(min = 1, max = 3))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_string()]))]
    pub inputs: Vec<Input>,
    /// How the flow moves between two inputs. Default: `mode: Failover`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
    /// Name of the input that leads now, against the order of priorities. Take it out to return to that order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub active_input: Option<String>,
    /// `Auto` (default): the flow runs while something uses it (a standby flow is free). `Running`, `Stopped`: as said.
    #[serde(default)]
    pub state: SourceState,
    /// Most that the encoder sends, in bit/s, for protocols that need it for smoothing (RTP, RTP-FEC, RIST, Zixi, RTMP).
    /// Example: `20000000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100_000, max = 400_000_000))]
    pub max_bitrate: Option<i64>,
    /// Size of the flow: `Medium` (400 Mbit/s over all outputs, AWS's default) or `Large` (2.5 Gbit/s; needed for NDI).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_size: Option<FlowSize>,
    /// Where the flow stands in the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// NDI discovery, for an `Ndi` input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ndi: Option<NdiDiscovery>,
    /// When an input counts as degraded.
    #[serde(default)]
    pub health: Health,
    /// Tags for the AWS resources, at most 40. They never replace the operator's own tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::text::tags")]
    pub tags: BTreeMap<String, String>,
    /// `Delete` (default) removes the flow with the object; `Retain` leaves it, to be taken up again by a Source of this name.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// True: the operator looks and reports but changes nothing in AWS. A suspended object can still be deleted.
    #[serde(default)]
    pub suspend: bool,
}

/// When the flow runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum SourceState {
    /// While something uses it.
    #[default]
    Auto,
    /// Always.
    Running,
    /// Never.
    Stopped,
}

/// Size of a flow.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = super::schema::undescribed)]
pub enum FlowSize {
    /// 400 Mbit/s over all outputs.
    Medium,
    /// 2.5 Gbit/s; can carry NDI.
    Large,
}

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
    validation = Rule::new("self.protocol != 'RtpFec' || !has(self.rtp) || !(self.rtp.port in [2073, 2075, 2077, 2084, 2086, 2088])").message("rtp.port: RtpFec also uses port + 2 and + 4, and MediaConnect reserves 2077 and 2088: use another port, as in 5000").field_path(".rtp.port"),
    validation = Rule::new("has(self.vpcInterface) || !has(self.srtCaller) || !self.srtCaller.address.matches('^(10([.][0-9]+){3}|(192[.]168|172[.](1[6-9]|2[0-9]|3[01]))([.][0-9]+){2})$')").message("srtCaller.address is a private address, which the flow reaches only through a vpcInterface: name one, or give the public address").field_path(".srtCaller.address")
)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// Name of the input, unique in the Source. It becomes the name of the flow's source in AWS. Example: `studio-a`.
    #[schemars(schema_with = "super::text::label")]
    pub name: String,
    /// False takes the input out of the flow and keeps its settings here. Default: true.
    #[serde(default = "yes")]
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

fn yes() -> bool {
    true
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
    #[schemars(schema_with = "super::text::allowed_cidr")]
    pub allowed_cidr: Option<String>,
    /// SRT latency in milliseconds, 10 to 15000. The larger of both ends' values holds. Default of AWS: 2000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 15_000))]
    pub min_latency_ms: Option<i32>,
    /// Encryption with a password. Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
}

/// The flow calls the encoder over SRT.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = super::text::address_rules)]
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
    /// SRT latency in milliseconds, 10 to 15000. Default of AWS: 2000.
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
    #[schemars(schema_with = "super::text::allowed_cidr")]
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
    #[schemars(schema_with = "super::text::allowed_cidr")]
    pub allowed_cidr: Option<String>,
    /// Buffer in milliseconds, up to 15000. Example: `2000`.
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
    #[schemars(schema_with = "super::text::allowed_cidr")]
    pub allowed_cidr: Option<String>,
    /// Zixi stream id that the encoder sends. Default: the name of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub stream_id: Option<String>,
    /// Buffer in milliseconds, up to 60000. Example: `6000`.
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
    #[schemars(schema_with = "super::text::allowed_cidr")]
    pub allowed_cidr: Option<String>,
    /// First part of the publishing path. Default: `live`.
    #[serde(default = "live")]
    #[schemars(schema_with = "super::text::application_name")]
    pub application_name: String,
    /// Second part of the path: the stream name, which whoever knows it may publish to, so it is kept in a Secret.
    pub stream_key: KeyReference,
}

fn live() -> String {
    "live".into()
}

/// An NDI source on the network of a VPC interface.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NdiInput {
    /// Name of the NDI source, `MACHINE (Channel)`. Absent: chosen later in AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub source_name: Option<String>,
}

/// NDI discovery servers, reached through VPC interfaces.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NdiDiscovery {
    /// Name under which the flow announces itself. Default: made by AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub machine_name: Option<String>,
    /// One to three discovery servers.
    #[schemars(length(min = 1, max = 3))]
    pub discovery_servers: Vec<NdiDiscoveryServer>,
}

/// One NDI discovery server.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = super::text::address_rules)]
#[serde(rename_all = "camelCase")]
pub struct NdiDiscoveryServer {
    /// Address in the VPC. Example: `10.0.1.20`.
    #[schemars(length(min = 1, max = 253))]
    pub address: String,
    /// TCP port. Default: 5959.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// Name of the entry of `network.vpcInterfaces` that reaches it.
    #[schemars(length(min = 1, max = 63))]
    pub vpc_interface: String,
}

/// How a flow moves between two sources.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[x_kube(validation = Rule::new("!has(self.recoveryWindowMs) || self.mode == 'Merge'").message("recoveryWindowMs belongs to mode Merge: take it out, or set mode: Merge").field_path(".recoveryWindowMs"))]
#[serde(rename_all = "camelCase")]
pub struct Failover {
    /// `Failover` (default): one input leads, the other takes over after 500 ms without data. `Merge`: both carry the same
    /// packets (SMPTE 2022-7) and are merged.
    #[serde(default)]
    pub mode: FailoverMode,
    /// Buffer of mode `Merge` in milliseconds, 100 to 15000. Default of AWS: 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 15_000))]
    pub recovery_window_ms: Option<i32>,
}

/// Failover between two sources of a flow.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum FailoverMode {
    /// One leads.
    #[default]
    Failover,
    /// Both are merged.
    Merge,
}

/// Where a flow stands in the network.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Availability Zone of the flow. Default: chosen by AWS, or that of the VPC interfaces' subnets. Takes effect when the
    /// flow is made. Example: `us-west-2a`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::text::availability_zone")]
    pub availability_zone: Option<String>,
    /// Network interfaces in your VPC, at most two. The operator needs `--mediaconnect-role-arn` for them.
    #[serde(default)]
    #[schemars(length(max = 2))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_string()]))]
    pub vpc_interfaces: Vec<VpcInterface>,
}

/// A network interface of the flow in a VPC.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VpcInterface {
    /// Name, unique in the Source.
    #[schemars(schema_with = "super::text::label")]
    pub name: String,
    /// Subnet, in the flow's Availability Zone. Example: `subnet-0123456789abcdef0`.
    #[schemars(schema_with = "super::text::subnet")]
    pub subnet_id: String,
    /// Security groups, one to five. Example: `sg-0123456789abcdef0`.
    #[schemars(schema_with = "super::text::security_groups")]
    pub security_group_ids: Vec<String>,
}

/// When an input counts as degraded. Read from CloudWatch, one call for all objects of a region.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// False switches the readings off (CloudWatch bills metric requests). Default: true.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How often to look, from `1s` to `1h`. Default: `30s`.
    #[serde(default = "half_a_minute")]
    #[schemars(schema_with = "super::text::interval")]
    pub interval: String,
    /// Degraded when more than this share of packets is lost, in percent. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 100))]
    pub max_packet_loss_percent: i32,
    /// Degraded below this bitrate, in kbit/s. Default: 100.
    #[serde(default = "hundred")]
    #[schemars(range(min = 0, max = 400_000))]
    pub min_bitrate_kbps: i32,
    /// Degraded above this round trip time, in milliseconds. Absent: not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_round_trip_ms: Option<i32>,
}

fn half_a_minute() -> String {
    "30s".into()
}
fn one() -> i32 {
    1
}
fn hundred() -> i32 {
    100
}

impl Default for Health {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: half_a_minute(),
            max_packet_loss_percent: one(),
            min_bitrate_kbps: hundred(),
            max_round_trip_ms: None,
        }
    }
}

/// What was observed of a Source.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word for people: `Creating`, `Stopped`, `Starting`, `Running`, `Stopping`, `Updating`, `Deleting`, `Error` or `Unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SourceWord>,
    /// `Ready`, `Reconciling` and `Stalled` as kstatus defines them, and `InputReachable` after a connection test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_string()]))]
    pub conditions: Vec<Condition>,
    /// ARN of the MediaConnect flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_arn: Option<String>,
    /// State of the flow in AWS's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_state: Option<String>,
    /// Region of the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Address from which the flow's outputs send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress_ip: Option<String>,
    /// The input that leads now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_input: Option<String>,
    /// The inputs, in order of priority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_string()]))]
    pub inputs: Vec<InputStatus>,
    /// Outputs of the flow against its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<OutputsUsed>,
    /// The objects that use this Source, as `Destination/name`; those that are on the air first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// When the flow was last seen to become active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// The last connection test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_test: Option<ConnectionTestStatus>,
    /// The value of the annotation `playout.dev/reconcile-at` that was acted upon last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

/// One word for the state of a Source.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "explained on the field and in the README")]
#[schemars(transform = super::schema::undescribed)]
pub enum SourceWord {
    Creating,
    Stopped,
    Starting,
    Running,
    Stopping,
    Updating,
    Deleting,
    Error,
    Unknown,
}

/// What was observed of one input.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InputStatus {
    /// Name of the input.
    pub name: String,
    /// Whether it is a source of the flow now; an Emergency input waits outside until it is needed.
    #[serde(default)]
    pub in_flow: bool,
    /// ARN of the flow's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_arn: Option<String>,
    /// Where the encoder sends to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<IngestEndpoint>,
    /// `Healthy`, `Degraded`, `Failed`, or `Unknown` while the flow does not run or nothing was measured yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthWord>,
    /// Since when the health is what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Bitrate in kbit/s, to two significant digits so that a steady signal is a steady status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate_kbps: Option<i64>,
    /// Share of packets lost, in whole percent, rounded up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet_loss_percent: Option<i64>,
    /// Round trip time in milliseconds, to two significant digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<i64>,
}

/// Where an encoder sends to. Never holds a secret.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestEndpoint {
    /// Address of the flow (or, for SRT caller inputs, of the encoder).
    pub address: String,
    /// Port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// Ready to be pasted into an encoder, without passwords and keys.
    pub url: String,
}

/// Health of an input.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "explained on the field and in the README")]
#[schemars(transform = super::schema::undescribed)]
pub enum HealthWord {
    Healthy,
    Degraded,
    Failed,
    Unknown,
}

/// Outputs of a flow against its limit.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputsUsed {
    /// How many the flow has, foreign ones and MediaLive's included.
    pub used: i32,
    /// How many a flow may have.
    pub limit: i32,
    /// Both, for the printer column. Example: `3/50`.
    pub summary: String,
}

/// The last connection test.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionTestStatus {
    /// The value of the annotation `playout.dev/test-connection` that this test answers.
    pub requested: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the flow became active for it; the time of the test counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

impl SourceState {
    /// The switch, unless it is left to the users of the Source.
    #[must_use]
    pub fn fixed(self) -> Option<RunState> {
        match self {
            Self::Auto => None,
            Self::Running => Some(RunState::Running),
            Self::Stopped => Some(RunState::Stopped),
        }
    }
}
