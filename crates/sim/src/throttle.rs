//! Request rates, as token buckets in simulated time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::rate::Rate;

#[derive(Default)]
pub(crate) struct Throttle {
    buckets: BTreeMap<String, Bucket>,
}

struct Bucket {
    tokens: f64,
    at: Duration,
}

impl Throttle {
    /// Takes a token from the bucket of this key; false when it is empty.
    pub(crate) fn take(&mut self, key: String, rate: Rate, now: Duration) -> bool {
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: rate.burst, at: now });
        let passed = now.saturating_sub(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * rate.per_second).min(rate.burst);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }

    pub(crate) fn clear(&mut self) {
        self.buckets.clear();
    }
}
