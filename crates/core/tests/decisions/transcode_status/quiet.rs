//! A pass in which nothing happened, secrets, and whole sentences.

use super::*;

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
    remember(&mut held, 2, Phase::BackingOff, 0);
    let mut gave_up = nothing();
    gave_up.restart.clone_from(&held.restart);
    gave_up.restart.as_mut().expect("tries").phase = Phase::GaveUp;
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
            let is_told = matches!(&plan.step, Step::Act(a) if a.iter().any(|a| a.effect().is_kept));
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
                            // {"Channel":{"Start":...}}
                            let name = json.split('"').skip(1).step_by(2).take(2).collect::<Vec<_>>().join(" ");
                            text += &json;
                            text += &action.effect().sentence;
                            kinds.insert(name, action.effect().reason);
                        }
                    }
                    assert!(!text.contains(CANARY), "{text}");
                }
            }
        }
    }
    for kind in [
        "Channel CreateInput",
        "Channel DeleteInput",
        "Channel Create",
        "Channel Update",
        "Channel Start",
        "Channel Stop",
        "Channel Delete",
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
        assert_eq!((action.effect().reason, action.effect().sentence.as_str()), (reason, sentence));
        assert!(!action.needs_intent());
    }
}

#[test]
fn what_is_decided_is_told_in_whole_sentences() {
    let told = |count, phase, cause: Option<&str>| {
        let cause = cause.map(str::to_string);
        let restart = Some(RestartState { phase, count, cause, ..RestartState::first() });
        let news = Memory { restart, is_anew: true, ..Memory::default() }.news();
        news.into_iter().map(|n| (n.reason, n.message.into_owned())).next()
    };
    let failed = Some("It failed.");
    let told_so = |reason, text: &str| Some((reason, text.to_string()));
    assert_eq!(told(0, Phase::Running, None), None, "the show may have been on the air for long");
    let waits = told_so(Reason::Restarting, "It failed. It is restarted after a pause (restart 1)");
    assert_eq!(told(1, Phase::BackingOff, failed), waits);
    assert_eq!(told(1, Phase::Running, failed), told_so(Reason::Restarting, "Going on the air again (restart 1)"));
    assert_eq!(told(5, Phase::GaveUp, failed), told_so(Reason::GaveUp, "It failed. It is not restarted again"));
    let leads = Leads::Decided(Lead { to: Role::Backup, why: "it failed.".into() });
    let news = Memory { leads, ..Memory::default() }.news();
    assert_eq!((news.len(), news[0].reason), (1, Reason::Switched));
    assert_eq!(news[0].message, "Switching to the backup endpoint: it failed.");
}
