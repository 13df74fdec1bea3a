//! What is known of a Destination before deciding.

use std::collections::BTreeMap;

use super::recorded::Recorded;
use crate::age::Age;
use crate::endpoint::Role;
use crate::existence::Existence;
use crate::failover::FailoverState;
use crate::fight::Left;
use crate::identity::{Ownership, TAG_UID};
pub use crate::resources::channel::{ChannelSeen, EndpointSeen, NotOurs};
use crate::resources::channel::{ChannelState, Input, Parts, Quotas};
use crate::resources::flow::{FlowOutput, FlowState, Measured, Protocol, SecretCopy};
use crate::restart::RestartState;
use crate::waiting::StaysOff;

/// The facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The Source and its flow.
    pub flow: Programme,
    /// Our outputs, by role.
    pub outputs: BTreeMap<Role, OutputSeen>,
    /// Copies of passwords that bear our tags.
    pub secrets: Vec<SecretCopy>,
    /// Whether Secrets Manager was asked for them: a stop does not wait for it.
    pub secrets_asked: bool,
    /// The names that Secrets Manager was asked for: of another name it is not known whether there is a copy.
    pub secret_names: Vec<String>,
    /// Copies that the status has recorded and that are not ours: nothing is done to them.
    pub lost_secrets: Vec<SecretCopy>,
    /// The MediaLive input that bears our tags.
    pub input: Existence<Input>,
    /// The MediaLive channel that bears our tags.
    pub channel: Existence<ChannelSeen>,
    /// Whether nothing can reach the channel any more: the flow that its input takes is gone, or the input is.
    pub cut_off: bool,
    /// Quotas in the way of a new channel; looked at only when one is to be made.
    pub quotas: Option<Quotas>,
    /// Restarts so far.
    pub restart: Option<RestartState>,
    /// Which endpoint is to lead: as an annotation asks, and as a failover has decided.
    pub failover: FailoverState,
    /// What was changed again and again and set back each time: it is not changed now, and nothing waits for it.
    pub left: Left,
    /// What is recorded in MediaLive, or of the Source's flow, and is not ours.
    pub not_ours: Vec<NotOurs>,
    /// ARN of the flow that the Source has recorded and that is not its own: nothing is sent from it any more, and nothing is
    /// added to it.
    pub source_lost: Option<String>,
    /// Another Destination that is being moved between deliveries, or is to be before this one.
    pub migration_ahead: Option<String>,
    /// The flow is full, another one is to run and has no place on it, and it is this one's turn to give up its own.
    pub gives_way: bool,
    /// What is recorded as ours and on the air, where AWS could not be looked at.
    pub recorded: Recorded,
}

impl Observed {
    /// What there is in MediaLive.
    pub(super) fn parts(&self) -> Parts<'_> {
        Parts { input: &self.input, channel: &self.channel }
    }

    /// UID of the object of the same identity that is in charge of what this one had.
    #[must_use]
    pub fn taken_over_by(&self) -> Option<&str> {
        let outputs = self.outputs.values().filter(|o| o.ownership == Ownership::TakenOver);
        let of_output = outputs.filter_map(|o| o.tags.as_ref()?.get(TAG_UID)).map(String::as_str).next();
        of_output.or_else(|| self.not_ours.iter().find_map(|n| n.taken_over_by.as_deref()))
    }

    /// What is not ours and goes on sending, in words.
    #[must_use]
    pub fn still_sends(&self) -> Option<String> {
        let on = matches!(&self.flow, Programme::Flow { state: FlowState::Active | FlowState::Updating, .. });
        let sends = |o: &&OutputSeen| on && o.output.enabled && !o.ownership.is_ours();
        let output = self.outputs.values().find(sends).map(|o| format!("Output {}", o.output.arn));
        output.or_else(|| self.not_ours.iter().find(|n| n.runs).map(|n| format!("MediaLive {} {}", n.what, n.arn)))
    }

    /// What goes on sending, whosever it is, in words.
    #[must_use]
    pub fn sends(&self) -> Option<String> {
        let on = matches!(&self.flow, Programme::Flow { state: FlowState::Active | FlowState::Updating, .. });
        let output = || self.outputs.values().find(|o| on && o.output.enabled);
        let channel = || self.channel.present().filter(|c| c.channel.state == ChannelState::Running);
        self.still_sends()
            .or_else(|| output().map(|o| format!("Output {}", o.output.arn)))
            .or_else(|| channel().map(|c| format!("MediaLive channel {}", c.channel.arn)))
    }
}

/// The Source of a Destination, and its flow.
#[derive(Clone, Debug, PartialEq)]
pub enum Programme {
    /// There is no Source of that name, nor a flow of one.
    NoSource,
    /// The Source of that name goes, and this Destination came later: it waits for the next one.
    NextSource,
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
    /// What its name, and its tags where they are known, say of its owner.
    pub ownership: Ownership,
    /// Tags, where they are known: an output is ours by its name, which has a digest of our identity in it, so that nothing has to
    /// wait for them.
    pub tags: Option<BTreeMap<String, String>>,
    /// What was measured since it began to send; `None`: measuring is off.
    pub measured: Option<Measured>,
    /// What AWS has against it now, in its words.
    pub error: Option<String>,
    /// How long [`OutputSeen::connected`] has been what it is.
    pub unchanged_for: Age,
}

impl OutputSeen {
    /// Whether the receiver is connected, as far as AWS says: by an error that names the output, which is of now, or else by a
    /// measurement. RTP knows no connection.
    #[must_use]
    pub fn connected(&self) -> Option<bool> {
        if self.error.is_some() {
            return Some(false);
        }
        let has_connection = !matches!(self.output.settings.protocol, Protocol::Rtp | Protocol::RtpFec);
        self.measured.as_ref().and_then(|m| m.connected).filter(|_| has_connection)
    }
}
