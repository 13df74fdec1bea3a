//! What is remembered of an object between passes: how often it failed, and how often it had to be told the same. Lost with the
//! process, and nothing depends on it but the pace.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Passes that failed in a row, and passes in a row that did the same, by UID.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<String, Attempt>>);

#[derive(Debug, Default)]
struct Attempt {
    failures: u32,
    /// Hash of the actions of the last pass, and how often in a row they were carried out.
    same: (u64, u32),
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

    /// The object is gone.
    pub(crate) fn forget(&self, uid: &str) {
        self.all().remove(uid);
    }
}
