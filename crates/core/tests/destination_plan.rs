//! `plan(wish, facts) == step` for a Destination. Each test is a sentence: one valid fixture, one change.

mod fixtures;

use std::collections::BTreeMap;
use std::time::Duration;

use fixtures::{
    FLOW, at, backup_json, connected, deleted, dest, destination_object, destination_seen, destination_seen_of,
    destination_spec, destination_spec_of, destination_wanted, outcome_of, output, output_arn, present, programme,
    references, references_at, srt_json,
};
use playout_api::destination::{ActiveEndpoint, Destination, DestinationSpec, DestinationStatus, DestinationWord, Run};
use playout_core::conditions::{DELIVERING, OVER_LIMIT, READY, RECONCILING, STALLED};
use playout_core::endpoint::Role;
use playout_core::evidence::QUIET_FOR;
use playout_core::failure::{Failure, FailureClass, Problem};
use playout_core::identity::{Ownership, TAG_UID};
use playout_core::kinds::destination::Outcome;
use playout_core::kinds::destination::connection::MEASUREMENT_PATIENCE;
use playout_core::kinds::destination::observed::{Observed, Programme};
use playout_core::kinds::destination::plan::{Action, housekeeping, pending_changes, plan};
use playout_core::kinds::destination::status::status;
use playout_core::kinds::destination::wanted::{Wanted, retains, wants_to_run};
use playout_core::plan::{Action as _, Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::flow::{FlowState, OutputSettings, SecretCopy};
use playout_core::resources::secret_copy::CopyAction;
use playout_core::waiting::{StaysOff, Waiting};
use serde_json::{Value, json};

fn act(step: Step<Action>) -> Vec<Action> {
    match step {
        Step::Act(actions) => actions,
        other => panic!("expected actions, got {other:?}"),
    }
}

fn one(step: Step<Action>) -> Action {
    let mut actions = act(step);
    assert_eq!(actions.len(), 1, "{actions:?}");
    actions.remove(0)
}

fn stuck(step: Step<Action>) -> Problem {
    match step {
        Step::Stuck(problem) => problem,
        other => panic!("expected a problem, got {other:?}"),
    }
}

fn waits(step: Step<Action>) -> Waiting {
    match step {
        Step::Wait { on, .. } => on,
        other => panic!("expected to wait, got {other:?}"),
    }
}

fn decide(desired: &Desired<Wanted>, seen: &Observed) -> Step<Action> {
    plan(desired, false, seen).step
}

fn update(role: Role, settings: Option<OutputSettings>, enabled: Option<bool>) -> Action {
    Action::UpdateOutput { flow: FLOW.into(), arn: output_arn(role), role, settings: settings.map(Box::new), enabled }
}

fn remove(role: Role) -> Action {
    Action::RemoveOutput { flow: FLOW.into(), arn: output_arn(role), role }
}

fn settings(desired: &Desired<Wanted>, role: Role) -> OutputSettings {
    present(desired.clone()).outputs[&role].settings.clone().expect("its key is there")
}

fn set_flow(seen: &mut Observed, new: FlowState) {
    let Programme::Flow { state, .. } = &mut seen.flow else { panic!("a flow") };
    *state = new;
}

fn empty(state: FlowState) -> Observed {
    let outputs = BTreeMap::new();
    Observed { flow: programme(state, 2), outputs, secrets: Vec::new(), ..fixtures::destination_seen(&[]) }
}

const STOPPED: (&str, Value) = ("/state", Value::Null);

/// Not long enough for a restart, nor for a switch.
const BRIEFLY: Duration = Duration::from_secs(10);

fn restart() -> (&'static str, Value) {
    ("/updatePolicy", json!("Restart"))
}

fn other_url() -> (&'static str, Value) {
    ("/url", json!("rtmps://other.example.com:443/app"))
}

fn missing_key() -> (&'static str, Value) {
    ("/streamKey/secretRef/name", json!("nowhere"))
}

fn with_backup(mode: &str) -> Vec<(&'static str, Value)> {
    vec![("/backup", backup_json(mode))]
}

/// The Destination on the air with a backup of that mode, the primary taking the stream.
fn backed(mode: &str) -> Observed {
    destination_seen(&with_backup(mode))
}

fn primary_is_dead_for(seconds: u64) -> Observed {
    let mut seen = backed("OnFailure");
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    output(&mut seen, Role::Primary).unchanged_for = Duration::from_secs(seconds);
    seen
}

fn srt(changes: &[(&str, Value)]) -> Desired<Wanted> {
    destination_wanted(&destination_spec_of(srt_json(), changes), &references())
}

fn srt_seen() -> Observed {
    destination_seen_of(&destination_spec_of(srt_json(), &[]))
}

// --------------------------------------------------------------------------------------------- running and stopped

#[test]
fn an_output_on_the_air_that_the_receiver_takes_is_left_alone() {
    assert_eq!(decide(&dest(&[]), &destination_seen(&[])), Step::Settled);
}

#[test]
fn a_destination_without_state_is_stopped_and_nothing_is_made() {
    assert!(!present(dest(&[STOPPED])).running);
    assert_eq!(decide(&dest(&[STOPPED]), &empty(FlowState::Active)), Step::Settled);
    assert_eq!(decide(&dest(&[STOPPED]), &empty(FlowState::Standby)), Step::Settled);
}

#[test]
fn the_first_start_adds_the_output_enabled() {
    for state in [FlowState::Standby, FlowState::Active] {
        let Action::AddOutput { flow, output } = one(decide(&dest(&[]), &empty(state))) else { panic!("an output") };
        assert_eq!(flow, FLOW);
        assert!(output.enabled);
        assert_eq!(output.settings, settings(&dest(&[]), Role::Primary));
        assert_eq!(output.tags[TAG_UID], "uid-1");
    }
}

#[test]
fn start_and_stop_change_the_status_of_the_output_and_nothing_else() {
    let stopped = destination_seen(&[STOPPED]);
    assert_eq!(one(decide(&dest(&[]), &stopped)), update(Role::Primary, None, Some(true)));
    for wish in [STOPPED, ("/state", json!("Stopped"))] {
        let step = decide(&dest(&[wish]), &destination_seen(&[]));
        assert_eq!(one(step), update(Role::Primary, None, Some(false)));
    }
}

#[test]
fn a_stopped_output_stays_for_the_next_start() {
    assert_eq!(decide(&dest(&[STOPPED]), &destination_seen(&[STOPPED])), Step::Settled);
}

#[test]
fn prepare_makes_the_output_while_stopped_without_sending() {
    let wish = [STOPPED, ("/prepare", json!(true))];
    let Action::AddOutput { output, .. } = one(decide(&dest(&wish), &empty(FlowState::Active))) else { panic!("one") };
    assert!(!output.enabled);
    assert_eq!(decide(&dest(&wish), &destination_seen(&wish)), Step::Settled);
}

#[test]
fn a_suspended_destination_is_left_as_it_is_and_keeps_its_source_on() {
    let suspended = ("/suspend", json!(true));
    for changes in [vec![suspended.clone()], vec![suspended.clone(), STOPPED], vec![suspended.clone(), other_url()]] {
        assert_eq!(decide(&dest(&changes), &destination_seen(&[])), Step::Settled);
        assert_eq!(decide(&dest(&changes), &empty(FlowState::Active)), Step::Settled);
    }
    assert!(wants_to_run(&destination_spec(&[suspended])), "stopping the Source would take it off the air");
    assert!(!wants_to_run(&destination_spec(&[STOPPED])));
}

// ---------------------------------------------------------------------------------------------------------- edits

#[test]
fn an_edit_waits_while_on_the_air_and_is_listed_as_pending() {
    let edited = dest(&[other_url()]);
    let seen = destination_seen(&[]);
    assert_eq!(decide(&edited, &seen), Step::Settled);
    assert_eq!(pending_changes(&present(edited), &seen), ["url"]);
    let rekeyed = dest(&[("/streamKey/secretRef/key", json!("backup"))]);
    assert_eq!(decide(&rekeyed, &seen), Step::Settled);
    assert_eq!(pending_changes(&present(rekeyed), &seen), ["streamKey"]);
    assert!(pending_changes(&present(dest(&[])), &seen).is_empty());
}

#[test]
fn a_rotated_key_waits_like_an_edit() {
    let rotated = destination_wanted(&destination_spec(&[]), &references_at("v2"));
    assert_eq!(decide(&rotated, &destination_seen(&[])), Step::Settled);
    assert_eq!(pending_changes(&present(rotated), &destination_seen(&[])), ["streamKey"]);
}

#[test]
fn while_the_flow_takes_another_destinations_change_an_edit_still_waits_and_nothing_flickers() {
    let mut seen = destination_seen(&[]);
    set_flow(&mut seen, FlowState::Updating);
    assert_eq!(decide(&dest(&[]), &seen), Step::Settled, "a flow that takes a change still sends");
    assert_eq!(decide(&dest(&[other_url()]), &seen), Step::Settled);
    assert_eq!(pending_changes(&present(dest(&[other_url()])), &seen), ["url"]);
}

#[test]
fn with_restart_an_edit_is_made_in_place_at_once() {
    let edited = dest(&[other_url(), restart()]);
    let step = decide(&edited, &destination_seen(&[]));
    assert_eq!(one(step), update(Role::Primary, Some(settings(&edited, Role::Primary)), None));
}

#[test]
fn an_edit_is_made_while_stopped_or_while_the_flow_does_not_send() {
    let edited = dest(&[other_url(), STOPPED]);
    let expected = update(Role::Primary, Some(settings(&edited, Role::Primary)), None);
    assert_eq!(one(decide(&edited, &destination_seen(&[STOPPED]))), expected);
    let mut seen = destination_seen(&[]);
    set_flow(&mut seen, FlowState::Standby);
    assert_eq!(one(decide(&dest(&[other_url()]), &seen)), expected);
}

#[test]
fn an_edit_and_a_start_travel_in_one_update() {
    let edited = dest(&[other_url()]);
    let step = decide(&edited, &destination_seen(&[STOPPED]));
    assert_eq!(one(step), update(Role::Primary, Some(settings(&edited, Role::Primary)), Some(true)));
}

#[test]
fn a_stop_comes_alone_so_that_an_edit_that_aws_refuses_does_not_keep_it_on_the_air() {
    let step = decide(&dest(&[other_url(), STOPPED]), &destination_seen(&[]));
    assert_eq!(one(step), update(Role::Primary, None, Some(false)));
    let mut inherited = destination_seen(&[]);
    retag(&mut inherited, "uid-0");
    assert_eq!(one(decide(&dest(&[STOPPED]), &inherited)), update(Role::Primary, None, Some(false)));
}

#[test]
fn what_an_update_cannot_bring_about_is_made_by_replacement() {
    // From SRT with a password to SRT without: AWS keeps the encryption that an update leaves out.
    let plain = [("/encryption", Value::Null), restart()];
    assert_eq!(one(decide(&srt(&plain), &srt_seen())), remove(Role::Primary));
    let tls_off = [("/url", json!("rtmp://live.example.com:1935/app")), restart()];
    assert_eq!(one(decide(&dest(&tls_off), &destination_seen(&[]))), remove(Role::Primary));
    let other_protocol = srt(&[("/encryption", Value::Null), STOPPED]);
    assert_eq!(one(decide(&other_protocol, &destination_seen(&[STOPPED]))), remove(Role::Primary));
    let waits = srt(&[("/encryption", Value::Null)]);
    assert_eq!(decide(&waits, &srt_seen()), Step::Settled, "it is on the air");
}

#[test]
fn what_aws_chose_by_itself_is_no_edit() {
    let mut seen = srt_seen();
    output(&mut seen, Role::Primary).output.settings.min_latency = Some(2000);
    assert_eq!(decide(&srt(&[]), &seen), Step::Settled);
}

#[test]
fn while_the_flow_is_between_states_nothing_is_asked_of_it() {
    for (state, waiting) in [
        (FlowState::Starting, Waiting::FlowStarting),
        (FlowState::Stopping, Waiting::FlowStopping),
        (FlowState::Updating, Waiting::FlowUpdating),
        (FlowState::Deleting, Waiting::FlowDeleting),
    ] {
        let mut seen = destination_seen(&[]);
        set_flow(&mut seen, state);
        assert_eq!(waits(decide(&dest(&[STOPPED]), &seen)), waiting, "a stop");
        assert_eq!(waits(decide(&dest(&[]), &empty(state))), waiting, "an addition");
        set_flow(&mut seen, state);
        output(&mut seen, Role::Primary).output.enabled = false;
        assert_eq!(waits(decide(&dest(&[]), &seen)), waiting, "a start");
    }
}

// --------------------------------------------------------------------------------------------- keys and passwords

#[test]
fn a_missing_key_keeps_a_start_from_happening_and_names_the_secret() {
    for seen in [empty(FlowState::Active), destination_seen(&[STOPPED])] {
        let problem = stuck(decide(&dest(&[missing_key()]), &seen));
        assert_eq!(problem.reason, Reason::SecretMissing);
        assert!(problem.message.contains("spec.streamKey.secretRef") && problem.message.contains("nowhere"));
    }
    let parameter = [("/streamKey", json!({"ssmParameter": "/nowhere"}))];
    assert_eq!(stuck(decide(&dest(&parameter), &empty(FlowState::Active))).reason, Reason::ParameterMissing);
}

#[test]
fn a_missing_key_does_not_keep_it_from_being_stopped() {
    let step = decide(&dest(&[missing_key(), STOPPED]), &destination_seen(&[]));
    assert_eq!(one(step), update(Role::Primary, None, Some(false)));
    assert_eq!(decide(&dest(&[missing_key(), STOPPED]), &destination_seen(&[STOPPED])), Step::Settled);
}

#[test]
fn a_running_output_runs_on_when_its_key_goes_missing() {
    for changes in [vec![missing_key()], vec![missing_key(), restart()], vec![missing_key(), other_url(), restart()]] {
        let problem = stuck(decide(&dest(&changes), &destination_seen(&[])));
        assert_eq!(problem.reason, Reason::SecretMissing);
    }
}

#[test]
fn what_cannot_be_understood_can_still_be_stopped_and_is_then_told() {
    let broken = ("/url", json!("rtmp://10.0.0.1/live"));
    let running = dest(std::slice::from_ref(&broken));
    assert_eq!(stuck(decide(&running, &destination_seen(&[]))).reason, Reason::InvalidSpec, "it runs on");
    let stopped = dest(&[broken, STOPPED]);
    assert_eq!(one(decide(&stopped, &destination_seen(&[]))), update(Role::Primary, None, Some(false)));
    assert_eq!(stuck(decide(&stopped, &destination_seen(&[STOPPED]))).reason, Reason::InvalidSpec);
    assert_eq!(stuck(decide(&stopped, &empty(FlowState::Active))).reason, Reason::InvalidSpec);
}

#[test]
fn the_copy_of_a_password_is_made_before_the_output_that_reads_it() {
    let mut seen = empty(FlowState::Active);
    assert!(matches!(one(decide(&srt(&[]), &seen)), Action::Copy(CopyAction::Create { .. })));
    seen.secrets = srt_seen().secrets;
    let Action::AddOutput { output, .. } = one(decide(&srt(&[]), &seen)) else { panic!("an output") };
    assert_eq!(output.settings.encryption.and_then(|e| e.secret_arn), Some(seen.secrets[0].arn.clone()));
}

#[test]
fn a_copy_that_cannot_be_made_does_not_keep_it_from_being_stopped() {
    let mut seen = srt_seen();
    seen.secrets.clear();
    assert_eq!(one(decide(&srt(&[STOPPED]), &seen)), update(Role::Primary, None, Some(false)));
}

#[test]
fn a_stopped_destination_that_never_ran_keeps_no_copy_of_its_password() {
    assert_eq!(decide(&srt(&[STOPPED]), &empty(FlowState::Active)), Step::Settled);
}

#[test]
fn the_password_that_a_running_output_reads_is_kept_while_the_change_waits() {
    let plain = [("/encryption", Value::Null)];
    let seen = srt_seen();
    assert_eq!(seen.secrets.len(), 1);
    assert_eq!(decide(&srt(&plain), &seen), Step::Settled, "its loss would break the running output");
    let mut replaced = seen.clone();
    output(&mut replaced, Role::Primary).output.settings.encryption = None;
    let removal = Action::Copy(CopyAction::Delete { arn: seen.secrets[0].arn.clone() });
    assert_eq!(decide(&srt(&plain), &replaced), Step::Settled);
    assert_eq!(housekeeping(&present(srt(&plain)), &replaced), [removal]);
    assert_eq!(housekeeping(&present(srt(&plain)), &seen), []);
}

// --------------------------------------------------------------------------------------------------------- backup

#[test]
fn a_hot_backup_is_fed_along_with_the_primary() {
    let actions = act(decide(&dest(&with_backup("Hot")), &empty(FlowState::Active)));
    let roles: Vec<_> = actions
        .iter()
        .map(|a| match a {
            Action::AddOutput { output, .. } => (output.role, output.enabled),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(roles, [(Role::Primary, true), (Role::Backup, true)]);
    assert_eq!(decide(&dest(&with_backup("Hot")), &backed("Hot")), Step::Settled);
}

#[test]
fn a_backup_for_failures_stands_ready_without_being_fed() {
    let actions = act(decide(&dest(&with_backup("OnFailure")), &empty(FlowState::Active)));
    assert!(
        actions
            .iter()
            .all(|a| matches!(a, Action::AddOutput { output, .. } if output.enabled == (output.role == Role::Primary))),
        "{actions:?}"
    );
    assert_eq!(decide(&dest(&with_backup("OnFailure")), &backed("OnFailure")), Step::Settled);
}

#[test]
fn the_backup_is_fed_when_the_primary_has_been_dead_for_twenty_seconds_and_before_the_primary_is_cut() {
    let wish = dest(&with_backup("OnFailure"));
    assert!(matches!(waits(decide(&wish, &primary_is_dead_for(19))), Waiting::Connecting(_)));
    assert_eq!(
        act(decide(&wish, &primary_is_dead_for(20))),
        [update(Role::Backup, None, Some(true)), update(Role::Primary, None, Some(false))]
    );
}

#[test]
fn a_dead_primary_with_an_edit_is_cut_first_and_edited_after_it() {
    let mut wish = with_backup("OnFailure");
    wish.push(other_url());
    let wish = dest(&wish);
    assert_eq!(
        act(decide(&wish, &primary_is_dead_for(20))),
        [update(Role::Backup, None, Some(true)), update(Role::Primary, None, Some(false))],
        "settings that AWS refuses must not keep both on the air"
    );
    let mut over = primary_is_dead_for(20);
    output(&mut over, Role::Primary).output.enabled = false;
    output(&mut over, Role::Backup).output.enabled = true;
    assert_eq!(one(decide(&wish, &over)), update(Role::Primary, Some(settings(&wish, Role::Primary)), None));
}

#[test]
fn nothing_is_switched_without_evidence_of_a_failure() {
    let wish = dest(&with_backup("OnFailure"));
    for measured in [None, Some(connected(None)), Some(connected(Some(true)))] {
        let mut seen = primary_is_dead_for(300);
        output(&mut seen, Role::Primary).measured = measured.clone();
        assert_eq!(decide(&wish, &seen), Step::Settled, "{measured:?}");
    }
    let mut silent = primary_is_dead_for(300);
    let Programme::Flow { signal, .. } = &mut silent.flow else { panic!("a flow") };
    *signal = Some(false);
    assert!(matches!(waits(decide(&wish, &silent)), Waiting::NoSignal(_)), "there is nothing to send");
    let mut standby = primary_is_dead_for(300);
    set_flow(&mut standby, FlowState::Standby);
    assert_eq!(waits(decide(&wish, &standby)), Waiting::FlowStarting);
}

#[test]
fn in_the_middle_of_a_switch_it_goes_on_and_on_the_backup_it_stays() {
    let wish = dest(&with_backup("OnFailure"));
    let mut middle = primary_is_dead_for(30);
    output(&mut middle, Role::Backup).output.enabled = true;
    assert_eq!(one(decide(&wish, &middle)), update(Role::Primary, None, Some(false)));
    let mut over = middle;
    output(&mut over, Role::Primary).output.enabled = false;
    output(&mut over, Role::Primary).measured = None;
    output(&mut over, Role::Backup).unchanged_for = BRIEFLY;
    for backup in [Some(true), Some(false)] {
        output(&mut over, Role::Backup).measured = Some(connected(backup));
        let step = decide(&wish, &over);
        assert!(!matches!(step, Step::Act(_)), "no flapping: {step:?}");
    }
}

#[test]
fn a_backup_that_was_hot_does_not_take_the_lead_from_a_living_primary() {
    assert_eq!(one(decide(&dest(&with_backup("OnFailure")), &backed("Hot"))), update(Role::Backup, None, Some(false)));
}

#[test]
fn the_annotation_tells_which_endpoint_is_fed() {
    let wish = dest(&with_backup("OnFailure"));
    let mut seen = backed("OnFailure");
    seen.told = Some(Role::Backup);
    assert_eq!(
        act(decide(&wish, &seen)),
        [update(Role::Backup, None, Some(true)), update(Role::Primary, None, Some(false))]
    );
    let mut back = seen.clone();
    output(&mut back, Role::Primary).output.enabled = false;
    output(&mut back, Role::Backup).output.enabled = true;
    output(&mut back, Role::Backup).measured = Some(connected(Some(true)));
    assert_eq!(decide(&wish, &back), Step::Settled);
    back.told = Some(Role::Primary);
    assert_eq!(
        act(decide(&wish, &back)),
        [update(Role::Primary, None, Some(true)), update(Role::Backup, None, Some(false))]
    );
}

#[test]
fn the_annotation_means_nothing_without_a_backup_or_with_a_hot_one() {
    let mut single = destination_seen(&[]);
    single.told = Some(Role::Backup);
    assert_eq!(decide(&dest(&[]), &single), Step::Settled);
    let mut hot = backed("Hot");
    hot.told = Some(Role::Backup);
    assert_eq!(decide(&dest(&with_backup("Hot")), &hot), Step::Settled);
}

#[test]
fn a_stop_stops_both() {
    let mut wish = with_backup("Hot");
    wish.push(STOPPED);
    assert_eq!(
        act(decide(&dest(&wish), &backed("Hot"))),
        [update(Role::Primary, None, Some(false)), update(Role::Backup, None, Some(false))]
    );
}

#[test]
fn a_backup_that_is_taken_out_of_the_spec_is_removed_and_the_primary_fed_first() {
    assert_eq!(one(decide(&dest(&[]), &backed("Hot"))), remove(Role::Backup));
    let mut on_backup = backed("OnFailure");
    output(&mut on_backup, Role::Primary).output.enabled = false;
    output(&mut on_backup, Role::Backup).output.enabled = true;
    assert_eq!(act(decide(&dest(&[]), &on_backup)), [update(Role::Primary, None, Some(true)), remove(Role::Backup)]);
}

#[test]
fn a_backup_that_carries_the_show_goes_only_when_the_primary_is_there() {
    let mut seen = backed("Hot");
    seen.outputs.remove(&Role::Primary);
    let step = decide(&dest(&[]), &seen);
    assert!(matches!(one(step), Action::AddOutput { output, .. } if output.role == Role::Primary && output.enabled));
    seen.flow = programme(FlowState::Active, 50);
    assert_eq!(one(decide(&dest(&[]), &seen)), remove(Role::Backup), "on a full flow it has to make room");
}

#[test]
fn a_backup_that_comes_later_does_not_touch_the_running_primary() {
    let Action::AddOutput { output, .. } = one(decide(&dest(&with_backup("OnFailure")), &destination_seen(&[]))) else {
        panic!("the backup")
    };
    assert_eq!((output.role, output.enabled), (Role::Backup, false));
    let mut wish = with_backup("Hot");
    wish.push(("/backup/streamKey/secretRef/name", json!("nowhere")));
    assert_eq!(stuck(decide(&dest(&wish), &destination_seen(&[]))).reason, Reason::SecretMissing, "it runs on");
}

// ---------------------------------------------------------------------------------------- the flow and its Source

#[test]
fn quota_a_full_flow_is_told_with_the_numbers() {
    let mut seen = empty(FlowState::Active);
    seen.flow = programme(FlowState::Active, 50);
    let problem = stuck(decide(&dest(&[]), &seen));
    assert_eq!(problem.reason, Reason::QuotaExceeded);
    assert!(problem.message.contains("50 of 50") && problem.message.contains("1 more"), "{}", problem.message);
    seen.flow = programme(FlowState::Active, 49);
    assert!(matches!(one(decide(&dest(&[]), &seen)), Action::AddOutput { .. }));
    let problem = stuck(decide(&dest(&with_backup("Hot")), &seen));
    assert!(problem.message.contains("49 of 50") && problem.message.contains("2 more"), "{}", problem.message);
}

#[test]
fn quota_a_full_flow_does_not_touch_those_who_are_on_it() {
    let mut seen = destination_seen(&[]);
    seen.flow = programme(FlowState::Active, 50);
    assert_eq!(decide(&dest(&[]), &seen), Step::Settled);
    assert_eq!(one(decide(&dest(&[STOPPED]), &seen)), update(Role::Primary, None, Some(false)));
}

#[test]
fn another_region_than_the_sources_is_told() {
    let problem = stuck(decide(&dest(&[("/region", json!("eu-west-1"))]), &destination_seen(&[])));
    assert_eq!(problem.reason, Reason::RegionMismatch);
    assert!(problem.message.contains("us-west-2"), "{}", problem.message);
    assert_eq!(decide(&dest(&[("/region", json!("us-west-2"))]), &destination_seen(&[])), Step::Settled);
}

#[test]
fn without_a_source_or_its_flow_a_start_waits_and_a_stopped_one_does_not_care() {
    let mut seen = empty(FlowState::Active);
    for (flow, waiting) in [
        (Programme::NoSource, Waiting::SourceNotFound("studio".into())),
        (Programme::NoFlow { certain: true }, Waiting::SourceNotReady("studio".into())),
    ] {
        seen.flow = flow;
        assert_eq!(waits(decide(&dest(&[]), &seen)), waiting);
        assert_eq!(waits(decide(&dest(&[STOPPED, ("/prepare", json!(true))]), &seen)), waiting);
        assert_eq!(decide(&dest(&[STOPPED]), &seen), Step::Settled);
        assert_eq!(stuck(decide(&dest(&[missing_key()]), &seen)).reason, Reason::SecretMissing);
    }
}

#[test]
fn while_it_is_not_certain_that_the_flow_is_gone_none_is_said_to_be_stopped_or_deleted() {
    let seen = Observed { flow: Programme::NoFlow { certain: false }, ..empty(FlowState::Active) };
    assert_eq!(waits(decide(&dest(&[STOPPED]), &seen)), Waiting::CreateOutcome);
    assert_eq!(waits(decide(&dest(&[STOPPED, ("/prepare", json!(true))]), &seen)), Waiting::CreateOutcome);
    assert_eq!(waits(decide(&Desired::Absent, &seen)), Waiting::CreateOutcome);
    assert_eq!(waits(decide(&dest(&[]), &seen)), Waiting::SourceNotReady("studio".into()));
}

#[test]
fn a_source_that_is_told_to_stay_off_is_named() {
    let mut seen = destination_seen(&[]);
    set_flow(&mut seen, FlowState::Standby);
    assert_eq!(waits(decide(&dest(&[]), &seen)), Waiting::FlowStarting);
    for (why, told) in [
        (StaysOff::Told, "spec.state"),
        (StaysOff::Suspended, "is suspended"),
        (StaysOff::Deleted, "is being deleted"),
        (
            StaysOff::Stalled("Allow mediaconnect:StartFlow.".into()),
            "cannot start its flow: Allow mediaconnect:StartFlow.",
        ),
    ] {
        let Programme::Flow { stopped, .. } = &mut seen.flow else { panic!("a flow") };
        *stopped = Some(why);
        let Step::Wait { on, poll: None } = decide(&dest(&[]), &seen) else { panic!("for a watch") };
        assert!(on.message().contains("Source studio") && on.message().contains(told), "{}", on.message());
        assert_eq!(on.reason(), Reason::SourceStopped);
    }
}

#[test]
fn a_flow_in_error_is_told_and_a_stop_still_works() {
    let mut seen = destination_seen(&[]);
    set_flow(&mut seen, FlowState::Error);
    assert_eq!(stuck(decide(&dest(&[]), &seen)).reason, Reason::FlowError);
    assert_eq!(one(decide(&dest(&[STOPPED]), &seen)), update(Role::Primary, None, Some(false)));
}

#[test]
fn nothing_is_asked_of_a_flow_in_error_but_a_stop_and_a_removal() {
    let on_air = || {
        let mut seen = destination_seen(&[]);
        set_flow(&mut seen, FlowState::Error);
        seen
    };
    let mut off = on_air();
    output(&mut off, Role::Primary).output.enabled = false;
    // To be added, to be enabled, to be changed: AWS would refuse each, and say nothing of what is wrong.
    for (changes, seen) in [
        (vec![], empty(FlowState::Error)),
        (vec![], off.clone()),
        (vec![other_url(), restart()], on_air()),
        (vec![STOPPED, other_url()], off.clone()),
        (vec![STOPPED, ("/prepare", json!(true))], empty(FlowState::Error)),
    ] {
        let problem = stuck(decide(&dest(&changes), &seen));
        assert_eq!(problem.reason, Reason::FlowError, "{changes:?}: {}", problem.message);
    }
    assert_eq!(decide(&dest(&[STOPPED]), &off), Step::Settled);
    assert_eq!(one(decide(&Desired::Absent, &on_air())), remove(Role::Primary));
}

#[test]
fn what_a_flow_in_error_refuses_is_said_by_its_state() {
    let mut seen = destination_seen(&[]);
    set_flow(&mut seen, FlowState::Error);
    let refused = Failure {
        class: FailureClass::Invalid,
        operation: "mediaconnect:RemoveFlowOutput".into(),
        message: "BadRequestException: Flow f cannot be updated because it is currently ERROR.".into(),
    };
    for (desired, is_deleted) in [(dest(&[STOPPED]), false), (Desired::Absent, true)] {
        let mut object = destination_object(destination_spec(&[STOPPED]));
        if is_deleted {
            deleted(&mut object.metadata);
        }
        let plan = plan(&desired, false, &seen);
        let wanted = if let Desired::Present(wanted) = &desired { Some(wanted) } else { None };
        let outcome = outcome_of(wanted, Some(&seen), Some(&plan), 0);
        let told = status(&object, &Outcome { failure: Some(&refused), ..outcome });
        assert_eq!(condition(&told, READY), Some(("False", "FlowError")), "deleted: {is_deleted}");
        assert_eq!(condition(&told, RECONCILING), Some(("True", "FlowError")), "it goes on by itself");
        let message = &told.conditions[0].message;
        assert!(message.contains("Source studio") && message.contains("currently ERROR"), "{message}");
        assert!(!message.contains("Compare its words"), "{message}");
    }
}

#[test]
fn it_is_on_the_air_only_by_evidence() {
    // AWS documents a measurement of SRT outputs, and none of RTMP outputs.
    let wishes = [
        (dest(&[]), destination_seen(&[]), QUIET_FOR, "rtmps://live.example.com:443"),
        (srt(&[]), srt_seen(), MEASUREMENT_PATIENCE, "srt://live.example.com:9000"),
    ];
    for (wish, mut seen, patience, at) in wishes {
        output(&mut seen, Role::Primary).measured = Some(connected(None));
        output(&mut seen, Role::Primary).unchanged_for = patience - Duration::from_secs(1);
        assert_eq!(waits(decide(&wish, &seen)), Waiting::Connecting(at.into()));
        output(&mut seen, Role::Primary).unchanged_for = patience;
        assert_eq!(decide(&wish, &seen), Step::Settled, "AWS publishes nothing");
        output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
        output(&mut seen, Role::Primary).unchanged_for = BRIEFLY;
        assert!(matches!(waits(decide(&wish, &seen)), Waiting::Connecting(_)));
        output(&mut seen, Role::Primary).measured = None;
        assert_eq!(decide(&wish, &seen), Step::Settled, "measuring is off");
    }
}

#[test]
fn of_a_hot_backup_one_of_two_is_enough() {
    let mut seen = backed("Hot");
    output(&mut seen, Role::Backup).measured = Some(connected(Some(false)));
    assert_eq!(decide(&dest(&with_backup("Hot")), &seen), Step::Settled);
    output(&mut seen, Role::Backup).unchanged_for = BRIEFLY;
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    assert!(matches!(waits(decide(&dest(&with_backup("Hot")), &seen)), Waiting::Connecting(_)));
    // One that is not known yet may be the one that takes the stream.
    output(&mut seen, Role::Backup).unchanged_for = Duration::from_secs(60);
    output(&mut seen, Role::Primary).measured = Some(connected(None));
    output(&mut seen, Role::Primary).unchanged_for = Duration::from_secs(1);
    assert!(matches!(waits(decide(&dest(&with_backup("Hot")), &seen)), Waiting::Connecting(_)));
}

#[test]
fn rtp_is_sent_into_the_dark_and_counts_as_running() {
    let rtp = destination_spec_of(
        json!({"from": {"name": "studio"}, "url": "rtp://192.0.2.7:5000", "state": "Running"}),
        &[],
    );
    let mut seen = destination_seen_of(&rtp);
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    assert_eq!(decide(&destination_wanted(&rtp, &references()), &seen), Step::Settled);
}

// ---------------------------------------------------------------------------------------------------- ownership

#[test]
fn a_foreign_output_under_our_name_is_never_touched() {
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).ownership = Ownership::Foreign;
    output(&mut seen, Role::Primary).tags = Some(BTreeMap::new());
    for changes in [vec![], vec![STOPPED], vec![other_url(), restart()], with_backup("Hot")] {
        let problem = stuck(decide(&dest(&changes), &seen));
        assert_eq!(problem.reason, Reason::NotOurs);
        assert!(problem.message.contains("not touched"), "{}", problem.message);
    }
    assert_eq!(decide(&Desired::Absent, &seen), Step::Gone);
}

#[test]
fn of_two_outputs_that_are_not_ours_the_one_that_sends_is_named() {
    let mut seen = backed("OnFailure");
    for (role, enabled) in [(Role::Primary, false), (Role::Backup, true)] {
        let output = output(&mut seen, role);
        (output.ownership, output.output.enabled) = (Ownership::Foreign, enabled);
    }
    let problem = stuck(decide(&dest(&with_backup("OnFailure")), &seen));
    assert!(problem.message.contains(&output_arn(Role::Backup)), "{}", problem.message);
    assert!(problem.message.contains("It still sends"), "{}", problem.message);
}

#[test]
fn a_foreign_backup_does_not_keep_our_primary_from_being_stopped() {
    let mut seen = backed("Hot");
    output(&mut seen, Role::Backup).ownership = Ownership::Foreign;
    let mut wish = with_backup("Hot");
    wish.push(STOPPED);
    assert_eq!(one(decide(&dest(&wish), &seen)), update(Role::Primary, None, Some(false)));
}

#[test]
fn an_output_of_an_earlier_object_of_this_name_is_taken_up_and_runs_on() {
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).ownership = Ownership::Inherited;
    retag(&mut seen, "uid-0");
    let wanted = present(dest(&[]));
    assert_eq!(decide(&dest(&[]), &seen), Step::Settled);
    let renewed = Action::TagOutput { arn: output_arn(Role::Primary), tags: wanted.tags.clone() };
    assert_eq!(housekeeping(&wanted, &seen), [renewed]);
    // Not known is not different.
    output(&mut seen, Role::Primary).tags = None;
    assert_eq!(housekeeping(&wanted, &seen), []);
}

// ------------------------------------------------------------------------------------------------------- deletion

#[test]
fn deletion_removes_our_outputs_then_the_copies_and_then_lets_go() {
    assert_eq!(act(decide(&Desired::Absent, &backed("Hot"))), [remove(Role::Primary), remove(Role::Backup)]);
    let mut seen = srt_seen();
    assert_eq!(one(decide(&Desired::Absent, &seen)), remove(Role::Primary));
    seen.outputs.clear();
    let arn = seen.secrets[0].arn.clone();
    assert_eq!(one(decide(&Desired::Absent, &seen)), Action::Copy(CopyAction::Delete { arn }));
    seen.secrets.clear();
    assert_eq!(decide(&Desired::Absent, &seen), Step::Gone);
}

#[test]
fn deletion_does_not_need_a_source_a_flow_or_a_key() {
    for flow in [Programme::NoSource, Programme::NoFlow { certain: true }, programme(FlowState::Active, 3)] {
        let seen = Observed { flow, ..empty(FlowState::Active) };
        assert_eq!(decide(&Desired::Absent, &seen), Step::Gone);
    }
    let seen = Observed { flow: Programme::NoFlow { certain: false }, ..empty(FlowState::Active) };
    assert_eq!(waits(decide(&Desired::Absent, &seen)), Waiting::CreateOutcome, "its output may be on that flow");
}

#[test]
fn deletion_waits_for_a_flow_in_between_states() {
    for (state, waiting) in [
        (FlowState::Deleting, Waiting::FlowDeleting),
        (FlowState::Updating, Waiting::FlowUpdating),
        (FlowState::Starting, Waiting::FlowUpdating),
    ] {
        let mut seen = destination_seen(&[]);
        set_flow(&mut seen, state);
        assert_eq!(waits(decide(&Desired::Absent, &seen)), waiting);
    }
}

#[test]
fn retain_leaves_the_output_on_the_air() {
    assert!(retains(&destination_spec(&[("/deletionPolicy", json!("Retain"))])));
    assert_eq!(plan(&Desired::Absent, true, &destination_seen(&[])).step, Step::Gone);
}

// --------------------------------------------------------------------------------------------------------- status

struct Pass<'a> {
    object: Destination,
    desired: Desired<Wanted>,
    seen: Option<&'a Observed>,
    failure: Option<Failure>,
}

