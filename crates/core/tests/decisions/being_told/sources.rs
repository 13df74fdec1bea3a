//! Failovers of a Source and addresses of its inputs.

use super::*;

/// As AWS measures: this one is selected.
fn selected(mut seen: source::observed::Observed, name: &str) -> source::observed::Observed {
    for (input, found) in &mut seen.inputs {
        found.measured.selected = Some(input == name);
    }
    seen
}

// ---------------------------------------------------------------------------------------------------- failover of a Source

#[test]
fn a_failover_of_a_source_is_told_once_recorded_and_in_ready_and_so_is_the_return() {
    let mut studio = Studio::new(&[]);
    let well = live(&[("main", GOOD), ("reserve", GOOD)]);
    assert_eq!(words(&studio.pass(&well, 0)), [(false, "Running")]);
    assert_eq!(studio.status("lastRuns")[0]["input"], "main");
    assert_eq!(studio.status("failover"), Value::Null);

    let lost = live(&[("main", DEAD), ("reserve", GOOD)]);
    let told = studio.pass(&lost, 60);
    assert_eq!(words(&told), [(true, "Switched")]);
    assert!(told[0].2.contains("reserve (Backup)") && told[0].2.contains("main receives nothing"), "{told:?}");
    let (status, reason, message) = ready(&studio.json());
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Switched"));
    assert!(message.contains("reserve (Backup)") && message.contains("main receives nothing"), "{message}");
    assert_eq!(studio.status("failover")["input"], "reserve");
    let runs = studio.status("lastRuns");
    assert_eq!((&runs[0]["input"], &runs[0]["stopped"]), (&json!("reserve"), &Value::Null));
    assert_eq!((&runs[1]["input"], &runs[1]["stopped"]), (&json!("main"), &json!(at(60).to_string())));
    assert!(runs[1]["reason"].as_str().is_some_and(|why| why.contains("receives nothing")), "{runs}");

    // Nothing is told, and nothing written, by a look that finds the same.
    let before = studio.json();
    assert_eq!(studio.pass(&lost, 90), []);
    assert_eq!(studio.json(), before);

    let told = studio.pass(&well, 120);
    assert_eq!(words(&told), [(false, "Switched")]);
    assert!(told[0].2.contains("main"), "{told:?}");
    assert_eq!(ready(&studio.json()).1, "Running");
    assert_eq!(studio.status("failover"), Value::Null);
    assert!(studio.status("lastRuns")[1]["reason"].as_str().is_some_and(|why| why.contains("main is back")));
}

#[test]
fn of_a_flow_that_names_no_leader_and_is_only_used_no_input_stands_in_for_another() {
    let mut studio = Studio::new(&[]);
    studio.object.spec.inputs.clear();
    let mut seen = live(&[("main", GOOD), ("reserve", GOOD)]);
    if let Existence::Present(flow) = &mut seen.flow {
        flow.failover.primary = None;
    }
    studio.pass(&seen, 0);
    assert_eq!((studio.status("failover"), &studio.status("lastRuns")[0]["input"]), (Value::Null, &json!("main")));
    let told = studio.pass(&selected(seen, "reserve"), 60);
    assert_eq!((words(&told), studio.status("failover")), (vec![(false, "Switched")], Value::Null), "{told:?}");
}

#[test]
fn nothing_and_everything_between_primary_and_backup_leaves_its_trace() {
    let mut studio = Studio::new(&[]);
    let (both, none) = (live(&[("main", GOOD), ("reserve", GOOD)]), live(&[("main", DEAD), ("reserve", DEAD)]));
    let backup = live(&[("main", DEAD), ("reserve", GOOD)]);
    let mut told = Vec::new();
    for (second, seen) in (0..).step_by(60).zip([&both, &backup, &none, &backup, &none, &both]) {
        told.extend(
            words(&studio.pass(seen, second)).into_iter().map(|(warning, reason)| (warning, reason.to_string())),
        );
    }
    let told: Vec<_> = told.iter().map(|(warning, reason)| (*warning, reason.as_str())).collect();
    assert_eq!(
        told,
        [
            (false, "Running"),
            (true, "Switched"),
            (true, "NoSignal"),
            (true, "Switched"),
            (true, "NoSignal"),
            (false, "Switched")
        ]
    );
    let runs = studio.status("lastRuns");
    let inputs: Vec<_> = runs.as_array().expect("a list").iter().rev().map(|run| run["input"].clone()).collect();
    assert_eq!(inputs, ["main", "reserve", "reserve", "main"]);
}

