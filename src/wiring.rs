//! Who looks again because of whom. What decides that is `playout_core::wakes`; here it is told what the watches show, and what it
//! says becomes a queue for each controller.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::Stream;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt as _};
use playout_api::{Destination, EncodingPreset, Source};
use playout_core::wakes::{Name, Of, Wake, Wakes};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::lanes::Wishes;
use playout_aws::clock::within;

/// What summarises others looks at most so often because of those.
pub const GATHERED: Duration = Duration::from_secs(1);

/// A kind of object that is watched: its row.
pub trait Wired: Resource<DynamicType = ()> + Clone + Send + Sync + 'static {
    /// Which one.
    const OF: Of;

    /// Tells what the object is now; `None`: it is gone. Who is to look again.
    fn hear(wakes: &mut Wakes, name: Name, now: Option<&Self>) -> Vec<Wake> {
        wakes.other(name, now)
    }
}

impl Wired for Source {
    const OF: Of = Of::Source;

    fn hear(wakes: &mut Wakes, name: Name, now: Option<&Self>) -> Vec<Wake> {
        wakes.source(name, now)
    }
}

impl Wired for Destination {
    const OF: Of = Of::Destination;

    fn hear(wakes: &mut Wakes, name: Name, now: Option<&Self>) -> Vec<Wake> {
        wakes.destination(name, now)
    }
}

impl Wired for EncodingPreset {
    const OF: Of = Of::EncodingPreset;

    fn hear(wakes: &mut Wakes, name: Name, now: Option<&Self>) -> Vec<Wake> {
        wakes.preset(name, now)
    }
}

impl Wired for PartialObjectMeta<Secret> {
    const OF: Of = Of::Secret;

    fn hear(wakes: &mut Wakes, name: Name, now: Option<&Self>) -> Vec<Wake> {
        wakes.secret(name, now.map(|secret| &secret.metadata))
    }
}

/// The wires, and what is due. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Wiring(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    wakes: Mutex<Wakes>,
    wishes: Arc<Wishes>,
    due: Mutex<BTreeMap<Of, Arc<Due>>>,
}

impl Wiring {
    /// Tells the passes that are under way by `wishes`.
    #[must_use]
    pub fn new(wishes: Arc<Wishes>) -> Self {
        Self(Arc::new(Inner { wishes, ..Inner::default() }))
    }

    fn wakes(&self) -> MutexGuard<'_, Wakes> {
        self.0.wakes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self, of: Of) -> Arc<Due> {
        self.0.due.lock().unwrap_or_else(PoisonError::into_inner).entry(of).or_default().clone()
    }

    /// What an object is now that the cache shows it; `None`: it is gone. Passes under way are told when they are out of date. Who is
    /// to look again.
    pub fn hear<K: Wired>(&self, of: &ObjectRef<K>, now: Option<&K>) -> Vec<Wake> {
        let name = Name { of: K::OF, namespace: of.namespace.clone().unwrap_or_default(), name: of.name.clone() };
        let wakes = K::hear(&mut self.wakes(), name, now);
        for uid in wakes.iter().filter_map(|wake| wake.wish.as_ref()) {
            self.0.wishes.changed(uid);
        }
        wakes
    }

    /// The same, and puts them into the queues.
    pub fn changed<K: Wired>(&self, of: &ObjectRef<K>, now: Option<&K>) {
        for wake in self.hear(of, now) {
            self.due(wake.name.of).put(wake);
        }
    }

    /// What the cache shows after it was filled anew: also what is not there any more.
    pub fn listed<K: Wired>(&self, all: &[Arc<K>]) {
        let mut gone: BTreeSet<_> = self.wakes().known(K::OF).into_iter().collect();
        for object in all {
            let of = ObjectRef::from_obj(&**object);
            let name = Name { of: K::OF, namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
            gone.remove(&name);
            self.changed(&of, Some(&**object));
        }
        for name in gone {
            self.changed(&ObjectRef::<K>::new(&name.name).within(&name.namespace), None);
        }
    }

    /// What is due from now on: all objects of the kind, and then those that are woken.
    pub fn queue<K: Wired>(&self) -> impl Stream<Item = ObjectRef<K>> + Send + use<K> {
        let due = self.due(K::OF);
        due.listens.store(true, Ordering::SeqCst);
        for name in self.wakes().known(K::OF) {
            due.put(Wake { name, now: true, wish: None });
        }
        futures::stream::unfold(due, |due| async {
            let name = due.next().await;
            Some((ObjectRef::<K>::new(&name.name).within(&name.namespace), due))
        })
    }

    /// The Destinations that name this Source.
    pub fn of_source(&self, namespace: &str, name: &str) -> Vec<Arc<Name>> {
        self.wakes().of_source(namespace, name)
    }

    /// The Destinations that name this preset.
    pub fn of_preset(&self, namespace: &str, name: &str) -> Vec<Arc<Name>> {
        self.wakes().of_preset(namespace, name)
    }

    /// The Destinations that are to have a channel.
    pub fn queueing(&self) -> Vec<Arc<Name>> {
        self.wakes().queueing()
    }
}

/// Of which objects a pass is due, each once. Who is not listened to misses nothing: the listener begins with all.
#[derive(Debug, Default)]
struct Due {
    listens: AtomicBool,
    queue: Mutex<Queue>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    now: BTreeSet<Arc<Name>>,
    /// What summarises others, and when it looks.
    later: BTreeMap<Arc<Name>, Instant>,
}

impl Due {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, wake: Wake) {
        if !self.listens.load(Ordering::SeqCst) {
            return;
        }
        let mut queue = self.queue();
        if wake.now {
            queue.later.remove(&wake.name);
            queue.now.insert(wake.name);
        } else if !queue.now.contains(&wake.name) {
            queue.later.entry(wake.name).or_insert_with(|| Instant::now() + GATHERED);
        }
        drop(queue);
        self.came.notify_one();
    }

    /// The next one, or how long it is until there is one.
    fn take(&self) -> Result<Arc<Name>, Option<Duration>> {
        let mut queue = self.queue();
        if let Some(name) = queue.now.pop_first() {
            return Ok(name);
        }
        let now = Instant::now();
        let next = queue.later.iter().min_by_key(|(_, at)| **at).map(|(name, at)| (name.clone(), *at));
        match next {
            Some((name, at)) if at <= now => {
                queue.later.remove(&name);
                Ok(name)
            }
            next => Err(next.map(|(_, at)| at - now)),
        }
    }

    async fn next(&self) -> Arc<Name> {
        loop {
            match self.take() {
                Ok(name) => return name,
                Err(Some(left)) => drop(within(left, self.came.notified()).await),
                Err(None) => self.came.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wake(name: &str, now: bool) -> Wake {
        let name = Name { of: Of::Source, namespace: "show".into(), name: name.into() };
        Wake { name: Arc::new(name), now, wish: None }
    }

    #[tokio::test(start_paused = true)]
    async fn what_presses_goes_first_and_the_rest_is_gathered_for_a_second() {
        let due = Due::default();
        due.put(wake("unheard", true));
        due.listens.store(true, Ordering::SeqCst);
        let began = Instant::now();
        for name in ["a", "b", "a", "a"] {
            due.put(wake(name, false));
        }
        due.put(wake("b", true));
        due.put(wake("b", false));
        let next = async || (due.next().await.name.clone(), began.elapsed());
        assert_eq!(next().await, ("b".into(), Duration::ZERO));
        assert_eq!(next().await, ("a".into(), GATHERED));
        assert_eq!(within(GATHERED * 10, due.next()).await, None, "each was taken once");
    }
}
