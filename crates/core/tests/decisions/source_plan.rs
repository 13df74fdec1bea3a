//! `plan(wish, facts) == step` for a Source. Each test is a sentence: one valid fixture, one change.

mod deletion;
mod failover;
mod flow;
mod inputs;
mod ndi;
mod network;
mod passwords;
mod running;
mod settings;
mod status;

use std::collections::BTreeMap;

use playout_api::Source;
use playout_api::source::InputHealth::{Degraded, Failed, Healthy, Unknown};
use playout_api::source::{SourceState, SourceStatus};
use playout_core::action::Action as _;
use playout_core::conditions::{READY, STALLED};
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass, Problem};
use playout_core::identity::{Ownership, TAG_UID};
use playout_core::kinds::source::Outcome;
use playout_core::kinds::source::observed::{FlowQuota, Management, Observed, TestPhase};
use playout_core::kinds::source::off::stays_off;
use playout_core::kinds::source::plan::{Action, housekeeping, plan};
use playout_core::kinds::source::wanted::{Wanted, wanted};
use playout_core::plan::{Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::flow::{Failover, FlowOutput, FlowState, Protocol, VpcInterface};
use playout_core::resources::secret_copy::CopyAction;
use playout_core::usage::Usage;
use playout_core::waiting::{StaysOff, Waiting};
use serde_json::{Value, json};

use crate::fixtures::steps::{act, one, stuck, waits};
use crate::fixtures::{
    FLOW, at, copy_of, deleted, encrypted, flow, health, identity, input, on_air, present, references_at, rtp_input,
    source_arn, source_object, source_seen, source_spec, wish,
};

fn decide(desired: &Desired<Wanted>, seen: &Observed) -> Step<Action> {
    plan(desired, false, seen)
}

fn flow_arn() -> String {
    FLOW.to_string()
}

/// What the wish with these changes makes of a flow that is as the unchanged fixture wishes it.
fn drift(changes: &[(&str, Value)]) -> Action {
    one(decide(&wish(changes), &source_seen(&[])))
}

fn foreign_output(managed: bool) -> FlowOutput {
    FlowOutput {
        name: "someone".into(),
        arn: "arn:output:someone".into(),
        enabled: true,
        settings: crate::fixtures::plain_rtp(),
        managed_by: managed.then(|| "arn:aws:medialive:us-west-2:111122223333:input:1".into()),
        listener_address: None,
    }
}

fn three() -> Vec<(&'static str, Value)> {
    vec![("/inputs/2", input("slate", "Emergency", 5002))]
}

fn told(name: &str) -> Vec<(&'static str, Value)> {
    let mut changes = three();
    changes.push(("/activeInput", json!(name)));
    changes
}

fn leads(name: &str) -> Failover {
    Failover { enabled: true, merge: false, recovery_window: None, primary: Some(name.into()) }
}

// ------------------------------------------------------------------------------------------------- VPC interfaces

fn vpc(interfaces: &[(&str, &str)], stands_on: &str) -> Vec<(&'static str, Value)> {
    let list: Vec<_> = interfaces
        .iter()
        .map(|(name, subnet)| json!({"name": name, "subnetId": subnet, "securityGroupIds": ["sg-0a", "sg-0b"]}))
        .collect();
    let mut one_input = input("main", "Primary", 5000);
    one_input["vpcInterface"] = json!(stands_on);
    vec![("/inputs", json!([one_input])), ("/network/vpcInterfaces", json!(list))]
}

// ------------------------------------------------------------------------------------------------------- secrets

fn with_password() -> Vec<(&'static str, Value)> {
    vec![("/inputs", json!([encrypted(input("main", "Primary", 5000)), encrypted(input("reserve", "Backup", 5001))]))]
}

// ------------------------------------------------------------------------------------- what others learn of the flow

/// The Source with these changes, after a pass that came to this.
fn after(changes: &[(&str, Value)], step: &Step<Action>) -> Source {
    let mut source = source_object(source_spec(changes));
    let seen = source_seen(&[]);
    source.status = Some(status(&source, &outcome(Some(&seen), Some(step), 0)));
    source
}

// --------------------------------------------------------------------------------------------------------- status

fn status(source: &Source, outcome: &Outcome<'_>) -> SourceStatus {
    playout_core::kinds::source::status::status(source, outcome, crate::fixtures::REGION)
}

fn outcome<'a>(seen: Option<&'a Observed>, step: Option<&'a Step<Action>>, second: i64) -> Outcome<'a> {
    Outcome { wanted: None, seen, step, failure: None, ..Outcome::at(at(second)) }
}

fn ndi_input() -> Value {
    json!({"name": "main", "priority": "Primary", "protocol": "Ndi", "ndi": {"sourceName": "CAM (1)"}, "vpcInterface": "lan"})
}

/// A Source with an NDI input, and these changes.
fn ndi(changes: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let server = json!({"address": "10.0.1.20", "vpcInterface": "lan"});
    let mut all = vpc(&[("lan", "subnet-0a")], "lan");
    all.extend([
        ("/flowSize", json!("Large")),
        ("/inputs", json!([ndi_input()])),
        ("/ndi", json!({"discoveryServers": [server]})),
    ]);
    all.extend(changes.iter().cloned());
    all
}
