//! The decision for a Source. Pure and total: no clock, no client.

use std::hash::{Hash as _, Hasher};

pub use super::action::Action;
use super::differences::difference;
use super::external;
use super::inputs;
use super::left::last_word;
use super::observed::{FlowQuota, Management, Observed, TestPhase};
use super::target::{
    failover, impossible, in_transition, inputs_wait, is_interface, is_tested, is_without_ndi, placed, resized,
    runs_anyway, stands_on, takes_size,
};
pub use super::target::{is_on, is_sending, pending, pending_changes};
use super::wanted::Wanted;
use crate::existence::Existence;
use crate::failure::Problem;
use crate::fight::Left;
use crate::frame::{Facts, Wish, frame};
use crate::identity::{Ownership, TAG_UID, owner};
use crate::left::Farewell;
use crate::plan::{Desired, IN_TRANSITION, Plan, Step};
use crate::reasons::Reason;
use crate::resources::flow::{Flow, FlowAction, FlowState, NewFlow, Password, Toward};
use crate::resources::secret_copy;
use crate::usage::Counted;
use crate::waiting::Waiting;

/// Decides, in the frame of all kinds.
#[must_use]
pub fn plan(desired: &Desired<Wanted>, retain: bool, seen: &Observed) -> Step<Action> {
    frame(desired, retain, seen).step
}

impl Wish for Wanted {
    type Seen = Observed;
    type Action = Action;
    type Memory = ();

    fn plan(&self, seen: &Observed) -> Plan<Action, ()> {
        Plan { deferred: pending(self, seen), ..toward_present(self, seen).into() }
    }

    fn rest(&self, seen: &Observed) -> Plan<Action, ()> {
        Plan { deferred: pending(self, seen), ..Step::Settled.into() }
    }

    fn housekeeping(&self, seen: &Observed) -> Vec<Action> {
        housekeeping(self, seen)
    }

    fn is_suspended(&self) -> bool {
        self.suspended
    }

    fn is_on(&self, seen: &Observed) -> bool {
        is_on(self, seen)
    }

    fn hash_keys(&self, hash: &mut impl Hasher) {
        for input in &self.inputs {
            let rtmp = input.settings.rtmp.as_ref().map(|path| path.stream.fingerprint());
            (&input.name, input.password.as_ref().map(|p| &p.name), rtmp).hash(hash);
        }
    }

    fn difference(_: Option<&Self>, seen: &Observed, action: &Action) -> String {
        difference(seen, action)
    }
}

impl Facts for Observed {
    type Action = Action;

    fn retire(&self) -> Step<Action> {
        toward_absent(self)
    }

    fn before_it_goes(&self, retain: bool) -> Option<Step<Action>> {
        // Of what is not there nobody has a use.
        if !self.users.all().is_empty() && self.flow != Existence::Absent {
            return Some(while_in_use(retain, self));
        }
        // What is only used is not the Source's to remove.
        if self.management == Management::Referenced {
            return Some(Step::Gone);
        }
        if retain { stop_unused(self) } else { None }
    }

    fn last_word(&self) -> Farewell {
        last_word(self)
    }

    fn is_demanded(&self) -> bool {
        !self.users.on_air.is_empty() || self.test != TestPhase::None
    }

    fn leave(&mut self, left: Left) {
        self.left = left;
    }
}

/// Who keeps a flow does not ask to pay for one that nobody uses: under `Auto` it is stopped, and then let go.
fn stop_unused(seen: &Observed) -> Option<Step<Action>> {
    match &seen.flow {
        // What is let go is named, so it must be seen.
        Existence::Unknown => Some(Step::wait(Waiting::CreateOutcome, IN_TRANSITION)),
        Existence::Present(flow) if is_own(seen) && seen.auto && !is_sending(flow) => match flow.state {
            FlowState::Active => Some(Step::Act(vec![Action::Flow(FlowAction::Stop { flow: flow.arn.clone() })])),
            FlowState::Starting | FlowState::Stopping | FlowState::Updating => Some(in_transition(flow.state)),
            FlowState::Standby | FlowState::Deleting | FlowState::Error => None,
        },
        Existence::Present(_) | Existence::Absent => None,
    }
}

fn is_own(seen: &Observed) -> bool {
    seen.management.is_own() && seen.ownership.is_ours()
}

