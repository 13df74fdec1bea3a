//! The places of a full flow. Who is to run and finds none gets that of one that is stopped: the one that was stopped longest
//! ago gives up its output first, and none does that is prepared.

use crate::api::Destination;
use crate::api::destination::Delivery;
use crate::conditions::STALLED;
use crate::destination::wanted::wants_to_run;
use crate::flow::OUTPUTS_PER_FLOW;
use crate::reasons::Reason;

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

/// Whether two Destinations send from one flow.
#[must_use]
pub fn share_a_flow(one: &Destination, other: &Destination) -> bool {
    one.metadata.namespace == other.metadata.namespace && one.spec.from.name == other.spec.from.name
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

/// How many places it has.
fn places(destination: &Destination) -> usize {
    destination.status.as_ref().map_or(0, |s| s.outputs.iter().filter(|o| o.arn.is_some()).count())
}

/// How many it still needs.
fn missing(destination: &Destination) -> usize {
    let spec = &destination.spec;
    match spec.delivery {
        Delivery::Passthrough => (1 + usize::from(spec.backup.is_some())).saturating_sub(places(destination)),
        Delivery::Transcode => 1,
    }
}
