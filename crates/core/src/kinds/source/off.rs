//! Whether a Source leaves its flow off, for those who wait for it.

use crate::api::source::{AdoptionState, DesiredSourceState, ExternalPolicy, Source};
use crate::conditions::STALLED;
use crate::resources::flow::FlowState;
use crate::waiting::StaysOff;

/// Why this Source does not start its flow, as far as its object tells; `None`: it does, or the flow is up and stays so.
///
/// A flow that is up is not taken from those who send it by a Source that is suspended, goes, or is stuck: it does not stop it.
#[must_use]
pub fn stays_off(source: &Source, flow: FlowState) -> Option<StaysOff> {
    let status = source.status.as_ref();
    let adopted = || status.and_then(|s| s.adoption.as_ref()).is_some_and(|a| a.state == AdoptionState::Adopted);
    let is_own = match source.spec.external_policy() {
        None => true,
        Some(ExternalPolicy::Reference) => false,
        Some(ExternalPolicy::Adopt) => adopted(),
    };
    let is_down = flow == FlowState::Standby;
    if source.metadata.deletion_timestamp.is_some() {
        return is_down.then_some(StaysOff::Deleted);
    }
    if source.spec.suspend && is_own {
        return is_down.then_some(StaysOff::Suspended);
    }
    if source.spec.state == DesiredSourceState::Stopped {
        return Some(StaysOff::Told);
    }
    if !is_own {
        // Somebody else may have started it.
        let is_up = matches!(flow, FlowState::Starting | FlowState::Active | FlowState::Updating);
        return (!is_up).then_some(StaysOff::Told);
    }
    let stalled = status.and_then(|s| s.conditions.iter().find(|c| c.type_ == STALLED));
    stalled.filter(|_| is_down).map(|c| StaysOff::Stalled(c.message.clone()))
}
