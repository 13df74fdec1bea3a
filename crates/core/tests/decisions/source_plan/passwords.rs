//! Copies of passwords in Secrets Manager come before what reads them and go after it.

use super::*;
use playout_core::resources::flow::FlowAction;

#[test]
fn the_copies_of_passwords_are_made_before_the_flow_that_reads_them() {
    let mut seen = source_seen(&with_password());
    seen.flow = Existence::Absent;
    seen.secrets.clear();
    let actions = act(decide(&wish(&with_password()), &seen));
    assert_eq!(actions.len(), 2);
    assert!(actions.iter().all(|a| matches!(a, Action::Copy(CopyAction::Create { .. }))), "{actions:?}");
}

#[test]
fn the_flow_is_given_the_arns_of_the_copies() {
    let mut seen = source_seen(&with_password());
    seen.flow = Existence::Absent;
    let Action::Flow(FlowAction::Create(new)) = one(decide(&wish(&with_password()), &seen)) else { panic!("a create") };
    for (source, copy) in new.sources.iter().zip(&seen.secrets) {
        assert_eq!(source.settings.decryption.as_ref().and_then(|d| d.secret_arn.as_ref()), Some(&copy.arn));
    }
}

#[test]
fn a_copy_that_nothing_reads_any_more_is_removed_beside_everything_else() {
    let mut seen = source_seen(&[]);
    let password = present(wish(&with_password())).inputs[0].password.clone().expect("a password");
    seen.secrets.push(copy_of(&password, &seen.tags));
    assert_eq!(decide(&wish(&[]), &seen), Step::Settled);
    let removal = Action::Copy(CopyAction::Delete { arn: seen.secrets[0].arn.clone() });
    assert_eq!(housekeeping(&present(wish(&[])), &seen), [removal]);
    flow(&mut seen).failover.primary = None;
    assert!(matches!(one(decide(&wish(&[]), &seen)), Action::Flow(FlowAction::SetFailover { .. })));
}

#[test]
fn the_password_of_an_emergency_input_that_waits_outside_is_kept() {
    let mut changes = three();
    changes[0].1 = encrypted(input("slate", "Emergency", 5002));
    let seen = source_seen(&changes);
    assert_eq!(seen.secrets.len(), 1);
    assert_eq!(decide(&wish(&changes), &seen), Step::Settled);
}

#[test]
fn a_missing_secret_or_role_is_named_with_the_remedy() {
    let encryption = json!({"passwordSecretRef": {"name": "nowhere", "key": "x"}});
    let problem = stuck(decide(&wish(&[("/inputs/0/srtListener/encryption", encryption)]), &source_seen(&[])));
    assert_eq!(problem.reason, Reason::SecretMissing);
    assert!(problem.message.contains("spec.inputs[main].encryption") && problem.message.contains("nowhere"));
    let spec = source_spec(&with_password());
    let no_role = wanted(&spec, &identity("Source", "studio"), &references_at("v1"), None, false);
    assert_eq!(stuck(decide(&no_role, &source_seen(&[]))).reason, Reason::RoleMissing);
}
