//! What a Destination reads of its Source. What is read here wakes it: see [`crate::wakes`].

use jiff::Timestamp;

use crate::api::source::Source;
use crate::kinds::source::off::stays_off;
use crate::kinds::source::status::{bitrate, signal};
use crate::resources::flow::FlowState;
use crate::waiting::StaysOff;

/// What comes from above.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Upstream {
    /// Why the Source does not start its flow; `None`: it does, or there is none.
    pub stopped: Option<StaysOff>,
    /// Whether an input is known to receive something; `None`: not measured.
    pub signal: Option<bool>,
    /// What the leading input brings, in kbit/s.
    pub bitrate_kbps: Option<i64>,
}

impl Upstream {
    /// Of this Source, whose flow is in this state.
    #[must_use]
    pub fn of(source: &Source, flow: FlowState, now: Timestamp) -> Self {
        Self {
            stopped: stays_off(source, flow),
            signal: signal(source, now),
            bitrate_kbps: source.status.as_ref().and_then(bitrate),
        }
    }
}
