use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::api::destination::Delivery;
use crate::kinds::source::off::stays_off;
use crate::kinds::source::status::{bitrate, signal};
use crate::regions::Regions;
use crate::resources::flow::FlowState;
use crate::uses::{self, Use};

fn typed<K: DeserializeOwned>(object: &Value) -> K {
    serde_json::from_value(object.clone()).expect("an object of its kind")
}

fn name(of: Of, name: &str) -> Name {
    Name { of, namespace: "show".into(), name: name.into() }
}

fn object(name: &str, spec: Value, status: Value) -> Value {
    json!({ "apiVersion": "playout.dev/v1alpha1", "kind": "Any", "spec": spec, "status": status,
        "metadata": { "name": name, "namespace": "show", "uid": format!("uid-{name}"), "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z" } })
}

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({ "type": kind, "status": status, "reason": reason, "message": "as it is", "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z" })
}

/// A Source with all that a status can hold.
fn source() -> Value {
    let spec = json!({ "inputs": [{ "name": "main", "priority": "Primary", "protocol": "SrtListener",
        "srtListener": { "port": 5000, "allowedCidr": "203.0.113.0/24",
            "encryption": { "passwordSecretRef": { "name": "srt", "key": "password" } } } }] });
    let status = json!({ "state": "Running", "observedGeneration": 1, "region": "us-west-2", "flowArn": "arn:flow", "flowState": "ACTIVE",
        "ownerUid": "uid-studio", "egressIp": "192.0.2.1", "activeInput": "main", "users": ["Destination/one"],
        "passwords": ["copy"], "notOurs": ["arn:other"], "pendingChanges": ["spec.inputs"],
        "startedAt": "2026-01-01T00:00:00Z", "lastHandledReconcileAt": "1",
        "adoption": { "state": "Planned", "changes": ["name"] },
        "outputs": { "used": 3, "limit": 50, "summary": "3/50" },
        "inputs": [{ "name": "main", "inFlow": true, "health": "Healthy", "bitrateKbps": 5000, "packetLossPercent": 1,
            "roundTripMs": 20, "since": "2026-01-01T00:00:00Z", "sourceArn": "arn:source" }],
        "conditions": [condition("Ready", "True", "Running"), condition("Stalled", "True", "GaveUp"),
            condition("Healthy", "True", "Healthy")] });
    object("studio", spec, status)
}

fn destination(name: &str, state: &str, status: Value) -> Value {
    let key = json!({ "secretRef": { "name": "keys", "key": name } });
    let spec = json!({ "from": { "name": "studio" }, "platform": "YouTube", "streamKey": key, "state": state });
    object(name, spec, status)
}

/// One with all that a status can hold.
fn full(name: &str) -> Value {
    destination(
        name,
        "Running",
        json!({ "state": "Running", "observedGeneration": 1, "flowArn": "arn:flow", "startedAt": "2026-01-01T00:00:00Z",
            "lastHandledReconcileAt": "1", "activeEndpoint": "Primary", "passwords": ["copy"], "notOurs": ["arn"],
            "outputs": [{ "role": "Primary", "name": "one", "arn": "arn:one", "ownerUid": "uid", "status": "ENABLED",
                "endpoint": "rtmp://a", "sending": true, "connected": true, "bitrateKbps": 5000,
                "since": "2026-01-01T00:00:00Z" }],
            "channel": { "id": "1", "arn": "arn:channel", "state": "RUNNING", "inputId": "2", "inputState": "ATTACHED" },
            "retries": { "count": 1, "attempts": 5, "state": "Trying", "since": "2026-01-01T00:00:00Z", "up": true },
            "lastRuns": [{ "started": "2026-01-01T00:00:00Z", "stopped": "2026-01-01T01:00:00Z", "reason": "stopped" }],
            "conditions": [condition("Ready", "True", "Running"), condition("Healthy", "True", "Healthy")] }),
    )
}

/// The paths of all values in it.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, v)| leaves(v, &format!("{path}/{name}"), found)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, v)| leaves(v, &format!("{path}/{at}"), found)),
        _ => found.push(path.into()),
    }
}

