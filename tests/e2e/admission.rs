//! What the API server takes and refuses: `examples/` and `tests/invalid/` against the CRDs of `crds/`, and what users of
//! kubectl and Argo CD see of them. The API server is the judge; nothing else of Playout runs here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use playout_stage::{Cluster, Output, kubectl, kubectl_with_input, wait_until};
use serde_json::{Value, json};

mod tenancy;

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

/// A folder a kind, of manifests that must be refused.
const INVALID: &str = "tests/invalid";

/// A manifest that must be refused: with what, and how many objects it has. Of two the first is valid and the second is a
/// change of it.
struct Invalid {
    refused: String,
    objects: usize,
}

/// By the path from the folder, without its ending, as in `source/port-too-high`.
fn invalid_manifests() -> Result<BTreeMap<String, Invalid>> {
    let mut found = BTreeMap::new();
    for kind in ["source", "destination", "encoding-preset"] {
        for (name, text) in manifests(&format!("{INVALID}/{kind}"))? {
            let path = format!("{kind}/{name}");
            let first = text.lines().next().and_then(|line| line.strip_prefix("# refused: "));
            let refused = first.with_context(|| format!("{path}: the first line must be `# refused: ...`"))?.to_owned();
            // A name can be what is refused.
            let its_own = [format!("name: {kind}-{name}\n"), format!("name: {name}\n")];
            let named = its_own.iter().any(|name| text.contains(name));
            ensure!(named, "{path}: the object must bear the name of the folder and the file");
            found.insert(path, Invalid { refused, objects: text.matches("\nkind: ").count() });
        }
    }
    let folders = fs::read_dir(folder(INVALID))?.count();
    ensure!(folders == 3 && found.len() > 200, "{} manifests in {folders} folders", found.len());
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

/// All valid examples in one stream, in the given namespace instead of `default`.
fn all_examples(namespace: &str) -> Result<String> {
    let examples = manifests("examples")?;
    ensure!(examples.contains_key("quickstart") && examples.len() > 15, "examples are missing");
    let all: Vec<_> = examples.into_values().collect();
    Ok(all.join("\n---\n").replace("namespace: default", &format!("namespace: {namespace}")))
}

#[test]
fn valid_examples_are_taken_and_make_no_endless_difference() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    for way in ["apply --validate=strict", "apply --validate=strict --server-side"] {
        let namespace = namespace(cluster, if way.ends_with("side") { "server-side" } else { "client-side" })?;
        let all = all_examples(&namespace)?;
        let run = |args: &str| in_namespace(cluster, &namespace, &format!("{args} -f -"), &all);
        run(&format!("{way} --dry-run=server"))?.ok().context(way)?;
        run(way)?.ok().context(way)?;
        let diff = run(if way.ends_with("side") { "diff --server-side" } else { "diff" })?;
        ensure!(diff.success && diff.stdout.is_empty(), "{way}: a difference right after: {}", diff.stdout);
        let generations = |kind: &str| {
            in_namespace(cluster, &namespace, &format!("get {kind} -o jsonpath={{.items[*].metadata.generation}}"), "")
        };
        let before = generations("src,dest,preset")?.ok()?.stdout;
        let again = run(way)?.ok()?.stdout;
        ensure!(
            generations("src,dest,preset")?.ok()?.stdout == before,
            "{way}: the same manifest once more was a change"
        );
        // The word is what a client works out without knowing the defaults, as Argo CD does.
        let restless: Vec<_> =
            again.lines().filter(|line| line.contains("playout.dev/") && line.ends_with(" configured")).collect();
        ensure!(restless.is_empty(), "{way}: seen as changed though nothing did: {restless:?}");
    }
    Ok(())
}

#[test]
fn quickstart_is_self_contained() -> Result<()> {
    let text = manifests("examples")?.remove("quickstart").context("there is a quickstart")?;
    for part in ["kind: Source\n", "state: Auto", "updatePolicy: Restart", "protocol: SrtListener", "port: 5000"] {
        ensure!(text.contains(part), "no {part:?}");
    }
    ensure!(text.matches("\nkind: Destination\n").count() == 4 && text.matches("  state: Running\n").count() == 4);
    ensure!(
        text.matches("  namespace: default\n").count() == text.matches("\nkind: ").count(),
        "a namespace is missing"
    );
    Ok(())
}

