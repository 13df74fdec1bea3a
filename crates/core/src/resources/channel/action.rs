//! What can be done to a channel and its input, as values.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ChannelSettings, NewChannel, NewInput};
use crate::action::{Action, Effect, Intent};
use crate::fight::{Change, What};
use crate::reasons::Reason;

/// The input, in the intent of its making.
pub const INPUT: &str = "input";
/// The channel, in the intent of its making.
pub const CHANNEL: &str = "channel";

/// What can be done to a channel and its input.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum ChannelAction {
    /// Make the input. AWS knows a repetition by its token.
    CreateInput(Box<NewInput>),
    /// Remove the input.
    DeleteInput { id: String },
    /// Make the channel. AWS knows a repetition by its token.
    Create(Box<NewChannel>),
    /// Give the channel other settings; always all of them.
    Update { id: String, name: String, settings: Box<ChannelSettings> },
    /// Start the channel: from here on it is paid for by the minute.
    Start { id: String },
    /// Stop the channel.
    Stop { id: String },
    /// Remove the channel.
    Delete { id: String },
    /// Renew the tags of the channel or its input.
    Tag { arn: String, tags: BTreeMap<String, String> },
}

impl Action for ChannelAction {
    /// MediaLive takes two of one name, and knows a second create by its token alone. What was seen and is removed on purpose can be
    /// made again at once, under another token.
    fn intent(&self) -> Intent {
        match self {
            Self::CreateInput(_) => Intent::Token(INPUT),
            Self::Create(_) => Intent::Token(CHANNEL),
            Self::DeleteInput { .. } | Self::Delete { .. } => Intent::Ends,
            Self::Update { .. } | Self::Start { .. } | Self::Stop { .. } | Self::Tag { .. } => Intent::None,
        }
    }

    fn effect(&self) -> Effect {
        let one = |resource: &str, what| vec![Change::of(resource, what)];
        match self {
            Self::CreateInput(new) => {
                Effect::new(one(INPUT, What::Made), Reason::Created, format!("Created MediaLive input {}", new.name))
            }
            Self::DeleteInput { id } => {
                Effect::new(one(INPUT, What::Removed), Reason::Deleted, format!("Removed MediaLive input {id}"))
            }
            Self::Create(new) => Effect::new(
                one(CHANNEL, What::Made),
                Reason::Created,
                format!("Created MediaLive channel {}", new.name),
            ),
            Self::Update { id, .. } => {
                Effect::new(one(CHANNEL, What::Settings), Reason::Updated, format!("Changed MediaLive channel {id}"))
            }
            Self::Start { id } => {
                Effect::new(one(CHANNEL, What::Started), Reason::Started, format!("Started MediaLive channel {id}"))
            }
            // A stop of our own is no failure of the channel's, also when the next look comes late.
            Self::Stop { id } => {
                Effect::new(one(CHANNEL, What::Stopped), Reason::Stopped, format!("Stopped MediaLive channel {id}"))
                    .kept()
            }
            Self::Delete { id } => {
                Effect::new(one(CHANNEL, What::Removed), Reason::Deleted, format!("Removed MediaLive channel {id}"))
            }
            Self::Tag { arn, .. } => {
                Effect::new(one(arn, What::Tags), Reason::Adopted, "Renewed the tags of a MediaLive resource")
            }
        }
    }
}
