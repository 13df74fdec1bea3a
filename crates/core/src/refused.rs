//! What AWS refuses is put aside, and the rest goes on: a start, a stop and an unrelated change wait for nothing that AWS does not
//! take. One rule for every action of every kind, kept by the loop.
//!
//! It is told for as long as it stands, and asked for again after growing pauses, when nothing else is to be done: a policy, a
//! quota or something in AWS may have changed. A new wish begins anew.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::failure::{Failure, FailureClass};
use crate::fight::{Change, Left, What};

/// Conflicts in a row after which it is no conflict any more: a thing may be in transition, or be seen as it was.
const CONFLICTS: u32 = 4;
/// First and longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));
/// The same of what takes something off the air, and of what may pass by itself.
const SHORT: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));

/// What AWS has refused of one object. `now` is how long the process has run, by a clock that nobody can set.
#[derive(Debug, Default)]
pub struct Refused {
    wish: u64,
    demand: u64,
    all: BTreeMap<Change, Refusal>,
}

#[derive(Debug)]
struct Refusal {
    failure: Failure,
    times: u32,
    until: Duration,
}

impl Refusal {
    fn is_aside(&self) -> bool {
        self.failure.is_refusal() || self.times >= CONFLICTS
    }
}

impl Refused {
    /// A look found this wish, and this demand of others for what is to be on the air.
    pub fn requested(&mut self, wish: u64, demand: u64) {
        if self.wish != wish {
            self.all.clear();
        } else if self.demand != demand {
            self.all.retain(|change, _| !matches!(change.what, What::Started | What::Stopped));
        }
        (self.wish, self.demand) = (wish, demand);
    }

    /// AWS said no to an action that changes this. How often in a row by now, if it is put aside. Settings that go with a switch in
    /// one call are what was refused: the switch is tried without them.
    pub fn refused(&mut self, changes: &[Change], failure: &Failure, now: Duration) -> Option<u32> {
        let conflicts = matches!(failure.class, FailureClass::Conflict | FailureClass::Absent);
        if !conflicts && !failure.is_refusal() {
            return None;
        }
        let is_switch = |change: &&Change| matches!(change.what, What::Started | What::Stopped);
        let settings: Vec<_> = changes.iter().filter(|change| !is_switch(change)).collect();
        let blamed = if settings.is_empty() { changes.iter().collect() } else { settings };
        let mut all = None;
        for change in blamed {
            let times = self.all.get(change).map_or(0, |refusal| refusal.times).saturating_add(1);
            let (first, most) = if conflicts || change.what == What::Stopped { SHORT } else { PAUSES };
            let nth = times - if conflicts { CONFLICTS.min(times) } else { 1 };
            let pause = first.saturating_mul(1 << nth.min(16)).min(most);
            let refusal = Refusal { failure: failure.clone(), times, until: now.saturating_add(pause) };
            all = all.or(refusal.is_aside().then_some(times));
            self.all.insert(change.clone(), refusal);
        }
        all
    }

    /// AWS took an action that changes this.
    pub fn taken(&mut self, changes: &[Change]) {
        self.all.retain(|change, _| !changes.contains(change));
    }

    /// A look found nothing to be changed.
    pub fn settled(&mut self) {
        self.all.clear();
    }

    /// What is put aside. `due`: without what may be asked for again by then.
    #[must_use]
    pub fn left(&self, due: Option<Duration>) -> Left {
        let waits = |refusal: &Refusal| refusal.is_aside() && due.is_none_or(|now| now < refusal.until);
        let changes = self.all.iter().filter(|(_, refusal)| waits(refusal));
        changes.map(|(change, _)| change.clone()).collect()
    }

    /// What AWS said, of all that is put aside, and when something of it is asked for again.
    #[must_use]
    pub fn told(&self) -> Option<(Failure, Duration)> {
        let aside = || self.all.values().filter(|refusal| refusal.is_aside());
        // What people can mend comes before what may pass.
        let first = aside().min_by_key(|refusal| !refusal.failure.is_refusal())?;
        let mut failure = first.failure.clone();
        for other in aside().filter(|other| other.failure.message != first.failure.message) {
            failure.message = format!("{}; {}: {}", failure.message, other.failure.operation, other.failure.message);
        }
        Some((failure, aside().map(|refusal| refusal.until).min()?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Refused;
    use crate::failure::{Failure, FailureClass};
    use crate::fight::{Change, Left, What};

    fn failure(class: FailureClass, message: &str) -> Failure {
        Failure { class, operation: "mediaconnect:UpdateFlow".into(), message: message.into() }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_refused_is_put_aside_and_asked_for_again_after_growing_pauses() {
        let mut refused = Refused::default();
        let change = [Change::of("flow", What::Settings)];
        let mut now = 0;
        for pause in [5, 10, 20, 40, 80, 160, 300, 300] {
            assert!(refused.refused(&change, &failure(FailureClass::Invalid, "no"), at(now)).is_some());
            assert!(refused.left(Some(at(now + pause - 1))).has(&change[0]));
            assert!(!refused.left(Some(at(now + pause))).has(&change[0]), "it is asked for again");
            assert!(refused.left(None).has(&change[0]));
            assert_eq!(refused.told().map(|(_, until)| until), Some(at(now + pause)));
            now += pause;
        }
        refused.taken(&change);
        assert_eq!((refused.left(None), refused.told()), (Left::default(), None));
    }

    #[test]
    fn a_conflict_is_put_aside_when_it_lasts_and_what_may_have_happened_is_not() {
        let mut refused = Refused::default();
        let change = [Change::of("flow", What::Settings)];
        let conflict = failure(FailureClass::Conflict, "busy");
        let put_aside: Vec<_> = (0..5).map(|_| refused.refused(&change, &conflict, at(0)).is_some()).collect();
        assert_eq!(put_aside, [false, false, false, true, true]);
        refused.settled();
        assert_eq!(refused.left(None), Left::default());
        for class in [FailureClass::Transient, FailureClass::Throttled, FailureClass::NotLeading, FailureClass::Panic] {
            assert_eq!(refused.refused(&change, &failure(class, "?"), at(0)), None, "{class:?}");
        }
        assert_eq!((refused.left(None), refused.told()), (Left::default(), None));
    }

    #[test]
    fn settings_are_blamed_and_the_switch_that_goes_with_them_is_not() {
        let mut refused = Refused::default();
        let both = [Change::of("output", What::Settings), Change::of("output", What::Started)];
        refused.refused(&both, &failure(FailureClass::Invalid, "no"), at(0));
        assert_eq!([refused.left(None).has(&both[0]), refused.left(None).has(&both[1])], [true, false]);
    }

    #[test]
    fn another_wish_begins_anew_and_another_demand_begins_switches_anew() {
        let mut refused = Refused::default();
        let (tags, stop) = (Change::of("flow", What::Tags), Change::of("flow", What::Stopped));
        refused.requested(1, 0);
        refused.refused(std::slice::from_ref(&tags), &failure(FailureClass::Denied, "tags"), at(0));
        refused.refused(std::slice::from_ref(&stop), &failure(FailureClass::Denied, "stop"), at(0));
        let (told, _) = refused.told().expect("both are told");
        assert!(told.message.contains("tags") && told.message.contains("stop"), "{}", told.message);
        assert!(!refused.left(Some(at(2))).has(&stop), "a stop is tried again soon");
        refused.requested(1, 1);
        assert_eq!([refused.left(None).has(&tags), refused.left(None).has(&stop)], [true, false]);
        refused.requested(2, 1);
        assert_eq!(refused.left(None), Left::default());
    }
}
