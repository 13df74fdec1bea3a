//! Annotations that ask for something. Nothing checks one when it is written, so that one which is not acted upon is told.

use std::collections::BTreeMap;

use crate::api::destination::BackupMode;
use crate::api::policy::parse_duration;
use crate::api::{ACTIVE_ENDPOINT, Destination, Source, TEST_CONNECTION};
use crate::conditions::{ANNOTATION_IGNORED, Conditions, Truth};
use crate::reasons::Reason;
use crate::wording::repeated;

type Annotations = Option<BTreeMap<String, String>>;

/// Why the annotation of a Source is not acted upon.
#[must_use]
pub fn of_source(source: &Source) -> Option<String> {
    let all = &source.metadata.annotations;
    let takes = "it takes a length of time with units, as in 60s or 1m30s";
    unless(all, TEST_CONNECTION, |value| parse_duration(value).is_some(), takes)
        .or_else(|| unless(all, ACTIVE_ENDPOINT, |_| false, "it is for Destinations; a Source has spec.activeInput"))
}

/// Why the annotation of a Destination is not acted upon.
#[must_use]
pub fn of_destination(destination: &Destination) -> Option<String> {
    let all = &destination.metadata.annotations;
    let switches = destination.spec.backup.as_ref().is_some_and(|backup| backup.mode == BackupMode::OnFailure);
    unless(all, ACTIVE_ENDPOINT, |value| ["Primary", "Backup"].contains(&value), "it takes Primary or Backup")
        .or_else(|| unless(all, ACTIVE_ENDPOINT, |_| switches, "it is for a backup of mode OnFailure"))
        .or_else(|| unless(all, TEST_CONNECTION, |_| false, "it is for Sources"))
}

fn unless(all: &Annotations, name: &str, is_taken: impl Fn(&str) -> bool, takes: &str) -> Option<String> {
    let value = all.as_ref()?.get(name).filter(|value| !is_taken(value))?;
    Some(format!("The annotation {name} is {} and is not acted upon; {takes}.", repeated(value)))
}

/// The condition that tells it.
pub fn condition(list: &mut Conditions<'_>, ignored: Option<String>) {
    if let Some(text) = ignored {
        list.set(ANNOTATION_IGNORED, Truth::True, Reason::InvalidSpec, text);
    }
}
