//! What changes on the air is told: one Event a transition, the message of Ready, a record that stays. What AWS does not say is no
//! transition. Each test is a sentence.

mod fixtures;

use std::time::Duration;

use fixtures::transcode::{self, alert};
use fixtures::{
    at, backup_json, destination_object, destination_seen, destination_spec, destination_wanted, flow, health,
    outcome_of,
};
use fixtures::{input, output, references, source_object, source_seen, source_spec, source_wanted};
use playout_api::source::HealthWord;
use playout_api::{Destination, DestinationSpec, Source};
use playout_core::endpoint::Role;
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass};
use playout_core::kinds::destination::memory;
use playout_core::kinds::destination::observed::{Observed, Programme};
use playout_core::kinds::{destination, source};
use playout_core::plan::Desired;
use playout_core::resources::flow::FlowState;
use playout_core::told::News;
use serde_json::{Value, json};

/// Whether it is a warning, the reason and the sentence.
type Event = (bool, &'static str, String);

fn events(news: Vec<News<'_>>) -> Vec<Event> {
    news.into_iter().map(|n| (n.warning, n.reason.as_str(), n.message.into_owned())).collect()
}

fn words(events: &[Event]) -> Vec<(bool, &str)> {
    events.iter().map(|(warning, reason, _)| (*warning, *reason)).collect()
}

fn ready(object: &Value) -> (String, String, String) {
    let list = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let ready = list.into_iter().find(|c| c["type"] == "Ready").unwrap_or_default();
    let text = |key: &str| ready[key].as_str().unwrap_or_default().to_string();
    (text("status"), text("reason"), text("message"))
}

/// A Source over several passes.
struct Studio {
    object: Source,
}

impl Studio {
    fn new(changes: &[(&str, Value)]) -> Self {
        Self { object: source_object(source_spec(changes)) }
    }

    fn told(
        &mut self,
        seen: Option<&source::observed::Observed>,
        failure: Option<&Failure>,
        second: i64,
    ) -> Vec<Event> {
        let desired = source_wanted(&self.object.spec);
        let step = seen.map(|seen| source::plan::plan(&desired, false, seen));
        let wanted = if let Desired::Present(wanted) = &desired { Some(wanted) } else { None };
        let outcome = source::Outcome { wanted, seen, step: step.as_ref(), failure, ..source::Outcome::at(at(second)) };
        let before = self.object.clone();
        self.object.status = Some(source::status::status(&self.object, &outcome, fixtures::REGION));
        events(source::told::news(&before, &self.object))
    }

    fn pass(&mut self, seen: &source::observed::Observed, second: i64) -> Vec<Event> {
        self.told(Some(seen), None, second)
    }

    fn json(&self) -> Value {
        serde_json::to_value(&self.object).expect("JSON")
    }

    fn status(&self, key: &str) -> Value {
        self.json()["status"][key].clone()
    }
}

const GOOD: HealthWord = HealthWord::Healthy;
const DEAD: HealthWord = HealthWord::Failed;
const UNKNOWN: HealthWord = HealthWord::Unknown;

/// On the air, and so the inputs are.
fn live(words: &[(&str, HealthWord)]) -> source::observed::Observed {
    let mut seen = source_seen(&[]);
    fixtures::on_air(&mut seen);
    health(&mut seen, words);
    for (name, word) in words.iter().filter(|(_, word)| *word == UNKNOWN) {
        seen.inputs.get_mut(*name).expect("it").measured = Default::default();
        assert_eq!(*word, UNKNOWN);
    }
    seen
}

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
    assert!(runs[1]["why"].as_str().is_some_and(|why| why.contains("receives nothing")), "{runs}");

    // Nothing is told, and nothing written, by a look that finds the same.
    let before = studio.json();
    assert_eq!(studio.pass(&lost, 90), []);
    assert_eq!(studio.json(), before);

    let told = studio.pass(&well, 120);
    assert_eq!(words(&told), [(false, "Switched")]);
    assert!(told[0].2.contains("main"), "{told:?}");
    assert_eq!(ready(&studio.json()).1, "Running");
    assert_eq!(studio.status("failover"), Value::Null);
    assert!(studio.status("lastRuns")[1]["why"].as_str().is_some_and(|why| why.contains("main is back")));
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
    health(&mut silent, &[("reserve", HealthWord::Failed)]);
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
    fixtures::on_air(&mut seen);
    health(&mut seen, &[("main", GOOD), ("reserve", GOOD)]);
    studio.pass(&seen, 0);
    health(&mut seen, &[("main", DEAD), ("reserve", DEAD)]);
    studio.pass(&seen, 60);
    let mut swapped = seen.clone();
    let second = &mut flow(&mut swapped).sources[1];
    (second.name, second.arn) = ("slate".into(), fixtures::source_arn("slate"));
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
    assert_eq!((&last["stopped"], &last["why"]), (&json!(at(500).to_string()), &json!("the flow was stopped")));
    assert_eq!(studio.status("failover"), Value::Null);
    // The next show begins with whoever leads, and that is no switch.
    assert_eq!(words(&studio.pass(&main, 600)), [(false, "Running")]);
}

