//! Copies of passwords in AWS Secrets Manager, where MediaConnect reads them. Shared by every kind that encrypts a stream.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::flow::{Cipher, Password, SecretCopy};
use crate::names::TAG_SECRET_VERSION;
use crate::reasons::Reason;

/// What can be done for a copy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum CopyAction {
    /// Make it. Its name is unique in the region, so that a second create is refused by AWS.
    Create { password: Password, tags: BTreeMap<String, String> },
    /// Put a changed password there.
    Put { arn: String, password: Password, tags: BTreeMap<String, String> },
    /// Remove it; nothing uses it.
    Delete { arn: String },
}

impl CopyAction {
    /// The reason of the Event that tells of it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        Reason::Updated
    }

    /// What an Event says of it.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Create { .. } => "Copied the password to Secrets Manager".into(),
            Self::Put { .. } => "Copied the changed password to Secrets Manager".into(),
            Self::Delete { .. } => "Removed a password from Secrets Manager".into(),
        }
    }
}

/// What makes the copies current. `may_replace` says whether a changed password may be put in now.
#[must_use]
pub fn missing<'a>(
    passwords: impl Iterator<Item = &'a Password>,
    copies: &[SecretCopy],
    tags: &BTreeMap<String, String>,
    may_replace: bool,
) -> Vec<CopyAction> {
    let mut actions = Vec::new();
    for password in passwords {
        let tags = || {
            let mut tags = tags.clone();
            tags.insert(TAG_SECRET_VERSION.into(), password.version.clone());
            tags
        };
        let action = match find(password, copies) {
            None => CopyAction::Create { password: password.clone(), tags: tags() },
            Some(copy) if may_replace && is_stale(password, copy) => {
                CopyAction::Put { arn: copy.arn.clone(), password: password.clone(), tags: tags() }
            }
            Some(_) => continue,
        };
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    actions
}

/// What removes the copies that none of these passwords uses.
#[must_use]
pub fn unused<'a>(passwords: impl Iterator<Item = &'a Password>, copies: &[SecretCopy]) -> Vec<CopyAction> {
    let used: Vec<_> = passwords.map(|p| p.name.as_str()).collect();
    copies
        .iter()
        .filter(|copy| !used.contains(&copy.name.as_str()))
        .map(|copy| CopyAction::Delete { arn: copy.arn.clone() })
        .collect()
}

/// Whether the copy holds another version than the Kubernetes Secret.
#[must_use]
pub fn is_stale(password: &Password, copy: &SecretCopy) -> bool {
    copy.tags.get(TAG_SECRET_VERSION) != Some(&password.version)
}

/// The copy of a password, if it is there.
#[must_use]
pub fn find<'a>(password: &Password, copies: &'a [SecretCopy]) -> Option<&'a SecretCopy> {
    copies.iter().find(|copy| copy.name == password.name)
}

/// Fills in the ARN of the own copy, which is known only by observation.
pub fn fill(cipher: Option<&mut Cipher>, password: Option<&Password>, copies: &[SecretCopy]) {
    if let (Some(cipher), Some(password)) = (cipher, password) {
        cipher.secret_arn = find(password, copies).map(|copy| copy.arn.clone());
    }
}
