//! AWS from a record: what reads are answered from when nobody is to be asked. Changes are refused.
//!
//! The record has the shape of the simulator's `GET /_sim/state`: region, service, kind, and what AWS shows of each resource. Member
//! names may begin with a capital letter, as the AWS CLI prints them.

use std::fmt;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value, json};

/// An empty map in CBOR, which is the wire format of CloudWatch: no measurements.
const NOTHING_IN_CBOR: &[u8] = &[0xA0];

/// What AWS was seen to have. Clones are the same.
#[derive(Clone)]
pub struct Record(Arc<Value>);

impl fmt::Debug for Record {
    /// What AWS shows of an output may hold a stream key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Record")
    }
}

impl Record {
    /// Takes what was read from a file.
    #[must_use]
    pub fn new(mut state: Value) -> Self {
        for service in state.as_object_mut().into_iter().flat_map(|regions| regions.values_mut()) {
            for kinds in service.as_object_mut().into_iter().flat_map(|services| services.values_mut()) {
                uncapitalise(kinds);
            }
        }
        Self(Arc::new(state))
    }

    /// The first region that has something.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.0.as_object()?.keys().next().map(String::as_str)
    }

    /// The tags of the first resource that has these among them.
    #[must_use]
    pub fn tags_like(&self, wanted: &[(&str, &str)]) -> Option<&Map<String, Value>> {
        search(&self.0, &|tags| wanted.iter().all(|(key, value)| tags.get(*key).is_some_and(|tag| tag == value)))
    }

    /// The value of this tag at the first resource that has it.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        search(&self.0, &|tags| tags.contains_key(key))?.get(key)?.as_str()
    }

    /// The clients' way to it: no socket is opened, and no credentials are needed.
    #[must_use]
    pub fn client(&self) -> (SharedHttpClient, SharedCredentialsProvider) {
        let nobody = Credentials::new("AKIARECORD", "nobody", None, None, "record");
        (SharedHttpClient::new(self.clone()), SharedCredentialsProvider::new(nobody))
    }

    fn list(&self, region: &str, service: &str, kind: &str) -> Vec<Value> {
        let found = self.0.get(region).and_then(|all| all.get(service)).and_then(|all| all.get(kind));
        found.and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// The answer to a request.
    fn answer(&self, request: &HttpRequest) -> (u16, Value) {
        // Not by the host: the environment may name another endpoint.
        let signed = request.headers().get("authorization").unwrap_or_default();
        let (region, service) = signed_for(signed);
        let body = request.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or(Value::Null);
        if let Some(operation) = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()) {
            return self.operation(region, operation, &body);
        }
        if request.method() != "GET" {
            return refused(403, "AccessDeniedException", "a record of AWS cannot be changed");
        }
        let parts: Vec<String> = path(request.uri()).trim_matches('/').split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let by = |kind: &str, member: &str, is: &str| {
            self.list(region, service, kind).into_iter().find(|one| one.get(member).is_some_and(|value| value == is))
        };
        let found = match parts.as_slice() {
            ["v1", "flows"] => Some(json!({ "flows": self.list(region, service, "flows") })),
            ["v1", "flows", arn] => by("flows", "flowArn", arn).map(|flow| json!({ "flow": flow })),
            ["tags", arn] => Some(json!({ "tags": self.tags_of(arn) })),
            ["prod", kind @ ("channels" | "inputs")] => Some(json!({ *kind: self.list(region, service, kind) })),
            ["prod", kind @ ("channels" | "inputs"), id] => by(kind, "id", id),
            ["prod", "channels", id, "alerts"] => {
                let alerts = by("channels", "id", id).and_then(|channel| channel.get("alerts").cloned());
                Some(json!({ "alerts": alerts.unwrap_or_else(|| json!([])) }))
            }
            _ => None,
        };
        found.map_or_else(|| refused(404, "NotFoundException", "it is not in the record"), |found| (200, found))
    }

    fn tags_of(&self, arn: &str) -> Value {
        fn search(value: &Value, arn: &str) -> Option<Value> {
            match value {
                Value::Object(members) => {
                    let is_it =
                        members.iter().any(|(name, value)| name.to_lowercase().ends_with("arn") && value == arn);
                    let tags = members.get("tags").filter(|_| is_it).cloned();
                    tags.or_else(|| members.values().find_map(|member| search(member, arn)))
                }
                Value::Array(items) => items.iter().find_map(|item| search(item, arn)),
                _ => None,
            }
        }
        search(&self.0, arn).unwrap_or_else(|| json!({}))
    }

    /// The services whose requests name an operation.
    fn operation(&self, region: &str, operation: &str, body: &Value) -> (u16, Value) {
        let text =
            |value: &Value, member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        match operation {
            "ListSecrets" => {
                let secrets = self.list(region, "secretsmanager", "secrets");
                (200, json!({ "SecretList": secrets.iter().map(secret).collect::<Vec<_>>() }))
            }
            "DescribeSecret" => {
                let id = text(body, "SecretId");
                let secrets = self.list(region, "secretsmanager", "secrets");
                let found = secrets.iter().map(secret).find(|one| text(one, "Name") == id || text(one, "ARN") == id);
                found.map_or_else(|| refused(400, "ResourceNotFoundException", "no secret"), |found| (200, found))
            }
            "GetParameter" => {
                let name = text(body, "Name");
                let parameters = self.list(region, "ssm", "parameters");
                let found = parameters.iter().find(|one| text(one, "name") == name);
                let shown = |one: &Value| json!({ "Name": name, "Value": text(one, "value"), "Type": "SecureString" });
                found.map_or_else(
                    || refused(400, "ParameterNotFound", "no parameter"),
                    |one| (200, json!({ "Parameter": shown(one) })),
                )
            }
            // Nothing: then the defaults that AWS documents hold.
            "ListServiceQuotas" => (200, json!({ "Quotas": [] })),
            _ => refused(400, "AccessDeniedException", "a record of AWS cannot be changed"),
        }
    }
}

