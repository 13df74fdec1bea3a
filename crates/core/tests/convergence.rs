//! The loop observe -> plan -> act against a small AWS (`fixtures/world.rs`): from every state that it can leave behind,
//! under every wish, with a crash, a refusal or a lost answer at every action, it comes to what the wish asks for.
//!
//! States are found by walking: from every start toward every wish, and each state on the way is a start again. A failure
//! shows the trace of the pass by pass decisions.

#[path = "convergence/destination.rs"]
mod destinations;
mod fixtures;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write as _};
use std::time::Duration;

use fixtures::world::{No, World, WorldFlow};
use fixtures::{at, deleted, encrypted, identity, input, present, rtp_input, source_json, source_object};
use playout_api::destination::RetryWord;
use playout_api::source::{HealthWord, SourceState};
use playout_api::{Source, SourceSpec};
use playout_core::existence::Existence;
use playout_core::failure::{Failure, FailureClass};
use playout_core::fight::{Left, What};
use playout_core::identity::{Ownership, TAG_ADOPTED, TAG_NAME, TAG_UID, owner};
use playout_core::kinds::source;
use playout_core::kinds::source::observed::{Hold, TestPhase, Users};
use playout_core::plan::{Action, Desired, Plan, Step};
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
    type Action: playout_core::plan::Action + Clone + PartialEq;
    type Memory: Default;
    /// Passes within which everything must have come to rest.
    const PASSES: usize;
    fn name(wish: &Self::Wish) -> &'static str;
    /// Whether there is nothing at rest: what is overlooked then is overlooked for ever.
    fn leaves_nothing(wish: &Self::Wish) -> bool;
    fn look(world: &World, wish: &Self::Wish) -> Self::Seen;
    fn plan(wish: &Self::Wish, seen: &Self::Seen) -> Plan<Self::Action, Self::Memory>;
    fn housekeeping(wish: &Self::Wish, seen: &Self::Seen) -> Vec<Self::Action>;
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
    /// Lets the planner go on as if this were as wished.
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
            Step::Wait { .. } | Step::Settled | Step::Stuck(_) => K::housekeeping(wish, &seen),
            Step::Act(_) | Step::Gone => Vec::new(),
        };
        let actions = match step {
            Step::Act(actions) if actions.is_empty() => return Err("an empty Act".into()),
            Step::Act(actions) => actions.as_slice(),
            Step::Wait { .. } | Step::Settled | Step::Stuck(_) | Step::Gone => &[],
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
        let passing = !actions.is_empty() && failure.is_none() && !actions.iter().any(Action::is_told);
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

// ---------------------------------------------------------------------------------------------------- Source

struct SourceShow;

const PASSES: usize = 40;

#[derive(Debug)]
struct SourceWish {
    name: &'static str,
    desired: Desired<source::wanted::Wanted>,
    object: Source,
    retain: bool,
    on_air: bool,
    idle: bool,
    failed: &'static [&'static str],
    /// Sources at rest, with their ports, in any order.
    sources: &'static [(&'static str, i32)],
    lead: Option<&'static str>,
    protocol: Protocol,
    active: bool,
    copies: usize,
    /// Whether people confirm what an adoption would change, as soon as they have read it.
    confirms: bool,
}

fn source_wish(name: &'static str, changes: &[(&str, Value)]) -> SourceWish {
    let mut document = source_json();
    for (pointer, value) in changes {
        fixtures::set(&mut document, pointer, value.clone());
    }
    let spec: SourceSpec = serde_json::from_value(document).expect("a valid spec");
    SourceWish {
        name,
        desired: fixtures::source_wanted(&spec),
        object: source_object(spec),
        retain: false,
        on_air: false,
        idle: false,
        failed: &[],
        sources: &[("main", 5000), ("reserve", 5001)],
        lead: Some("main"),
        protocol: Protocol::SrtListener,
        active: false,
        copies: 0,
        confirms: false,
    }
}

/// One whose flow was there before.
fn external_wish(name: &'static str, policy: &str, changes: &[(&str, Value)]) -> SourceWish {
    let external = json!({"arn": fixtures::FLOW, "policy": policy});
    if policy == "Adopt" {
        let mut all = vec![("/external", external)];
        all.extend_from_slice(changes);
        return source_wish(name, &all);
    }
    let spec: SourceSpec = serde_json::from_value(json!({"external": external})).expect("a valid spec");
    let desired = fixtures::source_wanted(&spec);
    SourceWish { desired, object: source_object(spec), ..source_wish(name, &[]) }
}

fn deleting(wish: SourceWish) -> SourceWish {
    let mut wish = SourceWish { desired: Desired::Absent, sources: &[], lead: None, ..wish };
    deleted(&mut wish.object.metadata);
    wish
}

