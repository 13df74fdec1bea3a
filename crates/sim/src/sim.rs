//! The simulator as a whole: a world under one lock, and its clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;

use crate::answer::{Answer, Outcome, Pending, Wait};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::world::World;
use crate::{control, pipeline};

/// A simulated AWS. Clones are the same world.
#[derive(Clone)]
pub struct Sim {
    clock: Arc<dyn Clock>,
    world: Arc<Mutex<World>>,
}

impl Sim {
    /// An empty world that runs by this clock.
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Self {
        let world = World::new(config, clock.now());
        Self { clock, world: Arc::new(Mutex::new(world)) }
    }

    /// An empty world that runs by the machine's clock, `config.speed` times as fast.
    pub fn start(config: Config) -> Self {
        let clock = Arc::new(SystemClock::new(config.speed));
        Self::new(config, clock)
    }

    /// The clock of the world.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Processes a request at once, without waiting and without I/O.
    pub fn handle(&self, request: Request<Bytes>) -> Answer {
        if request.uri().path().starts_with("/_sim") {
            let response = control::handle(self, &request);
            return Answer { delay: Duration::ZERO, outcome: Outcome::Respond(response), pending: None };
        }
        let (parts, body) = request.into_parts();
        pipeline::first(&mut self.lock(), self.clock.as_ref(), parts, body)
    }

    /// Goes on with a request that a fault made wait.
    pub async fn resume(&self, answer: Answer) -> Outcome {
        let Answer { delay, outcome, pending } = answer;
        let Some(Pending { wait, request }) = pending else {
            tokio::time::sleep(delay).await;
            return outcome;
        };
        match wait {
            Wait::Delay(time) => tokio::time::sleep(time).await,
            // An error means that the world is gone, and nothing will ever release the request.
            Wait::Release(mut released) => drop(released.wait_for(|released| *released).await),
        }
        let Some(resumed) = request else {
            tokio::time::sleep(delay).await;
            return outcome;
        };
        let answer = pipeline::resumed(&mut self.lock(), self.clock.as_ref(), *resumed);
        tokio::time::sleep(answer.delay).await;
        answer.outcome
    }

    /// Processes a request and waits as long as AWS, and the faults, would let the caller wait.
    pub async fn answer(&self, request: Request<Bytes>) -> Outcome {
        let answer = self.handle(request);
        self.resume(answer).await
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        // A panic while the lock was held is a bug, but every mutation is made on a copy first: the world is whole.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world with its clock brought up to now.
    pub(crate) fn now(&self) -> (MutexGuard<'_, World>, Duration) {
        let mut world = self.lock();
        let now = self.clock.now();
        pipeline::carry_out(&mut world, self.clock.as_ref(), now);
        world.advance(now);
        (world, now)
    }
}
