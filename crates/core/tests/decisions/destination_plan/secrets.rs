//! No secret is in what is planned and said.

use super::*;

#[test]
fn no_secret_stands_in_actions_steps_wishes_or_status() {
    let specs = [destination_spec(&with_backup("Hot")), destination_spec_of(srt_json(), &[])];
    for spec in specs {
        let full = destination_seen_of(&spec);
        let mut bare = empty(FlowState::Active);
        let mut copied = empty(FlowState::Active);
        copied.secrets.clone_from(&full.secrets);
        bare.failover.requested = Some(Role::Backup);
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
                    text += &actions.iter().map(|a| a.effect().sentence).collect::<String>();
                }
                assert!(!text.contains(crate::fixtures::CANARY), "{text}");
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
    assert!(!problem.message.contains(crate::fixtures::CANARY) && problem.message.contains("line break"));
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
