//! The frame of every plan, once for all kinds: what cannot be understood is left as it is, what is suspended is left alone, and what
//! is retained stays when its object goes. The rest is the kind's own decision.
//!
//! What the loop asks of a kind in between is asked of three values: of the wish ([`Wish`]), of the facts ([`Facts`]), and of the object
//! as it is stored ([`Managed`]).

use std::fmt::Debug;
use std::hash::Hasher;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::core::object::HasStatus;

use crate::action::Action;
use crate::conditions::READY;
use crate::fight::Left;
use crate::left::Farewell;
use crate::plan::{Desired, Memory, Plan, Step};
use crate::stored::Stored;
use crate::told::{self, News};

/// What an object wants, after its spec was parsed: a wish that cannot be wrong.
pub trait Wish: Debug + Send + Sync + Sized {
    /// The facts that it is compared with.
    type Seen: Facts<Action = Self::Action>;
    /// What can be done.
    type Action: Action;
    /// What is remembered.
    type Memory: Memory;

    /// Decides what is next.
    fn plan(&self, seen: &Self::Seen) -> Plan<Self::Action, Self::Memory>;

    /// The plan of an object for which nothing is to be done now.
    fn rest(&self, _seen: &Self::Seen) -> Plan<Self::Action, Self::Memory> {
        Step::Settled.into()
    }

    /// What is put in order beside the step: it holds up nothing, and a refusal of it is told and changes nothing else.
    fn housekeeping(&self, _seen: &Self::Seen) -> Vec<Self::Action> {
        Vec::new()
    }

    /// Whether everything is to be left as it is.
    fn is_suspended(&self) -> bool {
        false
    }

    /// Whether it is to be on the air.
    fn is_on(&self, _seen: &Self::Seen) -> bool {
        true
    }

    /// Everything by which a wish is another one, besides what a user can change about the object: the keys that it names.
    fn hash_keys(&self, _hash: &mut impl Hasher) {}

    /// In what AWS differs from what this action asks for, for people and without secrets. `wanted`: `None` while the object goes.
    fn difference(_wanted: Option<&Self>, _seen: &Self::Seen, _action: &Self::Action) -> String {
        String::new()
    }
}

/// What was seen of an object.
pub trait Facts: Debug + Send + Sync {
    /// What can be done.
    type Action: Action;

    /// The way to nothing.
    fn retire(&self) -> Step<Self::Action>;

    /// What comes first when the object goes, also when what it has is retained; `None`: nothing keeps it.
    fn before_it_goes(&self, _retain: bool) -> Option<Step<Self::Action>> {
        None
    }

    /// What the last Event of an object says when it goes: what is left in AWS.
    fn last_word(&self) -> Farewell;

    /// Whether others want it on the air, where that is not for the object alone to say.
    fn is_demanded(&self) -> bool {
        true
    }

    /// Lets the planner go on as if this were as requested.
    fn leave(&mut self, _left: Left) {}
}

/// A custom resource that the loop looks after.
pub trait Managed: Stored + HasStatus {
    /// Whether it has something in AWS.
    const IN_AWS: bool = true;

    /// The conditions of its status.
    fn conditions(&self) -> &[Condition];

    /// The word for its state, by which it is counted.
    fn word(&self) -> String {
        let ready = self.conditions().iter().find(|c| c.type_ == READY);
        ready.map_or("Unknown", |c| if c.status == "True" { "Ready" } else { "NotReady" }).into()
    }

    /// Whether it is suspended, as its spec says.
    fn is_suspended(&self) -> bool {
        false
    }

    /// Whether AWS's side stays when the object goes.
    fn retains(&self) -> bool {
        false
    }

    /// Whether AWS has shown what a create of this role made: then a create is no repetition of that one.
    fn was_seen(&self, _role: &str) -> bool {
        false
    }

    /// What its status tells that the one before it did not, for Events.
    fn news<'a>(&'a self, before: &Self) -> Vec<News<'a>> {
        told::news(before.conditions(), self.conditions(), false)
    }

    /// Whether two statuses differ in what they summarise of other objects alone: that is gathered, and written once a second at most.
    fn is_summary(_stored: &Self::Status, _new: &Self::Status) -> bool {
        false
    }
}

