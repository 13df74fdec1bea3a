//! What can be done for a Source: something to its flow, or to the copy of a password.

use serde::Serialize;

use crate::action::{self, Effect, Intent};
use crate::resources::flow::FlowAction;
use crate::resources::secret_copy::CopyAction;

/// What can be done for a Source.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(clippy::large_enum_variant, reason = "a step has one or two of them")]
pub enum Action {
    /// Something for the copy of a password.
    Copy(CopyAction),
    /// Something to the flow.
    Flow(FlowAction),
}

impl action::Action for Action {
    fn intent(&self) -> Intent {
        match self {
            Self::Copy(action) => action.intent(),
            Self::Flow(action) => action.intent(),
        }
    }

    fn effect(&self) -> Effect {
        match self {
            Self::Copy(action) => action.effect(),
            Self::Flow(action) => action.effect(),
        }
    }
}
