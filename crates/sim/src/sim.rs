//! The simulator as a whole: a world under one lock, and its clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::pipeline;
use crate::world::World;

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