impl<'a> Pass<'a> {
    fn new(spec: DestinationSpec, seen: &'a Observed) -> Self {
        let desired = destination_wanted(&spec, &references());
        Self { object: destination_object(spec), desired, seen: Some(seen), failure: None }
    }

    fn of(changes: &[(&str, Value)], seen: &'a Observed) -> Self {
        Self::new(destination_spec(changes), seen)
    }

    fn after(mut self, status: &DestinationStatus) -> Self {
        self.object.status = Some(status.clone());
        self
    }

    fn status(&self, second: i64) -> DestinationStatus {
        let plan = self.seen.map(|seen| plan(&self.desired, false, seen));
        let wanted = match &self.desired {
            Desired::Present(wanted) => Some(wanted),
            _ => None,
        };
        let failure = self.failure.as_ref();
        let outcome = Outcome { failure, ..outcome_of(wanted, self.seen, plan.as_ref(), second) };
        status(&self.object, &outcome)
    }
}

fn condition<'a>(status: &'a DestinationStatus, type_: &str) -> Option<(&'a str, &'a str)> {
    status.conditions.iter().find(|c| c.type_ == type_).map(|c| (c.status.as_str(), c.reason.as_str()))
}

#[test]
fn status_of_a_destination_on_the_air() {
    let seen = destination_seen(&[]);
    let now = Pass::of(&[], &seen).status(0);
    assert_eq!(now.state, Some(DestinationWord::Running));
    assert_eq!(now.active_endpoint, Some(ActiveEndpoint::Primary));
    assert_eq!(condition(&now, READY), Some(("True", "Running")));
    assert_eq!(condition(&now, DELIVERING), Some(("True", "Connected")));
    assert_eq!(now.outputs[0].endpoint.as_deref(), Some("rtmps://live.example.com:443"));
    assert_eq!((now.started_at.is_some(), now.last_runs.len(), now.last_error), (true, 1, None));
}

