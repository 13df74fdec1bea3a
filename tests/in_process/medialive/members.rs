//! Every member of a channel is sent, read back and compared.

use super::*;

/// What the operator sends to make a channel.
async fn request_of(new: &NewChannel) -> Value {
    let made = json!({ "channel": { "id": "1", "arn": "arn:1", "state": "CREATING" } });
    let (canned, region) = Canned::new(201, &made).await;
    region.medialive.create_channel(new, "token").await.expect("a channel");
    canned.sent()
}

/// The request, as AWS would describe what it made.
fn described(request: &Value) -> Value {
    let mut answer = request.clone();
    answer["id"] = json!("1");
    answer["arn"] = json!("arn:1");
    answer["state"] = json!("IDLE");
    answer
}

/// The paths of all members and elements below a value.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
        Value::Array(elements) => elements.iter().enumerate().map(|(n, value)| (format!("{at}/{n}"), value)).collect(),
        _ => return,
    };
    for (path, value) in inner {
        paths(value, &path, found);
        found.push(path);
    }
}

/// The value changed at a path, and then without what is there.
fn spoiled(value: &Value, path: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let there = value.pointer(path).expect("a path of this value");
    let other = match there {
        Value::String(text) => Some(json!(format!("{text}0"))),
        Value::Number(number) => Some(json!(number.as_f64().expect("a number") + 1.0)),
        _ => None,
    };
    if let Some(other) = other {
        let mut changed = value.clone();
        // Whole numbers stay whole on the wire.
        let whole = other.as_f64().filter(|n| there.is_i64() && n.fract() == 0.0);
        #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
        let other = whole.map_or(other, |n| json!(n as i64));
        *changed.pointer_mut(path).expect("a path") = other;
        all.push((format!("{path} changed"), changed));
    }
    let (parent, last) = path.rsplit_once('/').expect("a path");
    let mut without = value.clone();
    match without.pointer_mut(parent).expect("a path") {
        Value::Object(members) => drop(members.remove(last)),
        Value::Array(elements) => drop(elements.remove(last.parse().expect("a number"))),
        _ => unreachable!("only these have paths below them"),
    }
    all.push((format!("{path} removed"), without));
    all
}

