//! What is known of a Source before deciding.

use std::collections::BTreeMap;

use crate::api::source::HealthWord;
use crate::flow::{FlowSeen, Measured, SecretCopy};
use crate::names::Ownership;

/// The facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The flow.
    pub flow: FlowSeen,
    /// What the flow's tags say of its owner, and the tags themselves. `Foreign` without a flow means nothing.
    pub ownership: Ownership,
    /// Tags of the flow.
    pub tags: BTreeMap<String, String>,
    /// Copies of passwords that bear our tags.
    pub secrets: Vec<SecretCopy>,
    /// Who uses this Source.
    pub users: Users,
    /// Measurements and their judgement, by the name of the input.
    pub inputs: BTreeMap<String, InputSeen>,
    /// Where a connection test stands.
    pub test: TestPhase,
}

/// Who uses a Source.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Users {
    /// Those that want to be on the air.
    pub on_air: Vec<String>,
    /// The others.
    pub idle: Vec<String>,
}

impl Users {
    /// All of them, those on the air first.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.on_air.iter().chain(&self.idle).cloned().collect()
    }
}

/// What was measured of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct InputSeen {
    /// Numbers.
    pub measured: Measured,
    /// What they mean under the Source's thresholds.
    pub health: HealthWord,
}

/// Where a connection test stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TestPhase {
    /// None is asked for, or the one asked for has ended.
    None,
    /// Asked for; the flow has not been active for it yet.
    Wanted,
    /// The flow runs for it.
    Running,
    /// Its time is over; the flow goes back to what it was.
    Over,
}
