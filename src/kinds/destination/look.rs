//! What there is of a Destination in AWS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::{Resource as _, ResourceExt as _};
use playout_core::api::destination::DestinationWord;
use playout_core::api::source::{HealthWord, SourceStatus};
use playout_core::api::{ACTIVE_ENDPOINT, Destination, Source};
use playout_core::channel::Look;
use playout_core::conditions::{RECONCILING, is_true};
use playout_core::destination::memory;
use playout_core::destination::observed::{Observed, OutputSeen, Programme};
use playout_core::destination::recorded::{self, Recorded};
use playout_core::destination::wanted::{Wanted, wants_to_run};
use playout_core::endpoint::Role;
use playout_core::fight::Left;
use playout_core::flow::{Flow, FlowOutput, FlowState, SecretCopy};
use playout_core::names::{Identity, Ownership};
use playout_core::plan::{Desired, Failure};
use playout_core::source::off::stays_off;

use super::live::{Live, Looking};
use super::{DestinationKind, is_asked_anew, queue, region_of, source_of, urgency};
use crate::aws::Region;
use crate::aws::measurements::Subject;
use crate::kind::{Context, Kind as _};
use crate::kinds::source::{AGE, copies};
use crate::lanes::Urgency;

/// Looks at it, each service for itself: what takes it off the air needs no answer of another, nor of its own where the status
/// records what is to be stopped.
pub(super) async fn look(
    destination: &Destination,
    desired: &Desired<Wanted>,
    context: &Context,
) -> Result<Observed, Failure> {
    let identity = context.identity(destination);
    let region = region_of(destination, context).await;
    let source = source_of(destination, context);
    let urgency = urgency(destination);
    let deleting = matches!(desired, Desired::Absent);
    let look = Looking { destination, identity: &identity, region: &region, context, urgency };
    let health = source.as_ref().is_none_or(|s| s.spec.health.enabled);
    let (flow, live) = tokio::join!(
        Box::pin(look_for_flow(destination, source.as_deref(), &region, context, deleting, urgency)),
        Box::pin(look.at_media_live(desired, health && urgency != Urgency::Stop))
    );
    let goes = deleting || !wants_to_run(&destination.spec);
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
        Some(flow) => look.at_outputs(flow, health, goes).await?,
        None => BTreeMap::new(),
    };
    let sends = outputs.values().any(|o| o.output.enabled && o.ownership != Ownership::Foreign);
    let live = match live {
        Err(_) if goes && (sends || !unseen.is_empty()) => Live::undecided(),
        live => live?,
    };
    // A stop comes alone and must not wait for them. After it they are asked for: not to know of a copy is not to know that
    // there is none.
    let stops = goes && (sends || channel_up || !unseen.is_empty());
    let secrets = if stops { Vec::new() } else { look.at_copies(desired, &outputs).await? };
    // Nobody has to know that of what is taken off the air anyway.
    let cut_off = !goes && look.is_cut_off(&live, flow.as_deref()).await;
    let told = match destination.annotations().get(ACTIVE_ENDPOINT).map(String::as_str) {
        Some("Primary") => Some(Role::Primary),
        Some("Backup") => Some(Role::Backup),
        _ => None,
    };
    let status = source.as_ref().and_then(|s| s.status.as_ref());
    Ok(Observed {
        flow: match &flow {
            Some(flow) => Programme::Flow {
                arn: flow.arn.clone(),
                state: flow.state,
                outputs_used: flow.outputs.len(),
                stopped: source.as_ref().and_then(|s| stays_off(s, flow.state)),
                signal: status.and_then(signal),
                bitrate_kbps: status.and_then(bitrate),
                region: region.name.clone(),
            },
            None if certain && source.is_none() => Programme::NoSource,
            None => Programme::NoFlow { certain },
        },
        outputs,
        secrets,
        cut_off,
        quotas: live.quotas,
        input: live.input,
        channel: live.channel,
        tries: memory::tries(destination, context.clock.now()),
        told,
        decided: memory::decided(destination),
        left: Left::default(),
        not_ours: live.not_ours,
        moves_first: queue::moves_first(destination, context),
        recorded: unseen,
    })
}

