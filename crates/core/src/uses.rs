//! Whose use of an object counts when it is to go. A name is no use: what came after its deletion waits for the next object of
//! that name, and is not waited for. Both times are the API server's, in whole seconds.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::{Destination, Source};

/// Whether `user` was made when `used` had been told to go.
#[must_use]
pub fn came_after(user: &ObjectMeta, used: &ObjectMeta) -> bool {
    match (&user.creation_timestamp, &used.deletion_timestamp) {
        (Some(made), Some(told)) => made.0 >= told.0,
        _ => false,
    }
}

/// Whether a Destination waits for the next Source of that name: it came after this one was told to go, and has nothing on its
/// flow.
#[must_use]
pub fn waits_for_next(destination: &Destination, source: &Source) -> bool {
    let has_something = destination.status.as_ref().is_some_and(|status| {
        let channel = status.channel.as_ref();
        !status.outputs.is_empty() || channel.is_some_and(|c| c.input_id.is_some() || c.arn.is_some())
    });
    came_after(&destination.metadata, &source.metadata) && !has_something
}
