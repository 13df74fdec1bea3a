//! Who comes first: for the last free channel of a region, and to be moved between deliveries.

use std::sync::Arc;

use kube::ResourceExt as _;
use kube::runtime::reflector::ObjectRef;
use playout_api::Destination;
use playout_aws::medialive::ListedChannel;
use playout_core::kinds::destination::places;
use playout_core::queue::is_earlier;
use playout_core::resources::flow::Flow;

use crate::kind::Context;

/// How many other Destinations of the region were created earlier, want a channel and have none.
pub(super) fn ahead(destination: &Destination, region: &str, channels: &[ListedChannel], context: &Context) -> usize {
    let has_channel = |other: &Destination| {
        let identity = context.identity(other);
        channels.iter().any(|c| !c.state.is_gone() && identity.ownership(&c.tags).is_ours())
    };
    let waits = |other: &Arc<Destination>| {
        places::wants_channel(other)
            && is_earlier(other.as_ref(), destination)
            && places::can_go_on(other)
            && super::region_name(other, context) == region
            && !has_channel(other)
    };
    let named = context.wiring.queueing().into_iter();
    let all = named.filter_map(|name| {
        context.stores.destinations.get(&ObjectRef::<Destination>::new(&name.name).within(&name.namespace))
    });
    all.filter(waits).count()
}

/// The Destination of the same Source that is moved between deliveries first: one whose move has begun, else one that was
/// created earlier.
pub(super) fn migration_ahead(destination: &Destination, context: &Context) -> Option<String> {
    if !places::is_to_move(destination) {
        return None;
    }
    let mut first: Vec<_> = of_same_source(destination, context)
        .filter(|other| {
            other.uid() != destination.uid()
                && places::is_to_move(other)
                && places::can_go_on(other)
                // Who waits for a channel may wait for the one that this move makes free.
                && !places::waits_for_room(other)
                && (has_begun(other) || is_earlier(other.as_ref(), destination))
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
    let same: Vec<_> = of_same_source(destination, context).collect();
    places::gives_way(destination, same.iter().map(std::convert::AsRef::as_ref), flow.outputs.len())
}

/// The Destinations that send from the same flow, this one included.
fn of_same_source(destination: &Destination, context: &Context) -> impl Iterator<Item = Arc<Destination>> {
    let namespace = destination.namespace().unwrap_or_default();
    let names = context.wiring.of_source(&namespace, &destination.spec.from.name).into_iter();
    names.filter_map(move |name| {
        context.stores.destinations.get(&ObjectRef::<Destination>::new(&name.name).within(&namespace))
    })
}

fn has_begun(destination: &Destination) -> bool {
    destination.status.as_ref().is_some_and(|s| s.channel.is_some() && !s.outputs.is_empty())
}
