//! The decision for a Source. Pure and total: no clock, no client.

use std::collections::BTreeMap;

use serde::Serialize;

use super::observed::{Observed, TestPhase};
use super::wanted::{InputWanted, NdiWanted, Wanted};
use crate::api::policy::RunState;
use crate::api::source::{HealthWord, Priority};
use crate::flow::{Failover, Flow, FlowSeen, FlowState, Password, SourceSettings, VpcInterface};
use crate::names::Ownership;
use crate::passwords::{self, CopyAction};
use crate::plan::{Desired, IN_TRANSITION, Problem, SOON, Step, Waiting};
use crate::reasons::Reason;

/// What can be done for a Source. Values: the log line, the Event and the test assertion are the same thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum Action {
    /// Something for the copy of a password.
    Copy(CopyAction),
    /// Make the flow, with its sources.
    CreateFlow(Box<NewFlow>),
    /// Renew the tags of the flow.
    TagFlow { flow: String, tags: BTreeMap<String, String> },
    /// Change the size of the flow.
    ResizeFlow { flow: String, size: String },
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
}

/// A flow to be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewFlow {
    /// Name.
    pub name: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// One or two sources.
    pub sources: Vec<NewSource>,
    /// Between two of them.
    pub failover: Failover,
    /// Size.
    pub size: Option<String>,
    /// Where.
    pub availability_zone: Option<String>,
    /// Interfaces in VPCs.
    pub vpc_interfaces: Vec<VpcInterface>,
    /// NDI.
    pub ndi: Option<NdiWanted>,
}

/// A source to be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewSource {
    /// Name.
    pub name: String,
    /// Settings.
    pub settings: SourceSettings,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Action {
    /// Whether AWS has no token that makes the call idempotent, and no unique name either: an intent is written first.
    #[must_use]
    pub fn needs_intent(&self) -> bool {
        matches!(self, Self::CreateFlow(_))
    }

    /// The reason of the Event that tells of it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::CreateFlow(_) => Reason::Created,
            Self::StartFlow { .. } => Reason::Started,
            Self::StopFlow { .. } => Reason::Stopped,
            Self::DeleteFlow { .. } => Reason::Deleted,
            Self::TagFlow { .. } => Reason::Adopted,
            Self::Copy(action) => action.reason(),
            _ => Reason::Updated,
        }
    }

    /// What an Event says of it.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Copy(action) => action.sentence(),
            Self::CreateFlow(flow) => format!("Created flow {}", flow.name),
            Self::TagFlow { .. } => "Renewed the tags of the flow".into(),
            Self::ResizeFlow { size, .. } => format!("Changed the size of the flow to {size}"),
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
        }
    }
}

/// Decides.
#[must_use]
pub fn plan(desired: &Desired<Wanted>, retain: bool, seen: &Observed) -> Step<Action> {
    match desired {
        Desired::Absent if !seen.users.all().is_empty() => Step::wait_for_watch(Waiting::InUse(seen.users.all())),
        Desired::Absent if retain => Step::Gone,
        Desired::Absent => toward_absent(seen),
        Desired::Invalid(problem) => Step::Stuck(problem.clone()),
        Desired::Present(wanted) if wanted.suspended => Step::Settled,
        Desired::Present(wanted) => toward_present(wanted, seen),
    }
}

fn toward_absent(seen: &Observed) -> Step<Action> {
    match &seen.flow {
        FlowSeen::Undecided => Step::wait(Waiting::CreateOutcome, IN_TRANSITION),
        FlowSeen::Absent => match seen.secrets.is_empty() {
            true => Step::Gone,
            false => {
                Step::Act(passwords::unused(std::iter::empty(), &seen.secrets).into_iter().map(Action::Copy).collect())
            }
        },
        // Its tags say that it is not ours: it is not ours to remove, and nothing else is left of us.
        FlowSeen::Present(_) if seen.ownership == Ownership::Foreign => Step::Gone,
        FlowSeen::Present(flow) => {
            let managed: Vec<_> =
                flow.outputs.iter().filter(|o| o.managed_by.is_some()).map(|o| o.name.clone()).collect();
            match flow.state {
                FlowState::Deleting => Step::wait(Waiting::FlowDeleting, IN_TRANSITION),
                _ if !managed.is_empty() => Step::wait(Waiting::ManagedOutputs(managed), 5 * IN_TRANSITION),
                FlowState::Active => Step::Act(vec![Action::StopFlow { flow: flow.arn.clone() }]),
                FlowState::Standby | FlowState::Error => Step::Act(vec![Action::DeleteFlow { flow: flow.arn.clone() }]),
                FlowState::Starting | FlowState::Stopping | FlowState::Updating => in_transition(flow.state),
            }
        }
    }
}

fn in_transition<A>(state: FlowState) -> Step<A> {
    match state {
        FlowState::Starting => Step::wait(Waiting::FlowStarting, IN_TRANSITION),
        FlowState::Stopping => Step::wait(Waiting::FlowStopping, IN_TRANSITION),
        FlowState::Deleting => Step::wait(Waiting::FlowDeleting, IN_TRANSITION),
        FlowState::Updating | FlowState::Standby | FlowState::Active | FlowState::Error => {
            Step::wait(Waiting::FlowUpdating, SOON)
        }
    }
}