/// From the states that all other wishes lead to, too.
fn external_wishes() -> Vec<SourceWish> {
    let other = [("/inputs/0/srtListener/port", json!(6000)), ("/tags", json!({"team": "sports"}))];
    let renamed = [
        ("/inputs", json!([encrypted(input("studio-a", "Primary", 5000))])),
        ("/flowSize", json!("Large")),
        ("/state", json!("Stopped")),
    ];
    let adopting = |name, changes: &[(&str, Value)]| external_wish(name, "Adopt", changes);
    let confirmed = |wish| SourceWish { confirms: true, ..wish };
    let moved = |wish| SourceWish { sources: &[("main", 6000), ("reserve", 5001)], ..wish };
    vec![
        external_wish("referenced", "Reference", &[]),
        SourceWish { on_air: true, ..external_wish("referenced and in use", "Reference", &[]) },
        deleting(external_wish("referenced, deleted", "Reference", &[])),
        adopting("adopted", &[]),
        SourceWish { on_air: true, active: true, ..confirmed(adopting("adopted and in use", &[])) },
        moved(adopting("adopted with changes that nobody confirms", &other)),
        moved(confirmed(adopting("adopted with changes", &other))),
        SourceWish {
            sources: &[("studio-a", 5000)],
            lead: None,
            copies: 1,
            ..confirmed(adopting("adopted with all of it changed", &renamed))
        },
        deleting(adopting("adopted, deleted", &[])),
        SourceWish { retain: true, ..deleting(adopting("adopted, deleted, retained", &[])) },
    ]
}

fn source_wishes() -> Vec<SourceWish> {
    let one = |i: Value| ("/inputs", json!([i]));
    let main = || input("main", "Primary", 5000);
    let three = ("/inputs/2", input("slate", "Emergency", 5002));
    let rtp = ("/inputs", json!([rtp_input("main", "Primary", 5000), rtp_input("reserve", "Backup", 5001)]));
    let (running, stopped) = (("/state", json!("Running")), ("/state", json!("Stopped")));
    let lan = |name: &str| json!([{"name": name, "subnetId": "subnet-0a", "securityGroupIds": ["sg-0a"]}]);
    let mut on_lan = main();
    on_lan["vpcInterface"] = json!("lan");
    let mut on_wan = input("main", "Primary", 5000);
    on_wan["vpcInterface"] = json!("wan");
    let ndi = ("/ndi", json!({"discoveryServers": [{"address": "10.0.1.20", "vpcInterface": "lan"}]}));
    let caller = |more: Value| {
        let mut caller = json!({"address": "enc.example.net", "port": 9000});
        caller.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        json!({"name": "main", "priority": "Primary", "protocol": "SrtCaller", "srtCaller": caller})
    };
    let nowhere = json!({"passwordSecretRef": {"name": "nowhere", "key": "x"}});
    let broken = ("/inputs/0/srtListener/encryption", nowhere);
    let gone = |name| deleting(source_wish(name, &[]));
    let single = |name, changes: &[(&str, Value)]| SourceWish {
        sources: &[("main", 5000)],
        lead: None,
        ..source_wish(name, changes)
    };
    let emergency: &[(&str, i32)] = &[("main", 5000), ("slate", 5002)];
    vec![
        source_wish("two inputs, Auto and idle", &[]),
        SourceWish { on_air: true, active: true, ..source_wish("two inputs, Auto and in use", &[]) },
        single("one input, stopped", &[one(main()), stopped.clone()]),
        SourceWish { active: true, ..single("one input, running", &[one(main()), running.clone()]) },
        SourceWish {
            sources: &[("studio-a", 5000)],
            lead: None,
            ..source_wish("one input of another name on the same port", &[one(input("studio-a", "Primary", 5000))])
        },
        SourceWish { copies: 1, ..single("one input, encrypted", &[one(encrypted(main()))]) },
        SourceWish {
            sources: &[("main", 5000), ("reserve", 5001)],
            copies: 2,
            active: true,
            ..source_wish(
                "two inputs, encrypted, running",
                &[
                    ("/inputs", json!([encrypted(main()), encrypted(input("reserve", "Backup", 5001))])),
                    running.clone(),
                ],
            )
        },
        SourceWish {
            sources: &[("main", 5001), ("reserve", 5000)],
            ..source_wish(
                "two inputs with exchanged ports",
                &[("/inputs/0/srtListener/port", json!(5001)), ("/inputs/1/srtListener/port", json!(5000))],
            )
        },
        SourceWish {
            sources: &[("left", 5000), ("right", 5001)],
            lead: Some("left"),
            active: true,
            ..source_wish(
                "both inputs of other names, running",
                &[("/inputs/0/name", json!("left")), ("/inputs/1/name", json!("right")), running.clone()],
            )
        },
        SourceWish {
            lead: Some("reserve"),
            ..source_wish("the second input leads", &[("/activeInput", json!("reserve"))])
        },
        SourceWish {
            protocol: Protocol::Rtp,
            lead: None,
            active: true,
            ..source_wish("two RTP inputs merged", &[rtp, ("/failover", json!({"mode": "Merge"})), running.clone()])
        },
        SourceWish { protocol: Protocol::Rtp, ..single("one RTP input", &[one(rtp_input("main", "Primary", 5000))]) },
        SourceWish {
            protocol: Protocol::SrtCaller,
            sources: &[("main", 0)],
            ..single("one SRT caller with a stream id", &[one(caller(json!({"streamId": "show"})))])
        },
        SourceWish {
            protocol: Protocol::SrtCaller,
            sources: &[("main", 0)],
            ..single("one SRT caller without", &[one(caller(json!({})))])
        },
        SourceWish {
            sources: &[("radio", 5000)],
            lead: None,
            protocol: Protocol::Rtp,
            ..source_wish("one RTP input of another name", &[one(rtp_input("radio", "Primary", 5000))])
        },
        SourceWish {
            on_air: true,
            active: true,
            ..source_wish("three inputs, all well", std::slice::from_ref(&three))
        },
        SourceWish {
            on_air: true,
            active: true,
            failed: &["main", "reserve"],
            sources: emergency,
            ..source_wish("three inputs, both have failed", std::slice::from_ref(&three))
        },
        SourceWish {
            on_air: true,
            active: true,
            sources: emergency,
            lead: Some("slate"),
            ..source_wish("three inputs, the emergency told to lead", &[three, ("/activeInput", json!("slate"))])
        },
        single("one input on an interface", &[one(on_lan.clone()), ("/network/vpcInterfaces", lan("lan"))]),
        single(
            "one input on another interface, small",
            &[one(on_wan), ("/network/vpcInterfaces", lan("wan")), ("/flowSize", json!("Medium"))],
        ),
        single(
            "with NDI discovery",
            &[one(on_lan), ("/network/vpcInterfaces", lan("lan")), ("/flowSize", json!("Large")), ndi],
        ),
        source_wish("suspended", &[("/suspend", json!(true)), running.clone()]),
        source_wish("not to be understood, and stopped", &[broken.clone(), stopped]),
        source_wish("not to be understood, Auto and idle", std::slice::from_ref(&broken)),
        SourceWish {
            on_air: true,
            active: true,
            ..source_wish("not to be understood, Auto and in use", std::slice::from_ref(&broken))
        },
        SourceWish { active: true, ..source_wish("not to be understood, running", &[broken, running]) },
        gone("deleted"),
        SourceWish { retain: true, ..gone("deleted, retained") },
        SourceWish { idle: true, ..gone("deleted while in use") },
        SourceWish { on_air: true, active: true, ..gone("deleted while on the air") },
    ]
}

