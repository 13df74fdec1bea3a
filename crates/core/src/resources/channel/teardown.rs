//! The way of a channel and its input to nothing: stop, channel, input, each seen to be done before the next.

use super::{ChannelAction, ChannelSeen, ChannelState, Input, InputState};
use crate::existence::Existence;
use crate::plan::{IN_TRANSITION, SOON, Step};
use crate::waiting::Waiting;

/// What is there of one object.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The input.
    pub input: &'a Existence<Input>,
    /// The channel.
    pub channel: &'a Existence<ChannelSeen>,
}

impl<'a> Parts<'a> {
    /// Whether the channel runs, or is on its way up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.channel.present().is_some_and(|c| c.channel.state.is_up())
    }

    /// What takes the channel off the air.
    #[must_use]
    pub fn stop(&self) -> Option<ChannelAction> {
        let channel = &self.channel.present()?.channel;
        channel.state.is_up().then(|| ChannelAction::Stop { id: channel.id.clone() })
    }

    /// The next step to nothing. `None` when nothing is left.
    #[must_use]
    pub fn retire(&self) -> Option<Step<ChannelAction>> {
        use ChannelState as C;
        let act = |action| Some(Step::Act(vec![action]));
        match self.channel {
            Existence::Unknown => {
                return match self.input {
                    // No need to wait for a channel that may still appear: AWS removes no input that a channel takes, and makes no
                    // channel for an input that was removed.
                    Existence::Present(input) if input.state == InputState::Detached => {
                        act(ChannelAction::DeleteInput { id: input.id.clone() })
                    }
                    Existence::Present(input) if input.state == InputState::Deleting => {
                        Some(Step::wait(Waiting::ChannelDeleting, SOON))
                    }
                    _ => Some(Step::wait(Waiting::CreateOutcome, IN_TRANSITION)),
                };
            }
            Existence::Present(ChannelSeen { channel, .. }) => {
                let id = channel.id.clone();
                match channel.state {
                    C::Starting | C::Running | C::Recovering => return act(ChannelAction::Stop { id }),
                    C::Idle | C::CreateFailed | C::UpdateFailed => return act(ChannelAction::Delete { id }),
                    C::Creating | C::Updating | C::Stopping | C::Deleting => return Some(transition(channel.state)),
                    C::Deleted => {}
                }
            }
            Existence::Absent => {}
        }
        match self.input {
            Existence::Absent => None,
            Existence::Unknown => Some(Step::wait(Waiting::CreateOutcome, IN_TRANSITION)),
            Existence::Present(input) => match input.state {
                InputState::Creating => Some(Step::wait(Waiting::ChannelCreating, SOON)),
                InputState::Detached => act(ChannelAction::DeleteInput { id: input.id.clone() }),
                InputState::Attached => Some(self.attached(input)),
                InputState::Deleting => Some(Step::wait(Waiting::ChannelDeleting, SOON)),
                InputState::Deleted => None,
            },
        }
    }

    /// An input without a channel of ours is detached in a moment, unless somebody has attached it to another one.
    pub(super) fn attached(&self, input: &Input) -> Step<ChannelAction> {
        let ours = self.channel.present().map(|c| &c.channel.id);
        let others: Vec<_> = input.channels.iter().filter(|id| Some(*id) != ours).cloned().collect();
        match self.channel {
            // It may well be the one that was asked for.
            Existence::Unknown => Step::wait(Waiting::CreateOutcome, IN_TRANSITION),
            _ if others.is_empty() => Step::wait(Waiting::ChannelDeleting, SOON),
            _ => Step::wait(Waiting::InputAttached(others), 5 * IN_TRANSITION),
        }
    }
}

/// Waits while AWS changes the state of the channel.
pub(super) fn transition(state: ChannelState) -> Step<ChannelAction> {
    match state {
        ChannelState::Creating => Step::wait(Waiting::ChannelCreating, SOON),
        ChannelState::Updating => Step::wait(Waiting::ChannelUpdating, SOON),
        ChannelState::Starting => Step::wait(Waiting::ChannelStarting, IN_TRANSITION),
        ChannelState::Stopping => Step::wait(Waiting::ChannelStopping, SOON),
        ChannelState::Recovering => Step::wait(Waiting::ChannelRecovering, IN_TRANSITION),
        _ => Step::wait(Waiting::ChannelDeleting, SOON),
    }
}
