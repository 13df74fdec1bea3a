//! Whose use of an object counts when it is to go. A name is no use: what came after its deletion waits for the next object of
//! that name, and is not waited for. Both times are the API server's, in whole seconds.

use std::cmp::Ordering;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::ResourceExt as _;

use crate::api::destination::{OutputStatus, RetryWord};
use crate::api::{Destination, Source};
use crate::kinds::destination::memory::begins_anew;
use crate::kinds::destination::recorded::DISABLED;
use crate::kinds::destination::wanted::wants_to_run;
use crate::kinds::source::observed::Users;
use crate::regions::{Regions, Service, needs_channel};
use crate::resources::channel::ChannelState;
use crate::stored::not_understood;

/// Whether `user` was made when `used` had been told to go. Of the same second it is not known.
#[must_use]
pub fn came_after(user: &ObjectMeta, used: &ObjectMeta) -> bool {
    order(user, used) == Some(Ordering::Greater)
}

fn order(user: &ObjectMeta, used: &ObjectMeta) -> Option<Ordering> {
    compare(user.creation_timestamp.as_ref().map(|t| t.0), used)
}

fn compare(born: Option<Timestamp>, used: &ObjectMeta) -> Option<Ordering> {
    Some(born?.cmp(&used.deletion_timestamp.as_ref()?.0))
}

/// Whether a Destination waits for the next Source of that name: it came after this one was told to go, and has nothing on its
/// flow.
#[must_use]
pub fn waits_for_next(destination: &Destination, source: &Source) -> bool {
    Use::of(destination).waits_for_next(source)
}

/// All that a Source reads of a Destination that names it. What is not here is told to no Source, and may not be read.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Use {
    uid: Option<String>,
    born: Option<Timestamp>,
    name: String,
    /// Whether it has something on the flow.
    has_something: bool,
    /// The outputs that it has recorded as its own.
    outputs: Vec<String>,
    /// The input that its channel takes the flow by.
    input: Option<String>,
    demand: Demand,
}

/// What a flow is started and stopped for.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Demand {
    /// It is to be on the air.
    wanted: bool,
    /// For that it lacks a channel.
    needs_channel: bool,
    /// It may be on the air as another version of the operator has left it.
    left: bool,
    /// Its channel still takes the flow, or comes to rest: the channel stops first, then the flow.
    up: bool,
    /// Its outputs that send, or may.
    sending: Vec<String>,
}

impl Use {
    /// Of this Destination.
    #[must_use]
    pub fn of(destination: &Destination) -> Self {
        let status = destination.status.as_ref();
        let channel = status.and_then(|s| s.channel.as_ref());
        let outputs = status.map_or(&[] as &[_], |s| &s.outputs);
        let retries = status.and_then(|s| s.retries.as_ref().filter(|_| !begins_anew(destination, s)));
        // What was given up sends nothing; and a flow that runs for nobody is paid for.
        let gave_up = retries.is_some_and(|r| r.state == RetryWord::GaveUp);
        let is_deleted = destination.metadata.deletion_timestamp.is_some();
        let state = channel.and_then(|c| ChannelState::read(c.state.as_deref()?));
        Self {
            uid: destination.uid(),
            born: destination.creation_timestamp().map(|Time(born)| born),
            name: destination.name_any(),
            has_something: !outputs.is_empty() || channel.is_some_and(|c| c.input_id.is_some() || c.arn.is_some()),
            outputs: outputs.iter().filter_map(|o| o.arn.clone()).collect(),
            input: channel.and_then(|c| c.input_id.clone()),
            demand: Demand {
                wanted: wants_to_run(&destination.spec) && !is_deleted && !gave_up,
                needs_channel: needs_channel(destination),
                left: not_understood(destination).is_some() && status.is_some_and(|s| s.started_at.is_some()),
                up: state.is_some_and(|s| s.is_up() || s == ChannelState::Stopping),
                sending: outputs.iter().filter(|o| may_send(o)).map(|o| o.name.clone()).collect(),
            },
        }
    }

    /// Whether it waits for the next Source of that name.
    #[must_use]
    pub fn waits_for_next(&self, source: &Source) -> bool {
        compare(self.born, &source.metadata).is_some_and(Ordering::is_ge) && !self.has_something
    }

    /// What a flow is started and stopped for.
    #[must_use]
    pub fn demand(&self) -> &Demand {
        &self.demand
    }

    /// The input that its channel takes the flow by.
    #[must_use]
    pub fn input(&self) -> Option<&str> {
        self.input.as_deref()
    }
}

/// Also one of which no look has shown since that it was told to stop.
fn may_send(output: &OutputStatus) -> bool {
    output.status.as_deref() != Some(DISABLED)
}

impl Demand {
    /// Whether a flow may have to be started or stopped for what was another demand before. That something sends now is no news
    /// to a flow that runs.
    #[must_use]
    pub fn is_pressing(&self, before: &Self) -> bool {
        let rest = |demand: &Self| Self { sending: Vec::new(), ..demand.clone() };
        rest(self) != rest(before) || before.sending.iter().any(|output| !self.sending.contains(output))
    }
}

/// Who uses a Source in this region.
#[must_use]
pub fn users(source: &Source, uses: impl IntoIterator<Item = Use>, regions: &Regions, region: &str) -> Users {
    let mut users = Users::default();
    for user in uses.into_iter().filter(|user| !user.waits_for_next(source)) {
        let Demand { wanted, needs_channel, left, up, .. } = user.demand;
        // What cannot be encoded here sends nothing.
        let is_stuck = needs_channel && !regions.has(Service::MediaLive, region);
        let name = format!("Destination/{}", user.name);
        users.outputs.extend(user.outputs);
        if wanted && !is_stuck || left || up { users.on_air.push(name) } else { users.idle.push(name) }
    }
    users.on_air.sort();
    users.idle.sort();
    users
}
