//! What is fed, whether its receiver takes the stream and whether there is a programme to take: on both paths, for the planner
//! and for the status. What AWS promises to show of it stands in [`crate::evidence`].

use std::time::Duration;

use super::groups::targets;
use super::observed::{ChannelSeen, Observed, OutputSeen, Programme};
use super::wanted::Wanted;
use crate::age::Age;
use crate::endpoint::Role;
pub use crate::evidence::MEASUREMENT_PATIENCE;
use crate::evidence::{QUIET_FOR, measures_receiver};
use crate::resources::channel::{ChannelState, RtmpTarget};
use crate::resources::flow::{FlowState, Protocol};

/// How long a channel may get nothing before it is more than a pause of the encoder: what is known of the Source's signal is as old as
/// `health.interval`, and a look.
pub(super) const DEAF_AFTER: Duration = Duration::from_secs(60);

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
    /// It cannot be known: AWS measures no such thing for the protocol, measuring is off, or AWS publishes nothing.
    Unmeasured,
}

/// An endpoint that is fed.
#[derive(Clone, Debug, PartialEq)]
pub struct Fed {
    /// Which.
    pub role: Role,
    /// Its receiver, for people.
    pub at: String,
    /// Whether the receiver takes the stream.
    pub connection: Connection,
    /// Whether AWS documents a measurement of that: then its absence proves nothing.
    pub is_measurable: bool,
    /// Whether there is something to take: what feeds it receives the programme; `None`: not known.
    pub programme: Option<bool>,
    /// How long the connection has been what it is.
    pub unchanged_for: Age,
    /// What AWS has against it, in its words.
    pub said: Option<String>,
}

/// What becomes of the programme at what is fed. The later ones outdo the earlier: with two endpoints one is enough.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Air {
    /// Nothing is fed.
    Off,
    /// The receiver does not take it.
    Refused,
    /// It is not known yet whether the receiver takes it.
    Pending,
    /// Nothing arrives that could be taken, or it is not known whether anything does.
    Silent,
    /// The programme is sent, and the receiver takes it as far as AWS can tell.
    Running,
}

impl Fed {
    /// What becomes of the programme here.
    #[must_use]
    pub fn air(&self) -> Air {
        match (self.programme, self.connection) {
            (Some(false), _) => Air::Silent,
            (_, Connection::Down) => Air::Refused,
            (_, Connection::Pending) => Air::Pending,
            (None, Connection::Up | Connection::Unmeasured) => Air::Silent,
            (Some(true), Connection::Up | Connection::Unmeasured) => Air::Running,
        }
    }

    /// Whether the receiver takes the stream, as far as AWS ever tells.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.air() == Air::Running && (self.connection == Connection::Up || !self.is_measurable)
    }

    /// That the receiver does not take the stream, with AWS's words for it.
    #[must_use]
    pub fn refusal(&self) -> String {
        format!("{} does not take the stream.{}", self.at, self.words())
    }

    /// What AWS has against it, to follow a sentence.
    pub(super) fn words(&self) -> String {
        self.said.as_ref().map(|said| format!(" AWS says: {said}")).unwrap_or_default()
    }
}

impl Air {
    /// Of all that is fed.
    #[must_use]
    pub fn of(fed: &[Fed]) -> Self {
        fed.iter().map(Fed::air).max().unwrap_or(Self::Off)
    }
}

/// Judges an output's connection.
fn of_output(seen: &OutputSeen) -> Connection {
    let protocol = seen.output.settings.protocol;
    match seen.connected() {
        Some(false) => Connection::Down,
        Some(true) => Connection::Up,
        // It is sent into the dark.
        None if matches!(protocol, Protocol::Rtp | Protocol::RtpFec) => Connection::Unmeasured,
        None if measures_receiver(protocol) => awaited(seen.measured.is_some(), seen.unchanged_for),
        None if seen.unchanged_for >= QUIET_FOR => Connection::Unmeasured,
        None => Connection::Pending,
    }
}

/// A measurement that AWS documents is waited for, if anything is measured.
fn awaited(measures: bool, since: Age) -> Connection {
    if measures && since < MEASUREMENT_PATIENCE { Connection::Pending } else { Connection::Unmeasured }
}

/// Judges the connection of a running channel's output group.
pub(super) fn of_channel(seen: &ChannelSeen, role: Role) -> Connection {
    let name = role.into();
    let endpoint = seen.endpoints.get(&name);
    match seen.connected(&name) {
        Some(false) => Connection::Down,
        Some(true) => Connection::Up,
        None => awaited(
            endpoint.is_some_and(|e| e.measured.is_some()),
            endpoint.map(|e| e.unchanged_for).unwrap_or_default(),
        ),
    }
}

/// The flow's outputs that are fed now.
#[must_use]
pub fn fed_outputs(wanted: Option<&Wanted>, seen: &Observed) -> Vec<Fed> {
    let Programme::Flow { state: FlowState::Active | FlowState::Updating, signal, .. } = &seen.flow else {
        return Vec::new();
    };
    let enabled = seen.outputs.iter().filter(|(_, o)| o.output.enabled);
    let fed = |(role, output): (&Role, &OutputSeen)| Fed {
        role: *role,
        // What AWS has: a change of the spec may wait.
        at: output.output.settings.shown().unwrap_or_else(|| match wanted.and_then(|w| w.outputs.get(role)) {
            Some(wish) => wish.receiver.shown(),
            None => "the flow's output".into(),
        }),
        connection: of_output(output),
        is_measurable: measures_receiver(output.output.settings.protocol),
        programme: *signal,
        unchanged_for: output.unchanged_for,
        said: output.error.clone(),
    };
    enabled.map(fed).collect()
}

/// The output groups that a running channel feeds now.
#[must_use]
pub fn fed_by_channel(seen: &Observed) -> Vec<Fed> {
    let Some(channel) = seen.channel.present().filter(|c| c.channel.state == ChannelState::Running) else {
        return Vec::new();
    };
    let signal = if let Programme::Flow { signal, .. } = &seen.flow { *signal } else { None };
    let programme = channel.programme(signal);
    let fed = |(role, target): (Role, &RtmpTarget)| Fed {
        role,
        at: target.shown(),
        connection: of_channel(channel, role),
        is_measurable: true,
        programme,
        unchanged_for: channel.endpoints.get(&role.into()).map(|e| e.unchanged_for).unwrap_or_default(),
        said: channel.alerts.iter().find(|a| a.output == Some(role.into())).map(|a| a.message.clone()),
    };
    targets(&channel.channel.settings).into_iter().map(fed).collect()
}

/// What is fed now, on both paths.
#[must_use]
pub fn fed(wanted: Option<&Wanted>, seen: &Observed) -> Vec<Fed> {
    let mut all = fed_outputs(wanted, seen);
    all.extend(fed_by_channel(seen));
    all
}
