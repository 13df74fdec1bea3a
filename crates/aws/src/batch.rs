//! Gathers what several objects ask for within a moment into one call.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::{Mutex, oneshot};

use playout_core::failure::{Failure, FailureClass};

use crate::clock::pause;

type Queue<Item, Answer> = Vec<(Item, oneshot::Sender<Result<Answer, Failure>>)>;

/// Items that wait for their call, by what they must have in common.
#[derive(Debug)]
pub struct Batch<Key, Item, Answer> {
    window: Duration,
    most: usize,
    /// What comes while a call for its key is under way goes with the next one.
    one_by_one: bool,
    waiting: Arc<Mutex<HashMap<Key, Queue<Item, Answer>>>>,
}

impl<Key, Item, Answer> Batch<Key, Item, Answer>
where
    Key: Clone + Eq + Hash + Send + 'static,
    Item: Send + 'static,
    Answer: Send + 'static,
{
    /// Gathers for `window`, at most `most` items a call.
    pub fn new(window: Duration, most: usize) -> Self {
        Self { window, most, one_by_one: false, waiting: Arc::default() }
    }

    /// The same with one call at a time for a key: the slower the calls, the more goes with each.
    pub fn one_by_one(window: Duration, most: usize) -> Self {
        Self { one_by_one: true, ..Self::new(window, most) }
    }

    /// Adds an item to the next call for `key` and waits for its answer. `call` gives as many answers as it got items, in
    /// their order. It runs in a task of its own: a caller that goes away does not take the others' call with it.
    ///
    /// # Errors
    /// What the call says of this item.
    pub async fn ask<Call, Calling>(&self, key: Key, item: Item, call: Call) -> Result<Answer, Failure>
    where
        Call: Fn(Key, Vec<Item>) -> Calling + Send + 'static,
        Calling: Future<Output = Vec<Result<Answer, Failure>>> + Send,
    {
        let (sender, receiver) = oneshot::channel();
        let first = {
            let mut waiting = self.waiting.lock().await;
            let first = !waiting.contains_key(&key);
            waiting.entry(key.clone()).or_default().push((item, sender));
            first
        };
        if first {
            let (waiting, window, most, one_by_one) = (self.waiting.clone(), self.window, self.most, self.one_by_one);
            tokio::spawn(async move {
                pause(window).await;
                loop {
                    let mut queues = waiting.lock().await;
                    let mut all = match queues.get_mut(&key).map(std::mem::take) {
                        Some(all) if !all.is_empty() => all,
                        _ => {
                            queues.remove(&key);
                            break;
                        }
                    };
                    if !one_by_one {
                        queues.remove(&key);
                    }
                    drop(queues);
                    while !all.is_empty() {
                        let rest = all.split_off(all.len().min(most));
                        let (items, senders): (Vec<_>, Vec<_>) = all.into_iter().unzip();
                        let answers = AssertUnwindSafe(call(key.clone(), items)).catch_unwind().await;
                        let Ok(answers) = answers else {
                            // Who waits for the next call is told, too, and asks again.
                            if one_by_one {
                                waiting.lock().await.remove(&key);
                            }
                            return;
                        };
                        for (sender, answer) in senders.into_iter().zip(answers) {
                            // The caller may be gone.
                            let _ = sender.send(answer);
                        }
                        all = rest;
                    }
                    if !one_by_one {
                        break;
                    }
                }
            });
        }
        receiver.await.unwrap_or_else(|_| {
            Err(Failure {
                class: FailureClass::Transient,
                operation: "batch".into(),
                message: "the call was abandoned".into(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;

    use futures::future::join_all;

    use super::*;

    const CALL: Duration = Duration::from_millis(500);

    /// How many items went with each call, when one came every 100 ms.
    async fn calls(batch: Batch<u8, usize, usize>) -> Vec<usize> {
        let sent = Arc::<StdMutex<Vec<usize>>>::default();
        let asked = (0..20).map(|number| {
            let (batch, sent) = (&batch, sent.clone());
            async move {
                pause(Duration::from_millis(100) * u32::try_from(number).expect("few")).await;
                let call = move |_, items: Vec<usize>| {
                    sent.lock().expect("no panic").push(items.len());
                    async move {
                        pause(CALL).await;
                        items.into_iter().map(Ok).collect()
                    }
                };
                assert_eq!(batch.ask(1, number, call).await, Ok(number));
            }
        });
        join_all(asked).await;
        assert!(batch.waiting.lock().await.is_empty(), "nothing is kept");
        sent.lock().expect("no panic").clone()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_ends_badly_keeps_nobody_waiting_for_the_next_one() {
        let batch = Batch::<u8, bool, ()>::one_by_one(Duration::from_millis(40), 50);
        let call = |_, items: Vec<bool>| async move {
            pause(CALL).await;
            assert!(items.iter().all(|is_well| *is_well), "a bug");
            items.into_iter().map(|_| Ok(())).collect()
        };
        let while_it_lasts = async {
            pause(CALL / 2).await;
            batch.ask(1, true, call).await
        };
        let (abandoned, with_it) = tokio::join!(batch.ask(1, false, call), while_it_lasts);
        assert!(abandoned.is_err() && with_it.is_err(), "both are told, and try again");
        let next = crate::clock::within(CALL * 10, batch.ask(1, true, call)).await;
        assert_eq!(next, Some(Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_while_a_call_is_under_way_goes_with_the_next() {
        let window = Duration::from_millis(40);
        assert_eq!(calls(Batch::new(window, 50)).await.len(), 20);
        let sizes = calls(Batch::one_by_one(window, 50)).await;
        assert!(sizes.len() <= 5 && sizes.iter().sum::<usize>() == 20, "{sizes:?}");
        assert!(calls(Batch::one_by_one(window, 2)).await.iter().all(|size| *size <= 2));
    }
}
