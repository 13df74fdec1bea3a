//! Metrics of flows: the recorded signals, sampled as the service publishes them.
//!
//! A series is there for a protocol only if a page of AWS lists it for that protocol. The pages are of the MediaConnect
//! user guide, docs.aws.amazon.com/mediaconnect/latest/ug/: monitor-with-cloudwatch-metrics-source-health.html and
//! monitor-with-cloudwatch-metrics-output-health.html. RTMP, which is newer than both, counts as a protocol of which
//! they say nothing.

use std::time::Duration;

use super::State;
use super::signals::{Choice, Link, OutputSignals, Signals, SourceSignals};
use crate::config::Config;
use crate::services::Region;
use crate::services::metrics::{Metrics, Series, Span, times};

const NAMESPACE: &str = "AWS/MediaConnect";

pub(super) const PUBLISHED: Metrics = Metrics { namespace: NAMESPACE, series, samples };

/// Metrics of a source, and of the flow that takes it.
const SOURCE: [&str; 8] = [
    "SourceConnected",
    "SourceBitRate",
    "SourcePacketLossPercent",
    "SourceRoundTripTime",
    "SourceSelected",
    "SourceMergeActive",
    "SourceDisconnections",
    "SourceNotRecoveredPackets",
];
const OUTPUT: [&str; 3] = ["OutputConnected", "OutputBitRate", "OutputDisconnections"];
const CONNECTED_OUTPUTS: &str = "ConnectedOutputs";

/// Bytes of media in a packet: seven cells of a transport stream.
const PACKET: f64 = 1316.0;

/// Whether AWS lists a metric for sources of a protocol in a flow that chooses among its sources in a way
/// (monitor-with-cloudwatch-metrics-source-health.html).
fn of_source_protocol(metric: &str, protocol: &str, choice: Choice) -> bool {
    let (ndi, srt_or_zixi) = (protocol == "ndi-speed-hq", srt_or_zixi(protocol));
    match metric {
        // "This metric applies only to sources that use the Zixi or SRT protocol"; the table for NDI has it, too.
        "SourceConnected" => srt_or_zixi || ndi,
        // The row names no protocol. It counts changes of that status, so it is not there without.
        "SourceDisconnections" => srt_or_zixi,
        // "applies to sources that use the RIST, Zixi, or SRT protocol".
        "SourceRoundTripTime" => srt_or_zixi || protocol == "rist",
        // The rows of the table for transport streams name no protocol; the table for NDI has none of them.
        "SourceBitRate" | "SourcePacketLossPercent" | "SourceNotRecoveredPackets" => !ndi,
        // "applies if your flow uses source failover, and the failover mode is set to Failover".
        "SourceSelected" => choice == Choice::Failover,
        // "useful when the flow has multiple sources for failover and you are using the Merge failover mode".
        "SourceMergeActive" => choice == Choice::Merge,
        _ => false,
    }
}

/// Whether AWS lists a metric for outputs of a protocol (monitor-with-cloudwatch-metrics-output-health.html).
fn of_output_protocol(metric: &str, output: &OutputSignals, config: &Config) -> bool {
    if output.protocol == "rtmp-push" {
        return config.switches.rtmp_output_metrics;
    }
    match metric {
        // "This metric applies to outputs that use the Zixi or SRT protocol", both, and ConnectedOutputs that counts them.
        "OutputConnected" | "OutputDisconnections" => srt_or_zixi(&output.protocol),
        // "This metric applies to outputs that use the SRT protocols or output to MediaLive".
        "OutputBitRate" => output.protocol.starts_with("srt-") || output.managed,
        _ => false,
    }
}

fn srt_or_zixi(protocol: &str) -> bool {
    protocol.starts_with("srt-") || protocol.starts_with("zixi-")
}

/// What a metric is about.
enum Subject<'a> {
    Flow(&'a Signals),
    Source(&'a Signals, &'a str, &'a SourceSignals),
    Output(&'a Signals, &'a OutputSignals),
}

/// Every series that has data.
fn series(region: &Region, config: &Config) -> Vec<Series> {
    let state = &region.mediaconnect;
    let mut found = Vec::new();
    let mut add = |metric: &'static str, dimension, value: &str| {
        found.push(Series { namespace: NAMESPACE, metric, dimensions: vec![(dimension, value.to_owned())] });
    };
    for signals in all(state) {
        if signals.running.at(Duration::MAX).is_none() {
            continue;
        }
        let choice = signals.choice.at(Duration::MAX).copied().unwrap_or_default();
        for metric in SOURCE {
            let publishes = |source: &SourceSignals| of_source_protocol(metric, &source.protocol, choice);
            let of = signals.sources.iter().filter(|(_, source)| publishes(source));
            of.clone().for_each(|(arn, _)| add(metric, "SourceARN", arn));
            of.take(1).for_each(|_| add(metric, "FlowARN", &signals.flow));
        }
        for metric in OUTPUT {
            let of = signals.outputs.iter().filter(|(_, output)| of_output_protocol(metric, output, config));
            of.clone().for_each(|(arn, _)| add(metric, "OutputARN", arn));
            let counted = metric == "OutputConnected";
            of.take(usize::from(counted)).for_each(|_| add(CONNECTED_OUTPUTS, "FlowARN", &signals.flow));
        }
    }
    found
}

fn all(state: &State) -> impl Iterator<Item = &Signals> {
    state.flows.values().map(|flow| &flow.signals).chain(state.departed.iter().map(|departed| &departed.signals))
}

/// The samples of a series in a time span: taken every interval, only while the flow ran, and readable after the lag.
fn samples(
    region: &Region,
    config: &Config,
    metric: &str,
    dimensions: &[(&str, &str)],
    span: Span,
    now: Duration,
) -> Vec<(Duration, f64)> {
    let state = &region.mediaconnect;
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
            let counted = |output: &&OutputSignals| {
                of_output_protocol("OutputConnected", output, config)
                    && output.link.at(at).is_some_and(|link| *link != Link::Off)
            };
            let connected = |output: &&OutputSignals| output.link.at(at) == Some(&Link::Connected);
            let counted: Vec<_> = signals.outputs.values().filter(counted).collect();
            (!counted.is_empty()).then(|| counted.into_iter().filter(connected).count() as f64)
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
    if !of_source_protocol(metric, &source.protocol, *signals.choice.at(at)?) {
        return None;
    }
    match metric {
        "SourceConnected" => Some(truth(signal.connected)),
        "SourceBitRate" => Some(signal.bitrate as f64),
        "SourcePacketLossPercent" => signal.connected.then_some(signal.packet_loss_percent),
        "SourceRoundTripTime" => signal.connected.then_some(signal.round_trip_time),
        "SourceSelected" | "SourceMergeActive" => {
            Some(truth(signals.selected.at(at)?.iter().any(|selected| selected == arn)))
        }
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
    if link == Link::Off || !of_output_protocol(metric, output, config) {
        return None;
    }
    match metric {
        "OutputConnected" => Some(truth(link == Link::Connected)),
        "OutputBitRate" => {
            let taken = signals.selected.at(at)?.iter().filter_map(|arn| signals.sources.get(arn)?.signal.at(at));
            let bitrate = taken.map(|signal| signal.bitrate).max().unwrap_or_default();
            Some(if link == Link::Connected { bitrate as f64 } else { 0.0 })
        }
        "OutputDisconnections" => {
            let failed = match link {
                Link::Trying { since } => {
                    attempts(since, at.saturating_sub(interval), at, config.mediaconnect.durations.output_retry)
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
