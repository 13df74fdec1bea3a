//! Operations on outputs.

use serde_json::{Value, json};

use super::flow::{Flow, Output};
use super::members::{change, members};
use super::rules::Touched;
use super::{State, bad, rules, view};
use crate::error::ApiError;
use crate::services::ports::Secrets;
use crate::services::{Call, tagging};

/// An output from a request, not checked yet.
pub(super) fn made(given: &Value, egress_ip: &str, call: &mut Call<'_>) -> Result<Output, ApiError> {
    let mut settings = members(given);
    let tags = tagging::given(settings.remove("outputTags").as_ref())?;
    let name = settings.get("name").and_then(Value::as_str).unwrap_or_default();
    let id = format!("1-{}-{}", call.ids.mixed(16), call.ids.hex(12));
    Ok(Output {
        arn: format!("arn:aws:mediaconnect:{}:{}:output:{id}:{name}", call.region, call.config.account),
        settings,
        tags,
        media_live_input: None,
        listener_address: egress_ip.to_owned(),
    })
}

/// Output operations leave an active flow ACTIVE, unless the tester wants it otherwise.
fn changed(flow: &mut Flow, call: &Call<'_>) {
    if call.config.mediaconnect.outputs_update_flow {
        flow.changed(call.config, call.outside, call.now);
    } else {
        flow.record(call.config, call.outside, call.now);
    }
}

pub(super) fn add(state: &mut State, secrets: &dyn Secrets, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    flow.require_changeable()?;
    let given = call.list("outputs").to_vec();
    if given.is_empty() {
        return Err(bad("outputs must not be empty."));
    }
    let quota = call.config.mediaconnect.quotas.outputs_per_flow;
    if flow.outputs.len() + given.len() > quota {
        let text = format!("Flow {} can have at most {quota} outputs.", flow.arn);
        return Err(ApiError::new(420, "AddFlowOutputs420Exception", text));
    }
    // All or nothing: the flow is only replaced when every output is right.
    let mut next = flow.clone();
    let before = next.outputs.len();
    for given in &given {
        next.outputs.push(made(given, &flow.egress_ip, call)?);
    }
    let touched: Vec<String> = next.outputs[before..].iter().map(|output| output.arn.clone()).collect();
    rules::check_flow(&next, Touched::These(&touched), secrets, call.config)?;
    changed(&mut next, call);
    let added = &next.outputs[before..];
    call.created.extend(added.iter().map(|output| output.arn.clone()));
    let answer = json!({
        "flowArn": next.arn,
        "outputs": added.iter().map(|output| view::output(output, &next, call.config, call.now)).collect::<Vec<_>>(),
    });
    *flow = next;
    Ok(answer)
}

fn require_own(output: &Output) -> Result<(), ApiError> {
    match &output.media_live_input {
        Some(input) => Err(bad(format!(
            "Output {} is managed by MediaLive input {input} and cannot be changed or removed.",
            output.arn
        ))),
        None => Ok(()),
    }
}

pub(super) fn update(state: &mut State, secrets: &dyn Secrets, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    let index = flow.output(call.text("OutputArn"))?;
    flow.require_changeable()?;
    require_own(&flow.outputs[index])?;
    let mut given = members(call.input);
    given.remove("FlowArn");
    given.remove("OutputArn");
    let mut next = flow.clone();
    let before = next.outputs[index].settings.clone();
    change(&mut next.outputs[index].settings, &given, false);
    let touched = [next.outputs[index].arn.clone()];
    rules::check_flow(&next, Touched::These(&touched), secrets, call.config)?;
    let same = |member: &&str| before.get(*member) == next.outputs[index].settings.get(*member);
    if !["protocol", "destination", "port", "streamId", "rtmpPushSettings", "encryption"].iter().all(same) {
        let arn = next.outputs[index].arn.clone();
        next.signals.reconnect(&arn, call.now);
    }
    changed(&mut next, call);
    *flow = next;
    Ok(json!({ "flowArn": flow.arn, "output": view::output(&flow.outputs[index], flow, call.config, call.now) }))
}

pub(super) fn remove(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    let index = flow.output(call.text("OutputArn"))?;
    flow.require_changeable()?;
    require_own(&flow.outputs[index])?;
    let gone = flow.outputs.remove(index);
    changed(flow, call);
    Ok(json!({ "flowArn": flow.arn, "outputArn": gone.arn }))
}
