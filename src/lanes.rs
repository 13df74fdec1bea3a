//! Lanes: how many passes are under way at the same time, apart by what they may have to wait for, and by who waits for them.
//!
//! kube's controller has one number for all objects of a kind, and never runs two passes of one object at once. So it is given
//! no limit, and the limits are here: one for each region and service and each urgency, so that a region that hangs holds up
//! no other, and ten thousand background checks no stop. And whose wish changes while its pass waits, for room or for an answer,
//! is told so: what is waited for is no longer what is requested.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

pub use playout_aws::rate_limit::Urgency;

/// So many more stops than other passes may be under way: each waits for AWS a second at most before it acts.
const STOPS: usize = 4;

/// What a lane of a controller is for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Lane {
    /// What may hold up its passes, and those of no other place: a region, a service.
    pub place: String,
    /// Who waits for them.
    pub urgency: Urgency,
}

/// All lanes.
#[derive(Debug)]
pub struct Lanes {
    concurrency: usize,
    lanes: Mutex<HashMap<(&'static str, Lane), Arc<Semaphore>>>,
    open: watch::Sender<bool>,
}

impl Lanes {
    /// Lanes for so many passes each; 0: as many as come.
    #[must_use]
    pub fn new(concurrency: u16) -> Self {
        let concurrency = if concurrency == 0 { Semaphore::MAX_PERMITS / STOPS } else { usize::from(concurrency) };
        Self { concurrency, lanes: Mutex::default(), open: watch::Sender::new(true) }
    }

    fn room(&self, controller: &'static str, lane: Lane) -> Arc<Semaphore> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let most = if lane.urgency == Urgency::Stop { self.concurrency * STOPS } else { self.concurrency };
        lanes.entry((controller, lane)).or_insert_with(|| Arc::new(Semaphore::new(most))).clone()
    }

    /// Waits for room. `None`: nothing begins any more.
    pub async fn enter(&self, controller: &'static str, lane: Lane) -> Option<OwnedSemaphorePermit> {
        let lane = self.room(controller, lane);
        tokio::select! {
            biased;
            () = self.closed() => None,
            room = lane.acquire_owned() => room.ok(),
        }
    }

    /// Lets nothing begin any more: what waits for room, or only looks, ends. What acts goes on.
    pub fn close(&self) {
        self.open.send_replace(false);
    }

    /// Resolves when nothing begins any more.
    pub async fn closed(&self) {
        let _ = self.open.subscribe().wait_for(|open| !*open).await;
    }
}

/// Whose wish has just changed, for the pass of it that may be waiting. By UID.
#[derive(Debug, Default)]
pub struct Wishes(Mutex<HashMap<String, Arc<Notify>>>);

impl Wishes {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens from now on. To be called before the object is read, so that no change falls in between.
    pub fn listen(&self, uid: &str) -> Wish<'_> {
        let changed = self.all().entry(uid.to_string()).or_default().clone();
        Wish { wishes: self, uid: uid.to_string(), changed }
    }

    /// What a user can change of this object has changed.
    pub fn changed(&self, uid: &str) {
        if let Some(listening) = self.all().get(uid) {
            listening.notify_one();
        }
    }
}

/// The wish of one object, while a pass of it waits.
#[derive(Debug)]
pub struct Wish<'a> {
    wishes: &'a Wishes,
    uid: String,
    changed: Arc<Notify>,
}

impl Wish<'_> {
    /// Resolves when it has changed since somebody last waited here.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        let mut all = self.wishes.all();
        // This one and the map's own: nobody else listens.
        if Arc::strong_count(&self.changed) == 2 {
            all.remove(&self.uid);
        }
    }
}

/// When each object was last seen in AWS, by UID. Lost with the process: then from when it was first asked for here.
#[derive(Debug, Default)]
pub struct Looks(Mutex<HashMap<String, Instant>>);

impl Looks {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It was seen.
    pub fn seen(&self, uid: &str, now: Instant) {
        self.all().insert(uid.to_string(), now);
    }

    /// When it was last seen.
    pub fn last(&self, uid: &str, now: Instant) -> Instant {
        *self.all().entry(uid.to_string()).or_insert(now)
    }

    /// The object is gone.
    pub fn forget(&self, uid: &str) {
        self.all().remove(uid);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Lane, Lanes, Urgency, Wishes};
    use playout_aws::clock::within;

    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn a_full_lane_holds_up_no_other() {
        let lanes = Lanes::new(1);
        let enter = |place: &str, urgency| {
            within(MOMENT, lanes.enter("destination", Lane { place: place.to_owned(), urgency }))
        };
        let _under_way = enter("us-west-2", Urgency::Check).await.expect("room");
        assert!(enter("us-west-2", Urgency::Check).await.is_none(), "it is full");
        for (place, urgency) in
            [("us-west-2", Urgency::Stop), ("us-west-2", Urgency::Change), ("eu-west-1", Urgency::Check)]
        {
            assert!(enter(place, urgency).await.flatten().is_some(), "{place} {urgency:?}");
        }
        lanes.close();
        assert!(enter("us-west-2", Urgency::Check).await.expect("it ends").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wish_that_changes_before_it_is_waited_for_is_heard() {
        let wishes = Wishes::default();
        let wish = wishes.listen("u1");
        wishes.changed("u2");
        assert_eq!(within(MOMENT, wish.changed()).await, None);
        wishes.changed("u1");
        assert_eq!(within(MOMENT, wish.changed()).await, Some(()));
        drop(wish);
        assert!(wishes.all().is_empty(), "nothing is kept of who is gone");
    }
}
