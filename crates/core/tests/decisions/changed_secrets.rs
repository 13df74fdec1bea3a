//! Whether a key or a password has changed is asked of its value. A changed password is a new secret in Secrets Manager, which
//! whatever reads it is told of; the old one goes when nothing reads it.

use std::time::Duration;

use playout_api::destination::{DestinationStatus, RetryStatus, RetryWord};
use playout_core::endpoint::Role;
use playout_core::kinds::destination::observed::Programme;
use playout_core::kinds::destination::plan::{Action, housekeeping, pending_changes, plan};
use playout_core::kinds::destination::wanted::Wanted;
use playout_core::kinds::destination::{self, memory, status};
use playout_core::kinds::source;
use playout_core::plan::{Desired, Step};
use playout_core::reasons::Reason;
use playout_core::references::References;
use playout_core::resources::flow::{FlowAction, FlowState, OutputAction};
use playout_core::resources::secret_copy::CopyAction;
use playout_core::restart::{Phase, RestartState};
use serde_json::{Value, json};

use crate::fixtures::steps::{act, one};
use crate::fixtures::{
    ROLE, at, destination_object, destination_seen, destination_seen_of, destination_spec, destination_spec_of,
    destination_wanted, encrypted, identity, input, outcome_of, output, present, references, references_at,
    source_seen, source_spec, srt_json,
};

/// The same texts, when the operator cannot tell whether they have changed.
fn untold(mut references: References) -> References {
    references.secrets.values_mut().for_each(|found| found.fingerprint = None);
    references
}

fn srt(changes: &[(&str, Value)], references: &References) -> Desired<Wanted> {
    destination_wanted(&destination_spec_of(srt_json(), changes), references)
}

fn srt_seen() -> destination::observed::Observed {
    destination_seen_of(&destination_spec_of(srt_json(), &[]))
}

fn set_flow(seen: &mut destination::observed::Observed, to: FlowState) {
    if let Programme::Flow { state, .. } = &mut seen.flow {
        *state = to;
    }
}

fn decide(desired: &Desired<Wanted>, seen: &destination::observed::Observed) -> Step<Action> {
    plan(desired, false, seen).step
}

fn created(step: Step<Action>) -> playout_core::resources::flow::Password {
    match one(step) {
        Action::Copy(CopyAction::Create { password, .. }) => password,
        other => panic!("a copy is to be made, not {other:?}"),
    }
}

/// AWS makes the copy of a changed password.
fn with_new_copy(desired: &Desired<Wanted>, seen: &mut destination::observed::Observed) -> String {
    let password = created(decide(desired, seen));
    let copy = crate::fixtures::copy_of(&password, &present(desired.clone()).tags);
    seen.secrets.push(copy.clone());
    copy.arn
}

// ------------------------------------------------------------------------------------------------- a Destination

#[test]
fn an_output_is_told_the_arn_of_a_changed_password_and_then_the_old_copy_goes() {
    let restart = [("/updatePolicy", json!("Restart"))];
    let desired = srt(&restart, &references_at("v2"));
    let mut seen = srt_seen();
    let old = seen.secrets[0].arn.clone();
    let new = with_new_copy(&desired, &mut seen);
    assert_ne!(old, new, "AWS does not say that it reads a secret again");
    let Action::Output(OutputAction::Update { settings: Some(settings), .. }) = one(decide(&desired, &seen)) else {
        panic!("the output is told")
    };
    assert_eq!(settings.encryption.as_ref().and_then(|c| c.secret_arn.as_ref()), Some(&new));
    output(&mut seen, Role::Primary).output.settings = *settings;
    assert_eq!(decide(&desired, &seen), Step::Settled);
    let wanted = present(desired);
    assert_eq!(housekeeping(&wanted, &seen), [Action::Copy(CopyAction::Delete { arn: old })]);
    seen.secrets.remove(0);
    assert_eq!(housekeeping(&wanted, &seen), []);
}

#[test]
fn a_changed_password_waits_while_on_the_air_and_the_one_that_is_read_stays() {
    let desired = srt(&[], &references_at("v2"));
    let mut seen = srt_seen();
    let new = with_new_copy(&desired, &mut seen);
    assert_eq!(decide(&desired, &seen), Step::Settled, "neither copy goes");
    assert_eq!(pending_changes(&present(desired.clone()), &seen), ["encryption"]);
    set_flow(&mut seen, FlowState::Standby);
    let Action::Output(OutputAction::Update { settings: Some(settings), .. }) = one(decide(&desired, &seen)) else {
        panic!("the output is told")
    };
    assert_eq!(settings.encryption.and_then(|c| c.secret_arn), Some(new));
}

