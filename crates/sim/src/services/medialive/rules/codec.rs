//! The settings of codecs.

use serde_json::Value;

use super::super::settings::{given, one};
use super::Violations;

/// Bits a second that AAC can have.
const AAC_BITRATES: [u32; 33] = [
    6_000, 7_000, 8_000, 10_000, 12_000, 14_000, 16_000, 20_000, 24_000, 28_000, 32_000, 40_000, 48_000, 56_000,
    64_000, 80_000, 96_000, 112_000, 128_000, 160_000, 192_000, 224_000, 256_000, 288_000, 320_000, 384_000, 448_000,
    512_000, 576_000, 640_000, 768_000, 896_000, 1_024_000,
];
const AAC_SAMPLE_RATES: [u32; 10] = [8_000, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000];
/// Sample rates of the profile LC, and the least and the most bits a second that each takes, in mono and in stereo.
const AAC_LC: [(u32, [u32; 2], [u32; 2]); 10] = [
    (8_000, [8_000, 14_000], [16_000, 20_000]),
    (12_000, [8_000, 14_000], [16_000, 20_000]),
    (16_000, [8_000, 28_000], [16_000, 32_000]),
    (22_050, [24_000, 28_000], [32_000, 32_000]),
    (24_000, [24_000, 28_000], [32_000, 32_000]),
    (32_000, [32_000, 192_000], [40_000, 384_000]),
    (44_100, [56_000, 256_000], [96_000, 512_000]),
    (48_000, [56_000, 288_000], [64_000, 576_000]),
    (88_200, [288_000, 288_000], [576_000, 576_000]),
    (96_000, [128_000, 288_000], [256_000, 576_000]),
];

pub(super) fn check_video(codec: &Value, path: &str, found: &mut Violations) {
    match one(codec) {
        Some(("h264Settings", h264)) => check_h264(h264, &format!("{path}.h264Settings"), found),
        Some(_) => {}
        // The service encodes with H.264 when no codec is given.
        None if given(codec).is_empty() => {}
        None => found.add(path, "codecSettings must contain exactly one property"),
    }
}

fn check_h264(h264: &Value, path: &str, found: &mut Violations) {
    let mut missing = |member: &str, when: &str| {
        if h264[member].is_null() {
            found.add(format!("{path}.{member}"), format!("This member is required when {when}"));
        }
    };
    match h264["rateControlMode"].as_str() {
        Some(mode @ ("CBR" | "VBR")) => missing("bitrate", &format!("rateControlMode is {mode}")),
        Some("QVBR") => missing("maxBitrate", "rateControlMode is QVBR"),
        _ => {}
    }
    if h264["framerateControl"] == "SPECIFIED" {
        missing("framerateNumerator", "framerateControl is SPECIFIED");
        missing("framerateDenominator", "framerateControl is SPECIFIED");
    }
    if h264["parControl"] == "SPECIFIED" {
        missing("parNumerator", "parControl is SPECIFIED");
        missing("parDenominator", "parControl is SPECIFIED");
    }
    if let Some(size) = h264["gopSize"].as_f64() {
        let frames = h264["gopSizeUnits"] != "SECONDS";
        if size <= 0.0 || (frames && (size < 1.0 || size.fract() != 0.0)) {
            let text = "gopSize must be greater than 0, and in frames a whole number";
            found.add(format!("{path}.gopSize"), text);
        }
    }
    if let (Some(bitrate), Some(most)) = (h264["bitrate"].as_i64(), h264["maxBitrate"].as_i64())
        && h264["rateControlMode"] == "VBR"
        && most < bitrate
    {
        found.add(format!("{path}.maxBitrate"), "maxBitrate must not be less than bitrate");
    }
}

pub(super) fn check_audio(codec: &Value, path: &str, found: &mut Violations) {
    match one(codec) {
        Some(("aacSettings", aac)) => check_aac(aac, &format!("{path}.aacSettings"), found),
        Some(_) => {}
        // The service encodes with AAC when no codec is given.
        None if given(codec).is_empty() => {}
        None => found.add(path, "codecSettings must contain exactly one property"),
    }
}

fn check_aac(aac: &Value, path: &str, found: &mut Violations) {
    for (member, allowed) in [("bitrate", &AAC_BITRATES[..]), ("sampleRate", &AAC_SAMPLE_RATES[..])] {
        let Some(value) = aac[member].as_f64() else { continue };
        if !allowed.iter().any(|allowed| f64::from(*allowed) == value) {
            found.add(format!("{path}.{member}"), format!("{value} is not a valid value for AAC"));
        }
    }
    let (Some(bitrate), Some(rate)) = (aac["bitrate"].as_f64(), aac["sampleRate"].as_f64()) else { return };
    if !matches!(aac["profile"].as_str(), None | Some("LC")) {
        return;
    }
    let row = AAC_LC.iter().find(|(row, ..)| f64::from(*row) == rate);
    let range = row.and_then(|(_, mono, stereo)| match aac["codingMode"].as_str() {
        Some("CODING_MODE_1_0") => Some(mono),
        None | Some("CODING_MODE_2_0") => Some(stereo),
        Some(_) => None,
    });
    if let Some([least, most]) =
        range.filter(|[least, most]| !(f64::from(*least)..=f64::from(*most)).contains(&bitrate))
    {
        let text =
            format!("{bitrate} is not between {least} and {most}, which AAC LC takes at {rate} Hz in this coding mode");
        found.add(format!("{path}.bitrate"), text);
    }
}
