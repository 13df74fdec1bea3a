//! Every request of a life × every fault: after each, exactly what was wished, made once, and at the end nothing is left.

#![expect(clippy::print_stderr, reason = "a run says how many schedules it tried, and a failed one tells its story")]

mod in_process;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use in_process::life::{PHASES, Plan, live, live_twice};
use in_process::wire::{Boundary, Fault};

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

#[test]
fn a_life_without_faults() {
    for lag in [Duration::ZERO, Duration::from_millis(700), Duration::from_secs(5)] {
        let (trace, result) = lived(Plan { lag, thorough: true, strike: None });
        assert!(result.is_ok(), "caches {lag:?} behind: {result:?}\n{}", story(&trace));
        if std::env::var_os("PLAYOUT_SHOW").is_some() {
            eprintln!("{}", story(&trace));
        }
    }
}

#[test]
fn two_who_believe_that_they_lead_make_one_flow() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for behind in [0, 1, 15, 60, 700, 5_000, 100_000].map(Duration::from_millis) {
        let (trace, result) = paused(live_twice(behind));
        assert!(result.is_ok(), "the second {behind:?} behind: {result:?}\n{}", story(&trace));
    }
}

#[test]
fn every_request_and_every_fault() {
    let (reference, result) = lived(Plan::default());
    assert!(result.is_ok(), "{result:?}\n{}", story(&reference));
    let schedules: Vec<Schedule> = reference
        .iter()
        .enumerate()
        .flat_map(|(place, boundary)| boundary.effect.faults().iter().map(move |fault| (place, *fault, boundary.phase)))
        .collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(schedule) = schedules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (place, fault, phase) = *schedule;
                    let (trace, result) = lived(Plan { strike: Some(*schedule), ..Plan::default() });
                    let same = trace.get(place).is_some_and(|met| met.label == reference[place].label);
                    let result = if same { result } else { Err("the run before the fault was another one".into()) };
                    if let Err(error) = result {
                        let text = format!(
                            "{fault:?} at request {place} ({}, {}): {error}\n{}",
                            PHASES[phase],
                            reference[place].label,
                            story(&trace)
                        );
                        failures.lock().expect("no panic").push(text);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic");
    eprintln!("{} requests, {} schedules, {} failed", reference.len(), schedules.len(), failures.len());
    for failure in &failures {
        eprintln!("FAILED {}", failure.lines().next().unwrap_or_default().chars().take(400).collect::<String>());
    }
    assert!(failures.is_empty(), "{} of {} failed. The first:\n{}", failures.len(), schedules.len(), failures[0]);
}
