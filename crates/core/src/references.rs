//! What the shell looks up for an object before it is parsed: keys of Secrets and SSM parameters.

use std::collections::BTreeMap;

use crate::api::destination::DestinationSpec;
use crate::api::encoding_preset::EncodingPresetSpec;
use crate::api::policy::Algorithm;
use crate::api::reference::{Encryption, KeyReference, SecretKeyReference};
use crate::api::source::SourceSpec;
use crate::failure::Problem;
use crate::keys::{self, Use};
use crate::reasons::Reason;
use crate::resources::flow::{Cipher, Password, Protocol};
use crate::secret::SecretText;
use crate::wording::shortened;

/// A secret text that was looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The text.
    pub text: SecretText,
    /// What tells it from another text, in a status or a name; `None`: it is not known whether it has changed.
    pub fingerprint: Option<String>,
}

/// Why there is no text where a reference to a Secret points.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Missing {
    /// There is no such Secret.
    Secret,
    /// The Secret has no such entry. It has these.
    Entry(Vec<String>),
    /// The entry is no text.
    Unreadable {
        /// It looks like UTF-16, as Windows PowerShell writes files.
        utf16: bool,
    },
}

/// What the shell looked up for an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct References {
    /// Namespace of the object, for commands in messages.
    pub namespace: String,
    /// Region of the object, for commands in messages.
    pub region: String,
    /// Entries of Secrets, by the names of the Secret and the entry.
    pub secrets: BTreeMap<(String, String), Found>,
    /// Why an entry that was looked for is not among them. Of one that is in neither the API server said nothing.
    pub missing: BTreeMap<(String, String), Missing>,
    /// SSM parameters.
    pub parameters: BTreeMap<String, Found>,
    /// The `EncodingPreset` that a Destination names, if there is one.
    pub presets: BTreeMap<String, Result<EncodingPresetSpec, Problem>>,
}

/// What a spec refers to.
#[derive(Debug, Default)]
pub struct Needed<'a> {
    /// Entries of Secrets.
    pub secrets: Vec<&'a SecretKeyReference>,
    /// SSM parameters.
    pub parameters: Vec<&'a str>,
    passwords: usize,
}

impl<'a> Needed<'a> {
    /// By a Source.
    #[must_use]
    pub fn of_source(spec: &'a SourceSpec) -> Self {
        let mut needed = Self::default();
        for input in &spec.inputs {
            needed
                .key(input.rtmp.as_ref().map(|r| &r.stream_key))
                .encryption(input.srt_listener.as_ref().and_then(|s| s.encryption.as_ref()))
                .encryption(input.srt_caller.as_ref().and_then(|s| s.encryption.as_ref()))
                .encryption(input.zixi_push.as_ref().and_then(|s| s.encryption.as_ref()));
        }
        needed
    }

    /// By a Destination.
    #[must_use]
    pub fn of_destination(spec: &'a DestinationSpec) -> Self {
        let mut needed = Self::default();
        needed
            .key(spec.stream_key.as_ref())
            .key(spec.backup.as_ref().and_then(|b| b.stream_key.as_ref()))
            .encryption(spec.encryption.as_ref());
        needed
    }

    fn key(&mut self, reference: Option<&'a KeyReference>) -> &mut Self {
        self.secrets.extend(reference.and_then(|r| r.secret_ref.as_ref()));
        self.parameters.extend(reference.and_then(|r| r.ssm_parameter.as_deref()));
        self
    }

    fn encryption(&mut self, encryption: Option<&'a Encryption>) -> &mut Self {
        let password = encryption.and_then(|e| e.password_secret_ref.as_ref());
        self.passwords += usize::from(password.is_some());
        self.secrets.extend(password);
        self
    }

    /// Whether there are passwords among them.
    #[must_use]
    pub fn has_passwords(&self) -> bool {
        self.passwords > 0
    }
}

/// The text of an entry of a Secret.
///
/// # Errors
/// Why there is none.
pub fn entry<'a>(entries: impl IntoIterator<Item = (&'a String, &'a [u8])>, name: &str) -> Result<SecretText, Missing> {
    let mut others = Vec::new();
    for (key, bytes) in entries {
        if key == name {
            return read(bytes);
        }
        others.push(key.clone());
    }
    Err(Missing::Entry(others))
}

fn read(bytes: &[u8]) -> Result<SecretText, Missing> {
    // `echo key > file` of Windows PowerShell writes UTF-16 with a mark before it. Without the mark it is valid UTF-8 as well,
    // of which every second character is NUL.
    let marked = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    if marked || bytes.contains(&0) {
        return Err(Missing::Unreadable { utf16: true });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(SecretText::new(trimmed(text))),
        Err(_) => Err(Missing::Unreadable { utf16: false }),
    }
}

/// The text without line breaks at its end: files and here-documents end in one that nobody means.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

