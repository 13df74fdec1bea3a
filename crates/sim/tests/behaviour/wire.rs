//! Signatures, protocols and the service model.

use bytes::Bytes;
use http::Request;
use playout_sim::model::{self, ViolationKind};
use playout_sim::{Config, Outcome, Sim};
use serde_json::{Value, json};

use crate::aws::{Aws, Failure, REGION, SECRET, bad, caller_output, listener, outcome, refused, request, signed, text};

fn body(sim: &Sim, request: Request<Bytes>) -> (u16, String) {
    match sim.handle(request).outcome {
        Outcome::Respond(response) => {
            (response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned())
        }
        Outcome::DropConnection => panic!("dropped"),
    }
}

#[test]
fn who_does_not_sign_is_refused() {
    let aws = Aws::new();
    let request = Request::get("http://sim.test/v1/flows").body(Bytes::new()).expect("a request");
    refused(outcome(aws.sim.handle(request)), 403, "MissingAuthenticationTokenException", "Missing");
}

#[test]
fn who_signs_with_another_secret_is_refused() {
    let aws = Aws::new();
    let request = signed("GET", "http://sim.test/v1/flows", &[], "", "mediaconnect", REGION, "wrong");
    refused(outcome(aws.sim.handle(request)), 403, "InvalidSignatureException", "does not match");
}

#[test]
fn a_body_that_changed_on_its_way_is_refused() {
    let aws = Aws::new();
    let input = json!({ "name": "show", "source": listener("primary", 5000) });
    let mut request = request("mediaconnect", REGION, "CreateFlow", &input);
    *request.body_mut() = Bytes::from(request.body().iter().rev().copied().collect::<Vec<_>>());
    refused(outcome(aws.sim.handle(request)), 403, "InvalidSignatureException", "");
}

#[test]
fn a_query_string_is_part_of_the_signature() {
    let aws = Aws::new();
    let uri = "http://sim.test/v1/flows?nextToken=a%20b%2Fc&maxResults=5";
    let request = signed("GET", uri, &[], "", "mediaconnect", REGION, SECRET);
    bad(outcome(aws.sim.handle(request)), "nextToken");
}

#[test]
fn a_service_that_is_not_simulated_says_so() {
    let aws = Aws::new();
    let request = signed("GET", "http://sim.test/", &[], "", "mediapackage", REGION, SECRET);
    refused(outcome(aws.sim.handle(request)), 404, "UnknownServiceException", "mediapackage");
}

#[test]
fn errors_have_a_request_id_and_the_message_in_the_services_spelling() {
    let aws = Aws::new();
    let answer = aws.sim.handle(request("secretsmanager", REGION, "GetSecretValue", &json!({ "SecretId": "none" })));
    let Outcome::Respond(response) = answer.outcome else { panic!("dropped") };
    assert_eq!(response.headers()["x-amzn-requestid"].len(), 36);
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.1");
    let body: Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(body["__type"], "ResourceNotFoundException");
    assert!(body["Message"].is_string());
}

#[test]
fn the_query_protocol_answers_who_am_i() {
    let aws = Aws::new();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let request = signed("POST", "http://sim.test/", &headers, form, "sts", "us-east-1", SECRET);
    let (status, xml) = body(&aws.sim, request);
    assert_eq!(status, 200);
    assert!(xml.contains("<GetCallerIdentityResult><Account>123456789012</Account>"), "{xml}");
}

#[test]
fn metric_data_also_speaks_the_query_protocol() {
    let aws = Aws::new();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let form = "Action=GetMetricData&Version=2010-08-01&StartTime=2026-01-01T00%3A00%3A00Z\
                &EndTime=2026-01-01T01%3A00%3A00Z&MetricDataQueries.member.1.Id=a\
                &MetricDataQueries.member.1.MetricStat.Period=60&MetricDataQueries.member.1.MetricStat.Stat=Sum\
                &MetricDataQueries.member.1.MetricStat.Metric.Namespace=AWS%2FMediaConnect\
                &MetricDataQueries.member.1.MetricStat.Metric.MetricName=ConnectedOutputs";
    let request = signed("POST", "http://sim.test/", &headers, form, "monitoring", REGION, SECRET);
    let (status, xml) = body(&aws.sim, request);
    assert_eq!(status, 200, "{xml}");
    assert!(xml.contains("<member><Id>a</Id><Label>ConnectedOutputs</Label>"), "{xml}");
    let request = signed("POST", "http://sim.test/", &headers, "Action=GetMetricData", "monitoring", REGION, SECRET);
    let (status, xml) = body(&aws.sim, request);
    assert_eq!(status, 400);
    assert!(xml.contains("<Code>ValidationError</Code>"), "{xml}");
}

fn outputs(aws: &Aws, output: Value) -> Result<Value, Failure> {
    let arn = aws.flow("show");
    aws.add_output(&arn, output)
}

