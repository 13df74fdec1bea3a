//! The control API: what a tester does to the world. The same as methods of [`Sim`] and as JSON under `/_sim/`.

mod http_api;
mod world;

pub use crate::services::mediaconnect::edit::Edit;
pub(crate) use http_api::handle;
pub use world::{Maintenance, Seed, SeedParameter, SeedSecret};

/// A control call that cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ControlError {
    /// HTTP status: 400 or 404.
    pub status: u16,
    /// Why.
    pub message: String,
}

impl ControlError {
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }

    pub(crate) fn absent(what: &str, name: &str) -> Self {
        Self { status: 404, message: format!("there is no {what} {name}") }
    }
}
