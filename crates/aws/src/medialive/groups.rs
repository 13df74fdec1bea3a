//! Output groups of a channel: from an [`OutputGroup`] and back. As in [`super::encoder`], each setting of ours is written in one
//! place, which serves both ways: a group is as requested when our settings, imposed on it, change nothing.

use aws_sdk_medialive::types as sdk;
use playout_core::resources::channel::{
    HlsTarget, Login, MediaPackageTarget, OutputGroup, OutputName, RtmpTarget, SrtTarget, Target, UdpTarget,
};
use playout_core::secret::SecretText;

use super::encoder::{audio_name, encoding_name, only, video_name};

/// Seconds that MediaLive buffers when a platform does not take what is sent.
const CACHE: i32 = 30;
/// Seconds after which MediaLive connects anew when it has lost a connection. With 0 it never would.
const RESTART: i32 = 5;
/// Seconds between two attempts to connect, and how many there are before the output stops, and with the last output its
/// channel: a day of them. When enough has been tried is for `spec.retry` and `spec.backup` to say.
const RETRY: i32 = 2;
const RETRIES: i32 = 43_200;

/// Where the group of this name sends to. Destination, group and output bear one name.
pub fn destination(name: &OutputName, group: &OutputGroup) -> sdk::OutputDestination {
    let destination = sdk::OutputDestination::builder().id(name.as_str());
    let at = |url: &str| sdk::OutputDestinationSettings::builder().url(url);
    match &group.to {
        Target::Rtmp(target) => {
            let login = target.login.as_ref();
            let settings = at(target.url.expose())
                .stream_name(target.stream.expose())
                .set_username(login.map(|login| login.username.clone()))
                .set_password_param(login.map(|login| login.password_parameter.clone()));
            destination.settings(settings.build())
        }
        Target::Hls(target) => destination.settings(at(&target.url).build()),
        Target::Udp(target) => destination.settings(at(&target.url).build()),
        Target::Srt(target) => destination.srt_settings(
            sdk::SrtOutputDestinationSettings::builder()
                .url(&target.url)
                .set_stream_id(target.stream_id.as_ref().map(|id| id.expose().to_string()))
                .set_encryption_passphrase_secret_arn(target.passphrase_secret_arn.clone())
                .build(),
        ),
        Target::MediaPackage(target) => {
            let settings = sdk::MediaPackageOutputDestinationSettings::builder();
            destination.media_package_settings(match target {
                MediaPackageTarget::V1 { channel_id } => settings.channel_id(channel_id).build(),
                MediaPackageTarget::V2 { group, channel } => {
                    settings.channel_group(group).channel_name(channel).build()
                }
            })
        }
    }
    .build()
}

/// Writes each setting of a group that is ours.
pub fn impose(group: &mut sdk::OutputGroup, name: &OutputName, wish: &OutputGroup) {
    group.name = Some(name.as_str().into());
    let of_group = group.output_group_settings.get_or_insert_with(|| sdk::OutputGroupSettings::builder().build());
    let output = only(&mut group.outputs, || sdk::Output::builder().build());
    output.output_name = Some(name.as_str().into());
    output.video_description_name = Some(video_name(&wish.encoding));
    output.audio_description_names = Some(vec![audio_name(&wish.encoding)]);
    let of_output = output.output_settings.get_or_insert_with(|| sdk::OutputSettings::builder().build());
    match &wish.to {
        Target::Rtmp(_) => rtmp(of_group, of_output, name),
        Target::Hls(target) => hls(of_group, of_output, name, target),
        Target::Udp(target) => udp(of_group, of_output, name, target),
        Target::Srt(target) => srt(of_group, of_output, name, target),
        Target::MediaPackage(target) => media_package(of_group, of_output, name, target),
    }
}

fn refer(location: &mut Option<sdk::OutputLocationRef>, name: &OutputName) {
    let location = location.get_or_insert_with(|| sdk::OutputLocationRef::builder().build());
    location.destination_ref_id = Some(name.as_str().into());
}

