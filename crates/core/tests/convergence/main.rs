//! The loop observe -> plan -> act against a small AWS (`fixtures/world.rs`): from every state that it can leave behind,
//! under every wish, with a crash, a refusal or a lost answer at every action, it comes to what the wish asks for.
//!
//! States are found by walking: from every start toward every wish, and each state on the way is a start again. A failure
//! shows the trace of the pass by pass decisions.

mod destinations;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod sources;
mod transcripts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write as _};
use std::time::Duration;

use fixtures::world::{No, World, WorldFlow};
use fixtures::{at, deleted, encrypted, identity, input, present, rtp_input, source_json, source_object};
use playout_api::destination::RetryWord;
use playout_api::source::{DesiredSourceState, InputHealth};
use playout_api::{Source, SourceSpec};
use playout_core::action::Action;
use playout_core::conditions::READY;
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass};
use playout_core::fight::{Left, What};
use playout_core::frame::frame;
use playout_core::identity::{Ownership, TAG_ADOPTED, TAG_NAME, TAG_UID, owner};
use playout_core::kinds::source;
use playout_core::kinds::source::observed::{Management, TestPhase, Users};
use playout_core::plan::{Desired, Plan, Step};
use playout_core::reasons::Reason;
use playout_core::refused::Refused;
use playout_core::resources::flow::{FlowOutput, FlowState, Protocol, SecretCopy, SourceSettings};
use playout_core::resources::secret_copy::CopyAction;
use playout_core::waiting::Waiting;
use serde_json::{Value, json};

/// What goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The process dies before the call is sent.
    CrashBefore,
    /// The process dies after AWS carried it out, or the answer is lost: to the next pass it is the same.
    AnswerLost,
    /// AWS refuses.
    Refused,
    /// AWS refuses, now and each time: the loop puts it aside (`playout_core::refused`).
    NeverTaken,
}

trait Kind {
    type Wish: Debug;
    type Seen;
    type Action: playout_core::action::Action + Clone + PartialEq;
    type Memory: playout_core::plan::Memory;
    /// Passes within which everything must have come to rest.
    const PASSES: usize;
    fn name(wish: &Self::Wish) -> &'static str;
    /// Whether there is nothing at rest: what is overlooked then is overlooked for ever.
    fn leaves_nothing(wish: &Self::Wish) -> bool;
    fn look(world: &World, wish: &Self::Wish) -> Self::Seen;
    fn plan(wish: &Self::Wish, seen: &Self::Seen) -> Plan<Self::Action, Self::Memory>;
    /// Whether the status that follows does not change by time alone.
    fn is_steady(world: &World, wish: &Self::Wish, seen: &Self::Seen, plan: &Plan<Self::Action, Self::Memory>) -> bool;
    /// Whether what is to be remembered is stored before anything is done.
    fn goes_first(memory: &Self::Memory) -> bool;
    /// What must never be decided, whatever the state.
    fn wrongly_decided(before: &World, wish: &Self::Wish, memory: &Self::Memory) -> Option<String>;
    /// The loop writes the status. Whether it changed.
    fn remember(
        world: &mut World,
        wish: &Self::Wish,
        seen: &Self::Seen,
        plan: &Plan<Self::Action, Self::Memory>,
        failure: Option<&Failure>,
    ) -> bool;
    /// The intent of a create is written, or withdrawn.
    fn intend(world: &mut World, action: &Self::Action, is: bool);
    fn act(world: &mut World, action: &Self::Action) -> Result<(), No>;
    /// The create was carried out, and no list has what it made for a while; or, with the answer, AWS is only slow.
    fn made(world: &mut World, action: &Self::Action, answered: bool);
    /// What must never be done, whatever the state.
    fn sin(before: &World, after: &World, wish: &Self::Wish, action: &Self::Action) -> Option<String>;
    /// What is wrong with the world and the answer at rest.
    fn wrong(world: &World, wish: &Self::Wish, step: &Step<Self::Action>) -> Option<String>;
    /// What is wrong at rest beside what AWS never takes: it holds up no start, no stop and nothing that is not related to it.
    fn wrong_beside(world: &World, wish: &Self::Wish, refused: &Self::Action) -> Option<String>;
    /// Lets the planner go on as if this were as requested.
    fn leave(seen: &mut Self::Seen, left: Left);
    /// What the world does on its own account, between two passes; whether it did.
    fn nature(world: &mut World, wish: &Self::Wish) -> bool;
}

#[derive(Default)]
struct Tally {
    /// Whether the worlds on the way are of interest.
    walking: bool,
    schedules: usize,
    actions: usize,
    longest: usize,
}

