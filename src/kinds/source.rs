//! Source, on MediaConnect.

use std::time::Duration;

use kube::Resource as _;
use kube::runtime::reflector::Store;
use playout_api::Source;
use playout_api::policy::parse_duration;
use playout_api::source::{DesiredSourceState, InputHealth, SourceState, SourceStatus};
use playout_core::age::age;
use playout_core::failure::{Failure, Problem};
use playout_core::kinds::source::observed::Observed;
use playout_core::kinds::source::plan::Action;
use playout_core::kinds::source::status;
use playout_core::kinds::source::wanted::{Wanted, wanted};
use playout_core::plan::Desired;
use playout_core::references::{Needed, References};
use playout_core::resources::flow::FlowState;

use self::users::users;
use super::references::{look_up, wants_fresh_look};
use crate::kind::{Context, Kind, Outcome};
use crate::lanes::{Lane, Urgency};
use crate::resources::{Owner, flow, secret_copy};
use playout_core::regions::region_of;

mod look;
mod users;

/// How often to look for the first measurement.
const FIRST_MEASUREMENT: Duration = Duration::from_secs(3);
/// How long CloudWatch may take to publish it.
const PUBLICATION: Duration = Duration::from_secs(180);

/// The kind.
#[derive(Debug)]
pub enum SourceKind {}

impl Kind for SourceKind {
    type Object = Source;
    type Wanted = Wanted;
    type Observed = Observed;
    type Action = Action;
    type Memory = ();

    const CONTROLLER: &'static str = "source";

    fn objects(context: &Context) -> &Store<Source> {
        &context.stores.sources
    }

    fn lane(source: &Source, context: &Context) -> Lane {
        let place = region_of(source).unwrap_or(context.aws.default_region()).to_string();
        Lane { place, urgency: urgency(source, context) }
    }

    async fn wanted(source: &Source, context: &Context) -> (Desired<Wanted>, Option<Failure>) {
        let deleting = source.meta().deletion_timestamp.is_some();
        if deleting {
            return (Desired::Absent, None);
        }
        if let Some(problem) = lacks_flow(source, context) {
            return (Desired::Invalid(problem), None);
        }
        let region = context.aws.region(region_of(source)).await;
        let handled = source.status.as_ref().and_then(|s| s.last_handled_reconcile_at.as_ref());
        let anew = wants_fresh_look(source, handled);
        // A stop needs nothing of what it refers to.
        let stops = is_up(source) && !is_to_run(source, context);
        let (references, unread) = match stops {
            true => (References::default(), None),
            false => {
                let needed = Needed::of_source(&source.spec);
                look_up(&needed, source, &region, anew, reading(source, context), context).await
            }
        };
        let role = context.config.mediaconnect_role_arn.as_deref();
        (wanted(&source.spec, &context.identity(source), &references, role, deleting), unread)
    }

    async fn observe(source: &Source, desired: &Desired<Wanted>, context: &Context) -> Result<Observed, Failure> {
        look::look(source, desired, context).await
    }

    async fn execute(source: &Source, action: &Action, context: &Context) -> Result<Option<String>, Failure> {
        let region = context.aws.region(region_of(source)).await;
        match action {
            Action::Copy(action) => secret_copy::execute(action, &region).await.map(|()| None),
            Action::Flow(action) => flow::execute(action, &owner(source, context), &region).await,
        }
    }

    fn status(source: &Source, outcome: &Outcome<'_, Self>, context: &Context) -> SourceStatus {
        let region = region_of(source).unwrap_or(context.aws.default_region());
        status::status(source, outcome, region)
    }

