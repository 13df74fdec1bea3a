//! The exported tables as Rust types.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;

/// A service: its protocols, operations and shapes.
#[derive(Debug)]
pub struct Table {
    /// botocore's name of the service.
    pub service: String,
    /// The name in the credential scope.
    pub signing_name: String,
    /// The name in the paths of RPC protocols.
    pub service_id: String,
    /// `rest-json`, `json`, `smithy-rpc-v2-cbor`, `query`.
    pub protocols: Vec<String>,
    /// Of the JSON protocol, `1.0` or `1.1`.
    pub json_version: String,
    /// What stands before the operation in `X-Amz-Target`.
    pub target_prefix: String,
    /// Of the query protocol's answers.
    pub xml_namespace: String,
    /// By name.
    pub operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTable {
    service: String,
    signing_name: String,
    service_id: String,
    protocols: Vec<String>,
    #[serde(default)]
    json_version: String,
    #[serde(default)]
    target_prefix: String,
    #[serde(default)]
    xml_namespace: String,
    operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, RawShape>,
}

/// An operation and where it lives.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// HTTP method.
    pub method: String,
    /// Path with `{Labels}`.
    pub uri: String,
    /// HTTP status of success.
    pub status: u16,
    /// Shape of the request.
    pub input: Option<String>,
    /// Shape of the answer.
    pub output: Option<String>,
    /// The query protocol puts the answer into this element.
    pub result_wrapper: Option<String>,
    /// The errors that are modelled.
    #[serde(default)]
    pub errors: Vec<String>,
}

#[derive(Deserialize)]
struct RawShape {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    members: BTreeMap<String, RawMember>,
    #[serde(default)]
    required: Vec<String>,
    member: Option<String>,
    key: Option<String>,
    value: Option<String>,
    #[serde(default, rename = "enum")]
    values: Vec<String>,
    min: Option<f64>,
    max: Option<f64>,
    pattern: Option<String>,
    error: Option<RawError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawError {
    code: Option<String>,
    http_status_code: Option<u16>,
}

#[derive(Deserialize)]
struct RawMember {
    shape: String,
    #[serde(default, rename = "in")]
    place: Option<Place>,
}

/// Where a member of a request travels when it is not in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A label of the path.
    Uri,
    /// The query string.
    Querystring,
    /// A header.
    Header,
}

/// A shape with its constraints.
#[derive(Debug)]
pub struct Shape {
    /// What it is made of.
    pub kind: ShapeKind,
    /// Least length, size or value.
    pub min: Option<f64>,
    /// Greatest length, size or value.
    pub max: Option<f64>,
    /// The whole string must match.
    pub pattern: Option<(String, Regex)>,
    /// The code and status of an error shape, where the model says them.
    pub error: Option<(Option<String>, Option<u16>)>,
}

/// What a shape is made of. Names are those of other shapes; members have their names on the wire.
#[derive(Debug)]
pub enum ShapeKind {
    /// Members with their shape and place, and the names of the required ones.
    Structure {
        /// Name on the wire to shape and place.
        members: BTreeMap<String, (String, Option<Place>)>,
        /// Names of the members that must be there.
        required: Vec<String>,
    },
    /// A list of one shape.
    List(String),
    /// A map from strings to one shape.
    Map(String),
    /// A string, with the values that are allowed if it is an enum.
    String(Vec<String>),
    /// integer or long.
    Integer,
    /// float or double.
    Float,
    /// true or false.
    Boolean,
    /// A point in time.
    Timestamp,
    /// Bytes, base64 in JSON.
    Blob,
}

impl Table {
    /// None when the table does not have the form that `export.py` writes; a test holds that it has.
    pub fn parse(text: &str) -> Option<Self> {
        let raw: RawTable = serde_json::from_str(text).ok()?;
        Some(Self {
            service: raw.service,
            signing_name: raw.signing_name,
            service_id: raw.service_id.replace(' ', ""),
            protocols: raw.protocols,
            json_version: raw.json_version,
            target_prefix: raw.target_prefix,
            xml_namespace: raw.xml_namespace,
            operations: raw.operations,
            shapes: raw.shapes.into_iter().map(|(name, shape)| (name, shape.into())).collect(),
        })
    }

    /// A shape by name.
    pub fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }

    /// All shapes.
    pub fn shapes(&self) -> impl Iterator<Item = (&String, &Shape)> {
        self.shapes.iter()
    }

    /// How an error shape spells its message member: `message`, `Message` or `exceptionMessage`.
    pub fn message_member(&self, code: &str) -> &'static str {
        let Some(ShapeKind::Structure { members, .. }) = self.shape(code).map(|shape| &shape.kind) else {
            return "message";
        };
        let spellings = ["Message", "exceptionMessage"];
        spellings.into_iter().find(|name| members.contains_key(*name)).unwrap_or("message")
    }
}

impl From<RawShape> for Shape {
    fn from(raw: RawShape) -> Self {
        let kind = match raw.kind.as_str() {
            "structure" => ShapeKind::Structure {
                members: raw.members.into_iter().map(|(name, m)| (name, (m.shape, m.place))).collect(),
                required: raw.required,
            },
            "list" => ShapeKind::List(raw.member.unwrap_or_default()),
            "map" => {
                drop(raw.key);
                ShapeKind::Map(raw.value.unwrap_or_default())
            }
            "integer" | "long" => ShapeKind::Integer,
            "float" | "double" => ShapeKind::Float,
            "boolean" => ShapeKind::Boolean,
            "timestamp" => ShapeKind::Timestamp,
            "blob" => ShapeKind::Blob,
            _ => ShapeKind::String(raw.values),
        };
        // A pattern that Rust's regular expressions cannot express is not checked; a test lists them.
        let pattern = raw.pattern.and_then(|p| Regex::new(&format!("^(?s:{p})$")).ok().map(|regex| (p, regex)));
        let error = raw.error.map(|error| (error.code, error.http_status_code));
        Self { kind, min: raw.min, max: raw.max, pattern, error }
    }
}
