//! What a pass over an object came to: what its status is made from, whatever its kind.

use jiff::Timestamp;

use crate::failure::Failure;
use crate::plan::{Deferred, Plan, Step};

/// What a pass came to: the wish `W`, the facts `O`, the actions `A` and the memory `M` of a kind.
#[derive(Debug)]
pub struct Outcome<'a, W, O, A, M = ()> {
    /// What is wanted; `None` when the object is being deleted or cannot be understood.
    pub wanted: Option<&'a W>,
    /// What was seen; `None` when looking failed.
    pub seen: Option<&'a O>,
    /// What was decided.
    pub step: Option<&'a Step<A>>,
    /// What is to be remembered from now on; `None` when nothing was decided: what was remembered stays.
    pub memory: Option<&'a M>,
    /// Changes that wait.
    pub deferred: &'a [Deferred],
    /// What failed.
    pub failure: Option<&'a Failure>,
    /// Identifier of what this pass created, before any look can show it.
    pub created: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}

impl<'a, W, O, A, M> Outcome<'a, W, O, A, M> {
    /// Of a pass that came to nothing yet.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { wanted: None, seen: None, step: None, memory: None, deferred: &[], failure: None, created: None, now }
    }

    /// What a plan comes to.
    #[must_use]
    pub fn planned(self, plan: Option<&'a Plan<A, M>>) -> Self {
        match plan {
            Some(Plan { step, memory, deferred, .. }) => {
                Self { step: Some(step), memory: Some(memory), deferred, ..self }
            }
            None => self,
        }
    }
}