/// Runs to rest, or fails the test with the trace.
fn run<K: Kind>(start: &World, wish: &K::Wish, fault: Option<(usize, Fault)>, tally: &mut Tally) -> Way {
    tally.schedules += 1;
    go::<K>(start, wish, fault, tally, None).unwrap_or_else(|wrong| {
        // It is all pure, so that the same happens again, and is written down this time.
        let mut trace = format!("toward {:?}, {fault:?}, from {}\n", K::name(wish), told(start));
        let _ = go::<K>(start, wish, fault, tally, Some(&mut trace));
        panic!("\n{trace}    {wrong}\n")
    })
}

fn go<K: Kind>(
    start: &World,
    wish: &K::Wish,
    fault: Option<(usize, Fault)>,
    tally: &mut Tally,
    mut trace: Option<&mut String>,
) -> Result<Way, String> {
    let mut world = start.clone();
    let (mut way, mut done) = (Way::default(), 0);
    let (mut refused, mut book, mut left) = (None, Refused::default(), Left::default());
    for pass in 1..=K::PASSES {
        let mut seen = K::look(&world, wish);
        K::leave(&mut seen, left.clone());
        let mut plan = K::plan(wish, &seen);
        plan.step = match plan.step {
            Step::Act(actions) if refused.is_some() => match left.allowed(actions) {
                rest if rest.is_empty() => Step::Settled,
                rest => Step::Act(rest),
            },
            step => step,
        };
        let step = &plan.step;
        if fault.is_some() && !K::is_steady(&world, wish, &seen, &plan) {
            return Err("the status is not steady".into());
        }
        if let Some(trace) = &mut trace {
            let _ = match step {
                Step::Act(_) => writeln!(trace, "{pass:3} in {}", told(&world)),
                other => writeln!(trace, "{pass:3} in {} -> {other:?}", told(&world)),
            };
        }
        let chores = match step {
            Step::Wait { .. } | Step::Settled | Step::Stalled(_) => plan.chores.clone(),
            Step::Act(_) | Step::Gone => Vec::new(),
        };
        let actions = match step {
            Step::Act(actions) if actions.is_empty() => return Err("an empty Act".into()),
            Step::Act(actions) => actions.as_slice(),
            Step::Wait { .. } | Step::Settled | Step::Stalled(_) | Step::Gone => &[],
        };
        if *step == Step::Gone && refused.is_none() {
            // The finalizer goes now: what is left is left for ever.
            if let Some(wrong) = K::wrong(&world, wish, step) {
                return Err(format!("gone, but {wrong}"));
            }
        }
        // Time goes on between the look and the act, so that what an act sets in motion is seen at least once.
        let ticked = world.tick();
        let natured = K::nature(&mut world, wish);
        let mut moved = ticked || natured;
        let (mut crashed, mut failure) = (false, None);
        if let Some(wrong) = K::wrongly_decided(&world, wish, &plan.memory) {
            return Err(format!("never: {wrong}"));
        }
        if !actions.is_empty() && K::goes_first(&plan.memory) {
            // Before anything is done. The process may die right after it.
            moved |= K::remember(&mut world, wish, &seen, &plan, None);
            if tally.walking {
                way.worlds.push(world.clone());
            }
        }
        for (nth, action) in actions.iter().enumerate() {
            if let Some(trace) = &mut trace {
                let _ = writeln!(trace, "        {action:?}");
            }
            let strikes = fault.filter(|(at, _)| *at == done).map(|(_, f)| f);
            done += 1;
            tally.actions += 1;
            if action.needs_intent() {
                // The intent is written before the call, and withdrawn on a certain answer alone.
                K::intend(&mut world, action, true);
            }
            match strikes {
                Some(Fault::CrashBefore) => {
                    crashed = true;
                    break;
                }
                Some(Fault::Refused) => {
                    failure = Some(refusal());
                    K::intend(&mut world, action, false);
                    break;
                }
                Some(Fault::NeverTaken) => {
                    let no = Failure { class: FailureClass::Invalid, ..refusal() };
                    book.refused(&action.changes(), &no, Duration::ZERO);
                    (refused, left) = (Some(action.clone()), book.left(None));
                    failure = Some(no);
                    K::intend(&mut world, action, false);
                    break;
                }
                Some(Fault::AnswerLost) | None => {}
            }
            let before = world.clone();
            let answer = K::act(&mut world, action);
            if let Some(sin) = K::sin(&before, &world, wish, action) {
                return Err(format!("never: {sin}"));
            }
            match answer {
                Ok(()) if strikes.is_some() => {
                    K::made(&mut world, action, false);
                    crashed = true;
                    break;
                }
                Ok(()) => K::made(&mut world, action, true),
                // The flow went into UPDATING by the action before, or the Source did something since the look.
                Err(No::Conflict(_)) if nth > 0 || natured => {
                    failure = Some(refusal());
                    K::intend(&mut world, action, false);
                    break;
                }
                // What rests on what AWS does not take is not taken either.
                Err(No::Bad(_)) if refused.is_some() => {
                    let no = Failure { class: FailureClass::Invalid, ..refusal() };
                    book.refused(&action.changes(), &no, Duration::ZERO);
                    left = book.left(None);
                    failure = Some(no);
                    K::intend(&mut world, action, false);
                    break;
                }
                Err(no) => return Err(format!("AWS would say {no:?}")),
            }
            if nth > 0 && tally.walking {
                way.worlds.push(before);
            }
        }
        // What holds up nothing: a refusal of one keeps no other from being done.
        for chore in &chores {
            if let Some(trace) = &mut trace {
                let _ = writeln!(trace, "      + {chore:?}");
            }
            let strikes = fault.filter(|(at, _)| *at == done).map(|(_, f)| f);
            done += 1;
            tally.actions += 1;
            moved = true;
            match strikes {
                Some(Fault::CrashBefore) => {
                    crashed = true;
                    break;
                }
                Some(Fault::Refused | Fault::NeverTaken) => continue,
                Some(Fault::AnswerLost) | None => {}
            }
            let before = world.clone();
            let answer = K::act(&mut world, chore);
            if let Some(sin) = K::sin(&before, &world, wish, chore) {
                return Err(format!("never: {sin}"));
            }
            if let Err(No::Bad(no)) = answer {
                return Err(format!("AWS would say {no:?}"));
            }
            crashed |= strikes.is_some();
        }
        // What was done is seen by the next look, and told then; what the status alone remembers is written at once.
        let passing = !actions.is_empty() && failure.is_none() && !actions.iter().any(|a| a.effect().is_kept);
        if !crashed && !passing && *step != Step::Gone {
            moved |= K::remember(&mut world, wish, &seen, &plan, failure.as_ref());
        }
        // An attempt begins off the air: the pause before it lasts for as long as AWS does not take the stop.
        let stays_on = refused.iter().flat_map(Action::changes).any(|change| change.what == What::Stopped);
        let pauses = matches!(step, Step::Wait { on: Waiting::Restarting { .. }, .. }) && !stays_on;
        if actions.is_empty() && !moved && !pauses {
            // Nothing moves and nothing is done: a pass later all of this is the same.
            tally.longest = tally.longest.max(pass);
            let wrong = match &refused {
                None => K::wrong(&world, wish, step),
                Some(refused) => K::wrong_beside(&world, wish, refused),
            };
            if let Some(wrong) = wrong {
                return Err(format!("at rest, but {wrong}"));
            }
            if !K::is_steady(&world, wish, &seen, &plan) {
                return Err("at rest, but the status is not steady".into());
            }
            way.worlds.push(world);
            way.actions = done;
            return Ok(way);
        }
        if tally.walking {
            way.worlds.push(world.clone());
        }
    }
    Err(format!("no rest within {} passes", K::PASSES))
}

