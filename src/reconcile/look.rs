//! The read phase of a pass: look, and decide once. Nothing is changed anywhere, so that it may be given up at any moment, and
//! it is when the object's wish changes: a look that hangs holds up nobody, not even its own object.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource as _, ResourceExt as _};
use playout_api::FINALIZER;
use playout_aws::clock::pause;
use playout_core::conditions::READY;
use playout_core::failure::Failure;
use playout_core::frame::{Managed as _, Wish as _};
use playout_core::plan::{Desired, Plan, Step};
use playout_core::stored::not_understood;
use tokio::sync::OwnedSemaphorePermit;

use super::choose::{Decided, PlanOf};
use super::decide::decide;
use super::pass::Pass;
use super::tell::tell_that_it_is_stale;
use crate::kind::{Context, Kind, Outcome};
use crate::lanes::Urgency;

/// So much longer than its interval an object may at least go without a look: the look itself takes time, too.
const LOOKING: Duration = Duration::from_secs(30);
/// How long the answers of AWS are waited for at least, before it is said that they do not come: as long as an attempt takes.
const FIRST_ANSWERS: Duration = Duration::from_secs(10);

/// What the read phase came to.
pub(super) struct Looked<K: Kind> {
    /// What is wanted; `None` when what the spec refers to could not be read.
    pub desired: Option<Desired<K::Wanted>>,
    /// What was seen; `None` when looking failed.
    pub seen: Option<K::Observed>,
    /// What was decided; `None` when it could not be.
    pub plan: Option<PlanOf<K::Wanted>>,
    /// What failed.
    pub failure: Option<Failure>,
    /// How long it is until what AWS has refused is asked for again.
    pub again: Option<Duration>,
    /// Whether the failure is a refusal of before that stands, and nothing else is to be done.
    pub stands: bool,
}

impl<K: Kind> Looked<K> {
    fn nothing(failure: Option<Failure>) -> Self {
        Self { desired: None, seen: None, plan: None, failure, again: None, stands: false }
    }

    /// What is next: nothing, where AWS has refused it.
    pub(super) fn step(&self) -> Option<&Step<K::Action>> {
        if self.stands { Some(&Step::Settled) } else { self.plan.as_ref().map(|plan| &plan.step) }
    }

    /// What it comes to, as far as that is known before anything is done.
    pub(super) fn outcome(&self, now: Timestamp) -> Outcome<'_, K> {
        let wanted = self.desired.as_ref().and_then(Desired::wanted);
        Outcome::<K> { wanted, seen: self.seen.as_ref(), ..Outcome::<K>::at(now).planned(self.plan.as_ref()) }
    }

    /// What is to be carried out.
    pub(super) fn actions(&self) -> &[K::Action] {
        match self.step() {
            Some(Step::Act(actions)) if self.failure.is_none() => actions,
            _ => &[],
        }
    }

    /// What is to be put in order beside the step: in a pass that has nothing to carry out. What AWS refuses is in nobody's way.
    pub(super) fn chores(&self) -> Option<&[K::Action]> {
        match self.step() {
            Some(Step::Wait { .. } | Step::Settled | Step::Stalled(_)) => self.plan.as_ref().map(|plan| &*plan.chores),
            Some(Step::Act(_) | Step::Gone) | None => None,
        }
    }

    /// In what AWS differed from what this action asked for.
    pub(super) fn difference(&self, action: &K::Action) -> String {
        let wanted = self.desired.as_ref().and_then(Desired::wanted);
        self.seen.as_ref().map_or_else(String::new, |seen| K::Wanted::difference(wanted, seen, action))
    }

    /// Whether the object may be let go. `failure`: what has failed by now.
    pub(super) fn is_gone(&self, failure: Option<&Failure>) -> bool {
        matches!(self.step(), Some(Step::Gone)) && failure.is_none()
    }
}

/// Whether it is being deleted and nothing of it is held any more.
pub(super) fn is_let_go<K: Kind>(object: &K::Object) -> bool {
    object.meta().deletion_timestamp.is_some() && !object.finalizers().iter().any(|f| f == FINALIZER)
}

