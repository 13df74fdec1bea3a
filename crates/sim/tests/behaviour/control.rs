//! The control API over HTTP.

use bytes::Bytes;
use http::Request;
use playout_sim::Outcome;
use serde_json::{Value, json};

use crate::aws::{Aws, caller_output, text};

fn control(aws: &Aws, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let request = Request::builder().method(method).uri(format!("/_sim/{path}")).body(body).expect("a request");
    match aws.sim.handle(request).outcome {
        Outcome::Respond(response) => {
            (response.status().as_u16(), serde_json::from_slice(response.body()).expect("JSON"))
        }
        Outcome::DropConnection => panic!("dropped"),
    }
}

#[track_caller]
fn ok(aws: &Aws, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = control(aws, method, path, body);
    assert_eq!(status, 200, "{answer}");
    answer
}

#[test]
fn faults_are_planted_listed_and_cleared() {
    let aws = Aws::new();
    let fault = json!({
        "service": "mediaconnect", "operation": "CreateFlow", "times": 2,
        "kind": { "failBefore": { "status": 503, "code": "ServiceUnavailableException", "message": "later" } },
    });
    let id = ok(&aws, "POST", "faults", fault)["id"].clone();
    for kind in [json!("dropAfter"), json!({ "hold": { "when": "before" } }), json!({ "stale": { "seconds": 3 } })] {
        ok(&aws, "POST", "faults", json!({ "kind": kind }));
    }
    let input = json!({ "name": "show", "source": crate::aws::listener("primary", 5000) });
    crate::aws::refused(aws.mediaconnect("CreateFlow", input), 503, "ServiceUnavailableException", "later");
    let listed = ok(&aws, "GET", "faults", Value::Null);
    assert_eq!(listed["faults"][0]["hits"], 1);
    ok(&aws, "DELETE", &format!("faults/{id}"), Value::Null);
    assert_eq!(ok(&aws, "DELETE", "faults", Value::Null)["cleared"], 3);
    assert_eq!(control(&aws, "POST", "faults", json!({ "kind": "explode" })).0, 400);
}

#[test]
fn the_log_tells_every_request_with_the_names_in_it() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    aws.add_output(&arn, caller_output("studio")).expect("output");
    let log = ok(&aws, "GET", "log?since=1", Value::Null);
    let entry = &log["entries"][0];
    assert_eq!(entry["seq"], 2);
    assert_eq!(entry["operation"], "AddFlowOutputs");
    assert_eq!(entry["mutating"], true);
    assert_eq!(entry["status"], 201);
    assert_eq!(entry["region"], "eu-west-1");
    assert_eq!(entry["names"], json!([arn, "studio"]));
    assert_eq!(entry["body"]["outputs"][0]["port"], 6000);
    ok(&aws, "DELETE", "log", Value::Null);
    assert_eq!(ok(&aws, "GET", "log", Value::Null)["entries"], json!([]));
}

#[test]
fn the_log_can_be_read_without_secrets() {
    let aws = Aws::new();
    aws.secret("key");
    let put = json!({ "Name": "p", "Value": "hunter2", "Type": "SecureString" });
    aws.call("ssm", "PutParameter", put).expect("put");
    let plain = ok(&aws, "GET", "log", Value::Null).to_string();
    assert!(plain.contains("a long passphrase") && plain.contains("hunter2"));
    let redacted = ok(&aws, "GET", "log?redacted=1", Value::Null).to_string();
    assert!(!redacted.contains("a long passphrase") && !redacted.contains("hunter2"), "{redacted}");
}

#[test]
fn the_state_shows_resources_with_tags_and_the_counts() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    aws.mediaconnect("TagResource", json!({ "ResourceArn": arn, "tags": { "a": "b" } })).expect("tag");
    aws.secret("key");
    let state = ok(&aws, "GET", "state", Value::Null);
    let services = &state["eu-west-1"];
    assert_eq!(services["mediaconnect"]["flows"][0]["tags"], json!({ "a": "b" }));
    assert_eq!(services["secretsmanager"]["secrets"][0]["Name"], "key");
    let counts = ok(&aws, "GET", "state?counts=1", Value::Null);
    let wanted = json!({ "flows": 1, "sources": 1, "outputs": 0 });
    assert_eq!(counts["regions"]["eu-west-1"]["mediaconnect"], wanted);
    assert_eq!(counts["total"], 2);
}

