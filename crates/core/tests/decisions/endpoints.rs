//! A Destination with two endpoints of which one may be fed: a switch is all or nothing, and both are tried before it is given
//! up. On both paths.

use std::time::Duration;

use playout_core::endpoint::Role;
use playout_core::failover::Leads;
use playout_core::kinds::destination::memory;
use playout_core::kinds::destination::observed::Observed;
use playout_core::kinds::destination::plan::{Action, plan};
use playout_core::kinds::destination::wanted::Wanted;
use playout_core::plan::{Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::channel::ChannelAction;
use playout_core::resources::flow::OutputAction;
use playout_core::restart::{Phase, RestartState};
use serde_json::{Value, json};

use crate::fixtures::steps::act;
use crate::fixtures::transcode::{self, live, on_backup, on_failure};
use crate::fixtures::{
    FLOW, backup_json, connected, dest, destination_object, destination_seen, destination_spec, output, output_arn,
};

fn decide(desired: &Desired<Wanted>, seen: &Observed) -> Step<Action> {
    plan(desired, false, seen).step
}

fn stuck(step: Step<Action>) -> Reason {
    match step {
        Step::Stalled(problem) => problem.reason,
        other => panic!("expected a problem, got {other:?}"),
    }
}

fn backup() -> (&'static str, Value) {
    ("/backup", backup_json("OnFailure"))
}

/// Of the key of that role there is no Secret any more.
fn keyless(roles: &[Role]) -> Desired<Wanted> {
    let mut changes = vec![backup()];
    for role in roles {
        let pointer = match role {
            Role::Primary => "/streamKey/secretRef/name",
            Role::Backup => "/backup/streamKey/secretRef/name",
        };
        changes.push((pointer, json!("nowhere")));
    }
    dest(&changes)
}

fn dead(seen: &mut Observed, role: Role, seconds: u64) {
    output(seen, role).measured = Some(connected(Some(false)));
    output(seen, role).unchanged_for = Duration::from_secs(seconds);
}

fn feed(seen: &mut Observed, roles: &[Role]) {
    for role in [Role::Primary, Role::Backup] {
        output(seen, role).output.enabled = roles.contains(&role);
    }
}

fn switched(role: Role, on: bool) -> Action {
    Action::Output(OutputAction::Update {
        flow: FLOW.into(),
        arn: output_arn(role),
        role,
        settings: None,
        enabled: Some(on),
    })
}

// --------------------------------------------------------------------------------------- all or nothing

#[test]
fn a_switch_needs_no_key_of_an_output_that_is_in_aws() {
    for roles in [&[Role::Backup] as &[_], &[Role::Primary, Role::Backup]] {
        let mut seen = destination_seen(&[backup()]);
        dead(&mut seen, Role::Primary, 20);
        assert_eq!(
            act(decide(&keyless(roles), &seen)),
            [switched(Role::Backup, true), switched(Role::Primary, false)],
            "{roles:?}"
        );
    }
    // And back, when it is told.
    let mut seen = destination_seen(&[backup()]);
    feed(&mut seen, &[Role::Backup]);
    seen.failover.requested = Some(Role::Primary);
    let back = [switched(Role::Primary, true), switched(Role::Backup, false)];
    assert_eq!(act(decide(&keyless(&[Role::Primary, Role::Backup]), &seen)), back);
}

#[test]
fn the_leader_stays_on_the_air_until_its_successor_can_come() {
    for roles in [&[Role::Backup] as &[_], &[]] {
        for told in [None, Some(Role::Backup)] {
            let mut seen = destination_seen(&[backup()]);
            dead(&mut seen, Role::Primary, 25);
            seen.outputs.remove(&Role::Backup);
            seen.failover.requested = told;
            match decide(&keyless(roles), &seen) {
                Step::Act(actions) => {
                    let adds = |a: &Action| matches!(a, Action::Output(OutputAction::Add { output, .. }) if output.role == Role::Backup);
                    assert!(roles.is_empty() && actions.iter().all(adds), "{roles:?} {told:?} {actions:?}");
                }
                step => assert!(!roles.is_empty(), "{told:?} {step:?}"),
            }
        }
    }
}

#[test]
fn no_decision_about_two_endpoints_is_undone_by_the_next() {
    // Every state that the two can be in, under every wish that leaves a key out: what is done comes to rest within a few passes.
    let subsets: [&[Role]; 4] = [&[], &[Role::Primary], &[Role::Backup], &[Role::Primary, Role::Backup]];
    for (keys, fed, down) in itertools(&subsets) {
        for (told, decided) in
            [(None, None), (Some(Role::Backup), None), (None, Some(Role::Backup)), (None, Some(Role::Primary))]
        {
            let wish = keyless(keys);
            let mut seen = destination_seen(&[backup()]);
            (seen.failover.requested, seen.failover.failed_over_to) = (told, decided);
            feed(&mut seen, fed);
            let mut passes = 0;
            loop {
                for role in [Role::Primary, Role::Backup] {
                    let on = output(&mut seen, role).output.enabled;
                    output(&mut seen, role).measured = on.then(|| connected(Some(!down.contains(&role))));
                    output(&mut seen, role).unchanged_for = Duration::from_secs(25);
                }
                let planned = plan(&wish, false, &seen);
                let Step::Act(actions) = planned.step else { break };
                if let Leads::Decided(lead) = planned.memory.leads {
                    seen.failover.failed_over_to = Some(lead.to);
                }
                passes += 1;
                let case =
                    format!("keys {keys:?} fed {fed:?} down {down:?} told {told:?} decided {decided:?}: {actions:?}");
                assert!(passes < 4, "{case}");
                let before = [Role::Primary, Role::Backup].map(|role| output(&mut seen, role).output.enabled);
                for action in actions {
                    match action {
                        Action::Output(OutputAction::Update { role, enabled: Some(on), .. }) => {
                            output(&mut seen, role).output.enabled = on
                        }
                        other => panic!("{case}: {other:?}"),
                    }
                }
                let after = [Role::Primary, Role::Backup].map(|role| output(&mut seen, role).output.enabled);
                assert!(before == [false; 2] || after != [false; 2], "it went dark: {case}");
            }
        }
    }
}

fn itertools<'a>(subsets: &[&'a [Role]]) -> Vec<(&'a [Role], &'a [Role], &'a [Role])> {
    let all = subsets.iter().flat_map(|a| subsets.iter().flat_map(move |b| subsets.iter().map(move |c| (*a, *b, *c))));
    all.collect()
}