impl References {
    /// The text behind an entry of a Secret.
    ///
    /// # Errors
    /// What is missing of it, and what to do.
    pub fn secret(&self, field: &str, reference: &SecretKeyReference) -> Result<&Found, Problem> {
        let SecretKeyReference { name, key } = reference;
        let place = (name.clone(), key.clone());
        let (namespace, write) = (&self.namespace, self.write_entry(reference));
        let text = match (self.secrets.get(&place), self.missing.get(&place)) {
            (Some(found), _) if !found.text.is_empty() => return Ok(found),
            (Some(_), _) => format!("entry {key} of Secret {name} is empty. Write it: {write}"),
            (None, Some(Missing::Entry(others))) if others.is_empty() => {
                format!("Secret {name} has no entries at all. Add {key}: {write}")
            }
            (None, Some(Missing::Entry(others))) => {
                format!(
                    "Secret {name} has no entry {key}; it has {}. Correct {field}.key, or add the entry: {write}",
                    shortened(others)
                )
            }
            (None, Some(Missing::Unreadable { utf16: true })) => format!(
                "entry {key} of Secret {name} is UTF-16 text, as Windows PowerShell writes files with >; it must be UTF-8. Write it anew: {write}"
            ),
            (None, Some(Missing::Unreadable { utf16: false })) => {
                format!("entry {key} of Secret {name} is no UTF-8 text. Write it anew: {write}")
            }
            (None, None) => format!("entry {key} of Secret {name} could not be read."),
            (None, Some(Missing::Secret)) => format!(
                "there is no Secret {name} in namespace {namespace}. Create it: kubectl -n {namespace} create secret generic {name} --from-literal={key}=..."
            ),
        };
        Err(Problem::new(Reason::SecretMissing, format!("{field}: {text}")))
    }

    /// The text behind a key reference.
    ///
    /// # Errors
    /// What is missing, and what to do.
    pub fn key(&self, field: &str, reference: &KeyReference) -> Result<&Found, Problem> {
        match (&reference.secret_ref, &reference.ssm_parameter) {
            (Some(secret), _) => self.secret(&format!("{field}.secretRef"), secret),
            (None, Some(name)) => {
                let text = match self.parameters.get(name) {
                    Some(found) if !found.text.is_empty() => return Ok(found),
                    Some(_) => format!("SSM parameter {name} is empty. Write it: {}", self.write_parameter(name, true)),
                    None => format!(
                        "there is no SSM parameter {name} in region {}. Create it: {}",
                        self.region,
                        self.write_parameter(name, false)
                    ),
                };
                Err(Problem::new(Reason::ParameterMissing, format!("{field}.ssmParameter: {text}")))
            }
            (None, None) => {
                Err(Problem::new(Reason::InvalidSpec, format!("{field} names neither secretRef nor ssmParameter.")))
            }
        }
    }

    /// The text behind a key reference, if it can be a key.
    ///
    /// # Errors
    /// What is missing, or wrong with the text and where, and what to do.
    pub fn stream_key(&self, field: &str, reference: &KeyReference, used_as: Use) -> Result<&Found, Problem> {
        let found = self.key(field, reference)?;
        let Some(fault) = keys::fault(&found.text, used_as) else { return Ok(found) };
        let text = match (&reference.secret_ref, &reference.ssm_parameter) {
            (Some(secret), _) => {
                let SecretKeyReference { name, key } = secret;
                let write = self.write_entry(secret);
                format!(
                    "{field}.secretRef: the text in entry {key} of Secret {name} {fault}. Write the key alone: {write}"
                )
            }
            (None, name) => {
                let name = name.as_deref().unwrap_or_default();
                let write = self.write_parameter(name, true);
                format!("{field}.ssmParameter: the text in SSM parameter {name} {fault}. Write the key alone: {write}")
            }
        };
        Err(Problem::new(Reason::InvalidSpec, text))
    }

    /// A command that writes an entry of a Secret that is there, and leaves its other entries alone.
    fn write_entry(&self, SecretKeyReference { name, key }: &SecretKeyReference) -> String {
        let namespace = &self.namespace;
        format!(r#"kubectl -n {namespace} patch secret {name} --type merge -p '{{"stringData":{{"{key}":"..."}}}}'"#)
    }

    fn write_parameter(&self, name: &str, there: bool) -> String {
        let (region, overwrite) = (&self.region, if there { " --overwrite" } else { "" });
        format!("aws ssm put-parameter --region {region} --name {name} --type SecureString{overwrite} --value ...")
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
    copy_name: impl FnOnce(Option<&str>) -> String,
    references: &References,
    role_arn: Option<&str>,
) -> Result<(Cipher, Option<Password>), Problem> {
    let zixi = protocol == Protocol::ZixiPush;
    let password = match &encryption.password_secret_ref {
        Some(reference) => {
            let found = references.secret(&format!("{field}.passwordSecretRef"), reference)?;
            // MediaConnect user guide, "SRT password encryption", and libsrt (SRTO_PASSPHRASE): 10 to 80 characters.
            let length = found.text.expose().chars().count();
            let fault = if !zixi && !(10..=80).contains(&length) {
                Some(format!("has {length} characters, and an SRT password has 10 to 80"))
            } else {
                keys::fault(&found.text, Use::Password)
            };
            if let Some(fault) = fault {
                let SecretKeyReference { name, key } = reference;
                let write = references.write_entry(reference);
                return Err(Problem::new(
                    Reason::InvalidSpec,
                    format!(
                        "{field}.passwordSecretRef: the text in entry {key} of Secret {name} {fault}. Write the password alone: {write}"
                    ),
                ));
            }
            Some(Password {
                name: copy_name(found.fingerprint.as_deref()),
                is_told: found.fingerprint.is_some(),
                text: found.text.clone(),
            })
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
