//! A replica whose clock is behind that of the one before it takes nothing for older than it is.

use std::collections::BTreeMap;
use std::time::Duration;

use playout_api::TEST_CONNECTION;
use playout_core::kinds::destination::memory;
use playout_core::kinds::source::observed::TestPhase;
use playout_core::kinds::source::status::test_phase;
use playout_core::resources::flow::FlowState;
use serde_json::json;

use crate::fixtures::{at, destination_object, destination_spec, flow, source_object, source_seen, source_spec};

/// What the replica before wrote is of the second 100; this one's clock says less.
#[test]
fn a_pause_that_begins_in_the_future_is_not_over() {
    let mut object = destination_object(destination_spec(&[]));
    let retries = json!({ "count": 1, "attempts": 5, "state": "Waiting", "since": at(100), "up": false, "keys": "" });
    object.status =
        Some(serde_json::from_value(json!({ "observedGeneration": 3, "retries": retries })).expect("a status"));
    let since = |second| memory::restart(&object, at(second)).expect("restarts").since;
    assert_eq!(since(130), Duration::from_secs(30));
    assert_eq!(since(80), Duration::ZERO);
    assert_eq!(since(-86_400), Duration::ZERO);
}

#[test]
fn a_connection_test_that_begins_in_the_future_is_not_over() {
    let mut source = source_object(source_spec(&[]));
    source.metadata.annotations = Some(BTreeMap::from([(TEST_CONNECTION.into(), "60s".into())]));
    let test = json!({ "requested": "60s", "startedAt": at(90), "activeAt": at(100) });
    source.status = Some(serde_json::from_value(json!({ "connectionTest": test })).expect("a status"));
    let mut seen = source_seen(&[]);
    flow(&mut seen).state = FlowState::Active;
    let phase =
        |second| test_phase(&source, &seen.flow, &seen.management, true, Some(Duration::from_secs(60)), at(second));
    assert_eq!(phase(160), TestPhase::Over);
    assert_eq!(phase(0), TestPhase::Running);
}
