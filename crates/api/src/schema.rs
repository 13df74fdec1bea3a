//! What the derived CRDs still lack before users should see them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

/// The CRD as it is installed.
///
/// - `Option<Enum>` derives `enum: [A, null], nullable: true`, which the API server contradicts and `kubectl explain`
///   cannot print: both are dropped, so that an explicit null is pruned.
/// - `status.observedGeneration` defaults to -1, so that neither kstatus nor `kubectl wait` takes a fresh object for ready.
/// - unsigned formats are unknown to Kubernetes.
/// - Line breaks of the sources are none of `kubectl explain`, which breaks lines by itself; paragraphs stay.
/// - No default stands inside a list. Client-side apply and Argo CD compare lists of custom resources as a whole, so that an
///   element which the API server has filled up differs from its manifest forever. Such defaults are serde's alone.
pub fn finished(crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let Ok(mut value) = serde_json::to_value(&crd) else { return crd };
    if let Some(versions) = value.pointer_mut("/spec/versions").and_then(Value::as_array_mut) {
        for version in versions {
            if let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema") {
                clean(schema);
                if let Some(status) = schema.pointer_mut("/properties/status").and_then(Value::as_object_mut) {
                    status.insert("default".into(), json!({ "observedGeneration": -1 }));
                }
            }
        }
    }
    serde_json::from_value(value).unwrap_or(crd)
}

fn clean(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("nullable");
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.split("\n\n").map(|p| p.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
            }
            if let Some(Value::Array(values)) = members.get_mut("enum") {
                values.retain(|v| !v.is_null());
            }
            if members.get("format").and_then(Value::as_str).is_some_and(|f| f.starts_with("uint")) {
                members.remove("format");
            }
            if let Some(items) = members.get_mut("items") {
                drop_defaults(items);
            }
            members.values_mut().for_each(clean);
        }
        Value::Array(values) => values.iter_mut().for_each(clean),
        _ => {}
    }
}

fn drop_defaults(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            // A property may be called `default`; the keyword never holds a schema.
            if members.contains_key("type") {
                members.remove("default");
            }
            members.values_mut().for_each(drop_defaults);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_defaults),
        _ => {}
    }
}

/// For enums of optional fields: their own description would replace that of the field.
pub(super) fn undescribed(schema: &mut schemars::Schema) {
    schema.remove("description");
}
