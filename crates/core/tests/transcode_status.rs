//! What a Destination with `delivery: Transcode` tells, and what it remembers. Each test is a sentence.

mod fixtures;

use std::collections::BTreeMap;
use std::time::Duration;

use fixtures::transcode::*;
use fixtures::{
    CANARY, DestinationPlan, at, connected, deleted, destination_object, destination_spec, destination_wanted,
    outcome_of, present, references, references_at,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use playout_api::RECONCILE_AT;
use playout_api::destination::{
    ActiveEndpoint, Destination, DestinationSpec, DestinationStatus, DestinationWord, RetryStatus, RetryWord,
};
use playout_core::conditions::{DELIVERING, READY, RECONCILING, STALLED};
use playout_core::endpoint::Role;
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass};
use playout_core::kinds::destination::Outcome;
use playout_core::kinds::destination::memory;
use playout_core::kinds::destination::memory::{Lead, Leads, Memory};
use playout_core::kinds::destination::observed::Observed;
use playout_core::kinds::destination::plan::{Action, plan};
use playout_core::kinds::destination::retry::{Attempt, FORGIVEN_AFTER, Phase, Tries};
use playout_core::kinds::destination::status::status;
use playout_core::plan::{Action as _, Desired, Memory as _, Step};
use playout_core::reasons::Reason;
use playout_core::resources::channel::{ChannelState, InputState};
use playout_core::resources::flow::FlowState;
use serde_json::{Value, json};

/// One object over several passes, as the loop leads it.
struct Show {
    object: Destination,
    references: playout_core::references::References,
}

impl Show {
    fn new(changes: &[(&str, Value)]) -> Self {
        Self::of(spec(changes))
    }

    fn of(spec: DestinationSpec) -> Self {
        Self { object: destination_object(spec), references: references() }
    }

    fn desired(&self) -> Desired<playout_core::kinds::destination::wanted::Wanted> {
        if self.object.metadata.deletion_timestamp.is_some() {
            return Desired::Absent;
        }
        destination_wanted(&self.object.spec, &self.references)
    }

    /// A new spec has a new generation.
    fn edit(&mut self, changes: &[(&str, Value)]) {
        self.object.spec = spec(changes);
        self.object.metadata.generation = self.object.metadata.generation.map(|g| g + 1);
    }

    fn annotate(&mut self, value: &str) {
        let annotations = self.object.metadata.annotations.get_or_insert_default();
        annotations.insert(RECONCILE_AT.into(), value.into());
    }

    /// With what is remembered, as the shell gives it to the planner.
    fn look(&self, seen: &Observed, second: i64) -> Observed {
        let (tries, decided) = (memory::tries(&self.object, at(second)), memory::decided(&self.object));
        Observed { tries, decided, ..seen.clone() }
    }

    fn plan(&self, seen: &Observed, second: i64) -> DestinationPlan {
        plan(&self.desired(), false, &self.look(seen, second))
    }

    fn step(&self, seen: &Observed, second: i64) -> Step<Action> {
        self.plan(seen, second).step
    }

    fn computed(
        &self,
        seen: &Observed,
        plan: &DestinationPlan,
        failure: Option<&Failure>,
        now: Timestamp,
    ) -> DestinationStatus {
        let desired = self.desired();
        let wanted = match &desired {
            Desired::Present(wanted) => Some(wanted),
            Desired::Absent | Desired::Invalid(_) => None,
        };
        let outcome = outcome_of(wanted, Some(seen), Some(plan), 0);
        status(&self.object, &Outcome { failure, now, ..outcome })
    }

    /// A pass that writes the status; what was decided.
    fn pass(&mut self, seen: &Observed, second: i64) -> Step<Action> {
        let seen = self.look(seen, second);
        let plan = plan(&self.desired(), false, &seen);
        self.object.status = Some(self.computed(&seen, &plan, None, at(second)));
        plan.step
    }

    fn status(&self) -> &DestinationStatus {
        self.object.status.as_ref().expect("a status")
    }

    fn retries(&self) -> &RetryStatus {
        self.status().retries.as_ref().expect("restarts")
    }

    fn tries(&self, second: i64) -> Option<Tries> {
        memory::tries(&self.object, at(second))
    }
}

fn told(changes: &[(&str, Value)], seen: &Observed) -> DestinationStatus {
    let show = Show::new(changes);
    let plan = plan(&show.desired(), false, seen);
    show.computed(seen, &plan, None, at(0))
}

fn condition<'a>(status: &'a DestinationStatus, type_: &str) -> Option<(&'a str, &'a str)> {
    status.conditions.iter().find(|c| c.type_ == type_).map(|c| (c.status.as_str(), c.reason.as_str()))
}

fn message<'a>(status: &'a DestinationStatus, type_: &str) -> &'a str {
    status.conditions.iter().find(|c| c.type_ == type_).map_or("", |c| c.message.as_str())
}

fn briefly_down() -> Observed {
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 10);
    seen
}