#[test]
fn what_is_not_known_is_no_failover() {
    let mut studio = Studio::new(&[]);
    // At the start one encoder is heard first, and of the other nothing is known yet.
    assert_eq!(words(&studio.pass(&live(&[("main", UNKNOWN), ("reserve", GOOD)]), 0)), [(false, "Running")]);
    assert_eq!(studio.status("lastRuns"), Value::Null);
    studio.pass(&live(&[("main", DEAD), ("reserve", GOOD)]), 10);
    let record = studio.status("lastRuns");
    assert_eq!(record[0]["input"], "reserve");
    // Then AWS says nothing for a while, a look fails, the operator comes back with what was stored: no transition.
    let unknown = live(&[("main", UNKNOWN), ("reserve", UNKNOWN)]);
    assert_eq!(words(&studio.pass(&unknown, 20)), []);
    assert_eq!((studio.status("activeInput"), studio.status("lastRuns")), (json!("reserve"), record.clone()));
    let failure = Failure {
        class: FailureClass::Transient,
        operation: "mediaconnect:DescribeFlow".into(),
        message: "no answer".into(),
    };
    assert_eq!(words(&studio.told(None, Some(&failure), 30)), [(true, "AwsUnavailable")]);
    studio.object = serde_json::from_value(studio.json()).expect("as it is stored");
    assert_eq!(words(&studio.pass(&live(&[("main", DEAD), ("reserve", GOOD)]), 40)), []);
    assert_eq!(studio.status("lastRuns"), record);
}

#[test]
fn what_aws_measures_as_selected_decides_who_carries_the_programme() {
    let mut studio = Studio::new(&[]);
    let both = live(&[("main", GOOD), ("reserve", GOOD)]);
    studio.pass(&selected(both.clone(), "main"), 0);
    let told = studio.pass(&selected(both.clone(), "reserve"), 60);
    assert_eq!(words(&told), [(true, "Switched")]);
    assert_eq!(studio.status("failover")["input"], "reserve");
    assert_eq!(words(&studio.pass(&selected(both, "main"), 120)), [(false, "Switched")]);
    // Selected, and silent: AWS is about to move on, or nothing is left. That is for the next look.
    let moving = selected(live(&[("main", DEAD), ("reserve", GOOD)]), "main");
    studio.pass(&moving, 180);
    assert_eq!(studio.status("lastRuns")[0]["input"], "main");
    assert_eq!(studio.status("lastRuns")[0]["stopped"], Value::Null);
}

/// What AWS measured before the operator's own change neither leads nor has moved on.
#[test]
fn right_after_another_leader_was_set_it_is_said_to_have_been_told_to_lead() {
    let mut studio = Studio::new(&[]);
    let mut seen = selected(live(&[("main", GOOD), ("reserve", GOOD)]), "main");
    studio.pass(&seen, 0);
    studio.object.spec = source_spec(&[("/activeInput", json!("reserve"))]);
    flow(&mut seen).failover.primary = Some("reserve".into());
    seen.inputs.values_mut().for_each(|input| input.led_anew = true);
    assert_eq!(words(&studio.pass(&seen, 60)), [] as [(bool, &str); 0]);
    assert_eq!(
        (studio.status("activeInput"), studio.status("lastRuns")[0]["input"].clone()),
        (json!("reserve"), json!("main"))
    );
    assert!(ready(&studio.json()).2.contains("Input reserve (Backup) was told to lead"), "{:?}", ready(&studio.json()));
    // One that is known to receive nothing does not lead because it was told to.
    let mut silent = seen.clone();
    health(&mut silent, &[("reserve", InputHealth::Failed)]);
    silent.inputs.values_mut().for_each(|input| input.led_anew = true);
    studio.pass(&silent, 61);
    assert_eq!(studio.status("activeInput"), "main");
    seen.inputs.values_mut().for_each(|input| input.led_anew = false);
    let told = studio.pass(&selected(seen, "reserve"), 63);
    assert_eq!(words(&told), [(false, "Switched")], "{told:?}");
    assert_eq!(studio.status("lastRuns")[0]["input"], "reserve");
}

