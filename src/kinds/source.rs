//! Source, on MediaConnect.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::runtime::reflector::Store;
use kube::{Resource as _, ResourceExt as _};
use playout_api::policy::parse_duration;
use playout_api::source::{HealthWord, SourceState, SourceStatus, SourceWord};
use playout_api::{Source, TEST_CONNECTION};
use playout_aws::Region;
use playout_aws::cloudwatch::Subject;
use playout_aws::mediaconnect::MediaConnect;
use playout_core::age::age;
use playout_core::evidence::{self, InputLook};
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass, Problem};
use playout_core::fight::Left;
use playout_core::identity::{Identity, Ownership};
use playout_core::kinds::source::external;
use playout_core::kinds::source::observed::{InputSeen, Observed};
use playout_core::kinds::source::plan::{Action, Toward};
use playout_core::kinds::source::status;
use playout_core::kinds::source::wanted::{Wanted, retains, wanted};
use playout_core::plan::Desired;
use playout_core::references::{Needed, References};
use playout_core::resources::flow::{Flow, FlowState};

use self::users::{attribute, quota, users};
use super::passwords::{Copies, Sought, copies, copy};
use super::references::{look_up, wants_fresh_look};
use crate::kind::{Context, Kind, Outcome};
use crate::lanes::{Lane, Urgency};

mod users;

