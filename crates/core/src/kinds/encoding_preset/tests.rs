use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::json;

use super::{Outcome, Users, status, wanted};
use crate::api::encoding_preset::{EncodingPreset, EncodingPresetSpec, EncodingPresetStatus};
use crate::frame::frame;
use crate::plan::Step;
use crate::waiting::Waiting;

fn spec(kbps: i32, frame_rate: &str) -> EncodingPresetSpec {
    serde_json::from_value(json!({ "width": 1920, "height": 1080, "frameRate": frame_rate, "videoBitrateKbps": kbps }))
        .expect("a spec")
}

fn users(count: usize) -> Users {
    Users::of_destinations((0..count).rev().map(|number| format!("d{number:02}")))
}

/// The status after a pass, and the step.
fn pass(spec: EncodingPresetSpec, users: &Users, deleting: bool) -> (EncodingPresetStatus, Step<super::Action>) {
    let mut preset = EncodingPreset::new("1080p60-high", spec);
    preset.metadata.generation = Some(3);
    let desired = wanted(&preset.spec, deleting);
    let step = frame(&desired, false, users).step;
    let now = Timestamp::from_second(0).expect("a time");
    let outcome = Outcome { wanted: desired.wanted(), seen: Some(users), step: Some(&step), ..Outcome::at(now) };
    (status(&preset, &outcome), step)
}

fn condition<'a>(status: &'a EncodingPresetStatus, type_: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|c| c.type_ == type_)
}

#[test]
fn the_status_says_what_is_encoded_and_who_takes_it() {
    let (status, step) = pass(spec(9_000, "60"), &users(2), false);
    assert_eq!(step, Step::Settled);
    assert_eq!(status.observed_generation, Some(3));
    assert_eq!(
        status.encoding.as_deref(),
        Some("1920x1080 at 60 fps, 9000 kbit/s H.264 High, keyframe 2 s, AAC 128 kbit/s 48 kHz")
    );
    assert_eq!(status.platforms, ["YouTube", "Facebook", "X", "Restream", "Custom"]);
    assert_eq!(status.used_by, ["Destination/d00", "Destination/d01"]);
    let ready = condition(&status, "Ready").expect("always there");
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("True", "Valid"));
    assert_eq!(ready.message, "It can be used, but not for Twitch, LinkedIn, Kick.");
    let (status, _) = pass(spec(4_000, "30"), &users(0), false);
    assert_eq!(condition(&status, "Ready").map(|c| c.message.as_str()), Some("All platforms take it."));
    assert_eq!((status.used_by.len(), status.used_by_count), (0, Some(0)));
}

#[test]
fn a_preset_that_is_used_stays_and_says_for_whom() {
    let (status, step) = pass(spec(4_000, "30"), &users(2), true);
    assert!(matches!(step, Step::Wait { on: Waiting::InUse(_), poll: None }), "{step:?}");
    let ready = condition(&status, "Ready").expect("always there");
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "InUse"));
    assert!(ready.message.contains("Destination/d00, Destination/d01"), "{}", ready.message);
    assert_eq!(pass(spec(4_000, "30"), &users(0), true).1, Step::Gone);
    // What cannot be understood can be deleted all the same.
    assert_eq!(pass(spec(4_000, "31"), &users(0), true).1, Step::Gone);
}

#[test]
fn what_cannot_be_understood_is_stalled() {
    let (status, _) = pass(spec(4_000, "31"), &users(0), false);
    let stalled = condition(&status, "Stalled").expect("it is stalled");
    assert_eq!(stalled.reason, "InvalidSpec");
    assert!(stalled.message.starts_with("spec.frameRate must be one of"), "{}", stalled.message);
    assert_eq!((status.encoding, status.platforms.len()), (None, 0));
}

#[test]
fn twenty_users_are_named_and_all_are_counted() {
    let (status, _) = pass(spec(4_000, "30"), &users(25), false);
    assert_eq!((status.used_by.len(), status.used_by_count), (20, Some(25)));
    assert_eq!(status.used_by.last().map(String::as_str), Some("Destination/d19"));
}
