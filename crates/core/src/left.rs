//! What stays in AWS when its object goes, and whether it is paid for: the last that people are told of it.

use crate::reasons::Reason;
use crate::resources::flow::SecretCopy;

/// Something in AWS that stays.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Left {
    /// What it is, as AWS calls it. Example: `flow`.
    pub what: &'static str,
    /// Its ARN; where none is known, its id or name.
    pub arn: String,
    /// Why it stays.
    pub why: Stays,
    /// What it does, and whether that is billed.
    pub cost: Cost,
}

/// Why something stays.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stays {
    /// `spec.deletionPolicy` is `Retain`.
    Retained,
    /// It was there before and is only used.
    Referenced,
    /// It lacks the object's ownership tags.
    NotOurs,
    /// The object of the same identity that has this UID is in charge of it.
    TakenOver(String),
}

/// What something does that stays. AWS bills flows and channels while they run, idle channels and inputs at a lower price, and
/// secrets by the month (pricing pages of MediaConnect, MediaLive and Secrets Manager).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cost {
    /// A flow or a channel that runs.
    Runs,
    /// A flow that does not run.
    Stopped,
    /// An output that sends whenever its flow runs.
    Sends,
    /// An output that does not send.
    Silent,
    /// A channel or an input that exists.
    Idle,
    /// An input of a channel that runs.
    Part,
    /// A secret.
    Kept,
}

impl Cost {
    fn text(self) -> &'static str {
        match self {
            Self::Runs => "it runs and is billed",
            Self::Stopped => "it is stopped and costs nothing",
            Self::Sends => "it sends while its flow runs, which is billed",
            Self::Silent => "it does not send",
            Self::Idle => "it does not run and is billed at the idle price",
            Self::Part => "it is billed with its channel",
            Self::Kept => "it is billed by the month",
        }
    }
}

impl Left {
    fn text(&self) -> String {
        let why = match &self.why {
            Stays::Retained => "deletionPolicy is Retain".into(),
            Stays::Referenced => "it was only referenced".into(),
            Stays::NotOurs => "its tags are not this object's".into(),
            Stays::TakenOver(uid) => format!("the object with UID {uid} has taken it over"),
        };
        format!("{} {} ({why}; {})", self.what, self.arn, self.cost.text())
    }
}

/// A copy of a password that stays.
#[must_use]
pub fn secret(copy: &SecretCopy, why: &Stays) -> Left {
    Left { what: "secret", arn: copy.arn.clone(), why: why.clone(), cost: Cost::Kept }
}

/// The last Event of an object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Farewell {
    /// Whether it is a warning: something is left that nobody has asked to keep, or that goes on costing.
    pub warning: bool,
    /// Its reason.
    pub reason: Reason,
    /// What it says.
    pub note: String,
}

/// What the last Event of an object says, from everything that was seen to stay. `certain`: whether there may be more.
#[must_use]
pub fn farewell(left: &[Left], certain: bool) -> Farewell {
    if left.is_empty() && certain {
        let note = "Nothing of this object is left in AWS".into();
        return Farewell { warning: false, reason: Reason::Deleted, note };
    }
    let kept = |l: &Left| matches!(l.why, Stays::Retained | Stays::Referenced);
    let reason = if left.iter().all(kept) {
        Reason::Retained
    } else if left.iter().all(|l| matches!(l.why, Stays::TakenOver(_))) {
        Reason::TakenOver
    } else {
        Reason::NotOurs
    };
    // An Event has 1024 characters.
    let mut told: Vec<_> = left.iter().take(5).map(Left::text).collect();
    if left.len() > 5 {
        told.push(format!("and {} more", left.len() - 5));
    }
    if !certain {
        told.push("AWS did not show whether there is more".into());
    }
    let costs = left.iter().any(|l| matches!(l.cost, Cost::Runs | Cost::Sends) && l.why != Stays::Referenced);
    Farewell { warning: reason == Reason::NotOurs || costs, reason, note: format!("Left in AWS: {}", told.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::{Cost, Left, Stays, farewell};
    use crate::reasons::Reason;

    fn flow(why: Stays, cost: Cost) -> Left {
        Left { what: "flow", arn: "arn:1".into(), why, cost }
    }

    #[test]
    fn nothing_is_left_only_when_that_is_certain() {
        let told = farewell(&[], true);
        assert_eq!((told.reason, told.note.as_str()), (Reason::Deleted, "Nothing of this object is left in AWS"));
        let told = farewell(&[], false);
        assert!(told.reason == Reason::Retained && !told.note.contains("Nothing"), "{told:?}");
    }

    #[test]
    fn what_is_left_is_named_with_what_it_costs() {
        let kept = farewell(&[flow(Stays::Retained, Cost::Stopped)], true);
        assert!(!kept.warning && kept.reason == Reason::Retained && kept.note.contains("arn:1"), "{kept:?}");
        assert!(kept.note.contains("costs nothing"), "{kept:?}");
        let runs = farewell(&[flow(Stays::Retained, Cost::Runs)], true);
        assert!(runs.warning && runs.note.contains("billed"), "{runs:?}");
        let lost = farewell(&[flow(Stays::NotOurs, Cost::Stopped), flow(Stays::Retained, Cost::Kept)], true);
        assert!(lost.warning && lost.reason == Reason::NotOurs, "{lost:?}");
        let taken = farewell(&[flow(Stays::TakenOver("u2".into()), Cost::Stopped)], true);
        assert!(taken.reason == Reason::TakenOver && taken.note.contains("u2"), "{taken:?}");
        assert!(farewell(&vec![flow(Stays::NotOurs, Cost::Runs); 9], true).note.ends_with("and 4 more"));
    }
}
