//! All objects of our kinds, as the watches show them.

use std::fmt::Debug;

use anyhow::Result;
use kube::Resource;
use kube::core::NamespaceResourceScope;
use kube::runtime::reflector::Store;
use playout_core::frame::Managed;
use serde::Serialize;

use crate::wiring::Wired;

/// An object of one of our kinds.
pub trait Ours:
    Managed<Status: Clone + PartialEq + Send + Sync> + Resource<Scope = NamespaceResourceScope> + Wired + Debug + Serialize
{
}

impl<K> Ours for K where
    K: Managed<Status: Clone + PartialEq + Send + Sync>
        + Resource<Scope = NamespaceResourceScope>
        + Wired
        + Debug
        + Serialize
{
}

/// Makes the cache of a kind.
pub trait Fill {
    /// The cache.
    ///
    /// # Errors
    /// It cannot be made.
    fn fill<K: Ours>(&mut self) -> Result<Store<K>>;
}

/// Does something with the cache of a kind.
pub trait Visit {
    /// Does it.
    fn visit<K: Ours>(&mut self, store: &Store<K>);
}

macro_rules! stores {
    ($($store:ident: $kind:ty),+ $(,)?) => {
        /// A cache for each kind.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "they are the kinds")]
        pub struct Stores {
            $(pub $store: Store<$kind>,)+
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
                $(visitor.visit(&self.$store);)+
            }
        }
    };
}
playout_api::kinds!(stores);