fn rtmp(group: &mut sdk::OutputGroupSettings, output: &mut sdk::OutputSettings, name: &OutputName) {
    let rtmp = group.rtmp_group_settings.get_or_insert_with(|| sdk::RtmpGroupSettings::builder().build());
    rtmp.authentication_scheme = Some(sdk::AuthenticationScheme::Common);
    rtmp.cache_full_behavior = Some(sdk::RtmpCacheFullBehavior::DisconnectImmediately);
    rtmp.cache_length = Some(CACHE);
    rtmp.caption_data = Some(sdk::RtmpCaptionData::All);
    rtmp.input_loss_action = Some(sdk::InputLossActionForRtmpOut::EmitOutput);
    rtmp.restart_delay = Some(RESTART);
    let rtmp = output.rtmp_output_settings.get_or_insert_with(|| sdk::RtmpOutputSettings::builder().build());
    refer(&mut rtmp.destination, name);
    rtmp.certificate_mode = Some(sdk::RtmpOutputCertificateMode::VerifyAuthenticity);
    rtmp.connection_retry_interval = Some(RETRY);
    rtmp.num_retries = Some(RETRIES);
}

fn hls(group: &mut sdk::OutputGroupSettings, output: &mut sdk::OutputSettings, name: &OutputName, target: &HlsTarget) {
    let hls = group.hls_group_settings.get_or_insert_with(|| sdk::HlsGroupSettings::builder().build());
    refer(&mut hls.destination, name);
    hls.mode = Some(mode(target.keeps_all));
    hls.segment_length = Some(target.segment_seconds);
    hls.output_selection = Some(sdk::HlsOutputSelection::ManifestsAndSegments);
    hls.ts_file_mode = Some(sdk::HlsTsFileMode::SegmentedFiles);
    hls.input_loss_action = Some(sdk::InputLossActionForHlsOut::EmitOutput);
    let hls = output.hls_output_settings.get_or_insert_with(|| sdk::HlsOutputSettings::builder().build());
    hls.name_modifier = Some(target.modifier.clone());
    let kind = hls.hls_settings.get_or_insert_with(|| sdk::HlsSettings::builder().build());
    let standard = kind.standard_hls_settings.get_or_insert_with(|| sdk::StandardHlsSettings::builder().build());
    standard.m3u8_settings.get_or_insert_with(|| sdk::M3u8Settings::builder().build());
}

fn mode(keeps_all: bool) -> sdk::HlsMode {
    if keeps_all { sdk::HlsMode::Vod } else { sdk::HlsMode::Live }
}

fn transport_stream(container: &mut Option<sdk::UdpContainerSettings>) {
    let container = container.get_or_insert_with(|| sdk::UdpContainerSettings::builder().build());
    container.m2ts_settings.get_or_insert_with(|| sdk::M2tsSettings::builder().build());
}

fn udp(group: &mut sdk::OutputGroupSettings, output: &mut sdk::OutputSettings, name: &OutputName, target: &UdpTarget) {
    let udp = group.udp_group_settings.get_or_insert_with(|| sdk::UdpGroupSettings::builder().build());
    udp.input_loss_action = Some(sdk::InputLossActionForUdpOut::EmitProgram);
    let udp = output.udp_output_settings.get_or_insert_with(|| sdk::UdpOutputSettings::builder().build());
    refer(&mut udp.destination, name);
    transport_stream(&mut udp.container_settings);
    match target.fec {
        true => {
            let fec = udp.fec_output_settings.get_or_insert_with(|| sdk::FecOutputSettings::builder().build());
            fec.include_fec = Some(sdk::FecOutputIncludeFec::ColumnAndRow);
        }
        false => udp.fec_output_settings = None,
    }
}

fn srt(group: &mut sdk::OutputGroupSettings, output: &mut sdk::OutputSettings, name: &OutputName, target: &SrtTarget) {
    let srt = group.srt_group_settings.get_or_insert_with(|| sdk::SrtGroupSettings::builder().build());
    srt.input_loss_action = Some(sdk::InputLossActionForUdpOut::EmitProgram);
    let srt = output.srt_output_settings.get_or_insert_with(|| sdk::SrtOutputSettings::builder().build());
    refer(&mut srt.destination, name);
    transport_stream(&mut srt.container_settings);
    srt.latency = Some(target.latency_ms);
    // Without a passphrase nothing is encrypted, whatever it says here.
    if target.passphrase_secret_arn.is_some() {
        srt.encryption_type = Some(sdk::SrtEncryptionType::Aes256);
    }
}

