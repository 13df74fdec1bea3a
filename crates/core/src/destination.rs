//! Destination: one or two outputs of a Source's flow.

mod action;
pub mod observed;
pub mod plan;
pub mod status;
pub mod wanted;
