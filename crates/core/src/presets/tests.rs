use super::{BUILT_IN, DEFAULT, Resolved, built_in, for_platform, resolve};
use crate::api::destination::Platform;
use crate::api::encoding_preset::{AudioSpec, Channels, EncodingPresetSpec, Profile};
use crate::failure::Problem;
use crate::reasons::Reason;

const PLATFORMS: [Platform; 8] = Platform::ALL;

fn spec(video_bitrate_kbps: i32, frame_rate: &str) -> EncodingPresetSpec {
    EncodingPresetSpec {
        width: 1920,
        height: 1080,
        frame_rate: frame_rate.into(),
        video_bitrate_kbps,
        gop_seconds: 2.0,
        profile: Profile::High,
        b_frames: None,
        audio: AudioSpec::default(),
    }
}

fn of_object(name: &str, platform: Platform, spec: &EncodingPresetSpec) -> Result<Resolved, Problem> {
    resolve(Some(name), platform, |asked| (asked == name).then(|| Ok(spec.clone())))
}

#[test]
fn the_default_is_the_one_that_the_contract_promises() {
    let default = built_in(DEFAULT).expect("it is built in");
    assert_eq!(default.to_string(), "1920x1080 at 30 fps, 4500 kbit/s H.264 High, keyframe 2 s, AAC 128 kbit/s 48 kHz");
    assert_eq!(default.audio.channels, Channels::Stereo);
    for platform in PLATFORMS {
        let resolved = resolve(None, platform, |_| None).expect("every platform takes it");
        assert_eq!((resolved.name.as_str(), &resolved.encoding), (DEFAULT, &default), "{platform:?}");
        assert!(resolved.warnings.is_empty(), "{platform:?}: {:?}", resolved.warnings);
    }
}

#[test]
fn a_built_in_preset_is_taken_by_every_platform_with_that_frame_rate() {
    for platform in PLATFORMS {
        for name in BUILT_IN {
            let resolved = resolve(Some(name), platform, |_| None);
            // LinkedIn has 30 frames a second and no more.
            if platform == Platform::LinkedIn && name.ends_with("60") {
                let remedy = format!("Choose {} or an EncodingPreset", name.replace("60", "30"));
                let problem = resolved.expect_err("60 frames");
                assert!(problem.message.contains(&remedy), "{}", problem.message);
                continue;
            }
            let resolved = resolved.unwrap_or_else(|problem| panic!("{platform:?}: {}", problem.message));
            assert!(resolved.warnings.is_empty(), "{platform:?} {name}: {:?}", resolved.warnings);
            assert_eq!(Some(resolved.encoding), for_platform(name, platform));
        }
    }
    let kbps = |name, platform| for_platform(name, platform).map(|e| e.video_bitrate / 1000);
    assert_eq!(kbps("1080p60", Platform::YouTube), Some(12_000));
    assert_eq!(kbps("1080p60", Platform::Twitch), Some(6_000));
}

#[test]
fn no_buffer_is_longer_than_a_second_because_ivs_takes_none() {
    for name in BUILT_IN {
        for platform in PLATFORMS {
            let encoding = for_platform(name, platform).expect("it is built in");
            assert!(encoding.buffer_size <= encoding.video_bitrate, "{name}");
        }
    }
}

#[test]
fn an_object_is_found_by_name_and_its_defaults_are_the_usual_ones() {
    let resolved = of_object("pal", Platform::Twitch, &spec(5_000, "25")).expect("it is taken");
    assert_eq!(
        resolved.encoding.to_string(),
        "1920x1080 at 25 fps, 5000 kbit/s H.264 High, keyframe 2 s, AAC 128 kbit/s 48 kHz"
    );
    assert_eq!((resolved.name.as_str(), resolved.encoding.b_frames), ("pal", 2));
    let baseline = EncodingPresetSpec { profile: Profile::Baseline, ..spec(5_000, "25") };
    let resolved = of_object("old-phones", Platform::Twitch, &baseline).expect("it is taken");
    assert_eq!(resolved.encoding.b_frames, 0, "Baseline has no B-frames");
}

#[test]
fn an_object_does_not_stand_in_for_a_built_in_preset() {
    let resolved = of_object("1080p30", Platform::Twitch, &spec(1_000, "25")).expect("it is taken");
    assert_eq!(Some(resolved.encoding), built_in("1080p30"));
}

#[test]
fn who_names_a_preset_that_is_not_there_reads_which_ones_are() {
    let problem = resolve(Some("fast"), Platform::Twitch, |_| None).expect_err("there is none");
    assert_eq!(problem.reason, Reason::PresetNotFound);
    assert_eq!(
        problem.message,
        "spec.encoding: there is no EncodingPreset fast in this namespace; the built-in ones are 1080p60, 1080p30, 720p60, 720p30, 480p30. Choose one of them, or create the object."
    );
}

