//! VPC interfaces stand before what stands on them.

use super::*;
use playout_core::resources::flow::FlowAction;

#[test]
fn a_vpc_interface_comes_before_the_input_that_stands_on_it_and_goes_after_it() {
    let (old, new) = (vpc(&[("lan", "subnet-0a")], "lan"), vpc(&[("wan", "subnet-0b")], "wan"));
    let mut seen = source_seen(&old);
    let wanted = present(wish(&new));
    assert_eq!(
        one(decide(&wish(&new), &seen)),
        Action::Flow(FlowAction::AddVpcInterfaces { flow: flow_arn(), interfaces: wanted.vpc_interfaces.clone() })
    );
    flow(&mut seen).vpc_interfaces.extend(wanted.vpc_interfaces.clone());
    let action = one(decide(&wish(&new), &seen));
    assert!(
        matches!(&action, Action::Flow(FlowAction::UpdateSource { settings, .. }) if settings.vpc_interface.as_deref() == Some("wan")),
        "{action:?}"
    );
    flow(&mut seen).sources[0].settings.vpc_interface = Some("wan".into());
    assert_eq!(
        one(decide(&wish(&new), &seen)),
        Action::Flow(FlowAction::RemoveVpcInterface { flow: flow_arn(), name: "lan".into() })
    );
}

#[test]
fn the_order_of_security_groups_is_no_drift() {
    let changes = vpc(&[("lan", "subnet-0a")], "lan");
    let mut seen = source_seen(&changes);
    flow(&mut seen).vpc_interfaces[0].security_group_ids.reverse();
    assert_eq!(decide(&wish(&changes), &seen), Step::Settled);
}

#[test]
fn a_vpc_interface_that_changed_under_its_name_is_told_and_one_that_nothing_stands_on_is_replaced() {
    let (old, new) = (vpc(&[("lan", "subnet-0a")], "lan"), vpc(&[("lan", "subnet-0b")], "lan"));
    let problem = stuck(decide(&wish(&new), &source_seen(&old)));
    assert_eq!(problem.reason, Reason::InvalidSpec);
    assert!(problem.message.contains("lan") && problem.message.contains("new name"), "{}", problem.message);
    let mut seen = source_seen(&old);
    let free = VpcInterface { name: "wan".into(), ..flow(&mut seen).vpc_interfaces[0].clone() };
    flow(&mut seen).vpc_interfaces.push(free);
    let new = vpc(&[("lan", "subnet-0a"), ("wan", "subnet-0c")], "lan");
    assert_eq!(
        one(decide(&wish(&new), &seen)),
        Action::Flow(FlowAction::RemoveVpcInterface { flow: flow_arn(), name: "wan".into() })
    );
}

#[test]
fn a_third_vpc_interface_waits_until_a_place_is_free() {
    let old = vpc(&[("lan", "subnet-0a"), ("idle", "subnet-0b")], "lan");
    let new = vpc(&[("lan", "subnet-0a"), ("wan", "subnet-0c")], "lan");
    assert_eq!(
        one(decide(&wish(&new), &source_seen(&old))),
        Action::Flow(FlowAction::RemoveVpcInterface { flow: flow_arn(), name: "idle".into() }),
        "a flow has two"
    );
}
