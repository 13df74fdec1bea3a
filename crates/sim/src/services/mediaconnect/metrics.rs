//! Metrics of flows: the recorded signals, sampled as the service publishes them.

use std::time::Duration;

use super::State;
use super::signals::{Link, OutputSignals, Signals, SourceSignals};
use crate::config::Config;
use crate::services::cloudwatch::series::{Series, times};

/// CloudWatch's name for the service.
pub(crate) const NAMESPACE: &str = "AWS/MediaConnect";

/// Metrics of a source, and of the flow that takes it.
const SOURCE: [&str; 7] = [
    "SourceConnected",
    "SourceBitRate",
    "SourcePacketLossPercent",
    "SourceRoundTripTime",
    "SourceSelected",
    "SourceDisconnections",
    "SourceNotRecoveredPackets",
];
const OUTPUT: [&str; 3] = ["OutputConnected", "OutputBitRate", "OutputDisconnections"];
const CONNECTED_OUTPUTS: &str = "ConnectedOutputs";

/// Bytes of media in a packet: seven cells of a transport stream.
const PACKET: f64 = 1316.0;

/// What a metric is about.
enum Subject<'a> {
    Flow(&'a Signals),
    Source(&'a Signals, &'a str, &'a SourceSignals),
    Output(&'a Signals, &'a OutputSignals),
}

/// Every series that has data.
pub(crate) fn series(state: &State) -> Vec<Series> {
    let mut found = Vec::new();
    let mut add = |metrics: &[&'static str], dimension, value: &str| {
        for metric in metrics {
            found.push(Series { namespace: NAMESPACE, metric, dimensions: vec![(dimension, value.to_owned())] });
        }
    };
    for signals in all(state) {
        if signals.running.at(Duration::MAX).is_none() {
            continue;
        }
        add(&SOURCE, "FlowARN", &signals.flow);
        add(&[CONNECTED_OUTPUTS], "FlowARN", &signals.flow);
        signals.sources.keys().for_each(|arn| add(&SOURCE, "SourceARN", arn));
        signals.outputs.keys().for_each(|arn| add(&OUTPUT, "OutputARN", arn));
    }
    found
}

fn all(state: &State) -> impl Iterator<Item = &Signals> {
    state.flows.values().map(|flow| &flow.signals).chain(state.departed.iter().map(|departed| &departed.signals))
}

/// The samples of a series in a time span: taken every interval, only while the flow ran, and readable after the lag.
pub(crate) fn samples(
    state: &State,
    config: &Config,
    metric: &str,
    dimensions: &[(&str, &str)],
    span: (Duration, Duration),
    now: Duration,
) -> Vec<(Duration, f64)> {
    let [(dimension, value)] = *dimensions else { return Vec::new() };
    let Some(subject) = all(state).find_map(|signals| subject(signals, dimension, value)) else { return Vec::new() };
    let (Subject::Flow(signals) | Subject::Source(signals, ..) | Subject::Output(signals, _)) = &subject;
    let (moments, interval) = times(config, span, now);
    let ran = moments.filter(|at| signals.running.at(*at) == Some(&true));
    ran.filter_map(|at| sample(&subject, metric, at, interval, config).map(|value| (at, value))).collect()
}

fn subject<'a>(signals: &'a Signals, dimension: &str, value: &str) -> Option<Subject<'a>> {
    match dimension {
        "FlowARN" => (signals.flow == value).then_some(Subject::Flow(signals)),
        "SourceARN" => signals.sources.get_key_value(value).map(|(arn, source)| Subject::Source(signals, arn, source)),
        "OutputARN" => signals.outputs.get(value).map(|output| Subject::Output(signals, output)),
        _ => None,
    }
}

fn sample(subject: &Subject<'_>, metric: &str, at: Duration, interval: Duration, config: &Config) -> Option<f64> {
    match subject {
        Subject::Flow(signals) if metric == CONNECTED_OUTPUTS => {
            let connected = |output: &&OutputSignals| output.link.at(at) == Some(&Link::Connected);
            Some(signals.outputs.values().filter(connected).count() as f64)
        }
        // The flow's source metrics are those of the source that it takes.
        Subject::Flow(signals) => {
            let arn = signals.selected.at(at)?.first()?;
            of_source(signals, arn, signals.sources.get(arn)?, metric, at, interval)
        }
        Subject::Source(signals, arn, source) => of_source(signals, arn, source, metric, at, interval),
        Subject::Output(signals, output) => of_output(signals, output, metric, at, interval, config),
    }
}

fn of_source(
    signals: &Signals,
    arn: &str,
    source: &SourceSignals,
    metric: &str,
    at: Duration,
    interval: Duration,
) -> Option<f64> {
    let signal = source.signal.at(at)?;
    // A source that has been removed publishes nothing.
    source.present.at(at).filter(|present| **present)?;
    match metric {
        "SourceConnected" => Some(truth(signal.connected)),
        "SourceBitRate" => Some(signal.bitrate as f64),
        "SourcePacketLossPercent" => signal.connected.then_some(signal.packet_loss_percent),
        "SourceRoundTripTime" => (signal.connected && source.round_trip).then_some(signal.round_trip_time),
        "SourceSelected" => Some(truth(signals.selected.at(at)?.iter().any(|selected| selected == arn))),
        "SourceDisconnections" => Some(events(&source.drops, at, interval)),
        // Retransmission has repaired what the loss says; beyond five percent it does not keep up.
        "SourceNotRecoveredPackets" => {
            let packets = signal.bitrate as f64 / 8.0 / PACKET * interval.as_secs_f64();
            Some((packets * (signal.packet_loss_percent - 5.0).max(0.0) / 100.0).round())
        }
        _ => None,
    }
}

fn of_output(
    signals: &Signals,
    output: &OutputSignals,
    metric: &str,
    at: Duration,
    interval: Duration,
    config: &Config,
) -> Option<f64> {
    let link = *output.link.at(at)?;
    // An output that is disabled or removed publishes nothing.
    if link == Link::Off {
        return None;
    }
    match metric {
        "OutputConnected" if output.connection => Some(truth(link == Link::Connected)),
        "OutputBitRate" => {
            let taken = signals.selected.at(at)?.iter().filter_map(|arn| signals.sources.get(arn)?.signal.at(at));
            let bitrate = taken.map(|signal| signal.bitrate).max().unwrap_or_default();
            Some(if link == Link::Connected { bitrate as f64 } else { 0.0 })
        }
        "OutputDisconnections" if output.connection => {
            let failed = match link {
                Link::Trying { since } => {
                    attempts(since, at.saturating_sub(interval), at, config.durations.output_retry)
                }
                _ => 0.0,
            };
            Some(events(&output.drops, at, interval) + failed)
        }
        _ => None,
    }
}

fn truth(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

/// How many events there were since the sample before.
fn events(all: &[Duration], at: Duration, interval: Duration) -> f64 {
    let before = at.saturating_sub(interval);
    all.iter().filter(|event| **event > before && **event <= at).count() as f64
}

/// How many attempts after the first failed in a span.
fn attempts(since: Duration, from: Duration, to: Duration, retry: Duration) -> f64 {
    let retry = retry.max(Duration::from_millis(1));
    let until = |time: Duration| time.saturating_sub(since).as_nanos() / retry.as_nanos();
    (until(to) - until(from)) as f64
}
