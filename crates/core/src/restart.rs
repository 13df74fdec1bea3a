//! Bounded restarts of what does not reach its receiver: it is on the air, or off the air for a pause, or off for good. No kind is
//! known here: a kind hands in its policy, the state that it remembers and the cause, and is given the next state.
//!
//! The state lives in a status and is written there *before* what follows from it is done, so that a crash can lose neither the
//! count nor the pause. It holds only while the keys are the same ones; a new spec, or the annotation `playout.dev/reconcile-at`,
//! begins anew.

use std::time::Duration;

use crate::age::Age;
use crate::api::policy::{RetryPolicy, parse_duration};
use crate::failover::FAILOVER_AFTER;
use crate::failure::Problem;
use crate::fingerprint::differ;
use crate::identity::Identity;
use crate::reasons::Reason;

/// The longest pause between two attempts.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// After the receiver has taken the stream for this long, the count begins anew.
pub const FORGIVEN_AFTER: Duration = Duration::from_secs(300);
/// A read may show what was started as it was before, for so long. Nothing goes up and down again that fast.
pub const OLD_READ: Duration = Duration::from_secs(5);

/// How often, and after how long, it is restarted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RestartPolicy {
    /// Restarts that are allowed.
    pub attempts: u32,
    /// How long a receiver may not take the stream.
    pub after: Duration,
    /// The first pause.
    pub backoff: Duration,
}

impl RestartPolicy {
    /// From the spec. What the CRD's rules refuse becomes the default: an object may be older than they are.
    #[must_use]
    pub fn of(policy: &RetryPolicy) -> Self {
        let default = RetryPolicy::default();
        let length =
            |text: &str, default: &str| parse_duration(text).or_else(|| parse_duration(default)).unwrap_or_default();
        Self {
            attempts: policy.attempts,
            after: length(&policy.after, &default.after),
            backoff: length(&policy.backoff, &default.backoff),
        }
    }

    /// How long a receiver must have refused the stream before nothing is interrupted there: a platform's own restart is no leave for
    /// a change that waits for the end of the show.
    #[must_use]
    pub fn dead_after(&self) -> Duration {
        FAILOVER_AFTER.min(self.after)
    }

    /// The pause before restart number `count`, which begins with one.
    #[must_use]
    pub fn pause(&self, count: u32) -> Duration {
        self.backoff.saturating_mul(1 << count.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
    }

    /// How long the pause of this state still lasts; `None`: it is over, or there is none.
    #[must_use]
    pub fn pause_left(&self, state: &RestartState) -> Option<Duration> {
        if state.phase != Phase::BackingOff {
            return None;
        }
        self.pause(state.count).checked_sub(state.since).filter(|left| !left.is_zero())
    }

    /// What follows a failed attempt. A failure is counted only against an attempt that is remembered: what a spec failed at that was
    /// just replaced is not counted against the new one.
    #[must_use]
    pub fn after_failure(&self, before: Option<&RestartState>, cause: &str) -> RestartState {
        match before {
            None => RestartState::first(),
            Some(state) if state.count >= self.attempts => state.gave_up(cause),
            Some(state) => state.enter(Phase::BackingOff, state.count + 1, Some(cause.into())),
        }
    }
}

/// Where the attempts are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// It is, or is to be, on the air.
    Running,
    /// It pauses before the next attempt.
    BackingOff,
    /// There is no further attempt.
    GaveUp,
}

/// What is remembered of the restarts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RestartState {
    /// Where the attempts are.
    pub phase: Phase,
    /// Restarts so far, one that is due included.
    pub count: u32,
    /// Why the last attempt failed.
    pub cause: Option<String>,
    /// How long it has been in this phase.
    pub since: Age,
    /// Whether it was seen on its way up in this attempt: if it is down now, the attempt failed.
    pub up: bool,
    /// What tells the keys of the attempt from others; `None`: it is not known.
    pub key_versions: Option<String>,
}

