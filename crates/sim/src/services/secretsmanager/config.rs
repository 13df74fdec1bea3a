//! What a tester can choose about Secrets Manager.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rate::Rate;

/// What a tester can choose about Secrets Manager.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long states last.
    pub durations: Durations,
    /// Requests of each operation.
    pub rate: Rate,
    /// Limits on the number of resources.
    pub quotas: Quotas,
}

impl Default for Config {
    fn default() -> Self {
        Self { durations: Durations::default(), rate: Rate::new(50.0, 50.0), quotas: Quotas::default() }
    }
}

/// How long states last, in simulated time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
    /// How long the name of a secret that was deleted without recovery stays taken.
    pub tombstone: Duration,
}

impl Default for Durations {
    fn default() -> Self {
        Self { tombstone: Duration::from_secs(10) }
    }
}

/// Limits on the number of resources, by region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Quotas {
    /// Secrets in a region.
    pub secrets: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { secrets: 500_000 }
    }
}
