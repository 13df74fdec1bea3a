//! What is known of a Destination before deciding.

use std::collections::BTreeMap;

use crate::flow::{Age, FlowOutput, FlowState, Measured, SecretCopy};
use crate::names::Ownership;

/// The facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The Source and its flow.
    pub flow: Programme,
    /// Our outputs, by role.
    pub outputs: BTreeMap<Role, OutputSeen>,
    /// Copies of passwords that bear our tags.
    pub secrets: Vec<SecretCopy>,
    /// The endpoint that an annotation asks for.
    pub told: Option<Role>,
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
        /// Whether the Source is told to stay off.
        stopped: bool,
        /// Whether an input of the Source is known to receive something; `None`: not measured.
        signal: Option<bool>,
        /// What the leading input brings, in kbit/s.
        bitrate_kbps: Option<i64>,
        /// Region of the flow.
        region: String,
    },
}

/// Which of a Destination's outputs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Serialize)]
pub enum Role {
    /// The first.
    Primary,
    /// The second.
    Backup,
}

impl Role {
    /// As it stands in names of outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
        }
    }

    /// As people read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Primary => "Primary",
            Self::Backup => "Backup",
        }
    }
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
