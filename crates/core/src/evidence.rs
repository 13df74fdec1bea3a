//! What AWS shows of a stream, and what that proves. Every series and every text that a decision rests on stands here, beside
//! the page of AWS's documents that promises it for the protocol; what no page promises is used where it is there and never
//! waited for.
//!
//! The pages are of `https://docs.aws.amazon.com/mediaconnect/latest/ug/`, those of MediaLive of
//! `https://docs.aws.amazon.com/medialive/latest/ug/`.
//!
//! | what | promised for | page |
//! |---|---|---|
//! | `SourceBitRate`, `SourcePacketLossPercent` | every source of a transport stream | `monitor-with-cloudwatch-metrics-source-health.html` |
//! | `SourceConnected` | SRT, Zixi and NDI sources | the same |
//! | `SourceRoundTripTime` | RIST, Zixi and SRT sources | the same |
//! | `SourceSelected` | flows with failover of mode Failover | the same |
//! | the peer's address of a source | who sends now, up to 20 s late, where the encoder calls; the configured address where the flow calls | `source-ip-address.html` |
//! | `OutputConnected` | SRT and Zixi outputs | `monitor-with-cloudwatch-metrics-output-health.html` |
//! | `OutputBitRate` | SRT outputs | the same |
//! | errors of an output | every output | `monitor-flow-health.html` |
//! | `ActiveOutputs`, `NetworkOut` | output groups of a channel, and all of them together | MediaLive's `monitoring-eml-metrics.html` |
//! | alerts of a channel | every channel | MediaLive's `monitor-activity-types-alerts-channels.html` |

pub mod streams;

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::age::age;
use crate::api::source::SourceStatus;
use crate::resources::channel::Alert;
use crate::resources::flow::{Measured, Protocol};

/// How long to wait for a measurement that AWS documents. It publishes each second and at once
/// (`monitor-with-cloudwatch-metric-info.html`); the operator reads it by the period, and CloudWatch is late now and then.
pub const MEASUREMENT_PATIENCE: Duration = Duration::from_secs(120);
/// How long an output without a documented measurement has to send without an error of AWS's until it counts as being sent: a
/// connection that is refused is told of in that time.
pub const QUIET_FOR: Duration = Duration::from_secs(5);

/// How long after a period began AWS has published something of it: it publishes each second and at once.
const PUBLISHED_AFTER: i64 = 2;
/// How late AWS shows another peer of a source (`source-ip-address.html`).
const PEER_LAG: Duration = Duration::from_secs(20);

/// Whether a data point whose period began then (`None`: there is none) says what is since the operator's own change at `changed`
/// (`None`: there was none); both in seconds since 1970. The period of the change itself does not: it is of before, too.
#[must_use]
pub fn is_since(from: Option<i64>, changed: Option<i64>) -> bool {
    changed.is_none_or(|changed| from.is_some_and(|from| from > changed))
}

/// When CloudWatch can have the first data point that says what is since a change, in seconds since 1970: periods begin at
/// multiples of their length ("rounded down to the nearest time that corresponds to even 10-second divisions",
/// `docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html`).
#[must_use]
pub fn first_since(changed: i64, period: i64) -> i64 {
    let period = period.max(1);
    (changed.div_euclid(period) + 1) * period + PUBLISHED_AFTER
}

/// Whether AWS documents a measurement of the receiver's connection: `OutputConnected` "applies to outputs that use the Zixi or
/// SRT protocol".
#[must_use]
pub fn measures_receiver(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::SrtCaller | Protocol::SrtListener | Protocol::ZixiPush)
}

/// Whether the peer's address of a source says that somebody sends. Where the flow calls, AWS shows the configured address,
/// whether anybody is there or not; of NDI it shows none.
fn shows_who_sends(protocol: Protocol) -> bool {
    match protocol {
        Protocol::SrtListener | Protocol::Rtp | Protocol::RtpFec | Protocol::Rist => true,
        // Encoders call, but the page does not name them.
        Protocol::ZixiPush | Protocol::RtmpPush => true,
        Protocol::SrtCaller | Protocol::Ndi | Protocol::Other => false,
    }
}

