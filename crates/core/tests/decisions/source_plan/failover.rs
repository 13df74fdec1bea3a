//! Who leads: failover, merging, the emergency input and the annotation.

use super::*;
use playout_core::resources::flow::FlowAction;

/// A flow on the air with main and reserve, of a Source with three inputs.
fn three_on_air() -> Observed {
    let mut seen = source_seen(&three());
    on_air(&mut seen);
    health(&mut seen, &[("main", Healthy), ("reserve", Healthy)]);
    seen
}

/// The same after the emergency input was swapped in.
fn slate_on_air() -> Observed {
    let mut seen = three_on_air();
    flow(&mut seen).sources[1].name = "slate".into();
    flow(&mut seen).sources[1].settings = present(wish(&three())).inputs[2].settings.clone();
    seen.inputs = BTreeMap::new();
    health(&mut seen, &[("main", Failed), ("slate", Healthy)]);
    seen
}

// ------------------------------------------------------------------------------------------ failover and emergency

#[test]
fn each_difference_in_failover_is_repaired() {
    type Change = fn(&mut Failover);
    let srt = [("/failover/mode", json!("Failover"))];
    let main_leads = Failover { enabled: true, merge: false, recovery_window: None, primary: Some("main".into()) };
    let changes: [Change; 3] = [|f| f.primary = None, |f| f.primary = Some("reserve".into()), |f| f.merge = true];
    for change in changes {
        let mut seen = source_seen(&srt);
        change(&mut flow(&mut seen).failover);
        assert_eq!(
            one(decide(&wish(&srt), &seen)),
            Action::Flow(FlowAction::SetFailover { flow: flow_arn(), failover: main_leads.clone() })
        );
    }
    let rtp = [
        ("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)])),
        ("/failover", json!({"mode": "Merge", "recoveryWindowMs": 500})),
    ];
    let merged = Failover { enabled: true, merge: true, recovery_window: Some(500), primary: None };
    let changes: [Change; 2] = [|f| f.recovery_window = Some(200), |f| f.merge = false];
    for change in changes {
        let mut seen = source_seen(&rtp);
        change(&mut flow(&mut seen).failover);
        assert_eq!(
            one(decide(&wish(&rtp), &seen)),
            Action::Flow(FlowAction::SetFailover { flow: flow_arn(), failover: merged.clone() })
        );
    }
}

#[test]
fn the_recovery_window_of_aws_is_no_drift() {
    let rtp = [
        ("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)])),
        ("/failover", json!({"mode": "Merge"})),
    ];
    assert_eq!(decide(&wish(&rtp), &source_seen(&rtp)), Step::Settled);
}

#[test]
fn merging_ends_before_an_input_comes_that_cannot_merge() {
    let before = [
        ("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)])),
        ("/failover", json!({"mode": "Merge"})),
    ];
    let Action::Flow(FlowAction::SetFailover { failover, .. }) = one(decide(&wish(&[]), &source_seen(&before))) else {
        panic!("failover first")
    };
    assert!(failover.enabled && !failover.merge);
}

#[test]
fn active_input_makes_the_follower_lead_and_its_absence_gives_the_lead_back() {
    let told = [("/activeInput", json!("reserve"))];
    let leads = |name: &str| {
        Action::Flow(FlowAction::SetFailover {
            flow: flow_arn(),
            failover: Failover { enabled: true, merge: false, recovery_window: None, primary: Some(name.into()) },
        })
    };
    assert_eq!(one(decide(&wish(&told), &source_seen(&[]))), leads("reserve"));
    assert_eq!(one(decide(&wish(&[]), &source_seen(&told))), leads("main"));
}

#[test]
fn the_emergency_input_waits_outside_while_one_of_the_others_lives() {
    for (main, reserve) in
        [(Healthy, Healthy), (Failed, Healthy), (Healthy, Failed), (Failed, Degraded), (Failed, Unknown)]
    {
        let mut seen = three_on_air();
        health(&mut seen, &[("main", main), ("reserve", reserve)]);
        assert_eq!(decide(&wish(&three()), &seen), Step::Settled, "{main:?} {reserve:?}");
    }
}

#[test]
fn when_both_have_failed_the_emergency_takes_the_followers_place() {
    let mut seen = three_on_air();
    health(&mut seen, &[("main", Failed), ("reserve", Failed)]);
    let action = one(decide(&wish(&three()), &seen));
    assert!(matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "reserve"), "{action:?}");
    flow(&mut seen).sources.pop();
    // The follower is no longer measured, and that changes nothing.
    for reserve in [Failed, Unknown] {
        health(&mut seen, &[("reserve", reserve)]);
        let action = one(decide(&wish(&three()), &seen));
        assert!(
            matches!(&action, Action::Flow(FlowAction::AddSource { source, .. }) if source.name == "slate"),
            "{reserve:?}: {action:?}"
        );
    }
}

#[test]
fn the_emergency_stays_until_the_primary_is_known_to_be_well() {
    for main in [Failed, Unknown] {
        let mut seen = slate_on_air();
        health(&mut seen, &[("main", main)]);
        assert_eq!(decide(&wish(&three()), &seen), Step::Settled, "{main:?}: it carries the show");
    }
    let mut seen = slate_on_air();
    seen.inputs = BTreeMap::new();
    assert_eq!(decide(&wish(&three()), &seen), Step::Settled, "AWS published nothing");
    for main in [Healthy, Degraded] {
        let mut seen = slate_on_air();
        health(&mut seen, &[("main", main)]);
        let action = one(decide(&wish(&three()), &seen));
        assert!(
            matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "slate"),
            "{main:?}: {action:?}"
        );
    }
}

#[test]
fn a_stopped_flow_goes_back_to_the_order_of_priorities() {
    let mut seen = slate_on_air();
    flow(&mut seen).state = FlowState::Standby;
    seen.inputs = BTreeMap::new();
    let action = one(decide(&wish(&three()), &seen));
    assert!(matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "slate"), "{action:?}");
}

#[test]
fn old_measurements_of_a_stopped_flow_swap_nothing() {
    let mut seen = three_on_air();
    flow(&mut seen).state = FlowState::Standby;
    seen.users.on_air.clear();
    health(&mut seen, &[("main", Failed), ("reserve", Failed)]);
    assert_eq!(decide(&wish(&three()), &seen), Step::Settled);
}

#[test]
fn active_input_swaps_the_emergency_in_and_out_on_demand() {
    let action = one(decide(&wish(&told("slate")), &three_on_air()));
    assert!(matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "reserve"), "{action:?}");
    let action = one(decide(&wish(&told("slate")), &slate_on_air()));
    assert!(
        matches!(&action, Action::Flow(FlowAction::SetFailover { failover, .. }) if failover.primary.as_deref() == Some("slate")),
        "{action:?}"
    );
    let action = one(decide(&wish(&told("reserve")), &slate_on_air()));
    assert!(matches!(&action, Action::Flow(FlowAction::RemoveSource { name, .. }) if name == "slate"), "{action:?}");
}

#[test]
fn active_input_main_keeps_the_emergency_out_even_when_both_have_failed() {
    let mut seen = three_on_air();
    health(&mut seen, &[("main", Failed), ("reserve", Failed)]);
    assert_eq!(decide(&wish(&told("main")), &seen), Step::Settled);
}
