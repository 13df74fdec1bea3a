//! What a tester can choose about CloudWatch.

use crate::rate::Rate;

/// What a tester can choose about CloudWatch.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Requests of each operation.
    pub rate: Rate,
}

impl Default for Config {
    fn default() -> Self {
        Self { rate: Rate::new(50.0, 50.0) }
    }
}
