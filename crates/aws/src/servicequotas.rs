//! Quotas of the account: how much of what it may have, and who has it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_servicequotas::Client;
use playout_core::failure::{Failure, FailureClass};
use playout_core::identity::{TAG_CLUSTER, TAG_KIND, TAG_NAME, TAG_NAMESPACE};
use playout_core::resources::channel::{ChannelState, InputState};
use playout_core::usage::Usage;
use tokio::time::Instant;

use crate::cache::{Ask, Reads};
use crate::caller::{Caller, next_page};
use crate::clock::{Clock, within};
use crate::medialive::{ListedChannel, ListedInput};
use crate::rate_limit::Urgency;

const LIST: &str = "servicequotas:ListServiceQuotas";
/// How long a start waits for an answer: it is worth knowing, and no show waits for it.
const WAITED_FOR: Duration = Duration::from_secs(3);

/// How long is believed what AWS says of quotas, and that it does not say it. A quota is raised once in months.
const BELIEVED: Duration = Duration::from_secs(600);
/// How long it is believed that there is no room: somebody waits for more, and may just have been granted it.
const FULL: Duration = Duration::from_secs(25);
/// How long AWS is left alone after it gave no answer.
const MISSED: Duration = Duration::from_secs(30);

/// A quota that counts what we make.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Limit {
    /// MediaLive channels of the region.
    Channels,
    /// MediaLive push inputs of the region.
    PushInputs,
    /// MediaConnect flows of the region.
    Flows,
}

/// What the operator was told of quotas. It goes before what AWS says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// MediaLive channels of a region.
    pub channels: Option<usize>,
    /// MediaLive push inputs of a region.
    pub push_inputs: Option<usize>,
    /// MediaConnect flows of a region.
    pub flows: Option<usize>,
}

impl Limit {
    /// The service's code in Service Quotas, the quota's name there, and the default that AWS documents (quotas pages of the
    /// MediaLive and MediaConnect user guides, 2026).
    fn known(self) -> (&'static str, &'static str, usize) {
        match self {
            Self::Channels => ("medialive", "channels", 5),
            Self::PushInputs => ("medialive", "push inputs", 5),
            Self::Flows => ("mediaconnect", "flows", 20),
        }
    }
}

/// Quotas of a service by name, in small letters.
type ByName = Arc<HashMap<String, usize>>;

/// The service, as narrow as we need it.
#[derive(Debug)]
pub struct Quotas {
    client: Client,
    caller: Arc<Caller>,
    clock: Clock,
    told: Limits,
    /// By service.
    known: Reads<&'static str, ByName>,
    /// Until when AWS is left alone, by service.
    left_alone: Mutex<HashMap<&'static str, Instant>>,
    warned: AtomicBool,
}

impl Quotas {
    pub(super) fn new(sdk: &SdkConfig, caller: Arc<Caller>, clock: Clock, told: Limits) -> Self {
        Self {
            client: Client::new(sdk),
            caller,
            told,
            known: Reads::new(clock.clone(), LIST),
            clock,
            left_alone: Mutex::default(),
            warned: AtomicBool::new(false),
        }
    }

    /// How many there may be: what the operator was told, else what AWS says, else what AWS documents. When `used` leaves no
    /// room, what AWS said is believed for a short time only.
    pub async fn limit(&self, limit: Limit, used: usize) -> usize {
        let told = match limit {
            Limit::Channels => self.told.channels,
            Limit::PushInputs => self.told.push_inputs,
            Limit::Flows => self.told.flows,
        };
        if let Some(told) = told {
            return told;
        }
        let (service, name, default) = limit.known();
        let of = |quotas: &ByName| quotas.get(name).copied().unwrap_or(default);
        of(&self.of(service, |quotas| used < of(quotas)).await)
    }

    async fn of(&self, service: &'static str, has_room: impl Fn(&ByName) -> bool) -> ByName {
        let last = self.known.last(&service);
        let left_alone = self.left_alone().get(service).is_some_and(|until| self.clock.instant() < *until);
        if left_alone {
            return last.unwrap_or_default();
        }
        let age = if last.as_ref().is_none_or(has_room) { BELIEVED } else { FULL };
        let read = || {
            let (client, caller) = (self.client.clone(), self.caller.clone());
            async move { list(&client, &caller, service).await.map(Arc::new) }
        };
        let read = self.known.read(service, Ask { age, urgency: Urgency::Check }, read);
        let failure = match within(WAITED_FOR, read).await {
            Some(Ok(quotas)) => return quotas,
            Some(Err(failure)) => failure,
            None => self.known.no_answer(),
        };
        // The quotas are there to tell of a full account early. Without them AWS tells it when something is made.
        if !self.warned.swap(true, Ordering::SeqCst) {
            tracing::warn!(
                operation = failure.operation,
                reason = failure.message,
                "the quotas of the account cannot be read; until they can, AWS's defaults are taken"
            );
        }
        let left_alone = if failure.class == FailureClass::Denied { BELIEVED } else { MISSED };
        self.left_alone().insert(service, self.clock.instant() + left_alone);
        last.unwrap_or_default()
    }

