//! What people are told of a change, once, as an Event: what `kubectl events` shows afterwards of an evening.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::conditions::{ANNOTATION_IGNORED, DELIVERING, HEALTHY, OVER_LIMIT, READY, is_true};
use crate::reasons::Reason;

/// Something that has become different.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct News<'a> {
    /// Whether somebody may have to do something.
    pub warning: bool,
    /// The word.
    pub reason: Reason,
    /// The sentence: that of the condition, where one says it.
    pub message: Cow<'a, str>,
}

/// What a status tells that the one before it did not: `Ready` for another reason, and beside it what does not make an object
/// less ready, such as one of two endpoints that is refused. Not to know is no news, nor is the same in other words. `switched`:
/// the kind tells that another input or endpoint leads, so that nothing else has to say that all is well again.
#[must_use]
pub fn news<'a>(before: &[Condition], after: &'a [Condition], switched: bool) -> Vec<News<'a>> {
    let ready = ready(before, after).filter(|news| !(switched && news.reason == Reason::Running));
    let mut news: Vec<News<'a>> = ready.into_iter().collect();
    let has_spoken = switched || !news.is_empty();
    // Nothing else answers somebody who has written an annotation.
    let ignored = find(after, ANNOTATION_IGNORED);
    if let Some(new) = ignored.filter(|new| find(before, ANNOTATION_IGNORED).is_none_or(|c| c.message != new.message)) {
        news.push(News { warning: true, reason: Reason::InvalidSpec, message: new.message.as_str().into() });
    }
    if let Some(turn) = in_the_dark(before, after).filter(|_| !has_spoken) {
        news.push(turn);
    }
    for type_ in [DELIVERING, HEALTHY, OVER_LIMIT] {
        let Some(new) = find(after, type_) else { continue };
        let Some(reason) = Reason::ALL.iter().copied().find(|r| r.as_str() == new.reason) else { continue };
        let old = find(before, type_);
        let was = old.map(|c| c.status.as_str());
        let is_bad = match type_ {
            OVER_LIMIT => new.status == "True",
            // Off the air nothing is delivered, which is no loss.
            DELIVERING => new.status == "False" && reason == Reason::NotConnected,
            _ => new.status == "False",
        };
        let is_over = type_ != OVER_LIMIT
            && new.status == "True"
            && was == Some("False")
            && old.is_some_and(|c| type_ != DELIVERING || c.reason == Reason::NotConnected.as_str());
        let is_new = is_bad && old.is_none_or(|c| c.status != new.status || c.reason != new.reason);
        // What `Ready` says with the same word was told by it, now or when it became so.
        let is_ready_s = find(after, READY).is_some_and(|c| c.reason == new.reason);
        if (is_new || is_over && !has_spoken) && !is_ready_s {
            news.push(News { warning: is_bad, reason, message: new.message.as_str().into() });
        }
    }
    news
}

/// What is in the way of a start was told while it was on the air; now it is off, or on again, and `Ready` has the same word.
fn in_the_dark<'a>(before: &[Condition], after: &'a [Condition]) -> Option<News<'a>> {
    let (old, new) = (find(before, READY)?, find(after, READY)?);
    let (was, is) = (find(before, DELIVERING)?, find(after, DELIVERING)?);
    let is_stalled = new.status == "False" && old.status == "False" && old.reason == new.reason;
    // A receiver that refuses is told by the condition itself.
    let is_refused = |c: &Condition| c.reason == Reason::NotConnected.as_str();
    if is_refused(was) || is_refused(is) {
        return None;
    }
    if !is_stalled || (was.status == "False") == (is.status == "False") || !is_true(after, crate::conditions::STALLED) {
        return None;
    }
    let reason = Reason::ALL.iter().copied().find(|r| r.as_str() == new.reason)?;
    let warning = is.status == "False";
    Some(News { warning, reason, message: format!("{} {}", is.message, new.message).into() })
}

/// Reasons of `Ready` that are told by themselves, at their beginning and at their end.
const TELLS_ITSELF: [Reason; 2] = [Reason::Switched, Reason::Alert];

