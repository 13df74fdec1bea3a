//! Channels and their stream keys.

use playout_sim::{Config, Fault, FaultKind, Outcome, Switches};
use serde_json::{Value, json};

use crate::aws::{Aws, REGION, outcome, refused, request, text};

#[test]
fn a_channel_comes_with_its_one_key() {
    let aws = Aws::new();
    let made = aws.ivs("CreateChannel", json!({ "name": "show", "tags": { "team": "live" } })).expect("create");
    let channel = &made["channel"];
    let arn = text(&channel["arn"]);
    assert!(arn.starts_with("arn:aws:ivs:eu-west-1:123456789012:channel/"), "{arn}");
    for (member, wanted) in [
        ("name", json!("show")),
        ("type", json!("STANDARD")),
        ("latencyMode", json!("LOW")),
        ("authorized", json!(false)),
        ("insecureIngest", json!(false)),
        ("recordingConfigurationArn", json!("")),
        ("containerFormat", json!("TS")),
        ("tags", json!({ "team": "live" })),
    ] {
        assert_eq!(channel[member], wanted, "{member}");
    }
    assert!(text(&channel["ingestEndpoint"]).ends_with(".global-contribute.live-video.net"));
    assert!(text(&channel["playbackUrl"]).ends_with(".m3u8"));
    assert!(channel["srt"]["passphrase"].is_string());
    let key = &made["streamKey"];
    assert_eq!(key["channelArn"], channel["arn"]);
    assert!(text(&key["value"]).starts_with("sk_eu-west-1_"));

    let got = aws.ivs("GetChannel", json!({ "arn": arn })).expect("get");
    assert_eq!(got["channel"], *channel);
    assert!(!got.to_string().contains(&text(&key["value"])), "the key is shown once");
    let listed = aws.ivs("ListStreamKeys", json!({ "channelArn": arn })).expect("keys");
    assert_eq!(listed["streamKeys"], json!([{ "arn": key["arn"], "channelArn": arn, "tags": {} }]));
    let shown = aws.ivs("GetStreamKey", json!({ "arn": key["arn"] })).expect("key");
    assert_eq!(shown["streamKey"]["value"], key["value"]);
    let many = aws.ivs("BatchGetStreamKey", json!({ "arns": [key["arn"]] })).expect("keys");
    assert_eq!(many["streamKeys"][0]["value"], key["value"]);
    let state = aws.sim.state().to_string();
    assert!(!state.contains(&text(&key["value"])), "testers read the key where AWS shows it");
}

