//! The time of the simulated world.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time of the simulated world. Nothing in the simulator asks another clock what state a resource is in.
pub trait Clock: Send + Sync {
    /// Time since the UNIX epoch of the simulated world.
    fn now(&self) -> Duration;

    /// How many simulated seconds pass in one real second.
    fn speed(&self) -> f64 {
        1.0
    }

    /// Changes the speed from now on. False when this clock has no speed of its own.
    fn set_speed(&self, _speed: f64) -> bool {
        false
    }

    /// The clock that callers look at, where it is another one than this: since the UNIX epoch.
    ///
    /// In a world that runs faster than the callers' the two drift apart, and the timestamps on the wire must be
    /// the callers' ones: "now" is now for both.
    fn callers(&self) -> Option<Duration> {
        None
    }
}

/// A duration that a tester gives; nonsense is none and more than ten years is ten years.
pub(crate) fn span(seconds: f64) -> Duration {
    const LONG: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
    if seconds > LONG.as_secs_f64() { LONG } else { Duration::try_from_secs_f64(seconds).unwrap_or_default() }
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A moment in both times, and the speed since then.
#[derive(Clone, Copy)]
struct Anchor {
    real: Instant,
    simulated: Duration,
    speed: f64,
}

impl Anchor {
    fn now(&self) -> Duration {
        self.simulated + self.real.elapsed().mul_f64(self.speed)
    }
}

/// The machine's clock, `speed` times faster.
pub struct SystemClock {
    anchor: Mutex<Anchor>,
}

impl SystemClock {
    /// Starts at the machine's time of day. A speed that is no positive number counts as 1.
    pub fn new(speed: f64) -> Self {
        let anchor = Anchor { real: Instant::now(), simulated: since_epoch(), speed: sane(speed) };
        Self { anchor: Mutex::new(anchor) }
    }

    fn anchor(&self) -> MutexGuard<'_, Anchor> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sane(speed: f64) -> f64 {
    // Beyond these a duration of AWS does not fit a duration of ours.
    if speed.is_finite() && speed > 0.0 { speed.clamp(0.001, 100_000.0) } else { 1.0 }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.anchor().now()
    }

    fn speed(&self) -> f64 {
        self.anchor().speed
    }

    fn set_speed(&self, speed: f64) -> bool {
        let mut anchor = self.anchor();
        let simulated = anchor.now();
        *anchor = Anchor { real: Instant::now(), simulated, speed: sane(speed) };
        true
    }

    fn callers(&self) -> Option<Duration> {
        Some(since_epoch())
    }
}

/// A clock that stands still until it is advanced by hand.
pub struct ManualClock {
    now: Mutex<Duration>,
}

impl ManualClock {
    /// 2026-01-01T00:00:00Z, a time that is easy to recognise in a failure.
    pub const START: Duration = Duration::from_secs(1_767_225_600);

    /// A clock at [`Self::START`].
    pub fn new() -> Self {
        Self { now: Mutex::new(Self::START) }
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clock of a tokio runtime, so that a paused runtime drives the world too.
pub struct TokioClock {
    started: tokio::time::Instant,
    epoch: Duration,
    speed: f64,
}

impl TokioClock {
    /// `epoch` is the simulated time (since the UNIX epoch) at which the clock starts.
    pub fn new(epoch: Duration, speed: f64) -> Self {
        Self { started: tokio::time::Instant::now(), epoch, speed: sane(speed) }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Duration {
        self.epoch + self.started.elapsed().mul_f64(self.speed)
    }

    fn speed(&self) -> f64 {
        self.speed
    }
}

/// RFC 3339 with milliseconds, as AWS writes timestamps in JSON bodies.
pub fn rfc3339(at: Duration) -> String {
    jiff::Timestamp::from_millisecond(i64::try_from(at.as_millis()).unwrap_or(i64::MAX))
        .map(|t| format!("{t:.3}"))
        .unwrap_or_default()
}