#[test]
fn another_leader_by_wish_is_told_and_is_no_failover() {
    let mut studio = Studio::new(&[]);
    let seen = live(&[("main", GOOD), ("reserve", GOOD)]);
    studio.pass(&seen, 0);
    studio.object.spec = source_spec(&[("/activeInput", json!("reserve"))]);
    let mut told_to = seen.clone();
    flow(&mut told_to).failover.primary = Some("reserve".into());
    let told = studio.pass(&told_to, 60);
    assert_eq!(words(&told), [(false, "Switched")]);
    assert!(told[0].2.contains("reserve"), "{told:?}");
    assert_eq!((studio.status("failover"), ready(&studio.json()).1.as_str()), (Value::Null, "Running"));
    assert!(ready(&studio.json()).2.contains("reserve (Backup)"), "{:?}", ready(&studio.json()));
    assert_eq!(studio.status("lastRuns")[1]["input"], "main");
}

#[test]
fn the_emergency_input_is_told_when_it_takes_the_backups_place() {
    let three =
        json!([input("main", "Primary", 5000), input("reserve", "Backup", 5001), input("slate", "Emergency", 5002)]);
    let changes = [("/inputs", three)];
    let mut studio = Studio::new(&changes);
    let mut seen = source_seen(&changes);
    crate::fixtures::on_air(&mut seen);
    health(&mut seen, &[("main", GOOD), ("reserve", GOOD)]);
    studio.pass(&seen, 0);
    health(&mut seen, &[("main", DEAD), ("reserve", DEAD)]);
    studio.pass(&seen, 60);
    let mut swapped = seen.clone();
    let second = &mut flow(&mut swapped).sources[1];
    (second.name, second.arn) = ("slate".into(), crate::fixtures::source_arn("slate"));
    second.settings.ingest_port = Some(5002);
    swapped.inputs.remove("reserve");
    health(&mut swapped, &[("slate", GOOD)]);
    let told = studio.pass(&swapped, 120);
    assert_eq!(words(&told), [(true, "Switched")]);
    assert!(told[0].2.contains("slate (Emergency)"), "{told:?}");
    assert!(ready(&studio.json()).2.contains("slate (Emergency)"));
}

#[test]
fn the_record_is_bounded_and_ends_with_the_flow() {
    let mut studio = Studio::new(&[]);
    let (main, reserve) = (live(&[("main", GOOD), ("reserve", DEAD)]), live(&[("main", DEAD), ("reserve", GOOD)]));
    for second in (0..40).map(|n| n * 10) {
        studio.pass(if second % 20 == 0 { &main } else { &reserve }, second);
    }
    assert_eq!(studio.status("lastRuns").as_array().map(Vec::len), Some(10));
    let mut off = source_seen(&[]);
    flow(&mut off).state = FlowState::Standby;
    assert_eq!(words(&studio.pass(&off, 500)), [(false, "Stopped")]);
    let last = studio.status("lastRuns")[0].clone();
    assert_eq!((&last["stopped"], &last["reason"]), (&json!(at(500).to_string()), &json!("the flow was stopped")));
    assert_eq!(studio.status("failover"), Value::Null);
    // The next show begins with whoever leads, and that is no switch.
    assert_eq!(words(&studio.pass(&main, 600)), [(false, "Running")]);
}

