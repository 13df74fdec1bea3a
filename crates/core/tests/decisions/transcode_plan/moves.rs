//! From one `delivery` to the other without a gap.

use super::*;
use playout_core::resources::channel::ChannelAction;
use playout_core::resources::flow::OutputAction;

// ---------------------------------------------------------------------------------------------------------- moves

#[test]
fn a_move_makes_the_new_path_first_and_removes_the_old_one_when_the_new_one_is_seen_to_work() {
    let wish = live(&[]);
    assert!(matches!(one(decide(&wish, &passing())), Action::Channel(ChannelAction::CreateInput(_))));
    let mut both = Observed { outputs: passing().outputs, ..on_air(&[]) };
    assert!(matches!(one(decide(&wish, &both)), Action::Output(OutputAction::Remove { role: Role::Primary, .. })));
    channel(&mut both).endpoints.get_mut(&Role::Primary.into()).expect("an endpoint").measured = Some(connected(None));
    channel(&mut both).endpoints.get_mut(&Role::Primary.into()).expect("an endpoint").unchanged_for = Duration::ZERO;
    assert!(matches!(waits(decide(&wish, &both)), Waiting::Connecting(_)), "not seen to work yet");
    // One that fails keeps the old one.
    down(&mut both, Role::Primary, 30);
    assert_eq!(noted(&wish, &both).count, 1);
    let gave_up = Observed { restart: Some(tries(5, Phase::GaveUp, false, &present(live(&[])))), ..passing() };
    assert_eq!(stuck(decide(&wish, &gave_up)).reason, Reason::GaveUp);
    assert_eq!(stuck(decide(&live(&[missing_key()]), &passing())).reason, Reason::SecretMissing);
}

#[test]
fn a_move_back_adds_the_output_first_and_removes_channel_and_input_after_it() {
    let wish = dest(&[]);
    assert!(matches!(one(decide(&wish, &on_air(&[]))), Action::Output(OutputAction::Add { .. })));
    let both = Observed { outputs: passing().outputs, ..on_air(&[]) };
    assert_eq!(one(decide(&wish, &both)), stop());
    let idle = Observed { outputs: passing().outputs, ..idle(&[]) };
    assert_eq!(one(decide(&wish, &idle)), delete());
    let input = Observed { outputs: passing().outputs, ..with_input(InputState::Detached) };
    assert_eq!(one(decide(&wish, &input)), Action::Channel(ChannelAction::DeleteInput { id: INPUT.into() }));
    let mut unproven = both;
    let output = unproven.outputs.get_mut(&Role::Primary).expect("an output");
    output.measured = Some(connected(None));
    output.unchanged_for = Duration::ZERO;
    assert!(matches!(waits(decide(&wish, &unproven)), Waiting::Connecting(_)));
}

#[test]
fn a_move_waits_for_another_destination_only_before_it_has_begun_and_only_with_an_old_path() {
    let first = Some("other".to_string());
    let wait = waits(decide(&live(&[]), &Observed { migration_ahead: first.clone(), ..passing() }));
    assert_eq!(wait, Waiting::MovesFirst("other".into()));
    assert_eq!(wait.reason(), Reason::Moving);
    let begun =
        Observed { outputs: passing().outputs, migration_ahead: first.clone(), ..with_input(InputState::Detached) };
    assert!(matches!(one(decide(&live(&[]), &begun)), Action::Channel(ChannelAction::Create(_))));
    let undecided = Observed { input: Existence::Unknown, migration_ahead: first.clone(), ..passing() };
    assert!(matches!(one(decide(&live(&[]), &undecided)), Action::Channel(ChannelAction::CreateInput(_))));
    assert!(matches!(
        one(decide(&live(&[]), &Observed { migration_ahead: first.clone(), ..nothing() })),
        Action::Channel(ChannelAction::CreateInput(_))
    ));
    assert_eq!(
        waits(decide(&dest(&[]), &Observed { migration_ahead: first, ..on_air(&[]) })),
        Waiting::MovesFirst("other".into())
    );
}

#[test]
fn a_stop_and_a_deletion_in_the_middle_of_a_move_take_both_paths() {
    let both = Observed { outputs: passing().outputs, ..on_air(&[]) };
    for wish in [live(&[STOPPED]), dest(&[STOPPED])] {
        let actions = act(decide(&wish, &both));
        assert!(actions.contains(&stop()), "{actions:?}");
        assert!(
            actions.iter().any(|a| matches!(a, Action::Output(OutputAction::Update { enabled: Some(false), .. }))),
            "{actions:?}"
        );
    }
    let actions = act(decide(&Desired::Absent, &both));
    assert!(
        actions.contains(&stop()) && actions.iter().any(|a| matches!(a, Action::Output(OutputAction::Remove { .. })))
    );
    // A flow that takes no changes does not keep the channel on the air.
    let mut busy = both;
    set_flow(&mut busy, FlowState::Updating);
    assert_eq!(act(decide(&live(&[STOPPED]), &busy)), [stop()]);
    assert_eq!(act(decide(&Desired::Absent, &busy)), [stop()]);
}

#[test]
fn an_output_under_our_name_without_our_tags_is_not_touched_by_a_move() {
    let mut seen = Observed { outputs: passing().outputs, ..on_air(&[]) };
    seen.outputs.get_mut(&Role::Primary).expect("an output").ownership = Ownership::Foreign;
    assert_eq!(decide(&live(&[]), &seen), Step::Settled);
}

#[test]
fn after_the_pause_a_passed_through_backup_goes_on_where_it_was() {
    let wish = dest(&[backup("OnFailure")]);
    let mut seen = destination_seen(&[backup("OnFailure")]);
    for output in seen.outputs.values_mut() {
        output.output.enabled = false;
    }
    let fed = |seen: &Observed| match one(decide(&wish, seen)) {
        Action::Output(OutputAction::Update { role, enabled: Some(true), .. }) => role,
        other => panic!("an output that begins, not {other:?}"),
    };
    assert_eq!(fed(&seen), Role::Primary, "each show begins with the primary");
    seen.failover.failed_over_to = Some(Role::Backup);
    assert_eq!(fed(&seen), Role::Backup);
    seen.failover.requested = Some(Role::Primary);
    assert_eq!(fed(&seen), Role::Primary);
}
