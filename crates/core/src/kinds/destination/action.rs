//! What can be done for a Destination, as values.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::endpoint::Role;
use crate::fight::{Change, What};
use crate::reasons::Reason;
use crate::resources::channel::{ChannelSettings, NewChannel, NewInput};
use crate::resources::flow::{NewOutput, OutputSettings};
use crate::resources::secret_copy::CopyAction;

/// What can be done for a Destination. Values: the log line, the Event and the test assertion are the same thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum Action {
    /// Something for the copy of a password.
    Copy(CopyAction),
    /// Add an output; several Destinations' outputs travel in one call.
    AddOutput { flow: String, output: Box<NewOutput> },
    /// Renew the tags of an output.
    TagOutput { arn: String, tags: BTreeMap<String, String> },
    /// Change settings, or switch, or both in one call.
    UpdateOutput { flow: String, arn: String, role: Role, settings: Option<Box<OutputSettings>>, enabled: Option<bool> },
    /// Stop an output that is recorded, when AWS does not answer a look at its flow.
    StopOutput { flow: String, arn: String, role: Role },
    /// Remove an output.
    RemoveOutput { flow: String, arn: String, role: Role },
    /// Make the MediaLive input. AWS knows a repetition by its token.
    CreateInput(Box<NewInput>),
    /// Remove the input.
    DeleteInput { id: String },
    /// Make the MediaLive channel. AWS knows a repetition by its token.
    CreateChannel(Box<NewChannel>),
    /// Give the channel other settings; always all of them.
    UpdateChannel { id: String, name: String, settings: Box<ChannelSettings> },
    /// Start the channel: from here on it is paid for by the minute.
    StartChannel { id: String },
    /// Stop the channel.
    StopChannel { id: String },
    /// Remove the channel.
    DeleteChannel { id: String },
    /// Renew the tags of the channel or its input.
    TagMediaLive { arn: String, tags: BTreeMap<String, String> },
}

/// The input, in the intent of its making.
pub const INPUT: &str = "input";
/// The channel, in the intent of its making.
pub const CHANNEL: &str = "channel";

impl crate::plan::Action for Action {
    /// Names of outputs are unique in their flow and those of secrets in their region, so that a second create is refused by
    /// AWS. MediaLive knows a second create by its token alone, which comes from the intent.
    fn needs_intent(&self) -> bool {
        matches!(self, Self::CreateInput(_) | Self::CreateChannel(_))
    }

    fn token_role(&self) -> Option<&'static str> {
        match self {
            Self::CreateInput(_) => Some(INPUT),
            Self::CreateChannel(_) => Some(CHANNEL),
            _ => None,
        }
    }

    /// What was seen and is removed on purpose can be made again at once, under another token.
    fn ends_intent(&self) -> bool {
        matches!(self, Self::DeleteInput { .. } | Self::DeleteChannel { .. })
    }

    /// The status is where these are kept, the name of a secret, and since when an output that sends has had its settings; and a
    /// stop of our own is no failure of the channel's. One that no look may show for long is told, too.
    fn is_told(&self) -> bool {
        matches!(
            self,
            Self::StopChannel { .. }
                | Self::StopOutput { .. }
                | Self::UpdateOutput { settings: Some(_), enabled: None, .. }
                | Self::Copy(CopyAction::Create { .. })
        )
    }

    fn changes(&self) -> Vec<Change> {
        let output = |role: &Role, what| Change::of(format!("{} output", role.as_str()), what);
        let one = |resource: &str, what| vec![Change::of(resource, what)];
        match self {
            Self::Copy(action) => vec![action.change()],
            Self::AddOutput { output: new, .. } => vec![output(&new.role, What::Made)],
            Self::TagOutput { arn, .. } | Self::TagMediaLive { arn, .. } => one(arn, What::Tags),
            Self::UpdateOutput { role, settings, enabled, .. } => {
                let switch = enabled.map(|on| output(role, if on { What::Started } else { What::Stopped }));
                settings.iter().map(|_| output(role, What::Settings)).chain(switch).collect()
            }
            Self::RemoveOutput { role, .. } => vec![output(role, What::Removed)],
            Self::StopOutput { role, .. } => vec![output(role, What::Stopped)],
            Self::CreateInput(_) => one(INPUT, What::Made),
            Self::DeleteInput { .. } => one(INPUT, What::Removed),
            Self::CreateChannel(_) => one(CHANNEL, What::Made),
            Self::UpdateChannel { .. } => one(CHANNEL, What::Settings),
            Self::StartChannel { .. } => one(CHANNEL, What::Started),
            Self::StopChannel { .. } => one(CHANNEL, What::Stopped),
            Self::DeleteChannel { .. } => one(CHANNEL, What::Removed),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::AddOutput { .. } => Reason::Created,
            Self::UpdateOutput { enabled: Some(true), .. } => Reason::Started,
            Self::UpdateOutput { enabled: Some(false), .. } | Self::StopOutput { .. } => Reason::Stopped,
            Self::RemoveOutput { .. } => Reason::Deleted,
            Self::TagOutput { .. } => Reason::Adopted,
            Self::Copy(action) => action.reason(),
            Self::UpdateOutput { enabled: None, .. } | Self::UpdateChannel { .. } => Reason::Updated,
            Self::CreateInput(_) | Self::CreateChannel(_) => Reason::Created,
            Self::StartChannel { .. } => Reason::Started,
            Self::StopChannel { .. } => Reason::Stopped,
            Self::DeleteChannel { .. } | Self::DeleteInput { .. } => Reason::Deleted,
            Self::TagMediaLive { .. } => Reason::Adopted,
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Copy(action) => action.sentence(),
            Self::AddOutput { output, .. } => {
                let verb = if output.enabled { "Created and started" } else { "Created" };
                format!("{verb} output {} ({})", output.name, output.role.word())
            }
            Self::TagOutput { .. } => "Renewed the tags of an output".into(),
            Self::UpdateOutput { role, settings, enabled, .. } => {
                let role = role.word();
                match (settings.is_some(), enabled) {
                    (true, Some(true)) => format!("Changed and started the output ({role})"),
                    (true, Some(false)) => format!("Changed and stopped the output ({role})"),
                    (true, None) => format!("Changed the output ({role})"),
                    (false, Some(true)) => format!("Started the output ({role})"),
                    (false, Some(false)) => format!("Stopped the output ({role})"),
                    (false, None) => format!("Looked at the output ({role})"),
                }
            }
            Self::StopOutput { role, .. } => {
                format!("Told AWS to stop the output ({}); AWS does not show its flow at the moment", role.word())
            }
            Self::RemoveOutput { role, .. } => format!("Removed the output ({})", role.word()),
            Self::CreateInput(new) => format!("Created MediaLive input {}", new.name),
            Self::DeleteInput { id } => format!("Removed MediaLive input {id}"),
            Self::CreateChannel(new) => format!("Created MediaLive channel {}", new.name),
            Self::UpdateChannel { id, .. } => format!("Changed MediaLive channel {id}"),
            Self::StartChannel { id } => format!("Started MediaLive channel {id}"),
            Self::StopChannel { id } => format!("Stopped MediaLive channel {id}"),
            Self::DeleteChannel { id } => format!("Removed MediaLive channel {id}"),
            Self::TagMediaLive { .. } => "Renewed the tags of a MediaLive resource".into(),
        }
    }
}
