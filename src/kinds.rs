//! The kinds: each supplies the steps of the loop. What is done for every kind is done by this list, and by no other.

use anyhow::Result;
use futures::future::BoxFuture;
use kube::runtime::reflector::Store;

use crate::kind::Kind;

pub mod destination;
pub mod encoding_preset;
mod references;
pub mod source;

/// All that has to be written once for each kind.
macro_rules! kinds {
    ($($store:ident: $kind:ty),+ $(,)?) => {
        /// All objects of our kinds, as the watches show them.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "they are the kinds")]
        pub struct Stores {
            $(pub $store: Store<<$kind as Kind>::Object>,)+
        }

        impl Stores {
            /// Makes a cache for each kind.
            ///
            /// # Errors
            /// One of them cannot be made.
            pub fn filled(by: &mut impl Fill) -> Result<Self> {
                Ok(Self { $($store: by.fill::<$kind>()?,)+ })
            }

            /// Does something with each of them.
            pub fn visit(&self, visitor: &mut impl Visit) {
                $(visitor.visit::<$kind>(&self.$store);)+
            }
        }

        /// Does something for each kind: what does it, in the order of the list.
        pub fn each(does: &impl Each) -> Vec<BoxFuture<'_, ()>> {
            vec![$(Box::pin(does.each::<$kind>()),)+]
        }
    };
}

kinds! {
    sources: source::SourceKind,
    destinations: destination::DestinationKind,
    encoding_presets: encoding_preset::EncodingPresetKind,
}

/// Makes the cache of a kind.
pub trait Fill {
    /// The cache.
    ///
    /// # Errors
    /// It cannot be made.
    fn fill<K: Kind>(&mut self) -> Result<Store<K::Object>>;
}

/// Does something with the cache of a kind.
pub trait Visit {
    /// Does it.
    fn visit<K: Kind>(&mut self, store: &Store<K::Object>);
}

/// Does something for a kind that takes time.
pub trait Each: Sync {
    /// Does it.
    fn each<K: Kind>(&self) -> impl Future<Output = ()> + Send;
}
