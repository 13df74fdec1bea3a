//! The words that all kinds share: what is wished, what is to be done next, why we wait, what is wrong.

use std::time::Duration;

use crate::fight::Change;
use crate::reasons::Reason;
use crate::refusal;
use crate::told::News;

/// What the object asks for, after its spec has been parsed and its references resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Desired<W> {
    /// The object wants this.
    Present(W),
    /// The object is being deleted.
    Absent,
    /// The object cannot be understood; nothing is touched until it changes.
    Invalid(Problem),
}

/// What a planner answers.
///
/// What is to be remembered is stored before anything is done: a crash can then lose neither a count nor a pause, and what is done
/// follows from what is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<A, M> {
    /// What is next.
    pub step: Step<A>,
    /// What is to be remembered from now on, and given to the planner again the next time.
    pub memory: M,
    /// Changes that wait because they would interrupt what is on the air, by the names of the fields.
    pub deferred: Vec<String>,
}

impl<A, M: Default> From<Step<A>> for Plan<A, M> {
    /// A plan of a kind that remembers nothing.
    fn from(step: Step<A>) -> Self {
        Self { step, memory: M::default(), deferred: Vec::new() }
    }
}

/// What a kind remembers, as a value.
pub trait Memory: std::fmt::Debug + Default + Send + Sync {
    /// Whether it is stored before anything is done, because what is done rests on it.
    fn goes_first(&self) -> bool {
        false
    }

    /// What people are told of what was decided.
    fn news(&self) -> Vec<News<'static>> {
        Vec::new()
    }
}

/// Nothing is remembered.
impl Memory for () {}

/// What is next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<A> {
    /// Carry these out, in this order; none needs another's result. Never empty.
    Act(Vec<A>),
    /// Nothing to do but wait. `poll: None` when a watch will wake us.
    Wait {
        /// For what.
        on: Waiting,
        /// When to look again by ourselves.
        poll: Option<Duration>,
    },
    /// Everything is as wished; look again only for drift.
    Settled,
    /// Only a new spec, or somebody's help, can change anything.
    Stuck(Problem),
    /// Nothing of ours is left: the finalizer may go.
    Gone,
}

impl<A> Step<A> {
    /// Waits, and looks again after `poll`.
    #[must_use]
    pub fn wait(on: Waiting, poll: Duration) -> Self {
        Self::Wait { on, poll: Some(poll) }
    }

    /// Waits for a watch to wake us.
    #[must_use]
    pub fn wait_for_watch(on: Waiting) -> Self {
        Self::Wait { on, poll: None }
    }

    /// Whether the wish is carried out, although an encoder may be waited for.
    #[must_use]
    pub fn is_carried_out(&self) -> bool {
        match self {
            Self::Settled => true,
            Self::Wait { on, .. } => on.is_carried_out(),
            Self::Act(_) | Self::Stuck(_) | Self::Gone => false,
        }
    }
}

/// What can be done, as a value: the log line, the Event and the test assertion are the same thing.
pub trait Action: std::fmt::Debug + serde::Serialize + Send + Sync {
    /// Whether an intent is written on the object first: AWS has neither a token that makes the call idempotent nor a unique name.
    fn needs_intent(&self) -> bool;

    /// What a create makes, if it carries a token that comes from the intent: sent again under the same intent, it makes
    /// nothing twice.
    fn token_role(&self) -> Option<&'static str> {
        None
    }

    /// Whether nothing can appear any more of what the intent was written for.
    fn ends_intent(&self) -> bool {
        false
    }

    /// Whether the pass that does it writes the status at once, which otherwise waits for the next look.
    fn is_told(&self) -> bool {
        false
    }

    /// What it changes in AWS, for the rule that ends a fight.
    fn changes(&self) -> Vec<Change>;

    /// Whether that Event is a warning: something was lost for which it is done.
    fn is_warning(&self) -> bool {
        false
    }

    /// The reason of the Event that tells of it.
    fn reason(&self) -> Reason;

    /// What the Event says.
    fn sentence(&self) -> String;
}

/// How soon to look again while AWS changes something that takes it seconds.
pub const SOON: Duration = Duration::from_secs(1);
/// How soon to look again while AWS changes something that takes it tens of seconds.
pub const IN_TRANSITION: Duration = Duration::from_secs(2);

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
    /// Outputs that others (MediaLive) keep on the flow.
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
                "MediaLive inputs outside Playout still take this flow (outputs {}). Delete those inputs.",
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

