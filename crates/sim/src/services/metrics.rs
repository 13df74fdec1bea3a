//! What services publish, and when they sample it.

use std::time::Duration;

use super::Region;
use crate::config::Config;

/// A metric with its dimensions.
pub(crate) struct Series {
    pub(crate) namespace: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) dimensions: Vec<(&'static str, String)>,
}

/// A span of time: from, to.
pub(crate) type Span = (Duration, Duration);

/// The samples of a series of a region: metric, dimensions, span, and what time it is.
pub(crate) type Samples = fn(&Region, &Config, &str, &[(&str, &str)], Span, Duration) -> Vec<(Duration, f64)>;

/// What a service publishes.
pub(crate) struct Metrics {
    /// CloudWatch's name for the service.
    pub(crate) namespace: &'static str,
    /// Every series that has data.
    pub(crate) series: fn(&Region, &Config) -> Vec<Series>,
    pub(crate) samples: Samples,
}

/// The moments of a time span at which services take samples, as far as they can be read, and the time between them.
pub(crate) fn times(
    config: &Config,
    (from, to): Span,
    now: Duration,
) -> (impl Iterator<Item = Duration> + use<>, Duration) {
    let interval = config.sampling.interval.max(Duration::from_millis(100));
    // What is older has been forgotten, and what is newer is not published yet.
    let from = from.max(now.saturating_sub(config.sampling.retention));
    let last = now.saturating_sub(config.sampling.lag);
    let steps = from.as_nanos().div_ceil(interval.as_nanos());
    let first = Duration::from_nanos(u64::try_from(steps * interval.as_nanos()).unwrap_or(u64::MAX));
    let moments = std::iter::successors(Some(first), move |at| at.checked_add(interval));
    (moments.take_while(move |at| *at < to && *at <= last), interval)
}
