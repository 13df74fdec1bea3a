//! The real loop without sockets: the operator's passes, the simulator and a stand-in for the API server in one thread whose time
//! is paused, so that a day is a moment and every request can be struck by a fault.

mod fixtures;

mod faults;
mod medialive;
mod ndi;
mod planned;
mod secrets;
