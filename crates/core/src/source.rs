//! Source: one MediaConnect flow with up to three inputs.

mod action;
pub mod observed;
pub mod plan;
pub mod status;
pub mod wanted;
