//! Operations on sources.

use serde_json::{Value, json};

use super::members::{change, members};
use super::rules::Touched;
use super::{Source, State, bad, rules, view};
use crate::error::ApiError;
use crate::services::ports::Secrets;
use crate::services::{Call, tagging};

/// A source from a request, not checked yet.
pub(super) fn made(given: &Value, call: &mut Call<'_>) -> Result<Source, ApiError> {
    let mut settings = members(given);
    let tags = tagging::given(settings.remove("sourceTags").as_ref())?;
    let name = settings.get("name").and_then(Value::as_str).unwrap_or_default();
    let id = format!("1-{}-{}", call.ids.mixed(16), call.ids.hex(12));
    let octet = u8::from_str_radix(&call.ids.hex(2), 16).unwrap_or_default();
    Ok(Source {
        fed: None,
        arn: format!("arn:aws:mediaconnect:{}:{}:source:{id}:{name}", call.region, call.config.account),
        ingest_ip: format!("198.51.100.{}", octet.clamp(1, 254)),
        settings,
        tags,
    })
}

pub(super) fn too_many(call: &Call<'_>) -> ApiError {
    bad(format!("A flow can have at most {} sources.", call.config.mediaconnect.quotas.sources_per_flow))
}

pub(super) fn add(state: &mut State, secrets: &dyn Secrets, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    flow.require_changeable()?;
    let given = call.list("sources").to_vec();
    if given.is_empty() {
        return Err(bad("sources must not be empty."));
    }
    if flow.sources.len() + given.len() > call.config.mediaconnect.quotas.sources_per_flow {
        return Err(too_many(call));
    }
    let mut changed = flow.clone();
    let before = changed.sources.len();
    for given in &given {
        changed.sources.push(made(given, call)?);
    }
    let touched: Vec<String> = changed.sources[before..].iter().map(|source| source.arn.clone()).collect();
    rules::check_flow(&changed, Touched::These(&touched), secrets, call.config)?;
    changed.changed(call.config, call.outside, call.now);
    let added = &changed.sources[before..];
    call.created.extend(added.iter().map(|source| source.arn.clone()));
    let answer = json!({
        "flowArn": changed.arn,
        "sources": added.iter().map(|source| view::source(source, &changed, call.config, call.now)).collect::<Vec<_>>(),
    });
    *flow = changed;
    Ok(answer)
}

pub(super) fn update(state: &mut State, secrets: &dyn Secrets, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    let index = flow.source(call.text("SourceArn"))?;
    flow.require_changeable()?;
    let mut given = members(call.input);
    given.remove("FlowArn");
    given.remove("SourceArn");
    let mut changed = flow.clone();
    change(&mut changed.sources[index].settings, &given, true);
    let touched = [changed.sources[index].arn.clone()];
    rules::check_flow(&changed, Touched::These(&touched), secrets, call.config)?;
    changed.changed(call.config, call.outside, call.now);
    *flow = changed;
    Ok(json!({ "flowArn": flow.arn, "source": view::source(&flow.sources[index], flow, call.config, call.now) }))
}

pub(super) fn remove(state: &mut State, secrets: &dyn Secrets, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let flow = state.flow_mut(call.text("FlowArn"))?;
    let index = flow.source(call.text("SourceArn"))?;
    flow.require_changeable()?;
    if flow.sources.len() < 2 {
        return Err(bad("The last source of a flow cannot be removed."));
    }
    let mut changed = flow.clone();
    let gone = changed.sources.remove(index);
    rules::check_flow(&changed, Touched::Nothing, secrets, call.config)?;
    changed.changed(call.config, call.outside, call.now);
    *flow = changed;
    Ok(json!({ "flowArn": flow.arn, "sourceArn": gone.arn }))
}
