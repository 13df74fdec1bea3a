//! What can be done for a Destination: something to an output, to its channel and input, or to the copy of a password.

use serde::Serialize;

use crate::action::{self, Effect, Intent};
use crate::resources::channel::ChannelAction;
use crate::resources::flow::OutputAction;
use crate::resources::secret_copy::CopyAction;

/// What can be done for a Destination.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Action {
    /// Something for the copy of a password.
    Copy(CopyAction),
    /// Something to an output of the Source's flow.
    Output(OutputAction),
    /// Something to the MediaLive channel and its input.
    Channel(ChannelAction),
}

impl action::Action for Action {
    fn intent(&self) -> Intent {
        match self {
            Self::Copy(action) => action.intent(),
            Self::Output(action) => action.intent(),
            Self::Channel(action) => action.intent(),
        }
    }

    fn effect(&self) -> Effect {
        match self {
            Self::Copy(action) => action.effect(),
            Self::Output(action) => action.effect(),
            Self::Channel(action) => action.effect(),
        }
    }
}