/// The first tags that are as told.
fn search<'a>(value: &'a Value, are: &impl Fn(&Map<String, Value>) -> bool) -> Option<&'a Map<String, Value>> {
    let tags = value.get("tags").and_then(Value::as_object).filter(|tags| are(tags));
    tags.or_else(|| match value {
        Value::Object(members) => members.values().find_map(|member| search(member, are)),
        Value::Array(items) => items.iter().find_map(|item| search(item, are)),
        _ => None,
    })
}

impl HttpClient for Record {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Record {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let measures = request.uri().contains("/operation/GetMetricData");
        let (status, body) = if measures { (200, Value::Null) } else { self.answer(&request) };
        HttpConnectorFuture::ready(response(status, &body, measures))
    }
}

fn response(status: u16, body: &Value, measures: bool) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let bytes = if measures { NOTHING_IN_CBOR.to_vec() } else { body.to_string().into_bytes() };
    let mut response = HttpResponse::new(status, SdkBody::from(bytes));
    let headers = response.headers_mut();
    if measures {
        headers.insert("smithy-protocol", "rpc-v2-cbor");
        headers.insert("content-type", "application/cbor");
    } else if let Some(code) = body.get("__type").and_then(Value::as_str) {
        headers.insert("x-amzn-errortype", code.to_owned());
    }
    Ok(response)
}

fn refused(status: u16, code: &str, message: &str) -> (u16, Value) {
    (status, json!({ "__type": code, "message": message }))
}

/// What the service shows of a secret, from what the record has.
fn secret(recorded: &Value) -> Value {
    let text = |member: &str| recorded.get(member).cloned().unwrap_or(Value::Null);
    // The AWS CLI lists them.
    let listed = recorded.get("tags").and_then(Value::as_array).cloned();
    let tags = recorded.get("tags").and_then(Value::as_object).into_iter().flatten();
    let tags = listed.unwrap_or_else(|| tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect());
    let arn = recorded.get("arn").or_else(|| recorded.get("aRN")).cloned().unwrap_or(Value::Null);
    json!({ "ARN": arn, "Name": text("name"), "Tags": tags })
}

/// Region and service that a request is signed for, from `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
fn signed_for(authorization: &str) -> (&str, &str) {
    let scope = authorization.split_once("Credential=").map_or("", |(_, rest)| rest);
    let mut parts = scope.split(['/', ',']).skip(2);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// The path of a URL.
fn path(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    path.split('?').next().unwrap_or_default()
}

/// A part of a path without its percent signs.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let decoded = (byte == b'%').then(|| Some((digit()? * 16 + digit()?) as u8)).flatten();
        bytes.push(decoded.unwrap_or(byte));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Member names as AWS sends them: the AWS CLI begins them with a capital letter. Names of tags are the users' own.
fn uncapitalise(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, mut member) in std::mem::take(members) {
                let mut letters = name.chars();
                let first = letters.next().map(|letter| letter.to_ascii_lowercase());
                let name: String = first.into_iter().chain(letters).collect();
                if name != "tags" {
                    uncapitalise(&mut member);
                }
                members.insert(name, member);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(uncapitalise),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cli_prints_is_what_the_api_answers() {
        let flow = json!({ "FlowArn": "arn:1", "Sources": [{ "Name": "main" }], "Tags": { "Desk": "News" } });
        let record = Record::new(json!({ "us-west-2": { "mediaconnect": { "flows": [flow] } } }));
        let seen = json!({ "flowArn": "arn:1", "sources": [{ "name": "main" }], "tags": { "Desk": "News" } });
        assert_eq!(record.list("us-west-2", "mediaconnect", "flows"), [seen]);
        assert_eq!((record.region(), record.tag("Desk")), (Some("us-west-2"), Some("News")));
        assert_eq!(record.tags_of("arn:1"), json!({ "Desk": "News" }));
        assert_eq!(record.tags_of("arn:2"), json!({}));
    }

    #[test]
    fn secrets_are_shown_as_the_service_shows_them() {
        let tags = json!([{ "Key": "Desk", "Value": "News" }]);
        let shown = json!({ "ARN": "arn:3", "Name": "playout/one", "Tags": tags });
        let mut of_the_cli = json!({ "ARN": "arn:3", "Name": "playout/one", "Tags": tags });
        uncapitalise(&mut of_the_cli);
        let of_the_simulator = json!({ "arn": "arn:3", "name": "playout/one", "tags": { "Desk": "News" } });
        assert_eq!((secret(&of_the_cli), secret(&of_the_simulator)), (shown.clone(), shown));
    }

    #[test]
    fn a_request_is_read_as_the_sdk_writes_it() {
        assert_eq!(decoded("arn%3Aaws%3aflow"), "arn:aws:flow");
        assert_eq!(path("https://mediaconnect.us-west-2.amazonaws.com/v1/flows?maxResults=20"), "v1/flows");
        let signed = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-west-2/medialive/aws4_request, SignedHeaders=host";
        assert_eq!(signed_for(signed), ("us-west-2", "medialive"));
    }
}
