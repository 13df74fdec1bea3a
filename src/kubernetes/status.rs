//! Writing status: in one place, whatever happened, and only if it changed.

use std::fmt::Debug;

use kube::api::PostParams;
use kube::core::object::HasStatus;
use kube::{Api, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::metrics::Metrics;

/// How often a write is tried again on a fresher object.
const TRIES: usize = 5;

/// Counts writes, by controller.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// Where they are counted.
    pub metrics: &'a Metrics,
    /// Who writes.
    pub controller: &'static str,
}

impl Writer<'_> {
    /// One write of this sort.
    pub fn wrote(&self, what: &str) {
        self.metrics.wrote(self.controller, what);
    }
}

/// Writes the status that `compute` makes of the object; on a conflict reads the object again and computes anew, so that a
/// status that holds an id is never lost to somebody's edit. The object as it is stored now, and whether it was written.
///
/// # Errors
/// The API server refused it.
pub async fn write<K>(
    writer: &Writer<'_>,
    api: &Api<K>,
    mut object: K,
    compute: impl Fn(&K) -> K::Status,
) -> kube::Result<(K, bool)>
where
    K: Resource + HasStatus + Clone + Debug + DeserializeOwned + Serialize,
    K::Status: Clone + PartialEq,
{
    let uid = object.uid();
    // What was looked at: a later spec, or annotation, is not what this status speaks of.
    let mut seen = object.clone();
    for _ in 0..TRIES {
        *seen.status_mut() = object.status().cloned();
        let status = compute(&seen);
        if object.status() == Some(&status) {
            return Ok((object, false));
        }
        *object.status_mut() = Some(status);
        writer.wrote("status");
        match api.replace_status(&object.name_any(), &PostParams::default(), &object).await {
            Ok(stored) => return Ok((stored, true)),
            Err(kube::Error::Api(status)) if status.code == 409 => {
                object = api.get(&object.name_any()).await?;
                // Another object of that name is another pass's business.
                if object.uid() != uid {
                    return Ok((object, false));
                }
            }
            // Gone: nobody is left to read it.
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok((object, false)),
            Err(error) => return Err(error),
        }
    }
    Ok((object, false))
}
