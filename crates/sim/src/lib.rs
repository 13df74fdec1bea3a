//! An AWS that can be started.
//!
//! It knows AWS only. It behaves as AWS does where it hurts: states by the clock, errors for wrong states, quotas,
//! throttling, lost answers, late lists. See the README of this crate for what is modelled and what was chosen where
//! AWS's documents say nothing.
//!
//! Two ways to use it: in process, with [`Sim::handle`] or [`Sim::answer`] and a [`ManualClock`] or a [`TokioClock`];
//! or over HTTP, with [`server::spawn`] or the binary `playout-sim`.

mod answer;
mod clock;
mod config;
mod control;
mod error;
mod faults;
mod ids;
mod late;
mod log;
pub mod model;
mod outside;
mod pipeline;
mod rate;
mod regions;
mod requests;
pub mod server;
mod services;
mod signature;
mod sim;
mod switches;
mod tester;
mod throttle;
mod visibility;
mod wire;
mod world;

pub use answer::{Answer, Outcome, Pending};
pub use clock::{Clock, ManualClock, SystemClock, TokioClock};
pub use config::{Config, Sampling};
pub use error::ApiError;
pub use faults::{Fault, FaultKind, PlantedFault, Unanswered, When};
pub use log::LogEntry;
pub use outside::{Encoder, Publisher, Receiver};
pub use rate::Rate;
pub use sim::Sim;
pub use switches::Switches;
pub use tester::{ControlError, Edit, Maintenance, Seed, SeedParameter, SeedSecret};
