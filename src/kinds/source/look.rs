//! What is seen of a Source.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::ResourceExt as _;
use playout_api::policy::parse_duration;
use playout_api::source::DesiredSourceState;
use playout_api::{Source, TEST_CONNECTION};
use playout_aws::Region;
use playout_aws::cloudwatch::Subject;
use playout_core::evidence::{self, InputLook};
use playout_core::existence::Existence;
use playout_core::failure::Failure;
use playout_core::fight::Left;
use playout_core::identity::Ownership;
use playout_core::kinds::source::external;
use playout_core::kinds::source::observed::{InputSeen, Observed};
use playout_core::kinds::source::status;
use playout_core::kinds::source::wanted::{Wanted, retains};
use playout_core::plan::Desired;
use playout_core::references::Needed;
use playout_core::regions::{recorded_flow, region_of};
use playout_core::resources::flow::{Flow, FlowState};

use super::users::{attribute, quota, users};
use super::{is_measured, lacks_flow, owner, reading, told_to_stop, urgency};
use crate::kind::Context;
use crate::kinds::references::wants_fresh_look;
use crate::lanes::Urgency;
use crate::resources::flow;
use crate::resources::secret_copy::{Copies, Sought, copies};

/// What there is in AWS, and who uses it.
pub(super) async fn look(source: &Source, desired: &Desired<Wanted>, context: &Context) -> Result<Observed, Failure> {
    let owner = owner(source, context);
    let status = source.status.as_ref();
    let region = context.aws.region(region_of(source)).await;
    // Where MediaConnect is not, there is nobody who could be asked.
    let is_nowhere = lacks_flow(source, context).is_some();
    let (mut flow, ownership, tags) = match is_nowhere {
        true => (Existence::Absent, Ownership::Foreign, BTreeMap::new()),
        false => {
            let sought = flow::Sought {
                owner: &owner,
                external: source.spec.external.as_ref().map(|external| external.arn.as_str()),
                recorded: status.and_then(recorded_flow),
                was_seen: status
                    .is_some_and(|s| recorded_flow(s).is_some() && (s.flow_state.is_some() || s.flow_arn.is_none())),
                not_ours: status.map_or(&[], |s| &s.not_ours),
                anew: wants_fresh_look(source, status.and_then(|s| s.last_handled_reconcile_at.as_ref())),
                may_appear: context.open_intent(source).is_some(),
                urgency: reading(source, context),
            };
            flow::find(&sought, &region).await?
        }
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
    let management = external::management(source, &owner.identity, &tags);
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
        false => copies(&sought, &owner.identity, &region, reading(source, context)).await?,
    };
    Ok(Observed {
        secrets: secrets.ours,
        secrets_asked: !stops,
        secret_names: secrets.names,
        lost_secrets: secrets.lost,
        test: status::test_phase(source, &flow, &management, idle, length, context.clock.now()),
        flow,
        management,
        ownership,
        tags,
        users,
        auto: source.spec.state == DesiredSourceState::Auto,
        inputs,
        quota,
        left: Left::default(),
    })
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