fn toward_present(wanted: &Wanted, seen: &Observed) -> Step<Action> {
    let copies = passwords::missing(wanted_passwords(wanted), &seen.secrets, &wanted.tags, true);
    if !copies.is_empty() {
        return Step::Act(copies.into_iter().map(Action::Copy).collect());
    }
    let flow = match &seen.flow {
        FlowSeen::Undecided => return Step::wait(Waiting::CreateOutcome, IN_TRANSITION),
        FlowSeen::Absent => return Step::Act(vec![Action::CreateFlow(Box::new(new_flow(wanted, seen)))]),
        FlowSeen::Present(flow) => flow,
    };
    if seen.ownership == Ownership::Foreign {
        return Step::Stuck(Problem::new(
            Reason::NotOurs,
            format!(
                "A flow named {} exists without this Source's ownership tags. Rename or delete it, or restore its tags; it is not touched.",
                flow.name
            ),
        ));
    }
    if flow.state == FlowState::Error {
        // Stopping is the one way out of ERROR that AWS documents; a flow in ERROR costs nothing while nobody wants it.
        return Step::Stuck(Problem::new(
            Reason::FlowError,
            format!(
                "AWS reports the flow in state ERROR: {}. Delete the Source and create it again if it does not recover.",
                if flow.errors.is_empty() { "no reason given".to_string() } else { flow.errors.join("; ") }
            ),
        ));
    }
    if !flow.state.takes_changes() {
        return in_transition(flow.state);
    }
    if let Some(actions) = next_difference(wanted, seen, flow) {
        return Step::Act(actions);
    }
    power(wanted, seen, flow)
}

/// On or off, when everything else is as wished.
fn power(wanted: &Wanted, seen: &Observed, flow: &Flow) -> Step<Action> {
    let testing = matches!(seen.test, TestPhase::Wanted | TestPhase::Running);
    let on = match wanted.state {
        Some(RunState::Running) => true,
        Some(RunState::Stopped) => testing,
        None => testing || !seen.users.on_air.is_empty(),
    };
    match (on, flow.state) {
        (true, FlowState::Standby) => Step::Act(vec![Action::StartFlow { flow: flow.arn.clone() }]),
        (false, FlowState::Active) => Step::Act(vec![Action::StopFlow { flow: flow.arn.clone() }]),
        _ if testing => Step::wait(Waiting::ConnectionTest, IN_TRANSITION),
        _ => Step::Settled,
    }
}

/// Settings with the ARN of the own copy filled in.
fn settled(input: &InputWanted, seen: &Observed) -> SourceSettings {
    let mut settings = input.settings.clone();
    passwords::fill(settings.decryption.as_mut(), input.password.as_ref(), &seen.secrets);
    settings
}

fn wanted_passwords(wanted: &Wanted) -> impl Iterator<Item = &Password> {
    wanted.inputs.iter().filter_map(|input| input.password.as_ref())
}

fn new_source(input: &InputWanted, wanted: &Wanted, seen: &Observed) -> NewSource {
    NewSource { name: input.name.clone(), settings: settled(input, seen), tags: wanted.tags.clone() }
}

fn new_flow(wanted: &Wanted, seen: &Observed) -> NewFlow {
    let placed = placed(wanted, seen, None);
    NewFlow {
        name: wanted.flow_name.clone(),
        tags: wanted.tags.clone(),
        sources: placed.iter().map(|i| new_source(i, wanted, seen)).collect(),
        failover: failover(wanted, &placed),
        size: wanted.size.clone(),
        availability_zone: wanted.availability_zone.clone(),
        vpc_interfaces: wanted.vpc_interfaces.clone(),
        ndi: wanted.ndi.clone(),
    }
}

/// Which inputs have a place in the flow; it has two.
///
/// The emergency input takes the backup's place when both others have failed, or when it is told to lead, and gives it back
/// when the primary is well again: only the primary, which keeps its place, can be seen to recover.
fn placed<'a>(wanted: &'a Wanted, seen: &Observed, flow: Option<&Flow>) -> Vec<&'a InputWanted> {
    let inputs: Vec<&InputWanted> = wanted.inputs.iter().collect();
    if inputs.len() <= 2 {
        return inputs;
    }
    let health = |input: &InputWanted| seen.inputs.get(&input.name).map_or(HealthWord::Unknown, |i| i.health);
    let in_flow = |input: &InputWanted| flow.is_some_and(|f| f.sources.iter().any(|s| s.name == input.name));
    let told = wanted.active_input.as_deref();
    let (primary, backup, emergency) = (inputs[0], inputs[1], inputs[2]);
    debug_assert_eq!(emergency.priority, Priority::Emergency);
    let both_failed = health(primary) == HealthWord::Failed && health(backup) == HealthWord::Failed;
    let still_needed = in_flow(emergency) && health(primary) == HealthWord::Failed;
    if told == Some(emergency.name.as_str()) || (told.is_none() && (both_failed || still_needed)) {
        vec![primary, emergency]
    } else {
        vec![primary, backup]
    }
}

