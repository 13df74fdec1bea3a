//! What is remembered of an object between passes: how often it failed, and how often it had to be told the same. Lost with the
//! process, and nothing depends on it but the pace.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// An update that was carried out so often, at intervals no longer than this, is in vain.
const CORRECTIONS: u32 = 3;
const INTERVAL: Duration = Duration::from_secs(600);

/// Passes that failed in a row, and passes in a row that did the same, by UID.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<String, Attempt>>);

#[derive(Debug, Default)]
struct Attempt {
    failures: u32,
    /// Hash of the actions of the last pass, and how often in a row they were carried out.
    same: (u64, u32),
    correction: Option<Correction>,
}

/// An update, and how often it was carried out since the object has the spec that it has.
#[derive(Debug)]
struct Correction {
    update: u64,
    generation: Option<i64>,
    times: u32,
    last: Instant,
}

impl Attempts {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Attempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pass failed; how often in a row by now.
    pub(crate) fn failed(&self, uid: &str) -> u32 {
        let mut all = self.all();
        let attempt = all.entry(uid.to_string()).or_default();
        attempt.failures = attempt.failures.saturating_add(1);
        attempt.failures
    }

    /// A pass did not fail.
    pub(crate) fn succeeded(&self, uid: &str) {
        if let Some(attempt) = self.all().get_mut(uid) {
            attempt.failures = 0;
        }
    }

    /// A pass carried these actions out; how often in a row exactly these by now.
    pub(crate) fn did(&self, uid: &str, actions: u64) -> u32 {
        let mut all = self.all();
        let same = &mut all.entry(uid.to_string()).or_default().same;
        *same = if same.0 == actions { (actions, same.1.saturating_add(1)) } else { (actions, 1) };
        same.1
    }

    /// How often in a row the last actions were carried out.
    pub(crate) fn repeats(&self, uid: &str) -> u32 {
        self.all().get(uid).map_or(0, |attempt| attempt.same.1)
    }

    /// A pass had nothing to carry out.
    pub(crate) fn did_nothing(&self, uid: &str) {
        if let Some(attempt) = self.all().get_mut(uid) {
            attempt.same = (0, 0);
        }
    }

    /// A pass carried out this update.
    pub(crate) fn corrected(&self, uid: &str, generation: Option<i64>, update: u64, now: Instant) {
        let mut all = self.all();
        let correction = &mut all.entry(uid.to_string()).or_default().correction;
        let same = |c: &&Correction| c.update == update && c.generation == generation;
        let times = correction.as_ref().filter(same).filter(|c| c.times >= CORRECTIONS || now <= c.last + INTERVAL);
        let times = times.map_or(0, |c| c.times).saturating_add(1);
        *correction = Some(Correction { update, generation, times, last: now });
    }

    /// Whether an update for this spec was carried out so often that once more would be in vain.
    pub(crate) fn in_vain(&self, uid: &str, generation: Option<i64>) -> Option<u64> {
        let all = self.all();
        let correction = all.get(uid)?.correction.as_ref()?;
        (correction.generation == generation && correction.times >= CORRECTIONS).then_some(correction.update)
    }

    /// Somebody asked for a fresh look.
    pub(crate) fn reconsider(&self, uid: &str) {
        if let Some(attempt) = self.all().get_mut(uid) {
            attempt.correction = None;
        }
    }

    /// The object is gone.
    pub(crate) fn forget(&self, uid: &str) {
        self.all().remove(uid);
    }
}
