//! Every request of a life × every fault: after each, exactly what was requested, made once, and at the end nothing is left.

#![expect(clippy::print_stderr, reason = "a run says how many schedules it tried, and a failed one tells its story")]

mod annotations;
mod hangs;
mod maintenance;
mod many;
mod other_versions;
mod ownership;
mod pairs;
mod places;
mod refused;
mod regions;
mod told;
mod words;
mod worlds;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use playout_sim::{FaultKind, Seed};
use serde_json::{Value, json};

use crate::fixtures::api_server::Change;
use crate::fixtures::failing::{BACK, Delivery, REFUSED};
use crate::fixtures::late::{self, Mind, Show};
use crate::fixtures::life::{Plan, destination, identity, live, live_twice, our_flow, ready, same, secret, source};
use crate::fixtures::moving::{TO_CHANNEL, TO_OUTPUT};
use crate::fixtures::operator::Operator;
use crate::fixtures::passthrough;
use crate::fixtures::script::Script;
use crate::fixtures::wire::{Boundary, Effect, Fault};
use crate::fixtures::world::{REGION, World};

type Schedule = (usize, Fault, usize);

fn paused<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

fn lived(plan: Plan) -> (Vec<Boundary>, Result<(), String>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(live(plan))
}

fn story(trace: &[Boundary]) -> String {
    trace.iter().enumerate().map(|(place, boundary)| format!("{place:>4} {boundary}\n")).collect()
}

const CRASHES: [Fault; 2] = [Fault::CrashBefore, Fault::CrashAfter];
/// So many requests no part of a life takes, whatever strikes it: who asks more does not wait.
const MOST: usize = 400;
const SCRIPTS: [Script; 5] = [
    Script::Passthrough,
    Script::Transcode,
    Script::Moving,
    Script::Failing(Delivery::Output),
    Script::Failing(Delivery::Channel),
];

#[test]
fn a_life_without_faults() {
    let both = |script| [false, true].map(|rtmp_output_metrics| (script, rtmp_output_metrics));
    for (script, rtmp_output_metrics) in SCRIPTS.into_iter().flat_map(both) {
        for lag in [Duration::ZERO, Duration::from_millis(700), Duration::from_secs(5)] {
            let plan = Plan { script, lag, rtmp_output_metrics, thorough: true, ..Plan::default() };
            let (trace, result) = lived(plan);
            if std::env::var_os("PLAYOUT_SHOW").is_some() {
                eprintln!("{script:?}\n{}", story(&trace));
            }
            let of = format!("{script:?}, RTMP measured: {rtmp_output_metrics}, caches {lag:?} behind");
            assert!(result.is_ok(), "{of}: {result:?}\n{}", story(&trace));
        }
    }
}

#[test]
fn two_who_believe_that_they_lead_make_one_of_each() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // One who is behind may try once more what the other has given up.
    for script in [Script::Passthrough, Script::Transcode, Script::Moving] {
        for behind in [0, 1, 15, 60, 700, 5_000, 100_000].map(Duration::from_millis) {
            let (trace, result) = paused(live_twice(script, behind));
            assert!(result.is_ok(), "{script:?}, the second {behind:?} behind: {result:?}\n{}", story(&trace));
        }
    }
}

#[test]
fn every_request_and_every_fault() {
    try_all(Script::Passthrough, |_, _| true);
}

/// The longer life, and the same loop: what strikes every request of the other life alike takes turns here, unless all is
/// asked for.
#[test]
fn every_request_of_transcode_and_the_faults_in_turn() {
    try_all(Script::Transcode, in_turn);
}

#[test]
fn every_request_of_a_move_and_one_fault_in_turn() {
    try_all(Script::Moving, |trace, schedule| {
        [TO_CHANNEL, TO_OUTPUT].contains(&schedule.2) && one_in_turn(trace, schedule)
    });
}

#[test]
fn every_request_around_a_refusal_and_one_fault_in_turn() {
    for delivery in [Delivery::Output, Delivery::Channel] {
        try_all(Script::Failing(delivery), |trace, (place, fault, phase)| {
            // What comes before the first time on the air is in the other lives.
            let first = trace.iter().position(|b| b.label.ends_with("/start") || b.label.ends_with("/outputs"));
            [REFUSED, BACK].contains(&phase)
                && first.is_some_and(|first| first < place)
                && one_in_turn(trace, (place, fault, phase))
        });
    }
}