#[test]
fn an_object_that_cannot_be_understood_is_named_with_its_field() {
    let problem = of_object("odd", Platform::Twitch, &spec(5_000, "31")).expect_err("no such frame rate");
    assert_eq!(problem.reason, Reason::InvalidSpec);
    assert!(
        problem.message.starts_with("spec.encoding: EncodingPreset odd: spec.frameRate must be one of 23.976, 24,")
    );
    let baseline = EncodingPresetSpec { profile: Profile::Baseline, b_frames: Some(2), ..spec(5_000, "25") };
    let problem = of_object("odd", Platform::Twitch, &baseline).expect_err("Baseline has no B-frames");
    assert!(problem.message.contains("spec.bFrames must be 0"), "{}", problem.message);
}

#[test]
fn what_a_platform_does_not_take_is_refused_with_the_limit_and_a_way_out() {
    let refusal = |name: &str, platform, spec: &EncodingPresetSpec| {
        let problem = of_object(name, platform, spec).expect_err("it is not taken");
        assert_eq!(problem.reason, Reason::PresetNotTaken);
        problem.message
    };
    assert_eq!(
        refusal("1080p60-high", Platform::Twitch, &spec(9_000, "60")),
        "spec.encoding: 1080p60-high sends 9000 kbit/s of video; Twitch takes at most 6000. Choose 1080p60 or an EncodingPreset with at most 6000."
    );
    assert_eq!(
        refusal("fine", Platform::Facebook, &spec(7_000, "30")),
        "spec.encoding: fine sends 7000 kbit/s of video; Facebook takes at most 6000 at 1920x1080 and 30 fps. Choose 1080p30 or an EncodingPreset with at most 6000."
    );
    assert!(of_object("fine", Platform::Facebook, &spec(7_000, "60")).is_ok(), "at 60 fps it is 9000");
    assert_eq!(
        refusal("smooth", Platform::LinkedIn, &spec(5_000, "50")),
        "spec.encoding: smooth has 50 fps; LinkedIn takes at most 30. Choose 1080p30 or an EncodingPreset with at most 30 fps."
    );
    let slow = EncodingPresetSpec { gop_seconds: 5.0, ..spec(5_000, "30") };
    for platform in PLATFORMS {
        assert!(refusal("slow", platform, &slow).contains("has a keyframe every 5 s;"), "{platform:?}");
    }
    let uhd = EncodingPresetSpec { width: 3840, height: 2160, ..spec(7_000, "30") };
    assert_eq!(
        refusal("uhd", Platform::Kick, &uhd),
        "spec.encoding: uhd is 3840x2160; Kick takes at most 1920x1080. Choose 1080p30 or an EncodingPreset with at most 1920x1080."
    );
    assert!(of_object("uhd", Platform::YouTube, &EncodingPresetSpec { video_bitrate_kbps: 30_000, ..uhd }).is_ok());
    let upright = EncodingPresetSpec { width: 1080, height: 1920, ..spec(6_000, "30") };
    assert!(of_object("upright", Platform::Kick, &upright).is_ok(), "1080x1920 is as large as 1920x1080");
    let loud = AudioSpec { bitrate_kbps: 320, ..AudioSpec::default() };
    assert!(
        refusal("loud", Platform::Facebook, &EncodingPresetSpec { audio: loud, ..spec(4_000, "30") }).contains("256")
    );
    assert!(refusal("much", Platform::X, &spec(12_001, "30")).contains("X takes at most 12000"));
    assert!(refusal("much", Platform::Kick, &spec(8_001, "30")).contains("Kick takes at most 8000"));
    assert!(refusal("much", Platform::LinkedIn, &spec(6_001, "30")).contains("LinkedIn takes at most 6000"));
    assert!(refusal("much", Platform::YouTube, &spec(51_001, "30")).contains("YouTube takes at most 51000"));
    assert!(of_object("much", Platform::Custom, &spec(51_001, "30")).is_ok(), "who knows what a receiver takes");
}

#[test]
fn what_a_platform_takes_and_advises_against_is_a_warning() {
    let four = EncodingPresetSpec { gop_seconds: 4.0, ..spec(4_500, "30") };
    let resolved = of_object("slow", Platform::YouTube, &four).expect("it is taken");
    assert_eq!(resolved.warnings, ["slow has a keyframe every 4 s; YouTube recommends at most 2."]);
    let three = EncodingPresetSpec { gop_seconds: 3.0, ..spec(4_500, "30") };
    assert!(of_object("slow", Platform::X, &three).expect("it is taken").warnings.is_empty(), "X has 3 s");
    let square = EncodingPresetSpec { width: 1080, ..spec(4_500, "30") };
    let resolved = of_object("square", Platform::LinkedIn, &square).expect("it is taken");
    assert_eq!(resolved.warnings, ["square is 1080x1080; LinkedIn shows 16:9."]);
}
