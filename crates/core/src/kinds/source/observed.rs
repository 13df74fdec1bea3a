//! What is known of a Source before deciding.

use std::collections::BTreeMap;

use crate::api::source::InputHealth;
use crate::existence::Existence;
use crate::fight::Left;
use crate::identity::Ownership;
use crate::resources::flow::{Flow, Measured, SecretCopy};
use crate::usage::Usage;

/// The facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The flow.
    pub flow: Existence<Box<Flow>>,
    /// By what right the Source has the flow.
    pub management: Management,
    /// What the flow's tags say of its owner, and the tags themselves. `Foreign` without a flow means nothing.
    pub ownership: Ownership,
    /// Tags of the flow.
    pub tags: BTreeMap<String, String>,
    /// Copies of passwords that bear our tags.
    pub secrets: Vec<SecretCopy>,
    /// Whether Secrets Manager was asked for them: a stop does not wait for it.
    pub secrets_asked: bool,
    /// The names that Secrets Manager was asked for: of another name it is not known whether there is a copy.
    pub secret_names: Vec<String>,
    /// Copies that the status has recorded and that are not ours: nothing is done to them.
    pub lost_secrets: Vec<SecretCopy>,
    /// Who uses this Source.
    pub users: Users,
    /// Whether `spec.state` is `Auto`: the flow runs for its users alone.
    pub auto: bool,
    /// Measurements and their judgement, by the name of the input.
    pub inputs: BTreeMap<String, InputSeen>,
    /// Where a connection test stands.
    pub test: TestPhase,
    /// The quota of flows; looked at only when a flow is to be made.
    pub quota: Option<FlowQuota>,
    /// What was changed again and again and set back each time: it is not changed now, and nothing waits for it.
    pub left: Left,
}

impl Observed {
    /// The flow, where it is recorded or has the expected name, is to be the Source's own, and is not: it is neither used nor
    /// touched.
    #[must_use]
    pub fn lost(&self) -> Option<&Flow> {
        match &self.flow {
            Existence::Present(flow) if self.management.is_own() && !self.ownership.is_ours() => Some(flow),
            _ => None,
        }
    }
}

/// How much of the quota of flows is used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FlowQuota {
    /// How much, and by whom.
    pub usage: Usage,
    /// Other Sources that were created earlier and have no flow yet.
    pub ahead: usize,
    /// In which region.
    pub region: String,
}

/// By what right a Source has its flow.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Management {
    /// The operator makes it.
    Managed,
    /// It was there before and is only used.
    Referenced,
    /// It was there before and is to become the Source's own. What would change in it is not confirmed yet.
    AdoptionPending {
        /// The plan that stands in the status, where people can have read it.
        shown: Option<Vec<String>>,
        /// Whether the annotation `playout.dev/reconcile-at` has a value that was not acted upon yet.
        told: bool,
    },
    /// It was there before and has become the Source's own.
    Adopted,
}

impl Management {
    /// Whether the flow is the Source's own, to be changed, started and stopped.
    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self, Self::Managed | Self::Adopted)
    }
}

/// Who uses a Source.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Users {
    /// Those that want to be on the air.
    pub on_air: Vec<String>,
    /// The others.
    pub idle: Vec<String>,
    /// ARNs of the outputs that they have recorded as theirs.
    pub outputs: Vec<String>,
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
    pub health: InputHealth,
    /// What AWS has against it now, in its words.
    pub error: Option<String>,
    /// Whether the operator has changed which input leads, and AWS has measured nothing since.
    pub led_anew: bool,
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
