//! The alerts of a channel.

use std::time::Duration;

/// Alerts that are over are told for so long; AWS says about 5 minutes.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// An alert, while it is set and for a while after that.
#[derive(Clone, Debug)]
pub(in super::super) struct Alert {
    pub(in super::super) number: u64,
    pub(in super::super) kind: &'static str,
    pub(in super::super) pipeline: usize,
    pub(in super::super) message: String,
    pub(in super::super) set: Duration,
    pub(in super::super) cleared: Option<Duration>,
}

/// All alerts of a channel, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alerts {
    all: Vec<Alert>,
    next: u64,
}

impl Alerts {
    /// Exactly these alerts of a pipeline are set from now on.
    pub(super) fn keep(&mut self, pipeline: usize, wanted: &[(&'static str, String)], at: Duration) {
        let is = |alert: &Alert, (kind, message): &(&'static str, String)| {
            alert.cleared.is_none() && alert.pipeline == pipeline && alert.kind == *kind && alert.message == *message
        };
        for alert in self.all.iter_mut().filter(|alert| alert.cleared.is_none() && alert.pipeline == pipeline) {
            if !wanted.iter().any(|wanted| is(alert, wanted)) {
                alert.cleared = Some(at);
            }
        }
        for (kind, message) in wanted {
            if !self.all.iter().any(|alert| is(alert, &(*kind, message.clone()))) {
                self.next += 1;
                let (number, message) = (self.next, message.clone());
                self.all.push(Alert { number, kind, pipeline, message, set: at, cleared: None });
            }
        }
    }

    pub(super) fn prune(&mut self, at: Duration) {
        self.all.retain(|alert| alert.cleared.is_none_or(|cleared| cleared + KEPT > at));
    }

    pub(in super::super) fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.all.iter()
    }

    /// How many alerts of a pipeline were set at a time.
    pub(in super::super) fn count(&self, pipeline: usize, at: Duration) -> usize {
        let set = |alert: &&Alert| {
            alert.pipeline == pipeline && alert.set <= at && alert.cleared.is_none_or(|cleared| cleared > at)
        };
        self.all.iter().filter(set).count()
    }
}
