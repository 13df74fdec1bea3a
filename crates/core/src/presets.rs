//! The encoding presets: those that exist without an object, and how `spec.encoding` is looked up.

use crate::api::destination::Platform;
use crate::api::encoding_preset::EncodingPresetSpec;
use crate::encoding::{Audio, Channels, Encoding, Framerate, Level, Profile};
use crate::failure::Problem;
use crate::platforms;
use crate::reasons::Reason;

/// The built-in presets, largest first. No object may bear one of these names.
pub const BUILT_IN: [&str; 5] = ["1080p60", "1080p30", "720p60", "720p30", "480p30"];

/// What is taken when nothing is named. Every platform takes it, and Amazon IVS.
pub const DEFAULT: &str = "1080p30";

/// What `spec.encoding` came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resolved {
    /// Name of the preset.
    pub name: String,
    /// What is encoded.
    pub encoding: Encoding,
    /// What the platform takes and advises against, a sentence each.
    pub warnings: Vec<String>,
}

/// A built-in preset by name.
///
/// The bitrates of 720p and 1080p are those of Twitch's broadcasting guidelines (help.twitch.tv, "Broadcasting Guidelines"):
/// the lowest that a platform asks for, so that every other one takes them too. All lie in Meta's ranges (live video API,
/// "Recommended Settings"), which has 600 to 2000 kbit/s for 480p; 1200 leaves room for the sound in the 1.5 Mbit/s of an IVS
/// channel of type BASIC. A keyframe every 2 s, two B-frames, AAC-LC 128 kbit/s at 48 kHz in stereo: what all of them ask for.
#[must_use]
pub fn built_in(name: &str) -> Option<Encoding> {
    let (width, height, frames, kbps) = match name {
        "1080p60" => (1920, 1080, 60, 6_000),
        "1080p30" => (1920, 1080, 30, 4_500),
        "720p60" => (1280, 720, 60, 4_500),
        "720p30" => (1280, 720, 30, 3_000),
        "480p30" => (854, 480, 30, 1_200),
        _ => return None,
    };
    let audio = Audio { bitrate: 128_000, sample_rate: 48_000, channels: Channels::Stereo };
    Some(encoding(width, height, Framerate::whole(frames), kbps, Profile::High, 2000, 2, audio))
}

/// A built-in preset as a platform recommends it.
///
/// Only YouTube differs: it transcodes for its viewers and asks for more than it sends on (Google help 2853702: 12 Mbit/s for
/// 1080p60, 6 for 720p60, 4 for 720p30). `1080p30` is the same everywhere, because it is the one that must be predictable.
#[must_use]
pub fn for_platform(name: &str, platform: Platform) -> Option<Encoding> {
    let general = built_in(name)?;
    let kbps = match (platform, name) {
        (Platform::YouTube, "1080p60") => 12_000,
        (Platform::YouTube, "720p60") => 6_000,
        (Platform::YouTube, "720p30") => 4_000,
        _ => return Some(general),
    };
    let Encoding { width, height, framerate, profile, gop_milliseconds, b_frames, audio, .. } = general;
    Some(encoding(width, height, framerate, kbps, profile, gop_milliseconds, b_frames, audio))
}

/// Parses the spec of an `EncodingPreset`.
///
/// # Errors
/// What the rules of the CRD refuse too: an object may be older than they are.
pub fn parse(spec: &EncodingPresetSpec) -> Result<Encoding, Problem> {
    let Some(framerate) = Framerate::parse(&spec.frame_rate) else {
        let known = Framerate::KNOWN.map(|(name, _)| name).join(", ");
        return Err(Problem::new(Reason::InvalidSpec, format!("spec.frameRate must be one of {known}.")));
    };
    let baseline = spec.profile == Profile::Baseline;
    if baseline && spec.b_frames.is_some_and(|frames| frames != 0) {
        return Err(Problem::new(
            Reason::InvalidSpec,
            "spec.bFrames must be 0 or absent with profile Baseline, which has no B-frames; or set profile: Main.",
        ));
    }
    Ok(encoding(
        spec.width,
        spec.height,
        framerate,
        spec.video_bitrate_kbps,
        spec.profile,
        milliseconds(spec.gop_seconds),
        if baseline { 0 } else { spec.b_frames.unwrap_or(2) },
        Audio {
            bitrate: spec.audio.bitrate_kbps.saturating_mul(1000),
            sample_rate: spec.audio.sample_rate_hz,
            channels: spec.audio.channels,
        },
    ))
}

/// What `spec.encoding` of a Destination for `platform` comes to; `None` is the default. `find` looks for an object of the
/// Destination's namespace.
///
/// # Errors
/// There is no such preset, it cannot be understood, or the platform does not take it.
pub fn resolve(
    name: Option<&str>,
    platform: Platform,
    find: impl Fn(&str) -> Option<Result<EncodingPresetSpec, Problem>>,
) -> Result<Resolved, Problem> {
    let name = name.unwrap_or(DEFAULT);
    let encoding = match (for_platform(name, platform), find(name)) {
        (Some(encoding), _) => encoding,
        (None, Some(spec)) => spec.and_then(|spec| parse(&spec)).map_err(|problem| {
            Problem::new(problem.reason, format!("spec.encoding: EncodingPreset {name}: {}", problem.message))
        })?,
        (None, None) => {
            return Err(Problem::new(
                Reason::PresetNotFound,
                format!(
                    "spec.encoding: there is no EncodingPreset {name} in this namespace; the built-in ones are {}. Choose one of them, or create the object.",
                    BUILT_IN.join(", ")
                ),
            ));
        }
    };
    let mut warnings = platforms::check(platform, name, &encoding)?;
    warnings.extend(upright(&encoding));
    Ok(Resolved { name: name.to_string(), encoding, warnings })
}

/// What is to be said of a picture that is higher than wide (MediaLive user guide, "Supported inputs": the video of an input is
/// horizontal).
#[must_use]
pub fn upright(encoding: &Encoding) -> Option<String> {
    let Encoding { width, height, .. } = encoding;
    (height > width).then(|| {
        format!(
            "{width}x{height} is higher than wide, and MediaLive takes horizontal programmes only: it has bars above and below; for a picture without bars swap width and height, or send a vertical programme with delivery Passthrough."
        )
    })
}

/// The CRD takes 1 to 4; a float has no other end.
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn milliseconds(seconds: f64) -> i32 {
    (seconds * 1000.0).round() as i32
}

#[expect(clippy::too_many_arguments, reason = "the parts of an encoding from which the others follow")]
fn encoding(
    width: i32,
    height: i32,
    framerate: Framerate,
    kbps: i32,
    profile: Profile,
    gop_milliseconds: i32,
    b_frames: i32,
    audio: Audio,
) -> Encoding {
    let video_bitrate = kbps.saturating_mul(1000);
    Encoding {
        width,
        height,
        framerate,
        video_bitrate,
        buffer_size: video_bitrate,
        gop_milliseconds,
        b_frames,
        profile,
        level: Level::least(profile, width, height, framerate, video_bitrate),
        audio,
    }
}

#[cfg(test)]
mod tests;
