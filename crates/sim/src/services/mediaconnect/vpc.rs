//! Operations on VPC interfaces.

use serde_json::{Value, json};

use super::flow::Flow;
use super::members::members;
use super::rules::Touched;
use super::{State, bad, not_found, rules};
use crate::error::ApiError;
use crate::ids::Ids;
use crate::services::Call;
use crate::services::ports::Secrets;

/// Interfaces from a request, not checked yet.
pub(super) fn made(given: &[Value], ids: &mut Ids) -> Vec<Value> {
    given
        .iter()
        .map(|given| {
            let mut interface = members(given);
            interface.remove("vpcInterfaceTags");
            interface.entry("networkInterfaceType").or_insert(json!("ena"));
            interface.insert("networkInterfaceIds".to_owned(), json!([format!("eni-{}", ids.hex(17))]));
            Value::Object(interface)
        })
        .collect()
}

pub(super) fn add(state: &mut State, secrets: &dyn Secrets, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    flow.require_changeable()?;
    if call.list("vpcInterfaces").is_empty() {
        return Err(bad("vpcInterfaces must not be empty."));
    }
    let added = made(call.list("vpcInterfaces"), call.ids);
    let mut next = flow.clone();
    next.vpc_interfaces.extend(added);
    rules::check_flow(&next, Touched::Nothing, secrets, call.config)?;
    next.changed(call.config, call.outside, call.now);
    *flow = next;
    Ok(json!({ "flowArn": flow.arn, "vpcInterfaces": flow.vpc_interfaces }))
}

pub(super) fn remove(state: &mut State, secrets: &dyn Secrets, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    let name = call.text("VpcInterfaceName");
    if !flow.has_interface(name) {
        return Err(not_found(format!("VPC interface {name} was not found in flow {}.", flow.arn)));
    }
    flow.require_changeable()?;
    if used(flow, name) {
        return Err(bad(format!("VPC interface {name} is in use by a source or an output of the flow.")));
    }
    let mut next = flow.clone();
    next.vpc_interfaces.retain(|interface| interface["name"] != name);
    rules::check_flow(&next, Touched::Nothing, secrets, call.config)?;
    next.changed(call.config, call.outside, call.now);
    *flow = next;
    Ok(json!({ "flowArn": flow.arn, "nonDeletedNetworkInterfaceIds": [], "vpcInterfaceName": name }))
}

fn used(flow: &Flow, name: &str) -> bool {
    flow.sources.iter().any(|source| source.settings.get("vpcInterfaceName").is_some_and(|used| used == name))
        || flow.outputs.iter().any(|output| {
            output.settings.get("vpcInterfaceAttachment").is_some_and(|used| used["vpcInterfaceName"] == name)
        })
}
