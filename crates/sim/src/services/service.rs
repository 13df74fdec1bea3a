//! How a service takes part in the simulation.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::Region;
use super::metrics::Metrics;
use super::quota::{Limits, Listed};
use crate::clock::rfc3339;
use crate::config::Config;
use crate::error::ApiError;
use crate::ids::Ids;
use crate::outside::Outside;
use crate::rate::Rate;
use crate::tester::{ControlError, Edit, Maintenance, Seed};

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

    /// A simulated time as the callers' clock has it.
    pub(crate) fn told(&self, at: Duration) -> String {
        let ago = self.now.saturating_sub(at).div_f64(self.speed.max(f64::MIN_POSITIVE));
        rfc3339(self.callers.saturating_sub(ago))
    }

    /// A list member of the request.
    pub(crate) fn list(&self, member: &str) -> &'a [Value] {
        self.input.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The resource as it is after a change that no request made, null if it is gone; none when the Region has none that is
/// meant.
pub(crate) type Changed = Option<Result<Value, ControlError>>;

/// What a service is, and what it does when. [`PLAIN`] has the answers of a service that only takes requests.
pub(crate) struct Service {
    /// botocore's name, as in the model table, the log and faults.
    pub(crate) name: &'static str,
    /// Its table, as `export.py` wrote it.
    pub(crate) model: &'static str,
    /// Takes a request.
    pub(crate) call: fn(&mut Region, &mut Call<'_>) -> Result<Value, ApiError>,
    pub(crate) rate: fn(&Config, operation: &str) -> Option<Rate>,
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
    /// Lets the time pass: everything whose deadline has gone by changes its state.
    pub(crate) advance: fn(&mut Region, &Config, &Outside, now: Duration),
    /// When it changes next by itself, as far as that is certain.
    pub(crate) next: fn(&mut Region, &Config, &Outside) -> Option<Duration>,
    /// Brings what passes through it up to what is at its inputs and outputs now.
    pub(crate) record: fn(&mut Region, &Config, &Outside, now: Duration),
    /// Its outputs to a host, or to one stream there, lose their connections and try again.
    pub(crate) disconnect: fn(&mut Region, &Config, (&str, Option<&str>), now: Duration),
    /// What it publishes in CloudWatch.
    pub(crate) metrics: Option<Metrics>,
    /// Its quotas, as testers set them.
    pub(crate) limits: Option<Limits>,
    /// Its quotas, as Service Quotas lists them.
    pub(crate) listed: Option<Listed>,
    /// Changes a resource behind the back of whoever made it.
    pub(crate) edit: fn(&mut Region, &Edit, &Config, &Outside, now: Duration) -> Changed,
    /// AWS maintains a resource.
    pub(crate) maintain: fn(&mut Region, &Maintenance, &Config, &Outside, now: Duration) -> Changed,
    /// Makes what a world starts with, at a time of the callers' clock.
    pub(crate) seed: fn(&mut BTreeMap<String, Region>, &Seed, &Config, &mut Ids, Duration),
    /// The resources of a region, for the control API: kind to list.
    pub(crate) resources: fn(&Region, &Config, now: Duration) -> Map<String, Value>,
    /// Lists in resources that are counted too, but not in the total: kind and member.
    pub(crate) parts: &'static [(&'static str, &'static str)],
    /// Kinds that the total does not have.
    pub(crate) beside: &'static [&'static str],
}

/// A service without anything of its own.
pub(crate) const PLAIN: Service = Service {
    name: "",
    model: "",
    call: |_, call| Err(unknown(call)),
    rate: |_, _| None,
    regions: None,
    bucket: |operation| operation,
    invalid: "ValidationException",
    throttled: (400, "ThrottlingException"),
    absent: (404, "ResourceNotFoundException"),
    advance: |_, _, _, _| (),
    next: |_, _, _| None,
    record: |_, _, _, _| (),
    disconnect: |_, _, _, _| (),
    metrics: None,
    limits: None,
    listed: None,
    edit: |_, _, _, _, _| None,
    maintain: |_, _, _, _, _| None,
    seed: |_, _, _, _, _| (),
    resources: |_, _, _| Map::new(),
    parts: &[],
    beside: &[],
};

/// An operation that the model has and the service does not know.
pub(crate) fn unknown(call: &Call<'_>) -> ApiError {
    ApiError::new(404, "UnknownOperationException", format!("Unknown operation {}", call.operation))
}