/// How old a shared look at a flow may be within a pass. Shorter than the first pause after a failure, so that what is tried again
/// looks again: in between AWS may have finished what the pass before had seen under way.
pub(super) const AGE: Duration = Duration::from_millis(200);
/// How old the shared list of flows may be.
const LIST_AGE: Duration = Duration::from_secs(1);

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
        &context.sources
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
        let identity = context.identity(source);
        let region = context.aws.region(region_of(source)).await;
        // Where MediaConnect is not, there is nobody who could be asked.
        let is_nowhere = lacks_flow(source, context).is_some();
        let (mut flow, ownership, tags) = match is_nowhere {
            true => (Existence::Absent, Ownership::Foreign, BTreeMap::new()),
            false => look_for_flow(source, &identity, &region, context).await?,
        };
        if let Existence::Present(flow) = &mut flow {
            attribute(source, flow, context);
        }
        let quota = match (&flow, desired) {
            (Existence::Absent, Desired::Present(w)) if w.problem.is_none() => {
                Some(quota(source, &region, reading(source, context), context).await?)
            }
            _ => None,
        };
        let hold = external::hold(source, &identity, &tags);
        let deleting = matches!(desired, Desired::Absent);
        let inputs = match &flow {
            Existence::Present(flow) => measure(source, flow, &region, context).await,
            Existence::Absent | Existence::Unknown => BTreeMap::new(),
        };
        let users = users(source, context);
        let idle = users.on_air.is_empty();
        let length = source.annotations().get(TEST_CONNECTION).and_then(|text| parse_duration(text));
        // A stop waits for no other service. After it they are asked for: not to know of a copy is not to know that there is none.
        let is_up = matches!(&flow, Existence::Present(flow) if flow.state == FlowState::Active);
        let stops = is_up && ownership.is_ours() && told_to_stop(source) && !(deleting && retains(&source.spec));
        let sought = sought(source, desired);
        let secrets = match stops || is_nowhere {
            true => Copies::default(),
            false => copies(&sought, &identity, &region, reading(source, context)).await?,
        };
        Ok(Observed {
            secrets: secrets.ours,
            secrets_asked: !stops,
            secret_names: secrets.names,
            lost_secrets: secrets.lost,
            test: status::test_phase(source, &flow, &hold, idle, length, context.clock.now()),
            flow,
            hold,
            ownership,
            tags,
            users,
            auto: source.spec.state == SourceState::Auto,
            inputs,
            quota,
            left: Left::default(),
        })
    }

    async fn execute(source: &Source, action: &Action, context: &Context) -> Result<Option<String>, Failure> {
        let region = context.aws.region(region_of(source)).await;
        let mc = &region.media_connect;
        if let Some(flow) = action.asks_whose() {
            let tags = region.flows.tags_now(flow).await?;
            let recorded = source.status.as_ref().and_then(|s| s.owner_uid.as_deref());
            if !action.may_be_done(&context.identity(source), &tags, recorded) {
                return Err(not_ours(flow));
            }
        }
        let (flow, result) = match action {
            Action::Copy(action) => return copy(action, &region).await.map(|()| None),
            Action::CreateFlow(new) => {
                let created = mc.create_flow(new).await;
                region.flows.list_changed();
                if let Ok(arn) = &created {
                    region.flows.tagged(arn, &new.tags);
                }
                return created.map(Some);
            }
            Action::TagFlow { flow, tags } => {
                let result = mc.tag(flow, tags).await;
                if result.is_ok() {
                    region.flows.tagged(flow, tags);
                }
                (flow, result)
            }
            // What AWS says next decides: somebody else may have claimed it at the same time.
            Action::ClaimFlow { flow, tags } | Action::AdoptFlow { flow, tags } => {
                let result = mc.tag(flow, tags).await;
                region.flows.doubt(flow);
                (flow, result)
            }
            Action::ReleaseFlow { flow, keys } => {
                let result = mc.untag(flow, keys).await;
                region.flows.doubt(flow);
                (flow, result)
            }
            Action::ResizeFlow { flow, size } => (flow, mc.resize_flow(flow, size).await),
            Action::SetMaintenance { flow, window } => (flow, mc.set_maintenance(flow, window).await),
            Action::SetNdi { flow, ndi } => (flow, mc.set_ndi(flow, ndi.as_ref()).await),
            Action::AddVpcInterfaces { flow, interfaces } => (flow, mc.add_vpc_interfaces(flow, interfaces).await),
            Action::RemoveVpcInterface { flow, name } => (flow, mc.remove_vpc_interface(flow, name).await),
            Action::SetFailover { flow, failover } => (flow, mc.set_failover(flow, failover).await),
            Action::AddSource { flow, source } => (flow, mc.add_source(flow, source).await),
            Action::UpdateSource { flow, arn, settings, .. } => (flow, mc.update_source(flow, arn, settings).await),
            Action::RemoveSource { flow, arn, .. } => (flow, mc.remove_source(flow, arn).await),
            Action::StartFlow { flow } => (flow, mc.start_flow(flow).await),
            Action::StopFlow { flow } => (flow, mc.stop_flow(flow).await),
            Action::LeaveError { flow, toward, .. } => (flow, leave_error(mc, flow, *toward).await),
            Action::DeleteFlow { flow } => {
                let result = mc.delete_flow(flow).await;
                region.flows.list_changed();
                (flow, result)
            }
        };
        region.flows.touched(flow);
        action.measured_anew().into_iter().for_each(|arn| region.measurements.sent(arn, &result));
        result.map(|()| None)
    }

    fn status(source: &Source, outcome: &Outcome<'_, Self>, context: &Context) -> SourceStatus {
        let region = region_of(source).unwrap_or(context.aws.default_region());
        status::status(source, &outcome.pure(), region)
    }

    fn settled_for(source: &Source, context: &Context) -> Duration {
        let test = source.status.as_ref().and_then(|s| s.connection_test.as_ref());
        if test.is_some_and(|t| t.started_at.is_some() && t.ended_at.is_none()) {
            return FIRST_MEASUREMENT;
        }
        let runs = source.status.as_ref().is_some_and(|s| s.state == Some(SourceWord::Running));
        let drift = context.config.drift_interval;
        if !runs || !source.spec.health.enabled {
            return drift;
        }
        if !is_measured(source) && is_fresh(source, context) {
            return FIRST_MEASUREMENT;
        }
        let interval = parse_duration(&source.spec.health.interval).unwrap_or(drift).min(drift);
        let awaited = awaited(source, context).map(|awaited| awaited.max(FIRST_MEASUREMENT));
        // With the loop's jitter, and a measurement that is shared, what AWS shows is known within the interval.
        (interval * 3 / 4).min(awaited.unwrap_or(interval))
    }
}

/// Who waits for a pass: a stop goes before everything, and what has a new wish, or is to go up or down, before the checks of
/// what is as wished.
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

fn told_to_stop(source: &Source) -> bool {
    let deleting = source.meta().deletion_timestamp.is_some();
    deleting || source.spec.state == SourceState::Stopped && !source.spec.suspend
}

