//! Copies of passwords in AWS Secrets Manager, where MediaConnect reads them. Shared by every kind that encrypts a stream.
//!
//! A copy never changes. AWS does not say that a running flow reads a secret again (UpdateFlowSource and UpdateFlowOutput name
//! a secret by its ARN, and that is all), so a changed password is a new secret with a new ARN: what reads it is told so, and
//! then the old one goes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::action::{Action, Effect, Intent};
use crate::fight::{Change, What};
use crate::reasons::Reason;
use crate::resources::flow::{Cipher, Password, SecretCopy};

/// What can be done for a copy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum CopyAction {
    /// Make it. Its name is unique in the region, so that a second create is refused by AWS.
    Create { password: Password, tags: BTreeMap<String, String> },
    /// Remove it; nothing uses it.
    Delete { arn: String },
}

impl Action for CopyAction {
    fn intent(&self) -> Intent {
        Intent::None
    }

    fn effect(&self) -> Effect {
        match self {
            // The status is where its name is kept.
            Self::Create { password, .. } => Effect::new(
                vec![Change::of(&password.name, What::Made)],
                Reason::Updated,
                "Copied the password to Secrets Manager",
            )
            .kept(),
            Self::Delete { arn } => Effect::new(
                vec![Change::of(arn, What::Removed)],
                Reason::Updated,
                "Removed a password from Secrets Manager",
            ),
        }
    }
}

/// What makes the copies that are not there.
#[must_use]
pub fn missing<'a>(
    passwords: impl Iterator<Item = &'a Password>,
    copies: &[SecretCopy],
    tags: &BTreeMap<String, String>,
) -> Vec<CopyAction> {
    let mut actions = Vec::new();
    for password in passwords.filter(|password| find(password, copies, None).is_none()) {
        let action = CopyAction::Create { password: password.clone(), tags: tags.clone() };
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    actions
}

/// What removes the copies that none of these passwords uses and that nothing in AWS reads. `read`: by the ciphers that were
/// seen there.
#[must_use]
pub fn unused<'a, 'b>(
    passwords: impl Iterator<Item = &'a Password>,
    copies: &[SecretCopy],
    read: impl Iterator<Item = Option<&'b Cipher>>,
) -> Vec<CopyAction> {
    let passwords: Vec<_> = passwords.collect();
    let read: Vec<_> = read.filter_map(|cipher| cipher?.secret_arn.as_deref()).collect();
    copies
        .iter()
        .filter(|copy| !read.contains(&copy.arn.as_str()) && !passwords.iter().any(|password| is_of(copy, password)))
        .map(|copy| CopyAction::Delete { arn: copy.arn.clone() })
        .collect()
}

fn is_of(copy: &SecretCopy, password: &Password) -> bool {
    let another = || copy.name.strip_prefix(&password.name).is_some_and(|rest| rest.starts_with('-'));
    copy.name == password.name || !password.is_told && another()
}

/// The names under which there may be copies, for the status. They are recorded before AWS shows what was made, so that what a
/// changed spec no longer names is still found by DescribeSecret; ListSecrets "might not reflect changes from the last five
/// minutes" (Secrets Manager API reference). `seen`: the names that were asked for, and what was found, ours and recorded ones that
/// are not, if Secrets Manager was asked. Of a name that was not asked for, since another one has recorded it meanwhile, nothing is
/// known.
#[must_use]
pub fn names<'a>(
    before: &[String],
    seen: Option<(&[String], [&[SecretCopy]; 2])>,
    begun: impl Iterator<Item = &'a CopyAction>,
) -> Vec<String> {
    let made =
        begun.filter_map(|a| if let CopyAction::Create { password, .. } = a { Some(&password.name) } else { None });
    let mut names: Vec<String> = match seen {
        Some((asked, copies)) => {
            let untold = before.iter().filter(|name| !asked.contains(name)).cloned();
            untold.chain(copies.into_iter().flatten().map(|copy| copy.name.clone())).collect()
        }
        None => before.to_vec(),
    };
    names.extend(made.cloned());
    names.sort();
    names.dedup();
    names
}

/// The copy of a password, if it is there. Where it is not known which password a copy holds it is the one that is read, by the
/// cipher that was seen: no change is known.
#[must_use]
pub fn find<'a>(password: &Password, copies: &'a [SecretCopy], read: Option<&Cipher>) -> Option<&'a SecretCopy> {
    let read = read.and_then(|cipher| cipher.secret_arn.as_ref());
    copies.iter().filter(|copy| is_of(copy, password)).min_by_key(|copy| (Some(&copy.arn) != read, &copy.name))
}

/// Fills in the ARN of the own copy, which is known only by observation. `read` is the cipher that was seen in its place.
pub fn fill(cipher: Option<&mut Cipher>, password: Option<&Password>, copies: &[SecretCopy], read: Option<&Cipher>) {
    if let (Some(cipher), Some(password)) = (cipher, password) {
        cipher.secret_arn = find(password, copies, read).map(|copy| copy.arn.clone());
    }
}
