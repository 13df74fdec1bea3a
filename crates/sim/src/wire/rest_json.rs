//! REST-JSON: operations are paths, members are labels, query parameters and a JSON body.

use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{unknown_operation, unreadable};
use crate::error::ApiError;
use crate::model::{Operation, Place, ShapeKind, Table};

pub(super) fn read(table: &Table, parts: &Parts, body: &[u8]) -> Result<(String, Value), ApiError> {
    let path = parts.uri.path();
    let found =
        table.operations.iter().find_map(|(name, op)| labels(op, parts.method.as_str(), path).map(|l| (name, op, l)));
    let Some((name, op, labels)) = found else {
        return Err(unknown_operation(format!("No operation of {} at {} {path}", table.service, parts.method)));
    };
    let mut input = match body {
        [] => Map::new(),
        bytes => match serde_json::from_slice(bytes) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(unreadable("The body must be a JSON object")),
            Err(error) => return Err(unreadable(format!("The body is not JSON: {error}"))),
        },
    };
    for (label, value) in labels {
        input.insert(label, Value::String(value));
    }
    for (key, value) in pairs(parts.uri.query().unwrap_or_default()) {
        add_parameter(table, op, &mut input, key, value);
    }
    Ok((name.clone(), Value::Object(input)))
}

/// The labels of a path, if it has the operation's form.
fn labels(op: &Operation, method: &str, path: &str) -> Option<Vec<(String, String)>> {
    if op.method != method {
        return None;
    }
    let (wanted, found): (Vec<&str>, Vec<&str>) = (op.uri.split('/').collect(), path.split('/').collect());
    if wanted.len() != found.len() {
        return None;
    }
    let mut labels = Vec::new();
    for (wanted, found) in wanted.iter().zip(&found) {
        match wanted.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            Some(_) if found.is_empty() => return None,
            Some(label) => labels.push((label.to_owned(), decode(found))),
            None if wanted == found => {}
            None => return None,
        }
    }
    Some(labels)
}

fn add_parameter(table: &Table, op: &Operation, input: &mut Map<String, Value>, key: String, value: String) {
    let shape = op.input.as_deref().and_then(|name| table.shape(name));
    let member = match shape.map(|shape| &shape.kind) {
        Some(ShapeKind::Structure { members, .. }) => members.get(&key),
        _ => None,
    };
    let kind = match member {
        Some((shape, Some(Place::Querystring))) => table.shape(shape).map(|shape| &shape.kind),
        _ => None,
    };
    let value = match kind {
        Some(ShapeKind::List(_)) => {
            let list = input.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(Value::String(value));
            }
            return;
        }
        // What is no number stays a string: the check against the model says so.
        Some(ShapeKind::Integer) => value.parse::<i64>().map_or(Value::String(value), Value::from),
        Some(ShapeKind::Boolean) if value == "true" || value == "false" => Value::Bool(value == "true"),
        _ => Value::String(value),
    };
    input.insert(key, value);
}

/// The decoded pairs of a query string.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
