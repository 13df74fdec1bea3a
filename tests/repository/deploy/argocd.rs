//! The scripts of `deploy/argocd/argocd-cm-patch.yaml`, run as Argo CD runs them (Lua 5.1, the object as `obj`), beside what
//! kstatus says of the same object: Flux, `kubectl wait` and Argo CD shall not disagree.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use mlua::{Lua, LuaOptions, LuaSerdeExt as _, SerializeOptions, StdLib};
use serde_json::{Value, json};

use super::path;

fn settings() -> Result<BTreeMap<String, String>> {
    let text = fs::read_to_string(path("deploy/argocd/argocd-cm-patch.yaml"))?;
    let patch: Value = serde_saphyr::from_str(&text)?;
    Ok(serde_json::from_value(patch["data"].clone())?)
}

fn run(script: &str, object: &Value) -> Result<Value> {
    let lua =
        Lua::new_with(StdLib::TABLE | StdLib::STRING, LuaOptions::default()).map_err(|e| anyhow::anyhow!("{e}"))?;
    let options = SerializeOptions::new().serialize_none_to_null(false).serialize_unit_to_null(false);
    let answer = || {
        lua.globals().set("obj", lua.to_value_with(object, options)?)?;
        lua.from_value::<Value>(lua.load(script).eval()?)
    };
    answer().map_err(|error| anyhow::anyhow!("{error}"))
}

/// What Argo CD shows: the health, and the message.
pub fn health(object: &Value) -> Result<(String, String)> {
    let kind = object["kind"].as_str().context("a kind")?;
    let settings = settings()?;
    let script = settings.get(&format!("resource.customizations.health.playout.dev_{kind}")).context("a script")?;
    let said = run(script, object)?;
    let word = |field: &str| said[field].as_str().map(str::to_owned).with_context(|| format!("{field} of {said}"));
    Ok((word("status")?, word("message")?))
}

/// kstatus for objects of no special kind: `status.Compute` of sigs.k8s.io/cli-utils (pkg/kstatus/status/generic.go).
pub fn kstatus(object: &Value) -> &'static str {
    let status = |kind: &str| {
        let all = object["status"]["conditions"].as_array().into_iter().flatten();
        all.filter(|condition| condition["type"] == kind).find_map(|condition| condition["status"].as_str())
    };
    let observed = &object["status"]["observedGeneration"];
    match () {
        () if object["metadata"]["deletionTimestamp"].is_string() => "Terminating",
        () if observed.is_number() && *observed != object["metadata"]["generation"] => "InProgress",
        () if status("Reconciling") == Some("True") => "InProgress",
        () if status("Stalled") == Some("True") => "Failed",
        () if status("Ready").is_some_and(|ready| ready != "True") => "InProgress",
        () => "Current",
    }
}

/// Suspended is a word that kstatus does not have.
pub fn agree(object: &Value) -> Result<()> {
    let ((argo, message), kstatus) = (health(object)?, kstatus(object));
    let expected: &[&str] = match kstatus {
        "Current" => &["Healthy"],
        "Failed" => &["Degraded"],
        _ => &["Progressing", "Suspended"],
    };
    ensure!(expected.contains(&argo.as_str()), "Argo CD says {argo} ({message}), kstatus {kstatus}: {object}");
    ensure!(!message.is_empty());
    Ok(())
}

/// Type, status and reason.
type Condition<'a> = (&'a str, &'a str, &'a str);