impl SourceShow {
    fn ownership(flow: &WorldFlow) -> Ownership {
        identity("Source", "studio").ownership(&flow.tags)
    }

    fn observe(world: &World, wish: &SourceWish) -> source::observed::Observed {
        let flow = world.flow.as_ref().filter(|_| world.hidden == 0);
        let mut seen = source::observed::Observed {
            flow: match flow {
                Some(f) => Existence::Present(Box::new(f.flow.clone())),
                None if world.intent > 0 => Existence::Unknown,
                None => Existence::Absent,
            },
            hold: Hold::Own,
            ownership: flow.map_or(Ownership::Foreign, Self::ownership),
            tags: flow.map(|f| f.tags.clone()).unwrap_or_default(),
            secrets: world.secrets.clone(),
            users: Users {
                on_air: wish.on_air.then(|| "Destination/tube".to_string()).into_iter().collect(),
                idle: wish.idle.then(|| "Destination/idle".to_string()).into_iter().collect(),
                outputs: Vec::new(),
            },
            auto: wish.object.spec.state == SourceState::Auto,
            secrets_asked: true,
            secret_names: Vec::new(),
            lost_secrets: Vec::new(),
            inputs: BTreeMap::new(),
            test: TestPhase::None,
            quota: None,
            left: Default::default(),
        };
        seen.hold = source::external::hold(&wish.object, &identity("Source", "studio"), &seen.tags);
        // What is in a flow on the air is measured, and nothing else.
        let measured = flow.filter(|f| f.flow.state == FlowState::Active).map(|f| f.flow.sources.clone());
        for source in measured.unwrap_or_default() {
            let failed = wish.failed.contains(&source.name.as_str());
            let word = if failed { HealthWord::Failed } else { HealthWord::Healthy };
            fixtures::health(&mut seen, &[(&source.name, word)]);
        }
        if let (true, Some(plan)) = (wish.confirms, Self::shown(&seen, wish)) {
            seen.hold = Hold::Claimed { shown: Some(plan), told: true };
        }
        seen
    }

