//! What there is of a Destination in AWS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::{Resource as _, ResourceExt as _};
use playout_api::destination::DestinationState;
use playout_api::{ACTIVE_ENDPOINT, CREATE_INTENT, Destination, Source};
use playout_aws::Region;
use playout_aws::cloudwatch::Subject;
use playout_core::conditions::{RECONCILING, is_true};
use playout_core::endpoint::Role;
use playout_core::evidence;
use playout_core::existence::Existence;
use playout_core::failover::FailoverState;
use playout_core::failure::Failure;
use playout_core::fight::Left;
use playout_core::identity::Identity;
use playout_core::kinds::destination::memory;
use playout_core::kinds::destination::observed::{Observed, OutputSeen, Programme};
use playout_core::kinds::destination::recorded::{self, Recorded};
use playout_core::kinds::destination::wanted::{Wanted, wants_to_run};
use playout_core::plan::Desired;
use playout_core::resources::channel::Input;
use playout_core::resources::flow::{Flow, FlowOutput, FlowState};
use playout_core::upstream::Upstream;
use playout_core::uses::waits_for_next;

use super::live::{Live, Looking};
use super::{DestinationKind, is_asked_anew, lacks_output, queue, recorded_uid, region_of, source_of, urgency};
use crate::kind::{Context, Kind as _};
use crate::lanes::Urgency;
use crate::resources::AGE;
use crate::resources::secret_copy::{Copies, Sought, copies};

/// Looks at it, each service for itself: what takes it off the air needs no answer of another, nor of its own where the status
/// records what is to be stopped.
pub(super) async fn look(
    destination: &Destination,
    desired: &Desired<Wanted>,
    context: &Context,
) -> Result<Observed, Failure> {
    let identity = context.identity(destination);
    let region = region_of(destination, context).await;
    let named = source_of(destination, context);
    // What came after it was told to go has nothing to do with it.
    let goes_before = named.as_ref().is_some_and(|source| waits_for_next(destination, source));
    let source = named.filter(|_| !goes_before);
    let urgency = urgency(destination);
    let deleting = matches!(desired, Desired::Absent);
    let look = Looking { destination, identity: &identity, region: &region, context, urgency };
    let health = source.as_ref().is_none_or(|s| s.spec.health.enabled);
    // Where MediaConnect is not, there is nobody who could be asked.
    let is_nowhere = lacks_output(destination, context).is_some();
    let (flow, live) = if is_nowhere {
        (Ok((None, true)), Ok(Live::nothing()))
    } else {
        tokio::join!(
            Box::pin(look_for_flow(destination, source.as_deref(), &region, context, deleting, urgency)),
            Box::pin(look.at_medialive(desired, health && urgency != Urgency::Stop))
        )
    };
    // One that is suspended stays as it is, whatever it is asked for.
    let goes = deleting || !(wants_to_run(&destination.spec) || destination.spec.suspend);
    let on_air = if urgency == Urgency::Stop { recorded::on_air(destination) } else { Recorded::default() };
    let mut unseen = Recorded::default();
    if live.is_err() {
        unseen.channel = on_air.channel;
    }
    if flow.is_err() {
        unseen.outputs = on_air.outputs;
    }
    let channel = live.as_ref().ok().and_then(|live| live.channel.present());
    let channel_up = channel.is_some_and(|c| c.channel.state.is_up());
    let (flow, certain) = match flow {
        Err(_) if goes && (channel.is_some() || !unseen.is_empty()) => (None, false),
        flow => flow?,
    };
    let outputs = match &flow {
        Some(flow) => look.at_outputs(flow, health, goes).await,
        None => BTreeMap::new(),
    };
    let sends = outputs.values().any(|o| o.output.enabled && o.ownership.is_ours());
    let live = match live {
        Err(_) if goes && (sends || !unseen.is_empty()) => Live::undecided(),
        live => live?,
    };
    // A stop comes alone and must not wait for them. After it they are asked for: not to know of a copy is not to know that
    // there is none.
    let stops = goes && (sends || channel_up || !unseen.is_empty());
    let secrets = if stops || is_nowhere { Copies::default() } else { look.at_copies(desired).await? };
    let known_lost = source.as_ref().and_then(|s| s.status.as_ref()?.not_ours.first().cloned());
    let source_lost = match (source.as_deref(), &flow) {
        (Some(source), Some(flow)) if known_lost.is_none() => {
            look.lost_flow(source, flow, desired, &outputs, &live.input).await?
        }
        _ => known_lost,
    };
    // Nobody has to know that of what is taken off the air anyway.
    let cut_off = !goes && look.is_cut_off(&live, flow.as_deref()).await;
    let requested = match destination.annotations().get(ACTIVE_ENDPOINT).map(String::as_str) {
        Some("Primary") => Some(Role::Primary),
        Some("Backup") => Some(Role::Backup),
        _ => None,
    };
    Ok(Observed {
        flow: match &flow {
            Some(flow) => {
                let of = |source: &Arc<Source>| Upstream::of(source, flow.state, context.clock.now());
                let Upstream { stopped, signal, bitrate_kbps } = source.as_ref().map(of).unwrap_or_default();
                Programme::Flow {
                    arn: flow.arn.clone(),
                    state: flow.state,
                    outputs_used: flow.outputs.len(),
                    stopped,
                    signal,
                    bitrate_kbps,
                    region: region.name.clone(),
                }
            }
            None if certain && goes_before => Programme::NextSource,
            None if certain && source.is_none() => Programme::NoSource,
            None => Programme::NoFlow { certain },
        },
        outputs,
        secrets: secrets.ours,
        secrets_asked: !stops,
        secret_names: secrets.names,
        lost_secrets: secrets.lost,
        cut_off,
        quotas: live.quotas,
        input: live.input,
        channel: live.channel,
        restart: memory::restart(destination, context.clock.now()),
        failover: FailoverState { requested, failed_over_to: memory::failed_over_to(destination) },
        left: Left::default(),
        not_ours: live.not_ours,
        source_lost,
        migration_ahead: queue::migration_ahead(destination, context),
        gives_way: queue::gives_way(destination, flow.as_deref(), context),
        recorded: unseen,
    })
}

