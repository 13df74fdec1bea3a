//! The way of a Destination's MediaLive channel and input to nothing: stop, channel, input.

use super::action::Action;
use super::observed::{ChannelSeen, Observed};
use crate::existence::Existence;
use crate::plan::{IN_TRANSITION, SOON, Step};
use crate::resources::channel::{ChannelAction, ChannelState, Input, InputState};
use crate::waiting::Waiting;

/// What takes the channel off the air.
pub(super) fn stop(seen: &Observed) -> Option<Action> {
    let channel = &seen.channel.present()?.channel;
    channel.state.is_up().then(|| Action::Channel(ChannelAction::Stop { id: channel.id.clone() }))
}

/// The way to nothing: stop, channel, input, each seen to be done before the next. `None` when nothing is left.
pub(super) fn retire(seen: &Observed) -> Option<Step<Action>> {
    use ChannelState as C;
    match &seen.channel {
        Existence::Unknown => {
            return Some(match &seen.input {
                // No need to wait for a channel that may still appear: AWS removes no input that a channel takes, and makes no
                // channel for an input that was removed.
                Existence::Present(input) if input.state == InputState::Detached => {
                    Step::Act(vec![Action::Channel(ChannelAction::DeleteInput { id: input.id.clone() })])
                }
                Existence::Present(input) if input.state == InputState::Deleting => {
                    Step::wait(Waiting::ChannelDeleting, SOON)
                }
                _ => Step::wait(Waiting::CreateOutcome, IN_TRANSITION),
            });
        }
        Existence::Present(ChannelSeen { channel, .. }) => {
            let id = channel.id.clone();
            match channel.state {
                C::Starting | C::Running | C::Recovering => {
                    return Some(Step::Act(vec![Action::Channel(ChannelAction::Stop { id })]));
                }
                C::Idle | C::CreateFailed | C::UpdateFailed => {
                    return Some(Step::Act(vec![Action::Channel(ChannelAction::Delete { id })]));
                }
                C::Creating | C::Updating | C::Stopping | C::Deleting => return Some(transition(channel.state)),
                C::Deleted => {}
            }
        }
        Existence::Absent => {}
    }
    match &seen.input {
        Existence::Absent => None,
        Existence::Unknown => Some(Step::wait(Waiting::CreateOutcome, IN_TRANSITION)),
        Existence::Present(input) => match input.state {
            InputState::Creating => Some(Step::wait(Waiting::ChannelCreating, SOON)),
            InputState::Detached => {
                Some(Step::Act(vec![Action::Channel(ChannelAction::DeleteInput { id: input.id.clone() })]))
            }
            InputState::Attached => Some(attached(input, seen)),
            InputState::Deleting => Some(Step::wait(Waiting::ChannelDeleting, SOON)),
            InputState::Deleted => None,
        },
    }
}

/// An input without a channel of ours is detached in a moment, unless somebody has attached it to another one.
pub(super) fn attached(input: &Input, seen: &Observed) -> Step<Action> {
    let ours = seen.channel.present().map(|c| &c.channel.id);
    let others: Vec<_> = input.channels.iter().filter(|id| Some(*id) != ours).cloned().collect();
    match &seen.channel {
        // It may well be the one that was asked for.
        Existence::Unknown => Step::wait(Waiting::CreateOutcome, IN_TRANSITION),
        _ if others.is_empty() => Step::wait(Waiting::ChannelDeleting, SOON),
        _ => Step::wait(Waiting::InputAttached(others), 5 * IN_TRANSITION),
    }
}

pub(super) fn transition(state: ChannelState) -> Step<Action> {
    match state {
        ChannelState::Creating => Step::wait(Waiting::ChannelCreating, SOON),
        ChannelState::Updating => Step::wait(Waiting::ChannelUpdating, SOON),
        ChannelState::Starting => Step::wait(Waiting::ChannelStarting, IN_TRANSITION),
        ChannelState::Stopping => Step::wait(Waiting::ChannelStopping, SOON),
        ChannelState::Recovering => Step::wait(Waiting::ChannelRecovering, IN_TRANSITION),
        _ => Step::wait(Waiting::ChannelDeleting, SOON),
    }
}
