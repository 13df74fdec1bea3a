//! The simulator as a whole: a world under one lock, and the path of a request through it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::watch;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::control;
use crate::faults::Faults;
use crate::ids::Ids;
use crate::log::Log;
use crate::pipeline;
use crate::services::mediaconnect::air::Air;
use crate::services::{self, Region};
use crate::throttle::Throttle;
use crate::visibility::Visibility;

/// A simulated AWS. Clones are the same world.
#[derive(Clone)]
pub struct Sim {
    clock: Arc<dyn Clock>,
    world: Arc<Mutex<World>>,
}

/// What comes back for a request, and when.
#[derive(Debug)]
pub struct Answer {
    /// Real time to wait before answering.
    pub delay: Duration,
    /// What the caller gets.
    pub outcome: Outcome,
    /// There is more to wait for than `delay`. [`Sim::answer`] does all the waiting; who calls [`Sim::handle`] and
    /// finds this gives it to [`Sim::resume`].
    pub pending: Option<Pending>,
}

/// What the caller of a request gets.
#[derive(Debug)]
pub enum Outcome {
    /// An answer.
    Respond(Response<Bytes>),
    /// The connection closes without a byte.
    DropConnection,
}

/// A request that a fault makes wait.
#[derive(Debug)]
pub struct Pending {
    pub(crate) wait: Wait,
    /// To be processed after the wait; None when it has been.
    pub(crate) request: Option<Box<pipeline::Resumed>>,
}

/// What a pending request waits for.
#[derive(Debug)]
pub(crate) enum Wait {
    Delay(Duration),
    Release(watch::Receiver<bool>),
}

/// Everything that changes.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) regions: BTreeMap<String, Region>,
    pub(crate) air: Air,
    pub(crate) ids: Ids,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) throttle: Throttle,
    pub(crate) visibility: Visibility,
    started_with: Config,
}

impl World {
    fn new(config: Config, now: Duration) -> Self {
        Self {
            air: Air::new(&config),
            started_with: config.clone(),
            config,
            regions: BTreeMap::new(),
            ids: Ids::new(now),
            faults: Faults::default(),
            log: Log::default(),
            throttle: Throttle::default(),
            visibility: Visibility::default(),
        }
    }

    /// Lets the time pass everywhere.
    pub(crate) fn advance(&mut self, now: Duration) {
        for region in self.regions.values_mut() {
            services::advance(region, &self.config, &self.air, now);
        }
    }

    /// Forgets everything but the time, the log's numbers and the configuration that the world started with.
    pub(crate) fn reset(&mut self) {
        let config = self.started_with.clone();
        self.faults.clear(None);
        self.log.clear();
        self.air = Air::new(&config);
        self.config = config;
        self.regions.clear();
        self.throttle.clear();
        self.visibility = Visibility::default();
    }
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
        world.advance(now);
        (world, now)
    }
}
