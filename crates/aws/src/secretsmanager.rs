//! AWS Secrets Manager: the copies of passwords that MediaConnect reads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, Tag};
use playout_core::failure::{Failure, FailureClass};
use playout_core::identity::TAG_CLUSTER;
use playout_core::resources::flow::{Password, SecretCopy};

use crate::cache::{Ask, Reads};
use crate::caller::{Caller, next_page};
use crate::clock::Clock;
use crate::rate_limit::Urgency;

const LIST: &str = "secretsmanager:ListSecrets";
const DESCRIBE: &str = "secretsmanager:DescribeSecret";

/// The service, as narrow as we need it.
#[derive(Debug)]
pub struct SecretsManager {
    client: Client,
    caller: Arc<Caller>,
    /// One List serves all objects.
    listed: Reads<(), Arc<Vec<SecretCopy>>>,
    /// By name.
    described: Reads<String, Option<SecretCopy>>,
}

impl SecretsManager {
    pub(super) fn new(sdk: &SdkConfig, caller: Arc<Caller>, clock: Clock) -> Self {
        Self {
            client: Client::new(sdk),
            caller,
            listed: Reads::new(clock.clone(), LIST),
            described: Reads::new(clock, DESCRIBE),
        }
    }

    /// The secret of that name, as it was not longer than `age` ago; `None` when there is none, or it is being removed. This, and
    /// not a list, proves that there is none: "ListSecrets might not reflect changes from the last five minutes. You can get
    /// more recent information for a specific secret by calling DescribeSecret" (Secrets Manager API reference, ListSecrets).
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn describe(&self, name: &str, age: Duration, urgency: Urgency) -> Result<Option<SecretCopy>, Failure> {
        let read = || {
            let (client, caller, name) = (self.client.clone(), self.caller.clone(), name.to_string());
            async move { describe(&client, &caller, name, urgency).await }
        };
        self.described.read(name.to_string(), Ask { age, urgency }, read).await
    }

    /// The copies that an operator made and a list has, as they were not longer than `age` ago: for what no name is known of.
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

    fn changed(&self, name: &str) {
        self.listed.changed(&());
        self.described.changed(&name.to_string());
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
        self.changed(&password.name);
        result
    }

    /// Removes a copy at once. One that is gone already is a success.
    ///
    /// # Errors
    /// The call failed.
    pub async fn delete(&self, arn: &str) -> Result<(), Failure> {
        let call = self.client.delete_secret().secret_id(arn).force_delete_without_recovery(true).send();
        let result = self.caller.change("secretsmanager:DeleteSecret", call).await.map(drop);
        self.changed(name_in(arn));
        match result {
            Err(failure) if failure.class == FailureClass::Absent => Ok(()),
            other => other,
        }
    }
}

async fn describe(
    client: &Client,
    caller: &Caller,
    name: String,
    urgency: Urgency,
) -> Result<Option<SecretCopy>, Failure> {
    let call = client.describe_secret().secret_id(&name).send();
    match caller.read(DESCRIBE, urgency, call).await {
        Ok(seen) if seen.deleted_date().is_some() => Ok(None),
        Ok(seen) => Ok(seen.arn().map(|arn| SecretCopy { arn: arn.into(), tags: tags(seen.tags()), name })),
        Err(failure) if failure.class == FailureClass::Absent => Ok(None),
        Err(failure) => Err(failure),
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
                copies.push(SecretCopy { arn: arn.into(), name: name.into(), tags: tags(secret.tags()) });
            }
        }
        token = next_page(page.next_token());
        if token.is_none() {
            return Ok(copies);
        }
    }
}

/// The name in an ARN: Secrets Manager adds a dash and six characters to it (Secrets Manager user guide, "What's in a secret").
fn name_in(arn: &str) -> &str {
    let last = arn.rsplit(':').next().unwrap_or_default();
    last.len().checked_sub(7).and_then(|end| last.get(..end)).unwrap_or(last)
}

/// Idempotency token of 32 to 64 characters: the same for the same secret. From the name, not from the password: the token
/// stands in AWS's logs.
fn token(password: &Password) -> String {
    use playout_core::secret::SecretText;
    let hex = |text: String| SecretText::new(text).fingerprint().iter().map(|b| format!("{b:02x}")).collect::<String>();
    format!("{}{}", hex(password.name.clone()), hex(format!("{}-", password.name)))
}

fn tags(seen: &[Tag]) -> BTreeMap<String, String> {
    seen.iter().filter_map(|t| Some((t.key()?.to_string(), t.value()?.to_string()))).collect()
}

fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()
}
