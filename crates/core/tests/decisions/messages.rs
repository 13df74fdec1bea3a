//! What people read when a reference or a key cannot be used: the user's field, the fact, and a remedy that works.

use std::collections::BTreeMap;

use playout_api::destination::{Destination, DestinationStatus, Platform};
use playout_api::encoding_preset::EncodingPresetSpec;
use playout_api::{ACTIVE_ENDPOINT, TEST_CONNECTION};
use playout_core::conditions::{INPUT_REACHABLE, READY, SAME_RECEIVER};
use playout_core::endpoint::Role;
use playout_core::failure::{Failure, FailureClass, Problem};
use playout_core::feeds::Sender;
use playout_core::identity::Ownership;
use playout_core::kinds::destination::groups::fields;
use playout_core::kinds::destination::plan::plan;
use playout_core::kinds::source::observed::Management;
use playout_core::kinds::{destination, source};
use playout_core::plan::{Desired, Step};
use playout_core::presets;
use playout_core::reasons::Reason;
use playout_core::references::{Missing, References, entry, trimmed};
use playout_core::resources::channel::Login;
use playout_core::secret::SecretText;
use serde_json::{Value, json};

use crate::fixtures::{
    at, backup_json, destination_json, destination_object, destination_seen, destination_spec, destination_spec_of,
    destination_wanted, encrypted, input, outcome_of, present, references, set, source_object, source_seen,
    source_spec, wish,
};

/// What a start of the Destination with these changes is refused with.
fn refused(changes: &[(&str, Value)], references: &References) -> Problem {
    let mut document = destination_json();
    changes.iter().for_each(|(pointer, value)| set(&mut document, pointer, value.clone()));
    let desired = destination_wanted(&destination_spec_of(document, &[]), references);
    match plan(&desired, false, &destination_seen(&[("/state", json!("Stopped"))])).step {
        Step::Stalled(problem) => problem,
        other => panic!("expected a problem, got {other:?}"),
    }
}

/// What is said when this is known of entry `primary` of Secret `keys`.
fn said_of(missing: Missing) -> String {
    let place = ("keys".to_string(), "primary".to_string());
    let mut references = references();
    references.secrets.remove(&place);
    references.missing.insert(place, missing);
    let problem = refused(&[], &references);
    assert_eq!(problem.reason, Reason::SecretMissing);
    problem.message
}

fn with_key(text: &str) -> References {
    let mut references = references();
    let found = references.secrets.get_mut(&("keys".to_string(), "primary".to_string())).expect("a key");
    found.text = SecretText::new(text);
    references
}

const PATCH: &str = r#"kubectl -n show patch secret keys --type merge -p '{"stringData":{"primary":"..."}}'"#;

#[test]
fn a_secret_that_cannot_be_used_is_told_by_what_is_wrong_with_it_and_a_command_that_works() {
    let text = said_of(Missing::Secret);
    assert!(text.contains("there is no Secret keys in namespace show"), "{text}");
    assert!(text.contains("kubectl -n show create secret generic keys --from-literal=primary=..."), "{text}");
    let text = said_of(Missing::Entry(vec!["backup".into(), "streamkey".into()]));
    assert!(
        text.starts_with("spec.streamKey.secretRef: Secret keys has no entry primary; it has backup, streamkey."),
        "{text}"
    );
    assert!(text.contains("Correct spec.streamKey.secretRef.key, or add the entry") && text.contains(PATCH), "{text}");
    let text = said_of(Missing::Entry(Vec::new()));
    assert!(text.contains("has no entries at all") && text.contains(PATCH), "{text}");
    let text = said_of(Missing::Unreadable { utf16: true });
    assert!(text.contains("UTF-16") && text.contains("PowerShell") && text.contains(PATCH), "{text}");
    let text = said_of(Missing::Unreadable { utf16: false });
    assert!(text.contains("no UTF-8 text") && text.contains(PATCH), "{text}");
    let text = refused(&[], &with_key("")).message;
    assert!(text.contains("entry primary of Secret keys is empty") && text.contains(PATCH), "{text}");
}

