//! A flow in state ERROR has a way out, whatever it is wanted for, and the words of AWS are told.

use playout_api::source::{SourceState, SourceStatus};
use playout_core::conditions::{READY, RECONCILING, STALLED};
use playout_core::failure::{Failure, FailureClass};
use playout_core::identity::Ownership;
use playout_core::kinds::source::observed::{Management, Observed};
use playout_core::kinds::source::plan::{Action, plan};
use playout_core::kinds::source::{self, status};
use playout_core::plan::{Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::flow::{FlowAction, FlowOutput, FlowState, Toward};
use serde_json::json;

use crate::fixtures::{FLOW, at, deleted, flow, on_air, source_object, source_seen, source_spec, wish};

fn in_error() -> Observed {
    let mut seen = source_seen(&[]);
    flow(&mut seen).state = FlowState::Error;
    flow(&mut seen).errors = vec!["no capacity".into()];
    seen
}

fn leave(toward: Toward) -> Step<Action> {
    Step::Act(vec![Action::Flow(FlowAction::LeaveError { flow: FLOW.into(), toward, errors: "no capacity".into() })])
}

#[test]
fn it_is_left_for_whatever_the_flow_is_wanted_for() {
    for (state, toward) in [("Running", Toward::Active), ("Stopped", Toward::Standby), ("Auto", Toward::Standby)] {
        let desired = wish(&[("/state", json!(state))]);
        assert_eq!(plan(&desired, false, &in_error()), leave(toward), "{state}");
    }
    let mut used = in_error();
    on_air(&mut used);
    flow(&mut used).state = FlowState::Error;
    assert_eq!(plan(&wish(&[]), false, &used), leave(Toward::Active), "Auto, with a user");
    assert_eq!(plan(&Desired::Absent, false, &in_error()), leave(Toward::Nothing));
    // In ERROR it takes no change, so that nobody could let go of it.
    let mut idle = in_error();
    idle.users.idle = vec!["Destination/tube".into()];
    assert_eq!(plan(&Desired::Absent, false, &idle), leave(Toward::Nothing));
    assert_eq!(plan(&Desired::Absent, false, &used), leave(Toward::Nothing), "all are deleted at once");
    let settings = crate::fixtures::destination_seen(&[]).outputs.into_values().next().expect("an output").output;
    flow(&mut used).outputs.push(settings.clone());
    assert_eq!(plan(&Desired::Absent, false, &used), leave(Toward::Standby), "an output that is nobody's here");
    used.users.outputs.push(settings.arn);
    assert_eq!(plan(&Desired::Absent, false, &used), leave(Toward::Nothing), "it goes with the flow");
}

#[test]
fn one_that_is_not_ours_is_left_in_it() {
    let foreign = Observed { ownership: Ownership::Foreign, ..in_error() };
    let referenced = Observed { management: Management::Referenced, ..in_error() };
    for seen in [foreign, referenced] {
        for state in ["Running", "Stopped"] {
            let step = plan(&wish(&[("/state", json!(state))]), false, &seen);
            assert!(matches!(step, Step::Stalled(_)), "{state}: {step:?}");
        }
    }
}

#[test]
fn a_flow_that_sends_for_somebody_else_is_left_out_of_it_too() {
    let mut seen = in_error();
    let settings = crate::fixtures::destination_seen(&[]).outputs.into_values().next().expect("an output").output;
    flow(&mut seen).outputs.push(FlowOutput { enabled: true, ..settings });
    assert_eq!(plan(&wish(&[]), false, &seen), leave(Toward::Standby), "it sends nothing in ERROR");
}

#[test]
fn the_words_of_aws_are_in_the_status_while_it_is_left() {
    let mut object = source_object(source_spec(&[("/state", json!("Running"))]));
    let failing = |object: &_, desired: &Desired<_>, seen: &Observed, failure: Option<&Failure>| {
        let step = plan(desired, false, seen);
        let wanted = if let Desired::Present(wanted) = desired { Some(wanted) } else { None };
        let outcome =
            source::Outcome { wanted, seen: Some(seen), step: Some(&step), failure, ..source::Outcome::at(at(0)) };
        status::status(object, &outcome, crate::fixtures::REGION)
    };
    let told = |object: &_, desired: &Desired<_>, seen: &Observed| failing(object, desired, seen, None);
    let condition = |status: &SourceStatus, name: &str| {
        status
            .conditions
            .iter()
            .find(|c| c.type_ == name)
            .map(|c| (c.status.clone(), c.reason.clone(), c.message.clone()))
    };
    let status = told(&object, &wish(&[("/state", json!("Running"))]), &in_error());
    assert_eq!(status.state, Some(SourceState::Error));
    for name in [READY, RECONCILING] {
        let (_, reason, message) = condition(&status, name).expect("it is told");
        assert_eq!(reason, Reason::FlowError.as_str());
        assert!(message.contains("no capacity") && message.contains("start it again"), "{message}");
    }
    assert_eq!(condition(&status, STALLED), None, "something is done about it");
    // What AWS refuses of a flow in ERROR says nothing of the spec.
    let refused = Failure {
        class: FailureClass::Invalid,
        operation: "mediaconnect:StartFlow".into(),
        message: "BadRequestException: Flow f cannot be started because it is currently ERROR.".into(),
    };
    let failed = failing(&object, &wish(&[("/state", json!("Running"))]), &in_error(), Some(&refused));
    for name in [READY, STALLED] {
        let (_, reason, message) = condition(&failed, name).expect("it is told");
        assert_eq!(reason, Reason::FlowError.as_str(), "{name}: {message}");
        assert!(message.contains("no capacity") && message.contains("currently ERROR"), "{name}: {message}");
        assert!(!message.contains("Compare its words"), "{name}: {message}");
    }
    assert_eq!(condition(&failed, RECONCILING), None, "one of the two");
    deleted(&mut object.metadata);
    let status = told(&object, &Desired::Absent, &in_error());
    assert!(condition(&status, READY).expect("it is told").2.contains("to delete it"));
}