    fn settled_for(source: &Source, context: &Context) -> Duration {
        let test = source.status.as_ref().and_then(|s| s.connection_test.as_ref());
        if test.is_some_and(|t| t.started_at.is_some() && t.ended_at.is_none()) {
            return FIRST_MEASUREMENT;
        }
        let runs = source.status.as_ref().is_some_and(|s| s.state == Some(SourceState::Running));
        let drift = context.config.drift_interval;
        if !runs {
            return drift;
        }
        // Without readings of CloudWatch, what AWS shows of the flow is looked at as often.
        let measures = source.spec.health.enabled;
        if measures && !is_measured(source) && is_fresh(source, context) {
            return FIRST_MEASUREMENT;
        }
        let interval = parse_duration(&source.spec.health.interval).unwrap_or(drift).min(drift);
        let awaited = awaited(source, context).filter(|_| measures).map(|awaited| awaited.max(FIRST_MEASUREMENT));
        // With the loop's jitter, and a measurement that is shared, what AWS shows is known within the interval.
        (interval * 3 / 4).min(awaited.unwrap_or(interval))
    }
}

/// Who waits for a pass: a stop goes before everything, and what has a new wish, or is to go up or down, before the checks of
/// what is as requested.
fn urgency(source: &Source, context: &Context) -> Urgency {
    let deleting = source.meta().deletion_timestamp.is_some();
    if told_to_stop(source) && is_up(source) {
        return Urgency::Stop;
    }
    let Some(status) = &source.status else { return Urgency::Change };
    let is_new = source.metadata.generation != status.observed_generation
        || wants_fresh_look(source, status.last_handled_reconcile_at.as_ref());
    if deleting || is_new || is_to_run(source, context) != is_up(source) { Urgency::Change } else { Urgency::Check }
}

/// In whose name something is done to its flow.
fn owner<'a>(source: &'a Source, context: &Context) -> Owner<'a> {
    Owner { identity: context.identity(source), recorded: source.status.as_ref().and_then(|s| s.owner_uid.as_deref()) }
}

fn told_to_stop(source: &Source) -> bool {
    let deleting = source.meta().deletion_timestamp.is_some();
    deleting || source.spec.state == DesiredSourceState::Stopped && !source.spec.suspend
}

/// With how much patience AWS is asked: nothing is decided for a flow that is not seen.
fn reading(source: &Source, context: &Context) -> Urgency {
    urgency(source, context).max(Urgency::Change)
}

fn is_to_run(source: &Source, context: &Context) -> bool {
    match source.spec.state {
        DesiredSourceState::Running => true,
        DesiredSourceState::Stopped => false,
        DesiredSourceState::Auto => !users(source, context).on_air.is_empty(),
    }
}

/// What keeps it from having a flow in its region.
fn lacks_flow(source: &Source, context: &Context) -> Option<Problem> {
    context.config.regions().lacks_flow(source, context.aws.default_region())
}

/// How long it is until AWS can have measured what was changed of its flow.
fn awaited(source: &Source, context: &Context) -> Option<Duration> {
    let status = source.status.as_ref()?;
    let region = context.aws.known_region(region_of(source))?;
    let sources = status.inputs.iter().filter_map(|input| input.source_arn.as_deref());
    region.measurements.awaited(sources.chain(status.flow_arn.as_deref()))
}

/// Whether the flow was on the air when it was last looked at.
fn is_up(source: &Source) -> bool {
    let state = source.status.as_ref().and_then(|s| s.flow_state.as_deref());
    state == Some(FlowState::Active.as_str())
}

/// Whether every input in the flow has numbers.
fn is_measured(source: &Source) -> bool {
    let status = source.status.as_ref();
    status.is_some_and(|s| {
        s.inputs.iter().filter(|i| i.in_flow).all(|i| i.health == Some(InputHealth::Failed) || i.bitrate_kbps.is_some())
    })
}

/// Whether the flow has run for so short a time that CloudWatch may not have published anything yet.
fn is_fresh(source: &Source, context: &Context) -> bool {
    let started = source.status.as_ref().and_then(|s| s.started_at.as_ref());
    started.is_some_and(|at| age(at.0, context.clock.now()) < PUBLICATION)
}
