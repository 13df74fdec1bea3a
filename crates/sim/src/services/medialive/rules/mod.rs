//! The rules that a channel and an input must keep.

mod attachments;
mod codec;
mod destinations;
mod encoder;
pub(crate) mod input;
mod outputs;

use serde_json::{Map, Value, json};

use super::{State, text, unprocessable};
use crate::error::ApiError;
use crate::services::is_role;

/// All that is wrong with a request: the service tells it at once. Neither a URL nor a stream name may be in it.
#[derive(Default)]
struct Violations(Vec<(String, String)>);

impl Violations {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push((path.into(), message.into()));
    }

    fn result(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = self.0.iter().map(|(path, message)| format!("{path} {message}")).collect();
        let errors: Vec<Value> =
            self.0.iter().map(|(path, message)| json!({ "elementPath": path, "errorMessage": message })).collect();
        Err(unprocessable(texts.join("; ")).with("validationErrors", json!(errors)))
    }
}

/// A channel as it is after a request. `own` is its id, if it has one yet; with `role` it must have a role.
pub(super) fn check_channel(
    settings: &Map<String, Value>,
    state: &State,
    own: Option<&str>,
    role: bool,
) -> Result<(), ApiError> {
    destinations::check_kinds(settings)?;
    outputs::check_kinds(settings)?;
    let mut found = Violations::default();
    if text(settings, "name").is_empty() {
        found.add("name", "The channel must have a name");
    }
    let arn = text(settings, "roleArn");
    if (role || !arn.is_empty()) && !is_role(arn) {
        found.add("roleArn", format!("'{arn}' is not the ARN of a role"));
    }
    let specification = settings.get("inputSpecification");
    for member in ["codec", "maximumBitrate", "resolution"] {
        if specification.is_none_or(|specification| specification[member].is_null()) {
            found.add(format!("inputSpecification.{member}"), "This member is required");
        }
    }
    let maintenance = settings.get("maintenance").and_then(|maintenance| maintenance["maintenanceStartTime"].as_str());
    if maintenance.is_some_and(|time| !is_hour(time)) {
        found.add("maintenance.maintenanceStartTime", "The time must be a full hour, as 03:00");
    }
    attachments::check(settings, state, &mut found);
    destinations::check(settings, &mut found);
    encoder::check(settings, &mut found);
    outputs::check(settings, &mut found);
    found.result()?;
    attachments::check_free(settings, state, own)
}

/// Whether this is a full hour of the day.
fn is_hour(time: &str) -> bool {
    time.strip_suffix(":00").and_then(|hour| hour.parse::<u8>().ok()).is_some_and(|hour| hour < 24)
}

/// The names in a list of objects.
fn names<'a>(list: &'a [Value], member: &'a str) -> impl Iterator<Item = &'a str> {
    list.iter().filter_map(move |item| item[member].as_str())
}

/// Complains of names that are not there or there twice.
fn check_names(list: &[Value], member: &str, path: &str, found: &mut Violations) {
    for (index, item) in list.iter().enumerate() {
        let name = item[member].as_str().unwrap_or_default();
        if name.is_empty() {
            found.add(format!("{path}[{index}].{member}"), "This member is required");
        } else if names(&list[..index], member).any(|other| other == name) {
            found.add(format!("{path}[{index}].{member}"), format!("The name \"{name}\" is not unique"));
        }
    }
}
