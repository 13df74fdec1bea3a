//! What can be done for a Source, as values.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::fight::{Change, What};
use crate::identity::{Identity, owner};
use crate::reasons::Reason;
use crate::resources::flow::ndi::Ndi;
use crate::resources::flow::{Failover, MaintenanceWindow, NewFlow, NewSource, SourceSettings, VpcInterface};
use crate::resources::secret_copy::CopyAction;

/// What can be done for a Source. Values: the log line, the Event and the test assertion are the same thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are what their names say")]
#[expect(clippy::large_enum_variant, reason = "a step has one or two of them")]
pub enum Action {
    /// Something for the copy of a password.
    Copy(CopyAction),
    /// Make the flow, with its sources.
    CreateFlow(Box<NewFlow>),
    /// Put the ownership tags on a flow that was there before.
    ClaimFlow { flow: String, tags: BTreeMap<String, String> },
    /// Put the mark on it that says that its changes were confirmed.
    AdoptFlow { flow: String, tags: BTreeMap<String, String> },
    /// Take the ownership tags off a flow that was never adopted.
    ReleaseFlow { flow: String, keys: Vec<String> },
    /// Renew the tags of the flow.
    TagFlow { flow: String, tags: BTreeMap<String, String> },
    /// Change the size of the flow.
    ResizeFlow { flow: String, size: String },
    /// Say when AWS may restart the flow for its maintenance.
    SetMaintenance { flow: String, window: MaintenanceWindow },
    /// Change NDI discovery, or switch NDI off.
    SetNdi { flow: String, ndi: Option<Ndi> },
    /// Add interfaces in VPCs.
    AddVpcInterfaces { flow: String, interfaces: Vec<VpcInterface> },
    /// Remove one.
    RemoveVpcInterface { flow: String, name: String },
    /// Change how the flow moves between its sources.
    SetFailover { flow: String, failover: Failover },
    /// Add a source.
    AddSource { flow: String, source: NewSource },
    /// Change a source.
    UpdateSource { flow: String, arn: String, name: String, settings: Box<SourceSettings> },
    /// Remove a source.
    RemoveSource { flow: String, arn: String, name: String },
    /// Start the flow.
    StartFlow { flow: String },
    /// Stop the flow.
    StopFlow { flow: String },
    /// Remove the flow.
    DeleteFlow { flow: String },
    /// Take the flow out of state ERROR: stop it, and if AWS refuses that in this state, do what it is taken out for.
    LeaveError { flow: String, toward: Toward, errors: String },
}

/// What a flow is taken out of state ERROR for.
///
/// AWS documents that a flow is to be stopped before it is deleted ("Before you can delete a flow, you must stop the flow",
/// API_DeleteFlow), and not which calls ERROR takes. So the stop comes first, and a refusal of it is no end.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Toward {
    /// It is to be off.
    Standby,
    /// It is to run again.
    Active,
    /// It is to go.
    Nothing,
}

impl Action {
    /// The flow whose ownership tags are read anew before this is done: it ends the flow's show, or tags it.
    #[must_use]
    pub fn asks_whose(&self) -> Option<&str> {
        match self {
            Self::ClaimFlow { flow, .. }
            | Self::AdoptFlow { flow, .. }
            | Self::ReleaseFlow { flow, .. }
            | Self::TagFlow { flow, .. }
            | Self::StopFlow { flow }
            | Self::DeleteFlow { flow }
            | Self::LeaveError { flow, .. } => Some(flow),
            _ => None,
        }
    }

    /// ARNs of what AWS measures anew after it: the source whose settings it changes, and the flow whose leading input may be another
    /// one. What was measured before says nothing of them.
    #[must_use]
    pub fn measured_anew(&self) -> Vec<&str> {
        match self {
            Self::UpdateSource { flow, arn, .. } => vec![flow, arn],
            Self::SetFailover { flow, .. } | Self::AddSource { flow, .. } | Self::RemoveSource { flow, .. } => {
                vec![flow]
            }
            _ => Vec::new(),
        }
    }

    /// Whether it may be done to a flow with these tags. `recorded`: see [`Identity::ownership_after`].
    #[must_use]
    pub fn may_be_done(&self, identity: &Identity, tags: &BTreeMap<String, String>, recorded: Option<&str>) -> bool {
        let unclaimed = || matches!(self, Self::ClaimFlow { .. }) && owner(tags).is_none();
        identity.ownership_after(tags, recorded).is_ours() || unclaimed()
    }
}

impl crate::plan::Action for Action {
    fn needs_intent(&self) -> bool {
        matches!(self, Self::CreateFlow(_))
    }