/// What AWS has against an output or a source of a flow, in the flow's `messages.errors`. Documented is
/// "Output {name} Stream Error: {message}. Please investigate the flow output.", and the same for a source; another text that
/// names it is taken as it is.
#[must_use]
pub fn stream_error(errors: &[String], name: &str) -> Option<String> {
    let text = errors.iter().find(|text| names(text, name))?;
    let told = text.split_once(" Stream Error: ").map_or(text.as_str(), |(_, told)| told);
    let told = told.split_once(" Please investigate the flow").map_or(told, |(told, _)| told);
    Some(told.trim().to_string())
}

/// Whether a text has this name in it, and not one that it is a part of.
fn names(text: &str, name: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
            !before.is_some_and(inside) && !after.is_some_and(inside)
        })
}

/// Since when something is what it is: since what was recorded of it, where that was the same. `None`: it has just become so.
#[must_use]
pub fn unchanged_since<'a, S: PartialEq>(was: &S, since: Option<&'a Time>, is: &S) -> Option<&'a Time> {
    since.filter(|_| was == is)
}

/// A number that does not change with every measurement: two significant digits, and the old value while the new one is
/// within a tenth of it.
#[must_use]
pub fn steady(value: Option<f64>, before: Option<i64>) -> Option<i64> {
    let value = value.filter(|v| v.is_finite() && *v >= 0.0)?;
    #[expect(clippy::cast_precision_loss, reason = "kbit/s and milliseconds are far below 2^52")]
    if let Some(old) = before
        && (value - old as f64).abs() <= (old as f64) * 0.1
    {
        return Some(old);
    }
    let mut scale = 1.0;
    while value / scale >= 100.0 {
        scale *= 10.0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the bitrates of AWS")]
    Some(((value / scale).round() * scale) as i64)
}

/// How an input of a Source was looked at, while its flow runs.
#[derive(Clone, Debug, PartialEq)]
pub struct InputLook<'a> {
    /// Its protocol.
    pub protocol: Protocol,
    /// Whether AWS shows the address of a peer.
    pub peer: bool,
    /// The newest data points; `None`: there were none to be had, or nothing is to be measured.
    pub measured: Option<&'a Measured>,
    /// Whether CloudWatch gave an answer to the last question, be it without data points.
    pub answered: bool,
    /// The start and the end of the period of the newest data point, in seconds since 1970.
    pub from: Option<i64>,
    /// See `from`.
    pub until: Option<i64>,
    /// When the operator last changed its settings, in seconds since 1970.
    pub changed: Option<i64>,
    /// When the operator last changed which input leads, or may have.
    pub led: Option<i64>,
    /// Since when it could be measured: the flow runs, and the input is in it.
    pub began: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
}

/// What was found of an input: numbers that are of now, and whether it receives something; `None`: not known.
#[must_use]
pub fn of_input(look: &InputLook<'_>) -> (Measured, Option<bool>) {
    let changed = look.changed.and_then(|changed| Timestamp::from_second(changed).ok());
    let began = look.began.unwrap_or(look.now);
    // What was measured before this start says nothing of the encoder now, nor does what is older than CloudWatch is ever late.
    let newest = look.until.and_then(|until| Timestamp::from_second(until).ok()).filter(|until| *until > began);
    let newest = newest.filter(|_| is_since(look.from, look.changed));
    let began = changed.map_or(began, |changed| changed.max(began));
    let is_current = newest.is_some_and(|until| age(until, look.now) < MEASUREMENT_PATIENCE);
    let mut measured = look.measured.filter(|_| is_current).cloned().unwrap_or_default();
    if !is_since(look.from, look.led) {
        measured.selected = None;
    }
    let is_shown_late = changed.is_some_and(|changed| age(changed, look.now) < PEER_LAG);
    let somebody_sends = look.peer && !is_shown_late && shows_who_sends(look.protocol);
    let receives = match (measured.bitrate, measured.connected) {
        (Some(bitrate), _) if bitrate > 0.0 => Some(true),
        // The bitrate of a transport stream is no series of NDI.
        (_, Some(connected)) if look.protocol == Protocol::Ndi => Some(connected),
        (Some(_), _) => Some(false),
        (None, Some(connected)) => Some(connected),
        (None, None) if somebody_sends => Some(true),
        (None, None) => {
            let silent_for = age(newest.unwrap_or(began), look.now);
            (look.answered && silent_for >= MEASUREMENT_PATIENCE).then_some(false)
        }
    };
    (measured, receives)
}