#[test]
fn status_words_follow_the_life_of_a_destination() {
    use DestinationWord as W;
    let mut starting = destination_seen(&[]);
    set_flow(&mut starting, FlowState::Starting);
    let mut updating = destination_seen(&[]);
    set_flow(&mut updating, FlowState::Updating);
    let cases = [
        (vec![STOPPED], empty(FlowState::Active), W::Idle),
        (vec![STOPPED], destination_seen(&[STOPPED]), W::Idle),
        (vec![], empty(FlowState::Active), W::Creating),
        (vec![], destination_seen(&[STOPPED]), W::Starting),
        (vec![], starting, W::Starting),
        (vec![], destination_seen(&[]), W::Running),
        (vec![], updating, W::Running),
        (vec![STOPPED], destination_seen(&[]), W::Stopping),
        (vec![missing_key()], empty(FlowState::Active), W::Error),
        (vec![missing_key()], destination_seen(&[]), W::Running),
    ];
    for (changes, seen, word) in cases {
        assert_eq!(Pass::of(&changes, &seen).status(0).state, Some(word), "{changes:?}");
    }
    let seen = destination_seen(&[]);
    let mut pass = Pass::of(&[], &seen);
    deleted(&mut pass.object.metadata);
    pass.desired = Desired::Absent;
    assert_eq!(pass.status(0).state, Some(W::Deleting));
}