/// Waits for room in the lane that the object needs now: another one, as soon as its wish changes. The object as it is then.
/// `None`: it is gone, or nothing begins any more.
pub(super) async fn admitted<K: Kind>(
    mut object: Arc<K::Object>,
    context: &Context,
) -> Option<(Arc<K::Object>, OwnedSemaphorePermit)> {
    loop {
        let wish = context.wishes.listen(&object.uid().unwrap_or_default());
        let newest = newest::<K>(&object, context)?;
        if newest.uid() != object.uid() {
            object = newest;
            continue;
        }
        object = newest;
        let mut room = pin!(context.lanes.enter(K::CONTROLLER, K::lane(&object, context)));
        tokio::select! {
            biased;
            () = wish.changed() => {}
            room = &mut room => return Some((object, room?)),
            () = stale::<K>(&object, context) => {}
        }
    }
}

/// Looks and decides, on the object as it is now. `None`: it is gone, or nothing begins any more.
pub(super) async fn look_at_newest<K: Kind>(object: &K::Object, context: &Context) -> Option<(K::Object, Looked<K>)> {
    let uid = object.uid().unwrap_or_default();
    loop {
        let wish = context.wishes.listen(&uid);
        // Another object of that name is another pass's business.
        let newest = newest::<K>(object, context).filter(|newest| newest.uid() == object.uid())?;
        let object = (*newest).clone();
        if is_let_go::<K>(&object) || not_understood(&object).is_some() {
            return Some((object, Looked::nothing(None)));
        }
        let looked = tokio::select! {
            biased;
            () = wish.changed() => continue,
            () = context.lanes.closed() => return None,
            looked = look::<K>(&object, context) => looked,
            () = stale::<K>(&object, context) => continue,
        };
        if looked.seen.is_some() {
            context.looks.seen(&uid, context.clock.instant());
        }
        return Some((object, looked));
    }
}

fn newest<K: Kind>(object: &K::Object, context: &Context) -> Option<Arc<K::Object>> {
    K::objects(context).get(&ObjectRef::from_obj(object)).map(|cached| context.written.newer(cached))
}

pub(super) async fn look<K: Kind>(object: &K::Object, context: &Context) -> Looked<K> {
    let (desired, unread) = Box::pin(K::wanted(object, context)).await;
    match Box::pin(K::observe(object, &desired, context)).await {
        Ok(mut seen) => match (decide::<K>(object, &desired, &mut seen, context), unread) {
            // Nothing else is to be done, and what keeps it is not known to be missing.
            (Decided { plan: Plan { step: Step::Stalled(_), .. }, .. }, Some(failure)) => {
                Looked { desired: Some(desired), seen: Some(seen), ..Looked::nothing(Some(failure)) }
            }
            (Decided { plan, again, refusal }, _) => Looked {
                desired: Some(desired),
                seen: Some(seen),
                plan: Some(plan),
                again,
                stands: refusal.is_some(),
                failure: refusal,
            },
        },
        Err(failure) => Looked { desired: Some(desired), ..Looked::nothing(Some(failure)) },
    }
}

/// Says once, in the status, that the last look is too old to be believed, should the object wait for so long. Never resolves.
async fn stale<K: Kind>(object: &K::Object, context: &Context) {
    // What has a new wish waits for more than a look; and what was never looked at, or is said to be unknown, claims nothing.
    let ready = object.conditions().iter().find(|c| c.type_ == READY);
    let claims = ready.is_some_and(|ready| ready.status != "Unknown") && not_understood(object).is_none();
    if claims && K::lane(object, context).urgency == Urgency::Check {
        let interval = K::settled_for(object, context);
        let now = context.clock.instant();
        let last = context.looks.last(&object.uid().unwrap_or_default(), now);
        // A pass that comes late (a process that was suspended, a longer interval before) looks first.
        pause((last + interval + interval.max(LOOKING)).saturating_duration_since(now).max(FIRST_ANSWERS)).await;
        Box::pin(tell_that_it_is_stale(&mut Pass::<K>::over(object.clone(), context))).await;
    }
    std::future::pending().await
}
