//! Looking up what specs refer to.

use kube::ResourceExt as _;
use playout_core::api::reference::{Encryption, KeyReference, SecretKeyReference};
use playout_core::plan::Failure;
use playout_core::references::References;

use crate::aws::Region;
use crate::kind::{Context, api_failure};

/// What is to be looked up.
#[derive(Debug, Default)]
pub struct Needed<'a> {
    secrets: Vec<&'a SecretKeyReference>,
    parameters: Vec<&'a str>,
}

impl<'a> Needed<'a> {
    /// A stream key.
    pub fn key(&mut self, reference: Option<&'a KeyReference>) -> &mut Self {
        self.secrets.extend(reference.and_then(|r| r.secret_ref.as_ref()));
        self.parameters.extend(reference.and_then(|r| r.ssm_parameter.as_deref()));
        self
    }

    /// A password.
    pub fn encryption(&mut self, encryption: Option<&'a Encryption>) -> &mut Self {
        self.secrets.extend(encryption.and_then(|e| e.password_secret_ref.as_ref()));
        self
    }

    /// Whether a Secret of that name is among them.
    pub fn names_secret(&self, name: &str) -> bool {
        self.secrets.iter().any(|s| s.name == name)
    }

    /// Looks them up. `anew`: somebody asked for a fresh look. `needed`: nothing can go on without them; a stop can, and must
    /// not wait for a service that it does not need.
    ///
    /// # Errors
    /// The API server or AWS gave no answer. What is missing is no failure: it is missing in the result.
    pub async fn look_up<O: kube::Resource>(
        &self,
        object: &O,
        region: &Region,
        anew: bool,
        needed: bool,
        context: &Context,
    ) -> Result<References, Failure> {
        let namespace = object.namespace().unwrap_or_default();
        let mut references = References::default();
        for secret in &self.secrets {
            let found = context
                .secrets
                .value(&namespace, &secret.name, &secret.key)
                .await
                .map_err(|e| api_failure("kubernetes:GetSecret", &e))
                .or_else(|failure| if needed { Err(failure) } else { Ok(None) })?;
            if let Some(found) = found {
                references.secrets.insert((secret.name.clone(), secret.key.clone()), found);
            }
        }
        for name in &self.parameters {
            let found = region.parameters.value(name, anew).await;
            if let Some(found) = found.or_else(|failure| if needed { Err(failure) } else { Ok(None) })? {
                context.redactor.learn(&found.text);
                references.parameters.insert((*name).to_string(), found);
            }
        }
        Ok(references)
    }
}

/// Whether the annotation `playout.dev/reconcile-at` has a value that was not acted upon yet.
pub fn wants_fresh_look<O: kube::Resource>(object: &O, handled: Option<&String>) -> bool {
    let asked = object.annotations().get(playout_core::api::RECONCILE_AT);
    asked.is_some() && asked != handled
}
