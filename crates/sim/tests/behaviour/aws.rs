//! Signed requests without a socket.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Request, Response};
use playout_sim::model::{self, Place, ShapeKind};
use playout_sim::{Answer, Clock as _, Config, ManualClock, Outcome, Sim};
use serde_json::{Map, Value, json};

pub const REGION: &str = "eu-west-1";
pub const ROLE: &str = "arn:aws:iam::123456789012:role/media";

/// A world, its clock and who speaks to it.
pub struct Aws {
    pub sim: Sim,
    pub clock: Arc<ManualClock>,
}

/// An error as a caller sees it.
#[derive(Debug, PartialEq)]
pub struct Failure {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl Aws {
    pub fn new() -> Self {
        Self::with(Config { throttling: false, ..Config::default() })
    }

    pub fn with(config: Config) -> Self {
        let clock = Arc::new(ManualClock::new());
        Self { sim: Sim::new(config, clock.clone()), clock }
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// An operation, by its members' names on the wire. Answers that do not fit the model fail the test.
    pub fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, Failure> {
        let answer = self.sim.handle(request(service, REGION, operation, &input));
        let result = outcome(answer);
        if let Ok(output) = &result {
            let output = if output.is_null() { json!({}) } else { output.clone() };
            let violations = model::check_output(service, operation, &output);
            assert!(violations.is_empty(), "{operation} answered what the model does not know: {violations:?}");
        }
        result
    }

    pub fn mediaconnect(&self, operation: &str, input: Value) -> Result<Value, Failure> {
        self.call("mediaconnect", operation, input)
    }

    /// A flow with one SRT source, in STANDBY.
    pub fn flow(&self, name: &str) -> String {
        self.flow_of(json!({ "name": name, "source": listener("primary", 5000) }))
    }

    pub fn flow_of(&self, input: Value) -> String {
        let made = self.mediaconnect("CreateFlow", input).expect("CreateFlow");
        text(&made["flow"]["flowArn"])
    }

    pub fn active_flow(&self, name: &str) -> String {
        let arn = self.flow(name);
        self.start(&arn);
        arn
    }

    pub fn start(&self, arn: &str) {
        self.mediaconnect("StartFlow", json!({ "FlowArn": arn })).expect("StartFlow");
        self.pass(20);
    }

    pub fn describe(&self, arn: &str) -> Value {
        self.mediaconnect("DescribeFlow", json!({ "FlowArn": arn })).expect("DescribeFlow")["flow"].clone()
    }

    pub fn status(&self, arn: &str) -> String {
        text(&self.describe(arn)["status"])
    }

    pub fn add_output(&self, arn: &str, output: Value) -> Result<Value, Failure> {
        let input = json!({ "FlowArn": arn, "outputs": [output] });
        self.mediaconnect("AddFlowOutputs", input).map(|answer| answer["outputs"][0].clone())
    }

    /// A secret; answers its ARN.
    pub fn secret(&self, name: &str) -> String {
        let input = json!({ "Name": name, "SecretString": "a long passphrase" });
        text(&self.call("secretsmanager", "CreateSecret", input).expect("CreateSecret")["ARN"])
    }

    /// The values of a metric over the last so many seconds, oldest first.
    pub fn metric(&self, name: &str, dimension: (&str, &str), stat: &str, period: u64, last: u64) -> Vec<f64> {
        self.metric_of("AWS/MediaConnect", name, &[dimension], stat, period, last)
    }

    pub fn metric_of(
        &self,
        namespace: &str,
        name: &str,
        dimensions: &[(&str, &str)],
        stat: &str,
        period: u64,
        last: u64,
    ) -> Vec<f64> {
        let dimensions: Vec<Value> =
            dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        let now = self.clock.now().as_secs();
        let input = json!({
            "StartTime": now - last,
            "EndTime": now,
            "ScanBy": "TimestampAscending",
            "MetricDataQueries": [{
                "Id": "q",
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": name,
                        "Dimensions": dimensions,
                    },
                    "Period": period,
                    "Stat": stat,
                },
            }],
        });
        let answer = self.call("cloudwatch", "GetMetricData", input).expect("GetMetricData");
        let values = answer["MetricDataResults"][0]["Values"].as_array().expect("values").clone();
        values.iter().map(|value| value.as_f64().expect("a number")).collect()
    }
}

