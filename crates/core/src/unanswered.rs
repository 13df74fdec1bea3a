//! A change that AWS was asked for and has not answered: no answer in time, a lost connection, an error of the server. AWS may
//! carry it out later, after its caller has gone. Until that is over nothing that it would undo is said to be so: not that a
//! show is off the air, nor that nothing is left.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::intent::SKEW;

/// As it stands in an annotation of the object, so that a restart does not forget it. An answered change leaves no trace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unanswered {
    /// When it was sent, or a little later.
    pub at: Timestamp,
    /// UID of the object: a copy of it has asked for nothing.
    pub uid: String,
    /// The wish that it was sent for. Without one it may be for several.
    pub wish: Option<String>,
}

impl Unanswered {
    /// Another one, of this wish, after what may be open already.
    #[must_use]
    pub fn after(open: Option<&Self>, at: Timestamp, uid: &str, wish: &str) -> Self {
        let wish = Some(wish.to_string()).filter(|_| open.is_none_or(|o| o.wish.as_deref() == Some(wish)));
        Self { at, uid: uid.into(), wish }
    }

    /// As it stands in the annotation.
    #[must_use]
    pub fn render(&self) -> String {
        let wish = self.wish.as_ref().map(|wish| format!(" {wish}")).unwrap_or_default();
        format!("{} {}{wish}", self.at, self.uid)
    }

    /// Reads the annotation of the object with this UID. What was written for another object, or cannot be read, says nothing.
    #[must_use]
    pub fn parse(text: &str, uid: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let at = words.next()?.parse().ok()?;
        let uid = words.next().filter(|word| *word == uid)?.to_string();
        let wish = words.next().map(str::to_string);
        words.next().is_none().then_some(Self { at, uid, wish })
    }

    /// For how long AWS may still carry it out, read for the first time at `now`. What comes from the future is as young as it
    /// can be, and of the age that another's clock claims the difference of two clocks is not believed: so it ends a window
    /// after it was first read at the latest, whatever the clocks say.
    #[must_use]
    pub fn left(&self, now: Timestamp, window: Duration) -> Duration {
        let age = now.duration_since(self.at).max(SignedDuration::ZERO).unsigned_abs();
        window.saturating_sub(age.saturating_sub(SKEW))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::Unanswered;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn it_is_of_its_object_alone_and_of_one_wish_or_several() {
        let first = Unanswered::after(None, at(100), "u1", "3");
        assert_eq!(Unanswered::parse(&first.render(), "u1"), Some(first.clone()));
        assert_eq!(Unanswered::parse(&first.render(), "u2"), None, "a copy of the object");
        let same = Unanswered::after(Some(&first), at(110), "u1", "3");
        assert_eq!((same.at, same.wish.as_deref()), (at(110), Some("3")));
        let other = Unanswered::after(Some(&same), at(120), "u1", "4");
        assert_eq!(other.wish, None, "what the first was for is not forgotten for the second");
        assert_eq!(Unanswered::parse(&other.render(), "u1"), Some(other));
        for text in ["", "yesterday u1", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z u1 3 more"] {
            assert_eq!(Unanswered::parse(text, "u1"), None, "{text}");
        }
    }

    #[test]
    fn it_lasts_for_the_window_and_ends_whatever_the_clocks_say() {
        let window = Duration::from_secs(90);
        let left = |now| Unanswered::after(None, at(1000), "u", "1").left(at(now), window).as_secs();
        assert_eq!([left(1000), left(1060), left(1100), left(1150), left(90_000)], [90, 90, 50, 0, 0]);
        assert_eq!(left(-90_000), 90, "of a clock that was ahead");
    }
}
