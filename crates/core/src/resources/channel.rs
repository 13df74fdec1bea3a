//! A MediaLive channel and its input as facts and wishes. No SDK type comes further than `crates/aws/`.

mod action;
mod input;
mod output;
mod plan;
mod seen;
mod settings;
mod teardown;

use std::collections::BTreeMap;

pub use self::action::{CHANNEL, ChannelAction, INPUT};
pub use self::input::{Input, InputSource, InputState, NewInput, Push};
pub use self::output::{
    HlsTarget, Login, MediaPackageTarget, OutputGroup, OutputName, RtmpTarget, SrtTarget, Target, UdpTarget,
};
pub use self::plan::{Gate, Life, Next, Request, untagged};
pub use self::seen::{ChannelSeen, EndpointSeen};
pub use self::settings::{Attachment, ChannelClass, ChannelSettings, Difference, EncodingName, Part};
pub use self::teardown::Parts;
use crate::failure::Problem;
use crate::reasons::Reason;
use crate::usage::{Counted, Usage};

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

impl Quotas {
    /// What is in the way of a new input (and with it a channel), or of a channel alone: once the input is there, nobody who
    /// was created earlier is waited for, or two would wait for each other.
    #[must_use]
    pub fn exceeded(&self, input: bool, region: &str) -> Option<Problem> {
        let ahead = if input { self.ahead } else { 0 };
        let of_channels = self.channels.exceeded(Counted::Channels, ahead, region);
        of_channels.or_else(|| self.inputs.exceeded(Counted::PushInputs, ahead, region).filter(|_| input))
    }
}

/// What is recorded of us in MediaLive and is not ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotOurs {
    /// `channel` or `input`.
    pub what: &'static str,
    /// ARN.
    pub arn: String,
    /// Whether it runs, so that it sends and is billed as such.
    pub runs: bool,
    /// UID of the object of the same identity that has taken it over.
    pub taken_over_by: Option<String>,
}

impl NotOurs {
    /// That it is left alone. `kind`: of the object that has it recorded.
    #[must_use]
    pub fn problem(&self, kind: &str) -> Problem {
        let Self { what, arn, runs, .. } = self;
        let text = format!(
            "MediaLive {what} {arn} is recorded in status.channel and has lost this {kind}'s ownership tags: it is not touched, and none is made beside it.{} Restore its tags, or remove it.",
            if *runs { " It still runs and is billed." } else { "" }
        );
        Problem::new(Reason::NotOurs, text)
    }
}
