//! CloudWatch: what MediaConnect and MediaLive measure. One call serves all objects that ask within a moment.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use playout_core::evidence::{MEASUREMENT_PATIENCE, first_since, is_since};
use playout_core::failure::{Failure, FailureClass};
use playout_core::resources::flow::Measured;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::batch::Batch;
use crate::caller::{Caller, next_page};
use crate::clock::{Clock, within};
use crate::rate_limit::Urgency;

/// How long readings are gathered into one call.
const GATHERING: Duration = Duration::from_millis(30);
const GET: &str = "cloudwatch:GetMetricData";
/// How long a look waits for a measurement, which is worth knowing and not worth waiting for.
const WAITED_FOR: Duration = Duration::from_secs(3);
/// How old a reading may be where a newer one is waited for.
const ANEW: Duration = Duration::from_secs(1);
/// How long a failure is everybody's, before AWS is asked again.
const FAILED_FOR: Duration = Duration::from_secs(2);
/// GetMetricData takes 500 queries a call; a source needs five.
const MOST: usize = 100;

/// So long after its period a data point stands for what is, while no newer one comes. Seconds.
const LATE: i64 = 300;
/// How long a reading that nobody asks for is kept.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Subject {
    /// A source of a flow; its key is its ARN.
    Source,
    /// An output of a flow; its key is its ARN.
    Output,
    /// An output group of a channel of one pipeline; its key is `channel id/name of the group`. The bitrate is that of all
    /// groups together: AWS measures no other.
    ChannelOutput,
}

/// One metric of a subject.
struct Measure {
    name: &'static str,
    statistic: &'static str,
    /// Whether it is measured of the whole that the subject is a part of.
    of_whole: bool,
    /// Where its value goes.
    note: fn(&mut Measured, f64),
}

impl Subject {
    fn namespace(self) -> &'static str {
        match self {
            Self::Source | Self::Output => "AWS/MediaConnect",
            Self::ChannelOutput => "AWS/MediaLive",
        }
    }

    fn dimensions(self, key: &str, of_whole: bool) -> Vec<(&'static str, &str)> {
        match self {
            Self::Source => vec![("SourceARN", key)],
            Self::Output => vec![("OutputARN", key)],
            Self::ChannelOutput => {
                let (channel, group) = key.split_once('/').unwrap_or((key, ""));
                let mut dimensions = vec![("ChannelId", channel), ("Pipeline", "0")];
                dimensions.extend((!of_whole).then_some(("OutputGroupName", group)));
                dimensions
            }
        }
    }

    /// Any of them says by its presence that the subject is measured: which one AWS publishes is a matter of the protocol
    /// ([`playout_core::evidence`] has its pages). A connection that came up within the period counts as up.
    fn metrics(self) -> &'static [Measure] {
        const fn of(name: &'static str, statistic: &'static str, note: fn(&mut Measured, f64)) -> Measure {
            Measure { name, statistic, of_whole: false, note }
        }
        const SOURCE: &[Measure] = &[
            of("SourceConnected", "Maximum", |m, value| m.connected = Some(value >= 1.0)),
            of("SourceBitRate", "Average", |m, value| m.bitrate = Some(value)),
            of("SourcePacketLossPercent", "Average", |m, value| m.packet_loss = Some(value)),
            of("SourceRoundTripTime", "Average", |m, value| m.round_trip = Some(value)),
            of("SourceSelected", "Maximum", |m, value| m.selected = Some(value >= 1.0)),
        ];
        const OUTPUT: &[Measure] = &[
            of("OutputConnected", "Maximum", |m, value| m.connected = Some(value >= 1.0)),
            of("OutputBitRate", "Average", |m, value| m.bitrate = Some(value)),
        ];
        const CHANNEL_OUTPUT: &[Measure] = &[
            of("ActiveOutputs", "Maximum", |m, value| m.connected = Some(value >= 1.0)),
            // Mbit/s.
            Measure { of_whole: true, ..of("NetworkOut", "Average", |m, value| m.bitrate = Some(value * 1_000_000.0)) },
        ];
        match self {
            Self::Source => SOURCE,
            Self::Output => OUTPUT,
            Self::ChannelOutput => CHANNEL_OUTPUT,
        }
    }
}

/// The last data points of a subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The values.
    pub measured: Measured,
    /// Start of the newest period that has data, in seconds since 1970: that of the connection, where there is one.
    pub from: Option<i64>,
    /// Its end.
    pub until: Option<i64>,
    /// Whether AWS gave an answer when it was asked last.
    pub answered: bool,
}

/// The service, as narrow as we need it.
#[derive(Debug)]
pub struct Measurements {
    client: Client,
    caller: Arc<Caller>,
    clock: Clock,
    period: Duration,
    gather: Batch<(), (Subject, String), Reading>,
    known: Arc<Mutex<HashMap<(Subject, String), Known>>>,
    /// When AWS last gave no answer, and what was said of it.
    failed: std::sync::Mutex<Option<(Instant, Failure)>>,
    /// What this process has changed itself, by ARN.
    changed: std::sync::Mutex<HashMap<String, Changed>>,
}

