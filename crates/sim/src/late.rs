//! Calls that are carried out after their callers were left without an answer.

use std::time::Duration;

use crate::answer::Resumed;

/// A call, and when it is carried out.
pub(crate) struct LateCall {
    pub(crate) due: Duration,
    pub(crate) request: Resumed,
}

/// What is under way.
#[derive(Default)]
pub(crate) struct Late {
    calls: Vec<LateCall>,
}

impl Late {
    pub(crate) fn add(&mut self, due: Duration, request: Resumed) {
        self.calls.push(LateCall { due, request });
    }

    /// The next call that is due by now; of calls that are due together the one that came first.
    pub(crate) fn take(&mut self, now: Duration) -> Option<LateCall> {
        let due = self.calls.iter().enumerate().filter(|(_, call)| call.due <= now);
        let (index, _) = due.min_by_key(|(_, call)| call.due)?;
        Some(self.calls.remove(index))
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }
}