/// The users are waited for. A flow that none of them has on the air is paid for and would only be removed; one that is
/// retained stays as it is, unless it runs for its users alone.
fn while_in_use(retain: bool, seen: &Observed) -> Step<Action> {
    let wait = |poll| Step::Wait { on: Waiting::InUse(seen.users.all()), poll };
    let Existence::Present(flow) = &seen.flow else { return wait(None) };
    if retain && !seen.auto || !is_own(seen) {
        return wait(None);
    }
    // It sends nothing, and takes no change, so that nobody could let go of it: what its users have on it goes with it.
    if flow.state == FlowState::Error {
        let is_all_theirs = flow.outputs.iter().all(|o| seen.users.outputs.contains(&o.arn));
        return leave_error(flow, if is_all_theirs && !retain { Toward::Nothing } else { Toward::Standby });
    }
    if !seen.users.on_air.is_empty() || is_sending(flow) {
        return wait(None);
    }
    match flow.state {
        FlowState::Active => Step::Act(vec![Action::Flow(FlowAction::Stop { flow: flow.arn.clone() })]),
        FlowState::Starting | FlowState::Stopping | FlowState::Updating => wait(Some(IN_TRANSITION)),
        FlowState::Standby | FlowState::Deleting | FlowState::Error => wait(None),
    }
}

fn toward_absent(seen: &Observed) -> Step<Action> {
    match &seen.flow {
        Existence::Unknown => Step::wait(Waiting::CreateOutcome, IN_TRANSITION),
        // Whoever has taken the flow over has the rest, too.
        Existence::Present(_) if seen.ownership == Ownership::TakenOver => Step::Gone,
        Existence::Present(flow) if seen.ownership.is_ours() => {
            if matches!(seen.management, Management::AdoptionPending { .. }) {
                return external::release(flow);
            }
            let managed: Vec<_> =
                flow.outputs.iter().filter(|o| o.managed_by.is_some()).map(|o| o.name.clone()).collect();
            match flow.state {
                FlowState::Deleting => Step::wait(Waiting::FlowDeleting, IN_TRANSITION),
                _ if !managed.is_empty() => Step::wait(Waiting::ManagedOutputs(managed), 5 * IN_TRANSITION),
                // What is left on it was there before, is somebody else's, or was kept on purpose: it would go with the flow.
                _ if !flow.outputs.is_empty() => {
                    let names = flow.outputs.iter().map(|o| o.name.clone()).collect();
                    Step::wait(Waiting::ForeignOutputs(names), 5 * IN_TRANSITION)
                }
                FlowState::Active => Step::Act(vec![Action::Flow(FlowAction::Stop { flow: flow.arn.clone() })]),
                FlowState::Standby => Step::Act(vec![Action::Flow(FlowAction::Delete { flow: flow.arn.clone() })]),
                FlowState::Error => leave_error(flow, Toward::Nothing),
                FlowState::Starting | FlowState::Stopping | FlowState::Updating => in_transition(flow.state),
            }
        }
        // A flow whose tags say that it is not ours is not ours to remove; what else is ours is.
        Existence::Absent | Existence::Present(_) => match seen.secrets.is_empty() {
            true => Step::Gone,
            false => {
                let copies = secret_copy::unused(std::iter::empty(), &seen.secrets, std::iter::empty());
                Step::Act(copies.into_iter().map(Action::Copy).collect())
            }
        },
    }
}

fn leave_error(flow: &Flow, toward: Toward) -> Step<Action> {
    Step::Act(vec![Action::Flow(FlowAction::LeaveError { flow: flow.arn.clone(), toward, errors: flow.told_errors() })])
}

fn exceeded(FlowQuota { usage, ahead, region }: &FlowQuota) -> Option<Problem> {
    usage.exceeded(Counted::Flows, *ahead, region)
}