pub fn listener(name: &str, port: u16) -> Value {
    json!({ "name": name, "protocol": "srt-listener", "ingestPort": port, "whitelistCidr": "203.0.113.0/24" })
}

pub fn caller_output(name: &str) -> Value {
    json!({ "name": name, "protocol": "srt-caller", "destination": format!("{name}.example.net"), "port": 6000 })
}

pub fn rtmp_output(name: &str, host: &str, key: &str) -> Value {
    json!({
        "name": name,
        "protocol": "rtmp-push",
        "destination": host,
        "port": 1935,
        "rtmpPushSettings": { "applicationName": "live", "streamName": key },
    })
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string")).to_owned()
}

/// Asserts an error with this status and code whose text has this in it.
#[track_caller]
pub fn refused(result: Result<Value, Failure>, status: u16, code: &str, part: &str) {
    let failure = result.expect_err("must be refused");
    assert_eq!((failure.status, failure.code.as_str()), (status, code), "{}", failure.message);
    assert!(failure.message.contains(part), "{:?} does not say {part:?}", failure.message);
}

#[track_caller]
pub fn bad(result: Result<Value, Failure>, part: &str) {
    refused(result, 400, "BadRequestException", part);
}

pub fn outcome(answer: Answer) -> Result<Value, Failure> {
    match answer.outcome {
        Outcome::Respond(response) => read(&response),
        Outcome::DropConnection => {
            Err(Failure { status: 0, code: "dropped".to_owned(), message: "no answer".to_owned() })
        }
    }
}

pub fn read(response: &Response<Bytes>) -> Result<Value, Failure> {
    let body: Value = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    if response.status().is_success() {
        return Ok(body);
    }
    let header = response.headers().get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    let message = ["message", "Message", "exceptionMessage"].iter().find_map(|member| body[*member].as_str());
    Err(Failure {
        status: response.status().as_u16(),
        code: header.unwrap_or_default().to_owned(),
        message: message.unwrap_or_default().to_owned(),
    })
}

pub fn request(service: &str, region: &str, operation: &str, input: &Value) -> Request<Bytes> {
    let table = model::table(service).expect("a modelled service");
    let op = &table.operations[operation];
    if table.protocols.iter().any(|protocol| protocol == "rest-json") {
        let (mut path, mut query, mut body) = (op.uri.clone(), Vec::new(), Map::new());
        for (name, value) in input.as_object().expect("an object") {
            let place = match op.input.as_deref().and_then(|shape| table.shape(shape)).map(|shape| &shape.kind) {
                Some(ShapeKind::Structure { members, .. }) => members.get(name).and_then(|(_, place)| *place),
                _ => None,
            };
            match place {
                Some(Place::Uri) => path = path.replace(&format!("{{{name}}}"), &encode(value.as_str().expect("text"))),
                Some(_) => {
                    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                    for value in values {
                        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                        query.push(format!("{name}={}", encode(&value)));
                    }
                }
                None => drop(body.insert(name.clone(), value.clone())),
            }
        }
        let question = if query.is_empty() { "" } else { "?" };
        let uri = format!("http://sim.test{path}{question}{}", query.join("&"));
        let body =
            if op.method == "GET" || op.method == "DELETE" { String::new() } else { Value::Object(body).to_string() };
        return signed(&op.method, &uri, &[("content-type", "application/json")], body, service, region, SECRET);
    }
    let target = format!("{}.{operation}", table.target_prefix);
    let kind = format!("application/x-amz-json-{}", table.json_version);
    let headers = [("content-type", kind.as_str()), ("x-amz-target", target.as_str())];
    signed("POST", "http://sim.test/", &headers, input.to_string(), &table.signing_name, region, SECRET)
}

pub const SECRET: &str = "simulator-secret";

pub fn signed(
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
    service: &str,
    region: &str,
    secret: &str,
) -> Request<Bytes> {
    let body = body.into();
    let identity = Credentials::new("AKIATEST", secret, None, None, "test").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(UNIX_EPOCH + ManualClock::START)
        .settings(SigningSettings::default())
        .build()
        .expect("parameters")
        .into();
    let signable =
        SignableRequest::new(method, uri, headers.iter().copied(), SignableBody::Bytes(&body)).expect("signable");
    let (instructions, _) = sign(signable, &parameters).expect("a signature").into_parts();
    let mut builder = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let mut request = builder.body(body).expect("a request");
    instructions.apply_to_request_http1x(&mut request);
    request
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