/// With how much patience AWS is asked: nothing is decided for a flow that is not seen.
fn reading(source: &Source, context: &Context) -> Urgency {
    urgency(source, context).max(Urgency::Change)
}

fn is_to_run(source: &Source, context: &Context) -> bool {
    match source.spec.state {
        SourceState::Running => true,
        SourceState::Stopped => false,
        SourceState::Auto => !users(source, context).on_air.is_empty(),
    }
}

/// The region of a Source: of its spec, else of the flow that it has. Another default region of the operator moves nothing.
pub(crate) fn region_of(source: &Source) -> Option<&str> {
    let recorded = || source.status.as_ref().and_then(recorded_flow).and_then(region_in);
    source.spec.region().or_else(recorded)
}

/// What keeps it from having a flow in its region.
fn lacks_flow(source: &Source, context: &Context) -> Option<Problem> {
    context.config.regions().lacks_flow(source, context.aws.default_region())
}

/// The flow that a status records, the Source's own or not: none is made beside it.
fn recorded_flow(status: &SourceStatus) -> Option<&str> {
    status.flow_arn.as_deref().or(status.not_ours.first().map(String::as_str))
}

/// What is answered instead of an action, when the tags have changed since they were looked at.
pub(super) fn not_ours(arn: &str) -> Failure {
    Failure {
        class: FailureClass::Conflict,
        operation: "mediaconnect:ListTagsForResource".into(),
        message: format!("the ownership tags of {arn} have changed; it was not touched"),
    }
}

/// Where its copies of passwords may be.
fn sought<'a>(source: &'a Source, desired: &'a Desired<Wanted>) -> Sought<'a> {
    let status = source.status.as_ref();
    Sought {
        wanted: match desired {
            Desired::Present(w) => w.inputs.iter().filter_map(|i| Some(i.password.as_ref()?.name.as_str())).collect(),
            Desired::Absent | Desired::Invalid(_) => Vec::new(),
        },
        recorded: status.map_or(&[], |s| &s.passwords),
        observed: status.and_then(|s| s.observed_generation),
        names_one: Needed::of_source(&source.spec).has_passwords(),
        deleting: matches!(desired, Desired::Absent),
    }
}

