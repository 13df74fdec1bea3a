//! The services that are simulated. Each is a folder here, a row of [`ALL`] and, if it remembers anything, a field of
//! [`Region`].

mod cidr;
pub(crate) mod cloudwatch;
pub(crate) mod ivs;
pub(crate) mod mediaconnect;
pub(crate) mod medialive;
mod metrics;
mod pages;
mod picture;
mod ports;
pub(crate) mod quota;
pub(crate) mod secretsmanager;
mod service;
pub(crate) mod servicequotas;
pub(crate) mod ssm;
mod sts;
mod tagging;
mod track;
pub(crate) mod wires;

use std::time::Duration;

use crate::config::Config;
use crate::outside::Outside;
pub(crate) use service::{Call, Service};

/// All resources of one region.
#[derive(Clone, Default)]
pub(crate) struct Region {
    pub(crate) ivs: ivs::State,
    pub(crate) mediaconnect: mediaconnect::State,
    pub(crate) medialive: medialive::State,
    pub(crate) secretsmanager: secretsmanager::State,
    pub(crate) ssm: ssm::State,
}

/// In the order in which media passes: who takes it from another service comes after that one.
pub(crate) const ALL: &[Service] = &[
    mediaconnect::SERVICE,
    medialive::SERVICE,
    ivs::SERVICE,
    ssm::SERVICE,
    secretsmanager::SERVICE,
    servicequotas::SERVICE,
    cloudwatch::SERVICE,
    sts::SERVICE,
];

pub(crate) fn by_name(name: &str) -> Option<&'static Service> {
    ALL.iter().find(|service| service.name == name)
}

/// Whether an operation changes anything.
pub(crate) fn mutating(operation: &str) -> bool {
    !["Describe", "List", "Get", "BatchGet"].iter().any(|read| operation.starts_with(read))
}

/// Whether this is the ARN of a role.
pub(crate) fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts[..], ["arn", partition, "iam", "", account, role]
        if partition.starts_with("aws")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && role.strip_prefix("role/").is_some_and(|name| !name.is_empty()))
}

/// Brings what passes through the services up to what is at their inputs and outputs now: once in the order in which media
/// passes, and again where a service takes something from one that comes after it.
pub(crate) fn record(region: &mut Region, config: &Config, outside: &Outside, now: Duration) {
    let once = |region: &mut Region| ALL.iter().for_each(|service| (service.record)(region, config, outside, now));
    once(region);
    if region.goes_round(config) {
        once(region);
    }
}

/// Outputs to a host lose their connections and try again.
pub(crate) fn disconnect(
    region: &mut Region,
    config: &Config,
    outside: &Outside,
    to: (&str, Option<&str>),
    now: Duration,
) {
    for service in ALL {
        (service.disconnect)(region, config, to, now);
    }
    record(region, config, outside, now);
}

/// Lets the time pass in a region: everything whose deadline has gone by changes its state. One event comes after the other,
/// over all services: what happens in one at a time is what another one sees at that time.
pub(crate) fn advance(region: &mut Region, config: &Config, outside: &Outside, now: Duration) {
    let mut last = None;
    while let Some(at) = next(region, config, outside).filter(|at| *at <= now && last.is_none_or(|last| *at > last)) {
        each(region, config, outside, at);
        record(region, config, outside, at);
        last = Some(at);
    }
    each(region, config, outside, now);
}

fn each(region: &mut Region, config: &Config, outside: &Outside, at: Duration) {
    for service in ALL {
        (service.advance)(region, config, outside, at);
    }
}

fn next(region: &mut Region, config: &Config, outside: &Outside) -> Option<Duration> {
    ALL.iter().filter_map(|service| (service.next)(region, config, outside)).min()
}