fn object(kind: &str, spec: Value, conditions: &[Condition<'_>]) -> Value {
    let conditions: Vec<_> = conditions
        .iter()
        .map(|(kind, status, reason)| json!({ "type": kind, "status": status, "reason": reason, "message": "Why." }))
        .collect();
    json!({ "apiVersion": "playout.dev/v1alpha1", "kind": kind, "spec": spec,
        "metadata": { "name": "one", "generation": 2, "resourceVersion": null },
        "status": { "observedGeneration": 2, "conditions": conditions } })
}

/// The table of situations; the words of Argo CD stand in the last place.
#[test]
fn the_health_is_that_of_the_resource_and_what_kstatus_says() -> Result<()> {
    let (plain, suspended) = (json!({ "state": "Running" }), json!({ "state": "Running", "suspend": true }));
    let table: &[(&str, &Value, &[Condition<'_>], &str)] = &[
        ("Source", &plain, &[("Ready", "True", "Running"), ("Healthy", "True", "SignalGood")], "Healthy"),
        // A silent encoder is no failed sync: what comes in later waves is applied.
        ("Source", &plain, &[("Ready", "True", "Running"), ("Healthy", "False", "NoSignal")], "Healthy"),
        ("Source", &plain, &[("Ready", "True", "Running"), ("Healthy", "Unknown", "Unknown")], "Healthy"),
        ("Destination", &plain, &[("Ready", "True", "Running"), ("Delivering", "True", "Connected")], "Healthy"),
        ("Destination", &plain, &[("Ready", "True", "NoSignal"), ("Delivering", "False", "NoSignal")], "Healthy"),
        ("Destination", &plain, &[("Ready", "True", "Stopped"), ("Delivering", "False", "Stopped")], "Healthy"),
        (
            "Destination",
            &plain,
            &[("Ready", "False", "NotConnected"), ("Reconciling", "True", "NotConnected")],
            "Progressing",
        ),
        ("Destination", &plain, &[("Ready", "False", "GaveUp"), ("Stalled", "True", "GaveUp")], "Degraded"),
        ("Destination", &suspended, &[("Ready", "Unknown", "Suspended")], "Suspended"),
        ("Source", &suspended, &[("Ready", "Unknown", "Suspended"), ("Healthy", "True", "SignalGood")], "Suspended"),
        ("Source", &plain, &[("Ready", "Unknown", "Unobserved")], "Progressing"),
    ];
    let of_every_kind: [(&[Condition<'_>], &str); 3] = [
        (&[("Ready", "True", "Ready")], "Healthy"),
        (&[("Ready", "False", "InvalidSpec"), ("Stalled", "True", "InvalidSpec")], "Degraded"),
        (&[("Ready", "False", "InUse"), ("Reconciling", "True", "InUse")], "Progressing"),
    ];
    let kinds: Vec<_> = playout_api::crds().into_iter().map(|crd| crd.spec.names.kind).collect();
    let of_every_kind =
        kinds.iter().flat_map(|kind| of_every_kind.map(|(c, expected)| (kind.as_str(), &plain, c, expected)));
    for (kind, spec, conditions, expected) in table.iter().copied().chain(of_every_kind) {
        let settled = object(kind, spec.clone(), conditions);
        let (status, message) = health(&settled)?;
        ensure!(status == expected, "{kind} {conditions:?}: {status}, {message}");
        agree(&settled)?;
        if let Some((_, "False", reason)) = conditions.iter().find(|(kind, ..)| ["Healthy"].contains(kind)) {
            ensure!(message.contains(reason), "what the encoder does is not said: {message}");
        }
        // An object that has just been changed, deleted or made.
        let mut changed = settled.clone();
        changed["metadata"]["generation"] = 3.into();
        let mut deleted = settled.clone();
        deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        let mut fresh = settled;
        fresh["status"] = json!({ "observedGeneration": -1 });
        for other in [changed, deleted, fresh] {
            ensure!(health(&other)?.0 == "Progressing", "{other}");
            agree(&other)?;
        }
    }
    Ok(())
}

#[test]
fn the_buttons_start_and_stop() -> Result<()> {
    let settings = settings()?;
    let actions = settings.get("resource.customizations.actions.playout.dev_Destination").context("buttons")?;
    let actions: Value = serde_saphyr::from_str(actions)?;
    let discovery = actions["discovery.lua"].as_str().context("discovery")?;
    let press = |name: &str, state: Value| -> Result<Value> {
        let all = actions["definitions"].as_array().context("definitions")?;
        let one = all.iter().find(|one| one["name"] == name).context("a button")?;
        let before = object("Destination", json!({ "state": state }), &[]);
        let mut after = run(one["action.lua"].as_str().context("a script")?, &before)?;
        let state = after["spec"]["state"].take();
        ensure!(after["metadata"]["name"] == "one" && after["kind"] == "Destination", "{after}");
        Ok(state)
    };
    ensure!(press("start", Value::Null)? == "Running" && press("stop", "Running".into())? == "Stopped");
    for (state, start, stop) in
        [(json!("Running"), true, false), (json!("Stopped"), false, true), (Value::Null, false, true)]
    {
        let shown = run(discovery, &object("Destination", json!({ "state": state }), &[]))?;
        ensure!(shown["start"]["disabled"] == start && shown["stop"]["disabled"] == stop, "{state}: {shown}");
    }
    Ok(())
}

/// Self-heal would undo an emergency stop within two seconds.
#[test]
fn a_stop_by_hand_is_no_difference_that_argo_cd_heals() -> Result<()> {
    let settings = settings()?;
    for crd in playout_api::crds() {
        let crd = serde_json::to_value(&crd)?;
        let kind = crd["spec"]["names"]["kind"].as_str().context("a kind")?;
        let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
        let key = format!("resource.customizations.ignoreDifferences.playout.dev_{kind}");
        let ignored: Value = settings.get(&key).map_or(Ok(Value::Null), |text| serde_saphyr::from_str(text))?;
        let expected = if spec["state"].is_object() { json!(["/spec/state"]) } else { Value::Null };
        ensure!(ignored["jsonPointers"] == expected, "{kind}: {ignored}");
    }
    let text = fs::read_to_string(path("deploy/argocd/application.yaml"))?;
    let applications =
        text.split("\n---\n").map(|one| Ok(serde_saphyr::from_str(one)?)).collect::<Result<Vec<Value>>>()?;
    let shows =
        applications.iter().find(|one| one["metadata"]["name"] == "shows").context("an Application of shows")?;
    let options = shows["spec"]["syncPolicy"]["syncOptions"].as_array().context("options")?;
    // Without it a synchronisation for any other reason writes Git's state.
    ensure!(options.contains(&json!("RespectIgnoreDifferences=true")), "{options:?}");
    ensure!(shows["spec"]["syncPolicy"]["automated"]["selfHeal"] == true);
    Ok(())
}
