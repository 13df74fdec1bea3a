//! The control calls as methods.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::faults::{Fault, PlantedFault};
use crate::log::LogEntry;
use crate::outside::{Encoder, Outside, Publisher, Receiver};
use crate::services::quota::Limits;
use crate::services::{self, Region, wires};
use crate::sim::Sim;
use crate::switches::Switches;
use crate::tester::{ControlError, Edit, Maintenance, Seed};
use crate::visibility::Visibility;
use crate::world::World;

impl Sim {
    /// Plants a fault; the answer is its number.
    pub fn plant_fault(&self, fault: Fault) -> u64 {
        self.lock().faults.plant(fault)
    }

    /// The planted faults with their hits.
    pub fn faults(&self) -> Vec<PlantedFault> {
        self.lock().faults.list().to_vec()
    }

    /// Removes one fault or all; requests that they hold go on. With all of them, what they hide and the past that they
    /// show end too. Answers how many.
    pub fn clear_faults(&self, id: Option<u64>) -> usize {
        let mut world = self.lock();
        if id.is_none() {
            world.visibility = Visibility::default();
        }
        world.faults.clear(id)
    }

    /// Lets the requests go on that a hold fault holds.
    pub fn release_fault(&self, id: u64) -> Result<(), ControlError> {
        match self.lock().faults.release(id) {
            true => Ok(()),
            false => Err(ControlError::absent("fault", &id.to_string())),
        }
    }

    /// The requests after this number.
    pub fn log(&self, since: u64) -> Vec<LogEntry> {
        self.now().0.log.since(since)
    }

    /// Forgets the requests.
    pub fn clear_log(&self) {
        self.lock().log.clear();
    }

    /// All resources: region, service, kind, list.
    pub fn state(&self) -> Value {
        let (world, now) = self.now();
        let mut regions = Map::new();
        for (name, region) in &world.regions {
            let mut found = Map::new();
            for service in services::ALL {
                let resources = (service.resources)(region, &world.config, now);
                if resources.values().any(|list| list.as_array().is_some_and(|list| !list.is_empty())) {
                    found.insert(service.name.to_owned(), Value::Object(resources));
                }
            }
            regions.insert(name.clone(), Value::Object(found));
        }
        Value::Object(regions)
    }

    /// How many resources there are: region, service, kind; and `total`, in which sources and outputs are not (they are
    /// parts of flows), and secrets whose deletion is planned neither. Regions and services without any are absent.
    pub fn counts(&self) -> Value {
        let state = self.state();
        let mut total = 0;
        let mut regions = Map::new();
        for (region, services) in state.as_object().into_iter().flatten() {
            let mut found = Map::new();
            for (service, kinds) in services.as_object().into_iter().flatten() {
                let known = services::by_name(service);
                let beside = known.map(|service| service.beside).unwrap_or_default();
                let parts = known.map(|service| service.parts).unwrap_or_default();
                let mut counts = Map::new();
                for (kind, list) in kinds.as_object().into_iter().flatten() {
                    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
                    if !beside.contains(&kind.as_str()) {
                        total += list.len();
                    }
                    counts.insert(kind.clone(), json!(list.len()));
                    for (_, part) in parts.iter().filter(|(whole, _)| whole == kind) {
                        let parts = list.iter().filter_map(|whole| whole[*part].as_array()).map(Vec::len);
                        counts.insert((*part).to_owned(), json!(parts.sum::<usize>()));
                    }
                }
                found.insert(service.clone(), Value::Object(counts));
            }
            if !found.is_empty() {
                regions.insert(region.clone(), Value::Object(found));
            }
        }
        json!({ "total": total, "regions": regions })
    }

    /// Says what an encoder sends to a source. The flow (name or ARN) need not exist yet.
    pub fn set_encoder(&self, flow: &str, source: &str, encoder: Encoder) {
        let (mut world, now) = self.now();
        world.outside.set_encoder(flow, source, encoder);
        each_region(&mut world, |region, config, outside| services::record(region, config, outside, now));
    }

    /// Says who pushes a stream to an address of AWS: the host of an endpoint and the name of the stream (an ingest
    /// endpoint's stream key; a push input's `application/instance`).
    pub fn set_publisher(&self, host: &str, stream: &str, publisher: Publisher) {
        let (mut world, now) = self.now();
        world.outside.set_publisher(host, stream, publisher);
        each_region(&mut world, |region, config, outside| services::record(region, config, outside, now));
    }

    /// Says how many people watch a channel (name or ARN).
    pub fn set_viewers(&self, channel: &str, viewers: u64) {
        let (mut world, now) = self.now();
        world.outside.set_viewers(channel, viewers);
        each_region(&mut world, |region, config, outside| services::record(region, config, outside, now));
    }

    /// Says what a destination does: for all streams at this host or, with `stream`, for one (RTMP stream name or
    /// stream id). An output that listens is reached by its own name as the host.
    pub fn set_receiver(&self, host: &str, stream: Option<&str>, receiver: Receiver) {
        let (mut world, now) = self.now();
        world.outside.set_receiver(host, stream, receiver);
        each_region(&mut world, |region, config, outside| services::record(region, config, outside, now));
    }

    /// Closes the connections to a host; the outputs try again after a moment.
    pub fn disconnect(&self, host: &str, stream: Option<&str>) {
        let (mut world, now) = self.now();
        let to = (host, stream);
        each_region(&mut world, |region, config, outside| services::disconnect(region, config, outside, to, now));
    }

