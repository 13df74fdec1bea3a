//! Operations on inputs.

use serde_json::{Map, Value, json};

use super::channel::CHANGEABLE;
use super::input::Status;
use super::memory::Recalled;
use super::rules::input as rules;
use super::{Input, State, bad, conflict, limit, page, text, view};
use crate::config::Config;
use crate::error::ApiError;
use crate::services::ports::{Flows, Secrets};
use crate::services::{Call, tagging};

/// The members of requests that an input keeps.
const SETTINGS: [&str; 8] =
    ["name", "type", "roleArn", "mediaConnectFlows", "destinations", "inputSecurityGroups", "sources", "srtSettings"];

fn settings(input: &Value) -> Map<String, Value> {
    let given = |member: &&str| input.get(*member).filter(|value| !value.is_null());
    SETTINGS.iter().filter_map(|member| given(member).map(|value| ((*member).to_owned(), value.clone()))).collect()
}

fn refuse_unmodelled(input: &Value) -> Result<(), ApiError> {
    let unmodelled =
        ["vpc", "inputDevices", "multicastSettings", "smpte2110ReceiverGroupSettings", "sdiSources", "routerSettings"];
    for member in unmodelled {
        let given = input.get(member).is_some_and(|value| !value.is_null() && *value != json!([]));
        if given {
            return Err(ApiError::not_simulated(&format!("{member} of inputs")));
        }
    }
    match input.get("inputNetworkLocation").and_then(Value::as_str) {
        Some("ON_PREMISES") => Err(ApiError::not_simulated("inputs on premises")),
        _ => Ok(()),
    }
}

pub(super) fn create(
    state: &mut State,
    flows: &mut dyn Flows,
    secrets: &dyn Secrets,
    call: &mut Call<'_>,
) -> Result<Value, ApiError> {
    let keep = call.config.medialive.durations.request_memory;
    let exists = |id: &str| state.inputs.contains_key(id);
    match state.memory.recall(call.operation, call.input, keep, call.now, exists) {
        Recalled::New => {}
        Recalled::Made(id) => return Ok(json!({ "input": view::input(state.input(&id)?, state) })),
        Recalled::Other => return Err(bad("This requestId was used before, with other parameters.")),
    }
    refuse_unmodelled(call.input)?;
    let tags = tagging::given(call.input.get("tags"))?;
    let settings = settings(call.input);
    rules::check(&settings, state, flows, secrets)?;
    check_quota(state, text(&settings, "type"), call.config)?;

    let id = call.ids.number();
    let mut input = Input {
        arn: format!("arn:aws:medialive:{}:{}:input:{id}", call.region, call.config.account),
        id: id.clone(),
        settings,
        tags,
        status: Status::Creating,
        deadline: Some(call.now + call.config.medialive.durations.input_creating),
        gone: None,
        addresses: Vec::new(),
    };
    give_addresses(&mut input, call);
    add_outputs(flows, &input, call)?;
    call.created.extend([id.clone(), input.arn.clone()]);
    state.memory.remember(call.operation, call.input, &id, call.now);
    let answer = json!({ "input": view::input(&input, state) });
    state.inputs.insert(id, input);
    Ok(answer)
}

fn check_quota(state: &State, kind: &str, config: &Config) -> Result<(), ApiError> {
    let pushed = rules::pushed(kind);
    let there = state.inputs.values().filter(|input| input.gone.is_none() && input.pushed() == pushed).count();
    let (what, quota) = match pushed {
        true => ("push inputs", config.medialive.quotas.push_inputs),
        false => ("pull inputs", config.medialive.quotas.pull_inputs),
    };
    if there >= quota { Err(limit(what, quota)) } else { Ok(()) }
}

/// An address for each endpoint that something is pushed to. Those that are there stay.
fn give_addresses(input: &mut Input, call: &mut Call<'_>) {
    let wanted = match input.kind() {
        "RTMP_PUSH" | "RTP_PUSH" | "SRT_LISTENER" => input.pipelines(),
        _ => 0,
    };
    input.addresses.truncate(wanted);
    while input.addresses.len() < wanted {
        let octet = u8::from_str_radix(&call.ids.hex(2), 16).unwrap_or_default();
        input.addresses.push(format!("198.51.100.{}", octet.clamp(1, 254)));
    }
}

/// Each flow of a MEDIACONNECT input gets an output that the input manages.
fn add_outputs(flows: &mut dyn Flows, input: &Input, call: &mut Call<'_>) -> Result<(), ApiError> {
    check_room(flows, input, call.config)?;
    for flow in input.flows() {
        flows.add_output(flow, &input.arn, call).map_err(bad)?;
    }
    Ok(())
}

fn check_room(flows: &dyn Flows, input: &Input, config: &Config) -> Result<(), ApiError> {
    input.flows().into_iter().try_for_each(|flow| flows.room(flow, &input.arn, config).map_err(bad))
}

pub(super) fn describe(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    Ok(view::input(state.input(call.text("inputId"))?, state))
}

pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let keep = call.config.medialive.durations.tombstone_listed;
    let listed = state.inputs.values().filter(|input| super::listed(input.gone, keep, call.now));
    let items = listed.map(|input| (input.id.as_str(), input));
    page::answer(call, "inputs", items, |input| view::input(input, state))
}

pub(super) fn update(
    state: &mut State,
    flows: &mut dyn Flows,
    secrets: &dyn Secrets,
    call: &mut Call<'_>,
) -> Result<Value, ApiError> {
    refuse_unmodelled(call.input)?;
    let input = state.input(call.text("inputId"))?;
    if input.status != Status::Ready {
        return Err(conflict(format!("Input {} cannot be updated in state {}.", input.id, input.state(state))));
    }
    let attached = state.attached(&input.id);
    for channel in &attached {
        let refusal = format!("Input {} cannot be updated while its channel is not idle.", input.id);
        channel.require(CHANGEABLE, &refusal)?;
    }
    let mut changed = input.clone();
    changed.settings.extend(settings(call.input));
    rules::check(&changed.settings, state, flows, secrets)?;
    if let Some(channel) = attached.iter().find(|channel| channel.pipelines() > changed.pipelines()) {
        return Err(bad(format!(
            "Input {} feeds channel {} of class STANDARD and needs two sources.",
            changed.id, channel.id
        )));
    }
    let moved = input.flows() != changed.flows();
    give_addresses(&mut changed, call);
    if moved {
        check_room(flows, &changed, call.config)?;
        flows.remove_outputs(&changed.arn, call.config, call.outside, call.now);
        add_outputs(flows, &changed, call)?;
    }
    state.inputs.insert(changed.id.clone(), changed.clone());
    Ok(json!({ "input": view::input(&changed, state) }))
}

/// Begins to delete an input that no channel has.
pub(super) fn delete_one(state: &mut State, id: &str, call: &Call<'_>) -> Result<Value, ApiError> {
    let input = state.input(id)?;
    if let Some(channel) = state.attached(id).first() {
        let text = format!("Input {id} cannot be deleted because it is attached to channel {}.", channel.id);
        return Err(conflict(text));
    }
    if input.status != Status::Ready {
        return Err(conflict(format!("Input {id} cannot be deleted in state {}.", input.state(state))));
    }
    let input = state.inputs.get_mut(id).ok_or_else(|| super::no_input(id))?;
    input.enter(Status::Deleting, Some(call.now + call.config.medialive.durations.input_deleting));
    Ok(json!({ "id": input.id, "arn": input.arn, "state": "DELETING" }))
}

pub(super) fn delete(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    delete_one(state, call.text("inputId"), call).map(|_| json!({}))
}
