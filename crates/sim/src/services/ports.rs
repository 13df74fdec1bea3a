//! What services take from each other. Who takes something knows these traits and not who gives it; `wires.rs` says that.

use std::time::Duration;

use super::Call;
use crate::config::Config;
use crate::outside::Outside;

/// Secrets that a service reads with a role.
pub(crate) trait Secrets {
    /// Whether the current value of a secret can be read.
    fn readable(&self, arn: &str) -> bool;
}

/// Flows that inputs take their media from, each through an output that the input manages. Flows and inputs are named by
/// their ARNs; refusals are told in the words of who has the flows.
pub(crate) trait Flows {
    /// The Availability Zone of a flow; none when there is no such flow.
    fn zone(&self, flow: &str) -> Option<&str>;

    /// Refuses when the flow would not take an output for an input that has none on it.
    fn room(&self, flow: &str, input: &str, config: &Config) -> Result<(), String>;

    /// Adds the output for an input.
    fn add_output(&mut self, flow: &str, input: &str, call: &mut Call<'_>) -> Result<(), String>;

    /// Removes the outputs of an input. Somebody may have removed them before.
    fn remove_outputs(&mut self, input: &str, config: &Config, outside: &Outside, now: Duration);

    /// Bits a second that a flow has for an input; none while nothing arrives or the input has no output on the flow.
    fn media(&self, flow: &str, input: &str, at: Duration) -> Option<u64>;

    /// When that may be another the next time.
    fn next_change(&self, flow: &str, input: &str, after: Duration) -> Option<Duration>;
}
