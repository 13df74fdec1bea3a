//! What reads do not show yet: lists that come late and replicas that lag behind.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::services::Region;

struct Hidden {
    identifier: String,
    until: Duration,
    /// From Describe and Get too, not only from List.
    from_reads: bool,
}

struct Snapshot {
    region: Region,
    taken: Duration,
}

/// Per service and region.
#[derive(Default)]
struct Replica {
    /// From before the last mutation.
    previous: Option<Snapshot>,
    /// What reads see until then.
    served: Option<(Region, Duration)>,
}

#[derive(Default)]
pub(crate) struct Visibility {
    hidden: Vec<Hidden>,
    replicas: BTreeMap<(String, String), Replica>,
}

impl Visibility {
    pub(crate) fn hide(&mut self, identifiers: &[String], until: Duration, from_reads: bool) {
        for identifier in identifiers {
            self.hidden.push(Hidden { identifier: identifier.clone(), until, from_reads });
        }
    }

    pub(crate) fn forget_the_past(&mut self, now: Duration) {
        self.hidden.retain(|hidden| hidden.until > now);
    }

    /// The hidden resource that a read asks for by name.
    pub(crate) fn hidden_from_read(&self, names: &[String]) -> Option<&str> {
        self.hidden
            .iter()
            .filter(|hidden| hidden.from_reads)
            .find(|hidden| names.contains(&hidden.identifier))
            .map(|hidden| hidden.identifier.as_str())
    }

    /// Takes what is hidden out of the lists of an answer.
    pub(crate) fn filter(&self, operation: &str, output: &mut Value) {
        let list = operation.starts_with("List");
        let gone: Vec<&str> = self
            .hidden
            .iter()
            .filter(|hidden| list || hidden.from_reads)
            .map(|hidden| hidden.identifier.as_str())
            .collect();
        if !gone.is_empty() {
            remove(output, &gone);
        }
    }

    /// Remembers a service of a region as it was before a mutation.
    pub(crate) fn before_mutation(&mut self, service: &str, name: &str, region: &Region, now: Duration) {
        let replica = self.replicas.entry((service.to_owned(), name.to_owned())).or_default();
        replica.previous = Some(Snapshot { region: region.clone(), taken: now });
    }

    /// Lets reads see the state from before the last mutation until then.
    pub(crate) fn serve_previous(&mut self, service: &str, name: &str, until: Duration) {
        let replica = self.replicas.entry((service.to_owned(), name.to_owned())).or_default();
        if let Some(previous) = &replica.previous {
            replica.served = Some((previous.region.clone(), until));
        }
    }

    /// The past that reads see now, if they do.
    pub(crate) fn served(&self, service: &str, name: &str, now: Duration) -> Option<Region> {
        let replica = self.replicas.get(&(service.to_owned(), name.to_owned()))?;
        replica.served.as_ref().filter(|(_, until)| *until > now).map(|(region, _)| region.clone())
    }

    /// The state from before the last mutation, unless that is longer ago than `age`.
    pub(crate) fn previous(&self, service: &str, name: &str, now: Duration, age: Duration) -> Option<Region> {
        let replica = self.replicas.get(&(service.to_owned(), name.to_owned()))?;
        replica.previous.as_ref().filter(|p| now.saturating_sub(p.taken) <= age).map(|p| p.region.clone())
    }
}

fn remove(value: &mut Value, gone: &[&str]) {
    match value {
        Value::Array(list) => {
            list.retain(|item| {
                let is_gone = |value: &Value| value.as_str().is_some_and(|text| gone.contains(&text));
                !(is_gone(item) || item.as_object().is_some_and(|object| object.values().any(is_gone)))
            });
            list.iter_mut().for_each(|item| remove(item, gone));
        }
        Value::Object(object) => object.values_mut().for_each(|item| remove(item, gone)),
        _ => {}
    }
}
