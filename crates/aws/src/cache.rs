//! Reads that many ask for and one sends: the one mechanism of all of them.
//!
//! An answer may be shared only if its read began after everything that this process has changed, and not longer ago than the
//! asker accepts. So nobody decides from a view that is older than our own last change. A failure is shared, too: those who
//! waited for it get it, and for a moment nobody asks again. No lock is held while AWS is asked, and nobody waits longer than
//! the urgency of the question allows: a service that hangs costs each asker its own patience once, and not that of all before.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use playout_core::failure::{Failure, FailureClass};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock::{Clock, within};
use crate::rate_limit::Urgency;

/// How long a failure is remembered: whoever asks within that gets it at once. Shorter than any pause before a retry that
/// follows a second failure.
const FAILED_FOR: Duration = Duration::from_secs(1);
/// How long an answer that nobody asks for is kept: flows, outputs and channels come and go.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// So many answers are kept whatever their age.
const FEW: usize = 64;

/// How a read is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// The answer may have been read so long ago.
    pub age: Duration,
    /// Who asks.
    pub urgency: Urgency,
}

/// Answers by what was asked for. Clones are the same.
#[derive(Debug)]
pub struct Reads<Key, T> {
    clock: Clock,
    /// For the failure of a read that was given up.
    operation: &'static str,
    entries: Arc<Mutex<HashMap<Key, Entry<T>>>>,
}

type Answered<T> = Result<T, Failure>;

#[derive(Debug)]
struct Entry<T> {
    /// Counts our changes. A count and not a time: a read may begin at the very moment of a change.
    changes: u64,
    last: Option<Answer<T>>,
    failed: Option<Failed>,
    under_way: Option<UnderWay<T>>,
    asked: Instant,
}

#[derive(Debug)]
struct Answer<T> {
    began: Instant,
    changes: u64,
    answer: T,
}

/// The last read, if it failed.
#[derive(Debug)]
struct Failed {
    ended: Instant,
    changes: u64,
    failure: Failure,
}

/// A read that others may wait for.
#[derive(Debug)]
struct UnderWay<T> {
    began: Instant,
    changes: u64,
    urgency: Urgency,
    coming: Arc<Coming<T>>,
}

/// An answer that is waited for. Not tokio's watch, which wakes those who wait in an order that no test can repeat.
#[derive(Debug)]
struct Coming<T> {
    answer: OnceLock<Answered<T>>,
    came: Notify,
}

impl<T: Clone> Coming<T> {
    fn new() -> Self {
        Self { answer: OnceLock::new(), came: Notify::new() }
    }

    fn comes(&self, answer: Answered<T>) {
        // There is one read, and so one answer.
        let _ = self.answer.set(answer);
        self.came.notify_waiters();
    }

    async fn wait(&self) -> Answered<T> {
        loop {
            // First in the queue, then the look: nothing can come in between.
            let mut came = std::pin::pin!(self.came.notified());
            came.as_mut().enable();
            if let Some(answer) = self.answer.get() {
                return answer.clone();
            }
            came.await;
        }
    }
}

enum Found<T> {
    Known(Answered<T>),
    UnderWay(Arc<Coming<T>>),
}

