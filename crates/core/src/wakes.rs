//! What wakes whom: of which objects a pass is due because another one has changed.
//!
//! It is told every change of an object, and remembers of each what others read of it ([`read`]) and what it refers to ([`index`]).
//! So a change wakes those alone who read what has changed, and nobody is looked for among all. The rows, one a kind:
//!
//! | changes | wakes |
//! |---|---|
//! | a Source | its Destinations, when something of it is another that they read; those at rest read less |
//! | a Destination | its Source, in the same way; those that wait for what it has let go; the preset that it has begun, or ceased, to name |
//! | an EncodingPreset | the Destinations that name it, when a user has changed it |
//! | a Secret | all that name it |
//!
//! And what a user changes about an object wakes that object.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use self::index::Index;
use self::read::{Carrier, Neighbour, Place, digest, is_held, rests, visible};
use crate::api::{Destination, EncodingPreset, Source};
use crate::references::Needed;
use crate::uses::{Demand, Use};

pub mod index;
pub mod read;

/// A kind of object that others refer to, or that is woken.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "they are the kinds")]
pub enum Of {
    Source,
    Destination,
    EncodingPreset,
    Secret,
    /// One that nobody reads, by its name.
    Other(&'static str),
}

/// An object, by its name.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Name {
    /// Its kind.
    pub of: Of,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A pass that is due.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wake {
    /// Of which object.
    pub name: Arc<Name>,
    /// Whether it is due now. What only adds to a list can wait for more of the same.
    pub now: bool,
    /// UID of the object, when a pass of it that is under way is out of date: its wish, or what others demand of it, is another.
    pub wish: Option<String>,
}

/// Under what an object is found.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Key {
    /// It refers to this.
    Refers(Name),
    /// It waits for what there is only so much of.
    LacksRoom,
    /// It is moved between deliveries; by its Source.
    Moves(Name),
    /// It could give up its place on the flow of this Source.
    GivesWay(Name),
    /// It is to have a channel.
    Queues,
    /// It has something on the flow of this Source, or is to have.
    Follows(Name),
}

/// What was last told of an object.
#[derive(Debug)]
struct Told {
    uid: String,
    visible: u64,
    is_held: bool,
    /// It is told to go.
    goes: bool,
    /// What those read who refer to it, or to whom it refers.
    read: u64,
    /// What others of them read: of a Destination other Destinations, of a Source those that rest.
    neighbour: u64,
    demand: Option<Box<Demand>>,
}

/// All that is known of who reads what.
#[derive(Debug, Default)]
pub struct Wakes {
    index: Index<Key, Name>,
    told: HashMap<Arc<Name>, Told>,
    /// The versions of Secrets.
    secrets: HashMap<Arc<Name>, u64>,
}

impl Name {
    /// Of this kind, in the namespace of another one.
    fn beside(&self, of: Of, name: &str) -> Self {
        Self { of, namespace: self.namespace.clone(), name: name.into() }
    }
}

impl Wakes {
    /// Those of a kind that are known.
    pub fn known(&self, of: Of) -> Vec<Arc<Name>> {
        self.told.keys().chain(self.secrets.keys()).filter(|name| name.of == of).cloned().collect()
    }

    /// The names of the Destinations that name this Source.
    pub fn of_source(&self, namespace: &str, name: &str) -> Vec<Arc<Name>> {
        self.referring(Name { of: Of::Source, namespace: namespace.into(), name: name.into() }, Of::Destination)
    }

    /// The names of the Destinations that name this preset.
    pub fn of_preset(&self, namespace: &str, name: &str) -> Vec<Arc<Name>> {
        self.referring(Name { of: Of::EncodingPreset, namespace: namespace.into(), name: name.into() }, Of::Destination)
    }

    /// The names of the Destinations that are to have a channel, and nothing but that it may lack keeps them from going on.
    pub fn queueing(&self) -> Vec<Arc<Name>> {
        self.index.under(&Key::Queues).cloned().collect()
    }

    fn referring(&self, to: Name, of: Of) -> Vec<Arc<Name>> {
        self.index.under(&Key::Refers(to)).filter(|name| name.of == of).cloned().collect()
    }

