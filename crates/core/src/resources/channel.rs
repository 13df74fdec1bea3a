//! A MediaLive channel and its input as facts and wishes. No SDK type comes further than `crates/aws/`.

mod action;
mod output;
mod seen;
mod settings;

use std::collections::BTreeMap;

pub use self::action::{CHANNEL, ChannelAction, INPUT};
pub use self::output::{
    HlsTarget, Login, MediaPackageTarget, OutputGroup, OutputName, RtmpTarget, SrtTarget, Target, UdpTarget,
};
pub use self::seen::{ChannelSeen, EndpointSeen};
pub use self::settings::{Attachment, ChannelClass, ChannelSettings, Difference, EncodingName, Part};
use crate::wording::shortened;

/// State of a channel, in AWS's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "AWS's own words")]
pub enum ChannelState {
    Creating,
    CreateFailed,
    Idle,
    Starting,
    Running,
    Recovering,
    Stopping,
    Deleting,
    Deleted,
    Updating,
    UpdateFailed,
}

impl ChannelState {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Creating,
        Self::CreateFailed,
        Self::Idle,
        Self::Starting,
        Self::Running,
        Self::Recovering,
        Self::Stopping,
        Self::Deleting,
        Self::Deleted,
        Self::Updating,
        Self::UpdateFailed,
    ];

    /// As AWS spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::CreateFailed => "CREATE_FAILED",
            Self::Idle => "IDLE",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Recovering => "RECOVERING",
            Self::Stopping => "STOPPING",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
            Self::Updating => "UPDATING",
            Self::UpdateFailed => "UPDATE_FAILED",
        }
    }

    /// Reads AWS's spelling; `None` for a word that this version does not know.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// Whether it is paid for by the minute: from the start to the end of the stop.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Recovering)
    }

    /// Whether nothing is there any more. AWS shows a deleted channel as DELETED for a while, then not at all.
    #[must_use]
    pub fn is_gone(self) -> bool {
        self == Self::Deleted
    }
}

/// State of an input, in AWS's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "AWS's own words")]
pub enum InputState {
    Creating,
    Detached,
    Attached,
    Deleting,
    Deleted,
}

impl InputState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Creating, Self::Detached, Self::Attached, Self::Deleting, Self::Deleted];

    /// As AWS spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Detached => "DETACHED",
            Self::Attached => "ATTACHED",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
        }
    }

    /// Reads AWS's spelling; `None` for a word that this version does not know.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// A channel, as observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Id: digits.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// State.
    pub state: ChannelState,
    /// Settings, as far as we ever ask for them.
    pub settings: ChannelSettings,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// An input, as observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Id: digits.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// State.
    pub state: InputState,
    /// ARNs of the flows that it takes.
    pub flows: Vec<String>,
    /// Ids of the channels that it is attached to; AWS allows one.
    pub channels: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// An alert of a channel that is set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alert {
    /// AWS's type of alert.
    pub kind: String,
    /// What AWS says, already without secrets.
    pub message: String,
    /// The output group that cannot connect, where the alert is about that and it is known which.
    pub output: Option<OutputName>,
    /// When it was set, in seconds since 1970.
    pub set: Option<i64>,
}

/// An input to be made.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct NewInput {
    /// Name.
    pub name: String,
    /// ARN of the flow that it takes. MediaLive adds an output of its own to the flow.
    pub flow: String,
    /// Role that MediaLive assumes to do so.
    pub role_arn: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A channel to be made.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct NewChannel {
    /// Name.
    pub name: String,
    /// Settings.
    pub settings: ChannelSettings,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// How much of a quota is used.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Used now.
    pub used: usize,
    /// Allowed.
    pub limit: usize,
    /// By whom of one's own namespace, in words for people. Of others people learn the number alone.
    pub by: Vec<String>,
}

impl Usage {
    /// Whether `more` fit, after those who come before.
    #[must_use]
    pub fn has_room(&self, ahead: usize) -> bool {
        self.used + ahead < self.limit
    }

    /// Who uses it, to follow "are used"; empty when nobody does.
    #[must_use]
    pub fn holders(&self) -> String {
        match (self.by.len(), self.used.saturating_sub(self.by.len())) {
            (0, 0) => String::new(),
            (0, others) => format!(", all {others} outside this namespace"),
            (_, 0) => format!(", by {}", shortened(&self.by)),
            (_, others) => format!(", by {} (and {others} outside this namespace)", shortened(&self.by)),
        }
    }
}

/// Quotas that stand in the way of a new channel.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Quotas {
    /// Channels of the region.
    pub channels: Usage,
    /// Push inputs of the region; MediaConnect inputs are among them.
    pub inputs: Usage,
    /// Others who were created earlier and wait for a channel, too.
    pub ahead: usize,
}
