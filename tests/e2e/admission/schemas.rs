//! The schemas, their defaults and the messages of their rules.

use super::*;

#[test]
fn every_message_names_a_field_and_a_remedy() -> Result<()> {
    let mut fields = BTreeSet::from(["metadata".to_owned(), "name".to_owned()]);
    for crd in &crds()? {
        walk(&schema(crd)["properties"]["spec"], "spec", &mut |_, schema| {
            fields.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
        });
    }
    for Rule { path, message, .. } in rules()? {
        let subject = message.split([' ', ':']).next().unwrap_or_default();
        ensure!(subject.split('.').all(|part| fields.contains(part)), "{path}: {message:?} begins with no field");
        let remedies = [" must ", " needs ", " need ", ": ", "; ", "as in "];
        ensure!(remedies.iter().any(|remedy| message.contains(remedy)), "{path}: {message:?} says not what to do");
        ensure!(!message.ends_with('.') && message.len() <= 240, "{path}: {message:?}");
    }
    Ok(())
}

#[test]
fn schemas_are_bounded_described_and_safe_in_yaml() -> Result<()> {
    // What YAML 1.1 reads as a boolean or as nothing.
    let traps = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"];
    let mut wrong = Vec::new();
    for crd in &crds()? {
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap_or_default();
        walk(schema(crd), kind, &mut |path, schema| {
            let mut must = |holds: bool, what: &str| {
                if !holds {
                    wrong.push(format!("{path}: {what}"));
                }
            };
            let (of_spec, upstream) = (path.starts_with(&format!("{kind}.spec")), path.contains(".conditions[]"));
            let has = |key: &str| !schema[key].is_null();
            must(!has("nullable"), "nullable");
            let element = path.ends_with("[]") || path.ends_with("{}");
            let described = schema["description"].as_str().is_some_and(|text| text.len() > 3);
            must(element || described, "no description");
            must(
                upstream || !schema["description"].as_str().is_some_and(|t| t.replace("\n\n", "").contains('\n')),
                "a line break",
            );
            for name in schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name) {
                must(!traps.contains(&name.to_lowercase().as_str()), "a field that YAML 1.1 reads as a boolean");
                must(name.starts_with(|c: char| c.is_ascii_lowercase()), "a field that is not camelCase");
            }
            for word in schema["enum"].as_array().into_iter().flatten() {
                let word = word.as_str().unwrap_or_default();
                must(!traps.contains(&word.to_lowercase().as_str()), "a value that YAML 1.1 reads as a boolean");
                let camel = word.starts_with(|c: char| c.is_ascii_uppercase())
                    && word.chars().all(|c| c.is_ascii_alphanumeric());
                must(camel, "a value that is not CamelCase");
            }
            must(!schema["format"].as_str().is_some_and(|format| format.starts_with("uint")), "unsigned");
            match schema["type"].as_str() {
                // Clients do not agree on how to write floats. A length of time that is the user's own and never written back
                // is the exception: 1.92 seconds are 48 frames.
                Some("number") => must(path.ends_with(".gopSeconds"), "a floating point number"),
                Some("string") if of_spec => must(has("maxLength") || has("enum"), "a text without maxLength"),
                Some("integer") if of_spec => must(has("minimum") && has("maximum"), "a number without bounds"),
                Some("array") => {
                    must(!of_spec || has("maxItems"), "a list without maxItems");
                    if schema["items"]["properties"]["name"].is_object() {
                        must(schema["x-kubernetes-list-type"] == "map", "a list of named objects that is no map");
                    }
                }
                Some("object") if of_spec && has("additionalProperties") => {
                    must(has("maxProperties"), "a map without maxProperties");
                }
                _ => {}
            }
            must(!(path.contains("[]") && has("default")), "a default in a list: an endless difference in Argo CD");
            must(!(element && schema["items"].is_object()), "a list of lists");
        });
        ensure!(schema(crd)["properties"]["spec"]["properties"]["state"]["description"] != "A switch.");
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn a_fresh_object_is_not_ready() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let namespace = namespace(cluster, "fresh")?;
    for manifest in [a_source("fresh"), a_destination("fresh"), a_preset("fresh")] {
        in_namespace(cluster, &namespace, "create -f -", &manifest)?.ok()?;
    }
    for kind in ["source", "destination", "encodingpreset"] {
        let name = format!("{kind}/fresh");
        ensure!(get(cluster, &namespace, &name)?["status"] == json!({ "observedGeneration": -1 }));
        // As after a restore of a backup: Ready, but of an earlier generation.
        let ready = json!({ "type": "Ready", "status": "True", "reason": "Running", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" });
        let patch = json!({ "status": { "conditions": [ready] } }).to_string();
        let args = ["-n", &namespace, "patch", &name, "--subresource=status", "--type=merge", "-p", &patch];
        kubectl(cluster, args)?.ok()?;
        let wait = format!("wait --for=condition=Ready --timeout=1s {name}");
        ensure!(!in_namespace(cluster, &namespace, &wait, "")?.success, "{kind}: ready before anybody looked");
    }
    Ok(())
}

#[test]
fn nulls_are_pruned_and_defaults_are_few() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let namespace = namespace(cluster, "nulls")?;
    let nulls = |manifest: &str, fields: &[&str]| -> Result<String> {
        let mut object: Value = serde_json::from_str(manifest)?;
        for field in fields {
            object["spec"][field] = Value::Null;
        }
        Ok(object.to_string())
    };
    let optional = [
        "state",
        "region",
        "url",
        "srt",
        "encryption",
        "encoding",
        "backup",
        "tags",
        "platform",
        "updatePolicy",
        "suspend",
    ];
    let optional: Vec<_> = optional.into_iter().filter(|field| *field != "platform").collect();
    in_namespace(cluster, &namespace, "create -f -", &nulls(&a_destination("nulls"), &optional)?)?.ok()?;
    let spec = get(cluster, &namespace, "dest/nulls")?["spec"].take();
    let mut expected: Value = serde_json::from_str(&a_destination("nulls"))?;
    expected["spec"]["from"]["kind"] = "Source".into();
    for (field, default) in [
        ("delivery", json!("Passthrough")),
        ("updatePolicy", json!("WhenStopped")),
        ("deletionPolicy", json!("Delete")),
        ("prepare", json!(false)),
        ("suspend", json!(false)),
    ] {
        expected["spec"][field] = default;
    }
    ensure!(spec == expected["spec"], "{spec}\n{}", expected["spec"]);
    ensure!(spec.get("state").is_none(), "spec.state must have no default");

    let optional = [
        "state",
        "region",
        "external",
        "flowSize",
        "failover",
        "activeInput",
        "network",
        "ndi",
        "maxBitrate",
        "health",
    ];
    in_namespace(cluster, &namespace, "create -f -", &nulls(&a_source("nulls"), &optional)?)?.ok()?;
    let spec = get(cluster, &namespace, "src/nulls")?["spec"].take();
    let mut expected: Value = serde_json::from_str(&a_source("nulls"))?;
    expected["spec"]["state"] = "Auto".into();
    expected["spec"]["deletionPolicy"] = "Delete".into();
    expected["spec"]["suspend"] = false.into();
    expected["spec"]["health"] =
        json!({ "enabled": true, "interval": "30s", "maxPacketLossPercent": 1, "minBitrateKbps": 100 });
    ensure!(spec == expected["spec"], "{spec}\n{}", expected["spec"]);

    let preset = nulls(&a_preset("nulls"), &["gopSeconds", "profile", "bFrames", "audio"])?;
    in_namespace(cluster, &namespace, "create -f -", &preset)?.ok()?;
    let spec = get(cluster, &namespace, "preset/nulls")?["spec"].take();
    let mut expected: Value = serde_json::from_str(&a_preset("nulls"))?;
    expected["spec"]["gopSeconds"] = 2.into();
    expected["spec"]["profile"] = "High".into();
    expected["spec"]["audio"] = json!({ "bitrateKbps": 128, "sampleRateHz": 48000, "channels": "Stereo" });
    ensure!(spec == expected["spec"], "{spec}\n{}", expected["spec"]);

    // A switch that a producer sets with a patch, and takes out again with null.
    for (patch, expected) in
        [("{\"spec\":{\"state\":\"Running\"}}", json!("Running")), ("{\"spec\":{\"state\":null}}", Value::Null)]
    {
        kubectl(cluster, ["-n", &namespace, "patch", "dest", "nulls", "--type=merge", "-p", patch])?.ok()?;
        ensure!(get(cluster, &namespace, "dest/nulls")?["spec"]["state"] == expected, "{patch}");
    }
    Ok(())
}