fn toward_present(wanted: &Wanted, seen: &Observed) -> Step<Action> {
    if let Some(step) = external::toward_present(wanted, seen) {
        return step;
    }
    if let Some(flow) = seen.lost() {
        return Step::Stalled(lost(flow, seen));
    }
    // Before anything that AWS could refuse: what cannot be changed, or not even understood, can still be stopped.
    if let Existence::Present(flow) = &seen.flow
        && !is_on(wanted, seen)
    {
        match flow.state {
            FlowState::Active if wanted.state.is_some() || !is_sending(flow) => {
                return Step::Act(vec![Action::Flow(FlowAction::Stop { flow: flow.arn.clone() })]);
            }
            FlowState::Error => return leave_error(flow, Toward::Standby),
            _ => {}
        }
    }
    if let Some(problem) = &wanted.problem {
        return match &seen.flow {
            Existence::Present(flow) if matches!(flow.state, FlowState::Starting | FlowState::Stopping) => {
                in_transition(flow.state)
            }
            _ => Step::Stalled(problem.clone()),
        };
    }
    let copies = secret_copy::missing(wanted_passwords(wanted), &seen.secrets, &wanted.tags);
    let copies: Vec<_> = copies.into_iter().map(Action::Copy).collect();
    let next = seen.left.allowed(copies.clone());
    if !next.is_empty() {
        return Step::Act(next);
    }
    let flow = match &seen.flow {
        Existence::Unknown => return Step::wait(Waiting::CreateOutcome, IN_TRANSITION),
        Existence::Absent => {
            return match seen.quota.as_ref().and_then(exceeded) {
                Some(problem) => Step::Stalled(problem),
                None => Step::Act(match new_flow(wanted, seen) {
                    Some(new) => vec![Action::Flow(FlowAction::Create(Box::new(new)))],
                    None => copies,
                }),
            };
        }
        Existence::Present(flow) => flow,
    };
    if flow.state == FlowState::Error {
        return leave_error(flow, Toward::Active);
    }
    if !flow.state.takes_changes() {
        return in_transition(flow.state);
    }
    if let Some(actions) = next_difference(wanted, seen, flow) {
        return Step::Act(actions);
    }
    if flow.state == FlowState::Standby && is_on(wanted, seen) {
        return Step::Act(vec![Action::Flow(FlowAction::Start { flow: flow.arn.clone() })]);
    }
    // Nothing that a show needs, and without an interruption: after everything else.
    if let Some(window) = wanted.maintenance.as_ref().filter(|window| flow.maintenance.as_ref() != Some(*window)) {
        let set = Action::Flow(FlowAction::SetMaintenance { flow: flow.arn.clone(), window: window.clone() });
        if !seen.left.leaves(&set) {
            return Step::Act(vec![set]);
        }
    }
    match impossible(wanted, flow) {
        Some(problem) => Step::Stalled(problem),
        // What runs anyway is looked at, and is as requested meanwhile.
        None if is_tested(seen) && !runs_anyway(wanted, seen) => Step::wait(Waiting::ConnectionTest, IN_TRANSITION),
        _ => Step::Settled,
    }
}

/// Whether the sources of the flow are on their way to what is requested: what one of them has now, a port that it stepped aside to perhaps,
/// it has for a moment.
pub(super) fn sources_move(wanted: &Wanted, seen: &Observed, flow: &Flow) -> bool {
    if wanted.suspended || wanted.problem.is_some() || !is_own(seen) || seen.left.refusal.is_some() {
        return false;
    }
    let changed_next = match flow.state {
        FlowState::Updating => next_difference(wanted, seen, &Flow { state: FlowState::Active, ..flow.clone() }),
        _ => next_difference(wanted, seen, flow),
    };
    changed_next.into_iter().flatten().any(|action| matches!(action, Action::Flow(FlowAction::UpdateSource { .. })))
}

/// What is said of a flow that is recorded, or has the expected name, and is not the Source's.
fn lost(flow: &Flow, seen: &Observed) -> Problem {
    let arn = &flow.arn;
    let runs = if flow.state == FlowState::Standby { "" } else { " It runs and is billed." };
    let sends = match flow.outputs.iter().filter(|o| o.enabled).count() {
        _ if flow.state == FlowState::Standby => String::new(),
        0 => String::new(),
        1 => " One output still sends from it.".into(),
        n => format!(" {n} outputs still send from it."),
    };
    if seen.ownership == Ownership::TakenOver {
        let uid = seen.tags.get(TAG_UID).map_or("(not said)", String::as_str);
        let text = format!(
            "Flow {arn} was taken over by the Source of the same cluster id, namespace and name that has UID {uid}: two clusters have one identity. This one does nothing any more. Delete it here, which removes nothing in AWS; to take the flow back, create it anew."
        );
        return Problem::new(Reason::TakenOver, text);
    }
    let whose = owner(&seen.tags)
        .map_or("no ownership tags".into(), |owner| format!("the tags of {owner} and not this Source's"));
    let text = format!(
        "Flow {arn} has {whose}: it is not touched, and nothing more is started on it.{runs}{sends} If it is this Source's, restore its tags; else delete it, or give this Source another name. After a change of --cluster-id, start the operator with the old one."
    );
    Problem::new(Reason::NotOurs, text)
}

