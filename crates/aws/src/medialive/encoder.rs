//! Encoder settings: from an [`Encoding`] and back.
//!
//! Each setting that we make is written in one place, [`impose`], and serves both ways. A request is our settings imposed on
//! nothing. A channel that AWS describes encodes what we say when our settings, imposed on its own, change nothing: what AWS
//! fills in on its own account makes no difference, and no setting of ours can be forgotten in the comparison.
//!
//! Values: facts of MediaLive's API model, and what RTMP platforms ask for (keyframes at a strict distance, a buffer of one
//! second at most).

use std::collections::BTreeMap;

use aws_sdk_medialive::types as sdk;
use playout_core::encoding::{Audio, Channels, Encoding, Framerate, Level, Profile};
use playout_core::resources::channel::{Difference, EncodingName, OutputGroup, OutputName, Part};

use super::groups;

/// Names of the video and the audio description of [`EncodingName::main`]; those of others have the name behind them.
const VIDEO: &str = "video";
const AUDIO: &str = "audio";
/// Name of the audio selector of the input: the first track.
pub const SELECTOR: &str = "default";

const LEVELS: [(Level, sdk::H264Level); 9] = [
    (Level::L3, sdk::H264Level::H264Level3),
    (Level::L3_1, sdk::H264Level::H264Level31),
    (Level::L3_2, sdk::H264Level::H264Level32),
    (Level::L4, sdk::H264Level::H264Level4),
    (Level::L4_1, sdk::H264Level::H264Level41),
    (Level::L4_2, sdk::H264Level::H264Level42),
    (Level::L5, sdk::H264Level::H264Level5),
    (Level::L5_1, sdk::H264Level::H264Level51),
    (Level::L5_2, sdk::H264Level::H264Level52),
];

const PROFILES: [(Profile, sdk::H264Profile); 3] = [
    (Profile::Baseline, sdk::H264Profile::Baseline),
    (Profile::Main, sdk::H264Profile::Main),
    (Profile::High, sdk::H264Profile::High),
];

const CHANNELS: [(Channels, sdk::AacCodingMode); 2] =
    [(Channels::Mono, sdk::AacCodingMode::CodingMode10), (Channels::Stereo, sdk::AacCodingMode::CodingMode20)];

fn theirs<Ours: Copy + PartialEq, Theirs: Clone>(table: &[(Ours, Theirs)], ours: Ours) -> Option<Theirs> {
    table.iter().find(|row| row.0 == ours).map(|row| row.1.clone())
}

fn ours<Ours: Copy, Theirs: PartialEq>(table: &[(Ours, Theirs)], theirs: Option<&Theirs>) -> Option<Ours> {
    table.iter().find(|row| Some(&row.1) == theirs).map(|row| row.0)
}

/// What is encoded, by name.
pub type Encodings = BTreeMap<EncodingName, Encoding>;
/// Where it is sent to, by name.
pub type Outputs = BTreeMap<OutputName, OutputGroup>;

/// Name of the video description of an encoding.
pub fn video_name(encoding: &EncodingName) -> String {
    described(VIDEO, encoding)
}

/// Name of its audio description.
pub fn audio_name(encoding: &EncodingName) -> String {
    described(AUDIO, encoding)
}

fn described(what: &str, encoding: &EncodingName) -> String {
    if *encoding == EncodingName::main() { what.into() } else { format!("{what}-{}", encoding.as_str()) }
}

/// The encoding whose video description has this name; `None`: it is none of ours.
pub fn encoding_name(video: &str) -> Option<EncodingName> {
    encoding_of(VIDEO, video)
}

fn encoding_of(what: &str, name: &str) -> Option<EncodingName> {
    match name.strip_prefix(what)? {
        "" => Some(EncodingName::main()),
        rest => rest.strip_prefix('-').map(EncodingName::new),
    }
}

/// What a channel encodes and sends, and what of it is otherwise than anything that we ever ask for.
#[derive(Debug, Default)]
pub struct Found {
    pub encodings: Encodings,
    pub outputs: Outputs,
    pub altered: Vec<Difference>,
}

