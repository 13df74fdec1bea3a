//! How many requests a service takes.

/// A token bucket: sustained requests a second, and how many may come at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second, of the simulated second.
    pub per_second: f64,
    /// The size of the bucket.
    pub burst: f64,
}

impl Rate {
    pub(crate) fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst }
    }
}
