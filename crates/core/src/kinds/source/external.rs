//! A flow that was there before its Source. Referenced: used, and never touched. Adopted: tagged at once, and its own after
//! people have confirmed what would change in it.

use std::collections::BTreeMap;

use super::action::Action;
pub use super::differences::differences;
use super::observed::{Management, Observed};
use super::target::{impossible, in_transition};
use super::wanted::Wanted;
use crate::api::RECONCILE_AT;
use crate::api::source::{AdoptionState, AdoptionStatus, ExternalPolicy, Source};
use crate::existence::Existence;
use crate::failure::Problem;
use crate::identity::{Identity, OWNERSHIP_TAGS, Ownership, TAG_ADOPTED, TAG_NAMESPACE, owner};
use crate::plan::{IN_TRANSITION, Step};
use crate::reasons::Reason;
use crate::resources::flow::{Flow, FlowAction, FlowState};
use crate::waiting::Waiting;

/// By what right the Source has its flow, from the spec, the flow's tags and what was told and shown.
#[must_use]
pub fn management(source: &Source, identity: &Identity, tags: &BTreeMap<String, String>) -> Management {
    match source.spec.external_policy() {
        None => Management::Managed,
        Some(ExternalPolicy::Reference) => Management::Referenced,
        Some(ExternalPolicy::Adopt) => {
            let mark = identity.adoption_mark();
            if identity.ownership(tags).is_ours() && tags.get(TAG_ADOPTED) == mark.get(TAG_ADOPTED) {
                return Management::Adopted;
            }
            let status = source.status.as_ref();
            let adoption = status.and_then(|s| s.adoption.as_ref()).filter(|a| a.state == AdoptionState::Planned);
            let asked = source.metadata.annotations.as_ref().and_then(|a| a.get(RECONCILE_AT));
            Management::AdoptionPending {
                shown: adoption.map(|a| a.plan.clone()),
                told: asked.is_some() && asked != status.and_then(|s| s.last_handled_reconcile_at.as_ref()),
            }
        }
    }
}

/// The other Playout object that an external flow belongs to. Its life cycle would cut whatever else ran from the flow, and
/// across namespaces nobody has asked its people: such a flow is neither used nor shown.
#[must_use]
pub fn other_owner(seen: &Observed) -> Option<String> {
    let foreign = seen.management != Management::Managed && seen.ownership == Ownership::Foreign;
    owner(&seen.tags).filter(|_| foreign)
}

/// Gives a flow back that was tagged and never adopted.
pub(super) fn release(flow: &Flow) -> Step<Action> {
    if flow.state == FlowState::Deleting {
        return in_transition(flow.state);
    }
    let keys = OWNERSHIP_TAGS.map(str::to_string).to_vec();
    Step::Act(vec![Action::Flow(FlowAction::Release { flow: flow.arn.clone(), keys })])
}

/// What is particular to a flow that was there before; `None`: it is like one that the operator has made.
pub(super) fn toward_present(wanted: &Wanted, seen: &Observed) -> Option<Step<Action>> {
    if seen.management == Management::Managed {
        return None;
    }
    let flow = match &seen.flow {
        Existence::Present(flow) => flow,
        Existence::Unknown => return Some(Step::wait(Waiting::CreateOutcome, IN_TRANSITION)),
        Existence::Absent => {
            return Some(Step::Stalled(Problem::new(
                Reason::ExternalNotFound,
                "spec.external.arn: AWS has no such flow in this account. None is made in its place; create a Source with the right ARN, or without external.",
            )));
        }
    };
    if let Some(owner) = other_owner(seen) {
        // Who is in another namespace is not for everybody to know.
        let here = seen.tags.get(TAG_NAMESPACE) == Some(&wanted.identity.namespace);
        let text = if here {
            format!(
                "spec.external.arn: the flow belongs to {owner}. Name that Source in spec.from of your Destinations, or delete it with deletionPolicy: Retain and take the tags that begin with playout.dev/ off the flow."
            )
        } else {
            "spec.external.arn: the flow belongs to a Playout object of another namespace. Ask the administrators of the cluster whose it is: its tags that begin with playout.dev/ say so.".into()
        };
        return Some(Step::Stalled(Problem::new(Reason::ExternalOwned, text)));
    }
    match &seen.management {
        // None is made after it, so that no password is copied for it either.
        _ if flow.state == FlowState::Deleting => Some(in_transition(flow.state)),
        Management::Managed | Management::Adopted => None,
        Management::Referenced => Some(referenced(flow)),
        Management::AdoptionPending { shown, told } => Some(claimed(wanted, seen, flow, shown.as_deref(), *told)),
    }
}

