//! The values of secrets.

use serde_json::{Value, json};

use super::{Content, State, error, invalid_parameter};
use crate::error::ApiError;
use crate::services::Call;

/// The value in a request.
pub(super) fn content(call: &Call<'_>) -> Result<Option<Content>, ApiError> {
    let text = |member: &str| call.input.get(member).and_then(Value::as_str).map(str::to_owned);
    match (text("SecretString"), text("SecretBinary")) {
        (Some(_), Some(_)) => {
            Err(invalid_parameter("You can't specify both a binary secret value and a string secret value."))
        }
        (Some(text), None) => Ok(Some(Content::Text(text))),
        (None, bytes) => Ok(bytes.map(Content::Bytes)),
    }
}

/// The request's token becomes the version's id.
pub(super) fn token(call: &mut Call<'_>) -> String {
    match call.text("ClientRequestToken") {
        "" => call.ids.uuid(),
        token => token.to_owned(),
    }
}

pub(super) fn get(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let secret = state.find_usable(call.text("SecretId"))?;
    let (id, stage) = (call.text("VersionId"), call.text("VersionStage"));
    let stage = if id.is_empty() && stage.is_empty() { "AWSCURRENT" } else { stage };
    let version = secret.versions.iter().find(|version| {
        (id.is_empty() || version.id == id) && (stage.is_empty() || version.stages.iter().any(|s| s == stage))
    });
    let version = version.ok_or_else(|| {
        let wanted = if stage.is_empty() { format!("VersionId: {id}") } else { format!("staging label: {stage}") };
        let text = format!("Secrets Manager can't find the specified secret value for {wanted}");
        error("ResourceNotFoundException", text)
    })?;
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "VersionStages": version.stages,
        "CreatedDate": version.created.as_secs_f64(),
    });
    match &version.content {
        Content::Text(text) => answer["SecretString"] = json!(text),
        Content::Bytes(bytes) => answer["SecretBinary"] = json!(bytes),
    }
    Ok(answer)
}

pub(super) fn put(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let token = token(call);
    let Some(content) = content(call)? else {
        return Err(invalid_parameter("You must provide either SecretString or SecretBinary."));
    };
    let stages: Vec<String> = match call.list("VersionStages") {
        [] => vec!["AWSCURRENT".to_owned()],
        given => given.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    };
    let answer = write(state, call, &token, content, stages.clone())?;
    Ok(json!({ "ARN": answer.0, "Name": answer.1, "VersionId": token, "VersionStages": stages }))
}

pub(super) fn update(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let token = token(call);
    let content = content(call)?;
    let mut answer = json!({});
    if let Some(content) = content {
        let (arn, name) = write(state, call, &token, content, vec!["AWSCURRENT".to_owned()])?;
        answer = json!({ "ARN": arn, "Name": name, "VersionId": token });
    }
    let secret = state.find_usable(call.text("SecretId"))?;
    if let Some(description) = call.input.get("Description").and_then(Value::as_str) {
        secret.description = Some(description.to_owned());
        secret.changed = call.callers;
    }
    if let Some(key) = call.input.get("KmsKeyId").and_then(Value::as_str) {
        secret.kms_key = Some(key.to_owned());
        secret.changed = call.callers;
    }
    answer["ARN"] = json!(secret.arn);
    answer["Name"] = json!(secret.name);
    Ok(answer)
}

/// Adds a version. The same token with the same value changes nothing, with another value it is refused.
fn write(
    state: &mut State,
    call: &Call<'_>,
    token: &str,
    content: Content,
    stages: Vec<String>,
) -> Result<(String, String), ApiError> {
    let secret = state.find_usable(call.text("SecretId"))?;
    let named = (secret.arn.clone(), secret.name.clone());
    match secret.versions.iter().find(|version| version.id == token) {
        Some(version) if version.content == content => return Ok(named),
        Some(_) => {
            let text = format!(
                "You can't use ClientRequestToken {token} because that value is already in use for a version of \
                 secret {}.",
                secret.arn
            );
            return Err(error("ResourceExistsException", text));
        }
        None => secret.add(token.to_owned(), content, stages, call.callers),
    }
    Ok(named)
}
