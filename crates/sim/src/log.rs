//! The log of requests: the test's microscope.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Map, Value};

/// One request.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// Rises by one with each request.
    pub seq: u64,
    /// Callers' time of day, microseconds since the UNIX epoch.
    pub wall_micros: u64,
    /// Simulated time, microseconds since the UNIX epoch.
    pub simulated_micros: u64,
    /// botocore's name, or the signing name of a service that is not simulated.
    pub service: String,
    /// From the credential scope.
    pub region: String,
    /// Empty when the request was no operation.
    pub operation: String,
    /// Whether the operation changes anything.
    pub mutating: bool,
    /// Access key id of the signature.
    pub access_key: String,
    /// HTTP method.
    pub method: String,
    /// Path and query as they came.
    pub path: String,
    /// All members, wherever they travelled.
    pub body: Value,
    /// Members that the service model does not know.
    pub unknown_members: Vec<String>,
    /// Names and ARNs of resources in the request.
    pub names: Vec<String>,
    /// Status of the answer. None: a fault dropped the connection, or the request still waits.
    pub status: Option<u16>,
    /// Error code of the answer.
    pub error: Option<String>,
    /// The text of that error.
    pub message: Option<String>,
    /// Whether the service did what it was asked.
    pub processed: bool,
    /// Whether the answer was sent; false when a fault dropped the connection.
    pub answered: bool,
    /// The fault that the request ran into.
    pub fault: Option<Value>,
}

impl LogEntry {
    /// The same without secrets.
    pub fn redacted(mut self) -> Self {
        let parameter = self.operation == "PutParameter";
        redact(&mut self.body, parameter);
        self
    }
}

fn redact(value: &mut Value, parameter: bool) {
    const SECRET: [&str; 6] = ["secretstring", "secretbinary", "streamname", "streamid", "passphrase", "password"];
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                let key = key.to_ascii_lowercase();
                if SECRET.contains(&key.as_str()) || (parameter && key == "value") {
                    *inner = Value::String("REDACTED".to_owned());
                } else {
                    redact(inner, parameter);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| redact(inner, parameter)),
        _ => {}
    }
}

/// Members that name a resource, in lower case.
const NAMES: [&str; 12] = [
    "name",
    "names",
    "secretid",
    "resourceid",
    "channelid",
    "channelids",
    "inputid",
    "inputids",
    "inputsecuritygroupid",
    "inputsecuritygroupids",
    "inputsecuritygroups",
    "channelsecuritygroups",
];

/// The names and ARNs of resources that a request has in it.
pub(crate) fn names(input: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(None, input, &mut found);
    found
}

fn collect(key: Option<&str>, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => collect_members(object, found),
        Value::Array(list) => list.iter().for_each(|inner| collect(key, inner, found)),
        Value::String(text) => {
            let key = key.unwrap_or_default().to_ascii_lowercase();
            if (NAMES.contains(&key.as_str()) || text.starts_with("arn:")) && !found.contains(text) {
                found.push(text.clone());
            }
        }
        _ => {}
    }
}

fn collect_members(object: &Map<String, Value>, found: &mut Vec<String>) {
    for (key, inner) in object {
        collect(Some(key), inner, found);
    }
}

/// Keeps the latest requests.
#[derive(Default)]
pub(crate) struct Log {
    entries: VecDeque<LogEntry>,
    next: u64,
}

impl Log {
    pub(crate) fn push(&mut self, mut entry: LogEntry, capacity: usize) -> u64 {
        self.next += 1;
        entry.seq = self.next;
        self.entries.push_back(entry);
        while self.entries.len() > capacity.max(1) {
            self.entries.pop_front();
        }
        self.next
    }

    /// A request that is still in the log.
    pub(crate) fn entry(&mut self, seq: u64) -> Option<&mut LogEntry> {
        let first = self.entries.front()?.seq;
        let index = usize::try_from(seq.checked_sub(first)?).ok()?;
        self.entries.get_mut(index)
    }

    pub(crate) fn since(&self, seq: u64) -> Vec<LogEntry> {
        self.entries.iter().filter(|entry| entry.seq > seq).cloned().collect()
    }

    /// Forgets the requests; the numbers go on.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}