/// Steps of the way are told by the actions themselves.
fn ready<'a>(before: &[Condition], after: &'a [Condition]) -> Option<News<'a>> {
    let new = find(after, READY)?;
    let old = find(before, READY);
    let stalled = is_true(after, crate::conditions::STALLED);
    // Somebody has asked for something else, and for another reason it is not carried out either: a stop of what is not ours.
    let is_new_wish =
        |old: &Condition| stalled && old.observed_generation != new.observed_generation && old.message != new.message;
    let is_silent = new.reason == Reason::NoSignal.as_str();
    // With two endpoints the second is lost, or the first is back, under the word that tells of one.
    let turns =
        |old: &Condition| old.status != new.status && [&old.status, &new.status].iter().all(|s| *s != "Unknown");
    let is_same = |old: &Condition| {
        old.reason == new.reason && !turns(old) && (!is_silent || is_known(before) || !is_known(after))
    };
    if old.is_some_and(|old| is_same(old) && !is_new_wish(old)) || is_silent && !is_known(after) {
        return None;
    }
    let was_told = |reason: Reason| old.is_some_and(|old| old.status == "True" && old.reason == reason.as_str());
    if new.status == "True" && new.reason == Reason::Running.as_str() && TELLS_ITSELF.into_iter().any(was_told) {
        return None;
    }
    // It was over the limit all the time, and something else is over.
    if new.reason == Reason::OverLimit.as_str() && is_true(before, OVER_LIMIT) {
        return None;
    }
    let reason = Reason::ALL.iter().copied().find(|r| r.as_str() == new.reason)?;
    let telling = stalled
        || matches!(
            reason,
            Reason::Running
                | Reason::Stopped
                | Reason::NotConnected
                | Reason::PendingChanges
                | Reason::NoSignal
                | Reason::SignalDegraded
                | Reason::OverLimit
                | Reason::AwsUnavailable
                | Reason::Throttled
                | Reason::ExternalStopped
                | Reason::SourceNotFound
                | Reason::InUse
        );
    let is_back = old.is_some_and(|old| turns(old) && new.status == "True" && old.reason == new.reason);
    let warning = stalled
        || !is_back
            && matches!(
                reason,
                Reason::NotConnected
                    | Reason::NoSignal
                    | Reason::SignalDegraded
                    | Reason::OverLimit
                    | Reason::AwsUnavailable
            );
    telling.then_some(News { warning, reason, message: new.message.as_str().into() })
}

/// Whether it is known that something, or nothing, is delivered. Not to know is no news.
fn is_known(list: &[Condition]) -> bool {
    find(list, DELIVERING).is_none_or(|delivering| delivering.status != "Unknown")
}