impl Live {
    /// MediaLive gave no answer.
    fn undecided() -> Self {
        Self { input: Existence::Unknown, channel: Existence::Unknown, quotas: None, not_ours: Vec::new() }
    }
}

impl Looking<'_> {
    async fn at_outputs(&self, flow: &Flow, health: bool, goes: bool) -> BTreeMap<Role, OutputSeen> {
        let mut outputs = BTreeMap::new();
        let before = self.destination.status.as_ref().map_or(&[] as &[_], |s| &s.outputs);
        for role in [Role::Primary, Role::Backup] {
            let recorded = before.iter().find(|o| o.role == role.word()).and_then(|o| o.arn.as_ref());
            let named = flow.output(&self.identity.output_name(role.as_str())).filter(|o| o.managed_by.is_none());
            let found = named.or_else(|| flow.outputs.iter().find(|o| Some(&o.arn) == recorded));
            if let Some(output) = found {
                outputs.insert(role, self.at_output(role, output, flow, health, goes).await);
            }
        }
        outputs
    }

    async fn at_output(&self, role: Role, output: &FlowOutput, flow: &Flow, health: bool, goes: bool) -> OutputSeen {
        let Self { destination, identity, region, urgency, .. } = self;
        if is_asked_anew(destination) {
            region.flows.invalidate(&output.arn);
        }
        // By its name it is ours: nothing waits for its tags, and before a stop they are not even asked for.
        let whose = |tags: &Option<_>| {
            let recorded = recorded_uid(destination, &output.arn);
            identity.ownership_of_output(&output.name, role.as_str(), tags.as_ref(), recorded)
        };
        let is_lost = destination.status.as_ref().is_some_and(|s| s.not_ours.contains(&output.arn));
        let mut tags = match is_lost {
            true => region.flows.tags_of_lost(&output.arn, *urgency).await,
            false => region.flows.last_tags(&output.arn),
        };
        let stops = goes && output.enabled && whose(&tags).is_ours();
        if !stops {
            match recorded_uid(destination, &output.arn) {
                Some(_) if !is_asked_anew(destination) => region.flows.refresh_tags_in_turn(&output.arn),
                _ => region.flows.refresh_tags(&output.arn),
            }
            tags = region.flows.last_tags(&output.arn);
        }
        let mut seen = OutputSeen {
            ownership: whose(&tags),
            output: output.clone(),
            tags,
            measured: None,
            error: evidence::stream_error(&flow.errors, &output.name),
            unchanged_for: Duration::ZERO,
        };
        let sending = output.enabled && matches!(flow.state, FlowState::Active | FlowState::Updating);
        let before = destination.status.as_ref().map_or(&[] as &[_], |s| &s.outputs);
        if health && !(stops && flow.state.takes_changes()) {
            (seen.measured, _) = self.measure(Subject::Output, &output.arn, role, sending, before).await;
        }
        // What an error alone tells of grows old, too.
        seen.unchanged_for = self.age(role, Some(&output.arn), sending, seen.connected(), before);
        seen
    }

    /// The copies of passwords.
    async fn at_copies(&self, desired: &Desired<Wanted>) -> Result<Copies, Failure> {
        let Self { destination, identity, region, urgency, .. } = self;
        let status = destination.status.as_ref();
        let encryption = destination.spec.encryption.as_ref();
        let sought = Sought {
            wanted: match desired {
                Desired::Present(w) => {
                    w.outputs.values().filter_map(|o| Some(o.password.as_ref()?.name.as_str())).collect()
                }
                Desired::Absent | Desired::Invalid(_) => Vec::new(),
            },
            recorded: status.map_or(&[], |s| &s.passwords),
            observed: status.and_then(|s| s.observed_generation),
            names_one: encryption.is_some_and(|e| e.password_secret_ref.is_some()),
            deleting: matches!(desired, Desired::Absent),
        };
        copies(&sought, identity, region, *urgency).await
    }

    /// The flow of the Source, if something may be added to it in this pass and it is to be the Source's own and does not bear
    /// its tags: nothing is added to such a flow, whatever the status of the Source says by now.
    async fn lost_flow(
        &self,
        source: &Source,
        flow: &Flow,
        desired: &Desired<Wanted>,
        outputs: &BTreeMap<Role, OutputSeen>,
        input: &Existence<Input>,
    ) -> Result<Option<String>, Failure> {
        let Desired::Present(wanted) = desired else { return Ok(None) };
        let misses = match &wanted.channel {
            None => wanted.outputs.keys().any(|role| !outputs.contains_key(role)),
            Some(_) => input.is_absent(),
        };
        if source.spec.external.is_some() || !misses || !(wanted.running || wanted.prepare) {
            return Ok(None);
        }
        let tags = self.region.flows.tags(&flow.arn, self.urgency).await?;
        let recorded = source.status.as_ref().and_then(|s| s.owner_uid.as_deref());
        let ours = self.context.identity(source).ownership_after(&tags, recorded).is_ours();
        Ok((!ours).then(|| flow.arn.clone()))
    }
}