impl<Key, T> Reads<Key, T>
where
    Key: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Nothing is known yet. `operation` is the call that is sent, for messages.
    pub fn new(clock: Clock, operation: &'static str) -> Self {
        Self { clock, operation, entries: Arc::default() }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Key, Entry<T>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer. Who asks while another's read is under way waits for that, if its answer may be shared. A read runs in a task
    /// of its own: who goes away takes it from nobody.
    ///
    /// # Errors
    /// The read failed, or there was no answer within the patience of who asks.
    pub async fn read<Read>(&self, key: Key, ask: Ask, read: impl FnOnce() -> Read) -> Answered<T>
    where
        Read: Future<Output = Answered<T>> + Send + 'static,
    {
        match self.known_or_under_way(key, ask, read) {
            Found::Known(known) => known,
            Found::UnderWay(coming) => {
                within(ask.urgency.patience(), coming.wait()).await.unwrap_or_else(|| Err(self.no_answer()))
            }
        }
    }

    /// The failure of a read that took too long.
    pub fn no_answer(&self) -> Failure {
        Failure {
            class: FailureClass::Transient,
            operation: self.operation.into(),
            message: "no answer in time".into(),
        }
    }

    /// What is known well enough; else the read that is under way, if its answer will do; else one that begins now.
    fn known_or_under_way<Read>(&self, key: Key, ask: Ask, read: impl FnOnce() -> Read) -> Found<T>
    where
        Read: Future<Output = Answered<T>> + Send + 'static,
    {
        let now = self.clock.instant();
        let mut entries = self.entries();
        if entries.len() >= FEW && !entries.contains_key(&key) {
            entries.retain(|_, entry| now < entry.asked + FORGOTTEN);
        }
        let entry = entries.entry(key.clone()).or_insert_with(|| Entry::new(now));
        entry.asked = now;
        let changes = entry.changes;
        if let Some(last) = entry.last.as_ref().filter(|l| l.changes == changes && now <= l.began + ask.age) {
            return Found::Known(Ok(last.answer.clone()));
        }
        if let Some(failed) = entry.failed.as_ref().filter(|f| f.changes == changes && now < f.ended + FAILED_FOR) {
            return Found::Known(Err(failed.failure.clone()));
        }
        let will_do =
            |read: &&UnderWay<T>| read.changes == changes && now <= read.began + ask.age && read.urgency <= ask.urgency;
        if let Some(read) = entry.under_way.as_ref().filter(will_do) {
            return Found::UnderWay(read.coming.clone());
        }
        let coming = Arc::new(Coming::new());
        entry.under_way = Some(UnderWay { began: now, changes, urgency: ask.urgency, coming: coming.clone() });
        self.begin(key, now, changes, read(), coming.clone());
        Found::UnderWay(coming)
    }

    fn begin(
        &self,
        key: Key,
        began: Instant,
        changes: u64,
        read: impl Future<Output = Answered<T>> + Send + 'static,
        coming: Arc<Coming<T>>,
    ) {
        let (entries, clock) = (self.entries.clone(), self.clock.clone());
        tokio::spawn(async move {
            let answer = read.await;
            let ended = clock.instant();
            if let Some(entry) = entries.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&key) {
                match &answer {
                    // A later read may have been faster.
                    Ok(_) if entry.last.as_ref().is_some_and(|last| last.began > began) => {}
                    Ok(answer) => {
                        entry.last = Some(Answer { began, changes, answer: answer.clone() });
                        entry.failed = None;
                    }
                    Err(failure) => entry.failed = Some(Failed { ended, changes, failure: failure.clone() }),
                }
                entry.under_way.take_if(|read| read.began == began);
            }
            coming.comes(answer);
        });
    }

    /// To be called after every change, whatever its answer: what was read before is believed no more.
    pub fn changed(&self, key: &Key) {
        if let Some(entry) = self.entries().get_mut(key) {
            entry.changes += 1;
        }
    }

    /// What is known without asking: we have just brought it about.
    pub fn know(&self, key: Key, answer: T) {
        let now = self.clock.instant();
        let mut entries = self.entries();
        let entry = entries.entry(key).or_insert_with(|| Entry::new(now));
        entry.changes += 1;
        entry.last = Some(Answer { began: now, changes: entry.changes, answer });
    }

    /// The last answer, however old, unless something was changed since.
    pub fn last(&self, key: &Key) -> Option<T> {
        let entries = self.entries();
        let entry = entries.get(key)?;
        entry.last.as_ref().filter(|last| last.changes == entry.changes).map(|last| last.answer.clone())
    }

    /// Forgets what is gone.
    pub fn forget(&self, key: &Key) {
        self.entries().remove(key);
    }
}

impl<T> Entry<T> {
    fn new(now: Instant) -> Self {
        Self { changes: 0, last: None, failed: None, under_way: None, asked: now }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures::future::join_all;
    use playout_core::failure::{Failure, FailureClass};

    use super::{Ask, Reads};
    use crate::clock::{Clock, pause};
    use crate::rate_limit::Urgency;

    const AGE: Duration = Duration::from_secs(5);
    const ASK: Ask = Ask { age: AGE, urgency: Urgency::Check };

    fn reads<T: Clone + Send + Sync + 'static>() -> Reads<u8, T> {
        Reads::new(Clock::system(), "test:Read")
    }

