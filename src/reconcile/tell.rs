//! What a pass came to is written and told, whatever happened.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use kube::{Resource as _, ResourceExt as _};
use playout_core::conditions;
use playout_core::failure::{Failure, FailureClass};
use playout_core::frame::{Facts as _, Managed as _};
use playout_core::left::Farewell;
use playout_core::plan::Memory as _;
use playout_core::stored::not_understood;

use super::Passed;
use super::act::{Acted, Tidied};
use super::look::Looked;
use super::pace::{Came, requeue};
use super::pass::Pass;
use super::telling::{refusals, waits_for_a_look};
use crate::kind::{Kind, Outcome, api_failure};
use crate::kubernetes::status::Wrote;
use crate::kubernetes::{events, finalizer, status};

/// Writes the status and publishes the Events. How long a summary waits that was not written.
pub(super) async fn tell<K: Kind>(
    pass: &mut Pass<'_, K>,
    looked: &Looked<K>,
    acted: &mut Acted,
    tidied: &Tidied,
) -> Option<Duration> {
    let before = pass.object.conditions().to_vec();
    let summary = write(pass, looked, acted).await;
    // Last: nothing waits for an Event.
    for news in acted.news.iter().chain(&tidied.news) {
        pass.publish(news).await;
    }
    for refused in refusals(tidied.refused.as_ref(), acted.failure.as_ref(), acted.put_aside, &before) {
        pass.publish(&refused.news()).await;
    }
    summary
}

async fn write<K: Kind>(pass: &mut Pass<'_, K>, looked: &Looked<K>, acted: &mut Acted) -> Option<Duration> {
    let context = pass.context;
    let (failure, created) = (acted.failure.as_ref(), acted.created.as_deref());
    let is_gone = looked.is_gone(failure);
    if is_gone || waits_for_a_look(looked.step(), failure, created, acted.times) {
        return None;
    }
    let outcome = Outcome::<K> { failure, created, ..looked.outcome(context.clock.now()) };
    let left = context.attempts.until_summary(&pass.uid, context.clock.instant());
    match pass.write_status(&outcome, left.is_some()).await {
        Ok(Wrote::Now) => {
            context.attempts.summarised(&pass.uid, context.clock.instant());
            if let Some(plan) = looked.plan.as_ref().filter(|_| !acted.is_remembered) {
                acted.news.extend(plan.memory.news());
            }
            None
        }
        Ok(Wrote::Later) => left,
        Ok(Wrote::Nothing) => None,
        Err(failure) => {
            acted.failure.get_or_insert(failure);
            None
        }
    }
}

/// Says what is left in AWS, and lets the object go.
pub(super) async fn let_go<K: Kind>(pass: &Pass<'_, K>, looked: &Looked<K>) -> Passed {
    if let Some(seen) = &looked.seen {
        let Farewell { warning, reason, note } = seen.last_word();
        let (recorder, redactor) = (&pass.context.recorder, &pass.context.redactor);
        // The object may have changed meanwhile, and is then let go in another pass.
        events::publish_once(recorder, redactor, &pass.object, warning, reason, &note).await;
    }
    match finalizer::remove(&pass.writer, &pass.api, &pass.object).await {
        Ok(()) => pass.ended(),
        Err(error) => pass.failed(&api_failure("kubernetes:release", &error)),
    }
}

/// Says of an object that this version does not understand which field it is, and does nothing else for it: when it, or the operator,
/// is another one, a pass comes by itself.
pub(super) async fn tell_what_is_not_understood<K: Kind>(pass: &mut Pass<'_, K>) -> Passed {
    let (object, context) = (&pass.object, pass.context);
    let before = object.conditions();
    let fields = not_understood(object).unwrap_or_default();
    let fields = context.redactor.clean_for(&object.namespace().unwrap_or_default(), fields);
    let after = conditions::not_understood(before, &fields, object.meta(), context.clock.now());
    match status::write_conditions(&pass.writer, &pass.api, object, before, &after).await {
        Ok((stored, written)) => {
            let before = std::mem::replace(&mut pass.object, stored);
            if written {
                pass.tell_of_change(&before).await;
            }
            context.attempts.succeeded(&pass.uid);
            requeue::<K::Action>(&pass.uid, Came::to_rest(context.config.drift_interval))
        }
        Err(error) => {
            tracing::warn!(%error, "the status cannot be written");
            pass.failed(&api_failure("kubernetes:status", &error))
        }
    }
}

/// Says that AWS was last seen longer ago than may be.
pub(super) async fn tell_that_it_is_stale<K: Kind>(pass: &mut Pass<'_, K>) {
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "playout:look".into(),
        message: "AWS was last seen longer ago than may be".into(),
    };
    let outcome = Outcome::<K> { failure: Some(&failure), ..Outcome::<K>::at(pass.context.clock.now()) };
    // What cannot be written is in the log, and the next look comes all the same.
    let _ = pass.write_status(&outcome, false).await;
}

/// Says that a pass panicked: that touches no other object, and is counted.
pub(super) async fn tell_of_panic<K: Kind>(pass: &Pass<'_, K>) -> Passed {
    let context = pass.context;
    context.metrics.panicked(K::CONTROLLER);
    // Perhaps in the middle of a call.
    let now = (context.clock.now(), context.clock.instant());
    context.attempts.unanswered(&pass.uid, "panic", now, context.config.create_window);
    let failure = Failure {
        class: FailureClass::Panic,
        operation: "playout:reconcile".into(),
        message: "the operator failed while it worked on this object".into(),
    };
    let outcome = Outcome::<K> { failure: Some(&failure), ..Outcome::<K>::at(context.clock.now()) };
    // The status function may be what panicked.
    let compute = |object: &K::Object| K::status(object, &outcome, context);
    let write = status::write(&pass.writer, &pass.api, pass.object.clone(), compute, |_, _| false);
    if !matches!(AssertUnwindSafe(write).catch_unwind().await, Ok(Ok(_))) {
        tracing::error!(object = pass.object.name_any(), "the status of an object that panicked cannot be written");
    }
    pass.failed(&failure)
}
