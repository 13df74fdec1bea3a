//! Smithy RPC v2 CBOR: the operation is in the path, the members are CBOR.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ciborium::Value as Cbor;
use http::request::Parts;
use serde_json::{Map, Number, Value};

use super::{unknown_operation, unreadable};
use crate::error::ApiError;
use crate::model::{ShapeKind, Table};

/// The tag of a timestamp in seconds since the epoch.
const EPOCH: u64 = 1;

pub(super) fn read(table: &Table, parts: &Parts, body: &[u8]) -> Result<(String, Value), ApiError> {
    let path = parts.uri.path();
    let operation = path
        .strip_prefix("/service/")
        .and_then(|rest| rest.split_once("/operation/"))
        // Clients of botocore write the target prefix here, those of Smithy the service's shape name; often the same.
        .map(|(_, operation)| operation)
        .filter(|operation| table.operations.contains_key(*operation))
        .ok_or_else(|| unknown_operation(format!("No operation of {} at {path}", table.service)))?;
    let input = match body {
        [] => Value::Object(Map::new()),
        bytes => {
            let value: Cbor =
                ciborium::from_reader(bytes).map_err(|error| unreadable(format!("The body is not CBOR: {error}")))?;
            to_json(value)
        }
    };
    Ok((operation.to_owned(), input))
}

fn to_json(value: Cbor) -> Value {
    match value {
        Cbor::Integer(number) => i64::try_from(number).map_or(Value::Null, Value::from),
        Cbor::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        Cbor::Bytes(bytes) => Value::String(STANDARD.encode(bytes)),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bool(value) => Value::Bool(value),
        Cbor::Tag(_, inner) => to_json(*inner),
        Cbor::Array(list) => Value::Array(list.into_iter().map(to_json).collect()),
        Cbor::Map(pairs) => Value::Object(
            pairs
                .into_iter()
                .filter_map(|(key, value)| key.into_text().ok().map(|key| (key, to_json(value))))
                .collect(),
        ),
        _ => Value::Null,
    }
}

pub(super) fn write(table: &Table, shape: Option<&str>, value: &Value) -> Bytes {
    encode(&typed(table, shape, value))
}

pub(super) fn write_plain(value: &Value) -> Bytes {
    encode(&plain(value))
}

fn encode(value: &Cbor) -> Bytes {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = ciborium::into_writer(value, &mut out);
    Bytes::from(out)
}

fn typed(table: &Table, shape: Option<&str>, value: &Value) -> Cbor {
    let kind = shape.and_then(|name| table.shape(name)).map(|shape| &shape.kind);
    match (kind, value) {
        (Some(ShapeKind::Structure { members, .. }), Value::Object(object)) => Cbor::Map(
            object
                .iter()
                .map(|(key, value)| {
                    let shape = members.get(key).map(|(shape, _)| shape.as_str());
                    (Cbor::Text(key.clone()), typed(table, shape, value))
                })
                .collect(),
        ),
        (Some(ShapeKind::List(member)), Value::Array(list)) => {
            Cbor::Array(list.iter().map(|value| typed(table, Some(member), value)).collect())
        }
        (Some(ShapeKind::Map(member)), Value::Object(object)) => Cbor::Map(
            object.iter().map(|(key, value)| (Cbor::Text(key.clone()), typed(table, Some(member), value))).collect(),
        ),
        (Some(ShapeKind::Timestamp), Value::Number(number)) => {
            Cbor::Tag(EPOCH, Box::new(Cbor::Float(number.as_f64().unwrap_or_default())))
        }
        (Some(ShapeKind::Float), Value::Number(number)) => Cbor::Float(number.as_f64().unwrap_or_default()),
        (Some(ShapeKind::Blob), Value::String(text)) => Cbor::Bytes(STANDARD.decode(text).unwrap_or_default()),
        (_, value) => plain(value),
    }
}

fn plain(value: &Value) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(value) => Cbor::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Cbor::Integer(number.into()),
            None => Cbor::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Array(list) => Cbor::Array(list.iter().map(plain).collect()),
        Value::Object(object) => {
            Cbor::Map(object.iter().map(|(key, value)| (Cbor::Text(key.clone()), plain(value))).collect())
        }
    }
}