#[test]
fn the_old_copies_go_with_the_destination_whatever_they_are_of() {
    let desired = srt(&[], &references_at("v2"));
    let mut seen = srt_seen();
    with_new_copy(&desired, &mut seen);
    assert!(
        matches!(one(decide(&Desired::Absent, &seen)), Action::Output(OutputAction::Remove { .. })),
        "what reads them goes first"
    );
    seen.outputs.clear();
    assert_eq!(act(decide(&Desired::Absent, &seen)).len(), 2);
}

#[test]
fn a_password_that_cannot_be_told_from_another_has_not_changed() {
    let desired = srt(&[], &untold(references_at("v2")));
    let mut seen = srt_seen();
    assert_eq!(decide(&desired, &seen), Step::Settled);
    assert_eq!(pending_changes(&present(desired.clone()), &seen), [""; 0]);
    // In the middle of a change the one that is read stays, whatever the order in which AWS lists them.
    let new = with_new_copy(&srt(&[], &references_at("v2")), &mut seen);
    assert_eq!(decide(&desired, &seen), Step::Settled);
    seen.secrets.reverse();
    assert_eq!(decide(&desired, &seen), Step::Settled);
    output(&mut seen, Role::Primary).output.settings.encryption.as_mut().expect("a cipher").secret_arn = Some(new);
    assert_eq!(decide(&desired, &seen), Step::Settled);
    // Without a copy there has to be one.
    seen.secrets.clear();
    assert!(!created(decide(&desired, &seen)).is_told);
}

#[test]
fn while_a_key_is_missing_no_copy_goes() {
    let mut missing = references();
    missing.secrets.retain(|(name, _), _| name != "passwords");
    let mut seen = srt_seen();
    let step = decide(&srt(&[], &missing), &seen);
    assert!(matches!(&step, Step::Stalled(problem) if problem.reason == Reason::SecretMissing), "{step:?}");
    let stopped = [("/state", json!("Stopped"))];
    output(&mut seen, Role::Primary).output.enabled = false;
    output(&mut seen, Role::Primary).output.settings.encryption = None;
    assert_eq!(decide(&srt(&stopped, &missing), &seen), Step::Settled, "it is not known what is used");
}

// ------------------------------------------------------------------------------------------------------ a Source

fn with_password() -> Vec<(&'static str, Value)> {
    vec![("/inputs", json!([encrypted(input("main", "Primary", 5000)), encrypted(input("reserve", "Backup", 5001))]))]
}

fn source(references: &References) -> Desired<source::wanted::Wanted> {
    let spec = source_spec(&with_password());
    source::wanted::wanted(&spec, &identity("Source", "studio"), references, Some(ROLE), false)
}

#[test]
fn a_source_is_told_the_arn_of_a_changed_password_and_then_the_old_copy_goes() {
    let mut references = references();
    let changed = references_at("v2").secrets[&("passwords".into(), "main".into())].clone();
    references.secrets.insert(("passwords".into(), "main".into()), changed);
    let desired = source(&references);
    let mut seen = source_seen(&with_password());
    crate::fixtures::flow(&mut seen).state = FlowState::Active;
    seen.users.on_air = vec!["Destination/tube".into()];
    let old = seen.secrets[0].arn.clone();
    let decide = |seen: &_| match source::plan::plan(&desired, false, seen) {
        Step::Act(actions) if actions.len() == 1 => actions[0].clone(),
        other => panic!("one action, not {other:?}"),
    };
    let source::plan::Action::Copy(CopyAction::Create { password, .. }) = decide(&seen) else {
        panic!("one copy is made, of the password that has changed")
    };
    let copy = crate::fixtures::copy_of(&password, &seen.tags);
    seen.secrets.push(copy.clone());
    let source::plan::Action::Flow(FlowAction::UpdateSource { name, settings, .. }) = decide(&seen) else {
        panic!("the source is told")
    };
    assert_eq!(
        (name.as_str(), settings.decryption.as_ref().and_then(|c| c.secret_arn.clone())),
        ("main", Some(copy.arn))
    );
    crate::fixtures::flow(&mut seen).sources[0].settings = *settings;
    assert_eq!(source::plan::plan(&desired, false, &seen), Step::Settled);
    let tidied = source::plan::housekeeping(&present(desired.clone()), &seen);
    assert_eq!(tidied, [source::plan::Action::Copy(CopyAction::Delete { arn: old })]);
}

