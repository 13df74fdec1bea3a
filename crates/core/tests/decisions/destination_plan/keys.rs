//! Keys and passwords that are missing, and the copies of passwords.

use super::*;
use playout_core::resources::flow::OutputAction;

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
    let Action::Output(OutputAction::Add { output, .. }) = one(decide(&srt(&[]), &seen)) else { panic!("an output") };
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
