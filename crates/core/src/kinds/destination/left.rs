//! What stays in AWS of a Destination that goes.

use super::observed::{Observed, Programme};
use crate::existence::Existence;
use crate::identity::Ownership;
use crate::left::{Cost, Farewell, Left, Stays, farewell, secret};

/// What the last Event of a Destination says, from what was seen when it went.
#[must_use]
pub fn last_word(seen: &Observed) -> Farewell {
    let taken_over = seen.taken_over_by().map(|uid| Stays::TakenOver(uid.to_string()));
    let kept = taken_over.clone().unwrap_or(Stays::Retained);
    let mut left = Vec::new();
    for output in seen.outputs.values() {
        let why = match output.ownership {
            Ownership::Ours | Ownership::Inherited | Ownership::TakenOver => kept.clone(),
            Ownership::Foreign => Stays::NotOurs,
        };
        let cost = if output.output.enabled { Cost::Sends } else { Cost::Silent };
        left.push(Left { what: "output", arn: output.output.arn.clone(), why, cost });
    }
    let channel = seen.channel.present().map(|c| &c.channel).filter(|c| !c.state.is_gone());
    if let Some(channel) = channel {
        let cost = if channel.state.is_up() { Cost::Runs } else { Cost::Idle };
        left.push(Left { what: "MediaLive channel", arn: channel.arn.clone(), why: kept.clone(), cost });
    }
    if let Some(input) = seen.input.present() {
        let cost = if channel.is_some_and(|c| c.state.is_up()) { Cost::Part } else { Cost::Idle };
        left.push(Left { what: "MediaLive input", arn: input.arn.clone(), why: kept.clone(), cost });
    }
    for lost in &seen.not_ours {
        let what = if lost.what == "channel" { "MediaLive channel" } else { "MediaLive input" };
        let why = lost.taken_over_by.clone().map_or(Stays::NotOurs, Stays::TakenOver);
        let cost = if lost.runs { Cost::Runs } else { Cost::Idle };
        left.push(Left { what, arn: lost.arn.clone(), why, cost });
    }
    left.extend(seen.secrets.iter().map(|copy| secret(copy, &kept)));
    left.extend(seen.lost_secrets.iter().map(|copy| secret(copy, &Stays::NotOurs)));
    let certain = seen.flow != Programme::NoFlow { certain: false }
        && seen.channel != Existence::Unknown
        && seen.input != Existence::Unknown;
    farewell(&left, certain)
}
