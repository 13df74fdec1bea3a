//! `plan(wish, facts) == step` for a Destination with `delivery: Transcode`. Each test is a sentence: one valid fixture, one
//! change.

mod fixtures;

use std::time::Duration;

use fixtures::transcode::*;
use fixtures::{
    FLOW, LIVE_ROLE, REGION, backup_json, connected, dest, destination_seen, destination_wanted, identity, present,
    programme, references, references_at,
};
use playout_api::policy::RetryPolicy;
use playout_core::endpoint::Role;
use playout_core::existence::Existence;
use playout_core::identity::{Ownership, TAG_UID};
use playout_core::kinds::destination::connection::MEASUREMENT_PATIENCE;
use playout_core::kinds::destination::memory::{Lead, Leads, Memory};
use playout_core::kinds::destination::observed::{EndpointSeen, NotOurs, Observed, Programme};
use playout_core::kinds::destination::plan::{Action, housekeeping, pending_changes, plan};
use playout_core::kinds::destination::retry::{Attempt, LONGEST_PAUSE, Phase, Retry, Tries, is_refusal};
use playout_core::kinds::destination::wanted::{Roles, wanted};
use playout_core::plan::{Action as _, Desired, Memory as _, Step};
use playout_core::reasons::Reason;
use playout_core::resources::channel::{ChannelState, InputState, NewInput, Quotas, Usage};
use playout_core::resources::flow::FlowState;
use playout_core::waiting::{StaysOff, Waiting};
use serde_json::{Value, json};

// --------------------------------------------------------------------------------------------------- every state

#[test]
fn a_channel_on_the_air_that_the_receiver_takes_is_left_alone() {
    assert_eq!(decide(&live(&[]), &on_air(&[])), Step::Settled);
    assert_eq!(decide(&live(&[backup("Hot")]), &on_air(&[backup("Hot")])), Step::Settled);
}

#[test]
fn in_every_state_of_the_channel_a_start_a_stop_and_a_deletion_go_on_from_there() {
    use ChannelState as C;
    for state in C::ALL {
        let seen = in_state(&[], state);
        let run = decide(&live(&[]), &seen);
        let [off, gone] = [decide(&live(&[STOPPED]), &seen), decide(&Desired::Absent, &seen)];
        assert_eq!(off, gone, "{state:?}: what is stopped and what is deleted go the same way");
        match state {
            C::Creating => {
                assert_eq!((waits(run), waits(off)), (Waiting::ChannelCreating, Waiting::ChannelCreating));
            }
            C::Updating => {
                assert_eq!((waits(run), waits(off)), (Waiting::ChannelUpdating, Waiting::ChannelUpdating));
            }
            C::Stopping => {
                assert_eq!((waits(run), waits(off)), (Waiting::ChannelStopping, Waiting::ChannelStopping));
            }
            C::Deleting => {
                assert_eq!((waits(run), waits(off)), (Waiting::ChannelDeleting, Waiting::ChannelDeleting));
            }
            C::Idle => assert_eq!((one(run), one(off)), (start(), delete())),
            C::Starting => assert_eq!((waits(run), one(off)), (Waiting::ChannelStarting, stop())),
            C::Running => assert_eq!((run, one(off)), (Step::Settled, stop())),
            C::Recovering => assert_eq!((waits(run), one(off)), (Waiting::ChannelRecovering, stop())),
            C::CreateFailed | C::UpdateFailed => {
                let attempt = noted(&live(&[]), &seen);
                let cause = format!("AWS reports the channel in state {}.", state.as_str());
                assert_eq!((attempt.count, attempt.phase, attempt.cause), (1, Phase::Waiting, Some(cause)));
                assert_eq!(one(off), delete());
            }
            C::Deleted => {
                assert!(matches!(one(run), Action::CreateChannel(_)));
                assert_eq!(one(off), Action::DeleteInput { id: INPUT.into() });
            }
        }
    }
}

#[test]
fn in_every_state_of_the_input_a_start_a_stop_and_a_deletion_go_on_from_there() {
    for state in InputState::ALL {
        let seen = with_input(state);
        let run = decide(&live(&[]), &seen);
        let [off, gone] = [decide(&live(&[STOPPED]), &seen), decide(&Desired::Absent, &seen)];
        match state {
            InputState::Creating => {
                assert_eq!((waits(run), waits(off)), (Waiting::ChannelCreating, Waiting::ChannelCreating));
                assert_eq!(waits(gone), Waiting::ChannelCreating);
            }
            InputState::Detached => {
                assert!(matches!(one(run), Action::CreateChannel(_)));
                let delete = Action::DeleteInput { id: INPUT.into() };
                assert_eq!((one(off), one(gone)), (delete.clone(), delete));
            }
            // It is detached in a moment.
            InputState::Attached | InputState::Deleting => {
                assert_eq!((waits(run), waits(off)), (Waiting::ChannelDeleting, Waiting::ChannelDeleting));
                assert_eq!(waits(gone), Waiting::ChannelDeleting);
            }
            InputState::Deleted => {
                assert!(matches!(one(run), Action::CreateInput(_)));
                assert_eq!((off, gone), (Step::Settled, Step::Gone));
            }
        }
    }
}

#[test]
fn an_input_that_somebody_has_attached_elsewhere_is_told_with_the_channel() {
    let mut seen = with_input(InputState::Attached);
    input(&mut seen).channels = vec!["77".into()];
    for desired in [live(&[]), live(&[STOPPED]), Desired::Absent] {
        let on = waits(decide(&desired, &seen));
        assert_eq!(on, Waiting::InputAttached(vec!["77".into()]));
        assert!(on.message().contains("(77)") && on.reason() == Reason::InUse);
    }
    // Our own, of which AWS still tells, or which was asked for a moment ago and is in no list yet, is none of others'.
    let mut lagging = in_state(&[], ChannelState::Deleted);
    input(&mut lagging).state = InputState::Attached;
    input(&mut lagging).channels = vec![CHANNEL.into()];
    assert_eq!(waits(decide(&live(&[STOPPED]), &lagging)), Waiting::ChannelDeleting);
    lagging.channel = Existence::Unknown;
    assert_eq!(waits(decide(&live(&[]), &lagging)), Waiting::CreateOutcome);
}