fn pending() -> Observed {
    let mut seen = on_air(&[]);
    channel(&mut seen).endpoints.insert(Role::Primary, endpoint(None, 10));
    seen
}

fn endpoint(is: Option<bool>, seconds: u64) -> playout_core::kinds::destination::observed::EndpointSeen {
    playout_core::kinds::destination::observed::EndpointSeen {
        measured: Some(connected(is)),
        measured_from: None,
        unchanged_for: Duration::from_secs(seconds),
    }
}

// ------------------------------------------------------------------------------------------------------------ words

#[test]
fn one_word_tells_where_it_is_at_every_step_of_its_life() {
    use ChannelState as C;
    use DestinationWord as W;
    let run: &[(&str, Value)] = &[];
    let off: &[(&str, Value)] = &[STOPPED];
    let ready: &[(&str, Value)] = &[STOPPED, PREPARE];
    let cases = [
        ("nothing yet", run, nothing(), W::Creating),
        ("the input is being made", run, with_input(InputState::Creating), W::Creating),
        ("the input is there", run, with_input(InputState::Detached), W::Creating),
        ("the channel is being made", run, in_state(run, C::Creating), W::Creating),
        ("a channel that is no more", run, in_state(run, C::Deleted), W::Creating),
        ("made", run, idle(run), W::Starting),
        ("changed", run, in_state(run, C::Updating), W::Starting),
        ("starting", run, in_state(run, C::Starting), W::Starting),
        ("sending, nothing measured yet", run, pending(), W::Starting),
        ("the receiver takes it", run, on_air(run), W::Running),
        ("the receiver does not take it", run, briefly_down(), W::Error),
        ("AWS restarts it", run, in_state(run, C::Recovering), W::Starting),
        ("AWS could not make it", run, in_state(run, C::CreateFailed), W::Error),
        ("a stop is sent", off, on_air(run), W::Stopping),
        ("a stop in the middle of the start", off, in_state(run, C::Starting), W::Stopping),
        ("stopping", off, in_state(run, C::Stopping), W::Stopping),
        ("stopped and still paid for", off, idle(run), W::Stopping),
        ("being removed", off, in_state(run, C::Deleting), W::Stopping),
        ("removed", off, in_state(run, C::Deleted), W::Idle),
        ("only the input is left", off, with_input(InputState::Detached), W::Idle),
        ("nothing", off, nothing(), W::Idle),
        ("being prepared", ready, in_state(run, C::Creating), W::Creating),
        ("prepared", ready, idle(run), W::Idle),
        ("stopped to be prepared", ready, on_air(run), W::Stopping),
        ("stopping to be prepared", ready, in_state(run, C::Stopping), W::Stopping),
        ("its key is missing", &[("/streamKey/secretRef/name", Value::Null)], nothing(), W::Error),
    ];
    for (name, changes, seen, word) in cases {
        let changes: Vec<_> = changes
            .iter()
            .map(|(p, v)| if p.ends_with("secretRef/name") { missing_key() } else { (*p, v.clone()) })
            .collect();
        // A failed create is counted against what is remembered.
        assert_eq!(told(&changes, &seen).state, Some(word), "{name}");
    }
    assert_eq!(told(&[missing_key()], &on_air(&[])).state, Some(W::Running), "what runs is said to");
    for state in C::ALL {
        let mut show = Show::new(&[]);
        deleted(&mut show.object.metadata);
        show.pass(&in_state(&[], state), 0);
        assert_eq!(show.status().state, Some(W::Deleting));
        for (phase, name) in [(Phase::Waiting, "a pause"), (Phase::GaveUp, "given up")] {
            let mut seen = in_state(&[], state);
            remember(&mut seen, 1, phase, 0);
            down_if_up(&mut seen);
            assert_eq!(told(&[], &seen).state, Some(W::Error), "{name} in {state:?}");
        }
    }
}

fn down_if_up(seen: &mut Observed) {
    if channel(seen).channel.state == ChannelState::Running {
        down(seen, Role::Primary, 30);
    }
}

#[test]
fn what_is_on_the_air_is_told_with_its_channel_its_encoding_and_its_endpoint() {
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    let now = show.status();
    assert_eq!(condition(now, READY), Some(("True", "Running")));
    assert_eq!(condition(now, DELIVERING), Some(("True", "Connected")));
    assert_eq!((condition(now, RECONCILING), condition(now, STALLED)), (None, None));
    assert_eq!(now.active_endpoint, Some(ActiveEndpoint::Primary));
    assert_eq!(
        now.encoding.as_deref(),
        Some("1080p30: 1920x1080 at 30 fps, 4500 kbit/s H.264 High, keyframe 2 s, AAC 128 kbit/s 48 kHz")
    );
    let channel = now.channel.as_ref().expect("a channel");
    assert_eq!((channel.id.as_deref(), channel.state.as_deref()), (Some(CHANNEL), Some("RUNNING")));
    assert_eq!((channel.input_id.as_deref(), channel.input_state.as_deref()), (Some(INPUT), Some("ATTACHED")));
    assert!(channel.arn.as_ref().is_some_and(|arn| arn.ends_with(":channel:2001")));
    let output = &channel.outputs[0];
    assert_eq!((output.role.as_str(), output.endpoint.as_deref()), ("Primary", Some("rtmps://live.example.com:443")));
    assert_eq!((output.sending, output.connected), (Some(true), Some(true)));
    assert!(now.outputs.is_empty(), "the flow's outputs are another path");
    assert_eq!((now.started_at.is_some(), now.last_runs.len()), (true, 1));
    let hot = told(&[backup("Hot")], &on_air(&[backup("Hot")]));
    assert_eq!(hot.active_endpoint, Some(ActiveEndpoint::Both));
    assert_eq!(hot.channel.expect("a channel").outputs.len(), 2);
    let gone = told(&[STOPPED], &in_state(&[], ChannelState::Deleted));
    assert_eq!(gone.channel.as_ref().and_then(|c| c.id.clone()), None, "only the input is left");
    assert_eq!(told(&[STOPPED], &nothing()).channel, None);
}

