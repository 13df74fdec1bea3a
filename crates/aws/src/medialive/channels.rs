//! Reads of MediaLive's channels and inputs, shared: one List serves all objects, and one Describe all that ask for the same.

use std::sync::Arc;
use std::time::Duration;

use playout_core::failure::{Failure, FailureClass};
use playout_core::resources::channel::{Alert, Channel, Input};

use crate::cache::{Ask, Reads};
use crate::clock::Clock;
use crate::medialive::{ListedChannel, ListedInput, MediaLive};
use crate::rate_limit::Urgency;

/// Shared reads of channels and inputs. They have ids of one kind, and each kind a map of its own.
#[derive(Debug)]
pub struct Channels {
    medialive: Arc<MediaLive>,
    channels: Reads<(), Arc<Vec<ListedChannel>>>,
    inputs: Reads<(), Arc<Vec<ListedInput>>>,
    described: Reads<String, Option<Arc<Channel>>>,
    described_inputs: Reads<String, Option<Arc<Input>>>,
    alerts: Reads<String, Vec<Alert>>,
}

impl Channels {
    pub(crate) fn new(medialive: Arc<MediaLive>, clock: Clock) -> Self {
        Self {
            medialive,
            channels: Reads::new(clock.clone(), "medialive:ListChannels"),
            inputs: Reads::new(clock.clone(), "medialive:ListInputs"),
            described: Reads::new(clock.clone(), "medialive:DescribeChannel"),
            described_inputs: Reads::new(clock.clone(), "medialive:DescribeInput"),
            alerts: Reads::new(clock, "medialive:ListAlerts"),
        }
    }

    /// All channels of the region, as they were not longer than `age` ago.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn list(&self, age: Duration, urgency: Urgency) -> Result<Arc<Vec<ListedChannel>>, Failure> {
        let read = || {
            let live = self.medialive.clone();
            async move { live.list_channels(urgency).await.map(Arc::new) }
        };
        self.channels.read((), Ask { age, urgency }, read).await
    }

    /// All inputs of the region, as they were not longer than `age` ago.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn inputs(&self, age: Duration, urgency: Urgency) -> Result<Arc<Vec<ListedInput>>, Failure> {
        let read = || {
            let live = self.medialive.clone();
            async move { live.list_inputs(urgency).await.map(Arc::new) }
        };
        self.inputs.read((), Ask { age, urgency }, read).await
    }

    /// The channel, as it was not longer than `age` ago; `None` when AWS says that there is none.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn describe(&self, id: &str, age: Duration, urgency: Urgency) -> Result<Option<Arc<Channel>>, Failure> {
        let read = || {
            let (live, id) = (self.medialive.clone(), id.to_string());
            async move { Ok(live.describe_channel(&id, urgency).await?.map(Arc::new)) }
        };
        self.described.read(id.to_string(), Ask { age, urgency }, read).await
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
        let read = || {
            let (live, id) = (self.medialive.clone(), id.to_string());
            async move { Ok(live.describe_input(&id, urgency).await?.map(Arc::new)) }
        };
        self.described_inputs.read(id.to_string(), Ask { age, urgency }, read).await
    }

    /// The alerts of a channel that are set. When AWS gives no answer, those that were set the last time: not to know is not to
    /// know that all is well.
    ///
    /// # Errors
    /// AWS gave no answer and nothing is known, or it does not allow to ask.
    pub async fn alerts(&self, channel: &Channel) -> Result<Vec<Alert>, Failure> {
        let read = || {
            let (live, channel) = (self.medialive.clone(), channel.clone());
            async move { live.alerts(&channel).await }
        };
        let last = self.alerts.last(&channel.id);
        let ask = Ask { age: Duration::ZERO, urgency: Urgency::Check };
        match (self.alerts.read(channel.id.clone(), ask, read).await, last) {
            (Err(failure), Some(last)) if failure.class != FailureClass::Denied => Ok(last),
            (answer, _) => answer,
        }
    }

    /// To be called with the id of the channel or input after every change of it, whatever the answer. The state of an input
    /// changes with its channel, too.
    pub fn touched(&self, id: &str) {
        let id = id.to_string();
        self.alerts.changed(&id);
        self.described.changed(&id);
        self.described_inputs.changed(&id);
    }

    /// To be called after something was made, removed or tagged: the lists are read anew.
    pub fn list_changed(&self) {
        self.channels.changed(&());
        self.inputs.changed(&());
    }

    /// Believes nothing of a channel or an input that was read before now.
    pub fn invalidate(&self, id: &str) {
        self.touched(id);
        self.list_changed();
    }

    /// Forgets what is known of a channel or an input that is gone.
    pub fn forget(&self, id: &str) {
        let id = id.to_string();
        self.described.forget(&id);
        self.described_inputs.forget(&id);
        self.alerts.forget(&id);
    }
}
