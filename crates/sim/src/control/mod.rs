//! The control API: what a tester does to the world. The same as methods of [`Sim`](crate::Sim) and as JSON under `/_sim/`.

mod http_api;
mod world;

pub(crate) use http_api::handle;