#[test]
fn while_a_create_may_have_been_carried_out_it_is_repeated_if_wanted_and_waited_for_if_not() {
    let undecided = Observed { input: Existence::Unknown, ..nothing() };
    assert!(matches!(one(decide(&live(&[]), &undecided)), Action::CreateInput(_)));
    let channel = Observed { channel: Existence::Unknown, ..with_input(InputState::Detached) };
    assert!(matches!(one(decide(&live(&[]), &channel)), Action::CreateChannel(_)));
    let taken = Observed { channel: Existence::Unknown, ..with_input(InputState::Attached) };
    for seen in [undecided, taken] {
        for desired in [live(&[STOPPED]), Desired::Absent, dest(&[STOPPED])] {
            assert_eq!(waits(decide(&desired, &seen)), Waiting::CreateOutcome);
        }
    }
    // An input that nothing takes can go at once, and with it whatever could still become of the channel.
    for desired in [live(&[STOPPED]), Desired::Absent, dest(&[STOPPED])] {
        assert_eq!(one(decide(&desired, &channel)), Action::DeleteInput { id: INPUT.into() });
    }
    assert!(Action::CreateInput(Box::new(new_input())).needs_intent());
    assert!(!start().needs_intent());
}

fn new_input() -> NewInput {
    match one(decide(&live(&[]), &nothing())) {
        Action::CreateInput(new) => *new,
        other => panic!("an input, not {other:?}"),
    }
}

// ------------------------------------------------------------------------------------------------- start and stop

#[test]
fn nothing_exists_before_the_first_start() {
    for state in [FlowState::Standby, FlowState::Active] {
        let mut seen = nothing();
        set_flow(&mut seen, state);
        assert_eq!(decide(&live(&[STOPPED]), &seen), Step::Settled);
    }
    assert_eq!(decide(&live(&[STOPPED]), &Observed { flow: Programme::NoSource, ..nothing() }), Step::Settled);
}

#[test]
fn the_input_takes_the_flow_and_the_channel_takes_the_input() {
    let new = new_input();
    assert_eq!((new.flow.as_str(), new.role_arn.as_str()), (FLOW, LIVE_ROLE));
    assert_eq!((new.name, &new.tags[TAG_UID]), (identity("Destination", "tube").input_name(), &"uid-1".to_string()));
    let Action::CreateChannel(new) = one(decide(&live(&[]), &with_input(InputState::Detached))) else {
        panic!("a channel")
    };
    assert_eq!(new.settings, settings(&live(&[]), &[Role::Primary]));
    assert_eq!(new.settings.role_arn.as_deref(), Some(LIVE_ROLE));
    assert_eq!((new.name, &new.tags[TAG_UID]), (identity("Destination", "tube").channel_name(), &"uid-1".to_string()));
    let target = &new.settings.targets[&Role::Primary];
    assert_eq!(target.url.expose(), "rtmps://live.example.com:443/app");
}

#[test]
fn the_flow_comes_first_and_only_then_the_channel_is_started() {
    let cases = [
        (FlowState::Standby, Some(Waiting::FlowStarting)),
        (FlowState::Starting, Some(Waiting::FlowStarting)),
        (FlowState::Stopping, Some(Waiting::FlowStopping)),
        (FlowState::Deleting, Some(Waiting::FlowDeleting)),
        (FlowState::Active, None),
        (FlowState::Updating, None),
    ];
    for (state, waiting) in cases {
        let mut seen = idle(&[]);
        set_flow(&mut seen, state);
        match waiting {
            Some(on) => assert_eq!(waits(decide(&live(&[]), &seen)), on, "{state:?}"),
            None => assert_eq!(one(decide(&live(&[]), &seen)), start(), "{state:?}"),
        }
    }
    for mut seen in [idle(&[]), nothing()] {
        set_flow(&mut seen, FlowState::Error);
        assert_eq!(stuck(decide(&live(&[]), &seen)).reason, Reason::FlowError);
    }
}

#[test]
fn the_channel_is_made_while_the_flow_starts_but_its_input_only_when_the_flow_takes_changes() {
    let mut seen = with_input(InputState::Detached);
    set_flow(&mut seen, FlowState::Starting);
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::CreateChannel(_)));
    for state in [FlowState::Starting, FlowState::Stopping, FlowState::Updating, FlowState::Deleting] {
        let mut seen = nothing();
        set_flow(&mut seen, state);
        assert!(matches!(decide(&live(&[]), &seen), Step::Wait { .. }), "{state:?}");
    }
}

#[test]
fn a_source_that_is_told_to_stay_off_takes_the_channel_with_it() {
    for state in [FlowState::Standby, FlowState::Active] {
        let mut seen = nothing();
        stop_source(&mut seen);
        set_flow(&mut seen, state);
        assert_eq!(waits(decide(&live(&[]), &seen)), Waiting::SourceStopped("studio".into(), StaysOff::Told));
        let mut seen = on_air(&[]);
        stop_source(&mut seen);
        set_flow(&mut seen, state);
        assert_eq!(one(decide(&live(&[]), &seen)), stop());
        assert_eq!(one(decide(&live(&[PREPARE]), &seen)), stop(), "prepared, too, it is off the air");
        channel(&mut seen).channel.state = ChannelState::Idle;
        assert_eq!(
            one(decide(&live(&[]), &seen)),
            delete(),
            "a channel without a flow costs what one with a show does"
        );
        // The flow may still be up for a moment: nothing is started onto it.
        assert_eq!(waits(decide(&live(&[PREPARE]), &seen)), Waiting::SourceStopped("studio".into(), StaysOff::Told));
    }
}

#[test]
fn prepare_makes_the_channel_while_stopped_and_does_not_start_it() {
    let wish = live(&[STOPPED, PREPARE]);
    assert!(matches!(one(decide(&wish, &nothing())), Action::CreateInput(_)));
    assert!(matches!(one(decide(&wish, &with_input(InputState::Detached))), Action::CreateChannel(_)));
    let mut seen = idle(&[]);
    for state in [FlowState::Standby, FlowState::Active] {
        set_flow(&mut seen, state);
        assert_eq!(decide(&wish, &seen), Step::Settled);
    }
    assert_eq!(one(decide(&wish, &on_air(&[]))), stop());
    let edited = live(&[STOPPED, PREPARE, other_url()]);
    assert!(matches!(one(decide(&edited, &idle(&[]))), Action::UpdateChannel { .. }), "a change does not wait");
}

