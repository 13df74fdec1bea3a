//! Inputs and their outputs on flows.

use serde_json::{Value, json};

use super::connect_input;
use crate::aws::{Aws, ROLE, bad, listener, refused, text};

fn flow_in(aws: &Aws, name: &str, zone: &str) -> String {
    aws.flow_of(json!({ "name": name, "source": listener("primary", 5000), "availabilityZone": zone }))
}

fn managed(aws: &Aws, flow: &str) -> Vec<Value> {
    let outputs = aws.describe(flow)["outputs"].as_array().expect("outputs").clone();
    outputs.into_iter().filter(|output| !output["mediaLiveInputArn"].is_null()).collect()
}

#[test]
fn an_input_of_a_flow_is_created_and_deleted_with_its_managed_output() {
    let aws = Aws::new();
    let flow = aws.flow("show");
    let mut wanted = connect_input("show", &[&flow]);
    wanted["tags"] = json!({ "team": "live" });
    let made = aws.medialive("CreateInput", wanted).expect("create");
    let input = &made["input"];
    let id = text(&input["id"]);
    assert!(id.len() == 7 && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    assert_eq!(input["arn"], json!(format!("arn:aws:medialive:eu-west-1:123456789012:input:{id}")));
    assert_eq!(input["state"], "CREATING");
    assert_eq!(input["inputClass"], "SINGLE_PIPELINE");
    assert_eq!(input["mediaConnectFlows"], json!([{ "flowArn": flow }]));
    assert_eq!(input["tags"], json!({ "team": "live" }));
    assert_eq!(managed(&aws, &flow)[0]["mediaLiveInputArn"], input["arn"]);
    aws.pass(2);
    assert_eq!(aws.input_state(&id), "CREATING");
    let early = aws.medialive("DeleteInput", json!({ "inputId": id }));
    refused(early, 409, "ConflictException", "CREATING");
    aws.pass(1);
    assert_eq!(aws.input_state(&id), "DETACHED");

    aws.medialive("DeleteInput", json!({ "inputId": id })).expect("delete");
    assert_eq!(aws.input_state(&id), "DELETING");
    assert_eq!(managed(&aws, &flow).len(), 1);
    refused(aws.medialive("DeleteInput", json!({ "inputId": id })), 409, "ConflictException", "DELETING");
    aws.pass(5);
    assert_eq!(aws.input_state(&id), "DELETED");
    assert!(managed(&aws, &flow).is_empty());
}

#[test]
fn an_input_whose_flow_was_deleted_is_there_and_can_be_deleted() {
    let aws = Aws::new();
    let flow = aws.flow("show");
    let id = aws.input("show", &flow);
    aws.mediaconnect("DeleteFlow", json!({ "FlowArn": flow })).expect("nothing keeps it");
    aws.pass(20);
    assert_eq!(aws.input_state(&id), "DETACHED");
    aws.medialive("DeleteInput", json!({ "inputId": id })).expect("delete");
    aws.pass(5);
    assert_eq!(aws.input_state(&id), "DELETED");
}

#[test]
fn a_deleted_input_leaves_a_tombstone_that_lists_forget_first() {
    let aws = Aws::new();
    let id = aws.input("show", &aws.flow("show"));
    aws.medialive("DeleteInput", json!({ "inputId": id })).expect("delete");
    aws.pass(5);
    let listed = || aws.medialive("ListInputs", json!({})).expect("list")["inputs"].as_array().expect("inputs").len();
    assert_eq!(aws.sim.counts()["regions"]["eu-west-1"].get("medialive"), None, "a tombstone is nothing");
    assert_eq!(listed(), 1);
    aws.pass(59);
    assert_eq!(listed(), 1);
    aws.pass(1);
    assert_eq!(listed(), 0);
    aws.pass(239);
    assert_eq!(aws.input_state(&id), "DELETED");
    refused(aws.medialive("DeleteInput", json!({ "inputId": id })), 409, "ConflictException", "DELETED");
    aws.pass(1);
    refused(aws.medialive("DescribeInput", json!({ "inputId": id })), 404, "NotFoundException", &id);
}

#[test]
fn two_flows_make_a_standard_input_with_one_output_each() {
    let aws = Aws::new();
    let (a, b) = (flow_in(&aws, "a", "eu-west-1a"), flow_in(&aws, "b", "eu-west-1b"));
    let same = flow_in(&aws, "c", "eu-west-1a");
    bad(aws.medialive("CreateInput", connect_input("show", &[&a, &same])), "Availability Zones");
    let made = aws.medialive("CreateInput", connect_input("show", &[&a, &b])).expect("create");
    assert_eq!(made["input"]["inputClass"], "STANDARD");
    assert_eq!((managed(&aws, &a).len(), managed(&aws, &b).len()), (1, 1));
}

#[test]
fn what_an_input_needs_must_be_given() {
    let aws = Aws::new();
    let flow = aws.flow("show");
    let create = |change: fn(&mut Value)| {
        let mut wanted = connect_input("show", &[&flow]);
        change(&mut wanted);
        aws.medialive("CreateInput", wanted)
    };
    bad(create(|wanted| wanted["name"] = Value::Null), "name");
    bad(create(|wanted| wanted["type"] = Value::Null), "type");
    bad(create(|wanted| wanted["roleArn"] = Value::Null), "roleArn");
    bad(create(|wanted| wanted["mediaConnectFlows"] = json!([])), "mediaConnectFlows");
    bad(create(|wanted| wanted["mediaConnectFlows"] = json!([{ "flowArn": "arn:aws:x" }])), "was not found");
    bad(create(|wanted| wanted["sources"] = json!([{ "url": "https://a" }])), "sources");
    bad(create(|wanted| wanted["colour"] = json!("red")), "colour");
    refused(create(|wanted| wanted["type"] = json!("AWS_CDI")), 501, "NotSimulatedException", "AWS_CDI");
    assert!(managed(&aws, &flow).is_empty(), "what was refused has left nothing");
}

#[test]
fn a_managed_output_counts_against_the_outputs_of_the_flow() {
    let aws = Aws::new();
    aws.sim.set_quotas(&json!({ "outputsPerFlow": 1 })).expect("a quota");
    let flow = aws.flow("show");
    aws.input("one", &flow);
    bad(aws.medialive("CreateInput", connect_input("two", &[&flow])), "as many outputs");
    assert_eq!(managed(&aws, &flow).len(), 1);
}

#[test]
fn an_input_gets_all_its_outputs_or_none() {
    let aws = Aws::new();
    aws.sim.set_quotas(&json!({ "outputsPerFlow": 1 })).expect("a quota");
    let (a, b) = (flow_in(&aws, "a", "eu-west-1a"), flow_in(&aws, "b", "eu-west-1b"));
    let id = aws.input("full", &b);
    bad(aws.medialive("CreateInput", connect_input("show", &[&a, &b])), "as many outputs");
    assert!(managed(&aws, &a).is_empty());
    // The outputs that it has make room for those that it gets.
    let update = json!({ "inputId": id, "mediaConnectFlows": [{ "flowArn": a }, { "flowArn": b }] });
    aws.medialive("UpdateInput", update).expect("update");
    assert_eq!((managed(&aws, &a).len(), managed(&aws, &b).len()), (1, 1));
    // A flow that is changing takes none.
    aws.mediaconnect("StartFlow", json!({ "FlowArn": a })).expect("start");
    let update = json!({ "inputId": id, "mediaConnectFlows": [{ "flowArn": a }] });
    bad(aws.medialive("UpdateInput", update), "STARTING");
    assert_eq!((managed(&aws, &a).len(), managed(&aws, &b).len()), (1, 1));
}

#[test]
fn another_flow_makes_another_managed_output() {
    let aws = Aws::new();
    let (a, b) = (aws.flow("a"), aws.flow("b"));
    let id = aws.input("show", &a);
    let first = managed(&aws, &a)[0]["outputArn"].clone();
    aws.medialive("UpdateInput", json!({ "inputId": id, "name": "renamed" })).expect("rename");
    assert_eq!(managed(&aws, &a)[0]["outputArn"], first, "the flows have not changed");
    let update = json!({ "inputId": id, "mediaConnectFlows": [{ "flowArn": b }] });
    let updated = aws.medialive("UpdateInput", update).expect("update");
    assert_eq!(updated["input"]["name"], "renamed");
    assert!(managed(&aws, &a).is_empty());
    assert_eq!(managed(&aws, &b).len(), 1);
    let kind = json!({ "inputId": id, "type": "RTMP_PUSH" });
    bad(aws.medialive("UpdateInput", kind), "type");
}

#[test]
fn an_input_is_updated_only_while_its_channel_is_idle() {
    let aws = Aws::new();
    let (input, channel) = aws.chain("show");
    let update = || aws.medialive("UpdateInput", json!({ "inputId": input, "name": "renamed" }));
    update().expect("idle");
    aws.run(&channel);
    refused(update(), 409, "ConflictException", "RUNNING");
}

#[test]
fn the_same_request_id_makes_one_input() {
    let aws = Aws::new();
    let mut wanted = connect_input("show", &[&aws.flow("show")]);
    wanted["requestId"] = json!("once");
    let create = |wanted: &Value| aws.medialive("CreateInput", wanted.clone());
    let first = create(&wanted).expect("create");
    aws.pass(60);
    let second = create(&wanted).expect("again");
    assert_eq!(second["input"]["id"], first["input"]["id"]);
    assert_eq!(second["input"]["state"], "DETACHED", "as it is now");
    let mut other = wanted.clone();
    other["name"] = json!("other");
    bad(create(&other), "requestId");
    // What was made has gone: the memory lasts as long as the tombstone.
    aws.medialive("DeleteInput", json!({ "inputId": first["input"]["id"] })).expect("delete");
    aws.pass(5);
    assert_eq!(create(&wanted).expect("the tombstone")["input"]["state"], "DELETED");
    aws.pass(300);
    assert_ne!(create(&wanted).expect("anew")["input"]["id"], first["input"]["id"]);
}

#[test]
fn the_memory_of_a_request_id_ends() {
    let aws = Aws::new();
    let mut wanted = connect_input("show", &[&aws.flow("show")]);
    wanted["requestId"] = json!("once");
    let create = || text(&aws.medialive("CreateInput", wanted.clone()).expect("create")["input"]["id"]);
    let first = create();
    aws.pass(8 * 3600 - 1);
    assert_eq!(create(), first);
    aws.pass(1);
    assert_ne!(create(), first);
}

#[test]
fn push_inputs_have_a_quota_and_deleted_ones_do_not_count() {
    let aws = Aws::new();
    let flow = aws.flow("show");
    let ids: Vec<String> = (0..5).map(|index| aws.input(&format!("input-{index}"), &flow)).collect();
    let create = || aws.medialive("CreateInput", connect_input("more", &[&flow]));
    refused(create(), 403, "ForbiddenException", "Limit exceeded");
    aws.medialive("DeleteInput", json!({ "inputId": ids[0] })).expect("delete");
    refused(create(), 403, "ForbiddenException", "push inputs (5)");
    aws.pass(5);
    create().expect("there is room");
}

#[test]
fn inputs_are_tagged_and_listed_with_their_tags() {
    let aws = Aws::new();
    let id = aws.input("show", &aws.flow("show"));
    let arn = text(&aws.describe_input(&id)["arn"]);
    aws.medialive("CreateTags", json!({ "resource-arn": arn, "tags": { "a": "1", "b": "2" } })).expect("tag");
    aws.medialive("DeleteTags", json!({ "resource-arn": arn, "tagKeys": ["a"] })).expect("untag");
    let tags = aws.medialive("ListTagsForResource", json!({ "resource-arn": arn })).expect("tags");
    assert_eq!(tags["tags"], json!({ "b": "2" }));
    let listed = aws.medialive("ListInputs", json!({})).expect("list");
    assert_eq!(listed["inputs"][0]["tags"], json!({ "b": "2" }));
    aws.medialive("DeleteInput", json!({ "inputId": id })).expect("delete");
    aws.pass(5);
    let gone = aws.medialive("ListTagsForResource", json!({ "resource-arn": arn }));
    refused(gone, 404, "NotFoundException", &arn);
    bad(aws.medialive("CreateInput", json!({ "name": "x", "tags": { "aws:x": "y" } })), "aws:");
}

#[test]
fn a_role_is_of_iam() {
    let aws = Aws::new();
    let mut wanted = connect_input("show", &[&aws.flow("show")]);
    assert_eq!(wanted["roleArn"], ROLE);
    wanted["roleArn"] = json!("role");
    bad(aws.medialive("CreateInput", wanted), "not the ARN of a role");
}
