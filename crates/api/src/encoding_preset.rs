//! `EncodingPreset`: a named encoder setting.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A named encoder setting for Destinations with `delivery: Transcode`, which name it in `spec.encoding`.
///
/// It exists in Kubernetes alone: nothing is made in AWS for it, and it costs nothing.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "playout.dev",
    version = "v1alpha1",
    kind = "EncodingPreset",
    namespaced,
    status = "EncodingPresetStatus",
    derive = "PartialEq",
    doc = "A named encoder setting (size, frame rate, bitrate, keyframes, sound) for Destinations with delivery Transcode. 1080p60, 1080p30, 720p60, 720p30 and 480p30 exist without an object.",
    shortname = "preset",
    category = "playout",
    validation = Rule::new("!(self.metadata.name in ['1080p60', '1080p30', '720p60', '720p30', '480p30'])").message("metadata.name must not be that of a built-in preset (1080p60, 1080p30, 720p60, 720p30, 480p30), which exists without an object: choose another one, as in 1080p60-high"),
    printcolumn(
        name = "Encoding",
        type_ = "string",
        json_path = ".status.encoding",
        description = "What is encoded, in one line."
    ),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Users",
        type_ = "integer",
        json_path = ".status.usedByCount",
        priority = 1i32,
        description = "How many Destinations use it."
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1i32
    )
)]
#[x_kube(
    validation = Rule::new("self.width % 2 == 0").message("width must be even, as in 1280: H.264 halves it for the colours").field_path(".width"),
    validation = Rule::new("self.height % 2 == 0").message("height must be even, as in 720: H.264 halves it for the colours").field_path(".height"),
    validation = Rule::new("self.width * self.height <= 3840 * 2160").message("width and height must not come to more pixels than 3840x2160: lower one of them").field_path(".width"),
    validation = Rule::new("self.profile != 'Baseline' || !has(self.bFrames) || self.bFrames == 0").message("bFrames must be 0 or absent with profile Baseline, which has no B-frames; or set profile: Main").field_path(".bFrames")
)]
#[serde(rename_all = "camelCase")]
pub struct EncodingPresetSpec {
    /// Width of the picture in pixels, 320 to 3840, even. Example: `1920`.
    #[schemars(range(min = 320, max = 3840))]
    pub width: i32,
    /// Height of the picture in lines, 180 to 3840, even. MediaLive takes horizontal programmes only, so that a picture that is
    /// higher than wide has bars above and below the programme. Example: `1080`.
    #[schemars(range(min = 180, max = 3840))]
    pub height: i32,
    /// Frames in a second, in quotes: `"23.976"`, `"24"`, `"25"`, `"29.97"`, `"30"`, `"50"`, `"59.94"` or `"60"`. It also
    /// chooses the price: AWS bills up to 30 and above 30.
    #[schemars(schema_with = "super::text::frame_rate")]
    pub frame_rate: String,
    /// Bitrate of the video in kbit/s, constant, 100 to 51000. The sound comes on top. Example: `6000`.
    #[schemars(range(min = 100, max = 51_000))]
    pub video_bitrate_kbps: i32,
    /// From one keyframe to the next, in seconds, 1 to 4, to the millisecond. Default: 2, which all platforms ask for but X (3).
    /// Example: `1.92`, which is 48 frames at 25 in a second.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 4))]
    pub gop_seconds: f64,
    /// H.264 profile: `Baseline`, `Main` or `High` (default). The level follows from size, frame rate and bitrate.
    #[serde(default)]
    pub profile: Profile,
    /// B-frames between two reference frames, 0 to 7. Default: 2, or 0 with profile `Baseline`, which has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 7))]
    pub b_frames: Option<i32>,
    /// The sound, as AAC-LC. Default: 128 kbit/s, 48000 Hz, stereo.
    #[serde(default)]
    pub audio: AudioSpec,
}

/// H.264 profile.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Profile {
    /// Without B-frames, for very old players.
    Baseline,
    /// For old players.
    Main,
    /// The best picture for a bitrate.
    #[default]
    High,
}

/// The sound, as AAC-LC.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[x_kube(
    // MediaLive User Guide, "Supported sampling rate and bitrate for AAC output", profile LC: 1.0 takes 56 to 256 at 44100 Hz and
    // 56 to 288 at 48000 Hz, 2.0 takes 96 to 512 and 64 to 576.
    validation = Rule::new("self.bitrateKbps in [64, 80, 96, 112, 128, 160, 192, 224, 256, 288, 320]").message("bitrateKbps must be one of 64, 80, 96, 112, 128, 160, 192, 224, 256, 288 and 320: AAC has no others").field_path(".bitrateKbps"),
    validation = Rule::new("self.sampleRateHz in [44100, 48000]").message("sampleRateHz must be 44100 or 48000: the platforms take no others").field_path(".sampleRateHz"),
    validation = Rule::new("self.channels != 'Mono' || self.bitrateKbps <= (self.sampleRateHz == 48000 ? 288 : 256)").message("bitrateKbps must be at most 288 at 48000 Hz and 256 at 44100 Hz for channels: Mono, because AAC takes no more").field_path(".bitrateKbps"),
    validation = Rule::new("self.channels != 'Stereo' || self.sampleRateHz != 44100 || self.bitrateKbps >= 96").message("bitrateKbps must be at least 96 at 44100 Hz for channels: Stereo, because AAC takes no less: raise it, or set sampleRateHz to 48000").field_path(".bitrateKbps")
)]
#[serde(rename_all = "camelCase")]
pub struct AudioSpec {
    /// Bitrate in kbit/s: 64, 80, 96, 112, 128 (default), 160, 192, 224, 256, 288 or 320. In stereo at 44100 Hz at least 96; in
    /// mono at most 288 at 48000 Hz and 256 at 44100 Hz.
    #[serde(default = "hundred_and_twenty_eight")]
    #[schemars(range(min = 64, max = 320))]
    pub bitrate_kbps: i32,
    /// Sample rate in Hz: 48000 (default) or 44100.
    #[serde(default = "forty_eight_thousand")]
    #[schemars(range(min = 44_100, max = 48_000))]
    pub sample_rate_hz: i32,
    /// `Stereo` (default) or `Mono`.
    #[serde(default)]
    pub channels: Channels,
}

/// How many channels the sound has.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Channels {
    /// One.
    Mono,
    /// Two.
    #[default]
    Stereo,
}

fn two() -> f64 {
    2.0
}
fn hundred_and_twenty_eight() -> i32 {
    128
}
fn forty_eight_thousand() -> i32 {
    48_000
}

impl Default for AudioSpec {
    fn default() -> Self {
        Self {
            bitrate_kbps: hundred_and_twenty_eight(),
            sample_rate_hz: forty_eight_thousand(),
            channels: Channels::default(),
        }
    }
}

/// What was observed of an `EncodingPreset`.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncodingPresetStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`, `Reconciling` and `Stalled` as kstatus defines them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_string()]))]
    pub conditions: Vec<Condition>,
    /// What is encoded, in one line. Example: `1920x1080 at 30 fps, 4500 kbit/s H.264 High, keyframe 2 s, AAC 128 kbit/s 48 kHz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The platforms that take it, as `spec.platform` of a Destination names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// The Destinations of this namespace that use it, as `Destination/name`, in alphabetical order, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
    /// How many Destinations use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by_count: Option<i32>,
    /// The value of the annotation `playout.dev/reconcile-at` that was acted upon last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}
