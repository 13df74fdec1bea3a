//! What there is in AWS, as the kinds share it: how it is found, and how an action on it is carried out. No kind is known here, and
//! nothing is decided.

use std::collections::BTreeMap;
use std::time::Duration;

use playout_core::failure::{Failure, FailureClass};
use playout_core::identity::Identity;

pub mod channel;
pub mod flow;
pub mod output;
pub mod secret_copy;

/// How old a shared look may be within a pass. Shorter than the first pause after a failure, so that what is tried again looks again:
/// in between AWS may have finished what the pass before had seen under way.
pub const AGE: Duration = Duration::from_millis(200);
/// How old a shared list may be. Lists are for what no id is known of.
pub const LIST_AGE: Duration = Duration::from_secs(1);

/// The object in whose name something is done.
#[derive(Debug)]
pub struct Owner<'a> {
    /// Who it is.
    pub identity: Identity,
    /// The UID that what is touched was last seen to bear as its own.
    pub recorded: Option<&'a str>,
}

impl Owner<'_> {
    fn owns(&self, tags: &BTreeMap<String, String>) -> bool {
        self.identity.ownership_after(tags, self.recorded).is_ours()
    }
}

/// What is answered instead of an action, when the tags have changed since they were looked at.
fn not_ours(arn: &str) -> Failure {
    Failure {
        class: FailureClass::Conflict,
        operation: "mediaconnect:ListTagsForResource".into(),
        message: format!("the ownership tags of {arn} have changed; it was not touched"),
    }
}
