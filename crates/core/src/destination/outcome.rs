//! What a pass over a Destination came to: what its status is made from.

use jiff::Timestamp;

use super::action::Action;
use super::observed::Observed;
use super::wanted::Wanted;
use crate::plan::{Failure, Step};

/// What a pass came to.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// What is wanted; `None` when the object is being deleted or cannot be understood.
    pub wanted: Option<&'a Wanted>,
    /// What was seen; `None` when looking failed.
    pub seen: Option<&'a Observed>,
    /// What was decided.
    pub step: Option<&'a Step<Action>>,
    /// What failed.
    pub failure: Option<&'a Failure>,
    /// Id of the input or channel that this pass created, before any look can show it.
    pub created: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}
