//! `EncodingPreset`, which needs nothing of AWS.

use std::time::Duration;

use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource as _, ResourceExt as _};
use playout_api::{Destination, EncodingPreset, EncodingPresetStatus};
use playout_core::encoding::Encoding;
use playout_core::failure::Failure;
use playout_core::kinds::encoding_preset::{self, Action, Users, wanted};
use playout_core::plan::Desired;
use playout_core::uses::came_after;

use crate::kind::{Context, Kind, Outcome};
use crate::lanes::{Lane, Urgency};

/// The kind.
#[derive(Debug)]
pub enum EncodingPresetKind {}

impl Kind for EncodingPresetKind {
    type Object = EncodingPreset;
    type Wanted = Encoding;
    type Observed = Users;
    type Action = Action;
    type Memory = ();

    const CONTROLLER: &'static str = "encodingpreset";

    fn objects(context: &Context) -> &Store<EncodingPreset> {
        &context.stores.encoding_presets
    }

    fn lane(_: &EncodingPreset, _: &Context) -> Lane {
        Lane { place: String::new(), urgency: Urgency::Change }
    }

    async fn wanted(preset: &EncodingPreset, _: &Context) -> (Desired<Encoding>, Option<Failure>) {
        (wanted(&preset.spec, preset.meta().deletion_timestamp.is_some()), None)
    }

    async fn observe(preset: &EncodingPreset, _: &Desired<Encoding>, context: &Context) -> Result<Users, Failure> {
        let namespace = preset.namespace().unwrap_or_default();
        let named = context.wiring.of_preset(&namespace, &preset.name_any()).into_iter();
        let destinations = named.filter_map(|name| {
            context.stores.destinations.get(&ObjectRef::<Destination>::new(&name.name).within(&namespace))
        });
        let users = destinations.filter(|destination| !came_after(destination.meta(), preset.meta()));
        Ok(Users::of_destinations(users.map(|destination| destination.name_any())))
    }

    async fn execute(_: &EncodingPreset, action: &Action, _: &Context) -> Result<Option<String>, Failure> {
        match *action {}
    }

    fn status(preset: &EncodingPreset, outcome: &Outcome<'_, Self>, _: &Context) -> EncodingPresetStatus {
        encoding_preset::status(preset, outcome)
    }

    fn settled_for(_: &EncodingPreset, context: &Context) -> Duration {
        context.config.drift_interval
    }
}
