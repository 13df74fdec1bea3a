//! A kind as one watch shows it: a cache, and what changes for whoever listens.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::{Stream, StreamExt as _};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

/// A cache that one watch fills, and a stream of what changes for whoever listens.
#[derive(Debug)]
pub struct Watched<K: Resource<DynamicType = ()> + Clone + 'static> {
    /// The cache.
    pub store: Store<K>,
    changes: tokio::sync::broadcast::Sender<Arc<K>>,
}

impl<K> Watched<K>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    /// Begins to watch. `slim` takes away what nobody reads, before it is kept.
    pub fn start(api: Api<K>, slim: fn(&mut K)) -> Self
    where
        Api<K>: Send,
    {
        let (store, writer) = reflector::store();
        let (changes, _) = tokio::sync::broadcast::channel(4096);
        let sender = changes.clone();
        let events = watcher(api, watcher::Config::default()).default_backoff().modify(slim);
        let events = reflector::reflector(writer, events);
        tokio::spawn(async move {
            let mut events = std::pin::pin!(events);
            while let Some(event) = events.next().await {
                match event {
                    // What was deleted concerns those who refer to it as much as what has changed.
                    Ok(
                        watcher::Event::Apply(object)
                        | watcher::Event::InitApply(object)
                        | watcher::Event::Delete(object),
                    ) => {
                        // Nobody may be listening yet.
                        let _ = sender.send(Arc::new(object));
                    }
                    Ok(watcher::Event::Init | watcher::Event::InitDone) => {}
                    Err(error) => tracing::warn!(kind = %K::kind(&()), %error, "the watch is interrupted"),
                }
            }
        });
        Self { store, changes }
    }

    /// Waits until the first list is in: nothing is decided from half a cache.
    ///
    /// # Errors
    /// The watch has ended.
    pub async fn filled(self) -> anyhow::Result<Self> {
        loop {
            tokio::select! {
                ready = self.store.wait_until_ready() => {
                    ready.context("a watch has ended")?;
                    return Ok(self);
                }
                () = crate::clock::pause(Duration::from_secs(10)) => {
                    tracing::warn!(kind = %K::kind(&()), "still waiting for the first list; are the CRDs installed and may the operator list them?");
                }
            }
        }
    }

    /// What changes from now on. A listener that was too slow hears of all objects again.
    pub fn listen(&self) -> impl Stream<Item = Result<K, watcher::Error>> + Send + use<K> {
        self.listen_with(Vec::new())
    }

    /// All objects, then what changes.
    pub fn listen_from_the_start(&self) -> impl Stream<Item = Result<K, watcher::Error>> + Send + use<K> {
        self.listen_with(self.store.state())
    }

    fn listen_with(&self, backlog: Vec<Arc<K>>) -> impl Stream<Item = Result<K, watcher::Error>> + Send + use<K> {
        let start = (self.changes.subscribe(), self.store.clone(), backlog);
        futures::stream::unfold(start, |(mut receiver, store, mut backlog)| async move {
            loop {
                if let Some(object) = backlog.pop() {
                    return Some((Ok((*object).clone()), (receiver, store, backlog)));
                }
                match receiver.recv().await {
                    Ok(object) => return Some((Ok((*object).clone()), (receiver, store, backlog))),
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => backlog = store.state(),
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return None,
                }
            }
        })
    }
}

/// Takes away three quarters of an object in memory.
pub fn without_managed_fields<K: Resource>(object: &mut K) {
    object.meta_mut().managed_fields = None;
}
