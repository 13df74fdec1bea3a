//! The operator beside a real API server and an AWS simulator that is reached over HTTP: what users, kubectl and AWS see.
//!
//! All tests share one API server, each in a namespace of its own, with a simulator and an operator of its own. Several run at
//! once: what would touch all namespaces has a cluster of its own (`deploy`).

#[macro_use]
mod fixtures;

mod admission;
mod crash;
mod deploy;
mod election;
mod external;
mod isolation;
mod life;
mod one_request;
mod presets;
mod secrets;
mod transcode;
