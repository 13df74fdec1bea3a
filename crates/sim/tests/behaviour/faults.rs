//! Planted faults.

use std::time::Duration;

use playout_sim::{Fault, FaultKind, When};
use serde_json::{Value, json};

use crate::aws::{Aws, Failure, caller_output, listener, refused, request};

fn create(aws: &Aws, name: &str) -> Result<Value, Failure> {
    aws.mediaconnect("CreateFlow", json!({ "name": name, "source": listener("primary", 5000) }))
}

fn flows(aws: &Aws) -> u64 {
    aws.sim.counts()["regions"]["eu-west-1"]["mediaconnect"]["flows"].as_u64().unwrap_or_default()
}

fn plant(aws: &Aws, kind: FaultKind) -> u64 {
    aws.sim.plant_fault(Fault::new("mediaconnect", "CreateFlow", kind))
}

#[test]
fn a_failure_before_leaves_nothing_and_one_after_leaves_the_resource() {
    let aws = Aws::new();
    let error = |status, code: &str| (status, code.to_owned(), String::new());
    let (status, code, message) = error(500, "InternalServerErrorException");
    plant(&aws, FaultKind::FailBefore { status, code: code.clone(), message: message.clone() });
    refused(create(&aws, "a"), 500, "InternalServerErrorException", "");
    assert_eq!(flows(&aws), 0);
    plant(&aws, FaultKind::FailAfter { status, code, message });
    refused(create(&aws, "a"), 500, "InternalServerErrorException", "");
    assert_eq!(flows(&aws), 1);
}

#[test]
fn a_dropped_request_leaves_nothing_and_a_dropped_answer_leaves_the_resource() {
    let aws = Aws::new();
    plant(&aws, FaultKind::DropBefore);
    assert_eq!(create(&aws, "a").expect_err("dropped").status, 0);
    assert_eq!(flows(&aws), 0);
    plant(&aws, FaultKind::DropAfter);
    assert_eq!(create(&aws, "a").expect_err("dropped").status, 0);
    assert_eq!(flows(&aws), 1);
    let log = aws.sim.log(0);
    assert_eq!(log.iter().map(|entry| entry.processed).collect::<Vec<_>>(), [false, true]);
    assert!(log.iter().all(|entry| !entry.answered && entry.status.is_none() && entry.fault.is_some()));
}

#[test]
fn a_fault_skips_and_counts() {
    let aws = Aws::new();
    let fault = Fault { skip: 1, times: 2, ..Fault::new("*", "CreateFlow", FaultKind::Throttle) };
    aws.sim.plant_fault(fault);
    let went_well: Vec<bool> = (0..5).map(|n| create(&aws, &format!("f{n}")).is_ok()).collect();
    assert_eq!(went_well, [true, false, false, true, true]);
    assert_eq!(aws.sim.faults()[0].hits, 2);
}

#[test]
fn a_fault_can_be_for_requests_with_a_text_in_path_or_body() {
    let aws = Aws::new();
    let fault = |text: &str, operation: &str| Fault {
        contains: Some(text.to_owned()),
        times: 0,
        ..Fault::new("mediaconnect", operation, FaultKind::Throttle)
    };
    aws.sim.plant_fault(fault("\"name\":\"evil\"", "CreateFlow"));
    let arn = aws.flow("good");
    refused(create(&aws, "evil"), 429, "TooManyRequestsException", "");
    aws.sim.plant_fault(fault(&arn, "DescribeFlow"));
    refused(aws.mediaconnect("DescribeFlow", json!({ "FlowArn": arn })), 429, "TooManyRequestsException", "");
    assert_eq!(aws.sim.clear_faults(None), 2);
    aws.describe(&arn);
}

#[test]
fn what_is_hidden_from_lists_can_be_described() {
    let aws = Aws::new();
    plant(&aws, FaultKind::HideFromLists { seconds: 30.0 });
    let arn = aws.flow("late");
    let listed = || aws.mediaconnect("ListFlows", json!({})).expect("list")["flows"].as_array().map_or(0, Vec::len);
    assert_eq!(listed(), 0);
    aws.describe(&arn);
    aws.pass(30);
    assert_eq!(listed(), 1);
}

