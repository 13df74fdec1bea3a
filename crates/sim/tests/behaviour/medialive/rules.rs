//! What a channel must be like, and what a request is told that is not.

use serde_json::{Value, json};

use super::{channel, rtmp_group, rtmp_url};
use crate::aws::{Aws, bad, refused};

/// A world with an input, to try channels on.
struct Trial {
    aws: Aws,
    input: String,
}

impl Trial {
    fn new() -> Self {
        let aws = Aws::new();
        let input = aws.input("show", &aws.flow("show"));
        Self { aws, input }
    }

    fn create(&self, change: impl Fn(&mut Value)) -> Result<Value, crate::aws::Failure> {
        let mut wanted = channel("show", &[&self.input]);
        change(&mut wanted);
        wanted["dryRun"] = json!(true);
        self.aws.medialive("CreateChannel", wanted)
    }

    /// Asserts that a change makes the channel wrong there, with these words.
    #[track_caller]
    fn wrong(&self, path: &str, words: &str, change: impl Fn(&mut Value)) {
        let refusal = self.create(change);
        let message = refusal.as_ref().map_or_else(|failure| failure.message.clone(), ToString::to_string);
        refused(refusal, 422, "UnprocessableEntityException", words);
        assert!(message.contains(&format!("{path} ")), "{message} is not about {path}");
        assert!(!message.contains("show-key"), "{message} tells the stream name");
    }
}

fn encoder(wanted: &mut Value) -> &mut Value {
    &mut wanted["encoderSettings"]
}

fn group(wanted: &mut Value) -> &mut Value {
    &mut wanted["encoderSettings"]["outputGroups"][0]
}

fn output(wanted: &mut Value) -> &mut Value {
    &mut wanted["encoderSettings"]["outputGroups"][0]["outputs"][0]
}

fn h264(wanted: &mut Value) -> &mut Value {
    &mut wanted["encoderSettings"]["videoDescriptions"][0]["codecSettings"]["h264Settings"]
}

fn aac(wanted: &mut Value) -> &mut Value {
    &mut wanted["encoderSettings"]["audioDescriptions"][0]["codecSettings"]["aacSettings"]
}

fn without(value: &mut Value, member: &str) {
    value.as_object_mut().expect("an object").remove(member);
}

fn push(list: &mut Value, item: Value) {
    list.as_array_mut().expect("a list").push(item);
}

#[test]
fn a_right_channel_is_taken() {
    Trial::new().create(|_| {}).expect("right");
}

#[test]
fn what_a_channel_needs_must_be_given() {
    let trial = Trial::new();
    trial.wrong("name", "must have a name", |wanted| without(wanted, "name"));
    trial.wrong("roleArn", "is not the ARN of a role", |wanted| without(wanted, "roleArn"));
    trial.wrong("roleArn", "is not the ARN of a role", |wanted| wanted["roleArn"] = json!("role"));
    trial.wrong("inputSpecification.codec", "required", |wanted| without(wanted, "inputSpecification"));
    trial.wrong("inputAttachments", "between 1 and 20", |wanted| wanted["inputAttachments"] = json!([]));
    trial.wrong("destinations", "at least one", |wanted| wanted["destinations"] = json!([]));
    trial.wrong("maintenance.maintenanceStartTime", "full hour", |wanted| {
        wanted["maintenance"] = json!({ "maintenanceDay": "MONDAY", "maintenanceStartTime": "03:30" });
    });
    trial.wrong("encoderSettings", "required", |wanted| without(wanted, "encoderSettings"));
    bad(trial.create(|wanted| without(encoder(wanted), "timecodeConfig")), "timecodeConfig");
    bad(trial.create(|wanted| without(output(wanted), "outputSettings")), "outputSettings");
    bad(trial.create(|wanted| wanted["colour"] = json!("red")), "colour");
}