impl RestartState {
    /// The first time on the air.
    #[must_use]
    pub fn first() -> Self {
        Self { phase: Phase::Running, count: 0, cause: None, since: Age::ZERO, up: false, key_versions: None }
    }

    fn enter(&self, phase: Phase, count: u32, cause: Option<String>) -> Self {
        Self { phase, count, cause, since: Age::ZERO, up: false, key_versions: self.key_versions.clone() }
    }

    /// No further attempt, whatever the policy allows: the receiver's answer would be the same.
    #[must_use]
    pub fn gave_up(&self, cause: &str) -> Self {
        self.enter(Phase::GaveUp, self.count, Some(cause.into()))
    }

    /// The attempt that follows the pause; or the same one, of which nothing was seen yet.
    #[must_use]
    pub fn attempt(&self) -> Self {
        self.enter(Phase::Running, self.count, self.cause.clone())
    }

    /// With the keys that it speaks of from now on. What cannot be told now is what it was.
    #[must_use]
    pub fn with_keys(self, key_versions: Option<&String>) -> Self {
        Self { key_versions: key_versions.cloned().or(self.key_versions), ..self }
    }

    /// Whether it speaks of these keys.
    #[must_use]
    pub fn is_of(&self, key_versions: Option<&str>) -> bool {
        !differ(self.key_versions.as_deref(), key_versions)
    }

    /// Whether nothing may be sent now.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.phase != Phase::Running
    }

    /// Whether it failed by itself, by what is seen of it now: down.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.phase == Phase::Running && self.up
    }

    /// What people read after the last attempt. `otherwise`: the cause, where none is known; `check`: what may be wrong.
    #[must_use]
    pub fn problem(&self, identity: &Identity, otherwise: &str, check: &str) -> Problem {
        let Identity { namespace, name, kind, .. } = identity;
        let cause = self.cause.as_deref().unwrap_or(otherwise);
        let restarted = match self.count {
            0 => "It was not restarted".to_string(),
            1 => "It was restarted once and is off the air now".to_string(),
            n => format!("It was restarted {n} times and is off the air now"),
        };
        let kind = kind.to_lowercase();
        let text = format!(
            "{cause} {restarted}. {check}; then kubectl -n {namespace} annotate {kind} {name} playout.dev/reconcile-at=$(date +%s) --overwrite starts it again, as a new key or a change of the spec does."
        );
        Problem::new(Reason::GaveUp, text)
    }
}

/// What is seen of something that is restarted when it fails.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Signs {
    /// It is to be on the air.
    pub is_running: bool,
    /// It is to be on the air, or to be kept ready for it.
    pub is_kept: bool,
    /// Each attempt is remembered from its start on, since what is seen down may not have been up yet. Else only a failure is.
    pub has_starts: bool,
    /// This very pass stops it: that is no failure of its own.
    pub is_stopped: bool,
    /// It is up, or on its way up.
    pub is_up: bool,
    /// It is seen down, and nothing that it needs was stopped: if it was up in this attempt, it failed.
    pub is_down: bool,
    /// The receiver has taken the stream for [`FORGIVEN_AFTER`].
    pub is_forgiven: bool,
}

/// What is to be remembered.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Remembered {
    /// The state; `None`: nothing.
    pub state: Option<RestartState>,
    /// Whether its time begins anew.
    pub is_anew: bool,
}

