//! Who uses a Source, and who else wants a flow.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::{Resource as _, ResourceExt as _};
use playout_api::{Destination, Source};
use playout_aws::Region;
use playout_aws::servicequotas::Limit;
use playout_core::channel::{ChannelState, Usage};
use playout_core::conditions::STALLED;
use playout_core::destination::memory;
use playout_core::destination::retry::Phase;
use playout_core::destination::wanted::wants_to_run;
use playout_core::flow::Flow;
use playout_core::plan::Failure;
use playout_core::reasons::Reason;
use playout_core::source::observed::{FlowQuota, Users};
use playout_core::stored::not_understood;
use playout_core::uses::waits_for_next;

use super::LIST_AGE;
use crate::kind::Context;
use crate::lanes::Urgency;

/// An output that MediaLive keeps for a Destination of this Source is no use of its own: the Destination says whether it is on
/// the air. A prepared channel must not keep a flow running that nobody watches.
pub(super) fn attribute(source: &Source, flow: &mut Flow, context: &Context) {
    let ours: Vec<String> = of_source(source, context)
        .filter_map(|d| Some(format!(":input:{}", d.status.as_ref()?.channel.as_ref()?.input_id.as_ref()?)))
        .collect();
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
    let order = |s: &Source| (s.creation_timestamp().map(|t| t.0), s.namespace(), s.name_any());
    let waits = |other: &&Arc<Source>| {
        let stalled = other.status.as_ref().and_then(|s| s.conditions.iter().find(|c| c.type_ == STALLED));
        super::region_of(other).unwrap_or(context.aws.default_region()) == region.name
            && other.spec.external.is_none()
            && !other.spec.suspend
            && other.meta().deletion_timestamp.is_none()
            && order(other) < order(source)
            && stalled.is_none_or(|c| c.reason == Reason::QuotaExceeded.as_str())
            && !has_flow(other)
    };
    let sources = context.sources.state();
    let ahead = sources.iter().filter(waits).count();
    let neighbours = sources.iter().filter(|other| other.namespace() == source.namespace() && has_flow(other));
    let mut by: Vec<_> = neighbours.map(|other| format!("Source/{}", other.name_any())).collect();
    by.sort();
    Ok(FlowQuota { usage: Usage { used: flows.len(), limit, by }, ahead, region: region.name.clone() })
}

/// The Destinations that name this Source.
fn of_source<'a>(source: &'a Source, context: &'a Context) -> impl Iterator<Item = Arc<Destination>> + 'a {
    let all = context.destinations.state().into_iter();
    all.filter(|d| d.namespace() == source.namespace() && d.spec.from.name == source.name_any())
}

/// Whether its channel still takes the flow, or comes to rest: the channel stops first, then the flow.
fn channel_is_up(destination: &Destination) -> bool {
    let state = destination.status.as_ref().and_then(|s| s.channel.as_ref()?.state.as_deref());
    let state = state.and_then(ChannelState::read);
    state.is_some_and(|s| s.is_up() || s == ChannelState::Stopping)
}

/// Who uses this Source.
pub(super) fn users(source: &Source, context: &Context) -> Users {
    let mut users = Users::default();
    for destination in of_source(source, context).filter(|d| !waits_for_next(d, source)) {
        let name = format!("Destination/{}", destination.name_any());
        let recorded = destination.status.iter().flat_map(|s| &s.outputs);
        users.outputs.extend(recorded.filter_map(|o| o.arn.clone()));
        // What was given up, or cannot be encoded here, sends nothing; and a flow that runs for nobody is paid for.
        let gave_up =
            memory::tries(&destination, context.clock.now()).is_some_and(|t| t.attempt.phase == Phase::GaveUp);
        let region = super::region_of(source).unwrap_or(context.aws.default_region());
        let is_stuck = context.config.regions().lacks_channel(&destination, Some(source), region).is_some();
        let is_deleted = destination.meta().deletion_timestamp.is_some();
        let wanted = wants_to_run(&destination.spec) && !is_deleted && !gave_up && !is_stuck;
        // What this version does not understand may be on the air as another one has left it.
        let left = not_understood(&*destination).is_some()
            && destination.status.as_ref().is_some_and(|s| s.started_at.is_some());
        if wanted || left || channel_is_up(&destination) {
            users.on_air.push(name);
        } else {
            users.idle.push(name);
        }
    }
    users.on_air.sort();
    users.idle.sort();
    users
}
