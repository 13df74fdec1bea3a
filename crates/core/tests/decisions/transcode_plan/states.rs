//! From every state of channel and input it goes on.

use super::*;
use playout_core::resources::channel::ChannelAction;

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
                assert_eq!((attempt.count, attempt.phase, attempt.cause), (1, Phase::BackingOff, Some(cause)));
                assert_eq!(one(off), delete());
            }
            C::Deleted => {
                assert!(matches!(one(run), Action::Channel(ChannelAction::Create(_))));
                assert_eq!(one(off), Action::Channel(ChannelAction::DeleteInput { id: INPUT.into() }));
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
                assert!(matches!(one(run), Action::Channel(ChannelAction::Create(_))));
                let delete = Action::Channel(ChannelAction::DeleteInput { id: INPUT.into() });
                assert_eq!((one(off), one(gone)), (delete.clone(), delete));
            }
            // It is detached in a moment.
            InputState::Attached | InputState::Deleting => {
                assert_eq!((waits(run), waits(off)), (Waiting::ChannelDeleting, Waiting::ChannelDeleting));
                assert_eq!(waits(gone), Waiting::ChannelDeleting);
            }
            InputState::Deleted => {
                assert!(matches!(one(run), Action::Channel(ChannelAction::CreateInput(_))));
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
    assert!(matches!(one(decide(&live(&[]), &undecided)), Action::Channel(ChannelAction::CreateInput(_))));
    let channel = Observed { channel: Existence::Unknown, ..with_input(InputState::Detached) };
    assert!(matches!(one(decide(&live(&[]), &channel)), Action::Channel(ChannelAction::Create(_))));
    let taken = Observed { channel: Existence::Unknown, ..with_input(InputState::Attached) };
    for seen in [undecided, taken] {
        for desired in [live(&[STOPPED]), Desired::Absent, dest(&[STOPPED])] {
            assert_eq!(waits(decide(&desired, &seen)), Waiting::CreateOutcome);
        }
    }
    // An input that nothing takes can go at once, and with it whatever could still become of the channel.
    for desired in [live(&[STOPPED]), Desired::Absent, dest(&[STOPPED])] {
        assert_eq!(one(decide(&desired, &channel)), Action::Channel(ChannelAction::DeleteInput { id: INPUT.into() }));
    }
    assert!(Action::Channel(ChannelAction::CreateInput(Box::new(new_input()))).needs_intent());
    assert!(!start().needs_intent());
}
