//! Destination, as outputs of a Source's flow or as a MediaLive channel that takes it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource as _, ResourceExt as _};
use playout_core::api::destination::{DestinationStatus, DestinationWord};
use playout_core::api::policy::RunState;
use playout_core::api::source::{HealthWord, SourceStatus};
use playout_core::api::{ACTIVE_ENDPOINT, Destination, EncodingPreset, Source};
use playout_core::conditions::{RECONCILING, STALLED, is_true};
use playout_core::destination::memory;
use playout_core::destination::observed::{Observed, OutputSeen, Programme};
use playout_core::destination::plan::{Action, INPUT, plan};
use playout_core::destination::status;
use playout_core::destination::wanted::{Roles, Wanted, retains, wanted};
use playout_core::endpoint::Role;
use playout_core::endpoint::possible_keys;
use playout_core::flow::{Flow, FlowState};
use playout_core::names::Identity;
use playout_core::plan::{Desired, Failure, Step};
use playout_core::reasons::Reason;
use playout_core::source::off::stays_off;

use self::live::Looking;
use super::references::{Needed, wants_fresh_look};
use super::source::{self, AGE, copies, copy, region_in};
use crate::aws::Region;
use crate::aws::measurements::Subject;
use crate::aws::pace::Urgency;
use crate::kind::{Context, Kind, Outcome};

mod live;
mod measure;
mod queue;

/// The kind.
#[derive(Debug)]
pub enum DestinationKind {}

/// What a Destination refers to.
pub(crate) fn needed(destination: &Destination) -> Needed<'_> {
    let spec = &destination.spec;
    let mut needed = Needed::default();
    needed
        .key(spec.stream_key.as_ref())
        .key(spec.backup.as_ref().and_then(|b| b.stream_key.as_ref()))
        .encryption(spec.encryption.as_ref());
    needed
}

impl Kind for DestinationKind {
    type Object = Destination;
    type Wanted = Wanted;
    type Observed = Observed;
    type Action = Action;

    const CONTROLLER: &'static str = "destination";

    async fn wanted(destination: &Destination, context: &Context) -> Result<Desired<Wanted>, Failure> {
        if destination.meta().deletion_timestamp.is_some() {
            return Ok(Desired::Absent);
        }
        let spec = &destination.spec;
        for url in spec.url.iter().chain(spec.backup.as_ref().and_then(|b| b.url.as_ref())) {
            possible_keys(url).iter().for_each(|key| context.redactor.learn(key));
        }
        let region = region_of(destination, context).await;
        let handled = destination.status.as_ref().and_then(|s| s.last_handled_reconcile_at.as_ref());
        let anew = wants_fresh_look(destination, handled);
        let running = destination.spec.state == Some(RunState::Running);
        let mut references = needed(destination).look_up(destination, &region, anew, running, context).await?;
        if let Some(name) = &spec.encoding {
            let namespace = destination.namespace().unwrap_or_default();
            let found = context.encoding_presets.get(&ObjectRef::<EncodingPreset>::new(name).within(&namespace));
            references.presets.extend(found.map(|preset| (name.clone(), preset.spec.clone())));
        }
        let roles = Roles {
            media_connect: context.config.mediaconnect_role_arn.as_deref(),
            media_live: context.config.medialive_role_arn.as_deref(),
        };
        Ok(wanted(&destination.spec, &context.identity(destination), &references, roles, false))
    }

