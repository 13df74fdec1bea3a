//! The Kubernetes API, as narrow as the loop needs it.

pub mod events;
pub mod hold;
pub mod secrets;
pub mod status;
pub mod watched;