impl Live {
    /// MediaLive gave no answer.
    fn undecided() -> Self {
        Self { input: Look::Undecided, channel: Look::Undecided, quotas: None, not_ours: None }
    }
}

impl Looking<'_> {
    async fn at_outputs(&self, flow: &Flow, health: bool, goes: bool) -> Result<BTreeMap<Role, OutputSeen>, Failure> {
        let mut outputs = BTreeMap::new();
        let mut failed = None;
        for role in [Role::Primary, Role::Backup] {
            let name = self.identity.output_name(role.as_str());
            let found = flow.output(&name).filter(|o| o.managed_by.is_none());
            let Some(output) = found else { continue };
            match self.at_output(role, output, flow.state, health, goes).await {
                Ok(seen) => drop(outputs.insert(role, seen)),
                Err(failure) => failed = Some(failure),
            }
        }
        // What can be stopped is stopped; the other is looked at again afterwards.
        let stops = goes && outputs.values().any(|o| o.output.enabled && o.ownership != Ownership::Foreign);
        match failed {
            Some(failure) if !stops => Err(failure),
            _ => Ok(outputs),
        }
    }

    async fn at_output(
        &self,
        role: Role,
        output: &FlowOutput,
        state: FlowState,
        health: bool,
        goes: bool,
    ) -> Result<OutputSeen, Failure> {
        let Self { destination, identity, region, .. } = self;
        let before = destination.status.as_ref().map_or(&[] as &[_], |s| &s.outputs);
        if is_asked_anew(destination) {
            region.flows.doubt(&output.arn);
        }
        // By its name and the recorded ARN it is ours: it can be stopped without another question.
        let is_recorded = recorded::on_air(destination).outputs.get(&role).is_some_and(|o| o.arn == output.arn);
        let stops = goes && output.enabled && is_recorded;
        let (ownership, tags) = if stops {
            (Ownership::Ours, BTreeMap::new())
        } else {
            let tags = region.flows.tags(&output.arn, self.urgency).await?;
            (identity.ownership(&tags), tags)
        };
        let mut seen =
            OutputSeen { ownership, output: output.clone(), tags, measured: None, unchanged_for: Duration::ZERO };
        let sending = output.enabled && matches!(state, FlowState::Active | FlowState::Updating);
        if health && !(stops && state.takes_changes()) {
            (seen.measured, _, seen.unchanged_for) =
                self.measure(Subject::Output, &output.arn, role, sending, before).await;
        }
        Ok(seen)
    }

    /// The copies of passwords. Asked for only where there is a password, or may have been one: who has none depends on no
    /// other service.
    async fn at_copies(
        &self,
        desired: &Desired<Wanted>,
        outputs: &BTreeMap<Role, OutputSeen>,
    ) -> Result<Vec<SecretCopy>, Failure> {
        let Self { destination, identity, region, urgency, .. } = self;
        let expected = matches!(desired, Desired::Present(w) if w.outputs.values().any(|o| o.password.is_some()));
        let deleting = matches!(desired, Desired::Absent);
        let encrypts = outputs.values().any(|o| o.output.settings.encryption.is_some());
        let names = destination.spec.encryption.as_ref().is_some_and(|e| e.password_secret_ref.is_some());
        if !(expected || deleting || encrypts || names) {
            return Ok(Vec::new());
        }
        copies(identity, region, expected, expected || deleting, *urgency).await
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
            region.flows.doubt(arn);
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

/// A background check may share a look with others for half the interval of the object; everything else looks anew.
fn age_of_look(destination: &Destination, urgency: Urgency, context: &Context) -> Duration {
    let Some(status) = destination.status.as_ref().filter(|_| urgency == Urgency::Check) else { return AGE };
    let runs = status.state == Some(DestinationWord::Running) && !is_true(&status.conditions, RECONCILING);
    // Twenty that have nothing on the flow of their Source prove it with one look.
    let has_nothing = status.state == Some(DestinationWord::Idle) && status.outputs.is_empty();
    if runs || has_nothing { DestinationKind::settled_for(destination, context) / 2 } else { AGE }
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
