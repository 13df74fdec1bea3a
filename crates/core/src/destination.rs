//! Destination: one or two outputs of a Source's flow.

pub mod observed;
pub mod plan;
pub mod status;
pub mod wanted;
