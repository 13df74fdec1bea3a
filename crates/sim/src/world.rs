//! Everything that changes: the regions, what is outside of AWS, and what testers have planted.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Config;
use crate::faults::Faults;
use crate::ids::Ids;
use crate::late::Late;
use crate::log::Log;
use crate::outside::Outside;
use crate::services::{self, Region};
use crate::throttle::Throttle;
use crate::visibility::Visibility;

/// Everything that changes.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) regions: BTreeMap<String, Region>,
    pub(crate) outside: Outside,
    pub(crate) ids: Ids,
    pub(crate) faults: Faults,
    pub(crate) late: Late,
    pub(crate) log: Log,
    pub(crate) throttle: Throttle,
    pub(crate) visibility: Visibility,
    started_with: Config,
}

impl World {
    pub(crate) fn new(config: Config, now: Duration) -> Self {
        Self {
            outside: Outside::new(config.encoder, config.receiver),
            started_with: config.clone(),
            config,
            regions: BTreeMap::new(),
            ids: Ids::new(now),
            faults: Faults::default(),
            late: Late::default(),
            log: Log::default(),
            throttle: Throttle::default(),
            visibility: Visibility::default(),
        }
    }

    /// Lets the time pass everywhere.
    pub(crate) fn advance(&mut self, now: Duration) {
        for region in self.regions.values_mut() {
            services::advance(region, &self.config, &self.outside, now);
        }
    }

    /// Forgets everything but the time, the log's numbers and the configuration that the world started with.
    pub(crate) fn reset(&mut self) {
        let config = self.started_with.clone();
        self.faults.clear(None);
        self.late.clear();
        self.log.clear();
        self.outside = Outside::new(config.encoder, config.receiver);
        self.config = config;
        self.regions.clear();
        self.throttle.clear();
        self.visibility = Visibility::default();
    }
}