#[test]
fn a_show_begins_with_the_endpoint_whose_key_is_there_and_the_other_is_told() {
    let mut seen = destination_seen(&[backup()]);
    seen.outputs.clear();
    let actions = act(decide(&keyless(&[Role::Backup]), &seen));
    assert!(
        matches!(actions.as_slice(), [Action::Output(OutputAction::Add { output, .. })] if output.role == Role::Primary && output.enabled),
        "{actions:?}"
    );
    let mut running = destination_seen(&[backup()]);
    running.outputs.remove(&Role::Backup);
    assert_eq!(stuck(decide(&keyless(&[Role::Backup]), &running)), Reason::SecretMissing);
    assert_eq!(stuck(decide(&keyless(&[Role::Backup]), &destination_seen(&[backup()]))), Reason::SecretMissing);
    // The one that is to lead is not there: nothing is half made.
    assert_eq!(stuck(decide(&keyless(&[Role::Primary]), &seen)), Reason::SecretMissing);
}

#[test]
fn a_restart_needs_no_key_of_an_output_that_is_in_aws() {
    let wish = dest(&[("/streamKey/secretRef/name", json!("nowhere"))]);
    let Desired::Present(wanted) = &wish else { panic!("a wish") };
    let tries = |phase| RestartState {
        phase,
        count: 1,
        cause: Some("it failed.".into()),
        since: Duration::from_secs(3600),
        up: false,
        key_versions: wanted.key_versions.clone(),
    };
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).output.enabled = false;
    seen.restart = Some(tries(Phase::BackingOff));
    assert_eq!(transcode::noted(&wish, &seen).phase, Phase::Running);
    assert_eq!(act(decide(&wish, &seen)), [switched(Role::Primary, true)], "in the same pass");
    seen.restart = Some(tries(Phase::Running));
    assert_eq!(act(decide(&wish, &seen)), [switched(Role::Primary, true)]);
}

// --------------------------------------------------------------------------------------- both are tried

#[test]
fn when_the_backup_fails_too_the_next_attempt_is_the_primarys() {
    let mut seen = destination_seen(&[backup()]);
    feed(&mut seen, &[Role::Backup]);
    dead(&mut seen, Role::Backup, 300);
    let wish = dest(&[backup()]);
    let Desired::Present(wanted) = &wish else { panic!("a wish") };
    let tries = |count, phase| RestartState {
        phase,
        count,
        cause: Some("it failed.".into()),
        since: Duration::from_secs(3600),
        up: false,
        key_versions: wanted.key_versions.clone(),
    };
    seen.restart = Some(tries(1, Phase::Running));
    let (noted, lead) = (transcode::noted(&wish, &seen), transcode::lead(&wish, &seen));
    assert_eq!((noted.count, noted.phase, lead.map(|lead| lead.to)), (2, Phase::BackingOff, Some(Role::Primary)));
    assert_eq!(act(decide(&wish, &seen)), [switched(Role::Backup, false)], "an attempt begins off the air");
    // After the pause.
    feed(&mut seen, &[]);
    (seen.restart, seen.failover.failed_over_to) = (Some(tries(2, Phase::Running)), Some(Role::Primary));
    assert_eq!(act(decide(&wish, &seen)), [switched(Role::Primary, true)]);
    // The primary fails over, uncounted, as ever.
    feed(&mut seen, &[Role::Primary]);
    dead(&mut seen, Role::Primary, 20);
    assert_eq!(act(decide(&wish, &seen)), [switched(Role::Backup, true), switched(Role::Primary, false)]);
    // And after the last attempt it is given up.
    feed(&mut seen, &[Role::Backup]);
    dead(&mut seen, Role::Backup, 300);
    seen.restart = Some(tries(wanted.restart.attempts, Phase::Running));
    assert_eq!(transcode::noted(&wish, &seen).phase, Phase::GaveUp);
    // Who has told which one to feed is believed.
    (seen.restart, seen.failover.requested) = (Some(tries(1, Phase::Running)), Some(Role::Backup));
    assert_eq!((transcode::noted(&wish, &seen).count, transcode::lead(&wish, &seen)), (2, None));
}

