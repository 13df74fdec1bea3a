//! What `Ready` says of a Destination whose wish is carried out: also of what is wrong with the programme, since it is what people
//! read.

use super::Outcome;
use super::connection::{Air, Connection, Fed};
use super::delivering::{over_limit, refusal, too_much};
use super::told::warning;
use crate::api::destination::{ActiveEndpoint, Destination, DestinationState, DestinationStatus};
use crate::failover::REQUESTED;
use crate::plan::Step;
use crate::reasons::Reason;
use crate::wording::ended;

/// The reason and the message.
pub(super) fn as_requested(
    status: &DestinationStatus,
    destination: &Destination,
    outcome: &Outcome<'_>,
    fed: &[Fed],
) -> (Reason, String) {
    if destination.spec.suspend {
        let mut text = Reason::Suspended.meaning().to_string();
        // What is to be off the air, too, and is not.
        if !fed.is_empty() {
            text += " It is sent meanwhile.";
        }
        for down in fed.iter().filter(|f| f.air() == Air::Refused) {
            text += &format!(" {}", refusal(down));
        }
        return (Reason::Suspended, text);
    }
    let (mut reason, mut text) = match (outcome.step, status.state) {
        (Some(Step::Wait { on, .. }), _) if on.is_carried_out() => (on.reason(), on.message()),
        (_, Some(DestinationState::Running)) => (Reason::Running, on_the_air(fed)),
        _ => return (Reason::Stopped, "It is off the air as requested.".to_string()),
    };
    let backup = status.failover.as_ref().filter(|failover| failover.endpoint == ActiveEndpoint::Backup);
    if let Some(failover) = backup.filter(|_| status.active_endpoint == Some(ActiveEndpoint::Backup)) {
        let is_told = outcome.seen.is_some_and(|seen| seen.failover.requested.is_some());
        let why = match failover.reason.as_str() {
            REQUESTED if !is_told => "it was asked for, and stays while it is well",
            why => why,
        };
        text += &format!(" The backup endpoint is fed: {}", ended(why));
    }
    let add = |reason: &mut Reason, text: &mut String, also: Reason, more: &str| {
        if *reason == Reason::Running {
            *reason = also;
        }
        *text += &format!(" {more}");
    };
    for down in fed.iter().filter(|f| f.air() == Air::Refused) {
        add(&mut reason, &mut text, Reason::NotConnected, &refusal(down));
    }
    if let Some((wanted, kbps)) = over_limit(outcome, fed) {
        add(&mut reason, &mut text, Reason::OverLimit, &too_much(wanted, kbps));
    }
    for alert in &status.alerts {
        // What was quoted is said.
        if !text.contains(&alert.message) {
            add(&mut reason, &mut text, Reason::Alert, &warning(alert));
        }
    }
    for deferred in outcome.deferred {
        add(&mut reason, &mut text, Reason::PendingChanges, &deferred.why);
    }
    let warnings = outcome.wanted.and_then(|w| w.channel.as_ref()).map_or_else(Vec::new, |c| c.warnings.clone());
    warnings.into_iter().for_each(|warning| add(&mut reason, &mut text, Reason::Running, &warning));
    (reason, text)
}

/// What is sent, by which endpoint where the other one is refused.
fn on_the_air(fed: &[Fed]) -> String {
    let runs = |f: &&Fed| f.air() == Air::Running;
    let what = match fed.iter().find(runs) {
        Some(half) if fed.iter().any(|f| f.air() == Air::Refused) => {
            format!("The {} endpoint", half.role.word().to_lowercase())
        }
        _ => "It".to_string(),
    };
    if fed.iter().any(|f| f.connection == Connection::Up) {
        return format!("{what} is on the air.");
    }
    format!("{what} is being sent, and AWS tells of no error; whether the receiver takes it is not measured.")
}
