//! The control calls over HTTP.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::outside::{Encoder, Publisher, Receiver};
use crate::sim::Sim;
use crate::tester::{ControlError, Edit, Maintenance};

type Done = Result<Value, ControlError>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ManagedOutput {
    /// Name or ARN; needed to add.
    #[serde(default)]
    flow: String,
    /// ARN of the MediaLive input, or of the output to remove.
    media_live_input_arn: String,
    #[serde(default)]
    remove: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Viewers {
    viewers: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Speed {
    speed: f64,
}

/// Answers a request to `/_sim/...`.
pub(crate) fn handle(sim: &Sim, request: &Request<Bytes>) -> Response<Bytes> {
    let segments: Vec<String> = request
        .uri()
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .skip(1)
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let query = crate::wire::pairs(request.uri().query().unwrap_or_default());
    let (status, body) = match route(sim, request.method(), &segments, &query, request.body()) {
        Ok(body) => (200, body),
        Err(error) => (error.status, json!({ "error": error.message })),
    };
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}

fn route(sim: &Sim, method: &Method, path: &[&str], query: &[(String, String)], body: &[u8]) -> Done {
    let param = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let flag = |name: &str| param(name).is_some_and(|value| value == "1" || value == "true");
    match (method.as_str(), path) {
        ("GET", ["health"]) => Ok(json!({ "status": "ok" })),
        ("GET", ["clock"]) => Ok(clock(sim)),
        ("PUT", ["clock"]) => {
            let Speed { speed } = read(body)?;
            if !(speed.is_finite() && speed > 0.0) {
                return Err(ControlError::bad("speed must be a positive number"));
            }
            if !sim.clock().set_speed(speed) {
                return Err(ControlError::bad("the speed of this clock cannot be changed"));
            }
            Ok(clock(sim))
        }
        ("POST", ["faults"]) => Ok(json!({ "id": sim.plant_fault(read::<Fault>(body)?) })),
        ("GET", ["faults"]) => Ok(json!({ "faults": sim.faults() })),
        ("DELETE", ["faults"]) => Ok(json!({ "cleared": sim.clear_faults(None) })),
        ("DELETE", ["faults", id]) => match sim.clear_faults(Some(number(id)?)) {
            0 => Err(ControlError::absent("fault", id)),
            cleared => Ok(json!({ "cleared": cleared })),
        },
        ("POST", ["faults", id, "release"]) => sim.release_fault(number(id)?).map(|()| json!({})),
        ("GET", ["log"]) => {
            let since = param("since").map_or(Ok(0), number)?;
            let mut entries = sim.log(since);
            if flag("redacted") {
                entries = entries.into_iter().map(crate::log::LogEntry::redacted).collect();
            }
            Ok(json!({ "entries": entries }))
        }
        ("DELETE", ["log"]) => {
            sim.clear_log();
            Ok(json!({}))
        }
        ("GET", ["state"]) if flag("counts") => Ok(sim.counts()),
        ("GET", ["state"]) => Ok(sim.state()),
        ("PUT", ["encoders", flow, source]) => {
            sim.set_encoder(flow, source, read::<Encoder>(body)?);
            Ok(json!({}))
        }
        ("PUT", ["publishers", host]) => {
            let Some(stream) = param("stream") else { return Err(ControlError::bad("stream is missing")) };
            sim.set_publisher(host, stream, read::<Publisher>(body)?);
            Ok(json!({}))
        }
        ("PUT", ["viewers", channel]) => {
            let Viewers { viewers } = read(body)?;
            sim.set_viewers(channel, viewers);
            Ok(json!({}))
        }
        ("PUT", ["receivers", host]) => receiver(sim, host, param("stream"), &read(body)?),
        ("POST", ["edit"]) => {
            let edit = read::<Edit>(body)?;
            let (kind, _) = edit.meant();
            sim.edit(&edit).map(|edited| json!({ kind: edited }))
        }
        ("POST", ["maintenance"]) => {
            let wanted: Maintenance = read(body)?;
            let (kind, _) = wanted.meant();
            sim.maintain(&wanted).map(|seen| json!({ kind: seen }))
        }
        ("POST", ["managed-outputs"]) => {
            let wanted: ManagedOutput = read(body)?;
            if wanted.remove {
                let removed = sim.remove_managed_outputs(&wanted.media_live_input_arn)?;
                return Ok(json!({ "removed": removed }));
            }
            let arn = sim.add_managed_output(&wanted.flow, &wanted.media_live_input_arn)?;
            Ok(json!({ "outputArn": arn }))
        }
        ("GET", ["quotas"]) => Ok(sim.quotas()),
        ("PUT", ["quotas"]) => {
            sim.set_quotas(&read(body)?)?;
            Ok(sim.quotas())
        }
        ("GET", ["switches"]) => Ok(json!(sim.switches())),
        ("PUT", ["switches"]) => {
            sim.set_switches(changed(sim.switches(), body)?);
            Ok(json!(sim.switches()))
        }
        ("GET", ["throttling"]) => Ok(json!({ "enabled": sim.throttling() })),
        ("PUT", ["throttling"]) => {
            let Switch { enabled } = read(body)?;
            sim.set_throttling(enabled);
            Ok(json!({ "enabled": enabled }))
        }
        ("POST", ["reset"]) => {
            sim.reset();
            Ok(json!({}))
        }
        ("POST", ["seed"]) => {
            sim.seed(&read(body)?);
            Ok(json!({}))
        }
        _ => Err(ControlError { status: 404, message: format!("no control call {method} /_sim/{}", path.join("/")) }),
    }
}

fn clock(sim: &Sim) -> Value {
    let clock = sim.clock();
    json!({ "speed": clock.speed(), "now": crate::clock::rfc3339(clock.now()) })
}

/// `"accept"`, `"refuse"`, `{"acceptAfter":{"seconds":5}}`, or `"disconnect"`, which is no lasting behaviour.
fn receiver(sim: &Sim, host: &str, stream: Option<&str>, wanted: &Value) -> Done {
    let wanted = wanted.get("receiver").unwrap_or(wanted);
    if wanted == "disconnect" {
        sim.disconnect(host, stream);
    } else {
        let receiver: Receiver =
            serde_json::from_value(wanted.clone()).map_err(|error| ControlError::bad(error.to_string()))?;
        sim.set_receiver(host, stream, receiver);
    }
    Ok(json!({}))
}

/// What is there with the members that are given; the others keep their value.
fn changed<T: Serialize + DeserializeOwned>(now: T, body: &[u8]) -> Result<T, ControlError> {
    let mut next = json!(now);
    let given: Value = read(body)?;
    for (member, value) in given.as_object().into_iter().flatten() {
        next[member] = value.clone();
    }
    serde_json::from_value(next).map_err(|error| ControlError::bad(error.to_string()))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    serde_json::from_slice(body).map_err(|error| ControlError::bad(error.to_string()))
}

fn number(text: &str) -> Result<u64, ControlError> {
    text.parse().map_err(|_| ControlError::bad(format!("{text} is not a number")))
}
