//! Destination: one or two outputs of a Source's flow, or a MediaLive input and channel of its own.

mod action;
mod advice;
mod as_wished;
mod changes;
pub mod connection;
mod delivering;
pub mod differences;
mod in_the_way;
pub mod left;
pub mod memory;
pub mod observed;
mod outputs;
pub mod places;
pub mod plan;
pub mod recorded;
mod restart;
pub mod retry;
mod runs;
pub mod status;
mod stored;
mod teardown;
pub mod told;
mod transcode;
pub mod wanted;

/// What a pass over a Destination came to.
pub type Outcome<'a> = crate::outcome::Outcome<'a, wanted::Wanted, observed::Observed, plan::Action, memory::Memory>;