/// The region in an ARN.
pub(crate) fn region_in(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

/// By the recorded ARN first, by name and tags second; an external flow by the ARN of the spec. "Absent" is said only when it
/// is certain.
async fn look_for_flow(
    source: &Source,
    identity: &Identity,
    region: &Arc<Region>,
    context: &Context,
) -> Result<(Existence<Box<Flow>>, Ownership, BTreeMap<String, String>), Failure> {
    let status = source.status.as_ref();
    let anew = wants_fresh_look(source, status.and_then(|s| s.last_handled_reconcile_at.as_ref()));
    // A flow that was seen once and is not there now was removed; one that was made and never seen may still appear.
    let mut was_seen = false;
    let urgency = reading(source, context);
    if let Some(external) = &source.spec.external {
        // Never by name, and never made in its place.
        if anew {
            region.flows.doubt(&external.arn);
        }
        return match region.flows.describe(&external.arn, AGE, urgency).await? {
            Some(flow) => with_tags(flow, identity, status, region, urgency).await,
            None => {
                region.flows.forget(&external.arn);
                let listed = region.flows.all(LIST_AGE, urgency).await?.iter().any(|f| f.arn == external.arn);
                let flow = if listed { Existence::Unknown } else { Existence::Absent };
                Ok((flow, Ownership::Foreign, BTreeMap::new()))
            }
        };
    }
    if let Some(arn) = status.and_then(recorded_flow) {
        was_seen = status.is_some_and(|s| s.flow_state.is_some() || s.flow_arn.is_none());
        if anew {
            region.flows.doubt(arn);
        }
        if let Some(flow) = region.flows.describe(arn, AGE, urgency).await? {
            return with_tags(flow, identity, status, region, urgency).await;
        }
        region.flows.forget(arn);
    }
    let (mut foreign, mut hidden) = (None, false);
    for listed in region.flows.named(&identity.flow_name(), LIST_AGE, urgency).await? {
        let Some(flow) = region.flows.describe(&listed.arn, AGE, urgency).await? else {
            // One of two answers is out of date.
            hidden = true;
            continue;
        };
        let seen = with_tags(flow, identity, status, region, urgency).await?;
        if seen.1.is_ours() {
            return Ok(seen);
        }
        foreign = Some(seen);
    }
    if let Some(seen) = foreign.filter(|_| !hidden) {
        return Ok(seen);
    }
    let undecided = hidden || context.open_intent(source).is_some() && !was_seen;
    let flow = if undecided { Existence::Unknown } else { Existence::Absent };
    Ok((flow, Ownership::Foreign, BTreeMap::new()))
}

async fn with_tags(
    flow: Arc<Flow>,
    identity: &Identity,
    status: Option<&SourceStatus>,
    region: &Region,
    urgency: Urgency,
) -> Result<(Existence<Box<Flow>>, Ownership, BTreeMap<String, String>), Failure> {
    let is_lost = status.is_some_and(|s| s.not_ours.contains(&flow.arn));
    let known = if is_lost { region.flows.tags_of_lost(&flow.arn, urgency).await } else { None };
    let tags = match known {
        Some(tags) => tags,
        None => region.flows.tags(&flow.arn, urgency).await?,
    };
    let recorded = status.and_then(|s| s.owner_uid.as_deref());
    Ok((Existence::Present(Box::new((*flow).clone())), identity.ownership_after(&tags, recorded), tags))
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

/// Health is worth knowing and not worth failing for: without a measurement it is unknown, or what the flow itself shows.
async fn measure(source: &Source, flow: &Flow, region: &Region, context: &Context) -> BTreeMap<String, InputSeen> {
    let health = &source.spec.health;
    if !matches!(flow.state, FlowState::Active | FlowState::Updating) {
        return BTreeMap::new();
    }
    let interval = parse_duration(&health.interval).unwrap_or(Duration::from_secs(30));
    // What is looked at for a wish can wait for what was measured; what is looked at by the clock is looked at for that.
    let age = if urgency(source, context) == Urgency::Check { interval / 10 } else { interval / 2 };
    // Until the first measurement there is nothing worth keeping.
    let age = if is_measured(source) { age } else { Duration::from_secs(1) };
    let led = region.measurements.changed_at(&flow.arn);
    let reads = flow.sources.iter().map(|s| async {
        let changed = region.measurements.changed_at(&s.arn);
        let reading = if health.enabled {
            let read = region.measurements.read(Subject::Source, &s.arn, age, changed.max(led)).await;
            read.inspect_err(|failure| tracing::debug!(error = failure.message, "no measurement")).ok()
        } else {
            None
        };
        let look = InputLook {
            protocol: s.settings.protocol,
            peer: s.peer_ip.is_some(),
            measured: reading.as_ref().map(|r| &r.measured),
            answered: reading.as_ref().is_some_and(|r| r.answered),
            from: reading.as_ref().and_then(|r| r.from),
            until: reading.as_ref().and_then(|r| r.until),
            changed,
            led,
            began: evidence::began(source.status.as_ref(), &s.name),
            now: context.clock.now(),
        };
        let (measured, receives) = evidence::of_input(&look);
        let health = status::judge(receives, &measured, health);
        let error = evidence::stream_error(&flow.errors, &s.name);
        let is_awaited = |arn| reading.as_ref().is_some_and(|r| region.measurements.is_awaited(arn, r.from));
        let (_, led_anew) = (is_awaited(&s.arn), is_awaited(&flow.arn));
        (s.name.clone(), InputSeen { measured, health, error, led_anew })
    });
    futures::future::join_all(reads).await.into_iter().collect()
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
        s.inputs.iter().filter(|i| i.in_flow).all(|i| i.health == Some(HealthWord::Failed) || i.bitrate_kbps.is_some())
    })
}

/// Whether the flow has run for so short a time that CloudWatch may not have published anything yet.
fn is_fresh(source: &Source, context: &Context) -> bool {
    let started = source.status.as_ref().and_then(|s| s.started_at.as_ref());
    started.is_some_and(|at| age(at.0, context.clock.now()) < PUBLICATION)
}
