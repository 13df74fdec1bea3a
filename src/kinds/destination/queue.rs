//! Who comes first: for the last free channel of a region, and to be moved between deliveries.

use kube::{Resource as _, ResourceExt as _};
use playout_api::Destination;
use playout_api::destination::Delivery;
use playout_aws::medialive::ListedChannel;
use playout_core::conditions::{READY, STALLED};
use playout_core::destination::places;
use playout_core::destination::wanted::wants_to_run;
use playout_core::flow::Flow;
use playout_core::reasons::Reason;

use crate::kind::Context;

/// How many other Destinations of the region were created earlier, want a channel and have none.
pub(super) fn ahead(destination: &Destination, region: &str, channels: &[ListedChannel], context: &Context) -> usize {
    let has_channel = |other: &Destination| {
        let identity = context.identity(other);
        channels.iter().any(|c| !c.state.is_gone() && identity.ownership(&c.tags).is_ours())
    };
    let waits = |other: &&std::sync::Arc<Destination>| {
        other.spec.delivery == Delivery::Transcode
            && (wants_to_run(&other.spec) || other.spec.prepare)
            && is_earlier(other, destination)
            && can_go_on(other)
            && super::region_name(other, context) == region
            && !has_channel(other)
    };
    context.destinations.state().iter().filter(waits).count()
}

/// The Destination of the same Source that is moved between deliveries first: one whose move has begun, else one that was
/// created earlier.
pub(super) fn moves_first(destination: &Destination, context: &Context) -> Option<String> {
    if !is_to_move(destination) {
        return None;
    }
    let others = context.destinations.state();
    let mut first: Vec<_> = others
        .iter()
        .filter(|other| {
            other.namespace() == destination.namespace()
                && other.spec.from == destination.spec.from
                && other.uid() != destination.uid()
                && is_to_move(other)
                && can_go_on(other)
                // Who waits for a channel may wait for the one that this move makes free.
                && !places::waits_for_room(other)
                && (has_begun(other) || is_earlier(other, destination))
        })
        .map(|other| other.name_any())
        .collect();
    first.sort();
    first.into_iter().next()
}

/// Whether this Destination gives up its place on a full flow for one that is to run.
pub(super) fn gives_way(destination: &Destination, flow: Option<&Flow>, context: &Context) -> bool {
    // The others are looked through for a full flow alone, which has fifty at most.
    let full = flow.filter(|flow| places::is_full(flow.outputs.len()) && places::can_give_way(destination));
    let Some(flow) = full else { return false };
    let all = context.destinations.state();
    let same = all.iter().map(std::convert::AsRef::as_ref).filter(|d| places::share_a_flow(destination, d));
    places::gives_way(destination, same, flow.outputs.len())
}

/// Whether something of the other delivery is there, while it is on the air.
fn is_to_move(destination: &Destination) -> bool {
    let Some(status) = &destination.status else { return false };
    wants_to_run(&destination.spec)
        && destination.meta().deletion_timestamp.is_none()
        && match destination.spec.delivery {
            Delivery::Passthrough => status.channel.is_some(),
            Delivery::Transcode => !status.outputs.is_empty(),
        }
}

fn has_begun(destination: &Destination) -> bool {
    destination.status.as_ref().is_some_and(|s| s.channel.is_some() && !s.outputs.is_empty())
}

fn is_earlier(other: &Destination, than: &Destination) -> bool {
    let order = |d: &Destination| (d.creation_timestamp().map(|t| t.0), d.namespace(), d.name_any());
    order(other) < order(than)
}

/// Whether it would go on if it could. Who waits for something else (a Secret, its Source) keeps nobody waiting.
fn can_go_on(destination: &Destination) -> bool {
    if destination.spec.suspend || destination.meta().deletion_timestamp.is_some() {
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