    /// The name of a secret is kept in the status.
    fn is_told(&self) -> bool {
        matches!(self, Self::LeaveError { .. } | Self::Copy(CopyAction::Create { .. }))
    }

    fn changes(&self) -> Vec<Change> {
        let source = |name: &str, what| Change::of(format!("input {name}"), what);
        let interface = |name: &str, what| Change::of(format!("interface {name}"), what);
        let flow = |what| vec![Change::of("flow", what)];
        match self {
            Self::Copy(action) => vec![action.change()],
            Self::CreateFlow(_) => flow(What::Made),
            Self::ClaimFlow { .. } | Self::AdoptFlow { .. } | Self::ReleaseFlow { .. } | Self::TagFlow { .. } => {
                flow(What::Tags)
            }
            Self::ResizeFlow { .. } => vec![Change::of("size", What::Settings)],
            Self::SetMaintenance { .. } => vec![Change::of("maintenance window", What::Settings)],
            Self::SetNdi { .. } => vec![Change::of("NDI", What::Settings)],
            Self::SetFailover { .. } => vec![Change::of("failover", What::Settings)],
            Self::AddVpcInterfaces { interfaces, .. } => {
                interfaces.iter().map(|i| interface(&i.name, What::Made)).collect()
            }
            Self::RemoveVpcInterface { name, .. } => vec![interface(name, What::Removed)],
            Self::AddSource { source: new, .. } => vec![source(&new.name, What::Made)],
            Self::UpdateSource { name, .. } => vec![source(name, What::Settings)],
            Self::RemoveSource { name, .. } => vec![source(name, What::Removed)],
            Self::StartFlow { .. } => flow(What::Started),
            Self::StopFlow { .. } => flow(What::Stopped),
            Self::DeleteFlow { .. } => flow(What::Removed),
            Self::LeaveError { .. } => vec![Change::of("flow in ERROR", What::Started)],
        }
    }

    fn is_warning(&self) -> bool {
        matches!(self, Self::LeaveError { .. })
    }

    fn reason(&self) -> Reason {
        match self {
            Self::CreateFlow(_) => Reason::Created,
            Self::StartFlow { .. } => Reason::Started,
            Self::StopFlow { .. } => Reason::Stopped,
            Self::DeleteFlow { .. } => Reason::Deleted,
            Self::LeaveError { .. } => Reason::FlowError,
            Self::TagFlow { .. } | Self::ClaimFlow { .. } | Self::AdoptFlow { .. } => Reason::Adopted,
            Self::ReleaseFlow { .. } => Reason::Retained,
            Self::Copy(action) => action.reason(),
            _ => Reason::Updated,
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Copy(action) => action.sentence(),
            Self::CreateFlow(flow) => format!("Created flow {}", flow.name),
            Self::ClaimFlow { .. } => "Tagged the flow as this Source's".into(),
            Self::AdoptFlow { .. } => "Adopted the flow: from now on it follows the spec".into(),
            Self::ReleaseFlow { .. } => "Took this Source's tags off the flow; nothing else was changed in it".into(),
            Self::TagFlow { .. } => "Renewed the tags of the flow".into(),
            Self::ResizeFlow { size, .. } => format!("Changed the size of the flow to {size}"),
            Self::SetMaintenance { window, .. } => format!("Set the maintenance window to {window}"),
            Self::SetNdi { ndi: Some(_), .. } => "Changed the NDI discovery of the flow".into(),
            Self::SetNdi { ndi: None, .. } => "Switched NDI off in the flow".into(),
            Self::AddVpcInterfaces { .. } => "Added VPC interfaces to the flow".into(),
            Self::RemoveVpcInterface { name, .. } => format!("Removed VPC interface {name} from the flow"),
            Self::SetFailover { failover, .. } => match (failover.enabled, &failover.primary) {
                (true, Some(primary)) => format!("Input {primary} leads"),
                (true, None) => "Set up failover between the inputs".into(),
                (false, _) => "Switched failover off".into(),
            },
            Self::AddSource { source, .. } => format!("Added input {} to the flow", source.name),
            Self::UpdateSource { name, .. } => format!("Changed input {name}"),
            Self::RemoveSource { name, .. } => format!("Took input {name} out of the flow"),
            Self::StartFlow { .. } => "Starting the flow".into(),
            Self::StopFlow { .. } => "Stopping the flow".into(),
            Self::DeleteFlow { .. } => "Deleting the flow".into(),
            Self::LeaveError { toward, errors, .. } => {
                let to = match toward {
                    Toward::Standby => "",
                    Toward::Active => " to start it again",
                    Toward::Nothing => " to delete it",
                };
                format!("AWS reports the flow in state ERROR: {errors}. Stopping it{to}")
            }
        }
    }
}