#[test]
fn what_is_hidden_from_reads_cannot_be_described_but_changed() {
    let aws = Aws::new();
    plant(&aws, FaultKind::HideFromReads { seconds: 30.0 });
    let arn = aws.flow("late");
    refused(aws.mediaconnect("DescribeFlow", json!({ "FlowArn": arn })), 404, "NotFoundException", &arn);
    refused(aws.mediaconnect("ListTagsForResource", json!({ "ResourceArn": arn })), 404, "NotFoundException", &arn);
    aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })).expect("mutations find it");
    aws.pass(30);
    assert_eq!(aws.status(&arn), "ACTIVE");
}

#[test]
fn a_hidden_output_is_not_in_its_flow() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let kind = FaultKind::HideFromReads { seconds: 30.0 };
    aws.sim.plant_fault(Fault::new("mediaconnect", "AddFlowOutputs", kind));
    aws.add_output(&arn, caller_output("studio")).expect("output");
    assert_eq!(aws.describe(&arn)["outputs"], json!([]));
    aws.pass(30);
    assert_eq!(aws.describe(&arn)["outputs"][0]["name"], "studio");
}

#[test]
fn a_stale_mutation_is_not_seen_for_a_while() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let kind = FaultKind::Stale { seconds: 15.0 };
    aws.sim.plant_fault(Fault::new("mediaconnect", "AddFlowOutputs", kind));
    aws.add_output(&arn, caller_output("studio")).expect("output");
    assert_eq!(aws.describe(&arn)["outputs"], json!([]));
    // Mutations see the truth.
    crate::aws::bad(aws.add_output(&arn, caller_output("studio")), "already used");
    aws.pass(15);
    assert_eq!(aws.describe(&arn)["outputs"][0]["name"], "studio");
}

#[test]
fn a_stale_read_is_from_before_the_last_mutation() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let kind = FaultKind::Stale { seconds: 60.0 };
    aws.sim.plant_fault(Fault::new("mediaconnect", "DescribeFlow", kind));
    aws.mediaconnect("StartFlow", json!({ "FlowArn": arn })).expect("start");
    assert_eq!(aws.status(&arn), "STANDBY");
    assert_eq!(aws.status(&arn), "STARTING");
}

#[tokio::test(start_paused = true)]
async fn a_delay_before_processing_is_waited_for_unprocessed() {
    let aws = Aws::new();
    plant(&aws, FaultKind::Delay { milliseconds: 5000, when: When::Before });
    let input = json!({ "name": "show", "source": listener("primary", 5000) });
    let request = request("mediaconnect", crate::aws::REGION, "CreateFlow", &input);
    let sim = aws.sim.clone();
    let waiting = tokio::spawn(async move { sim.answer(request).await });
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(flows(&aws), 0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(flows(&aws), 1);
    waiting.await.expect("answered");
}

#[tokio::test(start_paused = true)]
async fn a_held_answer_comes_when_it_is_released() {
    let aws = Aws::new();
    let hold = |when| Fault::new("mediaconnect", "CreateFlow", FaultKind::Hold { when });
    let hidden = FaultKind::HideFromLists { seconds: 1.0 };
    let hidden = Fault { held: true, ..Fault::new("mediaconnect", "CreateFlow", hidden) };
    for (fault, while_held) in [(hold(When::After), 1), (hold(When::Before), 1), (hidden, 3)] {
        let id = aws.sim.plant_fault(fault);
        let input = json!({ "name": "show", "source": listener("primary", 5000) });
        let request = request("mediaconnect", crate::aws::REGION, "CreateFlow", &input);
        let sim = aws.sim.clone();
        let waiting = tokio::spawn(async move { sim.answer(request).await });
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(!waiting.is_finished());
        assert_eq!(flows(&aws), while_held);
        aws.sim.release_fault(id).expect("release");
        waiting.await.expect("answered");
    }
    assert_eq!(flows(&aws), 3);
}

#[test]
fn nonsense_durations_do_no_harm() {
    let aws = Aws::new();
    for seconds in [f64::MAX, f64::NAN, -1.0, 1e19] {
        aws.sim.plant_fault(Fault::new("*", "CreateFlow", FaultKind::HideFromLists { seconds }));
        create(&aws, "show").expect("made");
        aws.sim.set_receiver("a", None, playout_sim::Receiver::AcceptAfter { seconds });
    }
}

#[test]
fn releasing_or_clearing_what_is_not_planted_is_an_error() {
    let aws = Aws::new();
    assert_eq!(aws.sim.release_fault(7).expect_err("absent").status, 404);
    assert_eq!(aws.sim.clear_faults(Some(7)), 0);
}
