//! What is said of the programme rests on what AWS documents for the protocol ("What the words mean"). Each test is a sentence.

mod inputs;
mod outputs;
mod sources;

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use playout_api::destination::{Destination, DestinationSpec, DestinationState, DestinationStatus, RetryWord};
use playout_api::source::{Health, InputHealth, InputStatus, SourceStatus};
use playout_core::conditions::{DELIVERING, HEALTHY, INPUT_REACHABLE, OVER_LIMIT, READY, RECONCILING, STALLED};
use playout_core::endpoint::Role;
use playout_core::evidence::{InputLook, MEASUREMENT_PATIENCE, QUIET_FOR, began, first_since, is_since, of_input};
use playout_core::failover::FailoverState;
use playout_core::failure::{Failure, FailureClass};
use playout_core::kinds::destination::observed::{Observed, Programme};
use playout_core::kinds::destination::plan::{Action, pending_changes};
use playout_core::kinds::destination::{Outcome, memory, status::status};
use playout_core::kinds::source;
use playout_core::kinds::source::observed::{InputSeen, TestPhase};
use playout_core::kinds::source::status::judge;
use playout_core::plan::{Desired, Step};
use playout_core::resources::flow::{FlowState, Measured, Protocol};
use playout_core::restart::FORGIVEN_AFTER;
use playout_core::waiting::Waiting;
use serde_json::{Value, json};

use crate::fixtures::steps::{act, waits};
use crate::fixtures::transcode::{self, alert, decide, down, set_signal};
use crate::fixtures::{
    DestinationPlan, at, backup_json, connected, dest, destination_object, destination_seen, destination_seen_of,
    destination_spec, destination_spec_of, destination_wanted, flow, outcome_of, output, present, references,
    references_at, rtp_input, source_object, source_seen, source_spec, srt_json, wish,
};

/// One Destination over several passes, as the loop leads it.
struct Show {
    object: Destination,
}

impl Show {
    fn new(changes: &[(&str, Value)]) -> Self {
        Self::of(destination_spec(changes))
    }

    fn of(spec: DestinationSpec) -> Self {
        Self { object: destination_object(spec) }
    }

    fn desired(&self) -> Desired<playout_core::kinds::destination::wanted::Wanted> {
        destination_wanted(&self.object.spec, &references())
    }

    fn pass(&mut self, seen: &Observed, second: i64) -> Step<Action> {
        let (restart, failed_over_to) =
            (memory::restart(&self.object, at(second)), memory::failed_over_to(&self.object));
        let seen = Observed { restart, failover: FailoverState { failed_over_to, ..seen.failover }, ..seen.clone() };
        let desired = self.desired();
        let plan = playout_core::kinds::destination::plan::plan(&desired, false, &seen);
        self.tell(Some(&seen), Some(&plan), None, second);
        plan.step
    }

    fn tell(
        &mut self,
        seen: Option<&Observed>,
        plan: Option<&DestinationPlan>,
        failure: Option<&Failure>,
        second: i64,
    ) {
        let desired = self.desired();
        let wanted = if let Desired::Present(wanted) = &desired { Some(wanted) } else { None };
        let outcome = Outcome { failure, ..outcome_of(wanted, seen, plan, second) };
        self.object.status = Some(status(&self.object, &outcome));
    }

    fn status(&self) -> &DestinationStatus {
        self.object.status.as_ref().expect("a status")
    }

    fn word(&self) -> DestinationState {
        self.status().state.expect("a word")
    }

    fn condition(&self, type_: &str) -> Option<(&str, &str)> {
        self.status().conditions.iter().find(|c| c.type_ == type_).map(|c| (c.status.as_str(), c.reason.as_str()))
    }

    fn message(&self, type_: &str) -> &str {
        self.status().conditions.iter().find(|c| c.type_ == type_).map_or("", |c| c.message.as_str())
    }
}

fn told(changes: &[(&str, Value)], seen: &Observed) -> Show {
    let mut show = Show::new(changes);
    show.pass(seen, 0);
    show
}

/// RTMP as AWS documents it: no series of its own. It has been sent for so long.
fn unmeasured(changes: &[(&str, Value)], since: Duration) -> Observed {
    let mut seen = destination_seen(changes);
    for seen in seen.outputs.values_mut().filter(|o| o.output.enabled) {
        seen.measured = Some(Measured::default());
        seen.unchanged_for = since;
    }
    seen
}

const REFUSED: &str = "Connection refused by the remote host.";

/// And AWS has an error that names the primary.
fn refused(changes: &[(&str, Value)], since: Duration) -> Observed {
    let mut seen = unmeasured(changes, since);
    output(&mut seen, Role::Primary).error = Some(REFUSED.into());
    seen
}

// ----------------------------------------------------------------------------------------------------------- Source

fn look<'a>(protocol: Protocol, peer: bool, measured: &'a Measured, age: i64) -> InputLook<'a> {
    let now = at(1000);
    let until = (measured != &Measured::default()).then(|| now.as_second() - age);
    let from = until.map(|until| until - 1);
    let (changed, led) = (None, None);
    InputLook {
        protocol,
        peer,
        measured: Some(measured),
        answered: true,
        from,
        until,
        changed,
        led,
        began: Some(at(0)),
        now,
    }
}

fn rate(bitrate: f64) -> Measured {
    Measured { bitrate: Some(bitrate), ..Measured::default() }
}

fn input_seen(measured: &Measured, protocol: Protocol) -> InputSeen {
    let (measured, receives) = of_input(&look(protocol, false, measured, 5));
    let health = judge(receives, &measured, &Health::default());
    InputSeen { measured, health, error: None, led_anew: false }
}

fn signal(status: &SourceStatus, now: jiff::Timestamp) -> Option<bool> {
    let mut object = source_object(source_spec(&[]));
    object.status = Some(status.clone());
    source::status::signal(&object, now)
}

fn condition<'a>(status: &'a SourceStatus, type_: &str) -> Option<(&'a str, &'a str)> {
    status.conditions.iter().find(|c| c.type_ == type_).map(|c| (c.status.as_str(), c.reason.as_str()))
}