#[test]
fn what_the_platform_advises_against_is_told_while_it_is_ready() {
    let changes = [
        ("/platform", json!("Kick")),
        ("/url", json!("rtmps://live.example.com:443/app")),
        ("/encoding", json!("1080p60")),
    ];
    let seen = on_air(&changes);
    let warnings = present(live(&changes)).channel.expect("a channel").warnings;
    let now = told(&changes, &seen);
    assert_eq!(condition(&now, READY), Some(("True", "Running")));
    for warning in warnings {
        assert!(message(&now, READY).contains(&warning), "{}", message(&now, READY));
    }
}

#[test]
fn an_outage_says_why_the_other_endpoint_is_not_fed() {
    let lost = ("/backup/streamKey/secretRef/name", json!("nowhere"));
    let mut show = Show::new(&[backup("OnFailure"), lost]);
    let mut seen = dead_primary(10);
    show.pass(&seen, 0);
    for (second, what) in [(0, "NotConnected"), (60, "Restarting")] {
        if second > 0 {
            down(&mut seen, Role::Primary, 70);
            // What is decided is stored, and what follows is told.
            show.pass(&seen, second);
            seen = idle(&[backup("OnFailure")]);
            show.pass(&seen, second + 2);
        }
        assert_eq!(condition(show.status(), READY), Some(("False", what)));
        let text = message(show.status(), READY);
        assert!(text.contains("does not take the stream"), "{text}");
        assert!(text.contains("backup endpoint cannot be fed") && text.contains("nowhere"), "{text}");
    }
    let mut well = Show::new(&[backup("OnFailure")]);
    well.pass(&dead_primary(10), 0);
    assert!(!message(well.status(), READY).contains("cannot be fed"), "{}", message(well.status(), READY));
}

#[test]
fn pending_changes_are_told_while_it_is_ready() {
    let now = told(&[other_url()], &on_air(&[]));
    assert_eq!(now.pending_changes, ["url"]);
    assert_eq!(condition(&now, READY), Some(("True", "PendingChanges")));
}

#[test]
fn alerts_are_told_at_most_ten() {
    let mut seen = on_air(&[]);
    for n in 0..14 {
        alert(&mut seen, None, &format!("alert {n}"));
    }
    let now = told(&[], &seen);
    assert_eq!((now.alerts.len(), now.alerts[0].message.as_str()), (10, "alert 0"));
    assert_eq!(now.alerts[0].kind, "RTMP_CONNECTION");
}

#[test]
fn an_alert_counts_as_not_connected_since_it_is_there() {
    let mut show = Show::new(&[]);
    let mut seen = on_air(&[]);
    channel(&mut seen).endpoints.get_mut(&Role::Primary).expect("an endpoint").measured = None;
    show.pass(&seen, 0);
    let of = |show: &Show| show.status().channel.as_ref().expect("a channel").outputs[0].clone();
    assert_eq!((of(&show).connected, of(&show).since), (None, Some(Time(at(0)))));
    alert(&mut seen, Some(Role::Primary), "Connection lost");
    show.pass(&seen, 3600);
    assert_eq!((of(&show).connected, of(&show).since), (Some(false), Some(Time(at(3600)))));
}

#[test]
fn how_long_a_receiver_is_not_connected_counts_from_when_the_signal_is_back() {
    let mut show = Show::new(&[]);
    let mut seen = on_air(&[]);
    show.pass(&seen, 0);
    down(&mut seen, Role::Primary, 0);
    set_signal(&mut seen, Some(false));
    show.pass(&seen, 100);
    let of = |show: &Show| show.status().channel.as_ref().expect("a channel").outputs[0].clone();
    assert_eq!(of(&show).connected, None, "while nothing is sent it says nothing");
    set_signal(&mut seen, Some(true));
    show.pass(&seen, 1000);
    assert_eq!((of(&show).connected, of(&show).since), (Some(false), Some(Time(at(1000)))));
    // So it is with an output of the flow.
    let mut show = Show::of(destination_spec(&[]));
    let mut seen = fixtures::destination_seen(&[]);
    seen.outputs.get_mut(&Role::Primary).expect("an output").measured = Some(connected(Some(false)));
    set_signal(&mut seen, Some(false));
    show.pass(&seen, 0);
    assert_eq!(show.status().outputs[0].connected, None);
}

