//! What stays in AWS of a Source that goes.

use super::observed::{Management, Observed};
use crate::existence::Existence;
use crate::identity::{Ownership, TAG_UID};
use crate::left::{Cost, Farewell, Left, Stays, farewell, secret};
use crate::resources::flow::FlowState;

/// What the last Event of a Source says, from what was seen when it went.
#[must_use]
pub fn last_word(seen: &Observed) -> Farewell {
    let why = match (&seen.management, seen.ownership) {
        (Management::Referenced | Management::AdoptionPending { .. }, _) => Stays::Referenced,
        (_, Ownership::TakenOver) => Stays::TakenOver(seen.tags.get(TAG_UID).cloned().unwrap_or_default()),
        (_, ownership) if ownership.is_ours() => Stays::Retained,
        _ => Stays::NotOurs,
    };
    let mut left = Vec::new();
    if let Existence::Present(flow) = &seen.flow {
        let stopped = matches!(flow.state, FlowState::Standby | FlowState::Deleting | FlowState::Error);
        let cost = if stopped { Cost::Stopped } else { Cost::Runs };
        left.push(Left { what: "flow", arn: flow.arn.clone(), why: why.clone(), cost });
    }
    let kept = if matches!(why, Stays::TakenOver(_)) { why } else { Stays::Retained };
    left.extend(seen.secrets.iter().map(|copy| secret(copy, &kept)));
    left.extend(seen.lost_secrets.iter().map(|copy| secret(copy, &Stays::NotOurs)));
    farewell(&left, seen.flow != Existence::Unknown)
}
