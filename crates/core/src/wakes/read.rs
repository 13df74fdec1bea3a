//! What one object reads of another. Who is told of a change is told of a change of this; so what is not here may not be read.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use jiff::Timestamp;
use kube::{Resource, ResourceExt as _};

use crate::api::destination::{DestinationState, DestinationStatus};
use crate::api::source::AdoptionState;
use crate::api::{ACTIVE_ENDPOINT, Destination, FINALIZER, RECONCILE_AT, Source, TEST_CONNECTION};
use crate::conditions::{RECONCILING, STALLED, is_true};
use crate::kinds::destination::places;
use crate::kinds::destination::wanted::wants_to_run;
use crate::kinds::source::status::{bitrate, received, unseen_since};
use crate::regions;
use crate::resources::flow::OUTPUTS_PER_FLOW;
use crate::stored::not_understood;

/// A number that is another one when the value is.
#[must_use]
pub fn digest(value: &impl Hash) -> u64 {
    let mut hash = DefaultHasher::new();
    value.hash(&mut hash);
    hash.finish()
}

/// What a user can change about an object: a pass is not started by our own writes of its status.
#[must_use]
pub fn visible<K: Resource>(object: &K) -> u64 {
    let meta = object.meta();
    let annotation = |name: &str| meta.annotations.as_ref().and_then(|a| a.get(name));
    digest(&(
        &meta.uid,
        meta.generation,
        meta.deletion_timestamp.as_ref().map(|t| t.0.as_second()),
        [RECONCILE_AT, TEST_CONNECTION, ACTIVE_ENDPOINT].map(annotation),
    ))
}

/// Whether our finalizer is on it. Somebody who takes it away must find it back.
#[must_use]
pub fn is_held<K: Resource>(object: &K) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

/// All that a Destination reads of its Source which is off the air and has nothing in AWS. The spec counts by its generation.
#[derive(Debug, Eq, Hash, PartialEq)]
pub struct Place {
    uid: Option<String>,
    generation: Option<i64>,
    deleted: Option<Timestamp>,
    region_is_known: bool,
    flow: Option<String>,
    not_ours: Option<String>,
}

/// All that others read of it.
#[derive(Debug, Eq, Hash, PartialEq)]
pub struct Carrier {
    place: Place,
    flow_state: Option<String>,
    owner: Option<String>,
    is_adopted: bool,
    stalled: Option<String>,
    unseen_since: Option<Option<Timestamp>>,
    interval: String,
    receives: Option<bool>,
    bitrate: Option<i64>,
    /// How many more outputs the flow takes, as far as one Destination may need to know: two at most.
    places: usize,
}

impl Place {
    /// Of this Source.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        let meta = &source.metadata;
        let status = source.status.as_ref();
        Self {
            uid: meta.uid.clone(),
            generation: meta.generation,
            deleted: meta.deletion_timestamp.as_ref().map(|t| t.0),
            region_is_known: regions::is_recorded(source),
            flow: status.and_then(|s| s.flow_arn.clone().filter(|_| s.flow_state.is_some())),
            not_ours: status.and_then(|s| s.not_ours.first().cloned()),
        }
    }
}

/// Whether a Destination is off the air as it is requested to be, and has nothing in AWS.
#[must_use]
pub fn rests(destination: &Destination) -> bool {
    let spec = &destination.spec;
    let is_quiet = |s: &DestinationStatus| {
        s.state == Some(DestinationState::Idle)
            && s.observed_generation == destination.metadata.generation
            && s.outputs.is_empty()
            && s.channel.is_none()
            && ![RECONCILING, STALLED].iter().any(|condition| is_true(&s.conditions, condition))
    };
    !wants_to_run(spec)
        && !spec.prepare
        && destination.metadata.deletion_timestamp.is_none()
        && not_understood(destination).is_none()
        && destination.status.as_ref().is_some_and(is_quiet)
}

impl Carrier {
    /// Of this Source.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        let status = source.status.as_ref();
        let stalled = status.and_then(|s| s.conditions.iter().find(|c| c.type_ == STALLED));
        let used = status.and_then(|s| s.outputs.as_ref()).map_or(0, |o| usize::try_from(o.used).unwrap_or(0));
        Self {
            place: Place::of(source),
            flow_state: status.and_then(|s| s.flow_state.clone()),
            owner: status.and_then(|s| s.owner_uid.clone()),
            is_adopted: status
                .and_then(|s| s.adoption.as_ref())
                .is_some_and(|adoption| adoption.state == AdoptionState::Adopted),
            stalled: stalled.map(|c| c.message.clone()),
            unseen_since: status.and_then(unseen_since),
            interval: source.spec.health.interval.clone(),
            receives: status.and_then(received),
            bitrate: status.and_then(bitrate),
            places: OUTPUTS_PER_FLOW.saturating_sub(used).min(2),
        }
    }
}

/// All that a Destination reads of another one. One that is not there has, and waits for, nothing.
#[derive(Debug, Default, Eq, Hash, PartialEq)]
pub struct Neighbour {
    channel: bool,
    outputs: usize,
    places: usize,
    /// Whether it is to be moved between deliveries, and in the way of others that are.
    pub moves: bool,
    /// Whether it waits for what there is only so much of.
    pub lacks_room: bool,
    /// How many places it lacks.
    missing: usize,
    /// Whether it is to have a channel, and nothing but that it may lack keeps it from going on.
    pub queues: bool,
    /// Whether it could give up its place.
    pub gives_way: bool,
    stopped: Option<Timestamp>,
}

impl Neighbour {
    /// Of this Destination.
    #[must_use]
    pub fn of(destination: &Destination) -> Self {
        let status = destination.status.as_ref();
        let last = status.and_then(|s| s.last_runs.first()?.stopped.as_ref());
        let gives_way = places::can_give_way(destination);
        let lacks_room = places::waits_for_room(destination);
        Self {
            channel: status.is_some_and(|s| s.channel.is_some()),
            outputs: status.map_or(0, |s| s.outputs.len()),
            places: places::places(destination),
            moves: places::is_to_move(destination) && places::can_go_on(destination) && !lacks_room,
            lacks_room,
            missing: if lacks_room { places::missing(destination) } else { 0 },
            queues: places::wants_channel(destination) && places::can_go_on(destination),
            gives_way,
            stopped: last.filter(|_| gives_way).map(|t| t.0),
        }
    }
}