/// What is put in order beside the step, and holds up nothing: tags, and copies of passwords that nothing reads.
#[must_use]
pub fn housekeeping(wanted: &Wanted, seen: &Observed) -> Vec<Action> {
    let Existence::Present(flow) = &seen.flow else { return Vec::new() };
    if flow.state == FlowState::Deleting || wanted.problem.is_some() || !is_own(seen) {
        return Vec::new();
    }
    let mut actions = Vec::new();
    if wanted.tags.iter().any(|(k, v)| seen.tags.get(k) != Some(v)) {
        actions.push(Action::Flow(FlowAction::Tag { flow: flow.arn.clone(), tags: wanted.tags.clone() }));
    }
    // A source whose change comes later still reads the password that it has.
    let read = flow.sources.iter().map(|s| s.settings.decryption.as_ref());
    let unused = secret_copy::unused(wanted_passwords(wanted), &seen.secrets, read);
    actions.extend(unused.into_iter().map(Action::Copy));
    actions
}

fn wanted_passwords(wanted: &Wanted) -> impl Iterator<Item = &Password> {
    wanted.inputs.iter().filter_map(|input| input.password.as_ref())
}

/// With the inputs of which all is known. `None`: of none.
fn new_flow(wanted: &Wanted, seen: &Observed) -> Option<NewFlow> {
    let placed: Vec<_> =
        placed(wanted, seen, None).into_iter().filter(|input| inputs::is_complete(input, seen)).collect();
    if placed.is_empty() {
        return None;
    }
    Some(NewFlow {
        name: wanted.flow_name.clone(),
        tags: wanted.tags.clone(),
        sources: placed.iter().map(|i| inputs::new_source(i, wanted, seen)).collect(),
        failover: failover(wanted, &placed),
        size: wanted.size.clone(),
        availability_zone: wanted.availability_zone.clone(),
        vpc_interfaces: wanted.vpc_interfaces.clone(),
        ndi: wanted.ndi.clone(),
        maintenance: wanted.maintenance.clone(),
    })
}

/// Interfaces in VPCs that a flow may have (of type ENA).
const INTERFACES_PER_FLOW: usize = 2;

/// The next change that leads from what is to what is wanted. One at a time where AWS puts the flow into UPDATING.
fn next_difference(wanted: &Wanted, seen: &Observed, flow: &Flow) -> Option<Vec<Action>> {
    let arn = || flow.arn.clone();
    // What is left holds up nothing that comes after it.
    let next = |actions: Vec<Action>| Some(seen.left.allowed(actions)).filter(|allowed| !allowed.is_empty());
    // What AWS does not take of a running flow waits for its stop and holds up nothing else.
    let size = resized(wanted, flow).filter(|_| takes_size(flow));
    let resize = size.and_then(|size| next(vec![Action::Flow(FlowAction::Resize { flow: arn(), size: size.clone() })]));
    let inputs_wait = inputs_wait(wanted, flow);
    // NDI needs a large flow: it grows before, and shrinks after.
    let ndi_goes = wanted.ndi.is_none() && flow.ndi.is_some();
    if resize.is_some() && !ndi_goes {
        return resize;
    }
    let missing: Vec<_> = wanted
        .vpc_interfaces
        .iter()
        .filter(|w| !flow.vpc_interfaces.iter().any(|v| v.name == w.name))
        .cloned()
        .collect();
    let left = flow
        .vpc_interfaces
        .iter()
        .find(|v| !stands_on(flow, &v.name) && !wanted.vpc_interfaces.iter().any(|w| is_interface(w, v)))
        .and_then(|v| next(vec![Action::Flow(FlowAction::RemoveVpcInterface { flow: arn(), name: v.name.clone() })]));
    // What goes makes room when there is none; otherwise what is new comes first.
    if left.is_some() && flow.vpc_interfaces.len() + missing.len() > INTERFACES_PER_FLOW {
        return left;
    }
    if !missing.is_empty()
        && let Some(add) = next(vec![Action::Flow(FlowAction::AddVpcInterfaces { flow: arn(), interfaces: missing })])
    {
        return Some(add);
    }
    if let Some(ndi) = wanted.ndi.as_ref().filter(|ndi| ndi.differs(flow.ndi.as_ref()) && !inputs_wait)
        && let Some(set) = next(vec![Action::Flow(FlowAction::SetNdi { flow: arn(), ndi: Some(ndi.clone()) })])
    {
        return Some(set);
    }
    if !inputs_wait && let Some(action) = inputs::next(wanted, seen, flow) {
        return Some(vec![action]);
    }
    if ndi_goes
        && is_without_ndi(flow)
        && let Some(set) = next(vec![Action::Flow(FlowAction::SetNdi { flow: arn(), ndi: None })])
    {
        return Some(set);
    }
    if resize.is_some() {
        return resize;
    }
    // After the sources, so that no source stands on an interface that goes.
    left
}