#[test]
fn an_ssm_parameter_is_mended_by_a_command_for_ssm() {
    let named = |name: &str| [("/streamKey", json!({ "ssmParameter": name }))];
    let problem = refused(&named("/nowhere"), &references());
    assert_eq!(problem.reason, Reason::ParameterMissing);
    let (start, region) =
        ("spec.streamKey.ssmParameter: there is no SSM parameter /nowhere in region us-west-2", "us-west-2");
    assert!(problem.message.starts_with(start), "{}", problem.message);
    let command = format!("aws ssm put-parameter --region {region} --name /nowhere --type SecureString --value");
    assert!(problem.message.contains(&command) && !problem.message.contains("kubectl"), "{}", problem.message);
    let mut spoiled = references();
    spoiled.parameters.get_mut("/live/key").expect("a parameter").text = SecretText::new("abcd efgh");
    let problem = refused(&named("/live/key"), &spoiled);
    let text = problem.message;
    assert!(
        text.starts_with("spec.streamKey.ssmParameter: the text in SSM parameter /live/key has a space as character 5"),
        "{text}"
    );
    assert!(text.contains("--overwrite") && !text.contains("kubectl") && !text.contains("abcd"), "{text}");
}

#[test]
fn which_of_two_keys_is_meant_is_said() {
    let mut references = with_key("abcd-efgh-1234");
    let found = references.secrets.get_mut(&("keys".to_string(), "backup".to_string())).expect("a key");
    found.text = SecretText::new("\u{feff}abcd-efgh");
    for delivery in ["Passthrough", "Transcode"] {
        let changes = [("/backup", backup_json("Hot")), ("/delivery", json!(delivery))];
        let wanted = present(destination_wanted(&destination_spec(&changes), &references));
        let of_output = wanted.outputs.get(&Role::Backup).and_then(|o| o.settings.clone().err());
        let of_channel = || wanted.channel.as_ref()?.endpoints.get(&Role::Backup)?.target.clone().err();
        let problem = of_output.or_else(of_channel).expect("a problem");
        assert_eq!(problem.reason, Reason::InvalidSpec, "{}", problem.message);
        let start =
            "spec.backup.streamKey.secretRef: the text in entry backup of Secret keys has an invisible byte order mark";
        assert!(problem.message.starts_with(start), "{}", problem.message);
    }
}

#[test]
fn a_key_that_only_looks_right_is_refused_and_not_repeated() {
    for text in [
        "\u{feff}hidden-key-1",
        "\"hidden-key-1\"",
        "hidden\u{200b}-key-1",
        "rtmp://host/app/hidden-key-1",
        "hidden key",
    ] {
        for delivery in ["Passthrough", "Transcode"] {
            let problem = refused(&[("/delivery", json!(delivery))], &with_key(text));
            assert_eq!(problem.reason, Reason::InvalidSpec, "{text:?}");
            assert!(
                problem.message.contains("spec.streamKey.secretRef: the text in entry primary"),
                "{}",
                problem.message
            );
            assert!(problem.message.contains(PATCH) && !problem.message.contains("hidden"), "{}", problem.message);
        }
    }
    // A word is a stream name where people run the server themselves, and nobody's key on a platform.
    let platform = [("/platform", json!("Twitch")), ("/url", json!("rtmps://live.twitch.tv:443/app"))];
    assert!(refused(&platform, &with_key("stream")).message.contains("is a common word and not a key"));
    let desired = destination_wanted(&destination_spec(&[]), &with_key("stream"));
    assert!(present(desired).outputs.values().all(|o| o.settings.is_ok()));
}

#[test]
fn an_srt_password_has_10_to_80_characters_whatever_their_bytes() {
    let of = |text: &str| {
        let mut references = references();
        let found = references.secrets.get_mut(&("passwords".to_string(), "main".to_string())).expect("a password");
        found.text = SecretText::new(text);
        let spec = source_spec(&[("/inputs", json!([encrypted(input("main", "Primary", 5000))]))]);
        let desired = source::wanted::wanted(
            &spec,
            &crate::fixtures::identity("Source", "studio"),
            &references,
            Some(crate::fixtures::ROLE),
            false,
        );
        present(desired).problem.map(|problem| problem.message)
    };
    assert_eq!(of(&"x".repeat(80)), None);
    assert_eq!(of(&"é".repeat(40)), None);
    assert_eq!(of(&"é".repeat(80)), None);
    let long = of(&"x".repeat(81)).expect("a problem");
    assert!(long.contains("has 81 characters, and an SRT password has 10 to 80"), "{long}");
    assert!(
        long.contains("spec.inputs[main].encryption.passwordSecretRef") && long.contains("kubectl -n show patch"),
        "{long}"
    );
    assert!(of("\u{feff}correct horse").is_some_and(|text| text.contains("byte order mark")));
}

