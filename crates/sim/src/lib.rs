//! An AWS that can be started.