#[test]
fn every_error_is_told_with_its_place() {
    let aws = Aws::new();
    let input = aws.input("show", &aws.flow("show"));
    let mut wanted = channel("show", &[&input]);
    without(&mut wanted, "name");
    wanted["destinations"] = json!([]);
    let answer = aws.sim.handle(crate::aws::request("medialive", crate::aws::REGION, "CreateChannel", &wanted));
    let playout_sim::Outcome::Respond(response) = answer.outcome else { panic!("dropped") };
    assert_eq!(response.status(), 422);
    let body: Value = serde_json::from_slice(response.body()).expect("JSON");
    let errors = body["validationErrors"].as_array().expect("validationErrors");
    assert_eq!(errors[0], json!({ "elementPath": "name", "errorMessage": "The channel must have a name" }));
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(body["message"].as_str().is_some_and(|text| text.starts_with("name The channel must have a name; ")));
}

#[test]
fn each_pipeline_has_its_destination_settings() {
    let trial = Trial::new();
    let two = json!([rtmp_url("a"), rtmp_url("b")]);
    trial.wrong("destinations[0].settings", "exactly 1", |wanted| wanted["destinations"][0]["settings"] = two.clone());
    trial.wrong("destinations[0].settings", "exactly 2", |wanted| wanted["channelClass"] = json!("STANDARD"));
    trial.wrong("inputAttachments[0].inputId", "SINGLE_PIPELINE", |wanted| {
        wanted["channelClass"] = json!("STANDARD");
        wanted["destinations"][0]["settings"] = two.clone();
    });
    trial.wrong("inputAttachments[0].inputId", "SINGLE_PIPELINE", |wanted| {
        without(wanted, "channelClass");
        wanted["destinations"][0]["settings"] = two.clone();
    });
}

#[test]
fn destinations_are_of_one_kind_and_used_once() {
    let trial = Trial::new();
    bad(trial.create(|wanted| wanted["destinations"][0]["settings"] = json!([])), "Exactly one of settings");
    let both = json!([{ "channelId": "x" }]);
    bad(trial.create(|wanted| wanted["destinations"][0]["mediaPackageSettings"] = both.clone()), "Exactly one of");
    trial.wrong("destinations[1].id", "is not unique", |wanted| {
        let same = wanted["destinations"][0].clone();
        push(&mut wanted["destinations"], same);
    });
    let path = "outputGroups[0].outputs[0].outputSettings.rtmpOutputSettings.destination.destinationRefId";
    trial.wrong(path, "does not exist", |wanted| {
        output(wanted)["outputSettings"]["rtmpOutputSettings"]["destination"]["destinationRefId"] = json!("none");
    });
    let second = "outputGroups[1].outputs[0].outputSettings.rtmpOutputSettings.destination.destinationRefId";
    trial.wrong(second, "used more than once", |wanted| {
        let mut more = rtmp_group("more", "rtmp0");
        more["outputs"][0]["outputName"] = json!("more");
        push(&mut encoder(wanted)["outputGroups"], more);
    });
    trial.wrong(path, "must have settings", |wanted| {
        wanted["destinations"][0] = json!({ "id": "rtmp0", "mediaPackageSettings": [{ "channelId": "x" }] });
    });
}

#[test]
fn urls_fit_their_output_groups() {
    let trial = Trial::new();
    let path = "outputGroups[0].outputs[0].outputSettings.rtmpOutputSettings.destination.destinationRefId";
    for url in ["https://live.example.net/app", "rtmps://", "live.example.net"] {
        trial.wrong(path, "must begin with rtmp:// or rtmps://", |wanted| {
            wanted["destinations"][0]["settings"][0]["url"] = json!(url);
        });
    }
    trial.wrong(path, "must have a streamName", |wanted| {
        without(&mut wanted["destinations"][0]["settings"][0], "streamName");
    });
    let hls = |url: &'static str| {
        move |wanted: &mut Value| {
            wanted["destinations"][0]["settings"] = json!([{ "url": url }]);
            let destination = json!({ "destinationRefId": "rtmp0" });
            group(wanted)["outputGroupSettings"] = json!({ "hlsGroupSettings": { "destination": destination } });
            let hls = json!({ "hlsSettings": { "standardHlsSettings": { "m3u8Settings": {} } } });
            output(wanted)["outputSettings"] = json!({ "hlsOutputSettings": hls });
        }
    };
    for url in ["s3://bucket/show", "s3ssl://bucket/show", "https://cdn.example.net/show"] {
        trial.create(hls(url)).expect("a destination of HLS");
    }
    let path = "outputGroups[0].outputGroupSettings.hlsGroupSettings.destination.destinationRefId";
    trial.wrong(path, "must begin with", hls("rtmp://live.example.net/app"));
}

