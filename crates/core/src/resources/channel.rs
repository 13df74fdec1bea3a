//! A MediaLive channel and its input as facts and wishes. No SDK type comes further than `crates/aws/`.

mod action;

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

pub use self::action::{CHANNEL, ChannelAction, INPUT};
use crate::encoding::Encoding;
use crate::endpoint::{Receiver, Role, bracketed};
use crate::secret::SecretText;
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

/// Settings of a channel, requested or observed.
///
/// A wish is complete: AWS's update takes away what it leaves out (the role), so every update carries all of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ChannelSettings {
    /// Role that MediaLive assumes. Observed `None`: somebody's update left it out, and the channel cannot start.
    pub role_arn: Option<String>,
    /// Ids of the attached inputs; a wish has one.
    pub inputs: Vec<String>,
    /// What it encodes; observed `None`: something that we never ask for.
    pub encoding: Option<Encoding>,
    /// One RTMP output group for each, all fed by the one encode.
    pub targets: BTreeMap<Role, RtmpTarget>,
}

impl ChannelSettings {
    /// In what an observed channel differs from this wish, by the names of the Destination's fields.
    #[must_use]
    pub fn differences(&self, observed: &Self) -> Vec<&'static str> {
        let mut list = Vec::new();
        let mut differs = |name, is: bool| {
            if is {
                list.push(name);
            }
        };
        let user = |target: &RtmpTarget| target.login.as_ref().map(|l| l.username.clone());
        let password = |target: &RtmpTarget| target.login.as_ref().map(|l| l.password_parameter.clone());
        differs("role", self.role_arn != observed.role_arn);
        differs("input", self.inputs != observed.inputs);
        differs("encoding", self.encoding != observed.encoding);
        let both = |role| (self.targets.get(&role), observed.targets.get(&role));
        match both(Role::Primary) {
            (Some(wish), Some(seen)) => {
                differs("url", wish.url != seen.url);
                differs("streamKey", wish.stream != seen.stream);
                differs("username", user(wish) != user(seen));
                differs("password", password(wish) != password(seen));
            }
            (wish, seen) => differs("url", wish.is_some() != seen.is_some()),
        }
        match both(Role::Backup) {
            (Some(wish), Some(seen)) => {
                differs("backup.url", wish.url != seen.url);
                differs("backup.streamKey", wish.stream != seen.stream);
                differs("backup.username", user(wish) != user(seen));
                differs("backup.password", password(wish) != password(seen));
            }
            (wish, seen) => differs("backup", wish.is_some() != seen.is_some()),
        }
        list
    }
}

/// Where an RTMP output sends to. The stream name is the key, and the URL may hold a token: `Debug` and `Serialize` show
/// scheme, host and port alone.
#[derive(Clone, Eq, PartialEq)]
pub struct RtmpTarget {
    /// `rtmp(s)://host:port/application`, query included.
    pub url: SecretText,
    /// Stream name.
    pub stream: SecretText,
    /// For a receiver that asks who sends.
    pub login: Option<Login>,
}

/// A login at an RTMP server. The password itself is never here: MediaLive reads it.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Login {
    /// User name.
    pub username: String,
    /// Name of the SSM parameter that holds the password.
    pub password_parameter: String,
}

impl RtmpTarget {
    /// As MediaLive wants it; `None` for a receiver that is not RTMP. The port is always written, so that what AWS shows
    /// can be compared with it.
    #[must_use]
    pub fn of(receiver: &Receiver, stream: SecretText, login: Option<Login>) -> Option<Self> {
        let Receiver::Rtmp { host, port, tls, application } = receiver else { return None };
        let url = format!("rtmp{}://{}:{port}/{application}", if *tls { "s" } else { "" }, bracketed(host));
        Some(Self { url: SecretText::new(url), stream, login })
    }

    /// Scheme, host and port: fit for status and messages.
    #[must_use]
    pub fn shown(&self) -> String {
        Receiver::parse(self.url.expose()).map_or_else(|_| "(unreadable)".into(), |r| r.shown())
    }
}

impl fmt::Debug for RtmpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtmpTarget")
            .field("url", &self.shown())
            .field("stream", &self.stream)
            .field("login", &self.login)
            .finish()
    }
}

impl Serialize for RtmpTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut target = serializer.serialize_struct("RtmpTarget", 3)?;
        target.serialize_field("url", &self.shown())?;
        target.serialize_field("stream", &self.stream)?;
        target.serialize_field("login", &self.login)?;
        target.end()
    }
}

/// An alert of a channel that is set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alert {
    /// AWS's type of alert.
    pub kind: String,
    /// What AWS says, already without secrets.
    pub message: String,
    /// The endpoint to which an output cannot connect, where the alert is about that and it is known which.
    pub role: Option<Role>,
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

/// A channel to be made, always of one pipeline.
///
/// A standard channel takes standard-class inputs only, and a MediaConnect input is that only with two flows in two
/// Availability Zones (MediaLive user guide, "Choosing the channel class and input class"); a Source has one flow. Two ingest
/// points are fed by two output groups of the one encode, which also costs less than two pipelines.
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