#[test]
fn an_entry_is_read_as_it_was_meant_or_told_as_what_it_is() {
    let utf16: Vec<u8> = "abcd".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let entries = BTreeMap::from([
        ("plain".to_string(), b"abcd-efgh\r\n".to_vec()),
        ("marked".to_string(), [vec![0xff, 0xfe], utf16.clone()].concat()),
        ("unmarked".to_string(), utf16),
        ("binary".to_string(), vec![0xc3, 0x28]),
    ]);
    let read = |name: &str| entry(entries.iter().map(|(name, bytes)| (name, bytes.as_slice())), name);
    assert_eq!(read("plain"), Ok(SecretText::new("abcd-efgh")));
    assert_eq!(read("marked"), Err(Missing::Unreadable { utf16: true }));
    assert_eq!(read("unmarked"), Err(Missing::Unreadable { utf16: true }));
    assert_eq!(read("binary"), Err(Missing::Unreadable { utf16: false }));
    let others = ["binary", "marked", "plain", "unmarked"].map(str::to_string).to_vec();
    assert_eq!(read("streamKey"), Err(Missing::Entry(others)));
    assert_eq!(trimmed("abcd \n\n"), "abcd ");
}

// ------------------------------------------------------------------------------- what a receiver can be sent to, and how

#[test]
fn what_a_flow_cannot_send_to_is_told_by_the_users_field_and_never_asked_of_aws() {
    for (url, fact) in [
        ("rtmp://va.pscp.tv:80/x", "has port 80"),
        ("rtmps://ingest.example.net:80/live", "has port 80"),
        ("rtmp://[2001:db8::7]:1935/live", "names an IPv6 address"),
    ] {
        let problem = refused(&[("/url", json!(url))], &references());
        assert_eq!(problem.reason, Reason::InvalidSpec);
        assert!(problem.message.starts_with(&format!("spec.url {fact}")), "{}", problem.message);
        assert!(problem.message.contains("delivery: Transcode"), "{}", problem.message);
        let through = destination_wanted(
            &destination_spec(&[("/url", json!(url)), ("/delivery", json!("Transcode"))]),
            &references(),
        );
        let channel = present(through).channel.expect("a channel");
        let target = channel.endpoints[&Role::Primary].target.clone().expect("MediaLive takes it");
        assert!(target.url.expose().starts_with(url.rsplit_once('/').expect("a path").0), "with its brackets and port");
    }
    let backup = [("/backup", json!({ "url": "rtmps://b.example.com:80/app", "mode": "Hot" }))];
    let wanted = present(destination_wanted(&destination_spec(&backup), &references()));
    let problem = wanted.outputs[&Role::Backup].settings.clone().expect_err("port 80");
    assert!(problem.message.starts_with("spec.backup.url has port 80"), "{}", problem.message);
}

#[test]
fn a_login_reaches_medialive_and_is_refused_for_an_output_of_a_flow() {
    let login = [
        ("/username", json!("studio")),
        ("/password", json!({ "ssmParameter": "/live/receiver/password" })),
        ("/backup", backup_json("Hot")),
    ];
    let mut changes = login.to_vec();
    let problem = refused(&changes, &references());
    assert!(problem.message.contains("spec.username") && problem.message.contains("Transcode"), "{}", problem.message);
    changes.push(("/delivery", json!("Transcode")));
    let targets = |changes: &[(&str, Value)]| {
        let wanted = present(destination_wanted(&destination_spec(changes), &references()));
        let endpoints = wanted.channel.expect("a channel").endpoints;
        [Role::Primary, Role::Backup].map(|role| endpoints[&role].target.clone().expect("a target").login)
    };
    let of = |username: &str, parameter: &str| {
        Some(Login { username: username.into(), password_parameter: parameter.into() })
    };
    assert_eq!(targets(&changes), [of("studio", "/live/receiver/password"), of("studio", "/live/receiver/password")]);
    changes.push(("/backup/username", json!("reserve")));
    changes.push(("/backup/password", json!({ "ssmParameter": "/live/reserve" })));
    assert_eq!(targets(&changes), [of("studio", "/live/receiver/password"), of("reserve", "/live/reserve")]);
    // A changed login is a change of the channel, by the names of the fields.
    let settings = |changes: &[(&str, Value)]| {
        let wanted = present(destination_wanted(&destination_spec(changes), &references()));
        let mut channel = *wanted.channel.expect("a channel");
        channel.role_arn = Ok("arn:role".into());
        channel.settings(|_| true, "1").expect("settings")
    };
    let mut other = changes.clone();
    other.push(("/username", json!("somebody")));
    other.push(("/backup/password", json!({ "ssmParameter": "/live/other" })));
    assert_eq!(fields(&settings(&other).differences(&settings(&changes))), ["username", "backup.password"]);
}