/// The object with another value there, as far as its type takes one; and without it.
fn others<K: DeserializeOwned>(object: &Value, path: &str) -> Vec<K> {
    let mut found = Vec::new();
    let words = [
        "ERROR",
        "DISABLED",
        "IDLE",
        "GaveUp",
        "Failed",
        "False",
        "Adopted",
        "Idle",
        "QuotaExceeded",
        "Unknown",
        "2027-01-01T00:00:00Z",
    ];
    let words = words.iter().map(|word| json!(word));
    for other in words.chain([json!(49), json!(false), Value::Null]) {
        let mut changed = object.clone();
        *changed.pointer_mut(path).expect("a path") = other;
        found.extend(serde_json::from_value(changed).ok());
    }
    found
}

/// Of a Source that is known, with these Destinations.
fn known(destinations: &[Value]) -> Wakes {
    let mut wakes = Wakes::default();
    wakes.source(name(Of::Source, "studio"), Some(&typed(&source())));
    for destination in destinations {
        let destination: Destination = typed(destination);
        let its = name(Of::Destination, destination.metadata.name.as_deref().unwrap_or_default());
        wakes.destination(its, Some(&destination));
    }
    wakes
}

fn woken(wakes: &[Wake]) -> Vec<(Of, String, bool)> {
    let mut woken: Vec<_> = wakes.iter().map(|wake| (wake.name.of, wake.name.name.clone(), wake.now)).collect();
    woken.sort();
    woken
}

fn one(of: Of, name: &str, now: bool) -> Vec<(Of, String, bool)> {
    vec![(of, name.into(), now)]
}

/// What a Destination makes of its Source.
fn made_of(source: &Source) -> String {
    let status = source.status.as_ref();
    let destination: Destination = typed(&destination("one", "Running", Value::Null));
    let mut transcoded = destination.clone();
    transcoded.spec.delivery = Delivery::Transcode;
    let regions = Regions::default();
    let at = |second| jiff::Timestamp::from_second(second).expect("a time");
    format!(
        "{:?}",
        (
            [FlowState::Standby, FlowState::Active].map(|state| stays_off(source, state)),
            [1_767_225_600, 1_800_000_000, 1_900_000_000].map(|second| signal(source, at(second))),
            status.and_then(bitrate),
            status.and_then(|s| s.flow_arn.clone().filter(|_| s.flow_state.is_some())),
            status.and_then(|s| s.not_ours.first()),
            status.and_then(|s| s.owner_uid.as_ref()),
            regions.lacks_output(&destination, Some(source), "us-moon-1").is_some(),
            regions.lacks_channel(&transcoded, Some(source), "us-moon-1").is_some(),
            uses::waits_for_next(&destination, source),
        )
    )
}

/// Whatever changes in the status of a Source: who is not woken would have made the same of it.
#[test]
fn a_source_wakes_its_destinations_when_they_would_make_something_else_of_it() {
    let before = source();
    let mut paths = Vec::new();
    leaves(&before["status"], "/status", &mut paths);
    let rest =
        destination("rests", "Stopped", json!({ "state": "Idle", "observedGeneration": 1, "flowArn": "arn:flow" }));
    let (mut telling, mut resting, mut silent) = (BTreeSet::new(), BTreeSet::new(), 0);
    for path in &paths {
        for changed in others::<Source>(&before, path) {
            let mut wakes = known(&[full("one"), rest.clone()]);
            let woken = woken(&wakes.source(name(Of::Source, "studio"), Some(&changed)));
            let is = |other: &str| woken.contains(&(Of::Destination, other.into(), true));
            assert_eq!(woken.len(), usize::from(is("one")) + usize::from(is("rests")), "{woken:?}");
            if is("one") {
                telling.insert(path.as_str());
            } else {
                assert_eq!(made_of(&changed), made_of(&typed(&before)), "{path}");
                silent += 1;
            }
            if is("rests") {
                assert!(is("one"), "{path}");
                resting.insert(path.as_str());
            }
        }
    }
    assert!(silent > 100, "{silent}");
    for path in ["/status/users/0", "/status/outputs/summary", "/status/egressIp", "/status/inputs/0/roundTripMs"] {
        assert!(paths.iter().any(|p| p == path) && !telling.contains(path), "{path} is no news: {telling:?}");
    }
    for path in [
        "/status/flowState",
        "/status/flowArn",
        "/status/conditions/1/message",
        "/status/adoption/state",
        "/status/outputs/used",
    ] {
        assert!(telling.contains(path), "{path}: {telling:?}");
    }
    // Who is off the air and has nothing only reads which flow it is, and whose. The state of the flow, if there is one at all.
    let of_flow: BTreeSet<_> = ["/status/flowArn", "/status/flowState", "/status/notOurs/0"].into();
    assert_eq!(resting, of_flow);
}

