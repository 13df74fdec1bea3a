//! What a channel encodes.

use serde_json::{Map, Value};

use super::super::list;
use super::super::settings::encoder_list;
use super::{Violations, codec};

pub(super) fn check(settings: &Map<String, Value>, found: &mut Violations) {
    if settings.get("encoderSettings").is_none_or(Value::is_null) {
        return found.add("encoderSettings", "This member is required");
    }
    let (videos, audios) = (encoder_list(settings, "videoDescriptions"), encoder_list(settings, "audioDescriptions"));
    super::check_names(videos, "name", "videoDescriptions", found);
    super::check_names(audios, "name", "audioDescriptions", found);
    check_use(settings, videos, audios, found);
    for (index, video) in videos.iter().enumerate() {
        let path = format!("videoDescriptions[{index}]");
        for member in ["width", "height"] {
            if video[member].as_i64().is_some_and(|size| size <= 0 || size % 2 != 0) {
                found.add(format!("{path}.{member}"), "This member must be a positive even number");
            }
        }
        codec::check_video(&video["codecSettings"], &format!("{path}.codecSettings"), found);
    }
    for (index, audio) in audios.iter().enumerate() {
        let path = format!("audioDescriptions[{index}]");
        check_selector(settings, audio, &path, found);
        codec::check_audio(&audio["codecSettings"], &format!("{path}.codecSettings"), found);
    }
}

/// Every description is used.
fn check_use(settings: &Map<String, Value>, videos: &[Value], audios: &[Value], found: &mut Violations) {
    let groups = encoder_list(settings, "outputGroups");
    let outputs: Vec<&Value> = groups.iter().filter_map(|group| group["outputs"].as_array()).flatten().collect();
    for (index, video) in videos.iter().enumerate() {
        let name = video["name"].as_str().unwrap_or_default();
        if !outputs.iter().any(|output| output["videoDescriptionName"] == name) {
            let text = format!("Video description \"{name}\" is not referenced by any output");
            found.add(format!("videoDescriptions[{index}]"), text);
        }
    }
    for (index, audio) in audios.iter().enumerate() {
        let name = audio["name"].as_str().unwrap_or_default();
        let takes = |output: &Value| {
            output["audioDescriptionNames"].as_array().is_some_and(|names| names.iter().any(|taken| taken == name))
        };
        if !outputs.iter().copied().any(takes) {
            let text = format!("Audio description \"{name}\" is not referenced by any output");
            found.add(format!("audioDescriptions[{index}]"), text);
        }
    }
}

/// An audio comes from a selector, and every input has it.
fn check_selector(settings: &Map<String, Value>, audio: &Value, path: &str, found: &mut Violations) {
    let selector = audio["audioSelectorName"].as_str().unwrap_or_default();
    for (index, attachment) in list(settings, "inputAttachments").iter().enumerate() {
        let selectors = attachment["inputSettings"]["audioSelectors"].as_array().map(Vec::as_slice);
        if !super::names(selectors.unwrap_or_default(), "name").any(|name| name == selector) {
            let text = format!("Audio selector \"{selector}\" does not exist in inputAttachments[{index}]");
            found.add(format!("{path}.audioSelectorName"), text);
        }
    }
}