#[test]
fn status_a_receiver_that_refuses_is_an_error_of_this_destination_alone() {
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).measured = Some(connected(Some(false)));
    output(&mut seen, Role::Primary).unchanged_for = BRIEFLY;
    let now = Pass::of(&[], &seen).status(0);
    assert_eq!(now.state, Some(DestinationWord::Error));
    assert_eq!(condition(&now, READY), Some(("False", "NotConnected")));
    assert_eq!(condition(&now, DELIVERING), Some(("False", "NotConnected")));
    assert_eq!(condition(&now, STALLED), None, "it is tried on");
    let error = now.last_error.clone().expect("an error");
    assert!(error.message.contains("rtmps://live.example.com:443") && error.message.contains("check the key"));
    // Another Destination of the same flow sees nothing of it.
    assert_eq!(Pass::of(&[], &destination_seen(&[])).status(0).state, Some(DestinationWord::Running));
    // And it recovers by itself.
    let well = destination_seen(&[]);
    let later = Pass::of(&[], &well).after(&now).status(60);
    assert_eq!((later.state, later.last_error), (Some(DestinationWord::Running), None));
}

#[test]
fn status_a_spec_that_breaks_on_the_air_does_not_end_the_run() {
    let seen = destination_seen(&[]);
    let running = Pass::of(&[], &seen).status(0);
    let broken = Pass::of(&[("/url", json!("rtmp://10.0.0.1/live"))], &seen).after(&running).status(60);
    assert_eq!(broken.state, Some(DestinationWord::Running), "the platform still receives");
    assert_eq!(broken.last_runs, running.last_runs);
    assert_eq!(condition(&broken, STALLED), Some(("True", "InvalidSpec")));
}

