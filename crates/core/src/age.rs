//! How long ago something was.

use std::time::Duration;

use jiff::Timestamp;

/// How long something has been what it is. Rounded to seconds where it comes from a status.
pub type Age = Duration;

/// The time from `since` to `now`; nothing for what is still to come. Another replica wrote it, and its clock may be ahead of ours:
/// then it has just been, and no patience, pause or test is over.
#[must_use]
pub fn age(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::age;

    #[test]
    fn what_is_still_to_come_has_no_age() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).expect("a time");
        assert_eq!(age(at(0), at(5)), Duration::from_secs(5));
        assert_eq!(age(at(20), at(0)), Duration::ZERO);
    }
}
