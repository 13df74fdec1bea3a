//! What the flow is to be, from the wish and what was seen: on or off, which inputs have a place in it and which of them leads;
//! and what AWS offers no way to.

use std::collections::BTreeSet;

use super::inputs;
use super::observed::{Observed, TestPhase};
use super::wanted::{InputWanted, Wanted};
use crate::api::policy::RunState;
use crate::api::source::{InputHealth, Priority};
use crate::existence::Existence;
use crate::failure::Problem;
use crate::plan::{Deferred, IN_TRANSITION, SOON, Step};
use crate::reasons::Reason;
use crate::resources::flow::{Failover, Flow, FlowState, Protocol, SourceSettings, VpcInterface};
use crate::resources::secret_copy;

/// Whether the flow is to run.
#[must_use]
pub fn is_on(wanted: &Wanted, seen: &Observed) -> bool {
    is_tested(seen) || runs_anyway(wanted, seen)
}

/// Whether it is to run without a connection test, too.
pub(super) fn runs_anyway(wanted: &Wanted, seen: &Observed) -> bool {
    match wanted.state {
        Some(state) => state == RunState::Running,
        None => !seen.users.on_air.is_empty(),
    }
}

/// Whether an output sends. Under `Auto` that is use, whoever's it is: a show that was retained, whose Destination is not back
/// yet, or one that MediaLive takes. Destinations switch their outputs off before they let go.
#[must_use]
pub fn is_sending(flow: &Flow) -> bool {
    flow.outputs.iter().any(|output| output.enabled)
}

pub(super) fn is_tested(seen: &Observed) -> bool {
    matches!(seen.test, TestPhase::Wanted | TestPhase::Running)
}

/// Settings with the ARN of the own copy filled in.
pub(super) fn settled(input: &InputWanted, seen: &Observed) -> SourceSettings {
    let mut settings = input.settings.clone();
    let source = seen.flow.present().and_then(|flow| flow.sources.iter().find(|s| s.name == input.name));
    let read = source.and_then(|source| source.settings.decryption.as_ref());
    secret_copy::fill(settings.decryption.as_mut(), input.password.as_ref(), &seen.secrets, read);
    settings
}

/// Which inputs have a place in the flow; it has two.
///
/// The emergency input takes the backup's place when both others have failed, or when it is told to lead, and gives it back
/// when the primary is known to be well again: only the primary, which keeps its place, can be seen to recover. No
/// measurement is no recovery. Only a flow on the air is measured, so a stopped one has its inputs in order.
pub(super) fn placed<'a>(wanted: &'a Wanted, seen: &Observed, flow: Option<&Flow>) -> Vec<&'a InputWanted> {
    let inputs: Vec<&InputWanted> = wanted.inputs.iter().collect();
    let &[primary, backup, emergency, ..] = inputs.as_slice() else { return inputs };
    let health = |input: &InputWanted| seen.inputs.get(&input.name).map_or(InputHealth::Unknown, |i| i.health);
    let in_flow = |input: &InputWanted| flow.is_some_and(|f| f.sources.iter().any(|s| s.name == input.name));
    debug_assert_eq!(emergency.priority, Priority::Emergency);
    let needed = match (health(primary), in_flow(emergency)) {
        (InputHealth::Healthy | InputHealth::Degraded, _) => false,
        (InputHealth::Failed | InputHealth::Unknown, true) => true,
        // A backup that has left the flow is the middle of this swap; nobody measures it any more.
        (InputHealth::Failed, false) => health(backup) == InputHealth::Failed || !in_flow(backup),
        (InputHealth::Unknown, false) => false,
    };
    let leads = match &wanted.active_input {
        Some(told) => told == &emergency.name,
        None => needed && flow.is_some_and(|f| f.state == FlowState::Active),
    };
    vec![primary, if leads { emergency } else { backup }]
}

pub(super) fn failover(wanted: &Wanted, placed: &[&InputWanted]) -> Failover {
    let [first, _, ..] = placed else { return Failover::default() };
    match wanted.merge {
        Some(recovery_window) => Failover { enabled: true, merge: true, recovery_window, primary: None },
        None => {
            let leads = wanted
                .active_input
                .as_ref()
                .filter(|name| placed.iter().any(|i| &i.name == *name))
                .unwrap_or(&first.name);
            Failover { enabled: true, merge: false, recovery_window: None, primary: Some(leads.clone()) }
        }
    }
}

pub(super) fn failover_differs(wish: &Failover, seen: &Failover) -> bool {
    wish.enabled != seen.enabled
        || (wish.enabled
            && (wish.merge != seen.merge
                || (!wish.merge && wish.primary != seen.primary)
                || (wish.merge && wish.recovery_window.is_some() && wish.recovery_window != seen.recovery_window)))
}

/// The size that the flow is to have and has not.
pub(super) fn resized<'a>(wanted: &'a Wanted, flow: &Flow) -> Option<&'a String> {
    wanted.size.as_ref().filter(|size| flow.size.as_ref().is_some_and(|seen| seen != *size))
}