/// The flow of the Source: as the Source records it, else as this Destination does, else by its name. Without one, whether it
/// is certain that there is none.
async fn look_for_flow(
    destination: &Destination,
    source: Option<&Source>,
    region: &Region,
    context: &Context,
    deleting: bool,
    urgency: Urgency,
) -> Result<(Option<Arc<Flow>>, bool), Failure> {
    let recorded = source
        .and_then(|s| s.status.as_ref())
        .and_then(|s| s.flow_arn.as_ref().filter(|_| s.flow_state.is_some()))
        .or_else(|| destination.status.as_ref().and_then(|s| s.flow_arn.as_ref()))
        // Nothing is recorded: a restored object, perhaps. Its Source says which flow.
        .or_else(|| source.and_then(|s| s.spec.external.as_ref()).map(|e| &e.arn).filter(|_| deleting));
    if let Some(arn) = recorded {
        if is_asked_anew(destination) {
            region.flows.invalidate(arn);
        }
        let flow = region.flows.describe(arn, age_of_look(destination, urgency, context), urgency).await?;
        if flow.is_some() {
            return Ok((flow, true));
        }
    } else if !deleting {
        return Ok((None, true));
    }
    // Before "nothing is left" is said, a flow that the operator has made is looked for by name.
    let owner = Identity {
        kind: Source::kind(&()).into_owned(),
        name: destination.spec.from.name.clone(),
        ..context.identity(destination)
    };
    let name = owner.flow_name();
    let (mut found, mut certain) = (None, true);
    let all = region.flows.all(Duration::from_secs(1), urgency).await?;
    for listed in all.iter().filter(|f| f.name == name || Some(&f.arn) == recorded) {
        match region.flows.describe(&listed.arn, AGE, urgency).await? {
            // One of two answers is out of date.
            None => certain = false,
            flow => found = found.or(flow),
        }
    }
    // Nothing is added to a flow that the Source does not record.
    Ok((found.filter(|f| certain && (deleting || Some(&f.arn) == recorded)), certain))
}

/// How old a shared look may be of what has never had anything in AWS, and is to have nothing: of hundreds that are made at a time,
/// one looks. What this process has changed since is never missing in it.
pub(super) const OF_NOTHING: Duration = Duration::from_secs(10);

/// Whether it has never had anything in AWS as far as is known, and is to have nothing. The object of a cluster that was restored is
/// one, too: so it is looked at all the same.
pub(super) fn begins_with_nothing(destination: &Destination) -> bool {
    let is_told = destination.status.as_ref().is_some_and(|s| s.observed_generation.is_some());
    !is_told
        && !wants_to_run(&destination.spec)
        && !destination.spec.prepare
        && destination.meta().deletion_timestamp.is_none()
        && !destination.annotations().contains_key(CREATE_INTENT)
}

/// A background check may share a look with others for half the interval of the object; everything else looks anew.
fn age_of_look(destination: &Destination, urgency: Urgency, context: &Context) -> Duration {
    if begins_with_nothing(destination) {
        return OF_NOTHING;
    }
    let Some(status) = destination.status.as_ref().filter(|_| urgency == Urgency::Check) else { return AGE };
    let runs = status.state.is_some_and(DestinationState::is_sent) && !is_true(&status.conditions, RECONCILING);
    // Twenty that have nothing on the flow of their Source prove it with one look.
    let has_nothing = status.state == Some(DestinationState::Idle) && status.outputs.is_empty();
    if runs || has_nothing { DestinationKind::settled_for(destination, context) / 2 } else { AGE }
}