// ------------------------------------------------------------------------------------------------------- one life

#[test]
fn a_life_is_told_from_the_start_to_the_stop_and_why_it_ended() {
    use ChannelState as C;
    use DestinationWord as W;
    let mut show = Show::new(&[]);
    let way = [
        (nothing(), W::Creating),
        (with_input(InputState::Creating), W::Creating),
        (in_state(&[], C::Creating), W::Creating),
        (idle(&[]), W::Starting),
        (in_state(&[], C::Starting), W::Starting),
        (pending(), W::Starting),
        (on_air(&[]), W::Running),
    ];
    for (second, (seen, word)) in (0_i64..).step_by(10).zip(way) {
        show.pass(&seen, second);
        assert_eq!(show.status().state, Some(word), "second {second}");
    }
    assert_eq!(show.status().last_runs[0].started, Some(Time(at(60))));
    show.edit(&[STOPPED]);
    show.pass(&on_air(&[]), 100);
    assert_eq!(show.status().state, Some(W::Stopping));
    show.pass(&in_state(&[], C::Stopping), 110);
    let run = &show.status().last_runs[0];
    assert_eq!((run.stopped.clone(), run.why.as_deref()), (Some(Time(at(100))), Some("stopped as wished")));
    show.pass(&nothing(), 200);
    assert_eq!((show.status().state, &show.status().channel), (Some(W::Idle), &None));
    assert_eq!((&show.status().retries, &show.status().failover), (&None, &None));
}

#[test]
fn a_run_that_ends_by_a_failure_says_which() {
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    show.pass(&briefly_down(), 60);
    let why = show.status().last_runs[0].why.clone().expect("a reason");
    assert!(why.contains("rtmps://live.example.com:443"), "{why}");
    assert_eq!(show.status().state, Some(DestinationWord::Error));
    assert_eq!(condition(show.status(), READY), Some(("False", "NotConnected")));
    assert_eq!(condition(show.status(), STALLED), None, "it is tried on");
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    deleted(&mut show.object.metadata);
    show.pass(&on_air(&[]), 60);
    assert_eq!(show.status().last_runs[0].why.as_deref(), Some("the Destination was deleted"));
}

#[test]
fn a_move_does_not_end_the_run() {
    let mut show = Show::of(destination_spec(&[]));
    show.pass(&passing(), 0);
    show.edit(&[]);
    let mut both = Observed { outputs: passing().outputs, ..on_air(&[]) };
    channel(&mut both).endpoints.insert(Role::Primary, endpoint(None, 0));
    for (second, seen) in (10_i64..).step_by(10).zip([passing(), both, on_air(&[])]) {
        show.pass(&seen, second);
        assert_eq!(show.status().state, Some(DestinationWord::Running), "second {second}");
    }
    assert_eq!(show.status().last_runs.len(), 1);
}

#[test]
fn when_looking_fails_nothing_is_forgotten() {
    let mut show = Show::new(&[backup("OnFailure")]);
    show.pass(&dead_primary(30), 0);
    let before = show.status().clone();
    let failure = Failure {
        class: FailureClass::Throttled,
        operation: "medialive:ListChannels".into(),
        message: "Too many requests".into(),
    };
    let desired = show.desired();
    let wanted = present(desired);
    let outcome =
        Outcome { wanted: Some(&wanted), seen: None, step: None, failure: Some(&failure), ..Outcome::at(at(60)) };
    let now = status(&show.object, &outcome);
    assert_eq!((&now.retries, &now.failover, &now.channel), (&before.retries, &before.failover, &before.channel));
}

#[test]
fn what_was_decided_is_remembered_also_when_what_follows_fails() {
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 30);
    let plan = show.plan(&seen, 60);
    assert_eq!((&plan.step, plan.memory.goes_first), (&Step::Act(vec![stop()]), true));
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "medialive:StopChannel".into(),
        message: "timeout".into(),
    };
    let now = show.computed(&show.look(&seen, 60), &plan, Some(&failure), at(60));
    assert_eq!(now.retries.map(|r| (r.count, r.state)), Some((1, RetryWord::Waiting)));
}

// -------------------------------------------------------------------------------------------------------- retries

