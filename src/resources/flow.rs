//! A MediaConnect flow: how it is found, and what is done to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use playout_aws::Region;
use playout_aws::mediaconnect::MediaConnect;
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass};
use playout_core::identity::Ownership;
use playout_core::resources::flow::{Flow, FlowAction, Toward};

use super::{AGE, LIST_AGE, Owner, not_ours};
use crate::lanes::Urgency;

/// Which flow is looked for.
#[derive(Debug)]
pub struct Sought<'a> {
    /// Whose it is.
    pub owner: &'a Owner<'a>,
    /// A flow that was there before: it is looked for by this ARN, never by name.
    pub external: Option<&'a str>,
    /// The ARN that is recorded.
    pub recorded: Option<&'a str>,
    /// Whether AWS has shown that one: if it does not any more, it was removed. One that was made and never seen may still appear.
    pub was_seen: bool,
    /// ARNs that are recorded as not ours.
    pub not_ours: &'a [String],
    /// Somebody has asked for a fresh look.
    pub anew: bool,
    /// Whether a create was sent of which no list may show anything yet.
    pub may_appear: bool,
    /// With how much patience AWS is asked.
    pub urgency: Urgency,
}

/// A flow, whose it is, and its tags.
pub type Found = (Existence<Box<Flow>>, Ownership, BTreeMap<String, String>);

/// By the recorded ARN first, by name and tags second; an external flow by its ARN alone. "Absent" is said only when it is certain.
///
/// # Errors
/// AWS gives no answer, or does not allow it.
pub async fn find(sought: &Sought<'_>, region: &Arc<Region>) -> Result<Found, Failure> {
    let Sought { owner: Owner { identity, .. }, urgency, .. } = *sought;
    let nothing = |flow| (flow, Ownership::Foreign, BTreeMap::new());
    if let Some(arn) = sought.external {
        if let Some(flow) = describe(sought, arn, region).await? {
            return with_tags(flow, sought, region).await;
        }
        let listed = region.flows.all(LIST_AGE, urgency).await?.iter().any(|f| f.arn == arn);
        return Ok(nothing(if listed { Existence::Unknown } else { Existence::Absent }));
    }
    if let Some(arn) = sought.recorded
        && let Some(flow) = describe(sought, arn, region).await?
    {
        return with_tags(flow, sought, region).await;
    }
    let (mut foreign, mut hidden) = (None, false);
    for listed in region.flows.named(&identity.flow_name(), LIST_AGE, urgency).await? {
        let Some(flow) = region.flows.describe(&listed.arn, AGE, urgency).await? else {
            // One of two answers is out of date.
            hidden = true;
            continue;
        };
        let seen = with_tags(flow, sought, region).await?;
        if seen.1.is_ours() {
            return Ok(seen);
        }
        foreign = Some(seen);
    }
    if let Some(seen) = foreign.filter(|_| !hidden) {
        return Ok(seen);
    }
    let unknown = hidden || sought.may_appear && !sought.was_seen;
    Ok(nothing(if unknown { Existence::Unknown } else { Existence::Absent }))
}

async fn describe(sought: &Sought<'_>, arn: &str, region: &Region) -> Result<Option<Arc<Flow>>, Failure> {
    if sought.anew {
        region.flows.invalidate(arn);
    }
    let found = region.flows.describe(arn, AGE, sought.urgency).await?;
    if found.is_none() {
        region.flows.forget(arn);
    }
    Ok(found)
}

async fn with_tags(flow: Arc<Flow>, sought: &Sought<'_>, region: &Region) -> Result<Found, Failure> {
    let Sought { owner: Owner { identity, recorded }, urgency, .. } = *sought;
    let is_lost = sought.not_ours.contains(&flow.arn);
    let known = if is_lost { region.flows.tags_of_lost(&flow.arn, urgency).await } else { None };
    let tags = match known {
        Some(tags) => tags,
        None => region.flows.tags(&flow.arn, urgency).await?,
    };
    let ownership = identity.ownership_after(&tags, *recorded);
    Ok((Existence::Present(Box::new((*flow).clone())), ownership, tags))
}

