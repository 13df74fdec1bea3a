//! The real loop without sockets: the operator's passes, the simulator and a stand-in for the API server in one thread whose time
//! is paused, so that a day is a moment and every request can be struck by a fault.

#![allow(dead_code, reason = "each test uses its part of the support")]

pub mod api_server;
pub mod aws;
pub mod failing;
pub mod late;
pub mod life;
pub mod moving;
pub mod operator;
pub mod passthrough;
pub mod script;
pub mod transcode;
pub mod wire;
