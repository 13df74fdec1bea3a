//! AWS, as narrow as the operator needs it. SDK types do not leave this crate.

// What runs for weeks does not end because of a guess: what cannot be is a value, or is said.
#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

pub mod account;
mod batch;
mod cache;
pub mod caller;
pub mod clock;
pub mod cloudwatch;
pub mod error;
pub mod fence;
pub mod mediaconnect;
pub mod medialive;
pub mod rate_limit;
mod recent;
pub mod recorded;
pub mod redact;
pub mod secretsmanager;
pub mod servicequotas;
pub mod ssm;

pub use account::{Account, Region, Settings};

/// The part of the SDK that traces whole answers, as the beginning of its log targets. A key comes out of AWS in one of them:
/// it would be in the log before anybody could learn that it is a key.
pub const TRACES_ANSWERS: &str = "aws_smithy_";
