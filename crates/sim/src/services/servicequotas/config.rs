//! What a tester can choose about Service Quotas.

use crate::rate::Rate;

/// What a tester can choose about Service Quotas.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Requests of each operation.
    pub rate: Rate,
}

impl Default for Config {
    fn default() -> Self {
        Self { rate: Rate::new(10.0, 10.0) }
    }
}
