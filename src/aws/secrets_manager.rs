//! AWS Secrets Manager: the copies of passwords that MediaConnect reads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, Tag};
use playout_core::flow::{Password, SecretCopy};
use playout_core::names::TAG_CLUSTER;
use playout_core::plan::{Failure, FailureClass};

use super::caller::{Caller, next_page};
use super::pace::Urgency;
use super::shared::{Ask, Reads};
use crate::clock::Clock;

const LIST: &str = "secretsmanager:ListSecrets";

/// The service, as narrow as we need it.
#[derive(Debug)]
pub struct SecretsManager {
    client: Client,
    caller: Arc<Caller>,
    /// One List serves all objects.
    listed: Reads<(), Arc<Vec<SecretCopy>>>,
}

impl SecretsManager {
    pub(super) fn new(sdk: &SdkConfig, caller: Arc<Caller>, clock: Clock) -> Self {
        Self { client: Client::new(sdk), caller, listed: Reads::new(clock, LIST) }
    }

    /// The copies that an operator made, as they were not longer than `age` ago.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn copies(&self, age: Duration, urgency: Urgency) -> Result<Arc<Vec<SecretCopy>>, Failure> {
        let read = || {
            let (client, caller) = (self.client.clone(), self.caller.clone());
            async move { list(&client, &caller, urgency).await.map(Arc::new) }
        };
        self.listed.read((), Ask { age, urgency }, read).await
    }

    fn changed(&self) {
        self.listed.changed(&());
    }

    /// Makes a copy.
    ///
    /// # Errors
    /// The call failed; `Conflict` when the name is taken.
    pub async fn create(&self, password: &Password, tags: &BTreeMap<String, String>) -> Result<(), Failure> {
        let call = self
            .client
            .create_secret()
            .name(&password.name)
            .description("Password of a stream; a copy made by Playout, removed with its object")
            .secret_string(password.text.expose())
            .client_request_token(token(password))
            .set_tags(Some(tag_list(tags)))
            .send();
        let result = self.caller.change("secretsmanager:CreateSecret", call).await.map(drop);
        self.changed();
        result
    }

    /// Removes a copy at once. One that is gone already is a success.
    ///
    /// # Errors
    /// The call failed.
    pub async fn delete(&self, arn: &str) -> Result<(), Failure> {
        let call = self.client.delete_secret().secret_id(arn).force_delete_without_recovery(true).send();
        let result = self.caller.change("secretsmanager:DeleteSecret", call).await.map(drop);
        self.changed();
        match result {
            Err(failure) if failure.class == FailureClass::Absent => Ok(()),
            other => other,
        }
    }
}

async fn list(client: &Client, caller: &Caller, urgency: Urgency) -> Result<Vec<SecretCopy>, Failure> {
    let mut copies = Vec::new();
    let mut token = None;
    loop {
        let ours = Filter::builder().key(FilterNameStringType::TagKey).values(TAG_CLUSTER).build();
        let call = client.list_secrets().filters(ours).max_results(100).set_next_token(token).send();
        let page = caller.read(LIST, urgency, call).await?;
        for secret in page.secret_list() {
            // One that is being removed still stands in the list.
            if let (Some(arn), Some(name), None) = (secret.arn(), secret.name(), secret.deleted_date()) {
                let tags = secret.tags().iter();
                let tags = tags.filter_map(|t| Some((t.key()?.to_string(), t.value()?.to_string()))).collect();
                copies.push(SecretCopy { arn: arn.into(), name: name.into(), tags });
            }
        }
        token = next_page(page.next_token());
        if token.is_none() {
            return Ok(copies);
        }
    }
}

/// Idempotency token of 32 to 64 characters: the same for the same secret. From the name, not from the password: the token
/// stands in AWS's logs.
fn token(password: &Password) -> String {
    use playout_core::secret::SecretText;
    let hex = |text: String| SecretText::new(text).fingerprint().iter().map(|b| format!("{b:02x}")).collect::<String>();
    format!("{}{}", hex(password.name.clone()), hex(format!("{}-", password.name)))
}

fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()
}