#[test]
fn status_of_an_outage_says_why_the_other_endpoint_is_not_fed() {
    let mut seen = backed("OnFailure");
    let primary = output(&mut seen, Role::Primary);
    (primary.measured, primary.unchanged_for) = (Some(connected(Some(false))), Duration::from_secs(30));
    seen.outputs.remove(&Role::Backup);
    let mut changes = with_backup("OnFailure");
    changes.push(("/backup/streamKey/secretRef/name", json!("nowhere")));
    let desired = dest(&changes);
    let plan = plan(&desired, false, &seen);
    let object = destination_object(destination_spec(&changes));
    let told = status(&object, &outcome_of(Some(&present(desired)), Some(&seen), Some(&plan), 0));
    assert_eq!(condition(&told, READY), Some(("False", "NotConnected")));
    let message = &told.conditions[0].message;
    assert!(message.contains("does not take the stream"), "{message}");
    assert!(message.contains("backup") && message.contains("nowhere"), "{message}");
}

#[test]
fn status_pending_changes_are_told_while_it_is_ready() {
    let seen = destination_seen(&[]);
    let now = Pass::of(&[other_url()], &seen).status(0);
    assert_eq!(now.pending_changes, ["url"]);
    assert_eq!(condition(&now, READY), Some(("True", "PendingChanges")));
}

