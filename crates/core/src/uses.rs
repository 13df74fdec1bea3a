//! Whose use of an object counts when it is to go. A name is no use: what came after its deletion waits for the next object of
//! that name, and is not waited for. Both times are the API server's, in whole seconds.

use std::cmp::Ordering;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::{Destination, Source};

/// Whether `user` was made when `used` had been told to go. Of the same second it is not known.
#[must_use]
pub fn came_after(user: &ObjectMeta, used: &ObjectMeta) -> bool {
    order(user, used) == Some(Ordering::Greater)
}

fn order(user: &ObjectMeta, used: &ObjectMeta) -> Option<Ordering> {
    Some(user.creation_timestamp.as_ref()?.0.cmp(&used.deletion_timestamp.as_ref()?.0))
}

/// Whether a Destination waits for the next Source of that name: it came after this one was told to go, and has nothing on its
/// flow.
#[must_use]
pub fn waits_for_next(destination: &Destination, source: &Source) -> bool {
    let has_something = destination.status.as_ref().is_some_and(|status| {
        let channel = status.channel.as_ref();
        !status.outputs.is_empty() || channel.is_some_and(|c| c.input_id.is_some() || c.arn.is_some())
    });
    order(&destination.metadata, &source.metadata).is_some_and(Ordering::is_ge) && !has_something
}
