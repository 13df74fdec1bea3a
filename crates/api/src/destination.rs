//! `Destination`: where a programme goes. One social platform or receiver.

#![expect(clippy::duplicated_attributes, reason = "printer columns share their type and priority")]

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::status::{
    ActiveEndpoint, AlertStatus, ChannelStatus, DestinationState, DestinationStatus, FailoverStatus, LastError,
    OutputStatus, RetryStatus, RetryWord, Run,
};
use super::policy::{DeletionPolicy, RetryPolicy, RunState, UpdatePolicy};
use super::reference::{Encryption, KeyReference, LoginPassword, ProgrammeReference};

mod status;

/// Where a programme goes: one social platform or receiver.
///
/// Producers own Destinations. Nothing that is done to one Destination touches another.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "playout.dev",
    version = "v1alpha1",
    kind = "Destination",
    namespaced,
    status = "DestinationStatus",
    derive = "PartialEq",
    doc = "Where a programme goes: one social platform or receiver. Start and stop it with spec.state.",
    shortname = "dest",
    category = "playout",
    selectable = ".status.state",
    selectable = ".spec.state",
    selectable = ".spec.platform",
    selectable = ".spec.from.name",
    printcolumn(name = "Platform", type_ = "string", json_path = ".spec.platform"),
    printcolumn(name = "From", type_ = "string", json_path = ".spec.from.name"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state", description = "What it does now."),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Delivery",
        type_ = "string",
        json_path = ".spec.delivery",
        description = "As it arrives, or encoded anew.",
        priority = 1i32
    ),
    printcolumn(name = "Active", type_ = "string", json_path = ".status.activeEndpoint", priority = 1i32),
    printcolumn(name = "Started", type_ = "date", json_path = ".status.startedAt", priority = 1i32),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1i32
    )
)]
#[x_kube(
    validation = Rule::new("self.from == oldSelf.from").message("from cannot be changed: delete the Destination and create it from the other Source").field_path(".from"),
    validation = Rule::new("has(self.region) == has(oldSelf.region) && (!has(self.region) || self.region == oldSelf.region)").message("region cannot be changed: it follows the Source; delete the Destination and create it anew").field_path(".region"),
    validation = Rule::new("has(self.url) || self.platform in ['YouTube', 'Twitch', 'Facebook', 'Kick', 'Restream']").message("url is required for platforms LinkedIn, X and Custom: copy it from the live page or from the receiver's settings").field_path(".url"),
    validation = Rule::new("has(self.streamKey) || self.platform == 'Custom'").message("streamKey is required for this platform: put the key from its live page into a Secret and name that in streamKey.secretRef").field_path(".streamKey"),
    validation = Rule::new("self.platform == 'Custom' || [has(self.url) ? self.url : '', has(self.backup) && has(self.backup.url) ? self.backup.url : ''].all(u, u == '' || u.matches('^rtmps?://'))").message("url and backup.url of this platform begin with rtmp:// or rtmps://: use platform: Custom for other receivers").field_path(".url"),
    validation = Rule::new("self.platform != 'Facebook' || [has(self.url) ? self.url : '', has(self.backup) && has(self.backup.url) ? self.backup.url : ''].all(u, u == '' || !u.startsWith('rtmp://'))").message("url and backup.url must begin with rtmps:// for platform Facebook, which takes no plain RTMP").field_path(".url"),
    validation = Rule::new("self.platform in ['Custom', 'LinkedIn'] || [has(self.url) ? self.url : '', has(self.backup) && has(self.backup.url) ? self.backup.url : ''].all(u, u == '' || !u.matches('^rtmps?://[^/?]+/[^/?]+/+[^/?]'))").message("url and backup.url must end after the application, as in rtmps://a.rtmps.youtube.com:443/live2: put what follows, the stream key, into a Secret and name that in streamKey").field_path(".url"),
    validation = Rule::new("!has(self.url) || has(self.streamKey) || self.platform != 'Custom' || !self.url.matches('^(rtmps?|zixi)://')").message("streamKey is required for RTMP (the last part of the receiver's address) and for Zixi (the stream id): put it into a Secret and name that here").field_path(".streamKey"),
    validation = Rule::new("!has(self.url) || !has(self.streamKey) || !self.url.matches('^(rtp|rtp-fec|rist)://|[?]mode=listener')").message("streamKey has no meaning for rtp://, rtp-fec:// and rist:// receivers and for ?mode=listener: take it out").field_path(".streamKey"),
    validation = Rule::new("!has(self.encryption) || (has(self.url) && self.url.matches('^(srt|zixi)://'))").message("encryption goes with srt:// and zixi:// receivers: take it out (RTMP is encrypted by an rtmps:// url)").field_path(".encryption"),
    validation = Rule::new("!has(self.srt) || (has(self.url) && self.url.startsWith('srt://'))").message("srt is the block of srt:// receivers: take it out, or correct url").field_path(".srt"),
    validation = Rule::new("![has(self.url) ? self.url : '', has(self.backup) && has(self.backup.url) ? self.backup.url : ''].exists(u, u.contains('?mode=listener')) || (has(self.srt) && has(self.srt.allowedCidrs) && self.srt.allowedCidrs.size() > 0)").message("srt.allowedCidrs is required with ?mode=listener: say who may call").field_path(".srt"),
    validation = Rule::new("!has(self.srt) || !has(self.srt.allowedCidrs) || self.srt.allowedCidrs.size() == 0 || [has(self.url) ? self.url : '', has(self.backup) && has(self.backup.url) ? self.backup.url : ''].exists(u, u.contains('?mode=listener'))").message("srt.allowedCidrs goes with a url that ends with ?mode=listener: take it out, because here the flow calls the receiver").field_path(".srt.allowedCidrs"),
    validation = Rule::new("!has(self.encoding) || self.delivery == 'Transcode'").message("encoding is for delivery Transcode: set delivery: Transcode, or take encoding out, because Passthrough sends the programme as it arrives").field_path(".encoding"),
    validation = Rule::new("self.delivery != 'Transcode' || [has(self.url) ? self.url : '', has(self.backup) && has(self.backup.url) ? self.backup.url : ''].all(u, u == '' || u.matches('^rtmps?://'))").message("url and backup.url must begin with rtmp:// or rtmps:// with delivery Transcode: use delivery: Passthrough for other receivers").field_path(".url"),
    validation = Rule::new("!has(self.backup) || !has(self.backup.url) || !has(self.url) || self.backup.url.split('://')[0].replace('rtmps', 'rtmp') == self.url.split('://')[0].replace('rtmps', 'rtmp')").message("backup.url must use the protocol of url: make a second Destination for another protocol").field_path(".backup.url"),
    // The ports are those that AWS documents for RTMP outputs of MediaConnect's router; that a flow takes the same is assumed.
    validation = Rule::new("self.delivery == 'Transcode' || [has(self.url) ? self.url : '', has(self.backup) && has(self.backup.url) ? self.backup.url : ''].all(u, !u.matches('^rtmps?://[^/?]*:0*([0-9]{1,3}|10[01][0-9]|102[0-3])([/?]|$)') || u.matches('^rtmps://[^/?]*:443([/?]|$)'))").message("url and backup.url must have a port from 1024 to 65535, with rtmps:// also 443, because an output of a MediaConnect flow takes no other: use the receiver's rtmps:// URL on port 443, or set delivery: Transcode").field_path(".url"),
    validation = Rule::new("self.delivery == 'Transcode' || [has(self.url) ? self.url : '', has(self.backup) && has(self.backup.url) ? self.backup.url : ''].all(u, !u.matches('^[a-z-]+://\\\\['))").message("url and backup.url must not have IPv6 addresses with delivery: Passthrough, because outputs of a MediaConnect flow send to IPv4: give the receiver's host name, or set delivery: Transcode for RTMP").field_path(".url"),
    validation = Rule::new("self.delivery == 'Transcode' || !(has(self.username) || has(self.password) || (has(self.backup) && (has(self.backup.username) || has(self.backup.password))))").message("username and password go with delivery: Transcode, because an output of a MediaConnect flow cannot log in: set delivery: Transcode, or take them out").field_path(".username"),
    validation = Rule::new("!has(self.backup) || has(self.backup.url) || self.platform == 'YouTube'").message("backup.url is required, because only YouTube has a backup ingest that is known beforehand: add it, or take backup out").field_path(".backup.url"),
    validation = Rule::new("!has(self.backup) || !has(self.backup.url) || !has(self.url) || self.backup.url != self.url || (has(self.backup.streamKey) && (!has(self.streamKey) || has(self.backup.streamKey.secretRef) != has(self.streamKey.secretRef) || (has(self.backup.streamKey.secretRef) && (self.backup.streamKey.secretRef.name != self.streamKey.secretRef.name || self.backup.streamKey.secretRef.key != self.streamKey.secretRef.key)) || (has(self.backup.streamKey.ssmParameter) && has(self.streamKey.ssmParameter) && self.backup.streamKey.ssmParameter != self.streamKey.ssmParameter)))").message("backup.url and its key are those of the primary, so that one feed would be sent twice: give the platform's second URL, or a backup.streamKey of its own").field_path(".backup.url")
)]
#[schemars(transform = super::text::url_rules)]
#[schemars(transform = super::text::login_rules)]
#[serde(rename_all = "camelCase")]
pub struct DestinationSpec {
    /// The programme: a Source of this namespace. Cannot be changed.
    pub from: ProgrammeReference,
    /// AWS region. Default: that of the Source. When set it must be the Source's region. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::text::region")]
    pub region: Option<String>,
    /// `YouTube`, `Twitch`, `Facebook`, `LinkedIn`, `X`, `Kick`, `Restream` or `Custom` (default). A known platform brings
    /// its ingest URL and its limits.
    #[serde(default)]
    pub platform: Platform,
    /// Where to send to. `rtmp://` or `rtmps://host[:port]/application`; for `Custom` also `srt://host:port` (with
    /// `?mode=listener` the receiver calls us on that port), `rtp://host:port`, `rtp-fec://host:port`, `rist://host:port`,
    /// `zixi://host:port`. Default: the platform's own. Never put a key here. Example: `rtmps://a.rtmps.youtube.com:443/live2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub url: Option<String>,
    /// Where the stream key is kept. For `srt://` and `zixi://` it is the stream id. A changed key is used when `updatePolicy`
    /// allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_key: Option<KeyReference>,
    /// User name at an `rtmp://` or `rtmps://` receiver that asks for one, with `delivery: Transcode`. Example: `studio`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::text::username")]
    pub username: Option<String>,
    /// Where the password that goes with `username` is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<LoginPassword>,
    /// `Passthrough` (default): an output of the Source's flow. The programme is sent as it arrives. `Transcode`: an AWS
    /// Elemental MediaLive channel of its own, made on demand and billed while it runs, that encodes the programme as
    /// `encoding` says. For `rtmp://` and `rtmps://` receivers.
    #[serde(default)]
    pub delivery: Delivery,
    /// What `Transcode` encodes to: `1080p60`, `1080p30` (default), `720p60`, `720p30`, `480p30`, or the name of an
    /// `EncodingPreset` of this namespace. The platform must take it. Example: `720p30`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::text::preset_name")]
    pub encoding: Option<String>,
    /// Settings of an `srt://` receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srt: Option<SrtReceiver>,
    /// Encryption of `srt://` and `zixi://`. Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// A second way in at the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// `Running` or `Stopped`. There is no default: absent means stopped, so that a producer can patch it on an object whose
    /// manifest in Git leaves it out. Example: `kubectl patch dest main --type merge -p '{"spec":{"state":"Running"}}'`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// `WhenStopped` (default): a change that would interrupt the running output waits until it is stopped, and is listed in
    /// `status.pendingChanges`. `Restart`: it is carried out at once.
    #[serde(default)]
    pub update_policy: UpdatePolicy,
    /// What happens when the receiver does not take the stream.
    #[serde(default, skip_serializing_if = "RetryPolicy::is_default")]
    pub retry: RetryPolicy,
    /// True makes the output (with `Transcode` the channel) ready while stopped, so that a start is faster. It costs nothing
    /// with `Passthrough`, but counts against the flow's 50 outputs; an idle channel and its input are paid for and count
    /// against the region's quota of channels. Default: false.
    #[serde(default)]
    pub prepare: bool,
    /// Tags for the AWS resources, at most 40. They never replace the operator's own tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::text::tags")]
    pub tags: BTreeMap<String, String>,
    /// `Delete` (default) removes the output with the object; `Retain` leaves it as it is.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// True: the operator looks and reports but changes nothing in AWS. A suspended object can still be deleted.
    #[serde(default)]
    pub suspend: bool,
}