    /// What people read of an adoption.
    fn shown(seen: &source::observed::Observed, wish: &SourceWish) -> Option<Vec<String>> {
        match (&seen.hold, &seen.flow, &wish.desired) {
            (Hold::Claimed { .. }, Existence::Present(flow), Desired::Present(wanted)) => {
                Some(source::external::differences(wanted, seen, flow))
            }
            _ => None,
        }
    }

    /// What an adoption shows must be all that it does, and nothing that it does not.
    fn untold(seen: &source::observed::Observed, wish: &SourceWish) -> Option<String> {
        let plan = Self::shown(seen, wish)?;
        let Existence::Present(flow) = &seen.flow else { return None };
        let steady = matches!(flow.state, FlowState::Active | FlowState::Standby);
        if !steady || seen.ownership != Ownership::Ours {
            return None;
        }
        let adopted = source::observed::Observed { hold: Hold::Adopted, ..seen.clone() };
        let acts = match source::plan::plan(&wish.desired, wish.retain, &adopted) {
            // Copies of passwords that nothing reads are no part of the flow.
            Step::Act(actions) => {
                actions.iter().any(|a| !matches!(a, source::plan::Action::Copy(CopyAction::Delete { .. })))
            }
            _ => false,
        };
        (acts == plan.is_empty()).then(|| format!("{plan:?} is told, and afterwards it {acts}"))
    }
}

impl Kind for SourceShow {
    type Wish = SourceWish;
    type Seen = source::observed::Observed;
    type Action = source::plan::Action;
    type Memory = ();

    /// The longest way (a single input replaced by way of a spare, with every change putting the flow into UPDATING) takes 24.
    const PASSES: usize = PASSES;

