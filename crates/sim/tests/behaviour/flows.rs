//! Flows and their states.

use playout_sim::{Config, Edit};
use serde_json::json;

use crate::aws::{Aws, bad, caller_output, listener, refused, text};

#[test]
fn a_new_flow_is_in_standby_and_has_its_source_nested_under_transport() {
    let aws = Aws::new();
    let flow = aws.describe(&aws.flow("show"));
    assert_eq!(flow["status"], "STANDBY");
    assert_eq!(flow["availabilityZone"], "eu-west-1a");
    assert_eq!(flow["source"]["transport"]["protocol"], "srt-listener");
    assert_eq!(flow["source"]["ingestPort"], 5000);
    assert!(text(&flow["source"]["ingestIp"]).starts_with("198.51.100."));
    assert!(flow["source"].get("protocol").is_none());
    assert!(flow.get("sources").is_none(), "created with source");
}

#[test]
fn a_flow_created_with_sources_shows_both_members() {
    let aws = Aws::new();
    let flow = aws.describe(&aws.flow_of(json!({ "name": "show", "sources": [listener("primary", 5000)] })));
    assert_eq!(flow["source"], flow["sources"][0]);
}

#[test]
fn a_flow_needs_a_source() {
    let aws = Aws::new();
    bad(aws.mediaconnect("CreateFlow", json!({ "name": "show" })), "at least one source");
    let both = json!({ "name": "show", "source": listener("a", 5000), "sources": [listener("b", 5001)] });
    bad(aws.mediaconnect("CreateFlow", both), "exclude each other");
}

#[test]
fn names_of_flows_are_not_unique() {
    let aws = Aws::new();
    assert_ne!(aws.flow("show"), aws.flow("show"));
}

#[test]
fn a_flow_starts_and_stops_by_the_clock() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })).expect("start");
    assert_eq!(aws.status(&arn), "STARTING");
    aws.pass(19);
    assert_eq!(aws.status(&arn), "STARTING");
    aws.pass(1);
    assert_eq!(aws.status(&arn), "ACTIVE");
    aws.mediaconnect("StopFlow", json!({ "FlowArn": arn })).expect("stop");
    assert_eq!(aws.status(&arn), "STOPPING");
    aws.pass(10);
    assert_eq!(aws.status(&arn), "STANDBY");
}

#[test]
fn a_flow_starts_only_from_standby() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    bad(aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })), "cannot be started because it is currently ACTIVE");
}

#[test]
fn a_flow_stops_only_when_it_runs_or_starts() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    bad(aws.mediaconnect("StopFlow", json!({ "FlowArn": arn })), "currently STANDBY");
    aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })).expect("start");
    aws.mediaconnect("StopFlow", json!({ "FlowArn": arn })).expect("stop while it starts");
    bad(aws.mediaconnect("StopFlow", json!({ "FlowArn": arn })), "currently STOPPING");
}

#[test]
fn a_flow_must_be_stopped_before_it_is_deleted() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    bad(aws.mediaconnect("DeleteFlow", json!({ "FlowArn": arn })), "currently ACTIVE");
}

#[test]
fn a_deleted_flow_is_deleting_for_a_while_and_then_not_found() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let answer = aws.mediaconnect("DeleteFlow", json!({ "FlowArn": arn })).expect("delete");
    assert_eq!(answer["status"], "DELETING");
    assert_eq!(aws.status(&arn), "DELETING");
    bad(aws.mediaconnect("DeleteFlow", json!({ "FlowArn": arn })), "currently DELETING");
    bad(aws.add_output(&arn, caller_output("studio")), "currently DELETING");
    aws.pass(20);
    let describe = aws.mediaconnect("DescribeFlow", json!({ "FlowArn": arn }));
    refused(describe, 404, "NotFoundException", &arn);
    assert_eq!(aws.sim.counts()["total"], 0);
}