/// Crashes around every change, and of all else one for each request that is not the same again.
fn one_in_turn(trace: &[Boundary], (place, fault, _): Schedule) -> bool {
    let all = std::env::var_os("PLAYOUT_ALL_FAULTS").is_some();
    let Boundary { effect, label, .. } = &trace[place];
    let turn = effect.faults()[place % effect.faults().len()] == fault;
    all || match effect {
        Effect::AwsChange | Effect::AwsCreate => turn || CRASHES.contains(&fault),
        Effect::ApiWrite => turn && !label.ends_with(" events"),
        Effect::AwsRead | Effect::ApiRead => turn && is_first(trace, place),
    }
}

fn in_turn(trace: &[Boundary], (place, fault, _): Schedule) -> bool {
    let all = std::env::var_os("PLAYOUT_ALL_FAULTS").is_some();
    let Boundary { label, effect, .. } = &trace[place];
    let turn = |of: &[Fault]| of[place % of.len()] == fault;
    all || match effect {
        Effect::AwsChange | Effect::AwsCreate => true,
        Effect::ApiWrite => turn(effect.faults()) || turn(&CRASHES) && !label.ends_with(" events"),
        Effect::AwsRead | Effect::ApiRead => {
            let others: Vec<_> = effect.faults().iter().copied().filter(|fault| *fault != Fault::Stale).collect();
            is_first(trace, place) && turn(&others) || fault == Fault::Stale && is_new(trace, place)
        }
    }
}

