use std::time::Duration;

use super::{Change, Ledger, Verdict, What};

const MINUTE: Duration = Duration::from_secs(60);

const START: Duration = Duration::from_secs(1000);

fn settings() -> Change {
    Change::of("input main", What::Settings)
}

fn changed(ledger: &mut Ledger, change: &Change, times: u32, now: Duration) {
    for _ in 0..times {
        ledger.changed(change, "", now);
    }
}

/// Plays one who changes as soon as he may, and another who sets it back at once; how often it was changed in that time.
fn fight(ledger: &mut Ledger, changes: &[Change], ends: bool, from: Duration, length: Duration) -> Vec<Duration> {
    let (mut at, mut done, mut turn) = (Duration::ZERO, Vec::new(), 0);
    while at < length {
        let change = &changes[turn % changes.len()];
        if ledger.verdict(change, ends, from + at) == Verdict::Go {
            ledger.changed(change, "", from + at);
            done.push(at);
            turn += 1;
        }
        at += Duration::from_millis(200);
    }
    done
}

#[test]
fn what_may_interrupt_a_show_is_changed_five_times_and_then_left() {
    let (mut ledger, now) = (Ledger::default(), START);
    let done = fight(&mut ledger, &[settings()], false, now, MINUTE * 60);
    assert_eq!(done.len(), 5, "{done:?}");
    let pauses: Vec<_> = done.windows(2).map(|two| (two[1] - two[0]).as_secs()).collect();
    assert_eq!(pauses, [0, 0, 30, 120]);
    assert_eq!(ledger.verdict(&settings(), false, now + MINUTE * 60), Verdict::Leave);
    let left = ledger.left(false, now + MINUTE * 60);
    assert!(left.has(&settings()) && !left.has(&Change::of("input other", What::Settings)));
}

#[test]
fn two_changes_in_turn_are_a_fight_and_end_with_the_show_on_the_air() {
    for (breaks, mends) in [(What::Removed, What::Made), (What::Stopped, What::Started)] {
        let (mut ledger, now) = (Ledger::default(), START);
        let [breaks, mends] = [Change::of("primary output", breaks), Change::of("primary output", mends)];
        ledger.changed(&mends, "", now);
        let done = fight(&mut ledger, &[breaks.clone(), mends], false, now, MINUTE * 60);
        assert_eq!(done.len(), 10, "five of each: {done:?}");
        assert_eq!(ledger.verdict(&breaks, false, now + MINUTE * 60), Verdict::Leave, "what would take it off is left");
        // It was back within a moment each time.
        assert!(done.chunks(2).all(|pair| pair[1] - pair[0] < Duration::from_secs(1)), "{done:?}");
    }
}

#[test]
fn what_brings_it_back_and_what_ends_it_is_paced_and_never_left() {
    let (mut ledger, now) = (Ledger::default(), START);
    let made = Change::of("primary output", What::Made);
    let done = fight(&mut ledger, std::slice::from_ref(&made), false, now, MINUTE * 60);
    assert!((15..25).contains(&done.len()), "{}", done.len());
    assert_ne!(ledger.verdict(&made, false, now + MINUTE * 60), Verdict::Leave);
    for what in [What::Stopped, What::Removed] {
        let (mut ledger, change) = (Ledger::default(), Change::of("primary output", what));
        let done = fight(&mut ledger, std::slice::from_ref(&change), true, now, MINUTE * 10);
        assert!((58..70).contains(&done.len()), "{}", done.len());
        assert!(done.windows(2).all(|two| two[1] - two[0] <= Duration::from_secs(11)));
    }
}

#[test]
fn a_new_wish_begins_anew_and_a_switch_that_others_ask_for_is_no_fight() {
    let (mut ledger, now) = (Ledger::default(), START);
    let started = Change::of("flow", What::Started);
    ledger.requested(1, 1);
    changed(&mut ledger, &settings(), 20, now);
    changed(&mut ledger, &started, 20, now);
    assert_eq!(ledger.verdict(&settings(), false, now), Verdict::Leave);
    ledger.requested(1, 0);
    assert_eq!(ledger.verdict(&started, false, now), Verdict::Go);
    assert_eq!(ledger.verdict(&settings(), false, now), Verdict::Leave, "it is none of theirs");
    ledger.requested(2, 0);
    assert_eq!(ledger.verdict(&settings(), false, now), Verdict::Go);
}

#[test]
fn what_was_kept_for_a_minute_is_no_fight_and_what_was_seen_as_requested_for_a_moment_is() {
    let (mut ledger, now) = (Ledger::default(), START);
    for second in 0..4 {
        let at = now + Duration::from_secs(30) * second;
        ledger.changed(&settings(), "", at);
        ledger.settled(at + Duration::from_secs(29));
    }
    let at = now + Duration::from_secs(100);
    assert!(matches!(ledger.verdict(&settings(), false, at), Verdict::Pause(_)));
    ledger.settled(now + MINUTE * 3);
    assert_eq!(ledger.verdict(&settings(), false, now + MINUTE * 3), Verdict::Go);
    // And what was changed long ago has nothing to do with it.
    changed(&mut ledger, &settings(), 3, now);
    assert_eq!(ledger.changed(&settings(), "", now + MINUTE * 10), 1);
}

#[test]
fn what_is_held_is_told_with_what_aws_shows() {
    let (mut ledger, now) = (Ledger::default(), START);
    assert_eq!(ledger.told(false, now), None);
    changed(&mut ledger, &settings(), 2, now);
    ledger.changed(&settings(), "minLatencyMs 520 -> 500", now);
    let (text, until) = ledger.told(false, now).expect("something is held");
    assert_eq!(text, "Input main was changed 3 times (minLatencyMs 520 -> 500).");
    assert_eq!(until, Some(now + Duration::from_secs(30)));
    changed(&mut ledger, &settings(), 2, now);
    assert_eq!(ledger.told(false, now), Some(("Input main was changed 5 times.".into(), None)));
}
