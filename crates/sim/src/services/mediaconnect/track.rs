//! A value over time.

use std::collections::VecDeque;
use std::time::Duration;

/// Changes of a value, also those that are already certain to come.
#[derive(Clone, Debug)]
pub(super) struct Track<T> {
    points: VecDeque<(Duration, T)>,
}

impl<T> Default for Track<T> {
    fn default() -> Self {
        Self { points: VecDeque::new() }
    }
}

impl<T: PartialEq> Track<T> {
    /// The value is this from now on; what was to come does not come.
    pub(super) fn set(&mut self, now: Duration, value: T) {
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
    pub(super) fn plan(&mut self, then: Duration, value: T) {
        self.points.push_back((then, value));
    }

    /// Whether a change is to come.
    pub(super) fn planned(&self, now: Duration) -> bool {
        self.points.back().is_some_and(|(at, _)| *at > now)
    }

    /// The value at a time; none before the first.
    pub(super) fn at(&self, time: Duration) -> Option<&T> {
        let after = self.points.partition_point(|(at, _)| *at <= time);
        after.checked_sub(1).and_then(|index| self.points.get(index)).map(|(_, value)| value)
    }

    /// Forgets what no time since `oldest` needs.
    pub(super) fn prune(&mut self, oldest: Duration) {
        while self.points.get(1).is_some_and(|(at, _)| *at <= oldest) {
            self.points.pop_front();
        }
    }
}
