//! The custom resources of group `playout.dev/v1alpha1`: fields, defaults, CEL rules, printer columns.
//!
//! Field documentation is user documentation: it is what `kubectl explain` prints.

// What runs for weeks does not end because of a guess: what cannot be is a value, or is said.
#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

pub mod destination;
pub mod encoding_preset;
pub mod policy;
pub mod reference;
mod schema;
pub mod source;
mod text;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;

pub use destination::{Destination, DestinationSpec, DestinationStatus};
pub use encoding_preset::{EncodingPreset, EncodingPresetSpec, EncodingPresetStatus};
pub use source::{Source, SourceSpec, SourceStatus};

/// The API group of every kind.
pub const GROUP: &str = "playout.dev";
/// The served and stored version.
pub const VERSION: &str = "v1alpha1";

/// Held on every object from before anything can exist in AWS until an observation has proved that nothing is left.
pub const FINALIZER: &str = "playout.dev/cleanup";
/// Set it to any new value to force a pass; acknowledged in `status.lastHandledReconcileAt`.
pub const RECONCILE_AT: &str = "playout.dev/reconcile-at";
/// Runs an idle Source for the given time (for example `60s`) to see whether the encoder reaches it.
pub const TEST_CONNECTION: &str = "playout.dev/test-connection";
/// Written before a create that AWS cannot make idempotent; see `names::CreateIntent`.
pub const CREATE_INTENT: &str = "playout.dev/create-intent";
/// Annotation that the operator writes when AWS has not answered a change: when, and for which wish.
pub const UNANSWERED: &str = "playout.dev/unanswered";
/// On objects in memory, and never stored: the fields of the spec that this version does not understand.
pub const NOT_UNDERSTOOD: &str = "playout.dev/not-understood";
/// On a Destination with an `OnFailure` backup: `Primary` or `Backup`, the endpoint to send to now.
pub const ACTIVE_ENDPOINT: &str = "playout.dev/active-endpoint";

/// The list of our kinds, in the order of the docs: their plurals in Rust's spelling, and their types. What is written once for each
/// kind is written by a macro that is given this list.
#[macro_export]
macro_rules! kinds {
    ($for_all:ident) => {
        $for_all! {
            sources: $crate::Source,
            destinations: $crate::Destination,
            encoding_presets: $crate::EncodingPreset,
        }
    };
}

macro_rules! finished_crds {
    ($($plural:ident: $kind:ty),+ $(,)?) => {
        vec![$(schema::finished(<$kind>::crd())),+]
    };
}

/// Every CRD, ready to be applied, in the order of the docs.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    kinds!(finished_crds)
}