    /// A Source is this now; `None`: it is gone.
    pub fn source(&mut self, name: Name, now: Option<&Source>) -> Vec<Wake> {
        let secrets = now.map_or_else(Vec::new, |source| Needed::of_source(&source.spec).secrets);
        let keys = secrets.into_iter().map(|secret| Key::Refers(name.beside(Of::Secret, &secret.name))).collect();
        let read = now.map_or(0, |source| digest(&Carrier::of(source)));
        let place = now.map_or(0, |source| digest(&Place::of(source)));
        let new = now.map(|source| Told { neighbour: place, ..told(source, read) });
        let mut wakes = Vec::new();
        let (name, before) = self.told(name, keys, new, &mut wakes);
        let (read_before, place_before) = before.map_or((0, 0), |(told, _)| (told.read, told.neighbour));
        let all = (place != place_before).then(|| Key::Refers((*name).clone()));
        let those = (read != read_before).then(|| Key::Follows((*name).clone()));
        if let Some(key) = all.or(those) {
            let users = self.index.under(&key).filter(|user| user.of == Of::Destination);
            wakes.extend(users.cloned().map(Wake::soon));
        }
        wakes
    }

    /// A Destination is this now; `None`: it is gone.
    pub fn destination(&mut self, name: Name, now: Option<&Destination>) -> Vec<Wake> {
        let neighbour = now.map(Neighbour::of).unwrap_or_default();
        let user = now.map(Use::of);
        let (read, neighbours) = (user.as_ref().map_or(0, digest), digest(&neighbour));
        let keys = now.map_or_else(BTreeSet::new, |d| {
            let source = name.beside(Of::Source, &d.spec.from.name);
            let presets = d.spec.encoding.iter().map(|preset| name.beside(Of::EncodingPreset, preset));
            let secrets = Needed::of_destination(&d.spec).secrets.into_iter();
            let secrets = secrets.map(|secret| name.beside(Of::Secret, &secret.name));
            let mut keys: BTreeSet<_> = presets.chain(secrets).map(Key::Refers).collect();
            keys.extend(neighbour.lacks_room.then_some(Key::LacksRoom));
            keys.extend(neighbour.moves.then(|| Key::Moves(source.clone())));
            keys.extend(neighbour.gives_way.then(|| Key::GivesWay(source.clone())));
            keys.extend((!rests(d)).then(|| Key::Follows(source.clone())));
            keys.extend(neighbour.queues.then_some(Key::Queues));
            keys.insert(Key::Refers(source));
            keys
        });
        let demand = user.map(|u| u.demand().clone()).unwrap_or_default();
        let remembered = (demand != Demand::default()).then(|| Box::new(demand.clone()));
        let new = now.map(|d| Told { neighbour: neighbours, demand: remembered, ..told(d, read) });
        let uid = now.and_then(|d| d.metadata.uid.clone());
        let mut wakes = Vec::new();
        let (name, before) = self.told(name, keys.clone(), new, &mut wakes);
        let (before, keys_before) = before.map_or_else(Default::default, |(told, keys)| (Some(told), keys));

        let was = before.as_ref();
        let is_another = was.map(|told| told.uid.as_str()) != uid.as_deref();
        let demanded = was.and_then(|told| told.demand.as_deref().cloned()).unwrap_or_default();
        let is_pressing = demand.is_pressing(&demanded);
        let reads = is_another || was.map(|told| told.read) != now.map(|_| read);
        for key in keys.union(&keys_before) {
            let Key::Refers(to) = key else { continue };
            let is_new = is_another || !keys.contains(key) || !keys_before.contains(key);
            if to.of == Of::Source && (is_new || reads) || to.of == Of::EncodingPreset && is_new {
                wakes.push(self.summary(to, to.of == Of::Source && is_pressing));
            }
        }
        if was.map_or(digest(&Neighbour::default()), |told| told.neighbour) != neighbours {
            let sources = keys.union(&keys_before).filter_map(|key| match key {
                Key::Refers(to) if to.of == Of::Source => Some(to.clone()),
                _ => None,
            });
            let moving = sources.clone().map(Key::Moves);
            let giving = sources.filter(|_| neighbour.lacks_room).map(Key::GivesWay);
            let concerned: BTreeSet<_> = std::iter::once(Key::LacksRoom)
                .chain(moving)
                .chain(giving)
                .flat_map(|key| self.index.under(&key).cloned().collect::<Vec<_>>())
                .filter(|other| *other != name)
                .collect();
            wakes.extend(concerned.into_iter().map(Wake::soon));
        }
        wakes
    }

