//! What is said of the stream at its receivers: whether they take it, and whether it is more than they accept.

use super::Outcome;
use super::connection::{Air, Connection, Fed};
use super::observed::Programme;
use super::wanted::Wanted;
use crate::conditions::{Conditions, DELIVERING, Truth};
use crate::reasons::Reason;

/// What does not take the stream, when nothing else does.
pub(super) fn refused(fed: &[Fed]) -> Option<&Fed> {
    fed.iter().find(|f| f.connection == Connection::Down).filter(|_| Air::of(fed) == Air::Refused)
}

/// That a receiver does not take the stream, and what to do.
pub(super) fn refusal(fed: &Fed) -> String {
    format!(
        "{} does not take the stream: check the key, whether the live event is open, and the URL.{}",
        fed.at,
        fed.words()
    )
}

/// The worst of what is fed. Nothing is delivered while nothing is sent.
/// `still`: what sends and is not ours.
pub(super) fn delivering(list: &mut Conditions<'_>, fed: &[Fed], still: Option<String>) {
    let found = |f: &Fed| {
        let at = &f.at;
        match (f.programme, f.connection) {
            (Some(false), _) => (5, Truth::False, Reason::NoSignal, format!("There is no programme to send to {at}.")),
            (_, Connection::Down) => (4, Truth::False, Reason::NotConnected, refusal(f)),
            (_, Connection::Pending) => (3, Truth::Unknown, Reason::Connecting, format!("Sending to {at}.")),
            (None, _) => {
                let text = format!("Sending to {at}; whether there is a programme to send is not known.");
                (2, Truth::Unknown, Reason::NoSignal, text)
            }
            (Some(true), Connection::Unmeasured) => {
                (1, Truth::Unknown, Reason::NotMeasured, format!("Sending to {at}; AWS measures no connection."))
            }
            (Some(true), Connection::Up) => (0, Truth::True, Reason::Connected, format!("{at} takes the stream.")),
        }
    };
    match (fed.iter().map(found).max_by_key(|(rank, ..)| *rank), still) {
        (Some((_, truth, reason, text)), _) => list.set(DELIVERING, truth, reason, text),
        (None, Some(still)) => {
            let text = format!("{still} still sends; what is not this Destination's is not measured.");
            list.set(DELIVERING, Truth::Unknown, Reason::NotOurs, text)
        }
        (None, None) => list.set(DELIVERING, Truth::False, Reason::Stopped, "Nothing is sent."),
    };
}

/// By how much the programme exceeds what the platform accepts, while it is sent there.
pub(super) fn over_limit<'a>(outcome: &Outcome<'a>, fed: &[Fed]) -> Option<(&'a Wanted, i64)> {
    let (wanted, seen) = (outcome.wanted?, outcome.seen?);
    let Programme::Flow { bitrate_kbps: Some(kbps), .. } = &seen.flow else { return None };
    // While a change of the platform waits, the limit is not that of who receives it.
    let is_there = |f: &Fed| wanted.outputs.get(&f.role).is_none_or(|output| output.receiver.shown() == f.at);
    let is_over = Air::of(fed) == Air::Running && wanted.max_kbps.is_some_and(|max| *kbps > max);
    let is_over = is_over && fed.iter().all(is_there);
    is_over.then_some((wanted, *kbps))
}

pub(super) fn too_much(wanted: &Wanted, kbps: i64) -> String {
    format!(
        "The programme has {kbps} kbit/s and {:?} accepts {}; lower the encoder's bitrate.",
        wanted.platform,
        wanted.max_kbps.unwrap_or_default()
    )
}