fn media_package(
    group: &mut sdk::OutputGroupSettings,
    output: &mut sdk::OutputSettings,
    name: &OutputName,
    target: &MediaPackageTarget,
) {
    let package =
        group.media_package_group_settings.get_or_insert_with(|| sdk::MediaPackageGroupSettings::builder().build());
    refer(&mut package.destination, name);
    let is_second = matches!(target, MediaPackageTarget::V2 { .. });
    if is_second {
        package
            .mediapackage_v2_group_settings
            .get_or_insert_with(|| sdk::MediaPackageV2GroupSettings::builder().build());
    }
    output.media_package_output_settings.get_or_insert_with(|| sdk::MediaPackageOutputSettings::builder().build());
}

/// A group that is understood; `None`: one that we never ask for.
pub fn read(group: &sdk::OutputGroup, destinations: &[sdk::OutputDestination]) -> Option<OutputGroup> {
    let output = group.outputs().first()?;
    let encoding = encoding_name(output.video_description_name()?)?;
    let (of_group, of_output) = (group.output_group_settings()?, output.output_settings()?);
    let location = [
        of_output.rtmp_output_settings().and_then(|rtmp| rtmp.destination()),
        of_group.hls_group_settings().and_then(|hls| hls.destination()),
        of_output.udp_output_settings().and_then(|udp| udp.destination()),
        of_output.srt_output_settings().and_then(|srt| srt.destination()),
        of_group.media_package_group_settings().and_then(|package| package.destination()),
    ];
    let id = location.into_iter().flatten().next()?.destination_ref_id()?;
    let destination = destinations.iter().find(|destination| destination.id() == Some(id))?;
    let url = || match destination.settings() {
        [one] => one.url().map(str::to_string),
        _ => None,
    };
    let to = if of_output.rtmp_output_settings().is_some() {
        Target::Rtmp(rtmp_target(destination)?)
    } else if let (Some(hls), Some(named)) = (of_group.hls_group_settings(), of_output.hls_output_settings()) {
        Target::Hls(HlsTarget {
            url: url()?,
            modifier: named.name_modifier().unwrap_or_default().into(),
            segment_seconds: hls.segment_length()?,
            keeps_all: hls.mode() == Some(&sdk::HlsMode::Vod),
        })
    } else if let Some(udp) = of_output.udp_output_settings() {
        Target::Udp(UdpTarget { url: url()?, fec: udp.fec_output_settings().is_some() })
    } else if let Some(srt) = of_output.srt_output_settings() {
        let [one] = destination.srt_settings() else { return None };
        Target::Srt(SrtTarget {
            url: one.url()?.into(),
            stream_id: one.stream_id().filter(|id| !id.is_empty()).map(SecretText::new),
            passphrase_secret_arn: one.encryption_passphrase_secret_arn().map(str::to_string),
            latency_ms: srt.latency()?,
        })
    } else {
        let [one] = destination.media_package_settings() else { return None };
        Target::MediaPackage(match (one.channel_id(), one.channel_group(), one.channel_name()) {
            (Some(id), ..) => MediaPackageTarget::V1 { channel_id: id.into() },
            (None, Some(group), Some(channel)) => {
                MediaPackageTarget::V2 { group: group.into(), channel: channel.into() }
            }
            _ => return None,
        })
    };
    Some(OutputGroup { encoding, to })
}

fn rtmp_target(destination: &sdk::OutputDestination) -> Option<RtmpTarget> {
    let [one] = destination.settings() else { return None };
    let text = |text: Option<&str>| text.unwrap_or_default().to_string();
    let login = Login { username: text(one.username()), password_parameter: text(one.password_param()) };
    Some(RtmpTarget {
        url: SecretText::new(one.url()?),
        stream: SecretText::new(one.stream_name().unwrap_or_default()),
        login: Some(login).filter(|l| !(l.username.is_empty() && l.password_parameter.is_empty())),
    })
}
