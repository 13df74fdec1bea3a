//! What is done of a plan, when something of it is held or something may still come of what AWS has not answered. Pure.

use std::time::Duration;

use playout_core::failure::{Failure, Problem};
use playout_core::fight::Left;
use playout_core::frame::{Facts as _, Wish, frame};
use playout_core::plan::{Desired, Plan, Step};
use playout_core::waiting::Waiting;

use super::pace::WATCHING;
use crate::attempts::PutAside;

/// What the planner of a wish answers.
pub(super) type PlanOf<W> = Plan<<W as Wish>::Action, <W as Wish>::Memory>;

/// What was decided.
#[derive(Debug)]
pub(super) struct Decided<W: Wish> {
    pub plan: PlanOf<W>,
    /// How long it is until what AWS has refused is asked for again.
    pub again: Option<Duration>,
    /// What AWS has said, when nothing else is to be done: the step is what it refuses, and is not carried out now.
    pub refusal: Option<Failure>,
}

/// What is not changed now.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// What somebody sets back again and again.
    pub fought: Left,
    /// That in words, and how long it is held; no length: until there is another wish.
    pub told: Option<(String, Option<Duration>)>,
    /// What AWS has refused.
    pub aside: Option<PutAside>,
}

/// What AWS may still carry out although nobody waits for its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Open {
    /// For the wish that is requested now.
    ThisWish,
    /// For another one.
    AnotherWish,
    /// Perhaps: sent by a predecessor that has died before it could say so.
    Inherited,
}

/// What is done of `all` while this is held. The facts say afterwards what the planner is to take for granted.
pub(super) fn unless_held<W: Wish>(
    desired: &Desired<W>,
    retain: bool,
    seen: &mut W::Seen,
    all: PlanOf<W>,
    held: &Held,
) -> Decided<W> {
    let Held { fought, told, aside } = held;
    // What is due and cannot be asked for now, while a flow starts perhaps, waits for the step and makes no haste.
    let again = aside.as_ref().map(|aside| aside.again).filter(|again| !again.is_zero());
    let just = |plan| Decided { plan, again, refusal: None };
    let refusal = aside.as_ref().map(|aside| &aside.failure);
    let mut rest = |left: Left| without(desired, retain, seen, &left, refusal);
    if !matches!(all.step, Step::Act(_)) {
        if aside.is_some() {
            rest(Left::default());
        }
        return just(all);
    }
    let Some(aside) = aside else {
        if fought.is_empty() {
            return just(all);
        }
        let others = rest(fought.clone());
        return just(match told {
            Some((what, until)) if others.step.is_carried_out() => Plan { step: set_back(what, *until), ..others },
            _ => others,
        });
    };
    // What AWS has refused is asked for again when nothing else is to be done.
    let others = rest(aside.all.clone().and(fought));
    if matches!(others.step, Step::Act(_)) {
        return just(others);
    }
    let due = rest(aside.waiting.clone().and(fought));
    if matches!(due.step, Step::Act(_)) {
        return just(due);
    }
    rest(aside.all.clone().and(fought));
    if others.step.is_carried_out() {
        // Also while an encoder is waited for.
        let again = Some(again.unwrap_or(WATCHING));
        return Decided { plan: all, again, refusal: Some(aside.failure.clone()) };
    }
    just(others)
}

/// The plan as if what is left were as requested.
fn without<W: Wish>(
    desired: &Desired<W>,
    retain: bool,
    seen: &mut W::Seen,
    left: &Left,
    refusal: Option<&Failure>,
) -> PlanOf<W> {
    let mut told = left.clone();
    told.refusal = refusal.cloned();
    seen.leave(told);
    let plan = frame(desired, retain, seen);
    let step = match plan.step {
        Step::Act(actions) => {
            Some(left.allowed(actions)).filter(|rest| !rest.is_empty()).map_or(Step::Settled, Step::Act)
        }
        // It is neither as requested nor gone.
        Step::Gone => Step::Settled,
        step => step,
    };
    Plan { step, ..plan }
}