    fn name(wish: &SourceWish) -> &'static str {
        wish.name
    }

    fn leaves_nothing(wish: &SourceWish) -> bool {
        wish.desired == Desired::Absent && !wish.retain
    }

    fn look(world: &World, wish: &SourceWish) -> Self::Seen {
        let seen = Self::observe(world, wish);
        let untold = Self::untold(&seen, wish);
        assert!(untold.is_none(), "{untold:?} toward {:?} from {}", wish.name, told(world));
        seen
    }

    fn plan(wish: &SourceWish, seen: &Self::Seen) -> Plan<Self::Action, ()> {
        source::plan::plan(&wish.desired, wish.retain, seen).into()
    }

    fn housekeeping(wish: &SourceWish, seen: &Self::Seen) -> Vec<Self::Action> {
        match &wish.desired {
            Desired::Present(wanted) => source::plan::housekeeping(wanted, seen),
            _ => Vec::new(),
        }
    }

    fn goes_first(_: &()) -> bool {
        false
    }

    fn wrongly_decided(_: &World, _: &SourceWish, _: &()) -> Option<String> {
        None
    }

    fn is_steady(_: &World, wish: &SourceWish, seen: &Self::Seen, plan: &Plan<Self::Action, ()>) -> bool {
        let outcome = |second| source::Outcome {
            wanted: match &wish.desired {
                Desired::Present(wanted) => Some(wanted),
                _ => None,
            },
            seen: Some(seen),
            step: Some(&plan.step),
            ..source::Outcome::at(at(second))
        };
        let first = source::status::status(&wish.object, &outcome(0), fixtures::REGION);
        let mut object = wish.object.clone();
        object.status = Some(first.clone());
        first == source::status::status(&object, &outcome(3600), fixtures::REGION)
    }

    fn act(world: &mut World, action: &Self::Action) -> Result<(), No> {
        world.act_source(action)
    }

    fn remember(
        _: &mut World,
        _: &SourceWish,
        _: &Self::Seen,
        _: &Plan<Self::Action, ()>,
        _: Option<&Failure>,
    ) -> bool {
        false
    }

    fn intend(world: &mut World, _: &Self::Action, is: bool) {
        world.intent = if is { 4 } else { 0 };
    }

    fn made(world: &mut World, action: &Self::Action, answered: bool) {
        if action.needs_intent() {
            match answered {
                true => world.intent = 0,
                false => world.hidden = 3,
            }
        }
    }

    fn sin(before: &World, after: &World, wish: &SourceWish, action: &Self::Action) -> Option<String> {
        use source::plan::Action as A;
        let foreign = before.flow.as_ref().is_some_and(|f| Self::ownership(f) == Ownership::Foreign);
        match &Self::observe(before, wish).hold {
            Hold::Own | Hold::Adopted => {}
            Hold::Referenced => return Some("a referenced flow was acted upon".into()),
            Hold::Claimed { .. } => {
                let anothers = foreign && before.flow.as_ref().is_some_and(|f| owner(&f.tags).is_some());
                let others = |world: &World| world.flow.as_ref().map(|f| (f.flow.clone(), f.output_tags.clone()));
                let tags = matches!(action, A::ClaimFlow { .. } | A::AdoptFlow { .. } | A::ReleaseFlow { .. });
                let copy = wish.desired == Desired::Absent && matches!(action, A::Copy(CopyAction::Delete { .. }));
                return match tags || copy {
                    true if anothers && !copy => Some("another object's flow was claimed".into()),
                    true if others(before) == others(after) => None,
                    _ => Some("something was done before it was confirmed".into()),
                };
            }
        }
        if foreign && before.flow != after.flow {
            return Some("a foreign flow was touched".into());
        }
        if before.flow.as_ref().map(|f| &f.flow.outputs) != after.flow.as_ref().map(|f| &f.flow.outputs)
            && !matches!(action, A::CreateFlow(_))
        {
            return Some("outputs of others were touched".into());
        }
        let kept = |name: &str, settings: &source::wanted::Wanted| {
            // The emergency input has a place only while both others are seen to fail, on the air.
            let flow = before.flow.as_ref().filter(|f| wish.failed.is_empty() || f.flow.state == FlowState::Active);
            let source = flow.and_then(|f| f.flow.sources.iter().find(|s| s.name == name));
            let wished = settings.inputs.iter().find(|i| i.name == name);
            matches!((source, wished), (Some(s), Some(w)) if w.password.is_none() && w.settings.differences(&s.settings).is_empty())
                && wish.sources.iter().any(|(n, _)| *n == name)
        };
        match (action, &wish.desired) {
            (A::CreateFlow(_), _) if before.flow.is_some() => Some("a second flow was created".into()),
            (A::CreateFlow(_) | A::StartFlow { .. } | A::AddSource { .. }, Desired::Absent) => {
                Some("something was made or started that is being deleted".into())
            }
            (A::StopFlow { .. }, _) if wish.active => Some("a flow that is to run was stopped".into()),
            (A::DeleteFlow { .. }, Desired::Present(_)) => Some("a flow that is wanted was deleted".into()),
            // AWS does it, and the channel behind the output fails.
            (A::DeleteFlow { .. }, _) if before.flow.as_ref().is_some_and(is_managed) => {
                Some("a flow was deleted from which MediaLive takes".into())
            }
            (A::RemoveSource { name, .. } | A::UpdateSource { name, .. }, Desired::Present(w)) if kept(name, w) => {
                Some(format!("{name} is as wished and was touched"))
            }
            (A::RemoveSource { name, .. }, Desired::Present(w))
                if is_only_live(before, wish, name) && w.active_input.is_none() =>
            {
                Some(format!("{name} was taken out, and nothing else receives a signal"))
            }
            (_, Desired::Present(w)) if w.suspended => Some("a suspended Source was acted upon".into()),
            (action, Desired::Present(w))
                if w.problem.is_some() && !matches!(action, A::StopFlow { .. } | A::LeaveError { .. }) =>
            {
                Some("what cannot be understood was acted upon".into())
            }
            _ => None,
        }
    }

    fn wrong(world: &World, wish: &SourceWish, step: &Step<Self::Action>) -> Option<String> {
        let flow = world.flow.as_ref();
        let foreign = flow.is_some_and(|f| Self::ownership(f) == Ownership::Foreign);
        let expect = |right: bool, text: &str| (!right).then(|| format!("{text}: {step:?}"));
        let seen = Self::observe(world, wish);
        let stuck = |reason| matches!(step, Step::Stuck(p) if p.reason == reason);
        let anothers = foreign && flow.is_some_and(|f| owner(&f.tags).is_some());
        match (&seen.hold, &wish.desired) {
            (_, Desired::Invalid(_)) => {}
            (Hold::Referenced, Desired::Absent) => return expect(*step == Step::Gone, "it may go"),
            (Hold::Own | Hold::Adopted, Desired::Absent)
                if !wish.retain
                    && !wish.idle
                    && !wish.on_air
                    && !foreign
                    && flow.is_some_and(|f| f.flow.outputs.iter().any(|o| o.managed_by.is_none())) =>
            {
                let waits =
                    matches!(step, Step::Wait { on: Waiting::ForeignOutputs(_) | Waiting::ManagedOutputs(_), .. });
                return expect(waits, "outputs of others are on it");
            }
            (_, Desired::Absent) | (Hold::Own, _) => {}
            (_, Desired::Present(_)) if flow.is_none() => {
                return expect(stuck(Reason::ExternalNotFound), "no flow is made");
            }
            (_, Desired::Present(_)) if anothers => return expect(stuck(Reason::ExternalOwned), "it is another's"),
            (Hold::Referenced, Desired::Present(_)) => {
                let right = match flow.map(|f| f.flow.state) {
                    Some(FlowState::Active) => *step == Step::Settled,
                    Some(FlowState::Standby) => matches!(step, Step::Wait { on: Waiting::ExternalStopped, .. }),
                    _ => stuck(Reason::FlowError),
                };
                return expect(right, "it is as somebody else left it");
            }
            (Hold::Claimed { .. }, Desired::Present(_)) => {
                return expect(!wish.confirms && stuck(Reason::AdoptionPlanned) && !foreign, "it waits for a word");
            }
            (Hold::Adopted, Desired::Present(_)) => {}
        }
        match &wish.desired {
            // Of what is not there nobody has a use.
            Desired::Absent if (wish.idle || wish.on_air) && flow.is_some() => {
                let used = |f: &WorldFlow| wish.active || source::plan::is_sending(&f.flow);
                let ours = flow.filter(|_| seen.hold.is_own() && !foreign);
                let right = ours.is_none_or(|f| f.flow.state != FlowState::Active || used(f));
                return expect(right && matches!(step, Step::Wait { on: Waiting::InUse(_), .. }), "it is in use");
            }
            Desired::Absent if wish.retain => {
                let idle = |f: &WorldFlow| f.flow.state == FlowState::Active && !source::plan::is_sending(&f.flow);
                let paid = seen.auto && seen.hold.is_own() && !foreign && flow.is_some_and(idle);
                return expect(*step == Step::Gone && !paid, "it may go, and runs for nobody");
            }
            Desired::Absent if foreign => return expect(*step == Step::Gone, "the flow is not ours"),
            Desired::Absent if flow.is_some_and(is_managed) => {
                return expect(matches!(step, Step::Wait { on: Waiting::ManagedOutputs(_), .. }), "MediaLive has it");
            }
            Desired::Absent => {
                let clean = flow.is_none() && world.secrets.is_empty();
                return expect(*step == Step::Gone && clean, "something is left, or the finalizer stays");
            }
            Desired::Present(w) if w.suspended => return expect(*step == Step::Settled, "it is suspended"),
            Desired::Present(w) if w.problem.is_some() => {
                let used = |f: &WorldFlow| wish.active || (w.state.is_none() && source::plan::is_sending(&f.flow));
                let right = foreign || flow.is_none_or(|f| f.flow.state != FlowState::Active || used(f));
                return expect(right && matches!(step, Step::Stuck(_)), "it is off where nothing uses it, and told");
            }
            Desired::Present(_) => {}
            Desired::Invalid(problem) => return Some(format!("the wish is valid: {problem:?}")),
        }
        let Some(f) = flow else { return Some(format!("there is no flow: {step:?}")) };
        if foreign {
            return expect(matches!(step, Step::Stuck(p) if p.reason == Reason::NotOurs), "the flow is not ours");
        }
        // One that calls may still have the port on which it listened before.
        let port = |s: &SourceSettings| s.ingest_port.filter(|_| s.protocol != Protocol::SrtCaller).unwrap_or(0);
        let mut sources: Vec<_> = f.flow.sources.iter().map(|s| (s.name.as_str(), port(&s.settings))).collect();
        sources.sort_unstable();
        let wanted = present(wish.desired.clone());
        let encryption = |s: &&playout_core::resources::flow::FlowSource| {
            wanted
                .inputs
                .iter()
                .any(|i| i.name == s.name && i.settings.decryption.is_some() == s.settings.decryption.is_some())
        };
        let interfaces: Vec<_> = f.flow.sources.iter().filter_map(|s| s.settings.vpc_interface.clone()).collect();
        // What AWS takes of a stopped flow only is not there yet, nor what needs it.
        let resized = wanted.size.is_none() || f.flow.size == wanted.size;
        if f.flow.state == FlowState::Active && !resized {
            return expect(*step == Step::Settled, "not settled while the size waits");
        }
        if source::plan::pending_changes(&wanted, &seen).iter().any(|field| field == "inputs") {
            let on_air = f.flow.state == FlowState::Active && source::plan::is_sending(&f.flow);
            return expect(on_air && *step == Step::Settled, "inputs wait for nothing");
        }
        // Under Auto an output that sends is use, whoever's it is: a flow that runs for one is left running.
        let used = wanted.state.is_none() && f.flow.state == FlowState::Active && source::plan::is_sending(&f.flow);
        let active = if wish.active || used { FlowState::Active } else { FlowState::Standby };
        expect(sources == wish.sources, &format!("the inputs are {sources:?}"))
            .or_else(|| expect(*step == Step::Settled, "not settled"))
            .or_else(|| expect(f.flow.sources.iter().all(|s| s.settings.protocol == wish.protocol), "the protocol"))
            .or_else(|| expect(f.flow.sources.iter().filter(encryption).count() == sources.len(), "the encryption"))
            .or_else(|| expect(f.flow.failover.enabled == (sources.len() > 1), "failover"))
            .or_else(|| expect(f.flow.failover.primary.as_deref() == wish.lead, "the lead"))
            .or_else(|| expect(f.flow.failover.merge == wanted.merge.is_some(), "merging"))
            .or_else(|| expect(f.flow.vpc_interfaces.iter().map(|v| v.name.clone()).eq(interfaces), "the interfaces"))
            .or_else(|| expect(f.flow.ndi == wanted.ndi, "NDI"))
            .or_else(|| expect(wanted.size.is_none() || f.flow.size == wanted.size, "the size"))
            .or_else(|| expect(f.flow.state == active, "on or off"))
            .or_else(|| expect(world.secrets.len() == wish.copies, "the copies of passwords"))
            .or_else(|| expect(Self::ownership(f) == Ownership::Ours, "the tags"))
    }

    fn wrong_beside(world: &World, wish: &SourceWish, refused: &Self::Action) -> Option<String> {
        use source::plan::Action as A;
        // What cannot be without it.
        let needed = matches!(
            refused,
            A::CreateFlow(_)
                | A::StartFlow { .. }
                | A::StopFlow { .. }
                | A::LeaveError { .. }
                | A::ClaimFlow { .. }
                | A::AdoptFlow { .. }
        );
        let flow = world.flow.as_ref().filter(|f| Self::ownership(f).is_ours() && !needed)?;
        let seen = Self::observe(world, wish);
        if !seen.hold.is_own() {
            return None;
        }
        let Desired::Present(wanted) = &wish.desired else { return None };
        let used =
            wanted.state.is_none() && flow.flow.state == FlowState::Active && source::plan::is_sending(&flow.flow);
        let on = wish.active || used;
        let right = wanted.suspended || wanted.problem.is_some() || (flow.flow.state == FlowState::Active) == on;
        (!right).then(|| format!("{refused:?} is refused, and the flow is {}", flow.flow.state.as_str()))
    }

    fn leave(seen: &mut Self::Seen, left: Left) {
        seen.left = left;
    }

    fn nature(_: &mut World, _: &SourceWish) -> bool {
        false
    }
}

