//! The services that are simulated. Each is a folder here, a model table, an entry in [`ALL`] and a field of [`Region`].

mod cloudwatch;
pub(crate) mod mediaconnect;
pub(crate) mod medialive;
mod metrics;
mod picture;
pub(crate) mod secretsmanager;
mod servicequotas;
pub(crate) mod ssm;
mod sts;
mod tagging;
mod track;

use std::time::Duration;

use serde_json::{Map, Value};

use crate::config::{Config, Rate, Rates};
use crate::error::ApiError;
use crate::ids::Ids;
use crate::outside::Outside;

/// All resources of one region.
#[derive(Clone, Default)]
pub(crate) struct Region {
    pub(crate) mediaconnect: mediaconnect::State,
    pub(crate) medialive: medialive::State,
    pub(crate) secretsmanager: secretsmanager::State,
    pub(crate) ssm: ssm::State,
}

/// A request on its way through a service.
pub(crate) struct Call<'a> {
    pub(crate) operation: &'a str,
    pub(crate) input: &'a Value,
    pub(crate) region: &'a str,
    /// Simulated time.
    pub(crate) now: Duration,
    /// The same moment on the callers' clock: what a timestamp on the wire must say.
    pub(crate) callers: Duration,
    /// How many simulated seconds pass in a second of the callers' clock.
    pub(crate) speed: f64,
    pub(crate) config: &'a Config,
    pub(crate) outside: &'a Outside,
    pub(crate) ids: &'a mut Ids,
    /// Identifiers of what the call made, so that a fault can hide it.
    pub(crate) created: Vec<String>,
}

impl<'a> Call<'a> {
    /// A string member of the request; empty when it is not there, which the model check has refused if required.
    pub(crate) fn text(&self, member: &str) -> &'a str {
        self.input.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list member of the request.
    pub(crate) fn list(&self, member: &str) -> &'a [Value] {
        self.input.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }
}

/// How a service takes part in the simulation.
pub(crate) struct Service {
    /// botocore's name, as in the model table, the log and faults.
    pub(crate) name: &'static str,
    pub(crate) call: fn(&mut Region, &mut Call<'_>) -> Result<Value, ApiError>,
    pub(crate) rate: fn(&Rates, operation: &str) -> Option<Rate>,
    /// The Regions that it is in; none: all.
    pub(crate) regions: Option<&'static [&'static str]>,
    /// Operations that share a name here share their rate.
    pub(crate) bucket: fn(operation: &str) -> &str,
    /// Error of a request that does not fit the model.
    pub(crate) invalid: &'static str,
    /// Error of a request too many.
    pub(crate) throttled: (u16, &'static str),
    /// Error of a resource that is not there.
    pub(crate) absent: (u16, &'static str),
    /// The resources of a region, for the control API: kind to list.
    pub(crate) resources: fn(&Region, &Config, now: Duration) -> Map<String, Value>,
}

pub(crate) const ALL: &[Service] = &[
    mediaconnect::SERVICE,
    medialive::SERVICE,
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
    !["Describe", "List", "Get"].iter().any(|read| operation.starts_with(read))
}

/// Each operation has a rate of its own.
pub(crate) fn alone(operation: &str) -> &str {
    operation
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

/// Brings what passes through flows and channels up to what is at their sources and destinations now.
pub(crate) fn record(region: &mut Region, config: &Config, outside: &Outside, now: Duration) {
    mediaconnect::record(&mut region.mediaconnect, config, outside, now);
    medialive::record(&mut region.medialive, &region.mediaconnect, config, outside, now);
}

/// Outputs to a host lose their connections and try again.
pub(crate) fn disconnect(
    region: &mut Region,
    config: &Config,
    outside: &Outside,
    (host, stream): (&str, Option<&str>),
    now: Duration,
) {
    mediaconnect::disconnect(&mut region.mediaconnect, config, host, stream, now);
    medialive::disconnect(&mut region.medialive, host, stream, now);
    record(region, config, outside, now);
}

/// Lets the time pass in a region: everything whose deadline has gone by changes its state.
pub(crate) fn advance(region: &mut Region, config: &Config, outside: &Outside, now: Duration) {
    mediaconnect::advance(&mut region.mediaconnect, config, outside, now);
    medialive::advance(&mut region.medialive, &mut region.mediaconnect, config, outside, now);
    secretsmanager::advance(&mut region.secretsmanager, now);
}
