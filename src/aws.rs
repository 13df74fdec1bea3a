//! AWS, as narrow as the operator needs it. SDK types do not leave this module.

pub mod account;
mod caller;
mod convert;
pub mod error;
pub mod flows;
mod gather;
pub mod measurements;
pub mod media_connect;
pub mod pace;
pub mod parameters;
mod rtmp;
pub mod secrets_manager;

pub use account::{Account, Region, Settings};
