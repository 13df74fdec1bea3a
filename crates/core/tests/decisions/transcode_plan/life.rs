//! Input, flow and channel come, run and go in order.

use super::*;
use playout_core::resources::channel::ChannelAction;

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
    assert_eq!((new.from, new.role_arn.as_str()), (InputSource::Flow(FLOW.into()), LIVE_ROLE));
    assert_eq!((new.name, &new.tags[TAG_UID]), (identity("Destination", "tube").input_name(), &"uid-1".to_string()));
    let Action::Channel(ChannelAction::Create(new)) = one(decide(&live(&[]), &with_input(InputState::Detached))) else {
        panic!("a channel")
    };
    assert_eq!(new.settings, settings(&live(&[]), &[Role::Primary]));
    assert_eq!(new.settings.role_arn.as_deref(), Some(LIVE_ROLE));
    assert_eq!((new.name, &new.tags[TAG_UID]), (identity("Destination", "tube").channel_name(), &"uid-1".to_string()));
    let target = playout_core::kinds::destination::groups::targets(&new.settings)[&Role::Primary];
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
    assert!(matches!(one(decide(&live(&[]), &seen)), Action::Channel(ChannelAction::Create(_))));
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
    assert!(matches!(one(decide(&wish, &nothing())), Action::Channel(ChannelAction::CreateInput(_))));
    assert!(matches!(one(decide(&wish, &with_input(InputState::Detached))), Action::Channel(ChannelAction::Create(_))));
    let mut seen = idle(&[]);
    for state in [FlowState::Standby, FlowState::Active] {
        set_flow(&mut seen, state);
        assert_eq!(decide(&wish, &seen), Step::Settled);
    }
    assert_eq!(one(decide(&wish, &on_air(&[]))), stop());
    let edited = live(&[STOPPED, PREPARE, other_url()]);
    assert!(
        matches!(one(decide(&edited, &idle(&[]))), Action::Channel(ChannelAction::Update { .. })),
        "a change does not wait"
    );
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
        Action::Channel(ChannelAction::DeleteInput { id: INPUT.into() })
    );
    assert_eq!(decide(&Desired::Absent, &nothing()), Step::Gone);
}

#[test]
fn a_suspended_one_is_left_as_it_is() {
    for seen in [nothing(), idle(&[]), on_air(&[]), in_state(&[], ChannelState::CreateFailed)] {
        assert_eq!(decide(&live(&[("/suspend", json!(true))]), &seen), Step::Settled);
    }
}
