//! What a Destination with `delivery: Transcode` tells, and what it remembers. Each test is a sentence.

mod quiet;
mod remembered;
mod runs;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use playout_api::RECONCILE_AT;
use playout_api::destination::{
    ActiveEndpoint, Destination, DestinationSpec, DestinationState, DestinationStatus, RetryStatus, RetryWord,
};
use playout_core::action::Action as _;
use playout_core::conditions::{DELIVERING, READY, RECONCILING, STALLED};
use playout_core::endpoint::Role;
use playout_core::existence::Existence;
use playout_core::failover::{FailoverState, Lead, Leads};
use playout_core::failure::{Failure, FailureClass};
use playout_core::kinds::destination::Outcome;
use playout_core::kinds::destination::memory;
use playout_core::kinds::destination::memory::Memory;
use playout_core::kinds::destination::observed::Observed;
use playout_core::kinds::destination::plan::{Action, plan};
use playout_core::kinds::destination::status::status;
use playout_core::plan::{Desired, Memory as _, Step};
use playout_core::reasons::Reason;
use playout_core::resources::channel::{ChannelState, InputState};
use playout_core::resources::flow::FlowState;
use playout_core::restart::{FORGIVEN_AFTER, Phase, RestartState};
use serde_json::{Value, json};

use crate::fixtures::transcode::*;
use crate::fixtures::{
    CANARY, DestinationPlan, at, connected, deleted, destination_object, destination_spec, destination_wanted,
    outcome_of, present, references, references_at,
};

/// One object over several passes, as the loop leads it.
struct Show {
    object: Destination,
    references: playout_core::references::References,
}

impl Show {
    fn new(changes: &[(&str, Value)]) -> Self {
        Self::of(spec(changes))
    }

    fn of(spec: DestinationSpec) -> Self {
        Self { object: destination_object(spec), references: references() }
    }

    fn desired(&self) -> Desired<playout_core::kinds::destination::wanted::Wanted> {
        if self.object.metadata.deletion_timestamp.is_some() {
            return Desired::Absent;
        }
        destination_wanted(&self.object.spec, &self.references)
    }

    /// A new spec has a new generation.
    fn edit(&mut self, changes: &[(&str, Value)]) {
        self.object.spec = spec(changes);
        self.object.metadata.generation = self.object.metadata.generation.map(|g| g + 1);
    }

    fn annotate(&mut self, value: &str) {
        let annotations = self.object.metadata.annotations.get_or_insert_default();
        annotations.insert(RECONCILE_AT.into(), value.into());
    }

    /// With what is remembered, as the shell gives it to the planner.
    fn look(&self, seen: &Observed, second: i64) -> Observed {
        let (restart, failed_over_to) =
            (memory::restart(&self.object, at(second)), memory::failed_over_to(&self.object));
        Observed { restart, failover: FailoverState { failed_over_to, ..seen.failover }, ..seen.clone() }
    }

    fn plan(&self, seen: &Observed, second: i64) -> DestinationPlan {
        plan(&self.desired(), false, &self.look(seen, second))
    }

    fn step(&self, seen: &Observed, second: i64) -> Step<Action> {
        self.plan(seen, second).step
    }

    fn computed(
        &self,
        seen: &Observed,
        plan: &DestinationPlan,
        failure: Option<&Failure>,
        now: Timestamp,
    ) -> DestinationStatus {
        let desired = self.desired();
        let wanted = match &desired {
            Desired::Present(wanted) => Some(wanted),
            Desired::Absent | Desired::Invalid(_) => None,
        };
        let outcome = outcome_of(wanted, Some(seen), Some(plan), 0);
        status(&self.object, &Outcome { failure, now, ..outcome })
    }

    /// A pass that writes the status; what was decided.
    fn pass(&mut self, seen: &Observed, second: i64) -> Step<Action> {
        let seen = self.look(seen, second);
        let plan = plan(&self.desired(), false, &seen);
        self.object.status = Some(self.computed(&seen, &plan, None, at(second)));
        plan.step
    }

    fn status(&self) -> &DestinationStatus {
        self.object.status.as_ref().expect("a status")
    }

    fn retries(&self) -> &RetryStatus {
        self.status().retries.as_ref().expect("restarts")
    }

    fn tries(&self, second: i64) -> Option<RestartState> {
        memory::restart(&self.object, at(second))
    }
}

fn told(changes: &[(&str, Value)], seen: &Observed) -> DestinationStatus {
    let show = Show::new(changes);
    let plan = plan(&show.desired(), false, seen);
    show.computed(seen, &plan, None, at(0))
}

fn condition<'a>(status: &'a DestinationStatus, type_: &str) -> Option<(&'a str, &'a str)> {
    status.conditions.iter().find(|c| c.type_ == type_).map(|c| (c.status.as_str(), c.reason.as_str()))
}

fn message<'a>(status: &'a DestinationStatus, type_: &str) -> &'a str {
    status.conditions.iter().find(|c| c.type_ == type_).map_or("", |c| c.message.as_str())
}

fn briefly_down() -> Observed {
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 10);
    seen
}

fn pending() -> Observed {
    let mut seen = on_air(&[]);
    channel(&mut seen).endpoints.insert(Role::Primary.into(), endpoint(None, 10));
    seen
}

fn endpoint(is: Option<bool>, seconds: u64) -> playout_core::kinds::destination::observed::EndpointSeen {
    playout_core::kinds::destination::observed::EndpointSeen {
        measured: Some(connected(is)),
        measured_from: None,
        unchanged_for: Duration::from_secs(seconds),
    }
}