#[test]
fn invalid_examples_are_refused_with_their_message_alone() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let namespace = namespace(cluster, "invalid")?;
    let path = folder(INVALID);
    let examples = invalid_manifests()?;
    let messages: BTreeSet<String> = rules()?.into_iter().map(|rule| rule.message).collect();
    // One run for all: kubectl goes on after an error, and names the file in each.
    let all = in_namespace(cluster, &namespace, &format!("create --dry-run=server -R -f {}", path.display()), "")?;
    let mut refusals: BTreeMap<&str, String> = BTreeMap::new();
    for refusal in all.stderr.split("Error from server").skip(1) {
        let file = refusal.split_once(&format!("{INVALID}/")).and_then(|(_, rest)| rest.split_once(".yaml"));
        let (name, text) = file.with_context(|| format!("a refusal that names no file: {refusal}"))?;
        refusals.insert(name, text.to_owned());
    }
    let mut wrong = Vec::new();
    for (name, example) in &examples {
        if example.objects > 1 {
            ensure!(!refusals.contains_key(name.as_str()), "{name}: {}", refusals[name.as_str()]);
            let file = path.join(format!("{name}.yaml"));
            let applied = in_namespace(cluster, &namespace, &format!("apply -f {}", file.display()), "")?;
            ensure!(applied.stdout.contains(" created"), "{name}: the first object is not valid: {}", applied.stderr);
            refusals.insert(name, applied.stderr);
        }
        let Some(said) = refusals.get(name.as_str()) else {
            wrong.push(format!("{name} was taken"));
            continue;
        };
        let by: Vec<_> = messages.iter().filter(|message| said.contains(message.as_str())).collect();
        let a_rule = by.iter().any(|message| message.contains(&example.refused));
        if !said.contains(&example.refused) {
            wrong.push(format!("{name} was refused with {said}"));
        } else if a_rule && by.len() > 1 {
            wrong.push(format!("{name} has more than one mistake: {by:?}"));
        } else if said.contains("rule(s) were not checked") || said.contains("failed rule") {
            wrong.push(format!("{name}: a rule without a message, or one that cannot be evaluated: {said}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn what_is_refused_is_not_repeated_where_it_may_hold_a_secret() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let rtmp = "rtmps://ingest.example.net/live";
    let key = |name: &str| json!({ "secretRef": { "name": name, "key": "streamKey" } });
    for spec in [
        json!({ "from": { "name": "studio" }, "url": format!("{rtmp}#HUSH"), "streamKey": key("k") }),
        json!({ "from": { "name": "studio" }, "url": "rtmps://user:HUSH@ingest.example.net/live", "streamKey": key("k") }),
        json!({ "from": { "name": "studio" }, "url": "srt://receiver.example.net:9000?passphrase=HUSH" }),
        json!({ "from": { "name": "studio" }, "url": "rtmps://ingest.example.net/HUSH HUSH", "streamKey": key("k") }),
        json!({ "from": { "name": "studio" }, "platform": "YouTube", "url": "rtmp://a.rtmp.youtube.com/live2/HUSH", "streamKey": key("k") }),
        json!({ "from": { "name": "studio" }, "platform": "YouTube", "streamKey": key("k"), "backup": { "url": "https://HUSH@x/" } }),
        json!({ "from": { "name": "studio" }, "platform": "YouTube", "streamKey": key("HUSH_HUSH") }),
    ] {
        let said = in_namespace(cluster, "default", "create --dry-run=server -f -", &object("Destination", "x", spec))?;
        ensure!(!said.success && said.stderr.contains(" is invalid: "), "{said:?}");
        ensure!(!said.stderr.contains("HUSH"), "{}", said.stderr);
    }
    Ok(())
}

/// A guard against mistakes, not against attackers: AWS connects, from its own network, and a name may resolve to anything.
#[test]
fn an_address_that_is_not_of_the_internet_is_refused_in_every_spelling() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let hosts = "127.0.0.1 127.1 2130706433 0x7f000001 0x7f.1 0X7F.0.0.1 017700000001 0177.0.0.1 127.0.0.1. 0.0.0.0 0 \
        10.0.0.1 167772161 012.0.0.1 192.168.1.1 172.16.0.1 172.31.255.255 100.64.0.1 169.254.169.254 2852039166 0xA9FEA9FE \
        0251.0376.0251.0376 169.254.43518 224.0.0.1 240.0.0.1 255.255.255.255 localhost LOCALHOST localhost. localhost.. \
        a.localhost metadata.google.internal ip-10-0-0-1.ec2.internal. %31%32%37.0.0.1 [::1] [::] [::ffff:127.0.0.1] \
        [::ffff:7f00:1] [::127.0.0.1] [0:0:0:0:0:ffff:a9fe:a9fe] [fe80::1] [fd00:ec2::254] [fc00::1] [ff02::1] \
        [64:ff9b::7f00:1] [2002:7f00:1::] [2001:0:4136:e378:8000:63bf:80ff:fffe]";
    let hosts: Vec<_> = hosts.split_whitespace().collect();
    let manifests = |at: usize, host: &str| {
        let key = |name: &str| json!({ "secretRef": { "name": name, "key": "streamKey" } });
        let url = format!("rtmp://{host}/live");
        let mut spec =
            json!({ "from": { "name": "studio" }, "delivery": "Transcode", "url": url, "streamKey": key("k") });
        let destination = object("Destination", &format!("url-{at}"), spec.clone());
        spec["url"] = "rtmp://receiver.example.net/live".into();
        spec["backup"] = json!({ "url": url, "streamKey": key("b") });
        let backup = object("Destination", &format!("backup-{at}"), spec);
        let block = json!({ "address": host, "port": 5000 });
        let input = json!({ "name": "main", "priority": "Primary", "protocol": "SrtCaller", "srtCaller": block });
        [destination, backup, object("Source", &format!("address-{at}"), json!({ "inputs": [input] }))]
    };
    // One run for all: kubectl goes on after an error.
    let create = |hosts: &[&str]| {
        let all: Vec<_> = hosts.iter().enumerate().flat_map(|(at, host)| manifests(at, host)).collect();
        in_namespace(cluster, "default", "create --dry-run=server -f -", &all.join("\n---\n"))
    };
    let said = create(&hosts)?;
    let taken: Vec<_> = said.stdout.lines().filter_map(|line| line.split_once('-')?.1.split(' ').next()).collect();
    let taken: Vec<_> = taken.iter().filter_map(|at| at.parse::<usize>().ok()).map(|at| hosts[at]).collect();
    ensure!(said.stdout.is_empty(), "{taken:?}: {}", said.stdout);
    for field in ["url", "backup.url", "address"] {
        let refusals = said.stderr.matches(&format!("{field}: Invalid value")).count();
        ensure!(refusals > 0, "nothing was refused for its {field}: {}", said.stderr);
    }
    ensure!(said.stderr.matches(" is invalid: ").count() == 3 * hosts.len(), "{}", said.stderr);
    let public = ["203.0.113.7", "172.32.0.1", "100.128.0.1", "11.0.0.1", "0x7f.example.net", "localhost.example.net"];
    create(&public)?.ok()?;
    let [ipv6, ..] = manifests(0, "[2001:db8::7]");
    in_namespace(cluster, "default", "create --dry-run=server -f -", &ipv6)?.ok().map(drop)
}

/// The one place where a name stands twice: CEL does not know the list in the code.
#[test]
fn no_built_in_preset_can_be_made_as_an_object() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    for name in playout_core::presets::BUILT_IN {
        let said = in_namespace(cluster, "default", "create --dry-run=server -f -", &a_preset(name))?;
        ensure!(said.stderr.contains("metadata.name must not be that of a built-in preset"), "{name}: {said:?}");
        ensure!(said.stderr.contains(name), "{name} is not among those that the message names");
    }
    in_namespace(cluster, "default", "create --dry-run=server -f -", &a_preset("1080p60-high"))?.ok()?;
    // What users write for a frame rate is what the code reads.
    for (text, _) in playout_core::encoding::Framerate::KNOWN {
        let manifest = a_preset("rate").replace("\"30\"", &format!("\"{text}\""));
        in_namespace(cluster, "default", "create --dry-run=server -f -", &manifest)?.ok().context(text)?;
    }
    Ok(())
}

#[test]
fn every_rule_has_an_invalid_example() -> Result<()> {
    let examples = invalid_manifests()?;
    for rule in rules()? {
        let shown = examples.iter().find(|(_, e)| e.refused.len() >= 20 && rule.message.contains(&e.refused));
        let named = examples.values().any(|e| e.refused.contains(&rule.message));
        ensure!(shown.is_some() || named, "no file of {INVALID}/ is refused by {}: {}", rule.path, rule.message);
        if rule.rule.contains("oldSelf") {
            ensure!(shown.is_some_and(|(_, e)| e.objects == 2), "{}: a change needs two objects", rule.message);
        }
    }
    Ok(())
}

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

#[test]
fn columns_short_names_category_and_selectors_work() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let namespace = namespace(cluster, "columns")?;
    let run = |args: &str, input: &str| -> Result<String> {
        Ok(in_namespace(cluster, &namespace, args, input)?.ok()?.stdout)
    };
    for manifest in [a_source("one"), a_destination("one"), a_destination("two"), a_preset("one")] {
        run("create -f -", &manifest)?;
    }
    let patch = |kind: &str, status: Value| {
        let patch = json!({ "status": status }).to_string();
        kubectl(
            cluster,
            ["-n", &namespace, "patch", kind, "one", "--subresource=status", "--type=merge", "-p", &patch],
        )?
        .ok()
    };
    let condition = |type_: &str, reason: &str| {
        json!({ "type": type_, "status": "True", "reason": reason, "message": "It is on the air.",
            "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z" })
    };
    let ready = json!([condition("Ready", "Running")]);
    patch(
        "dest",
        json!({ "state": "Running", "activeEndpoint": "Primary", "startedAt": "2026-01-01T00:00:00Z", "conditions": ready }),
    )?;
    patch(
        "src",
        json!({ "state": "Running", "activeInput": "main", "flowArn": "arn:flow",
            "conditions": [condition("Ready", "Running"), condition("Healthy", "SignalGood")],
            "outputs": { "used": 2, "limit": 50, "summary": "2/50" },
            "inputs": [{ "name": "main", "endpoint": { "address": "203.0.113.1", "url": "srt://203.0.113.1:5000" } }] }),
    )?;
    patch("preset", json!({ "encoding": "1920x1080 at 30 fps", "usedByCount": 3, "conditions": ready }))?;
    let rows = |args: &str| -> Result<Vec<Vec<String>>> {
        let rows = run(args, "")?;
        let words = |line: &str| line.split("  ").map(str::trim).filter(|w| !w.is_empty()).map(str::to_owned).collect();
        Ok(rows.lines().map(words).collect())
    };
    let dest = rows("get dest -o wide")?;
    ensure!(
        dest[0]
            == [
                "NAME", "PLATFORM", "FROM", "STATE", "READY", "REASON", "AGE", "DELIVERY", "ACTIVE", "STARTED",
                "MESSAGE"
            ]
    );
    ensure!(dest[1][..6] == ["one", "Twitch", "studio", "Running", "True", "Running"], "{:?}", dest[1]);
    ensure!(dest[1].last().is_some_and(|message| message == "It is on the air."), "{:?}", dest[1]);
    let source = rows("get src -o wide")?;
    ensure!(
        source[0]
            == ["NAME", "STATE", "READY", "REASON", "INPUT", "SIGNAL", "OUTPUTS", "AGE", "INGEST", "FLOW", "MESSAGE"]
    );
    ensure!(source[1][..7] == ["one", "Running", "True", "Running", "main", "SignalGood", "2/50"], "{:?}", source[1]);
    ensure!(source[1][8..10] == ["srt://203.0.113.1:5000", "arn:flow"], "{:?}", source[1]);
    let preset = rows("get preset -o wide")?;
    ensure!(preset[0] == ["NAME", "ENCODING", "READY", "AGE", "USERS", "MESSAGE"], "{:?}", preset[0]);
    ensure!(preset[1][..3] == ["one", "1920x1080 at 30 fps", "True"], "{:?}", preset[1]);
    ensure!(preset[1][4..] == ["3", "It is on the air."], "{:?}", preset[1]);
    ensure!(rows("get src")?[0].len() == 8 && rows("get dest")?[0].len() == 7, "too wide");

    let names = |args: &str| run(&format!("get {args} -o name"), "");
    ensure!(names("playout")?.lines().count() == 4, "the category");
    ensure!(!names("all")?.contains("playout.dev"), "kubectl get all is for others");
    for (selector, expected) in [
        ("dest --field-selector=status.state=Running", "destination.playout.dev/one\n"),
        ("dest --field-selector=spec.platform=Twitch,status.state!=Running", "destination.playout.dev/two\n"),
        ("dest --field-selector=spec.platform=YouTube", ""),
        ("dest --field-selector=spec.state=Running", ""),
        ("src --field-selector=spec.state=Auto", "source.playout.dev/one\n"),
        ("src --field-selector=status.state=Running", "source.playout.dev/one\n"),
    ] {
        ensure!(names(selector)? == expected, "{selector}");
    }
    Ok(())
}

