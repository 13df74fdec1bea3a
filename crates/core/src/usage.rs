//! Of what there are only so many: how much of it is used, by whom, and what is said when none is left.

use crate::failure::Problem;
use crate::reasons::Reason;
use crate::resources::flow::OUTPUTS_PER_FLOW;
use crate::wording::shortened;

/// How much of a quota is used.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Used now.
    pub used: usize,
    /// Allowed.
    pub limit: usize,
    /// By whom of one's own namespace, in words for people. Of others people learn the number alone.
    pub by: Vec<String>,
}

/// Something of which a region has only so many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Counted {
    /// Flows of MediaConnect.
    Flows,
    /// Channels of MediaLive.
    Channels,
    /// Inputs of MediaLive that something is pushed to; those that take a flow are among them.
    PushInputs,
}

impl Usage {
    /// Whether one more fits, after those who come before.
    #[must_use]
    pub fn has_room(&self, ahead: usize) -> bool {
        self.used + ahead < self.limit
    }

    /// Who uses it, to follow "are used"; empty when nobody does.
    #[must_use]
    pub fn holders(&self) -> String {
        match (self.by.len(), self.used.saturating_sub(self.by.len())) {
            (0, 0) => String::new(),
            (0, others) => format!(", all {others} outside this namespace"),
            (_, 0) => format!(", by {}", shortened(&self.by)),
            (_, others) => format!(", by {} (and {others} outside this namespace)", shortened(&self.by)),
        }
    }

    /// What is said where there is no room for one more. `ahead`: others who were created earlier and wait for the same.
    #[must_use]
    pub fn exceeded(&self, what: Counted, ahead: usize, region: &str) -> Option<Problem> {
        if self.has_room(ahead) {
            return None;
        }
        let (what, kind, then) = match what {
            Counted::Flows => (
                "flows",
                "Source",
                "It is made by itself when there is room: delete a Source, or ask AWS for a higher MediaConnect quota.",
            ),
            Counted::Channels => ("channels", "Destination", STARTS),
            Counted::PushInputs => ("push inputs", "Destination", STARTS),
        };
        let ahead = match ahead {
            0 => String::new(),
            1 => format!("; one {kind} that was created earlier waits, too"),
            n => format!("; {n} {kind}s that were created earlier wait, too"),
        };
        let Self { used, limit, .. } = self;
        let text = format!("{used} of {limit} {what} in {region} are used{}{ahead}. {then}", self.holders());
        Some(Problem::new(Reason::QuotaExceeded, text))
    }
}

const STARTS: &str =
    "It starts by itself when there is room: stop or delete a Destination, or ask AWS for a higher MediaLive quota.";

/// What is said where a flow has no room for so many outputs more. `who` needs them.
#[must_use]
pub fn outputs_exceeded(used: usize, more: usize, who: &str, source: &str) -> Option<Problem> {
    let more_than = used + more > OUTPUTS_PER_FLOW;
    more_than.then(|| {
        let text = format!(
            "{used} of {OUTPUTS_PER_FLOW} outputs of the flow of Source {source} are used and {who} needs {more} more. Stop or delete a Destination, or send from a second Source."
        );
        Problem::new(Reason::QuotaExceeded, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(used: usize, by: &[&str]) -> Usage {
        Usage { used, limit: 5, by: by.iter().map(|name| (*name).to_string()).collect() }
    }

    fn text(problem: Option<Problem>) -> String {
        let problem = problem.expect("no room");
        assert_eq!(problem.reason, Reason::QuotaExceeded);
        problem.message
    }

    #[test]
    fn there_is_room_until_all_is_used_by_those_who_have_it_and_those_who_came_before() {
        for (used, ahead, has) in [(0, 0, true), (4, 0, true), (4, 1, false), (5, 0, false), (2, 3, false)] {
            assert_eq!(usage(used, &[]).has_room(ahead), has, "{used} {ahead}");
            assert_eq!(usage(used, &[]).exceeded(Counted::Channels, ahead, "r").is_none(), has);
        }
    }

    #[test]
    fn what_is_full_is_said_with_numbers_holders_and_a_way_out() {
        let full = usage(5, &["Destination/a", "Destination/b"]);
        let told = text(full.exceeded(Counted::Channels, 1, "us-west-2"));
        assert!(told.starts_with("5 of 5 channels in us-west-2 are used, by Destination/a, Destination/b (and 3 outside this namespace); one Destination that was created earlier waits, too. It starts by itself"), "{told}");
        let told = text(usage(5, &[]).exceeded(Counted::PushInputs, 2, "r"));
        assert!(told.starts_with("5 of 5 push inputs in r are used, all 5 outside this namespace; 2 Destinations that were created earlier wait, too."), "{told}");
        let told = text(usage(5, &[]).exceeded(Counted::Flows, 0, "r"));
        assert!(told.contains("are used, all 5 outside this namespace. It is made by itself"), "{told}");
    }

    #[test]
    fn a_flow_takes_fifty_outputs() {
        assert_eq!(outputs_exceeded(48, 2, "this Destination", "studio"), None);
        let told = text(outputs_exceeded(49, 2, "this Destination", "studio"));
        assert!(
            told.starts_with(
                "49 of 50 outputs of the flow of Source studio are used and this Destination needs 2 more."
            )
        );
    }
}