/// Since when an input could be measured, by what the status says: it has to be in the flow, and the flow has to run.
#[must_use]
pub fn began(status: Option<&SourceStatus>, input: &str) -> Option<Timestamp> {
    use crate::api::source::InputHealth;
    let status = status?;
    let started = status.started_at.as_ref()?.0;
    let known = status.inputs.iter().find(|i| i.name == input && i.in_flow)?;
    // Its health was unknown since it came into the flow.
    let came = known.since.as_ref().map(|t| t.0).filter(|_| known.health == Some(InputHealth::Unknown));
    Some(came.map_or(started, |came| came.max(started)))
}

/// Alerts of a channel that say that nothing arrives that it can show, in MediaLive's words: nothing comes from the flow (5302),
/// or nothing that can be decoded (5007, 5010, 5201), or an output group does not send for want of it (6036).
const NOTHING_ARRIVES: [&str; 5] = [
    "stopped receiving udp input",
    "video not detected",
    "initial probe is taking longer than expected",
    "input removed the active program",
    "output group is paused",
];

/// Whether an alert of a channel says that nothing arrives at it.
#[must_use]
pub fn tells_of_no_input(alert: &Alert) -> bool {
    let kind = alert.kind.to_lowercase();
    NOTHING_ARRIVES.iter().any(|words| kind.contains(words))
}

/// Words in which an RTMP server says that it will not take the stream however often it is asked: the key, or who sends.
///
/// No page of AWS promises that an alert has them. Its list has "Failed RTMP Connection" (6018), which "was not able to connect to
/// its endpoint", and no cause (`monitor-activity-types-alerts-channels.html` of the MediaLive user guide). So they only end sooner
/// what ends anyway: without them it is tried again as often as `spec.retry` allows. Both ways are tested.
const REFUSALS: [&str; 8] = [
    "unauthorized",
    "unauthorised",
    "forbidden",
    "rejected",
    "badname",
    "bad name",
    "invalid key",
    "invalid stream key",
];

/// Whether what AWS says of a receiver is a refusal, and not a connection that was lost.
#[must_use]
pub fn is_refusal(message: &str) -> bool {
    let message = message.to_lowercase();
    REFUSALS.iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::stream_error;

    #[test]
    fn an_error_is_of_the_output_that_it_names_and_no_other() {
        let documented =
            "Output playout-ab12-primary Stream Error: Connection refused. Please investigate the flow output.";
        let errors = ["The entitlement is in use.".to_string(), documented.to_string()];
        assert_eq!(stream_error(&errors, "playout-ab12-primary").as_deref(), Some("Connection refused."));
        for other in ["playout-ab12-backup", "playout-ab12", "ab12-primary", "playout-ab12-primary-2", ""] {
            assert_eq!(stream_error(&errors, other), None, "{other}");
        }
        let source =
            ["Source StudioFeed2 Stream Error: CDI Configuration Error. Please investigate the flow source.".into()];
        assert_eq!(stream_error(&source, "StudioFeed2").as_deref(), Some("CDI Configuration Error."));
        let other_words = ["Output a-primary is unable to connect to the destination live.example.net.".to_string()];
        assert_eq!(stream_error(&other_words, "a-primary"), Some(other_words[0].clone()));
    }
}
