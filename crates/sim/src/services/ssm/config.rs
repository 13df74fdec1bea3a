//! What a tester can choose about Systems Manager.

use serde::{Deserialize, Serialize};

use crate::rate::Rate;

/// What a tester can choose about Systems Manager.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Requests of each operation (40 a second for GetParameter, less for writes: one number here).
    pub rate: Rate,
    /// Limits on the number of resources.
    pub quotas: Quotas,
}

impl Default for Config {
    fn default() -> Self {
        Self { rate: Rate::new(40.0, 40.0), quotas: Quotas::default() }
    }
}

/// Limits on the number of resources, by region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Quotas {
    /// Parameters in a region.
    pub parameters: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { parameters: 10_000 }
    }
}
