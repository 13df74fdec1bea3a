//! Waiting for a condition with a deadline. Tests have no other sleep.

use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::interrupt;

/// What one look at a condition found: either it holds, or why it does not yet.
pub trait Progress {
    /// What is handed out once the condition holds.
    type Value;

    /// The value, or what was seen instead.
    fn outcome(self) -> Result<Self::Value, String>;
}

impl Progress for bool {
    type Value = ();

    fn outcome(self) -> Result<(), String> {
        if self { Ok(()) } else { Err(String::new()) }
    }
}

impl<T> Progress for Option<T> {
    type Value = T;

    fn outcome(self) -> Result<T, String> {
        self.ok_or_else(String::new)
    }
}

/// An error is shown as what was seen last, and is no reason to give up before the deadline. `Ok(false)` is not yet.
impl<P: Progress, E: Display> Progress for Result<P, E> {
    type Value = P::Value;

    fn outcome(self) -> Result<P::Value, String> {
        match self {
            Ok(progress) => progress.outcome(),
            Err(error) => Err(format!("{error:#}")),
        }
    }
}

/// For looks that return `Ok(())`.
impl Progress for () {
    type Value = ();

    fn outcome(self) -> Result<(), String> {
        Ok(())
    }
}

const PAUSE: Duration = Duration::from_millis(50);

/// Looks every 50 ms until the condition holds: `true`, `Some(value)` or `Ok(..)` of those. After `deadline` the error
/// says what was waited for and what was seen last.
pub async fn wait_until<P, F, Fut>(deadline: Duration, what: &str, mut look: F) -> Result<P::Value>
where
    P: Progress,
    F: FnMut() -> Fut,
    Fut: Future<Output = P>,
{
    let start = Instant::now();
    loop {
        match look().await.outcome() {
            Ok(value) => return Ok(value),
            Err(seen) if start.elapsed() >= deadline => return timed_out(deadline, what, &seen),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The same for code without a runtime. An error of `look` itself ends the wait: what cannot come any more.
pub(crate) fn block_until<P: Progress>(
    deadline: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<P>,
) -> Result<P::Value> {
    let start = Instant::now();
    loop {
        interrupt::check()?;
        match look()?.outcome() {
            Ok(value) => return Ok(value),
            Err(seen) if start.elapsed() >= deadline => return timed_out(deadline, what, &seen),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

fn timed_out<T>(deadline: Duration, what: &str, seen: &str) -> Result<T> {
    let seconds = deadline.as_secs_f64();
    if seen.is_empty() {
        bail!("waited {seconds} s in vain until {what}");
    }
    bail!("waited {seconds} s in vain until {what}; seen last: {seen}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_value_is_handed_out_as_soon_as_it_is_there() {
        let mut looks = 0;
        let value = wait_until(Duration::from_secs(5), "the third look", || {
            looks += 1;
            let found = (looks == 3).then_some("here");
            async move { found }
        });
        assert_eq!(value.await.unwrap(), "here");
    }

    #[tokio::test]
    async fn a_timeout_says_what_was_awaited_and_what_was_seen() {
        let error = wait_until(Duration::ZERO, "the flow is ACTIVE", || async { Err::<(), _>("it is STANDBY") }).await;
        assert_eq!(
            error.unwrap_err().to_string(),
            "waited 0 s in vain until the flow is ACTIVE; seen last: it is STANDBY"
        );
    }
}