// ------------------------------------------------------------------------------------------------- what is said beside Ready

fn status_of(object: &Destination, wanted: &destination::wanted::Wanted) -> DestinationStatus {
    let seen = destination_seen(&[]);
    let plan = plan(&Desired::Present(wanted.clone()), false, &seen);
    destination::status::status(object, &outcome_of(Some(wanted), Some(&seen), Some(&plan), 0))
}

fn said<'a>(status: &'a DestinationStatus, type_: &str) -> Option<(&'a str, &'a str)> {
    status.conditions.iter().find(|c| c.type_ == type_).map(|c| (c.reason.as_str(), c.message.as_str()))
}

#[test]
fn others_who_send_the_same_way_are_told_and_those_of_other_namespaces_not_named() {
    let object = destination_object(destination_spec(&[]));
    let mut wanted = present(destination_wanted(&destination_spec(&[]), &references()));
    assert_eq!(said(&status_of(&object, &wanted), SAME_RECEIVER), None);
    let sender =
        |namespace: &str, name: &str| Sender { namespace: namespace.into(), name: name.into(), uid: name.into() };
    wanted.same_receiver = vec![sender("show", "copy"), sender("elsewhere", "hidden")];
    let status = status_of(&object, &wanted);
    let (reason, text) = said(&status, SAME_RECEIVER).expect("a condition");
    assert_eq!(reason, "SameReceiver");
    assert!(
        text.contains("Destinations copy and others of another namespace send") && text.contains("stop one"),
        "{text}"
    );
    assert!(!text.contains("hidden") && !text.contains("elsewhere"), "{text}");
    let (_, ready) = said(&status, READY).expect("Ready");
    assert!(ready.contains(text), "{ready}");
    wanted.same_receiver = vec![sender("elsewhere", "hidden")];
    let status = status_of(&object, &wanted);
    let text = said(&status, SAME_RECEIVER).expect("a condition").1;
    assert!(text.starts_with("A Destination of another namespace sends") && !text.contains("hidden"), "{text}");
}

#[test]
fn one_receiver_and_key_is_one_feed_however_the_url_is_spelt() {
    let feeds = |changes: &[(&str, Value)], references: &References| {
        present(destination_wanted(&destination_spec(changes), references)).feeds()
    };
    let plain = [("/url", json!("rtmp://LIVE.example.com:1935/app"))];
    let same = feeds(&[], &references());
    assert_eq!((same.len(), &same), (1, &feeds(&plain, &references())));
    assert_eq!(same, feeds(&[("/delivery", json!("Transcode"))], &references()), "whatever the delivery");
    assert_ne!(same, feeds(&[], &with_key("another-key-0001")));
    assert_ne!(same, feeds(&[("/url", json!("rtmps://live.example.com:443/other"))], &references()));
    assert!(feeds(&[("/state", json!("Stopped"))], &references()).is_empty(), "what is stopped disturbs nobody");
    assert_eq!(feeds(&[("/backup", backup_json("Hot"))], &references()).len(), 2);
}

