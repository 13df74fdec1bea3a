//! `plan(wish, facts) == step` for a Destination. Each test is a sentence: one valid fixture, one change.

mod backup;
mod blocked;
mod deletion;
mod edits;
mod keys;
mod life;
mod on_air;
mod secrets;
mod status;

use std::collections::BTreeMap;
use std::time::Duration;

use playout_api::destination::{
    ActiveEndpoint, Destination, DestinationSpec, DestinationState, DestinationStatus, Run,
};
use playout_core::action::Action as _;
use playout_core::conditions::{DELIVERING, OVER_LIMIT, READY, RECONCILING, STALLED};
use playout_core::endpoint::Role;
use playout_core::evidence::QUIET_FOR;
use playout_core::failure::{Failure, FailureClass};
use playout_core::identity::{Ownership, TAG_UID};
use playout_core::kinds::destination::Outcome;
use playout_core::kinds::destination::connection::MEASUREMENT_PATIENCE;
use playout_core::kinds::destination::observed::{Observed, Programme};
use playout_core::kinds::destination::plan::{Action, housekeeping, pending_changes, plan};
use playout_core::kinds::destination::status::status;
use playout_core::kinds::destination::wanted::{Wanted, retains, wants_to_run};
use playout_core::plan::{Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::flow::{FlowState, OutputAction, OutputSettings, SecretCopy};
use playout_core::resources::secret_copy::CopyAction;
use playout_core::waiting::{StaysOff, Waiting};
use serde_json::{Value, json};

use crate::fixtures::steps::{act, one, stuck, waits};
use crate::fixtures::{
    FLOW, at, backup_json, connected, deleted, dest, destination_object, destination_seen, destination_seen_of,
    destination_spec, destination_spec_of, destination_wanted, outcome_of, output, output_arn, present, programme,
    references, references_at, srt_json,
};

fn decide(desired: &Desired<Wanted>, seen: &Observed) -> Step<Action> {
    plan(desired, false, seen).step
}

fn update(role: Role, settings: Option<OutputSettings>, enabled: Option<bool>) -> Action {
    Action::Output(OutputAction::Update {
        flow: FLOW.into(),
        arn: output_arn(role),
        role,
        settings: settings.map(Box::new),
        enabled,
    })
}

fn remove(role: Role) -> Action {
    Action::Output(OutputAction::Remove { flow: FLOW.into(), arn: output_arn(role), role })
}

fn settings(desired: &Desired<Wanted>, role: Role) -> OutputSettings {
    present(desired.clone()).outputs[&role].settings.clone().expect("its key is there")
}

fn set_flow(seen: &mut Observed, new: FlowState) {
    let Programme::Flow { state, .. } = &mut seen.flow else { panic!("a flow") };
    *state = new;
}

fn empty(state: FlowState) -> Observed {
    let outputs = BTreeMap::new();
    Observed { flow: programme(state, 2), outputs, secrets: Vec::new(), ..crate::fixtures::destination_seen(&[]) }
}

const STOPPED: (&str, Value) = ("/state", Value::Null);

/// Not long enough for a restart, nor for a switch.
const BRIEFLY: Duration = Duration::from_secs(10);

fn restart() -> (&'static str, Value) {
    ("/updatePolicy", json!("Restart"))
}

fn other_url() -> (&'static str, Value) {
    ("/url", json!("rtmps://other.example.com:443/app"))
}

fn missing_key() -> (&'static str, Value) {
    ("/streamKey/secretRef/name", json!("nowhere"))
}

fn with_backup(mode: &str) -> Vec<(&'static str, Value)> {
    vec![("/backup", backup_json(mode))]
}

/// The Destination on the air with a backup of that mode, the primary taking the stream.
fn backed(mode: &str) -> Observed {
    destination_seen(&with_backup(mode))
}

fn primary_is_dead_for(seconds: u64) -> Observed {
    let mut seen = backed("OnFailure");
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    output(&mut seen, Role::Primary).unchanged_for = Duration::from_secs(seconds);
    seen
}

fn srt(changes: &[(&str, Value)]) -> Desired<Wanted> {
    destination_wanted(&destination_spec_of(srt_json(), changes), &references())
}

fn srt_seen() -> Observed {
    destination_seen_of(&destination_spec_of(srt_json(), &[]))
}

// --------------------------------------------------------------------------------------------------------- status

struct Pass<'a> {
    object: Destination,
    desired: Desired<Wanted>,
    seen: Option<&'a Observed>,
    failure: Option<Failure>,
}

impl<'a> Pass<'a> {
    fn new(spec: DestinationSpec, seen: &'a Observed) -> Self {
        let desired = destination_wanted(&spec, &references());
        Self { object: destination_object(spec), desired, seen: Some(seen), failure: None }
    }

    fn of(changes: &[(&str, Value)], seen: &'a Observed) -> Self {
        Self::new(destination_spec(changes), seen)
    }

    fn after(mut self, status: &DestinationStatus) -> Self {
        self.object.status = Some(status.clone());
        self
    }

    fn status(&self, second: i64) -> DestinationStatus {
        let plan = self.seen.map(|seen| plan(&self.desired, false, seen));
        let wanted = match &self.desired {
            Desired::Present(wanted) => Some(wanted),
            _ => None,
        };
        let failure = self.failure.as_ref();
        let outcome = Outcome { failure, ..outcome_of(wanted, self.seen, plan.as_ref(), second) };
        status(&self.object, &outcome)
    }
}

fn condition<'a>(status: &'a DestinationStatus, type_: &str) -> Option<(&'a str, &'a str)> {
    status.conditions.iter().find(|c| c.type_ == type_).map(|c| (c.status.as_str(), c.reason.as_str()))
}

/// As an object with another UID has tagged it.
fn retag(seen: &mut Observed, uid: &str) {
    let tags = output(seen, Role::Primary).tags.get_or_insert_default();
    tags.insert(TAG_UID.into(), uid.into());
}