    async fn observe(
        destination: &Destination,
        desired: &Desired<Wanted>,
        context: &Context,
    ) -> Result<Observed, Failure> {
        let identity = context.identity(destination);
        let region = region_of(destination, context).await;
        let source = source_of(destination, context);
        let expects_copies = matches!(desired, Desired::Present(w) if w.outputs.values().any(|o| o.password.is_some()));
        let deleting = matches!(desired, Desired::Absent);
        let running = destination.spec.state == Some(RunState::Running);
        let secrets = copies(&identity, &region, expects_copies, expects_copies || deleting).await;
        let stopping = !running && !deleting;
        let told = match destination.annotations().get(ACTIVE_ENDPOINT).map(String::as_str) {
            Some("Primary") => Some(Role::Primary),
            Some("Backup") => Some(Role::Backup),
            _ => None,
        };
        let look = Looking { destination, identity: &identity, region: &region, context };
        let health = source.as_ref().is_none_or(|s| s.spec.health.enabled);
        let (flow, live) = tokio::join!(
            Box::pin(look_for_flow(destination, source.as_deref(), &region, context, deleting)),
            Box::pin(look.at_media_live(desired, health))
        );
        let live = live?;
        let uid = destination.uid().unwrap_or_default();
        let handled = destination.status.as_ref().and_then(|s| s.last_handled_reconcile_at.as_ref());
        if wants_fresh_look(destination, handled) {
            context.attempts.reconsider(&uid);
        }
        // What takes it off the air waits for no other service: MediaLive alone stops a channel.
        let goes = stopping || deleting;
        let channel_up = live.channel.present().is_some_and(|c| c.channel.state.is_up());
        let (flow, certain) = match flow {
            Err(_) if goes && channel_up => (None, false),
            flow => flow?,
        };
        let observed = Observed {
            flow: if certain && source.is_none() { Programme::NoSource } else { Programme::NoFlow { certain } },
            outputs: BTreeMap::new(),
            secrets: Vec::new(),
            quotas: live.quotas,
            input: live.input,
            channel: live.channel,
            tries: memory::tries(destination, context.clock.now()),
            told,
            decided: memory::decided(destination),
            in_vain: context.attempts.in_vain(&uid, destination.metadata.generation),
            not_ours: live.not_ours,
            moves_first: queue::moves_first(destination, context),
        };
        let Some(flow) = flow else {
            let secrets = if stopping || goes && channel_up { secrets.unwrap_or_default() } else { secrets? };
            return Ok(Observed { secrets, ..observed });
        };
        let mut outputs = BTreeMap::new();
        for role in [Role::Primary, Role::Backup] {
            let found = flow.output(&identity.output_name(role.as_str())).filter(|o| o.managed_by.is_none());
            let Some(output) = found else { continue };
            if wants_fresh_look(destination, handled) {
                region.flows.doubt(&output.arn).await;
            }
            let tags = region.flows.tags(&output.arn).await?;
            let mut seen = OutputSeen {
                ownership: identity.ownership(&tags),
                output: output.clone(),
                tags,
                measured: None,
                unchanged_for: Duration::ZERO,
            };
            let sending = output.enabled && matches!(flow.state, FlowState::Active | FlowState::Updating);
            if health {
                let before = destination.status.as_ref().map_or(&[] as &[_], |s| &s.outputs);
                (seen.measured, _, seen.unchanged_for) =
                    look.measure(Subject::Output, &output.arn, role, sending, before).await;
            }
            outputs.insert(role, seen);
        }
        let secrets = match secrets {
            // A stop comes alone and must not wait for them. After it they are asked for again: not to know of a copy is not
            // to know that there is none.
            Err(_) if goes && (channel_up || outputs.values().any(|o| o.output.enabled)) => Vec::new(),
            secrets => secrets?,
        };
        let status = source.as_ref().and_then(|s| s.status.as_ref());
        Ok(Observed {
            flow: Programme::Flow {
                arn: flow.arn.clone(),
                state: flow.state,
                outputs_used: flow.outputs.len(),
                stopped: source.as_ref().and_then(|s| stays_off(s, flow.state)),
                signal: status.and_then(signal),
                bitrate_kbps: status.and_then(bitrate),
                region: region.name.clone(),
            },
            outputs,
            secrets,
            ..observed
        })
    }

    fn plan(destination: &Destination, desired: &Desired<Wanted>, seen: &Observed) -> Step<Action> {
        plan(desired, retains(&destination.spec), seen)
    }

    async fn execute(destination: &Destination, action: &Action, context: &Context) -> Result<Option<String>, Failure> {
        let region = region_of(destination, context).await;
        let mc = &region.media_connect;
        let (flow, result) = match action {
            Action::Copy(action) => return copy(action, &region).await.map(|()| None),
            Action::AddOutput { flow, output } => {
                let added = mc.add_output(flow, (**output).clone()).await;
                if let Ok(arn) = &added {
                    region.flows.tagged(arn, &output.tags).await;
                }
                (flow, added.map(drop))
            }
            Action::TagOutput { arn, tags } => {
                let result = mc.tag(arn, tags).await;
                if result.is_ok() {
                    region.flows.tagged(arn, tags).await;
                }
                return result.map(|()| None);
            }
            Action::UpdateOutput { flow, arn, settings, enabled, .. } => {
                (flow, mc.update_output(flow, arn, settings.as_deref(), *enabled).await)
            }
            Action::RemoveOutput { flow, arn, .. } => (flow, mc.remove_output(flow, arn).await),
            action => return Box::pin(live::execute(destination, action, &region, context)).await,
        };
        region.flows.touched(flow).await;
        result.map(|()| None)
    }

    fn status(destination: &Destination, outcome: &Outcome<'_, Self>, _: &Context) -> DestinationStatus {
        status::status(destination, &outcome.pure())
    }

