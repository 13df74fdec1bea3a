//! Metrics of channels: what passed through their pipelines, sampled as the service publishes it.

use std::time::Duration;

use super::State;
use super::air::{OnAir, Pipeline};
use crate::config::Config;
use crate::services::Region;
use crate::services::metrics::{Metrics, Series, Span, times};

const NAMESPACE: &str = "AWS/MediaLive";

pub(super) const PUBLISHED: Metrics = Metrics { namespace: NAMESPACE, series, samples };

const METRICS: [&str; 7] =
    ["ActiveAlerts", "ActiveOutputs", "FillMsec", "InputLossSeconds", "InputVideoFrameRate", "NetworkIn", "NetworkOut"];

/// The frames a second of everything that arrives.
const FRAME_RATE: f64 = 30.0;
/// FillMsec goes no higher.
const LONGEST_FILL: f64 = 60_000.0;

fn all(state: &State) -> impl Iterator<Item = (&str, &OnAir)> {
    let there = state.channels.values().map(|channel| (channel.id.as_str(), &channel.air));
    there.chain(state.departed.iter().map(|departed| (departed.id.as_str(), &departed.air)))
}

/// Every series that has data.
fn series(region: &Region, _: &Config) -> Vec<Series> {
    let mut found = Vec::new();
    for (id, air) in all(&region.medialive) {
        for (index, pipeline) in air.pipelines.iter().enumerate().filter(|(_, pipeline)| pipeline.has_run()) {
            let dimensions = vec![("ChannelId", id.to_owned()), ("Pipeline", index.to_string())];
            for metric in METRICS {
                found.push(Series { namespace: NAMESPACE, metric, dimensions: dimensions.clone() });
            }
            for group in pipeline.groups() {
                let mut dimensions = dimensions.clone();
                dimensions.push(("OutputGroupName", group.to_owned()));
                found.push(Series { namespace: NAMESPACE, metric: "ActiveOutputs", dimensions });
            }
        }
    }
    found
}

/// The samples of a series in a time span: taken every interval, only while the pipeline ran.
fn samples(
    region: &Region,
    config: &Config,
    metric: &str,
    dimensions: &[(&str, &str)],
    span: Span,
    now: Duration,
) -> Vec<(Duration, f64)> {
    let of = |name: &str| dimensions.iter().find(|(found, _)| *found == name).map(|(_, value)| *value);
    let (Some(channel), Some(index)) = (of("ChannelId"), of("Pipeline").and_then(|p| p.parse::<usize>().ok())) else {
        return Vec::new();
    };
    let group = of("OutputGroupName");
    let wanted = if group.is_some() { 3 } else { 2 };
    if dimensions.len() != wanted || (group.is_some() && metric != "ActiveOutputs") {
        return Vec::new();
    }
    let Some((_, air)) = all(&region.medialive).find(|(id, _)| *id == channel) else { return Vec::new() };
    let Some(pipeline) = air.pipelines.get(index) else { return Vec::new() };
    let interval = times(config, span, now).1;
    let ran = times(config, span, now).0.filter(|at| pipeline.ran(*at));
    ran.filter_map(|at| sample(air, index, pipeline, metric, group, (at, interval)).map(|value| (at, value))).collect()
}

fn sample(
    air: &OnAir,
    index: usize,
    pipeline: &Pipeline,
    metric: &str,
    group: Option<&str>,
    (at, interval): (Duration, Duration),
) -> Option<f64> {
    let megabits = |bits: u64| bits as f64 / 1_000_000.0;
    let waited = pipeline.waiting(at).map(|since| at.saturating_sub(since));
    match metric {
        "ActiveAlerts" => Some(air.alerts.count(index, at) as f64),
        "ActiveOutputs" => pipeline.active(group, at).map(|count| count as f64),
        "FillMsec" => Some(waited.map_or(0.0, |waited| (waited.as_secs_f64() * 1000.0).min(LONGEST_FILL))),
        "InputLossSeconds" => Some(waited.map_or(0.0, |waited| waited.min(interval).as_secs_f64())),
        "InputVideoFrameRate" => Some(if waited.is_some() { 0.0 } else { FRAME_RATE }),
        "NetworkIn" => Some(megabits(pipeline.received(at).unwrap_or_default())),
        "NetworkOut" => Some(megabits(pipeline.sent(at))),
        _ => None,
    }
}
