//! A pass that ends with its decision, for who wants to read it.

use kube::ResourceExt as _;
use playout_core::printed::printed;
use playout_core::stored::not_understood;

use super::look::look;
use crate::kind::{Context, Kind};

/// What would be done for the object now, as text.
pub async fn planned<K: Kind>(object: &K::Object, context: &Context) -> String {
    let kind = <K::Object as kube::Resource>::kind(&());
    let heading = format!("{kind} {}/{}\n", object.namespace().unwrap_or_default(), object.name_any());
    if let Some(fields) = not_understood(object) {
        return format!("{heading}  left alone: this version does not understand {fields}\n");
    }
    let looked = look::<K>(object, context).await;
    let failed =
        looked.failure.as_ref().map(|failure| format!("  failed   {}: {}\n", failure.reason(), failure.text()));
    let told = looked.plan.as_ref().map(|plan| printed(plan, looked.chores().unwrap_or_default()));
    format!("{heading}{}{}", failed.unwrap_or_default(), told.unwrap_or_default())
}
