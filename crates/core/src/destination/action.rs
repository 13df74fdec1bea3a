//! What can be done for a Destination, as values.

use std::collections::BTreeMap;

use serde::Serialize;

use super::observed::Role;
use crate::flow::OutputSettings;
use crate::passwords::CopyAction;
use crate::reasons::Reason;

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
    /// Remove an output.
    RemoveOutput { flow: String, arn: String, role: Role },
}

/// An output to be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewOutput {
    /// Name.
    pub name: String,
    /// Which.
    pub role: Role,
    /// Settings.
    pub settings: OutputSettings,
    /// Whether it sends at once.
    pub enabled: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl crate::plan::Action for Action {
    /// No create here needs an intent: names of outputs are unique in their flow and those of secrets in their region, so
    /// that a second create is refused by AWS.
    fn needs_intent(&self) -> bool {
        false
    }

    fn reason(&self) -> Reason {
        match self {
            Self::AddOutput { .. } => Reason::Created,
            Self::UpdateOutput { enabled: Some(true), .. } => Reason::Started,
            Self::UpdateOutput { enabled: Some(false), .. } => Reason::Stopped,
            Self::RemoveOutput { .. } => Reason::Deleted,
            Self::TagOutput { .. } => Reason::Adopted,
            Self::Copy(action) => action.reason(),
            Self::UpdateOutput { enabled: None, .. } => Reason::Updated,
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
            Self::RemoveOutput { role, .. } => format!("Removed the output ({})", role.word()),
        }
    }
}