/// Carries out what is to be done to a flow; the ARN of one that was made.
///
/// # Errors
/// AWS refuses it, gives no answer, or shows other tags than before.
pub async fn execute(action: &FlowAction, owner: &Owner<'_>, region: &Region) -> Result<Option<String>, Failure> {
    let mc = &region.mediaconnect;
    if let Some(flow) = action.asks_whose() {
        let tags = region.flows.tags_now(flow).await?;
        if !action.may_be_done(&owner.identity, &tags, owner.recorded) {
            return Err(not_ours(flow));
        }
    }
    let (flow, result) = match action {
        FlowAction::Create(new) => {
            let created = mc.create_flow(new).await;
            region.flows.list_changed();
            if let Ok(arn) = &created {
                region.flows.tagged(arn, &new.tags);
            }
            return created.map(Some);
        }
        FlowAction::Tag { flow, tags } => {
            let result = mc.tag(flow, tags).await;
            if result.is_ok() {
                region.flows.tagged(flow, tags);
            }
            (flow, result)
        }
        // What AWS says next decides: somebody else may have claimed it at the same time.
        FlowAction::Claim { flow, tags } | FlowAction::Adopt { flow, tags } => {
            let result = mc.tag(flow, tags).await;
            region.flows.invalidate(flow);
            (flow, result)
        }
        FlowAction::Release { flow, keys } => {
            let result = mc.untag(flow, keys).await;
            region.flows.invalidate(flow);
            (flow, result)
        }
        FlowAction::Resize { flow, size } => (flow, mc.resize_flow(flow, size).await),
        FlowAction::SetMaintenance { flow, window } => (flow, mc.set_maintenance(flow, window).await),
        FlowAction::SetNdi { flow, ndi } => (flow, mc.set_ndi(flow, ndi.as_ref()).await),
        FlowAction::AddVpcInterfaces { flow, interfaces } => (flow, mc.add_vpc_interfaces(flow, interfaces).await),
        FlowAction::RemoveVpcInterface { flow, name } => (flow, mc.remove_vpc_interface(flow, name).await),
        FlowAction::SetFailover { flow, failover } => (flow, mc.set_failover(flow, failover).await),
        FlowAction::AddSource { flow, source } => (flow, mc.add_source(flow, source).await),
        FlowAction::UpdateSource { flow, arn, settings, .. } => (flow, mc.update_source(flow, arn, settings).await),
        FlowAction::RemoveSource { flow, arn, .. } => (flow, mc.remove_source(flow, arn).await),
        FlowAction::Start { flow } => (flow, mc.start_flow(flow).await),
        FlowAction::Stop { flow } => (flow, mc.stop_flow(flow).await),
        FlowAction::LeaveError { flow, toward, .. } => (flow, leave_error(mc, flow, *toward).await),
        FlowAction::Delete { flow } => {
            let result = mc.delete_flow(flow).await;
            region.flows.list_changed();
            (flow, result)
        }
    };
    region.flows.touched(flow);
    action.measured_anew().into_iter().for_each(|arn| region.measurements.sent(arn, &result));
    result.map(|()| None)
}

/// Stops a flow in state ERROR; where AWS refuses that, does what the flow is taken out of it for.
async fn leave_error(mc: &MediaConnect, flow: &str, toward: Toward) -> Result<(), Failure> {
    let refused = match mc.stop_flow(flow).await {
        Err(failure) if matches!(failure.class, FailureClass::Conflict | FailureClass::Invalid) => failure,
        other => return other,
    };
    match toward {
        Toward::Standby => Err(refused),
        Toward::Active => mc.start_flow(flow).await,
        Toward::Nothing => mc.delete_flow(flow).await,
    }
}
