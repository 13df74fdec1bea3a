//! What a step waits for: the reason is API, the message is for people.

use crate::reasons::Reason;
use crate::wording::{ended, shortened};

/// What a step waits for. The reason is API; the message is for people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Waiting {
    /// There may be something that AWS does not show: a create was sent and its answer is not known, or a list has what a look
    /// does not find. Made again only when it is certain that there is none.
    CreateOutcome,
    /// The flow is going up.
    FlowStarting,
    /// The flow is going down.
    FlowStopping,
    /// The flow takes a change.
    FlowUpdating,
    /// The flow is being removed.
    FlowDeleting,
    /// The Source is not there.
    SourceNotFound(String),
    /// The Source has no flow yet.
    SourceNotReady(String),
    /// The Source is being deleted; this object came later and waits for the next one of that name.
    NextSource(String),
    /// The Source does not start its flow.
    SourceStopped(String, StaysOff),
    /// Still used by these.
    InUse(Vec<String>),
    /// Outputs that MediaLive keeps on the flow for its inputs, and removes with them: after the Destination that had one, too.
    ManagedOutputs(Vec<String>),
    /// Outputs on the flow, retained or somebody else's, that would go with it.
    ForeignOutputs(Vec<String>),
    /// A flow that is only referenced does not run.
    ExternalStopped,
    /// The receiver has not taken the stream yet.
    Connecting(String),
    /// The Source's inputs receive nothing.
    NoSignal(String),
    /// It is not known whether the Source's inputs receive something.
    SignalUnknown(String),
    /// The Source receives something and the channel does not, in MediaLive's words.
    NoInput(String, String),
    /// A removed secret's name is not free again yet.
    SecretName,
    /// A connection test runs.
    ConnectionTest,
    /// The MediaLive input or channel is being made.
    ChannelCreating,
    /// The channel is going up.
    ChannelStarting,
    /// The channel is going down.
    ChannelStopping,
    /// The channel takes a change.
    ChannelUpdating,
    /// The channel or its input is being removed.
    ChannelDeleting,
    /// AWS restarts a pipeline of the channel.
    ChannelRecovering,
    /// The input is attached to channels that are not ours.
    InputAttached(Vec<String>),
    /// The next attempt comes after a pause.
    Restarting {
        /// Which.
        count: u32,
        /// Of how many.
        attempts: u32,
        /// Why the last one failed.
        cause: String,
    },
    /// Another Destination is moved first.
    MovesFirst(String),
    /// AWS has not answered a change and may still carry it out.
    Unanswered,
    /// What was changed several times is not so any more; it is changed once more after a pause. Which, in words.
    SetBack(String),
}

/// Why a Source does not start its flow.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StaysOff {
    /// It is told to, or has a flow that is not its own to start.
    Told,
    /// It is suspended.
    Suspended,
    /// It is being deleted.
    Deleted,
    /// It is stuck, with this message.
    Stalled(String),
}

