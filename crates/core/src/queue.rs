//! Who gets what there is too little of: whoever was created earlier.

use kube::{Resource, ResourceExt as _};

/// Whether one was created earlier than the other. Of two of the same second the name decides, so that they never both wait.
#[must_use]
pub fn is_earlier<K: Resource>(one: &K, other: &K) -> bool {
    let order = |object: &K| (object.creation_timestamp().map(|at| at.0), object.namespace(), object.name_any());
    order(one) < order(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Source;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use serde_json::json;

    fn source(name: &str, second: i64) -> Source {
        let spec = serde_json::from_value(json!({ "inputs": [] })).expect("a spec");
        let mut source = Source::new(name, spec);
        source.metadata.namespace = Some("show".into());
        source.metadata.creation_timestamp = Some(Time(jiff::Timestamp::from_second(second).expect("a time")));
        source
    }

    #[test]
    fn whoever_was_created_earlier_comes_first_and_a_tie_is_decided_by_name() {
        let (first, second, tie) = (source("b", 1), source("a", 2), source("c", 2));
        assert!(is_earlier(&first, &second) && !is_earlier(&second, &first));
        assert!(is_earlier(&second, &tie) && !is_earlier(&tie, &second));
        assert!(!is_earlier(&first, &first));
    }
}
