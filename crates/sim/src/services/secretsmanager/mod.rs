//! Secrets Manager.

pub(crate) mod config;
mod list;
mod lookup;
mod past;
mod values;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::quota::Limits;
use super::service::{PLAIN, unknown};
use super::{Call, Region, Service};
use crate::clock::span;
use crate::config::Config;
use crate::error::ApiError;
use crate::ids::Ids;
use crate::regions;
use crate::tester::Seed;
use past::Past;

/// The secrets of a region.
#[derive(Clone, Default)]
pub(crate) struct State {
    secrets: BTreeMap<String, Secret>,
    /// Names of secrets that were deleted without recovery, and until when they are taken.
    tombstones: BTreeMap<String, Duration>,
    /// What lists still show.
    past: Past,
}

#[derive(Clone)]
struct Secret {
    arn: String,
    name: String,
    description: Option<String>,
    kms_key: Option<String>,
    tags: BTreeMap<String, String>,
    /// Oldest first.
    versions: Vec<Version>,
    created: Duration,
    changed: Duration,
    /// Set while the deletion is planned.
    deletion: Option<Deletion>,
}

#[derive(Clone, Copy)]
struct Deletion {
    /// On the callers' clock.
    requested: Duration,
    /// When the secret goes, in simulated time.
    due: Duration,
}

#[derive(Clone)]
struct Version {
    id: String,
    content: Content,
    stages: Vec<String>,
    created: Duration,
}

#[derive(Clone, PartialEq)]
enum Content {
    Text(String),
    /// base64
    Bytes(String),
}

/// The kind, for the control API, of secrets whose deletion is planned.
const PLANNED: &str = "secretsPlannedForDeletion";

pub(crate) const SERVICE: Service = Service {
    name: "secretsmanager",
    model: include_str!("model.json"),
    call,
    rate: |config, _| Some(config.secretsmanager.rate),
    regions: Some(regions::GENERAL),
    invalid: "ValidationException",
    throttled: (400, "ThrottlingException"),
    absent: (400, "ResourceNotFoundException"),
    advance: |region, _, _, now| advance(&mut region.secretsmanager, now),
    limits: Some(LIMITS),
    seed,
    resources,
    beside: &[PLANNED],
    ..PLAIN
};

const LIMITS: Limits = Limits {
    read: |config| json!(config.secretsmanager.quotas),
    write: |config, given| serde_json::from_value(given).map(|quotas| config.secretsmanager.quotas = quotas),
};

fn call(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let state = &mut region.secretsmanager;
    let lag = span(call.config.switches.list_secrets_lag);
    if super::mutating(call.operation) {
        state.past.remember(&state.secrets, call.now, lag);
    }
    match call.operation {
        "CreateSecret" => create(state, call),
        "DescribeSecret" => describe(state, call),
        "GetSecretValue" => values::get(state, call),
        "PutSecretValue" => values::put(state, call),
        "UpdateSecret" => values::update(state, call),
        "DeleteSecret" => delete(state, call),
        "RestoreSecret" => restore(state, call),
        "ListSecrets" => {
            let seen = state.past.seen(call.now, lag).unwrap_or(&state.secrets);
            list::list(seen, call)
        }
        "TagResource" => tag(state, call),
        "UntagResource" => untag(state, call),
        _ => Err(unknown(call)),
    }
}

fn error(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(400, code, message)
}

fn invalid_request(message: impl Into<String>) -> ApiError {
    error("InvalidRequestException", message)
}

fn invalid_parameter(message: impl Into<String>) -> ApiError {
    error("InvalidParameterException", message)
}

/// Secrets go when their recovery window has passed; names are free again when their tombstone is gone.
fn advance(state: &mut State, now: Duration) {
    state.secrets.retain(|_, secret| secret.deletion.is_none_or(|deletion| deletion.due > now));
    state.tombstones.retain(|_, until| *until > now);
}

