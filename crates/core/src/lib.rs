//! What Playout decides. No client, no clock, no randomness, no `await` lives here.
//!
//! The custom resources, as users write them, are the crate `playout_api`, which core calls `api`.
//!
//! - [`kinds`]: per kind `wanted` (spec to a type that cannot be wrong), `observed` (facts), `plan` (the decision) and `status`
//!   (what users read); [`resources`]: what there is in AWS, with the actions on it;
//! - [`plan`], [`action`], [`waiting`], [`failure`]: the words that all kinds share; [`frame`]: what is decided alike for all;
//! - [`identity`], [`intent`], [`existence`]: whose it is, what was sent, whether it is there; [`unanswered`]: what AWS may still carry out;
//! - [`fight`]: how often the same is changed; [`refused`]: what AWS refuses; [`left`]: what stays in AWS;
//! - [`uses`], [`upstream`], [`wakes`]: what one object is to another, and who looks again because of whom; [`usage`], [`queue`]: of what
//!   there are only so many, and who gets the last;
//! - [`encoding`], [`presets`], [`platforms`]: what is encoded, by which name, and who takes it;
//! - [`evidence`]: what AWS shows of a stream, where it promises to, and what that proves; [`restart`], [`failover`]: what is done when it
//!   is not taken;
//! - [`told`], [`conditions`], [`reasons`]: what people are told; [`stored`]: what other versions have written;
//! - [`secret`], [`age`]: the vocabulary.
//!
//! A newcomer reads `plan.rs`, then `kinds/destination/plan.rs`.

// What runs for weeks does not end because of a guess: what cannot be is a value, or is said.
#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

pub mod action;
pub mod age;
pub mod annotations;
pub mod conditions;
pub mod encoding;
pub mod endpoint;
pub mod evidence;
pub mod existence;
pub mod failover;
pub mod failure;
pub mod feeds;
pub mod fight;
pub mod fingerprint;
pub mod frame;
pub mod identity;
pub mod intent;
pub mod keys;
pub mod kinds;
pub mod left;
pub mod outcome;
pub mod plan;
pub mod platforms;
pub mod presets;
pub mod printed;
pub mod queue;
pub mod reasons;
pub mod references;
pub mod refusal;
pub mod refused;
pub mod regions;
pub mod resources;
pub mod restart;
pub mod secret;
pub mod stored;
pub mod told;
pub mod unanswered;
pub mod upstream;
pub mod usage;
pub mod uses;
pub mod waiting;
pub mod wakes;
mod wording;

use playout_api as api;