#[test]
fn a_missing_member_a_wrong_enum_and_a_wrong_type_are_named() {
    let aws = Aws::new();
    bad(aws.mediaconnect("CreateFlow", json!({})), "'name' failed to satisfy constraint: Member must not be null");
    let mut output = caller_output("studio");
    output["protocol"] = json!("srt");
    bad(outputs(&aws, output), "Value 'srt' at 'outputs.1.member.protocol'");
    let mut output = caller_output("studio");
    output["port"] = json!("6000");
    bad(outputs(&aws, output), "'outputs.1.member.port' failed to satisfy constraint: Member must be an integer");
}

#[test]
fn an_arn_must_look_like_one() {
    let aws = Aws::new();
    bad(aws.mediaconnect("DescribeFlow", json!({ "FlowArn": "show" })), "regular expression pattern");
}

#[test]
fn an_unknown_member_is_refused_and_logged() {
    let aws = Aws::new();
    let mut output = caller_output("studio");
    output["Port"] = json!(6000);
    bad(outputs(&aws, output), "Unknown member 'outputs.1.member.Port'");
    let entry = aws.sim.log(0).pop().expect("an entry");
    assert_eq!(entry.unknown_members, ["outputs.1.member.Port"]);
}

#[test]
fn unknown_members_can_be_ignored_as_aws_does_but_are_still_logged() {
    let aws = Aws::with(Config { refuse_unknown_members: false, throttling: false, ..Config::default() });
    let input = json!({ "name": "show", "source": listener("primary", 5000), "colour": "red" });
    let made = aws.mediaconnect("CreateFlow", input).expect("ignored");
    assert!(made["flow"].get("colour").is_none());
    assert_eq!(aws.sim.log(0)[0].unknown_members, ["colour"]);
}

#[test]
fn a_body_can_be_checked_without_a_world() {
    let violations = model::check("mediaconnect", "CreateFlow", &json!({ "name": 7, "flowSize": "TINY" }));
    let kinds: Vec<ViolationKind> = violations.iter().map(|violation| violation.kind).collect();
    assert_eq!(kinds, [ViolationKind::NotInEnum, ViolationKind::WrongType]);
    assert_eq!(model::check("nothing", "CreateFlow", &json!({}))[0].kind, ViolationKind::UnknownOperation);
}

/// The tables in the folders of the services.
fn tables() -> Vec<Value> {
    let services = format!("{}/src/services", env!("CARGO_MANIFEST_DIR"));
    let folders = std::fs::read_dir(services).expect("the services");
    let texts = folders.filter_map(|folder| std::fs::read(folder.expect("a folder").path().join("model.json")).ok());
    let tables: Vec<Value> = texts.map(|text| serde_json::from_slice(&text).expect("JSON")).collect();
    assert!(tables.len() > 6, "{}", tables.len());
    tables
}

#[test]
fn every_table_is_read() {
    let mut read: Vec<&str> = model::tables().iter().map(|table| table.service.as_str()).collect();
    read.sort_unstable();
    let mut there: Vec<String> = tables().iter().map(|table| text(&table["service"])).collect();
    there.sort();
    assert_eq!(read, there);
}

#[test]
fn every_pattern_of_the_tables_is_checked() {
    for table in tables() {
        let service = text(&table["service"]);
        for (name, shape) in table["shapes"].as_object().expect("shapes") {
            let read = model::table(&service).and_then(|table| table.shape(name)).expect("the same shape");
            assert_eq!(
                shape.get("pattern").is_some(),
                read.pattern.is_some(),
                "{service} {name}: {}",
                shape["pattern"]
            );
        }
    }
}

#[tokio::test]
async fn a_dropped_connection_closes_without_a_byte() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let aws = Aws::new();
    let server = playout_sim::server::spawn(aws.sim.clone()).await.expect("a free port");
    let kind = playout_sim::FaultKind::DropAfter;
    aws.sim.plant_fault(playout_sim::Fault::new("mediaconnect", "ListFlows", kind));
    let uri = format!("{}/v1/flows", server.url());
    for answered in [false, true] {
        let request = signed("GET", &uri, &[], "", "mediaconnect", REGION, SECRET);
        let host = server.url().trim_start_matches("http://").to_owned();
        let mut text = format!("GET /v1/flows HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in request.headers() {
            text.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
        }
        let mut socket = tokio::net::TcpStream::connect(&host).await.expect("connect");
        socket.write_all(format!("{text}\r\n").as_bytes()).await.expect("write");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.expect("closed in order");
        assert_eq!(answer.starts_with(b"HTTP/1.1 200"), answered, "{}", String::from_utf8_lossy(&answer));
        assert_eq!(answer.is_empty(), !answered);
    }
}
