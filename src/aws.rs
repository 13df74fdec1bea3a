//! AWS, as narrow as the operator needs it. SDK types do not leave this module.

pub mod account;
mod caller;
pub mod channels;
mod convert;
pub mod error;
pub mod flows;
mod gather;
pub mod measurements;
pub mod media_connect;
pub mod media_live;
pub mod pace;
pub mod parameters;
pub mod quotas;
mod rtmp;
pub mod secrets_manager;
mod shared;

pub use account::{Account, Region, Settings};

/// The part of the SDK that traces whole answers, as the beginning of its log targets. A key comes out of AWS in one of them:
/// it would be in the log before anybody could learn that it is a key.
pub const TRACES_ANSWERS: &str = "aws_smithy_";