/// Reads what AWS describes.
pub fn read(settings: &sdk::EncoderSettings, destinations: &[sdk::OutputDestination]) -> Found {
    let mut found = Found::default();
    for video in settings.video_descriptions() {
        let name = video.name().and_then(encoding_name);
        if let Some((name, encoding)) = name.and_then(|name| Some((name.clone(), values(settings, &name)?))) {
            found.encodings.insert(name, encoding);
        }
    }
    let mut ours = settings.clone();
    let is_ours =
        |name: &str| found.encodings.keys().any(|known| [video_name(known), audio_name(known)].contains(&name.into()));
    let of_video = |video: &sdk::VideoDescription| video.name().is_some_and(is_ours);
    let of_audio = |audio: &sdk::AudioDescription| audio.name().is_some_and(is_ours);
    ours.video_descriptions.get_or_insert_default().retain(of_video);
    ours.audio_descriptions.get_or_insert_default().retain(of_audio);
    let mut list = |output: Option<OutputName>, what| found.altered.push(Difference { output, what });
    if ours.video_descriptions().len() != settings.video_descriptions().len()
        || ours.audio_descriptions().len() != settings.audio_descriptions().len()
    {
        list(None, Part::Foreign);
    }
    ours.output_groups = None;
    let mut imposed = ours.clone();
    impose_encodings(&mut imposed, &found.encodings);
    timecode(&mut imposed);
    if imposed != ours {
        list(None, Part::Settings);
    }
    for group in settings.output_groups() {
        let name = OutputName::new(group.name().unwrap_or_default());
        let read = groups::read(group, destinations);
        let mut imposed = group.clone();
        if let Some(read) = &read {
            groups::impose(&mut imposed, &name, read);
        }
        if read.is_none() || imposed != *group {
            list(Some(name.clone()), Part::Settings);
        }
        found.outputs.extend(read.map(|read| (name, read)));
    }
    found
}

/// The values that an [`Encoding`] has.
fn values(settings: &sdk::EncoderSettings, name: &EncodingName) -> Option<Encoding> {
    let (video, audio) = (video_name(name), audio_name(name));
    let video = settings.video_descriptions().iter().find(|found| found.name() == Some(&video))?;
    let audio = settings.audio_descriptions().iter().find(|found| found.name() == Some(&audio))?;
    let h264 = video.codec_settings()?.h264_settings()?;
    let aac = audio.codec_settings()?.aac_settings()?;
    Some(Encoding {
        width: video.width()?,
        height: video.height()?,
        framerate: Framerate { numerator: h264.framerate_numerator()?, denominator: h264.framerate_denominator()? },
        video_bitrate: h264.bitrate()?,
        buffer_size: h264.buf_size()?,
        gop_milliseconds: whole(h264.gop_size()? * 1000.0),
        b_frames: h264.gop_num_b_frames()?,
        profile: ours(&PROFILES, h264.profile())?,
        level: ours(&LEVELS, h264.level())?,
        audio: Audio {
            bitrate: whole(aac.bitrate()?),
            sample_rate: whole(aac.sample_rate()?),
            channels: ours(&CHANNELS, aac.coding_mode())?,
        },
    })
}

/// Rounded. A value that is none of ours is found out by writing it again.
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn whole(value: f64) -> i32 {
    value.round() as i32
}

/// Writes each setting that is ours. What is not ours goes, or stays as it is, byte for byte, where it was there before
/// (`keeps_foreign`).
pub fn impose(settings: &mut sdk::EncoderSettings, encodings: &Encodings, outputs: &Outputs, keeps_foreign: bool) {
    let groups = settings.output_groups.get_or_insert_default();
    let is_left = |name: &OutputName| outputs.contains_key(name) || keeps_foreign && !name.is_ours();
    groups.retain(|group| is_left(&OutputName::new(group.name().unwrap_or_default())));
    for (name, wish) in outputs {
        let group = one(groups, |group| group.name() == Some(name.as_str()), || sdk::OutputGroup::builder().build());
        groups::impose(group, name, wish);
    }
    if !keeps_foreign {
        timecode(settings);
    }
    let is_left = |name: Option<&str>, of: &str| match name.and_then(|name| encoding_of(of, name)) {
        Some(encoding) => encodings.contains_key(&encoding) || keeps_foreign && !encoding.is_ours(),
        None => keeps_foreign,
    };
    settings.video_descriptions.get_or_insert_default().retain(|found| is_left(found.name(), VIDEO));
    settings.audio_descriptions.get_or_insert_default().retain(|found| is_left(found.name(), AUDIO));
    impose_encodings(settings, encodings);
}

fn timecode(settings: &mut sdk::EncoderSettings) {
    let timecode = settings.timecode_config.get_or_insert_with(|| sdk::TimecodeConfig::builder().build());
    timecode.source = Some(sdk::TimecodeConfigSource::Systemclock);
}

fn impose_encodings(settings: &mut sdk::EncoderSettings, encodings: &Encodings) {
    let (videos, audios) =
        (settings.video_descriptions.get_or_insert_default(), settings.audio_descriptions.get_or_insert_default());
    for (name, encoding) in encodings {
        let (of_video, of_audio) = (video_name(name), audio_name(name));
        let described =
            one(videos, |found| found.name() == Some(&of_video), || sdk::VideoDescription::builder().build());
        video(described, of_video.clone(), encoding);
        let described =
            one(audios, |found| found.name() == Some(&of_audio), || sdk::AudioDescription::builder().build());
        audio(described, of_audio.clone(), &encoding.audio);
    }
}

/// The one of a list; one more, if there is none.
#[expect(clippy::indexing_slicing, reason = "the place of what was found, or put in")]
fn one<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool, empty: impl FnOnce() -> T) -> &mut T {
    let at = list.iter().position(is).unwrap_or_else(|| {
        list.push(empty());
        list.len() - 1
    });
    &mut list[at]
}