    fn left_alone(&self) -> MutexGuard<'_, HashMap<&'static str, Instant>> {
        self.left_alone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn list(client: &Client, caller: &Caller, service: &str) -> Result<HashMap<String, usize>, Failure> {
    let mut quotas = HashMap::new();
    let mut token = None;
    loop {
        let call = client.list_service_quotas().service_code(service).max_results(100).set_next_token(token).send();
        let page = caller.read(LIST, Urgency::Check, call).await?;
        for quota in page.quotas() {
            if let (Some(name), Some(value)) = (quota.quota_name(), quota.value()) {
                quotas.insert(name.to_lowercase(), count(value));
            }
        }
        token = next_page(page.next_token());
        if token.is_none() {
            return Ok(quotas);
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn count(value: f64) -> usize {
    value as usize
}

/// How much of the quota of channels is used, and who of this namespace has them. A channel that is gone stands in the list
/// for a while and does not count.
#[must_use]
pub fn channels(list: &[ListedChannel], limit: usize, namespace: &str) -> Usage {
    let there = list.iter().filter(|channel| channel.state != ChannelState::Deleted);
    usage(limit, namespace, there.map(|channel| &channel.tags))
}

/// How much of the quota of push inputs is used, and who of this namespace has them.
#[must_use]
pub fn push_inputs(list: &[ListedInput], limit: usize, namespace: &str) -> Usage {
    let there = list.iter().filter(|listed| listed.is_push).map(|listed| &listed.input);
    let there = there.filter(|input| input.state != InputState::Deleted);
    usage(limit, namespace, there.map(|input| &input.tags))
}

fn usage<'a>(limit: usize, namespace: &str, tags: impl Iterator<Item = &'a BTreeMap<String, String>>) -> Usage {
    let (mut used, mut by) = (0, Vec::new());
    for tags in tags {
        used += 1;
        by.extend(neighbour(namespace, tags));
    }
    by.sort();
    Usage { used, limit, by }
}

/// The object of this namespace that made something, of whatever cluster. What others have is not told: their names would
/// tell a tenant who else is there.
fn neighbour(namespace: &str, tags: &BTreeMap<String, String>) -> Option<String> {
    tags.get(TAG_CLUSTER)?;
    let kind = tags.get(TAG_KIND).filter(|kind| ["Destination", "LiveSession"].contains(&kind.as_str()))?;
    tags.get(TAG_NAMESPACE).filter(|of| *of == namespace)?;
    Some(format!("{kind}/{}", tags.get(TAG_NAME)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use playout_core::identity::Identity;
    use playout_core::resources::channel::{ChannelState, Input, InputState, Push};

    use super::{ListedChannel, ListedInput, channels, push_inputs};

    fn tags(kind: &str, name: &str) -> BTreeMap<String, String> {
        let [cluster, namespace, uid] = ["other cluster", "show", "u1"].map(str::to_string);
        Identity { cluster, kind: kind.into(), namespace, name: name.into(), uid }.tags(&BTreeMap::new())
    }

    fn channel(id: &str, state: ChannelState, tags: BTreeMap<String, String>) -> ListedChannel {
        ListedChannel { id: id.into(), arn: format!("arn:{id}"), name: "news".into(), state, tags }
    }

    #[test]
    fn whose_channels_they_are_is_told_and_what_is_gone_does_not_count() {
        let list = [
            channel("3", ChannelState::Idle, tags("Destination", "twitch")),
            channel("1", ChannelState::Running, BTreeMap::new()),
            channel("2", ChannelState::Deleted, BTreeMap::new()),
            channel("4", ChannelState::Deleting, tags("LiveSession", "late")),
            channel("5", ChannelState::CreateFailed, tags("Source", "studio")),
        ];
        let usage = channels(&list, 5, "show");
        assert_eq!((usage.used, usage.limit), (4, 5));
        assert_eq!(usage.by, ["Destination/twitch", "LiveSession/late"]);
        assert_eq!(usage.holders(), ", by Destination/twitch, LiveSession/late (and 2 outside this namespace)");
        let foreign = channels(&list, 5, "another");
        assert_eq!((foreign.used, foreign.holders().as_str()), (4, ", all 4 outside this namespace"));
        assert!(usage.has_room(0) && !usage.has_room(1));
    }

    #[test]
    fn inputs_that_pull_do_not_count() {
        let input = |state, is_push| {
            let [id, arn, name] = ["7", "arn:7", "feed"].map(str::to_string);
            let (flows, push, channels, tags) = (Vec::new(), Push::default(), Vec::new(), BTreeMap::new());
            ListedInput { input: Input { id, arn, name, state, flows, push, channels, tags }, is_push }
        };
        let list =
            [input(InputState::Attached, true), input(InputState::Attached, false), input(InputState::Deleted, true)];
        let usage = push_inputs(&list, 5, "show");
        assert_eq!((usage.used, usage.by.len()), (1, 0));
    }
}
