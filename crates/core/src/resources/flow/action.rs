//! What can be done to a flow, as values.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ndi::Ndi;
use super::{Failover, MaintenanceWindow, NewFlow, NewSource, SourceSettings, VpcInterface};
use crate::action::{Action, Effect, Intent};
use crate::fight::{Change, What};
use crate::identity::{Identity, owner};
use crate::reasons::Reason;

/// What can be done to a flow, its sources and its interfaces.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are what their names say")]
#[expect(clippy::large_enum_variant, reason = "a step has one or two of them")]
pub enum FlowAction {
    /// Make the flow, with its sources.
    Create(Box<NewFlow>),
    /// Put the ownership tags on a flow that was there before.
    Claim { flow: String, tags: BTreeMap<String, String> },
    /// Put the mark on it that says that its changes were confirmed.
    Adopt { flow: String, tags: BTreeMap<String, String> },
    /// Take the ownership tags off a flow that was never adopted.
    Release { flow: String, keys: Vec<String> },
    /// Renew the tags of the flow.
    Tag { flow: String, tags: BTreeMap<String, String> },
    /// Change the size of the flow.
    Resize { flow: String, size: String },
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
    Start { flow: String },
    /// Stop the flow.
    Stop { flow: String },
    /// Remove the flow.
    Delete { flow: String },
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

impl FlowAction {
    /// The flow whose ownership tags are read anew before this is done: it ends the flow's show, or tags it.
    #[must_use]
    pub fn asks_whose(&self) -> Option<&str> {
        match self {
            Self::Claim { flow, .. }
            | Self::Adopt { flow, .. }
            | Self::Release { flow, .. }
            | Self::Tag { flow, .. }
            | Self::Stop { flow }
            | Self::Delete { flow }
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
        let unclaimed = || matches!(self, Self::Claim { .. }) && owner(tags).is_none();
        identity.ownership_after(tags, recorded).is_ours() || unclaimed()
    }
}

impl Action for FlowAction {
    /// AWS has no token for a flow, and takes two of one name.
    fn intent(&self) -> Intent {
        if let Self::Create(_) = self { Intent::Before } else { Intent::None }
    }

    fn effect(&self) -> Effect {
        let source = |name: &str, what| vec![Change::of(format!("input {name}"), what)];
        let interface = |name: &str, what| Change::of(format!("interface {name}"), what);
        let flow = |what| vec![Change::of("flow", what)];
        let settings = |of: &str| vec![Change::of(of, What::Settings)];
        let updated = |changes, sentence: String| Effect::new(changes, Reason::Updated, sentence);
        match self {
            Self::Create(new) => Effect::new(flow(What::Made), Reason::Created, format!("Created flow {}", new.name)),
            Self::Claim { .. } => Effect::new(flow(What::Tags), Reason::Adopted, "Tagged the flow as this Source's"),
            Self::Adopt { .. } => {
                Effect::new(flow(What::Tags), Reason::Adopted, "Adopted the flow: from now on it follows the spec")
            }
            Self::Release { .. } => Effect::new(
                flow(What::Tags),
                Reason::Retained,
                "Took this Source's tags off the flow; nothing else was changed in it",
            ),
            Self::Tag { .. } => Effect::new(flow(What::Tags), Reason::Adopted, "Renewed the tags of the flow"),
            Self::Resize { size, .. } => updated(settings("size"), format!("Changed the size of the flow to {size}")),
            Self::SetMaintenance { window, .. } => {
                updated(settings("maintenance window"), format!("Set the maintenance window to {window}"))
            }
            Self::SetNdi { ndi: Some(_), .. } => {
                updated(settings("NDI"), "Changed the NDI discovery of the flow".into())
            }
            Self::SetNdi { ndi: None, .. } => updated(settings("NDI"), "Switched NDI off in the flow".into()),
            Self::AddVpcInterfaces { interfaces, .. } => {
                let made = interfaces.iter().map(|i| interface(&i.name, What::Made)).collect();
                updated(made, "Added VPC interfaces to the flow".into())
            }
            Self::RemoveVpcInterface { name, .. } => {
                updated(vec![interface(name, What::Removed)], format!("Removed VPC interface {name} from the flow"))
            }
            Self::SetFailover { failover, .. } => updated(
                settings("failover"),
                match (failover.enabled, &failover.primary) {
                    (true, Some(primary)) => format!("Input {primary} leads"),
                    (true, None) => "Set up failover between the inputs".into(),
                    (false, _) => "Switched failover off".into(),
                },
            ),
            Self::AddSource { source: new, .. } => {
                updated(source(&new.name, What::Made), format!("Added input {} to the flow", new.name))
            }
            Self::UpdateSource { name, .. } => updated(source(name, What::Settings), format!("Changed input {name}")),
            Self::RemoveSource { name, .. } => {
                updated(source(name, What::Removed), format!("Took input {name} out of the flow"))
            }
            Self::Start { .. } => Effect::new(flow(What::Started), Reason::Started, "Starting the flow"),
            Self::Stop { .. } => Effect::new(flow(What::Stopped), Reason::Stopped, "Stopping the flow"),
            Self::Delete { .. } => Effect::new(flow(What::Removed), Reason::Deleted, "Deleting the flow"),
            Self::LeaveError { toward, errors, .. } => {
                let to = match toward {
                    Toward::Standby => "",
                    Toward::Active => " to start it again",
                    Toward::Nothing => " to delete it",
                };
                let sentence = format!("AWS reports the flow in state ERROR: {errors}. Stopping it{to}");
                let changes = vec![Change::of("flow in ERROR", What::Started)];
                Effect { is_warning: true, ..Effect::new(changes, Reason::FlowError, sentence).kept() }
            }
        }
    }
}