// ------------------------------------------------------------------------------------------------- a new ingest address

/// The same, made anew: AWS gives it other addresses and ARNs.
fn anew(mut seen: source::observed::Observed, ip: &str) -> source::observed::Observed {
    flow(&mut seen).arn = format!("{}-anew", fixtures::FLOW);
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

// -------------------------------------------------------------------------------------------------- a Destination

/// A Destination over several passes.
struct Show {
    object: Destination,
}

impl Show {
    fn of(spec: DestinationSpec) -> Self {
        Self { object: destination_object(spec) }
    }

    fn pass(&mut self, seen: &Observed, second: i64) -> Vec<Event> {
        let (tries, decided) = (memory::tries(&self.object, at(second)), memory::decided(&self.object));
        let seen = Observed { tries, decided, ..seen.clone() };
        let desired = destination_wanted(&self.object.spec, &references());
        let plan = destination::plan::plan(&desired, false, &seen);
        let wanted = if let Desired::Present(wanted) = &desired { Some(wanted) } else { None };
        let outcome = outcome_of(wanted, Some(&seen), Some(&plan), second);
        let before = self.object.clone();
        self.object.status = Some(destination::status::status(&self.object, &outcome));
        events(destination::told::news(&before, &self.object))
    }

    fn json(&self) -> Value {
        serde_json::to_value(&self.object).expect("JSON")
    }
}

fn warned(kind: &str, message: &str) -> Observed {
    let mut seen = transcode::on_air(&[]);
    alert(&mut seen, None, message);
    transcode::channel(&mut seen).alerts[0].kind = kind.into();
    seen
}

#[test]
fn an_alert_of_medialive_is_told_when_it_is_set_and_when_it_is_cleared() {
    let mut show = Show::of(transcode::spec(&[]));
    let well = transcode::on_air(&[]);
    show.pass(&well, 0);
    let deaf = warned("Audio Not Detected", "No audio in 1 s.");
    let told = show.pass(&deaf, 10);
    assert_eq!(words(&told), [(true, "Alert")]);
    assert!(told[0].2.contains("Audio Not Detected: No audio in 1 s."), "{told:?}");
    let (status, reason, message) = ready(&show.json());
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Alert"));
    assert!(message.starts_with("It is on the air.") && message.contains("Audio Not Detected"), "{message}");
    assert_eq!(show.pass(&deaf, 20), []);
    // The same in other words is the same.
    assert_eq!(show.pass(&warned("Audio Not Detected", "No audio in 2 s."), 30), []);
    // No answer about alerts is no end of them; nor is a restart of the operator a beginning.
    let mut unread = well.clone();
    transcode::channel(&mut unread).alerts_unread = true;
    assert_eq!(show.pass(&unread, 40), []);
    show.object = serde_json::from_value(show.json()).expect("as it is stored");
    assert_eq!(show.pass(&warned("Audio Not Detected", "No audio in 2 s."), 50), []);
    let told = show.pass(&well, 60);
    assert_eq!(words(&told), [(false, "Alert")]);
    assert!(told[0].2.contains("Audio Not Detected"), "{told:?}");
    assert_eq!(ready(&show.json()).1, "Running");
}

#[test]
fn alerts_go_with_the_channel_and_what_ready_says_of_one_is_not_said_twice() {
    let mut show = Show::of(transcode::spec(&[]));
    show.pass(&transcode::on_air(&[]), 0);
    // 5302: the channel receives nothing.
    let told = show.pass(&warned("Stopped Receiving UDP Input", "Stopped receiving network data on [udp://]."), 10);
    assert_eq!(words(&told), [(true, "NoSignal")]);
    assert!(told[0].2.contains("Stopped Receiving UDP Input"));
    show.object.spec = transcode::spec(&[transcode::STOPPED]);
    let told = show.pass(&transcode::in_state(&[], playout_core::resources::channel::ChannelState::Stopping), 20);
    assert!(!words(&told).iter().any(|(_, reason)| *reason == "Alert"), "{told:?}");
}

#[test]
fn alerts_are_told_at_most_ten_at_once_whatever_their_order() {
    let mut show = Show::of(transcode::spec(&[]));
    show.pass(&transcode::on_air(&[]), 0);
    let mut seen = transcode::on_air(&[]);
    for n in 0..14 {
        alert(&mut seen, None, &format!("alert {n}"));
        transcode::channel(&mut seen).alerts[n].kind = format!("Kind {n}");
    }
    assert_eq!(show.pass(&seen, 10).len(), 10);
    transcode::channel(&mut seen).alerts.reverse();
    assert_eq!(show.pass(&seen, 20), []);
}

/// What is wrong, what was well before it, the reason in `get`, and the Events of its beginning and its end.
type Wrong = (
    &'static str,
    DestinationSpec,
    Observed,
    Observed,
    &'static str,
    Vec<(bool, &'static str)>,
    Vec<(bool, &'static str)>,
);

#[test]
fn what_is_wrong_beside_the_programme_is_in_get_in_ready_and_one_event_each_way() {
    let hot = || destination_spec(&[("/backup", backup_json("Hot"))]);
    let seen = || destination_seen(&[("/backup", backup_json("Hot"))]);
    let mut half = seen();
    output(&mut half, Role::Backup).error = Some("Connection refused.".into());
    let mut over = seen();
    let Programme::Flow { bitrate_kbps, .. } = &mut over.flow else { panic!("a flow") };
    *bitrate_kbps = Some(90_000);
    let twitch = || destination_spec(&[("/platform", json!("Twitch")), ("/url", Value::Null)]);
    let at_twitch = || destination_seen(&[("/platform", json!("Twitch")), ("/url", Value::Null)]);
    let mut too_much = at_twitch();
    let Programme::Flow { bitrate_kbps, .. } = &mut too_much.flow else { panic!("a flow") };
    *bitrate_kbps = Some(90_000);
    let mut lost = seen();
    let Programme::Flow { signal, .. } = &mut lost.flow else { panic!("a flow") };
    *signal = Some(false);
    let mut foreign = seen();
    output(&mut foreign, Role::Backup).ownership = playout_core::identity::Ownership::Foreign;
    let cases: Vec<Wrong> = vec![
        (
            "half of a Hot pair",
            hot(),
            seen(),
            half,
            "NotConnected",
            vec![(true, "NotConnected")],
            vec![(false, "Running")],
        ),
        (
            "over the limit",
            twitch(),
            at_twitch(),
            too_much,
            "OverLimit",
            vec![(true, "OverLimit")],
            vec![(false, "Running")],
        ),
        ("no programme", hot(), seen(), lost, "NoSignal", vec![(true, "NoSignal")], vec![(false, "Running")]),
        ("an output not ours", hot(), seen(), foreign, "NotOurs", vec![(true, "NotOurs")], vec![(false, "Running")]),
    ];
    for (what, spec, well, wrong, reason, begins, ends) in cases {
        let mut show = Show::of(spec);
        show.pass(&well, 0);
        assert_eq!(words(&show.pass(&wrong, 10)), begins, "{what}");
        let (_, told, message) = ready(&show.json());
        assert_eq!(told, reason, "{what}: {message}");
        assert_eq!(show.pass(&wrong, 20), [], "{what}");
        assert_eq!(words(&show.pass(&well, 30)), ends, "{what}");
    }
}

#[test]
fn an_output_that_is_not_ours_and_sends_is_said_to_whatever_is_wished() {
    for state in ["Running", "Stopped"] {
        let changes = [("/state", json!(state))];
        let mut seen = destination_seen(&[]);
        output(&mut seen, Role::Primary).ownership = playout_core::identity::Ownership::Foreign;
        let mut show = Show::of(destination_spec(&changes));
        let told = show.pass(&seen, 0);
        assert_eq!(words(&told), [(true, "NotOurs")], "{state}");
        let (_, reason, message) = ready(&show.json());
        assert_eq!(reason, "NotOurs");
        assert!(message.contains("still sends") && message.contains(&fixtures::output_arn(Role::Primary)), "{message}");
    }
}

#[test]
fn an_input_that_stands_by_and_receives_nothing_is_in_the_message() {
    let mut studio = Studio::new(&[]);
    studio.pass(&live(&[("main", GOOD), ("reserve", DEAD)]), 0);
    let (_, reason, message) = ready(&studio.json());
    assert_eq!(reason, "Running");
    assert_eq!(message, "The flow is running. Input main leads. Input reserve (Backup) receives nothing.");
}

#[test]
fn packets_that_are_lost_are_told_and_in_get() {
    let mut studio = Studio::new(&[]);
    let well = live(&[("main", GOOD), ("reserve", GOOD)]);
    studio.pass(&well, 0);
    assert_eq!(
        words(&studio.pass(&live(&[("main", HealthWord::Degraded), ("reserve", GOOD)]), 60)),
        [(true, "SignalDegraded")]
    );
    assert_eq!(ready(&studio.json()).1, "SignalDegraded");
    assert_eq!(words(&studio.pass(&well, 120)), [(false, "Running")]);
}

#[test]
fn ready_says_that_the_backup_of_a_destination_is_fed_and_why() {
    let on_failure = [("/backup", backup_json("OnFailure"))];
    let well = destination_seen(&on_failure);
    let mut on_backup = well.clone();
    output(&mut on_backup, Role::Primary).output.enabled = false;
    output(&mut on_backup, Role::Backup).output.enabled = true;
    output(&mut on_backup, Role::Backup).measured = Some(fixtures::connected(Some(true)));
    let mut show = Show::of(destination_spec(&on_failure));
    show.pass(&well, 0);
    assert_eq!(ready(&show.json()).2, "It is on the air.");
    show.pass(&on_backup, 60);
    let (_, reason, message) = ready(&show.json());
    assert_eq!(reason, "Running");
    assert_eq!(message, "It is on the air. The backup endpoint is fed: the primary did not take the stream.");
}

// ------------------------------------------------------------------------------------------------------- why a run ended

fn why(show: &Show) -> String {
    show.json()["status"]["lastRuns"][0]["why"].as_str().unwrap_or_default().to_string()
}

#[test]
fn a_run_that_has_ended_says_the_true_cause() {
    // A connection that AWS measured, and then does not any more.
    let srt = || fixtures::destination_spec_of(fixtures::srt_json(), &[]);
    let mut show = Show::of(srt());
    let well = fixtures::destination_seen_of(&srt());
    show.pass(&well, 0);
    let mut quiet = well.clone();
    output(&mut quiet, Role::Primary).measured = Some(Default::default());
    output(&mut quiet, Role::Primary).unchanged_for = Duration::ZERO;
    show.pass(&quiet, 600);
    let told = why(&show);
    assert!(!told.contains("not taken the stream yet"), "{told}");
    assert!(told.contains("AWS does not show any more that srt://live.example.com:9000 takes the stream"), "{told}");
    // A receiver that refuses, while the Secret is not there either.
    let mut show = Show::of(destination_spec(&[]));
    show.pass(&destination_seen(&[]), 0);
    show.object.spec = destination_spec(&[transcode::missing_key()]);
    let mut refused = destination_seen(&[]);
    output(&mut refused, Role::Primary).error = Some("Connection refused.".into());
    show.pass(&refused, 60);
    let told = why(&show);
    assert!(told.contains("does not take the stream") && !told.contains("Secret"), "{told}");
}

#[test]
fn a_refusal_is_said_once_in_a_message() {
    let mut show = Show::of(destination_spec(&[]));
    let mut refused = destination_seen(&[]);
    output(&mut refused, Role::Primary).error = Some("Connection refused.".into());
    output(&mut refused, Role::Primary).unchanged_for = Duration::from_secs(1);
    show.pass(&refused, 0);
    let message = ready(&show.json()).2;
    assert_eq!(message.matches("take the stream").count(), 1, "{message}");
    assert!(message.contains("AWS says: Connection refused.") && message.contains("check the key"), "{message}");
}
