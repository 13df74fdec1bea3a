//! The protocols of AWS: from an HTTP request to an operation and its members, and back.
//!
//! Inside, a request and an answer are JSON objects whose members have their names on the wire.

mod cbor;
mod json_rpc;
mod query;
mod rest_json;

pub(crate) use rest_json::pairs;

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use serde_json::Value;

use crate::error::ApiError;
use crate::model::Table;

/// The protocol of a request; its answer is in the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Paths and JSON bodies.
    RestJson,
    /// `X-Amz-Target` and JSON bodies, as version 1.0 or 1.1.
    Json,
    /// Smithy RPC v2 with CBOR bodies.
    Cbor,
    /// Form parameters and XML.
    Query,
}

/// A request as the service understands it.
#[derive(Clone, Debug)]
pub struct Request {
    /// How it came.
    pub protocol: Protocol,
    /// The operation's name.
    pub operation: String,
    /// Its members.
    pub input: Value,
}

fn unknown_operation(text: impl Into<String>) -> ApiError {
    ApiError::new(404, "UnknownOperationException", text)
}

fn unreadable(text: impl Into<String>) -> ApiError {
    ApiError::new(400, "SerializationException", text)
}

/// Which protocol a request speaks, by what only that protocol has.
pub fn protocol(table: &Table, parts: &Parts) -> Protocol {
    let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
    if header("smithy-protocol") == Some("rpc-v2-cbor") {
        Protocol::Cbor
    } else if header("x-amz-target").is_some() {
        Protocol::Json
    } else if header("content-type").is_some_and(|v| v.starts_with("application/x-www-form-urlencoded")) {
        Protocol::Query
    } else if table.protocols.iter().any(|p| p == "rest-json") {
        Protocol::RestJson
    } else {
        Protocol::Json
    }
}

/// Reads a request.
pub fn read(table: &Table, protocol: Protocol, parts: &Parts, body: &[u8]) -> Result<Request, ApiError> {
    let (operation, input) = match protocol {
        Protocol::RestJson => rest_json::read(table, parts, body)?,
        Protocol::Json => json_rpc::read(table, parts, body)?,
        Protocol::Cbor => cbor::read(table, parts, body)?,
        Protocol::Query => query::read(table, parts, body)?,
    };
    Ok(Request { protocol, operation, input })
}

/// Writes the answer to an operation that went well.
pub fn answer(table: &Table, protocol: Protocol, operation: &str, output: &Value, id: &str) -> Response<Bytes> {
    let op = table.operations.get(operation);
    let status = match protocol {
        Protocol::RestJson => op.map_or(200, |op| op.status),
        _ => 200,
    };
    let (kind, body) = match protocol {
        Protocol::RestJson if status == 204 => ("application/json", Bytes::new()),
        Protocol::RestJson => ("application/json", Bytes::from(output.to_string())),
        Protocol::Json => (json_rpc::content_type(table), Bytes::from(output.to_string())),
        Protocol::Cbor => ("application/cbor", cbor::write(table, op.and_then(|op| op.output.as_deref()), output)),
        Protocol::Query => ("text/xml", query::write(table, operation, output, id)),
    };
    respond(status, kind, body, protocol, id, &[])
}

/// Writes an error.
pub fn error(table: Option<&Table>, protocol: Protocol, error: &ApiError, id: &str) -> Response<Bytes> {
    let member = table.map_or("message", |table| table.message_member(&error.code));
    let mut extra = vec![("x-amzn-errortype", error.code.clone())];
    let mut members = error.members.clone();
    members.insert(member.to_owned(), Value::String(error.message.clone()));
    let (kind, body) = match protocol {
        Protocol::RestJson => ("application/json", Bytes::from(Value::Object(members).to_string())),
        Protocol::Json => {
            members.insert("__type".to_owned(), Value::String(error.code.clone()));
            let body = Value::Object(members);
            (table.map_or("application/x-amz-json-1.1", json_rpc::content_type), Bytes::from(body.to_string()))
        }
        Protocol::Cbor => {
            // Older clients know errors by the code of the query protocol.
            let fault = if error.status < 500 { "Sender" } else { "Receiver" };
            extra.push(("x-amzn-query-error", format!("{};{fault}", query_code(table, &error.code))));
            let body = serde_json::json!({ "__type": error.code, member: error.message });
            ("application/cbor", cbor::write_plain(&body))
        }
        Protocol::Query => ("text/xml", query::write_error(table, error, &query_code(table, &error.code), id)),
    };
    respond(error.status, kind, body, protocol, id, &extra)
}

fn query_code(table: Option<&Table>, code: &str) -> String {
    let modelled = table.and_then(|table| table.shape(code)).and_then(|shape| shape.error.as_ref());
    match modelled {
        Some((Some(code), _)) => code.clone(),
        _ => code.to_owned(),
    }
}

fn respond(
    status: u16,
    kind: &'static str,
    body: Bytes,
    protocol: Protocol,
    id: &str,
    extra: &[(&'static str, String)],
) -> Response<Bytes> {
    let mut builder = Response::builder()
        .status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header("x-amzn-requestid", id);
    if status != 204 {
        builder = builder.header("content-type", kind);
    }
    if protocol == Protocol::Cbor {
        builder = builder.header("smithy-protocol", "rpc-v2-cbor");
    }
    for (name, value) in extra {
        builder = builder.header(*name, value);
    }
    builder.body(body).unwrap_or_else(|_| {
        // Only an error code that is no header value leads here: a fault that a tester made up.
        let mut plain = Response::new(Bytes::new());
        *plain.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        plain
    })
}
