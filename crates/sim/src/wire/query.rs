//! The query protocol: form parameters in, XML out.

use bytes::Bytes;
use http::request::Parts;
use serde_json::{Map, Value};

use super::{rest_json, unknown_operation};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::model::{ShapeKind, Table};

pub(super) fn read(table: &Table, _parts: &Parts, body: &[u8]) -> Result<(String, Value), ApiError> {
    let text = String::from_utf8_lossy(body).replace('+', "%20");
    let pairs = rest_json::pairs(&text);
    let action = pairs.iter().find(|(key, _)| key == "Action").map(|(_, value)| value.clone()).unwrap_or_default();
    let Some(op) = table.operations.get(&action) else {
        return Err(unknown_operation(format!("Could not find operation {action}")));
    };
    let mut tree = Value::Object(Map::new());
    for (key, value) in pairs.iter().filter(|(key, _)| key != "Action" && key != "Version") {
        insert(&mut tree, &key.split('.').collect::<Vec<_>>(), value);
    }
    Ok((action, shaped(table, op.input.as_deref(), tree)))
}

/// Puts `A.member.1.B=v` into nested objects.
fn insert(tree: &mut Value, path: &[&str], value: &str) {
    let (Value::Object(object), [first, rest @ ..]) = (tree, path) else { return };
    if rest.is_empty() {
        object.insert((*first).to_owned(), Value::String(value.to_owned()));
    } else {
        insert(object.entry(*first).or_insert_with(|| Value::Object(Map::new())), rest, value);
    }
}

/// Gives the strings of a form the types of the model.
fn shaped(table: &Table, shape: Option<&str>, value: Value) -> Value {
    let kind = shape.and_then(|name| table.shape(name)).map(|shape| &shape.kind);
    match (kind, value) {
        (Some(ShapeKind::Structure { members, .. }), Value::Object(object)) => Value::Object(
            object
                .into_iter()
                .map(|(key, value)| {
                    let shape = members.get(&key).map(|(shape, _)| shape.clone());
                    let value = shaped(table, shape.as_deref(), value);
                    (key, value)
                })
                .collect(),
        ),
        (Some(ShapeKind::List(member)), Value::Object(mut object)) => {
            let Some(Value::Object(numbered)) = object.remove("member") else { return Value::Array(Vec::new()) };
            let mut list: Vec<(u64, Value)> =
                numbered.into_iter().map(|(index, value)| (index.parse().unwrap_or(u64::MAX), value)).collect();
            list.sort_by_key(|(index, _)| *index);
            Value::Array(list.into_iter().map(|(_, value)| shaped(table, Some(member), value)).collect())
        }
        (Some(ShapeKind::Integer), Value::String(text)) => text.parse::<i64>().map_or(Value::String(text), Value::from),
        (Some(ShapeKind::Float), Value::String(text)) => text.parse::<f64>().map_or(Value::String(text), Value::from),
        (Some(ShapeKind::Boolean), Value::String(text)) if text == "true" || text == "false" => {
            Value::Bool(text == "true")
        }
        (_, value) => value,
    }
}

pub(super) fn write(table: &Table, operation: &str, output: &Value, id: &str) -> Bytes {
    let op = table.operations.get(operation);
    let mut xml = format!("<{operation}Response xmlns=\"{}\">", table.xml_namespace);
    if let Some(wrapper) = op.and_then(|op| op.result_wrapper.as_deref()) {
        element(table, op.and_then(|op| op.output.as_deref()), wrapper, output, &mut xml);
    }
    xml.push_str(&format!("<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>"));
    Bytes::from(xml)
}

pub(super) fn write_error(table: Option<&Table>, error: &ApiError, code: &str, id: &str) -> Bytes {
    let namespace = table.map(|table| table.xml_namespace.as_str()).unwrap_or_default();
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    Bytes::from(format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>",
        escape(code),
        escape(&error.message)
    ))
}

fn element(table: &Table, shape: Option<&str>, name: &str, value: &Value, xml: &mut String) {
    if value.is_null() {
        return;
    }
    let kind = shape.and_then(|name| table.shape(name)).map(|shape| &shape.kind);
    xml.push_str(&format!("<{name}>"));
    match (kind, value) {
        (Some(ShapeKind::Structure { members, .. }), Value::Object(object)) => {
            for (key, inner) in object {
                element(table, members.get(key).map(|(shape, _)| shape.as_str()), key, inner, xml);
            }
        }
        (Some(ShapeKind::List(member)), Value::Array(list)) => {
            for inner in list {
                element(table, Some(member), "member", inner, xml);
            }
        }
        (Some(ShapeKind::Timestamp), Value::Number(number)) => {
            let seconds = number.as_f64().unwrap_or_default().max(0.0);
            xml.push_str(&rfc3339(std::time::Duration::from_secs_f64(seconds)));
        }
        (_, Value::String(text)) => xml.push_str(&escape(text)),
        (_, other) => xml.push_str(&other.to_string()),
    }
    xml.push_str(&format!("</{name}>"));
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
