//! THE loop: observe, plan, act, for every kind.
//!
//! One pass looks, decides once, acts, and writes the status, whatever happened. What an action brought about is learned by
//! the next look. Nothing waits in here: a pass ends with when to look again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use kube::runtime::controller::Action as Requeue;
use kube::{Api, Resource as _, ResourceExt as _};
use playout_core::conditions::{self, READY};
use playout_core::failure::{Failure, FailureClass};
use playout_core::left::Farewell;
use playout_core::plan::{Action as _, Desired, Memory as _, Step};
use playout_core::stored::not_understood;
use playout_core::told::News;

use self::act::{Acted, Done, act};
use self::look::{Looked, admitted, is_let_go, look_at_newest};
use self::pace::{AFTER_ACT, NextLook, backoff, next_look};
use crate::kind::{Context, Kind, Outcome, api_failure};
use crate::kubernetes::guard::Guarded;
use crate::kubernetes::status::Wrote;
use crate::kubernetes::{events, hold, status};

pub use self::planned::planned;

mod act;
mod decide;
mod look;
mod pace;
mod planned;

/// What a pass came to, for the one who schedules the next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Passed {
    /// Look again after this; `None`: the object is gone.
    pub again: Option<Duration>,
    /// For the metric.
    pub result: &'static str,
}

/// Nothing is to be done, or nothing begins any more.
const NOTHING: Passed = Passed { again: None, result: "success" };

/// A pass as kube's controller calls it.
///
/// # Errors
/// None; failures are in the object's status.
pub async fn reconcile<K: Kind>(
    object: Arc<K::Object>,
    context: Arc<Context>,
) -> Result<Requeue, std::convert::Infallible> {
    let passed = in_lane::<K>(object, &context).await;
    Ok(passed.again.map_or_else(Requeue::await_change, Requeue::requeue))
}

/// A pass, as soon as its lane has room. Panics are caught: one would end the work on all objects.
pub async fn in_lane<K: Kind>(object: Arc<K::Object>, context: &Context) -> Passed {
    let Some((object, _room)) = admitted::<K>(object, context).await else { return NOTHING };
    let start = context.clock.instant();
    let busy = context.metrics.worker(K::CONTROLLER);
    // Boxed, here and where a pass calls AWS: the SDK's futures are large, and a thread's stack is not.
    let caught = AssertUnwindSafe(Box::pin(pass::<K>(&object, context))).catch_unwind().await;
    let passed = match caught {
        Ok(passed) => passed,
        Err(_) => panicked::<K>(&object, context).await,
    };
    drop(busy);
    context.metrics.reconciled(K::CONTROLLER, passed.result, context.clock.instant() - start);
    if passed.result != "error" {
        context.metrics.succeeded(context.clock.now());
    }
    passed
}