impl Waiting {
    /// The word that stands in conditions.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::CreateOutcome => Reason::Creating,
            Self::FlowStarting => Reason::FlowStarting,
            Self::FlowStopping => Reason::FlowStopping,
            Self::FlowUpdating => Reason::FlowUpdating,
            Self::FlowDeleting => Reason::FlowDeleting,
            Self::SourceNotFound(_) => Reason::SourceNotFound,
            Self::SourceNotReady(_) => Reason::SourceNotReady,
            Self::SourceStopped(..) => Reason::SourceStopped,
            Self::NextSource(_) => Reason::SourceNotReady,
            Self::InUse(_) => Reason::InUse,
            Self::ManagedOutputs(_) => Reason::ManagedOutputs,
            Self::ForeignOutputs(_) => Reason::ForeignOutputs,
            Self::ExternalStopped => Reason::ExternalStopped,
            Self::Connecting(_) => Reason::Connecting,
            Self::NoSignal(_) | Self::SignalUnknown(_) | Self::NoInput(..) => Reason::NoSignal,
            Self::SecretName => Reason::Updating,
            Self::ConnectionTest => Reason::ConnectionTest,
            Self::ChannelCreating => Reason::ChannelCreating,
            Self::ChannelStarting => Reason::ChannelStarting,
            Self::ChannelStopping => Reason::ChannelStopping,
            Self::ChannelUpdating => Reason::ChannelUpdating,
            Self::ChannelDeleting => Reason::ChannelDeleting,
            Self::ChannelRecovering => Reason::ChannelRecovering,
            Self::InputAttached(_) => Reason::InUse,
            Self::Restarting { .. } => Reason::Restarting,
            Self::MovesFirst(_) => Reason::Moving,
            Self::Unanswered => Reason::Unanswered,
            Self::SetBack(_) => Reason::SetBack,
        }
    }

    /// Whether all that depends on the operator and on AWS is done, and somebody else's part is waited for: an encoder's.
    #[must_use]
    pub fn is_carried_out(&self) -> bool {
        matches!(self, Self::NoSignal(_) | Self::SignalUnknown(_) | Self::NoInput(..))
    }

    /// What people read: the fact, and what to do where there is something to do.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::CreateOutcome => "It may be there and AWS does not show it yet; it is not made twice.".into(),
            Self::FlowStarting => "The flow is starting.".into(),
            Self::FlowStopping => "The flow is stopping.".into(),
            Self::FlowUpdating => "The flow is taking a change.".into(),
            Self::FlowDeleting => "AWS is removing the flow.".into(),
            Self::SourceNotFound(name) => {
                format!("There is no Source {name} in this namespace. Create it, or correct spec.from.name.")
            }
            Self::SourceNotReady(name) => {
                format!("Source {name} has no flow yet; its own message says why.")
            }
            Self::NextSource(name) => format!(
                "Source {name} is being deleted; this Destination came later and waits for the next Source of that name. Create it when this one is gone."
            ),
            Self::SourceStopped(name, StaysOff::Told) => format!(
                "Source {name} does not start its flow. Set its spec.state to Auto or Running; with spec.external, do what its message says."
            ),
            Self::SourceStopped(name, StaysOff::Suspended) => {
                format!("Source {name} is suspended and does not start its flow. Set its spec.suspend to false.")
            }
            Self::SourceStopped(name, StaysOff::Deleted) => format!(
                "Source {name} is being deleted and does not start its flow. Delete this Destination, or create it anew from another Source."
            ),
            Self::SourceStopped(name, StaysOff::Stalled(why)) => format!("Source {name} cannot start its flow: {why}"),
            Self::InUse(users) => {
                format!("Still in use by {}. It is removed when they are gone.", shortened(users))
            }
            Self::ManagedOutputs(names) => format!(
                "MediaLive inputs still take this flow (outputs {}). That of a Destination which was just deleted, or is stopped to take another Source, goes by itself. Delete inputs that are not Playout's in AWS.",
                shortened(names)
            ),
            Self::ForeignOutputs(names) => format!(
                "Outputs that are not this Source's to end are on the flow: {}. Remove them in AWS, or set deletionPolicy: Retain.",
                shortened(names)
            ),
            Self::ExternalStopped => {
                "The flow does not run, and Playout does not start a flow that is only referenced. Start it in AWS, or set external.policy: Adopt.".into()
            }
            Self::Connecting(endpoint) => format!("Sending to {endpoint}, which has not taken the stream yet."),
            Self::NoSignal(source) => format!(
                "Source {source} receives no signal; start the encoder. The message of that Source says more."
            ),
            Self::SignalUnknown(source) => format!(
                "It is being sent, and whether Source {source} receives a signal is not known. The message of that Source says why."
            ),
            Self::NoInput(source, alert) => format!(
                "MediaLive receives nothing that it can show. AWS says: {} What is sent is a substitute. Start the encoder; if Source {source} has a signal, check the programme's video, or stop and start this Destination.",
                ended(alert)
            ),
            Self::SecretName => "AWS is still freeing the name of a removed secret.".into(),
            Self::ConnectionTest => "The flow runs for a connection test.".into(),
            Self::ChannelCreating => "AWS is making the channel.".into(),
            Self::ChannelStarting => "The channel is starting; AWS takes about two minutes.".into(),
            Self::ChannelStopping => "The channel is stopping.".into(),
            Self::ChannelUpdating => "The channel is taking a change.".into(),
            Self::ChannelDeleting => "AWS is removing the channel and its input.".into(),
            Self::ChannelRecovering => "A pipeline of the channel failed; AWS is restarting it.".into(),
            Self::InputAttached(channels) => format!(
                "The MediaLive input of this Destination is attached to channels that are not its own ({}). Detach it there.",
                shortened(channels)
            ),
            Self::Restarting { count, attempts, cause } => {
                format!("{} Restart {count} of {attempts} follows after a pause.", ended(cause))
            }
            Self::MovesFirst(name) => {
                format!("Destination {name} is moved to its new delivery first; this one keeps the old one until then.")
            }
            Self::Unanswered => {
                "AWS may still carry out a change that it has not answered, or that an operator sent which has ended since; it is watched until that is over.".into()
            }
            Self::SetBack(what) => {
                format!("{} AWS, or somebody, has set it back each time. It is changed once more after a pause.", ended(what))
            }
        }
    }
}
