//! Source: one MediaConnect flow with up to three inputs.

mod action;
mod address;
mod as_requested;
mod connection_test;
pub mod differences;
pub mod external;
mod inputs;
mod leading;
pub mod left;
pub mod observed;
pub mod off;
pub mod plan;
pub mod status;
mod stored;
mod target;
pub mod told;
pub mod wanted;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::source::{Source, SourceStatus};
use crate::frame::Managed;
use crate::told::News;

impl Managed for Source {
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

    fn news<'a>(&'a self, before: &Self) -> Vec<News<'a>> {
        told::news(before, self)
    }

    fn is_summary(stored: &SourceStatus, new: &SourceStatus) -> bool {
        status::is_summary(stored, new)
    }
}

/// What a pass over a Source came to.
pub type Outcome<'a> = crate::outcome::Outcome<'a, wanted::Wanted, observed::Observed, plan::Action>;
