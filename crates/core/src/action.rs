//! What can be done, as values: the log line, the Event, the transcript and the test assertion are the same thing.

use std::fmt::Debug;

use serde::Serialize;

use crate::fight::Change;
use crate::reasons::Reason;

/// What an action has to do with the intent on the object. See [`crate::intent`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Intent {
    /// Nothing: AWS has a unique name, or a second call makes nothing.
    None,
    /// It is written first: AWS knows neither a token that makes the call idempotent nor a unique name.
    Before,
    /// It is written first, and the call has a token that comes from it: sent again under the same intent, it makes nothing twice.
    /// The role says what is made.
    Token(&'static str),
    /// Nothing can appear any more of what it was written for.
    Ends,
}

/// What an action does: to AWS, and for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// What it changes in AWS, for the rule that ends a fight.
    pub changes: Vec<Change>,
    /// The reason of the Event that tells of it.
    pub reason: Reason,
    /// What the Event says.
    pub sentence: String,
    /// Whether the Event is a warning: something was lost for which it is done.
    pub is_warning: bool,
    /// Whether the pass that does it writes the status at once, which otherwise waits for the next look: the status alone knows of it.
    pub is_kept: bool,
}

impl Effect {
    /// Of one change, or of several.
    #[must_use]
    pub fn new(changes: Vec<Change>, reason: Reason, sentence: impl Into<String>) -> Self {
        Self { changes, reason, sentence: sentence.into(), is_warning: false, is_kept: false }
    }

    /// The same, kept in the status.
    #[must_use]
    pub fn kept(self) -> Self {
        Self { is_kept: true, ..self }
    }
}

/// What can be done.
pub trait Action: Debug + Serialize + Send + Sync {
    /// What it has to do with the intent on the object.
    fn intent(&self) -> Intent;

    /// What it does.
    fn effect(&self) -> Effect;

    /// Whether an intent is written on the object first.
    fn needs_intent(&self) -> bool {
        matches!(self.intent(), Intent::Before | Intent::Token(_))
    }

    /// What a create makes, if it carries a token.
    fn token_role(&self) -> Option<&'static str> {
        if let Intent::Token(role) = self.intent() { Some(role) } else { None }
    }

    /// What it changes in AWS.
    fn changes(&self) -> Vec<Change> {
        self.effect().changes
    }
}
