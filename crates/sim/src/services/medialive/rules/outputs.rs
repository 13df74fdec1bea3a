//! The output groups of a channel and where they go.

use serde_json::{Map, Value};

use super::super::settings::{KINDS, Kind, encoder_list, given, reference};
use super::super::{list, unprocessable};
use super::{Violations, destinations};
use crate::error::ApiError;

/// The one member of a union that is given.
fn only<'a>(union: &'a Value, what: &str, known: impl Iterator<Item = &'static str>) -> Result<&'a str, ApiError> {
    match given(union)[..] {
        [(member, _)] => Ok(member.as_str()),
        _ => {
            let known: Vec<&str> = known.collect();
            Err(unprocessable(format!("{what} must contain exactly one property: {}", known.join(", "))))
        }
    }
}

/// The service refuses this before it looks at anything else, in one sentence.
pub(super) fn check_kinds(settings: &Map<String, Value>) -> Result<(), ApiError> {
    for group in encoder_list(settings, "outputGroups") {
        let of_group = only(&group["outputGroupSettings"], "OutputGroupSettings", KINDS.iter().map(|kind| kind.group))?;
        if !KINDS.iter().any(|kind| kind.group == of_group) {
            return Err(ApiError::not_simulated(&format!("output groups with {of_group}")));
        }
        for output in group["outputs"].as_array().into_iter().flatten() {
            only(&output["outputSettings"], "OutputSettings", KINDS.iter().map(|kind| kind.output))?;
        }
    }
    Ok(())
}

pub(super) fn check(settings: &Map<String, Value>, found: &mut Violations) {
    let groups = encoder_list(settings, "outputGroups");
    if groups.is_empty() {
        found.add("outputGroups", "A channel must have at least one output group");
    }
    let mut used = Vec::new();
    let mut seen = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let path = format!("outputGroups[{index}]");
        let of_group = given(&group["outputGroupSettings"]);
        let Some(kind) = KINDS.iter().find(|kind| of_group.iter().any(|(member, _)| *member == kind.group)) else {
            continue;
        };
        let outputs = group["outputs"].as_array().map(Vec::as_slice).unwrap_or_default();
        if outputs.is_empty() {
            found.add(format!("{path}.outputs"), "An output group must have at least one output");
        }
        if kind.group == "rtmpGroupSettings" && outputs.len() > 1 {
            found.add(format!("{path}.outputs"), "An RTMP output group must have exactly one output");
        }
        if !kind.at_output {
            let (id, member) = reference(group, &Value::Null);
            check_reference(settings, kind, id, format!("{path}.{member}"), &mut used, found);
        }
        for (index, output) in outputs.iter().enumerate() {
            let path = format!("{path}.outputs[{index}]");
            check_output(settings, kind, output, &path, found);
            if let Some(name) = output["outputName"].as_str() {
                if seen.contains(&name) {
                    found.add(format!("{path}.outputName"), format!("The name \"{name}\" is not unique"));
                }
                seen.push(name);
            }
            if kind.at_output {
                let (id, member) = reference(group, output);
                check_reference(settings, kind, id, format!("{path}.{member}"), &mut used, found);
            }
        }
    }
}

/// A destination that is named must be there, be of the right kind, and serve nothing else.
fn check_reference<'a>(
    settings: &'a Map<String, Value>,
    kind: &Kind,
    id: &'a str,
    path: String,
    used: &mut Vec<&'a str>,
    found: &mut Violations,
) {
    let Some(destination) = list(settings, "destinations").iter().find(|destination| destination["id"] == id) else {
        return found.add(path, format!("Destination \"{id}\" does not exist"));
    };
    if used.contains(&id) {
        found.add(&path, format!("Destination \"{id}\" is used more than once"));
    }
    used.push(id);
    let wanted = match kind.group {
        "mediaPackageGroupSettings" => "mediaPackageSettings",
        "srtGroupSettings" => "srtSettings",
        _ => "settings",
    };
    if destinations::kinds(destination) != [wanted] {
        return found.add(path, format!("Destination \"{id}\" must have {wanted}"));
    }
    if wanted != "settings" {
        return;
    }
    for part in destination["settings"].as_array().into_iter().flatten() {
        let url = part["url"].as_str().unwrap_or_default();
        if !kind.schemes.iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) {
            found.add(&path, format!("The url of destination \"{id}\" must begin with {}", kind.schemes.join(" or ")));
        }
        let stream = part["streamName"].as_str().unwrap_or_default();
        if kind.group == "rtmpGroupSettings" && stream.is_empty() {
            found.add(&path, format!("Destination \"{id}\" must have a streamName"));
        }
    }
}

/// An output takes descriptions that are there, and in an RTMP group those that RTMP can carry.
fn check_output(settings: &Map<String, Value>, kind: &Kind, output: &Value, path: &str, found: &mut Violations) {
    if !given(&output["outputSettings"]).iter().any(|(member, _)| *member == kind.output) {
        found.add(format!("{path}.outputSettings"), format!("An output of {} must have {}", kind.group, kind.output));
    }
    let videos = encoder_list(settings, "videoDescriptions");
    let audios = encoder_list(settings, "audioDescriptions");
    let video = output["videoDescriptionName"].as_str();
    let rtmp = kind.group == "rtmpGroupSettings";
    match (video, videos.iter().find(|description| description["name"].as_str() == video)) {
        (None, _) if rtmp => found.add(format!("{path}.videoDescriptionName"), "An RTMP output must have a video"),
        (None, _) => {}
        (Some(name), None) => {
            found.add(format!("{path}.videoDescriptionName"), format!("Video description \"{name}\" does not exist"));
        }
        (Some(name), Some(description)) => {
            if rtmp && description["codecSettings"]["h264Settings"].is_null() {
                found.add(
                    format!("{path}.videoDescriptionName"),
                    format!("Video description \"{name}\" must be H.264 for an RTMP output"),
                );
            }
        }
    }
    let taken = output["audioDescriptionNames"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rtmp && taken.len() > 1 {
        found.add(format!("{path}.audioDescriptionNames"), "An RTMP output can have one audio");
    }
    for (index, name) in taken.iter().enumerate() {
        let path = format!("{path}.audioDescriptionNames[{index}]");
        let name = name.as_str().unwrap_or_default();
        match audios.iter().find(|description| description["name"] == name) {
            None => found.add(path, format!("Audio description \"{name}\" does not exist")),
            Some(description) if rtmp && description["codecSettings"]["aacSettings"].is_null() => {
                found.add(path, format!("Audio description \"{name}\" must be AAC for an RTMP output"));
            }
            Some(_) => {}
        }
    }
}
