//! CloudWatch: the metrics of the other services.

pub(crate) mod config;
mod data;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::metrics::{Metrics, Series, Span};
use super::service::{PLAIN, unknown};
use super::{Call, Region, Service};
use crate::error::ApiError;
use crate::regions;

pub(crate) const SERVICE: Service = Service {
    name: "cloudwatch",
    model: include_str!("model.json"),
    call,
    rate: |config, _| Some(config.cloudwatch.rate),
    regions: Some(regions::GENERAL),
    invalid: "ValidationError",
    throttled: (400, "Throttling"),
    absent: (404, "ResourceNotFound"),
    ..PLAIN
};

/// What the services publish.
fn published() -> impl Iterator<Item = &'static Metrics> {
    super::ALL.iter().filter_map(|service| service.metrics.as_ref())
}

/// The samples of a series. What no service publishes has none.
fn samples(
    region: &Region,
    call: &Call<'_>,
    (namespace, metric): (&str, &str),
    dimensions: &[(&str, &str)],
    span: Span,
) -> Vec<(Duration, f64)> {
    let metrics = published().find(|metrics| metrics.namespace == namespace);
    metrics.map_or_else(Vec::new, |metrics| (metrics.samples)(region, call.config, metric, dimensions, span, call.now))
}

/// ListMetrics gives so many at once.
const PAGE: usize = 500;

fn call(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    match call.operation {
        "GetMetricData" => data::get(region, call),
        "ListMetrics" => list(region, call),
        _ => Err(unknown(call)),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "ValidationError", message)
}

fn list(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let skip = match call.text("NextToken") {
        "" => 0,
        token => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.parse::<usize>().ok())
            .ok_or_else(|| ApiError::new(400, "InvalidParameterValueException", "Invalid nextToken"))?,
    };
    let wanted = |member: &str, found: &str| call.text(member).is_empty() || call.text(member) == found;
    let dimensions = |series: &Series| {
        call.list("Dimensions").iter().all(|filter| {
            let is = |(name, found): &(&str, String)| {
                filter["Name"] == *name && filter.get("Value").is_none_or(|value| *value == *found)
            };
            series.dimensions.iter().any(is)
        })
    };
    let mut series: Vec<Series> = published().flat_map(|metrics| (metrics.series)(region, call.config)).collect();
    series.retain(|series| {
        wanted("Namespace", series.namespace) && wanted("MetricName", series.metric) && dimensions(series)
    });
    let page = series.iter().skip(skip).take(PAGE).map(|series| {
        let dimensions = series.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value }));
        json!({
            "Namespace": series.namespace,
            "MetricName": series.metric,
            "Dimensions": dimensions.collect::<Vec<_>>(),
        })
    });
    let mut answer = json!({ "Metrics": page.collect::<Vec<_>>() });
    if series.len() > skip + PAGE {
        answer["NextToken"] = json!(URL_SAFE_NO_PAD.encode((skip + PAGE).to_string()));
    }
    Ok(answer)
}

/// From the callers' clock to the simulated one and back. "Now" is now for both; what happened ten simulated seconds ago in a
/// world that is ten times faster happened a second ago for the callers, so that a measurement is never older to them than
/// what they did before it.
pub(super) struct Translation {
    simulated: Duration,
    callers: Duration,
    speed: f64,
}

impl Translation {
    pub(super) fn new(call: &Call<'_>) -> Self {
        Self { simulated: call.now, callers: call.callers, speed: call.speed }
    }

    pub(super) fn to_simulated(&self, seconds: f64) -> Duration {
        let shifted = (seconds - self.callers.as_secs_f64()) * self.speed + self.simulated.as_secs_f64();
        Duration::try_from_secs_f64(shifted.max(0.0)).unwrap_or(Duration::from_secs(u64::from(u32::MAX)))
    }

    pub(super) fn to_callers(&self, at: Duration) -> f64 {
        (at.as_secs_f64() - self.simulated.as_secs_f64()) / self.speed + self.callers.as_secs_f64()
    }
}
