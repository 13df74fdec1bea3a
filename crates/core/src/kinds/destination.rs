//! Destination: one or two outputs of a Source's flow, or a MediaLive input and channel of its own.

mod action;
mod advice;
mod as_requested;
mod changes;
pub mod connection;
mod delivering;
pub mod differences;
pub mod groups;
mod in_the_way;
pub mod left;
pub mod memory;
pub mod observed;
mod outputs;
pub mod places;
pub mod plan;
pub mod recorded;
mod restart;
mod runs;
pub mod status;
mod stored;
pub mod told;
mod transcode;
mod waiting_changes;
pub mod wanted;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::destination::Destination;
use crate::frame::Managed;
use crate::resources::channel::INPUT;
use crate::told::News;

impl Managed for Destination {
    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }

    fn word(&self) -> String {
        self.status.as_ref().and_then(|status| status.state).map_or("Unknown".into(), |state| format!("{state:?}"))
    }

    fn is_suspended(&self) -> bool {
        self.spec.suspend
    }

    fn retains(&self) -> bool {
        wanted::retains(&self.spec)
    }

    fn was_seen(&self, role: &str) -> bool {
        let channel = self.status.as_ref().and_then(|status| status.channel.as_ref());
        channel.is_some_and(|c| if role == INPUT { c.input_state.is_some() } else { c.state.is_some() })
    }

    fn news<'a>(&'a self, before: &Self) -> Vec<News<'a>> {
        told::news(before, self)
    }
}

/// What a pass over a Destination came to.
pub type Outcome<'a> = crate::outcome::Outcome<'a, wanted::Wanted, observed::Observed, plan::Action, memory::Memory>;