#[tokio::test(start_paused = true)]
async fn every_member_that_is_sent_is_compared_and_no_other() -> Result<()> {
    let new = new_channel("7");
    let request = request_of(&new).await;
    let (canned, region) = Canned::new(200, &described(&request)).await;
    let seen =
        region.medialive.describe_channel("1", Urgency::Change).await.expect("an answer").context("a channel")?;
    let Channel { id, name, state, settings, tags, .. } = seen;
    ensure!((id.as_str(), &name, state) == ("1", &new.name, ChannelState::Idle));
    ensure!(tags == new.tags);
    ensure!(settings == new.settings, "{:?}", new.settings.differences(&settings));

    let mut all = Vec::new();
    paths(&request, "", &mut all);
    let compared = all.iter().filter(|path| {
        // These are facts of their own, or AWS does not show them.
        !["/name", "/requestId", "/tags"].iter().any(|other| path.starts_with(other))
    });
    let mut count = 0;
    for path in compared {
        for (what, answer) in spoiled(&described(&request), path) {
            canned.will_answer(&answer);
            let seen = region.medialive.describe_channel("1", Urgency::Change).await.expect("an answer");
            let differences = new.settings.differences(&seen.context("a channel")?.settings);
            ensure!(!differences.is_empty(), "{what} makes no difference");
            count += 1;
        }
    }
    ensure!(count > 150, "only {count} changes were tried");

    // What AWS fills in, and what others add beside it, is not ours to judge.
    let mut filled = described(&request);
    filled["maintenance"] = json!({ "maintenanceDay": "THURSDAY" });
    filled["inputAttachments"][0]["inputSettings"]["filterStrength"] = json!(1);
    filled["inputAttachments"][0]["inputSettings"]["audioSelectors"][0]["selectorSettings"] = json!({});
    filled["encoderSettings"]["captionDescriptions"] = json!([]);
    filled["encoderSettings"]["videoDescriptions"][0]["codecSettings"]["h264Settings"]["slices"] = json!(4);
    filled["encoderSettings"]["outputGroups"][0]["outputGroupSettings"]["rtmpGroupSettings"]["adMarkers"] = json!([]);
    filled["encoderSettings"]["outputGroups"][0]["outputs"][0]["captionDescriptionNames"] = json!([]);
    filled["destinations"][0]["mediaPackageSettings"] = json!([]);
    canned.will_answer(&filled);
    let seen =
        region.medialive.describe_channel("1", Urgency::Change).await.expect("an answer").context("a channel")?;
    ensure!(seen.settings == new.settings);

    // A second output group, description, attachment or login is a difference, and so is another track.
    let [groups, videos, inputs] =
        ["/encoderSettings/outputGroups", "/encoderSettings/videoDescriptions", "/inputAttachments"];
    for (list, element) in [
        (groups, json!({ "name": "archive" })),
        (videos, json!({ "name": "small" })),
        (inputs, json!({ "inputId": "8" })),
        ("/destinations/0/settings", json!({ "url": "rtmp://c.example.net/live" })),
    ] {
        let mut more = described(&request);
        more.pointer_mut(list).and_then(Value::as_array_mut).context("a list")?.push(element);
        canned.will_answer(&more);
        let seen = region.medialive.describe_channel("1", Urgency::Change).await.expect("an answer");
        ensure!(!new.settings.differences(&seen.context("a channel")?.settings).is_empty(), "more in {list}");
    }
    for (member, value) in [
        (
            "/destinations/0/settings/0",
            json!({ "url": "rtmps://a.example.net:443/live2", "streamName": KEY, "username": "me" }),
        ),
        (
            "/inputAttachments/0/inputSettings/audioSelectors/0",
            json!({ "name": "default", "selectorSettings": { "audioPidSelection": { "pid": 482 } } }),
        ),
    ] {
        let mut other = described(&request);
        *other.pointer_mut(member).context("a member")? = value;
        canned.will_answer(&other);
        let seen = region.medialive.describe_channel("1", Urgency::Change).await.expect("an answer");
        ensure!(!new.settings.differences(&seen.context("a channel")?.settings).is_empty(), "another {member}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn each_encoding_comes_back_as_it_was_sent() -> Result<()> {
    let one = encoding();
    let mut encodings = vec![
        Encoding { width: 640, ..one.clone() },
        Encoding { height: 360, ..one.clone() },
        Encoding { framerate: Framerate::whole(50), ..one.clone() },
        Encoding { video_bitrate: 3_000_000, ..one.clone() },
        Encoding { buffer_size: 3_000_000, ..one.clone() },
        Encoding { b_frames: 0, ..one.clone() },
        Encoding { audio: Audio { bitrate: 96_000, ..one.audio }, ..one.clone() },
        Encoding { audio: Audio { sample_rate: 44_100, ..one.audio }, ..one.clone() },
        Encoding { audio: Audio { channels: Channels::Mono, ..one.audio }, ..one.clone() },
    ];
    encodings.extend([500, 1001, 1500, 2002, 3333, 4000].map(|gop| Encoding { gop_milliseconds: gop, ..one.clone() }));
    encodings.extend([Profile::Baseline, Profile::Main].map(|profile| Encoding { profile, ..one.clone() }));
    use Level::{L3, L3_1, L3_2, L4, L4_2, L5, L5_1, L5_2};
    encodings.extend([L3, L3_1, L3_2, L4, L4_2, L5, L5_1, L5_2].map(|level| Encoding { level, ..one.clone() }));
    for encoding in encodings {
        let mut new = new_channel("7");
        new.settings.encodings = BTreeMap::from([(EncodingName::main(), encoding.clone())]);
        let (_, region) = Canned::new(200, &described(&request_of(&new).await)).await;
        let seen = region.medialive.describe_channel("1", Urgency::Change).await.expect("an answer");
        let seen = seen.context("a channel")?.settings;
        ensure!(seen == new.settings, "{encoding:?}: {:?}", seen.encodings);
        ensure!(seen.encodings[&EncodingName::main()] != one);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_update_has_all_that_the_create_had() -> Result<()> {
    let new = new_channel("7");
    let mut created = request_of(&new).await;
    let (canned, region) = Canned::new(200, &json!({ "channel": {} })).await;
    region.medialive.update_channel("1", &new.name, &new.settings).await.expect("an answer");
    // Tags have calls of their own, and so has the class.
    for member in ["requestId", "tags", "channelClass"] {
        ensure!(created.as_object_mut().and_then(|body| body.remove(member)).is_some(), "{member} was not sent");
    }
    ensure!(canned.sent() == created);
    ensure!(created["roleArn"] == MEDIALIVE_ROLE);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_aws_repeats_of_a_request_is_told_without_the_key() -> Result<()> {
    let refusal = json!({
        "message": format!("Destination rtmps://a.example.net:443/live2/{KEY} is not valid"),
        "validationErrors": [{ "elementPath": "/destinations/0", "errorMessage": format!("streamName {KEY}") }],
    });
    let (_, region) = Canned::new(422, &refusal).await;
    let new = new_channel("7");
    // A key that is no longer the object's is known from what AWS has.
    let (canned, knowing) = Canned::new(200, &described(&request_of(&new).await)).await;
    let seen = knowing.medialive.describe_channel("1", Urgency::Change).await.expect("an answer").expect("a channel");
    ensure!(!format!("{new:?}{}", serde_json::to_string(&new)?).contains("cnry"));
    let failure = region.medialive.create_channel(&new, "token").await.expect_err("a refusal");
    ensure!(failure.class == FailureClass::Invalid && failure.message.contains("/destinations/0"), "{failure:?}");
    ensure!(!failure.message.contains("cnry"), "{failure:?}");

    let alert = |state: &str, message: &str| json!({ "alertType": "Failed RTMP Connection", "state": state, "message": message });
    canned.will_answer(&json!({ "alerts": [
        alert("SET", &format!("Output group backup: unable to open output [rtmps://b.example.net:443/live2/{BACKUP_KEY}].")),
        alert("SET", &format!("The server does not know {KEY}")),
        alert("CLEARED", "nothing"),
    ] }));
    let alerts = knowing.medialive.alerts(&seen).await.expect("alerts");
    ensure!(alerts.len() == 2 && !format!("{alerts:?}").contains("cnry"), "{alerts:?}");
    ensure!(
        alerts[0].output == Some(OutputName::from(Role::Backup))
            && alerts[0].message.contains("rtmps://b.example.net:443")
    );
    ensure!(alerts[1].output.is_none());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_input_that_is_pushed_to_is_sent_and_comes_back() -> Result<()> {
    let made = json!({ "input": { "id": "7", "arn": "arn:7", "state": "CREATING" } });
    let (canned, region) = Canned::new(200, &made).await;
    let streams = vec![SecretText::new("live/cnry-stream-41")];
    let from = InputSource::RtmpPush { security_group: "5".into(), streams };
    let new = NewInput { name: "in".into(), from: from.clone(), role_arn: String::new(), tags: BTreeMap::new() };
    region.medialive.create_input(&new, "token").await.expect("an input");
    let sent = canned.sent();
    ensure!(sent["type"] == "RTMP_PUSH" && sent["inputSecurityGroups"] == json!(["5"]), "{sent}");
    ensure!(sent["destinations"] == json!([{ "streamName": "live/cnry-stream-41" }]), "{sent}");
    ensure!(sent["roleArn"].is_null(), "AWS takes none for it: {sent}");
    let url = "rtmp://198.51.100.7:1935/live/cnry-stream-41";
    canned.will_answer(&json!({ "id": "7", "arn": "arn:7", "state": "DETACHED", "securityGroups": ["5"],
        "destinations": [{ "ip": "198.51.100.7", "port": "1935", "url": url }] }));
    let seen = region.medialive.describe_input("7", Urgency::Change).await.expect("an answer").context("an input")?;
    ensure!(seen.takes(&from) && !seen.takes(&InputSource::Flow("arn:flow".into())));
    ensure!(!format!("{seen:?}{new:?}{}", serde_json::to_string(&new)?).contains("cnry"));
    Ok(())
}
