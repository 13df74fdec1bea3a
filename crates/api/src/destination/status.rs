//! What was observed of a Destination.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was observed of a Destination.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word for people: `Idle`, `Creating`, `Starting`, `Running` (the programme is sent), `Silent` (all is in place, and no
    /// programme arrives or it is not known to), `Stopping`, `Deleting`, `Error` or `Unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DestinationState>,
    /// `Ready`, `Reconciling` and `Stalled` as kstatus defines them, of the wish and not of the programme; `Delivering`: whether
    /// the programme reaches the receiver, Unknown where AWS measures no such thing; and `OverLimit` while the programme has more
    /// kbit/s than the platform accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_string()]))]
    pub conditions: Vec<Condition>,
    /// Which endpoint is fed: `Primary`, `Backup`, or both with a hot backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_endpoint: Option<ActiveEndpoint>,
    /// ARN of the flow whose outputs these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_arn: Option<String>,
    /// The outputs in AWS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["role".to_string()]))]
    pub outputs: Vec<OutputStatus>,
    /// When it was last seen to begin running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// The MediaLive channel, with `delivery: Transcode`. Absent while there is none: it is made for a start and removed with
    /// the stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelStatus>,
    /// What the channel encodes to. Example: `1080p30: 1920x1080 at 30 fps, 4500 kbit/s H.264 High, keyframe 2 s, AAC 128 kbit/s 48 kHz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The last switch between the endpoints of a backup of mode `OnFailure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<FailoverStatus>,
    /// Restarts because the receiver did not take the stream. `count` is 0 again when it has taken it for five minutes. Absent with
    /// `Passthrough` while there was none, and while it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<RetryStatus>,
    /// What AWS warns of now, at most ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<AlertStatus>,
    /// Changes of the spec (or of the key) that wait because they would interrupt the running output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending_changes: Vec<String>,
    /// ARNs of what this Destination has recorded, or what has the expected name, and does not bear its ownership tags (reason
    /// `NotOurs`) or was taken over by another cluster (`TakenOver`). It is not touched, also when the Destination is stopped
    /// or deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_ours: Vec<String>,
    /// Names of the copies of passwords in Secrets Manager.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passwords: Vec<String>,
    /// The last failure, kept until the next success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// The last ten times on the air, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_runs: Vec<Run>,
    /// The value of the annotation `playout.dev/reconcile-at` that was acted upon last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

/// One word for the state of a Destination.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "explained by `meaning`")]
#[schemars(transform = crate::schema::undescribed)]
pub enum DestinationState {
    Idle,
    Creating,
    Starting,
    Running,
    Silent,
    Stopping,
    Deleting,
    Error,
    #[serde(other)]
    Unknown,
}

impl DestinationState {
    /// What the word means, for the reference.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Idle => "Off the air, as requested.",
            Self::Creating => "It is to be on the air and has no output or channel in AWS yet.",
            Self::Starting => {
                "The output or channel is there; it or the flow is starting, or waits for its Source to start it (`SourceStopped`), or it is not known yet whether the receiver takes the stream."
            }
            Self::Running => {
                "The programme arrives and is sent, and AWS shows that the receiver takes it. Where AWS documents no such measurement (RTMP, RTP and RIST outputs of a flow) or publishes none for minutes: it is being sent, no error of AWS's names the output, and condition `Delivering` is Unknown."
            }
            Self::Silent => {
                "All is in place and it is sent, but no programme arrives, or it is not known whether one does."
            }
            Self::Stopping => "It is to be off the air and still sends, or its channel is not gone yet.",
            Self::Deleting => "It is being removed in AWS; then the object goes.",
            Self::Error => "It is not on the air and should be, or AWS refuses a change. The reason says why.",
            Self::Unknown => {
                "This version of the operator does not understand the object (`NotUnderstood`) and has not looked; in AWS it stays as it is."
            }
        }
    }

    /// Whether it is sent: with a programme or, as far as is known, without one.
    #[must_use]
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Running | Self::Silent)
    }
}

/// Which endpoint is fed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = crate::schema::undescribed)]
pub enum ActiveEndpoint {
    /// The first.
    Primary,
    /// The second.
    Backup,
    /// Both, with a hot backup.
    Both,
    /// A word of another version.
    #[serde(other)]
    Unknown,
}

/// What was observed of one output.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputStatus {
    /// `Primary` or `Backup`.
    pub role: String,
    /// Name of the output in its flow.
    pub name: String,
    /// ARN of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// UID that its ownership tags were last seen to have as this Destination's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_uid: Option<String>,
    /// `ENABLED` or `DISABLED`, in AWS's words. Absent when it was told to stop and no look has shown it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Where it sends to: scheme, host and port, without path, query and key. For a listener: where the receiver calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Whether it sends now: the flow is active and the output enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<bool>,
    /// Whether the receiver is connected, by the last measurement or by an error of AWS's that names the output. Absent where AWS
    /// tells neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
    /// Bitrate in kbit/s, to two significant digits so that a steady stream is a steady status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate_kbps: Option<i64>,
    /// Since when `sending` and `connected` are what they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// What was observed of a MediaLive channel.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelStatus {
    /// Id of the channel. Absent while only its input is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// ARN of the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// UID that the channel's ownership tags were last seen to have as this Destination's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_uid: Option<String>,
    /// State of the channel, in AWS's words: `CREATING`, `IDLE`, `STARTING`, `RUNNING`, `STOPPING`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Id of the input that takes the Source's flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_id: Option<String>,
    /// State of the input, in AWS's words: `CREATING`, `DETACHED`, `ATTACHED`, `DELETING`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_state: Option<String>,
    /// The output groups of the channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["role".to_string()]))]
    pub outputs: Vec<OutputStatus>,
}

/// A switch between endpoints.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailoverStatus {
    /// The endpoint that was switched to.
    pub endpoint: ActiveEndpoint,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Why.
    #[serde(default = "crate::text::not_recorded", alias = "why")]
    pub reason: String,
}

/// Restarts because the receiver did not take the stream.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryStatus {
    /// How often it was restarted.
    pub count: u32,
    /// How often it may be, `spec.retry.attempts`.
    pub attempts: u32,
    /// `Trying`, `Waiting` for the next attempt, or `GaveUp`.
    pub state: RetryWord,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Whether the channel was seen on its way up in this attempt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub up: bool,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What tells the keys that were used from others: with another key the count begins anew. It is a keyed digest
    /// (HMAC-SHA256), from which no key can be guessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprints: Option<String>,
}

/// State of the restarts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "explained on the field")]
#[schemars(transform = crate::schema::undescribed)]
pub enum RetryWord {
    Trying,
    Waiting,
    GaveUp,
    #[serde(other)]
    Unknown,
}

/// Something that AWS warns of.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertStatus {
    /// AWS's type of alert.
    #[serde(rename = "type")]
    pub kind: String,
    /// What AWS says.
    pub message: String,
}

/// A failure in words.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastError {
    /// When it was seen first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// Its reason, one of the list in docs/reference/reasons.md.
    pub reason: String,
    /// What happened and what to do.
    pub message: String,
    /// `Warning`: the operator tries again. `Error`: it needs you.
    pub severity: String,
}

/// One time on the air.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Time>,
    /// Why it ended.
    #[serde(default, alias = "why", skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
