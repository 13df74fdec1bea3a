//! Who sends where: two Destinations with one receiver and key put each other off the air, and neither can see why.
//!
//! An index in memory, so that a pass looks up its own receivers and no more. It holds digests: a key is not in it.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest as _, Sha256};

/// Most others that a look-up names. More are no help, and naming all would make the work of many grow with their square.
const NAMED: usize = 6;

/// A receiver together with the key at it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Feed([u8; 16]);

impl Feed {
    /// Of the parts that make a receiver see one sender.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut short = [0; 16];
        short.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        Self(short)
    }
}

/// A Destination that sends.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Sender {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
}

/// The index.
#[derive(Debug, Default)]
pub struct Feeds {
    by_feed: HashMap<Feed, BTreeMap<String, Sender>>,
    by_uid: HashMap<String, Vec<Feed>>,
}

impl Feeds {
    /// Notes where a Destination sends now, instead of what was noted before; some of the others that send the same.
    pub fn note(&mut self, sender: &Sender, feeds: Vec<Feed>) -> Vec<Sender> {
        self.forget(&sender.uid);
        let mut others = BTreeMap::new();
        for feed in &feeds {
            let senders = self.by_feed.entry(*feed).or_default();
            others.extend(senders.values().take(NAMED).map(|other| (other.uid.clone(), other.clone())));
            senders.insert(sender.uid.clone(), sender.clone());
        }
        if !feeds.is_empty() {
            self.by_uid.insert(sender.uid.clone(), feeds);
        }
        let mut others: Vec<_> = others.into_values().collect();
        others.sort();
        others
    }

    /// Forgets a Destination that sends no more.
    pub fn forget(&mut self, uid: &str) {
        for feed in self.by_uid.remove(uid).unwrap_or_default() {
            if let Some(senders) = self.by_feed.get_mut(&feed) {
                senders.remove(uid);
                if senders.is_empty() {
                    self.by_feed.remove(&feed);
                }
            }
        }
    }

    /// Whether nothing is noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_feed.is_empty() && self.by_uid.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Feed, Feeds, NAMED, Sender};

    fn sender(name: &str) -> Sender {
        Sender { namespace: "show".into(), name: name.into(), uid: format!("uid-of-{name}") }
    }

    #[test]
    fn who_sends_the_same_way_is_known_until_one_goes() {
        let mut feeds = Feeds::default();
        let (one, other) = (Feed::of(&["host", "app", "key"]), Feed::of(&["host", "app", "key-2"]));
        assert!(feeds.note(&sender("a"), vec![one]).is_empty());
        assert!(feeds.note(&sender("b"), vec![other]).is_empty());
        assert_eq!(feeds.note(&sender("c"), vec![one, other]), [sender("a"), sender("b")]);
        assert_eq!(feeds.note(&sender("a"), vec![one]), [sender("c")], "and it does not find itself");
        assert!(feeds.note(&sender("c"), Vec::new()).is_empty());
        assert!(feeds.note(&sender("a"), vec![one]).is_empty());
        feeds.forget("uid-of-a");
        feeds.forget("uid-of-b");
        assert!(feeds.is_empty(), "{feeds:?}");
    }

    #[test]
    fn what_a_look_up_names_is_bounded_and_parts_are_told_apart() {
        let mut feeds = Feeds::default();
        let one = Feed::of(&["host", "key"]);
        for n in 0..100 {
            assert!(feeds.note(&sender(&format!("d{n}")), vec![one]).len() <= NAMED);
        }
        assert_ne!(Feed::of(&["host", "key"]), Feed::of(&["hostk", "ey"]));
    }
}
