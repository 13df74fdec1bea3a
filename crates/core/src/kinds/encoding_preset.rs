//! `EncodingPreset`: an object that Kubernetes alone knows. There is nothing to observe but who uses it, and nothing to do.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Value, json};

use crate::action::{self, Effect, Intent};
use crate::api::RECONCILE_AT;
use crate::api::destination::Platform;
use crate::api::encoding_preset::{EncodingPreset, EncodingPresetSpec, EncodingPresetStatus};
use crate::conditions::Conditions;
use crate::encoding::Encoding;
use crate::frame::{Facts, Managed, Wish};
use crate::left::{Farewell, farewell};
use crate::plan::{Desired, Plan, Step};
use crate::reasons::Reason;
use crate::stored::Stored;
use crate::waiting::Waiting;
use crate::{platforms, presets};

/// Most users that the status names.
const NAMED: usize = 20;

impl Stored for EncodingPreset {
    fn least() -> Value {
        json!({ "width": 320, "height": 180, "frameRate": "30", "videoBitrateKbps": 100 })
    }
}

/// What can be done for a preset: nothing.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub enum Action {}

impl action::Action for Action {
    fn intent(&self) -> Intent {
        match *self {}
    }

    fn effect(&self) -> Effect {
        match *self {}
    }
}

/// Who names a preset, as `Destination/name`, in alphabetical order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Users(Vec<String>);

impl Users {
    /// From the names of the Destinations.
    #[must_use]
    pub fn of_destinations(names: impl IntoIterator<Item = String>) -> Self {
        let mut users: Vec<_> = names.into_iter().map(|name| user(&name)).collect();
        users.sort();
        Self(users)
    }
}

fn user(destination: &str) -> String {
    format!("Destination/{destination}")
}

fn count_of(users: usize) -> i32 {
    i32::try_from(users).unwrap_or(i32::MAX)
}

/// Parses the spec.
#[must_use]
pub fn wanted(spec: &EncodingPresetSpec, deleting: bool) -> Desired<Encoding> {
    match presets::parse(spec) {
        _ if deleting => Desired::Absent,
        Ok(encoding) => Desired::Present(encoding),
        Err(problem) => Desired::Invalid(problem),
    }
}

impl Wish for Encoding {
    type Seen = Users;
    type Action = Action;
    type Memory = ();

    /// Everything is said by the status.
    fn plan(&self, seen: &Users) -> Plan<Action, ()> {
        self.rest(seen)
    }
}

impl Facts for Users {
    type Action = Action;

    fn retire(&self) -> Step<Action> {
        Step::Gone
    }

    /// A preset that is used stays: what is on the air with it could not be started again.
    fn before_it_goes(&self, _: bool) -> Option<Step<Action>> {
        (!self.0.is_empty()).then(|| Step::wait_for_watch(Waiting::InUse(self.0.clone())))
    }

    fn last_word(&self) -> Farewell {
        farewell(&[], true)
    }
}

impl Managed for EncodingPreset {
    const IN_AWS: bool = false;

    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }

    fn is_summary(stored: &EncodingPresetStatus, new: &EncodingPresetStatus) -> bool {
        is_summary(stored, new)
    }
}

/// What a pass over a preset came to.
pub type Outcome<'a> = crate::outcome::Outcome<'a, Encoding, Users, Action>;

/// The new status.
#[must_use]
pub fn status(preset: &EncodingPreset, outcome: &Outcome<'_>) -> EncodingPresetStatus {
    let before = preset.status.clone().unwrap_or_default();
    let mut status = EncodingPresetStatus {
        observed_generation: preset.metadata.generation,
        last_handled_reconcile_at: preset.metadata.annotations.as_ref().and_then(|a| a.get(RECONCILE_AT)).cloned(),
        ..before.clone()
    };
    if let Some(Users(users)) = outcome.seen {
        status.used_by_count = Some(count_of(users.len()));
        status.used_by = users.iter().take(NAMED).cloned().collect();
    }
    let mut settled = String::new();
    match (outcome.wanted, outcome.step) {
        (Some(encoding), _) => {
            let name = preset.metadata.name.as_deref().unwrap_or_default();
            let (taken, not): (Vec<_>, Vec<_>) =
                Platform::ALL.into_iter().partition(|platform| platforms::check(*platform, name, encoding).is_ok());
            let words = |platforms: &[Platform]| platforms.iter().map(|p| format!("{p:?}")).collect::<Vec<_>>();
            settled = match not.as_slice() {
                [] => "All platforms take it.".into(),
                not => format!("It can be used, but not for {}.", words(not).join(", ")),
            };
            if let Some(warning) = presets::upright(encoding) {
                settled = format!("{settled} {warning}");
            }
            status.encoding = Some(encoding.to_string());
            status.platforms = words(&taken);
        }
        // It cannot be understood.
        (None, Some(Step::Stalled(_))) => {
            status.encoding = None;
            status.platforms = Vec::new();
        }
        (None, _) => {}
    }
    let mut list = Conditions::after(&before.conditions, preset.metadata.generation, outcome.now);
    list.outcome(outcome.step, outcome.failure, (Reason::Valid, settled), Reason::Updating);
    status.conditions = list.finish();
    status
}

/// Whether two statuses differ in who uses the preset alone.
fn is_summary(stored: &EncodingPresetStatus, new: &EncodingPresetStatus) -> bool {
    let rest = |status: &EncodingPresetStatus| EncodingPresetStatus {
        used_by: Vec::new(),
        used_by_count: None,
        ..status.clone()
    };
    rest(stored) == rest(new)
}

#[cfg(test)]
mod tests;
