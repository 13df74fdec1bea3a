//! What testers ask of a world, whichever service it is about.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A control call that cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ControlError {
    /// HTTP status: 400 or 404.
    pub status: u16,
    /// Why.
    pub message: String,
}

impl ControlError {
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }

    pub(crate) fn absent(what: &str, name: &str) -> Self {
        Self { status: 404, message: format!("there is no {what} {name}") }
    }
}

/// A change behind the back of whoever made the resource. No state is asked and no rule is checked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Edit {
    /// The region; without one, whichever region has the flow.
    pub region: Option<String>,
    /// Name or ARN of the flow that is meant.
    pub flow: String,
    /// Id, ARN or name of the MediaLive channel that is meant, and not a flow.
    pub channel: Option<String>,
    /// Id, ARN or name of the MediaLive input that is meant, and not a flow.
    pub input: Option<String>,
    /// Name or ARN of the source that is meant, if it is not the flow itself.
    pub source: Option<String>,
    /// Name or ARN of the output that is meant.
    pub output: Option<String>,
    /// A JSON merge patch: of the flow's settings, or of the source, output, channel or input as requests have
    /// them.
    pub patch: Option<Value>,
    /// Tags: a merge patch too.
    pub tags: Option<BTreeMap<String, Option<String>>>,
    /// Removes the source, the output, or the whole flow, channel or input at once.
    pub remove: bool,
    /// Puts the flow, channel or input into a state.
    pub status: Option<String>,
    /// Errors that DescribeFlow tells: as they are, or as stream errors of the source or output that is meant.
    pub errors: Option<Vec<String>>,
}

impl Edit {
    /// The kind and the name of what is meant.
    pub(crate) fn meant(&self) -> (&'static str, &str) {
        match (&self.channel, &self.input) {
            (Some(channel), _) => ("channel", channel),
            (None, Some(input)) => ("input", input),
            (None, None) => ("flow", &self.flow),
        }
    }

    /// Patches settings, as far as the edit does.
    pub(crate) fn patch(&self, settings: &mut Map<String, Value>) {
        merge_patch(settings, self.patch.as_ref());
    }

    /// Changes tags, as far as the edit does.
    pub(crate) fn tag(&self, tags: &mut BTreeMap<String, String>) {
        for (key, value) in self.tags.iter().flatten() {
            match value {
                Some(value) => drop(tags.insert(key.clone(), value.clone())),
                None => drop(tags.remove(key)),
            }
        }
    }
}

/// A JSON merge patch.
fn merge_patch(settings: &mut Map<String, Value>, patch: Option<&Value>) {
    let Some(Value::Object(patch)) = patch else { return };
    for (member, value) in patch {
        match value {
            Value::Null => drop(settings.remove(member)),
            Value::Object(_) => {
                let target = settings.entry(member.clone()).or_insert(Value::Null);
                if !target.is_object() {
                    *target = json!({});
                }
                if let Value::Object(inner) = target {
                    merge_patch(inner, Some(value));
                }
            }
            other => drop(settings.insert(member.clone(), other.clone())),
        }
    }
}

/// What a world starts with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Seed {
    /// SSM parameters.
    pub parameters: Vec<SeedParameter>,
    /// Secrets.
    pub secrets: Vec<SeedSecret>,
}

/// An SSM parameter that is there from the start.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedParameter {
    /// Region.
    pub region: String,
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// `String` or `SecureString`.
    #[serde(default = "secure")]
    pub r#type: String,
}

fn secure() -> String {
    "SecureString".to_owned()
}

/// A secret that is there from the start.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedSecret {
    /// Region.
    pub region: String,
    /// Name.
    pub name: String,
    /// Value.
    pub secret_string: String,
}

/// What AWS maintains.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Maintenance {
    /// Name or ARN of the flow that is meant.
    #[serde(default)]
    pub flow: String,
    /// Id, ARN or name of the channel that is meant, and not a flow.
    #[serde(default)]
    pub channel: Option<String>,
    /// Whether its state tells of it. AWS does not document which states it has meanwhile.
    #[serde(default = "told")]
    pub told: bool,
}

fn told() -> bool {
    true
}

impl Maintenance {
    /// The kind and the name of what is meant.
    pub(crate) fn meant(&self) -> (&'static str, &str) {
        match &self.channel {
            Some(channel) => ("channel", channel),
            None => ("flow", &self.flow),
        }
    }
}