/// One pass.
#[tracing::instrument(skip_all, fields(controller = K::CONTROLLER, namespace = object.namespace(), object = object.name_any()))]
pub async fn pass<K: Kind>(object: &K::Object, context: &Context) -> Passed {
    tracing::trace!("a pass begins");
    let uid = object.uid().unwrap_or_default();
    let Some((mut object, mut looked)) = look_at_newest::<K>(object, context).await else { return NOTHING };
    if is_let_go::<K>(&object) {
        context.attempts.forget(&uid);
        context.looks.forget(&uid);
        return NOTHING;
    }
    if not_understood(&object).is_some() {
        return left_alone::<K>(&object, context).await;
    }
    let api: Api<Guarded<K::Object>> = Api::namespaced(context.client.clone(), &object.namespace().unwrap_or_default());
    let writer = context.writer::<K>();
    let Acted { created, mut done, times, refused: put_aside, is_remembered } =
        match act(&mut object, &mut looked, &writer, &api, context).await {
            Ok(acted) => acted,
            Err(conflict) => return failed::<K>(&object, context, &conflict),
        };
    let Looked { desired, seen, plan, mut failure, again, refused: stands } = looked;
    let step = plan.as_ref().map(|plan| &plan.step);
    let actions: &[K::Action] = match step {
        Some(Step::Act(actions)) => actions,
        _ => &[],
    };

    let (tidied, refused) = match failure {
        // What AWS refuses is in nobody's way.
        Some(_) if stands => tidy::<K>(&object, Some(&Step::Settled), desired.as_ref(), seen.as_ref(), context).await,
        None => tidy::<K>(&object, step, desired.as_ref(), seen.as_ref(), context).await,
        Some(_) => (Vec::new(), None),
    };
    let tidies = !tidied.is_empty() || refused.is_some();

    // Tell, whatever happened.
    let outcome = Outcome::<K> {
        desired: desired.as_ref(),
        seen: seen.as_ref(),
        failure: failure.as_ref(),
        created: created.as_deref(),
        ..Outcome::at(context.clock.now()).planned(plan.as_ref())
    };
    let before = object.clone();
    let gone = matches!(step, Some(Step::Gone)) && failure.is_none();
    // What was done is seen in a moment, and only what is seen is worth a write; an identifier must not be lost, though, nor
    // what the status alone remembers.
    let passing = matches!(step, Some(Step::Act(_)))
        && !actions.iter().any(K::Action::is_told)
        && failure.is_none()
        && created.is_none()
        && times <= 1;
    let mut summary = None;
    if !gone && !passing {
        let left = context.attempts.until_summary(&uid, context.clock.instant());
        let can_wait = |stored: &_, status: &_| left.is_some() && K::is_summary(stored, status);
        match status::write(&writer, &api, object.clone(), |o| K::status(o, &outcome, context), can_wait).await {
            Ok((stored, wrote)) => {
                match wrote {
                    Wrote::Now => {
                        context.attempts.summarised(&uid, context.clock.instant());
                        tell_of_change::<K>(&stored, &before, context).await;
                        if let Some(plan) = plan.as_ref().filter(|_| !is_remembered) {
                            done.extend(plan.memory.news().into_iter().map(Done::from));
                        }
                    }
                    Wrote::Later => summary = left,
                    Wrote::Nothing => {}
                }
                object = stored;
            }
            Err(error) => {
                tracing::warn!(%error, "the status cannot be written");
                failure.get_or_insert(api_failure("kubernetes:status", &error));
            }
        }
    }
    // Last: nothing waits for an Event.
    for Done { warning, reason, sentence } in done.into_iter().chain(tidied) {
        events::publish(&context.recorder, &context.redactor, &object, warning, reason, &sentence).await;
    }
    // The first refusal is told by the change of the condition.
    let told = K::conditions(&before).unwrap_or_default().iter().find(|c| c.type_ == READY).map(|c| c.reason.as_str());
    let another = failure.clone().filter(|failure| put_aside == Some(1) && told == Some(failure.reason().as_str()));
    for refused in refused.into_iter().chain(another).filter(Failure::is_refusal) {
        events::publish(&context.recorder, &context.redactor, &object, true, refused.reason(), &refused.text()).await;
    }
    if let (true, Some(seen)) = (gone, &seen) {
        let Farewell { warning, reason, note } = K::last_word(seen);
        // The object may have changed meanwhile, and is then let go in another pass.
        events::publish_once(&context.recorder, &context.redactor, &object, warning, reason, &note).await;
        if let Err(error) = hold::release(&writer, &api, &object).await {
            return failed::<K>(&object, context, &api_failure("kubernetes:release", &error));
        }
        context.attempts.forget(&uid);
        context.looks.forget(&uid);
        return NOTHING;
    }
    match failure {
        // The rest goes on.
        Some(_) if put_aside.is_some() => Passed { again: Some(AFTER_ACT), result: "error" },
        Some(failure) if !stands => failed::<K>(&object, context, &failure),
        _ => {
            context.attempts.succeeded(&uid);
            let step = if stands { Some(&Step::Settled) } else { step };
            let passed = pace::<K>(&object, step, times, context);
            let sooner = again.into_iter().chain(summary);
            let passed = Passed { again: passed.again.map(|again| sooner.fold(again, Duration::min)), ..passed };
            // What was put in order is seen soon, and so is whose it is now when it is no longer ours.
            if tidies { Passed { again: passed.again.map(|again| again.min(AFTER_ACT)), ..passed } } else { passed }
        }
    }
}

/// Says of an object that this version does not understand which field it is, and does nothing else for it. `again`: when it, or the
/// operator, is another one, a pass comes by itself.
async fn left_alone<K: Kind>(object: &K::Object, context: &Context) -> Passed {
    let api: Api<Guarded<K::Object>> = Api::namespaced(context.client.clone(), &object.namespace().unwrap_or_default());
    let writer = context.writer::<K>();
    let before = K::conditions(object).unwrap_or_default();
    let fields = not_understood(object).unwrap_or_default();
    let fields = context.redactor.clean_for(&object.namespace().unwrap_or_default(), fields);
    let after = conditions::not_understood(before, &fields, object.meta(), context.clock.now());
    match status::write_conditions(&writer, &api, object, before, &after).await {
        Ok((stored, written)) => {
            if written {
                tell_of_change::<K>(&stored, object, context).await;
            }
            context.attempts.succeeded(&object.uid().unwrap_or_default());
            Passed { again: Some(jittered(object, context.config.drift_interval)), result: "success" }
        }
        Err(error) => {
            tracing::warn!(%error, "the status cannot be written");
            failed::<K>(object, context, &api_failure("kubernetes:status", &error))
        }
    }
}