fn failover(wanted: &Wanted, placed: &[&InputWanted]) -> Failover {
    if placed.len() < 2 {
        return Failover::default();
    }
    match wanted.merge {
        Some(recovery_window) => Failover { enabled: true, merge: true, recovery_window, primary: None },
        None => {
            let leads = wanted
                .active_input
                .as_ref()
                .filter(|name| placed.iter().any(|i| &i.name == *name))
                .unwrap_or(&placed[0].name);
            Failover { enabled: true, merge: false, recovery_window: None, primary: Some(leads.clone()) }
        }
    }
}

fn failover_differs(wish: &Failover, seen: &Failover) -> bool {
    wish.enabled != seen.enabled
        || (wish.enabled
            && (wish.merge != seen.merge
                || (!wish.merge && wish.primary != seen.primary)
                || (wish.merge && wish.recovery_window.is_some() && wish.recovery_window != seen.recovery_window)))
}

/// The next change that leads from what is to what is wanted. One at a time where AWS puts the flow into UPDATING.
fn next_difference(wanted: &Wanted, seen: &Observed, flow: &Flow) -> Option<Vec<Action>> {
    let arn = || flow.arn.clone();
    if wanted.tags.iter().any(|(k, v)| seen.tags.get(k) != Some(v)) {
        return Some(vec![Action::TagFlow { flow: arn(), tags: wanted.tags.clone() }]);
    }
    if let Some(size) = wanted.size.as_ref().filter(|s| flow.size.as_ref().is_some_and(|seen| seen != *s)) {
        return Some(vec![Action::ResizeFlow { flow: arn(), size: size.clone() }]);
    }
    let missing: Vec<_> = wanted
        .vpc_interfaces
        .iter()
        .filter(|w| !flow.vpc_interfaces.iter().any(|v| v.name == w.name))
        .cloned()
        .collect();
    if !missing.is_empty() {
        return Some(vec![Action::AddVpcInterfaces { flow: arn(), interfaces: missing }]);
    }
    if let Some(action) = next_source_change(wanted, seen, flow) {
        return Some(vec![action]);
    }
    // After the sources, so that no source stands on an interface that goes.
    if let Some(left) = flow.vpc_interfaces.iter().find(|v| !wanted.vpc_interfaces.iter().any(|w| w.name == v.name)) {
        return Some(vec![Action::RemoveVpcInterface { flow: arn(), name: left.name.clone() }]);
    }
    let unused = passwords::unused(wanted_passwords(wanted), &seen.secrets);
    (!unused.is_empty()).then(|| unused.into_iter().map(Action::Copy).collect())
}

/// The order keeps a source that carries the show: what is new comes before what is old goes, where there is room.
fn next_source_change(wanted: &Wanted, seen: &Observed, flow: &Flow) -> Option<Action> {
    let arn = || flow.arn.clone();
    let placed = placed(wanted, seen, Some(flow));
    let wish = failover(wanted, &placed);
    let keeps = |name: &str| {
        placed.iter().find(|i| i.name == name).is_some_and(|input| {
            flow.sources.iter().any(|s| s.name == name && !settled(input, seen).needs_replacement(&s.settings))
        })
    };
    let missing = placed.iter().find(|i| !keeps(&i.name));
    let surplus = flow.sources.iter().find(|s| !keeps(&s.name));

    if let Some(new) = missing {
        let name_is_taken = flow.sources.iter().any(|s| s.name == new.name);
        // A full flow, or one in which the old source holds the name, has to give up a place first. The last source cannot
        // be removed, so that a single source is replaced by way of a second place only under another name.
        if flow.sources.len() >= 2
            && let Some(old) = surplus
        {
            // The one that leads is spared if another can go.
            return Some(Action::RemoveSource { flow: arn(), arn: old.arn.clone(), name: old.name.clone() });
        }
        if name_is_taken {
            let old = flow.sources.iter().find(|s| s.name == new.name)?;
            return Some(Action::UpdateSource {
                flow: arn(),
                arn: old.arn.clone(),
                name: new.name.clone(),
                settings: Box::new(settled(new, seen)),
            });
        }
        if !flow.failover.enabled {
            let failover = Failover { enabled: true, ..Failover::default() };
            return Some(Action::SetFailover { flow: arn(), failover });
        }
        return Some(Action::AddSource { flow: arn(), source: new_source(new, wanted, seen) });
    }
    for input in &placed {
        let settings = settled(input, seen);
        if let Some(old) = flow.sources.iter().find(|s| s.name == input.name)
            && !settings.differences(&old.settings).is_empty()
        {
            return Some(Action::UpdateSource {
                flow: arn(),
                arn: old.arn.clone(),
                name: input.name.clone(),
                settings: Box::new(settings),
            });
        }
    }
    if let Some(old) = surplus {
        return Some(Action::RemoveSource { flow: arn(), arn: old.arn.clone(), name: old.name.clone() });
    }
    failover_differs(&wish, &flow.failover).then(|| Action::SetFailover { flow: arn(), failover: wish })
}
