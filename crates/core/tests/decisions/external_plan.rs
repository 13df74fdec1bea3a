//! A Source whose flow was there before it: what is planned, and what is said. Each test is a sentence: one fixture, one change.

mod adopt;
mod reference;

use std::collections::BTreeMap;

use playout_api::source::{AdoptionState, ExternalPolicy, SourceSpec, SourceStatus};
use playout_api::{RECONCILE_AT, Source, TEST_CONNECTION};
use playout_core::action::Action as _;
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass};
use playout_core::identity::{OWNERSHIP_TAGS, Ownership, TAG_ADOPTED, TAG_NAME, TAG_UID};
use playout_core::kinds::source::Outcome;
use playout_core::kinds::source::external::{differences, management};
use playout_core::kinds::source::observed::{Management, Observed, TestPhase};
use playout_core::kinds::source::off::stays_off;
use playout_core::kinds::source::plan::{Action, plan};
use playout_core::kinds::source::wanted::{Wanted, retains, wanted};
use playout_core::plan::{Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::flow::{Failover, FlowOutput, FlowState, Protocol, RtmpPath};
use playout_core::secret::SecretText;
use playout_core::waiting::Waiting;
use serde_json::{Value, json};

use crate::fixtures::steps::{one, stuck};
use crate::fixtures::{
    FLOW, at, deleted, encrypted, flow, identity, input, on_air, present, rtp_input, source_object, source_seen,
    source_spec,
};

const STATES: [FlowState; 7] = [
    FlowState::Standby,
    FlowState::Active,
    FlowState::Updating,
    FlowState::Deleting,
    FlowState::Starting,
    FlowState::Stopping,
    FlowState::Error,
];

fn external(policy: &str) -> (&'static str, Value) {
    ("/external", json!({ "arn": FLOW, "policy": policy }))
}

/// The spec of a Source that adopts the flow, with these changes.
fn adopting(changes: &[(&str, Value)]) -> SourceSpec {
    let mut all = vec![external("Adopt")];
    all.extend(changes.iter().cloned());
    source_spec(&all)
}

/// The flow as the unchanged fixture wishes it, tagged for this Source, and neither shown nor told anything yet.
fn claimed() -> Observed {
    let mut seen = source_seen(&[]);
    seen.management = Management::AdoptionPending { shown: None, told: false };
    flow(&mut seen).name = "studio-of-the-newsroom".into();
    seen
}

fn anothers_output() -> FlowOutput {
    FlowOutput {
        name: "wall".into(),
        arn: "arn:output:wall".into(),
        enabled: true,
        settings: crate::fixtures::plain_rtp(),
        managed_by: None,
        listener_address: None,
    }
}

fn decide(spec: &SourceSpec, seen: &Observed) -> Step<Action> {
    plan(&crate::fixtures::source_wanted(spec), retains(spec), seen)
}

/// What the plan of an adoption says for a spec with these changes.
fn told(changes: &[(&str, Value)], seen: &mut Observed) -> Vec<String> {
    let wanted = present(crate::fixtures::source_wanted(&adopting(changes)));
    let flow = flow(seen).clone();
    differences(&wanted, seen, &flow)
}

fn object(spec: SourceSpec, annotation: Option<&str>) -> Source {
    let mut object = source_object(spec);
    object.metadata.annotations = annotation.map(|value| BTreeMap::from([(RECONCILE_AT.into(), value.into())]));
    object
}

fn status(source: &Source, outcome: &Outcome<'_>) -> SourceStatus {
    playout_core::kinds::source::status::status(source, outcome, crate::fixtures::REGION)
}

fn outcome<'a>(wanted: Option<&'a Wanted>, seen: Option<&'a Observed>, step: Option<&'a Step<Action>>) -> Outcome<'a> {
    Outcome { wanted, seen, step, failure: None, ..Outcome::at(at(0)) }
}

fn condition<'a>(status: &'a SourceStatus, type_: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let found = status.conditions.iter().find(|c| c.type_ == type_)?;
    Some((&found.status, &found.reason, &found.message))
}
