//! Who uses a Source, and who else wants a flow.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::runtime::reflector::ObjectRef;
use kube::{Resource as _, ResourceExt as _};
use playout_api::{Destination, Source};
use playout_aws::Region;
use playout_aws::servicequotas::Limit;
use playout_core::conditions::STALLED;
use playout_core::failure::Failure;
use playout_core::kinds::source::observed::{FlowQuota, Users};
use playout_core::queue::is_earlier;
use playout_core::reasons::Reason;
use playout_core::resources::flow::Flow;
use playout_core::usage::Usage;
use playout_core::uses::{self, Use};

use crate::kind::Context;
use crate::lanes::Urgency;
use crate::resources::LIST_AGE;
use playout_core::regions::region_of;

/// An output that MediaLive keeps for a Destination of this Source is no use of its own: the Destination says whether it is on
/// the air. A prepared channel must not keep a flow running that nobody watches.
pub(super) fn attribute(source: &Source, flow: &mut Flow, context: &Context) {
    let ours: Vec<String> = uses(source, context).filter_map(|u| Some(format!(":input:{}", u.input()?))).collect();
    for output in &mut flow.outputs {
        let input = output.managed_by.as_deref().unwrap_or_default();
        output.enabled &= !ours.iter().any(|id| input.ends_with(id));
    }
}

/// What stands in the way of a new flow.
pub(super) async fn quota(
    source: &Source,
    region: &Region,
    urgency: Urgency,
    context: &Context,
) -> Result<FlowQuota, Failure> {
    let flows = region.flows.all(LIST_AGE, urgency).await?;
    let limit = region.quotas.limit(Limit::Flows, flows.len()).await;
    let names: BTreeSet<&str> = flows.iter().map(|f| f.name.as_str()).collect();
    let has_flow = |other: &Source| names.contains(context.identity(other).flow_name().as_str());
    let waits = |other: &&Arc<Source>| {
        let stalled = other.status.as_ref().and_then(|s| s.conditions.iter().find(|c| c.type_ == STALLED));
        region_of(other).unwrap_or(context.aws.default_region()) == region.name
            && other.spec.external.is_none()
            && !other.spec.suspend
            && other.meta().deletion_timestamp.is_none()
            && is_earlier(other.as_ref(), source)
            && stalled.is_none_or(|c| c.reason == Reason::QuotaExceeded.as_str())
            && !has_flow(other)
    };
    let sources = context.stores.sources.state();
    let ahead = sources.iter().filter(waits).count();
    let neighbours = sources.iter().filter(|other| other.namespace() == source.namespace() && has_flow(other));
    let mut by: Vec<_> = neighbours.map(|other| format!("Source/{}", other.name_any())).collect();
    by.sort();
    Ok(FlowQuota { usage: Usage { used: flows.len(), limit, by }, ahead, region: region.name.clone() })
}

/// What the Destinations that name this Source do with it.
fn uses(source: &Source, context: &Context) -> impl Iterator<Item = Use> {
    let namespace = source.namespace().unwrap_or_default();
    let names = context.wiring.of_source(&namespace, &source.name_any()).into_iter();
    names.filter_map(move |name| {
        let reference = ObjectRef::<Destination>::new(&name.name).within(&namespace);
        Some(Use::of(&*context.stores.destinations.get(&reference)?))
    })
}

/// Who uses this Source.
pub(super) fn users(source: &Source, context: &Context) -> Users {
    let region = region_of(source).unwrap_or(context.aws.default_region());
    uses::users(source, uses(source, context), &context.config.regions(), region)
}
