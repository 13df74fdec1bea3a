//! What CloudWatch measured since something began to send, and for how long that has been so.

use std::time::Duration;

use playout_api::destination::{DestinationState, OutputStatus};
use playout_aws::cloudwatch::Subject;
use playout_core::age::{Age, age};
use playout_core::endpoint::Role;
use playout_core::failure::FailureClass;
use playout_core::kinds::destination::connection::MEASUREMENT_PATIENCE;
use playout_core::kinds::destination::memory::unchanged_since;
use playout_core::resources::flow::Measured;

use super::live::Looking;

/// How old a measurement may be while nothing was measured yet.
const UNMEASURED: Duration = Duration::from_millis(900);

/// What the status says that was measured.
fn last(output: &OutputStatus) -> Measured {
    let bitrate = output.bitrate_kbps.map(|kbps| kbps as f64 * 1000.0);
    Measured { connected: output.connected, bitrate, ..Measured::default() }
}

impl Looking<'_> {
    /// The measurement, `None` when nothing may be measured, with the start of the period that it is of. `all` is what the status
    /// says of this path.
    pub(super) async fn measure(
        &self,
        subject: Subject,
        key: &str,
        role: Role,
        sending: bool,
        all: &[OutputStatus],
    ) -> (Option<Measured>, Option<i64>) {
        let Self { destination, region, context, .. } = self;
        let before = all.iter().find(|o| o.role == role.word()).filter(|o| o.sending == Some(sending));
        let since = before.and_then(|o| o.since.as_ref()).map(|t| t.0);
        let (mut measured, mut from) = (Some(Measured::default()), None);
        // Once it was measured while it sends, no later data point can be from before. `since` then says since when it is
        // connected, and AWS's newest data point may well be older than that.
        let known = before.filter(|o| o.connected.is_some());
        // Before the status says since when it sends, an old data point could not be told from a new one.
        if let (true, Some(since)) = (sending, since) {
            let running = destination.status.as_ref().and_then(|s| s.state).is_some_and(DestinationState::is_sent);
            let waits = age(since, context.clock.now()) < MEASUREMENT_PATIENCE;
            let age = match known {
                _ if running => context.config.health_interval / 2,
                None if waits => UNMEASURED,
                // Between two data points there is no news.
                _ => region.measurements.period() / 2,
            };
            match region.measurements.read(subject, key, age, region.measurements.changed_at(key)).await {
                Ok(reading) if region.measurements.is_outdated(key, reading.from) => {}
                Ok(reading) if reading.until.is_some_and(|until| known.is_some() || until > since.as_second()) => {
                    (measured, from) = (Some(reading.measured), reading.from);
                }
                Ok(_) => {}
                // Who does not allow CloudWatch is not kept waiting for it.
                Err(failure) if failure.class == FailureClass::Denied => measured = None,
                // Not to know is not to know that something has changed: what was seen last still holds.
                Err(failure) => {
                    tracing::debug!(error = failure.message, "no measurement");
                    let known = known.filter(|_| !region.measurements.is_outdated(key, None));
                    measured = Some(known.map(last).unwrap_or_default());
                }
            }
        }
        (measured, from)
    }

    /// How long a connection has been what it is. `arn`: of an output; the groups of a channel have none.
    pub(super) fn age(
        &self,
        role: Role,
        arn: Option<&str>,
        sending: bool,
        connected: Option<bool>,
        before: &[OutputStatus],
    ) -> Age {
        let since = unchanged_since(before, role, arn, sending, connected);
        since.map_or(Duration::ZERO, |t| age(t.0, self.context.clock.now()))
    }
}
