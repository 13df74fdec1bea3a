//! What people should know of a Destination that is as requested: it stands behind what `Ready` says.

use super::wanted::Wanted;
use crate::annotations;
use crate::api::destination::Destination;
use crate::conditions::{Conditions, SAME_RECEIVER, Truth};
use crate::reasons::Reason;
use crate::wording::shortened;

/// The sentence with all that is to be said beside it.
#[must_use]
pub fn with_advice(sentence: String, destination: &Destination, wanted: Option<&Wanted>) -> String {
    let ignored = annotations::of_destination(destination);
    let same = wanted.and_then(same_receiver);
    [ignored, same].into_iter().flatten().fold(sentence, |all, more| format!("{all} {more}"))
}

/// The condition that tells of others who send the same way.
pub fn conditions(list: &mut Conditions<'_>, wanted: &Wanted) {
    if let Some(text) = same_receiver(wanted) {
        list.set(SAME_RECEIVER, Truth::True, Reason::SameReceiver, text);
    }
}

fn same_receiver(wanted: &Wanted) -> Option<String> {
    let others = &wanted.same_receiver;
    let (own, foreign): (Vec<_>, Vec<_>) = others.iter().partition(|o| o.namespace == wanted.identity.namespace);
    let names: Vec<String> = own.iter().map(|other| other.name.clone()).collect();
    let who = match (names.as_slice(), foreign.len()) {
        ([], 0) => return None,
        ([], 1) => "A Destination of another namespace sends".to_string(),
        ([], _) => "Destinations of other namespaces send".to_string(),
        ([name], 0) => format!("Destination {name} sends"),
        (_, 0) => format!("Destinations {} send", shortened(&names)),
        (_, _) => format!("Destinations {} and others of another namespace send", shortened(&names)),
    };
    Some(format!(
        "{who} to the same receiver with the same key, and receivers throw one or both out: give each a key of its own, or stop one."
    ))
}