#[test]
fn a_stop_works_whatever_else_is_wrong() {
    let broken = ("/url", json!("rtmp://10.0.0.1/live"));
    let preset = ("/encoding", json!("nowhere"));
    let region = ("/region", json!("eu-west-1"));
    for change in [broken, preset, missing_key(), region] {
        let wish = live(&[change.clone(), STOPPED]);
        assert_eq!(one(decide(&wish, &on_air(&[]))), stop(), "{change:?}");
        assert_eq!(one(decide(&wish, &idle(&[]))), delete(), "{change:?}");
    }
    for flow in [Programme::NoSource, Programme::NoFlow { certain: false }, Programme::NoFlow { certain: true }] {
        let seen = Observed { flow, ..on_air(&[]) };
        assert_eq!(one(decide(&live(&[STOPPED]), &seen)), stop());
        assert_eq!(one(decide(&Desired::Absent, &seen)), stop());
    }
    let roles = Roles::default();
    let wish = wanted(&spec(&[STOPPED]), &identity("Destination", "tube"), &references(), roles, false);
    assert_eq!(one(decide(&wish, &on_air(&[]))), stop());
}

#[test]
fn deletion_goes_channel_then_input_and_retain_leaves_both() {
    let mut seen = on_air(&[]);
    assert_eq!(one(decide(&Desired::Absent, &seen)), stop());
    assert_eq!(plan(&Desired::Absent, true, &seen).step, Step::Gone);
    channel(&mut seen).channel.state = ChannelState::Idle;
    assert_eq!(one(decide(&Desired::Absent, &seen)), delete());
    assert_eq!(
        one(decide(&Desired::Absent, &with_input(InputState::Detached))),
        Action::DeleteInput { id: INPUT.into() }
    );
    assert_eq!(decide(&Desired::Absent, &nothing()), Step::Gone);
}

#[test]
fn a_suspended_one_is_left_as_it_is() {
    for seen in [nothing(), idle(&[]), on_air(&[]), in_state(&[], ChannelState::CreateFailed)] {
        assert_eq!(decide(&live(&[("/suspend", json!(true))]), &seen), Step::Settled);
    }
}

// -------------------------------------------------------------------------------------------------------- changes

#[test]
fn an_edit_waits_while_on_the_air_and_is_listed_as_pending() {
    let cases = [
        (vec![other_url()], vec!["url"]),
        (vec![("/encoding", json!("720p30"))], vec!["encoding"]),
        (vec![("/streamKey/secretRef/key", json!("backup"))], vec!["streamKey"]),
        (vec![backup("Hot")], vec!["backup"]),
        (vec![backup("OnFailure")], vec![]),
    ];
    for (changes, pending) in cases {
        let wish = live(&changes);
        let mut seen = on_air(&[]);
        seen.tries = None;
        assert_eq!(decide(&wish, &seen), Step::Settled, "{changes:?}");
        assert_eq!(pending_changes(&present(wish), &seen), pending, "{changes:?}");
        // While it comes up, too.
        let starting = in_state(&[], ChannelState::Starting);
        assert_eq!(waits(decide(&live(&changes), &starting)), Waiting::ChannelStarting);
    }
    let rotated = destination_wanted(&spec(&[]), &references_at("v2"));
    assert_eq!(decide(&rotated, &on_air(&[])), Step::Settled);
    assert_eq!(pending_changes(&present(rotated), &on_air(&[])), ["streamKey"]);
    assert!(pending_changes(&present(live(&[other_url(), restart()])), &on_air(&[])).is_empty(), "it does not wait");
    assert!(pending_changes(&present(live(&[other_url()])), &idle(&[])).is_empty(), "there is nothing to wait for");
}

#[test]
fn with_restart_an_edit_is_one_stop_one_update_and_one_start() {
    for change in [other_url(), ("/encoding", json!("720p30")), backup("Hot")] {
        let wish = live(&[change.clone(), restart()]);
        let roles: &[Role] = if present(wish.clone()).hot { &[Role::Primary, Role::Backup] } else { &[Role::Primary] };
        let mut seen = on_air(&[]);
        seen.tries = None;
        assert_eq!(one(decide(&wish, &seen)), stop(), "{change:?}");
        assert_eq!(one(decide(&wish, &in_state(&[], ChannelState::Starting))), stop(), "{change:?}");
        channel(&mut seen).channel.state = ChannelState::Idle;
        let Action::UpdateChannel { id, name, settings: all } = one(decide(&wish, &seen)) else { panic!("an update") };
        assert_eq!((id.as_str(), *all.clone()), (CHANNEL, settings(&wish, roles)), "all of them");
        assert_eq!(name, identity("Destination", "tube").channel_name());
        channel(&mut seen).channel.settings = *all;
        remember(&mut seen, 0, Phase::Trying, 0);
        seen.tries.as_mut().expect("tries").keys = present(wish.clone()).keys;
        assert_eq!(one(decide(&wish, &seen)), start());
    }
}

#[test]
fn what_somebody_changed_in_the_console_is_set_right_before_the_next_start() {
    let mut seen = idle(&[]);
    channel(&mut seen).channel.settings.role_arn = None;
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::UpdateChannel { .. }));
    let mut seen = idle(&[]);
    channel(&mut seen).channel.settings.encoding = None;
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::UpdateChannel { .. }));
}

#[test]
fn the_tags_of_both_are_renewed_beside_everything_else() {
    let mut seen = on_air(&[]);
    input(&mut seen).tags.insert(TAG_UID.into(), "uid-0".into());
    channel(&mut seen).channel.tags.insert(TAG_UID.into(), "uid-0".into());
    let wanted = present(live(&[]));
    let renewed = |kind, id| Action::TagMediaLive { arn: id_of(kind, id), tags: wanted.tags.clone() };
    assert_eq!(decide(&live(&[]), &seen), Step::Settled, "a show is not held up");
    assert_eq!(housekeeping(&wanted, &seen), [renewed("channel", CHANNEL), renewed("input", INPUT)]);
    input(&mut seen).tags = wanted.tags.clone();
    assert_eq!(housekeeping(&wanted, &seen), [renewed("channel", CHANNEL)]);
    let mut seen = idle(&[]);
    channel(&mut seen).channel.tags.insert(TAG_UID.into(), "uid-0".into());
    assert_eq!(one(decide(&live(&[]), &seen)), start(), "nor is its start");
}

