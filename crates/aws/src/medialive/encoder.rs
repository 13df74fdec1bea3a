//! Encoder settings: from an [`Encoding`] and back.
//!
//! Each setting that we make is written in one place, [`impose`], and serves both ways. A request is our settings imposed on
//! nothing. A channel that AWS describes encodes what we say when our settings, imposed on its own, change nothing: what AWS
//! fills in on its own account makes no difference, and no setting of ours can be forgotten in the comparison.
//!
//! Values: facts of MediaLive's API model, and what RTMP platforms ask for (keyframes at a strict distance, a buffer of one
//! second at most).

use aws_sdk_medialive::types as sdk;
use playout_core::encoding::{Audio, Channels, Encoding, Framerate, Level, Profile};
use playout_core::endpoint::Role;

/// Names of the one video and the one audio description, which all outputs share.
const VIDEO: &str = "video";
const AUDIO: &str = "audio";
/// Name of the audio selector of the input: the first track.
pub const SELECTOR: &str = "default";

/// Seconds that MediaLive buffers when a platform does not take what is sent.
const CACHE: i32 = 30;
/// Seconds after which MediaLive connects anew when it has lost a connection. With 0 it never would.
const RESTART: i32 = 5;
/// Seconds between two attempts to connect, and how many there are before the output stops, and with the last output its
/// channel: a day of them. When enough has been tried is for `spec.retry` and `spec.backup` to say.
const RETRY: i32 = 2;
const RETRIES: i32 = 43_200;

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

/// Settings of a request.
pub fn write(encoding: &Encoding, roles: &[Role]) -> sdk::EncoderSettings {
    let mut settings = sdk::EncoderSettings::builder().build();
    impose(&mut settings, encoding, roles);
    settings
}

/// What a channel encodes; `None` for something that we never ask for.
pub fn read(settings: &sdk::EncoderSettings, roles: &[Role]) -> Option<Encoding> {
    let encoding = values(settings)?;
    let mut imposed = settings.clone();
    impose(&mut imposed, &encoding, roles);
    (imposed == *settings).then_some(encoding)
}

/// The values that an [`Encoding`] has.
fn values(settings: &sdk::EncoderSettings) -> Option<Encoding> {
    let video = settings.video_descriptions().first()?;
    let h264 = video.codec_settings()?.h264_settings()?;
    let aac = settings.audio_descriptions().first()?.codec_settings()?.aac_settings()?;
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

/// Writes each setting that is ours, and removes descriptions and outputs that are not.
fn impose(settings: &mut sdk::EncoderSettings, encoding: &Encoding, roles: &[Role]) {
    let timecode = settings.timecode_config.get_or_insert_with(|| sdk::TimecodeConfig::builder().build());
    timecode.source = Some(sdk::TimecodeConfigSource::Systemclock);
    video(only(&mut settings.video_descriptions, || sdk::VideoDescription::builder().build()), encoding);
    audio(only(&mut settings.audio_descriptions, || sdk::AudioDescription::builder().build()), &encoding.audio);
    let groups = settings.output_groups.get_or_insert_default();
    groups.retain(|group| roles.iter().any(|role| group.name() == Some(role.as_str())));
    for role in roles {
        match groups.iter_mut().find(|group| group.name() == Some(role.as_str())) {
            Some(group) => output_group(group, *role),
            None => {
                let mut group = sdk::OutputGroup::builder().build();
                output_group(&mut group, *role);
                groups.push(group);
            }
        }
    }
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

fn video(video: &mut sdk::VideoDescription, encoding: &Encoding) {
    video.name = Some(VIDEO.into());
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

fn audio(audio: &mut sdk::AudioDescription, encoding: &Audio) {
    audio.name = Some(AUDIO.into());
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

/// The group of a target, with its one output. Destination, group and output bear the role's name.
fn output_group(group: &mut sdk::OutputGroup, role: Role) {
    group.name = Some(role.as_str().into());
    let settings = group.output_group_settings.get_or_insert_with(|| sdk::OutputGroupSettings::builder().build());
    let rtmp = settings.rtmp_group_settings.get_or_insert_with(|| sdk::RtmpGroupSettings::builder().build());
    rtmp.authentication_scheme = Some(sdk::AuthenticationScheme::Common);
    rtmp.cache_full_behavior = Some(sdk::RtmpCacheFullBehavior::DisconnectImmediately);
    rtmp.cache_length = Some(CACHE);
    rtmp.caption_data = Some(sdk::RtmpCaptionData::All);
    rtmp.input_loss_action = Some(sdk::InputLossActionForRtmpOut::EmitOutput);
    rtmp.restart_delay = Some(RESTART);
    let output = only(&mut group.outputs, || sdk::Output::builder().build());
    output.output_name = Some(role.as_str().into());
    output.video_description_name = Some(VIDEO.into());
    output.audio_description_names = Some(vec![AUDIO.into()]);
    let settings = output.output_settings.get_or_insert_with(|| sdk::OutputSettings::builder().build());
    let rtmp = settings.rtmp_output_settings.get_or_insert_with(|| sdk::RtmpOutputSettings::builder().build());
    let destination = rtmp.destination.get_or_insert_with(|| sdk::OutputLocationRef::builder().build());
    destination.destination_ref_id = Some(role.as_str().into());
    rtmp.certificate_mode = Some(sdk::RtmpOutputCertificateMode::VerifyAuthenticity);
    rtmp.connection_retry_interval = Some(RETRY);
    rtmp.num_retries = Some(RETRIES);
}
