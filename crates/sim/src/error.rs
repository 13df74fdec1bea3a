//! Errors as the services of AWS answer them.

use serde_json::{Map, Value};

/// An error that a service answers with: its shape, status and text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} ({status}): {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The shape's name, for example `BadRequestException`.
    pub code: String,
    /// The text for people.
    pub message: String,
    /// What the error's shape has besides the text, for example `validationErrors`.
    pub members: Map<String, Value>,
}

impl ApiError {
    /// What AWS has and this simulator has not: loud, and with a status that no service of AWS answers.
    pub(crate) fn not_simulated(what: &str) -> Self {
        Self::new(501, "NotSimulatedException", format!("The simulator does not model {what}"))
    }

    /// An error with this status, code and text.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), members: Map::new() }
    }

    /// The same error with another member.
    pub(crate) fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }
}