/// Nothing else is to be done than what somebody sets back.
fn set_back<A>(what: &str, until: Option<Duration>) -> Step<A> {
    match until {
        Some(pause) => Step::wait(Waiting::SetBack(what.to_owned()), pause.min(WATCHING)),
        None => Step::Stalled(Problem::set_back(what)),
    }
}

/// Nothing is settled, and nothing gone, while AWS may still carry out what would undo it. `ends`: the object is to be off the air, or
/// to go.
pub(super) fn unless_open<A>(step: Step<A>, open: Option<Open>, retain: bool, ends: bool) -> Step<A> {
    let waits = match (&step, open) {
        (_, None) => false,
        (Step::Gone, Some(_)) => !retain,
        // A change for the wish that is carried out undoes nothing; nor does one of a predecessor, if the show is to go on.
        (step, Some(Open::AnotherWish)) => step.is_carried_out(),
        (step, Some(Open::Inherited)) => step.is_carried_out() && ends,
        (_, Some(Open::ThisWish)) => false,
    };
    if waits { Step::wait(Waiting::Unanswered, WATCHING) } else { step }
}

#[cfg(test)]
mod tests {
    use playout_core::action::{Action, Effect, Intent};
    use playout_core::failure::FailureClass;
    use playout_core::fight::{Change, What};
    use playout_core::frame::Facts;
    use playout_core::left::{Farewell, farewell};
    use playout_core::reasons::Reason;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
    enum Act {
        Resize,
        Tag,
    }

    impl Action for Act {
        fn intent(&self) -> Intent {
            Intent::None
        }

        fn effect(&self) -> Effect {
            Effect::new(vec![change(*self)], Reason::Updating, "")
        }
    }

    fn change(act: Act) -> Change {
        Change::of("flow", if act == Act::Resize { What::Settings } else { What::Tags })
    }

    /// Wants these to be done.
    #[derive(Debug)]
    struct Wants(Vec<Act>);

    /// What is left of it, as the planner is told.
    #[derive(Debug, Default)]
    struct World(Left);

    impl Wish for Wants {
        type Seen = World;
        type Action = Act;
        type Memory = ();

        /// One at a time.
        fn plan(&self, seen: &World) -> Plan<Act, ()> {
            let next = self.0.iter().find(|act| !seen.0.leaves(*act));
            next.map_or(Step::Settled, |act| Step::Act(vec![*act])).into()
        }
    }

    impl Facts for World {
        type Action = Act;

        fn retire(&self) -> Step<Act> {
            Step::Gone
        }

        fn last_word(&self) -> Farewell {
            farewell(&[], true)
        }

        fn leave(&mut self, left: Left) {
            self.0 = left;
        }
    }

    fn left(acts: &[Act]) -> Left {
        acts.iter().map(|act| change(*act)).collect()
    }

    fn no() -> Failure {
        Failure { class: FailureClass::Denied, operation: "mediaconnect:UpdateFlow".into(), message: "no".into() }
    }

    /// AWS has refused all of these, and those that `wait` are not to be asked for again for so long.
    fn aside(all: &[Act], wait: &[Act], again: u64) -> Held {
        let aside = PutAside { all: left(all), waiting: left(wait), failure: no(), again: Duration::from_secs(again) };
        Held { aside: Some(aside), ..Held::default() }
    }

    fn fought(acts: &[Act], pause: Option<u64>) -> Held {
        let told = Some(("The flow was changed 5 times.".into(), pause.map(Duration::from_secs)));
        Held { fought: left(acts), told, aside: None }
    }

    fn chosen(wants: &[Act], held: &Held) -> (Decided<Wants>, World) {
        let (desired, mut seen) = (Desired::Present(Wants(wants.to_vec())), World::default());
        let all = frame(&desired, false, &seen);
        (unless_held(&desired, false, &mut seen, all, held), seen)
    }

    fn step(wants: &[Act], held: &Held) -> Step<Act> {
        let (Decided { plan, refusal, .. }, _) = chosen(wants, held);
        assert_eq!(refusal, None);
        plan.step
    }

    const BOTH: [Act; 2] = [Act::Resize, Act::Tag];