    /// A preset is this now; `None`: it is gone.
    pub fn preset(&mut self, name: Name, now: Option<&EncodingPreset>) -> Vec<Wake> {
        let read = now.map_or(0, visible);
        let mut wakes = Vec::new();
        let (name, before) = self.told(name, BTreeSet::new(), now.map(|preset| told(preset, read)), &mut wakes);
        if before.map(|(told, _)| told.read) != now.map(|_| read) {
            wakes.extend(self.of_preset(&name.namespace, &name.name).into_iter().map(Wake::soon));
        }
        wakes
    }

    /// An object of a kind that nobody reads is this now; `None`: it is gone.
    pub fn other<K: kube::Resource>(&mut self, name: Name, now: Option<&K>) -> Vec<Wake> {
        let mut wakes = Vec::new();
        self.told(name, BTreeSet::new(), now.map(|object| told(object, 0)), &mut wakes);
        wakes
    }

    /// A Secret is this now; `None`: it is gone. A list that shows it as it was wakes nobody.
    pub fn secret(&mut self, name: Name, now: Option<&ObjectMeta>) -> Vec<Wake> {
        let name = Arc::new(name);
        let version = now.map(|meta| digest(&(&meta.uid, &meta.resource_version)));
        let before = match version {
            Some(version) => self.secrets.insert(name.clone(), version),
            None => self.secrets.remove(&name),
        };
        if before == version {
            return Vec::new();
        }
        self.index.under(&Key::Refers((*name).clone())).cloned().map(Wake::soon).collect()
    }

    /// Remembers what is told of an object, and wakes it when a user has changed it. What was told before, and under what it stood.
    fn told(
        &mut self,
        name: Name,
        keys: BTreeSet<Key>,
        now: Option<Told>,
        wakes: &mut Vec<Wake>,
    ) -> (Arc<Name>, Option<(Told, BTreeSet<Key>)>) {
        let name = self.told.get_key_value(&name).map_or_else(|| Arc::new(name), |(known, _)| known.clone());
        let keys = self.index.put(&name, keys);
        let before = match now {
            Some(now) => {
                let (visible, is_held, uid) = (now.visible, now.is_held, now.uid.clone());
                let before = self.told.insert(name.clone(), now);
                let is_changed = before.as_ref().is_none_or(|before| before.visible != visible);
                if is_changed || before.as_ref().is_some_and(|before| before.is_held && !is_held) {
                    wakes.push(Wake { name: name.clone(), now: true, wish: Some(uid) });
                }
                before
            }
            None => self.told.remove(&name),
        };
        (name, before.map(|before| (before, keys)))
    }

    /// What summarises others is woken at once when something presses, or when nobody is left for whom it waits with its end.
    fn summary(&self, name: &Name, is_pressing: bool) -> Wake {
        let told = self.told.get(name);
        let is_free =
            told.is_some_and(|told| told.goes) && self.index.under(&Key::Refers(name.clone())).next().is_none();
        let wish = told.filter(|_| is_pressing).map(|told| told.uid.clone());
        Wake { name: Arc::new(name.clone()), now: is_pressing || is_free, wish }
    }
}

impl Wake {
    fn soon(name: Arc<Name>) -> Self {
        Self { name, now: true, wish: None }
    }
}

fn told<K: kube::Resource>(object: &K, read: u64) -> Told {
    let meta = object.meta();
    Told {
        uid: meta.uid.clone().unwrap_or_default(),
        visible: visible(object),
        is_held: is_held(object),
        goes: meta.deletion_timestamp.is_some(),
        read,
        neighbour: 0,
        demand: None,
    }
}

#[cfg(test)]
mod tests;
