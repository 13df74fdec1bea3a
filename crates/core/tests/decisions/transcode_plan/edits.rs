//! An edit on the air waits, or is one stop, one update and one start.

use super::*;
use playout_core::resources::channel::ChannelAction;

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
        seen.restart = None;
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
        seen.restart = None;
        assert_eq!(one(decide(&wish, &seen)), stop(), "{change:?}");
        assert_eq!(one(decide(&wish, &in_state(&[], ChannelState::Starting))), stop(), "{change:?}");
        channel(&mut seen).channel.state = ChannelState::Idle;
        let Action::Channel(ChannelAction::Update { id, name, settings: all }) = one(decide(&wish, &seen)) else {
            panic!("an update")
        };
        assert_eq!((id.as_str(), *all.clone()), (CHANNEL, settings(&wish, roles)), "all of them");
        assert_eq!(name, identity("Destination", "tube").channel_name());
        channel(&mut seen).channel.settings = *all;
        remember(&mut seen, 0, Phase::Running, 0);
        seen.restart.as_mut().expect("tries").key_versions = present(wish.clone()).key_versions;
        assert_eq!(one(decide(&wish, &seen)), start());
    }
}

#[test]
fn what_somebody_changed_in_the_console_is_set_right_before_the_next_start() {
    let mut seen = idle(&[]);
    channel(&mut seen).channel.settings.role_arn = None;
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::Channel(ChannelAction::Update { .. })));
    let mut seen = idle(&[]);
    channel(&mut seen).channel.settings.encodings.clear();
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::Channel(ChannelAction::Update { .. })));
}

#[test]
fn the_tags_of_both_are_renewed_beside_everything_else() {
    let mut seen = on_air(&[]);
    input(&mut seen).tags.insert(TAG_UID.into(), "uid-0".into());
    channel(&mut seen).channel.tags.insert(TAG_UID.into(), "uid-0".into());
    let wanted = present(live(&[]));
    let renewed = |kind, id| Action::Channel(ChannelAction::Tag { arn: id_of(kind, id), tags: wanted.tags.clone() });
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
    assert_eq!(one(decide(&live(&[]), &seen)), Action::Channel(ChannelAction::DeleteInput { id: INPUT.into() }));
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
