//! The places of a full flow. Who is to run and finds none gets that of one that is stopped: the one that was stopped longest
//! ago gives up its output first, and none does that is prepared.

use crate::api::Destination;
use crate::api::destination::Delivery;
use crate::conditions::{READY, STALLED};
use crate::kinds::destination::wanted::wants_to_run;
use crate::reasons::Reason;
use crate::resources::flow::OUTPUTS_PER_FLOW;

/// Whether it is to run and waits for a place, or for something else of which there are only so many.
#[must_use]
pub fn waits_for_room(destination: &Destination) -> bool {
    let stalled = destination.status.as_ref().and_then(|s| s.conditions.iter().find(|c| c.type_ == STALLED));
    stalled.is_some_and(|c| c.status == "True" && c.reason == Reason::QuotaExceeded.as_str())
}

/// Whether it keeps a place on this flow that it does not need: it is off the air, and is not kept ready.
#[must_use]
pub fn can_give_way(destination: &Destination) -> bool {
    let spec = &destination.spec;
    let is_left_alone = spec.suspend || destination.metadata.deletion_timestamp.is_some();
    !wants_to_run(spec) && !spec.prepare && !is_left_alone && places(destination) > 0
}

/// Whether a flow has no place for one more Destination, which needs two at most: nobody lacks a place on any other.
#[must_use]
pub fn is_full(used: usize) -> bool {
    used + 2 > OUTPUTS_PER_FLOW
}

/// Whether this Destination gives up its outputs now. `all`: those of the same Source; `used`: places of the flow that are used.
#[must_use]
pub fn gives_way<'a>(own: &Destination, all: impl Iterator<Item = &'a Destination> + Clone, used: usize) -> bool {
    if !can_give_way(own) {
        return false;
    }
    let needed: usize = all.clone().filter(|d| wants_to_run(&d.spec) && waits_for_room(d)).map(missing).sum();
    let free = OUTPUTS_PER_FLOW.saturating_sub(used);
    let stopped = |d: &Destination| {
        let last = d.status.as_ref().and_then(|s| s.last_runs.first()?.stopped.as_ref());
        (last.map(|t| t.0), d.metadata.name.clone())
    };
    let before = all.filter(|d| can_give_way(d) && stopped(d) < stopped(own)).map(places).sum::<usize>();
    needed > free + before
}

/// Whether something of the other delivery is there, while it is on the air.
#[must_use]
pub fn is_to_move(destination: &Destination) -> bool {
    let Some(status) = &destination.status else { return false };
    wants_to_run(&destination.spec)
        && destination.metadata.deletion_timestamp.is_none()
        && match destination.spec.delivery {
            Delivery::Passthrough => status.channel.is_some(),
            Delivery::Transcode => !status.outputs.is_empty(),
        }
}

/// Whether it is to be encoded.
#[must_use]
pub fn wants_channel(destination: &Destination) -> bool {
    let spec = &destination.spec;
    spec.delivery == Delivery::Transcode && (wants_to_run(spec) || spec.prepare)
}

/// Whether it would go on if it could. Who waits for something else (a Secret, its Source) keeps nobody waiting.
#[must_use]
pub fn can_go_on(destination: &Destination) -> bool {
    if destination.spec.suspend || destination.metadata.deletion_timestamp.is_some() {
        return false;
    }
    let conditions = destination.status.as_ref().map_or(&[] as &[_], |s| &s.conditions);
    let is = |reason: &str, of: &[Reason]| of.iter().any(|r| r.as_str() == reason);
    conditions.iter().all(|c| match c.type_.as_str() {
        STALLED => c.status != "True" || is(&c.reason, &[Reason::QuotaExceeded]),
        READY => !is(&c.reason, &[Reason::SourceNotFound, Reason::SourceNotReady, Reason::SourceStopped]),
        _ => true,
    })
}

/// How many places it has.
pub(crate) fn places(destination: &Destination) -> usize {
    destination.status.as_ref().map_or(0, |s| s.outputs.iter().filter(|o| o.arn.is_some()).count())
}

/// How many it still needs.
pub(crate) fn missing(destination: &Destination) -> usize {
    let spec = &destination.spec;
    match spec.delivery {
        Delivery::Passthrough => (1 + usize::from(spec.backup.is_some())).saturating_sub(places(destination)),
        Delivery::Transcode => 1,
    }
}
