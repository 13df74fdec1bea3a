//! The custom resources: what each is composed of, in which order, and what users read of it. No kind imports another one.

pub mod destination;
pub mod encoding_preset;
pub mod source;