/// A value as a message repeats it: in quotes, cut where it is long.
#[must_use]
pub fn repeated(value: &str) -> String {
    let short: String = value.chars().filter(|c| !c.is_control()).take(40).collect();
    format!("\"{short}\"")
}

/// At most five names; an Event and a condition are not the place for fifty.
#[must_use]
pub fn shortened(names: &[String]) -> String {
    match names.split_at_checked(5) {
        Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
        _ => names.join(", "),
    }
}

/// What only somebody's help can change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The word that stands in conditions.
    pub reason: Reason,
    /// The field, the fact and the remedy. Never a secret.
    pub message: String,
}

impl Problem {
    /// A problem in words.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// What was changed again and again and set back each time is left.
    #[must_use]
    pub fn set_back(what: &str) -> Self {
        let text = format!(
            "{} AWS, or somebody, has set it back each time, so it is left as it is. Find who else writes it, or put into the spec what AWS keeps; the annotation playout.dev/reconcile-at begins anew.",
            ended(what)
        );
        Self::new(Reason::SetBack, text)
    }
}

/// What sort of failure an AWS or API server call had. Decided in one file of the shell, by HTTP status and code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailureClass {
    /// 404: the thing is not there.
    Absent,
    /// The thing is in a state in which it does not take this call; look again.
    Conflict,
    /// 429: too many calls.
    Throttled,
    /// A limit of the account.
    Quota,
    /// 401 or 403.
    Denied,
    /// AWS does not accept the request: a retry would be refused again.
    Invalid,
    /// 5xx, a lost connection, a timeout. What was asked for may or may not have happened.
    Transient,
    /// We are not, or no longer, the leader.
    NotLeading,
    /// A bug of ours.
    Panic,
}

/// A call that failed, in words without secrets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What sort.
    pub class: FailureClass,
    /// Of which call. Example: `mediaconnect:CreateFlow`.
    pub operation: String,
    /// What was said. Already without secrets.
    pub message: String,
}

impl Failure {
    /// Whether the call may have been carried out although it failed.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        matches!(self.class, FailureClass::Transient | FailureClass::Panic)
    }

    /// Whether it is certain that nothing was made. A conflict says that something is under way: with a token it may be our
    /// own request of before.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        !self.outcome_unknown() && !matches!(self.class, FailureClass::NotLeading | FailureClass::Conflict)
    }

    /// Whether the same call would be refused again.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.class, FailureClass::Invalid | FailureClass::Denied | FailureClass::Quota)
    }

    /// The word that stands in conditions.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self.class {
            FailureClass::Absent | FailureClass::Conflict => Reason::Retrying,
            FailureClass::Throttled => Reason::Throttled,
            FailureClass::Quota => Reason::QuotaExceeded,
            FailureClass::Denied => Reason::AccessDenied,
            FailureClass::Invalid => Reason::Refused,
            FailureClass::Transient | FailureClass::NotLeading => Reason::AwsUnavailable,
            FailureClass::Panic => Reason::InternalError,
        }
    }

    /// What people read.
    #[must_use]
    pub fn text(&self) -> String {
        let remedy = match self.class {
            FailureClass::Invalid => {
                return format!(
                    "{}: {} {}",
                    self.operation,
                    ended(&self.message),
                    refusal::remedy(&self.operation, &self.message)
                );
            }
            FailureClass::Absent | FailureClass::Conflict | FailureClass::Transient => "The operator tries again.",
            FailureClass::Throttled => "AWS limits the rate of calls; the operator tries again more slowly.",
            FailureClass::Quota => "Ask AWS for a higher quota, or remove something that is not needed.",
            FailureClass::Denied => "Allow the action in the operator's IAM policy (deploy/iam).",
            FailureClass::NotLeading => "Another replica leads now.",
            FailureClass::Panic => "This is a defect of the operator; its log has the details.",
        };
        format!("{}: {} {remedy}", self.operation, ended(&self.message))
    }
}

/// The text as a sentence.
pub(crate) fn ended(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_string() } else { format!("{text}.") }
}
