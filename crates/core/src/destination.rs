//! Destination: one or two outputs of a Source's flow, or a MediaLive input and channel of its own.

mod action;
pub mod connection;
pub mod memory;
pub mod observed;
mod outcome;
mod outputs;
pub mod plan;
mod restart;
pub mod retry;
pub mod status;
mod transcode;
pub mod wanted;
