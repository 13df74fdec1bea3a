//! Source: one MediaConnect flow with up to three inputs.

mod action;
mod address;
mod as_wished;
mod connection_test;
pub mod differences;
pub mod external;
mod inputs;
mod leading;
pub mod left;
pub mod observed;
pub mod off;
pub mod plan;
pub mod status;
mod stored;
mod target;
pub mod told;
pub mod wanted;

/// What a pass over a Source came to.
pub type Outcome<'a> = crate::outcome::Outcome<'a, wanted::Wanted, observed::Observed, plan::Action>;