/// Whether the flow sends and this is the only one of its sources that has not failed.
fn is_only_live(world: &World, wish: &SourceWish, name: &str) -> bool {
    let flow = world.flow.as_ref().filter(|f| f.flow.state == FlowState::Active && source::plan::is_sending(&f.flow));
    let mut live = flow.iter().flat_map(|f| &f.flow.sources).filter(|s| !wish.failed.contains(&s.name.as_str()));
    matches!((live.next(), live.next()), (Some(only), None) if only.name == name)
}

fn worlds_of(updating: bool, of: &SourceWish, change: fn(&mut WorldFlow)) -> World {
    let mut world = World::new(updating);
    for _ in 0..PASSES {
        if let Step::Act(actions) = SourceShow::plan(of, &SourceShow::observe(&world, of)).step {
            for action in actions {
                world.act_source(&action).expect("a fixture");
            }
        }
        world.tick();
    }
    change(world.flow.as_mut().expect("a flow"));
    world
}

fn source_starts() -> Vec<World> {
    let wishes = source_wishes();
    let idle = |change: fn(&mut WorldFlow)| worlds_of(true, &wishes[0], change);
    vec![
        World::new(false),
        World::new(true),
        // A create was sent, its answer is not known, and nothing was made.
        World { intent: 3, ..World::new(true) },
        // Somebody else's flow bears our name.
        idle(|f| f.tags.clear()),
        // That of an earlier object of this name.
        idle(|f| {
            f.tags.insert(TAG_UID.into(), "uid-0".into());
        }),
        idle(|f| f.flow.state = FlowState::Error),
        worlds_of(true, &wishes[3], |f| f.flow.outputs.push(managed())),
    ]
}

