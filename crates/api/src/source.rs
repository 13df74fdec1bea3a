//! `Source`: how a programme arrives. One MediaConnect flow.

#![expect(clippy::duplicated_attributes, reason = "printer columns share their type and priority")]

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::input::{
    Input, InputProtocol, NdiInput, Priority, RistInput, RtmpInput, RtpInput, SrtCallerInput, SrtListenerInput,
    ZixiPushInput,
};
pub use self::status::{
    AdoptionState, AdoptionStatus, ConnectionTestStatus, FormerEndpoint, IngestEndpoint, InputFailover, InputHealth,
    InputRun, InputStatus, OutputsUsed, SourceState, SourceStatus,
};
use super::policy::{DeletionPolicy, RunState};

mod input;
mod status;

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
        name = "Signal",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Healthy')].reason",
        description = "What that input receives."
    ),
    printcolumn(
        name = "Outputs",
        type_ = "string",
        json_path = ".status.outputs.summary",
        description = "Outputs used of the flow's limit."
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Ingest", type_ = "string", json_path = ".status.inputs[*].endpoint.url", priority = 1i32),
    printcolumn(name = "Flow", type_ = "string", json_path = ".status.flowArn", priority = 1i32),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1i32
    )
)]
#[x_kube(
    validation = Rule::new("has(self.inputs) || (has(self.external) && self.external.policy == 'Reference')").message("inputs are required: say how the programme arrives; only external with policy Reference does without them").field_path(".inputs"),
    validation = Rule::new("!has(self.external) || self.external.policy != 'Reference' || !(has(self.inputs) || has(self.failover) || has(self.activeInput) || has(self.maxBitrate) || has(self.flowSize) || has(self.network) || has(self.ndi) || has(self.maintenance) || has(self.tags))").message("external with policy Reference uses the flow as it is: take inputs, failover, activeInput, maxBitrate, flowSize, network, ndi, maintenance and tags out, or set policy: Adopt").field_path(".external.policy"),
    validation = Rule::new("!has(self.external) || self.external.policy != 'Reference' || !has(self.state) || self.state == 'Auto'").message("state has no meaning with external.policy Reference, because Playout neither starts nor stops a referenced flow: take it out, or set policy: Adopt").field_path(".state"),
    validation = Rule::new("!has(self.external) || !has(self.region) || self.external.arn.contains(':mediaconnect:' + self.region + ':')").message("region must be that of external.arn: correct one of them, or take region out").field_path(".region"),
    validation = Rule::new("has(self.external) == has(oldSelf.external)").message("external cannot be added or taken out: delete the Source (with deletionPolicy: Retain its flow stays) and create it anew").field_path(".external"),
    validation = Rule::new("!has(self.external) || !has(oldSelf.external) || self.external.arn == oldSelf.external.arn").message("external.arn cannot be changed: create another Source for the other flow").field_path(".external.arn"),
    validation = Rule::new("!has(self.external) || !has(oldSelf.external) || self.external.policy == 'Adopt' || oldSelf.external.policy == 'Reference'").message("external.policy cannot go back from Adopt to Reference: delete the Source with deletionPolicy: Retain and create it anew").field_path(".external.policy"),
    validation = Rule::new("has(self.region) == has(oldSelf.region) && (!has(self.region) || self.region == oldSelf.region)").message("region cannot be changed: delete the Source and create it in the other region").field_path(".region"),
    validation = Rule::new("!has(self.network) || !has(self.network.availabilityZone) || !has(self.region) || self.network.availabilityZone.startsWith(self.region)").message("network.availabilityZone must be a zone of region: correct one of them").field_path(".network.availabilityZone"),
    validation = Rule::new("!has(self.inputs) || self.inputs.filter(i, i.priority == 'Primary').size() == 1").message("inputs must have exactly one with priority Primary: it leads while all is well").field_path(".inputs"),
    validation = Rule::new("!has(self.inputs) || (self.inputs.filter(i, i.priority == 'Backup').size() <= 1 && self.inputs.filter(i, i.priority == 'Emergency').size() <= 1)").message("inputs may have one with priority Backup and one with priority Emergency: give the other a different priority or take it out").field_path(".inputs"),
    validation = Rule::new("!has(self.inputs) || self.inputs.exists(i, !has(i.enabled) || i.enabled)").message("inputs must have one that is enabled: MediaConnect keeps no flow without a source; to switch the flow off set state: Stopped").field_path(".inputs"),
    validation = Rule::new("!has(self.inputs) || self.inputs.all(i, i.protocol == self.inputs[0].protocol || (i.protocol in ['Rtp', 'RtpFec'] && self.inputs[0].protocol in ['Rtp', 'RtpFec']))").message("inputs of a Source have one protocol (Rtp and RtpFec may be mixed), because MediaConnect fails over only between sources of one protocol: make a second Source for the other").field_path(".inputs"),
    validation = Rule::new("!has(self.inputs) || self.inputs.all(i, self.inputs.all(j, i.name == j.name || !((has(i.srtListener) && has(j.srtListener) && i.srtListener.port == j.srtListener.port) || (has(i.rtp) && has(j.rtp) && (i.protocol == 'RtpFec' ? [0, 2, 4] : [0]).exists(d, (j.protocol == 'RtpFec' ? [0, 2, 4] : [0]).exists(e, i.rtp.port + d == j.rtp.port + e))) || (has(i.rist) && has(j.rist) && i.rist.port - j.rist.port in [-1, 0, 1]))))").message("inputs of a Source must listen on different ports (RtpFec also uses port + 2 and + 4, Rist port + 1): change the port of one").field_path(".inputs"),
    validation = Rule::new("!has(self.inputs) || self.inputs.all(i, self.inputs.all(j, i.name == j.name || !has(i.zixiPush) || !has(j.zixiPush) || (has(i.zixiPush.streamId) ? i.zixiPush.streamId : i.name) != (has(j.zixiPush.streamId) ? j.zixiPush.streamId : j.name)))").message("zixiPush.streamId must differ between the inputs of a Source, because they share port 2088: change one (its default is the name of the input)").field_path(".inputs"),
    validation = Rule::new("!has(self.inputs) || self.inputs.all(i, self.inputs.all(j, i.name == j.name || !has(i.rtmp) || !has(j.rtmp) || (has(i.rtmp.applicationName) ? i.rtmp.applicationName : 'live') != (has(j.rtmp.applicationName) ? j.rtmp.applicationName : 'live') || i.rtmp.streamKey != j.rtmp.streamKey))").message("rtmp inputs of a Source must differ in applicationName or streamKey, because they share port 1935: change one").field_path(".inputs"),
    validation = Rule::new("!has(self.inputs) || !has(self.activeInput) || self.inputs.exists(i, i.name == self.activeInput && (!has(i.enabled) || i.enabled))").message("activeInput must name an enabled input; take it out to return to the order of priorities").field_path(".activeInput"),
    validation = Rule::new("!has(self.activeInput) || !has(self.failover) || self.failover.mode != 'Merge'").message("activeInput has no meaning with failover.mode Merge, where no input leads: take it out").field_path(".activeInput"),
    validation = Rule::new("!has(self.inputs) || !has(self.failover) || self.failover.mode != 'Merge' || self.inputs.all(i, i.protocol in ['Rtp', 'RtpFec', 'Rist', 'ZixiPush'])").message("failover.mode Merge works with Rtp, RtpFec, Rist and ZixiPush inputs only: use mode Failover for other protocols").field_path(".failover.mode"),
    validation = Rule::new("!has(self.inputs) || !has(self.failover) || self.failover.mode != 'Merge' || self.inputs.size() > 1").message("failover.mode Merge needs a second input that carries the same packets: add one with priority Backup").field_path(".failover.mode"),
    validation = Rule::new("!has(self.inputs) || self.inputs.size() == 1 || self.inputs.all(i, i.protocol != 'Ndi')").message("inputs: an Ndi Source has one input, because MediaConnect cannot fail over between NDI sources: take the others out").field_path(".inputs"),
    validation = Rule::new("!has(self.inputs) || self.inputs.all(i, i.protocol != 'Ndi' || (has(self.flowSize) && self.flowSize == 'Large' && has(self.ndi) && has(i.vpcInterface)))").message("inputs with protocol Ndi need flowSize: Large, the block ndi with a discovery server, and a vpcInterface: add what is missing").field_path(".inputs"),
    validation = Rule::new("!has(self.inputs) || !has(self.ndi) || self.inputs.exists(i, i.protocol == 'Ndi')").message("ndi goes with an input of protocol Ndi: take the block out or add the input").field_path(".ndi"),
    validation = Rule::new("!has(self.ndi) || self.ndi.discoveryServers.all(d, has(self.network) && self.network.vpcInterfaces.exists(v, v.name == d.vpcInterface))").message("ndi.discoveryServers: each vpcInterface must be the name of an entry of network.vpcInterfaces").field_path(".ndi.discoveryServers"),
    validation = Rule::new("!has(self.inputs) || self.inputs.all(i, !has(i.vpcInterface) || (has(self.network) && self.network.vpcInterfaces.exists(v, v.name == i.vpcInterface)))").message("inputs: vpcInterface must be the name of an entry of network.vpcInterfaces").field_path(".inputs"),
    validation = Rule::new("!has(self.inputs) || !has(self.maxBitrate) || self.inputs.all(i, i.protocol in ['Rtp', 'RtpFec', 'Rist', 'ZixiPush', 'Rtmp'])").message("maxBitrate has no meaning for SRT and NDI inputs: take it out").field_path(".maxBitrate")
)]
#[serde(rename_all = "camelCase")]
pub struct SourceSpec {
    /// AWS region of the flow. Default: the operator's region. Cannot be changed. Example: `us-west-2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::text::region")]
    pub region: Option<String>,
    /// A flow that exists already, instead of one that the operator makes. Cannot be added or taken out later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
    /// The ways in, one to three: one `Primary`, and at most one `Backup` and one `Emergency`. The flow has two
    /// places; an Emergency input is swapped in when both others are down, or when `activeInput` names it. Required,
    /// except with `external.policy: Reference`, where the flow brings its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
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
    pub state: DesiredSourceState,
    /// Most that the encoder sends, in bit/s, for protocols that need it for smoothing (RTP, RTP-FEC, RIST, Zixi, RTMP).
    /// One that is taken out again stays. Example: `20000000`.
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
    /// The two hours a week in which AWS may restart the flow for its maintenance, which interrupts every output of it. Default:
    /// AWS picks a day. One that is taken out again stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
    /// Tags for the AWS resources, at most 40. They never replace the operator's own tags. One that is taken out again stays
    /// in AWS.
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

/// Two hours a week.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Maintenance {
    /// `Monday`, `Tuesday`, `Wednesday`, `Thursday`, `Friday`, `Saturday` or `Sunday`, UTC.
    pub day: Weekday,
    /// The hour at which the two hours begin, 0 to 23, UTC. Example: `4`.
    #[schemars(range(min = 0, max = 23))]
    pub start_hour: i32,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the words are what they say")]
#[schemars(transform = crate::schema::undescribed)]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A flow that exists already.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct External {
    /// ARN of the flow; it also says the region. Cannot be changed.
    /// Example: `arn:aws:mediaconnect:us-west-2:123456789012:flow:1-23aBC45dEF67hiJ8-12AbC34DE5fG:Studio`.
    #[schemars(schema_with = "super::text::flow_arn")]
    pub arn: String,
    /// `Reference`: the flow is used and never edited, started, stopped, tagged or deleted; only the outputs of
    /// Destinations come and go. `Adopt`: it is tagged and becomes this Source's own; what would change in it is shown
    /// first, in `status.adoption`. `Reference` may become `Adopt`, and not the other way round.
    pub policy: ExternalPolicy,
}

/// What may be done with a flow that exists already.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = super::schema::undescribed)]
pub enum ExternalPolicy {
    /// It is used, and never touched.
    Reference,
    /// It becomes the Source's own.
    Adopt,
}

/// When the flow runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DesiredSourceState {
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
    /// False switches the readings off (CloudWatch bills metric requests); what the flow itself shows of an encoder is looked at
    /// all the same. Default: true.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How often to look at least, from `1s` to `1h`, and never less often than the operator's `--drift-interval` (`5m` unless it
    /// was set): what an encoder does is in the status that much later, plus CloudWatch's own delay and the operator's
    /// `--metric-period`. Default: `30s`.
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

fn yes() -> bool {
    true
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

impl SourceSpec {
    /// Region of the flow, where the spec tells it.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        let of_arn = self.external.as_ref().and_then(|external| external.arn.split(':').nth(3));
        of_arn.or(self.region.as_deref())
    }

    /// What may be done with the flow, if it was there before the Source.
    #[must_use]
    pub fn external_policy(&self) -> Option<ExternalPolicy> {
        self.external.as_ref().map(|external| external.policy)
    }
}

impl DesiredSourceState {
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