#[test]
fn restarts_are_remembered_with_their_count_their_pause_and_their_cause() {
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    assert_eq!((show.retries().count, show.retries().state, show.retries().up), (0, RetryWord::Trying, true));
    let mut seen = on_air(&[]);
    down(&mut seen, Role::Primary, 30);
    show.pass(&seen, 100);
    let told = show.retries();
    assert_eq!((told.count, told.attempts, told.state, told.up), (1, 5, RetryWord::Waiting, false));
    assert_eq!(told.since, Some(Time(at(100))));
    assert_eq!(told.cause.as_deref(), Some("rtmps://live.example.com:443 does not take the stream."));
    assert_eq!(show.status().state, Some(DestinationWord::Error));
    assert_eq!(show.status().last_error.as_ref().map(|e| e.reason.as_str()), Some("NotConnected"));
    let tries = show.tries(107).expect("tries");
    assert_eq!((tries.attempt.count, tries.attempt.phase, tries.since.as_secs()), (1, Phase::Waiting, 7));
    // Our own stop for the pause does not forget it, and the pause is told.
    assert!(matches!(show.pass(&seen, 101), Step::Act(_)));
    show.pass(&in_state(&[], ChannelState::Stopping), 102);
    show.pass(&idle(&[]), 103);
    assert_eq!((show.retries().count, show.retries().state), (1, RetryWord::Waiting));
    assert_eq!(condition(show.status(), READY), Some(("False", "Restarting")));
    assert!(message(show.status(), READY).ends_with("Restart 1 of 5 follows after a pause."));
    show.pass(&idle(&[]), 115);
    assert_eq!((show.retries().count, show.retries().state), (1, RetryWord::Trying));
    assert_eq!(show.step(&idle(&[]), 116), Step::Act(vec![start()]));
    assert_eq!(show.status().state, Some(DestinationWord::Starting));
}

#[test]
fn giving_up_is_told_as_stalled_with_the_count_until_it_is_asked_to_try_again() {
    let mut show = Show::new(&[("/retry", json!({"attempts": 1}))]);
    let mut refused = on_air(&[]);
    down(&mut refused, Role::Primary, 30);
    for second in [0, 1] {
        show.pass(&refused, second);
    }
    show.pass(&idle(&[]), 60);
    show.pass(&refused, 100);
    assert_eq!((show.retries().count, show.retries().state), (1, RetryWord::GaveUp));
    show.pass(&nothing(), 160);
    assert_eq!(condition(show.status(), STALLED), Some(("True", "GaveUp")));
    assert!(message(show.status(), STALLED).contains("It was restarted once and is off the air now."));
    assert_eq!(show.status().state, Some(DestinationWord::Error));
    // Time alone does not bring it back.
    assert!(matches!(show.step(&nothing(), 1_000_000), Step::Stuck(p) if p.reason == Reason::GaveUp));
    let gave_up = |show: &Show| matches!(show.step(&nothing(), 200), Step::Stuck(p) if p.reason == Reason::GaveUp);
    let fresh = || Show { object: show.object.clone(), references: references() };
    // The annotation does, once.
    let mut asked = fresh();
    asked.annotate("1");
    assert!(!gave_up(&asked));
    asked.pass(&nothing(), 200);
    assert_eq!((asked.retries().count, asked.retries().state), (0, RetryWord::Trying));
    // So does another spec,
    let mut edited = fresh();
    edited.edit(&[other_url()]);
    assert!(!gave_up(&edited));
    // and another version of the key.
    let mut rotated = fresh();
    rotated.references = references_at("v2");
    assert!(!gave_up(&rotated));
    // Also when the pass that has noted the request could not look, or not understand the spec.
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "mediaconnect:DescribeFlow".into(),
        message: "busy".into(),
    };
    for request in [Show::annotate as fn(&mut Show, &str), |show, _| show.edit(&[other_url()])] {
        let mut unlucky = fresh();
        request(&mut unlucky, "2");
        let outcome = Outcome { wanted: None, seen: None, step: None, failure: Some(&failure), ..Outcome::at(at(170)) };
        unlucky.object.status = Some(status(&unlucky.object, &outcome));
        assert!(!gave_up(&unlucky));
    }
    assert!(gave_up(&fresh()));
}

#[test]
fn what_was_decided_on_an_object_that_was_edited_meanwhile_is_not_held_against_the_edit() {
    for attempts in [0, 5] {
        let mut show = Show::new(&[("/retry", json!({ "attempts": attempts }))]);
        show.pass(&on_air(&[]), 0);
        let mut refused = on_air(&[]);
        down(&mut refused, Role::Primary, 30);
        let seen = show.look(&refused, 60);
        let plan = show.plan(&refused, 60);
        // The write meets a conflict, the object is read again, and it is another one now.
        show.edit(&[other_url()]);
        let now = show.computed(&seen, &plan, None, at(60));
        assert_eq!(now.retries.map(|r| (r.count, r.state)), Some((0, RetryWord::Trying)));
    }
}

#[test]
fn after_five_minutes_of_a_stream_that_is_taken_the_count_begins_anew() {
    for (age, count) in [(FORGIVEN_AFTER.as_secs() - 1, 2), (FORGIVEN_AFTER.as_secs(), 0)] {
        let mut show = Show::new(&[]);
        show.pass(&on_air(&[]), 0);
        show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts").count = 2;
        let mut seen = on_air(&[]);
        channel(&mut seen).endpoints.insert(Role::Primary, endpoint(Some(true), age));
        show.pass(&seen, 400);
        assert_eq!((show.retries().count, show.retries().up), (count, true), "after {age} s");
        show.pass(&seen, 500);
        assert_eq!(show.retries().count, count);
    }
    // Nor is it forgiven by what is not known.
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts").count = 2;
    let mut seen = on_air(&[]);
    channel(&mut seen).endpoints.insert(Role::Primary, endpoint(None, 3600));
    show.pass(&seen, 4000);
    assert_eq!(show.retries().count, 2);
}

