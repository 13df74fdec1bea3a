//! The fight rule: what the operator changes and AWS, or somebody, sets back again and again is changed more and more slowly, and
//! left at last. One rule for every action of every kind, kept by the loop.
//!
//! Changes are counted by what they change of which resource, whatever they change it to, in whatever order they come, and
//! whatever is waited for between them. What takes something off the air, or may interrupt it, is left; what brings it back is
//! only paced, so that the show is never what is left. A new wish begins anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::action::Action;
use crate::failure::Failure;

/// What an action changes: of which resource, and what of it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Change {
    /// The resource, by what it is to its object: an ARN may be another one each time.
    pub resource: String,
    /// What of it.
    pub what: What,
}

/// What is changed of a resource.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum What {
    /// It is made.
    Made,
    /// It is put on the air.
    Started,
    /// It is taken off the air.
    Stopped,
    /// Its settings.
    Settings,
    /// Its tags.
    Tags,
    /// It is removed.
    Removed,
}

impl Change {
    /// This of that resource.
    #[must_use]
    pub fn of(resource: impl Into<String>, what: What) -> Self {
        Self { resource: resource.into(), what }
    }

    /// Whether it brings something into being or on the air, and interrupts nothing.
    fn restores(&self) -> bool {
        matches!(self.what, What::Made | What::Started)
    }
}

/// What is not to be changed now: what is fought about, and what AWS has refused. The planner goes on as if it were as requested.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Left {
    changes: BTreeSet<Change>,
    /// What AWS said to what it has refused, for people.
    pub refusal: Option<Failure>,
}

impl Left {
    /// Whether this is not to be done now.
    #[must_use]
    pub fn leaves(&self, action: &impl Action) -> bool {
        !self.changes.is_empty() && action.changes().iter().any(|change| self.has(change))
    }

    /// Whether this is not to be changed now.
    #[must_use]
    pub fn has(&self, change: &Change) -> bool {
        self.changes.contains(change)
    }

    /// What may be done now of these.
    #[must_use]
    pub fn allowed<A: Action>(&self, actions: Vec<A>) -> Vec<A> {
        actions.into_iter().filter(|action| !self.leaves(action)).collect()
    }

    /// Whether everything may be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// This, and that, too.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.changes.extend(other.changes.iter().cloned());
        self
    }
}

impl FromIterator<Change> for Left {
    fn from_iter<T: IntoIterator<Item = Change>>(changes: T) -> Self {
        Self { changes: changes.into_iter().collect(), refusal: None }
    }
}

/// So often in a row something may be changed without a pause: a change can meet somebody's else, or an old read, and be right.
const FREE: u32 = 3;
/// The same for what is brought back after that: it is done once more than it was undone.
const FREE_RESTORES: u32 = 7;
/// Changes farther apart than this are no fight.
const WINDOW: Duration = Duration::from_secs(600);
/// What has been seen as requested for this long was kept.
const KEPT: Duration = Duration::from_secs(60);
/// Pauses before what may interrupt a show is changed once more; after the last of them it is left.
const PAUSES: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(120)];
/// First and longest pause of what is only paced.
const RESTORES: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(300));
/// The same of what ends: a stop that is requested is never held up for long.
const ENDS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));

/// Whether a change may be made now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It may.
    Go,
    /// Not before this.
    Pause(Duration),
    /// Not under this wish any more.
    Leave,
}

/// The changes of one object. `now` is how long the process has run, by a clock that nobody can set.
#[derive(Debug, Default)]
pub struct Ledger {
    wish: u64,
    demand: u64,
    done: BTreeMap<Change, Done>,
}

#[derive(Debug)]
struct Done {
    times: u32,
    last: Duration,
    difference: String,
}

impl Ledger {
    /// A look found this wish, and this demand of others for what is to be on the air. What was done under another wish says
    /// nothing of this one; nor does a switch that others asked for.
    pub fn requested(&mut self, wish: u64, demand: u64) {
        if self.wish != wish {
            self.done.clear();
        } else if self.demand != demand {
            self.forget_switches();
        }
        (self.wish, self.demand) = (wish, demand);
    }

    /// A restart was decided upon, which has its own count.
    pub fn forget_switches(&mut self) {
        self.done.retain(|change, _| !matches!(change.what, What::Started | What::Stopped));
    }

    /// This was changed; how often in a row by now. `difference`: what AWS showed before it, for people.
    pub fn changed(&mut self, change: &Change, difference: &str, now: Duration) -> u32 {
        let before = self.done.get(change).filter(|done| now.saturating_sub(done.last) < WINDOW);
        let times = before.map_or(0, |done| done.times).saturating_add(1);
        self.done.insert(change.clone(), Done { times, last: now, difference: difference.into() });
        times
    }

    /// A look found nothing to be changed. What has stayed as it was changed for a while is no fight.
    pub fn settled(&mut self, now: Duration) {
        self.done.retain(|_, done| now.saturating_sub(done.last) < KEPT);
    }

    /// Whether this may be changed now. `ends`: the object is to be off the air, or to go.
    #[must_use]
    pub fn verdict(&self, change: &Change, ends: bool, now: Duration) -> Verdict {
        let Some(done) = self.done.get(change) else { return Verdict::Go };
        let pause = |first: Duration, most: Duration, nth: u32| first.saturating_mul(1 << nth.min(16)).min(most);
        let pause = if change.restores() {
            match done.times.checked_sub(FREE_RESTORES) {
                None => return Verdict::Go,
                Some(nth) => pause(RESTORES.0, RESTORES.1, nth),
            }
        } else {
            match done.times.checked_sub(FREE) {
                None => return Verdict::Go,
                Some(nth) if ends => pause(ENDS.0, ENDS.1, nth),
                Some(nth) => match PAUSES.get(nth as usize) {
                    Some(pause) => *pause,
                    None => return Verdict::Leave,
                },
            }
        };
        let until = done.last + pause;
        if now < until { Verdict::Pause(until) } else { Verdict::Go }
    }

    /// What may not be changed now.
    #[must_use]
    pub fn left(&self, ends: bool, now: Duration) -> Left {
        self.done.keys().filter(|change| self.verdict(change, ends, now) != Verdict::Go).cloned().collect()
    }

    /// What is not changed now, in words, and until when; no time: as long as the wish is the same. `None`: nothing is held.
    #[must_use]
    pub fn told(&self, ends: bool, now: Duration) -> Option<(String, Option<Duration>)> {
        let mut sentences = Vec::new();
        let mut until = None;
        let mut is_left = false;
        for (change, done) in &self.done {
            match self.verdict(change, ends, now) {
                Verdict::Go => continue,
                Verdict::Pause(end) => until = Some(until.map_or(end, |earliest: Duration| earliest.min(end))),
                Verdict::Leave => is_left = true,
            }
            let verb = match change.what {
                What::Made => "made",
                What::Started => "started",
                What::Stopped => "stopped",
                What::Settings => "changed",
                What::Tags => "tagged",
                What::Removed => "removed",
            };
            let difference = if done.difference.is_empty() { String::new() } else { format!(" ({})", done.difference) };
            sentences.push(format!("{} was {verb} {} times{difference}.", capitalized(&change.resource), done.times));
        }
        (!sentences.is_empty()).then(|| (sentences.join(" "), until.filter(|_| !is_left)))
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
