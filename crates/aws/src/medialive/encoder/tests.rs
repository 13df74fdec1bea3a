//! Each kind of group comes back as it was written, and nobody else's is touched.

use aws_sdk_medialive::types as sdk;
use playout_core::resources::channel::{
    EncodingName, HlsTarget, MediaPackageTarget, OutputGroup, OutputName, Part, RtmpTarget, SrtTarget, Target,
    UdpTarget,
};
use playout_core::secret::SecretText;

use super::*;

fn encoding(width: i32) -> Encoding {
    Encoding {
        width,
        height: 720,
        framerate: Framerate { numerator: 30, denominator: 1 },
        video_bitrate: 3_000_000,
        buffer_size: 3_000_000,
        gop_milliseconds: 2000,
        b_frames: 2,
        profile: Profile::High,
        level: Level::L4,
        audio: Audio { bitrate: 128_000, sample_rate: 48_000, channels: Channels::Stereo },
    }
}

fn targets() -> Vec<Target> {
    let hls = |keeps_all| HlsTarget {
        url: "s3ssl://bucket/sessions/tonight/index".into(),
        modifier: "_720p".into(),
        segment_seconds: 6,
        keeps_all,
    };
    let srt = |stream_id: Option<&str>, secret: Option<&str>| SrtTarget {
        url: "srt://198.51.100.7:5000".into(),
        stream_id: stream_id.map(SecretText::new),
        passphrase_secret_arn: secret.map(str::to_string),
        latency_ms: 2000,
    };
    let udp = |fec| UdpTarget { url: "rtp://198.51.100.7:5000".into(), fec };
    vec![
        Target::Rtmp(RtmpTarget {
            url: SecretText::new("rtmps://a.example.net:443/live"),
            stream: SecretText::new("key"),
            login: None,
        }),
        Target::Hls(hls(true)),
        Target::Hls(hls(false)),
        Target::Udp(udp(true)),
        Target::Udp(udp(false)),
        Target::Srt(srt(None, None)),
        Target::Srt(srt(Some("show"), Some("arn:secret"))),
        Target::MediaPackage(MediaPackageTarget::V1 { channel_id: "news".into() }),
        Target::MediaPackage(MediaPackageTarget::V2 { group: "news".into(), channel: "main".into() }),
    ]
}

fn main() -> Encodings {
    Encodings::from([(EncodingName::main(), encoding(1280))])
}

fn outputs(targets: &[Target]) -> Outputs {
    let group = |(at, to): (usize, &Target)| {
        (OutputName::new(format!("playout-{at}")), OutputGroup { encoding: EncodingName::main(), to: to.clone() })
    };
    targets.iter().enumerate().map(group).collect()
}

fn written(encodings: &Encodings, outputs: &Outputs) -> (sdk::EncoderSettings, Vec<sdk::OutputDestination>) {
    let mut settings = sdk::EncoderSettings::builder().build();
    impose(&mut settings, encodings, outputs, false);
    (settings, outputs.iter().map(|(name, group)| groups::destination(name, group)).collect())
}

#[test]
fn each_kind_of_group_is_read_as_it_was_written_alone_and_beside_all_others() {
    let all = targets();
    for some in all.iter().map(std::slice::from_ref).chain([all.as_slice()]) {
        let outputs = outputs(some);
        let (settings, destinations) = written(&main(), &outputs);
        let found = read(&settings, &destinations);
        assert_eq!((found.encodings, found.outputs, found.altered), (main(), outputs, Vec::new()));
    }
}

