//! Reads of MediaLive's channels and inputs, shared: one List serves all objects, and one Describe all that ask for the same.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use playout_core::channel::{Alert, Channel, Input};
use playout_core::plan::{Failure, FailureClass};
use tokio::sync::Mutex;

use super::media_live::{ListedChannel, ListedInput, MediaLive};
use super::pace::Urgency;
use super::shared::Shared;
use crate::clock::Clock;

/// Shared reads by id. Channels and inputs have ids of one kind, and each kind a map of its own.
type ById<T> = Mutex<HashMap<String, Arc<Shared<Option<Arc<T>>>>>>;

/// Shared reads of channels and inputs.
#[derive(Debug)]
pub struct Channels {
    media_live: Arc<MediaLive>,
    clock: Clock,
    channels: Shared<Arc<Vec<ListedChannel>>>,
    inputs: Shared<Arc<Vec<ListedInput>>>,
    described: ById<Channel>,
    described_inputs: ById<Input>,
    /// What was last known of the alerts of a channel.
    alerts: Mutex<HashMap<String, Vec<Alert>>>,
}

impl Channels {
    pub(super) fn new(media_live: Arc<MediaLive>, clock: Clock) -> Self {
        Self {
            media_live,
            clock,
            channels: Shared::default(),
            inputs: Shared::default(),
            described: Mutex::default(),
            described_inputs: Mutex::default(),
            alerts: Mutex::default(),
        }
    }

    /// All channels of the region, as they were not longer than `age` ago.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn list(&self, age: Duration) -> Result<Arc<Vec<ListedChannel>>, Failure> {
        let read = async { self.media_live.list_channels().await.map(Arc::new) };
        self.channels.read(&self.clock, age, read).await
    }

    /// All inputs of the region, as they were not longer than `age` ago.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn inputs(&self, age: Duration) -> Result<Arc<Vec<ListedInput>>, Failure> {
        let read = async { self.media_live.list_inputs().await.map(Arc::new) };
        self.inputs.read(&self.clock, age, read).await
    }

    /// The channel, as it was not longer than `age` ago; `None` when AWS says that there is none.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn describe(&self, id: &str, age: Duration, urgency: Urgency) -> Result<Option<Arc<Channel>>, Failure> {
        let shared = self.described.lock().await.entry(id.to_string()).or_default().clone();
        let read = async { Ok(self.media_live.describe_channel(id, urgency).await?.map(Arc::new)) };
        shared.read(&self.clock, age, read).await
    }

    /// The input, as it was not longer than `age` ago; `None` when AWS says that there is none.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn describe_input(
        &self,
        id: &str,
        age: Duration,
        urgency: Urgency,
    ) -> Result<Option<Arc<Input>>, Failure> {
        let shared = self.described_inputs.lock().await.entry(id.to_string()).or_default().clone();
        let read = async { Ok(self.media_live.describe_input(id, urgency).await?.map(Arc::new)) };
        shared.read(&self.clock, age, read).await
    }

    /// The alerts of a channel that are set. When AWS gives no answer, those that were set the last time: not to know is not to
    /// know that all is well.
    ///
    /// # Errors
    /// AWS gave no answer and nothing is known, or it does not allow to ask.
    pub async fn alerts(&self, channel: &Channel) -> Result<Vec<Alert>, Failure> {
        let answer = self.media_live.alerts(channel).await;
        let mut known = self.alerts.lock().await;
        match answer {
            Ok(alerts) => {
                known.insert(channel.id.clone(), alerts.clone());
                Ok(alerts)
            }
            Err(failure) if failure.class == FailureClass::Denied => Err(failure),
            Err(failure) => known.get(&channel.id).cloned().ok_or(failure),
        }
    }

    /// To be called with the id of the channel or input after every change of it, whatever the answer. The state of an input
    /// changes with its channel, too.
    pub async fn touched(&self, id: &str) {
        self.alerts.lock().await.remove(id);
        if let Some(shared) = self.described.lock().await.get(id) {
            shared.changed();
        }
        if let Some(shared) = self.described_inputs.lock().await.get(id) {
            shared.changed();
        }
    }

    /// To be called after something was made, removed or tagged: the lists are read anew.
    pub fn list_changed(&self) {
        self.channels.changed();
        self.inputs.changed();
    }

    /// Believes nothing of a channel or an input that was read before now.
    pub async fn doubt(&self, id: &str) {
        self.touched(id).await;
        self.list_changed();
    }

    /// Forgets what is known of a channel or an input that is gone.
    pub async fn forget(&self, id: &str) {
        self.described.lock().await.remove(id);
        self.described_inputs.lock().await.remove(id);
        self.alerts.lock().await.remove(id);
    }
}
