//! A plan as text: what `playout plan` prints, and what the lives in `tests/transcripts/` are told in.

use std::fmt::Write as _;

use serde_json::Value;

use crate::action::Action;
use crate::plan::{Deferred, Memory, Plan, Step};

/// The step, what is done beside it, what waits, and what is remembered. Secrets say only that they are there.
#[must_use]
pub fn printed<A: Action, M: Memory>(plan: &Plan<A, M>, beside: &[A]) -> String {
    let mut text = step(&plan.step);
    for chore in beside {
        let _ = writeln!(text, "  beside   {}", action(chore));
    }
    if !plan.deferred.is_empty() {
        let _ = writeln!(text, "  deferred {}", Deferred::fields(&plan.deferred).join(", "));
    }
    if let Some(memory) = plan.memory.told() {
        let _ = writeln!(text, "  memory   {memory}");
    }
    text
}

fn step<A: Action>(step: &Step<A>) -> String {
    match step {
        Step::Act(actions) => actions.iter().map(|one| format!("  act      {}\n", action(one))).collect(),
        Step::Wait { on, poll } => {
            let poll = poll.map_or("when a watch wakes it".to_owned(), |poll| format!("in {} s", poll.as_secs()));
            format!("  wait     {}: {} Looks again {poll}.\n", on.reason(), sentence(&on.message()))
        }
        Step::Settled => "  settled\n".into(),
        Step::Stalled(problem) => format!("  stuck    {}: {}\n", problem.reason, sentence(&problem.message)),
        Step::Gone => "  gone\n".into(),
    }
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

/// An action as it is logged (its resource, what is done, and with what), without the settings that are left to AWS.
fn action<A: Action>(action: &A) -> String {
    let mut value = serde_json::to_value(action).unwrap_or_default();
    drop_nulls(&mut value);
    let pretty = |value: &Value| {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        text.replace('\n', "\n           ")
    };
    let inner = |value: &Value| {
        let (name, of) = value.as_object()?.iter().next()?;
        Some((name.clone(), of.clone()))
    };
    let Some((resource, deed)) = inner(&value) else { return pretty(&value) };
    let Some((name, settings)) = inner(&deed) else { return format!("{resource} {}", pretty(&deed)) };
    format!("{resource} {name} {}", pretty(&settings))
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