    fn settled_for(destination: &Destination, context: &Context) -> Duration {
        let runs = destination.status.as_ref().is_some_and(|s| s.state == Some(DestinationWord::Running));
        if runs { context.config.health_interval } else { context.config.drift_interval }
    }

    fn retains(destination: &Destination) -> bool {
        retains(&destination.spec)
    }

    fn was_seen(destination: &Destination, role: &str) -> bool {
        let channel = destination.status.as_ref().and_then(|s| s.channel.as_ref());
        channel.is_some_and(|c| if role == INPUT { c.input_state.is_some() } else { c.state.is_some() })
    }

    fn conditions(destination: &Destination) -> Option<&[Condition]> {
        destination.status.as_ref().map(|s| s.conditions.as_slice())
    }
}

/// Whether a quota of AWS keeps it from going on.
pub(crate) fn waits_for_room(destination: &Destination) -> bool {
    let stalled = destination.status.as_ref().and_then(|s| s.conditions.iter().find(|c| c.type_ == STALLED));
    stalled.is_some_and(|c| c.status == "True" && c.reason == Reason::QuotaExceeded.as_str())
}

fn source_of(destination: &Destination, context: &Context) -> Option<Arc<Source>> {
    let namespace = destination.namespace().unwrap_or_default();
    context.sources.get(&ObjectRef::<Source>::new(&destination.spec.from.name).within(&namespace))
}

/// The region is the Source's, else that of what this Destination has there; a Destination may only say the same.
async fn region_of(destination: &Destination, context: &Context) -> Arc<Region> {
    context.aws.region(Some(&region_name(destination, context))).await
}

fn region_name(destination: &Destination, context: &Context) -> String {
    let source = source_of(destination, context);
    let recorded = || {
        let status = destination.status.as_ref()?;
        let channel = status.channel.as_ref().and_then(|c| c.arn.as_deref());
        region_in(channel.or(status.flow_arn.as_deref())?)
    };
    let named = source.as_ref().and_then(|s| source::region_of(s)).or_else(recorded);
    named.or(destination.spec.region.as_deref()).unwrap_or(context.aws.default_region()).to_string()
}

/// The flow of the Source: as the Source records it, else as this Destination does, else by its name. Without one, whether it
/// is certain that there is none.
async fn look_for_flow(
    destination: &Destination,
    source: Option<&Source>,
    region: &Region,
    context: &Context,
    deleting: bool,
) -> Result<(Option<Arc<Flow>>, bool), Failure> {
    let recorded = source
        .and_then(|s| s.status.as_ref())
        .and_then(|s| s.flow_arn.as_ref().filter(|_| s.flow_state.is_some()))
        .or_else(|| destination.status.as_ref().and_then(|s| s.flow_arn.as_ref()))
        // Nothing is recorded: a restored object, perhaps. Its Source says which flow.
        .or_else(|| source.and_then(|s| s.spec.external.as_ref()).map(|e| &e.arn).filter(|_| deleting));
    let handled = destination.status.as_ref().and_then(|s| s.last_handled_reconcile_at.as_ref());
    let seen = destination.status.as_ref().and_then(|s| s.observed_generation);
    let urgency = if destination.metadata.generation == seen && !wants_fresh_look(destination, handled) && !deleting {
        Urgency::Check
    } else {
        Urgency::Change
    };
    if let Some(arn) = recorded {
        if wants_fresh_look(destination, handled) {
            region.flows.doubt(arn).await;
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
    let all = region.flows.all(Duration::from_secs(1)).await?;
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

/// A background check of what runs may share a look with others for half its interval; everything else looks anew.
fn age_of_look(destination: &Destination, urgency: Urgency, context: &Context) -> Duration {
    let settled = destination
        .status
        .as_ref()
        .is_some_and(|s| s.state == Some(DestinationWord::Running) && !is_true(&s.conditions, RECONCILING));
    if settled && urgency == Urgency::Check { context.config.health_interval / 2 } else { AGE }
}

/// Whether the leading input receives something.
fn signal(status: &SourceStatus) -> Option<bool> {
    let leader = status.inputs.iter().find(|i| Some(&i.name) == status.active_input.as_ref())?;
    match leader.health? {
        HealthWord::Healthy | HealthWord::Degraded => Some(true),
        HealthWord::Failed => Some(false),
        HealthWord::Unknown => None,
    }
}

fn bitrate(status: &SourceStatus) -> Option<i64> {
    status.inputs.iter().find(|i| Some(&i.name) == status.active_input.as_ref())?.bitrate_kbps
}
