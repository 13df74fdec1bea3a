//! The kinds: each supplies the steps of the loop.

use futures::future::BoxFuture;

use crate::kind::Kind;

pub mod destination;
pub mod encoding_preset;
mod references;
pub mod source;

/// Does something for a kind that takes time.
pub trait Each: Sync {
    /// Does it.
    fn each<K: Kind>(&self) -> impl Future<Output = ()> + Send;
}

/// Does something for each kind: what does it, in the order of the list.
pub fn each(does: &impl Each) -> Vec<BoxFuture<'_, ()>> {
    vec![
        Box::pin(does.each::<source::SourceKind>()),
        Box::pin(does.each::<destination::DestinationKind>()),
        Box::pin(does.each::<encoding_preset::EncodingPresetKind>()),
    ]
}
