//! Create intents: what was sent, for which no list may show an answer yet.

use std::time::Duration;

use jiff::Timestamp;

/// Written on the object before a create for which AWS has no idempotency token.
///
/// If the process dies or the answer is lost, the next pass knows that something may have been made that no list shows yet,
/// and waits instead of making a second one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreateIntent {
    /// When the create was about to be sent, the last time, by the clock of whoever sent it: from here on something may appear.
    pub at: Timestamp,
    /// UID of the object that it was written on. A copy of that object has the annotation, too, and has asked for nothing.
    pub uid: String,
    /// Of what, where AWS knows a repetition by its token.
    pub of: Option<Repeatable>,
}

/// A create that can be sent again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Repeatable {
    /// What the resource is to the object. One word.
    pub role: String,
    /// When it was about to be sent for the first time. The token comes from this: each repetition has the same one.
    pub since: Timestamp,
}

/// When this process first read an intent. Only its own writer can say how long ago an intent was written: clocks of replicas
/// differ, and clocks are set.
#[derive(Clone, Copy, Debug)]
pub struct FirstSeen {
    /// The wall clock of this process at that moment.
    pub at: Timestamp,
    /// How long ago that was, by a clock that nobody sets.
    pub ago: Duration,
}

/// By how much the clocks of two replicas may differ for an intent of the one to protect the other.
pub const SKEW: Duration = Duration::from_secs(60);

/// What an intent means now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IntentPhase {
    /// None was written, or it is old enough that a resource would be visible by now: absence is proven by a look.
    Clear,
    /// Something may have been made that is not visible yet.
    Open,
}

impl CreateIntent {
    /// What is about to be sent now for the object with this UID. `open` is the intent that stands on the object while
    /// something may still come of it: a create of the same role is a repetition of that one.
    #[must_use]
    pub fn now(now: Timestamp, uid: &str, role: Option<&str>, open: Option<&Self>) -> Self {
        let of = role.map(|role| Repeatable {
            role: role.into(),
            since: open.and_then(|o| o.of.as_ref()).filter(|of| of.role == role).map_or(now, |of| of.since),
        });
        Self { at: now, uid: uid.into(), of }
    }

    /// Whether it is for a create of this role.
    #[must_use]
    pub fn is_of(&self, role: &str) -> bool {
        self.of.as_ref().is_some_and(|of| of.role == role)
    }

    /// As it stands in the annotation.
    #[must_use]
    pub fn render(&self) -> String {
        match &self.of {
            None => format!("{} {}", self.at, self.uid),
            Some(of) => format!("{} {} {} {}", self.at, self.uid, of.role, of.since),
        }
    }

    /// Reads the annotation of the object with this UID. What was written for another object, or cannot be read, is no intent:
    /// it was not written by us, or came with a copy (`kubectl get -o yaml | kubectl apply -f -`).
    #[must_use]
    pub fn parse(text: &str, uid: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let at = words.next()?.parse().ok()?;
        let uid = words.next().filter(|word| *word == uid)?.to_string();
        let of = match (words.next(), words.next(), words.next()) {
            (None, None, None) => None,
            (Some(role), Some(since), None) => Some(Repeatable { role: role.into(), since: since.parse().ok()? }),
            _ => return None,
        };
        Some(Self { at, uid, of })
    }

    /// Whether something may still appear. `window` covers the call's own time limit and the time AWS's lists lag behind.
    ///
    /// It ends a window after this process first saw it at the latest, whatever the clocks say: one from the future counts as
    /// written at that moment, and of the age that it claims to have had by then [`SKEW`] is not believed.
    #[must_use]
    pub fn phase(&self, seen: FirstSeen, window: Duration) -> IntentPhase {
        let claimed = Duration::try_from(seen.at.duration_since(self.at)).unwrap_or_default();
        let age = claimed.saturating_sub(SKEW).saturating_add(seen.ago);
        if age < window { IntentPhase::Open } else { IntentPhase::Clear }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{CreateIntent, FirstSeen, IntentPhase};
    use crate::identity::Identity;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn identity() -> Identity {
        Identity {
            cluster: "c1".into(),
            kind: "Source".into(),
            namespace: "show".into(),
            name: "studio.a".into(),
            uid: "u1".into(),
        }
    }

    #[test]
    fn a_create_sent_again_has_the_same_token_and_another_one_has_not() {
        let first = CreateIntent::now(at(100), "u1", Some("input"), None);
        let again = CreateIntent::now(at(150), "u1", Some("input"), Some(&first));
        assert_eq!(again.at, at(150), "from here on it may appear");
        assert_eq!(identity().request_token(&first), identity().request_token(&again));
        for other in [
            CreateIntent::now(at(150), "u1", Some("channel"), Some(&first)),
            CreateIntent::now(at(150), "u1", Some("input"), None),
        ] {
            assert_eq!(other.of.as_ref().map(|of| of.since), Some(at(150)), "no repetition: {other:?}");
            assert_ne!(identity().request_token(&first), identity().request_token(&other), "{other:?}");
        }
        let mut anew = identity();
        anew.uid = "u2".into();
        assert_ne!(identity().request_token(&first), anew.request_token(&first));
        for intent in [first, again, CreateIntent::now(at(7), "u1", None, None)] {
            assert_eq!(CreateIntent::parse(&intent.render(), "u1"), Some(intent));
        }
        assert_eq!(CreateIntent::parse("2026-11-21T10:00:00Z u1 input", "u1"), None);
        assert_eq!(CreateIntent::parse("2026-11-21T10:00:00Z", "u1"), None);
    }

    #[test]
    fn an_intent_on_a_copy_of_its_object_says_nothing() {
        for role in [None, Some("input")] {
            let written = CreateIntent::now(at(100), "u1", role, None).render();
            assert!(CreateIntent::parse(&written, "u1").is_some());
            assert_eq!(CreateIntent::parse(&written, "u2"), None);
        }
    }

    #[test]
    fn an_intent_is_open_for_its_window_whatever_the_clocks_say() {
        let (window, day) = (Duration::from_secs(90), 86_400);
        let written = CreateIntent::now(at(1_000_000), "u1", None, None);
        let open = |seen: i64, ago| {
            let seen = FirstSeen { at: at(1_000_000 + seen), ago: Duration::from_secs(ago) };
            written.phase(seen, window) == IntentPhase::Open
        };
        // Our own: it is first seen when it is written.
        assert!(open(0, 0) && open(0, 89) && !open(0, 90) && !open(0, day));
        // Of a leader whose clock was ahead, or ours was set back: it ends, too.
        for ahead in [-1, -90, -(day as i64)] {
            assert!(open(ahead, 0) && open(ahead, 89) && !open(ahead, 90));
        }
        // Of a leader whose clock was behind by as much as may be: it protects all the same.
        assert!(open(60, 0) && open(60, 89) && !open(60, 90));
        // An old one that a restarted process finds.
        assert!(open(149, 0) && !open(150, 0) && !open(day as i64, 0));
    }
}
