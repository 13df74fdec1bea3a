//! The kinds: each supplies the five steps of the loop.

pub mod destination;
mod references;
pub mod source;
