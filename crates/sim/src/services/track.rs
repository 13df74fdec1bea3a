//! A value over time.

use std::collections::VecDeque;
use std::time::Duration;

/// Changes of a value, also those that are already certain to come.
#[derive(Clone, Debug)]
pub(crate) struct Track<T> {
    points: VecDeque<(Duration, T)>,
}

impl<T> Default for Track<T> {
    fn default() -> Self {
        Self { points: VecDeque::new() }
    }
}

impl<T: PartialEq> Track<T> {
    /// The value is this from now on; what was to come does not come.
    pub(crate) fn set(&mut self, now: Duration, value: T) {
        while self.points.back().is_some_and(|(at, _)| *at > now) {
            self.points.pop_back();
        }
        if self.points.back().is_some_and(|(_, last)| *last == value) {
            return;
        }
        if self.points.back().is_some_and(|(at, _)| *at == now) {
            self.points.pop_back();
        }
        self.points.push_back((now, value));
    }

    /// The value will be this from then on, unless it is set before.
    pub(crate) fn plan(&mut self, then: Duration, value: T) {
        self.points.push_back((then, value));
    }

    /// Whether a change is to come.
    pub(crate) fn planned(&self, now: Duration) -> bool {
        self.points.back().is_some_and(|(at, _)| *at > now)
    }

    /// The value at a time and since when it has it.
    pub(crate) fn since(&self, time: Duration) -> Option<(Duration, &T)> {
        let after = self.points.partition_point(|(at, _)| *at <= time);
        after.checked_sub(1).and_then(|index| self.points.get(index)).map(|(at, value)| (*at, value))
    }

    /// Whether it had more than one value.
    pub(crate) fn changes(&self) -> bool {
        self.points.len() > 1
    }

    /// When the value changes next after a time, as far as that is certain.
    pub(crate) fn next(&self, after: Duration) -> Option<Duration> {
        let later = self.points.partition_point(|(at, _)| *at <= after);
        self.points.get(later).map(|(at, _)| *at)
    }

    /// The value at a time; none before the first.
    pub(crate) fn at(&self, time: Duration) -> Option<&T> {
        self.since(time).map(|(_, value)| value)
    }

    /// Forgets what no time since `oldest` needs.
    pub(crate) fn prune(&mut self, oldest: Duration) {
        while self.points.get(1).is_some_and(|(at, _)| *at <= oldest) {
            self.points.pop_front();
        }
    }
}
