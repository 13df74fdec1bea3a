//! What is known of a Destination before deciding.

use std::collections::BTreeMap;

use super::recorded::Recorded;
use super::retry::Tries;
use crate::channel::{Alert, Channel, Input, Look, Quotas};
use crate::endpoint::Role;
use crate::fight::Left;
use crate::flow::{Age, FlowOutput, FlowState, Measured, SecretCopy};
use crate::names::Ownership;
use crate::plan::StaysOff;

/// The facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The Source and its flow.
    pub flow: Programme,
    /// Our outputs, by role.
    pub outputs: BTreeMap<Role, OutputSeen>,
    /// Copies of passwords that bear our tags.
    pub secrets: Vec<SecretCopy>,
    /// The MediaLive input that bears our tags.
    pub input: Look<Input>,
    /// The MediaLive channel that bears our tags.
    pub channel: Look<ChannelSeen>,
    /// Whether nothing can reach the channel any more: the flow that its input takes is gone, or the input is.
    pub cut_off: bool,
    /// Quotas in the way of a new channel; looked at only when one is to be made.
    pub quotas: Option<Quotas>,
    /// Restarts so far.
    pub tries: Option<Tries>,
    /// The endpoint that an annotation asks for.
    pub told: Option<Role>,
    /// The endpoint that a failover has decided for, as the status remembers it.
    pub decided: Option<Role>,
    /// What was changed again and again and set back each time: it is not changed now, and nothing waits for it.
    pub left: Left,
    /// What bears the recorded id of our channel or input, and not our tags.
    pub not_ours: Option<String>,
    /// Another Destination that is being moved between deliveries, or is to be before this one.
    pub moves_first: Option<String>,
    /// What is recorded as ours and on the air, where AWS could not be looked at.
    pub recorded: Recorded,
}

/// Our channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelSeen {
    /// The channel.
    pub channel: Channel,
    /// What was measured of its output groups since it began to send.
    pub endpoints: BTreeMap<Role, EndpointSeen>,
    /// Alerts that are set.
    pub alerts: Vec<Alert>,
}

impl ChannelSeen {
    /// Whether the receiver of an output group is connected, as far as AWS says: by a measurement, or by an alert that is no
    /// older. A data point tells of a whole period, an alert of the moment. The age of a connection is the age of this.
    #[must_use]
    pub fn connected(&self, role: Role) -> Option<bool> {
        let endpoint = self.endpoints.get(&role);
        let measured = endpoint.and_then(|e| e.measured.as_ref()?.connected);
        let from = endpoint.and_then(|e| e.measured_from).filter(|_| measured.is_some());
        let mut of_role = self.alerts.iter().filter(|a| a.role == Some(role));
        let is_lost = of_role.any(|alert| match (from, alert.set) {
            (Some(from), Some(set)) => set >= from,
            _ => measured.is_none(),
        });
        if is_lost { Some(false) } else { measured }
    }
}

/// An output group of our channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointSeen {
    /// What was measured; `None`: measuring is off.
    pub measured: Option<Measured>,
    /// Start of the period that the data point is of, in seconds since 1970.
    pub measured_from: Option<i64>,
    /// How long [`ChannelSeen::connected`] has been what it is.
    pub unchanged_for: Age,
}

/// The Source of a Destination, and its flow.
#[derive(Clone, Debug, PartialEq)]
pub enum Programme {
    /// There is no Source of that name, nor a flow of one.
    NoSource,
    /// There is a Source; it has no flow that could be seen.
    NoFlow {
        /// Whether it is certain that there is no flow.
        certain: bool,
    },
    /// This flow.
    Flow {
        /// ARN.
        arn: String,
        /// State.
        state: FlowState,
        /// How many outputs it has, ours included.
        outputs_used: usize,
        /// Why the Source does not start it; `None`: it does.
        stopped: Option<StaysOff>,
        /// Whether an input of the Source is known to receive something; `None`: not measured.
        signal: Option<bool>,
        /// What the leading input brings, in kbit/s.
        bitrate_kbps: Option<i64>,
        /// Region of the flow.
        region: String,
    },
}

/// One of our outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSeen {
    /// The output.
    pub output: FlowOutput,
    /// What its tags say of its owner.
    pub ownership: Ownership,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// What was measured since it began to send; `None`: measuring is off.
    pub measured: Option<Measured>,
    /// How long its connection has been what it is.
    pub unchanged_for: Age,
}