#[test]
fn encoders_and_receivers_are_set() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    aws.add_output(&arn, caller_output("studio")).expect("output");
    ok(&aws, "PUT", "encoders/show/primary", json!({ "connected": false }));
    assert!(aws.describe(&arn)["source"].get("peerIpAddress").is_none());
    for receiver in [json!("refuse"), json!({ "acceptAfter": { "seconds": 5 } }), json!("accept"), json!("disconnect")]
    {
        ok(&aws, "PUT", "receivers/studio.example.net?stream=x", receiver);
    }
    ok(&aws, "PUT", "receivers/studio.example.net", json!({ "receiver": "refuse" }));
    assert_eq!(control(&aws, "PUT", "receivers/x", json!("explode")).0, 400);
}

#[test]
fn publishers_and_viewers_are_set() {
    let aws = Aws::new();
    let channel = aws.ivs_channel(json!({ "name": "show" }));
    let path = format!("publishers/{}?stream={}", channel.host, channel.key);
    ok(&aws, "PUT", &path, json!({ "bitrate": 3_000_000 }));
    ok(&aws, "PUT", "viewers/show", json!({ "viewers": 3 }));
    aws.pass(21);
    assert_eq!(aws.stream(&channel).expect("live")["viewerCount"], 3);
    ok(&aws, "PUT", &path, json!({ "connected": false }));
    assert_eq!(control(&aws, "PUT", "publishers/x", json!({})).0, 400, "without a stream");
    assert_eq!(control(&aws, "PUT", &path, json!({ "colour": "red" })).0, 400);
    assert_eq!(control(&aws, "PUT", "viewers/show", json!({ "viewers": -1 })).0, 400);
    ok(&aws, "POST", "reset", Value::Null);
}

#[test]
fn resources_are_edited_behind_the_back() {
    let aws = Aws::new();
    let arn = aws.active_flow("show");
    aws.add_output(&arn, caller_output("studio")).expect("output");
    let edit = |body: Value| ok(&aws, "POST", "edit", body);
    edit(json!({ "flow": "show", "output": "studio", "patch": { "port": 7000 }, "tags": { "a": "b" } }));
    edit(json!({ "flow": "show", "source": "primary", "patch": { "minLatency": 99, "whitelistCidr": null } }));
    edit(json!({ "flow": "show", "patch": { "sourceFailoverConfig": { "state": "ENABLED" } } }));
    let flow = aws.describe(&arn);
    assert_eq!(flow["outputs"][0]["port"], 7000);
    assert_eq!(flow["source"]["transport"]["minLatency"], 99);
    assert!(flow["source"].get("whitelistCidr").is_none());
    assert_eq!(flow["sourceFailoverConfig"]["state"], "ENABLED");
    edit(json!({ "flow": "show", "output": "studio", "remove": true }));
    assert_eq!(aws.describe(&arn)["outputs"], json!([]));
    edit(json!({ "flow": "show", "status": "STANDBY" }));
    assert_eq!(aws.status(&arn), "STANDBY");
    assert_eq!(edit(json!({ "flow": "show", "remove": true }))["flow"], Value::Null);
    assert_eq!(aws.sim.counts()["total"], 0);
    assert_eq!(control(&aws, "POST", "edit", json!({ "flow": "show" })).0, 404);
    assert_eq!(control(&aws, "POST", "edit", json!({ "flow": "show", "colour": "red" })).0, 400);
}

#[test]
fn managed_outputs_come_and_go() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    let input = "arn:aws:medialive:eu-west-1:123456789012:input:7";
    let added = ok(&aws, "POST", "managed-outputs", json!({ "flow": "show", "mediaLiveInputArn": input }));
    assert_eq!(text(&added["outputArn"]), text(&aws.describe(&arn)["outputs"][0]["outputArn"]));
    let removed = ok(&aws, "POST", "managed-outputs", json!({ "mediaLiveInputArn": input, "remove": true }));
    assert_eq!(removed["removed"], 1);
}

