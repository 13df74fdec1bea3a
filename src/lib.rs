//! The shell: what talks to Kubernetes, and runs the loop. It decides nothing; `playout_core` does. AWS is `playout_aws`.

// What runs for weeks does not end because of a guess: what cannot be is a value, or is said.
#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

pub mod attempts;
pub mod config;
pub mod crds;
pub mod kind;
pub mod kinds;
pub mod kubernetes;
pub mod lanes;
pub mod leader;
pub mod metrics;
pub mod planned;
pub mod reconcile;
pub mod reference;
pub mod resources;
pub mod run;
pub mod server;
pub mod stores;
pub mod telemetry;
pub mod wiring;
