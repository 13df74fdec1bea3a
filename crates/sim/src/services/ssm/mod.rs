//! Systems Manager: the Parameter Store.

pub(crate) mod config;

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::quota::Limits;
use super::service::{PLAIN, unknown};
use super::{Call, Region, Service};
use crate::config::Config;
use crate::error::ApiError;
use crate::ids::Ids;
use crate::regions;
use crate::tester::Seed;

/// The parameters of a region.
#[derive(Clone, Default)]
pub(crate) struct State {
    parameters: BTreeMap<String, Parameter>,
}

#[derive(Clone)]
struct Parameter {
    kind: String,
    /// Oldest first; the version is the place, from 1.
    versions: Vec<Version>,
    description: Option<String>,
    tags: BTreeMap<String, String>,
}

#[derive(Clone)]
struct Version {
    value: String,
    modified: Duration,
}

pub(crate) const SERVICE: Service = Service {
    name: "ssm",
    model: include_str!("model.json"),
    call,
    rate: |config, _| Some(config.ssm.rate),
    regions: Some(regions::GENERAL),
    invalid: "ValidationException",
    throttled: (400, "ThrottlingException"),
    absent: (400, "ParameterNotFound"),
    limits: Some(LIMITS),
    seed,
    resources,
    ..PLAIN
};

const LIMITS: Limits = Limits {
    read: |config| json!(config.ssm.quotas),
    write: |config, given| serde_json::from_value(given).map(|quotas| config.ssm.quotas = quotas),
};

fn call(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let state = &mut region.ssm;
    match call.operation {
        "GetParameter" => get(state, call),
        "GetParameters" => get_many(state, call),
        "PutParameter" => put(state, call),
        "DeleteParameter" => delete(state, call),
        "AddTagsToResource" => add_tags(state, call),
        "RemoveTagsFromResource" => remove_tags(state, call),
        "ListTagsForResource" => list_tags(state, call),
        _ => Err(unknown(call)),
    }
}

fn error(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(400, code, message)
}

fn absent() -> ApiError {
    error("ParameterNotFound", "")
}

/// The name in a name, an ARN or a `name:version`.
fn parse(id: &str) -> (String, Option<String>) {
    let name = match id.strip_prefix("arn:") {
        Some(arn) => {
            let path = arn.split(":parameter").nth(1).unwrap_or_default();
            // The ARN of a name without hierarchy has a slash that the name has not.
            if path.matches('/').count() > 1 { path.to_owned() } else { path.trim_start_matches('/').to_owned() }
        }
        None => id.to_owned(),
    };
    match name.split_once(':') {
        Some((name, selector)) => (name.to_owned(), Some(selector.to_owned())),
        None => (name, None),
    }
}

fn arn(name: &str, call: &Call<'_>) -> String {
    let slash = if name.starts_with('/') { "" } else { "/" };
    format!("arn:aws:ssm:{}:{}:parameter{slash}{name}", call.region, call.config.account)
}

fn view(name: &str, parameter: &Parameter, selector: Option<&str>, call: &Call<'_>) -> Result<Value, ApiError> {
    let number = match selector {
        None => parameter.versions.len(),
        Some(text) => text.parse().ok().filter(|n| (1..=parameter.versions.len()).contains(n)).ok_or_else(|| {
            let text = format!("Systems Manager could not find version {text} of {name}.");
            error("ParameterVersionNotFound", text)
        })?,
    };
    let version = parameter.versions.get(number.saturating_sub(1)).ok_or_else(absent)?;
    let decrypt = call.input.get("WithDecryption").and_then(Value::as_bool).unwrap_or(false);
    let value = match parameter.kind.as_str() {
        "SecureString" if !decrypt => STANDARD.encode(Sha256::digest(format!("{name}/{number}/{}", version.value))),
        _ => version.value.clone(),
    };
    let mut seen = json!({
        "Name": name,
        "Type": parameter.kind,
        "Value": value,
        "Version": number,
        "LastModifiedDate": version.modified.as_secs_f64(),
        "ARN": arn(name, call),
        "DataType": "text",
    });
    if let Some(selector) = selector {
        seen["Selector"] = json!(format!(":{selector}"));
    }
    Ok(seen)
}

fn get(state: &State, call: &Call<'_>) -> Result<Value, ApiError> {
    let (name, selector) = parse(call.text("Name"));
    let parameter = state.parameters.get(&name).ok_or_else(absent)?;
    Ok(json!({ "Parameter": view(&name, parameter, selector.as_deref(), call)? }))
}

fn get_many(state: &State, call: &Call<'_>) -> Result<Value, ApiError> {
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for id in call.list("Names").iter().filter_map(Value::as_str) {
        let (name, selector) = parse(id);
        let seen = state.parameters.get(&name).and_then(|p| view(&name, p, selector.as_deref(), call).ok());
        match seen {
            Some(seen) => found.push(seen),
            None => invalid.push(id),
        }
    }
    Ok(json!({ "Parameters": found, "InvalidParameters": invalid }))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if first.starts_with("aws") || first.starts_with("ssm") {
        return Err(error("ValidationException", "Parameter name: can't be prefixed with \"aws\" or \"ssm\"."));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(error("ValidationException", "Parameter name must be a fully qualified name."));
    }
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/".contains(c)) {
        return Err(error(
            "ValidationException",
            "Parameter name: only a mix of letters, numbers and the following 4 symbols .-/_ is allowed.",
        ));
    }
    if name.matches('/').count() > 15 {
        let text = "The hierarchy of a parameter name can have at most 15 levels.";
        return Err(error("HierarchyLevelLimitExceededException", text));
    }
    Ok(())
}

