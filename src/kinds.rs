//! The kinds: each supplies the five steps of the loop.

pub mod destination;
pub mod encoding_preset;

mod references;
pub mod source;
