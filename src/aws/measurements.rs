//! CloudWatch: what MediaConnect measures. One call serves all objects that ask within a moment.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use playout_core::flow::Measured;
use playout_core::plan::Failure;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::caller::Caller;
use super::gather::Gather;
use super::pace::Urgency;
use crate::clock::Clock;

/// How long readings are gathered into one call.
const GATHERING: Duration = Duration::from_millis(30);
/// GetMetricData takes 500 queries a call; a source needs five.
const MOST: usize = 100;

/// How long a reading that nobody asks for is kept.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Subject {
    /// A source of a flow.
    Source,
    /// An output of a flow.
    Output,
}

impl Subject {
    fn dimension(self) -> &'static str {
        match self {
            Self::Source => "SourceARN",
            Self::Output => "OutputARN",
        }
    }

    /// Name and statistic. A connection that came up within the period counts as up.
    fn metrics(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Source => &[
                ("SourceConnected", "Maximum"),
                ("SourceBitRate", "Average"),
                ("SourcePacketLossPercent", "Average"),
                ("SourceRoundTripTime", "Average"),
                ("SourceSelected", "Maximum"),
            ],
            Self::Output => &[("OutputConnected", "Maximum"), ("OutputBitRate", "Average")],
        }
    }
}

/// The last data points of a source or an output.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The values.
    pub measured: Measured,
    /// End of the newest period that has data, in seconds since 1970.
    pub until: Option<i64>,
}

/// The service, as narrow as we need it.
#[derive(Debug)]
pub struct Measurements {
    client: Client,
    caller: Arc<Caller>,
    clock: Clock,
    period: Duration,
    gather: Gather<(), (Subject, String), Reading>,
    known: Arc<Mutex<HashMap<String, Known>>>,
}

/// A reading, when it was read, and when it was last asked for.
#[derive(Clone, Debug)]
struct Known {
    subject: Subject,
    reading: Reading,
    read: Instant,
    asked: Instant,
}

impl Measurements {
    pub(super) fn new(sdk: &SdkConfig, caller: Arc<Caller>, clock: Clock, period: Duration) -> Self {
        Self {
            client: Client::new(sdk),
            caller,
            clock,
            period: period.max(Duration::from_secs(1)),
            gather: Gather::new(GATHERING, MOST),
            known: Arc::default(),
        }
    }

    /// The last data points, as they were known not longer than `age` ago.
    ///
    /// # Errors
    /// AWS gave no answer, or does not allow it.
    pub async fn read(&self, subject: Subject, arn: &str, age: Duration) -> Result<Reading, Failure> {
        let now = self.clock.instant();
        let others = {
            let mut known = self.known.lock().await;
            // Outputs come and go; what was not asked for in an hour is gone.
            known.retain(|_, k| now < k.asked + FORGOTTEN);
            if let Some(known) = known.get_mut(arn) {
                known.asked = now;
                if now <= known.read + age {
                    return Ok(known.reading.clone());
                }
            }
            // Who asks as often as this one will ask soon, too: one call for all.
            let soon = |k: &Known| now > k.read + age / 2 && now < k.asked + age * 4;
            let others = known.iter().filter(|(other, k)| *other != arn && soon(k));
            others.map(|(other, k)| (k.subject, other.clone())).take(MOST - 1).collect::<Vec<_>>()
        };
        let (client, caller, clock, period, known) =
            (self.client.clone(), self.caller.clone(), self.clock.clone(), self.period, self.known.clone());
        self.gather
            .ask((), (subject, arn.to_string()), move |(), mut items| {
                let (client, caller, clock, known) = (client.clone(), caller.clone(), clock.clone(), known.clone());
                let asked = items.len();
                for other in &others {
                    if items.len() < MOST && !items.contains(other) {
                        items.push(other.clone());
                    }
                }
                async move {
                    let mut readings = get(&client, &caller, &clock, period, &items).await;
                    let now = clock.instant();
                    let mut known = known.lock().await;
                    for (place, ((subject, arn), reading)) in items.into_iter().zip(&readings).enumerate() {
                        let Ok(reading) = reading else { continue };
                        let entry = known.entry(arn).or_insert_with(|| Known {
                            subject,
                            reading: Reading::default(),
                            read: now,
                            asked: now,
                        });
                        entry.reading = reading.clone();
                        entry.read = now;
                        if place < asked {
                            entry.asked = now;
                        }
                    }
                    readings.truncate(asked);
                    readings
                }
            })
            .await
    }
}

async fn get(
    client: &Client,
    caller: &Caller,
    clock: &Clock,
    period: Duration,
    items: &[(Subject, String)],
) -> Vec<Result<Reading, Failure>> {
    let seconds = i32::try_from(period.as_secs()).unwrap_or(60);
    let mut queries = Vec::new();
    for (item, (subject, arn)) in items.iter().enumerate() {
        for (metric, (name, statistic)) in subject.metrics().iter().enumerate() {
            let stat = MetricStat::builder()
                .metric(
                    Metric::builder()
                        .namespace("AWS/MediaConnect")
                        .metric_name(*name)
                        .dimensions(Dimension::builder().name(subject.dimension()).value(arn).build())
                        .build(),
                )
                .period(seconds)
                .stat(*statistic)
                .build();
            queries.push(MetricDataQuery::builder().id(format!("m{item}_{metric}")).metric_stat(stat).build());
        }
    }
    let now = clock.now().as_second();
    // Publication lags: three periods back, and at least half a minute.
    let start = now - i64::from(seconds.max(10)) * 3;
    let mut readings = vec![Reading::default(); items.len()];
    let mut token = None;
    loop {
        let call = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(DateTime::from_secs(start))
            .end_time(DateTime::from_secs(now + 1))
            .scan_by(ScanBy::TimestampDescending)
            .set_next_token(token)
            .send();
        let page = match caller.read("cloudwatch:GetMetricData", Urgency::Check, call).await {
            Ok(page) => page,
            Err(failure) => return items.iter().map(|_| Err(failure.clone())).collect(),
        };
        for result in page.metric_data_results() {
            let place = result.id().and_then(|id| id.strip_prefix('m')).and_then(|id| id.split_once('_'));
            let Some((item, metric)) = place.and_then(|(i, m)| Some((i.parse::<usize>().ok()?, m.parse().ok()?)))
            else {
                continue;
            };
            let (Some(value), Some(at)) = (result.values().first(), result.timestamps().first()) else { continue };
            if let (Some(reading), Some((subject, _))) = (readings.get_mut(item), items.get(item)) {
                note(reading, *subject, metric, *value, at.secs() + i64::from(seconds));
            }
        }
        token = page.next_token().map(str::to_string);
        if token.is_none() {
            return readings.into_iter().map(Ok).collect();
        }
    }
}

fn note(reading: &mut Reading, subject: Subject, metric: usize, value: f64, until: i64) {
    let measured = &mut reading.measured;
    match subject.metrics().get(metric).map(|(name, _)| *name) {
        Some("SourceConnected" | "OutputConnected") => {
            measured.connected = Some(value >= 1.0);
            reading.until = Some(until);
        }
        Some("SourceBitRate" | "OutputBitRate") => measured.bitrate = Some(value),
        Some("SourcePacketLossPercent") => measured.packet_loss = Some(value),
        Some("SourceRoundTripTime") => measured.round_trip = Some(value),
        Some("SourceSelected") => measured.selected = Some(value >= 1.0),
        _ => {}
    }
}
