//! NDI and its discovery servers.

use super::*;
use playout_core::resources::flow::FlowAction;

#[test]
fn what_aws_makes_of_ndi_discovery_is_no_drift_and_what_is_changed_in_it_is_repaired() {
    let mut seen = source_seen(&ndi(&[]));
    let known = flow(&mut seen).ndi.as_mut().expect("NDI");
    (known.machine_name, known.servers[0].1) = (Some("1a2b3c4d5e6f".into()), Some(5959));
    assert_eq!(decide(&wish(&ndi(&[])), &seen), Step::Settled);
    for change in [
        ("/ndi/machineName", json!("studio")),
        ("/ndi/discoveryServers/0/address", json!("10.0.1.21")),
        ("/ndi/discoveryServers/0/port", json!(5960)),
    ] {
        let changed = wish(&ndi(&[change]));
        let action = Action::Flow(FlowAction::SetNdi { flow: flow_arn(), ndi: present(changed.clone()).ndi });
        assert_eq!(one(decide(&changed, &seen)), action);
    }
}

#[test]
fn ndi_is_on_before_the_input_that_speaks_it_and_off_after_it_and_then_the_flow_shrinks() {
    let plain = [("/inputs", json!([input("main", "Primary", 5000)])), ("/flowSize", json!("Medium"))];
    let mut seen = source_seen(&plain);
    assert!(matches!(one(decide(&wish(&ndi(&[])), &seen)), Action::Flow(FlowAction::Resize { .. })));
    flow(&mut seen).size = Some("LARGE".into());
    assert!(matches!(one(decide(&wish(&ndi(&[])), &seen)), Action::Flow(FlowAction::AddVpcInterfaces { .. })));
    let speaks = source_seen(&ndi(&[]));
    let mut on = speaks.clone();
    flow(&mut on).sources = flow(&mut seen).sources.clone();
    flow(&mut on).ndi = None;
    assert!(matches!(one(decide(&wish(&ndi(&[])), &on)), Action::Flow(FlowAction::SetNdi { ndi: Some(_), .. })));
    // And back.
    let mut off = speaks.clone();
    assert!(matches!(
        one(decide(&wish(&plain), &off)),
        Action::Flow(FlowAction::UpdateSource { .. })
            | Action::Flow(FlowAction::AddSource { .. })
            | Action::Flow(FlowAction::SetFailover { .. })
    ));
    flow(&mut off).sources = flow(&mut seen).sources.clone();
    assert_eq!(one(decide(&wish(&plain), &off)), Action::Flow(FlowAction::SetNdi { flow: flow_arn(), ndi: None }));
    flow(&mut off).ndi = None;
    assert!(matches!(one(decide(&wish(&plain), &off)), Action::Flow(FlowAction::Resize { .. })));
    flow(&mut off).size = Some("MEDIUM".into());
    assert!(matches!(one(decide(&wish(&plain), &off)), Action::Flow(FlowAction::RemoveVpcInterface { .. })));
    // As long as somebody else's output speaks it, it stays on.
    let mut used = speaks;
    flow(&mut used).sources = flow(&mut seen).sources.clone();
    let mut output = foreign_output(false);
    output.settings.protocol = Protocol::Ndi;
    flow(&mut used).outputs.push(output);
    assert_eq!(decide(&wish(&[plain[0].clone()]), &used), Step::Settled);
}

#[test]
fn an_ndi_input_cannot_be_exchanged_for_another_name_and_that_is_told() {
    let ndi = |name: &str, state: &str| {
        let mut one_input = input(name, "Primary", 5000);
        one_input["protocol"] = json!("Ndi");
        one_input["srtListener"] = Value::Null;
        one_input["ndi"] = json!({"sourceName": "CAM (1)"});
        vec![("/inputs", json!([one_input])), ("/flowSize", json!("Large")), ("/state", json!(state))]
    };
    let mut seen = source_seen(&ndi("cam", "Auto"));
    assert_eq!(decide(&wish(&ndi("cam", "Auto")), &seen), Step::Settled);
    let problem = stuck(decide(&wish(&ndi("camera", "Auto")), &seen));
    assert!(problem.reason == Reason::InvalidSpec && problem.message.contains("NDI"), "{problem:?}");
    let step = decide(&wish(&ndi("camera", "Running")), &seen);
    assert_eq!(one(step), Action::Flow(FlowAction::Start { flow: flow_arn() }), "what is there runs");
    flow(&mut seen).state = FlowState::Active;
    assert_eq!(
        one(decide(&wish(&ndi("camera", "Stopped")), &seen)),
        Action::Flow(FlowAction::Stop { flow: flow_arn() })
    );
}
