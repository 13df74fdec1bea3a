//! What the platforms take of an encoder, and what they advise.

use crate::api::destination::Platform;
use crate::encoding::{Encoding, Framerate, seconds};
use crate::failure::Problem;
use crate::presets;
use crate::reasons::Reason;

/// The most of everything; `None`: nothing is known.
#[derive(Clone, Copy, Debug)]
struct Limits {
    video_kbps: Option<i32>,
    audio_kbps: Option<i32>,
    /// Video and audio together.
    total_kbps: Option<i32>,
    frames: Option<i32>,
    /// The longer and the shorter side.
    size: Option<(i32, i32)>,
    gop_milliseconds: Option<i32>,
}

const UNKNOWN: Limits =
    Limits { video_kbps: None, audio_kbps: None, total_kbps: None, frames: None, size: None, gop_milliseconds: None };

/// Google help 2853702 and Meta's live video API: "do not exceed 4 seconds". Amazon IVS: never above 5. Nobody promises more.
const ANY: Limits = Limits { gop_milliseconds: Some(4000), ..UNKNOWN };

/// Amazon IVS streaming configuration, channels of type STANDARD and ADVANCED: 8.5 Mbit/s with the sound, 60 fps, 1080p; a
/// stream above that is disconnected.
const IVS: Limits = Limits { total_kbps: Some(8_500), frames: Some(60), size: Some((1920, 1080)), ..ANY };

/// What the platform refuses.
fn refused(platform: Platform, encoding: &Encoding) -> Limits {
    match platform {
        // OBS: video up to 51 Mbit/s. Google help 2853702: up to 60 fps.
        Platform::YouTube => Limits { video_kbps: Some(51_000), frames: Some(60), ..ANY },
        // Twitch broadcasting guidelines: 6000 kbit/s, 60 fps. OBS: audio up to 320.
        Platform::Twitch => Limits { video_kbps: Some(6_000), audio_kbps: Some(320), frames: Some(60), ..ANY },
        // Meta live video API, "Recommended Settings": AAC up to 256 kbit/s ("do not exceed"), 1080p60 the largest.
        Platform::Facebook => Limits {
            video_kbps: Some(facebook_kbps(encoding)),
            audio_kbps: Some(256),
            frames: Some(60),
            size: Some((1920, 1080)),
            ..ANY
        },
        // SyncWords' guide for LinkedIn Live: 1080p, 30 fps; 6 Mbit/s is the most that guides name.
        Platform::LinkedIn => Limits { video_kbps: Some(6_000), frames: Some(30), size: Some((1920, 1080)), ..ANY },
        // OBS: 12 Mbit/s, 60 fps.
        Platform::X => Limits { video_kbps: Some(12_000), frames: Some(60), ..ANY },
        // Kick is Amazon IVS and tells its streamers 8000 kbit/s.
        Platform::Kick => Limits { video_kbps: Some(8_000), ..IVS },
        // Restream hands on to others, and a receiver of one's own takes what it takes.
        Platform::Restream | Platform::Custom => ANY,
    }
}

/// Meta live video API, "Recommended Settings": the upper end of the range of each size and frame rate.
fn facebook_kbps(encoding: &Encoding) -> i32 {
    let (_, lines) = sides(encoding);
    match (lines, encoding.framerate.exceeds(30)) {
        (721.., true) => 9_000,
        (721.., false) | (481..=720, true) => 6_000,
        (481..=720, false) => 4_000,
        // Meta names 30 fps only.
        (361..=480, _) => 2_000,
        (..=360, _) => 1_000,
    }
}

/// What the platform advises.
fn advised(platform: Platform) -> Limits {
    let two_seconds = Limits { gop_milliseconds: Some(2000), ..UNKNOWN };
    match platform {
        // OBS: audio up to 160 kbit/s.
        Platform::YouTube => Limits { audio_kbps: Some(160), ..two_seconds },
        // Twitch broadcasting guidelines: up to 1080p60 (more is for its own encoder), audio up to 160 kbit/s.
        Platform::Twitch => Limits { audio_kbps: Some(160), size: Some((1920, 1080)), ..two_seconds },
        Platform::Facebook | Platform::LinkedIn | Platform::Kick | Platform::Restream => two_seconds,
        // OBS: a keyframe every 3 s, audio up to 128 kbit/s.
        Platform::X => Limits { gop_milliseconds: Some(3000), audio_kbps: Some(128), ..UNKNOWN },
        Platform::Custom => UNKNOWN,
    }
}

