//! The control calls as methods.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::config::{Config, Quotas};
use crate::faults::{Fault, PlantedFault};
use crate::log::LogEntry;
use crate::outside::{Encoder, Outside, Receiver};
use crate::services::{self, Region, mediaconnect, medialive, secretsmanager, ssm};
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
                let mut counts = Map::new();
                for (kind, list) in kinds.as_object().into_iter().flatten() {
                    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
                    if kind != secretsmanager::PLANNED {
                        total += list.len();
                    }
                    counts.insert(kind.clone(), json!(list.len()));
                    if kind == "flows" {
                        for part in ["sources", "outputs"] {
                            let parts = list.iter().filter_map(|flow| flow[part].as_array()).map(Vec::len);
                            counts.insert(part.to_owned(), json!(parts.sum::<usize>()));
                        }
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

    /// Changes a flow, a channel or an input behind the back of whoever made it. Answers it, null if it is gone.
    pub fn edit(&self, edit: &Edit) -> Result<Value, ControlError> {
        let (mut world, now) = self.now();
        let World { config, regions, outside, .. } = &mut *world;
        if edit.channel.is_some() || edit.input.is_some() {
            return edit_medialive(regions, edit, config, outside, now);
        }
        for (name, region) in regions.iter_mut() {
            if edit.region.as_ref().is_none_or(|wanted| wanted == name)
                && region.mediaconnect.find(&edit.flow).is_some()
            {
                let edited = mediaconnect::edit(&mut region.mediaconnect, edit, config, outside, now);
                services::record(region, config, outside, now);
                return edited;
            }
        }
        Err(ControlError::absent("flow", &edit.flow))
    }

    /// AWS maintains a flow or a channel now: it restarts by itself. Answers it as it is then.
    pub fn maintain(&self, maintenance: &Maintenance) -> Result<Value, ControlError> {
        let (mut world, now) = self.now();
        let World { config, regions, outside, .. } = &mut *world;
        let Maintenance { flow, channel, told } = maintenance;
        for region in regions.values_mut() {
            let done = if let Some(channel) = channel {
                let Some(id) = region.medialive.find_channel(channel).map(str::to_owned) else { continue };
                medialive::edit::maintain(&mut region.medialive, &id, *told, config, now)
            } else {
                let Some(flow) = region.mediaconnect.find(flow) else { continue };
                mediaconnect::maintain(flow, *told, config, outside, now)
            };
            services::advance(region, config, outside, now);
            services::record(region, config, outside, now);
            return done;
        }
        Err(ControlError::absent("flow or channel", channel.as_ref().unwrap_or(flow)))
    }

    /// Adds an output to a flow (name or ARN) as the MediaLive input `input` (ARN) does. Answers the output's ARN.
    pub fn add_managed_output(&self, flow: &str, input: &str) -> Result<String, ControlError> {
        let (mut world, now) = self.now();
        let World { config, regions, outside, ids, .. } = &mut *world;
        for region in regions.values_mut() {
            if region.mediaconnect.find(flow).is_some() {
                let state = &mut region.mediaconnect;
                let added = mediaconnect::add_managed_output(state, flow, input, config, outside, ids, now);
                services::record(region, config, outside, now);
                return added;
            }
        }
        Err(ControlError::absent("flow", flow))
    }

    /// Removes the outputs that a MediaLive input added, by the ARN of the input or of one output. Answers how many.
    pub fn remove_managed_outputs(&self, input_or_output: &str) -> Result<usize, ControlError> {
        let (mut world, now) = self.now();
        let World { config, regions, outside, .. } = &mut *world;
        let mut removed = 0;
        for region in regions.values_mut() {
            let state = &mut region.mediaconnect;
            removed += mediaconnect::remove_managed_output(state, input_or_output, config, outside, now).unwrap_or(0);
            services::record(region, config, outside, now);
        }
        match removed {
            0 => Err(ControlError::absent("managed output of", input_or_output)),
            removed => Ok(removed),
        }
    }

    /// The quotas.
    pub fn quotas(&self) -> Quotas {
        self.lock().config.quotas.clone()
    }

    /// Sets the quotas from now on; what exists stays.
    pub fn set_quotas(&self, quotas: Quotas) {
        self.lock().config.quotas = quotas;
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
        for parameter in &seed.parameters {
            let region = regions.entry(parameter.region.clone()).or_default();
            ssm::seed(&mut region.ssm, &parameter.name, &parameter.value, &parameter.r#type, callers);
        }
        for secret in &seed.secrets {
            let region = regions.entry(secret.region.clone()).or_default();
            let state = &mut region.secretsmanager;
            secretsmanager::seed(state, &secret.region, &secret.name, &secret.secret_string, config, ids, callers);
        }
    }
}

fn edit_medialive(
    regions: &mut BTreeMap<String, Region>,
    edit: &Edit,
    config: &Config,
    outside: &Outside,
    now: Duration,
) -> Result<Value, ControlError> {
    for (name, region) in regions.iter_mut() {
        if edit.region.as_ref().is_some_and(|wanted| wanted != name) {
            continue;
        }
        let state = &mut region.medialive;
        let find = |wanted: &Option<String>, by: fn(&medialive::State, &str) -> Option<String>| {
            wanted.as_deref().and_then(|wanted| by(state, wanted))
        };
        let channel = find(&edit.channel, |state, wanted| state.find_channel(wanted).map(str::to_owned));
        let input = find(&edit.input, |state, wanted| state.find_input(wanted).map(str::to_owned));
        let done = match (channel, input) {
            (Some(id), _) => medialive::edit::channel(state, &id, edit, config, now),
            (None, Some(id)) => medialive::edit::input(state, &id, edit, config, now),
            (None, None) => continue,
        };
        services::advance(region, config, outside, now);
        services::record(region, config, outside, now);
        return done;
    }
    let wanted = edit.channel.as_deref().or(edit.input.as_deref()).unwrap_or_default();
    Err(ControlError::absent(if edit.channel.is_some() { "channel" } else { "input" }, wanted))
}

fn each_region(world: &mut World, mut act: impl FnMut(&mut Region, &Config, &Outside)) {
    let World { config, regions, outside, .. } = world;
    for region in regions.values_mut() {
        act(region, config, outside);
    }
}
