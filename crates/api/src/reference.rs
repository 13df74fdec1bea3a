//! References from one object to another. None has a namespace: they all stay in the object's own.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One key of a Secret of the same namespace.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = super::text::secret_name_rules)]
pub struct SecretKeyReference {
    /// Name of the Secret, in the namespace of this object.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key within the Secret's `data`. Example: `streamKey`.
    #[schemars(schema_with = "super::text::secret_key")]
    pub key: String,
}

/// Where a stream key is kept. Exactly one of the two.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[x_kube(validation = Rule::new("has(self.secretRef) != has(self.ssmParameter)").message("streamKey needs exactly one of secretRef (a key of a Secret of this namespace) and ssmParameter (an SSM parameter)"))]
#[serde(rename_all = "camelCase")]
pub struct KeyReference {
    /// A key of a Secret of the same namespace. A change of the Secret is noticed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeyReference>,
    /// Name of an SSM parameter (String or SecureString) in the object's region. Example: `/live/youtube/main`.
    /// A change is noticed within five minutes, or at once with the annotation `playout.dev/reconcile-at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::text::ssm_parameter")]
    pub ssm_parameter: Option<String>,
}

/// Where the password of a login is kept.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[x_kube(validation = Rule::new("has(self.ssmParameter) && !has(self.secretRef)").message("password needs ssmParameter alone, because MediaLive reads the password from SSM itself and not from a Secret: put it there (aws ssm put-parameter --type SecureString) and name that parameter"))]
#[serde(rename_all = "camelCase")]
pub struct LoginPassword {
    /// Name of an SSM parameter (SecureString) in the object's region, which MediaLive reads with its own role
    /// (`ssm:GetParameter`). The operator never reads it. Example: `/live/receiver/password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::text::ssm_parameter")]
    pub ssm_parameter: Option<String>,
    /// Not taken yet: MediaLive reads SSM parameters only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeyReference>,
}

/// How a stream is encrypted on its way. Exactly one of the two places for the password.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[x_kube(validation = Rule::new("has(self.passwordSecretRef) != has(self.passwordSecretArn)").message("encryption needs exactly one of passwordSecretRef (a key of a Secret of this namespace) and passwordSecretArn (a secret in AWS Secrets Manager)"))]
#[serde(rename_all = "camelCase")]
pub struct Encryption {
    /// Length of the AES key: `Aes128`, `Aes192` or `Aes256` (default).
    #[serde(default)]
    pub algorithm: super::policy::Algorithm,
    /// The password (SRT: 10 to 80 characters) in a Secret of this namespace. The operator keeps a copy in AWS
    /// Secrets Manager, where MediaConnect reads it, and removes the copy with the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<SecretKeyReference>,
    /// ARN of a secret that already exists in AWS Secrets Manager. It is only used, never changed or removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::text::secret_arn")]
    pub password_secret_arn: Option<String>,
}

/// The kind of object that a Destination takes its programme from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ProgrammeKind {
    /// A `Source`.
    #[default]
    Source,
}

/// The programme that a Destination sends on.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct ProgrammeReference {
    /// Kind of the object: `Source`.
    #[serde(default)]
    pub kind: ProgrammeKind,
    /// Its name, in the namespace of this object.
    #[schemars(schema_with = "super::text::object_name")]
    pub name: String,
}