#[test]
fn an_input_that_takes_another_flow_is_made_anew_but_not_under_a_running_show() {
    let mut seen = on_air(&[]);
    input(&mut seen).flows = vec!["arn:another".into()];
    assert_eq!(decide(&live(&[]), &seen), Step::Settled, "it waits for a stop");
    assert_eq!(pending_changes(&present(live(&[])), &seen), ["input"]);
    assert_eq!(one(decide(&live(&[restart()]), &seen)), stop());
    channel(&mut seen).channel.state = ChannelState::Idle;
    assert_eq!(one(decide(&live(&[]), &seen)), delete());
    seen.channel = Existence::Absent;
    input(&mut seen).state = InputState::Detached;
    input(&mut seen).channels.clear();
    assert_eq!(one(decide(&live(&[]), &seen)), Action::DeleteInput { id: INPUT.into() });
}

#[test]
fn a_second_input_is_not_made_while_the_channel_has_one_that_is_not_seen() {
    for hidden in [Existence::Absent, Existence::Unknown] {
        let seen = Observed { input: hidden.clone(), ..on_air(&[]) };
        assert_eq!(decide(&live(&[]), &seen), Step::Settled);
        let seen = Observed { input: hidden, ..idle(&[]) };
        assert_eq!(one(decide(&live(&[]), &seen)), start());
    }
}

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
    remember(&mut seen, 1, Phase::Waiting, 0);
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
    assert!(!matches!(decide(&live(&too_much), &nothing()), Step::Stuck(_)), "Twitch takes 6000 kbit/s");
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
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::CreateInput(_)));
    // Who has an input waits for nobody: two would wait for each other.
    let seen = Observed { quotas: quotas(4, 5, 3), ..with_input(InputState::Detached) };
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::CreateChannel(_)));
    for seen in [idle(&[]), on_air(&[])] {
        let step = decide(&live(&[]), &seen);
        assert_eq!(decide(&live(&[]), &Observed { quotas: quotas(5, 5, 2), ..seen }), step);
    }
}

// ------------------------------------------------------------------------------------------------------- failover

#[test]
fn the_backup_is_decided_for_when_the_primary_has_been_dead_for_twenty_seconds() {
    let mut seen = dead_primary(19);
    assert!(matches!(waits(decide(&on_failure(), &seen)), Waiting::Connecting(_)));
    down(&mut seen, Role::Primary, 20);
    let decided = plan(&on_failure(), false, &seen);
    let Leads::Decided(Lead { to, why }) = &decided.memory.leads else { panic!("a switch") };
    assert_eq!(*to, Role::Backup);
    assert_eq!(why, "rtmps://live.example.com:443 did not take the stream for 20 s.");
    assert!(decided.memory.goes_first, "nothing is stopped before it is written down");
    assert_eq!(one(decided.step), stop());
    // As it is told of an output: a show that has lost its primary is nobody's wish.
    let warns = |to, why: &str| {
        let leads = Leads::Decided(Lead { to, why: why.into() });
        Memory { leads, ..Memory::default() }.news()[0].warning
    };
    assert!(warns(Role::Backup, why) && !warns(Role::Primary, why));
    assert!(!warns(Role::Backup, "asked for by the annotation playout.dev/active-endpoint"));
    alert(&mut seen, Some(Role::Primary), "Connection refused");
    let why = lead(&on_failure(), &seen).expect("a switch").why;
    assert!(why.ends_with("for 20 s. AWS says: Connection refused."), "{why}");
}

#[test]
fn what_was_decided_is_one_stop_one_update_of_url_and_key_and_one_start() {
    let mut seen = dead_primary(30);
    seen.decided = Some(Role::Backup);
    assert_eq!(one(decide(&on_failure(), &seen)), stop(), "also under WhenStopped");
    channel(&mut seen).channel.state = ChannelState::Idle;
    seen.tries = None;
    let Action::UpdateChannel { settings: new, .. } = one(decide(&on_failure(), &seen)) else { panic!("an update") };
    assert_eq!(*new, settings(&on_failure(), &[Role::Backup]));
    assert_eq!(new.encoding, settings(&on_failure(), &[Role::Primary]).encoding);
    channel(&mut seen).channel.settings = *new;
    assert_eq!(noted(&on_failure(), &seen), Attempt::FIRST);
    remember(&mut seen, 0, Phase::Trying, 0);
    assert_eq!(one(decide(&on_failure(), &seen)), start());
}

#[test]
fn nothing_is_switched_without_evidence_of_a_failure() {
    let mut seen = dead_primary(300);
    set_signal(&mut seen, Some(false));
    assert_eq!(waits(decide(&on_failure(), &seen)), Waiting::NoSignal("studio".into()), "there is nothing to send");
    for (measured, age, settled) in [
        (None, 300, true),
        (Some(connected(None)), MEASUREMENT_PATIENCE.as_secs(), true),
        (Some(connected(None)), MEASUREMENT_PATIENCE.as_secs() - 1, false),
        (Some(connected(Some(true))), 300, true),
    ] {
        let mut seen = dead_primary(age);
        channel(&mut seen).endpoints.get_mut(&Role::Primary).expect("an endpoint").measured = measured.clone();
        let step = decide(&on_failure(), &seen);
        assert!(!matches!(step, Step::Act(_)) && (step == Step::Settled) == settled, "{measured:?} {step:?}");
    }
    let mut standby = dead_primary(300);
    set_flow(&mut standby, FlowState::Standby);
    assert_eq!(waits(decide(&on_failure(), &standby)), Waiting::FlowStarting);
}

#[test]
fn an_alert_is_evidence_where_nothing_is_measured_and_a_measurement_is_better_evidence() {
    for measured in [None, Some(connected(None))] {
        let mut seen = dead_primary(20);
        channel(&mut seen).endpoints.get_mut(&Role::Primary).expect("an endpoint").measured = measured;
        alert(&mut seen, Some(Role::Primary), "Connection lost");
        assert_eq!(channel(&mut seen).connected(Role::Primary), Some(false));
        assert_eq!(lead(&on_failure(), &seen).map(|lead| lead.to), Some(Role::Backup));
        channel(&mut seen).alerts[0].role = Some(Role::Backup);
        assert!(!matches!(decide(&on_failure(), &seen), Step::Act(_)), "it speaks of the other");
    }
    let mut seen = on_air(&[backup("OnFailure")]);
    alert(&mut seen, Some(Role::Primary), "Connection lost");
    assert_eq!(decide(&on_failure(), &seen), Step::Settled, "it takes the stream");
}

