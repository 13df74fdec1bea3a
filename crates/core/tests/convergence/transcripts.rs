//! Whole lives as text: what is planned, pass by pass, from the creation of an object to its end. The texts are committed
//! (`crates/core/tests/transcripts/`), so that a reviewer reads a change of behaviour as the difference of a text.
//!
//! `PLAYOUT_WRITE_TRANSCRIPTS=1` writes them anew.

use std::path::PathBuf;

use playout_core::printed::printed;

use super::*;
use crate::destinations::lives as destination;

#[test]
fn the_life_of_a_source_is_as_written() {
    crate::sources::lives::life();
}

#[test]
fn the_life_of_a_source_with_an_emergency_input_is_as_written() {
    crate::sources::lives::with_an_emergency();
}

#[test]
fn the_life_of_a_passed_through_destination_is_as_written() {
    destination::passed_through();
}

#[test]
fn the_life_of_a_transcoded_destination_is_as_written() {
    destination::transcoded();
}

#[test]
fn the_life_of_a_destination_that_is_refused_is_as_written() {
    destination::refused();
}

#[test]
fn the_life_of_a_destination_with_a_backup_is_as_written() {
    destination::with_a_backup();
}

#[test]
fn the_life_of_a_destination_that_is_moved_is_as_written() {
    destination::moved();
}

/// What a transcript says of a kind besides its plans.
pub trait Told: Kind {
    /// The spec as it is requested.
    fn spec(wish: &Self::Wish) -> Value;
    /// What users read after a pass.
    fn status(world: &World, wish: &Self::Wish, seen: &Self::Seen, plan: &Plan<Self::Action, Self::Memory>) -> String;
}

/// Lives through the wishes, one after the other, each until nothing moves any more, and compares the text with the committed one.
pub fn transcript<K: Told>(file: &str, start: World, wishes: &[(&str, K::Wish)]) {
    let mut text = String::new();
    let (mut world, mut before) = (World { clock: 0, ..start }, Value::Null);
    for (title, wish) in wishes {
        let spec = K::spec(wish);
        let _ = writeln!(text, "=== {title}\n{}", changed(&before, &spec));
        before = spec;
        until_rest::<K>(&mut world, wish, &mut text);
    }
    assert!(!text.contains(crate::fixtures::CANARY), "{file} has a secret in it:\n{text}");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(file);
    if std::env::var_os("PLAYOUT_WRITE_TRANSCRIPTS").is_some() {
        std::fs::write(&path, &text).expect("a file that can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(text.lines()).position(|(a, b)| a != b);
    let at = differs.unwrap_or(committed.lines().count().min(text.lines().count()));
    let around = |text: &str| text.lines().skip(at.saturating_sub(6)).take(12).collect::<Vec<_>>().join("\n");
    assert!(
        committed == text,
        "another life than {} tells, from line {} on. It was\n\n{}\n\nand is\n\n{}\n\nIf that is as wanted: \
         PLAYOUT_WRITE_TRANSCRIPTS=1 make test T=transcripts",
        path.display(),
        at + 1,
        around(&committed),
        around(&text)
    );
}

/// The fields of a spec that are not what they were.
fn changed(before: &Value, now: &Value) -> String {
    if now.is_null() {
        return String::new();
    }
    let (none, empty) = (Value::Null, serde_json::Map::new());
    let (old, new) = (before.as_object().unwrap_or(&empty), now.as_object().unwrap_or(&empty));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let value = |of: &serde_json::Map<String, Value>, name: &String| of.get(name).unwrap_or(&none).clone();
    let differs = names.into_iter().filter(|name| value(old, name) != value(new, name));
    let line = |name: &String| match value(new, name) {
        Value::Null => format!("    spec.{name} is left out\n"),
        value => format!("    spec.{name}: {value}\n"),
    };
    differs.map(line).collect()
}

fn until_rest<K: Told>(world: &mut World, wish: &K::Wish, text: &mut String) {
    let mut last = String::new();
    for _ in 0..K::PASSES {
        let natured = K::nature(world, wish);
        let seen = K::look(world, wish);
        let plan = K::plan(wish, &seen);
        let (actions, chores) = match &plan.step {
            Step::Act(actions) => (actions.clone(), Vec::new()),
            Step::Gone => (Vec::new(), Vec::new()),
            Step::Wait { .. } | Step::Settled | Step::Stalled(_) => (Vec::new(), plan.chores.clone()),
        };
        let mut said = format!("{}\n{}", aws(world), printed(&plan, &chores));
        if plan.step != Step::Gone {
            said.push_str(&format!("  status   {}\n", K::status(world, wish, &seen, &plan)));
        }
        if said != last {
            let _ = writeln!(text, "{:>4} s  {said}", world.clock);
        }
        if plan.step == Step::Gone {
            return;
        }
        last = said;

        let mut moved = world.tick() || natured;
        if !actions.is_empty() && K::goes_first(&plan.memory) {
            moved |= K::remember(world, wish, &seen, &plan, None);
        }
        for action in actions.iter().chain(&chores) {
            moved = true;
            if action.needs_intent() {
                K::intend(world, action, true);
            }
            match K::act(world, action) {
                Ok(()) => K::made(world, action, true),
                // The action before it made AWS busy: another pass does it.
                Err(No::Conflict(_)) => break,
                Err(no) => panic!("AWS would say {no:?}:\n{text}"),
            }
        }
        let passing = !actions.is_empty() && !actions.iter().any(|a| a.effect().is_kept);
        if !passing {
            moved |= K::remember(world, wish, &seen, &plan, None);
        }
        let pauses = matches!(plan.step, Step::Wait { on: Waiting::Restarting { .. }, .. });
        if !moved && !pauses {
            return;
        }
    }
    panic!("no rest:\n{text}");
}

/// What is there, in one line.
fn aws(world: &World) -> String {
    let mut all = Vec::new();
    if let Some(WorldFlow { flow, .. }) = &world.flow {
        let inputs = flow.sources.iter().map(|s| format!("{}:{}", s.name, s.settings.ingest_port.unwrap_or_default()));
        all.push(format!("flow {} with {}", flow.state.as_str(), inputs.collect::<Vec<_>>().join(", ")));
        let word = |on: bool| if on { "enabled" } else { "disabled" };
        all.extend(flow.outputs.iter().map(|output| format!("output {} {}", output.name, word(output.enabled))));
    }
    all.extend(world.secrets.iter().map(|secret| format!("secret {}", secret.name)));
    all.extend(world.live.inputs.iter().map(|i| format!("input {} {}", i.input.id, i.input.state.as_str())));
    let channels = world.live.channels.iter().map(|c| &c.channel);
    all.extend(channels.map(|channel| format!("channel {} {}", channel.id, channel.state.as_str())));
    if all.is_empty() { "nothing".into() } else { all.join("; ") }
}

/// State, and the conditions that say more than it.
pub fn conditions(state: &Value, status: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = status["conditions"].as_array().into_iter().flatten();
    let ready = all.filter(|condition| condition["type"] == READY).map(|condition| {
        format!("Ready {} {}: {}", word(&condition["status"]), word(&condition["reason"]), word(&condition["message"]))
    });
    std::iter::once(word(state)).chain(ready).collect::<Vec<_>>().join(", ")
}
