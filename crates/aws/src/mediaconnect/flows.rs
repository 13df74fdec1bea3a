//! Reads of flows, shared: twenty Destinations of one Source ask once.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use playout_core::failure::Failure;
use playout_core::resources::flow::Flow;
use tokio::time::Instant;

use crate::cache::{Ask, Reads};
use crate::clock::Clock;
use crate::mediaconnect::{ListedFlow, MediaConnect};
use crate::rate_limit::Urgency;

/// After so long tags are read again: they change only by our own hand or somebody else's.
const TAGS_FOR: Duration = Duration::from_secs(600);

/// The same of an output that is recorded as ours: there are fifty on a flow, and AWS answers five of these calls a second.
const OUTPUT_TAGS_FOR: Duration = Duration::from_secs(3600);

/// The same of what is recorded as somebody else's: whoever restores its tags need not say so.
const LOST_TAGS_FOR: Duration = Duration::from_secs(60);

type Tags = std::collections::BTreeMap<String, String>;

/// Shared reads of flows.
#[derive(Debug)]
pub struct Flows {
    mediaconnect: Arc<MediaConnect>,
    described: Reads<String, Option<Arc<Flow>>>,
    listed: Reads<(), Arc<Vec<ListedFlow>>>,
    tags: Reads<String, Tags>,
    clock: Clock,
    began: Instant,
}

impl Flows {
    pub(crate) fn new(mediaconnect: Arc<MediaConnect>, clock: Clock) -> Self {
        Self {
            mediaconnect,
            described: Reads::new(clock.clone(), "mediaconnect:DescribeFlow"),
            listed: Reads::new(clock.clone(), "mediaconnect:ListFlows"),
            tags: Reads::new(clock.clone(), "mediaconnect:ListTagsForResource"),
            began: clock.instant(),
            clock,
        }
    }

    /// The flow, as it was not longer than `age` ago; `None` when AWS says that there is none.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn describe(&self, arn: &str, age: Duration, urgency: Urgency) -> Result<Option<Arc<Flow>>, Failure> {
        let read = || {
            let (mediaconnect, arn) = (self.mediaconnect.clone(), arn.to_string());
            async move { Ok(mediaconnect.describe_flow(&arn, urgency).await?.map(Arc::new)) }
        };
        self.described.read(arn.to_string(), Ask { age, urgency }, read).await
    }

    /// To be called after every change of a flow, whatever its answer.
    pub fn touched(&self, arn: &str) {
        self.described.changed(&arn.to_string());
    }

    /// Believes nothing of a flow or an output that was read before now.
    pub fn invalidate(&self, arn: &str) {
        self.tags.changed(&arn.to_string());
        self.touched(arn);
    }

    /// To be called after a flow was made or removed: the list is read anew.
    pub fn list_changed(&self) {
        self.listed.changed(&());
    }

    /// The flows of that name. AWS does not keep names unique.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn named(&self, name: &str, age: Duration, urgency: Urgency) -> Result<Vec<ListedFlow>, Failure> {
        Ok(self.all(age, urgency).await?.iter().filter(|f| f.name == name).cloned().collect())
    }

    /// All flows of the region.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn all(&self, age: Duration, urgency: Urgency) -> Result<Arc<Vec<ListedFlow>>, Failure> {
        let read = || {
            let mediaconnect = self.mediaconnect.clone();
            async move { mediaconnect.list_flows(urgency).await.map(Arc::new) }
        };
        self.listed.read((), Ask { age, urgency }, read).await
    }

    /// Tags of a flow as they were last read; if they never were, they are read now.
    ///
    /// MediaConnect gives tags by ListTagsForResource alone, one resource a call, at five calls a second (MediaConnect quotas
    /// page). So what is known is used while it is read again in the background. What must not rest on an old answer asks by
    /// [`Self::tags_now`].
    ///
    /// # Errors
    /// AWS gave no answer, or says that it is gone.
    pub async fn tags(&self, arn: &str, urgency: Urgency) -> Result<Tags, Failure> {
        match self.last_tags(arn) {
            Some(tags) => {
                self.refresh_tags(arn);
                Ok(tags)
            }
            None => self.tags_of(arn, TAGS_FOR, urgency).await,
        }
    }

    /// Tags of what is recorded as not the object's own: of this minute, or what was last read of it. Nothing but it waits for them.
    pub async fn tags_of_lost(&self, arn: &str, urgency: Urgency) -> Option<Tags> {
        self.tags_of(arn, LOST_TAGS_FOR, urgency).await.ok().or_else(|| self.last_tags(arn))
    }

    /// Tags of a flow or an output, if they have been read.
    pub fn last_tags(&self, arn: &str) -> Option<Tags> {
        self.tags.last(&arn.to_string())
    }

    /// Has tags read in the background, if they never were or long ago. Nothing waits for it.
    pub fn refresh_tags(&self, arn: &str) {
        self.refresh(arn, TAGS_FOR);
    }

    /// The same of an output that is recorded as ours, in its turn: an operator that has just begun to work does not read the tags of
    /// a thousand of them at once.
    pub fn refresh_tags_in_turn(&self, arn: &str) {
        let mut hash = DefaultHasher::new();
        arn.hash(&mut hash);
        let turn = Duration::from_secs(hash.finish() % OUTPUT_TAGS_FOR.as_secs());
        if self.last_tags(arn).is_some() || self.clock.instant() >= self.began + turn {
            self.refresh(arn, OUTPUT_TAGS_FOR);
        }
    }

    fn refresh(&self, arn: &str, age: Duration) {
        // The first poll begins the read, in a task of its own.
        if let Some(Err(failure)) = self.tags_of(arn, age, Urgency::Check).now_or_never() {
            tracing::debug!(arn, error = failure.message, "tags cannot be read");
        }
    }

    /// Tags as they are now: before something is stopped, removed or tagged again.
    ///
    /// # Errors
    /// AWS gave no answer, or says that it is gone.
    pub async fn tags_now(&self, arn: &str) -> Result<Tags, Failure> {
        self.tags_of(arn, Duration::ZERO, Urgency::Change).await
    }

    async fn tags_of(&self, arn: &str, age: Duration, urgency: Urgency) -> Result<Tags, Failure> {
        let read = || {
            let (mediaconnect, arn) = (self.mediaconnect.clone(), arn.to_string());
            async move { mediaconnect.tags(&arn, urgency).await }
        };
        self.tags.read(arn.to_string(), Ask { age, urgency }, read).await
    }

    /// Remembers tags that we have just set.
    pub fn tagged(&self, arn: &str, tags: &Tags) {
        let mut known = self.tags.last(&arn.to_string()).unwrap_or_default();
        known.extend(tags.iter().map(|(k, v)| (k.clone(), v.clone())));
        self.tags.know(arn.to_string(), known);
    }

    /// Forgets what is known of a resource that is gone.
    pub fn forget(&self, arn: &str) {
        self.tags.forget(&arn.to_string());
        self.described.forget(&arn.to_string());
    }
}