// ------------------------------------------------------------------------------------------------- a new ingest address

/// The same, made anew: AWS gives it other addresses and ARNs.
fn anew(mut seen: source::observed::Observed, ip: &str) -> source::observed::Observed {
    flow(&mut seen).arn = format!("{}-anew", crate::fixtures::FLOW);
    for source in &mut flow(&mut seen).sources {
        source.ingest_ip = Some(ip.into());
        source.arn = format!("{}-anew", source.arn);
    }
    seen
}

fn without_flow() -> source::observed::Observed {
    source::observed::Observed { flow: Existence::Absent, inputs: Default::default(), ..live(&[]) }
}

#[test]
fn a_new_ingest_address_is_told_for_each_input_until_the_encoder_has_arrived() {
    let mut studio = Studio::new(&[]);
    let well = live(&[("main", GOOD), ("reserve", GOOD)]);
    assert_eq!(words(&studio.pass(&well, 0)), [(false, "Running")], "nothing is new about the first address");
    // Somebody removes the flow in the console.
    studio.pass(&without_flow(), 60);
    let silent = anew(live(&[("main", UNKNOWN), ("reserve", UNKNOWN)]), "203.0.113.99");
    let told = studio.pass(&silent, 61);
    let new: Vec<_> = told.iter().filter(|(_, reason, _)| *reason == "NewAddress").collect();
    assert_eq!(new.len(), 2, "one for each input: {told:?}");
    for (told, (name, port)) in new.iter().zip([("main", 5000), ("reserve", 5001)]) {
        assert!(told.0, "a Warning");
        for part in [name.to_string(), format!("srt://203.0.113.99:{port}"), format!("srt://198.51.100.7:{port}")] {
            assert!(told.2.contains(&part), "{part}: {told:?}");
        }
    }
    let (status, reason, message) = ready(&studio.json());
    assert_eq!((status.as_str(), reason.as_str()), ("True", "NewAddress"));
    assert!(message.contains("main") && message.contains("srt://203.0.113.99:5000"), "{message}");
    assert_eq!(studio.status("inputs")[0]["former"]["url"], "srt://198.51.100.7:5000?mode=caller");
    // Told once, however long it lasts, also after a restart of the operator.
    studio.object = serde_json::from_value(studio.json()).expect("as it is stored");
    assert_eq!(words(&studio.pass(&silent, 600)), []);
    // One encoder has found it, and the other one has not.
    let mut half = anew(live(&[("main", GOOD), ("reserve", DEAD)]), "203.0.113.99");
    studio.pass(&half, 700);
    assert_eq!(studio.status("inputs")[0]["former"], Value::Null);
    let (_, reason, message) = ready(&studio.json());
    assert!(reason == "NewAddress" && message.contains("reserve") && !message.contains("input main must"), "{message}");
    // For one that never comes it is said for a week.
    assert_eq!(words(&studio.pass(&half, 61 + 7 * 86_400)), [(false, "Running")]);
    assert_eq!(
        (studio.status("inputs")[1]["former"].clone(), ready(&studio.json()).1.as_str()),
        (Value::Null, "Running")
    );
    // What AWS does not show for a moment is not another address.
    for source in &mut flow(&mut half).sources {
        source.ingest_ip = None;
    }
    studio.pass(&half, 61 + 7 * 86_401);
    let back = anew(live(&[("main", GOOD), ("reserve", DEAD)]), "203.0.113.99");
    assert_eq!(words(&studio.pass(&back, 61 + 7 * 86_402)), []);
}

