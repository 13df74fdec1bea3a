//! Outputs that MediaLive adds to a flow for its inputs, and removes with them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, json};

use super::State;
use super::flow::{Flow, Output};
use crate::config::Config;
use crate::ids::Ids;
use crate::outside::Outside;
use crate::tester::ControlError;

/// Adds an output as MediaLive does when one of its inputs refers to the flow. Answers its ARN.
pub(crate) fn add_managed_output(
    state: &mut State,
    flow: &str,
    input: &str,
    config: &Config,
    outside: &Outside,
    ids: &mut Ids,
    now: Duration,
) -> Result<String, ControlError> {
    let flow: &mut Flow = state.find(flow).ok_or_else(|| ControlError::absent("flow", flow))?;
    if flow.outputs.len() >= config.mediaconnect.quotas.outputs_per_flow {
        return Err(ControlError::bad("the flow has as many outputs as the quota allows"));
    }
    let id = format!("1-{}-{}", ids.mixed(16), ids.hex(12));
    let name = format!("medialive-{}", ids.hex(12));
    let prefix = flow.arn.split(":flow:").next().unwrap_or_default();
    let arn = format!("{prefix}:output:{id}:{name}");
    let mut settings = Map::new();
    settings.insert("name".to_owned(), json!(name));
    settings.insert("description".to_owned(), json!("Managed by AWS Elemental MediaLive"));
    flow.outputs.push(Output {
        arn: arn.clone(),
        settings,
        tags: BTreeMap::new(),
        media_live_input: Some(input.to_owned()),
        listener_address: String::new(),
    });
    flow.record(config, outside, now);
    Ok(arn)
}

/// Removes the managed outputs of a MediaLive input, or one by its ARN. Answers how many.
pub(crate) fn remove_managed_output(
    state: &mut State,
    input_or_output: &str,
    config: &Config,
    outside: &Outside,
    now: Duration,
) -> usize {
    let mut removed = 0;
    for flow in state.flows.values_mut() {
        let before = flow.outputs.len();
        flow.outputs.retain(|output| {
            let managed = output.media_live_input.as_deref();
            managed.is_none() || (managed != Some(input_or_output) && output.arn != input_or_output)
        });
        if flow.outputs.len() < before {
            removed += before - flow.outputs.len();
            flow.record(config, outside, now);
        }
    }
    removed
}