/// What is to be remembered after a pass that has decided nothing of restarts. `state`: what was remembered, of these keys or others.
#[must_use]
pub fn remembered(state: Option<&RestartState>, key_versions: Option<&String>, signs: &Signs) -> Remembered {
    if !signs.is_kept {
        return Remembered::default();
    }
    let keys = key_versions.or_else(|| state?.key_versions.as_ref());
    let first = || RestartState { up: signs.is_up, key_versions: keys.cloned(), ..RestartState::first() };
    let known = state.filter(|state| state.is_of(key_versions.map(String::as_str)));
    if signs.is_stopped && known.is_none_or(|state| state.phase == Phase::Running) {
        // A stop of our own is no failure, and takes none back that was counted.
        let counted = known.filter(|state| state.count > 0);
        let state = counted.map(|state| RestartState { up: false, ..state.clone() });
        return Remembered { state, is_anew: false };
    }
    match known {
        Some(state) if state.phase == Phase::Running && signs.is_forgiven && (state.count > 0 || !signs.has_starts) => {
            Remembered { state: signs.has_starts.then(first), is_anew: true }
        }
        Some(state) => {
            let up = state.up && signs.is_down || state.phase == Phase::Running && signs.is_up;
            Remembered { state: Some(RestartState { up, ..state.clone() }.with_keys(keys)), is_anew: false }
        }
        None if signs.has_starts && signs.is_running => Remembered { state: Some(first()), is_anew: true },
        None => Remembered::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(attempts: u32) -> RestartPolicy {
        RestartPolicy { attempts, after: Duration::from_secs(60), backoff: Duration::from_secs(10) }
    }

    fn state(phase: Phase, count: u32) -> RestartState {
        let key_versions = Some("v1".to_string());
        RestartState {
            phase,
            count,
            key_versions,
            cause: (count > 0).then(|| "It broke.".into()),
            ..RestartState::first()
        }
    }

    /// A channel on the air.
    const ON_AIR: Signs = Signs {
        is_running: true,
        is_kept: true,
        has_starts: true,
        is_stopped: false,
        is_up: true,
        is_down: false,
        is_forgiven: false,
    };
    /// An output on the air.
    const OUTPUT: Signs = Signs { has_starts: false, is_up: false, ..ON_AIR };

    fn after(state: Option<&RestartState>, signs: Signs) -> Remembered {
        remembered(state, Some(&"v1".to_string()), &signs)
    }

    #[test]
    fn failures_are_counted_until_it_gives_up_and_the_pauses_double() {
        let policy = policy(2);
        let first = policy.after_failure(None, "It broke.");
        assert_eq!((first.phase, first.count, first.cause), (Phase::Running, 0, None), "of another spec");
        let mut state = state(Phase::Running, 0);
        for count in 1..=2 {
            state = policy.after_failure(Some(&state), "It broke.");
            assert_eq!((state.phase, state.count, state.up), (Phase::BackingOff, count, false));
            assert_eq!(state.cause.as_deref(), Some("It broke."));
            assert!(state.holds_back() && state.key_versions.as_deref() == Some("v1"));
            state = RestartState { up: true, ..state.attempt() };
            assert!(!state.holds_back() && state.has_failed() && state.count == count);
        }
        state = policy.after_failure(Some(&state), "It broke.");
        assert_eq!((state.phase, state.count), (Phase::GaveUp, 2), "the last attempt is not counted twice");
        let pauses: Vec<_> = [1, 2, 3, 99].map(|count| policy.pause(count).as_secs()).into();
        assert_eq!(pauses, [10, 20, 40, LONGEST_PAUSE.as_secs()]);
    }

    #[test]
    fn a_pause_lasts_until_it_is_over_and_nothing_else_has_one() {
        let left = |phase, since| {
            let since = Duration::from_secs(since);
            policy(5).pause_left(&RestartState { since, ..state(phase, 2) }).map(|left| left.as_secs())
        };
        assert_eq!([left(Phase::BackingOff, 0), left(Phase::BackingOff, 19)], [Some(20), Some(1)]);
        assert_eq!([left(Phase::BackingOff, 20), left(Phase::BackingOff, 99)], [None; 2]);
        assert_eq!([left(Phase::Running, 0), left(Phase::GaveUp, 0)], [None; 2]);
    }

    #[test]
    fn each_start_of_a_channel_is_remembered_and_of_an_output_its_failures_alone() {
        let first = after(None, ON_AIR);
        assert!(first.is_anew);
        assert_eq!(first.state, Some(RestartState { up: true, ..state(Phase::Running, 0) }));
        assert_eq!(after(None, Signs { is_running: false, ..ON_AIR }), Remembered::default(), "prepared");
        assert_eq!(after(None, OUTPUT), Remembered::default());
        let failed = state(Phase::Running, 1);
        assert_eq!(after(Some(&failed), OUTPUT), Remembered { state: Some(failed), is_anew: false });
    }

    #[test]
    fn what_was_up_and_is_down_has_failed_unless_it_was_stopped() {
        let up = RestartState { up: true, ..state(Phase::Running, 1) };
        let down = Signs { is_up: false, is_down: true, ..ON_AIR };
        assert!(after(Some(&up), down).state.is_some_and(|state| state.has_failed()));
        let with_source = Signs { is_up: false, is_down: false, ..ON_AIR };
        assert!(after(Some(&up), with_source).state.is_some_and(|state| !state.has_failed()), "its Source was stopped");
        let stopped = after(Some(&up), Signs { is_stopped: true, ..ON_AIR });
        assert_eq!(stopped, Remembered { state: Some(RestartState { up: false, ..up.clone() }), is_anew: false });
        let first = RestartState { count: 0, ..up };
        assert_eq!(after(Some(&first), Signs { is_stopped: true, ..ON_AIR }), Remembered::default());
        let pauses = state(Phase::BackingOff, 1);
        let stopped = after(Some(&pauses), Signs { is_stopped: true, ..ON_AIR });
        assert_eq!(stopped.state, Some(pauses), "the stop follows from it");
    }

    #[test]
    fn what_is_taken_for_long_is_forgiven_and_what_gave_up_is_not() {
        let failed = state(Phase::Running, 3);
        let forgiven = after(Some(&failed), Signs { is_forgiven: true, ..ON_AIR });
        assert_eq!(forgiven.state, Some(RestartState { up: true, ..state(Phase::Running, 0) }));
        assert!(forgiven.is_anew);
        assert_eq!(after(Some(&failed), Signs { is_forgiven: true, ..OUTPUT }).state, None);
        for phase in [Phase::BackingOff, Phase::GaveUp] {
            let held = state(phase, 3);
            assert_eq!(after(Some(&held), Signs { is_forgiven: true, ..ON_AIR }).state, Some(held));
        }
        let unfailed = after(Some(&state(Phase::Running, 0)), Signs { is_forgiven: true, ..ON_AIR });
        assert!(!unfailed.is_anew, "the start of its time on the air stays");
    }

    #[test]
    fn another_key_begins_anew_and_one_that_is_not_known_does_not() {
        let gave_up = state(Phase::GaveUp, 5);
        let with =
            |keys: Option<&str>, signs: Signs| remembered(Some(&gave_up), keys.map(str::to_string).as_ref(), &signs);
        let anew = with(Some("v2"), ON_AIR);
        assert!(anew.is_anew);
        assert_eq!(anew.state.map(|state| (state.phase, state.count)), Some((Phase::Running, 0)));
        assert_eq!(with(None, ON_AIR).state, Some(gave_up.clone()), "the Secret cannot be read");
        assert_eq!(with(Some("v1"), Signs { is_kept: false, ..ON_AIR }), Remembered::default(), "it was stopped");
    }

    #[test]
    fn what_gave_up_says_why_and_how_it_goes_on() {
        let [cluster, kind, namespace, name, uid] = ["c1", "LiveSession", "show", "tonight", "u1"].map(str::to_string);
        let identity = Identity { cluster, kind, namespace, name, uid };
        let text = |count| state(Phase::GaveUp, count).problem(&identity, "It did not run.", "Check the key").message;
        assert!(text(0).starts_with("It did not run. It was not restarted. Check the key; then "));
        assert!(text(0).contains(" -n show annotate livesession tonight playout.dev/reconcile-at="));
        assert!(text(1).starts_with("It broke. It was restarted once and is off the air now. "));
        assert!(text(3).contains("restarted 3 times"));
    }
}
