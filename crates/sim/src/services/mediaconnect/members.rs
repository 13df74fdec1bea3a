//! The members of a request, and what an update makes of those that are there.

use serde_json::{Map, Value};

use super::rules;

/// The members of an object that are there.
pub(super) fn members(given: &Value) -> Map<String, Value> {
    given.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Objects keep the members that are not given; everything else is replaced.
pub(super) fn merge(target: &mut Value, given: &Value) {
    match (target, given) {
        (Value::Object(target), Value::Object(given)) => {
            for (member, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                merge(target.entry(member.clone()).or_insert(Value::Null), value);
            }
        }
        (target, given) => *target = given.clone(),
    }
}

/// Merges what an update gives into settings. With another protocol, what only the old one had goes.
pub(super) fn change(settings: &mut Map<String, Value>, given: &Map<String, Value>, source: bool) {
    let protocol = settings.get("protocol").cloned();
    for (member, value) in given {
        // Lists and RTMP settings are values of their own; an encryption keeps the members that are not given.
        match (member.as_str(), settings.get_mut(member)) {
            ("decryption" | "encryption", Some(target)) => merge(target, value),
            _ => drop(settings.insert(member.clone(), value.clone())),
        }
    }
    // The two ways to a source exclude each other: naming one means leaving the other.
    for (one, other) in [("whitelistCidr", "vpcInterfaceName"), ("vpcInterfaceName", "whitelistCidr")] {
        if given.contains_key(one) && !given.contains_key(other) {
            settings.remove(other);
        }
    }
    if settings.get("protocol") != protocol.as_ref() {
        // Zixi has a port of its own.
        if source && !given.contains_key("ingestPort") && settings.get("protocol").is_some_and(|p| p == "zixi-push") {
            settings.remove("ingestPort");
        }
        rules::retain_valid(settings, given, source);
    }
}