fn refusal() -> Failure {
    Failure {
        class: FailureClass::Conflict,
        operation: "aws:Something".into(),
        message: "it is in a state in which it does not take this".into(),
    }
}

/// What a run passed through.
#[derive(Default)]
struct Way {
    /// Every world on the way; the last is the one at rest.
    worlds: Vec<World>,
    actions: usize,
}

fn told(world: &World) -> String {
    let live = world.live.told();
    let Some(f) = &world.flow else { return format!("no flow, {} secrets, {live}", world.secrets.len()) };
    let sources: Vec<_> = f
        .flow
        .sources
        .iter()
        .map(|s| {
            let lock = if s.settings.decryption.is_some() { "*" } else { "" };
            format!("{}:{}{lock} {}", s.name, s.settings.ingest_port.unwrap_or(0), s.settings.protocol.as_str())
        })
        .collect();
    let outputs: Vec<_> =
        f.flow.outputs.iter().take(4).map(|o| format!("{}={}", o.name, if o.enabled { "on" } else { "off" })).collect();
    format!(
        "{}{} [{}] {:?} {} outputs {outputs:?} {} secrets, {live}{}",
        f.flow.state.as_str(),
        if world.hidden > 0 { " (hidden)" } else { "" },
        sources.join(", "),
        f.flow.failover,
        f.flow.outputs.len(),
        world.secrets.len(),
        if world.updating { "" } else { ", changes are instant" },
    )
}