fn find<'a>(list: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    list.iter().find(|c| c.type_ == type_)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

    use super::{News, news};
    use crate::reasons::Reason;

    fn condition(type_: &str, status: &str, reason: &str) -> Condition {
        Condition {
            type_: type_.into(),
            status: status.into(),
            reason: reason.into(),
            message: format!("{type_} is {status}."),
            last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
            observed_generation: None,
        }
    }

    fn on_air(others: &[(&str, &str, &str)]) -> Vec<Condition> {
        let ready = condition("Ready", "True", "Running");
        std::iter::once(ready).chain(others.iter().map(|(t, s, r)| condition(t, s, r))).collect()
    }

    fn words(before: &[Condition], after: &[Condition]) -> Vec<(bool, Reason)> {
        news(before, after, false).into_iter().map(|News { warning, reason, .. }| (warning, reason)).collect()
    }

    #[test]
    fn one_of_two_endpoints_that_is_refused_is_told_once_and_so_is_its_return() {
        let well = on_air(&[("Delivering", "True", "Connected")]);
        let half = on_air(&[("Delivering", "False", "NotConnected")]);
        assert_eq!(words(&well, &half), [(true, Reason::NotConnected)]);
        assert_eq!(words(&half, &half), []);
        assert_eq!(words(&half, &well), [(false, Reason::Connected)]);
        let unknown = on_air(&[("Delivering", "Unknown", "NotMeasured")]);
        assert_eq!(words(&well, &unknown), []);
        let off = [condition("Ready", "True", "Stopped"), condition("Delivering", "False", "Stopped")];
        assert_eq!(words(&well, &off), [(false, Reason::Stopped)], "off the air nothing is delivered");
        assert_eq!(words(&off, &well), [(false, Reason::Running)], "and on it again it is Ready that says so");
    }

    #[test]
    fn a_pair_that_loses_its_second_half_is_told_and_so_is_the_first_that_is_back() {
        let half = |status: &str| {
            [condition("Ready", status, "NotConnected"), condition("Delivering", "False", "NotConnected")]
        };
        assert_eq!(words(&half("True"), &half("False")), [(true, Reason::NotConnected)]);
        assert_eq!(words(&half("False"), &half("True")), [(false, Reason::NotConnected)]);
        assert_eq!(words(&half("False"), &half("Unknown")), [], "not to know is no news");
    }

    #[test]
    fn what_goes_dark_under_a_problem_that_was_told_is_told_and_so_is_its_return() {
        let missing = |delivering: &str| {
            let stalled = condition("Stalled", "True", "SecretMissing");
            [condition("Ready", "False", "SecretMissing"), stalled, condition("Delivering", delivering, "Stopped")]
        };
        assert_eq!(words(&missing("Unknown"), &missing("False")), [(true, Reason::SecretMissing)]);
        assert_eq!(words(&missing("False"), &missing("True")), [(false, Reason::SecretMissing)]);
        assert_eq!(words(&missing("True"), &missing("Unknown")), []);
        let mut refused = missing("False");
        refused[2].reason = "NotConnected".into();
        assert_eq!(words(&missing("Unknown"), &refused), [(true, Reason::NotConnected)], "once");
    }

    #[test]
    fn what_ready_says_is_not_said_twice() {
        let well = on_air(&[("Delivering", "True", "Connected")]);
        let refused = [condition("Ready", "False", "NotConnected"), condition("Delivering", "False", "NotConnected")];
        assert_eq!(words(&well, &refused), [(true, Reason::NotConnected)]);
    }

    #[test]
    fn a_signal_that_is_not_known_is_no_news_and_one_that_is_gone_is() {
        let silent = |known: &str| [condition("Ready", "True", "NoSignal"), condition("Delivering", known, "NoSignal")];
        let starting = [condition("Ready", "False", "FlowStarting")];
        assert_eq!(words(&starting, &silent("Unknown")), [], "the first measurement is on its way");
        assert_eq!(words(&silent("Unknown"), &silent("False")), [(true, Reason::NoSignal)]);
        assert_eq!(words(&silent("False"), &silent("Unknown")), []);
        let source = [condition("Ready", "True", "NoSignal")];
        assert_eq!(words(&starting, &source), [(true, Reason::NoSignal)], "a Source knows");
    }

    #[test]
    fn a_stop_that_is_not_carried_out_is_told_also_when_the_start_was_not() {
        let stalled = |generation, message: &str| {
            let mut all = [condition("Ready", "False", "NotOurs"), condition("Stalled", "True", "NotOurs")];
            all[0].observed_generation = Some(generation);
            all[0].message = message.into();
            all
        };
        let before = stalled(1, "It is not ours.");
        assert_eq!(words(&before, &stalled(2, "It still sends.")), [(true, Reason::NotOurs)]);
        assert_eq!(words(&before, &stalled(2, "It is not ours.")), []);
        assert_eq!(words(&before, &stalled(1, "It still is not ours.")), []);
    }

    #[test]
    fn an_annotation_that_nobody_acts_upon_is_told_once() {
        let ignored = on_air(&[("AnnotationIgnored", "True", "InvalidSpec")]);
        assert_eq!(words(&on_air(&[]), &ignored), [(true, Reason::InvalidSpec)]);
        assert_eq!(words(&ignored, &ignored), []);
    }

    #[test]
    fn a_limit_that_is_passed_and_a_signal_that_is_lost_or_bad_are_told() {
        let well = on_air(&[("Healthy", "True", "SignalGood")]);
        let over = on_air(&[("Healthy", "True", "SignalGood"), ("OverLimit", "True", "OverLimit")]);
        assert_eq!(words(&well, &over), [(true, Reason::OverLimit)]);
        assert_eq!(words(&over, &over), []);
        let lossy = on_air(&[("Healthy", "False", "SignalDegraded")]);
        assert_eq!(words(&well, &lossy), [(true, Reason::SignalDegraded)]);
        assert_eq!(words(&lossy, &well), [(false, Reason::SignalGood)]);
        assert_eq!(words(&[], &on_air(&[])), [(false, Reason::Running)]);
    }
}