fn put(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = parse(call.text("Name")).0;
    check_name(&name)?;
    for member in ["Policies", "AllowedPattern"] {
        if call.input.get(member).is_some_and(|value| !value.is_null()) {
            return Err(ApiError::not_simulated(member));
        }
    }
    let overwrite = call.input.get("Overwrite").and_then(Value::as_bool).unwrap_or(false);
    let value = call.text("Value").to_owned();
    let tags = given(call)?;
    if value.is_empty() {
        return Err(error("ValidationException", "Parameter value can't be empty."));
    }
    if value.len() > 4096 && call.text("Tier") != "Advanced" {
        return Err(error(
            "ValidationException",
            "Standard tier parameters support a maximum value of 4096 characters.",
        ));
    }
    if overwrite && !tags.is_empty() {
        let text = "Invalid request: tags and overwrite can't be used together.";
        return Err(error("ValidationException", text));
    }
    let version = Version { value, modified: call.callers };
    let description = call.input.get("Description").and_then(Value::as_str).map(str::to_owned);
    let full = state.parameters.len() >= call.config.ssm.quotas.parameters;
    let number = match state.parameters.get_mut(&name) {
        Some(_) if !overwrite => {
            let text = "The parameter already exists. To overwrite this value, set the overwrite option in the \
                        request to true.";
            return Err(error("ParameterAlreadyExists", text));
        }
        Some(parameter) => {
            if !call.text("Type").is_empty() {
                call.text("Type").clone_into(&mut parameter.kind);
            }
            parameter.description = description.or_else(|| parameter.description.take());
            parameter.versions.push(version);
            parameter.versions.len()
        }
        None if call.text("Type").is_empty() => {
            return Err(error("ValidationException", "A parameter type is required when you create a parameter."));
        }
        None if full => {
            return Err(error("ParameterLimitExceeded", "You have exceeded the number of parameters."));
        }
        None => {
            let kind = call.text("Type").to_owned();
            let made = Parameter { kind, versions: vec![version], description, tags };
            state.parameters.insert(name.clone(), made);
            call.created.extend([arn(&name, call), name]);
            1
        }
    };
    Ok(json!({ "Version": number, "Tier": if call.text("Tier") == "Advanced" { "Advanced" } else { "Standard" } }))
}

fn delete(state: &mut State, call: &Call<'_>) -> Result<Value, ApiError> {
    state.parameters.remove(&parse(call.text("Name")).0).ok_or_else(absent)?;
    Ok(json!({}))
}

fn given(call: &Call<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for tag in call.list("Tags") {
        let (key, value) = (tag["Key"].as_str().unwrap_or_default(), tag["Value"].as_str().unwrap_or_default());
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(error("ValidationException", "Tag keys must not start with aws:."));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(tags)
}

fn tagged<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Parameter, ApiError> {
    if call.text("ResourceType") != "Parameter" {
        return Err(error("InvalidResourceType", ""));
    }
    state.parameters.get_mut(&parse(call.text("ResourceId")).0).ok_or_else(|| error("InvalidResourceId", ""))
}

fn add_tags(state: &mut State, call: &Call<'_>) -> Result<Value, ApiError> {
    let given = given(call)?;
    let parameter = tagged(state, call)?;
    let mut tags = parameter.tags.clone();
    tags.extend(given);
    if tags.len() > 50 {
        return Err(error("TooManyTagsError", ""));
    }
    parameter.tags = tags;
    Ok(json!({}))
}

fn remove_tags(state: &mut State, call: &Call<'_>) -> Result<Value, ApiError> {
    let parameter = tagged(state, call)?;
    for key in call.list("TagKeys").iter().filter_map(Value::as_str) {
        parameter.tags.remove(key);
    }
    Ok(json!({}))
}

fn list_tags(state: &mut State, call: &Call<'_>) -> Result<Value, ApiError> {
    let parameter = tagged(state, call)?;
    let tags: Vec<Value> = parameter.tags.iter().map(|(k, v)| json!({ "Key": k, "Value": v })).collect();
    Ok(json!({ "TagList": tags }))
}

/// Makes parameters without a request.
fn seed(regions: &mut BTreeMap<String, Region>, seed: &Seed, _: &Config, _: &mut Ids, at: Duration) {
    for given in &seed.parameters {
        let parameter = Parameter {
            kind: given.r#type.clone(),
            versions: vec![Version { value: given.value.clone(), modified: at }],
            description: None,
            tags: BTreeMap::new(),
        };
        let region = regions.entry(given.region.clone()).or_default();
        region.ssm.parameters.insert(given.name.clone(), parameter);
    }
}

fn resources(region: &Region, _: &Config, _: Duration) -> Map<String, Value> {
    let parameters = region.ssm.parameters.iter().map(|(name, parameter)| {
        json!({
            "name": name,
            "type": parameter.kind,
            "version": parameter.versions.len(),
            "description": parameter.description,
            "tags": parameter.tags,
        })
    });
    let mut found = Map::new();
    found.insert("parameters".to_owned(), parameters.collect());
    found
}