/// From every state that is reached from the starts, under every wish: the starts, what lies on the way from them, what lies
/// on the way from there, and so on. In the last round each state has its turn with every `stride`th wish only, each with
/// others, and with those that leave nothing. Gives the number of states.
fn everywhere<K: Kind>(
    starts: Vec<World>,
    wishes: &[K::Wish],
    rounds: usize,
    stride: usize,
    tally: &mut Tally,
) -> usize {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut fresh: Vec<World> = starts.into_iter().filter(|w| known.insert(key(w))).collect();
    for round in 1..=rounds {
        let mut next = Vec::new();
        tally.walking = round < rounds;
        let stride = if round < rounds { 1 } else { stride };
        for (nth, start) in fresh.iter().enumerate() {
            let turn = |which: &usize| which % stride == nth % stride || K::leaves_nothing(&wishes[*which]);
            for wish in (0..wishes.len()).filter(turn).map(|which| &wishes[which]) {
                let way = run::<K>(start, wish, None, tally);
                // Where changes are instant there is less to be found: one round less.
                if round + usize::from(!start.updating) < rounds {
                    next.extend(way.worlds.into_iter().filter(|w| known.insert(key(w))));
                }
            }
        }
        fresh = next;
    }
    known.len()
}

/// What makes two worlds different for a planner: serials in ARNs do not. By hand, because it is what all this spends its
/// time with.
fn key(world: &World) -> String {
    let mut key = format!("{} {} {} {} ", world.updating, world.more_outputs, world.hidden, world.intent);
    let mut put = |text: &str| {
        key.push_str(text);
        key.push(' ');
    };
    for copy in &world.secrets {
        put(&copy.name);
    }
    world.live.put(&mut put);
    remembered(world, &mut put);
    let Some(f) = &world.flow else { return key };
    for state in [f.flow.state, f.back_to] {
        put(state.as_str());
    }
    for v in &f.flow.vpc_interfaces {
        put(&v.name);
    }
    put(f.flow.size.as_deref().unwrap_or("-"));
    put(if f.flow.ndi.is_some() { "ndi" } else { "" });
    let failover = &f.flow.failover;
    put(match (failover.enabled, failover.merge) {
        (false, _) => "off",
        (true, false) => "failover",
        (true, true) => "merge",
    });
    put(failover.primary.as_deref().unwrap_or("-"));
    for tag in [TAG_UID, TAG_NAME, TAG_ADOPTED] {
        put(f.tags.get(tag).map_or("-", String::as_str));
    }
    for s in &f.flow.sources {
        put(&s.name);
        put(s.settings.protocol.as_str());
        put(s.settings.vpc_interface.as_deref().unwrap_or("-"));
        put(if s.settings.decryption.is_some() { "*" } else { "" });
        put(s.settings.stream_id.as_deref().unwrap_or(""));
        put(&s.settings.ingest_port.unwrap_or(0).to_string());
    }
    for o in &f.flow.outputs {
        put(&o.name);
        put(if o.enabled { "on" } else { "off" });
        put(o.settings.destination.as_deref().unwrap_or("-"));
        put(if o.settings.encryption.is_some() { "*" } else { "" });
        put(if o.settings.rtmp.as_ref().is_some_and(|r| r.tls) { "tls" } else { "" });
        put(o.settings.protocol.as_str());
    }
    key
}

/// What a Destination remembers, as coarsely as it decides by it.
fn remembered(world: &World, put: &mut impl FnMut(&str)) {
    let Some(status) = &world.status else { return };
    if let Some(retries) = status.retries.as_ref().filter(|r| r.count > 0 || r.up || r.state != RetryWord::Trying) {
        put(&format!("{} {:?} {}", retries.count, retries.state, retries.up));
        put(&format!("{:?} {:?}", status.observed_generation, status.last_handled_reconcile_at));
    }
    if let Some(failover) = &status.failover {
        put(&format!("{:?}", failover.endpoint));
    }
}

/// From each of the starts toward each wish, with each fault at each action.
fn faults<K: Kind>(starts: &[World], wishes: &[K::Wish], tally: &mut Tally) {
    for start in starts {
        for wish in wishes {
            let actions = run::<K>(start, wish, None, tally).actions;
            for at in 0..actions {
                for fault in [Fault::CrashBefore, Fault::AnswerLost, Fault::Refused, Fault::NeverTaken] {
                    run::<K>(start, wish, Some((at, fault)), tally);
                }
            }
        }
    }
}

/// The worlds in which each wish is at rest, for the faults to start from.
fn settled<K: Kind>(starts: &[World], wishes: &[K::Wish], tally: &mut Tally) -> Vec<World> {
    let mut known = BTreeSet::new();
    let mut all: Vec<World> = starts.to_vec();
    for start in starts {
        for wish in wishes {
            all.extend(run::<K>(start, wish, None, tally).worlds.pop());
        }
    }
    all.retain(|w| known.insert(key(w)));
    all
}

fn print(tally: &Tally, kind: &str, states: usize) {
    println!(
        "{kind}: {states} states, {} schedules, {} actions, longest way {} passes",
        tally.schedules, tally.actions, tally.longest
    );
}
