//! What CloudWatch measured since something began to send, and for how long that has been so.

use std::time::Duration;

use playout_core::api::destination::{DestinationWord, OutputStatus};
use playout_core::endpoint::Role;
use playout_core::flow::{Age, Measured};
use playout_core::plan::FailureClass;

use super::live::Looking;
use crate::aws::measurements::Subject;

impl Looking<'_> {
    /// The measurement, `None` when nothing may be measured, and how long the connection has been what it is. `all` is what
    /// the status says of this path.
    pub(super) async fn measure(
        &self,
        subject: Subject,
        key: &str,
        role: Role,
        sending: bool,
        all: &[OutputStatus],
    ) -> (Option<Measured>, Age) {
        let Self { destination, region, context, .. } = self;
        let before = all.iter().find(|o| o.role == role.word()).filter(|o| o.sending == Some(sending));
        let since = before.and_then(|o| o.since.as_ref()).map(|t| t.0);
        let mut measured = Some(Measured::default());
        // Once it was measured while it sends, no later data point can be from before. `since` then says since when it is
        // connected, and AWS's newest data point may well be older than that.
        let measured_before = before.is_some_and(|o| o.connected.is_some());
        // Before the status says since when it sends, an old data point could not be told from a new one.
        if let (true, Some(since)) = (sending, since) {
            let running = destination.status.as_ref().is_some_and(|s| s.state == Some(DestinationWord::Running));
            let age = if running { context.config.health_interval / 2 } else { Duration::from_millis(900) };
            match region.measurements.read(subject, key, age).await {
                Ok(reading) if reading.until.is_some_and(|until| measured_before || until > since.as_second()) => {
                    measured = Some(reading.measured);
                }
                Ok(_) => {}
                Err(failure) => {
                    tracing::debug!(error = failure.message, "no measurement");
                    // Who does not allow CloudWatch is not kept waiting for it.
                    if failure.class == FailureClass::Denied {
                        measured = None;
                    }
                }
            }
        }
        let connected = measured.as_ref().and_then(|m| m.connected);
        (measured, self.age(role, sending, connected, all))
    }

    /// How long a connection has been what it is.
    pub(super) fn age(&self, role: Role, sending: bool, connected: Option<bool>, before: &[OutputStatus]) -> Age {
        let same = |o: &&OutputStatus| o.role == role.word() && o.sending == Some(sending) && o.connected == connected;
        let since = before.iter().find(same).and_then(|o| o.since.as_ref());
        since.map_or(Duration::ZERO, |t| self.context.clock.now().duration_since(t.0).unsigned_abs())
    }
}