#[test]
fn an_active_flow_is_updating_for_a_moment_after_its_settings_change() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let update =
        json!({ "FlowArn": arn, "maintenance": { "maintenanceDay": "Monday", "maintenanceStartHour": "02:00" } });
    let answer = aws.mediaconnect("UpdateFlow", update.clone()).expect("update");
    assert_eq!(answer["flow"]["status"], "UPDATING");
    for (operation, input) in [
        ("UpdateFlow", update),
        ("StopFlow", json!({ "FlowArn": arn })),
        ("StartFlow", json!({ "FlowArn": arn })),
        ("DeleteFlow", json!({ "FlowArn": arn })),
        ("AddFlowOutputs", json!({ "FlowArn": arn, "outputs": [caller_output("studio")] })),
    ] {
        bad(aws.mediaconnect(operation, input), "currently UPDATING");
    }
    aws.pass(2);
    assert_eq!(aws.status(&arn), "ACTIVE");
}

#[test]
fn a_flow_in_standby_is_updated_without_another_state() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let update =
        json!({ "FlowArn": arn, "maintenance": { "maintenanceDay": "Monday", "maintenanceStartHour": "02:00" } });
    aws.mediaconnect("UpdateFlow", update).expect("update");
    assert_eq!(aws.status(&arn), "STANDBY");
}

#[test]
fn a_starting_flow_takes_no_changes() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })).expect("start");
    bad(aws.add_output(&arn, caller_output("studio")), "currently STARTING");
}

#[test]
fn a_flow_in_error_can_only_be_deleted() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    let edit = Edit {
        flow: arn.clone(),
        status: Some("ERROR".to_owned()),
        errors: Some(vec!["The zone is on fire.".to_owned()]),
        ..Edit::default()
    };
    aws.sim.edit(&edit).expect("edit");
    let seen = aws.mediaconnect("DescribeFlow", json!({ "FlowArn": arn })).expect("describe");
    assert_eq!(seen["messages"]["errors"][0], "The zone is on fire.");
    bad(aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })), "currently ERROR");
    bad(aws.mediaconnect("StopFlow", json!({ "FlowArn": arn })), "currently ERROR");
    aws.mediaconnect("DeleteFlow", json!({ "FlowArn": arn })).expect("delete");
}

#[test]
fn the_twenty_first_flow_is_over_the_quota() {
    let aws = Aws::new();
    for number in 0..20 {
        aws.flow(&format!("show-{number}"));
    }
    let one_more = json!({ "name": "show", "source": listener("primary", 5000) });
    refused(aws.mediaconnect("CreateFlow", one_more.clone()), 420, "CreateFlow420Exception", "20 flows");
    aws.sim.set_quotas(&json!({ "flows": 21 })).expect("a quota");
    aws.mediaconnect("CreateFlow", one_more).expect("below the new quota");
}

#[test]
fn lists_come_in_pages_of_ten_without_tags() {
    let aws = Aws::new();
    for number in 0..12 {
        aws.flow(&format!("show-{number}"));
    }
    let first = aws.mediaconnect("ListFlows", json!({})).expect("list");
    assert_eq!(first["flows"].as_array().expect("flows").len(), 10);
    assert!(first["flows"][0].get("tags").is_none());
    let next = aws.mediaconnect("ListFlows", json!({ "nextToken": first["nextToken"] })).expect("list");
    assert_eq!(next["flows"].as_array().expect("flows").len(), 2);
    assert!(next.get("nextToken").is_none());
    bad(aws.mediaconnect("ListFlows", json!({ "nextToken": "nonsense" })), "nextToken");
    bad(aws.mediaconnect("ListFlows", json!({ "maxResults": 1001 })), "maxResults");
}

#[test]
fn regions_are_worlds_of_their_own() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let elsewhere = crate::aws::request("mediaconnect", "us-east-1", "DescribeFlow", &json!({ "FlowArn": arn }));
    refused(crate::aws::outcome(aws.sim.handle(elsewhere)), 404, "NotFoundException", "");
}

#[test]
fn a_flow_that_media_live_uses_is_deleted_with_its_managed_output() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let input = "arn:aws:medialive:eu-west-1:123456789012:input:7";
    aws.sim.add_managed_output("show", input).expect("managed output");
    aws.mediaconnect("DeleteFlow", json!({ "FlowArn": arn })).expect("delete");
    aws.pass(20);
    refused(aws.mediaconnect("DescribeFlow", json!({ "FlowArn": arn })), 404, "NotFoundException", &arn);
}