/// Where the programme is seen.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names of the platforms are their documentation")]
pub enum Platform {
    YouTube,
    Twitch,
    Facebook,
    LinkedIn,
    X,
    Kick,
    Restream,
    #[default]
    Custom,
}

impl Platform {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::YouTube,
        Self::Twitch,
        Self::Facebook,
        Self::LinkedIn,
        Self::X,
        Self::Kick,
        Self::Restream,
        Self::Custom,
    ];
}

/// How the programme gets there.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Delivery {
    /// As an output of the Source's flow, not transcoded.
    #[default]
    Passthrough,
    /// By a MediaLive channel of its own, encoded anew.
    Transcode,
}

/// Settings of an `srt://` receiver.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SrtReceiver {
    /// SRT latency in milliseconds, 10 to 15000. The larger of both ends' values holds. Default of AWS: 2000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 15_000))]
    pub min_latency_ms: Option<i32>,
    /// With `?mode=listener`: who may call, one to three ranges. Example: `["203.0.113.0/24"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::text::allowed_cidrs")]
    pub allowed_cidrs: Vec<String>,
}

/// A second way in at the platform.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = super::text::url_rules)]
#[schemars(transform = super::text::login_rules)]
#[serde(rename_all = "camelCase")]
pub struct Backup {
    /// Backup URL. Default: that of the platform, where it has one (YouTube).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub url: Option<String>,
    /// Key at the backup URL. Default: that of the primary. A changed key is used when `updatePolicy` allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_key: Option<KeyReference>,
    /// User name at the backup URL. Default: the login of the primary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::text::username")]
    pub username: Option<String>,
    /// Where the password that goes with `username` is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<LoginPassword>,
    /// `Hot`: both are fed all the time. `OnFailure` (default): the backup is fed when AWS has shown the
    /// primary disconnected for 20 seconds (which is seen half a minute to a minute and a quarter after the break), or when its channel
    /// has stopped; it goes back on request with the annotation `playout.dev/active-endpoint: Primary`, or for the next restart when the backup fails, too.
    #[serde(default)]
    pub mode: BackupMode,
}

/// How the backup is used.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum BackupMode {
    /// Both are fed.
    Hot,
    /// Switched over when the primary is dead.
    #[default]
    OnFailure,
}
