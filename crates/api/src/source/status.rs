//! What was observed of a Source.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was observed of a Source.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word for people: `Creating`, `Stopped`, `Starting`, `Running`, `Stopping`, `Updating`, `Deleting`, `Error` or `Unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SourceState>,
    /// `Ready`, `Reconciling` and `Stalled` as kstatus defines them; `Healthy` while the flow runs: whether the leading input
    /// receives a good signal; and `InputReachable` after a connection test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_string()]))]
    pub conditions: Vec<Condition>,
    /// ARN of the MediaConnect flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_arn: Option<String>,
    /// State of the flow in AWS's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_state: Option<String>,
    /// ARNs of what this Source has recorded, or what has the expected name, and does not bear its ownership tags (reason
    /// `NotOurs`) or was taken over by another cluster (`TakenOver`). It is neither used nor touched, also when the Source is
    /// deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_ours: Vec<String>,
    /// UID that the ownership tags of the flow were last seen to have as this Source's own. With another one there, the flow was
    /// taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_uid: Option<String>,
    /// Names of the copies of passwords in Secrets Manager.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passwords: Vec<String>,
    /// Region of the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// With `external.policy: Adopt`: whether the flow is this Source's own yet, and what would change in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption: Option<AdoptionStatus>,
    /// Address from which the flow's outputs send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress_ip: Option<String>,
    /// The input that leads now. Right after a change of who leads, until AWS has measured it: the one that AWS was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_input: Option<String>,
    /// There while another input than the one that is to lead brings the programme: which, since when and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<InputFailover>,
    /// The last ten times that an input was seen to bring the programme, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_runs: Vec<InputRun>,
    /// The inputs, in order of priority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".to_string()]))]
    pub inputs: Vec<InputStatus>,
    /// Outputs of the flow against its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<OutputsUsed>,
    /// Fields of the spec whose changes wait: `flowSize` until the flow is stopped, because AWS takes it only then; `inputs` while
    /// the input that is to go is the only one that receives a signal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending_changes: Vec<String>,
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
#[expect(missing_docs, reason = "explained by `meaning`")]
#[schemars(transform = crate::schema::undescribed)]
pub enum SourceState {
    Creating,
    Stopped,
    Starting,
    Running,
    Stopping,
    Updating,
    Deleting,
    Error,
    #[serde(other)]
    Unknown,
}

impl SourceState {
    /// What the word means, for the reference.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Creating => "The flow is being made.",
            Self::Stopped => "The flow is there and stopped. It costs nothing.",
            Self::Starting => "The flow is starting; this takes up to a minute.",
            Self::Running => "The flow runs. Whether something arrives is in condition `Healthy`.",
            Self::Updating => "AWS is carrying out a change.",
            Self::Stopping => "The flow is stopping.",
            Self::Deleting => "The flow is being removed.",
            Self::Error => "AWS reports an error, or the spec cannot be carried out. The reason says why.",
            Self::Unknown => {
                "Nobody could look yet, or this version of the operator does not understand the object (`NotUnderstood`)."
            }
        }
    }
}

/// How far the adoption of a flow has come.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdoptionStatus {
    /// `Planned`: nothing but the ownership tags was changed; the plan waits for the annotation `playout.dev/reconcile-at`.
    /// `Adopted`: the flow is this Source's own.
    pub state: AdoptionState,
    /// What the adoption would change, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<String>,
}

/// How far the adoption of a flow has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "explained on the field and in docs/")]
#[schemars(transform = crate::schema::undescribed)]
pub enum AdoptionState {
    Planned,
    Adopted,
    #[serde(other)]
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
    /// Where the encoder sent to before, when AWS has given the input another address: until something arrives at the new one,
    /// and for a week at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<FormerEndpoint>,
    /// `Healthy`, `Degraded`, `Failed`, or `Unknown` while the flow does not run or nothing was measured yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<InputHealth>,
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

/// Where an encoder sent to before. Never holds a secret.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerEndpoint {
    /// The `url` of the endpoint as it was.
    pub url: String,
    /// Since when it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// That another input brings the programme than the one that is to lead.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InputFailover {
    /// The input that brings it.
    pub input: String,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Why.
    #[serde(default = "crate::text::not_recorded", alias = "why")]
    pub reason: String,
}

/// One time that an input brought the programme.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InputRun {
    /// The input.
    pub input: String,
    /// When it was first seen to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it was seen not to any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Time>,
    /// Why it ended.
    #[serde(default, alias = "why", skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Health of an input.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "explained on the field and in docs/")]
#[schemars(transform = crate::schema::undescribed)]
pub enum InputHealth {
    Healthy,
    Degraded,
    Failed,
    #[serde(other)]
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
    /// The same as `requested`, from when condition `InputReachable` has the answer of this test: True as soon as something is
    /// heard, else at the end. To be waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
}