#[test]
fn each_setting_of_ours_that_somebody_changes_is_told_with_its_group() {
    let outputs = outputs(&targets());
    let (settings, destinations) = written(&main(), &outputs);
    for (at, group) in settings.output_groups().iter().enumerate() {
        let mut changed = settings.clone();
        let groups = changed.output_groups.as_mut().expect("groups");
        let of = groups[at].output_group_settings.as_mut().expect("settings");
        let other = sdk::OutputLocationRef::builder().destination_ref_id("elsewhere").build();
        if let Some(rtmp) = &mut of.rtmp_group_settings {
            rtmp.cache_length = Some(31);
        } else if let Some(hls) = &mut of.hls_group_settings {
            hls.output_selection = Some(sdk::HlsOutputSelection::VariantManifestsAndSegments);
        } else if let Some(udp) = &mut of.udp_group_settings {
            udp.input_loss_action = Some(sdk::InputLossActionForUdpOut::DropTs);
        } else if let Some(srt) = &mut of.srt_group_settings {
            srt.input_loss_action = Some(sdk::InputLossActionForUdpOut::DropTs);
        } else if let Some(package) = &mut of.media_package_group_settings {
            package.destination = Some(other);
        }
        let found = read(&changed, &destinations);
        let name = Some(OutputName::new(group.name().unwrap_or_default()));
        assert_eq!(
            found.altered,
            [Difference { output: name, what: Part::Settings }],
            "{}",
            group.name().unwrap_or_default()
        );
    }
}

#[test]
fn several_encodings_are_told_apart_and_an_altered_one_is_told() {
    let name = EncodingName::new("small");
    let encodings = Encodings::from([(EncodingName::main(), encoding(1280)), (name.clone(), encoding(640))]);
    let mut outputs = outputs(&targets()[..2]);
    outputs.values_mut().next().expect("a group").encoding = name;
    let (mut settings, destinations) = written(&encodings, &outputs);
    let found = read(&settings, &destinations);
    assert_eq!((&found.encodings, &found.outputs, found.altered), (&encodings, &outputs, Vec::new()));
    settings.video_descriptions.as_mut().expect("videos")[0].sharpness = Some(10);
    let altered = read(&settings, &destinations).altered;
    assert_eq!(altered, [Difference { output: None, what: Part::Settings }]);
}

/// A channel as somebody has made it, with a group of a kind that is never written here.
fn theirs() -> sdk::EncoderSettings {
    let (mut settings, _) = written(&Encodings::new(), &Outputs::new());
    settings.timecode_config = None;
    let video = sdk::VideoDescription::builder().name("their-video").width(1920).height(1080).build();
    settings.video_descriptions = Some(vec![video]);
    settings.audio_descriptions = Some(vec![sdk::AudioDescription::builder().name("their-audio").build()]);
    let archive = sdk::ArchiveGroupSettings::builder().rollover_interval(300).build();
    let of = sdk::OutputGroupSettings::builder().archive_group_settings(archive).build();
    settings.output_groups = Some(vec![sdk::OutputGroup::builder().name("viewers").output_group_settings(of).build()]);
    settings
}

#[test]
fn what_is_somebody_elses_stays_as_it_is_when_groups_of_ours_come_and_go() {
    let before = theirs();
    let name = EncodingName::new("playout-main");
    let ours = Encodings::from([(name.clone(), encoding(1280))]);
    let mut all = outputs(&targets());
    all.values_mut().for_each(|group| group.encoding = name.clone());
    let mut settings = before.clone();
    impose(&mut settings, &ours, &all, true);
    assert_eq!(settings.output_groups().len(), 1 + all.len());
    assert_eq!(settings.output_groups()[0], before.output_groups()[0]);
    assert_eq!(settings.video_descriptions()[0], before.video_descriptions()[0]);
    assert_eq!(settings.timecode_config, None);
    let destinations: Vec<_> = all.iter().map(|(name, group)| groups::destination(name, group)).collect();
    let found = read(&settings, &destinations);
    assert_eq!((found.encodings, found.outputs), (ours, all));
    // Their own, each told for what it is.
    let of = |output: Option<&str>, what| Difference { output: output.map(OutputName::new), what };
    let told = [of(None, Part::Foreign), of(None, Part::Settings), of(Some("viewers"), Part::Settings)];
    assert_eq!(found.altered, told);
    // The last of ours goes.
    impose(&mut settings, &Encodings::new(), &Outputs::new(), true);
    assert_eq!(settings, before, "byte for byte");
    // In a channel of our own nothing else is.
    impose(&mut settings, &main(), &Outputs::new(), false);
    assert!(settings.output_groups().is_empty() && settings.video_descriptions().len() == 1);
}