#[test]
fn a_passed_through_one_remembers_restarts_only_while_there_are_any() {
    let mut show = Show::of(destination_spec(&[]));
    let well = fixtures::destination_seen(&[]);
    show.pass(&well, 0);
    assert_eq!(show.status().retries, None);
    let mut refused = well.clone();
    refused.outputs.get_mut(&Role::Primary).expect("an output").measured = Some(connected(Some(false)));
    show.pass(&refused, 60);
    show.pass(&refused, 61);
    assert_eq!((show.retries().count, show.retries().state), (1, RetryWord::Waiting));
    show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts").state = RetryWord::Trying;
    show.pass(&well, 400);
    assert_eq!(show.status().retries, None);
}

#[test]
fn a_stop_of_our_own_begins_anew_and_a_channel_that_is_found_down_has_failed() {
    let of = |up, seen: &Observed, changes: &[(&str, Value)]| {
        let mut show = Show::new(changes);
        show.pass(&on_air(changes), 0);
        show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts").up = up;
        show.pass(seen, 60);
        show.status().retries.clone()
    };
    for state in [ChannelState::Starting, ChannelState::Running, ChannelState::Recovering] {
        assert_eq!(of(false, &in_state(&[], state), &[]).map(|r| r.up), Some(true), "{state:?}");
    }
    let stopping = in_state(&[], ChannelState::Stopping);
    assert_eq!(of(true, &stopping, &[]).map(|r| r.up), Some(true), "it stops, and we did not ask for it");
    for state in [ChannelState::Creating, ChannelState::Updating, ChannelState::Deleting] {
        assert_eq!(of(true, &in_state(&[], state), &[]).map(|r| r.up), Some(false), "{state:?}");
    }
    let mut off = stopping.clone();
    stop_source(&mut off);
    assert_eq!(of(true, &off, &[PREPARE]).map(|r| r.up), Some(false), "the Source was told to stop");
    let changed = of(true, &on_air(&[]), &[]);
    assert_eq!(changed.map(|r| r.count), Some(0));
    let mut show = Show::new(&[restart()]);
    show.pass(&on_air(&[restart()]), 0);
    let mut drifted = on_air(&[restart()]);
    channel(&mut drifted).channel.settings.encoding = None;
    assert_eq!(show.pass(&drifted, 10), Step::Act(vec![stop()]));
    assert_eq!(show.status().retries, None, "a stop of our own");
    show.pass(&in_state(&[restart()], ChannelState::Stopping), 20);
    assert!(!show.retries().up);
}

#[test]
fn a_lost_status_costs_the_count_and_nothing_else() {
    for state in ChannelState::ALL {
        let mut show = Show::new(&[]);
        let seen = in_state(&[], state);
        let step = show.pass(&seen, 0);
        assert!(!matches!(step, Step::Stuck(_)), "{state:?}");
        let retries = show.retries();
        assert_eq!((retries.count, retries.state, retries.up), (0, RetryWord::Trying, state.is_up()), "{state:?}");
    }
}

#[test]
fn what_stands_in_the_status_by_hand_or_from_another_clock_does_no_harm() {
    let mut show = Show::new(&[]);
    show.pass(&on_air(&[]), 0);
    let remembered = show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts");
    (remembered.count, remembered.state, remembered.since) = (u32::MAX, RetryWord::Waiting, Some(Time(at(5000))));
    assert_eq!(show.tries(0).map(|t| t.since), Some(Duration::ZERO), "what lies ahead has not lasted");
    let _ = show.step(&idle(&[]), 0);
    let remembered = show.object.status.as_mut().expect("a status").retries.as_mut().expect("restarts");
    (remembered.state, remembered.since) = (RetryWord::Trying, None);
    let mut refused = on_air(&[]);
    down(&mut refused, Role::Primary, 30);
    let tries = show.plan(&refused, 0).memory.restart.expect("restarts");
    assert_eq!(tries.attempt.phase, Phase::GaveUp);
    assert_eq!(memory::tries(&destination_object(spec(&[])), at(0)), None);
    assert_eq!(memory::decided(&destination_object(spec(&[]))), None);
}

// ------------------------------------------------------------------------------------------------------- failover

