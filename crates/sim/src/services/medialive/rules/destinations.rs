//! The destinations of a channel.

use serde_json::{Map, Value};

use super::super::channel::pipelines;
use super::super::settings::given;
use super::super::{bad, list};
use super::Violations;
use crate::error::ApiError;

/// The members that say where a destination is; one of them.
const KINDS: [&str; 5] =
    ["settings", "mediaPackageSettings", "multiplexSettings", "srtSettings", "mediaConnectRouterSettings"];

/// The kinds of a destination that are given and not empty.
pub(super) fn kinds(destination: &Value) -> Vec<&str> {
    let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    let there = given(destination).into_iter().filter(|(_, value)| !empty(value)).map(|(member, _)| member.as_str());
    there.filter(|member| KINDS.contains(member)).collect()
}

/// The service refuses this before it looks at anything else, with 400.
pub(super) fn check_kinds(settings: &Map<String, Value>) -> Result<(), ApiError> {
    for destination in list(settings, "destinations") {
        let id = destination["id"].as_str().unwrap_or_default();
        match kinds(destination)[..] {
            ["multiplexSettings"] => return Err(ApiError::not_simulated("multiplex destinations")),
            ["mediaConnectRouterSettings"] => return Err(ApiError::not_simulated("MediaConnect router destinations")),
            [_] => {}
            _ => {
                return Err(bad(format!(
                    "Exactly one of settings, MediaPackage settings, or Multiplex settings is required for \
                     destination {id}."
                )));
            }
        }
    }
    Ok(())
}

pub(super) fn check(settings: &Map<String, Value>, found: &mut Violations) {
    let destinations = list(settings, "destinations");
    if destinations.is_empty() {
        found.add("destinations", "A channel must have at least one destination");
    }
    super::check_names(destinations, "id", "destinations", found);
    let wanted = pipelines(settings);
    for (index, destination) in destinations.iter().enumerate() {
        for member in ["settings", "srtSettings"] {
            let count = destination[member].as_array().map_or(0, Vec::len);
            if kinds(destination).contains(&member) && count != wanted {
                let class = if wanted == 1 { "SINGLE_PIPELINE" } else { "STANDARD" };
                found.add(
                    format!("destinations[{index}].{member}"),
                    format!("A {class} channel needs exactly {wanted} destination settings, found {count}"),
                );
            }
        }
    }
}