/// Puts in order what stands beside the step and is in nobody's way: in a pass that has nothing to carry out. What was done, and
/// what was refused first.
async fn tidy<K: Kind>(
    object: &K::Object,
    step: Option<&Step<K::Action>>,
    desired: Option<&Desired<K::Wanted>>,
    seen: Option<&K::Observed>,
    context: &Context,
) -> (Vec<Done>, Option<Failure>) {
    let uid = object.uid().unwrap_or_default();
    let chores = match (step, desired, seen) {
        (Some(Step::Wait { .. } | Step::Settled | Step::Stuck(_)), Some(Desired::Present(wanted)), Some(seen)) => {
            K::housekeeping(wanted, seen)
        }
        _ => return (Vec::new(), None),
    };
    let (mut done, mut refused) = (Vec::new(), None);
    if chores.is_empty() {
        context.attempts.is_tidy(&uid);
    } else if context.attempts.may_tidy(&uid, context.clock.instant()) {
        for chore in &chores {
            tracing::info!(action = %serde_json::to_string(chore).unwrap_or_default(), "putting in order");
            match Box::pin(K::execute(object, chore, context)).await {
                Ok(_) => done.push(Done::of(chore)),
                Err(error) => {
                    tracing::warn!(class = ?error.class, error = error.message, operation = error.operation, "not put in order");
                    refused.get_or_insert(error);
                }
            }
        }
    }
    (done, refused)
}

/// The only place that chooses when to look again. `times`: how often in a row the same was changed by now.
fn pace<K: Kind>(object: &K::Object, step: Option<&Step<K::Action>>, times: u32, context: &Context) -> Passed {
    let result = match step {
        Some(Step::Act(_) | Step::Wait { .. } | Step::Stuck(_)) => "requeue_after",
        Some(Step::Settled | Step::Gone) | None => "success",
    };
    let rest = K::settled_for(object, context);
    let wait = match next_look(step, times, rest) {
        NextLook::At(wait) => wait,
        NextLook::About(wait) => jittered(object, wait),
    };
    let wait = if decide::is_watched::<K>(object, context) { wait.min(decide::WATCHING) } else { wait };
    Passed { again: Some(wait), result }
}

/// Spread over a fifth, the same for the same object, so that a restart does not make all objects look at once for ever.
fn jittered<O: kube::Resource>(object: &O, length: Duration) -> Duration {
    let mut hash = DefaultHasher::new();
    object.meta().uid.hash(&mut hash);
    let part = u32::try_from(hash.finish() % 200).unwrap_or(0);
    length + length * part / 1000
}

/// Backs off, per object.
fn failed<K: Kind>(object: &K::Object, context: &Context, failure: &Failure) -> Passed {
    let uid = object.uid().unwrap_or_default();
    let again = match failure.class {
        // What we saw is not what is: look again.
        FailureClass::Conflict | FailureClass::Absent => {
            backoff(context.attempts.failed(&uid), Duration::from_millis(250), Duration::from_secs(10))
        }
        FailureClass::Throttled => {
            backoff(context.attempts.failed(&uid), Duration::from_secs(1), Duration::from_secs(30))
        }
        FailureClass::Transient => {
            backoff(context.attempts.failed(&uid), Duration::from_millis(500), Duration::from_secs(60))
        }
        FailureClass::NotLeading => Duration::from_secs(5),
        FailureClass::Panic | FailureClass::Quota | FailureClass::Denied | FailureClass::Invalid => {
            backoff(context.attempts.failed(&uid), Duration::from_secs(5), Duration::from_secs(300))
        }
    };
    Passed { again: Some(jittered(object, again)), result: "error" }
}

/// A panic touches no other object; it is counted and told.
async fn panicked<K: Kind>(object: &K::Object, context: &Context) -> Passed {
    context.metrics.panicked(K::CONTROLLER);
    // Perhaps in the middle of a call.
    let now = (context.clock.now(), context.clock.instant());
    context.attempts.unanswered(&object.uid().unwrap_or_default(), "panic", now, context.config.create_window);
    let failure = Failure {
        class: FailureClass::Panic,
        operation: "playout:reconcile".into(),
        message: "the operator failed while it worked on this object".into(),
    };
    let outcome = Outcome::<K> { failure: Some(&failure), ..Outcome::at(context.clock.now()) };
    let api: Api<Guarded<K::Object>> = Api::namespaced(context.client.clone(), &object.namespace().unwrap_or_default());
    let writer = context.writer::<K>();
    // The status function may be what panicked.
    let write = status::write(&writer, &api, object.clone(), |o| K::status(o, &outcome, context), |_, _| false);
    if !matches!(AssertUnwindSafe(write).catch_unwind().await, Ok(Ok(_))) {
        tracing::error!(object = object.name_any(), "the status of an object that panicked cannot be written");
    }
    failed::<K>(object, context, &failure)
}

/// Events for what has become different, so that `kubectl describe` tells the story.
async fn tell_of_change<K: Kind>(object: &K::Object, before: &K::Object, context: &Context) {
    for News { warning, reason, message } in K::news(before, object) {
        events::publish(&context.recorder, &context.redactor, object, warning, reason, &message).await;
    }
}