#[test]
fn it_never_goes_back_by_itself_and_goes_back_on_request() {
    let mut seen = on_backup();
    assert_eq!(decide(&on_failure(), &seen), Step::Settled);
    let lost = Observed { decided: None, ..seen.clone() };
    assert_eq!(decide(&on_failure(), &lost), Step::Settled, "also when the status is lost");
    down(&mut seen, Role::Backup, 300);
    assert_eq!(noted(&on_failure(), &seen).phase, Phase::Waiting, "a dead backup is restarted");
    seen.told = Some(Role::Primary);
    assert_eq!(one(decide(&on_failure(), &seen)), stop());
    channel(&mut seen).channel.state = ChannelState::Idle;
    seen.tries = None;
    let Action::UpdateChannel { settings: new, .. } = one(decide(&on_failure(), &seen)) else { panic!("an update") };
    assert_eq!(*new, settings(&on_failure(), &[Role::Primary]));
    // Who asked for the primary gets it, dead or alive: it is restarted and not left.
    let mut told = dead_primary(300);
    told.told = Some(Role::Primary);
    assert_eq!(noted(&on_failure(), &told).phase, Phase::Waiting);
}

/// With a backup (and a primary) whose key cannot be read.
fn unreadable(primary: bool, backup: bool) -> Desired<playout_core::kinds::destination::wanted::Wanted> {
    let mut second = backup_json("OnFailure");
    if backup {
        second["streamKey"]["secretRef"]["name"] = json!("nowhere");
    }
    let changes = [("/backup", second), missing_key()];
    live(&changes[..if primary { 2 } else { 1 }])
}

#[test]
fn what_is_dead_gives_its_place_only_to_what_can_be_fed() {
    // Nothing is decided for a backup without a key, and it is told before it is needed.
    let no_backup = unreadable(false, true);
    let seen = on_air(&[backup("OnFailure")]);
    assert_eq!(stuck(decide(&no_backup, &seen)).reason, Reason::SecretMissing);
    assert!(matches!(waits(decide(&no_backup, &dead_primary(29))), Waiting::Connecting(_)));
    let attempt = noted(&no_backup, &dead_primary(30));
    assert_eq!((attempt.phase, attempt.count), (Phase::Waiting, 1), "it is restarted as one without a backup");
    let mut stopped = idle(&[backup("OnFailure")]);
    remember(&mut stopped, 0, Phase::Trying, 300);
    stopped.tries.as_mut().expect("tries").up = true;
    assert_eq!(noted(&no_backup, &stopped).phase, Phase::Waiting);
    // Nor is it turned back to a primary without one.
    let no_primary = unreadable(true, false);
    let mut seen = on_backup();
    remember(&mut seen, 0, Phase::Trying, 300);
    down(&mut seen, Role::Backup, 300);
    assert_eq!((noted(&no_primary, &seen).phase, lead(&no_primary, &seen)), (Phase::Waiting, None));
    // Where it was decided for one whose key went, off the air the other one is fed; on the air it stays.
    for (wish, decided, other) in
        [(&no_primary, Role::Primary, Role::Backup), (&no_backup, Role::Backup, Role::Primary)]
    {
        let mut seen = idle(&[backup("OnFailure")]);
        seen.decided = Some(decided);
        let Lead { to, why } = lead(wish, &seen).expect("a switch");
        assert!(to == other && why.contains("nowhere"), "{why}");
        seen.told = Some(decided);
        assert_eq!(stuck(decide(wish, &seen)).reason, Reason::SecretMissing, "who asks for it gets it");
        let mut up = if decided == Role::Backup { on_backup() } else { on_air(&[backup("OnFailure")]) };
        up.decided = Some(decided);
        assert_eq!(stuck(decide(wish, &up)).reason, Reason::SecretMissing);
    }
    // Without either there is nothing to switch to.
    let mut seen = idle(&[backup("OnFailure")]);
    seen.decided = Some(Role::Backup);
    assert_eq!(stuck(decide(&unreadable(true, true), &seen)).reason, Reason::SecretMissing);
}

#[test]
fn the_annotation_means_nothing_without_a_backup_or_with_a_hot_one() {
    for changes in [vec![], vec![backup("Hot")]] {
        let mut seen = on_air(&changes);
        seen.told = Some(Role::Backup);
        assert_eq!(decide(&live(&changes), &seen), Step::Settled);
    }
}

#[test]
fn of_a_hot_backup_one_of_two_is_enough_and_one_that_is_not_known_yet_is_waited_for() {
    let wish = live(&[backup("Hot")]);
    for (dead, other) in [(Role::Primary, Role::Backup), (Role::Backup, Role::Primary)] {
        let mut seen = on_air(&[backup("Hot")]);
        down(&mut seen, dead, 300);
        assert_eq!(decide(&wish, &seen), Step::Settled);
        let pending = EndpointSeen {
            measured: Some(connected(None)),
            measured_from: None,
            unchanged_for: Duration::from_secs(60),
        };
        channel(&mut seen).endpoints.insert(other, pending);
        assert!(matches!(waits(decide(&wish, &seen)), Waiting::Connecting(_)), "{other:?} may take it");
        down(&mut seen, other, 29);
        assert!(matches!(waits(decide(&wish, &seen)), Waiting::Connecting(_)), "for {other:?} it is too early");
        down(&mut seen, other, 30);
        assert_eq!(noted(&wish, &seen).count, 1);
    }
}

// -------------------------------------------------------------------------------------------------------- retries

#[test]
fn a_receiver_that_refuses_is_tried_again_after_pauses_that_double_up_to_five_minutes() {
    let retry = Retry::of(&RetryPolicy::default());
    let pauses: Vec<_> = (1..=7).map(|count| retry.pause(count).as_secs()).collect();
    assert_eq!(pauses, [15, 30, 60, 120, 240, 300, 300]);
    let long = Retry::of(&RetryPolicy { backoff: "1h".into(), ..RetryPolicy::default() });
    assert_eq!((long.pause(1), long.pause(u32::MAX)), (LONGEST_PAUSE, LONGEST_PAUSE));
    assert_eq!(retry.pause(0), retry.pause(1), "there is no restart number nought");
}