/// A reading, when it was read, and how it is asked for.
#[derive(Clone, Debug)]
struct Known {
    reading: Reading,
    read: Instant,
    asked: Instant,
    /// How long before that it was asked for.
    every: Duration,
    /// How old it may be for who asks.
    age: Duration,
}

impl Known {
    /// Whether it will be asked for before a reading of now is too old.
    fn is_due(&self, now: Instant) -> bool {
        let next = self.asked + self.every;
        now > self.read + self.age / 2 && next <= now + self.age && now <= next + self.age
    }
}

/// A change of our own.
#[derive(Clone, Copy, Debug)]
struct Changed {
    /// When, in seconds since 1970.
    at: i64,
    /// Whether there was a data point of since.
    seen: bool,
}

impl Measurements {
    pub(super) fn new(sdk: &SdkConfig, caller: Arc<Caller>, clock: Clock, period: Duration) -> Self {
        Self {
            client: Client::new(sdk),
            caller,
            clock,
            period: period.max(Duration::from_secs(1)),
            gather: Batch::new(GATHERING, MOST),
            known: Arc::default(),
            failed: std::sync::Mutex::default(),
            changed: std::sync::Mutex::default(),
        }
    }

    fn changes(&self) -> MutexGuard<'_, HashMap<String, Changed>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called with the result of a change of our own and the ARN of what is measured anew, if it may have been carried out:
    /// what was measured before says nothing of it. What AWS has refused has changed nothing.
    pub fn sent<T>(&self, arn: &str, result: &Result<T, Failure>) {
        if result.as_ref().err().is_none_or(Failure::outcome_unknown) {
            self.changed(arn);
        }
    }

    /// Notes that what is measured under this ARN was changed now.
    pub fn changed(&self, arn: &str) {
        let now = self.clock.now().as_second();
        let mut changes = self.changes();
        changes.retain(|_, changed| now < changed.at.saturating_add_unsigned(FORGOTTEN.as_secs()));
        changes.insert(arn.to_string(), Changed { at: now, seen: false });
    }

    /// When that was, in seconds since 1970.
    pub fn changed_at(&self, arn: &str) -> Option<i64> {
        self.changes().get(arn).map(|changed| changed.at)
    }

    /// Whether a data point whose period begins then is from before our own change; `None`: there is none, and there was none of
    /// since.
    pub fn is_outdated(&self, arn: &str, from: Option<i64>) -> bool {
        let mut changes = self.changes();
        let Some(changed) = changes.get_mut(arn) else { return false };
        let is_since = is_since(from, Some(changed.at));
        changed.seen |= is_since;
        !is_since && (from.is_some() || !changed.seen)
    }

    /// Whether AWS is to be expected to measure what was changed, and has not by this data point.
    pub fn is_awaited(&self, arn: &str, from: Option<i64>) -> bool {
        let now = self.clock.now().as_second();
        let is_recent = |at: i64| now < at.saturating_add_unsigned(MEASUREMENT_PATIENCE.as_secs());
        self.is_outdated(arn, from) && self.changed_at(arn).is_some_and(is_recent)
    }

