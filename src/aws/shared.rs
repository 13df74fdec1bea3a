//! A read that many ask for and one sends.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use playout_core::plan::Failure;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::clock::Clock;

/// The last answer. It may be shared only if its read began after everything that this process has changed, and not longer ago
/// than the asker accepts. So nobody decides from a view that is older than our own last change.
#[derive(Debug)]
pub struct Shared<T> {
    /// Counts our changes. A count and not a time: a read may begin at the very moment of a change.
    changes: AtomicU64,
    last: Mutex<Option<Answer<T>>>,
}

#[derive(Debug)]
struct Answer<T> {
    began: Instant,
    changes: u64,
    answer: T,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { changes: AtomicU64::new(0), last: Mutex::new(None) }
    }
}

impl<T: Clone> Shared<T> {
    /// The answer, as it was not longer than `age` ago. Who asks while another's read is under way waits for it, and takes its
    /// answer if it may.
    ///
    /// # Errors
    /// The read failed.
    pub async fn read(
        &self,
        clock: &Clock,
        age: Duration,
        read: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let asked = clock.instant();
        let mut last = self.last.lock().await;
        let changes = self.changes.load(Ordering::SeqCst);
        if let Some(answer) = &*last
            && answer.began + age >= asked
            && answer.changes == changes
        {
            return Ok(answer.answer.clone());
        }
        let began = clock.instant();
        let answer = read.await?;
        *last = Some(Answer { began, changes, answer: answer.clone() });
        Ok(answer)
    }

    /// To be called after every change, whatever its answer: what was read before is believed no more.
    pub fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Shared;
    use crate::clock::{Clock, pause};

    const AGE: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_shared_until_it_is_old_or_something_was_changed() {
        let (clock, shared) = (Clock::system(), Shared::default());
        let ask = |age, answer: u8| shared.read(&clock, age, async move { Ok(answer) });
        assert_eq!(ask(AGE, 1).await, Ok(1));
        assert_eq!(ask(AGE, 2).await, Ok(1));
        pause(AGE * 2).await;
        assert_eq!(ask(AGE, 3).await, Ok(3));
        shared.changed();
        assert_eq!(ask(AGE, 4).await, Ok(4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_that_began_before_a_change_is_not_shared_after_it() {
        let (clock, shared) = (Clock::system(), Shared::default());
        let slow = shared.read(&clock, AGE, async {
            pause(Duration::from_secs(1)).await;
            Ok("before")
        });
        let after = async {
            pause(Duration::from_millis(500)).await;
            shared.changed();
            shared.read(&clock, AGE, async { Ok("after") }).await
        };
        assert_eq!(tokio::join!(slow, after), (Ok("before"), Ok("after")));
    }
}
