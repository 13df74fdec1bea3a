//! The read phase of a pass: look, and decide once. Nothing is changed anywhere, so that it may be given up at any moment.

use playout_core::plan::{Desired, Failure, Step};

use crate::kind::{Context, Kind};

/// What the read phase came to.
pub(super) struct Looked<K: Kind> {
    /// What is wanted; `None` when what the spec refers to could not be read.
    pub desired: Option<Desired<K::Wanted>>,
    /// What was seen; `None` when looking failed.
    pub seen: Option<K::Observed>,
    /// What was decided; `None` when it could not be.
    pub step: Option<Step<K::Action>>,
    /// What failed.
    pub failure: Option<Failure>,
}

/// Looks and decides.
pub(super) async fn look<K: Kind>(object: &K::Object, context: &Context) -> Looked<K> {
    let desired = match K::wanted(object, context).await {
        Ok(desired) => desired,
        Err(failure) => return Looked { desired: None, seen: None, step: None, failure: Some(failure) },
    };
    match K::observe(object, &desired, context).await {
        Ok(seen) => {
            let step = Some(K::plan(object, &desired, &seen));
            Looked { desired: Some(desired), seen: Some(seen), step, failure: None }
        }
        Err(failure) => Looked { desired: Some(desired), seen: None, step: None, failure: Some(failure) },
    }
}