#[test]
fn a_value_that_an_annotation_does_not_take_is_told() {
    let spec = destination_spec(&[("/backup", backup_json("OnFailure"))]);
    // As it is seen: the backup of the spec is not there, so that all is as requested.
    let wanted = present(destination_wanted(&destination_spec(&[]), &references()));
    let ready = |value: &str| {
        let mut object = destination_object(spec.clone());
        object.metadata.annotations = Some(BTreeMap::from([(ACTIVE_ENDPOINT.into(), value.into())]));
        said(&status_of(&object, &wanted), READY).expect("Ready").1.to_string()
    };
    let text = ready("backup");
    assert!(
        text.contains(r#"playout.dev/active-endpoint is "backup" and is not acted upon; it takes Primary or Backup."#),
        "{text}"
    );
    assert!(!ready("Primary").contains("annotation"));

    let mut source = source_object(source_spec(&[]));
    let seen = source_seen(&[]);
    let step = source::plan::plan(&wish(&[]), false, &seen);
    for value in ["soon", "60", ""] {
        source.metadata.annotations = Some(BTreeMap::from([(TEST_CONNECTION.into(), value.into())]));
        let (seen, step, none) = (Some(&seen), Some(&step), None);
        let outcome = source::Outcome { wanted: none, seen, step, failure: None, ..source::Outcome::at(at(0)) };
        let status = source::status::status(&source, &outcome, "us-west-2");
        let condition = status.conditions.iter().find(|c| c.type_ == INPUT_REACHABLE).expect("a condition");
        assert_eq!((condition.status.as_str(), condition.reason.as_str()), ("Unknown", "InvalidSpec"));
        let expected = format!(r#"playout.dev/test-connection is "{value}" and is not acted upon"#);
        assert!(condition.message.contains(&expected) && condition.message.contains("60s"), "{}", condition.message);
    }
}

#[test]
fn a_refusal_of_aws_names_fields_of_the_spec() {
    let failure = |message: &str| Failure {
        class: FailureClass::Invalid,
        operation: "mediaconnect:AddFlowOutputs".into(),
        message: message.into(),
    };
    let text = failure("BadRequestException: Output x: minLatency is out of range").text();
    assert!(
        text.ends_with("In the spec that is spec.srt.minLatencyMs: correct it, and the operator tries again."),
        "{text}"
    );
    let text = failure("BadRequestException: something new").text();
    assert!(!text.contains("field that AWS names") && text.contains("playout.dev/reconcile-at"), "{text}");
}

#[test]
fn whose_a_flow_of_another_namespace_is_stays_hidden() {
    let spec = source_spec(&[("/external", json!({ "arn": crate::fixtures::FLOW, "policy": "Adopt" }))]);
    let mut seen = source_seen(&[]);
    seen.management = Management::AdoptionPending { shown: None, told: false };
    seen.ownership = Ownership::Foreign;
    let mut owner = crate::fixtures::identity("Source", "other");
    owner.namespace = "elsewhere".into();
    seen.tags = owner.tags(&BTreeMap::new());
    let Step::Stalled(problem) = source::plan::plan(&crate::fixtures::source_wanted(&spec), false, &seen) else {
        panic!("a problem")
    };
    assert_eq!(problem.reason, Reason::ExternalOwned);
    assert!(!problem.message.contains("elsewhere") && !problem.message.contains("Source other"), "{}", problem.message);
    assert!(problem.message.contains("of another namespace"), "{}", problem.message);
}

#[test]
fn an_upright_picture_and_a_fraction_of_a_second_between_keyframes() {
    let spec = |width: i32, height: i32| {
        let spec = json!({ "width": width, "height": height, "frameRate": "25", "videoBitrateKbps": 4500, "gopSeconds": 1.92 });
        serde_json::from_value::<EncodingPresetSpec>(spec).expect("a spec")
    };
    assert_eq!(presets::parse(&spec(1280, 720)).expect("an encoding").gop_milliseconds, 1920);
    let warnings = |width, height| {
        let found = presets::resolve(Some("mine"), Platform::Custom, |_| Some(Ok(spec(width, height))));
        found.expect("an encoding").warnings.join(" ")
    };
    assert_eq!(warnings(1280, 720), "");
    let text = warnings(720, 1280);
    assert!(text.contains("720x1280 is higher than wide") && text.contains("bars"), "{text}");
}

#[test]
fn a_command_in_a_message_names_the_namespace() {
    // Whoever reads it may be in another one: without the name it does nothing, or something to another object.
    fn without(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                without(&entry, found);
                continue;
            }
            let text = std::fs::read_to_string(&entry).expect("text");
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let bare =
                |line: &&str| line.match_indices("kubectl ").any(|(at, _)| !line[at..].starts_with("kubectl -n {"));
            found.extend(lines.filter(bare).map(|line| format!("{}: {}", entry.display(), line.trim())));
        }
    }
    let mut found = Vec::new();
    without(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