#[test]
fn names_are_not_unique_and_lists_have_pages() {
    let aws = Aws::new();
    let one = aws.ivs_channel(json!({ "name": "show" }));
    let two = aws.ivs_channel(json!({ "name": "show" }));
    aws.ivs_channel(json!({ "name": "other" }));
    let list = |wanted: Value| aws.ivs("ListChannels", wanted);
    let found = list(json!({ "filterByName": "show" })).expect("list")["channels"].clone();
    let mut arns: Vec<String> = found.as_array().expect("channels").iter().map(|c| text(&c["arn"])).collect();
    let mut wanted = vec![one.arn.clone(), two.arn.clone()];
    arns.sort();
    wanted.sort();
    assert_eq!(arns, wanted);
    assert!(found[0].get("ingestEndpoint").is_none() && found[0].get("playbackUrl").is_none(), "a summary");
    let (mut seen, mut token) = (0, Value::Null);
    loop {
        let mut page = json!({ "maxResults": 1 });
        if !token.is_null() {
            page["nextToken"] = token;
        }
        let answer = list(page).expect("a page");
        seen += answer["channels"].as_array().expect("channels").len();
        token = answer["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, 3);
    refused(list(json!({ "nextToken": "x" })), 400, "ValidationException", "nextToken");
    let arn = "arn:aws:ivs:eu-west-1:123456789012:recording-configuration/a";
    let both = list(json!({ "filterByName": "show", "filterByRecordingConfigurationArn": arn }));
    refused(both, 409, "ConflictException", "mutually exclusive");
}

#[test]
fn what_is_not_there_is_told_one_by_one() {
    let aws = Aws::new();
    let made = aws.ivs_channel(json!({}));
    let none = "arn:aws:ivs:eu-west-1:123456789012:channel/none";
    let many = aws.ivs("BatchGetChannel", json!({ "arns": [none, made.arn] })).expect("channels");
    assert_eq!(many["channels"][0]["arn"], json!(made.arn));
    assert_eq!(
        (&many["errors"][0]["arn"], &many["errors"][0]["code"]),
        (&json!(none), &json!("ResourceNotFoundException"))
    );
    for (operation, member) in [
        ("GetChannel", "arn"),
        ("UpdateChannel", "arn"),
        ("DeleteChannel", "arn"),
        ("GetStream", "channelArn"),
        ("StopStream", "channelArn"),
        ("CreateStreamKey", "channelArn"),
        ("ListStreamKeys", "channelArn"),
        ("ListStreamSessions", "channelArn"),
        ("GetStreamSession", "channelArn"),
    ] {
        refused(aws.ivs(operation, json!({ member: none })), 404, "ResourceNotFoundException", none);
    }
    refused(aws.ivs("GetChannel", json!({ "arn": "show" })), 400, "ValidationException", "regular expression");
    refused(aws.ivs("GetStreamSession", json!({ "channelArn": made.arn })), 404, "ResourceNotFoundException", "");
}

#[test]
fn an_update_changes_what_it_gives() {
    let aws = Aws::new();
    let made = aws.ivs_channel(json!({ "name": "show", "authorized": true }));
    let update = |more: Value| {
        let mut wanted = json!({ "arn": made.arn });
        wanted.as_object_mut().expect("an object").extend(more.as_object().expect("members").clone());
        aws.ivs("UpdateChannel", wanted).map(|answer| answer["channel"].clone())
    };
    let changed = update(json!({ "type": "ADVANCED_HD", "insecureIngest": true })).expect("update");
    assert_eq!((&changed["name"], &changed["authorized"]), (&json!("show"), &json!(true)));
    assert_eq!((&changed["type"], &changed["preset"]), (&json!("ADVANCED_HD"), &json!("HIGHER_BANDWIDTH_DELIVERY")));
    assert!(changed["srt"].get("passphrase").is_none(), "insecure ingest has none");
    let chosen = update(json!({ "preset": "CONSTRAINED_BANDWIDTH_DELIVERY" })).expect("update");
    assert_eq!(chosen["preset"], "CONSTRAINED_BANDWIDTH_DELIVERY");
    refused(
        update(json!({ "type": "BASIC", "preset": "HIGHER_BANDWIDTH_DELIVERY" })),
        400,
        "ValidationException",
        "preset",
    );
    let basic = update(json!({ "type": "BASIC" })).expect("update");
    assert_eq!((&basic["type"], basic.get("preset")), (&json!("BASIC"), None));
    for member in ["latencyMode", "type", "preset"] {
        refused(update(json!({ member: "TINY" })), 400, "ValidationException", member);
    }
    refused(update(json!({ "name": "with space" })), 400, "ValidationException", "name");
    let arn = "arn:aws:ivs:eu-west-1:123456789012:recording-configuration/a";
    refused(update(json!({ "recordingConfigurationArn": arn })), 501, "NotSimulatedException", "recording");
    update(json!({ "recordingConfigurationArn": "" })).expect("no recording");
    let multitrack = json!({ "multitrackInputConfiguration": { "enabled": true } });
    refused(update(multitrack), 501, "NotSimulatedException", "multitrack");
}

#[test]
fn the_key_is_reset_by_deleting_it_first() {
    let aws = Aws::new();
    let made = aws.ivs_channel(json!({}));
    let create = || aws.ivs("CreateStreamKey", json!({ "channelArn": made.arn, "tags": { "a": "b" } }));
    refused(create(), 402, "ServiceQuotaExceededException", "stream keys");
    aws.ivs("DeleteStreamKey", json!({ "arn": made.key_arn })).expect("delete");
    refused(aws.ivs("GetStreamKey", json!({ "arn": made.key_arn })), 404, "ResourceNotFoundException", "");
    refused(aws.ivs("DeleteStreamKey", json!({ "arn": made.key_arn })), 404, "ResourceNotFoundException", "");
    let listed = aws.ivs("ListStreamKeys", json!({ "channelArn": made.arn })).expect("keys");
    assert_eq!(listed["streamKeys"], json!([]));
    let next = create().expect("another")["streamKey"].clone();
    assert_ne!(next["value"], json!(made.key));
    assert_eq!(next["tags"], json!({ "a": "b" }));
    aws.ivs("DeleteChannel", json!({ "arn": made.arn })).expect("delete");
    refused(aws.ivs("GetStreamKey", json!({ "arn": next["arn"] })), 404, "ResourceNotFoundException", "");
    refused(aws.ivs("GetChannel", json!({ "arn": made.arn })), 404, "ResourceNotFoundException", &made.arn);
    assert_eq!(aws.sim.counts()["total"], 0);
}

#[test]
fn channels_and_keys_have_tags() {
    let aws = Aws::new();
    let made = aws.ivs_channel(json!({ "tags": { "a": "b" } }));
    for arn in [&made.arn, &made.key_arn] {
        aws.ivs("TagResource", json!({ "resourceArn": arn, "tags": { "c": "d", "e": "f" } })).expect("tag");
        aws.ivs("UntagResource", json!({ "resourceArn": arn, "tagKeys": ["a", "e"] })).expect("untag");
        let tags = aws.ivs("ListTagsForResource", json!({ "resourceArn": arn })).expect("tags");
        assert_eq!(tags["tags"], json!({ "c": "d" }), "{arn}");
    }
    let reserved = json!({ "resourceArn": made.arn, "tags": { "aws:x": "y" } });
    refused(aws.ivs("TagResource", reserved), 400, "ValidationException", "aws:");
    let none = json!({ "resourceArn": "arn:aws:ivs:eu-west-1:123456789012:channel/none" });
    refused(aws.ivs("ListTagsForResource", none), 404, "ResourceNotFoundException", "");
}

#[test]
fn a_lost_answer_leaves_a_channel_and_a_second_call_makes_another() {
    let aws = Aws::new();
    aws.sim.plant_fault(Fault::new("ivs", "CreateChannel", FaultKind::DropAfter));
    refused(aws.ivs("CreateChannel", json!({ "name": "show" })), 0, "dropped", "");
    aws.ivs_channel(json!({ "name": "show" }));
    assert_eq!(aws.sim.counts()["regions"][REGION]["ivs"], json!({ "channels": 2, "streamKeys": 2, "streams": 0 }));
    assert_eq!(aws.sim.counts()["total"], 2);
    aws.sim.plant_fault(Fault::new("ivs", "CreateChannel", FaultKind::HideFromLists { seconds: 30.0 }));
    let hidden = aws.ivs_channel(json!({ "name": "late" }));
    let found = || aws.ivs("ListChannels", json!({ "filterByName": "late" })).expect("list")["channels"].clone();
    assert_eq!(found(), json!([]));
    aws.pass(30);
    assert_eq!(found()[0]["arn"], json!(hidden.arn));
}

#[test]
fn errors_have_the_shape_of_the_service() {
    let aws = Aws::new();
    let none = json!({ "arn": "arn:aws:ivs:eu-west-1:123456789012:channel/none" });
    let Outcome::Respond(response) = aws.sim.handle(request("ivs", REGION, "GetChannel", &none)).outcome else {
        panic!("dropped")
    };
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["x-amzn-errortype"], "ResourceNotFoundException");
    let body: Value = serde_json::from_slice(response.body()).expect("JSON");
    assert!(body["exceptionMessage"].is_string() && body.get("message").is_none(), "{body}");
}

#[test]
fn seven_regions_have_it() {
    let aws = Aws::new();
    for (region, there) in [("us-east-1", true), ("ap-south-1", true), ("eu-north-1", false), ("us-east-2", false)] {
        let answer = outcome(aws.sim.handle(request("ivs", region, "ListChannels", &json!({}))));
        match there {
            true => assert_eq!(answer.expect(region)["channels"], json!([])),
            false => refused(answer, 0, "dropped", ""),
        }
    }
}

#[test]
fn an_account_that_is_not_verified_makes_and_changes_nothing() {
    let aws = Aws::new();
    let made = aws.ivs_channel(json!({ "name": "show" }));
    aws.sim.set_switches(Switches { pending_verification: true, ..Switches::default() });
    for (operation, input) in [
        ("CreateChannel", json!({})),
        ("UpdateChannel", json!({ "arn": made.arn })),
        ("DeleteChannel", json!({ "arn": made.arn })),
        ("CreateStreamKey", json!({ "channelArn": made.arn })),
        ("DeleteStreamKey", json!({ "arn": made.key_arn })),
    ] {
        refused(aws.ivs(operation, input), 403, "PendingVerification", "pending verification");
    }
    aws.ivs("GetChannel", json!({ "arn": made.arn })).expect("a read");
    aws.sim.set_switches(Switches::default());
    aws.ivs("DeleteChannel", json!({ "arn": made.arn })).expect("verified");
}

#[test]
fn each_operation_has_its_rate() {
    let aws = Aws::with(Config::default());
    let made = aws.ivs_channel(json!({}));
    let get = || aws.ivs("GetChannel", json!({ "arn": made.arn }));
    for _ in 0..5 {
        get().expect("five a second");
    }
    refused(get(), 429, "ThrottlingException", "Rate exceeded");
    let tags = || aws.ivs("ListTagsForResource", json!({ "resourceArn": made.arn }));
    for _ in 0..10 {
        tags().expect("ten a second");
    }
    refused(tags(), 429, "ThrottlingException", "Rate exceeded");
    aws.pass(1);
    get().expect("a second later");
}