#[test]
fn status_tells_when_the_programme_exceeds_the_platform() {
    let twitch = [("/platform", json!("Twitch")), ("/url", Value::Null)];
    let mut seen = destination_seen(&twitch);
    let Programme::Flow { bitrate_kbps, .. } = &mut seen.flow else { panic!("a flow") };
    *bitrate_kbps = Some(9000);
    let now = Pass::of(&twitch, &seen).status(0);
    assert_eq!(condition(&now, OVER_LIMIT), Some(("True", "OverLimit")));
}

#[test]
fn status_remembers_ten_runs_and_why_they_ended() {
    let (on, off) = (destination_seen(&[]), destination_seen(&[STOPPED]));
    let mut now = Pass::of(&[STOPPED], &off).status(0);
    for run in 0..14 {
        now = Pass::of(&[], &on).after(&now).status(run * 100);
        now = Pass::of(&[], &on).after(&now).status(run * 100 + 10);
        now = Pass::of(&[STOPPED], &off).after(&now).status(run * 100 + 50);
    }
    assert_eq!(now.last_runs.len(), 10);
    let expected = Run {
        started: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(1300))),
        stopped: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(1350))),
        why: Some("stopped as wished".into()),
    };
    assert_eq!(now.last_runs[0], expected);
    assert_eq!(now.started_at, None);
}

