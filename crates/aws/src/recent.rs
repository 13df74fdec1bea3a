//! What is kept only as long as somebody asks for it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// A map that forgets what nobody has asked for during a period, and at the latest after two. So what a process remembers of
/// objects and resources is bounded by those that there are, however many there have been.
#[derive(Debug)]
pub struct Recent<K, V> {
    period: Duration,
    turned: Option<Instant>,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    /// An empty one.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        Self { period, turned: None, young: HashMap::new(), old: HashMap::new() }
    }

    fn turn(&mut self, now: Instant) {
        let turned = *self.turned.get_or_insert(now);
        if now < turned + self.period {
            return;
        }
        self.old = std::mem::take(&mut self.young);
        if now >= turned + self.period * 2 {
            self.old.clear();
        }
        self.turned = Some(now);
    }

    /// What is known, which is so kept.
    pub fn get<Q>(&mut self, key: &Q, now: Instant) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.turn(now);
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.young.insert(key, value);
        }
        self.young.get_mut(key)
    }

    /// What is known. Looking alone keeps nothing.
    #[must_use]
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Remembers it.
    pub fn insert(&mut self, key: K, value: V, now: Instant) {
        self.turn(now);
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// How many are known.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Recent;
    use crate::clock::{Clock, pause};

    #[tokio::test(start_paused = true)]
    async fn what_nobody_asks_for_is_forgotten_and_nothing_else() {
        let (clock, mut all) = (Clock::system(), Recent::new(Duration::from_secs(60)));
        for n in 0..1000_u32 {
            all.insert(n, n, clock.instant());
            pause(Duration::from_secs(10)).await;
            assert_eq!(all.get(&0, clock.instant()), Some(&mut 0));
            assert!(all.len() <= 14, "{} are kept", all.len());
        }
        assert_eq!((all.peek(&999), all.peek(&900)), (Some(&999), None));
        pause(Duration::from_secs(3600)).await;
        assert!(all.get(&0, clock.instant()).is_none() && all.len() == 0);
    }
}