fn referenced(flow: &Flow) -> Step<Action> {
    match flow.state {
        FlowState::Active => Step::Settled,
        FlowState::Standby => Step::wait(Waiting::ExternalStopped, 5 * IN_TRANSITION),
        FlowState::Error => Step::Stalled(Problem::new(
            Reason::FlowError,
            format!("AWS reports the flow in state ERROR: {}. It is not Playout's to repair.", flow.told_errors()),
        )),
        state => in_transition(state),
    }
}

fn claimed(wanted: &Wanted, seen: &Observed, flow: &Flow, shown: Option<&[String]>, told: bool) -> Step<Action> {
    if let Some(problem) = wanted.problem.clone().or_else(|| impossible(wanted, flow)) {
        return Step::Stalled(problem);
    }
    // The ownership tags alone: they take nobody's place, and can be taken off again.
    let tags = wanted.identity.tags(&BTreeMap::new());
    if tags.iter().any(|(k, v)| seen.tags.get(k) != Some(v)) {
        return Step::Act(vec![Action::Flow(FlowAction::Claim { flow: flow.arn.clone(), tags })]);
    }
    let plan = differences(wanted, seen, flow);
    // What was confirmed is what could be read; anything else is shown first.
    if plan.is_empty() || (told && shown == Some(plan.as_slice())) {
        let tags = wanted.identity.adoption_mark();
        return Step::Act(vec![Action::Flow(FlowAction::Adopt { flow: flow.arn.clone(), tags })]);
    }
    Step::Stalled(Problem::new(
        Reason::AdoptionPlanned,
        format!(
            "The flow differs from the spec. Adopting it {}. To have that done, set the annotation playout.dev/reconcile-at to a new value; nothing is changed before.",
            sentence(&plan)
        ),
    ))
}

/// The status has all of it; a condition is not the place.
fn sentence(plan: &[String]) -> String {
    let more = plan.len().saturating_sub(5);
    let first = plan.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
    if more == 0 { first } else { format!("{first}; and {more} more, see status.adoption.plan") }
}

/// How far the adoption has come, for the status.
pub(super) fn adoption(
    before: Option<&AdoptionStatus>,
    wanted: Option<&Wanted>,
    seen: Option<&Observed>,
) -> Option<AdoptionStatus> {
    let Some(seen) = seen else { return before.cloned() };
    let flow = match &seen.flow {
        Existence::Present(flow) => flow,
        // What was shown may be confirmed at any moment.
        Existence::Unknown => return before.cloned(),
        Existence::Absent => return None,
    };
    match &seen.management {
        Management::Managed | Management::Referenced => None,
        Management::Adopted => Some(AdoptionStatus { state: AdoptionState::Adopted, plan: Vec::new() }),
        Management::AdoptionPending { .. } if other_owner(seen).is_some() => None,
        Management::AdoptionPending { .. } => {
            let wanted = wanted.filter(|w| w.problem.is_none())?;
            Some(AdoptionStatus { state: AdoptionState::Planned, plan: differences(wanted, seen, flow) })
        }
    }
}

/// Whether the annotation `playout.dev/reconcile-at` is left to be acted upon: a confirmation must not be lost to a call that
/// has failed. It is one of the plan that is shown, and of no other.
pub(super) fn keeps_confirmation(
    before: Option<&AdoptionStatus>,
    after: Option<&AdoptionStatus>,
    failed: bool,
) -> bool {
    failed && before == after && before.is_some_and(|a| a.state == AdoptionState::Planned)
}