    #[test]
    fn the_rest_goes_on_beside_what_somebody_sets_back() {
        assert_eq!(step(&BOTH, &Held::default()), Step::Act(vec![Act::Resize]));
        assert_eq!(step(&BOTH, &fought(&[Act::Resize], Some(30))), Step::Act(vec![Act::Tag]));
        assert_eq!(step(&[], &fought(&[Act::Resize], Some(30))), Step::Settled, "it is as requested now");
    }

    #[test]
    fn what_is_set_back_is_waited_for_and_left_at_last() {
        let of = |pause| step(&[Act::Resize], &fought(&[Act::Resize], pause));
        let waits =
            |poll| Step::Wait { on: Waiting::SetBack("The flow was changed 5 times.".into()), poll: Some(poll) };
        assert_eq!(of(Some(2)), waits(Duration::from_secs(2)));
        assert_eq!(of(Some(120)), waits(WATCHING), "somebody may stop setting it back");
        assert!(matches!(of(None), Step::Stalled(problem) if problem.message.contains("changed 5 times")));
    }

    #[test]
    fn what_aws_refuses_is_put_aside_and_asked_for_again_when_nothing_else_is_to_be_done() {
        let (decided, seen) = chosen(&BOTH, &aside(&[Act::Resize], &[Act::Resize], 60));
        assert_eq!(decided.plan.step, Step::Act(vec![Act::Tag]), "the rest goes on");
        assert_eq!((decided.again, decided.refusal), (Some(Duration::from_secs(60)), None));
        assert_eq!(seen.0.refusal, Some(no()), "the status tells of it");
        // It is due.
        assert_eq!(step(&BOTH, &aside(&[Act::Resize], &[], 0)), Step::Act(vec![Act::Tag]), "the rest goes first");
        assert_eq!(step(&[Act::Resize], &aside(&[Act::Resize], &[], 0)), Step::Act(vec![Act::Resize]));
    }

    #[test]
    fn what_aws_refuses_stands_as_the_failure_until_it_is_due() {
        let (decided, seen) = chosen(&[Act::Resize], &aside(&[Act::Resize], &[Act::Resize], 60));
        assert_eq!((decided.refusal, decided.again), (Some(no()), Some(Duration::from_secs(60))));
        assert_eq!(decided.plan.step, Step::Act(vec![Act::Resize]), "that is what is refused");
        assert!(seen.0.has(&change(Act::Resize)), "and the planner goes on as if it were done");
        let (_, seen) = chosen(&[Act::Resize], &aside(&BOTH, &[Act::Resize], 60));
        assert!(seen.0.has(&change(Act::Tag)), "nor does it ask for what is due and not wanted");
        let (decided, seen) = chosen(&[], &aside(&[Act::Resize], &[Act::Resize], 60));
        assert_eq!((decided.plan.step, decided.refusal), (Step::Settled, None), "it is not wanted any more");
        assert_eq!(seen.0.refusal, Some(no()));
    }

    #[test]
    fn nothing_is_settled_or_gone_while_aws_may_still_undo_it() {
        use Open::{AnotherWish, Inherited, ThisWish};
        let waits = |step: &Step<Act>, open, retain, ends| {
            unless_open(step.clone(), open, retain, ends) == Step::wait(Waiting::Unanswered, WATCHING)
        };
        for open in [ThisWish, AnotherWish, Inherited].map(Some) {
            assert!(waits(&Step::Gone, open, false, true), "{open:?}: it may still make something");
            assert!(!waits(&Step::Gone, open, true, true), "{open:?}: what stays may change");
            assert!(!waits(&Step::Act(vec![Act::Tag]), open, false, true), "{open:?}: what is to be done is done");
        }
        let of = |open, ends| waits(&Step::Settled, open, false, ends);
        assert_eq!([of(None, true), of(None, false)], [false; 2]);
        assert_eq!([of(Some(ThisWish), true), of(Some(ThisWish), false)], [false; 2], "it undoes nothing");
        assert_eq!([of(Some(AnotherWish), true), of(Some(AnotherWish), false)], [true; 2]);
        assert_eq!([of(Some(Inherited), true), of(Some(Inherited), false)], [true, false], "the show goes on");
    }
}
