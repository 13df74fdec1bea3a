//! The decision of a pass: the kind's planner in its frame (`playout_core::frame`), under the rules that hold for every kind.
//!
//! - What AWS refuses is put aside, and the rest goes on (`playout_core::refused`).
//! - What is set back again and again is changed more and more slowly, and left at last; the rest goes on (`playout_core::fight`).
//! - Nothing is settled, and nothing gone, while AWS may still carry out a change that would undo it (`playout_core::unanswered`).

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use kube::{Resource as _, ResourceExt as _};
use playout_api::UNANSWERED;
use playout_core::conditions::{READY, RECONCILING, is_true};
use playout_core::failure::{Failure, Problem};
use playout_core::fight::Left;
use playout_core::frame::{Facts as _, Managed as _, frame};
use playout_core::plan::{Desired, Plan, Step};
use playout_core::unanswered::Unanswered;
use playout_core::waiting::Waiting;
use playout_core::wakes::read::{is_held, visible};

use super::pace::WATCHING;
use crate::kind::{Context, Kind};

/// What the planner of a kind answers.
pub(super) type PlanOf<K> = Plan<<K as Kind>::Action, <K as Kind>::Memory>;

/// What was decided.
pub(super) struct Decided<K: Kind> {
    pub plan: PlanOf<K>,
    /// How long it is until what AWS has refused is asked for again.
    pub again: Option<Duration>,
    /// What AWS has said, when nothing else is to be done: the step is what it refuses, and is not carried out now.
    pub refusal: Option<Failure>,
}

/// Decides on what was seen.
pub(super) fn decide<K: Kind>(
    object: &K::Object,
    desired: &Desired<K::Wanted>,
    seen: &mut K::Observed,
    context: &Context,
) -> Decided<K> {
    let mut decided = unless_held::<K>(object, desired, seen, context);
    let waits = Step::Wait { on: Waiting::Unanswered, poll: Some(WATCHING) };
    let open = open::<K>(object, seen, context);
    decided.plan.step = match decided.plan.step {
        Step::Gone if !object.retains() && open.is_some() => waits,
        // A change for the wish that is carried out undoes nothing; nor does one of a predecessor, if the show is to go on.
        step if step.is_carried_out() && open == Some(Open::AnotherWish) => waits,
        step if step.is_carried_out() && open == Some(Open::Inherited) && desired.ends(seen) => waits,
        step => step,
    };
    decided
}

fn unless_held<K: Kind>(
    object: &K::Object,
    desired: &Desired<K::Wanted>,
    seen: &mut K::Observed,
    context: &Context,
) -> Decided<K> {
    let (uid, now) = (object.uid().unwrap_or_default(), context.clock.instant());
    let ends = desired.ends(seen);
    let mut wish = DefaultHasher::new();
    (visible(object), is_held(object)).hash(&mut wish);
    desired.hash_keys(&mut wish);
    let fought = context.attempts.wished(&uid, wish.finish(), seen.is_demanded(), ends, now);
    let all = frame(desired, object.retains(), seen);
    let carried_out = all.step.is_carried_out();
    if carried_out || matches!(all.step, Step::Stuck(_)) {
        context.attempts.settled(&uid, carried_out, now);
    }
    let aside = context.attempts.put_aside(&uid, now);
    // What is due and cannot be asked for now, while a flow starts perhaps, waits for the step and makes no haste.
    let again = aside.as_ref().map(|aside| aside.again).filter(|again| !again.is_zero());
    let just = |plan| Decided { plan, again, refusal: None };
    let mut rest = |left: Left| {
        let mut told = left.clone();
        told.refusal = aside.as_ref().map(|aside| aside.failure.clone());
        seen.leave(told);
        let plan = frame(desired, object.retains(), seen);
        let step = match plan.step {
            Step::Act(actions) => {
                Some(left.allowed(actions)).filter(|rest| !rest.is_empty()).map_or(Step::Settled, Step::Act)
            }
            // It is neither as wished nor gone.
            Step::Gone => Step::Settled,
            step => step,
        };
        Plan { step, ..plan }
    };
    if !matches!(all.step, Step::Act(_)) {
        if aside.is_some() {
            rest(Left::default());
        }
        return just(all);
    }
    let Some(aside) = &aside else {
        if fought.is_empty() {
            return just(all);
        }
        let others = rest(fought);
        if !others.step.is_carried_out() {
            return just(others);
        }
        return just(match context.attempts.told(&uid, ends, now) {
            Some((what, Some(pause))) => {
                Plan { step: Step::wait(Waiting::SetBack(what), pause.min(WATCHING)), ..others }
            }
            Some((what, None)) => Plan { step: Step::Stuck(Problem::set_back(&what)), ..others },
            None => others,
        });
    };
    // What AWS has refused is asked for again when nothing else is to be done.
    let others = rest(aside.all.clone().and(&fought));
    if matches!(others.step, Step::Act(_)) {
        return just(others);
    }
    let due = rest(aside.waiting.clone().and(&fought));
    if matches!(due.step, Step::Act(_)) {
        return just(due);
    }
    rest(aside.all.clone().and(&fought));
    if others.step.is_carried_out() {
        // Also while an encoder is waited for.
        let again = Some(again.unwrap_or(WATCHING));
        return Decided { plan: all, again, refusal: Some(aside.failure.clone()) };
    }
    just(others)
}

/// What AWS may still carry out although nobody waits for its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Open {
    /// For the wish that is wished now.
    ThisWish,
    /// For another one.
    AnotherWish,
    /// Perhaps: sent by a predecessor that has died before it could say so.
    Inherited,
}

/// The wish in a word, for what outlives the process.
pub(super) fn wish<K: Kind>(object: &K::Object, seen: &K::Observed) -> String {
    format!("{}{}", object.meta().generation.unwrap_or_default(), if seen.is_demanded() { "" } else { "-idle" })
}

/// What may still be open for this object.
fn open<K: Kind>(object: &K::Object, seen: &K::Observed, context: &Context) -> Option<Open> {
    if !K::Object::IN_AWS {
        return None;
    }
    let uid = object.uid().unwrap_or_default();
    let now = (context.clock.now(), context.clock.instant());
    if let Some(written) = object.annotations().get(UNANSWERED).and_then(|text| Unanswered::parse(text, &uid)) {
        context.attempts.read(&uid, &written, now, context.config.create_window);
    }
    match context.attempts.open(&uid, &wish::<K>(object, seen), now.1) {
        Some(true) => Some(Open::ThisWish),
        Some(false) => Some(Open::AnotherWish),
        None => is_inherited::<K>(object, context).then_some(Open::Inherited),
    }
}

/// Whether a predecessor that has died may have sent something for it. An object that was at rest under the wish that it has
/// was left alone by it.
fn is_inherited<K: Kind>(object: &K::Object, context: &Context) -> bool {
    let conditions = object.conditions();
    let told = conditions.iter().find(|c| c.type_ == READY).and_then(|c| c.observed_generation);
    let at_rest = told == object.meta().generation && !is_true(conditions, RECONCILING);
    let deleting = object.meta().deletion_timestamp.is_some();
    (deleting || !at_rest) && context.fence.took_over(context.clock.instant(), context.config.create_window)
}

/// Whether to look again soon, whatever was decided.
pub(super) fn is_watched<K: Kind>(object: &K::Object, context: &Context) -> bool {
    let uid = object.uid().unwrap_or_default();
    context.attempts.open(&uid, "", context.clock.instant()).is_some()
}
