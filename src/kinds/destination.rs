//! Destination, as outputs of a Source's flow or as a MediaLive channel that takes it.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource as _, ResourceExt as _};
use playout_api::destination::{Delivery, DestinationState, DestinationStatus};
use playout_api::{Destination, EncodingPreset, EncodingPresetSpec, Source};
use playout_aws::Region;
use playout_core::endpoint::possible_keys;
use playout_core::failure::{Failure, Problem};
use playout_core::feeds::{Feeds, Sender};
use playout_core::kinds::destination::memory::Memory;
use playout_core::kinds::destination::observed::Observed;
use playout_core::kinds::destination::plan::Action;
use playout_core::kinds::destination::recorded;
use playout_core::kinds::destination::status;
use playout_core::kinds::destination::wanted::{Roles, Wanted, wanted, wants_to_run};
use playout_core::plan::Desired;
use playout_core::reasons::Reason;
use playout_core::references::{Needed, References};
use playout_core::stored::not_understood;

use super::references::{look_up, wants_fresh_look};
use crate::kind::{Context, Kind, Outcome};
use crate::lanes::{Lane, Urgency};
use crate::resources::{Owner, channel, output, secret_copy};
use playout_core::action::Action as _;
use playout_core::regions::{region_in, region_of as region_of_source};

mod live;
mod look;
mod measure;
mod queue;

/// The kind.
#[derive(Debug)]
pub enum DestinationKind {}

impl Kind for DestinationKind {
    type Object = Destination;
    type Wanted = Wanted;
    type Observed = Observed;
    type Action = Action;
    type Memory = Memory;

    const CONTROLLER: &'static str = "destination";

    fn objects(context: &Context) -> &Store<Destination> {
        &context.stores.destinations
    }

    /// MediaLive may hang where MediaConnect does not.
    fn lane(destination: &Destination, context: &Context) -> Lane {
        let region = region_name(destination, context);
        let channel = destination.status.as_ref().is_some_and(|s| s.channel.is_some());
        let transcodes = channel || destination.spec.delivery == Delivery::Transcode;
        let place = if transcodes { format!("{region} medialive") } else { region };
        Lane { place, urgency: urgency(destination) }
    }

    async fn wanted(destination: &Destination, context: &Context) -> (Desired<Wanted>, Option<Failure>) {
        if destination.meta().deletion_timestamp.is_some() {
            feeds(context).forget(&destination.uid().unwrap_or_default());
            return (Desired::Absent, None);
        }
        if let Some(problem) = lacks_output(destination, context) {
            return (Desired::Invalid(problem), None);
        }
        let spec = &destination.spec;
        let namespace = destination.namespace().unwrap_or_default();
        for url in spec.url.iter().chain(spec.backup.as_ref().and_then(|b| b.url.as_ref())) {
            possible_keys(url).iter().for_each(|key| context.redactor.learn_of(&namespace, key));
        }
        let region = region_of(destination, context).await;
        let urgency = urgency(destination);
        let (mut references, unread) = match urgency {
            // A stop comes alone, and needs nothing of what it refers to.
            Urgency::Stop => (References::default(), None),
            _ => {
                let anew = is_asked_anew(destination);
                let needed = Needed::of_destination(spec);
                look_up(&needed, destination, &region, anew, urgency, context).await
            }
        };
        if let Some(name) = &spec.encoding {
            let found = context.stores.encoding_presets.get(&ObjectRef::<EncodingPreset>::new(name).within(&namespace));
            references.presets.extend(found.map(|preset| (name.clone(), preset_spec(&preset))));
        }
        let roles = Roles {
            mediaconnect: context.config.mediaconnect_role_arn.as_deref(),
            medialive: context.config.medialive_role_arn.as_deref(),
        };
        let mut desired = wanted(&destination.spec, &context.identity(destination), &references, roles, false);
        if let Desired::Present(wanted) = &mut desired {
            wanted.same_receiver = same_receiver(destination, wanted, context);
            if let (Some(channel), Some(problem)) = (&mut wanted.channel, lacks_channel(destination, context)) {
                channel.role_arn = Err(problem);
            }
        }
        (desired, unread.filter(|_| wants_to_run(spec)))
    }

    async fn observe(
        destination: &Destination,
        desired: &Desired<Wanted>,
        context: &Context,
    ) -> Result<Observed, Failure> {
        look::look(destination, desired, context).await
    }

    async fn execute(destination: &Destination, action: &Action, context: &Context) -> Result<Option<String>, Failure> {
        let region = region_of(destination, context).await;
        match action {
            Action::Copy(action) => secret_copy::execute(action, &region).await.map(|()| None),
            Action::Output(action) => {
                let recorded = action.arn().and_then(|arn| recorded_uid(destination, arn));
                let owner = Owner { identity: context.identity(destination), recorded };
                output::execute(action, &owner, &region).await.map(|()| None)
            }
            Action::Channel(action) => {
                let token = || context.request_token(destination, action.token_role());
                Box::pin(channel::execute(action, token, &region)).await
            }
        }
    }

