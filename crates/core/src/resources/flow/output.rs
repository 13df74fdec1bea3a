//! An output of a flow as facts and wishes, and what can be done to it, as values.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Cipher, NewOutput, Protocol, RtmpPath, cipher_unlike, sorted, unlike};
use crate::action::{Action, Effect, Intent};
use crate::endpoint::{Receiver, Role};
use crate::fight::{Change, What};
use crate::reasons::Reason;
use crate::secret::SecretText;

/// Settings of an output, requested or observed. In a wish, `None` means "as AWS likes".
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct OutputSettings {
    /// Protocol.
    pub protocol: Protocol,
    /// Host or address; `None` for a listener.
    pub destination: Option<String>,
    /// Port.
    pub port: Option<i32>,
    /// Milliseconds.
    pub min_latency: Option<i32>,
    /// Who may call, for a listener.
    pub cidr_allow_list: Vec<String>,
    /// SRT caller and Zixi. It is a key at many receivers.
    pub stream_id: Option<SecretText>,
    /// Encryption.
    pub encryption: Option<Cipher>,
    /// RTMP.
    pub rtmp: Option<RtmpPath>,
}

/// An output of a flow, as observed.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowOutput {
    /// Name, unique in the flow.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Whether it sends while the flow runs.
    pub enabled: bool,
    /// Settings.
    pub settings: OutputSettings,
    /// Set on an output that MediaLive keeps; such outputs and granted entitlements are never ours.
    pub managed_by: Option<String>,
    /// Where the receiver calls, for a listener.
    pub listener_address: Option<String>,
}

impl OutputSettings {
    /// The settings in which `seen` differs from this wish, by the names that users know.
    #[must_use]
    pub fn differences(&self, seen: &Self) -> Vec<&'static str> {
        let mut list = Vec::new();
        let mut check = |name, differs: bool| {
            if differs && !list.contains(&name) {
                list.push(name);
            }
        };
        check("url", self.protocol != seen.protocol);
        check("url", unlike(&self.destination, &seen.destination));
        check("url", unlike(&self.port, &seen.port));
        check("srt.minLatencyMs", unlike(&self.min_latency, &seen.min_latency));
        check(
            "srt.allowedCidrs",
            self.protocol == Protocol::SrtListener && sorted(&self.cidr_allow_list) != sorted(&seen.cidr_allow_list),
        );
        check("streamKey", unlike(&self.stream_id, &seen.stream_id));
        check("encryption", cipher_unlike(self.encryption.as_ref(), seen.encryption.as_ref()));
        match (&self.rtmp, &seen.rtmp) {
            (Some(wish), Some(seen)) => {
                check("url", wish.application != seen.application || wish.tls != seen.tls);
                check("streamKey", wish.stream != seen.stream);
            }
            (Some(_), None) => check("url", true),
            (None, _) => {}
        }
        list
    }

    /// Whether an update cannot lead from `seen` to this: AWS merges what is given and cannot take out what is left out.
    #[must_use]
    pub fn needs_replacement(&self, seen: &Self) -> bool {
        self.protocol != seen.protocol
            || (self.encryption.is_none() && seen.encryption.is_some())
            || (self.stream_id.is_none() && seen.stream_id.as_ref().is_some_and(|s| !s.is_empty()))
            || matches!((&self.rtmp, &seen.rtmp), (Some(w), Some(s)) if !w.tls && s.tls)
    }

    /// Scheme, host and port of the receiver: fit for status and messages. `None`: AWS does not say.
    #[must_use]
    pub fn shown(&self) -> Option<String> {
        self.receiver().map(|receiver| receiver.shown())
    }

    fn receiver(&self) -> Option<Receiver> {
        let port = u16::try_from(self.port?).ok()?;
        let host = || self.destination.clone();
        Some(match self.protocol {
            Protocol::RtmpPush => {
                let RtmpPath { application, tls, .. } = self.rtmp.clone()?;
                Receiver::Rtmp { host: host()?, port, tls, application }
            }
            Protocol::SrtCaller => Receiver::SrtCaller { host: host()?, port },
            Protocol::SrtListener => Receiver::SrtListener { port },
            Protocol::Rtp | Protocol::RtpFec => {
                Receiver::Rtp { host: host()?, port, fec: self.protocol == Protocol::RtpFec }
            }
            Protocol::Rist => Receiver::Rist { host: host()?, port },
            Protocol::ZixiPush => Receiver::Zixi { host: host()?, port },
            Protocol::Ndi | Protocol::Other => return None,
        })
    }
}

/// What can be done to an output of a flow.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum OutputAction {
    /// Add an output; several objects' outputs travel in one call.
    Add { flow: String, output: Box<NewOutput> },
    /// Renew the tags of an output.
    Tag { arn: String, tags: BTreeMap<String, String> },
    /// Change settings, or switch, or both in one call.
    Update { flow: String, arn: String, role: Role, settings: Option<Box<OutputSettings>>, enabled: Option<bool> },
    /// Stop an output that is recorded, when AWS does not answer a look at its flow.
    Stop { flow: String, arn: String, role: Role },
    /// Remove an output.
    Remove { flow: String, arn: String, role: Role },
}

impl OutputAction {
    /// ARN of the output, unless it is yet to be made.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::Add { .. } => None,
            Self::Tag { arn, .. } | Self::Update { arn, .. } | Self::Stop { arn, .. } | Self::Remove { arn, .. } => {
                Some(arn)
            }
        }
    }
}

impl Action for OutputAction {
    /// Names of outputs are unique in their flow: AWS refuses a second create.
    fn intent(&self) -> Intent {
        Intent::None
    }

    fn effect(&self) -> Effect {
        let output = |role: &Role, what| Change::of(format!("{} output", role.as_str()), what);
        match self {
            Self::Add { output: new, .. } => {
                let verb = if new.enabled { "Created and started" } else { "Created" };
                let sentence = format!("{verb} output {} ({})", new.name, new.role.word());
                Effect::new(vec![output(&new.role, What::Made)], Reason::Created, sentence)
            }
            Self::Tag { arn, .. } => {
                Effect::new(vec![Change::of(arn, What::Tags)], Reason::Adopted, "Renewed the tags of an output")
            }
            Self::Update { role, settings, enabled, .. } => {
                let switch = enabled.map(|on| output(role, if on { What::Started } else { What::Stopped }));
                let changes = settings.iter().map(|_| output(role, What::Settings)).chain(switch).collect();
                let reason = match enabled {
                    Some(true) => Reason::Started,
                    Some(false) => Reason::Stopped,
                    None => Reason::Updated,
                };
                let verb = match (settings.is_some(), enabled) {
                    (true, Some(true)) => "Changed and started",
                    (true, Some(false)) => "Changed and stopped",
                    (true, None) => "Changed",
                    (false, Some(true)) => "Started",
                    (false, Some(false)) => "Stopped",
                    (false, None) => "Looked at",
                };
                let effect = Effect::new(changes, reason, format!("{verb} the output ({})", role.word()));
                // Since when an output that sends has had its settings, the status alone knows.
                if settings.is_some() && enabled.is_none() { effect.kept() } else { effect }
            }
            Self::Stop { role, .. } => {
                let role_word = role.word();
                let sentence =
                    format!("Told AWS to stop the output ({role_word}); AWS does not show its flow at the moment");
                // No look may show it for long.
                Effect::new(vec![output(role, What::Stopped)], Reason::Stopped, sentence).kept()
            }
            Self::Remove { role, .. } => {
                let sentence = format!("Removed the output ({})", role.word());
                Effect::new(vec![output(role, What::Removed)], Reason::Deleted, sentence)
            }
        }
    }
}
