//! The finalizer and the create intent.
//!
//! # Guarantees
//! - [`add`] returns only when the API server has stored the finalizer (and the intent, when one is asked for), on exactly the
//!   version of the object that was decided upon: a stale view fails with a conflict before anything exists in AWS.
//! - [`remove`] takes away our finalizer alone, and only if the object is still the one that was observed.
//!
//! kube's own `finalizer()` frees the finalizer as soon as a clean-up pass returns `Ok`, also with "look again later". Deletion
//! in AWS takes minutes, so it is not used.

use std::fmt::Debug;

use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt as _};
use playout_api::{CREATE_INTENT, FINALIZER, UNANSWERED};
use playout_core::intent::CreateIntent;
use playout_core::stored::Stored;
use playout_core::unanswered::Unanswered;
use serde_json::json;

use super::guard::Guarded;
use super::status::Writer;

/// Puts the finalizer on, and the intent. The object as it is stored now.
///
/// # Errors
/// The API server refused it; a conflict means that the object has changed in the meantime.
#[expect(clippy::indexing_slicing, reason = "a member of an object that was made here")]
pub async fn add<K>(
    writer: &Writer<'_>,
    api: &Api<Guarded<K>>,
    object: &K,
    intent: Option<&CreateIntent>,
) -> kube::Result<K>
where
    K: Resource<DynamicType = ()> + Stored + Clone + Debug + Send + Sync + 'static,
{
    let held = object.finalizers().iter().any(|f| f == FINALIZER);
    // One that stands there already was written by whoever began.
    let intent = intent.filter(|i| object.annotations().get(CREATE_INTENT) != Some(&i.render()));
    if held && intent.is_none() {
        return Ok(object.clone());
    }
    let mut finalizers = object.finalizers().to_vec();
    if !held {
        finalizers.push(FINALIZER.into());
    }
    let mut metadata = json!({ "resourceVersion": object.resource_version(), "finalizers": finalizers });
    if let Some(intent) = intent {
        metadata["annotations"] = json!({ CREATE_INTENT: intent.render() });
    }
    writer.wrote(if held { "intent" } else { "finalizer" });
    let patch = Patch::Merge(json!({ "metadata": metadata }));
    let stored = api.patch(&object.name_any(), &PatchParams::default(), &patch).await?.0;
    writer.written.stored(&[object.resource_version()], &stored);
    Ok(stored)
}

/// Notes on the object that AWS has not answered a change. Whatever its version: that is true of every one. The object as it is
/// stored now.
///
/// # Errors
/// The API server refused it.
pub async fn note_unanswered<K>(
    writer: &Writer<'_>,
    api: &Api<Guarded<K>>,
    object: &K,
    what: &Unanswered,
) -> kube::Result<K>
where
    K: Resource<DynamicType = ()> + Stored + Clone + Debug,
{
    writer.wrote("unanswered");
    let patch = json!({ "metadata": { "uid": object.uid(), "annotations": { UNANSWERED: what.render() } } });
    api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await.map(|stored| stored.0)
}

/// Takes the intent away, after AWS has said that nothing was made. Only from the version that [`add`] has stored: a later
/// intent is somebody else's.
///
/// # Errors
/// The API server refused it.
pub async fn withdraw<K>(writer: &Writer<'_>, api: &Api<Guarded<K>>, object: &K) -> kube::Result<()>
where
    K: Resource<DynamicType = ()> + Stored + Clone + Debug,
{
    writer.wrote("intent");
    let patch = json!({ "metadata": { "resourceVersion": object.resource_version(),
        "annotations": { CREATE_INTENT: null } } });
    api.patch_metadata(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)
}

/// Takes the finalizer away.
///
/// # Errors
/// The API server refused it; a conflict means that the object has changed in the meantime.
pub async fn remove<K>(writer: &Writer<'_>, api: &Api<Guarded<K>>, object: &K) -> kube::Result<()>
where
    K: Resource<DynamicType = ()> + Stored + Clone + Debug,
{
    let finalizers: Vec<_> = object.finalizers().iter().filter(|f| *f != FINALIZER).cloned().collect();
    if finalizers.len() == object.finalizers().len() {
        return Ok(());
    }
    let patch = json!({ "metadata": { "uid": object.uid(), "finalizers": finalizers,
        "resourceVersion": object.resource_version() } });
    writer.wrote("finalizer");
    match api.patch_metadata(&object.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await {
        // Gone already: somebody else took the last finalizer.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        other => other.map(drop),
    }
}
