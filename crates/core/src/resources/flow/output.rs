//! What can be done to an output of a flow, as values.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{NewOutput, OutputSettings};
use crate::action::{Action, Effect, Intent};
use crate::endpoint::Role;
use crate::fight::{Change, What};
use crate::reasons::Reason;

/// What can be done to an output of a flow.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum OutputAction {
    /// Add an output; several objects' outputs travel in one call.
    Add { flow: String, output: Box<NewOutput> },
    /// Renew the tags of an output.
    Tag { arn: String, tags: BTreeMap<String, String> },
    /// Change settings, or switch, or both in one call.
    Update { flow: String, arn: String, role: Role, settings: Option<Box<OutputSettings>>, enabled: Option<bool> },
    /// Stop an output that is recorded, when AWS does not answer a look at its flow.
    Stop { flow: String, arn: String, role: Role },
    /// Remove an output.
    Remove { flow: String, arn: String, role: Role },
}

impl OutputAction {
    /// ARN of the output, unless it is yet to be made.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::Add { .. } => None,
            Self::Tag { arn, .. } | Self::Update { arn, .. } | Self::Stop { arn, .. } | Self::Remove { arn, .. } => {
                Some(arn)
            }
        }
    }
}

impl Action for OutputAction {
    /// Names of outputs are unique in their flow: AWS refuses a second create.
    fn intent(&self) -> Intent {
        Intent::None
    }

    fn effect(&self) -> Effect {
        let output = |role: &Role, what| Change::of(format!("{} output", role.as_str()), what);
        match self {
            Self::Add { output: new, .. } => {
                let verb = if new.enabled { "Created and started" } else { "Created" };
                let sentence = format!("{verb} output {} ({})", new.name, new.role.word());
                Effect::new(vec![output(&new.role, What::Made)], Reason::Created, sentence)
            }
            Self::Tag { arn, .. } => {
                Effect::new(vec![Change::of(arn, What::Tags)], Reason::Adopted, "Renewed the tags of an output")
            }
            Self::Update { role, settings, enabled, .. } => {
                let switch = enabled.map(|on| output(role, if on { What::Started } else { What::Stopped }));
                let changes = settings.iter().map(|_| output(role, What::Settings)).chain(switch).collect();
                let reason = match enabled {
                    Some(true) => Reason::Started,
                    Some(false) => Reason::Stopped,
                    None => Reason::Updated,
                };
                let verb = match (settings.is_some(), enabled) {
                    (true, Some(true)) => "Changed and started",
                    (true, Some(false)) => "Changed and stopped",
                    (true, None) => "Changed",
                    (false, Some(true)) => "Started",
                    (false, Some(false)) => "Stopped",
                    (false, None) => "Looked at",
                };
                let effect = Effect::new(changes, reason, format!("{verb} the output ({})", role.word()));
                // Since when an output that sends has had its settings, the status alone knows.
                if settings.is_some() && enabled.is_none() { effect.kept() } else { effect }
            }
            Self::Stop { role, .. } => {
                let role_word = role.word();
                let sentence =
                    format!("Told AWS to stop the output ({role_word}); AWS does not show its flow at the moment");
                // No look may show it for long.
                Effect::new(vec![output(role, What::Stopped)], Reason::Stopped, sentence).kept()
            }
            Self::Remove { role, .. } => {
                let sentence = format!("Removed the output ({})", role.word());
                Effect::new(vec![output(role, What::Removed)], Reason::Deleted, sentence)
            }
        }
    }
}
