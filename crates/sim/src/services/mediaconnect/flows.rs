//! Operations on flows.

use serde_json::{Map, Value, json};

use super::flow::Status;
use super::members::merge;
use super::rules::Touched;
use super::{Flow, State, bad, outputs, rules, sources, view, vpc};
use crate::error::ApiError;
use crate::ids::Ids;
use crate::services::ports::Secrets;
use crate::services::{Call, pages, tagging};

/// Members of a flow that requests and answers share.
const SETTINGS: [&str; 6] =
    ["sourceFailoverConfig", "maintenance", "sourceMonitoringConfig", "flowSize", "ndiConfig", "encodingConfig"];

/// ListFlows gives so many when nobody asks for a number.
const PAGE: usize = 10;

pub(super) fn create(state: &mut State, secrets: &dyn Secrets, call: &mut Call<'_>) -> Result<Value, ApiError> {
    for member in ["entitlements", "mediaStreams"] {
        if !call.list(member).is_empty() {
            return Err(ApiError::not_simulated(member));
        }
    }
    let name = call.text("name").to_owned();
    if name.is_empty() {
        return Err(bad("name must not be empty."));
    }
    let one = call.input.get("source").filter(|source| !source.is_null());
    let many = call.input.get("sources").and_then(Value::as_array);
    let given: Vec<Value> = match (one, many) {
        (Some(_), Some(_)) => return Err(bad("source and sources exclude each other.")),
        (Some(source), None) => vec![source.clone()],
        (None, Some(sources)) if !sources.is_empty() => sources.clone(),
        _ => return Err(bad("A flow must have at least one source.")),
    };
    if given.len() > call.config.mediaconnect.quotas.sources_per_flow {
        return Err(sources::too_many(call));
    }
    let outputs_given = call.list("outputs").to_vec();
    if state.flows.len() >= call.config.mediaconnect.quotas.flows {
        let text =
            format!("You have reached the quota of {} flows in this Region.", call.config.mediaconnect.quotas.flows);
        return Err(ApiError::new(420, "CreateFlow420Exception", text));
    }
    if outputs_given.len() > call.config.mediaconnect.quotas.outputs_per_flow {
        let text = format!("A flow can have at most {} outputs.", call.config.mediaconnect.quotas.outputs_per_flow);
        return Err(ApiError::new(420, "CreateFlow420Exception", text));
    }

    let id = format!("1-{}-{}", call.ids.mixed(16), call.ids.hex(12));
    let zone = match call.text("availabilityZone") {
        "" => format!("{}a", call.region),
        zone if zone.starts_with(call.region) => zone.to_owned(),
        zone => return Err(bad(format!("availabilityZone {zone} is not in Region {}.", call.region))),
    };
    let octet = u8::from_str_radix(&call.ids.hex(2), 16).unwrap_or_default();
    let mut flow = Flow {
        arn: format!("arn:aws:mediaconnect:{}:{}:flow:{id}:{name}", call.region, call.config.account),
        name,
        availability_zone: zone,
        egress_ip: format!("203.0.113.{}", octet.clamp(1, 254)),
        status: Status::Standby,
        deadline: None,
        restarting: false,
        away: None,
        settings: settings(call.input),
        sources: Vec::new(),
        sources_listed: many.is_some(),
        outputs: Vec::new(),
        vpc_interfaces: Vec::new(),
        tags: tagging::given(call.input.get("flowTags"))?,
        errors: Vec::new(),
        signals: super::signals::Signals::default(),
    };
    flow.settings.entry("flowSize").or_insert(json!("MEDIUM"));
    flow.settings.entry("maintenance").or_insert(window(call.ids));
    flow.vpc_interfaces = vpc::made(call.list("vpcInterfaces"), call.ids);
    for given in &given {
        flow.sources.push(sources::made(given, call)?);
    }
    for given in &outputs_given {
        flow.outputs.push(outputs::made(given, &flow.egress_ip, call)?);
    }
    rules::check_flow(&flow, Touched::Everything, secrets, call.config)?;

    flow.record(call.config, call.outside, call.now);
    call.created.push(flow.arn.clone());
    let answer = json!({ "flow": view::flow(&flow, call.config, call.now) });
    state.flows.insert(flow.arn.clone(), flow);
    Ok(answer)
}

/// The maintenance window of who asks for none: some day, and "The default value is 02:00" (API_AddMaintenance.html).
fn window(ids: &mut Ids) -> Value {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let day = usize::from_str_radix(&ids.hex(2), 16).unwrap_or_default() % DAYS.len();
    json!({ "maintenanceDay": DAYS[day], "maintenanceStartHour": "02:00" })
}