#[test]
fn what_the_crds_rules_refuse_becomes_the_default() {
    let odd = RetryPolicy { attempts: 3, after: "soon".into(), backoff: "-5s".into() };
    let (odd, default) = (Retry::of(&odd), Retry::of(&RetryPolicy::default()));
    assert_eq!((odd.attempts, odd.after, odd.backoff), (3, default.after, default.backoff));
    assert_eq!((default.attempts, default.after.as_secs(), default.backoff.as_secs()), (5, 30, 15));
}

#[test]
fn a_failed_attempt_is_noted_then_stopped_then_paused_and_then_tried_again() {
    let wish = live(&[]);
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 29);
    assert!(matches!(waits(decide(&wish, &seen)), Waiting::Connecting(_)));
    down(&mut seen, Role::Primary, 30);
    let attempt = noted(&wish, &seen);
    assert_eq!((attempt.count, attempt.phase), (1, Phase::Waiting));
    assert_eq!(attempt.cause.as_deref(), Some("rtmps://live.example.com:443 does not take the stream."));
    remember(&mut seen, 1, Phase::Waiting, 0);
    assert_eq!(one(decide(&wish, &seen)), stop());
    channel(&mut seen).channel.state = ChannelState::Stopping;
    assert_eq!(waits(decide(&wish, &seen)), Waiting::ChannelStopping);
    channel(&mut seen).channel.state = ChannelState::Idle;
    remember(&mut seen, 1, Phase::Waiting, 5);
    let Step::Wait { on, poll } = decide(&wish, &seen) else { panic!("a pause") };
    assert_eq!(poll, Some(Duration::from_secs(10)), "what is left of it");
    assert_eq!(
        on.message(),
        "rtmps://live.example.com:443 does not take the stream. Restart 1 of 5 follows after a pause."
    );
    remember(&mut seen, 1, Phase::Waiting, 15);
    assert_eq!((noted(&wish, &seen).count, noted(&wish, &seen).phase), (1, Phase::Trying));
    remember(&mut seen, 1, Phase::Trying, 0);
    assert_eq!(one(decide(&wish, &seen)), start());
}

#[test]
fn after_the_last_attempt_it_gives_up_with_the_count_and_the_way_back() {
    let wish = live(&[]);
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 30);
    remember(&mut seen, 5, Phase::Trying, 60);
    let attempt = noted(&wish, &seen);
    assert_eq!((attempt.count, attempt.phase), (5, Phase::GaveUp));
    remember(&mut seen, 5, Phase::GaveUp, 0);
    assert_eq!(one(decide(&wish, &seen)), stop());
    channel(&mut seen).channel.state = ChannelState::Idle;
    assert_eq!(one(decide(&wish, &seen)), delete(), "what is not on the air is not paid for");
    seen.channel = Existence::Absent;
    input(&mut seen).state = InputState::Detached;
    input(&mut seen).channels.clear();
    assert_eq!(one(decide(&wish, &seen)), Action::DeleteInput { id: INPUT.into() });
    seen.input = Existence::Absent;
    let problem = stuck(decide(&wish, &seen));
    assert_eq!(problem.reason, Reason::GaveUp);
    assert!(
        problem.message.starts_with(
            "rtmps://live.example.com:443 does not take the stream. It was restarted 5 times and is off the air now. Check the stream key"
        ),
        "{}",
        problem.message
    );
    assert!(
        problem
            .message
            .contains("kubectl -n show annotate destination tube playout.dev/reconcile-at=$(date +%s) --overwrite")
    );
    for (count, words) in [(0, "It was not restarted."), (1, "It was restarted once and is off the air now.")] {
        remember(&mut seen, count, Phase::GaveUp, 0);
        let message = stuck(decide(&wish, &seen)).message;
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_prepared_one_that_gave_up_is_off_the_air_and_stays_prepared() {
    let wish = live(&[PREPARE]);
    let mut seen = on_air(&[]);
    remember(&mut seen, 5, Phase::GaveUp, 0);
    assert_eq!(one(decide(&wish, &seen)), stop());
    for state in [ChannelState::Idle, ChannelState::Stopping, ChannelState::CreateFailed] {
        channel(&mut seen).channel.state = state;
        assert_eq!(stuck(decide(&wish, &seen)).reason, Reason::GaveUp);
    }
}

#[test]
fn without_attempts_the_first_failure_is_the_last() {
    let wish = live(&[("/retry", json!({"attempts": 0}))]);
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 30);
    assert_eq!((noted(&wish, &seen).count, noted(&wish, &seen).phase), (0, Phase::GaveUp));
}

#[test]
fn a_channel_that_stopped_by_itself_is_restarted_and_counted_and_what_we_stopped_is_not() {
    let mut seen = idle(&[]);
    remember(&mut seen, 0, Phase::Trying, 4);
    seen.tries.as_mut().expect("tries").up = true;
    assert_eq!(waits(decide(&live(&[]), &seen)), Waiting::ChannelStarting, "the read may be older than the start");
    remember(&mut seen, 0, Phase::Trying, 5);
    seen.tries.as_mut().expect("tries").up = true;
    let attempt = noted(&live(&[]), &seen);
    assert_eq!((attempt.count, attempt.phase), (1, Phase::Waiting));
    assert!(attempt.cause.expect("a cause").starts_with("The channel stopped by itself"));
    // With something to change it was stopped for that, even if the pass that stopped it could not tell.
    let mut seen = idle(&[]);
    remember(&mut seen, 2, Phase::Trying, 60);
    seen.tries.as_mut().expect("tries").up = true;
    let attempt = noted(&live(&[other_url()]), &seen);
    assert_eq!((attempt.count, attempt.phase), (2, Phase::Trying), "the count is what it was");
    // With a backup, that takes its place; and when that one stops, it is counted.
    let mut seen = idle(&[backup("OnFailure")]);
    remember(&mut seen, 0, Phase::Trying, 60);
    seen.tries.as_mut().expect("tries").up = true;
    assert_eq!(lead(&on_failure(), &seen).map(|lead| lead.to), Some(Role::Backup));
    seen.told = Some(Role::Primary);
    assert_eq!(noted(&on_failure(), &seen).count, 1, "somebody has told which one to feed");
    seen.told = None;
    seen.decided = Some(Role::Backup);
    channel(&mut seen).channel.settings = settings(&on_failure(), &[Role::Backup]);
    assert_eq!(noted(&on_failure(), &seen).count, 1);
    // So it was where the channel is no more.
    let mut seen = with_input(InputState::Detached);
    seen.tries = Some(Tries { up: true, ..tries(2, Phase::Trying, true, &present(live(&[]))) });
    assert_eq!((noted(&live(&[]), &seen).count, noted(&live(&[]), &seen).phase), (2, Phase::Trying));
}