#[test]
fn explain_prints_every_field_with_its_description() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    for crd in &crds()? {
        let kind = crd["spec"]["names"]["singular"].as_str().unwrap_or_default();
        let mut objects: Vec<(String, &Value)> = Vec::new();
        walk(schema(crd), kind, &mut |path, schema| {
            let path = path.replace("[]", "");
            // Nothing of the encryption blocks differs but the path.
            if schema["properties"].is_object() && !path.contains("secretRef") && !path.contains("SecretRef") {
                objects.push((path, schema));
            }
        });
        ensure!(objects.len() > 4);
        for (path, schema) in objects {
            let text = kubectl(cluster, ["explain", &path])?.ok()?.stdout;
            ensure!(!text.contains("<no ") && !text.contains("<empty>"), "{path}:\n{text}");
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                ensure!(text.contains(&format!("\n  {name}\t<")), "{path} shows no {name}:\n{text}");
                let description = property["description"].as_str().unwrap_or_default();
                let description = description.split_whitespace().collect::<Vec<_>>().join(" ");
                ensure!(flat.contains(&description), "{path}.{name} is shown without {description:?}:\n{text}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn roles_give_sources_to_admins_and_destinations_to_producers() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let namespace = namespace(cluster, "roles")?;
    let run = |args: &str, input: &str| in_namespace(cluster, &namespace, args, input);
    run(&format!("apply -f {}", folder("examples/roles.yaml").display()), "")?.ok()?;
    let (ours, kubernetes) = (["playout-admin", "playout-producer", "playout-viewer"], ["admin", "edit", "view"]);
    for role in ours.iter().chain(&kubernetes) {
        run(&format!("create rolebinding {role} --clusterrole={role} --user={role}-user"), "")?.ok()?;
    }
    let may = |role: &str, what: &str| -> Result<bool> {
        let answer = run(&format!("auth can-i {what} --as={role}-user"), "")?;
        ensure!(["yes", "no"].contains(&answer.stdout.trim()), "{answer:?}");
        Ok(answer.success)
    };
    for role in ours {
        wait_until(PATIENCE, &format!("{role} may list Sources"), || async { may(role, "list sources.playout.dev") })
            .await?;
    }
    // Whoever has a namespace has nothing of Playout by that: no role is aggregated into Kubernetes' own.
    for role in kubernetes {
        wait_until(PATIENCE, &format!("{role} may list Pods"), || async { may(role, "list pods") }).await?;
        for what in ["list sources.playout.dev", "create sources.playout.dev", "create destinations.playout.dev"] {
            ensure!(!may(role, what)?, "{role} may {what}");
        }
    }
    for role in ours {
        let kinds = [
            ("sources", role == "playout-admin"),
            ("encodingpresets", role == "playout-admin"),
            ("destinations", role != "playout-viewer"),
        ];
        for (kind, changes) in kinds {
            for (verb, expected) in
                [("get", true), ("watch", true), ("create", changes), ("patch", changes), ("delete", changes)]
            {
                let what = format!("{verb} {kind}.playout.dev");
                let holds = may(role, &what)? == expected;
                ensure!(holds, "{role} {} {what}", if expected { "may not" } else { "may" });
            }
            ensure!(
                !may(role, &format!("patch {kind}.playout.dev --subresource=status"))?,
                "{role} may write the status of {kind}"
            );
        }
        ensure!(!may(role, "get secrets")?, "{role} may read Secrets");
        for events in ["events", "events.events.k8s.io"] {
            ensure!(may(role, &format!("watch {events}"))?, "{role} may not see {events}");
        }
        ensure!(may(role, "use secrets/any")? == (role == "playout-admin"), "{role}: use of Secrets without a name");
        for what in ["use parameters.playout.dev/any", "use awssecrets.playout.dev/any", "adopt flows.playout.dev/any"]
        {
            ensure!(!may(role, what)?, "{role} may {what}: that is the AWS account's");
        }
    }
    // Keys are set by those who may write the Secrets of these names.
    run("create rolebinding keys --role=playout-keys --user=keys-user", "")?.ok()?;
    for verb in ["get", "patch"] {
        ensure!(may("keys", &format!("{verb} secrets/twitch"))?, "a key cannot be set");
        ensure!(!may("keys", &format!("{verb} secrets/other"))?, "other Secrets can be read or written");
    }
    run("create rolebinding use --role=playout-use --user=playout-producer-user", "")?.ok()?;
    wait_until(PATIENCE, "the key may be used", || async { may("playout-producer", "use secrets/twitch") }).await?;
    let create = |kind: &str| {
        let twitch = || a_destination("new").replace("\"name\":\"key\"", "\"name\":\"twitch\"");
        let manifest = if kind == "source" { a_source("new") } else { twitch() };
        run("create --dry-run=server -f - --as=playout-producer-user", &manifest)
    };
    create("destination")?.ok()?;
    let refused = create("source")?;
    ensure!(refused.stderr.contains("Forbidden"), "{refused:?}");
    Ok(())
}