/// flows-update-size.html of the MediaConnect user guide: "The flow must be inactive", and "You can only update Medium flows
/// to Large or Large flows to Medium".
fn check_size(flow: &Flow, given: &Map<String, Value>) -> Result<(), ApiError> {
    let (was, wanted) = (flow.setting(&["flowSize"]), given.get("flowSize").and_then(Value::as_str));
    let Some(wanted) = wanted.filter(|wanted| *wanted != was) else { return Ok(()) };
    if ![was, wanted].iter().all(|size| ["MEDIUM", "LARGE"].contains(size)) {
        return Err(bad(format!("The size of flow {} cannot be updated from {was} to {wanted}.", flow.arn)));
    }
    if flow.status != Status::Standby {
        return Err(bad(format!("To update its size, flow {} must be inactive. Stop the flow first.", flow.arn)));
    }
    Ok(())
}

fn settings(input: &Value) -> Map<String, Value> {
    SETTINGS
        .iter()
        .filter_map(|member| input.get(*member).filter(|v| !v.is_null()).map(|v| ((*member).to_owned(), v.clone())))
        .collect()
}

pub(super) fn describe(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow(call.text("FlowArn"))?;
    Ok(json!({
        "flow": view::flow(flow, call.config, call.now),
        "messages": { "errors": flow.messages(call.now) },
    }))
}

pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flows = state.flows.iter().map(|(arn, flow)| (arn.as_str(), flow));
    pages::answer(call, "flows", PAGE, flows, listed).ok_or_else(|| bad("nextToken is not valid."))
}

/// The short form of lists; tags are not in it.
fn listed(flow: &Flow) -> Value {
    let mut seen = json!({
        "flowArn": flow.arn,
        "name": flow.name,
        "description": "",
        "availabilityZone": flow.availability_zone,
        "sourceType": "OWNED",
        "status": flow.status.name(),
    });
    if let Some(maintenance) = flow.settings.get("maintenance") {
        seen["maintenance"] = maintenance.clone();
    }
    seen
}

pub(super) fn update(state: &mut State, secrets: &dyn Secrets, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    flow.require_changeable()?;
    let mut changed = flow.clone();
    let given = settings(call.input);
    check_size(flow, &given)?;
    let was = changed.setting(&["sourceFailoverConfig", "failoverMode"]).to_owned();
    for (member, value) in &given {
        merge(changed.settings.entry(member.clone()).or_insert(Value::Null), value);
    }
    // What belongs to the mode that was left does not stay behind, unless the request asks for it.
    let mode = changed.setting(&["sourceFailoverConfig", "failoverMode"]).to_owned();
    if mode != was
        && let Some(Value::Object(config)) = changed.settings.get_mut("sourceFailoverConfig")
    {
        let other = if mode == "FAILOVER" { "recoveryWindow" } else { "sourcePriority" };
        if given.get("sourceFailoverConfig").is_none_or(|config| config.get(other).is_none()) {
            config.remove(other);
        }
    }
    rules::check_flow(&changed, Touched::Nothing, secrets, call.config)?;
    changed.changed(call.config, call.outside, call.now);
    *flow = changed;
    Ok(json!({ "flow": view::flow(flow, call.config, call.now) }))
}

pub(super) fn start(state: &mut State, secrets: &dyn Secrets, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    flow.require("started", &[Status::Standby])?;
    // The role reads the keys now: a secret that has gone since it was named is found out here.
    rules::check_flow(flow, Touched::Everything, secrets, call.config)?;
    flow.enter(Status::Starting, Some(call.now + call.config.mediaconnect.durations.flow_starting));
    flow.record(call.config, call.outside, call.now);
    Ok(json!({ "flowArn": flow.arn, "status": flow.status.name() }))
}

pub(super) fn stop(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    flow.require("stopped", &[Status::Active, Status::Starting])?;
    flow.enter(Status::Stopping, Some(call.now + call.config.mediaconnect.durations.flow_stopping));
    flow.record(call.config, call.outside, call.now);
    Ok(json!({ "flowArn": flow.arn, "status": flow.status.name() }))
}

pub(super) fn delete(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    flow.require("deleted", &[Status::Standby, Status::Error])?;
    // Outputs that MediaLive manages do not keep it: their inputs have nothing any more.
    flow.enter(Status::Deleting, Some(call.now + call.config.mediaconnect.durations.flow_deleting));
    flow.record(call.config, call.outside, call.now);
    Ok(json!({ "flowArn": flow.arn, "status": flow.status.name() }))
}