#[test]
fn a_failure_is_counted_only_against_an_attempt_that_is_remembered() {
    let mut refused = on_air(&[]);
    down(&mut refused, Role::Primary, 300);
    for mut seen in [refused, idle(&[]), in_state(&[], ChannelState::CreateFailed)] {
        seen.tries = None;
        assert_eq!(noted(&live(&[]), &seen), Attempt::FIRST);
        // What is remembered of another key is not of this one.
        seen.tries =
            Some(Tries { keys: Some("another".into()), ..tries(5, Phase::GaveUp, false, &present(live(&[]))) });
        assert_eq!(noted(&live(&[]), &seen), Attempt::FIRST);
    }
}

#[test]
fn a_failed_create_or_update_is_removed_and_made_anew_after_the_pause() {
    for state in [ChannelState::CreateFailed, ChannelState::UpdateFailed] {
        let mut seen = in_state(&[], state);
        remember(&mut seen, 1, Phase::Waiting, 0);
        assert_eq!(one(decide(&live(&[]), &seen)), delete());
    }
    let mut seen = with_input(InputState::Detached);
    seen.tries = Some(tries(1, Phase::Waiting, false, &present(live(&[]))));
    assert!(matches!(waits(decide(&live(&[]), &seen)), Waiting::Restarting { count: 1, attempts: 5, .. }));
    remember(&mut seen, 1, Phase::Waiting, 15);
    assert_eq!(noted(&live(&[]), &seen).phase, Phase::Trying);
}

#[test]
fn no_restart_is_counted_while_the_source_has_no_signal() {
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 3600);
    set_signal(&mut seen, Some(false));
    assert_eq!(waits(decide(&live(&[]), &seen)), Waiting::NoSignal("studio".into()));
    set_signal(&mut seen, None);
    assert_eq!(noted(&live(&[]), &seen).count, 1, "nobody measures the signal");
}

#[test]
fn a_platform_that_refuses_the_key_is_not_asked_again() {
    for words in [
        "401 Unauthorized",
        "NetStream.Publish.BadName",
        "NetConnection.Connect.Rejected",
        "bad name",
        "HTTP 403 forbidden",
        "Invalid stream key",
    ] {
        assert!(is_refusal(words), "{words}");
        let mut seen = on_air(&[]);
        down(&mut seen, Role::Primary, 20);
        alert(&mut seen, Some(Role::Primary), words);
        remember(&mut seen, 2, Phase::Trying, 60);
        let attempt = noted(&live(&[]), &seen);
        assert_eq!((attempt.count, attempt.phase), (2, Phase::GaveUp), "{words}");
        let cause = attempt.cause.expect("a cause");
        assert_eq!(cause, format!("rtmps://live.example.com:443 refuses the stream key. AWS says: {words}."));
        // For a moment a platform says so of a connection that it has not let go of yet.
        down(&mut seen, Role::Primary, 19);
        assert!(matches!(waits(decide(&live(&[]), &seen)), Waiting::Connecting(_)));
    }
    for words in ["Connection lost", "Network unreachable", "Timed out"] {
        assert!(!is_refusal(words), "{words}");
        let mut seen = on_air(&[]);
        down(&mut seen, Role::Primary, 30);
        alert(&mut seen, Some(Role::Primary), words);
        let attempt = noted(&live(&[]), &seen);
        assert_eq!((attempt.count, attempt.phase), (1, Phase::Waiting), "{words}");
        assert!(attempt.cause.expect("a cause").ends_with(&format!("AWS says: {words}.")));
    }
    // A backup may have another key: it is tried first; and of two hot ones both have to refuse.
    let mut seen = dead_primary(20);
    alert(&mut seen, Some(Role::Primary), "401 Unauthorized");
    assert_eq!(lead(&on_failure(), &seen).map(|lead| lead.to), Some(Role::Backup));
    let mut seen = on_air(&[backup("Hot")]);
    down(&mut seen, Role::Primary, 30);
    down(&mut seen, Role::Backup, 30);
    alert(&mut seen, Some(Role::Primary), "401 Unauthorized");
    assert_eq!(noted(&live(&[backup("Hot")]), &seen).phase, Phase::Waiting);
    alert(&mut seen, Some(Role::Backup), "401 Unauthorized");
    assert_eq!(noted(&live(&[backup("Hot")]), &seen).phase, Phase::GaveUp);
}

#[test]
fn a_show_does_not_wait_for_an_update_that_is_left() {
    let wish = live(&[other_url(), ("/updatePolicy", json!("Restart"))]);
    let mut seen = idle(&[]);
    let update = one(decide(&wish, &seen));
    assert!(matches!(update, Action::UpdateChannel { .. }));
    seen.left = update.changes().into_iter().collect();
    assert_eq!(one(decide(&wish, &seen)), start());
    assert_eq!(one(decide(&wish, &on_air(&[]))), stop());
    assert_eq!(decide(&wish, &Observed { left: seen.left.clone(), ..on_air(&[]) }), Step::Settled);
    // Tags are not in the way of a start either.
    let mut untagged = idle(&[]);
    channel(&mut untagged).channel.tags.clear();
    let tag = one(decide(&live(&[]), &untagged));
    untagged.left = tag.changes().into_iter().collect();
    assert_eq!(one(decide(&live(&[]), &untagged)), start());
}

#[test]
fn a_channel_that_has_lost_our_tags_is_not_touched() {
    let arn = id_of("channel", CHANNEL);
    let not_ours = NotOurs { what: "channel", arn: arn.clone(), runs: true, taken_over_by: None };
    let lost = Observed { not_ours: vec![not_ours], channel: Existence::Absent, ..on_air(&[]) };
    for wish in [live(&[]), live(&[("/updatePolicy", json!("Restart"))])] {
        let problem = stuck(decide(&wish, &lost));
        assert!(
            problem.reason == Reason::NotOurs && problem.message.contains(&arn) && problem.message.contains("billed"),
            "{problem:?}"
        );
    }
}

