//! A kind as one watch shows it: a cache, and who is told of its changes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Resource};
use playout_core::stored::Stored;
use serde::de::DeserializeOwned;

use super::guard::Guarded;

/// So many objects come with one answer: they are other people's, up to a megabyte and a half each, and held at once.
const PAGE: u32 = 50;

/// A cache that one watch fills.
#[derive(Debug)]
pub struct Watched<K: Resource<DynamicType = ()> + Clone + 'static> {
    /// The cache.
    pub store: Store<K>,
}

/// What the cache shows by now, for whoever is told.
#[derive(Debug)]
pub enum News<'a, K> {
    /// This is new.
    Is(&'a K),
    /// This is not there any more.
    Gone(&'a K),
    /// This is all there is.
    All(&'a [Arc<K>]),
}

impl<K> Watched<K>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    /// Begins to watch. `slim` takes away what nobody reads, before it is kept; `tell` is called when the cache shows something new.
    pub fn start(
        api: Api<K>,
        config: watcher::Config,
        slim: fn(&mut K),
        tell: impl Fn(News<'_, K>) + Send + 'static,
    ) -> Self
    where
        K: DeserializeOwned,
        Api<K>: Send,
    {
        Self::of(watcher(api, config).default_backoff(), slim, tell)
    }

    /// The same for a kind of ours: an object that this version does not understand is one among the others.
    pub fn guarded(api: Api<Guarded<K>>, slim: fn(&mut K), tell: impl Fn(News<'_, K>) + Send + 'static) -> Self
    where
        K: Stored,
    {
        let events = watcher(api, watcher::Config::default().page_size(PAGE)).default_backoff().map_ok(unguarded);
        Self::of(events, slim, tell)
    }

    fn of(
        events: impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send + 'static,
        slim: fn(&mut K),
        tell: impl Fn(News<'_, K>) + Send + 'static,
    ) -> Self {
        let (store, writer) = reflector::store();
        let events = reflector::reflector(writer, events.modify(slim));
        let cache = store.clone();
        tokio::spawn(async move {
            let mut events = std::pin::pin!(events);
            while let Some(event) = events.next().await {
                match event {
                    Ok(watcher::Event::Apply(object)) => tell(News::Is(&object)),
                    // What was deleted concerns those who refer to it as much as what has changed.
                    Ok(watcher::Event::Delete(object)) => tell(News::Gone(&object)),
                    // The cache shows the list when it is complete, and not before.
                    Ok(watcher::Event::InitDone) => tell(News::All(&cache.state())),
                    Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => {}
                    Err(error) => tracing::warn!(kind = %K::kind(&()), %error, "the watch is interrupted"),
                }
            }
        });
        Self { store }
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
                () = playout_aws::clock::pause(Duration::from_secs(10)) => {
                    tracing::warn!(kind = %K::kind(&()), "still waiting for the first list; are the CRDs installed and may the operator list them?");
                }
            }
        }
    }
}

fn unguarded<K>(event: watcher::Event<Guarded<K>>) -> watcher::Event<K> {
    match event {
        watcher::Event::Apply(object) => watcher::Event::Apply(object.0),
        watcher::Event::Delete(object) => watcher::Event::Delete(object.0),
        watcher::Event::Init => watcher::Event::Init,
        watcher::Event::InitApply(object) => watcher::Event::InitApply(object.0),
        watcher::Event::InitDone => watcher::Event::InitDone,
    }
}

/// Takes away most of an object in memory: who wrote which field, and what others have noted on it. `kubectl apply` notes the whole
/// object. A write of a status changes nothing of that.
pub fn without_notes<K: Resource>(object: &mut K) {
    let meta = object.meta_mut();
    meta.managed_fields = None;
    if let Some(annotations) = &mut meta.annotations {
        annotations.retain(|name, _| name.starts_with(playout_api::GROUP));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use http::{Request, Response};
    use kube::Client;
    use kube::client::Body;
    use playout_api::Destination;
    use playout_core::stored::not_understood;
    use serde_json::{Value, json};

    use super::*;

    /// A cluster with these objects, and what it was asked.
    fn cluster(items: Value, asked: &Arc<Mutex<Vec<String>>>) -> Client {
        let asked = asked.clone();
        let list = json!({ "apiVersion": "playout.dev/v1alpha1", "kind": "DestinationList",
            "metadata": { "resourceVersion": "9" }, "items": items });
        let service = tower::service_fn(move |request: Request<Body>| {
            let (list, query) = (list.clone(), request.uri().query().unwrap_or_default().to_owned());
            let watches = query.contains("watch=true");
            asked.lock().expect("no panic").push(query);
            async move {
                if watches {
                    std::future::pending::<()>().await;
                }
                anyhow::Ok(Response::new(Body::from(serde_json::to_vec(&list)?)))
            }
        });
        Client::new(service, "show")
    }

    #[tokio::test(start_paused = true)]
    async fn one_object_that_is_not_understood_ends_no_list_and_pages_are_short() {
        let object = |name: &str, spec: Value| {
            json!({ "apiVersion": "playout.dev/v1alpha1", "kind": "Destination", "spec": spec,
                "metadata": { "name": name, "namespace": "show", "uid": name, "managedFields": [{ "manager": "kubectl" }],
                    "annotations": { "playout.dev/reconcile-at": "1", "note": "long" } } })
        };
        let from = json!({ "name": "studio" });
        let items = json!([
            object("one", json!({ "from": from, "state": "Running" })),
            object("newer", json!({ "from": from, "delivery": "Shared" })),
            object("three", json!({ "from": from })),
        ]);
        let asked = Arc::default();
        let api = Api::<Guarded<Destination>>::all(cluster(items, &asked));
        let filled =
            playout_aws::clock::within(Duration::from_secs(60), Watched::guarded(api, without_notes, |_| {}).filled())
                .await;
        let watched = filled.expect("in time").expect("a watch");
        let mut marked: Vec<_> =
            watched.store.state().iter().map(|d| (d.metadata.name.clone(), not_understood(&**d).is_some())).collect();
        marked.sort();
        let is = |name: &str, marked| (Some(name.to_string()), marked);
        assert_eq!(marked, [is("newer", true), is("one", false), is("three", false)]);
        for destination in watched.store.state() {
            let annotations = destination.metadata.annotations.clone().unwrap_or_default();
            assert!(annotations.contains_key("playout.dev/reconcile-at") && !annotations.contains_key("note"));
            assert_eq!(destination.metadata.managed_fields, None);
        }
        let first = asked.lock().expect("no panic")[0].clone();
        assert!(first.contains("limit=50"), "{first}");
    }
}