    fn status(destination: &Destination, outcome: &Outcome<'_, Self>, _: &Context) -> DestinationStatus {
        status::status(destination, outcome)
    }

    fn settled_for(destination: &Destination, context: &Context) -> Duration {
        let sent = destination.status.as_ref().and_then(|s| s.state).is_some_and(DestinationState::is_sent);
        if sent { context.config.health_interval } else { context.config.drift_interval }
    }
}

/// What a preset says; not, if this version does not understand all of it.
fn preset_spec(preset: &EncodingPreset) -> Result<EncodingPresetSpec, Problem> {
    match not_understood(preset) {
        None => Ok(preset.spec.clone()),
        Some(fields) => Err(Problem::new(
            Reason::NotUnderstood,
            format!(
                "this version of the operator does not understand {fields}. Correct the preset, or name another one."
            ),
        )),
    }
}

/// Who waits for a pass: a stop goes before everything, and what has a new wish, or is on its way, before the checks of what
/// is as requested.
fn urgency(destination: &Destination) -> Urgency {
    let deleting = destination.meta().deletion_timestamp.is_some();
    let running = wants_to_run(&destination.spec);
    if (deleting || !running && !destination.spec.suspend) && !recorded::on_air(destination).is_empty() {
        return Urgency::Stop;
    }
    let Some(status) = &destination.status else { return Urgency::Change };
    let is_new = destination.metadata.generation != status.observed_generation || is_asked_anew(destination);
    let rests = match status.state {
        Some(DestinationState::Idle) => !running,
        Some(DestinationState::Running | DestinationState::Error) => true,
        _ => false,
    };
    if deleting || is_new || !rests { Urgency::Change } else { Urgency::Check }
}

fn is_asked_anew(destination: &Destination) -> bool {
    wants_fresh_look(destination, destination.status.as_ref().and_then(|s| s.last_handled_reconcile_at.as_ref()))
}

fn feeds(context: &Context) -> MutexGuard<'_, Feeds> {
    context.feeds.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Others that send where this one does. One that went without a pass of its own, as one whose finalizer somebody took away,
/// is found out here.
fn same_receiver(destination: &Destination, wanted: &Wanted, context: &Context) -> Vec<Sender> {
    let (namespace, name) = (destination.namespace().unwrap_or_default(), destination.name_any());
    let sender = Sender { namespace, name, uid: destination.uid().unwrap_or_default() };
    let mut feeds = feeds(context);
    let mut others = feeds.note(&sender, wanted.feeds());
    others.retain(|other| {
        let found =
            context.stores.destinations.get(&ObjectRef::<Destination>::new(&other.name).within(&other.namespace));
        let is_there = found.is_some_and(|found| found.uid().as_ref() == Some(&other.uid));
        if !is_there {
            feeds.forget(&other.uid);
        }
        is_there
    });
    others
}

/// UID that an output was last seen to bear as this Destination's own.
fn recorded_uid<'a>(destination: &'a Destination, arn: &str) -> Option<&'a str> {
    let outputs = destination.status.as_ref().map_or(&[] as &[_], |s| &s.outputs);
    outputs.iter().find(|o| o.arn.as_deref() == Some(arn))?.owner_uid.as_deref()
}

fn source_of(destination: &Destination, context: &Context) -> Option<Arc<Source>> {
    let namespace = destination.namespace().unwrap_or_default();
    context.stores.sources.get(&ObjectRef::<Source>::new(&destination.spec.from.name).within(&namespace))
}

/// The region is the Source's, else that of what this Destination has there; a Destination may only say the same.
async fn region_of(destination: &Destination, context: &Context) -> Arc<Region> {
    context.aws.region(Some(&region_name(destination, context))).await
}

/// What keeps it from sending from its region.
fn lacks_output(destination: &Destination, context: &Context) -> Option<Problem> {
    let (source, region) = (source_of(destination, context), region_name(destination, context));
    context.config.regions().lacks_output(destination, source.as_deref(), &region)
}

/// What keeps it from being encoded there.
fn lacks_channel(destination: &Destination, context: &Context) -> Option<Problem> {
    let (source, region) = (source_of(destination, context), region_name(destination, context));
    context.config.regions().lacks_channel(destination, source.as_deref(), &region)
}

fn region_name(destination: &Destination, context: &Context) -> String {
    let source = source_of(destination, context);
    let recorded = || {
        let status = destination.status.as_ref()?;
        let channel = status.channel.as_ref().and_then(|c| c.arn.as_deref());
        region_in(channel.or(status.flow_arn.as_deref())?)
    };
    let named = source.as_ref().and_then(|s| region_of_source(s)).or_else(recorded);
    named.or(destination.spec.region.as_deref()).unwrap_or(context.aws.default_region()).to_string()
}