/// Decides what is next for an object of any kind. `retain`: what it has in AWS stays when it goes.
#[must_use]
pub fn frame<W: Wish>(desired: &Desired<W>, retain: bool, seen: &W::Seen) -> Plan<W::Action, W::Memory> {
    match desired {
        Desired::Invalid(problem) => Step::Stalled(problem.clone()).into(),
        Desired::Present(wanted) if wanted.is_suspended() => wanted.rest(seen),
        Desired::Present(wanted) => Plan { chores: wanted.housekeeping(seen), ..wanted.plan(seen) },
        Desired::Absent => match seen.before_it_goes(retain) {
            Some(step) => step.into(),
            None if retain => Step::Gone.into(),
            None => seen.retire().into(),
        },
    }
}

impl<W: Wish> Desired<W> {
    /// Whether the object is to be off the air, or to go.
    #[must_use]
    pub fn ends(&self, seen: &W::Seen) -> bool {
        !self.wanted().is_some_and(|wanted| wanted.is_on(seen))
    }

    /// Everything by which a wish is another one, besides what a user can change about the object.
    pub fn hash_keys(&self, hash: &mut impl Hasher) {
        if let Some(wanted) = self.wanted() {
            wanted.hash_keys(hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Effect, Intent};
    use crate::failure::Problem;
    use crate::left::farewell;
    use crate::reasons::Reason;
    use crate::waiting::Waiting;

    #[derive(Clone, Debug, PartialEq, serde::Serialize)]
    enum Act {
        Make,
        Tidy,
        Remove,
    }

    impl Action for Act {
        fn intent(&self) -> Intent {
            Intent::None
        }

        fn effect(&self) -> Effect {
            Effect::new(Vec::new(), Reason::Updating, "")
        }
    }

    #[derive(Debug, Default, PartialEq)]
    struct Count(u32);

    impl Memory for Count {}

    #[derive(Debug)]
    struct Show {
        suspended: bool,
    }

    #[derive(Debug)]
    struct World {
        used: bool,
    }

    impl Wish for Show {
        type Seen = World;
        type Action = Act;
        type Memory = Count;

        fn plan(&self, _: &World) -> Plan<Act, Count> {
            Plan { memory: Count(1), ..Step::Act(vec![Act::Make]).into() }
        }

        fn rest(&self, _: &World) -> Plan<Act, Count> {
            Plan { memory: Count(7), ..Step::Settled.into() }
        }

        fn housekeeping(&self, _: &World) -> Vec<Act> {
            vec![Act::Tidy]
        }

        fn is_suspended(&self) -> bool {
            self.suspended
        }
    }

    impl Facts for World {
        type Action = Act;

        fn retire(&self) -> Step<Act> {
            Step::Act(vec![Act::Remove])
        }

        fn before_it_goes(&self, _: bool) -> Option<Step<Act>> {
            self.used.then(in_use)
        }

        fn last_word(&self) -> Farewell {
            farewell(&[], true)
        }
    }

    fn in_use() -> Step<Act> {
        Step::wait_for_watch(Waiting::InUse(vec!["Destination/tube".into()]))
    }

    const SEEN: World = World { used: false };
    const USED: World = World { used: true };

    #[test]
    fn what_is_suspended_is_left_alone_and_what_was_remembered_of_it_stays() {
        let plan = |suspended| frame(&Desired::Present(Show { suspended }), false, &SEEN);
        assert_eq!(plan(true), Plan { memory: Count(7), ..Step::Settled.into() }, "not even put in order");
        let on = plan(false);
        assert_eq!((on.step, on.memory, on.chores), (Step::Act(vec![Act::Make]), Count(1), vec![Act::Tidy]));
    }

    #[test]
    fn what_cannot_be_understood_is_stuck_and_touched_by_nothing() {
        let problem = Problem::new(Reason::InvalidSpec, "spec.url is no URL.");
        for retain in [false, true] {
            let plan = frame(&Desired::<Show>::Invalid(problem.clone()), retain, &SEEN);
            assert_eq!(plan, Step::Stalled(problem.clone()).into());
        }
    }

    #[test]
    fn what_is_retained_goes_without_an_action_unless_something_keeps_it() {
        let step = |retain, seen: &World| frame(&Desired::<Show>::Absent, retain, seen).step;
        assert_eq!(step(false, &SEEN), Step::Act(vec![Act::Remove]));
        assert_eq!(step(true, &SEEN), Step::Gone);
        for retain in [false, true] {
            assert_eq!(step(retain, &USED), in_use());
        }
    }

    #[test]
    fn what_is_not_to_be_on_the_air_ends() {
        let on = Desired::Present(Show { suspended: false });
        assert!(!on.ends(&SEEN) && Desired::<Show>::Absent.ends(&SEEN));
    }
}
