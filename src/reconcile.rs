//! THE loop: observe, plan, act, for every kind.
//!
//! One pass looks, decides once, acts, and writes the status, whatever happened. What an action brought about is learned by
//! the next look. Nothing waits in here: a pass ends with when to look again.
//!
//! The phases are `look` (with `decide`), `held`, `act` and `tell`. What they decide by themselves is pure: `choose` (what is done of a
//! plan), `telling` (what is told when) and `pace` (when to look again).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use kube::ResourceExt as _;
use kube::runtime::controller::Action as Requeue;
use playout_core::stored::not_understood;

use self::act::{Acted, Tidied, act, tidy};
use self::held::hold;
use self::look::{Looked, admitted, is_let_go, look_at_newest};
use self::pace::{AFTER_ACT, Came, WATCHING, requeue};
use self::pass::Pass;
use self::tell::{let_go, tell, tell_of_panic, tell_what_is_not_understood};
use crate::kind::{Context, Kind};
use crate::metrics::Ended;

pub use self::planned::planned;

mod act;
mod choose;
mod decide;
mod held;
mod look;
mod pace;
mod pass;
mod planned;
mod tell;
mod telling;

/// What a pass came to, for the one who schedules the next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Passed {
    /// Look again after this; `None`: the object is gone.
    pub again: Option<Duration>,
    /// For the metric.
    pub result: Ended,
}

impl Passed {
    /// Nothing is to be done, or nothing begins any more.
    const NOTHING: Self = Self { again: None, result: Ended::AtRest };
}

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
    let Some((object, _room)) = admitted::<K>(object, context).await else { return Passed::NOTHING };
    let start = context.clock.instant();
    let busy = context.metrics.worker(K::CONTROLLER);
    // Boxed, here and where a pass calls AWS: the SDK's futures are large, and a thread's stack is not.
    let caught = AssertUnwindSafe(Box::pin(pass::<K>(&object, context))).catch_unwind().await;
    let passed = match caught {
        Ok(passed) => passed,
        Err(_) => tell_of_panic(&Pass::<K>::over((*object).clone(), context)).await,
    };
    drop(busy);
    context.metrics.reconciled(K::CONTROLLER, passed.result, context.clock.instant() - start);
    if passed.result != Ended::Failed {
        context.metrics.succeeded(context.clock.now());
    }
    passed
}

/// One pass.
#[tracing::instrument(skip_all, fields(controller = K::CONTROLLER, namespace = object.namespace(), object = object.name_any()))]
pub async fn pass<K: Kind>(object: &K::Object, context: &Context) -> Passed {
    tracing::trace!("a pass begins");
    // Wish, facts and plan: nothing is changed anywhere.
    let Some((object, looked)) = look_at_newest::<K>(object, context).await else { return Passed::NOTHING };
    let mut pass = Pass::<K>::over(object, context);
    if is_let_go::<K>(&pass.object) {
        return pass.ended();
    }
    if not_understood(&pass.object).is_some() {
        return tell_what_is_not_understood(&mut pass).await;
    }
    // The finalizer, the intent and what is remembered are stored before anything is done.
    let held = match hold(&mut pass, &looked).await {
        Ok(held) => held,
        Err(conflict) => return pass.failed(&conflict),
    };
    let mut acted = act(&mut pass, &looked, held).await;
    let tidied = tidy(&pass, &looked, &acted).await;
    let summary = tell(&mut pass, &looked, &mut acted, &tidied).await;
    if looked.is_gone(acted.failure.as_ref()) {
        return let_go(&pass, &looked).await;
    }
    look_again(&pass, &looked, &acted, &tidied, summary)
}

/// When to look again after all of that. `summary`: how long one waits that was not written.
fn look_again<K: Kind>(
    pass: &Pass<'_, K>,
    looked: &Looked<K>,
    acted: &Acted,
    tidied: &Tidied,
    summary: Option<Duration>,
) -> Passed {
    let context = pass.context;
    let came = match &acted.failure {
        Some(_) if acted.put_aside.is_some() => Came::PutAside,
        Some(failure) if !looked.stands => return pass.failed(failure),
        _ => {
            context.attempts.succeeded(&pass.uid);
            // What was put in order is seen soon, and so is whose it is now when it is no longer ours.
            let tidied = tidied.is_something().then_some(AFTER_ACT);
            let watched = decide::is_watched::<K>(&pass.object, context).then_some(WATCHING);
            Came::Through {
                step: looked.step(),
                times: acted.times,
                rest: K::settled_for(&pass.object, context),
                at_latest: [looked.again, summary, tidied, watched].into_iter().flatten().min(),
            }
        }
    };
    requeue(&pass.uid, came)
}
