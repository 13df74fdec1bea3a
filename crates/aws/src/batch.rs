//! Batchs what several objects ask for within a moment into one call.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, oneshot};

use playout_core::plan::{Failure, FailureClass};

use crate::clock::pause;

type Queue<Item, Answer> = Vec<(Item, oneshot::Sender<Result<Answer, Failure>>)>;

/// Items that wait for their call, by what they must have in common.
#[derive(Debug)]
pub struct Batch<Key, Item, Answer> {
    window: Duration,
    most: usize,
    waiting: Arc<Mutex<HashMap<Key, Queue<Item, Answer>>>>,
}

impl<Key, Item, Answer> Batch<Key, Item, Answer>
where
    Key: Clone + Eq + Hash + Send + 'static,
    Item: Send + 'static,
    Answer: Send + 'static,
{
    /// Batchs for `window`, at most `most` items a call.
    pub fn new(window: Duration, most: usize) -> Self {
        Self { window, most, waiting: Arc::default() }
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
            let queue = waiting.entry(key.clone()).or_default();
            queue.push((item, sender));
            queue.len() == 1
        };
        if first {
            let (waiting, window, most) = (self.waiting.clone(), self.window, self.most);
            tokio::spawn(async move {
                pause(window).await;
                let mut all = waiting.lock().await.remove(&key).unwrap_or_default();
                while !all.is_empty() {
                    let rest = all.split_off(all.len().min(most));
                    let (items, senders): (Vec<_>, Vec<_>) = all.into_iter().unzip();
                    for (sender, answer) in senders.into_iter().zip(call(key.clone(), items).await) {
                        // The caller may be gone.
                        let _ = sender.send(answer);
                    }
                    all = rest;
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
