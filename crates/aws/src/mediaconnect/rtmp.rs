//! RTMP on flow sources and outputs, which `aws-sdk-mediaconnect` does not know yet (1.133.0; the service model has it).
//!
//! Requests: the SDK writes the output without its RTMP settings, and an interceptor adds them to the JSON before it is signed.
//! Answers: the interceptor reads them out of the JSON, from which the SDK has dropped them. This file can go when the test at its end
//! fails.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use playout_core::resources::flow::RtmpPath;
use playout_core::secret::SecretText;
use serde_json::{Value, json};

/// The protocol's name on the wire.
#[cfg(test)]
pub const PROTOCOL: &str = "rtmp-push";

/// RTMP settings by the name of the source or output.
pub type Paths = HashMap<String, RtmpPath>;

/// Adds to a request and reads from an answer.
#[derive(Clone, Debug, Default)]
pub struct Rtmp {
    add: Arc<Add>,
    read: Arc<Mutex<Answer>>,
}

/// What is added to a request.
#[derive(Clone, Debug, Default)]
pub enum Add {
    /// Nothing; only the answer is read.
    #[default]
    Nothing,
    /// To the sources and outputs of these names.
    Named(Paths),
    /// To the one output that the request is about.
    Output(RtmpPath),
    /// To the one source that the request is about.
    Source(RtmpPath),
}

/// What was read from an answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Outputs' settings, by name.
    pub outputs: Paths,
    /// Sources' settings, by name.
    pub sources: Paths,
}

impl Rtmp {
    /// For a request to which this is added.
    pub fn adding(add: Add) -> Self {
        Self { add: Arc::new(add), read: Arc::default() }
    }

    /// What the answer had.
    pub fn answer(&self) -> Answer {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[dyn_dispatch_hint]
impl Intercept for Rtmp {
    fn name(&self) -> &'static str {
        "Rtmp"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if matches!(&*self.add, Add::Nothing) {
            return Ok(());
        }
        let request = context.request_mut();
        let Some(bytes) = request.body().bytes() else { return Err("the request has no body to extend".into()) };
        let mut body: Value = serde_json::from_slice(bytes)?;
        extend(&mut body, &self.add);
        let text = serde_json::to_vec(&body)?;
        request.headers_mut().insert("content-length", text.len().to_string());
        *request.body_mut() = SdkBody::from(text);
        Ok(())
    }

    // Not earlier: the body has been read from the socket only by then.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(body) = context.response().body().bytes()
            && let Ok(body) = serde_json::from_slice::<Value>(body)
        {
            *self.read.lock().unwrap_or_else(PoisonError::into_inner) = understand(&body);
        }
        Ok(())
    }
}

fn extend(body: &mut Value, add: &Add) {
    let paths = match add {
        Add::Nothing => return,
        Add::Output(path) => {
            body["rtmpPushSettings"] = output_settings(path);
            return;
        }
        Add::Source(path) => {
            body["rtmpPushSettings"] = source_settings(path);
            return;
        }
        Add::Named(paths) => paths,
    };
    for (list, settings) in
        [("outputs", output_settings as fn(&RtmpPath) -> Value), ("sources", source_settings as fn(&RtmpPath) -> Value)]
    {
        for item in body.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let path = item.get("name").and_then(Value::as_str).and_then(|name| paths.get(name));
            if let Some(path) = path {
                item["rtmpPushSettings"] = settings(path);
            }
        }
    }
}

#[expect(clippy::indexing_slicing, reason = "a member of an object that was made here")]
fn output_settings(path: &RtmpPath) -> Value {
    let mut settings = json!({ "applicationName": path.application, "streamName": path.stream.expose() });
    if path.tls {
        settings["tlsEncryption"] = json!({ "encryptionType": "PUBLIC", "encryptionConfiguration": { "public": {} } });
    }
    settings
}

fn source_settings(path: &RtmpPath) -> Value {
    json!({ "namingConfiguration": { "manual": {
        "applicationName": path.application,
        "streamName": path.stream.expose(),
    } } })
}

/// Reads the settings of a flow's answer.
fn understand(body: &Value) -> Answer {
    let flow = body.get("flow").unwrap_or(body);
    let read = |list: &str, member: &str| -> Paths {
        let items = flow.get(list).and_then(Value::as_array).into_iter().flatten();
        items
            .filter_map(|item| {
                let name = item.get("name")?.as_str()?;
                let settings = item.get("transport")?.get(member)?;
                let text = |key: &str| settings.get(key).and_then(Value::as_str).unwrap_or_default();
                let path = RtmpPath {
                    application: text("applicationName").to_string(),
                    stream: SecretText::new(text("streamName")),
                    tls: settings.get("tlsEncryption").is_some_and(|t| !t.is_null()),
                };
                Some((name.to_string(), path))
            })
            .collect()
    };
    let mut sources = read("sources", "rtmpPushSourceSettings");
    if let Some(source) = flow.get("source") {
        sources.extend(understand(&json!({ "sources": [source] })).sources);
    }
    Answer { outputs: read("outputs", "rtmpPushOutputSettings"), sources }
}

#[cfg(test)]
mod tests {
    use playout_core::resources::flow::RtmpPath;
    use playout_core::secret::SecretText;
    use serde_json::json;

    use super::{Add, PROTOCOL, Paths, extend, understand};

    fn path(tls: bool) -> RtmpPath {
        RtmpPath { application: "live2".into(), stream: SecretText::new("key-1"), tls }
    }

    #[test]
    fn the_sdk_has_not_caught_up() {
        assert!(
            !aws_sdk_mediaconnect::types::Protocol::values().contains(&PROTOCOL),
            "aws-sdk-mediaconnect knows {PROTOCOL} now: use its own settings and delete crates/aws/src/mediaconnect/rtmp.rs"
        );
    }

    #[test]
    fn settings_are_added_to_the_output_of_that_name_only() {
        let mut body = json!({ "outputs": [{ "name": "a" }, { "name": "b" }] });
        extend(&mut body, &Add::Named(Paths::from([("b".to_string(), path(true))])));
        assert_eq!(body["outputs"][0], json!({ "name": "a" }));
        assert_eq!(body["outputs"][1]["rtmpPushSettings"]["streamName"], "key-1");
        assert_eq!(body["outputs"][1]["rtmpPushSettings"]["tlsEncryption"]["encryptionType"], "PUBLIC");
    }

    #[test]
    fn what_the_answer_has_is_what_the_request_had() {
        let answer = understand(&json!({ "flow": { "outputs": [{ "name": "a", "transport": {
            "protocol": "rtmp-push",
            "rtmpPushOutputSettings": { "applicationName": "live2", "streamName": "key-1" },
        } }] } }));
        assert_eq!(answer.outputs["a"], path(false));
    }
}
