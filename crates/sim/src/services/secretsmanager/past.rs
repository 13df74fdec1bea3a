//! Lists that come late.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Secret;

/// The secrets as they were before each change.
#[derive(Clone, Default)]
pub(super) struct Past {
    /// Oldest first, with the time of the change.
    kept: VecDeque<(Duration, BTreeMap<String, Secret>)>,
}

impl Past {
    /// Keeps the secrets as they are before a change, as long as a list may show them.
    pub(super) fn remember(&mut self, secrets: &BTreeMap<String, Secret>, now: Duration, lag: Duration) {
        self.kept.retain(|(changed, _)| *changed + lag > now);
        if !lag.is_zero() {
            self.kept.push_back((now, secrets.clone()));
        }
    }

    /// The secrets that a list shows that lags; none: as they are.
    pub(super) fn seen(&self, now: Duration, lag: Duration) -> Option<&BTreeMap<String, Secret>> {
        let then = now.saturating_sub(lag);
        self.kept.iter().find(|(changed, _)| *changed > then).map(|(_, secrets)| secrets)
    }
}