fn create(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = call.text("Name").to_owned();
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c)) {
        return Err(error(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    for member in ["AddReplicaRegions", "Type", "CrossAccountPrimaryARN"] {
        if call.input.get(member).is_some_and(|value| !value.is_null()) {
            return Err(ApiError::not_simulated(member));
        }
    }
    let content = values::content(call)?;
    let token = values::token(call);
    let tags = given(call)?;
    if let Some(secret) = state.secrets.get(&name) {
        return again(secret, &token, content.as_ref());
    }
    if state.tombstones.contains_key(&name) {
        return Err(scheduled());
    }
    if state.secrets.len() >= call.config.secretsmanager.quotas.secrets {
        return Err(error("LimitExceededException", "You have reached the quota of secrets in this Region."));
    }
    let mut secret = Secret {
        arn: format!(
            "arn:aws:secretsmanager:{}:{}:secret:{name}-{}",
            call.region,
            call.config.account,
            call.ids.mixed(6)
        ),
        name: name.clone(),
        description: call.input.get("Description").and_then(Value::as_str).map(str::to_owned),
        kms_key: call.input.get("KmsKeyId").and_then(Value::as_str).map(str::to_owned),
        tags,
        versions: Vec::new(),
        created: call.callers,
        changed: call.callers,
        deletion: None,
    };
    let mut answer = json!({ "ARN": secret.arn, "Name": name });
    if let Some(content) = content {
        answer["VersionId"] = json!(token);
        secret.add(token, content, vec!["AWSCURRENT".to_owned()], call.callers);
    }
    call.created.extend([secret.arn.clone(), name.clone()]);
    state.secrets.insert(name, secret);
    Ok(answer)
}

fn scheduled() -> ApiError {
    invalid_request("You can't create this secret because a secret with this name is already scheduled for deletion.")
}

/// A name that exists: the same request once more is answered as before, anything else is refused.
fn again(secret: &Secret, token: &str, content: Option<&Content>) -> Result<Value, ApiError> {
    if secret.deletion.is_some() {
        return Err(scheduled());
    }
    let version = secret.versions.iter().find(|version| version.id == token);
    match (version, content) {
        (Some(version), Some(content)) if version.content == *content => {
            Ok(json!({ "ARN": secret.arn, "Name": secret.name, "VersionId": version.id }))
        }
        _ => {
            let text = format!("The operation failed because the secret {} already exists.", secret.name);
            Err(error("ResourceExistsException", text))
        }
    }
}

fn describe(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let secret = state.find(call.text("SecretId"))?;
    Ok(secret.view())
}

fn delete(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let force = call.input.get("ForceDeleteWithoutRecovery").and_then(Value::as_bool).unwrap_or(false);
    let window = call.input.get("RecoveryWindowInDays").and_then(Value::as_u64);
    if force && window.is_some() {
        return Err(invalid_parameter(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ));
    }
    let days = window.unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(invalid_parameter("RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
    }
    let id = call.text("SecretId");
    let name = match state.find(id) {
        Ok(secret) => secret.name.clone(),
        // Documented: who forces the deletion of what is not there is not told so.
        Err(_) if force => {
            return Ok(json!({ "Name": id, "DeletionDate": call.callers.as_secs_f64() }));
        }
        Err(error) => return Err(error),
    };
    if force {
        let Some(secret) = state.secrets.remove(&name) else { return Err(lookup::absent()) };
        state.tombstones.insert(name, call.now + call.config.secretsmanager.durations.tombstone);
        return Ok(json!({
            "ARN": secret.arn,
            "Name": secret.name,
            "DeletionDate": call.callers.as_secs_f64(),
        }));
    }
    let secret = state.find_usable(id)?;
    let after = Duration::from_secs(days * 24 * 3600);
    secret.deletion = Some(Deletion { requested: call.callers, due: call.now + after });
    Ok(json!({ "ARN": secret.arn, "Name": secret.name, "DeletionDate": (call.callers + after).as_secs_f64() }))
}

fn restore(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let secret = state.find(call.text("SecretId"))?;
    secret.deletion = None;
    Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
}

fn given(call: &Call<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for tag in call.list("Tags") {
        let (key, value) = (tag["Key"].as_str().unwrap_or_default(), tag["Value"].as_str().unwrap_or_default());
        if key.is_empty() || key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid_parameter(format!("Tag key '{key}' is not allowed.")));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    check_number(&tags)?;
    Ok(tags)
}

fn check_number(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > 50 { Err(invalid_parameter("A secret can have at most 50 tags.")) } else { Ok(()) }
}

fn tag(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let given = given(call)?;
    let secret = state.find_usable(call.text("SecretId"))?;
    let mut tags = secret.tags.clone();
    tags.extend(given);
    check_number(&tags)?;
    secret.tags = tags;
    Ok(json!({}))
}

fn untag(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let secret = state.find_usable(call.text("SecretId"))?;
    for key in call.list("TagKeys").iter().filter_map(Value::as_str) {
        secret.tags.remove(key);
    }
    Ok(json!({}))
}

/// Makes secrets without a request.
fn seed(regions: &mut BTreeMap<String, Region>, seed: &Seed, config: &Config, ids: &mut Ids, at: Duration) {
    for given in &seed.secrets {
        let (region, name) = (&given.region, &given.name);
        let mut secret = Secret {
            arn: format!("arn:aws:secretsmanager:{region}:{}:secret:{name}-{}", config.account, ids.mixed(6)),
            name: name.clone(),
            description: None,
            kms_key: None,
            tags: BTreeMap::new(),
            versions: Vec::new(),
            created: at,
            changed: at,
            deletion: None,
        };
        let content = Content::Text(given.secret_string.clone());
        secret.add(ids.uuid(), content, vec!["AWSCURRENT".to_owned()], at);
        regions.entry(region.clone()).or_default().secretsmanager.secrets.insert(name.clone(), secret);
    }
}

fn resources(region: &Region, _: &Config, _: Duration) -> Map<String, Value> {
    // A secret whose deletion is planned still exists and still blocks its name, but nobody is to count it as left
    // behind: it is shown, and marked, in a list of its own.
    let (planned, live): (Vec<&Secret>, Vec<&Secret>) =
        region.secretsmanager.secrets.values().partition(|secret| secret.deletion.is_some());
    let show = |list: Vec<&Secret>| -> Value {
        let shown = list.into_iter().map(|secret| {
            let mut seen = secret.view();
            seen["tags"] = json!(secret.tags);
            seen
        });
        shown.collect()
    };
    let mut found = Map::new();
    found.insert("secrets".to_owned(), show(live));
    if !planned.is_empty() {
        found.insert(PLANNED.to_owned(), show(planned));
    }
    found
}
