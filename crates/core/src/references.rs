//! What the shell looks up for an object before it is parsed: keys of Secrets and SSM parameters.

use std::collections::BTreeMap;

use crate::api::encoding_preset::EncodingPresetSpec;
use crate::api::policy::Algorithm;
use crate::api::reference::{Encryption, KeyReference, SecretKeyReference};
use crate::flow::{Cipher, Password, Protocol};
use crate::plan::Problem;
use crate::reasons::Reason;
use crate::secret::SecretText;

/// A secret text that was looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The text.
    pub text: SecretText,
    /// Which version of which object it is, as a tag may hold it.
    pub version: String,
}

/// What the shell looked up for an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct References {
    /// Keys of Secrets.
    pub secrets: BTreeMap<(String, String), Found>,
    /// SSM parameters.
    pub parameters: BTreeMap<String, Found>,
    /// The `EncodingPreset` that a Destination names, if there is one.
    pub presets: BTreeMap<String, EncodingPresetSpec>,
}

impl References {
    /// The text behind a key of a Secret.
    ///
    /// # Errors
    /// Which Secret or key is missing, and what to do.
    pub fn secret(&self, field: &str, reference: &SecretKeyReference) -> Result<&Found, Problem> {
        let found = self.secrets.get(&(reference.name.clone(), reference.key.clone()));
        found.filter(|f| !f.text.is_empty()).ok_or_else(|| {
            Problem::new(
                Reason::SecretMissing,
                format!(
                    "{field}: Secret {} of this namespace has no key {} with a value. Create it: kubectl create secret generic {} --from-literal={}=...",
                    reference.name, reference.key, reference.name, reference.key
                ),
            )
        })
    }

    /// The text behind a key reference.
    ///
    /// # Errors
    /// What is missing, and what to do.
    pub fn key(&self, field: &str, reference: &KeyReference) -> Result<&Found, Problem> {
        match (&reference.secret_ref, &reference.ssm_parameter) {
            (Some(secret), _) => self.secret(&format!("{field}.secretRef"), secret),
            (None, Some(name)) => self.parameters.get(name).filter(|f| !f.text.is_empty()).ok_or_else(|| {
                Problem::new(
                    Reason::ParameterMissing,
                    format!("{field}.ssmParameter: there is no SSM parameter {name} in this region, or the operator may not read it (ssm:GetParameter)."),
                )
            }),
            (None, None) => {
                Err(Problem::new(Reason::InvalidSpec, format!("{field} names neither secretRef nor ssmParameter.")))
            }
        }
    }
}

/// An `encryption` block: the cipher, and the password of which a copy is kept.
///
/// # Errors
/// A missing Secret or role, or a password that SRT does not take.
pub fn parse_encryption(
    field: &str,
    encryption: &Encryption,
    protocol: Protocol,
    copy_name: impl FnOnce() -> String,
    references: &References,
    role_arn: Option<&str>,
) -> Result<(Cipher, Option<Password>), Problem> {
    let zixi = protocol == Protocol::ZixiPush;
    let password = match &encryption.password_secret_ref {
        Some(reference) => {
            let found = references.secret(&format!("{field}.passwordSecretRef"), reference)?;
            // SRT specification: passphrases have 10 to 79 characters.
            if !zixi && !(10..=79).contains(&found.text.expose().len()) {
                return Err(Problem::new(
                    Reason::InvalidSpec,
                    format!(
                        "{field}.passwordSecretRef: an SRT password has 10 to 79 characters; the one in Secret {} has not.",
                        reference.name
                    ),
                ));
            }
            Some(Password { name: copy_name(), text: found.text.clone(), version: found.version.clone() })
        }
        None => None,
    };
    let cipher = Cipher {
        algorithm: match encryption.algorithm {
            Algorithm::Aes128 => "aes128",
            Algorithm::Aes192 => "aes192",
            Algorithm::Aes256 => "aes256",
        }
        .into(),
        key_type: if zixi { "static-key" } else { "srt-password" }.into(),
        role_arn: needed_role(role_arn, field)?,
        secret_arn: encryption.password_secret_arn.clone(),
    };
    Ok((cipher, password))
}

/// The role that MediaConnect assumes.
///
/// # Errors
/// The operator was started without one.
pub fn needed_role(role_arn: Option<&str>, field: &str) -> Result<String, Problem> {
    role_arn.map(str::to_string).ok_or_else(|| {
        Problem::new(
            Reason::RoleMissing,
            format!(
                "{field} needs a role that MediaConnect can assume; start the operator with --mediaconnect-role-arn."
            ),
        )
    })
}
