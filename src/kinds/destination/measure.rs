//! What CloudWatch measured since something began to send, and for how long that has been so.

use std::time::Duration;

use playout_api::destination::{DestinationState, OutputStatus};
use playout_aws::cloudwatch::Subject;
use playout_core::age::{Age, age};
use playout_core::endpoint::Role;
use playout_core::evidence::streams::{Answer, Remembered};
use playout_core::failure::FailureClass;
use playout_core::kinds::destination::memory::unchanged_since;
use playout_core::resources::flow::Measured;

use super::live::Looking;

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
        let remembered = Remembered::of(all.iter().find(|o| o.role == role.word()), sending);
        if !sending || remembered.since.is_none() {
            return (Some(Measured::default()), None);
        }
        let measurements = &region.measurements;
        let is_well = destination.status.as_ref().and_then(|s| s.state).is_some_and(DestinationState::is_sent);
        let interval = context.config.health_interval;
        let age = remembered.age_of_look(context.clock.now(), is_well, interval, measurements.period());
        remembered.measured(match measurements.read(subject, key, age, measurements.changed_at(key)).await {
            Ok(reading) => Answer::Point {
                is_outdated: measurements.is_outdated(key, reading.from),
                measured: reading.measured,
                from: reading.from,
                until: reading.until,
            },
            Err(failure) if failure.class == FailureClass::Denied => Answer::Denied,
            Err(failure) => {
                tracing::debug!(error = failure.message, "no measurement");
                Answer::Failed { is_outdated: measurements.is_outdated(key, None) }
            }
        })
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
