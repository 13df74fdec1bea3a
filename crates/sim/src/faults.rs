//! Faults that a tester plants: the ways in which a call to AWS goes wrong.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What must go wrong, and with which requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// `mediaconnect`, `ssm`, ... or `*`.
    #[serde(default = "any")]
    pub service: String,
    /// `CreateFlow`, ... or `*`.
    #[serde(default = "any")]
    pub operation: String,
    /// Only requests whose path or body has this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// So many matching requests go well first.
    #[serde(default)]
    pub skip: u32,
    /// So many go wrong then; 0: all, until the fault is cleared.
    #[serde(default = "once")]
    pub times: u32,
    /// In which way.
    pub kind: FaultKind,
    /// Whether the answer to what is processed waits until the fault is released, too: a caller can die before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

fn any() -> String {
    "*".to_owned()
}

fn once() -> u32 {
    1
}

impl Fault {
    /// Goes wrong once, at the first call of the operation.
    pub fn new(service: &str, operation: &str, kind: FaultKind) -> Self {
        let (service, operation) = (service.to_owned(), operation.to_owned());
        Self { service, operation, contains: None, skip: 0, times: 1, kind, held: false }
    }
}

/// The ways in which a call goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FaultKind {
    /// An error, and nothing was done.
    FailBefore {
        /// HTTP status.
        status: u16,
        /// Error code.
        code: String,
        /// Text.
        #[serde(default)]
        message: String,
    },
    /// An error, although the call was processed.
    FailAfter {
        /// HTTP status.
        status: u16,
        /// Error code.
        code: String,
        /// Text.
        #[serde(default)]
        message: String,
    },
    /// The connection closes without an answer, and nothing was done.
    DropBefore,
    /// The connection closes without an answer, although the call was processed.
    DropAfter,
    /// The answer takes longer.
    Delay {
        /// Real time.
        milliseconds: u64,
        /// Whether the wait is before or after the call is processed. A caller that goes away during a wait before
        /// was never heard.
        #[serde(default)]
        when: When,
    },
    /// The service's throttling error.
    Throttle,
    /// What the call makes is absent from List answers for a while.
    HideFromLists {
        /// Simulated time.
        seconds: f64,
    },
    /// What the call makes is absent from every read for a while: Describe answers that it does not exist.
    HideFromReads {
        /// Simulated time.
        seconds: f64,
    },
    /// Of a mutation: reads of this service answer for a while as if it had not happened. Of a read: the answer is
    /// from before the last mutation, if that is not longer ago than this.
    Stale {
        /// Simulated time.
        seconds: f64,
    },
    /// The caller gets no answer, and the call is carried out so long after it came, whether its caller waits, has given
    /// up or has gone. What is under way is not called back: clearing the fault only closes the connections that hang.
    Late {
        /// Simulated time.
        seconds: f64,
        /// What the caller sees meanwhile.
        #[serde(default)]
        caller: Unanswered,
    },
    /// The answer waits until the fault is released.
    Hold {
        /// Whether the call is processed before or after it is released.
        #[serde(default)]
        when: When,
    },
}

/// What the caller sees of a call that is carried out late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unanswered {
    /// Nothing: its connection stays open until it gives up.
    #[default]
    Hangs,
    /// The connection closes at once, without a byte.
    Dropped,
}

/// Relative to the moment at which the call is processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// Wait, then process.
    Before,
    /// Process, then wait.
    #[default]
    After,
}

/// A planted fault and what became of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlantedFault {
    /// Number, to release or clear it.
    pub id: u64,
    /// As it was planted.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests that matched.
    pub matched: u32,
    /// Requests that went wrong.
    pub hits: u32,
    #[serde(skip)]
    release: watch::Sender<bool>,
}

impl PlantedFault {
    /// Resolves to true once the fault is released.
    pub(crate) fn released(&self) -> watch::Receiver<bool> {
        self.release.subscribe()
    }
}

#[derive(Default)]
pub(crate) struct Faults {
    planted: Vec<PlantedFault>,
    next: u64,
}

impl Faults {
    pub(crate) fn plant(&mut self, fault: Fault) -> u64 {
        self.next += 1;
        let (release, _) = watch::channel(false);
        self.planted.push(PlantedFault { id: self.next, fault, matched: 0, hits: 0, release });
        self.next
    }

    pub(crate) fn list(&self) -> &[PlantedFault] {
        &self.planted
    }

    /// Whether reads may be asked to look into the past.
    pub(crate) fn any_stale(&self) -> bool {
        self.planted.iter().any(|planted| matches!(planted.fault.kind, FaultKind::Stale { .. }))
    }

    /// Lets go of what a hold fault holds. False when there is no such fault.
    pub(crate) fn release(&mut self, id: u64) -> bool {
        let found = self.planted.iter().find(|planted| planted.id == id);
        if let Some(planted) = found {
            planted.release.send_replace(true);
        }
        found.is_some()
    }

    /// Removes one fault or all; what they hold is let go.
    pub(crate) fn clear(&mut self, id: Option<u64>) -> usize {
        let before = self.planted.len();
        self.planted.retain(|planted| {
            let goes = id.is_none_or(|id| id == planted.id);
            if goes {
                planted.release.send_replace(true);
            }
            !goes
        });
        before - self.planted.len()
    }

    /// The fault that a request runs into: the first that matches and is not used up. `texts` are the request's path
    /// and body in the forms in which a tester may write them.
    pub(crate) fn hit(&mut self, service: &str, operation: &str, texts: &[&str]) -> Option<PlantedFault> {
        let is = |wanted: &str, found: &str| wanted == "*" || wanted.eq_ignore_ascii_case(found);
        for planted in &mut self.planted {
            let fault = &planted.fault;
            let contained = fault.contains.as_deref().is_none_or(|text| texts.iter().any(|t| t.contains(text)));
            if !is(&fault.service, service) || !is(&fault.operation, operation) || !contained {
                continue;
            }
            planted.matched += 1;
            let used_up = fault.times != 0 && planted.hits >= fault.times;
            if planted.matched > fault.skip && !used_up {
                planted.hits += 1;
                return Some(planted.clone());
            }
        }
        None
    }
}