/// The first of a list, which is then the only one.
#[expect(clippy::indexing_slicing, reason = "there is one: if there was none, it was put in")]
pub fn only<T>(list: &mut Option<Vec<T>>, empty: impl FnOnce() -> T) -> &mut T {
    let list = list.get_or_insert_default();
    list.truncate(1);
    if list.is_empty() {
        list.push(empty());
    }
    &mut list[0]
}

fn video(video: &mut sdk::VideoDescription, name: String, encoding: &Encoding) {
    video.name = Some(name);
    video.width = Some(encoding.width);
    video.height = Some(encoding.height);
    video.respond_to_afd = Some(sdk::VideoDescriptionRespondToAfd::None);
    video.scaling_behavior = Some(sdk::VideoDescriptionScalingBehavior::Default);
    video.sharpness = Some(50);
    let codec = video.codec_settings.get_or_insert_with(|| sdk::VideoCodecSettings::builder().build());
    h264(codec.h264_settings.get_or_insert_with(|| sdk::H264Settings::builder().build()), encoding);
}

fn h264(h264: &mut sdk::H264Settings, encoding: &Encoding) {
    h264.profile = theirs(&PROFILES, encoding.profile);
    h264.level = theirs(&LEVELS, encoding.level);
    h264.rate_control_mode = Some(sdk::H264RateControlMode::Cbr);
    h264.bitrate = Some(encoding.video_bitrate);
    h264.buf_size = Some(encoding.buffer_size);
    h264.framerate_control = Some(sdk::H264FramerateControl::Specified);
    h264.framerate_numerator = Some(encoding.framerate.numerator);
    h264.framerate_denominator = Some(encoding.framerate.denominator);
    h264.gop_size = Some(f64::from(encoding.gop_milliseconds) / 1000.0);
    h264.gop_size_units = Some(sdk::H264GopSizeUnits::Seconds);
    h264.gop_closed_cadence = Some(1);
    h264.gop_num_b_frames = Some(encoding.b_frames);
    h264.gop_b_reference = Some(sdk::H264GopBReference::Disabled);
    // A keyframe where the picture changes would stand between two that platforms count on.
    h264.scene_change_detect = Some(sdk::H264SceneChangeDetect::Disabled);
    h264.num_ref_frames = Some(1);
    h264.par_control = Some(sdk::H264ParControl::Specified);
    h264.par_numerator = Some(1);
    h264.par_denominator = Some(1);
    h264.scan_type = Some(sdk::H264ScanType::Progressive);
    // ITU-T H.264, A.2.1: Baseline has no arithmetic coding.
    h264.entropy_encoding = Some(match encoding.profile {
        Profile::Baseline => sdk::H264EntropyEncoding::Cavlc,
        Profile::Main | Profile::High => sdk::H264EntropyEncoding::Cabac,
    });
    h264.adaptive_quantization = Some(sdk::H264AdaptiveQuantization::Auto);
    h264.flicker_aq = Some(sdk::H264FlickerAq::Enabled);
    h264.spatial_aq = Some(sdk::H264SpatialAq::Enabled);
    h264.temporal_aq = Some(sdk::H264TemporalAq::Enabled);
    h264.look_ahead_rate_control = Some(sdk::H264LookAheadRateControl::Medium);
    h264.color_metadata = Some(sdk::H264ColorMetadata::Insert);
    h264.syntax = Some(sdk::H264Syntax::Default);
    h264.timecode_insertion = Some(sdk::H264TimecodeInsertionBehavior::Disabled);
}

fn audio(audio: &mut sdk::AudioDescription, name: String, encoding: &Audio) {
    audio.name = Some(name);
    audio.audio_selector_name = Some(SELECTOR.into());
    audio.audio_type_control = Some(sdk::AudioDescriptionAudioTypeControl::FollowInput);
    audio.language_code_control = Some(sdk::AudioDescriptionLanguageCodeControl::FollowInput);
    let codec = audio.codec_settings.get_or_insert_with(|| sdk::AudioCodecSettings::builder().build());
    let aac = codec.aac_settings.get_or_insert_with(|| sdk::AacSettings::builder().build());
    aac.bitrate = Some(f64::from(encoding.bitrate));
    aac.sample_rate = Some(f64::from(encoding.sample_rate));
    aac.coding_mode = theirs(&CHANNELS, encoding.channels);
    aac.input_type = Some(sdk::AacInputType::Normal);
    aac.profile = Some(sdk::AacProfile::Lc);
    aac.rate_control_mode = Some(sdk::AacRateControlMode::Cbr);
    aac.raw_format = Some(sdk::AacRawFormat::None);
    aac.spec = Some(sdk::AacSpec::Mpeg4);
}

#[cfg(test)]
mod tests;
