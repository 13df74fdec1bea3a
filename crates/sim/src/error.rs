//! Errors as the services of AWS answer them.

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
}

impl ApiError {
    /// An error with this status, code and text.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }
}
