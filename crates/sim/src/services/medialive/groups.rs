//! Operations on input security groups.

use serde_json::{Value, json};

use super::{Group, State, bad, conflict, limit, page, view};
use crate::error::ApiError;
use crate::services::{Call, tagging};

fn rules(call: &Call<'_>) -> Result<Vec<Value>, ApiError> {
    let given = call.list("whitelistRules");
    for rule in given {
        let cidr = rule.get("cidr").and_then(Value::as_str).unwrap_or_default();
        if !super::rules::input::is_cidr(cidr) {
            return Err(bad(format!("The whitelist rule '{cidr}' is not a valid CIDR block.")));
        }
    }
    Ok(given.to_vec())
}

pub(super) fn create(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let rules = rules(call)?;
    if rules.is_empty() {
        return Err(bad("Must specify at least one whitelist"));
    }
    let quota = call.config.medialive.quotas.input_security_groups;
    if state.groups.values().filter(|group| group.gone.is_none()).count() >= quota {
        return Err(limit("input security groups", quota));
    }
    let id = call.ids.number();
    let arn = format!("arn:aws:medialive:{}:{}:inputSecurityGroup:{id}", call.region, call.config.account);
    let tags = tagging::given(call.input.get("tags"))?;
    call.created.extend([id.clone(), arn.clone()]);
    let group = Group { id: id.clone(), arn, rules, tags, gone: None };
    let answer = json!({ "securityGroup": view::group(&group, state) });
    state.groups.insert(id, group);
    Ok(answer)
}

pub(super) fn describe(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    Ok(view::group(state.group(call.text("inputSecurityGroupId"))?, state))
}

pub(super) fn list(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let keep = call.config.medialive.durations.tombstone_listed;
    let listed = state.groups.values().filter(|group| super::listed(group.gone, keep, call.now));
    let items = listed.map(|group| (group.id.as_str(), group));
    page::answer(call, "inputSecurityGroups", items, |group| view::group(group, state))
}

/// The group of a request that changes it.
fn present<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Group, ApiError> {
    let group = state.groups.get_mut(id).ok_or_else(|| super::no_group(id))?;
    match group.gone {
        Some(_) => Err(conflict(format!("Input security group {id} is in state DELETED."))),
        None => Ok(group),
    }
}

/// Rules may change at any time, whoever uses the group.
pub(super) fn update(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let rules = rules(call)?;
    let given = call.input.get("whitelistRules").is_some_and(|rules| !rules.is_null());
    let id = call.text("inputSecurityGroupId");
    let group = present(state, id)?;
    let tags = tagging::merged(&group.tags, call.input.get("tags"))?;
    if given && rules.is_empty() {
        return Err(bad("Must specify at least one whitelist"));
    }
    group.tags = tags;
    if given {
        group.rules = rules;
    }
    let group = group.clone();
    Ok(json!({ "securityGroup": view::group(&group, state) }))
}

/// Deletes a group that nobody uses.
pub(super) fn delete_one(state: &mut State, id: &str, call: &Call<'_>) -> Result<Value, ApiError> {
    let users: Vec<String> = state.users(id).map(|input| input.id.clone()).collect();
    let group = present(state, id)?;
    if !users.is_empty() {
        let text = format!("Input security group {id} is still being used by inputs {}.", users.join(", "));
        return Err(conflict(text));
    }
    group.gone = Some(call.now);
    Ok(json!({ "id": group.id, "arn": group.arn, "state": "DELETED" }))
}

pub(super) fn delete(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    delete_one(state, call.text("inputSecurityGroupId"), call).map(|_| json!({}))
}