/// Whether the platform takes the encoding of that name, and what it advises against.
///
/// # Errors
/// What it does not take, its limit, and a preset that it takes.
pub fn check(platform: Platform, name: &str, encoding: &Encoding) -> Result<Vec<String>, Problem> {
    if let Some(excess) = excesses(&refused(platform, encoding), encoding).into_iter().next() {
        let Excess { fact, limit, unit } = excess;
        let at = match platform {
            Platform::Facebook if fact.ends_with("of video") => {
                format!(" at {}x{} and {} fps", encoding.width, encoding.height, encoding.framerate)
            }
            _ => String::new(),
        };
        let choose = alternative(platform, encoding).map(|name| format!("{name} or ")).unwrap_or_default();
        return Err(Problem::new(
            Reason::PresetNotTaken,
            format!(
                "spec.encoding: {name} {fact}; {} takes at most {limit}{at}. Choose {choose}an EncodingPreset with at most {limit}{unit}.",
                called(platform)
            ),
        ));
    }
    let mut warnings: Vec<_> = excesses(&advised(platform), encoding)
        .into_iter()
        .map(|Excess { fact, limit, .. }| format!("{name} {fact}; {} recommends at most {limit}.", called(platform)))
        .collect();
    let (width, height) = (encoding.width, encoding.height);
    // 854x480 and 852x480 are what 16:9 comes to in even numbers.
    if platform == Platform::LinkedIn && (width * 9 - height * 16).abs() > 32 {
        warnings.push(format!("{name} is {width}x{height}; LinkedIn shows 16:9."));
    }
    Ok(warnings)
}

/// Something that is more than a limit.
struct Excess {
    fact: String,
    limit: String,
    unit: &'static str,
}

fn excesses(limits: &Limits, encoding: &Encoding) -> Vec<Excess> {
    let mut found = Vec::new();
    let mut add = |fact: String, limit: String, unit| found.push(Excess { fact, limit, unit });
    let (long, short) = sides(encoding);
    if let Some((most_long, most_short)) = limits.size
        && (long > most_long || short > most_short)
    {
        let Encoding { width, height, .. } = encoding;
        add(format!("is {width}x{height}"), format!("{most_long}x{most_short}"), "");
    }
    if let Some(most) = limits.frames.filter(|most| encoding.framerate.exceeds(*most)) {
        add(format!("has {} fps", encoding.framerate), most.to_string(), " fps");
    }
    if let Some(most) = limits.gop_milliseconds.filter(|most| encoding.gop_milliseconds > *most) {
        add(format!("has a keyframe every {} s", seconds(encoding.gop_milliseconds)), seconds(most), " s");
    }
    let (video, audio) = (encoding.video_bitrate, encoding.audio.bitrate);
    for (bits, most, of) in [
        (video, limits.video_kbps, "video"),
        (audio, limits.audio_kbps, "audio"),
        (video.saturating_add(audio), limits.total_kbps, "video and audio"),
    ] {
        if let Some(most) = most.filter(|most| bits > most.saturating_mul(1000)) {
            add(format!("sends {} kbit/s of {of}", bits / 1000), most.to_string(), "");
        }
    }
    found
}

fn sides(encoding: &Encoding) -> (i32, i32) {
    (encoding.width.max(encoding.height), encoding.width.min(encoding.height))
}

/// The largest built-in preset that the platform takes and that has no more lines and frames than was asked for.
fn alternative(platform: Platform, encoding: &Encoding) -> Option<&'static str> {
    let (_, lines) = sides(encoding);
    let Framerate { numerator, denominator } = encoding.framerate;
    // Whoever wants 29.97 finds 30 near enough.
    let frames = numerator / denominator.max(1) + i32::from(denominator > 1);
    presets::BUILT_IN.into_iter().find(|name| {
        presets::for_platform(name, platform).is_some_and(|other| {
            other.height <= lines
                && !other.framerate.exceeds(frames)
                && excesses(&refused(platform, &other), &other).is_empty()
        })
    })
}

fn called(platform: Platform) -> String {
    match platform {
        Platform::Custom => "a receiver".into(),
        known => format!("{known:?}"),
    }
}
