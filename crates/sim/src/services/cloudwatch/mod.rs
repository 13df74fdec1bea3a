//! CloudWatch: the metrics of the other services.

use serde_json::{Map, Value};

use super::{Call, Region, Service};
use crate::error::ApiError;

pub(crate) const SERVICE: Service = Service {
    name: "cloudwatch",
    call,
    rate: |rates, _| Some(rates.cloudwatch),
    invalid: "ValidationError",
    throttled: (400, "Throttling"),
    absent: (404, "ResourceNotFound"),
    resources: |_, _, _| Map::new(),
};

fn call(_region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    Err(ApiError::new(404, "UnknownOperationException", format!("Unknown operation {}", call.operation)))
}
