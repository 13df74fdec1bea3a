//! What changes on the air is told: one Event a transition, the message of Ready, a record that stays. What AWS does not say is no
//! transition. Each test is a sentence.

mod destinations;
mod sources;

use std::time::Duration;

use playout_api::source::InputHealth;
use playout_api::{Destination, DestinationSpec, Source};
use playout_core::endpoint::Role;
use playout_core::existence::Existence;
use playout_core::failover::FailoverState;
use playout_core::failure::{Failure, FailureClass};
use playout_core::kinds::destination::memory;
use playout_core::kinds::destination::observed::{Observed, Programme};
use playout_core::kinds::{destination, source};
use playout_core::plan::Desired;
use playout_core::resources::flow::FlowState;
use playout_core::told::News;
use serde_json::{Value, json};

use crate::fixtures::transcode::{self, alert};
use crate::fixtures::{
    at, backup_json, destination_object, destination_seen, destination_spec, destination_wanted, flow, health,
    outcome_of,
};
use crate::fixtures::{input, output, references, source_object, source_seen, source_spec, source_wanted};

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
        self.object.status = Some(source::status::status(&self.object, &outcome, crate::fixtures::REGION));
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

const GOOD: InputHealth = InputHealth::Healthy;
const DEAD: InputHealth = InputHealth::Failed;
const UNKNOWN: InputHealth = InputHealth::Unknown;

/// On the air, and so the inputs are.
fn live(words: &[(&str, InputHealth)]) -> source::observed::Observed {
    let mut seen = source_seen(&[]);
    crate::fixtures::on_air(&mut seen);
    health(&mut seen, words);
    for (name, word) in words.iter().filter(|(_, word)| *word == UNKNOWN) {
        seen.inputs.get_mut(*name).expect("it").measured = Default::default();
        assert_eq!(*word, UNKNOWN);
    }
    seen
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
        let (restart, failed_over_to) =
            (memory::restart(&self.object, at(second)), memory::failed_over_to(&self.object));
        let seen = Observed { restart, failover: FailoverState { failed_over_to, ..seen.failover }, ..seen.clone() };
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

// ------------------------------------------------------------------------------------------------------- why a run ended

fn why(show: &Show) -> String {
    show.json()["status"]["lastRuns"][0]["reason"].as_str().unwrap_or_default().to_string()
}
