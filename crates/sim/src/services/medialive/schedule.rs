//! The schedule of a channel: switches to another input.

use std::time::Duration;

use serde_json::Value;

/// An action is forgotten so long after its time.
const KEPT: Duration = Duration::from_secs(3600);

/// What is to happen in a channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    pub(super) actions: Vec<Action>,
}

#[derive(Clone, Debug)]
pub(super) struct Action {
    /// As it was given.
    pub(super) given: Value,
    pub(super) name: String,
    pub(super) at: Duration,
    /// The attachment that it switches to.
    pub(super) attachment: String,
    pub(super) done: bool,
}

impl Schedule {
    /// When the next action is due.
    pub(super) fn next(&self) -> Option<Duration> {
        self.actions.iter().filter(|action| !action.done).map(|action| action.at).min()
    }

    /// Forgets what was long ago.
    pub(super) fn forget(&mut self, at: Duration) {
        self.actions.retain(|action| action.at + KEPT > at);
    }

    /// The attachment and the name of the last action that is due now.
    pub(super) fn due(&mut self, at: Duration) -> Option<(String, String)> {
        let mut due: Vec<&mut Action> =
            self.actions.iter_mut().filter(|action| !action.done && action.at <= at).collect();
        due.sort_by_key(|action| action.at);
        due.into_iter().fold(None, |_, action| {
            action.done = true;
            Some((action.attachment.clone(), action.name.clone()))
        })
    }
}