#[test]
fn operations_beyond_the_rate_are_throttled_until_time_passes() {
    let aws = Aws::with(Config::default());
    let list = || aws.mediaconnect("ListFlows", json!({}));
    for _ in 0..30 {
        list().expect("within the burst");
    }
    refused(list(), 429, "TooManyRequestsException", "Rate exceeded");
    aws.pass(1);
    for _ in 0..5 {
        list().expect("five a second");
    }
    refused(list(), 429, "TooManyRequestsException", "Rate exceeded");
    aws.mediaconnect("DescribeFlow", json!({ "FlowArn": "arn:aws:mediaconnect:eu-west-1:123456789012:flow:1-a:b" }))
        .expect_err("another operation has a bucket of its own, and this flow is not there");
    aws.sim.set_throttling(false);
    list().expect("no limits");
}

#[test]
fn vpc_interfaces_can_be_added_and_removed_unless_they_are_used() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let interface = |name: &str| json!({ "name": name, "roleArn": crate::aws::ROLE, "securityGroupIds": ["sg-1"], "subnetId": "subnet-1" });
    let add = |name: &str| {
        aws.mediaconnect("AddFlowVpcInterfaces", json!({ "FlowArn": arn, "vpcInterfaces": [interface(name)] }))
    };
    add("inner").expect("add");
    add("second").expect("add");
    bad(add("third"), "two ENA");
    let remove =
        |name: &str| aws.mediaconnect("RemoveFlowVpcInterface", json!({ "FlowArn": arn, "VpcInterfaceName": name }));
    remove("second").expect("remove");
    bad(add("inner"), "already used");
    let mut output = caller_output("studio");
    output["vpcInterfaceAttachment"] = json!({ "vpcInterfaceName": "inner" });
    let output = aws.add_output(&arn, output).expect("output");
    bad(remove("inner"), "in use");
    let input = json!({ "FlowArn": arn, "OutputArn": output["outputArn"] });
    aws.mediaconnect("RemoveFlowOutput", input).expect("remove output");
    remove("inner").expect("remove");
    refused(remove("inner"), 404, "NotFoundException", "inner");
}

#[test]
fn ndi_needs_a_large_flow_and_a_vpc_interface() {
    let aws = Aws::new();
    let mut input = json!({
        "name": "show",
        "source": { "name": "studio", "protocol": "ndi-speed-hq", "ndiSourceSettings": { "sourceName": "CAM 1" } },
        "ndiConfig": {
            "ndiState": "ENABLED",
            "ndiDiscoveryServers": [{ "discoveryServerAddress": "10.0.0.9", "vpcInterfaceAdapter": "inner" }],
        },
    });
    bad(aws.mediaconnect("CreateFlow", input.clone()), "LARGE");
    input["flowSize"] = json!("LARGE");
    bad(aws.mediaconnect("CreateFlow", input.clone()), "VPC interface");
    input["vpcInterfaces"] = json!([{
        "name": "inner", "roleArn": crate::aws::ROLE, "securityGroupIds": ["sg-1"], "subnetId": "subnet-1",
    }]);
    let flow = aws.describe(&aws.flow_of(input));
    assert_eq!(flow["source"]["transport"]["ndiSourceSettings"]["sourceName"], "CAM 1");
}

#[tokio::test(start_paused = true)]
async fn a_paused_runtime_drives_the_world() {
    let clock = playout_sim::TokioClock::new(playout_sim::ManualClock::START, 1.0);
    let sim = playout_sim::Sim::new(Config::default(), std::sync::Arc::new(clock));
    let call = async |operation: &str, input: serde_json::Value| {
        let request = crate::aws::request("mediaconnect", crate::aws::REGION, operation, &input);
        match sim.answer(request).await {
            playout_sim::Outcome::Respond(response) => crate::aws::read(&response).expect(operation),
            playout_sim::Outcome::DropConnection => panic!("dropped"),
        }
    };
    let made = call("CreateFlow", json!({ "name": "show", "source": listener("primary", 5000) })).await;
    let arn = json!({ "FlowArn": made["flow"]["flowArn"] });
    call("StartFlow", arn.clone()).await;
    assert_eq!(call("DescribeFlow", arn.clone()).await["flow"]["status"], "STARTING");
    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    assert_eq!(call("DescribeFlow", arn).await["flow"]["status"], "ACTIVE");
}
