//! What a data point says of a stream that is sent, by what the status remembers of it: since when it does what it does, and whether
//! anything was measured of that.

use std::time::Duration;

use jiff::Timestamp;

use super::MEASUREMENT_PATIENCE;
use crate::age::{Age, age};
use crate::api::destination::OutputStatus;
use crate::resources::flow::Measured;

/// How old a measurement may be while nothing was measured yet.
const UNMEASURED: Duration = Duration::from_millis(900);

/// What the status remembers of a stream that is sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remembered {
    /// Since when it is what it is; `None`: nothing was written of it yet, and an old data point could not be told from a new one.
    pub since: Option<Timestamp>,
    /// What was measured, if anything was of its connection.
    pub last: Option<Measured>,
}

/// The answer to a question for a data point.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The newest one, or that there is none.
    Point {
        /// The values.
        measured: Measured,
        /// Start and end of its period, in seconds since 1970.
        from: Option<i64>,
        /// See `from`.
        until: Option<i64>,
        /// Whether it is of before the operator's own change.
        is_outdated: bool,
    },
    /// It may not be asked for.
    Denied,
    /// There was no answer. Whether what is remembered is of before the operator's own change.
    Failed {
        /// See above.
        is_outdated: bool,
    },
}

impl Remembered {
    /// What a status says of it.
    #[must_use]
    pub fn of(output: Option<&OutputStatus>, sending: bool) -> Self {
        let Some(output) = output.filter(|output| output.sending == Some(sending)) else { return Self::default() };
        let bitrate = output.bitrate_kbps.map(|kbps| kbps as f64 * 1000.0);
        let last = Measured { connected: output.connected, bitrate, ..Measured::default() };
        Self { since: output.since.as_ref().map(|at| at.0), last: output.connected.map(|_| last) }
    }

    /// How old a data point may be that is worth asking for again. `interval`: of the object, while all is well; `period`: of the data
    /// points.
    #[must_use]
    pub fn age_of_look(&self, now: Timestamp, is_well: bool, interval: Duration, period: Duration) -> Age {
        let waits = self.since.is_some_and(|since| age(since, now) < MEASUREMENT_PATIENCE);
        match &self.last {
            _ if is_well => interval / 2,
            None if waits => UNMEASURED,
            // Between two data points there is no news.
            _ => period / 2,
        }
    }

    /// The measurement, `None` when nothing may be measured, with the start of the period that it is of; nothing of that where what was
    /// remembered still holds.
    #[must_use]
    pub fn measured(&self, answer: Answer) -> (Option<Measured>, Option<i64>) {
        let nothing = (Some(Measured::default()), None);
        // Once it was measured while it sends, no later data point can be from before. `since` then says since when it is
        // connected, and AWS's newest data point may well be older than that.
        let is_of_it = |until: i64| self.last.is_some() || self.since.is_some_and(|since| until > since.as_second());
        match answer {
            Answer::Point { measured, from, until, is_outdated: false } if until.is_some_and(is_of_it) => {
                (Some(measured), from)
            }
            Answer::Point { .. } => nothing,
            // Who does not allow CloudWatch is not kept waiting for it.
            Answer::Denied => (None, None),
            // A failed read is no evidence of a change: the last observation holds.
            Answer::Failed { is_outdated: false } => (Some(self.last.clone().unwrap_or_default()), None),
            Answer::Failed { is_outdated: true } => nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a time")
    }

    fn point(until: i64, is_outdated: bool) -> Answer {
        let until = Some(1_800_000_000 + until);
        let measured = Measured { connected: Some(true), ..Measured::default() };
        Answer::Point { measured, from: until.map(|until| until - 10), until, is_outdated }
    }

    fn remembered(connected: Option<bool>) -> Remembered {
        let output = OutputStatus {
            sending: Some(true),
            connected,
            bitrate_kbps: Some(5000),
            since: Some(Time(at(100))),
            ..OutputStatus::default()
        };
        Remembered::of(Some(&output), true)
    }

    #[test]
    fn a_data_point_counts_when_it_is_of_what_is_sent_now() {
        let connected = |seen: &Remembered, answer| seen.measured(answer).0.and_then(|m| m.connected);
        let new = remembered(None);
        assert_eq!([100, 101].map(|until| connected(&new, point(until, false))), [None, Some(true)]);
        assert_eq!(connected(&new, point(200, true)), None, "of before the operator's own change");
        let known = remembered(Some(false));
        assert_eq!(connected(&known, point(50, false)), Some(true), "it cannot be of before");
        assert_eq!(new.measured(point(200, false)).1, Some(1_800_000_190));
    }

    #[test]
    fn a_read_that_fails_changes_nothing_and_one_that_is_denied_is_not_waited_for() {
        let known = remembered(Some(false));
        let (last, from) = known.measured(Answer::Failed { is_outdated: false });
        assert_eq!((last.as_ref().and_then(|m| m.connected), from), (Some(false), None));
        assert_eq!(last.and_then(|m| m.bitrate), Some(5_000_000.0));
        let nothing = (Some(Measured::default()), None);
        assert_eq!(known.measured(Answer::Failed { is_outdated: true }), nothing);
        assert_eq!(remembered(None).measured(Answer::Failed { is_outdated: false }), nothing);
        assert_eq!(known.measured(Answer::Denied), (None, None));
    }

    #[test]
    fn what_is_not_measured_yet_is_looked_at_often_and_what_is_well_by_the_interval() {
        let (interval, period) = (Duration::from_secs(30), Duration::from_secs(10));
        let look = |seen: &Remembered, second, is_well| seen.age_of_look(at(second), is_well, interval, period);
        assert_eq!(look(&remembered(None), 110, false), UNMEASURED);
        assert_eq!(look(&remembered(None), 300, false), period / 2, "it was waited for long enough");
        assert_eq!(look(&remembered(Some(false)), 110, false), period / 2);
        assert_eq!(look(&remembered(Some(true)), 110, true), interval / 2);
    }

    #[test]
    fn of_another_state_nothing_is_remembered() {
        let output = OutputStatus { sending: Some(false), connected: Some(true), ..OutputStatus::default() };
        assert_eq!(Remembered::of(Some(&output), true), Remembered::default());
        assert_eq!(Remembered::of(None, true), Remembered::default());
    }
}