    /// Changes a resource behind the back of whoever made it. Answers it, null if it is gone.
    pub fn edit(&self, edit: &Edit) -> Result<Value, ControlError> {
        let (mut world, now) = self.now();
        let World { config, regions, outside, .. } = &mut *world;
        let meant = |name: &String| edit.region.as_ref().is_none_or(|wanted| wanted == name);
        for (_, region) in regions.iter_mut().filter(|(name, _)| meant(name)) {
            for service in services::ALL {
                let Some(done) = (service.edit)(region, edit, config, outside, now) else { continue };
                settle(region, config, outside, now);
                return done;
            }
        }
        let (kind, name) = edit.meant();
        Err(ControlError::absent(kind, name))
    }

    /// AWS maintains a resource now: it restarts by itself. Answers it as it is then.
    pub fn maintain(&self, maintenance: &Maintenance) -> Result<Value, ControlError> {
        let (mut world, now) = self.now();
        let World { config, regions, outside, .. } = &mut *world;
        for region in regions.values_mut() {
            for service in services::ALL {
                let Some(done) = (service.maintain)(region, maintenance, config, outside, now) else { continue };
                settle(region, config, outside, now);
                return done;
            }
        }
        Err(ControlError::absent("flow or channel", maintenance.meant().1))
    }

    /// Adds an output to a flow (name or ARN) as the MediaLive input `input` (ARN) does. Answers the output's ARN.
    pub fn add_managed_output(&self, flow: &str, input: &str) -> Result<String, ControlError> {
        let (mut world, now) = self.now();
        let World { config, regions, outside, ids, .. } = &mut *world;
        let mut regions = regions.values_mut();
        regions
            .find_map(|region| wires::add_managed_output(region, (flow, input), config, outside, ids, now))
            .unwrap_or_else(|| Err(ControlError::absent("flow", flow)))
    }

    /// Removes the outputs that a MediaLive input added, by the ARN of the input or of one output. Answers how many.
    pub fn remove_managed_outputs(&self, input_or_output: &str) -> Result<usize, ControlError> {
        let (mut world, now) = self.now();
        let World { config, regions, outside, .. } = &mut *world;
        let removed = |region| wires::remove_managed_outputs(region, input_or_output, config, outside, now);
        match regions.values_mut().map(removed).sum() {
            0 => Err(ControlError::absent("managed output of", input_or_output)),
            removed => Ok(removed),
        }
    }

    /// The quotas of all services, by the names of their members.
    pub fn quotas(&self) -> Value {
        let world = self.lock();
        limits().flat_map(|limits| members((limits.read)(&world.config))).collect::<Map<_, _>>().into()
    }

    /// Sets the quotas that are given, from now on; what exists stays. All or none.
    pub fn set_quotas(&self, given: &Value) -> Result<(), ControlError> {
        let mut world = self.lock();
        let mut config = world.config.clone();
        for (member, value) in members(given.clone()) {
            let mut of = limits().map(|limits| (limits, members((limits.read)(&config))));
            let Some((limits, mut quotas)) = of.find(|(_, quotas)| quotas.contains_key(&member)) else {
                return Err(ControlError::bad(format!("unknown quota {member}")));
            };
            quotas.insert(member, value);
            (limits.write)(&mut config, Value::Object(quotas)).map_err(|error| ControlError::bad(error.to_string()))?;
        }
        world.config = config;
        Ok(())
    }

    /// How the world behaves where AWS's documents leave it open.
    pub fn switches(&self) -> Switches {
        self.lock().config.switches.clone()
    }

    /// Sets that from now on.
    pub fn set_switches(&self, switches: Switches) {
        self.lock().config.switches = switches;
    }

    /// Turns the limits of request rates on or off.
    pub fn set_throttling(&self, on: bool) {
        self.lock().config.throttling = on;
    }

    /// Whether request rates are limited.
    pub fn throttling(&self) -> bool {
        self.lock().config.throttling
    }

    /// Forgets everything: resources, faults, log, encoders, receivers, quotas, switches. The clock goes on.
    pub fn reset(&self) {
        self.lock().reset();
    }

    /// Makes the resources of a seed.
    pub fn seed(&self, seed: &Seed) {
        let (mut world, _) = self.now();
        let callers = self.clock().callers().unwrap_or_else(|| self.clock().now());
        let World { config, regions, ids, .. } = &mut *world;
        for service in services::ALL {
            (service.seed)(regions, seed, config, ids, callers);
        }
    }
}

/// The quotas that testers can set.
fn limits() -> impl Iterator<Item = &'static Limits> {
    services::ALL.iter().filter_map(|service| service.limits.as_ref())
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// What a change in one service means for the others.
fn settle(region: &mut Region, config: &Config, outside: &Outside, now: Duration) {
    services::advance(region, config, outside, now);
    services::record(region, config, outside, now);
}

fn each_region(world: &mut World, mut act: impl FnMut(&mut Region, &Config, &Outside)) {
    let World { config, regions, outside, .. } = world;
    for region in regions.values_mut() {
        act(region, config, outside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_services_have_a_quota_of_the_same_name() {
        let config = Config::default();
        let mut names: Vec<String> =
            limits().flat_map(|limits| members((limits.read)(&config))).map(|(name, _)| name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert!(all > 8 && names.len() == all, "{names:?}");
    }
}
