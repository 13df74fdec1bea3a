//! A channel with what was measured of it, and what that says of its output groups.

use std::collections::BTreeMap;

use super::{Alert, Channel, OutputName};
use crate::age::Age;
use crate::evidence::tells_of_no_input;
use crate::resources::flow::Measured;

/// Our channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelSeen {
    /// The channel.
    pub channel: Channel,
    /// What was measured of its output groups since it began to send.
    pub endpoints: BTreeMap<OutputName, EndpointSeen>,
    /// Alerts that are set.
    pub alerts: Vec<Alert>,
    /// How long the one of [`ChannelSeen::input_loss`] has been set (`setTimestamp` of ListAlerts, MediaLive API reference; without it
    /// it counts as new); what is measured of the Source may be older than that.
    pub input_lost_for: Age,
    /// Whether AWS was asked for them and gave no answer: not to know of one is not to know that there is none.
    pub alerts_unread: bool,
}

impl ChannelSeen {
    /// Whether the receiver of an output group is connected, as far as AWS says: by a measurement, or by an alert that is no
    /// older. A data point tells of a whole period, an alert of the moment. The age of a connection is the age of this.
    #[must_use]
    pub fn connected(&self, output: &OutputName) -> Option<bool> {
        let endpoint = self.endpoints.get(output);
        let measured = endpoint.and_then(|e| e.measured.as_ref()?.connected);
        let from = endpoint.and_then(|e| e.measured_from).filter(|_| measured.is_some());
        let mut of_output = self.alerts.iter().filter(|a| a.output.as_ref() == Some(output));
        let is_lost = of_output.any(|alert| match (from, alert.set) {
            (Some(from), Some(set)) => set >= from,
            _ => measured.is_none(),
        });
        if is_lost { Some(false) } else { measured }
    }

    /// The alert that says that nothing arrives at the channel which it can show.
    #[must_use]
    pub fn input_loss(&self) -> Option<&Alert> {
        self.alerts.iter().find(|alert| tells_of_no_input(alert))
    }

    /// Whether the programme arrives at the channel: what its Source receives, unless an alert of its own says that nothing does.
    #[must_use]
    pub fn programme(&self, signal: Option<bool>) -> Option<bool> {
        if self.input_loss().is_some() { Some(false) } else { signal }
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
