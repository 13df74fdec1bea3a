//! What the words of a Source's status mean where another version has written them.

use serde_json::{Value, json};

use crate::api::source::{AdoptionState, Source, SourceState};
use crate::stored::Stored;

impl Stored for Source {
    fn least() -> Value {
        json!({})
    }

    fn recall(&mut self, left_out: bool) {
        let Some(status) = &mut self.status else { return };
        let mut strange = left_out;
        if let Some(adoption) = status.adoption.as_mut().filter(|a| a.state == AdoptionState::Unknown) {
            // One that differs from the spec is planned, and has a plan.
            adoption.state = if adoption.plan.is_empty() { AdoptionState::Adopted } else { AdoptionState::Planned };
            strange = true;
        }
        if strange {
            // So that the next pass writes all of it anew.
            status.state = Some(SourceState::Unknown);
        }
    }

    fn unread(&self) -> Value {
        json!({ "state": SourceState::Unknown })
    }
}