/// Flows that somebody has made, with an output, in every state; and one that is another object's.
fn external_starts() -> Vec<World> {
    let wishes = source_wishes();
    let strange = |of: &SourceWish, state: FlowState, managed_by: Option<String>| {
        let mut world = worlds_of(true, of, |f| f.tags = BTreeMap::from([("team".into(), "news".into())]));
        let flow = world.flow.as_mut().expect("a flow");
        (flow.flow.state, flow.flow.name) = (state, "newsroom".into());
        flow.flow.outputs.push(FlowOutput { managed_by, ..managed() });
        world
    };
    let mut worlds = vec![World::new(true), worlds_of(true, &wishes[4], |f| f.tags.clear())];
    for state in [
        FlowState::Standby,
        FlowState::Active,
        FlowState::Updating,
        FlowState::Starting,
        FlowState::Stopping,
        FlowState::Deleting,
        FlowState::Error,
    ] {
        worlds.push(strange(&wishes[0], state, None));
        worlds.push(strange(&wishes[10], state, managed().managed_by));
    }
    let mut anothers = strange(&wishes[0], FlowState::Active, None);
    anothers.flow.as_mut().expect("a flow").tags = identity("Source", "other").tags(&BTreeMap::new());
    worlds.push(anothers);
    worlds
}

