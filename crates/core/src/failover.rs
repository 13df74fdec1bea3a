//! Which of two endpoints leads, where the second one is fed only when the first one fails. No kind is known here: a kind says what is
//! requested, what is fed and what has failed, and is told who leads and what is to be remembered.
//!
//! It does not go back by itself while the one that took over is well, so it cannot flap.

use std::time::Duration;

use crate::endpoint::Role;

/// How long a primary must have been disconnected before the backup is fed. Shorter and a platform's own restart would
/// look like a failure; longer and viewers leave.
pub const FAILOVER_AFTER: Duration = Duration::from_secs(20);

/// Why an endpoint leads that somebody has asked for.
pub const REQUESTED: &str = "asked for by the annotation playout.dev/active-endpoint";

/// An endpoint that leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lead {
    /// Which.
    pub to: Role,
    /// Why.
    pub why: String,
}

/// Who leads from now on.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Leads {
    /// Whoever led before.
    #[default]
    AsBefore,
    /// Nobody has to be remembered: each show begins with the primary.
    Nobody,
    /// This one; the planner has decided that.
    Decided(Lead),
    /// This one, as it is seen.
    Seen(Lead),
}

/// What is known of who is to lead.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FailoverState {
    /// The endpoint that somebody asks for.
    pub requested: Option<Role>,
    /// The endpoint that a failover has decided for, as the status remembers it.
    pub failed_over_to: Option<Role>,
}

/// What is seen of two outputs of which each can be switched on and off by itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Outputs {
    /// Whether the primary is switched on.
    pub primary: bool,
    /// Whether the backup is.
    pub backup: bool,
    /// Whether the primary has been dead for [`FAILOVER_AFTER`] with a programme to send, and the backup is there.
    pub is_primary_dead: bool,
}

impl FailoverState {
    /// The endpoint that is to be fed by something that feeds one at a time: what was requested, else what a failover has decided, else
    /// the one that it feeds now.
    #[must_use]
    pub fn fed_by_one(&self, fed: Option<Role>) -> Role {
        self.requested.or(self.failed_over_to).or(fed).unwrap_or(Role::Primary)
    }

    /// The one of two outputs that is to be switched on. AWS's own state says which one leads; both are on in the middle of a switch to
    /// the backup while the primary is dead, or because both were to be fed until now.
    #[must_use]
    pub fn fed_of_two(&self, seen: Outputs) -> Role {
        if let Some(requested) = self.requested {
            return requested;
        }
        match (seen.primary, seen.backup) {
            // After the pause before a restart it goes on where it was.
            (false, false) => self.failed_over_to.unwrap_or(Role::Primary),
            (false, true) => Role::Backup,
            (true, _) if seen.is_primary_dead => Role::Backup,
            (true, _) => Role::Primary,
        }
    }

    /// What is to be remembered of who leads. `decided`: by this very plan. `alone`: the one that alone is fed, where that says who
    /// leads: not in the pause before an attempt, since it may still be what failed.
    #[must_use]
    pub fn leads(&self, decided: Option<&Lead>, alone: Option<Role>) -> Leads {
        if let Some(lead) = decided {
            return Leads::Decided(lead.clone());
        }
        if let Some(requested) = self.requested {
            // The primary leads by itself: being asked for changes nothing.
            return match self.failed_over_to {
                Some(last) if last == requested => Leads::AsBefore,
                None if requested == Role::Primary => Leads::AsBefore,
                _ => Leads::Seen(Lead { to: requested, why: REQUESTED.into() }),
            };
        }
        let led = self.failed_over_to.unwrap_or(Role::Primary);
        match alone.filter(|now| *now != led) {
            Some(Role::Backup) => {
                Leads::Seen(Lead { to: Role::Backup, why: "the primary did not take the stream".into() })
            }
            Some(Role::Primary) => Leads::Seen(Lead { to: Role::Primary, why: "the backup was stopped".into() }),
            // What was decided of a show that was given up is forgotten.
            None if self.failed_over_to.is_none() => Leads::Nobody,
            None => Leads::AsBefore,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{Backup, Primary};

    fn state(requested: Option<Role>, failed_over_to: Option<Role>) -> FailoverState {
        FailoverState { requested, failed_over_to }
    }

    fn seen(to: Role, why: &str) -> Leads {
        Leads::Seen(Lead { to, why: why.into() })
    }

    #[test]
    fn what_was_requested_leads_then_what_failed_over_then_what_is_fed() {
        for (requested, decided, fed, leads) in [
            (None, None, None, Primary),
            (None, None, Some(Backup), Backup),
            (None, Some(Primary), Some(Backup), Primary),
            (None, Some(Backup), Some(Primary), Backup),
            (Some(Primary), Some(Backup), Some(Backup), Primary),
        ] {
            assert_eq!(state(requested, decided).fed_by_one(fed), leads, "{requested:?} {decided:?} {fed:?}");
        }
    }

    #[test]
    fn of_two_outputs_the_one_that_is_on_leads_until_it_is_dead() {
        let of = |requested, decided, primary, backup, is_primary_dead| {
            state(requested, decided).fed_of_two(Outputs { primary, backup, is_primary_dead })
        };
        assert_eq!(of(None, None, false, false, false), Primary, "a show begins with the primary");
        assert_eq!(of(None, Some(Backup), false, false, false), Backup, "after a pause it goes on where it was");
        assert_eq!(of(None, Some(Backup), true, false, false), Primary, "AWS's state says it");
        assert_eq!(of(None, None, true, false, true), Backup);
        assert_eq!(of(None, None, true, true, true), Backup, "the middle of a switch");
        assert_eq!(of(None, None, true, true, false), Primary, "both were fed until now");
        assert_eq!(of(None, None, false, true, true), Backup, "it does not go back by itself");
        assert_eq!(of(Some(Primary), Some(Backup), false, true, true), Primary, "unless somebody asks");
    }

    #[test]
    fn a_change_of_who_leads_is_remembered_once() {
        let lead = Lead { to: Backup, why: "it is dead".into() };
        assert_eq!(state(Some(Primary), None).leads(Some(&lead), None), Leads::Decided(lead.clone()));
        assert_eq!(state(None, None).leads(None, None), Leads::Nobody);
        assert_eq!(state(None, Some(Backup)).leads(None, None), Leads::AsBefore);
        assert_eq!(state(None, None).leads(None, Some(Primary)), Leads::Nobody, "as ever");
        assert_eq!(state(None, None).leads(None, Some(Backup)), seen(Backup, "the primary did not take the stream"));
        assert_eq!(state(None, Some(Backup)).leads(None, Some(Primary)), seen(Primary, "the backup was stopped"));
        assert_eq!(state(None, Some(Backup)).leads(None, Some(Backup)), Leads::AsBefore);
    }

    #[test]
    fn what_is_asked_for_is_remembered_where_it_changes_something() {
        assert_eq!(state(Some(Primary), None).leads(None, None), Leads::AsBefore);
        assert_eq!(state(Some(Backup), Some(Backup)).leads(None, None), Leads::AsBefore);
        for (asked, before) in [(Backup, None), (Backup, Some(Primary)), (Primary, Some(Backup))] {
            assert_eq!(state(Some(asked), before).leads(None, Some(Primary)), seen(asked, REQUESTED));
        }
    }
}
