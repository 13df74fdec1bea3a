//! What people are told of a Destination, as Events.

use std::fmt::Write as _;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt as _;

use crate::api::ACTIVE_ENDPOINT;
use crate::api::destination::{ActiveEndpoint, AlertStatus, Destination, DestinationStatus, RetryWord};
use crate::conditions::{DELIVERING, READY};
use crate::failover::REQUESTED;
use crate::reasons::Reason;
use crate::resources::channel::ChannelState;
use crate::told::{self, News};
use crate::wording::ended;

/// What the status of a Destination tells that the one before it did not.
#[must_use]
pub fn news<'a>(before: &Destination, after: &'a Destination) -> Vec<News<'a>> {
    let Some(now) = &after.status else { return Vec::new() };
    let nothing = DestinationStatus::default();
    let last = before.status.as_ref().unwrap_or(&nothing);
    let switched = switched(last, now, after);
    let mut news = told::news(&last.conditions, &now.conditions, switched.is_some());
    news.extend(switched);
    let (set, cleared) = changed(&last.alerts, &now.alerts);
    // What Ready begins to say, or has ceased to, with an alert's words needs no Event beside its own.
    let is_said = |status: &DestinationStatus, alert: &AlertStatus| {
        let of_ready =
            |c: &&Condition| matches!(c.type_.as_str(), READY | DELIVERING) && c.reason != Reason::Alert.as_str();
        status.conditions.iter().filter(of_ready).any(|c| c.message.contains(&alert.message))
    };
    let has_spoken = !news.is_empty();
    for alert in set.into_iter().filter(|alert| !(has_spoken && is_said(now, alert))) {
        let message = warning(alert).into();
        news.push(News { warning: true, reason: Reason::Alert, message });
    }
    // With the channel they go, and nobody has cleared them.
    let runs = now.channel.as_ref().and_then(|c| c.state.as_deref()) == Some(ChannelState::Running.as_str());
    for alert in cleared.into_iter().filter(|alert| runs && !(has_spoken && is_said(last, alert))) {
        let message = said("MediaLive warns no more of", alert).into();
        news.push(News { warning: false, reason: Reason::Alert, message });
    }
    news
}

/// That another endpoint leads, why, and how it goes back: nothing does by itself, so that nothing flaps. A channel's switch is told
/// when it begins, by what it takes; an output's is over when it is seen.
fn switched(last: &DestinationStatus, now: &DestinationStatus, destination: &Destination) -> Option<News<'static>> {
    let failover = now.failover.as_ref().filter(|_| now.channel.is_none())?;
    let led = last.failover.as_ref().map_or(ActiveEndpoint::Primary, |last| last.endpoint);
    // In the pause before an attempt nothing leads: whose turn it is, the decision tells.
    let pauses = now.retries.as_ref().is_some_and(|retries| retries.state != RetryWord::Trying);
    if led == failover.endpoint || pauses {
        return None;
    }
    let (leads, other) = match failover.endpoint {
        ActiveEndpoint::Backup => ("backup", "Primary"),
        ActiveEndpoint::Primary => ("primary", "Backup"),
        ActiveEndpoint::Both | ActiveEndpoint::Unknown => return None,
    };
    let mut message = format!("The {leads} leads now: {}", ended(&failover.reason));
    let asked = failover.reason == REQUESTED;
    if !asked {
        let (name, namespace) = (destination.name_any(), destination.namespace().unwrap_or_default());
        let _ = write!(
            message,
            " While it takes the stream it leads; to go back: kubectl -n {namespace} annotate destination {name} --overwrite {ACTIVE_ENDPOINT}={other}"
        );
    }
    let warning = failover.endpoint == ActiveEndpoint::Backup && !asked;
    Some(News { warning, reason: Reason::Switched, message: message.into() })
}

/// That MediaLive warns of something, in its words.
pub(super) fn warning(alert: &AlertStatus) -> String {
    said("MediaLive warns of", alert)
}

fn said(what: &str, alert: &AlertStatus) -> String {
    ended(&format!("{what} {}: {}", alert.kind, alert.message))
}

/// The alerts that are set now and were not before, and the other way round. One of a kind whose words alone have changed (they
/// count seconds) is the same.
fn changed<'a>(before: &'a [AlertStatus], after: &'a [AlertStatus]) -> (Vec<&'a AlertStatus>, Vec<&'a AlertStatus>) {
    let only = |these: &'a [AlertStatus], those: &[AlertStatus]| {
        let mut rest: Vec<&AlertStatus> = those.iter().collect();
        let mut found: Vec<&'a AlertStatus> = Vec::new();
        for alert in these {
            match rest.iter().position(|other| *other == alert) {
                Some(at) => drop(rest.swap_remove(at)),
                None => found.push(alert),
            }
        }
        found
    };
    let (mut set, mut cleared) = (only(after, before), only(before, after));
    set.retain(|alert| match cleared.iter().position(|gone| gone.kind == alert.kind) {
        Some(at) => {
            cleared.swap_remove(at);
            false
        }
        None => true,
    });
    (set, cleared)
}
