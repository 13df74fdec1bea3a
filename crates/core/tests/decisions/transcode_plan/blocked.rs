//! What keeps it from the air: keys, roles, presets, the Source and quotas.

use super::*;
use playout_core::resources::channel::ChannelAction;

// ------------------------------------------------------------------------------------------------ what is missing

#[test]
fn a_missing_key_keeps_a_start_from_happening_before_anything_is_made() {
    for seen in [nothing(), with_input(InputState::Detached), idle(&[])] {
        let problem = stuck(decide(&live(&[missing_key()]), &seen));
        assert_eq!(problem.reason, Reason::SecretMissing);
        assert!(problem.message.contains("spec.streamKey.secretRef") && problem.message.contains("nowhere"));
    }
    // That of a backup that is not fed yet, too: it would be missing in the middle of a failure.
    let backup = ("/backup", {
        let mut backup = backup_json("OnFailure");
        backup["streamKey"]["secretRef"]["name"] = json!("nowhere");
        backup
    });
    assert_eq!(stuck(decide(&live(&[backup]), &nothing())).reason, Reason::SecretMissing);
}

#[test]
fn a_running_channel_runs_on_when_its_key_or_the_role_goes_missing_and_it_is_told() {
    for changes in [vec![missing_key()], vec![missing_key(), restart()]] {
        assert_eq!(stuck(decide(&live(&changes), &on_air(&[]))).reason, Reason::SecretMissing);
    }
    let no_role = wanted(&spec(&[]), &identity("Destination", "tube"), &references(), Roles::default(), false);
    let problem = stuck(decide(&no_role, &on_air(&[])));
    assert_eq!(problem.reason, Reason::RoleMissing);
    assert!(problem.message.contains("--medialive-role-arn"));
    assert_eq!(stuck(decide(&no_role, &nothing())).reason, Reason::RoleMissing);
    // What is to be off the air is taken off all the same.
    let mut seen = on_air(&[]);
    remember(&mut seen, 1, Phase::BackingOff, 0);
    assert_eq!(one(decide(&no_role, &seen)), stop());
}

#[test]
fn a_preset_that_is_not_there_is_told_with_those_that_are() {
    let problem = stuck(decide(&live(&[("/encoding", json!("mine"))]), &nothing()));
    assert_eq!(problem.reason, Reason::PresetNotFound);
    assert!(problem.message.contains("EncodingPreset mine") && problem.message.contains("1080p30"));
    let preset = json!({
        "width": 1920, "height": 1080, "frameRate": "25", "videoBitrateKbps": 5000,
        "audio": {"bitrateKbps": 128}
    });
    let mut references = references();
    references.presets.insert("mine".into(), Ok(serde_json::from_value(preset).expect("a valid preset")));
    let wish = destination_wanted(&spec(&[("/encoding", json!("mine"))]), &references);
    let wanted = present(wish).channel.expect("a channel");
    assert!(wanted.encoding_text.starts_with("mine: 1920x1080 at 25 fps, 5000 kbit/s"), "{}", wanted.encoding_text);
}

#[test]
fn what_a_platform_or_medialive_does_not_take_is_told() {
    let facebook = [("/platform", json!("Facebook")), ("/url", json!("rtmp://live-api-s.facebook.com/rtmp"))];
    let problem = stuck(decide(&live(&facebook), &nothing()));
    assert_eq!(problem.reason, Reason::InvalidSpec);
    assert!(problem.message.contains("rtmps://"));
    let srt = [("/url", json!("srt://live.example.com:9000"))];
    let problem = stuck(decide(&live(&srt), &nothing()));
    assert_eq!(problem.reason, Reason::InvalidSpec);
    assert!(problem.message.contains("delivery Passthrough for other receivers"));
    let too_much = [("/platform", json!("Twitch")), ("/url", Value::Null), ("/encoding", json!("1080p60"))];
    assert!(!matches!(decide(&live(&too_much), &nothing()), Step::Stalled(_)), "Twitch takes 6000 kbit/s");
}

#[test]
fn without_a_source_or_its_flow_a_start_waits_and_what_runs_is_left() {
    let seen = |flow| Observed { flow, ..nothing() };
    assert_eq!(waits(decide(&live(&[]), &seen(Programme::NoSource))), Waiting::SourceNotFound("studio".into()));
    let no_flow = seen(Programme::NoFlow { certain: true });
    assert_eq!(waits(decide(&live(&[]), &no_flow)), Waiting::SourceNotReady("studio".into()));
    let seen = Observed { flow: Programme::NoSource, ..on_air(&[]) };
    assert_eq!(waits(decide(&live(&[]), &seen)), Waiting::SourceNotFound("studio".into()));
}

// ---------------------------------------------------------------------------------------------------------- quota

fn quotas(channels: usize, inputs: usize, ahead: usize) -> Option<Quotas> {
    let by = |used: usize| (1..=used).map(|n| format!("Destination show/d{n}")).collect::<Vec<_>>();
    let usage = |used: usize| Usage { used, limit: 5, by: by(used) };
    Some(Quotas { channels: usage(channels), inputs: usage(inputs), ahead })
}

#[test]
fn quota_is_looked_at_before_anything_is_made_and_told_with_the_numbers() {
    let text = |quotas, seen| {
        let problem = stuck(decide(&live(&[]), &Observed { quotas, ..seen }));
        assert_eq!(problem.reason, Reason::QuotaExceeded);
        problem.message
    };
    let full = text(quotas(5, 4, 0), nothing());
    assert!(full.starts_with(&format!("5 of 5 channels in {REGION} are used, by Destination show/d1, ")), "{full}");
    assert!(full.contains("It starts by itself when there is room"));
    assert!(text(quotas(4, 5, 0), nothing()).starts_with("5 of 5 push inputs in us-west-2 are used, by "));
    assert!(text(quotas(5, 5, 0), with_input(InputState::Detached)).starts_with("5 of 5 channels"));
    let ahead = text(quotas(4, 4, 1), nothing());
    assert!(ahead.starts_with("4 of 5 channels") && ahead.contains("one Destination that was created earlier waits"));
    assert!(text(quotas(3, 3, 2), nothing()).contains("2 Destinations that were created earlier wait"));
    let many = Some(Quotas { channels: Usage { used: 9, limit: 9, by: vec!["x".into(); 9] }, ..Quotas::default() });
    assert!(text(many, nothing()).contains("x, x, x, x, x and 4 more"));
    let flow = programme(FlowState::Active, 50);
    let full = text(quotas(0, 0, 0), Observed { flow, ..nothing() });
    assert!(full.starts_with("50 of 50 outputs of the flow of Source studio are used"), "{full}");
}

#[test]
fn quota_with_room_it_starts_and_what_is_there_already_needs_none() {
    let seen = Observed { quotas: quotas(4, 4, 0), ..nothing() };
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::Channel(ChannelAction::CreateInput(_))));
    // Who has an input waits for nobody: two would wait for each other.
    let seen = Observed { quotas: quotas(4, 5, 3), ..with_input(InputState::Detached) };
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::Channel(ChannelAction::Create(_))));
    for seen in [idle(&[]), on_air(&[])] {
        let step = decide(&live(&[]), &seen);
        assert_eq!(decide(&live(&[]), &Observed { quotas: quotas(5, 5, 2), ..seen }), step);
    }
}
