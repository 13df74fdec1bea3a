//! Who is found under what, so that nobody who looks for a few walks through all.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

/// Members by the keys under which they stand.
#[derive(Debug)]
pub struct Index<Key, Member> {
    by_key: HashMap<Key, BTreeSet<Arc<Member>>>,
    by_member: HashMap<Arc<Member>, BTreeSet<Key>>,
}

impl<Key, Member> Default for Index<Key, Member> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), by_member: HashMap::new() }
    }
}

impl<Key: Clone + Eq + Hash + Ord, Member: Eq + Hash + Ord> Index<Key, Member> {
    /// Puts a member under these keys and no others; under which it stood before. None: it is gone.
    pub fn put(&mut self, member: &Arc<Member>, keys: BTreeSet<Key>) -> BTreeSet<Key> {
        let before = if keys.is_empty() {
            self.by_member.remove(member)
        } else {
            self.by_member.insert(member.clone(), keys.clone())
        };
        let before = before.unwrap_or_default();
        for key in before.difference(&keys) {
            if let Some(members) = self.by_key.get_mut(key) {
                members.remove(member);
                if members.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
        for key in keys.difference(&before) {
            self.by_key.entry(key.clone()).or_default().insert(member.clone());
        }
        before
    }

    /// Who stands under this key, in order.
    pub fn under(&self, key: &Key) -> impl Iterator<Item = &Arc<Member>> + use<'_, Key, Member> {
        self.by_key.get(key).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_under_the_keys_that_it_has_now() {
        let mut index = Index::default();
        let [one, two] = ["one", "two"].map(Arc::new);
        assert!(index.put(&one, BTreeSet::from(["a", "b"])).is_empty());
        index.put(&two, BTreeSet::from(["b"]));
        fn under(index: &Index<&'static str, &'static str>, key: &'static str) -> Vec<&'static str> {
            index.under(&key).map(|member| **member).collect()
        }
        assert_eq!((under(&index, "a"), under(&index, "b")), (vec!["one"], vec!["one", "two"]));
        assert_eq!(index.put(&one, BTreeSet::from(["b", "c"])), BTreeSet::from(["a", "b"]));
        assert_eq!((under(&index, "a"), under(&index, "c")), (vec![], vec!["one"]));
        index.put(&one, BTreeSet::new());
        assert_eq!(under(&index, "b"), ["two"]);
        index.put(&two, BTreeSet::new());
        assert!(index.by_key.is_empty() && index.by_member.is_empty(), "nothing is kept of who is gone");
    }
}
