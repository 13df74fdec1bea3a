//! The words that all kinds share: what is requested, what is to be done next, why we wait, what is wrong.

use std::time::Duration;

use crate::failure::Problem;
use crate::told::News;
use crate::waiting::Waiting;

/// What the object asks for, after its spec has been parsed and its references resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Desired<W> {
    /// The object wants this.
    Present(W),
    /// The object is being deleted.
    Absent,
    /// The object cannot be understood; nothing is touched until it changes.
    Invalid(Problem),
}

impl<W> Desired<W> {
    /// What it wants, if that can be said.
    pub fn wanted(&self) -> Option<&W> {
        match self {
            Self::Present(wanted) => Some(wanted),
            Self::Absent | Self::Invalid(_) => None,
        }
    }
}

/// What a planner answers.
///
/// What is to be remembered is stored before anything is done: a crash can then lose neither a count nor a pause, and what is done
/// follows from what is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<A, M> {
    /// What is next.
    pub step: Step<A>,
    /// What is to be remembered from now on, and given to the planner again the next time.
    pub memory: M,
    /// Changes that wait.
    pub deferred: Vec<Deferred>,
    /// What is put in order beside the step, in a pass that has nothing else to carry out: it holds up nothing, and a refusal of it
    /// is told and changes nothing else.
    pub chores: Vec<A>,
}

impl<A, M: Default> From<Step<A>> for Plan<A, M> {
    /// A plan that remembers nothing.
    fn from(step: Step<A>) -> Self {
        Self { step, memory: M::default(), deferred: Vec::new(), chores: Vec::new() }
    }
}

/// A change that waits, because it would interrupt what is on the air or because AWS does not take it now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deferred {
    /// The fields of the spec.
    pub fields: Vec<String>,
    /// A sentence for people: what waits, and for what.
    pub why: String,
}

impl Deferred {
    /// The fields of all that waits, each once.
    #[must_use]
    pub fn fields(all: &[Self]) -> Vec<String> {
        let mut fields: Vec<String> = Vec::new();
        for field in all.iter().flat_map(|deferred| &deferred.fields) {
            if !fields.contains(field) {
                fields.push(field.clone());
            }
        }
        fields
    }
}

/// What a kind remembers, as a value.
pub trait Memory: std::fmt::Debug + Default + Send + Sync {
    /// Whether it is stored before anything is done, because what is done rests on it.
    fn goes_first(&self) -> bool {
        false
    }

    /// What is remembered, in words; `None` when it is nothing.
    fn told(&self) -> Option<String> {
        None
    }

    /// What people are told of what was decided.
    fn news(&self) -> Vec<News<'static>> {
        Vec::new()
    }
}

/// Nothing is remembered.
impl Memory for () {}

/// What is next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<A> {
    /// Carry these out, in this order; none needs another's result. Never empty.
    Act(Vec<A>),
    /// Nothing to do but wait. `poll: None` when a watch will wake us.
    Wait {
        /// For what.
        on: Waiting,
        /// When to look again by ourselves.
        poll: Option<Duration>,
    },
    /// Everything is as requested; look again only for drift.
    Settled,
    /// Only a new spec, or somebody's help, can change anything.
    Stalled(Problem),
    /// Nothing of ours is left: the finalizer may go.
    Gone,
}

impl<A> Step<A> {
    /// Waits, and looks again after `poll`.
    #[must_use]
    pub fn wait(on: Waiting, poll: Duration) -> Self {
        Self::Wait { on, poll: Some(poll) }
    }

    /// Waits for a watch to wake us.
    #[must_use]
    pub fn wait_for_watch(on: Waiting) -> Self {
        Self::Wait { on, poll: None }
    }

    /// The same with actions of another type.
    #[must_use]
    pub fn map<B>(self, f: impl Fn(A) -> B) -> Step<B> {
        match self {
            Self::Act(actions) => Step::Act(actions.into_iter().map(f).collect()),
            Self::Wait { on, poll } => Step::Wait { on, poll },
            Self::Settled => Step::Settled,
            Self::Stalled(problem) => Step::Stalled(problem),
            Self::Gone => Step::Gone,
        }
    }

    /// Whether the wish is carried out, although an encoder may be waited for.
    #[must_use]
    pub fn is_carried_out(&self) -> bool {
        match self {
            Self::Settled => true,
            Self::Wait { on, .. } => on.is_carried_out(),
            Self::Act(_) | Self::Stalled(_) | Self::Gone => false,
        }
    }
}

/// How soon to look again while AWS changes something that takes it seconds.
pub const SOON: Duration = Duration::from_secs(1);
/// How soon to look again while AWS changes something that takes it tens of seconds.
pub const IN_TRANSITION: Duration = Duration::from_secs(2);