#[test]
fn an_alert_counts_from_the_data_point_on_that_it_was_set_in() {
    let lost = |set: Option<i64>, from: Option<i64>| {
        let mut seen = on_air(&[]);
        alert(&mut seen, Some(Role::Primary), "Connection lost");
        channel(&mut seen).alerts[0].set = set;
        let endpoint = channel(&mut seen).endpoints.get_mut(&Role::Primary).expect("an endpoint");
        endpoint.measured_from = from;
        channel(&mut seen).connected(Role::Primary) == Some(false)
    };
    assert!(lost(Some(60), Some(60)), "in the minute of the data point");
    assert!(lost(Some(90), Some(60)));
    assert!(!lost(Some(59), Some(60)), "the connection was up in a later minute");
    assert!(!lost(None, Some(60)), "nobody knows since when");
    assert!(!lost(Some(90), None));
}

// ---------------------------------------------------------------------------------------------------------- moves

#[test]
fn a_move_makes_the_new_path_first_and_removes_the_old_one_when_the_new_one_is_seen_to_work() {
    let wish = live(&[]);
    assert!(matches!(one(decide(&wish, &passing())), Action::CreateInput(_)));
    let mut both = Observed { outputs: passing().outputs, ..on_air(&[]) };
    assert!(matches!(one(decide(&wish, &both)), Action::RemoveOutput { role: Role::Primary, .. }));
    channel(&mut both).endpoints.get_mut(&Role::Primary).expect("an endpoint").measured = Some(connected(None));
    channel(&mut both).endpoints.get_mut(&Role::Primary).expect("an endpoint").unchanged_for = Duration::ZERO;
    assert!(matches!(waits(decide(&wish, &both)), Waiting::Connecting(_)), "not seen to work yet");
    // One that fails keeps the old one.
    down(&mut both, Role::Primary, 30);
    assert_eq!(noted(&wish, &both).count, 1);
    let gave_up = Observed { tries: Some(tries(5, Phase::GaveUp, false, &present(live(&[])))), ..passing() };
    assert_eq!(stuck(decide(&wish, &gave_up)).reason, Reason::GaveUp);
    assert_eq!(stuck(decide(&live(&[missing_key()]), &passing())).reason, Reason::SecretMissing);
}

#[test]
fn a_move_back_adds_the_output_first_and_removes_channel_and_input_after_it() {
    let wish = dest(&[]);
    assert!(matches!(one(decide(&wish, &on_air(&[]))), Action::AddOutput { .. }));
    let both = Observed { outputs: passing().outputs, ..on_air(&[]) };
    assert_eq!(one(decide(&wish, &both)), stop());
    let idle = Observed { outputs: passing().outputs, ..idle(&[]) };
    assert_eq!(one(decide(&wish, &idle)), delete());
    let input = Observed { outputs: passing().outputs, ..with_input(InputState::Detached) };
    assert_eq!(one(decide(&wish, &input)), Action::DeleteInput { id: INPUT.into() });
    let mut unproven = both;
    let output = unproven.outputs.get_mut(&Role::Primary).expect("an output");
    output.measured = Some(connected(None));
    output.unchanged_for = Duration::ZERO;
    assert!(matches!(waits(decide(&wish, &unproven)), Waiting::Connecting(_)));
}

#[test]
fn a_move_waits_for_another_destination_only_before_it_has_begun_and_only_with_an_old_path() {
    let first = Some("other".to_string());
    let wait = waits(decide(&live(&[]), &Observed { moves_first: first.clone(), ..passing() }));
    assert_eq!(wait, Waiting::MovesFirst("other".into()));
    assert_eq!(wait.reason(), Reason::Moving);
    let begun = Observed { outputs: passing().outputs, moves_first: first.clone(), ..with_input(InputState::Detached) };
    assert!(matches!(one(decide(&live(&[]), &begun)), Action::CreateChannel(_)));
    let undecided = Observed { input: Existence::Unknown, moves_first: first.clone(), ..passing() };
    assert!(matches!(one(decide(&live(&[]), &undecided)), Action::CreateInput(_)));
    assert!(matches!(
        one(decide(&live(&[]), &Observed { moves_first: first.clone(), ..nothing() })),
        Action::CreateInput(_)
    ));
    assert_eq!(
        waits(decide(&dest(&[]), &Observed { moves_first: first, ..on_air(&[]) })),
        Waiting::MovesFirst("other".into())
    );
}

#[test]
fn a_stop_and_a_deletion_in_the_middle_of_a_move_take_both_paths() {
    let both = Observed { outputs: passing().outputs, ..on_air(&[]) };
    for wish in [live(&[STOPPED]), dest(&[STOPPED])] {
        let actions = act(decide(&wish, &both));
        assert!(actions.contains(&stop()), "{actions:?}");
        assert!(actions.iter().any(|a| matches!(a, Action::UpdateOutput { enabled: Some(false), .. })), "{actions:?}");
    }
    let actions = act(decide(&Desired::Absent, &both));
    assert!(actions.contains(&stop()) && actions.iter().any(|a| matches!(a, Action::RemoveOutput { .. })));
    // A flow that takes no changes does not keep the channel on the air.
    let mut busy = both;
    set_flow(&mut busy, FlowState::Updating);
    assert_eq!(act(decide(&live(&[STOPPED]), &busy)), [stop()]);
    assert_eq!(act(decide(&Desired::Absent, &busy)), [stop()]);
}

#[test]
fn an_output_under_our_name_without_our_tags_is_not_touched_by_a_move() {
    let mut seen = Observed { outputs: passing().outputs, ..on_air(&[]) };
    seen.outputs.get_mut(&Role::Primary).expect("an output").ownership = Ownership::Foreign;
    assert_eq!(decide(&live(&[]), &seen), Step::Settled);
}

#[test]
fn after_the_pause_a_passed_through_backup_goes_on_where_it_was() {
    let wish = dest(&[backup("OnFailure")]);
    let mut seen = destination_seen(&[backup("OnFailure")]);
    for output in seen.outputs.values_mut() {
        output.output.enabled = false;
    }
    let fed = |seen: &Observed| match one(decide(&wish, seen)) {
        Action::UpdateOutput { role, enabled: Some(true), .. } => role,
        other => panic!("an output that begins, not {other:?}"),
    };
    assert_eq!(fed(&seen), Role::Primary, "each show begins with the primary");
    seen.decided = Some(Role::Backup);
    assert_eq!(fed(&seen), Role::Backup);
    seen.told = Some(Role::Primary);
    assert_eq!(fed(&seen), Role::Primary);
}