#[test]
fn status_when_looking_fails_nothing_is_known_to_have_ended() {
    let seen = destination_seen(&[]);
    let running = Pass::of(&[], &seen).status(0);
    let mut pass = Pass::of(&[], &seen).after(&running);
    pass.seen = None;
    pass.failure = Some(Failure {
        class: FailureClass::Throttled,
        operation: "mediaconnect:DescribeFlow".into(),
        message: "Too many requests".into(),
    });
    let now = pass.status(60);
    assert_eq!((now.state, &now.last_runs, &now.outputs), (running.state, &running.last_runs, &running.outputs));
    assert_eq!(condition(&now, READY), Some(("Unknown", "Throttled")));
    assert_eq!(now.last_error, None, "to be told to wait is no error");
}

#[test]
fn status_a_pass_in_which_nothing_happened_changes_nothing() {
    let mut refused = destination_seen(&[]);
    output(&mut refused, Role::Primary).measured = Some(connected(Some(false)));
    output(&mut refused, Role::Primary).unchanged_for = BRIEFLY;
    let mut updating = destination_seen(&[]);
    set_flow(&mut updating, FlowState::Updating);
    let mut no_source = empty(FlowState::Active);
    no_source.flow = Programme::NoSource;
    let facts = [
        destination_seen(&[]),
        destination_seen(&[STOPPED]),
        backed("Hot"),
        primary_is_dead_for(25),
        refused,
        updating,
        no_source,
        empty(FlowState::Standby),
    ];
    let wishes = [
        vec![],
        vec![STOPPED],
        vec![other_url()],
        vec![missing_key()],
        vec![("/suspend", json!(true))],
        vec![("/url", json!("rtmp://10.0.0.1/live"))],
        with_backup("OnFailure"),
    ];
    for seen in &facts {
        for changes in &wishes {
            let first = Pass::of(changes, seen);
            // What is told has happened.
            if matches!(decide(&first.desired, seen), Step::Act(actions) if actions.iter().any(Action::is_told)) {
                continue;
            }
            let first = first.status(0);
            let second = Pass::of(changes, seen).after(&first).status(86_400);
            assert_eq!(first, second, "{changes:?} {seen:?}");
        }
    }
}