#[test]
fn groups_and_outputs_are_of_one_kind() {
    let trial = Trial::new();
    let refusal = trial.create(|wanted| {
        output(wanted)["outputSettings"]["udpOutputSettings"] = json!({
            "containerSettings": {}, "destination": { "destinationRefId": "rtmp0" },
        })
    });
    refused(refusal, 422, "UnprocessableEntityException", "OutputSettings must contain exactly one property: ");
    let refusal = trial.create(|wanted| output(wanted)["outputSettings"] = json!({}));
    refused(refusal, 422, "UnprocessableEntityException", "OutputSettings must contain exactly one property");
    let refusal = trial.create(|wanted| group(wanted)["outputGroupSettings"] = json!({}));
    refused(refusal, 422, "UnprocessableEntityException", "OutputGroupSettings must contain exactly one property");
    trial.wrong("outputGroups[0].outputs[0].outputSettings", "must have rtmpOutputSettings", |wanted| {
        output(wanted)["outputSettings"] = json!({ "mediaPackageOutputSettings": {} });
    });
    trial.wrong("outputGroups[0].outputs", "exactly one output", |wanted| {
        let mut more = output(wanted).clone();
        more["outputName"] = json!("more");
        push(&mut group(wanted)["outputs"], more);
    });
    trial.wrong("outputGroups[0].outputs", "at least one output", |wanted| group(wanted)["outputs"] = json!([]));
    trial.wrong("outputGroups", "at least one output group", |wanted| encoder(wanted)["outputGroups"] = json!([]));
    let refusal = trial.create(|wanted| {
        group(wanted)["outputGroupSettings"] = json!({ "multiplexGroupSettings": {} });
    });
    refused(refusal, 501, "NotSimulatedException", "multiplexGroupSettings");
}

#[test]
fn outputs_take_descriptions_that_exist_and_each_is_taken() {
    let trial = Trial::new();
    let path = "outputGroups[0].outputs[0]";
    trial.wrong(&format!("{path}.videoDescriptionName"), "does not exist", |wanted| {
        output(wanted)["videoDescriptionName"] = json!("none");
    });
    trial.wrong(&format!("{path}.audioDescriptionNames[0]"), "does not exist", |wanted| {
        output(wanted)["audioDescriptionNames"] = json!(["none"]);
    });
    trial.wrong(&format!("{path}.videoDescriptionName"), "must have a video", |wanted| {
        without(output(wanted), "videoDescriptionName");
    });
    trial.wrong("audioDescriptions[0]", "is not referenced by any output", |wanted| {
        output(wanted)["audioDescriptionNames"] = json!([]);
    });
    trial.wrong("videoDescriptions[1]", "is not referenced by any output", |wanted| {
        push(&mut encoder(wanted)["videoDescriptions"], json!({ "name": "more" }));
    });
    trial.wrong("videoDescriptions[1].name", "is not unique", |wanted| {
        let same = encoder(wanted)["videoDescriptions"][0].clone();
        push(&mut encoder(wanted)["videoDescriptions"], same);
    });
    trial.wrong("audioDescriptions[0].audioSelectorName", "does not exist in inputAttachments[0]", |wanted| {
        encoder(wanted)["audioDescriptions"][0]["audioSelectorName"] = json!("none");
    });
    trial.wrong("audioDescriptions[0].audioSelectorName", "does not exist", |wanted| {
        without(&mut wanted["inputAttachments"][0], "inputSettings");
    });
    trial.wrong(&format!("{path}.videoDescriptionName"), "must be H.264", |wanted| {
        encoder(wanted)["videoDescriptions"][0]["codecSettings"] = json!({ "h265Settings": {
            "framerateNumerator": 30, "framerateDenominator": 1,
        } });
    });
    trial.wrong(&format!("{path}.audioDescriptionNames[0]"), "must be AAC", |wanted| {
        encoder(wanted)["audioDescriptions"][0]["codecSettings"] = json!({ "mp2Settings": {} });
    });
}