fn is_managed(flow: &WorldFlow) -> bool {
    flow.flow.outputs.iter().any(|o| o.managed_by.is_some())
}

fn managed() -> FlowOutput {
    FlowOutput {
        name: "medialive".into(),
        arn: "arn:medialive".into(),
        enabled: true,
        settings: fixtures::plain_rtp(),
        managed_by: Some("arn:aws:medialive:us-west-2:111122223333:input:1".into()),
        listener_address: None,
    }
}

#[test]
fn a_source_converges_from_every_state_under_every_wish() {
    let (wishes, mut tally) = (source_wishes(), Tally::default());
    let states = everywhere::<SourceShow>(source_starts(), &wishes, 3, 1, &mut tally);
    print(&tally, "Source", states);
    assert!(tally.schedules > 2000);
}

#[test]
fn a_flow_that_was_there_before_is_not_touched_or_only_as_confirmed_from_every_state() {
    let (mut wishes, mut tally) = (external_wishes(), Tally::default());
    let starts = || source_starts().into_iter().chain(external_starts()).collect::<Vec<_>>();
    // Some of the others, for the states that they lead to.
    wishes.extend(source_wishes().into_iter().step_by(4));
    let states = everywhere::<SourceShow>(starts(), &wishes, 3, 1, &mut tally);
    print(&tally, "External", states);
    let wishes = external_wishes();
    let starts = settled::<SourceShow>(&starts(), &wishes, &mut tally);
    faults::<SourceShow>(&starts, &wishes, &mut tally);
    print(&tally, "External with faults", starts.len());
    assert!(tally.schedules > 2000);
}

#[test]
fn a_source_converges_after_a_crash_a_refusal_or_a_lost_answer_at_every_action() {
    let (wishes, mut tally) = (source_wishes(), Tally::default());
    let starts = settled::<SourceShow>(&source_starts(), &wishes, &mut tally);
    faults::<SourceShow>(&starts, &wishes, &mut tally);
    print(&tally, "Source with faults", starts.len());
    assert!(tally.schedules > 2000);
}

#[test]
fn what_the_small_aws_refuses() {
    // The world itself can say no; otherwise all of the above would prove nothing.
    let mut world = worlds_of(false, &source_wishes()[0], |_| {});
    let flow = world.flow.clone().expect("a flow").flow;
    let arn = || flow.arn.clone();
    use source::plan::Action as A;
    let failover = playout_core::resources::flow::Failover::default();
    let settings = flow.sources[1].settings.clone();
    let refused = [
        A::SetFailover { flow: arn(), failover },
        A::StopFlow { flow: arn() },
        A::UpdateSource {
            flow: arn(),
            arn: flow.sources[0].arn.clone(),
            name: "main".into(),
            settings: Box::new(settings.clone()),
        },
        A::AddSource {
            flow: arn(),
            source: playout_core::resources::flow::NewSource { name: "third".into(), settings, tags: BTreeMap::new() },
        },
        A::RemoveSource { flow: arn(), arn: "arn:unknown".into(), name: "x".into() },
    ];
    for action in refused {
        let before = world.clone();
        assert!(world.act_source(&action).is_err(), "{action:?}");
        assert_eq!(before.flow, world.flow, "a refusal changes nothing");
    }
    let copy = SecretCopy { arn: "arn:1".into(), name: "x".into(), tags: BTreeMap::new() };
    world.secrets.push(copy);
    world.flow.as_mut().expect("a flow").flow.state = FlowState::Updating;
    let answer = world.act_source(&A::StopFlow { flow: arn() });
    assert!(matches!(answer, Err(No::Conflict(_))), "{answer:?}");
}