#[test]
fn a_destination_wakes_its_source_when_that_would_see_something_else() {
    let before = full("one");
    let mut paths = Vec::new();
    leaves(&before["status"], "/status", &mut paths);
    let source: Source = typed(&source());
    let users = |destination: &Destination| {
        let user = Use::of(destination);
        let input = user.input().map(str::to_owned);
        (uses::users(&source, [user], &Regions::default(), "us-west-2"), input)
    };
    let mut telling = BTreeSet::new();
    for path in &paths {
        for changed in others::<Destination>(&before, path) {
            let mut wakes = known(std::slice::from_ref(&before));
            let woken = woken(&wakes.destination(name(Of::Destination, "one"), Some(&changed)));
            if woken.is_empty() {
                assert_eq!(users(&changed), users(&typed(&before)), "{path}");
            } else {
                assert!(woken.iter().all(|(of, name, _)| (*of, name.as_str()) == (Of::Source, "studio")), "{woken:?}");
                telling.insert(path.as_str());
            }
        }
    }
    let tells =
        ["channel/inputId", "channel/state", "outputs/0/arn", "outputs/0/name", "outputs/0/status", "retries/state"];
    let expected: BTreeSet<_> = tells.map(|path| format!("/status/{path}")).into_iter().collect();
    assert_eq!(telling.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn what_adds_to_a_list_is_gathered_and_what_a_flow_is_started_or_stopped_for_is_not() {
    let mut wakes = known(&[]);
    let mut hears = |it: &str, now: Option<Value>| {
        let now = now.map(|object| typed::<Destination>(&object));
        wakes.destination(name(Of::Destination, it), now.as_ref())
    };
    let its = |it: &str| one(Of::Destination, it, true);
    let of_source = |now| one(Of::Source, "studio", now);
    let stopped = destination("idle", "Stopped", Value::Null);
    assert_eq!(woken(&hears("idle", Some(stopped.clone()))), [of_source(false), its("idle")].concat());
    // Its own status, and our finalizer.
    let mut told = destination("idle", "Stopped", json!({ "state": "Idle", "observedGeneration": 1 }));
    told["metadata"]["finalizers"] = json!([crate::api::FINALIZER]);
    assert_eq!(hears("idle", Some(told)), []);
    // Somebody takes it away.
    assert_eq!(woken(&hears("idle", Some(stopped))), its("idle"));

    let wakes_of = hears("air", Some(destination("air", "Running", Value::Null)));
    assert_eq!(woken(&wakes_of), [of_source(true), its("air")].concat());
    assert!(wakes_of.iter().all(|wake| wake.wish.is_some()), "passes that are under way are out of date");
    let output = |status: &str| {
        let outputs = json!([{ "role": "Primary", "name": "air", "arn": "arn:air", "status": status }]);
        Some(destination("air", "Running", json!({ "observedGeneration": 1, "outputs": outputs })))
    };
    assert_eq!(woken(&hears("air", output("ENABLED"))), of_source(false), "the flow runs by then");
    assert_eq!(woken(&hears("air", output("DISABLED"))), of_source(true), "it may be the last one");
    assert_eq!(woken(&hears("air", None)), of_source(true));
    assert_eq!(woken(&hears("idle", None)), of_source(false));
}

#[test]
fn a_source_that_goes_hears_at_once_that_nobody_is_left() {
    let [idle, other] = ["idle", "other"].map(|it| destination(it, "Stopped", Value::Null));
    let mut wakes = known(&[idle, other]);
    let mut going = source();
    going["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
    assert_eq!(wakes.source(name(Of::Source, "studio"), Some(&typed(&going))).len(), 3);
    let mut gone = |it| woken(&wakes.destination(name(Of::Destination, it), None));
    assert_eq!(gone("idle"), one(Of::Source, "studio", false));
    assert_eq!(gone("other"), one(Of::Source, "studio", true));
    assert_eq!(wakes.known(Of::Destination), []);
}

#[test]
fn who_waits_for_room_hears_of_what_was_let_go_and_of_nothing_else() {
    let full_flow = json!({ "conditions": [condition("Stalled", "True", "QuotaExceeded")] });
    let outputs = json!([{ "role": "Primary", "name": "o", "arn": "arn:o", "status": "DISABLED" }]);
    let has = json!({ "state": "Idle", "observedGeneration": 1, "outputs": outputs });
    let channel = json!({ "state": "Stopping", "observedGeneration": 1, "channel": { "id": "1" } });
    let mut wakes = known(&[
        destination("waits", "Running", full_flow.clone()),
        destination("keeps", "Stopped", has.clone()),
        destination("encoded", "Stopped", channel),
        destination("never", "Stopped", Value::Null),
    ]);
    let mut hears = |it: &str, state: &str, status: Value| {
        let woken = woken(&wakes.destination(name(Of::Destination, it), Some(&typed(&destination(it, state, status)))));
        woken.into_iter().filter(|(of, other, _)| *of == Of::Destination && other != it).collect::<Vec<_>>()
    };
    let idle = json!({ "state": "Idle", "observedGeneration": 1 });
    assert_eq!(hears("never", "Stopped", idle.clone()), [], "it had nothing");
    assert_eq!(hears("newer", "Stopped", idle.clone()), []);
    assert_eq!(hears("encoded", "Stopped", idle.clone()), one(Of::Destination, "waits", true), "a channel is free");
    // Another one that finds no place: who could give way looks, too.
    let both = [one(Of::Destination, "keeps", true), one(Of::Destination, "waits", true)].concat();
    assert_eq!(hears("late", "Running", full_flow), both);
    assert_eq!(
        hears("keeps", "Stopped", idle),
        [one(Of::Destination, "late", true), one(Of::Destination, "waits", true)].concat()
    );
}

#[test]
fn a_preset_and_a_secret_are_told_to_those_who_name_them() {
    let encoded = |preset: &str| {
        let mut object = destination("one", "Stopped", Value::Null);
        object["spec"]["encoding"] = json!(preset);
        typed::<Destination>(&object)
    };
    let mut wakes = known(&[destination("other", "Stopped", Value::Null)]);
    let of_one = |wakes: &[Wake], of: Of| woken(wakes).into_iter().filter(|(kind, ..)| *kind == of).collect::<Vec<_>>();
    let preset = |name: &str| one(Of::EncodingPreset, name, false);
    let its = name(Of::Destination, "one");
    assert_eq!(of_one(&wakes.destination(its.clone(), Some(&encoded("fast"))), Of::EncodingPreset), preset("fast"));
    assert_eq!(of_one(&wakes.destination(its.clone(), Some(&encoded("fast"))), Of::EncodingPreset), []);
    let moved = wakes.destination(its.clone(), Some(&encoded("slow")));
    assert_eq!(of_one(&moved, Of::EncodingPreset), [preset("fast"), preset("slow")].concat());
    assert_eq!(wakes.of_preset("show", "slow").len(), 1);

    let all = [one(Of::Destination, "one", true), one(Of::Destination, "other", true)].concat();
    let meta = |version: &str| ObjectMeta { resource_version: Some(version.into()), ..ObjectMeta::default() };
    let mut secret =
        |it: &str, version: Option<&str>| woken(&wakes.secret(name(Of::Secret, it), version.map(meta).as_ref()));
    assert_eq!(secret("keys", Some("1")), all, "it has come");
    assert_eq!(secret("keys", Some("1")), [], "a list shows it as it was");
    assert_eq!((secret("keys", Some("2")), secret("keys", None)), (all.clone(), all));
    assert_eq!(secret("srt", Some("1")), one(Of::Source, "studio", true));
    assert_eq!(secret("of-nobody", Some("1")), []);
    let elsewhere = Name { namespace: "other".into(), ..name(Of::Secret, "keys") };
    assert_eq!(wakes.secret(elsewhere, Some(&meta("1"))), []);
    let known: Vec<_> = wakes.known(Of::Secret).iter().map(|it| it.name.clone()).collect();
    assert_eq!(known.len(), 3, "what vanishes while nobody watches is missed: {known:?}");

    let spec = json!({ "width": 1280, "height": 720, "frameRate": "30", "videoBitrateKbps": 4000 });
    let mut slow = object("slow", spec, Value::Null);
    let mut told =
        |object: &Value| of_one(&wakes.preset(name(Of::EncodingPreset, "slow"), Some(&typed(object))), Of::Destination);
    assert_eq!(told(&slow), one(Of::Destination, "one", true));
    slow["status"] = json!({ "usedByCount": 1, "usedBy": ["Destination/one"], "conditions": [] });
    assert_eq!(told(&slow), [], "our own note of who uses it");
    slow["metadata"]["generation"] = json!(2);
    assert_eq!(told(&slow), one(Of::Destination, "one", true));
}