#[test]
fn a_channel_whose_backup_fails_too_goes_to_the_primary_for_the_next_attempt() {
    let turns = |seen: &Observed| {
        let lead = transcode::lead(&on_failure(), seen);
        transcode::noted(&on_failure(), seen).phase == Phase::BackingOff && lead.is_some_and(|l| l.to == Role::Primary)
    };
    let mut seen = on_backup();
    transcode::remember(&mut seen, 1, Phase::Running, 600);
    transcode::down(&mut seen, Role::Backup, 300);
    assert!(turns(&seen));
    // It is refused: once more, since the primary may have failed for another reason; then never again.
    transcode::down(&mut seen, Role::Backup, 25);
    transcode::alert(&mut seen, Some(Role::Backup), "401 Unauthorized");
    transcode::remember(&mut seen, 0, Phase::Running, 600);
    assert!(turns(&seen));
    transcode::remember(&mut seen, 1, Phase::Running, 600);
    assert_eq!(transcode::noted(&on_failure(), &seen).phase, Phase::GaveUp);
    // A single endpoint has no turn to give.
    let mut alone = transcode::on_air(&[]);
    transcode::down(&mut alone, Role::Primary, 300);
    assert_eq!(transcode::lead(&live(&[]), &alone), None);
}

/// With another key, on both paths: the failover was of the show that was given up.
#[test]
fn what_was_given_up_begins_anew_with_the_primary() {
    let gave_up = |keys: &str| {
        let cause = Some("it failed.".into());
        let key_versions = Some(keys.into());
        Some(RestartState { phase: Phase::GaveUp, count: 5, cause, key_versions, ..RestartState::first() })
    };
    let wish = dest(&[backup()]);
    let mut seen = destination_seen(&[backup()]);
    feed(&mut seen, &[]);
    (seen.failover.failed_over_to, seen.restart) = (Some(Role::Backup), gave_up("another"));
    assert_eq!(act(decide(&wish, &seen)), [switched(Role::Primary, true)]);
    assert_eq!(plan(&wish, false, &seen).memory.leads, Leads::Nobody, "and that is forgotten");
    let mut seen = transcode::idle(&[("/backup", backup_json("OnFailure"))]);
    (seen.failover.failed_over_to, seen.restart) = (Some(Role::Backup), gave_up("another"));
    assert_eq!(plan(&on_failure(), false, &seen).memory.leads, Leads::Nobody);
    let started =
        matches!(act(decide(&on_failure(), &seen)).as_slice(), [Action::Channel(ChannelAction::Start { .. })]);
    assert!(started, "what it has is the primary's");
    // With the same one it stays given up.
    let mut same = destination_seen(&[backup()]);
    feed(&mut same, &[]);
    let Desired::Present(wanted) = &wish else { panic!("a wish") };
    (same.failover.failed_over_to, same.restart) =
        (Some(Role::Backup), gave_up(wanted.key_versions.as_deref().unwrap_or_default()));
    assert_eq!(stuck(decide(&wish, &same)), Reason::GaveUp);
}

/// With the annotation that asks for it, too, or another spec.
#[test]
fn a_failover_is_remembered_until_what_was_given_up_is_asked_for_anew() {
    let status = json!({ "observedGeneration": 1,
        "retries": { "count": 5, "attempts": 5, "state": "GaveUp", "up": false },
        "failover": { "endpoint": "Backup", "why": "the primary did not take the stream" } });
    let mut object = destination_object(destination_spec(&[backup()]));
    object.metadata.generation = Some(1);
    object.status = Some(serde_json::from_value(status).expect("a status"));
    assert_eq!(memory::failed_over_to(&object), Some(Role::Backup));
    object.metadata.annotations = Some([("playout.dev/reconcile-at".to_string(), "1".to_string())].into());
    assert_eq!(memory::failed_over_to(&object), None);
}