#[test]
fn no_secret_stands_in_actions_steps_wishes_or_status() {
    let specs = [destination_spec(&with_backup("Hot")), destination_spec_of(srt_json(), &[])];
    for spec in specs {
        let full = destination_seen_of(&spec);
        let mut bare = empty(FlowState::Active);
        let mut copied = empty(FlowState::Active);
        copied.secrets.clone_from(&full.secrets);
        bare.told = Some(Role::Backup);
        for seen in [full, bare, copied, destination_seen(&[])] {
            for references in [references(), references_at("v2")] {
                let desired = destination_wanted(&spec, &references);
                let step = decide(&desired, &seen);
                let pass = Pass { desired: desired.clone(), ..Pass::new(spec.clone(), &seen) };
                let told = pass.status(0);
                let mut text = format!("{desired:?} {seen:?} {step:?} {told:?} {references:?}");
                assert!(text.contains("(secret)"), "the fixture has a secret");
                text += &serde_json::to_string(&told).expect("JSON");
                if let Step::Act(actions) = &step {
                    text += &serde_json::to_string(actions).expect("JSON");
                    text += &actions.iter().map(Action::sentence).collect::<String>();
                }
                assert!(!text.contains(fixtures::CANARY), "{text}");
            }
        }
    }
}

#[test]
fn a_key_with_a_line_break_is_told_without_the_key() {
    let mut references = references();
    let found = references.secrets.get_mut(&("keys".to_string(), "primary".to_string())).expect("a key");
    found.text = playout_core::secret::SecretText::new("c4n4ry\n");
    let problem = stuck(decide(&destination_wanted(&destination_spec(&[]), &references), &empty(FlowState::Active)));
    assert_eq!(problem.reason, Reason::InvalidSpec);
    assert!(!problem.message.contains(fixtures::CANARY) && problem.message.contains("line break"));
}

#[test]
fn a_copy_of_another_object_is_not_in_what_is_seen_and_so_never_removed() {
    let mut seen = destination_seen(&[]);
    let stray = SecretCopy { arn: "arn:stray".into(), name: "playout/show/tube/old-x".into(), tags: BTreeMap::new() };
    seen.secrets.push(stray);
    let removal = Action::Copy(CopyAction::Delete { arn: "arn:stray".into() });
    assert_eq!(
        housekeeping(&present(dest(&[])), &seen),
        [removal],
        "what is seen bears our tags; the shell looks for nothing else"
    );
}

/// As an object with another UID has tagged it.
fn retag(seen: &mut Observed, uid: &str) {
    let tags = output(seen, Role::Primary).tags.get_or_insert_default();
    tags.insert(TAG_UID.into(), uid.into());
}