#[test]
fn quotas_throttling_clock_and_reset() {
    let aws = Aws::new();
    assert_eq!(ok(&aws, "PUT", "quotas", json!({ "flows": 1 }))["outputsPerFlow"], 50);
    let quotas = ok(&aws, "GET", "quotas", Value::Null);
    assert_eq!((&quotas["channels"], &quotas["parameters"]), (&json!(5), &json!(10_000)), "those of all services");
    let (status, answer) = control(&aws, "PUT", "quotas", json!({ "flows": 3, "flow": 2 }));
    assert_eq!((status, &answer["error"]), (400, &json!("unknown quota flow")));
    assert_eq!(aws.sim.quotas()["flows"], 1, "all that are given, or none");
    assert_eq!(control(&aws, "PUT", "quotas", json!({ "flows": "many" })).0, 400);
    aws.flow("show");
    let input = json!({ "name": "show", "source": crate::aws::listener("primary", 5000) });
    crate::aws::refused(aws.mediaconnect("CreateFlow", input), 420, "CreateFlow420Exception", "");
    assert_eq!(ok(&aws, "PUT", "throttling", json!({ "enabled": true }))["enabled"], true);
    assert_eq!(ok(&aws, "GET", "clock", Value::Null)["speed"], 1.0);
    assert_eq!(control(&aws, "PUT", "clock", json!({ "speed": 60 })).0, 400, "a manual clock has no speed");
    ok(&aws, "POST", "reset", Value::Null);
    assert_eq!(aws.sim.counts()["total"], 0);
    assert_eq!(aws.sim.quotas()["flows"], 20);
    assert_eq!(ok(&aws, "GET", "health", Value::Null)["status"], "ok");
    assert_eq!(control(&aws, "GET", "nothing", Value::Null).0, 404);
}

#[test]
fn clearing_all_faults_ends_what_they_hide() {
    let aws = Aws::new();
    let fault = json!({ "operation": "CreateFlow", "kind": { "hideFromReads": { "seconds": 3600 } } });
    ok(&aws, "POST", "faults", fault);
    let arn = aws.flow("show");
    assert!(aws.mediaconnect("DescribeFlow", json!({ "FlowArn": arn })).is_err());
    ok(&aws, "DELETE", "faults", Value::Null);
    aws.describe(&arn);
}

#[test]
fn a_secret_whose_deletion_is_planned_is_shown_but_not_in_the_total() {
    let aws = Aws::new();
    aws.secret("key");
    aws.call("secretsmanager", "DeleteSecret", json!({ "SecretId": "key" })).expect("delete");
    let counts = aws.sim.counts();
    assert_eq!(counts["total"], 0);
    assert_eq!(counts["regions"]["eu-west-1"]["secretsmanager"]["secretsPlannedForDeletion"], 1);
}

#[test]
fn the_speed_of_a_running_world_can_be_changed() {
    let sim = playout_sim::Sim::start(playout_sim::Config::default());
    let request = Request::put("/_sim/clock").body(Bytes::from(r#"{"speed":1000}"#)).expect("a request");
    assert!(matches!(sim.handle(request).outcome, Outcome::Respond(response) if response.status() == 200));
    let before = sim.clock().now();
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert!(sim.clock().now() - before >= std::time::Duration::from_secs(20));
}

#[test]
fn what_is_left_open_is_switched_member_by_member_and_reset() {
    let aws = Aws::new();
    let none = ok(&aws, "GET", "switches", Value::Null);
    assert_eq!(none["rtmpOutputMetrics"], false);
    ok(&aws, "PUT", "switches", json!({ "listSecretsLag": 300 }));
    let now = ok(&aws, "PUT", "switches", json!({ "rtmpOutputMetrics": true }));
    assert_eq!((&now["rtmpOutputMetrics"], &now["listSecretsLag"]), (&json!(true), &json!(300.0)));
    assert_eq!(control(&aws, "PUT", "switches", json!({ "magic": true })).0, 400);
    ok(&aws, "POST", "reset", Value::Null);
    assert_eq!(ok(&aws, "GET", "switches", Value::Null), none);
}

#[test]
fn maintenance_is_for_what_runs() {
    let aws = Aws::new();
    let arn = aws.flow("show");
    assert_eq!(control(&aws, "POST", "maintenance", json!({ "flow": "show" })).0, 400);
    assert_eq!(control(&aws, "POST", "maintenance", json!({ "channel": "nobody" })).0, 404);
    aws.start(&arn);
    assert_eq!(ok(&aws, "POST", "maintenance", json!({ "flow": "show" }))["flow"]["status"], "STOPPING");
    let late = json!({ "kind": { "late": { "seconds": 20, "caller": "dropped" } } });
    ok(&aws, "POST", "faults", late);
}