/// Whether AWS changes the size now: "The flow must be inactive" (flows-update-size.html of the MediaConnect user guide).
pub(super) fn takes_size(flow: &Flow) -> bool {
    flow.state == FlowState::Standby
}

/// Whether the inputs wait for a size, too: NDI needs a large flow.
pub(super) fn inputs_wait(wanted: &Wanted, flow: &Flow) -> bool {
    wanted.ndi.is_some() && flow.ndi.is_none() && resized(wanted, flow).is_some() && !takes_size(flow)
}

/// Changes that wait: for the flow to be stopped, or for another input to receive a signal.
#[must_use]
pub fn pending(wanted: &Wanted, seen: &Observed) -> Vec<Deferred> {
    let Existence::Present(flow) = &seen.flow else { return Vec::new() };
    if !seen.management.is_own() || !seen.ownership.is_ours() || wanted.problem.is_some() {
        return Vec::new();
    }
    let mut list = Vec::new();
    if !takes_size(flow) && resized(wanted, flow).is_some() {
        let fields: &[&str] = if inputs_wait(wanted, flow) { &["flowSize", "ndi", "inputs"] } else { &["flowSize"] };
        let why = format!(
            "Changes of {} wait until it is stopped, because AWS changes the size of a stopped flow only.",
            fields.join(", ")
        );
        list.push(Deferred { fields: fields.iter().map(|field| (*field).to_string()).collect(), why });
    }
    if let Some(source) = inputs::kept_on_the_air(wanted, seen, flow) {
        let why = format!(
            "A change of inputs waits: input {} is the only one that receives a signal, and stays until another one does or the flow is stopped.",
            source.name
        );
        list.push(Deferred { fields: vec!["inputs".into()], why });
    }
    list
}

/// The fields of the spec whose changes wait.
#[must_use]
pub fn pending_changes(wanted: &Wanted, seen: &Observed) -> Vec<String> {
    Deferred::fields(&pending(wanted, seen))
}

/// Whether NDI can be switched off: nothing on the flow speaks it.
pub(super) fn is_without_ndi(flow: &Flow) -> bool {
    let mut spoken =
        flow.sources.iter().map(|s| s.settings.protocol).chain(flow.outputs.iter().map(|o| o.settings.protocol));
    spoken.all(|protocol| protocol != Protocol::Ndi)
}

pub(super) fn stands_on(flow: &Flow, interface: &str) -> bool {
    flow.sources.iter().any(|s| s.settings.vpc_interface.as_deref() == Some(interface))
        || flow.ndi.as_ref().is_some_and(|ndi| ndi.stands_on(interface))
}

pub(super) fn is_interface(wish: &VpcInterface, seen: &VpcInterface) -> bool {
    let groups = |v: &VpcInterface| v.security_group_ids.iter().cloned().collect::<BTreeSet<_>>();
    wish.name == seen.name
        && wish.subnet_id == seen.subnet_id
        && wish.role_arn == seen.role_arn
        && groups(wish) == groups(seen)
}

/// What AWS offers no way to: to change an interface on which a source or NDI discovery stands, and to exchange an NDI source for another,
/// which would need a second place for a moment.
pub(super) fn impossible(wanted: &Wanted, flow: &Flow) -> Option<Problem> {
    let changed = wanted.vpc_interfaces.iter().find(|w| {
        stands_on(flow, &w.name) && flow.vpc_interfaces.iter().any(|v| v.name == w.name && !is_interface(w, v))
    });
    if let Some(changed) = changed {
        let text = format!(
            "spec.network.vpcInterfaces[{}]: AWS cannot change an interface that an input or NDI discovery uses. Give the changed interface a new name, there and in every vpcInterface.",
            changed.name
        );
        return Some(Problem::new(Reason::InvalidSpec, text));
    }
    let input = wanted.inputs.first().filter(|i| is_ndi_exchange(&i.settings, &i.name, flow))?;
    let text = format!(
        "spec.inputs[{}]: AWS cannot exchange an NDI input for one of another name. Use the old name, or delete the Source and create it again.",
        input.name
    );
    Some(Problem::new(Reason::InvalidSpec, text))
}

pub(super) fn is_ndi_exchange(new: &SourceSettings, name: &str, flow: &Flow) -> bool {
    let ndi = |s: &SourceSettings| s.protocol == Protocol::Ndi;
    flow.sources.iter().all(|s| s.name != name) && (ndi(new) || flow.sources.iter().any(|s| ndi(&s.settings)))
}

/// Waits for a flow that takes no changes now.
pub(super) fn in_transition<A>(state: FlowState) -> Step<A> {
    let poll = match state {
        FlowState::Starting | FlowState::Stopping | FlowState::Deleting => IN_TRANSITION,
        FlowState::Updating | FlowState::Standby | FlowState::Active | FlowState::Error => SOON,
    };
    Step::wait(state.waiting(), poll)
}
