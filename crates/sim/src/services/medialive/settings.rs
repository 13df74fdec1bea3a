//! The settings of a channel as requests give them: where in them things stand, and what the service takes for those that are
//! not given.

use serde_json::{Map, Value};

/// What the service takes for the members of RTMP groups and outputs that are not given.
pub(super) const CACHE_LENGTH: u64 = 30;
pub(super) const RESTART_DELAY: u64 = 15;
pub(super) const RETRY_INTERVAL: u64 = 2;
pub(super) const RETRIES: u64 = 10;

/// One kind of output group.
pub(super) struct Kind {
    pub(super) group: &'static str,
    pub(super) output: &'static str,
    /// Whether the destination is named by the output, and not by the group.
    pub(super) at_output: bool,
    /// How its URLs may begin; none: its destinations have no URL.
    pub(super) schemes: &'static [&'static str],
}

const WEB: &[&str] = &["http://", "https://"];
const S3: &[&str] = &["s3://", "s3ssl://"];
pub(super) const KINDS: [Kind; 9] = [
    kind("archiveGroupSettings", "archiveOutputSettings", false, S3),
    kind("frameCaptureGroupSettings", "frameCaptureOutputSettings", false, &["s3ssl://"]),
    kind(
        "hlsGroupSettings",
        "hlsOutputSettings",
        false,
        &["http://", "https://", "s3://", "s3ssl://", "mediastoressl://"],
    ),
    kind("mediaPackageGroupSettings", "mediaPackageOutputSettings", false, &[]),
    kind("msSmoothGroupSettings", "msSmoothOutputSettings", false, WEB),
    kind("rtmpGroupSettings", "rtmpOutputSettings", true, &["rtmp://", "rtmps://"]),
    kind("udpGroupSettings", "udpOutputSettings", true, &["udp://", "rtp://"]),
    kind("cmafIngestGroupSettings", "cmafIngestOutputSettings", false, WEB),
    kind("srtGroupSettings", "srtOutputSettings", true, &[]),
];

const fn kind(group: &'static str, output: &'static str, at_output: bool, schemes: &'static [&'static str]) -> Kind {
    Kind { group, output, at_output, schemes }
}

/// The id of the destination that an output goes to, and where in the request it is named.
pub(super) fn reference<'a>(group: &'a Value, output: &'a Value) -> (&'a str, String) {
    let of_group = given(&group["outputGroupSettings"]);
    let kind = KINDS.iter().find(|kind| of_group.iter().any(|(member, _)| *member == kind.group));
    let Some(kind) = kind else { return ("", String::new()) };
    let (member, settings) = match kind.at_output {
        true => (format!("outputSettings.{}", kind.output), &output["outputSettings"][kind.output]),
        false => (format!("outputGroupSettings.{}", kind.group), &group["outputGroupSettings"][kind.group]),
    };
    let id = settings["destination"]["destinationRefId"].as_str().unwrap_or_default();
    (id, format!("{member}.destination.destinationRefId"))
}

/// Bits a second that an output has by its settings.
pub(super) fn bitrate(settings: &Map<String, Value>, output: &Value) -> u64 {
    let of = |description: &Value| -> u64 {
        let codec = description["codecSettings"].as_object().and_then(|codecs| codecs.values().next());
        let bitrate = codec.and_then(|codec| codec["bitrate"].as_f64().or(codec["maxBitrate"].as_f64()));
        bitrate.unwrap_or_default() as u64
    };
    let videos = encoder_list(settings, "videoDescriptions").iter();
    let video = videos.filter(|description| description["name"] == output["videoDescriptionName"]).map(of);
    let taken = output["audioDescriptionNames"].as_array().map(Vec::as_slice).unwrap_or_default();
    let audios = encoder_list(settings, "audioDescriptions").iter();
    let audio = audios.filter(|description| taken.contains(&description["name"])).map(of);
    video.chain(audio).sum()
}

/// Width and height of an output's picture. Without a word about it that is the input's, which is full HD here.
pub(super) fn size(settings: &Map<String, Value>, output: &Value) -> (u64, u64) {
    let mut videos = encoder_list(settings, "videoDescriptions").iter();
    let video = videos.find(|description| description["name"] == output["videoDescriptionName"]);
    let of = |member: &str, or: u64| video.and_then(|video| video[member].as_u64()).unwrap_or(or);
    (of("width", 1920), of("height", 1080))
}

/// A list in the encoder settings.
pub(super) fn encoder_list<'a>(settings: &'a Map<String, Value>, member: &str) -> &'a [Value] {
    let encoder = settings.get("encoderSettings").and_then(|encoder| encoder.get(member));
    encoder.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The members of an object that are given.
pub(super) fn given(value: &Value) -> Vec<(&String, &Value)> {
    value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).collect()
}

/// Whether a union has one member.
pub(super) fn one(union: &Value) -> Option<(&str, &Value)> {
    match given(union)[..] {
        [(member, value)] => Some((member.as_str(), value)),
        _ => None,
    }
}
