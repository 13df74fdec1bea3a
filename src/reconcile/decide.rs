//! The decision of a pass: the kind's planner in its frame (`playout_core::frame`), under the rules that hold for every kind.
//! What is remembered of the object is looked up here; what it means is in `choose`.
//!
//! - What AWS refuses is put aside, and the rest goes on (`playout_core::refused`).
//! - What is set back again and again is changed more and more slowly, and left at last; the rest goes on (`playout_core::fight`).
//! - Nothing is settled, and nothing gone, while AWS may still carry out a change that would undo it (`playout_core::unanswered`).

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use kube::{Resource as _, ResourceExt as _};
use playout_api::UNANSWERED;
use playout_core::conditions::{READY, RECONCILING, is_true};
use playout_core::frame::{Facts as _, Managed as _, frame};
use playout_core::plan::{Desired, Step};
use playout_core::unanswered::Unanswered;
use playout_core::wakes::read::{is_held, visible};

use super::choose::{Decided, Held, Open, unless_held, unless_open};
use crate::kind::{Context, Kind};

/// Decides on what was seen.
pub(super) fn decide<K: Kind>(
    object: &K::Object,
    desired: &Desired<K::Wanted>,
    seen: &mut K::Observed,
    context: &Context,
) -> Decided<K::Wanted> {
    let (uid, now) = (object.uid().unwrap_or_default(), context.clock.instant());
    let retain = object.retains();
    let ends = desired.ends(seen);
    let mut wish = DefaultHasher::new();
    (visible(object), is_held(object)).hash(&mut wish);
    desired.hash_keys(&mut wish);
    let fought = context.attempts.requested(&uid, wish.finish(), seen.is_demanded(), ends, now);
    let all = frame(desired, retain, seen);
    let carried_out = all.step.is_carried_out();
    if carried_out || matches!(all.step, Step::Stalled(_)) {
        context.attempts.settled(&uid, carried_out, now);
    }
    let told = if fought.is_empty() { None } else { context.attempts.told(&uid, ends, now) };
    let held = Held { fought, told, aside: context.attempts.put_aside(&uid, now) };
    let mut decided = unless_held(desired, retain, seen, all, &held);
    let open = open::<K>(object, seen, context);
    decided.plan.step = unless_open(decided.plan.step, open, retain, desired.ends(seen));
    decided
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