    fn broken() -> Failure {
        Failure { class: FailureClass::Transient, operation: "test:Read".into(), message: "broken".into() }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_shared_until_it_is_old_or_something_was_changed() {
        let shared = reads();
        let ask = |answer: u8| shared.read(1, ASK, move || async move { Ok(answer) });
        assert_eq!(ask(1).await, Ok(1));
        assert_eq!(ask(2).await, Ok(1));
        pause(AGE * 2).await;
        assert_eq!(ask(3).await, Ok(3));
        shared.changed(&1);
        assert_eq!(ask(4).await, Ok(4));
        shared.know(1, 5);
        assert_eq!(ask(6).await, Ok(5));
        shared.forget(&1);
        assert_eq!(ask(7).await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_that_began_before_a_change_is_not_shared_after_it() {
        let shared = reads();
        let slow = shared.read(1, ASK, || async {
            pause(Duration::from_secs(1)).await;
            Ok("before")
        });
        let after = async {
            pause(Duration::from_millis(500)).await;
            shared.changed(&1);
            shared.read(1, ASK, || async { Ok("after") }).await
        };
        assert_eq!(tokio::join!(slow, after), (Ok("before"), Ok("after")));
        assert_eq!(shared.last(&1), Some("after"), "the slower read is older");
    }

    /// 180 askers of a read that hangs: one call, and each waits for its own time and not for those before it.
    #[tokio::test(start_paused = true)]
    async fn a_read_that_hangs_is_sent_once_and_its_failure_is_everybodys() {
        let clock = Clock::system();
        let shared = Arc::new(reads::<u8>());
        let sent = Arc::new(AtomicUsize::new(0));
        let start = clock.instant();
        let ask = || {
            let sent = sent.clone();
            shared.read(1, Ask { age: Duration::from_secs(60), urgency: Urgency::Check }, move || async move {
                sent.fetch_add(1, Ordering::SeqCst);
                pause(Duration::from_secs(10)).await;
                Err(broken())
            })
        };
        let answers = join_all((0..180).map(|_| ask())).await;
        assert!(answers.iter().all(|answer| *answer == Err(broken())));
        assert_eq!((sent.load(Ordering::SeqCst), (clock.instant() - start).as_secs()), (1, 10));
        // Remembered for a moment, then asked anew.
        assert_eq!(ask().await, Err(broken()));
        assert_eq!(sent.load(Ordering::SeqCst), 1);
        pause(Duration::from_secs(2)).await;
        assert_eq!(ask().await, Err(broken()));
        assert_eq!(sent.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_its_own_patience_and_for_nobody_less_urgent() {
        let clock = Clock::system();
        let shared = reads::<u8>();
        let check = shared.read(1, ASK, || async {
            pause(Duration::from_secs(10)).await;
            Ok(1)
        });
        let stop = async {
            pause(Duration::from_millis(1)).await;
            let start = clock.instant();
            let ask = Ask { age: AGE, urgency: Urgency::Stop };
            let answer = shared
                .read(1, ask, || async {
                    pause(Duration::from_secs(10)).await;
                    Ok(2)
                })
                .await;
            (answer.is_err(), (clock.instant() - start).as_secs())
        };
        let (check, stop) = tokio::join!(check, stop);
        assert_eq!((check, stop), (Ok(1), (true, 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_takes_the_read_from_nobody() {
        let shared = reads();
        let slow = || async {
            pause(Duration::from_secs(2)).await;
            Ok(1)
        };
        let gone = crate::clock::within(Duration::from_secs(1), shared.read(1, ASK, slow));
        let stays = async {
            pause(Duration::from_millis(500)).await;
            shared.read(1, ASK, || async { Ok(2) }).await
        };
        assert_eq!(tokio::join!(gone, stays), (None, Ok(1)));
    }
}
