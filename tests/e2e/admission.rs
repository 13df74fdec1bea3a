//! What the API server takes and refuses: `examples/` and `tests/invalid/` against the CRDs of `crds/`, and what users of
//! kubectl and Argo CD see of them. The API server is the judge; nothing else of Playout runs here.

mod examples;
mod refusals;
mod schemas;
mod shown;
mod tenancy;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use playout_stage::{Cluster, Output, kubectl, kubectl_with_input, wait_until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

fn folder(path: &str) -> PathBuf {
    playout_stage::root().join(path)
}

/// The manifests of a folder by name, without those of folders in it.
fn manifests(path: &str) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder(path))? {
        let file = entry?.path();
        if file.extension().is_some_and(|ending| ending == "yaml") {
            let name = file.file_stem().context("a file has a name")?.to_string_lossy().into_owned();
            found.insert(name, fs::read_to_string(&file)?);
        }
    }
    Ok(found)
}

fn crds() -> Result<Vec<Value>> {
    playout_api::crds().iter().map(|crd| Ok(serde_json::to_value(crd)?)).collect()
}

fn schema(crd: &Value) -> &Value {
    &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
}

/// Calls `look` with every schema below this one, and its path.
fn walk<'a>(schema: &'a Value, path: &str, look: &mut dyn FnMut(&str, &'a Value)) {
    look(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(property, &format!("{path}.{name}"), look);
    }
    for (key, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[key].is_object() {
            walk(&schema[key], &format!("{path}{mark}"), look);
        }
    }
}

struct Rule {
    path: String,
    rule: String,
    message: String,
}

fn rules() -> Result<Vec<Rule>> {
    let mut rules = Vec::new();
    for crd in &crds()? {
        walk(schema(crd), crd["spec"]["names"]["singular"].as_str().unwrap_or_default(), &mut |path, schema| {
            for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
                let text = |key: &str| rule[key].as_str().unwrap_or_default().to_owned();
                rules.push(Rule { path: path.into(), rule: text("rule"), message: text("message") });
            }
        });
    }
    ensure!(rules.len() > 50, "the CRDs have {} rules only", rules.len());
    Ok(rules)
}

/// A namespace for one test. It goes with the cluster, or with what made the cluster that is used.
fn namespace(cluster: &Cluster, name: &str) -> Result<String> {
    let name = format!("admission-{name}-{}", std::process::id());
    kubectl(cluster, ["create", "namespace", &name])?.ok()?;
    Ok(name)
}

fn in_namespace(cluster: &Cluster, namespace: &str, args: &str, input: &str) -> Result<Output> {
    kubectl_with_input(cluster, ["-n", namespace].into_iter().chain(args.split(' ')), input)
}

fn get(cluster: &Cluster, namespace: &str, object: &str) -> Result<Value> {
    let output = in_namespace(cluster, namespace, &format!("get {object} -o json"), "")?.ok()?;
    Ok(serde_json::from_str(&output.stdout)?)
}

fn object(kind: &str, name: &str, spec: Value) -> String {
    json!({ "apiVersion": "playout.dev/v1alpha1", "kind": kind, "metadata": { "name": name }, "spec": spec })
        .to_string()
}

fn a_destination(name: &str) -> String {
    let key = json!({ "secretRef": { "name": "key", "key": "streamKey" } });
    object("Destination", name, json!({ "from": { "name": "studio" }, "platform": "Twitch", "streamKey": key }))
}

fn a_source(name: &str) -> String {
    let listener = json!({ "port": 5000, "allowedCidr": "203.0.113.0/24" });
    let input = json!({ "name": "main", "priority": "Primary", "protocol": "SrtListener", "srtListener": listener });
    object("Source", name, json!({ "inputs": [input] }))
}

fn a_preset(name: &str) -> String {
    let spec = json!({ "width": 1920, "height": 1080, "frameRate": "30", "videoBitrateKbps": 4500 });
    object("EncodingPreset", name, spec)
}
