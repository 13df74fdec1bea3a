//! Finding secrets, and showing them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Content, Secret, State, Version, error, invalid_request};
use crate::error::ApiError;

pub(super) fn absent() -> ApiError {
    error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

impl State {
    /// By name, ARN or ARN without the random end.
    pub(super) fn find(&mut self, id: &str) -> Result<&mut Secret, ApiError> {
        self.secrets.values_mut().find(|secret| secret.is(id)).ok_or_else(absent)
    }

    /// A secret whose deletion is not planned.
    pub(super) fn find_usable(&mut self, id: &str) -> Result<&mut Secret, ApiError> {
        let secret = self.find(id)?;
        if secret.deletion.is_some() {
            return Err(invalid_request(
                "You can't perform this operation on the secret because it was marked for deletion.",
            ));
        }
        Ok(secret)
    }

    /// Whether another service can read the current value of a secret.
    pub(crate) fn has_value(&self, arn: &str) -> bool {
        self.secrets.values().any(|secret| {
            secret.is(arn) && arn.starts_with("arn:") && secret.deletion.is_none() && !secret.versions.is_empty()
        })
    }
}

impl Secret {
    fn is(&self, id: &str) -> bool {
        self.name == id
            || self.arn == id
            || (id.starts_with("arn:") && self.arn.rsplit_once('-').is_some_and(|(partial, _)| partial == id))
    }

    /// Adds a version; stages that it takes leave the others.
    pub(super) fn add(&mut self, id: String, content: Content, stages: Vec<String>, at: Duration) {
        if stages.iter().any(|stage| stage == "AWSCURRENT") {
            for version in &mut self.versions {
                let was_current = version.stages.iter().any(|stage| stage == "AWSCURRENT");
                version.stages.retain(|stage| stage != "AWSPREVIOUS");
                if was_current {
                    version.stages.push("AWSPREVIOUS".to_owned());
                }
            }
        }
        for version in &mut self.versions {
            version.stages.retain(|stage| !stages.contains(stage));
        }
        self.versions.retain(|version| !version.stages.is_empty());
        self.versions.push(Version { id, content, stages, created: at });
        self.changed = at;
    }

    /// As DescribeSecret and ListSecrets show it.
    pub(super) fn view(&self) -> Value {
        let stages: Map<String, Value> =
            self.versions.iter().map(|version| (version.id.clone(), json!(version.stages))).collect();
        let tags: Vec<Value> = self.tags.iter().map(|(k, v)| json!({ "Key": k, "Value": v })).collect();
        let mut seen = json!({
            "ARN": self.arn,
            "Name": self.name,
            "CreatedDate": self.created.as_secs_f64(),
            "LastChangedDate": self.changed.as_secs_f64(),
            "Tags": tags,
            "VersionIdsToStages": stages,
        });
        if let Some(description) = &self.description {
            seen["Description"] = json!(description);
        }
        if let Some(key) = &self.kms_key {
            seen["KmsKeyId"] = json!(key);
        }
        if let Some(deletion) = self.deletion {
            seen["DeletedDate"] = json!(deletion.requested.as_secs_f64());
        }
        seen
    }
}