#[test]
fn a_new_port_is_a_new_address_and_what_was_measured_at_the_old_one_is_no_arrival() {
    let mut studio = Studio::new(&[]);
    let well = live(&[("main", GOOD), ("reserve", GOOD)]);
    studio.pass(&well, 0);
    let mut moved = well.clone();
    flow(&mut moved).sources[0].settings.ingest_port = Some(5100);
    studio.object.spec = source_spec(&[("/inputs/0/srtListener/port", json!(5100))]);
    let told = studio.pass(&moved, 60);
    assert!(words(&told).contains(&(true, "NewAddress")), "{told:?}");
    assert_eq!(told.iter().filter(|(_, reason, _)| *reason == "NewAddress").count(), 1);
    // Its measurements count from now: those of the old port are older.
    let main = studio.status("inputs")[0].clone();
    assert_eq!((&main["health"], &main["since"]), (&json!("Unknown"), &json!(at(60).to_string())));
    assert_eq!(playout_core::evidence::began(studio.object.status.as_ref(), "main"), Some(at(60)));
}

/// Two ports are exchanged by way of a third, which an encoder would look for in vain a moment later.
#[test]
fn an_address_of_a_moment_is_not_told() {
    let mut studio = Studio::new(&[]);
    let well = live(&[("main", GOOD), ("reserve", GOOD)]);
    studio.pass(&well, 0);
    let ports = |seen: &mut source::observed::Observed, main, reserve| {
        flow(seen).sources[0].settings.ingest_port = Some(main);
        flow(seen).sources[1].settings.ingest_port = Some(reserve);
    };
    let (main, reserve) = (5000, 5001);
    studio.object.spec =
        source_spec(&[("/inputs/0/srtListener/port", json!(reserve)), ("/inputs/1/srtListener/port", json!(main))]);
    let mut told = Vec::new();
    for (second, ports_now, state) in [
        (60, (10_010, reserve), FlowState::Active),
        (61, (10_010, reserve), FlowState::Updating),
        (62, (10_010, main), FlowState::Active),
        (63, (reserve, main), FlowState::Active),
    ] {
        let mut seen = well.clone();
        ports(&mut seen, ports_now.0, ports_now.1);
        flow(&mut seen).state = state;
        told.extend(studio.pass(&seen, second));
    }
    let new: Vec<_> = told.iter().filter(|(_, reason, _)| *reason == "NewAddress").collect();
    assert_eq!(new.len(), 2, "{told:?}");
    for (name, port) in [("main", reserve), ("reserve", main)] {
        let to = format!("The encoder of input {name} must send to srt://198.51.100.7:{port}");
        assert!(new.iter().any(|(_, _, sentence)| sentence.starts_with(&to)), "{new:?}");
    }
    assert_eq!(studio.status("inputs")[0]["endpoint"]["port"], reserve);
}

/// The encoder of the show sends to the address that there is, whatever the spec calls its input by now.
#[test]
fn an_input_that_leads_and_is_no_longer_listed_is_the_first_to_be_shown() {
    let mut studio = Studio::new(&[]);
    let well = live(&[("main", GOOD), ("reserve", UNKNOWN)]);
    studio.pass(&well, 0);
    studio.object.spec = source_spec(&[("/inputs/0/name", json!("camera"))]);
    studio.pass(&well, 60);
    let first = studio.status("inputs")[0].clone();
    assert_eq!((&first["name"], &first["endpoint"]["port"]), (&json!("main"), &json!(5000)), "{}", studio.json());
}

#[test]
fn an_encoder_that_is_called_needs_no_new_address() {
    let caller = |address: &str| {
        json!([{ "name": "main", "priority": "Primary", "protocol": "SrtCaller",
            "srtCaller": { "address": address, "port": 9000 } }])
    };
    let mut studio = Studio::new(&[("/inputs", caller("192.0.2.1"))]);
    let mut seen = source_seen(&[("/inputs", caller("192.0.2.1"))]);
    studio.pass(&seen, 0);
    seen = source_seen(&[("/inputs", caller("192.0.2.2"))]);
    studio.object.spec = source_spec(&[("/inputs", caller("192.0.2.2"))]);
    assert!(!words(&studio.pass(&seen, 10)).iter().any(|(_, reason)| *reason == "NewAddress"));
}