#[test]
fn a_switch_is_remembered_with_why_and_a_new_show_begins_with_the_primary() {
    let changes = [backup("OnFailure")];
    let mut show = Show::new(&changes);
    show.pass(&on_air(&changes), 0);
    assert_eq!(show.status().failover, None);
    assert_eq!(memory::decided(&show.object), None);
    let mut dead = dead_primary(30);
    alert(&mut dead, Some(Role::Primary), "Connection lost");
    show.pass(&dead, 100);
    let failover = show.status().failover.clone().expect("a switch");
    assert_eq!((failover.endpoint, failover.since), (ActiveEndpoint::Backup, Some(Time(at(100)))));
    assert_eq!(
        failover.why,
        "rtmps://live.example.com:443 did not take the stream for 20 s. AWS says: Connection lost."
    );
    assert_eq!(memory::decided(&show.object), Some(Role::Backup));
    assert_eq!(show.status().active_endpoint, Some(ActiveEndpoint::Primary), "which is fed now is a fact");
    assert_eq!(show.pass(&dead, 101), Step::Act(vec![stop()]));
    show.pass(&on_backup(), 200);
    assert_eq!(show.status().active_endpoint, Some(ActiveEndpoint::Backup));
    assert_eq!(show.status().failover.as_ref().map(|f| f.since.clone()), Some(Some(Time(at(100)))));
    show.edit(&[backup("OnFailure"), STOPPED]);
    show.pass(&on_backup(), 300);
    assert_eq!(show.status().failover, None);
}

#[test]
fn what_is_told_is_remembered_after_the_annotation_is_gone() {
    let changes = [backup("OnFailure")];
    let mut show = Show::new(&changes);
    let primary = Observed { told: Some(Role::Primary), ..on_air(&changes) };
    show.pass(&primary, 0);
    assert_eq!(show.status().failover, None, "it leads by itself");
    let backup_told = Observed { told: Some(Role::Backup), ..on_air(&changes) };
    show.pass(&backup_told, 10);
    let failover = show.status().failover.clone().expect("a switch");
    assert_eq!(failover.endpoint, ActiveEndpoint::Backup);
    assert!(failover.why.contains("playout.dev/active-endpoint"), "{}", failover.why);
    show.pass(&on_backup(), 20);
    assert_eq!(show.status().failover, Some(failover), "nobody told anything else");
    show.pass(&Observed { told: Some(Role::Primary), ..on_backup() }, 30);
    assert_eq!(show.status().failover.as_ref().map(|f| f.endpoint), Some(ActiveEndpoint::Primary));
}

#[test]
fn without_a_backup_for_failures_no_switch_is_remembered() {
    for changes in [vec![], vec![backup("Hot")]] {
        let mut show = Show::new(&changes);
        show.pass(&Observed { told: Some(Role::Backup), ..on_air(&changes) }, 0);
        assert_eq!(show.status().failover, None);
    }
}

#[test]
fn a_passed_through_switch_is_remembered_by_what_aws_shows() {
    let changes = [backup("OnFailure")];
    let mut show = Show::of(destination_spec(&changes));
    let mut seen = fixtures::destination_seen(&changes);
    show.pass(&seen, 0);
    for (role, output) in &mut seen.outputs {
        output.output.enabled = *role == Role::Backup;
        output.measured = Some(connected(Some(true)));
    }
    show.pass(&seen, 60);
    let failover = show.status().failover.clone().expect("a switch");
    assert_eq!(
        (failover.endpoint, failover.why.as_str()),
        (ActiveEndpoint::Backup, "the primary did not take the stream")
    );
    // Between two attempts none is fed, and that is not a switch.
    seen.outputs.values_mut().for_each(|o| o.output.enabled = false);
    let step = show.pass(&seen, 120);
    assert!(
        matches!(step, Step::Act(a) if matches!(&a[..], [Action::UpdateOutput { role: Role::Backup, enabled: Some(true), .. }]))
    );
    assert_eq!(show.status().failover, Some(failover));
}

// ------------------------------------------------------------------------------------------------------ all of it

fn worlds() -> Vec<Observed> {
    let mut worlds: Vec<_> = ChannelState::ALL.into_iter().map(|state| in_state(&[], state)).collect();
    worlds.extend(InputState::ALL.into_iter().map(with_input));
    let mut silent = on_air(&[]);
    set_signal(&mut silent, Some(false));
    let mut standby = on_air(&[]);
    set_flow(&mut standby, FlowState::Standby);
    worlds.extend([
        nothing(),
        passing(),
        briefly_down(),
        pending(),
        silent,
        standby,
        on_backup(),
        Observed { channel: Existence::Unknown, ..with_input(InputState::Detached) },
        Observed { outputs: passing().outputs, ..on_air(&[]) },
    ]);
    let mut held = idle(&[]);
    remember(&mut held, 2, Phase::Waiting, 0);
    let mut gave_up = nothing();
    gave_up.tries.clone_from(&held.tries);
    gave_up.tries.as_mut().expect("tries").attempt.phase = Phase::GaveUp;
    worlds.extend([held, gave_up]);
    worlds
}

