//! SSM parameters that hold stream keys.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use playout_core::plan::{Failure, FailureClass};
use playout_core::references::Found;
use playout_core::secret::SecretText;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::caller::Caller;
use super::pace::Urgency;
use crate::clock::Clock;

/// How long a value is believed: SSM tells nobody of a change.
const BELIEVED: Duration = Duration::from_secs(300);
/// How long it is believed that there is none, so that a new parameter is found soon.
const MISSED: Duration = Duration::from_secs(10);

/// The service, as narrow as we need it.
#[derive(Debug)]
pub struct Parameters {
    client: Client,
    caller: Arc<Caller>,
    clock: Clock,
    known: Mutex<HashMap<String, (Instant, Option<Found>)>>,
}

impl Parameters {
    pub(super) fn new(sdk: &SdkConfig, caller: Arc<Caller>, clock: Clock) -> Self {
        Self { client: Client::new(sdk), caller, clock, known: Mutex::default() }
    }

    /// The value of a parameter; `None` when there is none. `anew` asks whatever is known. When AWS gives no answer, a value that
    /// is known holds: a show must not wait for SSM.
    ///
    /// # Errors
    /// AWS gave no answer and nothing is known, or it does not allow it.
    pub async fn value(&self, name: &str, anew: bool) -> Result<Option<Found>, Failure> {
        let now = self.clock.instant();
        let known = self.known.lock().await.get(name).cloned().filter(|_| !anew);
        if let Some((read, found)) = &known
            && now < *read + if found.is_some() { BELIEVED } else { MISSED }
        {
            return Ok(found.clone());
        }
        let call = self.client.get_parameter().name(name).with_decryption(true).send();
        let found = match self.caller.read("ssm:GetParameter", Urgency::Change, call).await {
            Ok(answer) => answer.parameter().and_then(|p| {
                Some(Found { text: SecretText::new(p.value()?), version: format!("ssm {} {}", p.name()?, p.version()) })
            }),
            Err(failure) if failure.class == FailureClass::Absent => None,
            Err(failure) => {
                let known = known.and_then(|(_, found)| found).filter(|_| failure.class != FailureClass::Denied);
                return known.map(Some).ok_or(failure);
            }
        };
        self.known.lock().await.insert(name.to_string(), (now, found.clone()));
        Ok(found)
    }
}