#[test]
fn rtmp_has_limits() {
    let trial = Trial::new();
    let of_group = |member: &'static str, value: i64| {
        trial.create(move |wanted| group(wanted)["outputGroupSettings"]["rtmpGroupSettings"][member] = json!(value))
    };
    bad(of_group("restartDelay", -1), "greater than or equal to 0");
    bad(of_group("cacheLength", 29), "greater than or equal to 30");
    of_group("restartDelay", 0).expect("never again");
    let of_output = |member: &'static str, value: i64| {
        trial.create(move |wanted| output(wanted)["outputSettings"]["rtmpOutputSettings"][member] = json!(value))
    };
    bad(of_output("numRetries", -1), "greater than or equal to 0");
    bad(of_output("connectionRetryInterval", 0), "greater than or equal to 1");
    of_output("numRetries", 0).expect("no retries");
}

#[test]
fn h264_has_rules() {
    let trial = Trial::new();
    let path = |member: &str| format!("videoDescriptions[0].codecSettings.h264Settings.{member}");
    let needed = [
        ("bitrate", "rateControlMode is CBR"),
        ("framerateNumerator", "framerateControl is SPECIFIED"),
        ("framerateDenominator", "framerateControl is SPECIFIED"),
    ];
    for (member, words) in needed {
        trial.wrong(&path(member), words, |wanted| without(h264(wanted), member));
    }
    trial.wrong(&path("parNumerator"), "parControl is SPECIFIED", |wanted| {
        h264(wanted)["parControl"] = json!("SPECIFIED");
    });
    trial.wrong(&path("maxBitrate"), "rateControlMode is QVBR", |wanted| {
        h264(wanted)["rateControlMode"] = json!("QVBR");
    });
    trial.wrong(&path("maxBitrate"), "less than bitrate", |wanted| {
        h264(wanted)["rateControlMode"] = json!("VBR");
        h264(wanted)["maxBitrate"] = json!(1_000_000);
    });
    trial.wrong(&path("gopSize"), "greater than 0", |wanted| h264(wanted)["gopSize"] = json!(0.0));
    trial.wrong(&path("gopSize"), "whole number", |wanted| {
        h264(wanted)["gopSizeUnits"] = json!("FRAMES");
        h264(wanted)["gopSize"] = json!(1.5);
    });
    trial.wrong("videoDescriptions[0].width", "even", |wanted| {
        encoder(wanted)["videoDescriptions"][0]["width"] = json!(1919);
    });
    bad(trial.create(|wanted| h264(wanted)["bitrate"] = json!(999)), "greater than or equal to 1000");
    bad(trial.create(|wanted| h264(wanted)["bufSize"] = json!(-1)), "greater than or equal to 0");
}

#[test]
fn aac_has_rates() {
    let trial = Trial::new();
    let path = |member: &str| format!("audioDescriptions[0].codecSettings.aacSettings.{member}");
    trial.wrong(&path("bitrate"), "not a valid value", |wanted| aac(wanted)["bitrate"] = json!(130_000.0));
    trial.wrong(&path("sampleRate"), "not a valid value", |wanted| aac(wanted)["sampleRate"] = json!(47_000.0));
    trial.create(|wanted| aac(wanted)["sampleRate"] = json!(44_100.0)).expect("CD");
}