#[test]
fn passwords_of_a_source_that_cannot_be_told_from_others_have_not_changed() {
    let seen = source_seen(&with_password());
    assert_eq!(source::plan::plan(&source(&untold(references_at("v2"))), false, &seen), Step::Settled);
}

#[test]
fn a_copy_that_a_source_still_reads_is_not_removed() {
    let mut seen = source_seen(&with_password());
    // The input is to be without, and the flow does not take the change.
    let plain =
        source::wanted::wanted(&source_spec(&[]), &identity("Source", "studio"), &references(), Some(ROLE), false);
    crate::fixtures::flow(&mut seen).state = FlowState::Updating;
    let step = source::plan::plan(&plain, false, &seen);
    assert!(matches!(step, Step::Wait { .. }), "{step:?}");
    crate::fixtures::flow(&mut seen).state = FlowState::Standby;
    for _ in 0..2 {
        let step = source::plan::plan(&plain, false, &seen);
        assert!(!format!("{step:?}").contains("Delete"), "{step:?}");
    }
}

// ------------------------------------------------------------------------------------------------------- restarts

fn gave_up(keys: Option<&str>) -> RestartState {
    let cause = Some("It does not take the stream.".into());
    let key_versions = keys.map(str::to_string);
    RestartState { phase: Phase::GaveUp, count: 2, cause, since: Duration::from_secs(60), up: false, key_versions }
}

fn off_after(keys: Option<&str>) -> destination::observed::Observed {
    let mut seen = destination_seen(&[]);
    output(&mut seen, Role::Primary).output.enabled = false;
    seen.restart = Some(gave_up(keys));
    seen
}

#[test]
fn what_gave_up_begins_anew_with_another_key_and_not_while_none_is_known() {
    let spec = destination_spec(&[]);
    let before = present(destination_wanted(&spec, &references())).key_versions;
    assert!(before.is_some());
    let with =
        |references: &References, keys: Option<&str>| decide(&destination_wanted(&spec, references), &off_after(keys));
    let stays = |step: Step<Action>| matches!(&step, Step::Stalled(problem) if problem.reason == Reason::GaveUp);
    assert!(stays(with(&references(), before.as_deref())), "the same");
    assert!(stays(with(&untold(references()), before.as_deref())), "it is not known");
    assert!(stays(with(&references(), None)), "it was not known");
    assert!(!stays(with(&references_at("v2"), before.as_deref())), "another");
    let mut missing = references();
    missing.secrets.clear();
    assert!(stays(with(&missing, before.as_deref())), "one that is missing is not a new one");
}

#[test]
fn the_key_that_was_used_is_remembered_while_it_cannot_be_told() {
    let spec = destination_spec(&[]);
    let mut object = destination_object(spec.clone());
    let told = present(destination_wanted(&spec, &references())).key_versions;
    let remembered = |fingerprints: Option<String>| RetryStatus {
        count: 2,
        attempts: 5,
        state: RetryWord::GaveUp,
        since: None,
        up: false,
        cause: None,
        fingerprints,
    };
    let after = |object: &_, references: &References| {
        let wanted = present(destination_wanted(&spec, references));
        let mut seen = off_after(None);
        seen.restart = memory::restart(object, at(100));
        let plan = plan(&Desired::Present(wanted.clone()), false, &seen);
        let outcome = outcome_of(Some(&wanted), Some(&seen), Some(&plan), 100);
        status::status(object, &outcome).retries
    };
    for (before, references, afterwards) in [
        (told.clone(), untold(references()), told.clone()),
        // From here on it is known with what it gave up.
        (None, references(), told.clone()),
        (None, untold(references()), None),
    ] {
        object.status = Some(DestinationStatus {
            observed_generation: object.metadata.generation,
            retries: Some(remembered(before)),
            ..DestinationStatus::default()
        });
        let retries = after(&object, &references).expect("it is remembered");
        assert_eq!((retries.state, retries.count, retries.fingerprints), (RetryWord::GaveUp, 2, afterwards));
    }
    // Another key: the count begins anew.
    object.status.as_mut().expect("it").retries = Some(remembered(told));
    assert!(after(&object, &references_at("v2")).is_none_or(|r| r.count == 0));
}