fn wishes() -> Vec<DestinationSpec> {
    let changes: [&[(&str, Value)]; 9] = [
        &[],
        &[STOPPED],
        &[STOPPED, PREPARE],
        &[other_url()],
        &[restart(), other_url()],
        &[missing_key()],
        &[backup("Hot")],
        &[backup("OnFailure")],
        &[("/suspend", json!(true))],
    ];
    let mut wishes: Vec<_> = changes.into_iter().map(spec).collect();
    wishes.extend([destination_spec(&[]), destination_spec(&[STOPPED])]);
    wishes
}

#[test]
fn a_pass_in_which_nothing_happened_changes_nothing() {
    for seen in worlds() {
        for spec in wishes() {
            let mut show = Show::of(spec);
            // What is remembered in these worlds was decided for this spec.
            let observed_generation = show.object.metadata.generation;
            show.object.status = Some(DestinationStatus { observed_generation, ..DestinationStatus::default() });
            let plan = plan(&show.desired(), false, &seen);
            let is_told = matches!(&plan.step, Step::Act(a) if a.iter().any(playout_core::plan::Action::is_told));
            if is_told || plan.memory.is_anew || !matches!(plan.memory.leads, Leads::AsBefore | Leads::Nobody) {
                continue;
            }
            show.object.status = Some(show.computed(&seen, &plan, None, at(0)));
            let later = show.computed(&seen, &plan, None, at(86_400));
            assert_eq!(Some(&later), show.object.status.as_ref(), "{:?} {seen:?}", show.object.spec);
        }
    }
}

#[test]
fn no_secret_stands_in_actions_steps_wishes_or_status() {
    let mut kinds = BTreeMap::new();
    for seen in worlds() {
        let mut refused = seen.clone();
        if matches!(&refused.channel, Existence::Present(c) if c.channel.state == ChannelState::Running) {
            down(&mut refused, Role::Primary, 60);
        }
        for seen in [seen, refused] {
            for spec in wishes() {
                let show = Show::of(spec);
                let mut deleting = Show::of(show.object.spec.clone());
                deleted(&mut deleting.object.metadata);
                for show in [show, deleting] {
                    let plan = plan(&show.desired(), false, &seen);
                    let told = show.computed(&seen, &plan, None, at(0));
                    let mut text = format!("{:?} {seen:?} {plan:?} {told:?}", show.desired());
                    text += &serde_json::to_string(&told).expect("JSON");
                    for news in plan.memory.news() {
                        text += &news.message;
                        kinds.insert(format!("{:?}", news.reason), news.reason);
                    }
                    if let Step::Act(actions) = &plan.step {
                        for action in actions {
                            let json = serde_json::to_string(action).expect("JSON");
                            let name = json.split('"').nth(1).unwrap_or_default().to_string();
                            text += &json;
                            text += &action.sentence();
                            kinds.insert(name, action.reason());
                        }
                    }
                    assert!(!text.contains(CANARY), "{text}");
                }
            }
        }
    }
    for kind in [
        "CreateInput",
        "DeleteInput",
        "CreateChannel",
        "UpdateChannel",
        "StartChannel",
        "StopChannel",
        "DeleteChannel",
        "Restarting",
        "Switched",
    ] {
        assert!(kinds.contains_key(kind), "{kind} was not seen: {:?}", kinds.keys());
    }
}

#[test]
fn what_is_done_is_told_in_whole_sentences() {
    let cases = [
        (start(), Reason::Started, "Started MediaLive channel 2001"),
        (stop(), Reason::Stopped, "Stopped MediaLive channel 2001"),
        (delete(), Reason::Deleted, "Removed MediaLive channel 2001"),
    ];
    for (action, reason, sentence) in cases {
        assert_eq!((action.reason(), action.sentence().as_str()), (reason, sentence));
        assert!(!action.needs_intent());
    }
}

#[test]
fn what_is_decided_is_told_in_whole_sentences() {
    let told = |count, phase, cause: Option<&str>| {
        let attempt = Attempt { count, phase, cause: cause.map(str::to_string) };
        let restart = Some(Tries { attempt, since: Duration::ZERO, up: false, keys: None });
        let news = Memory { restart, is_anew: true, ..Memory::default() }.news();
        news.into_iter().map(|n| (n.reason, n.message.into_owned())).next()
    };
    let failed = Some("It failed.");
    let told_so = |reason, text: &str| Some((reason, text.to_string()));
    assert_eq!(told(0, Phase::Trying, None), None, "the show may have been on the air for long");
    let waits = told_so(Reason::Restarting, "It failed. It is restarted after a pause (restart 1)");
    assert_eq!(told(1, Phase::Waiting, failed), waits);
    assert_eq!(told(1, Phase::Trying, failed), told_so(Reason::Restarting, "Going on the air again (restart 1)"));
    assert_eq!(told(5, Phase::GaveUp, failed), told_so(Reason::GaveUp, "It failed. It is not restarted again"));
    let leads = Leads::Decided(Lead { to: Role::Backup, why: "it failed.".into() });
    let news = Memory { leads, ..Memory::default() }.news();
    assert_eq!((news.len(), news[0].reason), (1, Reason::Switched));
    assert_eq!(news[0].message, "Switching to the backup endpoint: it failed.");
}