/// AWS carries a change of the way on the air out 20 seconds after it was sent, when its caller has long given up or has died, and
/// the user has changed his mind meanwhile.
#[test]
fn nothing_is_said_to_be_off_or_gone_that_aws_has_yet_to_do() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut failures = Vec::new();
    for show in [Show::Output, Show::Channel, Show::Flow] {
        let (reference, result) = paused(late::live(show, None, Mind::Stop));
        assert!(result.is_ok(), "{show:?}: {result:?}\n{}", story(&reference));
        let changes = late::changes(&reference);
        assert!(changes.len() >= if show == Show::Flow { 2 } else { 4 }, "{show:?}\n{}", story(&reference));
        for (place, fault, mind) in changes.iter().flat_map(|place| {
            let faults = [Fault::Late, Fault::LateAndCrashed];
            faults.into_iter().flat_map(move |fault| [Mind::Stop, Mind::Delete].map(|mind| (*place, fault, mind)))
        }) {
            let (trace, result) = paused(late::live(show, Some((place, fault)), mind));
            if let Err(error) = result {
                eprintln!("FAILED {show:?} {mind:?} {fault:?} {}: {error:.300}", reference[place].label);
                failures.push(format!(
                    "{show:?} {mind:?} {fault:?} {}: {error}\n{}",
                    reference[place].label,
                    story(&trace)
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{} failed. The first:\n{}", failures.len(), failures[0]);
}

/// AWS gives no answer just when the user asks for another try: the wish is not used up by a pass that saw nothing.
#[test]
fn an_annotation_outlives_a_look_that_failed() {
    for delivery in [Delivery::Output, Delivery::Channel] {
        let plan = Plan { script: Script::Failing(delivery), ..Plan::default() };
        let (reference, result) = lived(plan);
        assert!(result.is_ok(), "{result:?}\n{}", story(&reference));
        let look = |b: &Boundary| b.phase == BACK && b.label.starts_with("GET v1/flows/");
        let place = reference.iter().position(look).expect("a look at the flow");
        let (trace, result) = lived(Plan { strike: Some((place, Fault::SlowAfter, BACK)), ..plan });
        assert!(result.is_ok(), "{delivery:?}: {result:?}\n{}", story(&trace));
    }
}

/// The operator dies after it has made something that no list shows, asks again with the token, and gets no good answer either:
/// the token is still the one by which AWS knows what was made.
#[test]
fn a_second_answer_that_is_no_better_than_none() {
    let plan = Plan { script: Script::Transcode, ..Plan::default() };
    let (reference, result) = lived(plan);
    assert!(result.is_ok(), "{result:?}\n{}", story(&reference));
    let creates = ["POST prod/inputs", "POST prod/channels"];
    let mut again = 0;
    for (place, create) in reference.iter().enumerate().filter(|(_, b)| creates.contains(&b.label.as_str())) {
        for then in
            [Fault::Refused, Fault::Conflict, Fault::Throttled, Fault::Lost, Fault::ErrorBefore, Fault::CrashBefore]
        {
            let strike = Some((place, Fault::HiddenAndCrashed, create.phase));
            let (trace, result) = lived(Plan { strike, then: Some(then), ..plan });
            assert!(result.is_ok(), "{then:?} after {place} {create}: {result:?}\n{}", story(&trace));
            let sent = |b: &&Boundary| b.label == create.label && b.phase == create.phase;
            again += usize::from(trace.iter().filter(sent).count() > 2);
        }
    }
    // Of a channel that is hidden its input tells; only inputs are asked for again.
    assert!(again >= 12, "only {again} were asked for again after the second answer");
}

/// AWS says for a moment that there is no flow, and lists it: it is not made again, and what a Destination has on it is neither
/// left behind nor said to be off.
#[test]
fn a_flow_that_is_listed_and_not_found_for_a_moment_is_there() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for (skip, times) in (0..4).flat_map(|skip| (1..5).map(move |times| (skip, times))) {
        for wish in [json!({}), json!({ "state": "Stopped" }), Value::Null] {
            let result = paused(not_found_for_a_moment(skip, times, &wish));
            assert!(result.is_ok(), "{times} times after {skip}, and the user wants {wish}: {result:?}");
        }
    }
}

async fn not_found_for_a_moment(skip: u32, times: u32, wish: &Value) -> Result<(), String> {
    let world = World::new(None);
    let mut operator = Operator::start(&world).await;
    let stopped = |stop| format!("{stop:?}");
    passthrough::play(&world, 0).await?;
    operator.settle(&world, Duration::from_secs(60)).await.map_err(stopped)?;
    // What is known from a moment ago is not asked for again.
    operator.run_for(&world, Duration::from_secs(2)).await.map_err(stopped)?;
    let gone = FaultKind::FailBefore { status: 404, code: "NotFoundException".into(), message: "no flow".into() };
    world.sim.plant_fault(playout_sim::Fault { skip, times, ..playout_sim::Fault::new("*", "DescribeFlow", gone) });
    match wish {
        Value::Null => world.cluster.delete("destinations", "youtube"),
        wish => world.cluster.edit("destinations", "youtube", &json!({ "spec": wish })),
    }
    operator.look_again();
    // Shorter than what is settled is left alone.
    operator.run_for(&world, Duration::from_secs(30)).await.map_err(stopped)?;
    if let Some(twice) = passthrough::made_too_often(&world.sim.log(0)) {
        return Err(twice);
    }
    for (_, key, change) in world.cluster.changes(0).iter().filter(|(_, key, _)| key.0 == "destinations") {
        let (Change::Applied(object) | Change::Deleted(object)) = change;
        if ready(object).is_ok() && object["status"]["outputs"][0].is_null() {
            return Err(format!("{} was said to be well without its output", key.1));
        }
    }
    let flow = our_flow(&world)?;
    let name = identity("Destination", "youtube").output_name("primary");
    let output = flow["outputs"].as_array().into_iter().flatten().find(|o| o["name"] == name.as_str());
    let left = output.map_or(Value::Null, |o| o["outputStatus"].clone());
    let wanted = match wish {
        Value::Null => Value::Null,
        wish => json!(if wish["state"] == "Stopped" { "DISABLED" } else { "ENABLED" }),
    };
    same("output", &left, &wanted)?;
    same("object is left", &json!(world.cluster.object("destinations", "youtube").is_some()), &json!(!wish.is_null()))
}

/// What a start needs may be out of reach when the show is over: a flow that nothing uses is stopped all the same, and the
/// failure is told.
#[test]
fn a_flow_that_nothing_uses_is_stopped_when_the_key_of_its_input_cannot_be_read() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    paused(async {
        let world = World::new(None);
        let key = json!({ "region": REGION, "name": "/keys/input", "value": "input-key-0001" });
        let parameters = vec![serde_json::from_value(key).expect("a parameter")];
        world.sim.seed(&Seed { parameters, secrets: Vec::new() });
        let mut studio = source();
        studio["spec"]["inputs"] = json!([{ "name": "encoder", "priority": "Primary", "enabled": true, "protocol": "Rtmp",
            "rtmp": { "applicationName": "live", "allowedCidr": "203.0.113.0/24",
                "streamKey": { "ssmParameter": "/keys/input" } } }]);
        world.cluster.create("sources", studio);
        world.cluster.create("secrets", secret("youtube", "youtube-key-0001"));
        let key = json!({ "secretRef": { "name": "youtube", "key": "key" } });
        let youtube = destination("youtube", json!({ "platform": "YouTube", "streamKey": key }));
        world.cluster.create("destinations", youtube);
        Operator::start(&world).await.run_for(&world, Duration::from_secs(60)).await.expect("it runs");
        assert_eq!(our_flow(&world).expect("a flow")["status"], "ACTIVE");

        let denied = FaultKind::FailBefore { status: 400, code: "AccessDeniedException".into(), message: "no".into() };
        world.sim.plant_fault(playout_sim::Fault { times: 0, ..playout_sim::Fault::new("*", "GetParameter", denied) });
        world.cluster.edit("destinations", "youtube", &json!({ "spec": { "state": "Stopped" } }));
        // Another process, which has not read the key before.
        Operator::start(&world).await.run_for(&world, Duration::from_secs(90)).await.expect("it lives");
        assert_eq!(our_flow(&world).expect("a flow")["status"], "STANDBY");
        let status = world.cluster.object("sources", "studio").expect("it is there")["status"].clone();
        assert_eq!(status["conditions"][0]["reason"], "AccessDenied", "{status}");
    });
}

/// Whether a read is the first of the same since something was changed.
fn is_first(trace: &[Boundary], place: usize) -> bool {
    !trace[..place].iter().rev().take_while(|b| is_read(b, &trace[place])).any(|b| b.label == trace[place].label)
}

/// Whether it is that, or the last before something is changed.
fn is_new(trace: &[Boundary], place: usize) -> bool {
    let after = &trace[place + 1..];
    is_first(trace, place)
        || !after.iter().take_while(|b| is_read(b, &trace[place])).any(|b| b.label == trace[place].label)
}

fn is_read(boundary: &Boundary, of: &Boundary) -> bool {
    matches!(boundary.effect, Effect::AwsRead | Effect::ApiRead) && boundary.phase == of.phase
}

fn try_all(script: Script, is_tried: impl Fn(&[Boundary], Schedule) -> bool) {
    let plan = Plan { script, ..Plan::default() };
    let (reference, result) = lived(plan);
    assert!(result.is_ok(), "{result:?}\n{}", story(&reference));
    let schedules: Vec<Schedule> = reference
        .iter()
        .enumerate()
        .flat_map(|(place, boundary)| boundary.effect.faults().iter().map(move |fault| (place, *fault, boundary.phase)))
        .filter(|schedule| is_tried(&reference, *schedule))
        .collect();
    eprintln!("{script:?}: {} requests, {} schedules", reference.len(), schedules.len());
    let (next, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failures = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(schedule) = schedules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (place, fault, phase) = *schedule;
                    let (trace, result) = lived(Plan { strike: Some(*schedule), ..plan });
                    let longest = trace.chunk_by(|a, b| a.phase == b.phase).map(<[_]>::len).max().unwrap_or_default();
                    most.fetch_max(longest, Ordering::Relaxed);
                    let same = trace.get(place).is_some_and(|met| met.label == reference[place].label);
                    let result = if same { result } else { Err("the run before the fault was another one".into()) };
                    if let Err(error) = result {
                        let text = format!(
                            "{fault:?} at request {place} ({}, {}): {error}\n{}",
                            script.phases()[phase],
                            reference[place].label,
                            story(&trace)
                        );
                        // At once: the rest may take minutes.
                        let first: String = text.lines().next().unwrap_or_default().chars().take(400).collect();
                        eprintln!("FAILED {first}");
                        failures.lock().expect("no panic").push(text);
                    }
                }
            });
        }
    });
    let most = most.into_inner();
    eprintln!("{script:?}: at most {most} requests in a part of a life");
    assert!(most < MOST, "{most} requests in one part of a life");
    let failures = failures.into_inner().expect("no panic");
    assert!(failures.is_empty(), "{} of {} failed. The first:\n{}", failures.len(), schedules.len(), failures[0]);
}
