//! What the status of a Destination records as its own and on the air. It is enough to take it off the air when AWS does not
//! answer a look: an output and a channel are named by what AWS gave them, and nobody else's can bear the same.

use std::collections::BTreeMap;

use super::action::Action;
use crate::api::destination::{ChannelStatus, Destination, DestinationStatus, OutputStatus};
use crate::conditions::STALLED;
use crate::endpoint::Role;
use crate::reasons::Reason;
use crate::resources::channel::{ChannelAction, ChannelState};
use crate::resources::flow::OutputAction;

/// What is recorded as ours and on the air.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recorded {
    /// The flow and its outputs, by role.
    pub outputs: BTreeMap<Role, RecordedOutput>,
    /// Id of the channel.
    pub channel: Option<String>,
}

/// An output that is recorded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordedOutput {
    /// ARN of the flow.
    pub flow: String,
    /// ARN of the output.
    pub arn: String,
}

impl Recorded {
    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty() && self.channel.is_none()
    }

    /// What takes it off the air.
    pub(super) fn stops(&self) -> Vec<Action> {
        let stop = |(role, o): (&Role, &RecordedOutput)| {
            Action::Output(OutputAction::Stop { flow: o.flow.clone(), arn: o.arn.clone(), role: *role })
        };
        let channel = self.channel.iter().map(|id| Action::Channel(ChannelAction::Stop { id: id.clone() }));
        self.outputs.iter().map(stop).chain(channel).collect()
    }
}

/// What the status records as ours and on the air. Nothing while it says that something is not ours any more.
#[must_use]
pub fn on_air(destination: &Destination) -> Recorded {
    let Some(status) = &destination.status else { return Recorded::default() };
    let lost = [Reason::NotOurs.as_str(), Reason::TakenOver.as_str()];
    if status.conditions.iter().any(|c| c.type_ == STALLED && lost.contains(&c.reason.as_str())) {
        return Recorded::default();
    }
    let output = |role: Role| {
        let output = status.outputs.iter().find(|o| o.role == role.word())?;
        let (flow, arn) = (status.flow_arn.clone()?, output.arn.clone()?);
        (output.status.as_deref() == Some(ENABLED)).then_some((role, RecordedOutput { flow, arn }))
    };
    let channel = status.channel.as_ref().filter(|c| c.state.as_deref().is_some_and(is_up));
    Recorded {
        outputs: [Role::Primary, Role::Backup].into_iter().filter_map(output).collect(),
        channel: channel.and_then(|c| c.id.clone()),
    }
}

/// As AWS spells it.
pub(super) const ENABLED: &str = "ENABLED";
/// The same.
pub(crate) const DISABLED: &str = "DISABLED";

fn is_up(state: &str) -> bool {
    ChannelState::read(state).is_some_and(ChannelState::is_up)
}

/// The outputs as they were, where they could not be looked at. One whose stop AWS has answered is neither known to send nor
/// known to be off.
pub(super) fn outputs_unseen(before: &DestinationStatus, stopped: &[Action]) -> Vec<OutputStatus> {
    let is_stopped = |o: &OutputStatus| {
        stopped
            .iter()
            .any(|a| matches!(a, Action::Output(OutputAction::Stop { arn, .. }) if Some(arn) == o.arn.as_ref()))
    };
    let unseen = |o: &OutputStatus| match is_stopped(o) {
        true => OutputStatus { status: None, sending: None, connected: None, bitrate_kbps: None, ..o.clone() },
        false => o.clone(),
    };
    before.outputs.iter().map(unseen).collect()
}

/// The channel as it was, where it could not be looked at. What AWS answers to a stop is that it is stopping.
pub(super) fn channel_unseen(before: Option<&ChannelStatus>, stopped: &[Action]) -> Option<ChannelStatus> {
    let before = before?;
    let stops = stopped
        .iter()
        .any(|a| matches!(a, Action::Channel(ChannelAction::Stop { id }) if Some(id) == before.id.as_ref()));
    let state = if stops { Some(ChannelState::Stopping.as_str().into()) } else { before.state.clone() };
    Some(ChannelStatus { state, ..before.clone() })
}
