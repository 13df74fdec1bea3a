//! What a pass over an object came to: what its status is made from, whatever its kind.

use jiff::Timestamp;

use crate::plan::{Failure, Step};

/// What a pass came to: the wish `W`, the facts `O` and the actions `A` of a kind.
#[derive(Debug)]
pub struct Outcome<'a, W, O, A> {
    /// What is wanted; `None` when the object is being deleted or cannot be understood.
    pub wanted: Option<&'a W>,
    /// What was seen; `None` when looking failed.
    pub seen: Option<&'a O>,
    /// What was decided.
    pub step: Option<&'a Step<A>>,
    /// What failed.
    pub failure: Option<&'a Failure>,
    /// Identifier of what this pass created, before any look can show it.
    pub created: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}
