//! SSM parameters that hold stream keys.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use playout_core::failure::{Failure, FailureClass};
use playout_core::references::trimmed;
use playout_core::secret::SecretText;

use crate::cache::{Ask, Reads};
use crate::caller::Caller;
use crate::clock::Clock;
use crate::rate_limit::Urgency;

const GET: &str = "ssm:GetParameter";

/// How long a value is believed: SSM tells nobody of a change.
const BELIEVED: Duration = Duration::from_secs(300);
/// How long it is believed that there is none, so that a new parameter is found soon.
const MISSED: Duration = Duration::from_secs(10);

/// The service, as narrow as we need it.
#[derive(Debug)]
pub struct Parameters {
    client: Client,
    caller: Arc<Caller>,
    known: Reads<String, Option<SecretText>>,
}

impl Parameters {
    pub(super) fn new(sdk: &SdkConfig, caller: Arc<Caller>, clock: Clock) -> Self {
        Self { client: Client::new(sdk), caller, known: Reads::new(clock, GET) }
    }

    /// The value of a parameter; `None` when there is none. `anew` asks whatever is known. When AWS gives no answer, a value that
    /// is known holds: a show must not wait for SSM.
    ///
    /// # Errors
    /// AWS gave no answer and nothing is known, or it does not allow it.
    pub async fn value(&self, name: &str, anew: bool, urgency: Urgency) -> Result<Option<SecretText>, Failure> {
        let key = name.to_string();
        let last = self.known.last(&key);
        let age = match &last {
            _ if anew => Duration::ZERO,
            Some(None) => MISSED,
            Some(Some(_)) | None => BELIEVED,
        };
        let read = || {
            let (client, caller, name) = (self.client.clone(), self.caller.clone(), name.to_string());
            async move { get(&client, &caller, &name, urgency).await }
        };
        let answer = self.known.read(key, Ask { age, urgency }, read).await;
        answer.or_else(|failure| match last.flatten() {
            Some(found) if failure.class != FailureClass::Denied => Ok(Some(found)),
            _ => Err(failure),
        })
    }
}

async fn get(client: &Client, caller: &Caller, name: &str, urgency: Urgency) -> Result<Option<SecretText>, Failure> {
    let call = client.get_parameter().name(name).with_decryption(true).send();
    match caller.read(GET, urgency, call).await {
        Ok(answer) => Ok(answer.parameter().and_then(|p| Some(SecretText::new(trimmed(p.value()?))))),
        Err(failure) if failure.class == FailureClass::Absent => Ok(None),
        Err(failure) => Err(failure),
    }
}