#[test]
fn an_aac_bitrate_fits_its_sample_rate_and_coding_mode() {
    let trial = Trial::new();
    let path = "audioDescriptions[0].codecSettings.aacSettings.bitrate";
    let set = |wanted: &mut Value, mode: &str, rate: f64, bitrate: f64| {
        aac(wanted)["codingMode"] = json!(mode);
        aac(wanted)["sampleRate"] = json!(rate);
        aac(wanted)["bitrate"] = json!(bitrate);
    };
    let (mono, stereo) = ("CODING_MODE_1_0", "CODING_MODE_2_0");
    for (mode, rate, least, most) in [
        (mono, 44_100.0, 56_000.0, 256_000.0),
        (mono, 48_000.0, 56_000.0, 288_000.0),
        (stereo, 44_100.0, 96_000.0, 512_000.0),
        (stereo, 48_000.0, 64_000.0, 576_000.0),
    ] {
        for bitrate in [least, most] {
            trial.create(|wanted| set(wanted, mode, rate, bitrate)).expect("AWS takes it");
        }
        let words = format!("is not between {least} and {most}");
        trial.wrong(path, &words, |wanted| set(wanted, mode, rate, 48_000.0));
        trial.wrong(path, &words, |wanted| set(wanted, mode, rate, 640_000.0));
    }
    // Another profile has other limits, which are not checked.
    trial
        .create(|wanted| {
            set(wanted, stereo, 48_000.0, 48_000.0);
            aac(wanted)["profile"] = json!("HEV1");
        })
        .expect("HE-AAC");
}

#[test]
fn inputs_of_a_channel_have_names_and_limits() {
    let trial = Trial::new();
    trial.wrong("inputAttachments[0].inputId", "does not exist", |wanted| {
        wanted["inputAttachments"][0]["inputId"] = json!("1");
    });
    trial.wrong("inputAttachments[1].inputId", "attached twice", |wanted| {
        let mut same = wanted["inputAttachments"][0].clone();
        same["inputAttachmentName"] = json!("more");
        push(&mut wanted["inputAttachments"], same);
    });
    let more: Vec<String> = (0..2).map(|n| trial.aws.input(&n.to_string(), &trial.aws.flow(&n.to_string()))).collect();
    let three = |wanted: &mut Value| {
        wanted["inputAttachments"] = channel("show", &[&trial.input, &more[0], &more[1]])["inputAttachments"].clone();
    };
    trial.wrong("inputAttachments", "at most 2 push inputs", three);
    trial.wrong("inputAttachments[1].inputAttachmentName", "is not unique", |wanted| {
        wanted["inputAttachments"] = channel("show", &[&trial.input, &more[0]])["inputAttachments"].clone();
        wanted["inputAttachments"][1]["inputAttachmentName"] =
            wanted["inputAttachments"][0]["inputAttachmentName"].clone();
    });
}

#[test]
fn the_rules_hold_for_updates_too() {
    let trial = Trial::new();
    let id = trial.aws.channel("show", &trial.input);
    let role = crate::aws::ROLE;
    let two = json!([{ "id": "rtmp0", "settings": [rtmp_url("a"), rtmp_url("b")] }]);
    let update = json!({ "channelId": id, "roleArn": role, "destinations": two });
    refused(trial.aws.medialive("UpdateChannel", update), 422, "UnprocessableEntityException", "exactly 1");
    let class = json!({ "channelId": id, "channelClass": "STANDARD", "destinations": two });
    refused(trial.aws.medialive("UpdateChannelClass", class), 422, "UnprocessableEntityException", "SINGLE_PIPELINE");
    assert_eq!(trial.aws.channel_state(&id), "IDLE");
}

#[test]
fn what_is_not_simulated_says_so_loudly() {
    let trial = Trial::new();
    let refusal = trial.create(|wanted| wanted["vpc"] = json!({ "subnetIds": ["a"] }));
    refused(refusal, 501, "NotSimulatedException", "vpc");
    let refusal = trial.create(|wanted| wanted["cdiInputSpecification"] = json!({ "resolution": "HD" }));
    refused(refusal, 501, "NotSimulatedException", "cdiInputSpecification");
}
