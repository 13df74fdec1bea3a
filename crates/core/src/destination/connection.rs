//! What is fed, and whether its receiver takes the stream: on both paths, for the planner and for the status.

use std::time::Duration;

use super::observed::{ChannelSeen, EndpointSeen, Observed, OutputSeen, Programme};
use super::wanted::{OutputWanted, Wanted};
use crate::channel::ChannelState;
use crate::endpoint::Role;
use crate::flow::FlowState;

/// How long a primary must have been disconnected before the backup is fed. Shorter and a platform's own restart would
/// look like a failure; longer and viewers leave. It does not go back while the backup is well, so it cannot flap.
pub const FAILOVER_AFTER: Duration = Duration::from_secs(20);
/// How long to wait for the first measurement of a connection. CloudWatch has it a minute or two after the start; without
/// any, what AWS says of the flow and the output has to do.
pub const MEASUREMENT_PATIENCE: Duration = Duration::from_secs(120);

/// How soon to look again while the Source receives nothing. A change of its status wakes its Destinations besides.
pub(super) const WITHOUT_SIGNAL: Duration = Duration::from_secs(10);

/// What is known of an output's connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Connection {
    /// The receiver takes the stream.
    Up,
    /// It does not.
    Down,
    /// Not known yet.
    Pending,
    /// It cannot be known: the protocol has no connection, measuring is off, or AWS publishes nothing.
    Unmeasured,
}

/// Judges an output's connection.
pub(super) fn of_output(wish: &OutputWanted, seen: &OutputSeen) -> Connection {
    if wish.receiver.has_connection() { measured(seen) } else { Connection::Unmeasured }
}

fn measured(seen: &OutputSeen) -> Connection {
    match seen.measured.as_ref().map(|m| m.connected) {
        None => Connection::Unmeasured,
        Some(Some(true)) => Connection::Up,
        Some(Some(false)) => Connection::Down,
        Some(None) if seen.unchanged_for >= MEASUREMENT_PATIENCE => Connection::Unmeasured,
        Some(None) => Connection::Pending,
    }
}

/// Judges the connection of a running channel's output group.
pub(super) fn of_channel(endpoint: &EndpointSeen, seen: &ChannelSeen, role: Role) -> Connection {
    match seen.connected(role) {
        Some(false) => Connection::Down,
        Some(true) => Connection::Up,
        None if endpoint.measured.is_none() || endpoint.unchanged_for >= MEASUREMENT_PATIENCE => Connection::Unmeasured,
        None => Connection::Pending,
    }
}

/// What is fed now, on both paths: which endpoint, its receiver for people, and whether it takes the stream.
#[must_use]
pub fn fed(wanted: &Wanted, seen: &Observed) -> Vec<(Role, String, Connection)> {
    let mut list = Vec::new();
    if matches!(seen.flow, Programme::Flow { state: FlowState::Active | FlowState::Updating, .. }) {
        for (role, output) in seen.outputs.iter().filter(|(_, o)| o.output.enabled) {
            if let Some(wish) = wanted.outputs.get(role) {
                list.push((*role, wish.receiver.shown(), of_output(wish, output)));
            } else if wanted.channel.is_some() {
                // The old path of a move: it is judged by what was measured.
                list.push((*role, "the flow's output".into(), measured(output)));
            }
        }
    }
    if let Some(channel) = seen.channel.present().filter(|c| c.channel.state == ChannelState::Running) {
        for (role, target) in &channel.channel.settings.targets {
            let endpoint = channel.endpoints.get(role).cloned().unwrap_or_default();
            list.push((*role, target.shown(), of_channel(&endpoint, channel, *role)));
        }
    }
    list
}
