//! The memory of `requestId`: the same request twice makes one resource.

use std::time::Duration;

use serde_json::Value;

#[derive(Clone, Default)]
pub(super) struct Memory {
    known: Vec<Remembered>,
}

#[derive(Clone)]
struct Remembered {
    operation: String,
    request: String,
    body: Value,
    made: String,
    at: Duration,
}

/// What is known of a request.
pub(super) enum Recalled {
    /// Nothing.
    New,
    /// It made this.
    Made(String),
    /// It had another body.
    Other,
}

/// The request without its `requestId`.
fn body(input: &Value) -> Value {
    let mut body = input.clone();
    if let Value::Object(body) = &mut body {
        body.remove("requestId");
    }
    body
}

fn request(input: &Value) -> Option<&str> {
    input.get("requestId").and_then(Value::as_str).filter(|request| !request.is_empty())
}

impl Memory {
    /// What is known of a request. `exists` tells whether a resource is still there, be it DELETED.
    pub(super) fn recall(
        &mut self,
        operation: &str,
        input: &Value,
        keep: Duration,
        now: Duration,
        exists: impl Fn(&str) -> bool,
    ) -> Recalled {
        self.known.retain(|known| now.saturating_sub(known.at) < keep);
        let Some(request) = request(input) else { return Recalled::New };
        // What was made has gone, and with it the memory of it.
        self.known.retain(|known| known.operation != operation || known.request != request || exists(&known.made));
        match self.known.iter().find(|known| known.operation == operation && known.request == request) {
            None => Recalled::New,
            Some(known) if known.body == body(input) => Recalled::Made(known.made.clone()),
            Some(_) => Recalled::Other,
        }
    }

    pub(super) fn remember(&mut self, operation: &str, input: &Value, made: &str, now: Duration) {
        let Some(request) = request(input) else { return };
        self.known.push(Remembered {
            operation: operation.to_owned(),
            request: request.to_owned(),
            body: body(input),
            made: made.to_owned(),
            at: now,
        });
    }
}