    /// How long it is until AWS can have measured what was changed of these; `None`: there is nothing to wait for.
    pub fn awaited<'a>(&self, arns: impl Iterator<Item = &'a str>) -> Option<Duration> {
        let (now, period) = (self.clock.now().as_second(), self.seconds());
        let changes = self.changes();
        let waits = |changed: &&Changed| {
            !changed.seen && now < changed.at.saturating_add_unsigned(MEASUREMENT_PATIENCE.as_secs())
        };
        let changed = arns.filter_map(|arn| changes.get(arn)).filter(waits).map(|changed| changed.at).max()?;
        Some(Duration::from_secs(u64::try_from(first_since(changed, period) - now).unwrap_or_default()))
    }

    fn seconds(&self) -> i64 {
        i64::try_from(self.period.as_secs()).unwrap_or(60)
    }

    /// The length of a data point.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// The last data points, as they were known not longer than `age` ago. [`Subject`] says what the key is. `changed`: when we
    /// changed it, in seconds since 1970: as soon as AWS can have measured something since, nothing older is taken.
    ///
    /// # Errors
    /// AWS gave no answer, or does not allow it.
    pub async fn read(
        &self,
        subject: Subject,
        key: &str,
        age: Duration,
        changed: Option<i64>,
    ) -> Result<Reading, Failure> {
        let (now, second) = (self.clock.instant(), self.clock.now().as_second());
        let item = (subject, key.to_string());
        let first = changed.map(|changed| first_since(changed, self.seconds()));
        let fresh = |reading: &Reading| match first {
            Some(first) if second >= first && !is_since(reading.from, changed) => age.min(ANEW),
            // There is no news before that.
            Some(first) if second < first => age * 2,
            _ => age,
        };
        let others = {
            let mut known = self.known.lock().await;
            // Outputs come and go; what was not asked for in an hour is gone.
            known.retain(|_, k| now < k.asked + FORGOTTEN);
            if let Some(known) = known.get_mut(&item) {
                (known.every, known.age) = (now.saturating_duration_since(known.asked), age);
                known.asked = now;
                if now <= known.read + fresh(&known.reading) {
                    return Ok(known.reading.clone());
                }
            }
            // Who will ask soon, too: one call for all.
            let others = known.iter().filter(|(other, k)| **other != item && k.is_due(now));
            others.map(|(other, _)| other.clone()).take(MOST - 1).collect::<Vec<_>>()
        };
        if let Some((_, failure)) = self.failed().as_ref().filter(|(at, _)| now < *at + FAILED_FOR) {
            return Err(failure.clone());
        }
        let (client, caller, clock, period, known) =
            (self.client.clone(), self.caller.clone(), self.clock.clone(), self.period, self.known.clone());
        let asked = self.gather.ask((), item, move |(), mut items| {
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
                for (place, (item, reading)) in items.into_iter().zip(&mut readings).enumerate() {
                    // AWS publishes late now and then, and gives no answer now and then. That is no news.
                    let is_news = match reading {
                        Ok(reading) => reading.until.is_some(),
                        Err(failure) => failure.class == FailureClass::Denied,
                    };
                    let now_is = clock.now().as_second();
                    let last = known.get(&item).map(|k| &k.reading).filter(|_| !is_news);
                    if let Some(last) = last.filter(|r| r.until.is_some_and(|until| until + LATE > now_is)) {
                        *reading = Ok(Reading { answered: reading.is_ok(), ..last.clone() });
                    }
                    let Ok(reading) = reading else { continue };
                    let entry = known.entry(item).or_insert_with(|| Known {
                        reading: Reading::default(),
                        read: now,
                        asked: now,
                        every: Duration::ZERO,
                        age,
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
        });
        // The answer is kept when it comes, whoever has gone by then.
        let answer = within(WAITED_FOR, asked).await.unwrap_or_else(|| Err(no_answer()));
        if let Err(failure) = &answer {
            *self.failed() = Some((self.clock.instant(), failure.clone()));
        }
        answer
    }

    fn failed(&self) -> MutexGuard<'_, Option<(Instant, Failure)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_answer() -> Failure {
    Failure { class: FailureClass::Transient, operation: GET.into(), message: "no answer in time".into() }
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
    for (item, (subject, key)) in items.iter().enumerate() {
        for (metric, measure) in subject.metrics().iter().enumerate() {
            let dimensions = subject.dimensions(key, measure.of_whole).into_iter();
            let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
            let stat = MetricStat::builder()
                .metric(
                    Metric::builder()
                        .namespace(subject.namespace())
                        .metric_name(measure.name)
                        .set_dimensions(Some(dimensions.collect()))
                        .build(),
                )
                .period(seconds)
                .stat(measure.statistic)
                .build();
            queries.push(MetricDataQuery::builder().id(format!("m{item}_{metric}")).metric_stat(stat).build());
        }
    }
    let now = clock.now().as_second();
    // Publication lags: three periods back, and at least half a minute.
    let start = now - i64::from(seconds.max(10)) * 3;
    let mut readings = vec![Reading { answered: true, ..Reading::default() }; items.len()];
    let mut connected = vec![false; items.len()];
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
        let page = match caller.read(GET, Urgency::Check, call).await {
            Ok(page) => page,
            Err(failure) => return items.iter().map(|_| Err(failure.clone())).collect(),
        };
        for result in page.metric_data_results() {
            let place = result.id().and_then(|id| id.strip_prefix('m')).and_then(|id| id.split_once('_'));
            let Some((item, metric)) =
                place.and_then(|(i, m)| Some((i.parse::<usize>().ok()?, m.parse::<usize>().ok()?)))
            else {
                continue;
            };
            let (Some(value), Some(at)) = (result.values().first(), result.timestamps().first()) else { continue };
            let found = (readings.get_mut(item), connected.get_mut(item), items.get(item));
            let (Some(reading), Some(has_connection), Some((subject, _))) = found else { continue };
            let Some(measure) = subject.metrics().get(metric) else { continue };
            (measure.note)(&mut reading.measured, *value);
            // The first is that of the connection.
            let is_newer = reading.from.is_none_or(|from| from < at.secs()) && !*has_connection;
            if metric == 0 || is_newer {
                reading.from = Some(at.secs());
                reading.until = Some(at.secs() + i64::from(seconds));
                *has_connection |= metric == 0;
            }
        }
        token = next_page(page.next_token());
        if token.is_none() {
            return readings.into_iter().map(Ok).collect();
        }
    }
}
